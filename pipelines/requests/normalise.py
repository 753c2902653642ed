"""Texts to request facts: types, derived columns, additive buckets, identity, and the rules a row must keep.

`normalise` carries out a `Format` on a frame of texts and splits it into valid rows and failed ones, each with
the first rule that it broke. How the texts came out of files is in `json_texts.py` and `tables.py`; duplicates are
removed later, in `collect.py`.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import orjson
import polars as pl
import polars_hash as plh

from pipelines.meters import TOKEN_METERS
from pipelines.records import conversions
from pipelines.records.batches import POSITION
from pipelines.records.layout import Paths
from pipelines.records.measures import MEASURES
from pipelines.records.number_marks import respelled
from pipelines.requests import semantics
from pipelines.requests.details import DETAILS, with_buckets
from pipelines.requests.format import Format, timing_columns
from pipelines.requests.identity import KEYS, SPANS, key_columns, span_columns
from pipelines.requests.known import usage_basis
from pipelines.warehouse.tables.core import REQUEST, SERVICE_TIER_NAME

ADDED_LATER = (
    "model_id", "resolution_method", "rate_id", "list_cost_usd", "contracted_cost_usd", "effective_cost_usd", "unpriced_reason"
)  # fmt: skip
"""Columns of core.request that pipelines.models and pipelines.prices add."""

REQUEST_SCHEMA = pl.Schema({c.name: c.polars_type for c in REQUEST.columns if c.name not in ADDED_LATER})
STORED_SCHEMA = pl.Schema({**REQUEST_SCHEMA, "revision": pl.Int64(), "keep": pl.String(), **KEYS})
EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)
_INT32 = 2**31 - 1
_MAX_MONEY = 10**12
_TIERS = {
    "default": "standard",
    "auto": "standard",
    "on_demand": "standard",
    **dict.fromkeys(("standard_only", "normal", "regular", "none", "null", "", "unspecified"), "standard"),
    **dict.fromkeys(("service_tier_unspecified", "traffic_type_unspecified", "pay_as_you_go"), "standard"),
    "batches": "batch",
    "on_demand_priority": "priority",
    "on_demand_flex": "flex",
}
"""Names that providers use for the tiers that prices know."""
_STATUSES = {
    **dict.fromkeys(("success", "succeeded", "completed", "complete", "200"), "ok"),
    **dict.fromkeys(("failure", "failed", "fail", "errored", "500"), "error"),
    **dict.fromkeys(("canceled", "aborted", "499"), "cancelled"),
    **dict.fromkeys(("cache", "cached", "hit"), "cache_hit"),
}
"""Words of logs for the statuses that a request may have."""
_WORD = r"^[A-Za-z0-9_.:-]{1,40}$"
"""A word that may be shown; anything longer might be text."""
_UNKNOWN = "an unreadable value"
_PLAIN_VALUE = r"^[0-9+\-.:,/ TZeE]{1,40}$"
"""A number or an instant, which may be shown; anything else might be text."""


_CONVERSIONS: dict[str, Callable[[pl.Series], pl.Series]] = {
    "integer": conversions.to_integers,
    "number": conversions.to_floats,
    "boolean": conversions.to_booleans,
    "decimal": conversions.to_decimals,
}


_TYPES: dict[str, pl.DataType] = {
    "text": pl.String(), "integer": pl.Int64(), "number": pl.Float64(), "boolean": pl.Boolean(),
    "decimal": conversions.MONEY, "instant": conversions.INSTANT,
}  # fmt: skip


@dataclass(frozen=True)
class Rule:
    """A rule that every row must keep: `broken` says which do not, `detail` why in words."""

    reason: str
    broken: pl.Expr
    detail: pl.Expr
    severity: str = "error"


@dataclass(frozen=True)
class Normalised:
    """`valid` has STORED_SCHEMA; `failed` has POSITION, reason, severity, detail and fields (JSON text); `spans` has SPANS, for
    the failed ones that are spans."""

    valid: pl.DataFrame
    failed: pl.DataFrame
    spans: pl.DataFrame = field(default_factory=SPANS.to_frame)


def normalise(
    flat: pl.DataFrame,
    fmt: Format,
    *,
    source: str,
    snapshot_id: bytes,
    arrival: date,
    written: frozenset[str] = frozenset(),
) -> Normalised:
    """Request facts from `flat` (POSITION and one String column per path of `fmt`), in the order given.

    `written` are the paths whose values all were texts in the file, so that marks in numbers are read by the format's.
    """
    flat = respelled(flat, fmt.number_marks, written) if fmt.number_marks else flat
    working, rules, broken = _judged(flat, fmt, arrival)
    valid = working.filter(~broken) if rules else working
    # polars 2.1 panics in str.format on a frame of several chunks, which a filter leaves.
    failed = working.filter(broken).rechunk().with_columns(_verdict(rules))
    failed_texts = flat.filter(broken)
    return Normalised(
        _facts(valid, fmt, source, snapshot_id),
        failed.select(*POSITION, "reason", "severity", "detail").with_columns(_safe_fields(failed_texts, fmt)),
        span_columns(failed).drop_nulls(),
    )


def normalise_typed(
    rows: pl.DataFrame, fmt: Format, *, source: str, snapshot_id: bytes, arrival: date
) -> tuple[pl.DataFrame, pl.Series]:
    """Request facts from `rows` (POSITION and typed columns of `json_columns.py`), and which rows are none.

    Why they are none is said by `normalise`, once their texts are read: what is quarantined is worded in one place.
    """
    if fmt.number_marks:  # a column of texts holds texts only: its numbers were not numbers in the file
        rows = respelled(rows, fmt.number_marks, frozenset(rows.columns))
    working, _, broken = _judged(rows, fmt, arrival)
    valid = working.filter(~broken) if broken.any() else working
    return _facts(valid, fmt, source, snapshot_id), broken


def _judged(flat: pl.DataFrame, fmt: Format, arrival: date) -> tuple[pl.DataFrame, list[Rule], pl.Series]:
    """Typed, derived and bucket columns, the rules that any row breaks, and which rows break one."""
    working = _dated(_typed(flat, fmt), fmt, arrival)
    working = _known_tiers(working.with_columns(**_derived(fmt, working)))
    if "usage_basis" not in working.columns:
        working = working.with_columns(usage_basis=usage_basis(working, trusts_total=fmt.trusts_total))
    filled = {name for name in working.columns if working[name].null_count() < working.height}
    working = with_buckets(working.with_columns(token_semantics=_semantics(fmt, working)), sorted(timing_columns(fmt)))
    rules = _rules(fmt, working, filled, arrival)
    verdicts = working.select(
        rule.broken.fill_null(value=False).alias(str(number)) for number, rule in enumerate(rules)
    )
    hit = [number for number in range(len(rules)) if verdicts[str(number)].any()]
    broken = verdicts.select(pl.any_horizontal(pl.lit(value=False), *(str(number) for number in hit))).to_series()
    if len(broken) != working.height:  # without a rule that is broken polars gives one row for all
        broken = pl.repeat(value=False, n=working.height, dtype=pl.Boolean, eager=True)
    return working, [rules[number] for number in hit], broken


def _typed(flat: pl.DataFrame, fmt: Format) -> pl.DataFrame:
    """Position columns and each declared column typed; where one does not convert, also `text.` and `failed.<name>`."""
    series = [flat[name] for name in POSITION]
    constants: list[pl.Expr] = []
    for name, paths, kind in fmt.columns:
        column = _first_filled(flat, paths)
        constant = fmt.constants.get(name) if kind == "text" else None
        user_key = fmt.user_key if name == "end_user_id" else None
        if column is None:
            shown = hashed_user(constant, user_key) if constant is not None and user_key else constant
            constants.append(pl.lit(shown, dtype=_TYPES[kind]).alias(name))
            continue
        values = _converted(column, kind, fmt)
        if kind != "text" and values.null_count() != column.null_count():
            column = _valued(flat, paths)
            values = _converted(column, kind, fmt)
        if constant is not None:
            values = values.fill_null(constant)
        if user_key:
            values = _hashed(values, user_key)
        series.append(values.rename(name))
        if kind != "text" and values.null_count() != column.null_count():
            series += [column.rename(f"text.{name}"), (values.is_null() & column.is_not_null()).alias(f"failed.{name}")]
    return pl.DataFrame(series).with_columns(constants)


def _first_filled(flat: pl.DataFrame, paths: Paths) -> pl.Series | None:
    """The first of the paths that is present and not empty, row by row; None where none of them ever is."""
    present = [flat[path] for path in paths if path in flat.columns and flat[path].null_count() < flat.height]
    if not present:
        return None
    if len({column.dtype for column in present}) > 1:
        present = [column.cast(pl.String) for column in present]
    if present[0].dtype == pl.String:
        present = [_not_empty(column) for column in present]
    if len(present) == 1 or not present[0].null_count():
        return present[0]
    return pl.select(pl.coalesce(present)).to_series()


def _valued(flat: pl.DataFrame, paths: Paths) -> pl.Series:
    """As `_first_filled` of paths that hold something, but what says that it is no value counts as absent too."""
    texts = flat.select(pl.col(path).cast(pl.String) for path in paths if path in flat.columns)
    found = _first_filled(texts.select(conversions.valued(column) for column in texts), paths)
    return pl.repeat(None, flat.height, dtype=pl.String, eager=True) if found is None else found


def _not_empty(texts: pl.Series) -> pl.Series:
    empty = texts.str.len_bytes() == 0
    return pl.select(pl.when(~empty).then(texts)).to_series() if empty.any() else texts


def _converted(column: pl.Series, kind: str, fmt: Format) -> pl.Series:
    """`column` in the type of its kind, null where it does not convert."""
    if column.dtype == _TYPES[kind]:
        return column
    if kind == "instant":
        return conversions.to_instants(column, fmt.time)
    text = column if column.dtype == pl.String else column.cast(pl.String)
    return text if kind == "text" else _CONVERSIONS[kind](text)


def _dated(frame: pl.DataFrame, fmt: Format, arrival: date) -> pl.DataFrame:
    """Records without an instant on the midnight of their arrival, where the source says so; an unreadable one stays out."""
    if fmt.undated == "refuse":
        return frame
    unreadable = pl.col("failed.event_at") if "failed.event_at" in frame.columns else pl.lit(value=False)
    midnight = pl.lit(datetime(arrival.year, arrival.month, arrival.day, tzinfo=UTC), dtype=conversions.INSTANT)
    return frame.with_columns(pl.when(unreadable).then("event_at").otherwise(pl.col("event_at").fill_null(midnight)))


def _hashed(users: pl.Series, key: bytes) -> pl.Series:
    known = {user: hashed_user(user, key) for user in users.drop_nulls().unique().to_list()}
    return users.replace_strict(known, default=None, return_dtype=pl.String)


def hashed_user(user: str, key: bytes) -> str:
    """HMAC-SHA-256 of an end user under `key`, cut to 32 hexadecimal digits: the same user, the same hash, under one key."""
    return hmac.new(key, user.encode(), hashlib.sha256).hexdigest()[:32]


def _derived(fmt: Format, frame: pl.DataFrame) -> dict[str, pl.Expr]:
    """The format's own derived columns, then constants and defaults for what no one named."""
    derived = dict(fmt.derive())
    for name, value in fmt.constants.items():
        if name not in frame.columns:
            derived[name] = derived[name].fill_null(value) if name in derived else pl.lit(value)
    defaults = {"operation": "chat", "service_tier": "standard", "region": "", "status": "ok"}
    for name, value in defaults.items():
        known = derived.get(name, pl.col(name) if name in frame.columns else None)
        derived[name] = pl.lit(value) if known is None else known.fill_null(value)
    derived["service_tier"] = derived["service_tier"].str.strip_chars().str.to_lowercase().replace(_TIERS)
    derived["status"] = derived["status"].str.to_lowercase().replace(_STATUSES)
    derived["region"] = derived["region"].replace({"not_available": ""})
    for name in ("latency_ms", "ttft_ms"):
        if name in derived or name in frame.columns:
            told = derived.get(name, pl.col(name))
            # Clocks that disagree give durations below zero: unknown, and no reason to lose the request.
            derived[name] = pl.when((told >= 0) & told.is_finite()).then(told)
    for name in ("provider_id", "request_model", "response_model"):
        if name not in frame.columns:
            derived.setdefault(name, pl.lit(None, dtype=pl.String))
    derived.setdefault("is_billable", ~derived["status"].is_in(["error", "cancelled", "cache_hit"]))
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


def _semantics(fmt: Format, frame: pl.DataFrame) -> pl.Expr:
    named = pl.col("token_semantics") if "token_semantics" in frame.columns else pl.lit(fmt.semantics)
    return pl.when(pl.col("usage_basis") == "missing").then(pl.lit("missing")).otherwise(named)


def _rules(fmt: Format, frame: pl.DataFrame, filled: set[str], arrival: date) -> list[Rule]:
    """Every rule that may be broken where only the columns `filled` hold anything, in the order in which they count."""
    rules = [
        Rule("not_a_request", pl.col("not_a_request").is_not_null(), pl.col("not_a_request"), "info"),
        _status_rule(),
    ]
    no_reason = {*(f"usage.{name}" for name in DETAILS), *timing_columns(fmt)}
    for name, paths, kind in fmt.columns:
        if f"failed.{name}" in frame.columns and name not in no_reason:
            rules.append(_conversion_rule(name, paths, kind, fmt))
    where = _in_words(fmt.instants.get("event_at", ("event_at",)))
    rules.append(
        Rule(
            "missing_field",
            pl.col("event_at").is_null(),
            pl.lit(
                f"{where} is missing: no instant, no day, no price; option `undated: arrival` takes the day of arrival"
            ),
        )
    )
    for name in MEASURES:
        if f"usage.{name}" in filled:
            rules += _count_rules(f"usage.{name}", fmt.usage.get(name, ()))
    if "web_search_count" in filled:
        rules += _count_rules("web_search_count", fmt.integers.get("web_search_count", ("web_search_count",)))
    if "http_status" in frame.columns:
        found, path = pl.col("http_status"), pl.lit(_in_words(fmt.integers.get("http_status", ("http_status",))))
        said = pl.format("{}: found {}, which is no status", path, found)
        rules.append(Rule("out_of_range", found.abs() > _INT32, said))
    whole = pl.col("usage_basis") == "reported"
    rules += [Rule("identity_broken", broken, detail) for broken, detail in semantics.identities(is_whole=whole)]
    rules += [_bucket_range_rule(), *_event_rules(arrival)]
    if "reported_cost_usd" in frame.columns:
        cost = pl.col("reported_cost_usd").abs() > _MAX_MONEY
        rules.append(Rule("out_of_range", cost, pl.lit(f"the reported cost is above {_MAX_MONEY} USD")))
    return rules


def _status_rule() -> Rule:
    status, accepted = pl.col("status"), REQUEST.column("status").accepted
    found = pl.when(status.str.contains(_WORD)).then(status).otherwise(pl.lit(_UNKNOWN))
    detail = pl.format("status: found {}, accepted are {}", found, pl.lit(", ".join(accepted)))
    return Rule("unknown_value", ~status.is_in(accepted), detail)


def _conversion_rule(name: str, paths: Paths, kind: str, fmt: Format) -> Rule:
    accepted = {
        "integer": "a whole number", "number": "a number", "boolean": "true or false", "decimal": "a decimal number",
        "instant": f"an instant ({fmt.time.pattern or fmt.time.kind})",
    }[kind]  # fmt: skip
    text = pl.col(f"text.{name}")
    found = pl.when(text.str.contains(_PLAIN_VALUE)).then(text).otherwise(pl.lit(_UNKNOWN))
    detail = pl.format("{}: found {}, {} is accepted", pl.lit(_in_words(paths)), found, pl.lit(accepted))
    reason = "not_an_integer" if kind == "integer" else "not_an_instant" if kind == "instant" else f"not_a_{kind}"
    return Rule(reason, pl.col(f"failed.{name}"), detail)


def _in_words(paths: Paths) -> str:
    return " or ".join(paths[:3]) + (" ..." if len(paths) > 3 else "")


def _count_rules(name: str, paths: Paths) -> list[Rule]:
    column, where = pl.col(name), pl.lit(_in_words(paths))
    return [
        Rule("negative_tokens", column < 0, pl.format("{}: found {}, 0 or more is accepted", where, column)),
        Rule("out_of_range", column > _INT32, pl.format("{}: found {}, at most {} is accepted", where, column, _INT32)),
    ]


def _bucket_range_rule() -> Rule:
    most = pl.max_horizontal(meter.tokens_column for meter in TOKEN_METERS)
    return Rule(
        "out_of_range", most > _INT32, pl.format("a token bucket holds {}, at most {} is accepted", most, _INT32)
    )


def _event_rules(arrival: date) -> list[Rule]:
    event = pl.col("event_at")
    latest = arrival + timedelta(days=1)
    return [
        Rule(
            "event_out_of_range",
            event < EARLIEST,
            pl.format(
                "the event is dated {}, {} or later is accepted", event.dt.date(), pl.lit(EARLIEST.date().isoformat())
            ),
        ),
        Rule(
            "event_after_arrival",
            event.dt.date() > latest,
            pl.format(
                "the event is dated {}, the file arrived on {}: at most one day later is accepted",
                event.dt.date(),
                pl.lit(arrival.isoformat()),
            ),
        ),
    ]


def _verdict(rules: list[Rule]) -> list[pl.Expr]:
    none = pl.lit(None, dtype=pl.String)
    reason, severity, detail = none, none, none
    for rule in reversed(rules):
        broken = rule.broken.fill_null(value=False)
        reason = pl.when(broken).then(pl.lit(rule.reason)).otherwise(reason)
        severity = pl.when(broken).then(pl.lit(rule.severity)).otherwise(severity)
        detail = pl.when(broken).then(rule.detail).otherwise(detail)
    return [reason.alias("reason"), severity.alias("severity"), detail.alias("detail")]


def _facts(valid: pl.DataFrame, fmt: Format, source: str, snapshot_id: bytes) -> pl.DataFrame:
    """Valid rows in STORED_SCHEMA."""
    unrevised = pl.lit(0) if fmt.keep == "stream_delta" else pl.col("event_at").to_physical()
    given = valid.with_columns(
        event_date=pl.col("event_at").dt.date(),
        source=pl.lit(source),
        snapshot_id=pl.lit(snapshot_id),
        tags=_tags(valid),
        revision=pl.col("revision") if "revision" in valid.columns else unrevised,
        keep=pl.lit(fmt.keep),
        web_search_count=pl.col("web_search_count").fill_null(0) if "web_search_count" in valid.columns else pl.lit(0),
    )
    columns = [
        (pl.col(name) if name in given.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in STORED_SCHEMA.items()
        if name != "request_uid" and name not in KEYS
    ]
    facts = given.select(columns)
    uid = request_uid(facts, given.select(fmt.identity), source)
    return facts.with_columns(uid, *key_columns(given, fmt.call_ids)).select(STORED_SCHEMA.names())


PROVENANCE = ("request_uid", "snapshot_id", "line_no", "item_no", "keep")
CONTENT = tuple(name for name in STORED_SCHEMA.names() if name not in (*PROVENANCE, *KEYS))
"""Columns that say what a record holds, not where it stands."""


def request_uid(facts: pl.DataFrame, identity: pl.DataFrame, source: str) -> pl.Series:
    """Per row, the first 16 bytes of the SHA-256 of source and the columns of `identity`; where one of these is null, of all that the row says."""
    content = [pl.lit("content"), *[_key_text(facts, name) for name in CONTENT]]
    keys = pl.repeat(None, facts.height, dtype=pl.String, eager=True)
    if identity.width:
        named = [pl.lit("id"), *[pl.col(name).cast(pl.String) for name in identity.columns]]
        keys = identity.select(pl.concat_str([pl.lit(source), *named], separator="\x00")).to_series()
    if keys.null_count():
        keys = facts.select(pl.coalesce(keys, pl.concat_str([pl.lit(source), *content], separator="\x00"))).to_series()
    digests = plh.col("keys").chash.sha2_256().str.head(32).str.decode("hex")
    return keys.alias("keys").to_frame().select(digests.alias("request_uid")).to_series()


def _key_text(facts: pl.DataFrame, name: str) -> pl.Expr:
    column = pl.col(name).to_physical() if facts.schema[name].is_temporal() else pl.col(name)
    return column.cast(pl.String).fill_null("")


def _tags(frame: pl.DataFrame) -> pl.Series:
    """JSON objects of the tags that a row has; null where it has none."""
    tags = [name for name in frame.columns if name.startswith("tag.")]
    names = [name for name in tags if frame[name].null_count() < frame.height]
    if not names:
        return pl.repeat(None, frame.height, dtype=pl.String, eager=True).alias("tags")
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


def _safe_fields(texts: pl.DataFrame, fmt: Format) -> pl.Series:
    """The read fields of failed rows as JSON; a value that is no identifier, number or instant is left out."""
    hidden = fmt.text.get("end_user_id", ()) if fmt.user_key else ()
    paths = [path for path in fmt.paths if path in texts.columns and path not in hidden]
    free = {path for name in fmt.text for path in fmt.text[name]} | {
        path for name in fmt.tags for path in fmt.tags[name]
    }
    rows = [orjson.dumps(safe_values(row, free)).decode() for row in texts.select(paths).iter_rows(named=True)]
    return pl.Series("fields", rows, dtype=pl.String)


def safe_values(row: Mapping[str, str | None], free: set[str]) -> dict[str, str]:
    """Values that may be kept of a failed record: identifiers up to 200 characters, and what looks like a number or instant."""
    plain = {
        path: value for path, value in row.items() if value is not None and len(value) <= 200 and "\x00" not in value
    }
    return {path: value for path, value in plain.items() if path in free or re.match(_PLAIN_VALUE, value)}
