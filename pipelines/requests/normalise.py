"""Texts to request facts: types, derived columns, additive buckets, identity, and the rules a row must keep.

`normalise` carries out a `Format` on a frame of texts and splits it into valid rows and failed ones, each with
the first rule that it broke. How the texts came out of files is in `records/json_texts.py` and `records/tables.py`; duplicates are
removed later, in `collect.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache, lru_cache

import orjson
import polars as pl
import polars_hash as plh

from pipelines.constant import repeated
from pipelines.meters import COUNTS, STAND_ALONE
from pipelines.records.conversions import INSTANT
from pipelines.records.number_marks import respelled
from pipelines.records.privacy import hashed_users
from pipelines.records.rules import NONE_FAILED, Verdict, failed_records, failed_rows, judge
from pipelines.records.service_tiers import tier_name
from pipelines.records.typed_frame import typed_frame
from pipelines.requests.conventions import is_free_refusal
from pipelines.requests.details import with_buckets
from pipelines.requests.format import Format, free_columns
from pipelines.requests.identity import KEYS, SPANS, key_columns, span_columns
from pipelines.requests.known import usage_basis
from pipelines.requests.reused_ids import ANSWERED, own_ids
from pipelines.requests.rules import request_rules
from pipelines.warehouse.tables.core import REQUEST, SERVICE_TIER_NAME

ADDED_LATER = (
    "model_id", "resolution_method", "rate_id", "list_cost_usd", "contracted_cost_usd", "effective_cost_usd", "unpriced_reason"
)  # fmt: skip
"""Columns of core.request that pipelines.models and pipelines.prices add."""

REQUEST_SCHEMA = pl.Schema({c.name: c.polars_type for c in REQUEST.columns if c.name not in ADDED_LATER})
STORED_SCHEMA = pl.Schema({**REQUEST_SCHEMA, "revision": pl.Int64(), "keep": pl.String(), **KEYS})
_NO_ROWS, _NO_SPANS = pl.DataFrame(schema=STORED_SCHEMA), pl.DataFrame(schema=SPANS)

_STATUSES = {
    **{str(code): "ok" if code < 300 else "error" for code in (*range(200, 300), *range(400, 600))},
    **dict.fromkeys(("success", "succeeded", "successful", "completed", "complete", "done", "finished"), "ok"),
    **dict.fromkeys(
        ("failure", "failed", "fail", "errored", "timeout", "timed_out", "rate_limited", "throttled"), "error"
    ),
    **dict.fromkeys(("canceled", "aborted", "499"), "cancelled"),
    **dict.fromkeys(("cache", "cached", "hit"), "cache_hit"),
}
"""Words of logs for the statuses that a request may have."""


@dataclass(frozen=True)
class Normalised:
    """`valid` has STORED_SCHEMA; `failed` has POSITION, reason, severity, detail and fields (JSON text); `spans` has SPANS, for
    the failed ones that are spans."""

    valid: pl.DataFrame
    failed: pl.DataFrame
    spans: pl.DataFrame


def normalise(
    texts: pl.DataFrame,
    log_format: Format,
    *,
    source: str,
    snapshot_id: bytes,
    arrival: date,
    written: frozenset[str] = frozenset(),
) -> Normalised:
    """Request facts from `texts` (POSITION and one String column per path of `log_format`), in the order given.

    `written` are the paths whose values all were texts in the file, so that marks in numbers are read by the format's.
    """
    if not texts.height:
        return Normalised(_NO_ROWS, NONE_FAILED, _NO_SPANS)
    texts = (
        respelled(texts, log_format.number_marks, written, log_format.exact_paths) if log_format.number_marks else texts
    )
    working, verdict = _judged(texts, log_format, arrival)
    if not verdict.rules:
        return Normalised(_facts(working, log_format, source, snapshot_id), NONE_FAILED, _NO_SPANS)
    failed = failed_rows(working, verdict)
    return Normalised(
        _facts(working.filter(~verdict.broken), log_format, source, snapshot_id),
        failed_records(failed, texts.filter(verdict.broken), log_format),
        span_columns(failed).drop_nulls(),
    )


def normalise_typed(
    rows: pl.DataFrame, log_format: Format, *, source: str, snapshot_id: bytes, arrival: date
) -> tuple[pl.DataFrame, pl.Series]:
    """Request facts from `rows` (POSITION and typed columns of `records/json_columns.py`), and which rows are none.

    Why they are none is said by `normalise`, once their texts are read: what is quarantined is worded in one place.
    """
    if log_format.number_marks:  # a column of texts holds texts only: its numbers were not numbers in the file
        rows = respelled(rows, log_format.number_marks, frozenset(rows.columns), log_format.exact_paths)
    working, verdict = _judged(rows, log_format, arrival)
    valid = working.filter(~verdict.broken) if verdict.rules else working
    return _facts(valid, log_format, source, snapshot_id), verdict.broken


def _judged(rows: pl.DataFrame, log_format: Format, arrival: date) -> tuple[pl.DataFrame, Verdict]:
    """Typed, derived and bucket columns, and which rows break a rule."""
    working = _dated(_without_unknown_counts(typed_frame(rows, log_format)), log_format, arrival)
    working = _known_tiers(working.with_columns(**_derived(log_format, working)))
    if "usage_basis" not in working.columns:
        working = working.with_columns(usage_basis=usage_basis(working, trusts_total=log_format.trusts_total))
    filled = {name for name in working.columns if working[name].null_count() < working.height}
    working = with_buckets(
        working.with_columns(token_semantics=_semantics(log_format, working)), sorted(free_columns(log_format))
    )
    return working, judge(working, request_rules(log_format, working, filled, arrival))


def _without_unknown_counts(frame: pl.DataFrame) -> pl.DataFrame:
    """Proxies write -1 for input and output alike where they don't know them: the usage of such a call is missing, not broken."""
    unknown = (pl.col("usage.input") == -1) & (pl.col("usage.output") == -1)
    if not frame.select(unknown.any()).item():
        return frame
    counts = [name for name in frame.columns if name.startswith("usage.") and frame.schema[name].is_integer()]
    negative = [
        pl.when(~(unknown & (pl.col(name) < 0)).fill_null(value=False)).then(name).alias(name) for name in counts
    ]
    return frame.with_columns(negative)


_UNDATED_AT = "undated_at"
"""The place of a record without an instant: of two that say the same, nothing else shows that they are two."""


def _dated(frame: pl.DataFrame, log_format: Format, arrival: date) -> pl.DataFrame:
    """Records without an instant on the midnight of their arrival, where the source says so; an unreadable one stays out."""
    if log_format.undated == "refuse":
        return frame
    unreadable = pl.col("failed.event_at") if "failed.event_at" in frame.columns else pl.lit(value=False)
    midnight = pl.lit(datetime(arrival.year, arrival.month, arrival.day, tzinfo=UTC), dtype=INSTANT)
    is_dated = pl.col("event_at").is_not_null() | unreadable
    return frame.with_columns(
        pl.when(unreadable).then("event_at").otherwise(pl.col("event_at").fill_null(midnight)),
        pl.when(~is_dated).then(pl.format("\x00line={},{}", "line_no", "item_no")).alias(_UNDATED_AT),
    )


def _derived(log_format: Format, frame: pl.DataFrame) -> dict[str, pl.Expr]:
    """The format's own derived columns, then constants and defaults for what no one named."""
    derived = dict(log_format.derive())
    for name, value in log_format.constants.items():
        if name not in frame.columns:
            derived[name] = derived[name].fill_null(value) if name in derived else pl.lit(value)
    counted = [(pl.col(name) > 0, does) for name, does in STAND_ALONE.items() if name in frame.columns]
    operation = pl.coalesce(*(pl.when(some).then(pl.lit(does)) for some, does in counted), pl.lit("chat"))
    defaults = {
        "operation": operation,
        "service_tier": pl.lit("standard"),
        "region": pl.lit(""),
        "status": pl.lit("ok"),
    }
    for name, default in defaults.items():
        known = derived.get(name, pl.col(name) if name in frame.columns else None)
        derived[name] = default if known is None else pl.coalesce(known, default)
    derived["service_tier"] = tier_name(derived["service_tier"])
    derived["status"] = derived["status"].str.to_lowercase().replace(_STATUSES)
    derived["region"] = derived["region"].replace({"not_available": ""})
    for name in ("latency_ms", "ttft_ms"):
        if name in derived or name in frame.columns:
            amount = derived.get(name, pl.col(name))
            # Clocks that disagree give durations below zero: unknown, and no reason to lose the request.
            derived[name] = pl.when((amount >= 0) & amount.is_finite()).then(amount)
    for name in ("provider_id", "request_model", "response_model"):
        if name not in frame.columns:
            derived.setdefault(name, pl.lit(None, dtype=pl.String))
    derived.setdefault("is_billable", ~derived["status"].is_in(["error", "cancelled", "cache_hit"]))
    reason = derived.get("finish_reason", pl.col("finish_reason") if "finish_reason" in frame.columns else None)
    if reason is not None:
        seller = derived.get("provider_id", pl.col("provider_id"))
        derived["is_billable"] = derived["is_billable"] & ~is_free_refusal(seller, reason)
    derived.setdefault("not_a_request", pl.lit(None, dtype=pl.String))
    return derived


def _known_tiers(frame: pl.DataFrame) -> pl.DataFrame:
    """A tier keeps its name, whether a price is known for it or not; what can't be a name is `unknown`, never standard."""
    strange = ~pl.col("service_tier").str.contains(f"^{SERVICE_TIER_NAME}$")
    if not frame.select(strange.any()).item():
        return frame
    return frame.with_columns(
        pl.when(strange).then(pl.lit("unknown")).otherwise("service_tier").alias("service_tier"),
    )


def _semantics(log_format: Format, frame: pl.DataFrame) -> pl.Expr:
    named = pl.col("token_semantics") if "token_semantics" in frame.columns else pl.lit(log_format.semantics)
    return pl.when(pl.col("usage_basis") == "missing").then(pl.lit("missing")).otherwise(named)


def _facts(valid: pl.DataFrame, log_format: Format, source: str, snapshot_id: bytes) -> pl.DataFrame:
    """Valid rows in STORED_SCHEMA."""
    unrevised = pl.lit(0) if log_format.keep == "stream_delta" else pl.col("event_at").to_physical()
    if "end_user_id" in valid.columns:
        valid = valid.with_columns(hashed_users(valid["end_user_id"], log_format.user_key))
    given = valid.with_columns(
        event_date=pl.col("event_at").dt.date(),
        source=pl.lit(source),
        snapshot_id=pl.lit(snapshot_id),
        tags=_tags(valid),
        revision=pl.col("revision") if "revision" in valid.columns else unrevised,
        keep=pl.lit(log_format.keep),
        **{
            count.column: pl.col(count.column).fill_null(0) if count.column in valid.columns else pl.lit(0)
            for count in COUNTS
        },
    )
    has = set(given.columns)
    facts = given.select(
        _stored_column(name, given=name in has) for name in STORED_SCHEMA if name != "request_uid" and name not in KEYS
    )
    identity = given.select(log_format.identity)
    if ANSWERED in has:
        identity = identity.with_columns(own_ids(given).alias("source_request_id"))
    uid = request_uid(facts, identity, source, given[_UNDATED_AT] if _UNDATED_AT in has else None)
    return facts.with_columns(uid, *key_columns(given, log_format.call_ids)).select(STORED_SCHEMA.names())


@cache
def _stored_column(name: str, *, given: bool) -> pl.Expr:
    return (pl.col(name) if given else pl.lit(None)).cast(STORED_SCHEMA[name]).alias(name)


PROVENANCE = ("request_uid", "snapshot_id", "line_no", "item_no", "keep")
CONTENT = tuple(name for name in STORED_SCHEMA.names() if name not in (*PROVENANCE, *KEYS))
"""Columns that say what a record holds, not where it stands."""
_FIRST_CONTENT = (
    "event_date", "event_at", "source", "source_request_id", "session_id", "operation", "provider_id", "request_model", "response_model",
    "team", "project", "cost_centre", "environment", "application", "end_user_id", "tags", "service_tier", "region", "is_stream", "status",
    "http_status", "finish_reason", "latency_ms", "ttft_ms", "input_uncached_tokens", "input_cache_read_tokens",
    "input_cache_write_tokens", "input_cache_write_5m_tokens", "input_cache_write_30m_tokens", "input_cache_write_1h_tokens",
    "input_cache_write_12h_tokens", "input_audio_tokens", "input_audio_cache_read_tokens", "input_image_tokens",
    "input_image_cache_read_tokens", "input_video_tokens", "input_tool_tokens", "output_text_tokens", "output_reasoning_tokens",
    "output_audio_tokens", "output_image_tokens", "web_search_count", "token_semantics", "usage_basis", "is_billable",
    "reported_cost_usd", "revision",
)  # fmt: skip
"""The columns of CONTENT that the first ids were made of. Nothing is ever added: a new column would give every request another id."""
_LATER_CONTENT = tuple(name for name in CONTENT if name not in _FIRST_CONTENT)
"""Columns that came after the first ids: part of an id only where they hold something."""


def request_uid(facts: pl.DataFrame, identity: pl.DataFrame, source: str, places: pl.Series | None) -> pl.Series:
    """Per row, the first 16 bytes of the SHA-256 of source and the columns of `identity`; where one of these is null, of all that the row
    says and of its place, if `places` has one."""
    keys = repeated(None, facts.height, pl.String())
    if identity.width:
        named = [pl.lit("id"), *[pl.col(name).cast(pl.String) for name in identity.columns]]
        keys = identity.select(pl.concat_str([pl.lit(source), *named], separator="\x00")).to_series()
    if keys.null_count():
        content, later = _contents(frozenset(name for name, dtype in facts.schema.items() if dtype.is_temporal()))
        text = pl.concat_str([pl.lit(source), pl.lit("content"), *content], separator="\x00")
        place = [] if places is None else [places]
        keys = facts.select(pl.coalesce(keys, pl.concat_str([text, *later, *place], ignore_nulls=True))).to_series()
    digests = plh.col("keys").chash.sha2_256().str.head(32).str.decode("hex")
    return keys.alias("keys").to_frame().select(digests.alias("request_uid")).to_series()


@lru_cache(4)
def _contents(temporal: frozenset[str]) -> tuple[list[pl.Expr], list[pl.Expr]]:
    """The texts of all that a row says: of the first columns each, and of later ones where they hold something."""
    texts = {name: _key_text(name, temporal) for name in CONTENT}
    later: list[pl.Expr] = [
        pl.when(~texts[name].is_in(["", "0"])).then(pl.format(f"\x00{name}={{}}", texts[name]))
        for name in _LATER_CONTENT
    ]
    return [texts[name] for name in _FIRST_CONTENT], later


def _key_text(name: str, temporal: frozenset[str]) -> pl.Expr:
    column = pl.col(name).to_physical() if name in temporal else pl.col(name)
    return column.cast(pl.String).fill_null("")


def _tags(frame: pl.DataFrame) -> pl.Series:
    """JSON objects of the tags that a row has; null where it has none."""
    tags = [name for name in frame.columns if name.startswith("tag.")]
    names = [name for name in tags if frame[name].null_count() < frame.height]
    if not names:
        return repeated(None, frame.height, pl.String()).alias("tags")
    known: dict[tuple[str | None, ...], str | None] = {}
    texts = []
    for row in frame.select(names).iter_rows():
        if row not in known:
            held = {
                name.removeprefix("tag."): value
                for name, value in zip(names, row, strict=True)
                if value not in (None, "[]")
            }
            known[row] = orjson.dumps(held, option=orjson.OPT_SORT_KEYS).decode() if held else None
        texts.append(known[row])
    return pl.Series("tags", texts, dtype=pl.String)
