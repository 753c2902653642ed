"""What no job on this machine can beat: reading the bytes, the fastest parsers, COPY of rows that are ready.

Each limit is a run of its own: `python -m perf.limits read|newlines|polars|copy`. Parsers here assume a clean file and
lose what is broken; they are a floor, not a way. DuckDB's part of the parse limit is `peers/duckdb_parse.py`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl

from perf.peers.common import LINES, TARGET, answer, psql, stage

_PIECE_BYTES = 8 * 2**20
_BLOCK_LINES = 2000
_TEXT = pl.String()
_RECORD = pl.Struct(
    {
        **dict.fromkeys(
            (
                "request_id", "spend", "total_tokens", "prompt_tokens", "completion_tokens", "startTime", "endTime",
                "model", "custom_llm_provider", "team_id", "status",
            ),
            _TEXT,
        ),
        "metadata": pl.Struct(
            {
                "usage_object": pl.Struct(
                    {
                        "prompt_tokens_details": pl.Struct({"cached_tokens": _TEXT}),
                        "completion_tokens_details": pl.Struct({"reasoning_tokens": _TEXT}),
                    }
                )
            }
        ),
    }
)  # fmt: skip


def _pieces() -> Iterator[bytes]:
    with Path(LINES).open("rb", buffering=0) as file:
        while piece := file.read(_PIECE_BYTES):
            yield piece


def _read() -> None:
    answer(sum(1 for _ in _pieces()), 0)


def _newlines() -> None:
    answer(sum(piece.count(b"\n") for piece in _pieces()), 0)


def _polars() -> None:
    """Lines of a clean file to text columns: the fields that this log has, and nothing checked."""
    lines = pl.scan_lines(LINES).collect().to_series()
    starts = range(0, len(lines), _BLOCK_LINES)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        blocks = list(pool.map(lambda start: lines.slice(start, _BLOCK_LINES).str.json_decode(_RECORD), starts))
    answer(sum(map(len, blocks)), 0)


def _copy() -> None:
    """Ready rows of core.request, all its columns, from a binary file by psql; then the key."""
    with stage("copy"), Path(os.environ["PERF_READY"]).open("rb") as file:
        psql(f"copy {TARGET} from stdin (format binary)", stdin=file)
    with stage("key"):
        psql(f"alter table {TARGET} add primary key (request_uid, event_date)")
    answer(int(psql(f"select count(*) from {TARGET}")), 0)


_LIMITS: dict[str, Callable[[], None]] = {"read": _read, "newlines": _newlines, "polars": _polars, "copy": _copy}

if __name__ == "__main__":
    _LIMITS[sys.argv[1]]()
