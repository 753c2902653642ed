"""Rows dealt out into buckets: all that may be of one call into the same one, whatever model, team or source it is of.

A bucket follows from a hash of the call, so a day on which one model or team has nearly all requests is dealt out as evenly as any.
Many rows travel as one value, an Arrow stream: Spark moves some thousand values, not a billion rows of sixty columns.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from pipelines.requests.identity import SPANS
from pipelines.requests.normalise import STORED_SCHEMA
from pipelines.spark.calls import NODE, Labels, span_nodes
from pipelines.spark.pieces import Reach

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Kind = Literal["near", "whole", "spans"]

_DEALT = pa.schema([("bucket", pa.int32()), ("kind", pa.string()), ("rows", pa.binary())])
SCHEMA: dict[Kind, pl.Schema] = {"near": STORED_SCHEMA, "whole": STORED_SCHEMA, "spans": SPANS}
"""The schema of a value by its kind."""


def dealt(spark: SparkSession, reach: Reach, folder: Path, buckets: int) -> DataFrame:
    """bucket, kind and rows of everything in reach; what is in a bucket is in one partition. `folder` has the components."""
    shared = spark.sparkContext.broadcast((reach, folder))

    def deal_out(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        reach, folder = shared.value
        portions, spans = reach.portions, reach.spans
        labels = Labels(folder)
        for batch in batches:
            for number in batch.column("id").to_pylist():
                if number == len(portions):
                    yield from deal("spans", spans, labels.of(span_nodes(spans).to_numpy()), buckets)
                    continue
                for kind in ("near", "whole"):
                    pieces = [piece for piece in portions[number] if piece.is_whole == (kind == "whole")]
                    if pieces:
                        rows = pl.concat([piece.rows(reach.window) for piece in pieces], rechunk=True)
                        yield from deal(kind, rows, labels.of(rows.select(NODE).to_series().to_numpy()), buckets)

    tasks = len(reach.portions) + (1 if reach.spans.height else 0)
    scattered = spark.range(0, tasks, 1, tasks).mapInArrow(deal_out, "bucket int, kind string, rows binary")
    return scattered.repartitionById(buckets, "bucket")


def deal(kind: Kind, rows: pl.DataFrame, calls: npt.NDArray[np.int64], buckets: int) -> Iterator[pa.RecordBatch]:
    """`rows` by the bucket of their call, each bucket's as one value."""
    number = bucket_of(calls, buckets)
    order = np.argsort(number, kind="stable")
    rows = rows[order]
    found, starts = np.unique(number[order], return_index=True)
    for bucket, start, end in zip(found.tolist(), starts.tolist(), [*starts[1:].tolist(), len(order)], strict=True):
        value = packed_rows(rows[start:end])
        yield pa.RecordBatch.from_pydict({"bucket": [bucket], "kind": [kind], "rows": [value]}, _DEALT)


def bucket_of(calls: npt.NDArray[np.int64], buckets: int) -> npt.NDArray[np.int64]:
    """A bucket for each call, as evenly as a hash deals out."""
    mixed = calls.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return ((mixed >> np.uint64(32)) % np.uint64(buckets)).astype(np.int64)


def packed_rows(rows: pl.DataFrame) -> bytes:
    """Rows as one value."""
    out = io.BytesIO()
    rows.write_ipc_stream(out, compression="lz4")
    return out.getvalue()


def unpacked_rows(value: bytes) -> pl.DataFrame:
    """The rows of one value."""
    return pl.read_ipc_stream(io.BytesIO(value), use_pyarrow=False)
