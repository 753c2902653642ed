"""How gateways counted Claude's cache at one time or another, and what an answer says where they counted nothing.

After _transform_usage of LiteLLM for Bedrock (github.com/BerriAI/litellm/issues/15270 and 15056) and what Helicone keeps of Gemini's and xAI's
reasoning; numbers are ours.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.requests.helpers import all_days, buckets, parse_records, row, sample

WRITTEN = {"input_uncached": 18, "input_cache_read": 5000, "input_cache_write": 2500, "output_text": 100}
BEDROCKS, ANTHROPICS = 7618, 5118
"""The total that Bedrock states, of which what was written is a part, and the sum of prompt and completion."""


def usage(total: int) -> dict[str, Any]:
    """Of 18 tokens next to 5000 that were read and 2500 that were written: the prompt holds those that were read."""
    details = {"cached_tokens": 5000}
    return {"prompt_tokens": 5018, "completion_tokens": 100, "total_tokens": total, "prompt_tokens_details": details,
            "cache_creation_input_tokens": 2500, "cache_read_input_tokens": 5000}  # fmt: skip


def litellm(name: str, stated: dict[str, Any], **more: Any) -> dict[str, Any]:
    counts = {count: stated.get(count, 0) for count in ("prompt_tokens", "completion_tokens", "total_tokens")}
    named = {"model": "claude-sonnet-4-5", "model_group": "claude-sonnet-4-5", "custom_llm_provider": "anthropic"}
    return sample(name) | named | counts | {"metadata": {"usage_object": stated}, "response": None} | more


@pytest.mark.parametrize("name", ["litellm_spend_logs", "litellm_payload"])
@pytest.mark.parametrize("total", [BEDROCKS, ANTHROPICS])
def test_a_prompt_that_holds_what_was_read_and_not_what_was_written(tmp_path: Path, name: str, total: int) -> None:
    """One was set aside, the other charged 5000 tokens twice."""
    found = row(parse_records(tmp_path, name, [litellm(name, usage(total))]))
    assert (buckets(found), found["token_semantics"]) == (WRITTEN, "openai_inclusive")


def test_so_do_answers_with_bedrocks_total(tmp_path: Path) -> None:
    answer = sample("openai_chat") | {"model": "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "usage": usage(BEDROCKS)}
    assert buckets(row(parse_records(tmp_path, "openai_chat", [answer]))) == WRITTEN


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ({"prompt_tokens": 100, "completion_tokens": 20, "prompt_tokens_details": {"cached_tokens": 40}}, (60, 40)),
        ({"input_tokens": 100, "output_tokens": 20, "cache_read_input_tokens": 40}, (100, 40)),
        ({"input_tokens": 100, "output_tokens": 20}, (100, 0)),
    ],
)
@pytest.mark.parametrize("name", ["litellm_spend_logs", "litellm_payload"])
def test_counts_of_the_answer_hold_where_the_proxy_counted_nothing(
    tmp_path: Path, name: str, stated: dict[str, Any], expected: tuple[int, int]
) -> None:
    """The cached part alone was the call's usage, and said to be all of it."""
    found = row(parse_records(tmp_path, name, [litellm(name, {}, response={"usage": stated})]))
    assert (found["input_uncached_tokens"], found["input_cache_read_tokens"]) == expected
    assert (found["output_text_tokens"], found["usage_basis"]) == (20, "reported")


def test_an_attempt_that_failed_does_not_stand_for_the_answer_of_its_id(tmp_path: Path) -> None:
    answered = sample("litellm_spend_logs")
    nothing = dict.fromkeys(("prompt_tokens", "completion_tokens", "total_tokens"), 0)
    failed = answered | nothing | {"status": "failure", "metadata": "{}", "startTime": "2026-02-12 10:20:29"}
    for records in ([failed, answered], [answered, failed]):
        (found,) = all_days([parse_records(tmp_path, "litellm_spend_logs", records)]).requests.to_dicts()
        assert (found["status"], found["output_text_tokens"]) == ("ok", 100)


@pytest.mark.parametrize(
    ("model", "reasoning", "expected"),
    [("gemini-2.5-pro", 300, (20, 300)), ("grok-4", 300, (20, 300)), ("gpt-5", 15, (5, 15)), ("gemini-2.5-pro", 15, (5, 15))],
)  # fmt: skip
def test_reasoning_above_the_output_is_apart_from_it_at_helicone(
    tmp_path: Path, model: str, reasoning: int, expected: tuple[int, int]
) -> None:
    record = sample("helicone") | {
        "provider": "CUSTOM", "request_model": model, "response_model": model, "model": model, "prompt_tokens": 50, "completion_tokens": 20,
        "prompt_cache_read_tokens": 0, "prompt_cache_write_tokens": 0, "reasoning_tokens": reasoning,
    }  # fmt: skip
    found = row(parse_records(tmp_path, "helicone", [record]))
    assert (found["output_text_tokens"], found["output_reasoning_tokens"]) == expected
