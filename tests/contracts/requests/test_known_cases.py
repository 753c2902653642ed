"""Small inputs that once came out wrong, from `shared/data/cases`: what is known of a usage and how it counts."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.config import load_config
from pipelines.meters import INPUT_METERS
from pipelines.models import build_registry, resolve_requests
from pipelines.requests import ParsedFile
from tests.unit.requests.helpers import buckets, parse, row, rows, the_fault


def landed_case(shared_data: Path, tmp_path: Path, case: str, **options: Any) -> ParsedFile:
    folder = shared_data / "cases" / "requests" / case
    stated: dict[str, Any] = json.loads((folder / "case.json").read_text())
    declared = dict(stated["declaration"])
    declared["options"] = declared.get("options", {}) | options
    [file] = [path for path in sorted(folder.iterdir()) if path.name != "case.json"]
    copy = tmp_path / file.name
    copy.write_bytes(file.read_bytes())
    return parse(copy, declared.pop("format"), arrival=date.fromisoformat(stated["arrival_date"]), **declared)


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
    assert by_emitter["pydantic-ai"] == shared | {"input_cache_write": 312}, "it does not state the other time to live"


def test_the_rule_follows_the_family_of_the_model(shared_data: Path, tmp_path: Path) -> None:
    found = rows(landed_case(shared_data, tmp_path, "rule_by_model_family_bedrock")).sort("source_request_id")
    assert found["input_uncached_tokens"].to_list() == [2, 3, 2]
    assert found["token_semantics"].to_list() == ["openai_inclusive", "openai_inclusive", "anthropic_exclusive"]


@pytest.mark.parametrize(
    ("case", "sellers", "prompts"),
    [
        ("ai_sdk_6_provider_names", ["openai", "openai", "anthropic"], [8363, 8511, 8659]),
        (
            "provider_names_vendor_api",
            ["anthropic", "openai", "openai", "google", "google", "aws", "azure", "azure", "mistral", "x-ai", "openrouter", "vercel"],
            [100] * 12,
        ),
    ],
)  # fmt: skip
def test_sellers_named_with_their_interface(
    shared_data: Path, tmp_path: Path, case: str, sellers: list[str], prompts: list[int]
) -> None:
    found = rows(landed_case(shared_data, tmp_path, case)).sort("event_at")
    names = pl.DataFrame(schema=dict.fromkeys(("provider_id", "raw_name", "feed", "same_as"), pl.String))
    resolved = resolve_requests(found, build_registry(load_config(None).models, names))
    assert resolved["provider_id"].to_list() == sellers
    bought = sum((found[meter.tokens_column].cast(pl.Int64) for meter in INPUT_METERS), pl.Series([0] * found.height))
    assert bought.to_list() == prompts


@pytest.mark.parametrize("case", ["decimal_mark_undecidable", "thousands_marks_money", "thousands_marks_silent"])
def test_numbers_that_can_be_read_both_ways_set_their_file_aside(shared_data: Path, tmp_path: Path, case: str) -> None:
    fault = the_fault(landed_case(shared_data, tmp_path, case))
    assert (fault["reason"], "options.decimal" in fault["detail"]) == ("undecided_marks", True)


def test_the_option_reads_them(shared_data: Path, tmp_path: Path) -> None:
    money = rows(landed_case(shared_data, tmp_path, "thousands_marks_money", decimal=",")).sort("event_at")
    assert money["input_uncached_tokens"].to_list() == [1234, 2000, 10_000, 1_234_567, 999]
    assert money["output_text_tokens"].to_list() == [56, 1000, 500, 8, 8]
    assert money["reported_cost_usd"].cast(pl.Float64).to_list() == [0.0036, 0.015, 0.03, 3.09, 0.01]
    silent = rows(landed_case(shared_data, tmp_path, "thousands_marks_silent", thousands=".")).sort("event_at")
    assert silent["input_uncached_tokens"].to_list() == [1234, 2000, 10_000, 999]
    stated = rows(landed_case(shared_data, tmp_path, "decimal_mark_undecidable", decimal=".")).sort("event_at")
    assert stated["reported_cost_usd"].cast(pl.Float64).to_list() == [1.234, 12.5]
