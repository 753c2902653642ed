"""Messages that LangChain dumped and runs that LangSmith exports, as answers of the API that a format reads.

A dumped message states the provider's own counts in `response_metadata`, unless it was streamed, and LangChain's in `usage_metadata`, whose
input contains the cache and whose output contains reasoning. A state holds a conversation's messages, which every later dump
repeats under their ids. A run of LangSmith is a call where its `run_type` is llm or embedding; all others add up those below them.
Sources: langchain_core/messages/ai.py, langchain-openai and langchain-anthropic, `_create_usage_metadata`; docs.langchain.com/langsmith,
"Run data format".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pipelines.records.json_record import Number, count_of, object_in
from pipelines.requests.formats._shipped import as_object

MARKS = ('"response_metadata"', '"run_type"', '"ls_model_name"')
"""Texts of lines that hold such a message or run."""
COLUMNS = ("extra", "outputs")
"""Columns of a table of runs that say which model answered and what was cached."""
CALLS = ("llm", "embedding")
"""Kinds of runs that are calls to a model."""


def answers_of(value: object, places: Iterable[str], *, without_cache: bool) -> Iterator[object]:
    """The answers in a value, also at one of `places`; the value itself where it is not LangChain's. `without_cache`: of an API
    whose input leaves the cache out."""
    if not isinstance(value, dict):
        yield value
    elif "run_type" in value:
        yield _of_run(value, without_cache=without_cache)
    elif isinstance(held := value.get("messages"), list) and any(map(_is_message, held)):
        around = {name: item for name, item in value.items() if name != "messages"}
        yield from (around | _of_message(item, without_cache=without_cache) for item in held if _is_message(item))
    elif _is_message(value):
        yield _of_message(value, without_cache=without_cache)
    else:
        found = {name: value[name] for name in places if _is_message(value.get(name))}
        yield value | {name: _of_message(item, without_cache=without_cache) for name, item in found.items()}


def _is_message(value: object) -> bool:
    """Whether a value is a model's message: what a person or a tool said states neither model nor usage."""
    fields = _fields(value)
    metadata = object_in(fields, "response_metadata")
    return bool(object_in(fields, "usage_metadata") or _raw(metadata)) and "response_metadata" in fields


def _of_message(value: object, *, without_cache: bool) -> dict[str, Any]:
    fields = _fields(value)
    metadata = object_in(fields, "response_metadata")
    kept = {name: item for name, item in fields.items() if name not in ("response_metadata", "usage_metadata", "usage")}
    own, raw = _usage(object_in(fields, "usage_metadata"), without_cache=without_cache), _raw(metadata)
    is_their_own = "token_usage" in metadata or (without_cache and "input_tokens" in raw)
    named = next(
        (metadata[name] for name in ("model_name", "model", "model_id", "modelId") if metadata.get(name)), None
    )
    said = {
        "id": metadata.get("id") or fields.get("id"),
        "model": named,
        "service_tier": metadata.get("service_tier"),
        "usage": raw if (is_their_own or not own) and raw else own,
    }
    return kept | {name: item for name, item in said.items() if item is not None}


def _of_run(run: dict[str, Any], *, without_cache: bool) -> dict[str, Any]:
    kind, extra, outputs = run.get("run_type"), as_object(run.get("extra")) or {}, as_object(run.get("outputs")) or {}
    dated = {name: run.get(name) for name in ("start_time", "session_id", "trace_id", "status")}
    if kind not in CALLS:
        return {"run_type": kind, "timestamp": dated["start_time"]}
    message = _first_message(outputs)
    answered = _of_message(message, without_cache=without_cache) if message else {}
    counts = {
        "input_tokens": run.get("prompt_tokens"),
        "output_tokens": run.get("completion_tokens"),
        "total_tokens": run.get("total_tokens"),
        "input_token_details": run.get("prompt_token_details"),
        "output_token_details": run.get("completion_token_details"),
    }
    stated = {name: item for name, item in counts.items() if item is not None}
    usage = (
        answered.get("usage")
        or object_in(object_in(outputs, "llm_output"), "token_usage")
        or _usage(object_in(outputs, "usage_metadata") or stated, without_cache=without_cache)
    )
    asked = object_in(extra, "invocation_params")
    model = (
        answered.get("model")
        or object_in(extra, "metadata").get("ls_model_name")
        or asked.get("model")
        or asked.get("model_name")
    )
    failed = {"error": {"type": "failed"}} if run.get("error") else {}
    own = {"id": answered.get("id") or run.get("id"), "model": model, "usage": usage or None, "run_type": kind}
    operation = {"operation": "embeddings"} if kind == "embedding" else {}
    return own | failed | operation | {"timestamp": dated["start_time"], "session_id": run.get("trace_id")}


def _first_message(outputs: Mapping[str, Any]) -> object:
    """The message of a chat model's run: `generations` holds a list for each prompt."""
    held: object = outputs.get("generations")
    while isinstance(held, list) and held:
        held = held[0]
    message = held.get("message") if isinstance(held, dict) else None
    return message if _is_message(message) else None


def _fields(value: object) -> dict[str, Any]:
    """The fields of a message, which LangChain's serialised form keeps in `kwargs` and its older one in `data`."""
    fields = value if isinstance(value, dict) else {}
    for name in ("kwargs", "data"):
        inner = fields.get(name)
        if isinstance(inner, dict) and "response_metadata" in inner:
            around = {key: item for key, item in fields.items() if key not in ("lc", "type", "id", name)}
            return around | inner
    return fields


def _raw(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The provider's own usage."""
    return object_in(metadata, "token_usage") or object_in(metadata, "usage")


def _usage(counted: Mapping[str, Any], *, without_cache: bool) -> dict[str, Any]:
    """LangChain's counts under the names of OpenAI's responses API, or of Anthropic's; empty where there are none."""
    if not counted:
        return {}
    inner, outer = object_in(counted, "input_token_details"), object_in(counted, "output_token_details")
    lives = {
        name: inner[name] for name in ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens") if inner.get(name)
    }
    written = _sum(inner.get("cache_creation"), *(lives.values() if not count_of(inner.get("cache_creation")) else ()))
    plain = {name: counted.get(name) for name in ("input_tokens", "output_tokens", "total_tokens")}
    if not without_cache:
        read = {
            "cached_tokens": inner.get("cache_read"),
            "cache_write_tokens": written,
            "audio_tokens": inner.get("audio"),
        }
        spoken = {"reasoning_tokens": outer.get("reasoning"), "audio_tokens": outer.get("audio")}
        return plain | {"input_tokens_details": read, "output_tokens_details": spoken}
    cached = count_of(inner.get("cache_read")) + count_of(written)
    rest = Number(max(0, count_of(plain["input_tokens"]) - cached)) if plain["input_tokens"] is not None else None
    return {
        "input_tokens": rest,
        "output_tokens": plain["output_tokens"],
        "cache_read_input_tokens": inner.get("cache_read"),
        "cache_creation_input_tokens": written,
        "cache_creation": lives,
    }


def _sum(*counts: object) -> Number | None:
    given = [count_of(count) for count in counts if count is not None]
    return Number(sum(given)) if given else None
