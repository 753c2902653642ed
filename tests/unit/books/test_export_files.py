"""The files of an export: what a log says is text in a spreadsheet, and exact in the Parquet file."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import polars as pl

from pipelines.books.focus.export import write_files


def test_a_name_from_a_log_is_no_formula_in_the_csv_file(tmp_path: Path) -> None:
    names = ["=HYPERLINK(1)", "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\tx", "support", None]
    costs = [Decimal(-1) / 2] * len(names)
    rows = pl.DataFrame({"x_Team": names, "BilledCost": costs})
    csv, parquet = write_files(rows, tmp_path, "export")
    texts = pl.read_csv(csv, infer_schema=False)
    assert texts["x_Team"].to_list() == [f"'{name}" for name in names[:5]] + ["support", None]
    assert texts["BilledCost"].unique().to_list() == ["-0.5"]
    assert pl.read_parquet(parquet).equals(rows)
