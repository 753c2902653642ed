"""Columns of texts to typed columns: instants, whole numbers, exact decimals. Nothing is guessed or rounded away.

A text that does not convert becomes null here and a failed rule in `requests/normalise.py`, which compares the nulls.
What the numbers mean is in `requests/semantics.py`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Literal

import polars as pl

from pipelines.records import day_order

TimeKind = Literal["iso", "epoch", "epoch_s", "epoch_ms", "epoch_us", "epoch_ns", "excel"]
_PER_SECOND = {"epoch_s": 1, "epoch_ms": 10**3, "epoch_us": 10**6, "epoch_ns": 10**9}
_EPOCH_LIMITS: tuple[tuple[TimeKind, int], ...] = (("epoch_s", 10**11), ("epoch_ms", 10**14), ("epoch_us", 10**17))
_MAX_MICROS = 2 * 10**17
_WORKBOOK = datetime(1899, 12, 30)  # noqa: DTZ001 - in whatever zone the workbook was written
"""The day 0 of a workbook."""
_LAST_DAY = 2_958_466
"""The day after the last that a workbook knows, 9999-12-31."""
INSTANT = pl.Datetime("us", "UTC")
MONEY = pl.Decimal(38, 18)

_ISO = (
    r"^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}(?::\d{2}(?::\d{2})?)?)(?:[.,](\d{1,12}))?)?\s?"
    r"(Z|z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?(?:\[[A-Za-z/_]+\])?$"
)
_BASIC = (
    (r"^(\d{4})[/.](\d{2})[/.](\d{2})", "${1}-${2}-${3}"),
    (r"^(20\d{2})(\d{2})(\d{2})[T ]?(\d{2})(\d{2})(\d{2})", "${1}-${2}-${3}T${4}:${5}:${6}"),
    (r"^(20\d{2})(\d{2})(\d{2})T(\d{2})(\d{2})", "${1}-${2}-${3}T${4}:${5}"),
    (r"^(20\d{2})(\d{2})(\d{2})(Z?)$", "${1}-${2}-${3}${4}"),
)
"""The basic form of ISO 8601, without marks or with others, and what it becomes. Counts since 1970 of these lengths lie before 1978 or after 2600."""
_BASIC_NUMBERS = ((20_000_101, 20_991_231), (20_000_101_000_000, 20_991_231_235_959))
_STYLE = r"^\d{4}-\d{2}-\d{2}([T ])\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(Z|[+-]\d{2}:\d{2})?$"
_NUMBER = r"^[+-]?(\d{1,30}(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?$"
_INTEGER = r"^[+-]?\d{1,30}(\.0*)?$"
_WITH_EXPONENT = r"^[+-]?\d{1,20}(\.\d{0,20})?[eE][+-]?\d{1,2}$"
_NO_VALUE = r"(?i)^\s*(?:-{1,3}|–|—|\?|\\n|null|none|nil|undefined|unknown|na|nan|[#(]?n/?a[)!]?|<na>)?\s*$"
"""What spreadsheets, databases and loggers write where they have no value."""


@dataclass(frozen=True)
class TimeRule:
    """How a format writes instants.

    `kind` is ISO 8601 text, a count since 1970, or the day of a workbook in local time; a number is read as `epoch` where a format mixes both. Kind
    "epoch" finds the unit by the size of the number: those of one unit from 1973 to 5138 are disjoint from the next.
    `zone` is the zone of texts without an offset. `origin` shifts counts that start elsewhere than 1970.
    `days` says what comes first in days such as 02/12/2026. Fractions finer than a microsecond are cut.
    """

    kind: TimeKind = "iso"
    epoch: TimeKind | None = None
    zone: str = "UTC"
    pattern: str | None = None
    origin: datetime | None = None
    days: day_order.Order | None = None


def to_instants(texts: pl.Series, rule: TimeRule) -> pl.Series:
    """Instants in UTC to the microsecond, of texts or whole numbers; null where one is no instant by `rule`."""
    if rule.kind == "excel" and rule.pattern is None:
        return _from_workbook(texts.cast(pl.String), rule.zone)
    if texts.dtype == pl.Int64 and rule.pattern is None:
        kind = rule.epoch if rule.kind == "iso" else rule.kind
        if kind is not None and not bool((texts < 0).any() or _are_basic(texts).any()):
            return _from_counts(texts, kind, rule.origin)
    texts = texts.cast(pl.String)
    if rule.pattern is not None:
        return _zoned(texts.str.to_datetime(rule.pattern, time_unit="us", strict=False), rule.zone).rename(texts.name)
    if rule.kind != "iso":
        return _from_epoch(texts, rule.kind, rule.origin)
    instants = _from_iso(texts if rule.days is None else day_order.respelled(texts, rule.days), rule.zone)
    if rule.epoch is None or not bool((instants.is_null() & texts.is_not_null()).any()):
        return instants
    return pl.select(pl.coalesce(instants, _from_epoch(texts, rule.epoch, rule.origin))).to_series().rename(texts.name)


def _from_iso(texts: pl.Series, zone: str) -> pl.Series:
    """Every text as the first one is written, then the others one by one by pattern."""
    first = texts.drop_nulls().head(1).to_list()
    if not first:
        return pl.Series(texts.name, [None] * len(texts), dtype=INSTANT)
    style = re.match(_STYLE, first[0])
    if style is None:
        return _by_pattern(texts, zone)
    separator, offset = style.groups()
    pattern = f"%Y-%m-%d{separator}%H:%M:%S%.f" + ("" if offset is None else "Z" if offset == "Z" else "%:z")
    quick = texts.str.to_datetime(pattern, time_unit="us", strict=False)
    if offset == "Z":
        quick = quick.dt.replace_time_zone("UTC")
    instants = _zoned(quick, zone)
    left = instants.is_null() & texts.is_not_null()
    if not left.any():
        return instants.rename(texts.name)
    others = _by_pattern(pl.select(pl.when(left).then(texts)).to_series(), zone)
    return pl.select(pl.coalesce(instants, others)).to_series().rename(texts.name)


def _are_basic(numbers: pl.Series) -> pl.Series:
    (day, last_day), (second, last_second) = _BASIC_NUMBERS
    return numbers.is_between(day, last_day) | numbers.is_between(second, last_second)


def _by_pattern(texts: pl.Series, zone: str) -> pl.Series:
    texts = day_order.with_named_months(texts)
    for basic, extended in _BASIC:
        texts = texts.str.replace(basic, extended)
    parts = texts.str.extract_groups(_ISO).struct.rename_fields(["day", "clock", "fraction", "offset"])
    day, clock, fraction, offset = (parts.struct.field(name) for name in ("day", "clock", "fraction", "offset"))
    frame = pl.DataFrame({"day": day, "clock": clock, "fraction": fraction, "offset": offset})
    seconds = pl.concat_str(pl.col("clock").fill_null("00"), pl.lit(":00:00")).str.head(8)
    local = pl.concat_str("day", pl.lit("T"), seconds).str.to_datetime(
        "%Y-%m-%dT%H:%M:%S", time_unit="us", strict=False
    )
    micros = pl.col("fraction").fill_null("0").str.pad_end(6, "0").str.slice(0, 6).cast(pl.Int64)
    sign = pl.when(pl.col("offset").str.starts_with("-")).then(-1).otherwise(1)
    digits = pl.col("offset").str.replace_all("[^0-9]", "").str.pad_end(4, "0")
    minutes = sign * (digits.str.slice(0, 2).cast(pl.Int64) * 60 + digits.str.slice(2, 2).cast(pl.Int64))
    frame = frame.select(
        local=local + pl.duration(microseconds=micros),
        minutes=pl.when(pl.col("offset").is_not_null()).then(minutes),
    )
    naive = _zoned(frame["local"], zone)
    aware = frame.select(
        (pl.col("local") - pl.duration(minutes=pl.col("minutes"))).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    ).to_series()
    chosen = pl.select(pl.when(frame["minutes"].is_null()).then(naive).otherwise(aware)).to_series()
    return chosen.cast(INSTANT).rename(texts.name)


def _zoned(local: pl.Series, zone: str) -> pl.Series:
    """Local times of `zone` in UTC: of an hour that comes twice the first counts, one that does not exist is null."""
    if isinstance(local.dtype, pl.Datetime) and local.dtype.time_zone is not None:
        return local.dt.convert_time_zone("UTC").cast(INSTANT)
    if zone == "UTC":
        return local.dt.replace_time_zone("UTC").cast(INSTANT)
    placed = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return placed.dt.convert_time_zone("UTC").cast(INSTANT)


def _from_counts(counts: pl.Series, kind: TimeKind, origin: datetime | None) -> pl.Series:
    """As `_from_epoch`, for whole numbers from 0 on."""
    count = pl.col(counts.name)
    per_second = pl.lit(_PER_SECOND.get(kind, 10**9))
    if kind == "epoch":
        for name, limit in reversed(_EPOCH_LIMITS):
            per_second = pl.when(count < limit).then(_PER_SECOND[name]).otherwise(per_second)
    start = 0 if origin is None else int(origin.timestamp()) * 10**6
    micros = count.cast(pl.Int128) * 10**6 // per_second + start
    near = counts.to_frame().select(pl.when(micros.abs() < _MAX_MICROS).then(micros).cast(pl.Int64)).to_series()
    return near.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _from_epoch(texts: pl.Series, kind: TimeKind, origin: datetime | None) -> pl.Series:
    numbers = to_decimals(texts, scale=9).to_list()
    start = 0 if origin is None else int(origin.timestamp()) * 10**6
    micros = [None if number is None else _micros(number, kind, start) for number in numbers]
    return pl.Series(texts.name, micros, dtype=pl.Int64).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _from_workbook(texts: pl.Series, zone: str) -> pl.Series:
    """Days since the end of 1899 as workbooks count them, in local time; their floats are exact to the millisecond."""
    days = to_decimals(texts, scale=12).to_list()
    millis = [None if day is None or not 0 < day < _LAST_DAY else round(day * 86_400_000) for day in days]
    local = pl.Series(texts.name, millis, dtype=pl.Int64).cast(pl.Duration("ms")) + _WORKBOOK
    return _zoned(local.cast(pl.Datetime("us")), zone).rename(texts.name)


def _micros(number: Decimal, kind: TimeKind, start: int) -> int | None:
    if kind == "epoch":
        kind = next((name for name, limit in _EPOCH_LIMITS if abs(number) < limit), "epoch_ns")
    micros = int(number * 10**6 / _PER_SECOND[kind]) + start
    return micros if abs(micros) < _MAX_MICROS else None


def with_value(texts: pl.Series) -> pl.Series:
    """Texts without the space around them, null where one says that there is no value: `-`, `NULL`, `n/a`, `NaN`."""
    bare = texts.str.strip_chars()
    return pl.select(pl.when(~bare.str.contains(_NO_VALUE)).then(bare)).to_series().rename(texts.name)


def to_integers(texts: pl.Series) -> pl.Series:
    """Whole numbers; `12.0` is 12 and `1.2E+05` is 120000, `5.7` and texts are null."""
    direct = texts.cast(pl.Int64, strict=False)
    left = direct.is_null() & texts.is_not_null()
    if not left.any():
        return direct
    plain = pl.when(texts.str.contains(_INTEGER)).then(texts.str.replace(r"\.0*$", "").str.replace(r"^\+", ""))
    integers = pl.select(plain.cast(pl.Int64, strict=False)).to_series().rename(texts.name)
    powers = pl.select(pl.when(integers.is_null() & texts.str.contains(_WITH_EXPONENT)).then(texts)).to_series()
    if powers.null_count() == len(powers):
        return integers
    return integers.fill_null(pl.Series([_whole(text) for text in powers.to_list()], dtype=pl.Int64))


def _whole(text: str | None) -> int | None:
    """The whole number that a text with an exponent is, exactly; None if it is none, or beyond 64 bits."""
    if text is None or (value := Decimal(text)) != value.to_integral_value() or abs(value) >= 2**63:
        return None
    return int(value)


def to_decimals(texts: pl.Series, scale: int = 18) -> pl.Series:
    """Exact decimals with `scale` places, from the digits as written; finer digits are rounded half-even."""
    dtype = pl.Decimal(38, scale)
    simple = texts.str.contains(r"^-?\d{1,18}(\.\d{1," + str(scale) + r"})?$")
    if bool(simple.all()):
        return texts.cast(dtype, strict=False)
    step = Decimal(1).scaleb(-scale)
    others = pl.select(pl.when(~simple & texts.str.contains(_NUMBER)).then(texts)).to_series()
    exact = [None if text is None else _decimal(text, step) for text in others.to_list()]
    plain = pl.select(pl.when(simple).then(texts)).to_series().cast(dtype, strict=False)
    return pl.select(pl.coalesce(plain, pl.Series(exact, dtype=dtype))).to_series().rename(texts.name)


def _decimal(text: str, step: Decimal) -> Decimal | None:
    try:
        value = Decimal(text)
        return value.quantize(step) if abs(value) < 10**20 else None
    except InvalidOperation:
        return None


def to_floats(texts: pl.Series) -> pl.Series:
    """Measurements such as milliseconds; never money."""
    return texts.cast(pl.Float64, strict=False)


def to_booleans(texts: pl.Series) -> pl.Series:
    """true or false in any case, 1 or 0; anything else is null."""
    lower = texts.str.to_lowercase()
    return (
        pl.select(
            pl.when(lower.is_in(["true", "1", "t", "yes"]))
            .then(statement=True)
            .when(lower.is_in(["false", "0", "f", "no"]))
            .then(statement=False)
        )
        .to_series()
        .rename(texts.name)
    )
