"""Claude Code session files: `~/.claude/projects/<project>/<session>.jsonl`.

One line per message; only answers of the model carry usage, in Anthropic's shape. An answer is written once per content block with a usage that
grows, and again in resumed and forked sessions: records of one message id and request id are one request, the last is kept. Other lines (what the
user wrote, tool results, summaries) and messages of the model `<synthetic>` are no requests. A line `progress` may hold an answer of a subagent, as
its own file holds it too. A compaction and an advisor's call are requests of their own, as in `anthropic_messages.py`. Instants are ISO 8601 in UTC.

What `claude -p` prints ends with a `result`, which adds up the run by model. The session's own file holds the same calls, so that a result is none:
one whose run prints no answers (`--output-format json`) is set aside with that reason. With option `results: count` results are the requests, one for
each model, and answers are none: for logs of results whose session files are not landed. A process that serves several turns states the sums of
all of them by model, and the usage of each. `costUSD` of older versions is kept as the reported cost.
Source: github.com/anthropics/claude-code, issue 83239 on running totals; session files of versions 1 and 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any

import polars as pl

from pipelines.config.sources import RequestSource
from pipelines.records.conversions import TimeRule
from pipelines.records.json_record import Number, RecordError, count_of, object_in, object_of
from pipelines.records.layout import SourceError
from pipelines.requests.format import Format
from pipelines.requests.formats import refuse_options
from pipelines.requests.formats.anthropic_messages import APART_MARKS, cloud, served_tier, where, with_iterations

_USAGE = "message/usage"
_PROGRESS_MARKS = ('"agent_progress"',)
"""A text of the lines that hold an answer of a subagent."""
_PRINTED_MARKS = ('"type":"result"', '"type": "result"', '"subtype":"init"', '"subtype": "init"')
"""Texts of the lines with which `claude -p` begins and ends a run."""
_ANSWER_MARKS = ('"type":"assistant"', '"type": "assistant"')
_COUNTS = {
    "input_tokens": "inputTokens", "output_tokens": "outputTokens",
    "cache_read_input_tokens": "cacheReadInputTokens", "cache_creation_input_tokens": "cacheCreationInputTokens",
}  # fmt: skip
"""Counts of a usage, and their names in what a result says of each model."""


def build(source: RequestSource) -> Format:
    """The format; option `results`. Raises SourceError."""
    refuse_options(source, ("results",))
    results = source.options.get("results")
    if results not in (None, "count"):
        raise SourceError(source.source, ("options", "results"), f"found {results!r}, count is accepted")
    return Format(
        name="claude_code",
        version="10",
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
        items=lambda: Session(counts_results=results is not None),
        marks=(
            '"message":"',
            '"message": "',
            '"message":[',
            '"message": [',
            *_PROGRESS_MARKS,
            *_PRINTED_MARKS,
            *APART_MARKS,
            *(_ANSWER_MARKS if results else ()),
        ),
        derive=_derive,
        is_wrapped=False,
        in_sequence=True,
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


class Session:
    """One file's lines: it remembers which runs of `claude -p` have begun in it."""

    def __init__(self, *, counts_results: bool) -> None:
        self._counts_results = counts_results
        self._begun: set[str] = set()
        self._models: dict[str, dict[str, Any]] = {}

    def __call__(self, value: object) -> Iterable[object]:
        """The records of a line; of a result those of its models, where results count."""
        kind = value.get("type") if isinstance(value, dict) else None
        if not isinstance(value, dict) or kind not in ("result", "system", "assistant"):
            return records(value)
        if kind == "system" and value.get("subtype") == "init":
            self._begun.add(str(value.get("session_id")))
        if kind == "assistant" and self._counts_results:
            return [{key: item for key, item in value.items() if key != "message"}]
        if kind != "result" or not object_in(value, "usage"):
            return records(value)
        if self._counts_results:
            session = str(value.get("session_id"))
            before, self._models[session] = self._models.get(session, {}), object_in(value, "modelUsage")
            return list(_of_models(_of_turn(value, before))) or records(value)
        if str(value.get("session_id")) not in self._begun:
            raise RecordError(
                "result_of_a_run",
                "a result of claude -p adds up calls that the session's own file holds: land that file, or declare options: {results: count}",
            )
        return records(value)


def _of_turn(result: dict[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """A result with what its turn alone counted. One process that serves several turns adds its models up: then they are above those `before`
    by the usage of the turn."""
    models, usage = object_in(result, "modelUsage"), object_in(result, "usage")
    turn = {model: _difference(object_of(stated), object_in(before, model)) for model, stated in models.items()}
    added = [sum(count_of(counts.get(name)) for counts in turn.values()) for name in _COUNTS.values()]
    own = [count_of(usage.get(name)) for name in _COUNTS]
    proven = own == added or any(
        own == [count_of(counts.get(name)) for name in _COUNTS.values()] for counts in turn.values()
    )
    return result | {"modelUsage": turn} if before and proven else result


def _difference(stated: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """What was counted and paid since `before`."""
    names = (*_COUNTS.values(), "webSearchRequests")
    found: dict[str, Any] = {name: Number(count_of(stated.get(name)) - count_of(before.get(name))) for name in names}
    with suppress(ArithmeticError):
        found["costUSD"] = Number(Decimal(str(stated.get("costUSD"))) - Decimal(str(before.get("costUSD") or 0)))
    return found


def _of_models(result: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A request for each model that a result counts; of the one that the usage of the run counts with what it says beyond."""
    usage, models = object_in(result, "usage"), object_in(result, "modelUsage")
    run = result.get("uuid") or result.get("session_id")
    around = {name: result.get(name) for name in ("type", "timestamp")} | {"sessionId": result.get("session_id")}
    if not models:
        yield around | {
            "costUSD": result.get("total_cost_usd"),
            "message": {"id": run, "model": result.get("model"), "usage": usage},
        }
    for model, stated in models.items():
        counted = stated if isinstance(stated, dict) else {}
        counts = {ours: counted[theirs] for ours, theirs in _COUNTS.items() if theirs in counted}
        own: dict[str, Any] = counts | {"server_tool_use": {"web_search_requests": counted.get("webSearchRequests")}}
        if counts and all(count_of(usage.get(name)) == count_of(count) for name, count in counts.items()):
            own = usage | own
        if any(map(count_of, counts.values())):
            yield around | {
                "costUSD": counted.get("costUSD"),
                "message": {"id": f"{run}/{model}", "model": model.removesuffix("[1m]"), "usage": own},
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
