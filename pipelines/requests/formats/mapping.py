"""Any CSV, JSON lines or Parquet log, described in YAML: which column is which field, and how it counts.

    - source: azure_trace
      format: mapping
      defaults: {provider_id: azure, model: gpt-4}
      options:
        columns: {event_at: TIMESTAMP, input: ContextTokens, output: GeneratedTokens}

`columns` maps fields to columns (a list: the first that is not empty; `a/b` is field b of object a). `time`
says how instants are written: {format: iso | epoch | epoch_s | epoch_ms | epoch_us | epoch_ns | a strptime
pattern, zone: Europe/Berlin, origin: 2023-11-16T00:00:00Z}. `semantics` names the rule for usage, `units` the
unit of a field ({latency_ms: s, reported_cost_usd: cents}), `values` replaces texts ({status: {"500": error}}),
`identity` lists the fields that identify a request (without it: source_request_id, else all that a row says),
`tags` maps tag names to columns, `delimiter` is that of a CSV file. `decimal` and `thousands` are the marks in numbers that are
written as text ({decimal: ","}: 1.234,56); without them a file in which a column of counts or amounts can be read both ways
(10.000) is set aside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from pipelines.config.sources import RequestSource
from pipelines.meters import COUNTS
from pipelines.records.conversions import TimeKind, TimeRule
from pipelines.records.layout import Paths, SourceError
from pipelines.records.measures import MEASURES
from pipelines.records.number_marks import DECIMALS, THOUSANDS, Marks, declared
from pipelines.requests.format import TEXT_COLUMNS, Format
from pipelines.requests.formats import refuse_options
from pipelines.requests.semantics import RULES

OPTIONS = ("columns", "time", "semantics", "units", "values", "identity", "tags", "delimiter", "decimal", "thousands")
_TEXT = (*TEXT_COLUMNS, "status")
_INTEGERS = ("http_status", *(count.column for count in COUNTS))
_NUMBERS = ("latency_ms", "ttft_ms")
_BOOLEANS = ("is_stream", "is_billable")
_INSTANTS = ("event_at",)
_MONEY = ("reported_cost_usd",)
FIELDS = ("model", *_TEXT, *MEASURES, *_INTEGERS, *_NUMBERS, *_BOOLEANS, *_INSTANTS, *_MONEY)
"""Fields that `columns` may name."""

_DURATIONS = {"ns": 1e-6, "us": 1e-3, "ms": 1.0, "s": 1e3}
_AMOUNTS = {
    "usd": Decimal(1),
    "cents": Decimal("0.01"),
    "micro_usd": Decimal("0.000001"),
    "nano_usd": Decimal("0.000000001"),
}


def build(source: RequestSource) -> Format:
    """The format that the source's options describe. Raises SourceError naming the option."""
    refuse_options(source, OPTIONS)
    columns = _columns(source)
    _require(source, columns)

    def mapped(fields: Iterable[str]) -> dict[str, Paths]:
        return {field: columns[field] for field in fields if field in columns}

    semantics = source.options.get("semantics", "openai_inclusive")
    if semantics not in RULES:
        raise _error(source, "semantics", semantics, ", ".join(RULES))
    derive = partial(_derive, _units(source), _values(source), tuple(columns))
    tags = {str(name): (str(path),) for name, path in _map(source, "tags").items()}
    return Format(
        name="mapping",
        version="2",
        text=mapped(_TEXT),
        usage=mapped(MEASURES),
        integers=mapped(_INTEGERS),
        numbers=mapped(_NUMBERS),
        booleans=mapped(_BOOLEANS),
        instants={"event_at": (), **mapped(_INSTANTS)},
        money=mapped(_MONEY),
        tags=tags,
        time=_time(source),
        semantics=semantics,
        identity=_identity(source, columns),
        delimiter=_delimiter(source),
        number_marks=_number_marks(source, mapped((*MEASURES, *_INTEGERS, *_NUMBERS, *_MONEY))),
        columns_of=_columns_of(columns),
        derive=derive,
    )


def _error(source: RequestSource, option: str, found: object, accepted: str) -> SourceError:
    return SourceError(f"source {source.source}: options.{option}: found {found!r}, accepted: {accepted}")


def _map(source: RequestSource, option: str) -> dict[str, Any]:
    value = source.options.get(option, {})
    if not isinstance(value, dict):
        raise _error(source, option, value, "a map")
    return value


def _columns(source: RequestSource) -> dict[str, Paths]:
    columns: dict[str, Paths] = {}
    for field, value in _map(source, "columns").items():
        if field not in FIELDS:
            raise _error(source, f"columns.{field}", value, "one of the fields " + ", ".join(FIELDS))
        paths = value if isinstance(value, list) else [value]
        if not paths or not all(isinstance(path, str) and path for path in paths):
            raise _error(source, f"columns.{field}", value, "a column name or a list of column names")
        columns["request_model" if field == "model" else field] = tuple(paths)
    return columns


def _require(source: RequestSource, columns: Mapping[str, Paths]) -> None:
    if "event_at" not in columns and source.options.get("undated") != "arrival":
        raise _error(source, "columns", sorted(columns), "a map with event_at, for example {event_at: timestamp}")
    if not set(columns) & {"input", "output", "total", "cache_read", "cache_write"}:
        raise _error(source, "columns", sorted(columns), "at least one count, for example {input: prompt_tokens}")


def _columns_of(columns: Mapping[str, Paths]) -> dict[str, str]:
    """Per option, the one column that a table must have; where alternatives are given, any may be absent."""
    single = {field: paths[0] for field, paths in columns.items() if len(paths) == 1}
    names = {"request_model": "model"}
    return {f"options.columns.{names.get(field, field)}": path.split("/")[0] for field, path in single.items()}


def _time(source: RequestSource) -> TimeRule:
    time = _map(source, "time")
    unknown = sorted(set(time) - {"format", "zone", "origin"})
    if unknown:
        raise _error(source, f"time.{unknown[0]}", time[unknown[0]], "format, zone, origin")
    kind, zone, origin = str(time.get("format", "iso")), str(time.get("zone", "UTC")), time.get("origin")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise _error(source, "time.zone", zone, "an IANA time zone, for example Europe/Berlin") from None
    if origin is not None:
        origin = _origin(source, origin)
    if "%" in kind:
        return TimeRule("iso", zone=zone, pattern=kind)
    kinds: dict[str, TimeKind] = {name: name for name in get_args(TimeKind)}
    if kind not in kinds:
        raise _error(source, "time.format", kind, f"{', '.join(kinds)} or a strptime pattern such as %d.%m.%Y %H:%M:%S")
    return TimeRule(kinds[kind], zone=zone, origin=origin)


def _origin(source: RequestSource, value: object) -> datetime:
    try:
        origin = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        raise _error(source, "time.origin", value, "an instant such as 2023-11-16T00:00:00Z") from None
    return origin if origin.tzinfo else origin.replace(tzinfo=UTC)


def _units(source: RequestSource) -> dict[str, float | Decimal]:
    factors: dict[str, float | Decimal] = {}
    for field, unit in _map(source, "units").items():
        accepted: Mapping[str, float | Decimal] = (
            _DURATIONS if field in _NUMBERS else _AMOUNTS if field in _MONEY else {}
        )
        if not accepted:
            raise _error(source, f"units.{field}", unit, f"a unit of {', '.join((*_NUMBERS, *_MONEY))}")
        if unit not in accepted:
            raise _error(source, f"units.{field}", unit, ", ".join(accepted))
        factors[field] = accepted[unit]
    return factors


def _values(source: RequestSource) -> dict[str, dict[str, str]]:
    values: dict[str, dict[str, str]] = {}
    for field, replaced in _map(source, "values").items():
        if field not in (*_TEXT, "model") or not isinstance(replaced, dict):
            raise _error(source, f"values.{field}", replaced, f"a map of texts for one of {', '.join(_TEXT)}")
        values["request_model" if field == "model" else field] = {
            str(key): str(value) for key, value in replaced.items()
        }
    return values


def _identity(source: RequestSource, columns: Mapping[str, Paths]) -> tuple[str, ...]:
    named = source.options.get("identity")
    if named is None:
        return ("source_request_id",) if "source_request_id" in columns else ()
    accepted = [field for field in columns if field in _TEXT]
    if not isinstance(named, list) or not named or any(field not in accepted for field in named):
        raise _error(
            source,
            "identity",
            named,
            f"a list of mapped fields: {', '.join(accepted) or 'map source_request_id first'}",
        )
    return tuple(named)


def _delimiter(source: RequestSource) -> str:
    delimiter = source.options.get("delimiter", ",")
    if not isinstance(delimiter, str) or len(delimiter.encode()) != 1:
        raise _error(source, "delimiter", delimiter, "one character")
    return delimiter


def _number_marks(source: RequestSource, numeric: Mapping[str, Paths]) -> dict[str, Marks]:
    """The declared marks for every column of numbers; none where the file has to show them."""
    marked: dict[str, str] = {}
    for option, accepted in (("decimal", DECIMALS), ("thousands", THOUSANDS)):
        value = source.options.get(option)
        if value is not None:
            if value not in accepted:
                raise _error(source, option, value, "one of " + ", ".join(map(repr, accepted)))
            if value == source.options.get("delimiter"):
                raise _error(source, option, value, "another character than delimiter")
            marked[option] = value
    if not marked:
        return {}
    if marked.get("decimal") == marked.get("thousands"):
        raise _error(source, "thousands", marked["thousands"], "another character than decimal")
    marks = declared(marked.get("decimal"), marked.get("thousands"))
    return {path: marks for paths in numeric.values() for path in paths}


def _derive(
    factors: Mapping[str, float | Decimal], values: Mapping[str, Mapping[str, str]], mapped: tuple[str, ...]
) -> Mapping[str, pl.Expr]:
    derived: dict[str, pl.Expr] = {}
    for field, replaced in values.items():
        if field in mapped:
            derived[field] = pl.col(field).replace(dict(replaced))
    for field, factor in factors.items():
        if field in mapped:
            scaled = pl.col(field) * factor
            derived[field] = scaled.cast(pl.Decimal(38, 18)) if isinstance(factor, Decimal) else scaled
    return derived
