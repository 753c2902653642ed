"""`modelmeter route`: what a routing policy would have saved, and what if its shares, prices or tokens were others.

The answer is that of `pipelines.routing` on what is loaded; nothing is stored. `docs/routing.md` explains every figure.
"""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from assets.cli.dates import FirstDay, LastDay, day_option, window_of
from assets.cli.terminal import json_text, say, terminal
from pipelines.finops.format import NONE

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console

    from pipelines.config.evidence import Measure
    from pipelines.finops.report.tables import Table

Unit = Literal["session", "request"]
_FACTORS = 0.0001, 10_000
_MOST_RUNS = 2
_OBJECTS = ("assumptions", "waterfall", "quality_by_use_case")
_LEFT_OUT = ("Model", "Requests", "Baseline")
_SHARE = re.compile(r"([a-z0-9_.-]+)=([0-9.]+)")
_PRICE = re.compile(r"([^/=]+)/([^=]+):([a-z0-9_]+)=([0-9.]+)")
_TOKENS = re.compile(r"([^=]+):([a-z]+)=([0-9.]+)")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("route")(route)


def route(
    policy: Annotated[str | None, typer.Argument(help="A policy of routing.yaml; default: the headline.")] = None,
    *,
    day: Annotated[date | None, day_option("--date", "This UTC day; default: the newest that is loaded.")] = None,
    first: FirstDay = None,
    last: LastDay = None,
    share: Annotated[list[str] | None, typer.Option("--share", help="ARM=SHARE, for example cheap_open=0.5.")] = None,
    price: Annotated[
        list[str] | None,
        typer.Option("--price", help="SELLER/MODEL:METER=USD per million, for example openai/gpt-5.2:output_text=7."),
    ] = None,
    tokens: Annotated[
        list[str] | None,
        typer.Option(
            "--tokens", help="MODEL:MEASURE=FACTOR with input, output or loop, for example qwen3-32b:output=2."
        ),
    ] = None,
    unit: Annotated[Unit | None, typer.Option("--unit", help="What is routed.")] = None,
    router_fee: Annotated[
        str | None, typer.Option("--router-fee", help="USD that the router takes per request.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Every row with all digits, for programs.")] = False,
) -> None:
    """Project a routing policy on the traffic of some days, with your changes."""
    from pipelines.daily import Window
    from pipelines.daily.report import newest_loaded_day
    from pipelines.daily.routing import ask, stored_measure_next
    from pipelines.routing.what_if import Question, QuestionError
    from pipelines.workspace import open_workspace

    window = window_of(day, first, last)
    question = Question(
        policy=policy,
        shares=_shares(share or []),
        prices=_prices(price or []),
        tokens=_tokens(tokens or []),
        unit=unit,
        router_fee_usd=None if router_fee is None else _number("--router-fee", router_fee),
    )
    with open_workspace() as workspace:
        if window is None:
            newest = newest_loaded_day(workspace)
            if newest is None:
                raise typer.BadParameter("no day is loaded yet: run `modelmeter daily` first")
            window = Window(newest, newest + timedelta(days=1))
        try:
            found = ask(workspace, window, question)
        except QuestionError as error:
            raise typer.BadParameter(str(error)) from None
        following = stored_measure_next(workspace, found.projection["policy"].unique().to_list(), _MOST_RUNS)
    if as_json:
        say(json_text([_plain(row) for row in found.projection.to_dicts()], indent=1))
    elif found.projection.is_empty():
        say(f"No requests are loaded from {window.from_date} to {window.to_date - timedelta(days=1)}.")
    else:
        _show(found.projection, window.from_date, window.to_date - timedelta(days=1))
        for row in following.iter_rows(named=True):
            say(measure_line(row))


def _shares(texts: list[str]) -> dict[str, Decimal]:
    parts = [_parts("--share", _SHARE, text, "ARM=SHARE") for text in texts]
    return {arm: _number("--share", number) for arm, number in parts}


def _prices(texts: list[str]) -> dict[tuple[str, str, str], Decimal]:
    from pipelines.routing.what_if import RATE_COLUMNS

    found = {}
    for text in texts:
        seller, model, meter, usd = _parts("--price", _PRICE, text, "SELLER/MODEL:METER=USD")
        if meter not in RATE_COLUMNS:
            raise typer.BadParameter(f"--price {text}: {meter!r} is not a meter; accepted: {', '.join(RATE_COLUMNS)}")
        found[seller, model, meter] = _number("--price", usd)
    return found


def _tokens(texts: list[str]) -> dict[tuple[str, Measure], float]:
    from pipelines.config.evidence import MEASURES

    found = {}
    for text in texts:
        model, name, factor = _parts("--tokens", _TOKENS, text, "MODEL:MEASURE=FACTOR")
        measure = next((known for known in MEASURES if known == name), None)
        number = float(_number("--tokens", factor))
        if measure is None or not _FACTORS[0] <= number <= _FACTORS[1]:
            accepted = f"{', '.join(MEASURES)} and a factor from {_FACTORS[0]} to {_FACTORS[1]}"
            raise typer.BadParameter(f"--tokens {text}: accepted is {accepted}")
        found[model, measure] = number
    return found


def _parts(option: str, form: re.Pattern[str], text: str, accepted: str) -> tuple[str, ...]:
    match = form.fullmatch(text)
    if match is None:
        raise typer.BadParameter(f"{option} {text!r}: accepted is {accepted}")
    return match.groups()


def _number(option: str, text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise typer.BadParameter(f"{option}: {text!r} is not a number") from None


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    parsed = {name: json.loads(row[name]) for name in _OBJECTS if row[name] is not None}
    return {**row, **parsed}


def _show(rows: pl.DataFrame, first: date, last: date) -> None:
    import polars as pl
    from rich.text import Text

    from pipelines.finops.report.projection import COUNTED, projections
    from pipelines.warehouse.tables.mart_routing import POLICY

    console = terminal()
    days = str(first) if first == last else f"{first} to {last}"
    by_policy = rows.filter(method=POLICY)
    for item in projections(by_policy):
        console.print(Text(f"{item.title}, {days}", style="bold"))
        console.print(Text(item.sentence))
        _print(console, item.table)
        counted = [fact for fact in item.assumptions if fact[0] in COUNTED]
        for name, value in (*counted, *item.facts):
            console.print(Text.assemble((f"  {name}: ", "dim"), value))
        console.print()
    for row in rows.filter(pl.col("method") != POLICY).iter_rows(named=True):
        console.print(Text(method_line(row)))
    console.print(
        Text("This is a projection, not a measurement. docs/routing.md says what it is based on.", style="dim")
    )


def measure_line(row: dict[str, Any]) -> str:
    """A shadow run that could be made, in words: what it is worth, how many requests it takes and what they cost."""
    from pipelines.finops.format import dollars, percent

    what = "quality" if row["measure"] == "quality" else f"{row['measure']} tokens against {row['against_model_id']}"
    kept = "retained quality" if row["measure"] == "quality" else "the saving"
    pairs = "" if row["pairs_needed"] is None else f", about {row['pairs_needed']:,} pairs"
    cost = "" if row["cost_usd"] is None else f" for {dollars(row['cost_usd'])}"
    if row["cost_usd"] is None and row["pairs_needed"] is not None and row["no_cost_reason"]:
        cost = f" (no cost: {row['no_cost_reason']})"
    return (
        f"Measure next, against {row['baseline']}: {row['model_id']}, {what}{pairs}{cost}: the interval of {kept} "
        f"would be {percent(row['width_known'])} wide, not {percent(row['width_now'])}"
    )


def method_line(row: dict[str, Any]) -> str:
    """A method's row in words: what it is, against which baseline, and what it says."""
    from pipelines.finops.format import dollars, percent

    model = "" if row["model_id"] is None else f": {row['model_id']} at {row['provider_id']}"
    head = f"{row['policy']} against {row['baseline']}, {row['method'].replace('_', ' ')}{model}"
    if row["saving_share"] is None:
        return f"{head}: not known ({row['not_projected_reason'] or 'the traffic costs nothing'})"
    quality = "" if row["quality_retained"] is None else f", quality kept {percent(row['quality_retained'])}"
    stated = json.loads(row["assumptions"]).get("quality")
    if row["quality_retained"] is None and stated is not None:
        quality = f", quality not known: {stated}"
    interval = ""
    if row["saving_share_low_95"] is not None:
        interval = f", 95 % interval {percent(row['saving_share_low_95'])} to {percent(row['saving_share_high_95'])}"
    usd, share = row["saving_usd"], row["saving_share"]
    change = f"{dollars(usd)} saved ({percent(share)}{interval})"
    if usd < 0:
        share_more = f"{percent(-share)}{interval.replace('interval', 'interval of the saving')}"
        change = f"{dollars(-usd)} more ({share_more})"
    return f"{head}: {change}{quality}"


def _print(console: Console, table: Table) -> None:
    """The table without the columns that a terminal has no room for, or that say nothing."""
    from rich.table import Table as Grid
    from rich.text import Text

    rows = [*table.rows, table.foot]
    shown = Grid(box=None, padding=(0, 1, 0, 0), show_edge=False, header_style="dim")
    wanted = []
    for number, column in enumerate(table.columns):
        if column.title not in _LEFT_OUT and any(row[number].text not in ("", NONE) for row in rows):
            wanted.append(number)
            title = f"{column.title} {column.unit}" if column.unit else column.title
            widest = max(len(row[number].text) for row in rows)  # figures stay whole, names fold where there is no room
            shown.add_column(
                title,
                justify="right" if column.is_number else "left",
                width=max(widest, *map(len, title.split())) if column.is_number else None,
                overflow="fold",
            )
    for row in rows:
        shown.add_row(*(Text(row[number].text) for number in wanted))
    console.print(shown)
