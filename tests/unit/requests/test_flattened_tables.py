"""Tables whose columns are the fields of objects (`usageDetails.input`), and counts that LiteLLM keeps in the answer alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.requests.helpers import all_days, as_csv, buckets, landed_bytes, parse_records, row
from tests.unit.requests.samples import AT

FOUND = {"input_uncached": 60, "input_cache_read": 40, "output_text": 10}
SPENT = {
    "request_id": "r1",
    "model": "gpt-4o",
    "startTime": AT,
    "endTime": AT,
    "spend": 0.0,
    "prompt_tokens": 100,
    "completion_tokens": 10,
}
DETAILS = "metadata.usage_object.prompt_tokens_details.cached_tokens"


@pytest.mark.parametrize(
    ("format_name", "columns", "expected"),
    [
        (
            "langfuse",
            {"id": "o", "startTime": AT, "type": "GENERATION", "model": "m", "usageDetails.input": 60, "usageDetails.output": 10}
            | {"usageDetails.input_cached_tokens": 40, "usageDetails.total": 110},
            FOUND,
        ),
        (
            "langfuse",
            {"id": "o", "start_time": AT, "type": "GENERATION", "model": "m", "input_usage": 100, "output_usage": 10},
            {"input_uncached": 100, "output_text": 10},
        ),
        ("litellm_spend_logs", SPENT | {"total_tokens": 110, DETAILS: 40}, FOUND),
        (
            "gemini",
            {"timestamp": AT, "responseId": "abcdefghij", "modelVersion": "m", "usageMetadata.promptTokenCount": 100}
            | {"usageMetadata.cachedContentTokenCount": 40, "usageMetadata.candidatesTokenCount": 10},
            FOUND,
        ),
        (
            "bedrock_invocation",
            {"timestamp": AT, "requestId": "r", "modelId": "m", "input.inputTokenCount": 60, "output.outputTokenCount": 10}
            | {"input.cacheReadInputTokenCount": 40},
            FOUND,
        ),
        (
            "anthropic_messages",
            {"timestamp": AT, "id": "msg_01ABCDEF", "model": "m", "usage.input_tokens": 60, "usage.output_tokens": 10}
            | {"usage.cache_creation_input_tokens": 40, "usage.cache_creation.ephemeral_1h_input_tokens": 40},
            {"input_uncached": 60, "input_cache_write_1h": 40, "output_text": 10},
        ),
    ],
)  # fmt: skip
def test_fields_of_objects_as_columns(
    tmp_path: Path, format_name: str, columns: dict[str, Any], expected: dict[str, int]
) -> None:
    content = f"{','.join(columns)}\n{','.join(map(str, columns.values()))}\n"
    assert buckets(row(landed_bytes(tmp_path, content.encode(), format_name, "a.csv"))) == expected


@pytest.mark.parametrize("format_name", ["litellm_spend_logs", "litellm_payload"])
@pytest.mark.parametrize("said", [{"usage": {"prompt_tokens_details": {"cached_tokens": 40}}}, "words", None])
def test_details_that_stand_in_the_answer_alone(tmp_path: Path, format_name: str, said: Any) -> None:
    found = row(parse_records(tmp_path, format_name, [SPENT | {"id": "r1", "total_tokens": 110, "response": said}]))
    assert buckets(found) == (FOUND if isinstance(said, dict) else {"input_uncached": 100, "output_text": 10})


def test_claude_passed_through_with_a_total_without_the_cache(tmp_path: Path) -> None:
    usage = {"cache_read_input_tokens": 500, "cache_creation_input_tokens": 100}
    counts = {"model": "claude-sonnet-4-5", "prompt_tokens": 5, "completion_tokens": 10, "total_tokens": 15}
    expected = {"input_uncached": 5, "input_cache_read": 500, "input_cache_write": 100, "output_text": 10}
    spent = SPENT | counts | {"metadata": {"usage_object": usage}}
    assert buckets(row(parse_records(tmp_path, "litellm_spend_logs", [spent]))) == expected
    answer = {"timestamp": AT, "id": "msg_01ABCDEFGHIJKL", "model": counts["model"], "usage": counts | usage}
    assert buckets(row(parse_records(tmp_path, "openai_chat", [answer]))) == expected


def test_an_image_that_litellm_logged_is_image(tmp_path: Path) -> None:
    usage = {"input_tokens_details": {"image_tokens": 60, "text_tokens": 40}}
    drawn = SPENT | {"call_type": "aimage_generation", "total_tokens": 110, "metadata": {"usage_object": usage}}
    found = row(parse_records(tmp_path, "litellm_spend_logs", [drawn]))
    assert buckets(found) == {"input_uncached": 40, "input_image": 60, "output_image": 10}


def test_a_column_in_capitals_next_to_small_letters_is_another(tmp_path: Path) -> None:
    """A database folds all names; where a table keeps its case, `ID` is whatever its writer numbers."""
    counts = {"model": "gpt-5", "timestamp": AT, "prompt_tokens": 1000, "completion_tokens": 30}
    records = [
        {"ID": "tenant-abcdefghijklm", "request_id": f"req-{number}-abcdefghijklm"} | counts for number in range(2)
    ]
    assert all_days([landed_bytes(tmp_path, as_csv(*records), "openai_chat", "a.csv")]).requests.height == 2
    folded = [{name.upper(): item for name, item in record.items() if name != "ID"} for record in records]
    assert all_days([landed_bytes(tmp_path, as_csv(*folded), "openai_chat", "b.csv")]).requests.height == 2
