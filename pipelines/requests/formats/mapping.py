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
from decimal import Decimal
from functools import partial

import polars as pl

from pipelines.config.mistakes import did_you_mean
from pipelines.config.sources import RequestSource
from pipelines.meters import COUNTS, STAND_ALONE
from pipelines.records.declared import (
    TABLE_OPTIONS,
    columns_of,
    declared_columns,
    declared_delimiter,
    declared_marks,
    declared_time,
    option_map,
    refused,
)
from pipelines.records.layout import Paths
from pipelines.records.measures import MEASURES
from pipelines.requests.format import TEXT_COLUMNS, Format
from pipelines.requests.formats import refuse_options
from pipelines.requests.semantics import RULES

OPTIONS = ("columns", *TABLE_OPTIONS, "semantics", "units", "values", "identity", "tags")
_TEXT = (*TEXT_COLUMNS, "status")
_INTEGERS = ("http_status", *(count.column for count in COUNTS))
_NUMBERS = ("latency_ms", "ttft_ms")
_BOOLEANS = ("is_stream", "is_billable")
_INSTANTS = ("event_at",)
_MONEY = ("reported_cost_usd",)
_TOTAL = r"(?i)^(?:(?:grand|sub)?[ -]?total|(?:zwischen|gesamt)?summe|gesamt|sum)$"
"""What a table names in place of a model where a line adds up others."""
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
    named = declared_columns(source, FIELDS)
    columns = {"request_model" if field == "model" else field: paths for field, paths in named.items()}
    _require(source, columns)

    def mapped(fields: Iterable[str]) -> dict[str, Paths]:
        return {field: columns[field] for field in fields if field in columns}

    semantics = source.options.get("semantics", "openai_inclusive")
    if semantics not in RULES:
        raise refused(source, "semantics", semantics, ", ".join(RULES) + did_you_mean(semantics, RULES))
    derive = partial(_derive, _units(source), _values(source), tuple(columns))
    tags = {str(name): (str(path),) for name, path in option_map(source, "tags").items()}
    return Format(
        name="mapping",
        version="5",
        text=mapped(_TEXT),
        usage=mapped(MEASURES),
        integers=mapped(_INTEGERS),
        numbers=mapped(_NUMBERS),
        booleans=mapped(_BOOLEANS),
        instants={"event_at": (), **mapped(_INSTANTS)},
        money=mapped(_MONEY),
        tags=tags,
        time=declared_time(source),
        semantics=semantics,
        identity=_identity(source, columns),
        delimiter=declared_delimiter(source),
        number_marks=declared_marks(source, mapped((*MEASURES, *_INTEGERS, *_NUMBERS, *_MONEY))),
        columns_of=columns_of(named),
        derive=derive,
    )


def _require(source: RequestSource, columns: Mapping[str, Paths]) -> None:
    if "event_at" not in columns and source.options.get("undated") != "arrival":
        raise refused(source, "columns", ", ".join(columns), "a map with event_at, for example {event_at: timestamp}")
    if not set(columns) & {"input", "output", "total", "cache_read", "cache_write", *STAND_ALONE}:
        raise refused(source, "columns", ", ".join(columns), "also a count, for example {input: prompt_tokens}")


def _units(source: RequestSource) -> dict[str, float | Decimal]:
    factors: dict[str, float | Decimal] = {}
    for field, unit in option_map(source, "units").items():
        accepted: Mapping[str, float | Decimal] = (
            _DURATIONS if field in _NUMBERS else _AMOUNTS if field in _MONEY else {}
        )
        if not accepted:
            raise refused(source, f"units.{field}", unit, f"a unit of {', '.join((*_NUMBERS, *_MONEY))}")
        if unit not in accepted:
            raise refused(source, f"units.{field}", unit, ", ".join(accepted))
        factors[field] = accepted[unit]
    return factors


def _values(source: RequestSource) -> dict[str, dict[str, str]]:
    values: dict[str, dict[str, str]] = {}
    for field, replaced in option_map(source, "values").items():
        if field not in (*_TEXT, "model") or not isinstance(replaced, dict):
            raise refused(source, f"values.{field}", replaced, f"a map of texts for one of {', '.join(_TEXT)}")
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
        raise refused(
            source,
            "identity",
            named,
            f"a list of mapped fields: {', '.join(accepted) or 'map source_request_id first'}",
        )
    return tuple(named)


def _derive(
    factors: Mapping[str, float | Decimal], values: Mapping[str, Mapping[str, str]], mapped: tuple[str, ...]
) -> Mapping[str, pl.Expr]:
    derived: dict[str, pl.Expr] = {}
    if "request_model" in mapped:
        is_total = pl.col("request_model").str.strip_chars().str.contains(_TOTAL)
        derived["not_a_request"] = pl.when(is_total).then(pl.lit("a line that adds up others"))
    for field, replaced in values.items():
        if field in mapped:
            derived[field] = pl.col(field).replace(dict(replaced))
    for field, factor in factors.items():
        if field in mapped:
            scaled = pl.col(field) * factor
            derived[field] = scaled.cast(pl.Decimal(38, 18)) if isinstance(factor, Decimal) else scaled
    if "http_status" in mapped:
        stated = derived.get("status", pl.col("status") if "status" in mapped else pl.lit(None, dtype=pl.String))
        derived["status"] = pl.coalesce(stated, pl.when(pl.col("http_status") >= 400).then(pl.lit("error")))
    return derived
