"""Streams that begin in one file and end in another, as rotation cuts them: one request, dated by its start.

Within a file a stream is put together while it is read. The end of one whose start was not in its file names no answer, but
may keep an id of the call (`stream_key`), and so does every start. It belongs to the one request of its source that this id
states and that did not end in its own file; where there are several, both halves stay known in part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
import pyarrow.parquet as pq

from pipelines.meters import COUNTS, INPUT_METERS, OUTPUT_METERS
from pipelines.records.store import StoredPart
from pipelines.requests.normalise import STORED_SCHEMA
from pipelines.requests.shared_keys import CHOSEN
from pipelines.requests.sightings import PLACE

_INPUT = [meter.tokens_column for meter in INPUT_METERS]
_OUTPUT = [meter.tokens_column for meter in OUTPUT_METERS]
_COUNTS = [count.column for count in COUNTS]
_TAKEN = (*_INPUT, *_OUTPUT, "usage_basis", "finish_reason", *_COUNTS)
"""Columns of a start that its end fills."""
_OWN = ("request_uid", "event_date", *PLACE)
_USAGE = pl.Schema({name: STORED_SCHEMA[name] for name in ("request_uid", *_TAKEN)})
_END = 1
"""The lowest bit of a stream_key: set for an end that did not find its start."""


@dataclass(frozen=True)
class Halves:
    """`dropped` has CHOSEN: the ends, each with the start that is kept. `usage` has by request_uid what this start holds then."""

    dropped: pl.DataFrame
    usage: pl.DataFrame

    def put_together(self, rows: pl.DataFrame) -> pl.DataFrame:
        """`rows` (with the columns of core.request), the usage of their ends in the starts among them."""
        if self.usage.is_empty() or not rows["request_uid"].is_in(self.usage["request_uid"].implode()).any():
            return rows
        joined = rows.join(self.usage, on="request_uid", how="left", suffix="_end", maintain_order="left")
        return joined.with_columns(pl.coalesce(f"{name}_end", name).alias(name) for name in _TAKEN).select(rows.columns)


def ended_elsewhere(
    parts: Sequence[StoredPart], rows: pl.LazyFrame, order: pl.DataFrame, gone: Sequence[pl.DataFrame]
) -> Halves:
    """The ends among `rows` (STORED_SCHEMA, of `parts`) whose start is in another file, with these starts.

    `order` numbers the files as they were written; frames of `gone` have the places of rows that were dropped before.
    """
    keys = _keys_of_ends(parts)
    if keys.is_empty():
        return Halves(CHOSEN.to_frame(), _USAGE.to_frame())
    stated = pl.any_horizontal((pl.col(name) | _END).is_in(keys.implode()) for name in ("stream_key", "answer_key"))
    found = rows.filter(stated).collect().join(order, on="snapshot_id", how="left")
    for dropped in gone:
        found = found.join(dropped, on=PLACE, how="anti")
    is_end = (pl.col("stream_key") & _END == _END).fill_null(value=False)
    ends = found.filter(is_end).rename({"stream_key": "key"}).sort("file_no", *PLACE[1:])
    unfinished = found.filter(~is_end & pl.col("finish_reason").is_null())
    starts = pl.concat(
        unfinished.with_columns(key=pl.col(name) | _END) for name in ("stream_key", "answer_key")
    ).unique(["source", "key", "request_uid"])
    starts = starts.filter(pl.len().over("source", "key") == 1)
    pairs = ends.join(starts, on=["source", "key"], suffix="_start", maintain_order="left").unique(
        PLACE, keep="first", maintain_order=True
    )
    own = [pl.col(f"{name}_start").alias(f"kept_{name}") for name in _OWN]
    return Halves(pairs.select(*_OWN, *own, rule=pl.lit("stream_delta")).select(CHOSEN.names()), _usage(pairs))


def _keys_of_ends(parts: Sequence[StoredPart]) -> pl.Series:
    """The keys of all ends that did not find their start; of most logs no part has any."""
    found = [pl.Series(dtype=pl.UInt64)]
    for part in parts:
        if "stream_key" not in part.shared:
            with pq.ParquetFile(part.path) as file:  # pq.read_table() imports pandas
                keys = pl.Series(file.read(columns=["stream_key"])["stream_key"]).drop_nulls()
            found.append(keys.filter(keys & _END == _END))
    return pl.concat(found).unique()


def _usage(pairs: pl.DataFrame) -> pl.DataFrame:
    """What each start holds with the last of its ends: an end that states an input of its own replaces the start's, unless both
    are as large, where the start splits cache writes by their lifetime."""
    last = pairs.unique("request_uid_start", keep="last", maintain_order=True)
    stated, started = (pl.sum_horizontal(f"{name}{suffix}" for name in _INPUT) for suffix in ("", "_start"))
    is_newer = (stated > 0) & (stated != started)
    taken = {
        **{name: pl.when(is_newer).then(name).otherwise(f"{name}_start") for name in _INPUT},
        "usage_basis": pl.when((stated > 0) | (started > 0)).then(pl.lit("reported")).otherwise("usage_basis"),
        **{name: pl.max_horizontal(name, f"{name}_start") for name in _COUNTS},
    }
    return last.with_columns(**taken).select(pl.col("request_uid_start").alias("request_uid"), *_TAKEN)
