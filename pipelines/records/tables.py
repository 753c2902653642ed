"""Tables, whatever kind of file holds them: rows of the columns that a layout reads, with their places.

Where rows come from is in `csv_tables.py` and `parquet_tables.py`, what becomes of them in `table_reader.py`.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from pipelines.records.line_chunks import Fault

Naming = Callable[[str], str]
"""How a format brings a column's name to the path that it stands for."""


@dataclass(frozen=True)
class TableChunk:
    """Rows of a table: `rows` has a column per path or head of paths that the table has, `places` index, line_no, byte_from and
    byte_to of each row.

    `data` are the bytes that the places point into, from `data_from` on; empty for Parquet. `text_paths` are the paths
    whose values are texts in the table, not numbers.
    """

    rows: pl.DataFrame
    places: pl.DataFrame
    faults: list[Fault]
    data: bytes = b""
    data_from: int = 0
    text_paths: frozenset[str] = frozenset()

    def record(self, line_no: int, byte_from: int | None, byte_to: int | None) -> bytes:
        """The bytes of the row at a place; of a row of Parquet its JSON line."""
        if byte_from is None or byte_to is None:
            row = line_no - int(self.places["line_no"][0])
            return str(as_json_lines(self.rows.slice(row, 1))[0]).encode()
        return self.data[byte_from - self.data_from : byte_to - self.data_from]


def as_json_lines(rows: pl.DataFrame) -> pl.Series:
    """One JSON object per row; bytes become hexadecimal text, not-a-number becomes null."""
    binary = [name for name, dtype in rows.schema.items() if dtype == pl.Binary]
    buffer = io.BytesIO()
    rows.with_columns(pl.col(binary).bin.encode("hex")).write_ndjson(buffer)
    return pl.Series("line", buffer.getvalue().decode().split("\n")[: rows.height], dtype=pl.String)


@lru_cache(maxsize=16)
def _folded(heads: frozenset[str]) -> dict[str, str]:
    """Each name by itself in small letters; of names that differ in case only, the first one. A file whose header is looked for asks
    hundreds of times."""
    return {head.lower(): head for head in sorted(heads, reverse=True)}


def known_columns(found: Iterable[str], named: Naming, heads: frozenset[str]) -> dict[str, str]:
    """Columns that a format reads, each to the path that it stands for; a name of its own comes before one translated, and that before
    one in another case, as Snowflake (upper) and Postgres (lower) fold names. A table that has a
    name of its own in small letters has not been folded to capitals."""
    names = list(found)
    own = {name: name for name in names if name in heads}
    for name in names:
        path = named(name)
        if name not in own and path in heads and path not in own.values():
            own[name] = path
    folded = _folded(heads) if len(own) < len(names) else {}
    keeps_case = any(name != name.upper() for name in own)
    for name in names:
        if keeps_case and not name.islower():
            continue
        path = folded.get(name.lower(), folded.get(name.replace(".", "/").lower(), ""))
        if name not in own and path and path not in own.values() and name.lower() not in map(str.lower, own):
            own[name] = path
    return own
