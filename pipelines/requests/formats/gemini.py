"""Gemini API and Vertex AI answers (`usageMetadata`), streams included.

`promptTokenCount` contains cached tokens; `thoughtsTokenCount` and `toolUsePromptTokenCount` are counted apart from candidates and prompt, and the
total is the sum of all four. Searches are the distinct `webSearchQueries` of `groundingMetadata`. Details by modality give audio, image and video.
Every chunk of a stream repeats a cumulative usage under one `responseId`: the last is kept, with what was searched for in any. Older versions name no
answer: pieces that state the same prompt belong together until one has a `finishReason` (`_gemini_stream.py`). Vertex AI's embeddings state their
tokens one by one. The answer has no instant (Vertex: `createTime`): the envelope's `timestamp` counts, of a batch prediction its `processed_time`, of
a batch job that holds its answers its end; that, or a line of a `key` and a `response` and no more (the API's batches), is the tier batch. Names are
read in camel case (the API) and in snake case (what the Python SDK dumps). The Live API counts `responseTokenCount`; the Interactions API, an
interaction of one `id` that is polled or streamed, the same things as `total_*_tokens` in `usage`.
Source: ai.google.dev/api/generate-content#UsageMetadata, /api/live and /gemini-api/docs/interactions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from pipelines.config.sources import RequestSource
from pipelines.records.conversions import TimeRule
from pipelines.records.json_record import Number
from pipelines.requests.format import Format
from pipelines.requests.formats._envelope import Envelope
from pipelines.requests.formats._gemini_stream import STREAM, UnnamedStreams

_BATCH_KEY = "batchKey"
_LOGGED = "full_response"
"""Where Vertex AI's log of requests and answers, a table of BigQuery, holds the answer, as an object or as text."""
_BODIES = ("response", "body", "interaction", _LOGGED)
_SNAKE = {
    "usage_metadata": "usageMetadata",
    "response_id": "responseId",
    "model_version": "modelVersion",
    "create_time": "createTime",
}
_LIVE = {"responseTokenCount": "candidatesTokenCount", "responseTokensDetails": "candidatesTokensDetails"}
_INTERACTION = {
    "total_input_tokens": "promptTokenCount",
    "total_output_tokens": "candidatesTokenCount",
    "total_thought_tokens": "thoughtsTokenCount",
    "total_tool_use_tokens": "toolUsePromptTokenCount",
    "total_cached_tokens": "cachedContentTokenCount",
    "total_tokens": "totalTokenCount",
    "input_tokens_by_modality": "promptTokensDetails",
    "cached_tokens_by_modality": "cacheTokensDetails",
    "output_tokens_by_modality": "candidatesTokensDetails",
}
"""What the Interactions API counts under names of its own."""
_INLINED = (
    "inlinedResponses", "inlined_responses", "inlinedEmbedContentResponses", "inlined_embed_content_responses"
)  # fmt: skip
"""Under which a batch job holds its answers."""
_OPEN = 1000
"""Answers whose searches are remembered at once."""
_DETAILS = ("promptTokensDetails", "promptTokenDetails", "cacheTokensDetails", "candidatesTokensDetails")


def build(source: RequestSource) -> Format:
    """The format; options `body` and `timestamp`."""
    at = Envelope(source, _BODIES)
    usage = "usageMetadata"
    cached = f"{usage}/cacheTokensDetails"
    # Embeddings count the latter.
    prompts = (f"{usage}/promptTokensDetails", f"{usage}/promptTokenDetails")
    candidates = f"{usage}/candidatesTokensDetails"
    return Format(
        name="gemini",
        version="10",
        text={
            "source_request_id": at.body("responseId"),
            "request_model": (*at.outer("request_model", "model"), *at.model("modelVersion")),
            "response_model": at.body("modelVersion"),
            "service_tier": at.body(f"{usage}/serviceTier", f"{usage}/trafficType"),
            "region": at.outer("region", "location"),
            "session_id": at.outer("session_id"),
            "error": at.outer("error/status", "error/code"),
            "logged_status": at.body("status"),
            "processed": at.outer("processed_time"),
            "batch_key": (_BATCH_KEY,),
            "stream": (STREAM,),
            "operation": at.body("operation"),
        },
        usage={
            "input": at.body(f"{usage}/promptTokenCount"),
            "output": at.body(f"{usage}/candidatesTokenCount"),
            "total": at.body(f"{usage}/totalTokenCount"),
            "cache_read": at.body(f"{usage}/cachedContentTokenCount"),
            "reasoning": at.body(f"{usage}/thoughtsTokenCount"),
            "input_tool": at.body(f"{usage}/toolUsePromptTokenCount"),
            "input_audio": at.body(*(f"{name}/AUDIO" for name in prompts)),
            "input_audio_cache_read": at.body(f"{cached}/AUDIO"),
            "input_image": at.body(*(f"{name}/IMAGE" for name in prompts)),
            "input_image_cache_read": at.body(f"{cached}/IMAGE"),
            "input_video": at.body(*(f"{name}/VIDEO" for name in prompts)),
            "output_audio": at.body(f"{candidates}/AUDIO"),
            "output_image": at.body(f"{candidates}/IMAGE"),
        },
        integers={
            "cached_video": at.body(f"{cached}/VIDEO"),
            "http_status": at.outer("http_status", "status_code"),
            "web_search_count": at.body("webSearches"),
        },
        numbers={"latency_ms": at.outer("latency_ms", "duration_ms")},
        instants={"event_at": (*at.instant("createTime"), *at.outer("processed_time", "logging_time"))},
        tags={"custom_id": (_BATCH_KEY,)},
        constants={"provider_id": "google"},
        bodies=at.bodies,
        time=TimeRule("iso", epoch="epoch"),
        trusts_total=True,
        semantics="gemini_thoughts_apart",
        identity=("call",),
        keep="stream_delta",
        items=lambda: at.opened(AnswerReader(at.bodies)),
        read_by_items=at.body(*(f"usageMetadata/{name}" for name in _DETAILS)),
        in_sequence=True,
        derive=_derive,
    )


def _derive() -> Mapping[str, pl.Expr]:
    counted = pl.col("usage.input").is_not_null() | pl.col("usage.total").is_not_null()
    refused = pl.col("error").is_not_null() | (pl.col("http_status") >= 400) | (pl.col("logged_status") == "failed")
    failed, stopped = refused.fill_null(value=False), (pl.col("logged_status") == "cancelled").fill_null(value=False)
    status = pl.when(failed).then(pl.lit("error")).when(stopped).then(pl.lit("cancelled")).otherwise(pl.lit("ok"))
    parts = ("input", "output", "reasoning", "input_tool")
    only_stored = pl.col("usage.total").is_not_null() & pl.all_horizontal(
        pl.col(f"usage.{part}").is_null() for part in parts
    )
    return {
        "call": pl.coalesce("source_request_id", "stream"),
        "usage.input_video": pl.col("usage.input_video") - pl.col("cached_video").fill_null(0),
        "service_tier": pl.when(pl.col("processed").is_not_null() | pl.col("batch_key").is_not_null())
        .then(pl.lit("batch"))
        .otherwise(pl.col("service_tier")),
        "status": status,
        "is_billable": (status == "ok") | counted,
        "not_a_request": pl.when(
            ~(
                counted
                | failed
                | pl.col("source_request_id").is_not_null()
                | (pl.col("operation") == "embeddings").fill_null(value=False)
            )
        )
        .then(pl.lit("the record has neither a responseId nor usageMetadata"))
        .when(only_stored)
        .then(pl.lit("usage with nothing but a total: a cache was created, no model called")),
    }


class AnswerReader:
    """The answers of one file, in their order: pieces of a stream each know what was searched for in those before."""

    def __init__(self, bodies: tuple[str, ...]) -> None:
        self._searched: dict[object, set[str]] = {}
        self._named = UnnamedStreams(bodies)

    def __call__(self, value: object) -> Iterable[object]:
        """The value with its lists of {modality, tokenCount} as objects of modality to count, equal modalities added up."""
        if not isinstance(value, dict):
            return [value]
        if (answered := _of_a_job(value)) is not None:
            return [self._with_counts(answer) for answer in answered]
        # A line of a batch's output file is a key and an answer, or an error, and nothing more.
        of_batch = "key" in value and value.keys() <= {"key", "response", "error", "status"}
        if not of_batch:
            return [self._named(self._with_counts(value))]
        failed = value.get("status")
        counted = self._with_counts({**value, "error": failed, "status": None} if isinstance(failed, dict) else value)
        return [self._named({**counted, _BATCH_KEY: value["key"]})]

    def _with_counts(self, value: dict[str, Any]) -> dict[str, Any]:
        opened = _of_embeddings(_of_interaction({_SNAKE.get(key, key): item for key, item in value.items()}))
        if searches := self._searches(opened):
            opened["webSearches"] = Number(len(searches))
        for key in ("usageMetadata", *_BODIES):
            inner = opened.get(key)
            if isinstance(inner, dict):
                opened[key] = _counted(inner) if key == "usageMetadata" else self._with_counts(inner)
        return opened

    def _searches(self, answer: dict[str, Any]) -> set[str]:
        """The queries of an answer, with those of its earlier pieces."""
        answer_id = str(answer.get("responseId") or "")
        queries = _searches(answer.get("candidates")) | self._searched.get(answer_id, set())
        if queries and answer_id:
            self._searched[answer_id] = queries
            if len(self._searched) > _OPEN:
                del self._searched[next(iter(self._searched))]
        return queries


def _of_a_job(value: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The answers that a batch job holds itself, as records of their own; None for any other value."""
    held: object = value.get("response", value.get("dest"))
    for name in (*_INLINED, *_INLINED):  # the API wraps the list in an object of the same name
        held = held[name] if isinstance(held, dict) and name in held else held
    if not isinstance(held, list) or not any(isinstance(item, dict) for item in held):
        return None
    job = value["metadata"] if isinstance(value.get("metadata"), dict) else value
    ended = next((job[name] for name in ("endTime", "end_time", "createTime", "create_time") if job.get(name)), None)
    around = {
        name: item for name, item in value.items() if name not in ("response", "dest", "metadata", "name", "model")
    }
    around |= {
        "processed_time": ended or value.get("timestamp"),
        "request_model": str(job.get("model") or "").removeprefix("models/") or None,
    }
    return [{**around, **item} for item in held if isinstance(item, dict)]


def _searches(candidates: object) -> set[str]:
    """The queries that were searched for; Google charges each once, and none that is empty."""
    grounded = [item for item in candidates if isinstance(item, dict)] if isinstance(candidates, list) else []
    queries: set[str] = set()
    for candidate in grounded:
        metadata = candidate.get("groundingMetadata", candidate.get("grounding_metadata"))
        if isinstance(metadata, dict):
            found = metadata.get("webSearchQueries", metadata.get("web_search_queries"))
            queries.update(
                query for query in (found if isinstance(found, list) else ()) if isinstance(query, str) and query
            )
    return queries


def _of_embeddings(value: dict[str, Any]) -> dict[str, Any]:
    """An answer with embeddings and the sum of the tokens that each states (Vertex AI, batches of Google's API; its other answers state
    none); any other value as it is."""
    if isinstance(value.get("embedding"), dict) and "usageMetadata" not in value:
        stated = value.get("tokenCount", value.get("token_count"))
        counted = {"usageMetadata": {"promptTokenCount": stated, "totalTokenCount": stated}} if stated else {}
        return {**value, **counted, "operation": "embeddings"}
    found = value.get("embeddings") or value.get("predictions")
    embedded = [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
    held = [item.get("embeddings", item) for item in embedded]
    stated = [item.get("statistics") for item in held if isinstance(item, dict)]
    texts = [str(each.get("token_count", each.get("tokenCount"))) for each in stated if isinstance(each, dict)]
    counts = [int(float(text)) for text in texts if re.fullmatch(r"\d+(\.0*)?", text)]
    if not counts or "usageMetadata" in value:
        return value
    tokens = Number(sum(counts))
    return {
        **value,
        "usageMetadata": {"promptTokenCount": tokens, "totalTokenCount": tokens},
        "operation": "embeddings",
    }


def _of_interaction(value: dict[str, Any]) -> dict[str, Any]:
    """An interaction under the names of an answer; any other value as it is."""
    usage = value.get("usage")
    counts = usage if isinstance(usage, dict) and "total_input_tokens" in usage else None
    if counts is None and value.get("object") != "interaction" and "steps" not in value:
        return value
    renamed = {_INTERACTION.get(name, name): count for name, count in (counts or {}).items()}
    own = {"responseId": value.get("id"), "modelVersion": value.get("model"), "createTime": value.get("created")}
    return {**value, **own, **({"usageMetadata": renamed} if counts else {})}


def _counted(usage: dict[str, Any]) -> dict[str, Any]:
    counted = {_LIVE.get(_camel(key), _camel(key)): item for key, item in usage.items()}
    for name in _DETAILS:
        details = counted.get(name)
        if isinstance(details, list):
            counts: dict[str, int] = {}
            for detail in details:
                stated = detail if isinstance(detail, dict) else {}
                count = next(
                    (str(stated[name]) for name in ("tokenCount", "token_count", "tokens") if name in stated), ""
                )
                if count.isdigit():
                    modality = str(stated.get("modality")).removeprefix("MediaModality.").upper()
                    counts[modality] = counts.get(modality, 0) + int(count)
            counted[name] = {modality: Number(count) for modality, count in counts.items()}
    return counted


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
