"""Assets of the price ledger: models, prices, exchange rates, rate cards and the history that people read.

The step is `pipelines.daily.refresh_prices`; feeds arrive through `landing.py`.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.boundary import in_own_words
from assets.resources import WorkspaceResource
from assets.specs import asset_key, nothing_found, result, rows_key, rows_spec, table_spec
from pipelines.daily import refresh_price_history, refresh_prices, refresh_rate_card
from pipelines.prices.unclear import headline
from pipelines.warehouse.tables.core import MODEL
from pipelines.warehouse.tables.core_prices import FX_RATE, PRICE, RATE_CARD
from pipelines.warehouse.tables.mart_prices import PRICE_CHANGE, PRICE_CONFLICT
from pipelines.warehouse.tables.raw import QUARANTINE, SNAPSHOT


@dg.multi_asset(
    name="core_price",
    specs=[
        rows_spec(SNAPSHOT, "prices", "The index rows of price files", deps=["landing.price_feeds"]),
        rows_spec(QUARANTINE, "prices", "What is set aside of price files", deps=["landing.price_feeds"]),
        table_spec(MODEL, deps=["landing.price_feeds"]),
        table_spec(PRICE, deps=["landing.price_feeds"]),
        table_spec(FX_RATE, deps=["landing.price_feeds"]),
    ],
    check_specs=[
        dg.AssetCheckSpec(
            "every_feed_read",
            asset=asset_key(PRICE.qualified),
            description="Every landed price file could be read. One that can't changes no price: the last good snapshot "
            "stays in force. Look at the file and the place named; if the publisher changed the layout, describe "
            "the new one under options of the feed in sources.yaml, else remove the file from the landing zone.",
        ),
        dg.AssetCheckSpec(
            "nothing_held",
            asset=asset_key(PRICE.qualified),
            description="No price file is held for review. A held file, or a model in it, looks like damage: too much is "
            "gone or has moved with one file, or moved tenfold against what other feeds say. The last good prices stay. "
            "`modelmeter prices review` shows it with your own spend; `modelmeter prices accept` or `reject` decides.",
        ),
        dg.AssetCheckSpec(
            "every_currency_converted",
            asset=asset_key(FX_RATE.qualified),
            description="Every currency that prices are stated in has an exchange rate. Prices in another are not used: "
            "state a rate in fx.yaml, or land a file of published rates that names it.",
        ),
    ],
)
@in_own_words
def core_price(
    context: dg.AssetExecutionContext, mm: WorkspaceResource
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    """Rebuild the ledger and the models from every landed price snapshot."""
    done = refresh_prices(mm.workspace)
    for feed, fields in done.not_understood.items():
        if fields:
            context.log.info("price feed %s: %d things are not understood", feed, len(fields))
    for message in done.held:
        context.log.warning("%s", message)
    unknown = {feed: len(fields) for feed, fields in done.not_understood.items() if fields}
    yield result(SNAPSHOT, done.snapshots, key=rows_key(SNAPSHOT, "prices"))
    yield result(QUARANTINE, done.quarantined, key=rows_key(QUARANTINE, "prices"))
    yield result(MODEL, done.models)
    yield result(
        PRICE,
        done.prices,
        snapshots=done.snapshots,
        believed_now=done.believed,
        not_understood=unknown or "nothing",
        not_read=done.unread or "nothing",
        held_for_review=done.held or "nothing",
        rejected=done.rejected or "nothing",
    )
    yield result(FX_RATE, done.fx_rates)
    yield nothing_found("every_feed_read", PRICE, done.unread)
    yield nothing_found("nothing_held", PRICE, done.held)
    yield nothing_found("every_currency_converted", FX_RATE, done.unconverted)


@dg.multi_asset(name="core_rate_card", specs=[table_spec(RATE_CARD, deps=["core.price", "core.fx_rate"])])
@in_own_words
def core_rate_card(mm: WorkspaceResource) -> dg.MaterializeResult[Any]:
    """Derive the rate cards in force from the ledger, by the precedence of the feeds."""
    done = refresh_rate_card(mm.workspace)
    return result(RATE_CARD, done.height, models=done["model_id"].n_unique())


_HISTORY = ["core.price", "core.fx_rate", "core.rate_card", "core.request"]


@dg.multi_asset(
    name="mart_price_history",
    specs=[table_spec(PRICE_CHANGE, deps=_HISTORY), table_spec(PRICE_CONFLICT, deps=_HISTORY)],
    check_specs=[
        dg.AssetCheckSpec(
            "feeds_understood",
            asset=asset_key(PRICE_CHANGE.qualified),
            description="Nothing that a price feed says of a model you pay for is left unread because it was not understood. "
            "`modelmeter prices unclear` lists model, field, value, since when and your own spend.",
        )
    ],
)
@in_own_words
def price_history(mm: WorkspaceResource) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    """Show what changed in price and where feeds disagree, and what either is worth on the newest thirty days."""
    done = refresh_price_history(mm.workspace)
    yield result(PRICE_CHANGE, done.changes.height, done.changes.select("valid_from", "summary").head(10))
    at_stake = done.conflicts["at_stake_30d_usd"].sum()
    yield result(
        PRICE_CONFLICT, done.conflicts.height, done.conflicts.select("summary").head(10), at_stake_30d_usd=at_stake
    )
    message = headline(done.unclear)
    yield nothing_found("feeds_understood", PRICE_CHANGE, [message] if message else [])
