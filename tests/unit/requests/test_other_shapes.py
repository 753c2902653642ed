"""Shapes of exports and answers that are no chat completions: MongoDB's, Groq's compound, what Langfuse deleted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.requests.helpers import all_days, buckets, parse_records, row, rows

AT = "2026-02-12T10:20:30.500Z"


def stored(number: int) -> dict[str, Any]:
    usage = {"prompt_tokens": number, "completion_tokens": 5, "total_tokens": number + 5}
    return {"_id": f"65a{number}", "timestamp": AT, "response": {"id": f"chatcmpl-{number}", "object": "chat.completion", "created": 1770891630, "model": "gpt-4o", "usage": usage}}  # fmt: skip


def canonical(value: object) -> object:
    """The value as `mongoexport --jsonFormat=canonical` writes it."""
    if isinstance(value, dict):
        return {name: canonical(item) for name, item in value.items()}
    if isinstance(value, int):
        return {"$numberInt" if value < 100 else "$numberLong": str(value)}
    if value == AT:
        return {"$date": {"$numberLong": "1770891630500"}}
    return {"$oid": value} if str(value).startswith("65a") else value


def relaxed(record: dict[str, Any]) -> dict[str, Any]:
    """As `mongoexport` writes it by default."""
    return {**record, "_id": {"$oid": record["_id"]}, "timestamp": {"$date": AT}}


def legacy(record: dict[str, Any]) -> dict[str, Any]:
    return {**relaxed(record), "timestamp": {"$date": 1770891630500}}


@pytest.mark.parametrize("written", [canonical, relaxed, legacy])
@pytest.mark.parametrize("count", [1, 300])
def test_mongodbs_exports_say_what_the_plain_records_say(written: Any, count: int, tmp_path: Path) -> None:
    plain = [stored(number) for number in range(1, count + 1)]
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    expected = all_days([parse_records(tmp_path / "a", "openai_chat", plain)]).requests
    found = all_days([parse_records(tmp_path / "b", "openai_chat", [written(record) for record in plain])]).requests
    assert (found.height, found["input_uncached_tokens"].sum()) == (count, count * (count + 1) // 2)
    columns = [
        "source_request_id",
        "event_at",
        "request_model",
        "input_uncached_tokens",
        "output_text_tokens",
        "usage_basis",
    ]
    assert found.select(columns).sort("source_request_id").equals(expected.select(columns).sort("source_request_id"))


def test_a_mapping_names_the_field_or_mongodbs_way_of_writing_it(tmp_path: Path) -> None:
    record = canonical({"at": AT, "model": "gpt-4o", "in": 1000, "out": 5})
    for number, (at, tokens) in enumerate((("at", "in"), ("at", "in/$numberLong"))):
        folder = tmp_path / str(number)
        folder.mkdir()
        options = {"columns": {"event_at": at, "model": "model", "input": tokens, "output": "out"}}
        parsed = parse_records(folder, "mapping", [record], options=options)
        assert [(row["input_uncached_tokens"], row["output_text_tokens"]) for row in rows(parsed).to_dicts()] == [
            (1000, 5)
        ]


def one(folder: Path, answer: dict[str, Any]) -> dict[str, Any]:
    (found,) = all_days([parse_records(folder, "openai_chat", [{"timestamp": AT, **answer}])]).requests.to_dicts()
    return found


@pytest.mark.parametrize(("models", "served"), [(["a", "a"], "a"), (["a", "b"], "groq/compound")])
def test_a_compound_call_is_one_call_of_the_model_that_is_charged_if_it_is_one(
    models: list[str], served: str, tmp_path: Path
) -> None:
    parts = [
        {"model": name, "usage": {"prompt_tokens": 150, "completion_tokens": 25, "total_tokens": 175}}
        for name in models
    ]
    usage = {"prompt_tokens": 300, "completion_tokens": 50, "total_tokens": 350}
    answer = {"id": "chatcmpl-g", "object": "chat.completion", "model": "groq/compound", "usage": usage, "usage_breakdown": {"models": parts}}  # fmt: skip
    found = one(tmp_path, {"response": answer})
    assert (found["request_model"], found["response_model"]) == ("groq/compound", served)
    assert (found["input_uncached_tokens"], found["output_text_tokens"]) == (300, 50)


def test_what_langfuse_deleted_was_paid_and_counts_once(tmp_path: Path) -> None:
    row = {
        "id": "o1", "trace_id": "t", "type": "GENERATION", "start_time": "2026-02-12 10:20:30.000000", "end_time": "2026-02-12 10:20:31.000000",
        "provided_model_name": "gpt-4o", "usage_details": {"input": "10", "output": "5", "total": "15"}, "is_deleted": 0, "updated_at": "2026-02-12 10:20:35",
    }  # fmt: skip
    deleted = {**row, "is_deleted": 1, "updated_at": "2026-02-12 10:20:40"}
    found = all_days([parse_records(tmp_path, "langfuse", [deleted, row, {**row, "id": "o2"}])]).requests
    assert found["input_uncached_tokens"].to_list() == [10, 10]
    assert {r["source_request_id"]: r["tags"] for r in found.to_dicts()} == {"o1": '{"deleted":"true"}', "o2": None}


EMBEDDED = (
    {
        "predictions": [
            {"embeddings": {"values": [0.1], "statistics": {"token_count": count, "truncated": False}}}
            for count in (4, 3)
        ]
    },
    {"embeddings": [{"values": [0.1], "statistics": {"token_count": count}} for count in (4.0, 3.0)]},
    {"embeddings": [{"values": [0.1], "statistics": {"tokenCount": 7}}]},
    {"embedding": {"values": [0.1]}, "usageMetadata": {"promptTokenCount": 7, "totalTokenCount": 7}},
)


@pytest.mark.parametrize("answer", EMBEDDED)
@pytest.mark.parametrize("wrapped", [True, False])
def test_embeddings_of_vertex_ai_are_calls(tmp_path: Path, answer: dict[str, Any], wrapped: bool) -> None:
    around = {"timestamp": AT, "model": "text-embedding-005"}
    found = row(
        parse_records(tmp_path, "gemini", [{**around, "response": answer} if wrapped else {**around, **answer}])
    )
    assert (buckets(found), found["usage_basis"]) == ({"input_uncached": 7}, "reported")
