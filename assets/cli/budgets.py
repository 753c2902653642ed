"""`modelmeter budgets`: how each budget stands, where it will end, and what may be spent on each day that is left.

The rows are those of mart.budget_status; how they are made is `pipelines.planning`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from assets.cli.dates import day_option
from assets.cli.terminal import json_text, say

if TYPE_CHECKING:
    from pipelines.finops.plans import BudgetStanding

_WIDTH = 80


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("budgets")(budgets)


def budgets(
    day: Annotated[
        date | None, day_option("--date", "The UTC day at whose end they are shown; the newest one if left out.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, every digit shown.")] = False,
) -> None:
    """Show how each budget stands: spent, where it will end, and when it is crossed."""
    from pipelines.finops.plans import budget_standing, seller_limits
    from pipelines.workspace import open_workspace

    with open_workspace() as workspace:
        declared = workspace.config.budgets.budgets
        with workspace.database.connect(read_only=True) as connection:
            standing = budget_standing(connection, day)
            limits = seller_limits(connection, day or datetime.now(UTC).date())
    if as_json:
        say(json_text([asdict(one) for one in standing]))
        return
    if not standing:
        say(
            "no budget has a row of that day: run modelmeter daily"
            if declared
            else "budgets.yaml declares no budget (docs/planning.md)"
        )
    reasons = [f"{one.budget_id}: {one.reason}" for one in standing if one.reason]
    for line in (*(_lines(standing) if standing else ()), *reasons, *limits):
        say(line)


def _lines(standing: Sequence[BudgetStanding]) -> Iterator[str]:
    """A table of at most 80 columns where names and amounts leave room; a state that does not fit stands below its budget."""
    from pipelines.finops import format as fmt

    name = max(len("budget"), *(len(one.budget_id) for one in standing))
    yield f"{'budget':<{name}}{'spent':>11}{'of USD':>11}{'ends at':>11}{'a day left':>11}  state"
    for one in standing:
        amounts = (one.spent_usd, one.budget_usd, one.forecast_usd, one.daily_left_usd)
        decimals = fmt.scale_of(amounts)
        line = f"{one.budget_id:<{name}}{''.join(f'{fmt.money(usd, decimals):>11}' for usd in amounts)}"
        fits = len(line) + 2 + len(one.sentence) <= _WIDTH
        yield f"{line}  {one.sentence}" if fits else line
        if not fits:
            yield f"    {one.sentence}"
