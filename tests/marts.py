"""The spend tables of a test's database, made by the project's own dbt models.

dbt takes seconds to start, so the models are rendered here, as dbt renders them for a first build of every day.
`tests/contracts/dbt` runs dbt itself.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from jinja2 import Environment, StrictUndefined

from pipelines.daily.unit_cost import replace_unit_costs
from pipelines.warehouse.ddl import create_table
from pipelines.warehouse.tables import Table
from pipelines.warehouse.tables.mart import (
    DAILY_EXPLORER_SPEND,
    DAILY_ITEM_SPEND,
    DAILY_METER_SPEND,
    DAILY_TAG_SPEND,
    SPEND_TABLES,
)
from pipelines.warehouse.tables.mart_charges import DAILY_CHARGE

BUILT = (DAILY_CHARGE, *SPEND_TABLES, DAILY_ITEM_SPEND, DAILY_METER_SPEND, DAILY_EXPLORER_SPEND, DAILY_TAG_SPEND)
"""The charges, and what else is made of the requests."""
PROJECT = Path(__file__).resolve().parents[1] / "dbt_like"


class _ReturnedError(Exception):
    """What a macro returns by dbt's `return`."""


def create_spend_tables(connection: psycopg.Connection[Any]) -> None:
    """The charges and the spend tables, without rows."""
    for table in BUILT:
        connection.execute(create_table(table).encode())


def build_spend_tables(connection: psycopg.Connection[Any]) -> None:
    """Fill the charges and the spend tables, which are there and empty, from `core.request`."""
    connection.execute(
        f"create schema if not exists staging; create view staging.stg_request as {model_sql('stg_request')}".encode()
    )
    for table in BUILT:
        build(connection, table)
    connection.execute("drop view staging.stg_request")
    build_unit_costs(connection)


def build_unit_costs(connection: psycopg.Connection[Any]) -> None:
    """Fill unit costs and spend by end user, which are there, from `core.request`."""
    days = [day for (day,) in connection.execute("select distinct event_date from core.request order by event_date")]
    replace_unit_costs(connection, PROJECT / "no day files", days)


def build(connection: psycopg.Connection[Any], table: Table) -> None:
    """Fill a table, which is there, from what its model reads."""
    columns = ", ".join(column.name for column in table.columns)
    connection.execute(
        f"delete from {table.qualified}; insert into {table.qualified} ({columns}) "
        f"select {columns} from ({model_sql(table.name)}) as model".encode()
    )


@cache
def model_sql(name: str) -> str:
    """The SQL of a model for every day there is."""
    (path,) = (PROJECT / "models").rglob(f"{name}.sql")
    return _environment().from_string(path.read_text(encoding="utf-8")).render()


@cache
def _environment() -> Environment:
    environment = Environment(undefined=StrictUndefined, extensions=["jinja2.ext.do"])
    environment.globals.update(
        {
            "ref": lambda name: f"{'staging' if name.startswith('stg_') else 'mart'}.{name}",
            "source": lambda schema, name: f"{schema}.{name}",
            "var": dict.fromkeys(("from_date", "to_date")).get,
            "is_incremental": lambda: False,
            "return": _return,
            "config": lambda **_: "",
        }
    )
    for path in sorted((PROJECT / "macros").glob("*.sql")):  # one may use those before it
        text = path.read_text(encoding="utf-8")
        if "{% macro" in text:
            macros = environment.from_string(text).make_module()
            environment.globals.update({n: _called(m) for n, m in vars(macros).items() if callable(m)})
    return environment


def _return(value: object) -> None:
    raise _ReturnedError(value)


def _called(macro: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: object, **named: object) -> Any:
        try:
            return macro(*arguments, **named)
        except _ReturnedError as returned:
            return returned.args[0]

    return call
