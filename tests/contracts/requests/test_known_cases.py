"""Small inputs that once came out wrong, from `shared/data/cases`: what is known of a usage and how it counts."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.requests import ParsedFile
from tests.unit.requests.helpers import buckets, parse, row, rows


def landed_case(shared_data: Path, tmp_path: Path, case: str, **options: Any) -> ParsedFile:
    folder = shared_data / "cases" / "requests" / case
    told: dict[str, Any] = json.loads((folder / "case.json").read_text())
    declared = dict(told["declaration"])
    declared["options"] = declared.get("options", {}) | options
    [file] = [path for path in sorted(folder.iterdir()) if path.name != "case.json"]
    copy = tmp_path / file.name
    copy.write_bytes(file.read_bytes())
    return parse(copy, declared.pop("format"), arrival=date.fromisoformat(told["arrival_date"]), **declared)


def test_floats_and_empty_counts_of_a_spreadsheet(shared_data: Path, tmp_path: Path) -> None:
    found = rows(landed_case(shared_data, tmp_path, "excel_floats_and_empty")).sort("event_at")
    assert found["input_uncached_tokens"].to_list() == [1000, 120_000, 0, 0, 0]
    assert found["usage_basis"].to_list() == ["reported", "reported", "partial", "partial", "partial"]


def test_cached_tokens_that_span_an_image(shared_data: Path, tmp_path: Path) -> None:
    found = row(landed_case(shared_data, tmp_path, "cached_overlaps_image_xai"))
    assert buckets(found) == {"input_uncached": 80, "input_cache_read": 1920, "output_text": 150}
    assert json.loads(found["tags"]) == {"dropped_details": "input_image"}


def test_cache_writes_of_an_hour_in_spans(shared_data: Path, tmp_path: Path) -> None:
    found = rows(landed_case(shared_data, tmp_path, "cache_write_hour_in_spans")).to_dicts()
    by_emitter = {json.loads(record["tags"])["emitter"]: buckets(record) for record in found}
    shared = {"input_uncached": 5144, "input_cache_read": 512, "input_cache_write_1h": 412, "output_text": 436}
    assert by_emitter["com.anthropic.sdk.python"] == shared | {"input_cache_write_5m": 312}
    assert by_emitter["pydantic-ai"] == shared | {"input_cache_write": 312}, "it does not tell the other time to live"


def test_the_rule_follows_the_family_of_the_model(shared_data: Path, tmp_path: Path) -> None:
    found = rows(landed_case(shared_data, tmp_path, "rule_by_model_family_bedrock")).sort("source_request_id")
    assert found["input_uncached_tokens"].to_list() == [2, 3, 2]
    assert found["token_semantics"].to_list() == ["openai_inclusive", "openai_inclusive", "anthropic_exclusive"]
