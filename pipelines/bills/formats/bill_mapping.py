"""Any invoice as CSV, JSON lines or Parquet, described in YAML: which column is which field of a bill.

    - source: acme_invoice
      format: bill_mapping
      defaults: {provider_id: acme, currency: EUR}
      options:
        columns: {bucket_from: From, bucket_to: Until, amount: Net amount, line_item: Position, model: Model}

`columns` maps fields to columns (a list: the first that is not empty); a field that it does not name is read from the column of its own name.
bucket_from, amount, provider_id and currency are needed. bucket_to is exclusive, or with `end: inclusive` the last day; without it a line is of one day. `time`, `delimiter`, `decimal` and
`thousands` say how dates, columns and numbers are written, `encoding` how the text is where it is not Unicode, as for request logs
(`pipelines.records.declared`); without marks a file whose amounts can be read both ways (10.000) is set aside. An amount with a sign (EUR 12.30) has
to be in the line's currency.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from pipelines.config.mistakes import accepted_are
from pipelines.config.sources import RequestSource
from pipelines.records.declared import (
    TABLE_OPTIONS,
    columns_of,
    declared_columns,
    declared_delimiter,
    declared_encoding,
    declared_marks,
    declared_time,
    refused,
)
from pipelines.records.layout import Layout, SourceError

_TEXT = (
    "provider_id", "report", "project_id", "api_key_id", "end_user_id", "raw_model", "line_item", "meter", "upstream_provider",
    "service_tier", "region", "context_window", "quantity_unit", "charge_category", "currency",
)  # fmt: skip
_MONEY = ("amount", "list_amount", "quantity")
_INSTANTS = ("bucket_from", "bucket_to")
FIELDS = ("model", *(name for name in _TEXT if name != "raw_model"), *_MONEY, "request_count", *_INSTANTS)
"""Fields that `columns` may name."""
OPTIONS = ("columns", "end", *TABLE_OPTIONS)
DEFAULTS = ("provider_id", "currency", "quantity_unit", "report")


def build() -> Layout:
    """The layout of a file whose columns bear our names."""
    return Layout(
        name="bill_mapping",
        version="5",
        text={name: (name,) for name in _TEXT},
        money={name: (name,) for name in _MONEY},
        integers={"request_count": ("request_count",)},
        instants={name: (name,) for name in _INSTANTS},
        constants={"report": "invoice"},
    )


def described(source: RequestSource) -> Layout:
    """The layout that the source's options describe. Raises SourceError naming the option."""
    for name in sorted({*source.options} - {*OPTIONS}):
        raise SourceError(source.source, ("options", name), accepted_are(name, OPTIONS))
    for name in sorted({*source.defaults} - {*DEFAULTS}):
        raise SourceError(source.source, ("defaults", name), accepted_are(name, DEFAULTS))
    end = source.options.get("end", "exclusive")
    if end not in ("exclusive", "inclusive"):
        raise refused(source, "end", end, "inclusive (the last day) or exclusive (the day after it)")
    columns = declared_columns(source, FIELDS)
    columns = {"raw_model" if field == "model" else field: paths for field, paths in columns.items()}
    plain = build()
    money = {**plain.money, **{name: columns[name] for name in _MONEY if name in columns}}
    integers = {"request_count": columns.get("request_count", ("request_count",))}
    time = declared_time(source)
    return replace(
        plain,
        text={**plain.text, **{name: columns[name] for name in _TEXT if name in columns}},
        money=money,
        integers=integers,
        instants={**plain.instants, **{name: columns[name] for name in _INSTANTS if name in columns}},
        constants={**plain.constants, **{name: str(value) for name, value in source.defaults.items()}},
        time=time,
        derive=plain.derive if end == "exclusive" else lambda: _to_end_of_day(time.zone),
        delimiter=declared_delimiter(source),
        encoding=declared_encoding(source),
        number_marks=declared_marks(source, {**money, **integers}),
        columns_of=columns_of(declared_columns(source, FIELDS)),
    )


def _to_end_of_day(zone: str) -> Mapping[str, pl.Expr]:
    """Of a line that ends on a day, the midnight after it; an end with a time of day stays."""
    end = pl.col("bucket_to").dt.convert_time_zone(zone)
    is_day = end.dt.truncate("1d") == end
    return {"bucket_to": pl.when(is_day).then(end.dt.offset_by("1d")).otherwise(end).dt.convert_time_zone("UTC")}
