"""Ollama: answers of its own API (/api/chat, /api/generate, /api/embed), and of its endpoints in OpenAI's and Anthropic's shape.

`prompt_eval_count` is the whole prompt, of which `prompt_eval_cached_count` (from version 0.33 on) came from the cache; versions that
left the prompt out on a full cache hit make partial usage. Lines of a stream before the one with `done` true carry no counts, nor
do answers to a request that only loads or unloads a model. Durations are nanoseconds. Its own API gives no id: a request is identified
by all it says. Its ids of chat completions are drawn from a thousand (`reused_ids.py`). Instants are ISO 8601 with nanoseconds and
an offset.
Source: github.com/ollama/ollama, docs/api.md, openai/openai.go and anthropic/anthropic.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import polars as pl

from pipelines.config.sources import RequestSource
from pipelines.requests.format import Format
from pipelines.requests.formats import openai_chat, vllm
from pipelines.requests.formats._envelope import Envelope, answers, with_answer
from pipelines.requests.formats._shipped import as_object
from pipelines.requests.formats.openai_chat import BODIES

_EMBEDDED = ("embeddings", "embedding")
_OWN = ("done", *_EMBEDDED)
"""What answers of its own API hold and no other's do."""
_SAID = ("response", "body", "message", "thinking", "context", *_EMBEDDED)
"""What such an answer says, which may look like an answer of another API."""
_CAPTURED = ("response", "response_body", "body")
"""Where a proxy keeps a stream as text, one object a line."""


def build(source: RequestSource) -> Format:
    """The format; options `body` and `timestamp`."""
    served, at = vllm.build(source), Envelope(source, BODIES)
    texts = tuple(f'"{name}":{space}"{{' for name in _CAPTURED for space in ("", " "))
    return replace(
        served,
        name="ollama",
        version="5",
        constants={"provider_id": "ollama"},
        text={**served.text, "finish_reason": (*at.body("done_reason"), *served.text["finish_reason"])},
        usage={
            **served.usage,
            "input": (*served.usage["input"], *at.body("prompt_eval_count")),
            "output": (*served.usage["output"], *at.body("eval_count")),
            "cache_read": (*served.usage["cache_read"], *at.body("prompt_eval_cached_count")),
        },
        numbers={
            **served.numbers,
            "total_ns": at.body("total_duration"),
            "load_ns": at.body("load_duration"),
            "prompt_ns": at.body("prompt_eval_duration"),
        },
        booleans={**served.booleans, "done": at.body("done")},
        items=lambda: at.opened(_reader(at.bodies)),
        marks=tuple(dict.fromkeys((*(f'"{name}"' for name in _EMBEDDED), *texts, *served.marks))),
        derive=lambda: _derive(served.derive()),
    )


def _reader(bodies: tuple[str, ...]) -> Callable[[object], Iterator[object]]:
    read_on = openai_chat.reader(bodies)

    def records(value: object) -> Iterator[object]:
        value = _with_last_line(value)
        for path, answer in answers(value, bodies):
            if isinstance(value, dict) and any(name in answer for name in _OWN):
                yield _of_own_api(value, path, answer)
                return
        yield from read_on(value)

    return records


def _of_own_api(value: dict[str, Any], path: str, answer: dict[str, Any]) -> dict[str, Any]:
    """The record without what its answer says, and an embedding as one."""
    counted = {name: item for name, item in answer.items() if name not in _SAID}
    if any(name in answer for name in _EMBEDDED):
        counted["operation"] = "embeddings"
    return with_answer(value, path, counted) if path else counted


def _with_last_line(value: object) -> object:
    """The record with the last line of a stream that it holds as text: the one that counts."""
    if not isinstance(value, dict):
        return value
    for name in _CAPTURED:
        held = value.get(name)
        lines = held.strip().splitlines() if isinstance(held, str) else []
        if len(lines) > 1 and "done" in (last := as_object(lines[-1]) or {}):
            return {**{key: item for key, item in value.items() if key != name}, **last}
    return value


def _derive(served: Mapping[str, pl.Expr]) -> Mapping[str, pl.Expr]:
    of_own_api = pl.col("done").is_not_null() | pl.col("total_ns").is_not_null()
    counted = pl.any_horizontal(pl.col(f"usage.{name}").is_not_null() for name in ("input", "output"))
    only_loaded = pl.col("finish_reason").is_in(["load", "unload"]) & ~counted
    return {
        **served,
        "latency_ms": pl.coalesce("latency_ms", pl.col("total_ns") / 1e6),
        "ttft_ms": pl.coalesce("ttft_ms", (pl.col("load_ns").fill_null(0) + pl.col("prompt_ns")) / 1e6),
        "not_a_request": pl.when(~pl.col("done"))
        .then(pl.lit("a piece of a stream"))
        .when(only_loaded)
        .then(pl.lit("a model was loaded or unloaded, and none asked"))
        .when(~of_own_api)
        .then(served["not_a_request"]),
    }
