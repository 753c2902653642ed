"""Which records have to be looked at together, because they may be of one call: connected by request, id, stream or trace.

A node is a request (64 bits of its id), an edge joins it to a key that it states. Keys that one request alone states join nothing
and go no further than the executor's side of a sum; only the rest comes to the driver, which finds the connected components.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from pipelines.config.sources import LookAlike
from pipelines.requests.collect import Gathered
from pipelines.requests.identity import SPANS
from pipelines.requests.shared_keys import Preferences, named_by
from pipelines.spark.pieces import Reach, holds_keys

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

NODE = pl.col("request_uid").bin.slice(0, 8).bin.reinterpret(dtype=pl.Int64)
"""A request in the graph."""

_IDS = ("answer_key", "other_key", "span_key")
_STREAMS = ("stream_key", "answer_key")
_ALIKE = 1
"""The key that all records have of which `look_alikes` of sources.yaml may speak."""
_EDGES = pa.schema([("node", pa.int64()), ("key", pa.int64())])
_TREE = pa.schema([("node", pa.int64()), ("trace", pa.int64()), ("span", pa.int64()), ("parent", pa.int64())])
_LABELS = "labels.npy"


@dataclass(frozen=True)
class Question:
    """What connects records: the columns of keys that matter, and rules for what only looks alike."""

    keys: tuple[str, ...]
    look_alikes: tuple[LookAlike, ...]
    has_traces: bool

    def edges(self, rows: pl.DataFrame) -> pl.DataFrame:
        """node and key (Int64) of rows with request_uid, the keys and source. The lowest bit of a key says how far it is to be
        trusted, or which half of a stream it is: here it is always set."""
        stated = [rows.select(NODE.alias("node"), as_key(pl.col(name))).drop_nulls("key") for name in self.keys]
        if self.look_alikes:
            alike = rows.filter(named_by(self.look_alikes))
            stated.append(alike.select(NODE.alias("node"), key=pl.lit(_ALIKE, pl.Int64)))
        return pl.concat([pl.DataFrame(schema={"node": pl.Int64, "key": pl.Int64}), *stated]).unique()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that `edges` reads."""
        return ("request_uid", "source", *self.keys)


def question_of(gathered: Gathered, preferences: Preferences) -> Question:
    """What can connect these records; in most logs of one source nothing does but the request's own id."""
    keys = [*(_IDS if gathered.shares_ids else ()), *(_STREAMS if holds_keys(gathered, "stream_key") else ())]
    held = [name for name in dict.fromkeys(keys) if holds_keys(gathered, name)]
    return Question(tuple(held), preferences.look_alikes, holds_keys(gathered, "span_key", "parent_key"))


def as_key(column: pl.Expr) -> pl.Expr:
    """A key (UInt64) as the graph has it."""
    return (column | 1).reinterpret(signed=True).alias("key")


def connect(spark: SparkSession, question: Question, reach: Reach, folder: Path) -> None:
    """Write to `folder` the component of every request that is connected to another one, or to a span that is none."""
    if not question.keys and not question.look_alikes and not question.has_traces:
        _write(folder, np.empty((2, 0), np.int64))
        return
    edges = _scan(spark, reach, _EDGES, question.columns, question.edges)
    if question.has_traces:
        edges = edges.unionByName(_within_traces(spark, reach))
    edges = edges.persist()
    from pyspark.sql import functions as F  # noqa: N812

    # A sum that executors make of their own rows first: a key that a million records state is one row of each.
    ends = edges.groupBy("key").agg(F.min("node").alias("low"), F.max("node").alias("high"))
    shared = edges.join(ends.where("low <> high").select("key"), "key", "left_semi").select("node", "key")
    found = shared.toArrow()
    edges.unpersist()
    _write(folder, components(found["node"].to_numpy(), found["key"].to_numpy()))


def components(nodes: npt.NDArray[np.int64], keys: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Two rows: the nodes, ascending, and of each the lowest node of its component."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    own, node = np.unique(nodes, return_inverse=True)
    stated, key = np.unique(keys, return_inverse=True)
    size = len(own) + len(stated)
    if not size:
        return np.empty((2, 0), np.int64)
    graph = coo_matrix((np.ones(len(node), np.int8), (node, key + len(own))), shape=(size, size))
    _, labels = connected_components(graph, directed=False)
    lowest = np.full(labels.max() + 1, len(own), np.int64)
    np.minimum.at(lowest, labels[: len(own)], np.arange(len(own)))
    return np.stack([own, own[lowest[labels[: len(own)]]]])


class Labels:
    """The components in a folder. The file is mapped, so that the processes of one machine share it."""

    def __init__(self, folder: Path) -> None:
        self._nodes, self._labels = np.load(folder / _LABELS, mmap_mode="r")

    def of(self, nodes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The component of each node: the node itself where it is connected to no other."""
        if not len(self._nodes):
            return nodes
        place = np.searchsorted(self._nodes, nodes).clip(max=len(self._nodes) - 1)
        return np.where(self._nodes[place] == nodes, self._labels[place], nodes)


def span_nodes(spans: pl.DataFrame) -> pl.Series:
    """The node of spans that are no requests: that of their trace."""
    return spans.select(as_key(pl.col("trace_key"))).to_series()


def _write(folder: Path, labels: npt.NDArray[np.int64]) -> None:
    np.save(folder / _LABELS, labels)


def _within_traces(spark: SparkSession, reach: Reach) -> DataFrame:
    """Edges to the traces in which a request lies in another span: only there may one record hold another."""
    columns = ("request_uid", *SPANS.names())
    tree = _scan(spark, reach, _TREE, columns, partial(_tree, node=NODE))
    # A span that is no request, but around others, may lie in one.
    tree = tree.unionByName(_given(spark, _tree(reach.spans, as_key(pl.col("trace_key"))), _TREE)).persist()
    around = tree.selectExpr("span as parent").where("parent is not null").distinct()
    wanted = tree.join(around, "parent", "left_semi").select("trace").distinct()
    return tree.join(wanted, "trace", "left_semi").selectExpr("node", "trace as key")


def _tree(rows: pl.DataFrame, node: pl.Expr) -> pl.DataFrame:
    """node, trace, span and parent of rows that have a trace."""
    keys = {name: as_key(pl.col(f"{name}_key")).alias(name) for name in ("trace", "span", "parent")}
    return rows.filter(pl.col("trace_key").is_not_null()).select(node.alias("node"), *keys.values())


def _scan(
    spark: SparkSession,
    reach: Reach,
    schema: pa.Schema,
    columns: Sequence[str],
    look: Callable[[pl.DataFrame], pl.DataFrame],
) -> DataFrame:
    """What `look` finds in the named columns of every piece, a task per portion."""
    shared = spark.sparkContext.broadcast((reach.portions, reach.window))

    def scan(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        portions, window = shared.value
        for batch in batches:
            for number in batch.column("id").to_pylist():
                for piece in portions[number]:
                    yield from look(piece.rows(window, columns)).to_arrow().cast(schema).to_batches()

    tasks = len(reach.portions)
    return spark.range(0, tasks, 1, tasks).mapInArrow(scan, _sql(schema))


def _given(spark: SparkSession, rows: pl.DataFrame, schema: pa.Schema) -> DataFrame:
    """Rows of the driver's as a frame of Spark."""
    table = rows.to_arrow().cast(schema)

    def give(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _ in batches:
            yield from table.to_batches()

    return spark.range(0, 1, 1, 1).mapInArrow(give, _sql(schema))


def _sql(schema: pa.Schema) -> str:
    """The schema, of 64-bit integers all, as Spark writes it."""
    return ", ".join(f"{name} long" for name in schema.names)
