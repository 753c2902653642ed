"""Texts of a CSV file that a spreadsheet would run as a formula get an apostrophe before them (CWE-1236); numbers and dates stay as they are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r")


def without_formulas(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows as a CSV file may hold them."""
    import polars as pl  # which the command `sql` does without

    return rows.with_columns(pl.col(pl.String).str.replace(f"^([{re.escape(''.join(FORMULA_BEGINS))}])", "'${1}"))
