"""Streams that were counted wrong once: each file of the shared cases, read as its source declares it."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines.config.sources import RequestSource
from pipelines.requests import parse_file
from tests.unit.requests.helpers import all_days, buckets, landed

Expected = dict[str, tuple[str, dict[str, int], str]]
"""By id, else by model: the usage basis, the buckets that are not 0, and the cost that the source states ("" for none)."""

EXPECTED: dict[str, Expected] = {
    "stream_last_chunk_smaller_gemini": {"gr1": ("reported", {"input_uncached": 80, "output_text": 12}, "")},
    "stream_last_chunk_ties_vllm": {
        "v-1": ("reported", {"input_uncached": 40, "input_cache_read": 960, "output_text": 3}, "")
    },
    "litellm_stream_without_usage": {"chatcmpl-000217": ("missing", {}, "0")},
    "model_named_by_envelope": {
        "gpt-image-1": ("reported", {"input_uncached": 40, "input_image": 60, "output_image": 1000}, ""),
        "gpt-4o-transcribe": ("reported", {"input_audio": 50, "output_text": 10}, ""),
    },
    "stream_cohere_v2": {"command-r-plus": ("reported", {"input_uncached": 62, "output_text": 28}, "")},
    "stream_events_in_envelope_anthropic": {"msg_E": ("reported", {"input_uncached": 3000, "output_text": 50}, "")},
    "stream_interleaved_anthropic": {
        "msg_A": ("reported", {"input_uncached": 1000, "output_text": 700}, ""),
        "msg_B": ("reported", {"input_uncached": 20, "output_text": 5}, ""),
    },
    "stream_over_two_files_anthropic": {
        "msg_R": ("partial", {"input_uncached": 1000}, ""),
        "None": ("partial", {"output_text": 700}, ""),
    },
    "anthropic_streams_interleaved_without_ids": {
        "msg_010000000000000000000395": (
            "reported",
            {"input_uncached": 15615, "input_cache_read": 560, "output_text": 1285},
            "",
        ),
        "msg_010000000000000000000396": (
            "reported",
            {"input_uncached": 15652, "input_cache_write_5m": 596, "input_cache_write_1h": 696, "output_text": 1288},
            "",
        ),
        "msg_010000000000000000000397": (
            "reported",
            {"input_uncached": 15689, "input_cache_read": 592, "output_text": 1291},
            "",
        ),
        "msg_010000000000000000000398": (
            "reported",
            {"input_uncached": 15726, "input_cache_read": 608, "input_cache_write_5m": 598, "output_text": 1294},
            "",
        ),
    },
    "stream_openrouter": {"gen-s": ("reported", {"input_uncached": 1000, "output_text": 100}, "0.00021")},
}


def case(folder: Path, store: Path) -> dict[str, tuple[str, dict[str, int], str]]:
    """What the requests of a case are."""
    declared = json.loads((folder / "case.json").read_text())
    source = RequestSource.model_validate(declared["declaration"])
    arrival = date.fromisoformat(declared["arrival_date"])
    files = [path for path in sorted(folder.iterdir()) if path.name != "case.json"]
    parsed = [parse_file(landed(path, source.source, arrival), source, store) for path in files]
    found = all_days(parsed).requests.to_dicts()
    return {name(request): stated(request) for request in found}


def name(request: dict[str, Any]) -> str:
    return str(request["source_request_id"] or request["request_model"])


def stated(request: dict[str, Any]) -> tuple[str, dict[str, int], str]:
    cost: Decimal | None = request["reported_cost_usd"]
    return request["usage_basis"], buckets(request), "" if cost is None else str(cost.normalize())


@pytest.mark.parametrize("folder", EXPECTED)
def test_each_case_is_counted_as_its_source_meant_it(shared_data: Path, tmp_path: Path, folder: str) -> None:
    assert case(shared_data / "cases" / "requests" / folder, tmp_path) == EXPECTED[folder]
