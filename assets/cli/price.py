"""`modelmeter price` and `modelmeter explain`: the price of a model, and the cost of a request, each with its evidence.

Looking up and taking apart are `pipelines.prices`; here only rows are fetched and shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from assets.cli.dates import instant_option
from assets.cli.terminal import json_text, say, terminal

if TYPE_CHECKING:
    import polars as pl
    import psycopg

    from pipelines.prices import Explanation
    from pipelines.workspace import Workspace

_Json = Annotated[bool, typer.Option("--json", help="Print as JSON.")]


def register(app: typer.Typer) -> None:
    """Add both commands."""
    app.command("price")(price)
    app.command("explain")(explain)


def price(
    model: Annotated[str, typer.Argument(help="Any name of the model, for example claude-sonnet-4-5.")],
    at: Annotated[datetime | None, instant_option("--at", "UTC; default: now.")] = None,
    known_at: Annotated[datetime | None, instant_option("--known-at", "UTC; default: now.")] = None,
    as_json: _Json = False,
) -> None:
    """Show every price of a model that applies at an instant, as believed then or now, with its source."""
    from pipelines.prices import price_lookup
    from pipelines.prices.wording import amount_text
    from pipelines.warehouse.read import read_table
    from pipelines.warehouse.tables.core_prices import FX_RATE, PRICE
    from pipelines.workspace import open_workspace
    from pipelines.workspace.model_registry import registry_of

    instant = at or datetime.now(UTC)
    with open_workspace() as workspace:
        with workspace.database.connect(read_only=True) as connection:
            prices, fx_rates = read_table(connection, PRICE), read_table(connection, FX_RATE)
        asked = (model, registry_of(workspace), prices, workspace.config.sources.prices)
        try:
            found, to_come = (
                price_lookup(*asked, at=instant, known_at=known_at, to_come=later, fx_rates=fx_rates)
                for later in (False, True)
            )
        except LookupError as error:
            raise typer.BadParameter(str(error)) from error
    if as_json:
        say(json_text([_plain(row) for row in found.iter_rows(named=True)]))
    elif found.is_empty():
        known = "" if known_at is None else f", as known at {known_at:%Y-%m-%d %H:%M} UTC"
        say(f"no price of {model} holds at {instant:%Y-%m-%d %H:%M} UTC{known}")
        say('when prices held and were learnt: modelmeter sql "select * from core.price where model_id = ..."')
        raise typer.Exit(1)
    else:
        _show_prices(found, instant)
        for row in to_come.sort("valid_from", "meter").iter_rows(named=True):
            meter = ", ".join(filter(None, (row["meter"], _conditions(row))))
            say(
                f"from {row['valid_from']:%Y-%m-%d}: {row['provider_id']} {row['model_id']} {meter} "
                f"{amount_text(row['unit_price'])} {row['pricing_currency']} per {row['pricing_quantity']:,} "
                f"({row['date_basis']} by {row['feed']})"
            )


def explain(
    request_id: Annotated[
        str, typer.Argument(help="request_uid of core.request, or the id that source or provider gave.")
    ],
    as_json: _Json = False,
) -> None:
    """Show the cost of one request, meter by meter, down to price row, file hash and place in the file."""
    import polars as pl

    from pipelines.prices import explain_request
    from pipelines.prices.logged_cost import why_logged_differs
    from pipelines.warehouse.read import read_table
    from pipelines.warehouse.tables.core import REQUEST
    from pipelines.warehouse.tables.core_prices import PRICE, RATE_CARD
    from pipelines.warehouse.tables.raw import SNAPSHOT
    from pipelines.workspace import open_workspace

    with open_workspace() as workspace, workspace.database.connect(read_only=True) as connection:
        request = _request(connection, request_id)
        rate_id = request["rate_id"]
        cards = read_table(connection, RATE_CARD, "rate_id = %s", (None if rate_id is None else UUID(bytes=rate_id),))
        if rate_id is not None and cards.is_empty():
            cards = _former_card(workspace, connection, request)
        ids = [UUID(value) for text in cards["price_ids"] for value in json.loads(text).values()]
        prices = read_table(connection, PRICE, "price_id = any(%s)", (ids,))
        named = {request["snapshot_id"], *prices["snapshot_id"]}
        snapshots = read_table(connection, SNAPSHOT, "snapshot_id = any(%s)", ([UUID(bytes=file) for file in named],))
        explanation = explain_request(request, cards, prices, snapshots)
        files = {row["snapshot_id"]: row for row in snapshots.iter_rows(named=True)}
        sold = read_table(connection, RATE_CARD, "model_id = %s", (request["model_id"],))
    logged = why_logged_differs(pl.DataFrame([request], REQUEST.polars_schema), sold)
    why = None if logged.is_empty() else str(logged["why"][0])
    if as_json:
        shown = {"request": _plain(request), **_as_dict(explanation), "logged_cost_is": why}
        say(json_text(shown))
    else:
        _show_explanation(request, explanation, files.get(request["snapshot_id"]))
        if why is not None:
            say(f"  what it reported is: {why}")


def _former_card(workspace: Workspace, connection: psycopg.Connection[Any], request: Mapping[str, Any]) -> pl.DataFrame:
    """The card that a request was booked on, where what is known now gives another one."""
    import polars as pl

    from pipelines.prices import former_cards
    from pipelines.warehouse.read import read_table
    from pipelines.warehouse.tables.core_prices import FX_RATE, PRICE

    sold = (request["provider_id"], request["model_id"])
    prices = read_table(connection, PRICE, "provider_id = %s and model_id = %s", sold)
    wanted = pl.DataFrame([{name: request[name] for name in ("rate_id", "provider_id", "model_id", "event_at")}])
    feeds, fx_rates = workspace.config.sources.prices, read_table(connection, FX_RATE)
    discounts = workspace.config.commitments.discounts
    wanted = wanted.rename({"event_at": "last_event_at"})
    return former_cards(prices, feeds, fx_rates, wanted, discounts).drop("known_at")


def _request(connection: psycopg.Connection[Any], request_id: str) -> dict[str, Any]:
    from pipelines.warehouse.read import read_table
    from pipelines.warehouse.tables.core import REQUEST

    found = REQUEST.empty()
    with suppress(ValueError):
        found = read_table(connection, REQUEST, "request_uid = %s", (UUID(request_id),))
    if found.is_empty():  # sources give ids of that shape too
        found = read_table(connection, REQUEST, "source_request_id = %s", (request_id,))
    if found.is_empty():
        raise typer.BadParameter(f"core.request holds no request {request_id!r}: is its day loaded?")
    if found.height > 1:
        uids = ", ".join(str(UUID(bytes=uid)) for uid in found["request_uid"])
        raise typer.BadParameter(f"{found.height} requests have the id {request_id!r}; name one by its uid: {uids}")
    return found.row(0, named=True)


def _show_prices(found: pl.DataFrame, instant: datetime) -> None:
    """Two lines per price, provider by provider: the price, and who said so and where."""
    from pipelines.prices.meters import MINIMUM_CHARGE, RATED_METERS
    from pipelines.prices.wording import amount_text

    console = terminal()
    console.print(f"prices that hold at {instant:%Y-%m-%d %H:%M} UTC, USD per million units; * is the one in use")
    provider = None
    for row in found.sort("provider_id", "model_id", "meter", "precedence", maintain_order=True).iter_rows(named=True):
        if provider != (row["provider_id"], row["model_id"]):
            provider = (row["provider_id"], row["model_id"])
            console.print(f"\n{row['provider_id']} {row['model_id']}", style="bold")
        amount = "no exchange rate" if row["usd_per_million"] is None else amount_text(row["usd_per_million"])
        since = "any time" if row["valid_from"].year == 1 else f"{row['valid_from']:%Y-%m-%d}"
        meter = ", ".join(filter(None, (row["meter"], _conditions(row))))
        unrated = "" if row["meter"] in (*RATED_METERS, MINIMUM_CHARGE) else ", not rated: no request counts it"
        console.print(
            f"{'*' if row['is_used'] else ' '} {meter:<40} {amount:>12}  since {since} ({row['date_basis']}){unrated}",
            soft_wrap=True,
        )
        console.print(
            f"    {row['feed']} {row['source_locator']}: {row['extracted_text']}",
            style="dim",
            soft_wrap=True,
        )


def _show_explanation(request: dict[str, Any], explanation: Explanation, file: dict[str, Any] | None) -> None:
    from rich.table import Table

    from pipelines.prices.wording import amount_text

    console = terminal()
    console.print(f"request {explanation.request_uid}", style="bold")
    console.print(
        f"  {request['event_at']:%Y-%m-%d %H:%M:%S} UTC, {request['source']}, {request['provider_id']} {explanation.model_id}"
    )
    where = f"{file['landing_path']} (sha256 {file['sha256'][:12]}...)" if file else "a file that is no longer indexed"
    console.print(
        f"  logged as {request['request_model']!r} in line {request['line_no']} of\n    {where}", soft_wrap=True
    )
    console.print(f"  usage counted by rule {request['token_semantics']}; tier {request['service_tier']}")
    if explanation.cost_usd is None:
        console.print(f"  cost unknown: {explanation.reason}", style="yellow")
        return
    if explanation.reason:
        console.print(f"  USD 0: {explanation.reason}")
        return
    table = Table(box=None, pad_edge=False)
    for name in ("meter", "quantity", "USD per million", "USD"):
        table.add_column(name, justify="left" if name == "meter" else "right", overflow="fold")
    sources = []
    for line in explanation.lines:
        evidence = line.snapshot
        source = f"{line.price['feed']} {line.price['source_locator']}"
        if line.priced_as != line.meter:
            source += f"\n    as {line.priced_as}: it has no price of its own"
        if evidence:
            source += f"\n    {evidence['landing_path']} sha256 {evidence['sha256'][:12]}..."
        table.add_row(
            line.meter, f"{line.quantity:,}", amount_text(line.rate_usd_per_million), amount_text(line.cost_usd)
        )
        sources.append(f"  {line.meter}: {source}")
    table.add_section()
    table.add_row("total", "", "", amount_text(explanation.cost_usd))
    console.print(table)
    console.print("prices from")
    for source in sources:
        console.print(source, style="dim", soft_wrap=True)
    if request["reported_cost_usd"] is not None:
        console.print(f"  the source itself reported USD {amount_text(request['reported_cost_usd'])}")


def _conditions(row: dict[str, Any]) -> str:
    from pipelines.prices.wording import bounds_text

    parts = [row["service_tier"]] if row["service_tier"] != "standard" else []
    rest = ("reasoning_mode", "region", "time_window", "contract_id")
    return ", ".join(filter(None, (*parts, bounds_text(row), *(row[name] for name in rest))))


def _as_dict(explanation: Explanation) -> dict[str, Any]:
    return {
        "cost_usd": None if explanation.cost_usd is None else str(explanation.cost_usd),
        "reason": explanation.reason,
        "lines": [
            {
                "meter": line.meter,
                "quantity": line.quantity,
                "rate_usd_per_million": str(line.rate_usd_per_million),
                "cost_usd": str(line.cost_usd),
                "priced_as": line.priced_as,
                "price": _plain(line.price),
                "snapshot": None if line.snapshot is None else _plain(line.snapshot),
            }
            for line in explanation.lines
        ],
    }


def _plain(row: Mapping[str, object]) -> dict[str, object]:
    return {name: _json_value(value) for name, value in row.items()}


def _json_value(value: object) -> object:
    if isinstance(value, bytes):
        return str(UUID(bytes=value))
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, list):
        return [_json_value(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
