"""The vocabulary in which every table of modelmeter is described: `Table` and `Column`.

Only the two types and what follows from them live here. The tables are in `raw.py`, `core.py`, `mart.py` and their
neighbours; `pipelines.warehouse` creates and fills them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


@cache
def _polars_types() -> dict[str, pl.DataType]:
    """Postgres type to polars type. Polars is imported only here: opening the database reads descriptions, not frames."""
    import polars as pl

    return {
        "text": pl.String(),
        "text[]": pl.List(pl.String()),
        "uuid": pl.Binary(),
        "boolean": pl.Boolean(),
        "smallint": pl.Int16(),
        "integer": pl.Int32(),
        "bigint": pl.Int64(),
        "double precision": pl.Float64(),
        "numeric(38,18)": pl.Decimal(38, 18),
        "numeric(38,12)": pl.Decimal(38, 12),
        "date": pl.Date(),
        "date[]": pl.List(pl.Date()),
        "timestamptz": pl.Datetime("us", "UTC"),
        "jsonb": pl.String(),
    }


@dataclass(frozen=True)
class Column:
    """One column: its Postgres type, what it means and, where it is a quantity, its unit.

    A `uuid` travels in frames as 16 raw bytes and `jsonb` as JSON text, because polars has neither type.
    `accepted` lists every value the column may hold, where that list is closed; empty means any. `is_signed` marks a
    quantity that may be below zero, such as a credit; any other quantity may not.
    """

    name: str
    type: str
    description: str
    nullable: bool = False
    unit: str | None = None
    accepted: tuple[str, ...] = ()
    is_signed: bool = False

    @property
    def polars_type(self) -> pl.DataType:
        """The polars type in which a frame carries the column. Raises ValueError for a Postgres type that has none."""
        types = _polars_types()
        if self.type not in types:
            raise ValueError(f"column {self.name}: type {self.type!r} is not one of {sorted(types)}")
        return types[self.type]

    @property
    def is_unsigned(self) -> bool:
        """Whether the column is a quantity (a number with a unit) that may not be below zero."""
        return self.unit is not None and self.polars_type.is_numeric() and not self.is_signed


@dataclass(frozen=True)
class Table:
    """One table: its place, its grain in words, its columns and its key.

    `day_column` names the UTC day that partitions the table; where `range_partitioned` is set, Postgres
    holds one child table per day, else a day is replaced by delete and insert in one transaction.
    `is_act` marks a table of what people did, which no landed file holds: it can't be made again, only exported and imported.
    `built_by` names who fills it: "python" (a frame is copied in) or "dbt" (a model of `dbt_like`).
    """

    schema: str
    name: str
    description: str
    grain: str
    columns: Sequence[Column]
    primary_key: Sequence[str]
    day_column: str | None = None
    range_partitioned: bool = False
    built_by: str = "python"
    is_act: bool = False

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        if len(set(names)) != len(names):
            raise ValueError(f"{self.qualified}: a column is named twice")
        missing = [key for key in (*self.primary_key, *filter(None, [self.day_column])) if key not in names]
        if missing:
            raise ValueError(f"{self.qualified}: the key names columns that do not exist: {missing}")

    @property
    def qualified(self) -> str:
        """`schema.table`, which is also the Dagster asset key joined by a dot."""
        return f"{self.schema}.{self.name}"

    @cached_property
    def polars_schema(self) -> pl.Schema:
        """Column names and polars types, in table order: what a frame must have to be loaded."""
        import polars as pl

        return pl.Schema({column.name: column.polars_type for column in self.columns})

    def column(self, name: str) -> Column:
        """The column of that name. Raises KeyError."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.qualified} has no column {name!r}")

    def empty(self) -> pl.DataFrame:
        """A frame of this table's shape without rows."""
        return self._no_rows.clone()

    @cached_property
    def _no_rows(self) -> pl.DataFrame:
        import polars as pl

        return pl.DataFrame(schema=self.polars_schema)
