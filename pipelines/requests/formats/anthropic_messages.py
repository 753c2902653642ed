"""Anthropic messages answers, batch results and stream events, one JSON value per line.

`input_tokens` is what neither read nor wrote a cache; `cache_read_input_tokens` and `cache_creation_input_tokens`
(split by time to live in `cache_creation`) are counted apart from it; `output_tokens` contains thinking. Of a stream,
`message_start` holds a first usage and `message_delta` a cumulative one that may raise the input too: the last is
kept. `_anthropic_stream.py` decides whose a `message_delta` is. Of `iterations`, the
usage does not contain compactions, the calls of an advisor, which is charged by its own model, and those of a model that declined after it had
begun to answer, so that another took over (`fallback_message`): each is a request of its own, with the tag `call`. One that declined before
is not charged, and all others are contained. A stream begins with the name of the model that declined. Between an advisor's
calls the model itself is called more than once, and the usage holds the input of the first of these calls only: all are added up.
The answer has no instant of its own: the envelope's `timestamp` counts. The message's id shows whose cloud answered.
Source: platform.claude.com/docs, "Messages", "Streaming messages", "Compaction", "Advisor tool" and "Refusals and fallback".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import polars as pl

from pipelines.config.sources import RequestSource
from pipelines.records.conversions import TimeRule
from pipelines.records.json_record import Number, objects_of
from pipelines.records.layout import Paths
from pipelines.requests.format import Format
from pipelines.requests.formats._anthropic_stream import STREAM, StreamReader
from pipelines.requests.formats._envelope import Envelope, answers, with_answer
from pipelines.requests.formats._langchain import CALLS, COLUMNS
from pipelines.requests.formats._openai_usage import flat_paths

_DECLINED = "declined_message"
"""The iteration of a model that declined in the middle of its answer, by our own name."""
APART = ("advisor_message", "compaction", _DECLINED)
"""Iterations that the usage of their message does not contain."""
_FELL_BACK = "fallback_message"
"""The iteration of a model that answered in place of one that declined."""
COUNTS = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
"""What the usage of a message and each of its iterations count."""
APART_MARKS = tuple(f'"{kind}"' for kind in (*APART, _FELL_BACK))
_CLOUDS = {"msg_bdrk_": "aws.bedrock", "msg_vrtx_": "google"}
"""How ids begin of messages that another seller than Anthropic answered."""


def usage_paths(at: Envelope) -> dict[str, Paths]:
    """The measures of an Anthropic usage object, wherever the answer lies, else those of a table of calls."""
    flat = flat_paths(at.outer, ("input", "output", "cache_read", "cache_write"))
    found = {
        "input": at.body("usage/input_tokens"),
        "output": at.body("usage/output_tokens"),
        "cache_read": at.body("usage/cache_read_input_tokens"),
        "cache_write": at.body("usage/cache_creation_input_tokens"),
        "cache_write_5m": at.body("usage/cache_creation/ephemeral_5m_input_tokens"),
        "cache_write_1h": at.body("usage/cache_creation/ephemeral_1h_input_tokens"),
        "reasoning": at.body("usage/output_tokens_details/thinking_tokens"),
    }
    return {name: (*paths, *flat.get(name, ())) for name, paths in found.items()}


def build(source: RequestSource) -> Format:
    """The format; options `body` and `timestamp`."""
    at = Envelope(
        source, ("message", "response", "response/body", "body", "result/message", "modelOutput"), without_cache=True
    )
    return Format(
        name="anthropic_messages",
        version="14",
        text={
            "source_request_id": at.body("id"),
            "request_model": at.model("model"),
            "response_model": (*at.body("model"), *at.outer("response.model")),
            "service_tier": at.body("usage/service_tier"),
            "geo": at.body("usage/inference_geo"),
            "finish_reason": at.body("stop_reason"),
            "speed": at.body("usage/speed"),
            "result": ("result/type",),
            "batch_record": ("recordId",),
            "batch_answer": at.outer("response/body/id"),
            "session_id": at.outer("session_id"),
            "error": (*at.outer("error/type"), *at.body("error/type")),
            "stream_id": (STREAM,),
            "run_type": at.outer("run_type"),
        },
        usage=usage_paths(at),
        integers={
            "web_search_count": at.body("usage/server_tool_use/web_search_requests"),
            "http_status": at.outer("http_status", "status_code"),
        },
        numbers={"latency_ms": at.outer("latency_ms", "duration_ms"), "ttft_ms": at.outer("ttft_ms")},
        instants={"event_at": (*at.instant("created_at"), *at.outer("processed_time", "logging_time"))},
        tags={
            "custom_id": at.outer("custom_id"),
            "request_id": at.outer("request_id"),
            "call": at.body("usage/type"),
        },
        constants={"provider_id": "anthropic"},
        bodies=at.bodies,
        time=TimeRule("iso", epoch="epoch"),
        semantics="anthropic_exclusive",
        keep="stream_delta",
        read_by_items=COLUMNS,
        items=lambda: at.opened(_reader(at.bodies)),
        in_sequence=True,
        marks=('"message_start"', '"message_delta"', *APART_MARKS, *at.marks),
        derive=_derive,
    )


def cloud() -> pl.Expr:
    """The provider that a message's id shows; null where it shows none."""
    found = pl.lit(None, dtype=pl.String)
    for prefix, provider in _CLOUDS.items():
        found = pl.when(pl.col("source_request_id").str.starts_with(prefix)).then(pl.lit(provider)).otherwise(found)
    return found


def where() -> pl.Expr:
    """Where the model ran; null where that is not stated, so that a source's `defaults: {region: ...}` may say it."""
    return pl.when(pl.col("geo") != "not_available").then(pl.col("geo"))


def served_tier() -> pl.Expr:
    """The service tier; `speed` fast is a tier of its own, with prices of its own."""
    return pl.when(pl.col("speed") == "fast").then(pl.lit("fast")).otherwise(pl.col("service_tier"))


def _derive() -> Mapping[str, pl.Expr]:
    counted = pl.col("usage.input").is_not_null() | pl.col("usage.output").is_not_null()
    failed = pl.col("error").is_not_null() | (pl.col("http_status") >= 400) | (pl.col("result") == "errored")
    cancelled = pl.col("result").is_in(["canceled", "expired"])
    status = (
        pl.when(failed.fill_null(value=False)).then(pl.lit("error"))
        .when(cancelled.fill_null(value=False)).then(pl.lit("cancelled")).otherwise(pl.lit("ok"))
    )  # fmt: skip
    known = (
        counted
        | pl.col("source_request_id").is_not_null()
        | failed.fill_null(value=False)
        | pl.col("result").is_not_null()
    )
    # Bedrock's batches name a record and hold the answer as `modelOutput`; Vertex AI's name a `custom_id` and hold it as `response`.
    in_batch = pl.col("result").is_not_null() | pl.col("batch_record").is_not_null()
    is_answer = pl.col("batch_answer").is_not_null() | (cloud() == "google").fill_null(value=False)
    in_batch |= is_answer & pl.col("tag.custom_id").is_not_null()
    batch = pl.when(in_batch).then(pl.lit("batch"))
    return {
        "provider_id": cloud(),
        "region": where(),
        "service_tier": pl.coalesce(batch, served_tier()),
        "status": status,
        "is_billable": (status == "ok") | counted,
        "not_a_request": pl.when(~pl.col("run_type").is_in(CALLS))
        .then(pl.lit("a run that holds calls and adds them up"))
        .when(~known)
        .then(pl.lit("an event that carries neither a message nor usage"))
        .when(
            pl.col("usage.output").is_null()
            & pl.col("source_request_id").is_null()
            & pl.col("response_model").is_null()
            & ~failed.fill_null(value=False)
            & pl.col("result").is_null()
        )
        .then(pl.lit("tokens were counted, and no model asked")),
    }


def with_iterations(value: object, bodies: Iterable[str]) -> Iterator[object]:
    """The record, and one more for each call that the usage of its message does not contain; `bodies` lead to the message."""
    found = [(path, message, called) for path, message in answers(value, bodies) if (called := _iterations(message))]
    if not isinstance(value, dict) or not found:
        yield value
        return
    whole = value
    for path, message, called in found:
        own = {"usage": _added_up(message["usage"], called), "model": _served(called) or message.get("model")}
        whole = with_answer(whole, path, message | own)
    yield whole
    # The amount that an old session file states is that of its message.
    kept = {name: item for name, item in value.items() if name != "costUSD"}
    for path, message, called in found:
        for number, iteration in enumerate(called):
            if iteration.get("type") in APART:
                yield with_answer(kept, path, _apart(message, number, iteration, value.get("advisorModel")))


def _iterations(message: dict[str, Any]) -> list[dict[str, Any]]:
    """The calls within a message, where one of them is not in its usage or says who answered."""
    usage = message.get("usage")
    listed = usage.get("iterations") if isinstance(usage, dict) else None
    called = [item if isinstance(item, dict) else {} for item in listed] if isinstance(listed, list) else []
    if _served(called) is None:
        return called if any(item.get("type") in APART for item in called) else []
    attempts = [number for number, item in enumerate(called) if item.get("type") in ("message", _FELL_BACK)]
    return [_declined(item) if number in attempts[:-1] else item for number, item in enumerate(called)]


def _declined(attempt: dict[str, Any]) -> dict[str, Any]:
    """An attempt of a model that declined: a call where it had answered something, and nothing before."""
    return attempt | {"type": _DECLINED if _count(attempt.get("output_tokens")) else None}


def _served(called: list[dict[str, Any]]) -> object:
    """The model that answered in place of one that declined; empty where it is not named, None if none did."""
    return next((item.get("model") or "" for item in reversed(called) if item.get("type") == _FELL_BACK), None)


def _added_up(usage: dict[str, Any], called: list[dict[str, Any]]) -> dict[str, Any]:
    """The usage with the counts of all calls of the message's own model, where they are more than it states."""
    own = [item for item in called if item.get("type") == "message"]
    if len(own) < 2 or any(item.get("type") == _FELL_BACK for item in called):
        return usage
    counted = {name: _sum(usage, own, name) for name in COUNTS if any(name in item for item in own)}
    split = [item["cache_creation"] for item in own if isinstance(item.get("cache_creation"), dict)]
    if len(split) == len(own):
        stated = usage.get("cache_creation")
        lives = dict.fromkeys(name for item in split for name in item)
        stated = stated if isinstance(stated, dict) else {}
        counted["cache_creation"] = {name: _sum(stated, split, name) for name in lives}
    return usage | counted


def _sum(usage: dict[str, Any], own: list[dict[str, Any]], name: str) -> object:
    """The sum over `own`, or what `usage` states where that is as much or no number."""
    counts = [_count(item.get(name)) for item in (*own, usage)]
    if None in counts:
        return usage.get(name)
    *parts, stated = (count or 0 for count in counts)
    return usage.get(name) if stated >= sum(parts) else Number(sum(parts))


def _count(value: object) -> int | None:
    """A count as it stands in a record, 0 for none stated; None for what is no count, which the rules of the fields name."""
    if value is None:
        return 0
    return int(value) if isinstance(value, Number) and value.isdecimal() else None


def _reader(bodies: tuple[str, ...]) -> Callable[[object], Iterable[object]]:
    """The records of the events and answers of one file."""
    of_event = StreamReader(bodies)

    def read(value: object) -> Iterator[object]:
        for record in of_event(value):
            yield from with_iterations(record, bodies)

    return read


def _apart(message: dict[str, Any], number: int, iteration: dict[str, Any], advisor: object) -> dict[str, Any]:
    """A call within a message as a message of its own."""
    is_advisor = iteration["type"] == "advisor_message"
    shared = ("service_tier", "inference_geo") if is_advisor else ("service_tier", "inference_geo", "speed")
    own = {key: message["usage"].get(key) for key in shared}
    # Where the whole answer names who answered, nothing names who declined.
    is_other = iteration["type"] == _DECLINED and _served(objects_of(message["usage"]["iterations"])) == message.get(
        "model"
    )
    model = iteration.get("model") or (is_advisor and advisor) or (None if is_other else message.get("model"))
    return {
        "id": message.get("id") and f"{message['id']}/iterations/{number}", "model": model, "usage": own | iteration
    }  # fmt: skip
