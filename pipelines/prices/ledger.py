"""The bitemporal ledger of one feed: what its snapshots, in the order of observation, say was charged when.

A pure function of the set of snapshots. Reading one file is `parse.py`, choosing between feeds is `rate_card.py`; overlaps are forbidden again by the database.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl

from pipelines.config.sources import PriceFeed
from pipelines.ids import id_column
from pipelines.instants import holds_at
from pipelines.models import Registry
from pipelines.models.names import MOVING
from pipelines.prices.announced import dates_bear, with_periods
from pipelines.prices.feed_snapshot import CONDITIONS, FeedSnapshot, SnapshotFacts
from pipelines.prices.statements import Statements, by_number, facts_of, gathered, lines, numbered
from pipelines.warehouse.tables.core_prices import PRICE

NAMED = ("provider_id", "model_id", "region")
"""The thing of which a feed may state the prices under several names."""
_SKU = ("provider_id", "model_id", "meter", *CONDITIONS)
_RARE = ("context_to_tokens", "context_counts", "reasoning_mode")
_AMOUNT = ("unit_price", "pricing_currency", "pricing_quantity")
_TIME = pl.Datetime("us", "UTC")
SHORT_GAP = timedelta(days=7)
"""For how long a price without a date may be missing and have held all the same, where it comes back as it was: a list that lost a
model for a day left the day's requests without a price for ever."""
_NUMBERS = re.compile(r"(\d+)")


def build_ledger(feed: PriceFeed, snapshots: Sequence[FeedSnapshot], registry: Registry) -> pl.DataFrame:
    """Rows of `core.price` for one feed: any order of `snapshots` gives the same rows, sorted by price_id.

    A price without a date holds from the moment it was first observed, until the first snapshot that states another
    (`changed`) or none (`source_removed`); it is never extended backwards. One that is missing for a week at most and comes back as it
    was has held in between, as is known from then on. Where its page also states an end of it, or a
    successor with a date, it holds up to then (`announced.py`). A dated price holds as its feed states,
    for as long as the feed states it. Where the belief about a period changes, the old row is superseded and a new
    one recorded at the later observation. Of two snapshots observed at the same instant the one with the greater id
    counts, because nothing says which was later. Which snapshots count is decided before, by `review.py`.
    """
    stated, facts = _in_order(snapshots)
    if not facts:
        return PRICE.empty()
    asserted, prices, instants = _asserted(stated, registry)
    observed = by_number(facts, "observed_at").rename({"observed_at": "at"})
    instants = instants.join(observed, on="snapshot", how="left", maintain_order="left")
    asserted = with_periods(asserted, instants)
    undated = _undated_rows(asserted.filter(pl.col("valid_from").is_null()), instants)
    dated = _dated_rows(asserted.filter(pl.col("valid_from").is_not_null()), instants)
    evidence = instants.select("k", "snapshot").join(by_number(facts, "snapshot_id", "parser_version"), on="snapshot")
    rows = pl.concat([undated, dated], how="diagonal").drop("sku", "amount", "group")
    rows = rows.join(prices, on="row", how="left").join(evidence, on="k", how="left")
    return _with_ids(rows.with_columns(pl.lit(feed.feed).alias("feed")))


def believed(rows: pl.DataFrame, known_at: datetime | None) -> pl.DataFrame:
    """The rows of a ledger (core.price, core.fx_rate) that were believed at `known_at`; None: that are believed now."""
    if known_at is None:
        return rows.filter(pl.col("superseded_at").is_null())
    return rows.filter(holds_at(known_at, "recorded_at", "superseded_at"))


def _in_order(snapshots: Sequence[FeedSnapshot]) -> tuple[Statements, Sequence[SnapshotFacts]]:
    """What the snapshots state in the order of observation, one for each instant."""
    known = facts_of(snapshots)
    places = sorted(range(len(known)), key=lambda place: (known[place].observed_at, known[place].snapshot_id))
    last = list({known[place].observed_at: place for place in places}.values())
    if last == list(range(len(known))):
        return gathered(snapshots), known
    ordered = [snapshots[place] for place in last]
    return gathered(ordered), ordered


def _asserted(stated: Statements, registry: Registry) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """What is asserted, one line per SKU and start, the facts of each `row` (columns of core.price), and the instants.

    The lines have the number `k` of an instant, `group`, `row`, the numbers `sku` and `amount`, valid_from, valid_to and date_basis.
    """
    facts = numbered(resolved(stated.distinct, registry), "amount", _AMOUNT)
    facts = numbered(facts, "group", NAMED)
    # What dates bear upon is judged at every observation.
    whole = facts.group_by("group").agg(dates_bear().alias("bear")).filter("bear").select("group")
    found = lines(stated, facts.select("row", "group"), whole=whole)
    said = one_per_sku(one_name_per_model(found.said, facts), facts)
    dates = ("valid_from", "valid_to", "date_basis")
    asserted = said.join(facts.select("row", "group", "amount", "valid_to", "date_basis"), on="row", how="left")
    return asserted, facts.drop("amount", "group", *dates), found.instants


def one_per_sku(said: pl.DataFrame, facts: pl.DataFrame) -> pl.DataFrame:
    """`said` (k, row) with the number `sku` and valid_from: of several lines for one thing from one instant on the first.

    The first is the one that stands first in its file, so that a line in front of both changes nothing.
    """
    thing = ("k", "sku", "valid_from")
    facts = numbered(facts, "sku", _SKU)
    keyed = said.join(facts.select("row", "sku", "valid_from", "source_locator"), on="row", how="left")
    again = pl.struct(thing).is_duplicated()
    several = keyed.filter(again)
    places = sorted(several["source_locator"].unique().to_list(), key=_in_file)
    order = pl.DataFrame(
        {"source_locator": places, "place": range(len(places))}, schema={"source_locator": pl.String, "place": pl.Int64}
    )
    firsts = several.join(order, on="source_locator").sort("k", "place", "row").unique(list(thing), keep="first")
    columns = ("k", "row", "sku", "valid_from")
    return pl.concat([keyed.filter(~again).select(columns), firsts.select(columns)]).sort("k", "row")


def _in_file(locator: str) -> list[tuple[int, str]]:
    """A place in a file, in the order of reading: `/data/9` before `/data/10`."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in _NUMBERS.split(locator)]


def resolved(prices: pl.DataFrame, registry: Registry) -> pl.DataFrame:
    """`prices` with provider_id, price_list and model_id, and the region in the name where the feed states none."""
    names = prices.select("provider", "raw_model").unique()
    facts = []
    for provider, raw in names.iter_rows():
        parts = registry.split(raw, provider)
        found = registry.resolve(provider, raw)
        model, price_list = found.model_id or parts.name, registry.price_list(provider, parts)
        facts.append((provider, raw, registry.seller(price_list, model), price_list, model, parts.region))
    columns = ("provider", "raw_model", "provider_id", "price_list", "model_id", "_region")
    named = pl.DataFrame(facts, schema=dict.fromkeys(columns, pl.String), orient="row")
    region = pl.when(pl.col("region") == "").then("_region").otherwise("region")
    return prices.join(named, on=["provider", "raw_model"], how="left").with_columns(region.alias("region"))


def one_name_per_model(said: pl.DataFrame, facts: pl.DataFrame) -> pl.DataFrame:
    """Those lines of `said` (k, row) whose name speaks: where a snapshot prices a model under several, one does, whole.

    First a name that tokens are priced under, then the name that is the id itself, names of their own before aliases, names that
    stay before those that move on (`-latest`, whose price a map may leave behind), the shorter, the first in order. Service
    tiers that it leaves out are spoken for by the next name that agrees with it.
    """
    preferred = facts.select(
        "row",
        "provider_id",
        "model_id",
        "region",
        (pl.col("unit") != "token").all().over("provider", "raw_model").alias("lacks_tokens"),
        (pl.col("raw_model").str.to_lowercase() != pl.col("model_id")).alias("is_other"),
        (pl.col("alias_of") != "").alias("is_alias"),
        pl.col("raw_model").str.to_lowercase().str.ends_with(MOVING).alias("moves"),
        pl.col("raw_model").str.len_chars().alias("length"),
        "raw_model",
        "provider",
    )
    for name, columns in (
        ("model", NAMED),
        ("name", ("raw_model", "provider")),
        ("rank", ("lacks_tokens", "is_other", "is_alias", "moves", "length", "raw_model", "provider")),
    ):
        preferred = numbered(preferred, name, columns)
    named = said.join(preferred.select("row", "model", "name", "rank"), on="row", how="left")
    best = (
        named.group_by("k", "model")
        .agg(pl.col("rank").min())
        .join(preferred.select("rank", "name").unique(), on="rank")
    )
    spoken = named.join(best, on=["k", "model", "name"], how="semi")
    return pl.concat([spoken.select("k", "row"), _tiers_of_others(named, spoken, facts)])


def _tiers_of_others(named: pl.DataFrame, spoken: pl.DataFrame, facts: pl.DataFrame) -> pl.DataFrame:
    """Lines (k, row) of service tiers of which the name that speaks states nothing, by the next name that states one.

    Only of names that state the same standard prices, as far as both state them, and at least one.
    """
    known = numbered(numbered(facts.select("row", *_SKU, *_AMOUNT), "sku", _SKU), "amount", _AMOUNT)
    known = known.select("row", "sku", "amount", "service_tier")
    others = named.join(spoken, on=["k", "row"], how="anti").join(known, on="row")
    own = spoken.join(known, on="row")
    is_standard = pl.col("service_tier") == "standard"
    tiers = others.filter(~is_standard).join(own, on=["k", "model", "service_tier"], how="anti")
    if tiers.is_empty():
        return tiers.select("k", "row")
    both = others.filter(is_standard).join(own.filter(is_standard), on=["k", "model", "sku"], suffix="_spoken")
    agrees = both.group_by("k", "model", "name").agg(
        (pl.col("amount") == pl.col("amount_spoken")).all().alias("agrees")
    )
    tiers = tiers.join(agrees.filter("agrees"), on=["k", "model", "name"], how="semi")
    return tiers.filter(pl.col("rank") == pl.col("rank").min().over("k", "model", "service_tier")).select("k", "row")


def _runs(rows: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """One row per unbroken run of snapshots that say the same: the first row of the run, `k` to `last_k`."""
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift()) for name in key)
    begins = ~(same & (pl.col("k") == pl.col("k").shift() + 1)).fill_null(value=False)
    return (
        rows.sort(*key, "k")
        .with_columns(begins.cum_sum().alias("run"))
        .group_by("run", maintain_order=True)
        .agg(pl.all().exclude("k").first(), pl.col("k").first(), pl.col("k").last().alias("last_k"))
        .drop("run")
    )


def _at(instants: pl.DataFrame, index: pl.Expr) -> pl.Expr:
    """When the instant numbered in `index` was; null past the last of a group."""
    return index.replace_strict(instants["k"], instants["at"], default=None, return_dtype=_TIME)


def _undated_rows(rows: pl.DataFrame, instants: pl.DataFrame) -> pl.DataFrame:
    # Sorted by SKU and snapshot first, so that a run breaks where the amount changes and where the SKU is missing.
    by_sku = rows.sort("sku", "k")
    changed = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift()) for name in ("sku", "amount"))
    version = by_sku.with_columns(changed.cum_sum().alias("version"))
    runs = _runs(version, ("sku", "version")).sort("sku", "k")
    closed_at = _at(instants, pl.col("last_k") + 1)
    follows = pl.col("k").shift(-1).over("sku") == pl.col("last_k") + 1
    runs = runs.with_columns(
        _at(instants, pl.col("k")).alias("valid_from"),
        closed_at.alias("closed_at"),
        pl.when(closed_at.is_not_null())
        .then(pl.when(follows.fill_null(value=False)).then(pl.lit("changed")).otherwise(pl.lit("source_removed")))
        .alias("supersede_reason"),
    )
    believed_open = runs.with_columns(
        pl.lit(None, _TIME).alias("valid_to"),
        pl.col("valid_from").alias("recorded_at"),
        pl.col("closed_at").alias("superseded_at"),
    )
    known_closed = runs.filter(pl.col("closed_at").is_not_null()).with_columns(
        pl.col("closed_at").alias("valid_to"),
        pl.col("closed_at").alias("recorded_at"),
        pl.lit(None, _TIME).alias("superseded_at"),
        pl.lit(None, pl.String).alias("supersede_reason"),
    )
    missing = runs.with_columns(
        pl.col("closed_at").shift().alias("_gone"),
        pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift()) for name in ("sku", "amount")).alias(
            "_is_back"
        ),
    )
    believed_between = missing.filter(
        pl.col("_is_back"), pl.col("valid_from") > pl.col("_gone"), pl.col("valid_from") - pl.col("_gone") <= SHORT_GAP
    ).with_columns(
        pl.col("_gone").alias("valid_from"),
        pl.col("valid_from").alias("valid_to"),
        pl.col("valid_from").alias("recorded_at"),
        pl.lit(None, _TIME).alias("superseded_at"),
        pl.lit(None, pl.String).alias("supersede_reason"),
    )
    believed = [believed_open, known_closed, believed_between.select(believed_open.columns)]
    return pl.concat(believed).drop("closed_at", "version", "last_k")


def _dated_rows(rows: pl.DataFrame, instants: pl.DataFrame) -> pl.DataFrame:
    stated = pl.concat([rows.with_columns(pl.lit(value=False).alias("is_carried")), _carried(rows, instants)])
    period = ("sku", "valid_from", "valid_to", "amount")
    runs = _runs(stated, period).with_columns((pl.col("last_k") + 1).alias("next_k"))
    after = stated.rename({"k": "next_k"})
    starts = after.select("sku", "valid_from", "amount", "next_k").unique().with_columns(pl.lit(1).alias("same_price"))
    begun = after.select("sku", "valid_from", "next_k").unique().with_columns(pl.lit(1).alias("same_start"))
    present = (
        after.filter(~pl.col("is_carried")).select("sku", "next_k").unique().with_columns(pl.lit(1).alias("present"))
    )
    runs = (
        runs.join(starts, on=["sku", "valid_from", "amount", "next_k"], how="left", nulls_equal=True)
        .join(begun, on=["sku", "valid_from", "next_k"], how="left", nulls_equal=True)
        .join(present, on=["sku", "next_k"], how="left", nulls_equal=True)
        .with_columns(
            _at(instants, pl.col("k")).alias("recorded_at"), _at(instants, pl.col("next_k")).alias("superseded_at")
        )
    )
    is_future = pl.col("valid_from") >= pl.col("superseded_at")
    reason = (
        pl.when(pl.col("superseded_at").is_null())
        .then(None)
        .when(is_future & pl.col("same_start").is_null())
        .then(pl.lit("retracted"))
        .when(pl.col("present").is_null())
        .then(pl.lit("source_removed"))
        .when(pl.col("same_price").is_not_null())
        .then(pl.lit("changed"))
        .otherwise(pl.lit("corrected"))
    )
    return runs.with_columns(reason.alias("supersede_reason")).drop(
        "last_k", "next_k", "is_carried", "same_price", "same_start", "present"
    )


def _carried(rows: pl.DataFrame, instants: pl.DataFrame) -> pl.DataFrame:
    """What remains believed of a SKU in the snapshots that no longer name it: its past, closed when it went missing."""
    last = instants.filter(pl.col("at").is_not_null()).group_by("group").agg(pl.col("k").max().alias("last_k"))
    seen = rows.select("sku", "group", "k").unique().sort("sku", "k").join(last, on="group", maintain_order="left")
    gaps = (
        seen.with_columns(until_k=pl.col("k").shift(-1).over("sku").fill_null(pl.col("last_k") + 1) - 1)
        .filter(pl.col("until_k") > pl.col("k"))
        .with_columns((pl.col("k") + 1).alias("gone_k"))
        .with_columns(_at(instants, pl.col("gone_k")).alias("gone_at"))
        .drop("group", "last_k")
    )
    ended = pl.min_horizontal("valid_to", "gone_at")
    return (
        rows.join(gaps, on=["sku", "k"], how="inner", nulls_equal=True)
        .filter(pl.col("valid_from") < pl.col("gone_at"))
        .with_columns(
            ended.alias("valid_to"),
            pl.int_ranges("gone_k", pl.col("until_k") + 1, dtype=pl.Int64).alias("k"),
            pl.lit(value=True).alias("is_carried"),
        )
        .explode("k")
        .select(*rows.columns, "is_carried")
    )


def _identity(skus: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """What distinguishes SKUs. Conditions that few prices have enter only where they are set, so that older ids stay."""
    more = pl.concat_str(pl.col(_RARE).cast(pl.String).fill_null(""), separator=" ")
    scope = pl.when(more == " input ").then("context_scope").otherwise(pl.concat_str("context_scope", more))
    columns = [name for name in ("feed", *_SKU) if name not in _RARE]
    return skus.with_columns(scope.alias("context_scope")), columns


def _with_ids(rows: pl.DataFrame) -> pl.DataFrame:
    skus = rows.select("feed", *_SKU).unique()
    skus = skus.with_columns(id_column(*_identity(skus), prefix=["sku"]).alias("sku_id"))
    rows = rows.join(skus, on=["feed", *_SKU], how="left", nulls_equal=True)
    identity = [
        pl.col("sku_id").bin.encode("hex"),
        *(pl.col(name) for name in _AMOUNT),
        *(pl.col(name).dt.to_string("iso") for name in ("valid_from", "valid_to", "recorded_at")),
        pl.col("snapshot_id").bin.encode("hex"),
    ]
    parts = rows.select(identity)
    return (
        rows.with_columns(id_column(parts, parts.columns, prefix=["price"]).alias("price_id"))
        .select(PRICE.polars_schema.names())
        .cast(dict(PRICE.polars_schema))  # type: ignore[arg-type]
        .sort("price_id")
    )
