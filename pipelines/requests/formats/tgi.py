"""Text Generation Inference: logged response headers (`x-prompt-tokens`, `x-generated-tokens`), answers with details or with the
usage of OpenAI's endpoints, and the server's own log, as text or with --json-output.

The headers count prompt and generated tokens and give milliseconds; an answer's `details` count generated tokens, the last of a stream
the prompt too (`input_length`, before that `prompt_tokens`), any other lists it in `prefill`, whose texts are never read, so that without headers usage is
partial. OpenAI's endpoints answer under an empty id. The log states of each
call its durations only: `time_per_token` is `inference_time` divided by the generated tokens, cut to a nanosecond, from which
these follow exactly; the prompt's are not stated (partial). There is no id and no model of its own (`defaults`): `timestamp` of the
log line counts, and a request is identified by all it says unless the line has a `request_id`.
Source: huggingface.co/docs/text-generation-inference; router/src/server.rs of github.com/huggingface/text-generation-inference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import polars as pl

from pipelines.config.sources import RequestSource
from pipelines.records.conversions import TimeRule
from pipelines.records.layout import Paths
from pipelines.requests.format import Format
from pipelines.requests.formats._envelope import Envelope
from pipelines.requests.formats.openai_chat import BODIES

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
_FIELD = re.compile(
    r"\b(total_time|validation_time|queue_time|inference_time|time_per_token)=\"?([0-9.]+(?:ns|µs|us|ms|s))\b"
)
_NANOSECONDS = {"ns": 1, "µs": 10**3, "us": 10**3, "ms": 10**6, "s": 10**9}


_HEADERS = ("headers", "response_headers")
_HEADER_MARKS = ('"X-Prompt-Tokens"', '"X-Generated-Tokens"', '"x-prompt-tokens":[', '"x-prompt-tokens": [')


def _header(name: str) -> Paths:
    return (*(f"{place}/{name}" for place in _HEADERS), name)


def build(source: RequestSource) -> Format:
    """The format; options `body` and `timestamp`."""
    at = Envelope(source, BODIES)
    return Format(
        name="tgi",
        version="5",
        text={
            "source_request_id": (*at.outer("request_id"), *_header("x-request-id")),
            "request_model": at.model("model"),
            "response_model": at.body("model"),
            "finish_reason": at.body("details/finish_reason"),
            "inference_time": ("span/inference_time",),
            "time_per_token": ("span/time_per_token",),
            "total_time": ("span/total_time",),
            "queue_time": ("span/queue_time",),
            "validation_time": ("span/validation_time",),
        },
        usage={
            "input": (
                *_header("x-prompt-tokens"),
                *at.body("usage/prompt_tokens", "details/input_length", "details/prompt_tokens"),
            ),
            "output": (
                *_header("x-generated-tokens"),
                *at.body("usage/completion_tokens", "details/generated_tokens"),
            ),
        },
        numbers={"logged_ms": _header("x-total-time")},
        instants={"event_at": at.instant("created")},
        constants={"provider_id": "tgi"},
        bodies=at.bodies,
        time=TimeRule("iso", epoch="epoch"),
        items=lambda: at.opened(_with_plain_headers),
        marks=(*_HEADER_MARKS, *at.marks),
        of_text=of_text,
        derive=_derive,
    )


def _with_plain_headers(value: object) -> list[object]:
    """The record with the names of its headers in lower case, and one value of each: servers of Go keep them as lists."""
    if not isinstance(value, dict):
        return [value]
    plain = dict(value)
    for name in _HEADERS:
        if isinstance(held := value.get(name), dict):
            plain[name] = {
                key.lower(): item[0] if isinstance(item, list) and item else item for key, item in held.items()
            }
    return [plain]


def of_text(line: str) -> object:
    """The record of one line of the text log, in the shape of --json-output; None if it reports no call."""
    plain = _COLOURS.sub("", line)
    times = dict(_FIELD.findall(plain))
    if (instant := _INSTANT.search(plain)) is None or "inference_time" not in times:
        return None
    return {"timestamp": instant.group(), "span": times}


def _nanoseconds(name: str) -> pl.Expr:
    """A duration as Rust writes it: `1.234567891s`, `59.1ms`, `50.2µs`."""
    number = pl.col(name).str.extract(r"^([0-9.]+)").cast(pl.Float64)
    return number * pl.col(name).str.extract(r"([a-zµ]+)$").replace_strict(
        _NANOSECONDS, default=None, return_dtype=pl.Float64
    )


def _derive() -> Mapping[str, pl.Expr]:
    per_token = _nanoseconds("time_per_token")
    made = pl.when(per_token > 0).then((_nanoseconds("inference_time") / per_token).floor().cast(pl.Int64))
    output = pl.coalesce("usage.output", made)
    has_input, has_output = pl.col("usage.input").is_not_null(), output.is_not_null()
    elapsed = (_nanoseconds("total_time") / 1e6, _nanoseconds("inference_time") / 1e6)
    waited = _nanoseconds("validation_time") + _nanoseconds("queue_time")
    return {
        "usage.output": output,
        "latency_ms": pl.coalesce("logged_ms", *elapsed),
        "not_a_request": pl.when(~has_input & ~has_output & pl.col("inference_time").is_null() & waited.is_null()).then(
            pl.lit("a record without token counts")
        ),
    }
