"""`modelmeter prices`: `try` shows what a layout reads from a file; the other commands are in `price_review.py`.

Reading is `pipelines.prices`; what a model costs is shown by `price.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assets.cli import price_review
from assets.cli.terminal import json_text, say, terminal

if TYPE_CHECKING:
    from pipelines.prices import FeedSnapshot

_Json = Annotated[bool, typer.Option("--json", help="Print as JSON.")]
_CONDITIONS = ("service_tier", "region", "time_window", "contract_id", "reasoning_mode")


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(
        help="Try a layout on a price page; decide about price files that are held for review.", no_args_is_help=True
    )
    group.command("try")(try_)
    price_review.register(group)
    app.add_typer(group, name="prices")


def try_(
    layout: Annotated[
        str, typer.Argument(help="A YAML file with a layout, or the name of a layout or format that ships.")
    ],
    file: Annotated[Path, typer.Argument(help="The page or price file, as it was saved.")],
    as_json: _Json = False,
) -> None:
    """Show the models, prices and conditions that a layout reads from a file, and the parts that it does not understand. Nothing is kept.

    Ends with status 1 where the file can't be read by the layout.
    """
    from pipelines.prices import PriceFeedError
    from pipelines.prices.trial import try_layout

    try:
        snapshot = try_layout(layout, file)
    except PriceFeedError as error:
        say(f"refused: {error}", err=True)
        raise typer.Exit(1) from None
    if as_json:
        read = {"prices": [_price(row) for row in _rows(snapshot)], "not_understood": list(snapshot.not_understood)}
        say(json_text(read))
    else:
        _show_trial(snapshot)


def _rows(snapshot: FeedSnapshot) -> list[dict[str, Any]]:
    return snapshot.prices.sort("provider", "raw_model", maintain_order=True).to_dicts()


def _price(row: dict[str, Any]) -> dict[str, Any]:
    """A price as JSON: texts and whole numbers, amounts as the file's digits; empty values are left out."""
    plain = {
        name: value if isinstance(value, int) else str(value) for name, value in row.items() if value not in (None, "")
    }
    return plain | {"unit_price": f"{row['unit_price'].normalize():f}"}


def _show_trial(snapshot: FeedSnapshot) -> None:
    from pipelines.prices.wording import amount_text, plural_unit

    console = terminal(soft_wrap=True)
    last = None
    for row in _rows(snapshot):
        seller = (row["provider"], row["raw_model"])
        if seller != last:
            console.print(f"{row['raw_model']} at {row['provider']}", style="bold")
        meter = ", ".join(filter(None, (row["meter"], _conditions(row))))
        quantity = (
            f"{row['pricing_quantity']:,} {plural_unit(row['unit'])}" if row["pricing_quantity"] > 1 else row["unit"]
        )
        price = f"{amount_text(row['unit_price'])} {row['pricing_currency']} per {quantity}"
        console.print(f"  {meter:<40} {price}")
        console.print(f"    {row['source_locator']}: {row['extracted_text']}", style="dim")
        last = seller
    models = snapshot.prices.select("provider", "raw_model").n_unique()
    refused = snapshot.lines - snapshot.valid
    console.print(f"{models} models, {snapshot.prices.height} prices, {refused} records refused", style="bold")
    if snapshot.not_understood:
        console.print("Not understood, and so not read:", style="yellow")
    for problem in snapshot.not_understood:
        console.print(f"  {problem}")


def _conditions(row: dict[str, Any]) -> str:
    from pipelines.prices.wording import bounds_text

    parts = [row[name] for name in _CONDITIONS if row[name] not in ("", "standard")]
    dates = [
        f"{word} {row[name]:%Y-%m-%d}" for word, name in (("from", "valid_from"), ("until", "valid_to")) if row[name]
    ]
    return ", ".join(filter(None, (*parts, bounds_text(row), *dates)))
