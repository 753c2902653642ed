"""What identifies a call in other records of it: ids of its answer, its span and the span around that, as hashes.

Two records of one source with the same identity are one request by `request_uid` (`normalise.py`). The keys here reach
further, across sources and instruments: which records share one is found in `sightings.py`, and what that makes of them.
A key is 64 bits of xxHash of the text, whose lowest bit says how far it may be trusted: 1 where the id is unique by its
looks, 0 where it may be a counter of some server (`chatcmpl-123`), so that other facts must agree before two calls are one.
"""

from __future__ import annotations

import polars as pl
import polars_hash as plh

from pipelines.constant import repeated

KEYS = pl.Schema(
    dict.fromkeys(("answer_key", "other_key", "span_key", "parent_key", "trace_key", "stream_key"), pl.UInt64())
)
"""Of every stored row, null where not stated: the id that identifies it in its source, another id of the same call, its span,
the span around it, their trace, and the stream that it is the start or, with the lowest bit set, a lone end of (`halves.py`)."""
SPANS = pl.Schema({name: KEYS[name] for name in ("span_key", "parent_key", "trace_key")})
"""Of every span that is no request, so that chains of spans can be followed through it."""

_SHORTEST = 4
_NO_IDS = ("null", "none", "nil", "undefined", "unknown", "missing", "n/a", "nan", "test", "string")
_NOTHING = "0xX-_"
"""What an id that says nothing consists of: 0, 00000000-0000-0000-0000-000000000000."""
_LOGGED_AT = r"^time-\d\d-\d\d-\d\d-\d+_"
"""LiteLLM puts the time of day before the id of an answer that it gives Langfuse."""
_FROM_CACHE = r"_cache_hit[0-9.]+$"
"""LiteLLM puts the instant behind the id of an answer that it gave again from its cache."""
_LITELLM_ANSWER = "resp_bGl0ZWxsbTp"
"""LiteLLM hands out ids of the responses API with its own routing around the provider's id, in base64."""
_COUNTER_DIGITS = 11
"""So many digits at an id's end, or fewer, some servers count up, draw from a thousand or never change: Ollama's chatcmpl-517."""


def key_columns(frame: pl.DataFrame, call_ids: tuple[str, ...]) -> list[pl.Series]:
    """The columns of KEYS for rows with the text columns of a format; `call_ids` are those that hold a provider's ids.

    The first of `call_ids` is the answer's own id, any other goes into other_key.
    """
    first, *others = [name for name in call_ids if name in frame.columns] or [""]
    return [
        _id_key(frame, first).alias("answer_key"),
        _first([_id_key(frame, name) for name in others], frame.height).alias("other_key"),
        *span_columns(frame).get_columns(),
        _stream_key(frame),
    ]


def _stream_key(frame: pl.DataFrame) -> pl.Series:
    keys = _id_key(frame, "stream_id").alias("stream_key")
    if keys.null_count() == len(keys):
        return keys
    is_start = frame["source_request_id"].is_not_null()
    return (keys | 1) - is_start.cast(pl.UInt64)


def span_columns(frame: pl.DataFrame) -> pl.DataFrame:
    """The columns of SPANS, in order, for rows with the text columns trace_id, span_id and parent_id; null where one is absent."""
    trace = _text(frame, "trace_id")
    own, parent = (_spans(trace, _text(frame, name)) for name in ("span_id", "parent_id"))
    keys = {"span_key": _hashed(own) | 1, "parent_key": _hashed(parent) | 1, "trace_key": _hashed(trace) | 1}
    return pl.DataFrame(keys, schema=SPANS)


def _text(frame: pl.DataFrame, name: str) -> pl.Series:
    if name not in frame.columns:
        return repeated(None, frame.height, pl.String())
    text = frame[name]
    if text.null_count() == len(text):
        return text
    return pl.select(pl.when(text.str.strip_chars_start(_NOTHING) != "").then(text)).to_series()


def _spans(trace: pl.Series, span: pl.Series) -> pl.Series:
    if span.null_count() == len(span):
        return span
    return pl.select(pl.concat_str(trace, span, separator="\x00")).to_series()


def _id_key(frame: pl.DataFrame, name: str) -> pl.Series:
    ids = _text(frame, name)
    if ids.null_count() == len(ids):
        return _hashed(ids)
    ids = _answers_own(ids)
    keys, length = _hashed(ids), ids.str.len_bytes()
    if (length <= max(map(len, _NO_IDS))).any():
        is_id = (length >= _SHORTEST) & ~ids.str.to_lowercase().is_in(_NO_IDS)
        keys = pl.select(pl.when(is_id).then(keys)).to_series()
    # The lowest bit is set, or cleared again for what may be a counter.
    return (keys | 1) - _may_be_counter(ids, length).cast(pl.UInt64)


def _may_be_counter(ids: pl.Series, length: pl.Series) -> pl.Series:
    """Whether an id is a few digits, or ends in a few behind a sign that is neither letter nor digit."""
    named = ids.str.strip_chars_end("0123456789")
    few = (length - named.str.len_bytes()).is_between(1, _COUNTER_DIGITS)
    if not few.any():
        return few
    return few & ~named.str.contains("[A-Za-z0-9]$")


def _answers_own(ids: pl.Series) -> pl.Series:
    """Each id as the provider gave it, without what LiteLLM puts around it."""
    ids = ids.str.strip_chars()
    if ids.str.starts_with("time-").any():
        ids = ids.str.replace(_LOGGED_AT, "")
    if ids.str.contains("_cache_hit", literal=True).any():
        ids = ids.str.replace(_FROM_CACHE, "")
    wrapped = ids.str.starts_with(_LITELLM_ANSWER)
    if not wrapped.any():
        return ids
    routed = ids.set(~wrapped, None).str.strip_prefix("resp_").str.decode("base64", strict=False)
    inner = pl.Series([None if text is None else text.decode("utf-8", "replace") for text in routed], dtype=pl.String)
    return pl.select(pl.coalesce(inner.str.extract(r"response_id:([^;]+)"), ids)).to_series()


def _hashed(texts: pl.Series) -> pl.Series:
    if texts.null_count() == len(texts):
        return repeated(None, len(texts), pl.UInt64())
    return texts.alias("text").to_frame().select(plh.col("text").nchash.xxhash64()).to_series()


def _first(keys: list[pl.Series], height: int) -> pl.Series:
    return pl.select(pl.coalesce(keys)).to_series() if keys else repeated(None, height, pl.UInt64())
