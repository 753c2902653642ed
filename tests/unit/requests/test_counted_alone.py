"""Calls that are charged by the page or by the search and not by tokens: every format that states how many.

The shapes are those of Cohere's, OpenRouter's and Mistral's documentation, of Bedrock's log, and of what LiteLLM 1.108.7 was seen to
write (`interop/trials.py`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.requests.helpers import all_days, parse_records, row, rows, sample

AT = "2026-02-12T10:20:30.500Z"
RANKED = {"id": "r1", "results": [{"index": 0, "relevance_score": 0.9}], "meta": {"billed_units": {"search_units": 3}}}
PAGES = {"pages_processed": 7, "pages_processed_annotation": 2, "doc_size_bytes": 99}
READ = {"pages": [], "model": "mistral-ocr-2505", "usage_info": PAGES}
ALL_PAGES = {"document_page_count": 7, "annotated_document_page_count": 2}


def logged(log_format: str, answer: dict[str, Any], call_type: str) -> dict[str, Any]:
    counts = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0, "call_type": call_type}
    return sample(log_format) | counts | {"metadata": {"usage_object": {}}, "response": answer}


def invoked(documents: int | None) -> dict[str, Any]:
    asked = {} if documents is None else {"inputBodyJson": {"query": "q", "documents": ["d"] * documents}}
    return sample("bedrock_invocation") | {
        "modelId": "cohere.rerank-v3-5:0", "operation": "InvokeModel", "input": asked,
        "output": {"outputBodyJson": {"results": [{"index": 0, "relevance_score": 0.9}]}},
    }  # fmt: skip


CASES: dict[str, tuple[str, dict[str, Any], str, dict[str, int], str]] = {
    "Cohere": ("openai_chat", {"timestamp": AT, "model": "m", "response": RANKED}, "rerank", {"rerank_search_count": 3}, "reported"),
    "OpenRouter, through its own format": (
        "openrouter", {"timestamp": AT, "id": "r", "model": "m", "results": [], "usage": {"search_units": 2}}, "rerank",
        {"rerank_search_count": 2}, "reported",
    ),
    "Mistral, fields extracted of some pages": ("openai_chat", {"timestamp": AT, "response": READ}, "ocr", ALL_PAGES, "reported"),
    "Mistral on Azure, which counts such pages once": (
        "openai_chat", {"timestamp": AT, "response": READ | {"usage_info": PAGES | {"pages_processed": 0}}}, "ocr",
        {"annotated_document_page_count": 2}, "reported",
    ),
    "LiteLLM's payload of a reranking": ("litellm_payload", logged("litellm_payload", RANKED, "arerank"), "rerank", {"rerank_search_count": 3}, "reported"),
    "LiteLLM's payload of pages": ("litellm_payload", logged("litellm_payload", READ, "aocr"), "ocr", ALL_PAGES, "reported"),
    "LiteLLM's row, where it keeps answers": ("litellm_spend_logs", logged("litellm_spend_logs", READ, "aocr"), "ocr", ALL_PAGES, "reported"),
    "LiteLLM's row, where it keeps none": ("litellm_spend_logs", logged("litellm_spend_logs", {}, "aocr"), "ocr", {}, "missing"),
    "Bedrock, three searches of up to 100 documents": ("bedrock_invocation", invoked(201), "rerank", {"rerank_search_count": 3}, "estimated"),
    "Bedrock, two full ones": ("bedrock_invocation", invoked(200), "rerank", {"rerank_search_count": 2}, "estimated"),
    "Bedrock, without the request": ("bedrock_invocation", invoked(None), "rerank", {"rerank_search_count": 1}, "estimated"),
}  # fmt: skip
COUNTED = ("rerank_search_count", "document_page_count", "annotated_document_page_count")


@pytest.mark.parametrize("name", CASES)
def test_a_count_in_place_of_tokens_is_all_of_the_usage(tmp_path: Path, name: str) -> None:
    log_format, record, operation, counts, basis = CASES[name]
    (found,) = all_days([parse_records(tmp_path, log_format, [record])]).requests.to_dicts()
    assert {key: found[key] for key in COUNTED if found[key]} == counts
    assert (found["operation"], found["usage_basis"], found["input_uncached_tokens"]) == (operation, basis, 0)


def test_tokens_count_next_to_searches(tmp_path: Path) -> None:
    """Some gateways add a count of their own to Cohere's answer."""
    answer = RANKED | {"usage": {"prompt_tokens": 153, "total_tokens": 153}}
    found = row(parse_records(tmp_path, "openai_chat", [{"timestamp": AT, "model": "rerank-v3.5", "response": answer}]))
    assert (found["rerank_search_count"], found["input_uncached_tokens"], found["usage_basis"]) == (3, 153, "reported")


def test_a_line_of_a_batch_of_pages_is_priced_as_batch(tmp_path: Path) -> None:
    line = {"timestamp": AT, "custom_id": "1", "id": "b-1", "response": {"status_code": 200, "body": READ}}
    found = row(parse_records(tmp_path, "openai_chat", [line]))
    assert (found["service_tier"], found["document_page_count"]) == ("batch", 7)


def test_a_search_of_the_web_does_not_stand_for_the_tokens_of_its_answer(tmp_path: Path) -> None:
    record = {"timestamp": AT, "response": {"id": "a", "object": "chat.completion", "model": "m", "usage": {"num_search_queries": 2}}}  # fmt: skip
    found = row(parse_records(tmp_path, "openai_chat", [record]))
    assert (found["web_search_count"], found["usage_basis"]) == (2, "missing")


def test_a_log_of_ones_own_may_count_pages_only(tmp_path: Path) -> None:
    options = {"columns": {"event_at": "at", "model": "m", "document_page_count": "pages"}}
    found = row(parse_records(tmp_path, "mapping", [{"at": AT, "m": "ocr", "pages": 4}], options=options))
    assert (found["document_page_count"], found["operation"], found["usage_basis"]) == (4, "ocr", "reported")


def test_the_id_of_a_record_without_one_is_that_of_before_pages_were_counted(tmp_path: Path) -> None:
    options = {"columns": {"event_at": "at", "model": "m", "input": "n", "output": "o", "document_page_count": "p"}}
    record = {"at": AT, "m": "gpt-4o", "n": 3, "o": 2}
    ids = [
        rows(parse_records(tmp_path, "mapping", [record | {"p": pages}], options=options))["request_uid"][0].hex()
        for pages in (0, 1, 2)
    ]
    assert ids[0] == "a177461c1a1dd9192ccc426206c29de6"
    assert len(set(ids)) == 3
