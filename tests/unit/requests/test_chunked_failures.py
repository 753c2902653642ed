"""Failures spread over several chunks of one batch are each reported with their own values."""

from __future__ import annotations

from datetime import date

import polars as pl

from pipelines.config.sources import RequestSource
from pipelines.records.batches import POSITION
from pipelines.requests.formats import build_format
from pipelines.requests.normalise import normalise

SOURCE = RequestSource(
    source="s",
    format="mapping",
    options={"columns": {"event_at": "at", "input": "in", "output": "out", "model": "m"}},
)


def test_two_chunks_with_one_negative_count_each() -> None:
    log_format = build_format(SOURCE)
    part = pl.DataFrame(
        {
            "line_no": [1],
            "item_no": [0],
            "byte_from": [0],
            "byte_to": [9],
            "at": ["2026-02-28T10:00:00Z"],
            "in": ["5"],
            "m": ["x"],
        }
    ).cast({"line_no": pl.Int64, "item_no": pl.Int32, "byte_from": pl.Int64, "byte_to": pl.Int64})
    chunks = [part.with_columns(out=pl.lit(value)) for value in ("-7", "3", "-9")]
    flat = pl.concat(chunks, rechunk=False)
    assert set(POSITION) <= set(flat.columns)
    result = normalise(flat, log_format, source="s", snapshot_id=b"0" * 16, arrival=date(2026, 2, 28))
    assert result.failed["reason"].to_list() == ["negative_tokens"] * 2
    assert ["-7" in text for text in result.failed["detail"]] == [True, False]
    assert ["-9" in text for text in result.failed["detail"]] == [False, True]
