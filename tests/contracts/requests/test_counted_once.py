"""One call that two instruments or two sources tell is counted once: real emitters' spans and logs, from `shared/data/cases`."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipelines.requests import DayRequests
from tests.unit.requests.helpers import all_days, buckets, parse

CASES = "cases/requests"


def collected(shared_data: Path, tmp_path: Path, *cases: str) -> DayRequests:
    """What the files of these cases become together; every record is kept, dropped or set aside."""
    parsed = []
    for case in cases:
        folder = shared_data / CASES / case
        declared: dict[str, Any] = json.loads((folder / "case.json").read_text())
        declaration = dict(declared["declaration"])
        for file in sorted(folder.glob("*.jsonl")):
            copy = tmp_path / f"{case}_{file.name}"
            copy.write_bytes(file.read_bytes())
            arrival = date.fromisoformat(declared["arrival_date"])
            parsed.append(parse(copy, declaration["format"], source=declaration["source"], arrival=arrival))
    found = all_days(parsed)
    assert sum(file.valid for file in parsed) == found.requests.height + found.duplicates.height
    return found


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("codex_events_twice", {"input_uncached": 10134, "input_cache_read": 560, "output_text": 886}),
        ("ai_sdk_6_embedding", {"input_uncached": 8807}),
    ],
)
def test_one_call(shared_data: Path, tmp_path: Path, case: str, expected: dict[str, int]) -> None:
    found = collected(shared_data, tmp_path, case)
    assert [buckets(row) for row in found.requests.to_dicts()] == [expected]
