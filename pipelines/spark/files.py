"""Landed files parsed by executors: each file by one task, small files some at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from pipelines.daily.parse_tasks import ParseTask
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


def read_files(spark: SparkSession, files: Sequence[ParseTask]) -> Iterator[tuple[ParseTask, ParsedFile | str]]:
    """Every file with its outcome, largest first, so that none of them is left over when all others are done."""
    order = sorted(range(len(files)), key=lambda number: -files[number].file.size_bytes)
    sized = [(number, files[number].file.size_bytes) for number in order]
    share = sum(size for _, size in sized) // (_TASKS_PER_CORE * spark.sparkContext.defaultParallelism)
    groups = packed(sized, min(TASK_BYTES, share + 1))
    if not groups:
        return
    shared = spark.sparkContext.broadcast([[(number, files[number]) for number in group] for group in groups])

    def parse(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for group in batch.column("id").to_pylist():
                for number, file in shared.value[group]:
                    yield pa.RecordBatch.from_pylist([_outcome(number, file)], _OUTCOME)

    tasks = spark.range(0, len(groups), 1, len(groups))
    outcomes = tasks.mapInArrow(parse, "number long, path string, version string, problem string")
    for row in outcomes.collect():
        file = files[row.number]
        parsed = row.problem or load_parsed(Path(row.path), row.version, file.file.snapshot_id)
        yield file, parsed
    shared.destroy()


def _outcome(number: int, file: ParseTask) -> dict[str, int | str | None]:
    done = file.done()
    if isinstance(done, str):
        return {"number": number, "path": None, "version": None, "problem": done}
    return {"number": number, "path": str(done.path), "version": done.parser_version, "problem": None}
