"""Deterministic identifiers: 16 bytes of SHA-256 over named parts, the same on every machine and in every run.

Used for every uuid column; nothing in the warehouse has a serial or random id, so that a rebuild from the
landing zone gives the same rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from uuid import UUID

import polars as pl

_SEPARATOR = b"\x00"


def id_bytes(*parts: str) -> bytes:
    """16 bytes that identify `parts`: SHA-256 of the parts joined by NUL, cut to 128 bits."""
    return hashlib.sha256(_SEPARATOR.join(part.encode() for part in parts)).digest()[:16]


def as_uuid(value: bytes) -> UUID:
    """The same id as people and Postgres write it."""
    return UUID(bytes=value)


def uuid_text(column: str) -> pl.Expr:
    """A column of ids as people and Postgres write them."""
    digits = pl.col(column).bin.encode("hex")
    parts = [digits.str.slice(start, length) for start, length in ((0, 8), (8, 4), (12, 4), (16, 4), (20, 12))]
    return pl.concat_str(*parts, separator="-")


def id_column(frame: pl.DataFrame, columns: Sequence[str], *, prefix: Sequence[str] = ()) -> pl.Series:
    """One id per row from `columns` (cast to text; null is the empty string) after the constant `prefix` parts.

    Equal to `id_bytes(*prefix, *row)` for each row.
    """
    joined = frame.select(
        pl.concat_str(
            [pl.lit(part) for part in prefix] + [pl.col(name).cast(pl.String).fill_null("") for name in columns],
            separator="\x00",
        ).alias("id")
    )["id"]
    return pl.Series("id", [hashlib.sha256(text.encode()).digest()[:16] for text in joined], dtype=pl.Binary)
