"""Claude Code session files: `~/.claude/projects/<project>/<session>.jsonl`.

One line per message; only answers of the model carry usage, in Anthropic's shape. An answer is written once per
content block with a usage that grows, and again in resumed and forked sessions: records of one message id and
request id are one request, the last is kept. Other lines (what the user wrote, tool results, summaries) and
messages of the model `<synthetic>` are no requests. A line `progress` may hold an answer of a subagent, as its own file holds it too. A compaction and an advisor's call are requests of their own, as in
`anthropic_messages.py`. Instants are ISO 8601 in UTC. `costUSD` of older versions
is kept as the reported cost.
Source: github.com/anthropics/claude-code; session files of versions 1 and 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from pipelines.config.sources import RequestSource
from pipelines.records.conversions import TimeRule
from pipelines.requests.format import Format
from pipelines.requests.formats import refuse_options
from pipelines.requests.formats.anthropic_messages import APART_MARKS, cloud, served_tier, where, with_iterations

_USAGE = "message/usage"
_PROGRESS_MARKS = ('"agent_progress"',)
"""A text of the lines that hold an answer of a subagent."""


def build(source: RequestSource) -> Format:
    """The format; it has no options."""
    refuse_options(source)
    return Format(
        name="claude_code",
        version="6",
        text={
            "kind": ("type",),
            "source_request_id": ("message/id",),
            "request_id": ("requestId",),
            "session_id": ("sessionId",),
            "request_model": ("message/model",),
            "response_model": ("message/model",),
            "service_tier": (f"{_USAGE}/service_tier",),
            "geo": (f"{_USAGE}/inference_geo",),
            "finish_reason": ("message/stop_reason",),
            "speed": (f"{_USAGE}/speed",),
        },
        usage={
            "input": (f"{_USAGE}/input_tokens",),
            "output": (f"{_USAGE}/output_tokens",),
            "cache_read": (f"{_USAGE}/cache_read_input_tokens",),
            "cache_write": (f"{_USAGE}/cache_creation_input_tokens",),
            "cache_write_5m": (f"{_USAGE}/cache_creation/ephemeral_5m_input_tokens",),
            "cache_write_1h": (f"{_USAGE}/cache_creation/ephemeral_1h_input_tokens",),
            "reasoning": (f"{_USAGE}/output_tokens_details/thinking_tokens",),
        },
        integers={"web_search_count": (f"{_USAGE}/server_tool_use/web_search_requests",)},
        instants={"event_at": ("timestamp",)},
        money={"reported_cost_usd": ("costUSD",)},
        tags={
            "agent": ("agentId",),
            "sidechain": ("isSidechain",),
            "version": ("version",),
            "speed": (f"{_USAGE}/speed",),
            "call": (f"{_USAGE}/type",),
        },
        constants={"provider_id": "anthropic", "application": "claude-code"},
        time=TimeRule("iso"),
        semantics="anthropic_exclusive",
        identity=("source_request_id", "call_id"),
        call_ids=("source_request_id", "http_id"),
        keep="stream_delta",
        items=lambda: records,
        marks=('"message":"', '"message": "', '"message":[', '"message": [', *_PROGRESS_MARKS, *APART_MARKS),
        derive=_derive,
        is_wrapped=False,
    )


def _derive() -> Mapping[str, pl.Expr]:
    counted = pl.col("usage.input").is_not_null() | pl.col("usage.output").is_not_null()
    synthetic = (pl.col("request_model") == "<synthetic>").fill_null(value=False)
    return {
        # Versions before 1.0.30 wrote no request id: the message id alone then identifies.
        "call_id": pl.col("request_id").fill_null(""),
        # What a message did apart from its own answer came by the same request, and is a call of its own.
        "http_id": pl.when(~pl.col("source_request_id").str.contains("/iterations/", literal=True)).then("request_id"),
        "provider_id": cloud(),
        "region": where(),
        "service_tier": served_tier(),
        "not_a_request": pl.when(synthetic)
        .then(pl.lit("a message that Claude Code wrote itself"))
        .when(~counted)
        .then(pl.lit("a line without usage: no answer of the model")),
    }


def records(value: object) -> Iterable[object]:
    """The record with the calls that its usage does not contain; of a `message` that is no object (what a hook or a system
    line says) only the rest, which is no request."""
    value = _of_subagent(value)
    if isinstance(value, dict) and not isinstance(value.get("message"), dict):
        return [{key: item for key, item in value.items() if key != "message"}]
    return with_iterations(value, ("message",))


def _of_subagent(value: object) -> object:
    """The line that a subagent wrote, of a line that reports its progress; any other value as it is."""
    data = value.get("data") if isinstance(value, dict) else None
    message = data.get("message") if isinstance(data, dict) else None
    if not isinstance(value, dict) or not isinstance(data, dict) or not isinstance(message, dict):
        return value
    around = {name: value.get(name) for name in ("timestamp", "sessionId", "version")}
    return around | {"agentId": data.get("agentId"), "isSidechain": True} | message
