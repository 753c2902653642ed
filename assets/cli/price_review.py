"""`modelmeter prices review`, `accept`, `reject` and `unclear`: what of the price files waits for a person, and the person's word.

What is held and why is `pipelines.prices.review`; here it is only shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from assets.cli.terminal import json_text, say, terminal

if TYPE_CHECKING:
    from rich.console import Console

    from pipelines.daily.price_review import Waiting
    from pipelines.prices import Verdict

_SHOWN = 20
_STATES = {"open": "waits for a decision", "rejected": "rejected", "superseded": "made moot by a later file"}
_File = Annotated[
    str, typer.Argument(help="The file as `review` names it, for example prices/litellm_map/2026-10-03.json.")
]


def register(group: typer.Typer) -> None:
    """Add the commands to the group `prices`."""
    group.command("review")(review)
    group.command("accept")(accept)
    group.command("reject")(reject)
    group.command("unclear")(unclear)


def review(
    everything: Annotated[bool, typer.Option("--all", help="Show every model, and earlier decisions.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Show the held parts of price files model by model, your largest spend of the last 30 days first."""

    from pipelines.daily.price_review import waiting
    from pipelines.workspace import open_workspace

    with open_workspace() as workspace:
        found = waiting(workspace, also_decided=everything)
    if as_json:
        say(json_text([_plain(item) for item in found]))
        return
    if not found:
        say("no price file is held for review")
    console = terminal(soft_wrap=True)
    for item in found:
        _show(console, item, None if everything else _SHOWN)


def accept(file: _File) -> None:
    """Let a held price file count, from the instant it was observed. The next run applies it."""
    _decide(file, "accept")


def reject(file: _File) -> None:
    """Never let a price file count; where only some of its models are held, never these. The last good prices stay."""
    _decide(file, "reject")


def unclear(
    everything: Annotated[bool, typer.Option("--all", help="Also list what touches none of your spend.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """List statements of price feeds that modelmeter does not understand, largest own spend of 30 days on the model first."""

    from pipelines.daily.price_history import unclear_now
    from pipelines.workspace import open_workspace

    with open_workspace() as workspace:
        rows = unclear_now(workspace)
    shown = rows if everything else rows.filter(rows["spend_usd"] > 0)
    if as_json:
        plain = [{name: str(value or "") for name, value in row.items()} for row in shown.iter_rows(named=True)]
        say(json_text(plain))
        return
    console = terminal(soft_wrap=True)
    for row in shown.iter_rows(named=True):
        spend = f"{row['spend_usd']:.2f} USD in 30 days"
        text = " ".join(filter(None, (row["model"], row["field"], row["value"])))
        console.print(f"  {spend:>26}  {text} ({row['feed']} since {row['since']:%Y-%m-%d})")
    if rows.height > shown.height:
        say(f"{rows.height - shown.height} more touch none of your spend (--all shows them)")
    elif rows.is_empty():
        say("modelmeter understands everything in the price feeds in force")


def _decide(name: str, verdict: Verdict) -> None:
    from pipelines.daily.price_review import decide
    from pipelines.landing import LandingError
    from pipelines.workspace import open_workspace

    with open_workspace() as workspace:
        try:
            file, kept = decide(workspace, name, verdict)
        except (LookupError, LandingError) as error:
            say(str(error), err=True)
            raise typer.Exit(1) from None
    say(f"{file.landing_path}: {verdict}ed. The decision lies next to it as {kept.name}.")
    say("The next `modelmeter daily` follows it; a later decision about the same content counts instead.")


def _show(console: Console, item: Waiting, most: int | None) -> None:
    held = item.held
    what = "whole file" if held.is_whole else f"{held.models} models"
    observed = held.snapshot.observed_at
    console.print(
        f"{item.file.landing_path}, {observed:%Y-%m-%d %H:%M} UTC: {what}, {_STATES[held.state]}",
        style="bold",
    )
    console.print(f"  {held.reason}")
    models = item.changes.unique(["provider_id", "model"], keep="first", maintain_order=True)
    for row in models.head(most or models.height).iter_rows(named=True):
        text = _change_words(row)
        others = "".join(
            f"; {word} {row[name]}" for word, name in (("before also said by", "still_says"), ("now also said by", "also_says"))
            if row[name]
        )  # fmt: skip
        spend = f"{row['model_spend_usd']:.2f} USD in 30 days"
        console.print(f"  {spend:>26}  {row['raw_model']} at {row['provider_id']}: {text}{others}")
    if most and models.height > most:
        console.print(f"  and {models.height - most} more models (--all shows them)", style="dim")
    if held.state == "open":
        console.print(f"  decide: modelmeter prices accept {item.file.landing_path}")
        console.print(f"      or: modelmeter prices reject {item.file.landing_path}")


def _change_words(row: dict[str, Any]) -> str:
    from pipelines.prices.wording import amount_text

    if row["change"] == "model_gone":
        return "is gone"
    before = amount_text(row["price_before"])
    if row["change"] == "price_gone":
        return f"{row['meter']} is gone (was {before} {row['currency_before']} per million)"
    after = amount_text(row["price_after"])
    other = "" if row["currency_before"] == row["currency_after"] else f"{row['currency_before']} "
    return f"{row['meter']} {before} {other}to {after} {row['currency_after']} per million"


def _plain(item: Waiting) -> dict[str, Any]:
    held = item.held
    return {
        "file": item.file.landing_path,
        "sha256": item.file.sha256,
        "feed": held.snapshot.feed,
        "observed_at": held.snapshot.observed_at.isoformat(),
        "held": "file" if held.is_whole else "models",
        "state": held.state,
        "reason": held.reason,
        "changes": [
            {
                name: value if isinstance(value, int) else str(value)
                for name, value in row.items()
                if value not in (None, "")
            }
            for row in item.changes.iter_rows(named=True)
        ],
    }
