"""All exports of all bills to one ledger: what was reported for which bucket, and when we believed it.

Pure arithmetic on frames; the result depends on what the exports say and when they were observed, never on the order of
files. Parsing comes before (`parse.py`); the table is written by `pipelines.daily.bills`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from pipelines.bills.records import RECORD_SCHEMA
from pipelines.warehouse.tables.bills import BILL_DUPLICATE

_PLACE = ("snapshot_id", "line_no", "item_no")
_BUCKET = ("source", "provider_id", "report", "bucket_from")
"""A bucket is known by its start: that of the running day ends at the instant of the query, and later at midnight."""
_MIDNIGHT = timedelta(hours=1)
"""How long the files of one pull may follow each other."""
_NOT_CONTENT = (*_PLACE, "source_locator", "observed_at")
CONTENT = tuple(name for name in RECORD_SCHEMA if name not in _NOT_CONTENT)
"""What a record says; where it stands and when it was exported is no part of it."""


@dataclass(frozen=True)
class BillLedger:
    """`rows` are RECORD_SCHEMA with superseded_at and supersede_reason; `duplicates` has raw.bill_duplicate."""

    rows: pl.DataFrame
    duplicates: pl.DataFrame


def bitemporal(records: pl.DataFrame, pulls: Mapping[bytes, str] | None = None) -> BillLedger:
    """Records of every export (RECORD_SCHEMA) as periods of belief, and the records that only repeat one.

    An export is all that a source delivered of one bucket on one UTC day of observation, as far as its files are pages of one
    report: pages add up. A file that is a report of its own (`_versions`) begins the next export. `pulls` names, by snapshot_id, the
    pull, or the numbered files, that a file is one of. The next export that holds the bucket replaces it whole: an amount that changed is `revised`,
    a line that it no longer has is `removed`, what is said again goes on.
    """
    if not records.height:
        empty = records.with_columns(
            superseded_at=pl.col("observed_at"), supersede_reason=pl.lit(None, dtype=pl.String)
        )
        return BillLedger(empty, BILL_DUPLICATE.empty())
    known = records.with_columns(
        content=pl.struct(
            pl.col(name).cast(pl.String) if name != "cost_uid" else pl.col(name) for name in CONTENT
        ).hash(),
    )
    known = known.join(_versions(known, pulls or {}), on=[*_BUCKET, "snapshot_id"], how="left", maintain_order="left")
    winners, dropped = _of_each_export(known)
    exports = known.group_by(*_BUCKET, "rank").agg(pl.col("observed_at").max().alias("exported_at"))
    return _periods(winners, dropped, exports)


def _versions(known: pl.DataFrame, pulls: Mapping[bytes, str]) -> pl.DataFrame:
    """The rank of the export that each file is a part of, by bucket and snapshot_id.

    The next export begins with the first file of a UTC day, and on the same day, with a file that was observed later than the one before, where
    it comes from another pull, or was not pulled and says another amount of a line of that day or another end of the bucket. A pull that is under way
    at midnight stays one.
    """
    day = pl.col("observed_at").dt.date()
    lines = known.unique(["cost_uid", "snapshot_id"]).sort("observed_at", "snapshot_id")
    revised = pl.col("content") != pl.col("content").shift().over("cost_uid", day)
    files = (
        lines.with_columns(revises=revised.fill_null(value=False))
        .group_by(*_BUCKET, "snapshot_id")
        .agg(pl.col("observed_at", "bucket_to").max(), pl.col("revises").any())
        .join(_named(pulls), on="snapshot_id", how="left")
        .sort(*_BUCKET, "observed_at", "pull", "snapshot_id", nulls_last=True)
    )

    def before(column: str) -> pl.Expr:
        return pl.col(column).shift().over(_BUCKET)

    is_another = (
        pl.when(pl.col("pull").is_not_null() & before("pull").is_not_null())
        .then(pl.col("pull") != before("pull"))
        .otherwise(pl.col("revises") | (pl.col("bucket_to") != before("bucket_to")))
    )
    is_later = pl.col("observed_at") > before("observed_at")
    goes_on = (pl.col("pull") == before("pull")) & (pl.col("observed_at") - before("observed_at") < _MIDNIGHT)
    begins = ((day != day.shift().over(_BUCKET)) & ~goes_on.fill_null(value=False)) | (is_later & is_another)
    return files.select(
        *_BUCKET, "snapshot_id", rank=begins.fill_null(value=True).cast(pl.Int64).cum_sum().over(_BUCKET)
    )


def _named(pulls: Mapping[bytes, str]) -> pl.DataFrame:
    return pl.DataFrame(
        {"snapshot_id": list(pulls), "pull": list(pulls.values())}, schema={"snapshot_id": pl.Binary, "pull": pl.String}
    )


def _of_each_export(known: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The last version of each record in each export, and the others with the place of that one."""
    order = ["cost_uid", "rank", "observed_at", "line_no", "item_no", "snapshot_id"]
    ordered = known.sort(order, descending=[False, False, True, True, True, False])
    winners = ordered.unique(["cost_uid", "rank"], keep="first", maintain_order=True)
    kept = winners.select("cost_uid", "rank", *(pl.col(name).alias(f"kept_{name}") for name in (*_PLACE, "content")))
    same_place = pl.all_horizontal(pl.col(name) == pl.col(f"kept_{name}") for name in _PLACE)
    dropped = ordered.join(kept, on=["cost_uid", "rank"]).filter(~same_place)
    return winners, dropped


def _periods(winners: pl.DataFrame, dropped: pl.DataFrame, exports: pl.DataFrame) -> BillLedger:
    """Runs of exports that say the same of a record become one period each, which begins with the run's first record."""
    before = pl.col("rank").shift().over("cost_uid")
    new = (
        before.is_null()
        | (pl.col("rank") != before + 1)
        | (pl.col("content") != pl.col("content").shift().over("cost_uid"))
    )
    runs = winners.sort("cost_uid", "rank").with_columns(run=new.cum_sum().over("cost_uid"))
    runs = runs.with_columns(last=pl.col("rank").max().over("cost_uid", "run"))
    first = runs.unique(["cost_uid", "run"], keep="first", maintain_order=True)
    following = exports.rename({"rank": "next_rank", "exported_at": "superseded_at"})
    revised = winners.select("cost_uid", pl.col("rank").alias("next_rank"), pl.lit(value=True).alias("is_said"))
    rows = (
        first.with_columns(next_rank=pl.col("last") + 1)
        .join(following, on=[*_BUCKET, "next_rank"], how="left")
        .join(revised, on=["cost_uid", "next_rank"], how="left")
        .join(exports, on=[*_BUCKET, "rank"], how="left")
        .with_columns(
            observed_at=pl.col("exported_at"),
            supersede_reason=pl.when(pl.col("superseded_at").is_null())
            .then(None)
            .when(pl.col("is_said"))
            .then(pl.lit("revised"))
            .otherwise(pl.lit("removed")),
        )
        .select(*RECORD_SCHEMA.names(), "superseded_at", "supersede_reason")
        .sort("event_date", "source", "cost_uid", "observed_at")
    )
    return BillLedger(rows, _duplicates(runs, first, dropped))


def _duplicates(runs: pl.DataFrame, first: pl.DataFrame, dropped: pl.DataFrame) -> pl.DataFrame:
    """Records said again by a later export, and those that another of their own export replaced; each names its row."""
    row_of = first.select("cost_uid", "run", *(pl.col(name).alias(f"row_{name}") for name in _PLACE))
    placed = runs.join(row_of, on=["cost_uid", "run"])
    repeats = placed.filter(pl.any_horizontal(pl.col(name) != pl.col(f"row_{name}") for name in _PLACE))
    own = placed.select("cost_uid", "rank", *(f"row_{name}" for name in _PLACE))
    replaced = dropped.join(own, on=["cost_uid", "rank"])
    same = pl.col("content") == pl.col("kept_content")
    rule = pl.when(same).then(pl.lit("same_record")).otherwise(pl.lit("later_update"))
    places = [pl.col(f"row_{name}").alias(f"kept_{name}") for name in _PLACE]
    found = pl.concat(
        [
            repeats.select(*_PLACE, "cost_uid", *places, pl.lit("same_record").alias("rule")),
            replaced.select(*_PLACE, "cost_uid", *places, rule.alias("rule")),
        ]
    )
    return found.select(BILL_DUPLICATE.polars_schema.names()).cast(BILL_DUPLICATE.polars_schema).sort(_PLACE)
