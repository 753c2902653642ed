"""Landed files parsed by executors: each file by one task, small files some at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from pipelines.daily.reading import Reading
from pipelines.records.store import ParsedFile, load_parsed
from pipelines.spark.packing import packed

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TASK_BYTES = 32 * 1024**2
"""Files smaller than this share a task, up to so many bytes."""

_TASKS_PER_CORE = 3
_OUTCOME = pa.schema(
    [("number", pa.int64()), ("path", pa.string()), ("version", pa.string()), ("problem", pa.string())]
)


def read_files(spark: SparkSession, readings: Sequence[Reading]) -> Iterator[tuple[Reading, ParsedFile | str]]:
    """Every file with its outcome, largest first, so that none of them is left over when all others are done."""
    order = sorted(range(len(readings)), key=lambda number: -readings[number].file.size_bytes)
    sized = [(number, readings[number].file.size_bytes) for number in order]
    share = sum(size for _, size in sized) // (_TASKS_PER_CORE * spark.sparkContext.defaultParallelism)
    groups = packed(sized, min(TASK_BYTES, share + 1))
    if not groups:
        return
    shared = spark.sparkContext.broadcast([[(number, readings[number]) for number in group] for group in groups])

    def parse(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for group in batch.column("id").to_pylist():
                for number, reading in shared.value[group]:
                    yield pa.RecordBatch.from_pylist([_outcome(number, reading)], _OUTCOME)

    tasks = spark.range(0, len(groups), 1, len(groups))
    outcomes = tasks.mapInArrow(parse, "number long, path string, version string, problem string")
    for row in outcomes.collect():
        reading = readings[row.number]
        parsed = row.problem or load_parsed(Path(row.path), row.version, reading.file.snapshot_id)
        yield reading, parsed
    shared.destroy()


def _outcome(number: int, reading: Reading) -> dict[str, int | str | None]:
    done = reading.done()
    if isinstance(done, str):
        return {"number": number, "path": None, "version": None, "problem": done}
    return {"number": number, "path": str(done.path), "version": done.parser_version, "problem": None}
