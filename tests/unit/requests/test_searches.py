"""Searches that a provider ran for an answer, counted as it charges them: by search, and not by page opened or empty query."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.requests.helpers import all_days, parse_records, row, rows

EPOCH = 1_770_891_630
USAGE = {"input_tokens": 900, "output_tokens": 100, "total_tokens": 1000}


def call(action: dict[str, Any] | None, kind: str = "web_search_call") -> dict[str, Any]:
    return {"type": kind, "id": "ws_1", "status": "completed"} | ({} if action is None else {"action": action})


SEARCHED = [
    call({"type": "search", "query": "a"}), call({"type": "open_page", "url": "https://example.com"}),
    call({"type": "find_in_page", "pattern": "b"}), call(None), call(None, "file_search_call"), {"type": "message", "content": []},
]  # fmt: skip


def answer(**changes: Any) -> dict[str, Any]:
    whole = {"id": "resp_1", "object": "response", "created_at": EPOCH, "model": "gpt-5.5", "status": "completed"}
    return {**whole, "output": SEARCHED, "usage": USAGE, **changes}


@pytest.mark.parametrize(
    ("record", "count"),
    [
        (answer(), 2),
        ({"type": "response.completed", "response": answer()}, 2),
        (answer(output=[]), 0),
        # A log without the items still has OpenAI's own count.
        (answer(output=[], tool_usage={"web_search": {"num_requests": 3}}), 3),
        (answer(usage=USAGE | {"server_side_tool_usage_details": {"web_search_calls": 1, "x_search_calls": 4}}), 1),
    ],
)
def test_a_response_counts_its_searches_and_not_the_pages_it_opened(
    tmp_path: Path, record: dict[str, Any], count: int
) -> None:
    assert row(parse_records(tmp_path, "openai_responses", [record]))["web_search_count"] == count


def test_the_images_next_to_an_answer_did_not_search(tmp_path: Path) -> None:
    drawn = {"type": "image_generation_call", "id": "ig_1", "result": "..."}
    used = {
        "image_gen": {"input_tokens": 10, "output_tokens": 20, "total_tokens": 30},
        "web_search": {"num_requests": 2},
    }
    found = rows(parse_records(tmp_path, "openai_responses", [answer(output=[*SEARCHED, drawn], tool_usage=used)]))
    assert dict(found.select("operation", "web_search_count").iter_rows()) == {"chat": 2, "image_generation": 0}


@pytest.mark.parametrize(
    ("usage", "count"),
    [
        ({"num_search_queries": 18, "citation_tokens": 5}, 18),
        ({"server_side_tool_usage_details": {"web_search_calls": 2}}, 2),
        ({}, 0),
    ],
)
def test_a_chat_completion_counts_what_its_usage_says(tmp_path: Path, usage: dict[str, Any], count: int) -> None:
    tokens = {"prompt_tokens": 33, "completion_tokens": 71, "total_tokens": 104}
    record = {"id": "c1", "object": "chat.completion", "created": EPOCH, "model": "m", "usage": tokens | usage}
    assert row(parse_records(tmp_path, "openai_chat", [record]))["web_search_count"] == count


@pytest.mark.parametrize("style", ["camel", "snake"])
def test_gemini_counts_each_query_once_and_none_that_is_empty(tmp_path: Path, style: str) -> None:
    queries = ["", "crowdfunding 2026", "a vs b", "crowdfunding 2026", ""]
    if style == "camel":
        record: dict[str, Any] = {
            "responseId": "r1", "modelVersion": "gemini-3-flash", "timestamp": "2026-02-12T10:20:30Z",
            "candidates": [{"groundingMetadata": {"webSearchQueries": queries}}, {"groundingMetadata": {}}],
            "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15},
        }  # fmt: skip
    else:
        record = {
            "response_id": "r1", "model_version": "gemini-3-flash", "timestamp": "2026-02-12T10:20:30Z",
            "candidates": [{"grounding_metadata": {"web_search_queries": queries}}],
            "usage_metadata": {"prompt_token_count": 10, "candidates_token_count": 5, "total_token_count": 15},
        }  # fmt: skip
    assert row(parse_records(tmp_path, "gemini", [record]))["web_search_count"] == 2
    del record["candidates"]
    assert row(parse_records(tmp_path, "gemini", [record]))["web_search_count"] == 0


def piece(answer: str, *queries: str, output: int | None = None) -> dict[str, Any]:
    usage = {"promptTokenCount": 10, "totalTokenCount": 10 + (output or 0)} | (
        {"candidatesTokenCount": output} if output else {}
    )
    grounding = {"groundingMetadata": {"webSearchQueries": list(queries)}} if queries else {}
    return {"responseId": answer, "modelVersion": "gemini-2.5-pro", "candidates": [grounding], "usageMetadata": usage}


def test_what_was_searched_for_in_an_earlier_piece_of_a_stream_counts(tmp_path: Path) -> None:
    """Only the piece that ends a stream is kept, and its queries stood in the one before: the fee was lost."""
    pieces = [
        piece("r", "a"),
        piece("s", "c"),
        piece("r", "a", "b", output=5),
        piece("s", output=7),
        piece("r", output=9),
    ]
    logged = [{"timestamp": "2026-02-12T10:20:30Z", "response": each} for each in pieces]
    together = {"timestamp": "2026-02-12T10:20:31Z", "response": [piece("t", "d"), piece("t", output=11)]}
    found = all_days([parse_records(tmp_path, "gemini", [*logged, together])]).requests.sort("output_text_tokens")
    assert found.select("output_text_tokens", "web_search_count").rows() == [(7, 1), (9, 2), (11, 1)]
