"""The name of a described table in SQL, and whether the database has such a table."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from pipelines.warehouse.tables import Table


def table_name(table: Table) -> sql.Identifier:
    """`schema.table`, quoted."""
    return sql.Identifier(table.schema, table.name)


def is_made(connection: psycopg.Connection[Any], name: str) -> bool:
    """Whether the database has a table or view of that name (`schema.table`); dbt makes its own in the first run."""
    return connection.execute("select to_regclass(%s) is not null", [name]).fetchone() == (True,)
