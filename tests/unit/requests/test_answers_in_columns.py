"""A provider's answer as text in a column of a table is read as in a line of JSON: details within it included."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.unit.requests.helpers import all_days, as_csv, buckets, landed_bytes

GEMINI = {
    "modelVersion": "gemini-2.5-flash",
    "usageMetadata": {
        "promptTokenCount": 10,
        "candidatesTokenCount": 6,
        "totalTokenCount": 16,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 6}, {"modality": "AUDIO", "tokenCount": 4}],
    },
}
LIFETIMES = [{"ttl": "1h", "inputTokens": 150}, {"ttl": "5m", "inputTokens": 50}]
CONVERSE = {"usage": {"inputTokens": 100, "outputTokens": 20, "cacheWriteInputTokens": 200, "cacheDetails": LIFETIMES}}
ANSWERS = {
    "gemini": (GEMINI, {"input_uncached": 6, "input_audio": 4, "output_text": 6}),
    "bedrock_converse": (
        CONVERSE,
        {"input_uncached": 100, "input_cache_write_5m": 50, "input_cache_write_1h": 150, "output_text": 20},
    ),
}


def as_parquet(*records: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    pl.DataFrame(records).write_parquet(file)
    return file.getvalue()


def as_lines(*records: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


@pytest.mark.parametrize(("ending", "written"), [("csv", as_csv), ("parquet", as_parquet), ("jsonl", as_lines)])
@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("printed", [json.dumps, repr], ids=["JSON", "Python"])
def test_details_count_in_every_kind_of_file(
    tmp_path: Path, name: str, ending: str, written: Any, printed: Callable[[Any], str]
) -> None:
    answer, expected = ANSWERS[name]
    call = {"timestamp": "2026-02-12T10:00:00Z", "requestId": "a", "modelId": "m", "response": printed(answer)}
    silent = {**call, "requestId": "b", "response": None}
    parsed = landed_bytes(tmp_path, written(call, silent), name, f"a.{ending}")
    found = all_days([parsed]).requests.sort("line_no")
    assert buckets(found.row(0, named=True)) == expected
    assert parsed.valid + parsed.quarantined == 2, "the call without an answer is accounted for"
