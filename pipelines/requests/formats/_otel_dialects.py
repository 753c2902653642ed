"""Spans whose counts stand under names of a product's own: Claude Code's, Langfuse's, LangSmith's and MLflow's, brought to the convention's.

OpenInference's processor for Strands kept the counts of the cache that it did not know among the `metadata`. Claude Code's spans `llm_request` name their counts as its log events do, without a prefix; the same call's log event has the same request
id. Langfuse's SDKs write an observation's usage as JSON, whose keys are those of its exports. A span that has the convention's own counts
as well keeps these. LangSmith adds what an input and an output were made of, as JSON. MLflow writes every attribute as JSON; the counts of Claude are Anthropic's own where its integration wrote the span.
Sources: github.com/anthropics/claude-code/issues/50776; langfuse.com/integrations/native/opentelemetry; github.com/mlflow/mlflow,
mlflow/tracing/constant.py and mlflow/anthropic/autolog.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from pipelines.config.sources import RequestSource
from pipelines.records.json_record import Number, RecordError, load
from pipelines.requests.formats import _langfuse_details, langfuse
from pipelines.requests.formats._otel_events import CLAUDE, SHARED

_TYPE, _DETAILS = "langfuse.observation.type", "langfuse.observation.usage_details"
_MLFLOW, _MLFLOW_TYPE = "mlflow.chat.tokenUsage", "mlflow.spanType"
_PARTS = {
    f"gen_ai.usage.{name}": name
    for name in (
        "input_token_details", "output_token_details", "input_tokens_details", "output_tokens_details", "prompt_tokens_details",
        "completion_tokens_details",
    )
}  # fmt: skip
"""Attributes that hold, as JSON, what an input or an output was made of."""
MARKS = ('"span.type"', '_token_details"', '_tokens_details"', '"langfuse.observation', '"mlflow.')
"""Texts that mark a line with such names."""
_USAGE = "gen_ai.usage."
_CALLS = {"generation": "chat", "embedding": "embeddings", "chat_model": "chat", "llm": "chat"}
_OF_MLFLOW = {
    "input_tokens": "input_tokens", "output_tokens": "output_tokens", "total_tokens": "total_tokens",
    "cache_read_input_tokens": "cache_read.input_tokens", "cache_creation_input_tokens": "cache_creation.input_tokens",
}  # fmt: skip
_OURS = {
    "input": "input_tokens", "output": "output_tokens", "total": "total_tokens", "cache_read": "cache_read.input_tokens",
    "cache_write": "cache_write.input_tokens", "cache_write_5m": "cache_creation.5m.input_tokens",
    "cache_write_1h": "cache_creation.1h.input_tokens", "reasoning": "reasoning.output_tokens", "input_tool": "tool.input_tokens",
    "input_audio": "audio.input_tokens", "input_audio_cache_read": "details.cache_audio_read_tokens", "input_image": "image.input_tokens",
    "output_audio": "audio.output_tokens", "output_image": "image.output_tokens",
}  # fmt: skip


def translated(attributes: dict[str, Any], dotted: Callable[[dict[str, Any], str], dict[str, Any]]) -> dict[str, Any]:
    """The attributes, and those of a product's own under the convention's names; `dotted` names nested values with dots."""
    for name, part in _PARTS.items():
        if name in attributes:
            attributes = {f"{_USAGE}{part}.{key}": count for key, count in _json(attributes[name]).items()} | attributes
    if f'"{_USAGE}' in str(attributes.get("metadata")):
        held = _json(attributes["metadata"]).items()
        attributes = {name: count for name, count in held if name.startswith(_USAGE)} | attributes
    if attributes.get("span.type") == "llm_request":
        return _of_claude_code(attributes) | attributes
    if _TYPE in attributes or any(name.startswith(_DETAILS) for name in attributes):
        return _of_langfuse(attributes, dotted) | attributes
    if _MLFLOW_TYPE in attributes or any(name.startswith(_MLFLOW) for name in attributes):
        return _of_mlflow(attributes) | attributes
    return attributes


def _of_mlflow(attributes: Mapping[str, Any]) -> dict[str, Any]:
    def said(name: str) -> object:
        text = attributes.get(f"mlflow.{name}")
        return text.strip('"') if isinstance(text, str) else text

    usage = _json(attributes.get(_MLFLOW))
    usage |= {
        name.removeprefix(f"{_MLFLOW}."): count for name, count in attributes.items() if name.startswith(f"{_MLFLOW}.")
    }
    named = {"gen_ai.request.model": said("llm.model"), "gen_ai.provider.name": said("llm.provider")}
    own: dict[str, Any] = {name: text for name, text in named.items() if text}
    own["gen_ai.operation.name"] = _CALLS.get(str(said("spanType")).lower(), "invoke_agent")
    if _is_counted(attributes):
        return own
    own |= {f"{_USAGE}{ours}": usage[theirs] for theirs, ours in _OF_MLFLOW.items() if usage.get(theirs) is not None}
    if said("message.format") == "anthropic":
        own["modelmeter.semantics"] = "anthropic_exclusive"
    cost = _json(attributes.get("mlflow.llm.cost")).get("total_cost")
    return own | ({f"{_USAGE}cost": cost} if cost is not None else {})


def _of_claude_code(attributes: Mapping[str, Any]) -> dict[str, Any]:
    own = {ours: attributes[theirs] for theirs, ours in reversed(SHARED.items()) if attributes.get(theirs) is not None}
    own |= {f"{_USAGE}{ours}": attributes[theirs] for theirs, ours in CLAUDE.items() if theirs in attributes}
    own |= {"gen_ai.provider.name": attributes.get("gen_ai.system", "anthropic"), "gen_ai.operation.name": "chat"}
    if own["gen_ai.provider.name"] == "anthropic" and not _is_counted(attributes):
        own["modelmeter.semantics"] = "anthropic_exclusive"
    if attributes.get("speed") == "fast":
        own["gen_ai.response.service_tier"] = "fast"
    if str(attributes.get("success")).lower() == "false":
        own["error.type"] = "failed"
    return own


def _of_langfuse(
    attributes: Mapping[str, Any], dotted: Callable[[dict[str, Any], str], dict[str, Any]]
) -> dict[str, Any]:
    kind = attributes.get(_TYPE)
    own = {"gen_ai.operation.name": _CALLS.get(str(kind).lower(), "invoke_agent")} if kind else {}
    if model := attributes.get("langfuse.observation.model.name"):
        own["gen_ai.request.model"] = model
    one_by_one = {
        name.removeprefix(f"{_DETAILS}."): count
        for name, count in attributes.items()
        if name.startswith(f"{_DETAILS}.")
    }
    details = {} if _is_counted(attributes) else one_by_one | dotted(_json(attributes.get(_DETAILS)), "")
    counts = {name: count for name, found in details.items() if (count := _count(found)) is not None}
    if not counts:
        return own
    usage, is_inclusive = _langfuse_usage(counts)
    own |= {f"{_USAGE}{_OURS[measure]}": Number(count) for measure, count in usage.items() if measure in _OURS}
    own["modelmeter.semantics"] = "openai_inclusive" if is_inclusive else "additive"
    cost = _json(attributes.get("langfuse.observation.cost_details")).get("total")
    return own | ({f"{_USAGE}cost": cost} if cost is not None else {})


def _langfuse_usage(counts: Mapping[str, int]) -> tuple[dict[str, int], bool]:
    """Counts by measure, and whether input and output contain their parts; where they don't, parts under other keys are added."""
    usage = {
        measure: found
        for measure, keys in _keys().items()
        if (found := next((counts[key] for key in keys if key in counts), None)) is not None
    }
    is_inclusive = usage.get("total") == usage.get("input", 0) + usage.get("output", 0) or "prompt_tokens" in counts
    if not is_inclusive:
        for measure, parts in _langfuse_details.PARTS.items():
            if any(part in counts for part in parts):
                usage[measure] = usage.get(measure, 0) + sum(counts.get(part, 0) for part in parts)
    return usage, is_inclusive


@cache
def _keys() -> dict[str, tuple[str, ...]]:
    """The keys of Langfuse's details for each measure, as its own format reads them."""
    usage = langfuse.build(RequestSource(source="otel", format="langfuse")).usage
    return {
        name: tuple(path.partition("/")[2] for path in paths if path.startswith("usageDetails/"))
        for name, paths in usage.items()
    }


def _is_counted(attributes: Mapping[str, Any]) -> bool:
    return any(f"{_USAGE}{name}" in attributes for name in ("input_tokens", "prompt_tokens"))


def _json(text: object) -> dict[str, Any]:
    try:
        value = load(text) if isinstance(text, str) else text
    except RecordError:
        return {}
    return value if isinstance(value, dict) else {}


def _count(value: object) -> int | None:
    return int(str(value)) if str(value).isdecimal() else None
