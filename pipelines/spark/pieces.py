"""The parsed rows that can matter to a window, cut into pieces of like size: which row groups of which files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.records.store import StoredPart, read_groups
from pipelines.requests.collect import Gathered, row_groups_reaching
from pipelines.requests.identity import KEYS
from pipelines.requests.normalise import STORED_SCHEMA
from pipelines.spark.packing import packed

PIECE_ROWS = 200_000
"""Rows that one task reads at once: some 100 MB of polars."""


@dataclass(frozen=True)
class Piece:
    """Some row groups of one parsed file; `is_whole` where its rows count whatever their day (REPLAYING_FORMATS)."""

    path: Path
    shared: Mapping[str, Any]
    groups: tuple[int, ...]
    is_whole: bool

    def rows(self, window: tuple[int, int], columns: Sequence[str] = tuple(STORED_SCHEMA)) -> pl.DataFrame:
        """The named columns of the rows in `window`, [low, high) in microseconds; of a whole file of all rows."""
        wanted = list(dict.fromkeys([*columns, "event_at"]))
        rows = read_groups(self.path, self.shared, self.groups, STORED_SCHEMA, wanted)
        if self.is_whole:
            return rows.select(columns)
        at = pl.col("event_at").to_physical()
        return rows.filter((at >= window[0]) & (at < window[1])).select(columns)


@dataclass(frozen=True)
class Reach:
    """Everything that the requests of some days follow from."""

    portions: Sequence[Sequence[Piece]]
    """Pieces, as many together as one task reads."""
    spans: pl.DataFrame
    """Spans (SPANS) that are no requests."""
    window: tuple[int, int]
    """The days and one more on either side, [low, high) in microseconds."""
    rows: int
    """How many rows the row groups hold that are read."""


def reach_of(gathered: Gathered, window: tuple[int, int], most: int = PIECE_ROWS) -> Reach:
    """What is gathered, in portions of at most `most` rows, unless one row group is larger."""
    sized = [*_sized(gathered.near, window, most), *_sized(gathered.whole, None, most)]
    return Reach(packed(sized, most), gathered.spans.collect(), window, sum(size for _, size in sized))


def holds_keys(gathered: Gathered, *names: str) -> bool:
    """Whether any row may have one of the named keys."""
    return any(name in KEYS and name not in part.shared for part in gathered.parts for name in names)


def _sized(parts: Sequence[StoredPart], window: tuple[int, int] | None, most: int) -> Iterator[tuple[Piece, int]]:
    for part in parts:
        groups = range(part.metadata.num_row_groups)
        wanted = list(groups) if window is None else row_groups_reaching(part.metadata, *window)
        sized = [(group, part.metadata.row_group(group).num_rows) for group in wanted]
        rows = dict(sized)
        for some in packed(sized, most):
            yield Piece(part.path, dict(part.shared), tuple(some), window is None), sum(rows[group] for group in some)
