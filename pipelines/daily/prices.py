"""Step `core.price`: every landed price snapshot into the ledger, the rate cards and the models they name.

The ledger is recomputed whole from the set of snapshots and written only where it changed; the arithmetic is in
`pipelines.prices`, identity in `pipelines.models`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import polars as pl

from pipelines.config.fx import FxFeed
from pipelines.landing import LandedFile
from pipelines.models import Registry, alias_frame, model_frame
from pipelines.outside import ANY_FAILURE, Apart, worded
from pipelines.prices import (
    FxSnapshot,
    PriceFeedError,
    build_fx_rates,
    build_ledger,
    build_rate_card,
    parser_version,
    read_fx,
)
from pipelines.prices.exchange import PARSER_VERSION as FX_PARSER
from pipelines.warehouse.read import read_frame, read_table
from pipelines.warehouse.replace import replace_all, replace_rows
from pipelines.warehouse.tables.core import MODEL, MODEL_ALIAS
from pipelines.warehouse.tables.core_prices import FX_RATE, PRICE, RATE_CARD
from pipelines.warehouse.tables.raw import QUARANTINE, SNAPSHOT
from pipelines.workspace import Workspace
from pipelines.workspace.landed_index import snapshot_row
from pipelines.workspace.model_registry import registry_from
from pipelines.workspace.price_files import FeedFiles, feed_files, held_sentence


@dataclass(frozen=True)
class PriceOutcome:
    """The ledger after a refresh, and everything in the feeds that needs a person.

    `unread` are files that gave no price at all, values of exchange rate files that are no rate, and feeds of which nothing new
    could be made, each with what was found; `held` are files, or models in them, that look
    broken and wait for a person's word, `rejected` those that never count by it. None of them changed a price: what was
    believed before them is believed on.
    """

    snapshots: int
    quarantined: int
    prices: int
    believed: int
    models: int
    fx_rates: int
    not_understood: dict[str, list[str]]
    unread: list[str]
    held: list[str]
    rejected: list[str]
    unconverted: list[str]
    """Currencies whose prices can't be used, because no exchange rate is known at all."""


@dataclass(frozen=True)
class _FxFiles:
    """The exchange rate files: those that could be read, and those that could not, with the reason."""

    read: list[tuple[LandedFile, FxSnapshot]] = field(default_factory=list)
    unread: list[tuple[LandedFile, PriceFeedError]] = field(default_factory=list)


def refresh_prices(workspace: Workspace) -> PriceOutcome:
    """Rebuild the ledger and the models from every landed snapshot, in one transaction.

    A file that can't be read, or is held for review, takes no part: the last good snapshot of its feed stays in force
    and the other feeds are not touched. It is indexed nevertheless, as one record set aside in raw.quarantine.
    """
    feeds = feed_files(workspace)
    registry = workspace.registries[None] = registry_from(workspace, feeds)
    apart = Apart()
    prices = _ledgers(workspace, feeds, registry, apart)
    models = model_frame(registry, workspace.config.model_facts)
    fx_files = _fx_files(workspace)
    currencies = set(prices["pricing_currency"]) - {"USD"}
    fx_rates = build_fx_rates(workspace.config.fx, [snapshot for _, snapshot in fx_files.read], currencies)
    unread = [pair for item in feeds for pair in item.unread] + fx_files.unread
    index = pl.concat([SNAPSHOT.empty(), *_index_rows(feeds), *_fx_index_rows(fx_files)])
    set_aside = [(file, held_sentence(file, held)) for item in feeds for file, held in item.set_aside]
    quarantine = pl.concat([QUARANTINE.empty(), *_quarantine_rows(unread, set_aside)])
    with workspace.database.connect() as connection, connection.transaction():
        former = read_frame(connection, "select snapshot_id from raw.snapshot where kind = 'prices'")["snapshot_id"]
        ids = sorted({*former, *index["snapshot_id"]})
        replace_rows(connection, SNAPSHOT, index, {"kind": ["prices"]})
        replace_rows(connection, QUARANTINE, quarantine, {"snapshot_id": ids})
        replace_all(connection, MODEL, models)
        # Names that were resolved before follow the models of now: one may have got another id, or none.
        aliases = read_table(connection, MODEL_ALIAS)
        replace_all(connection, MODEL_ALIAS, alias_frame(registry, aliases.select("provider_id", "raw_name")))
        replace_all(connection, PRICE, prices)
        replace_all(connection, FX_RATE, fx_rates)
    problems = (*workspace.landed("prices").problems, *workspace.zone.verdicts("prices").problems)
    held = [(file, item) for feed in feeds for file, item in feed.held]
    return PriceOutcome(
        snapshots=index.height,
        quarantined=quarantine.height,
        prices=prices.height,
        believed=prices["superseded_at"].null_count(),
        models=models.height,
        fx_rates=fx_rates.height,
        not_understood={item.feed.feed: sorted({f for _, s in item.read for f in s.not_understood}) for item in feeds},
        unread=[
            *(str(error) for _, error in unread),
            *(str(problem) for problem in problems),
            *(value for _, snapshot in fx_files.read for value in snapshot.refused),
            *apart.messages,
        ],
        held=[held_sentence(file, item) for file, item in held if item.state == "open"],
        rejected=[held_sentence(file, item) for file, item in held if item.state == "rejected"],
        unconverted=sorted(currencies - set(fx_rates["currency"])),
    )


def _ledgers(workspace: Workspace, feeds: Sequence[FeedFiles], registry: Registry, apart: Apart) -> pl.DataFrame:
    """The ledgers of all feeds; one that can't be built keeps the rows that it has."""
    ledgers: dict[str, pl.DataFrame] = {}
    for item in feeds:
        with apart.part(f"price feed {item.feed.feed}, which keeps the prices of before"):
            ledgers[item.feed.feed] = build_ledger(item.feed, item.review.accepted, registry)
    lost = [item.feed.feed for item in feeds if item.feed.feed not in ledgers]
    with workspace.database.connect() as connection:
        kept = read_table(connection, PRICE, "feed = any(%s)", [lost]) if lost else PRICE.empty()
    return pl.concat([PRICE.empty(), *ledgers.values(), kept])


def refresh_rate_card(workspace: Workspace) -> pl.DataFrame:
    """Derive the rate cards in force from the ledger, by the precedence of the feeds; returns core.rate_card."""
    with workspace.database.connect() as connection, connection.transaction():
        prices, fx_rates = read_table(connection, PRICE), read_table(connection, FX_RATE)
        discounts = workspace.config.commitments.discounts
        rate_card = build_rate_card(prices, workspace.config.sources.prices, fx_rates=fx_rates, discounts=discounts)
        replace_all(connection, RATE_CARD, rate_card)
    return rate_card


def _index_rows(feeds: Iterable[FeedFiles]) -> list[pl.DataFrame]:
    rows = []
    for item in feeds:
        held = {file.snapshot_id for file, _ in item.set_aside}
        rows += [
            snapshot_row(file, item.feed.format, s.parser_version, lines=s.lines, valid=s.valid)
            for file, s in item.read
            if file.snapshot_id not in held
        ]
        # What can't be read as a whole, or is held for review, is one record that is set aside.
        rows += [
            snapshot_row(file, item.feed.format, parser_version(item.feed), lines=1, valid=0)
            for file, _ in (*item.unread, *item.set_aside)
        ]
    return rows


def _fx_files(workspace: Workspace) -> _FxFiles:
    found = _FxFiles()
    for feed in workspace.config.fx.feeds:
        for file in workspace.landed_from("prices", feed.feed):
            result = _read_fx_once(file, feed.model_dump_json())
            if isinstance(result, FxSnapshot):
                found.read.append((file, result))
            else:
                found.unread.append((file, result))
    return found


@lru_cache(maxsize=512)
def _read_fx_once(file: LandedFile, declared: str) -> FxSnapshot | PriceFeedError:
    """What the file says. `declared` is the feed as JSON, because a declaration has options, which are no key."""
    feed = FxFeed.model_validate_json(declared)
    try:
        return read_fx(file, feed)
    except PriceFeedError as error:
        return error
    except ANY_FAILURE as error:
        return PriceFeedError(f"{file.landing_path} (feed {feed.feed}, format {feed.format}): {worded(error)}")


def _fx_index_rows(files: _FxFiles) -> list[pl.DataFrame]:
    rows = [snapshot_row(file, s.feed.format, FX_PARSER, lines=s.lines, valid=s.lines) for file, s in files.read]
    return rows + [snapshot_row(file, "ecb", FX_PARSER, lines=1, valid=0) for file, _ in files.unread]


def _quarantine_rows(
    unread: Iterable[tuple[LandedFile, PriceFeedError]], held: Iterable[tuple[LandedFile, str]]
) -> list[pl.DataFrame]:
    rows_set_aside = [(file, "unreadable_price_file", "error", str(error)) for file, error in unread]
    rows_set_aside += [(file, "held_for_review", "error", reason) for file, reason in held]
    rows = [
        {
            "snapshot_id": file.snapshot_id,
            "line_no": 1,
            "item_no": 0,
            "reason": reason,
            "severity": severity,
            "detail": detail,
            "record_sha256": file.sha256,
        }
        for file, reason, severity, detail in rows_set_aside
    ]
    return [pl.DataFrame(rows, schema=QUARANTINE.polars_schema)] if rows else []
