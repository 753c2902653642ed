"""Checksums of tables: whether two databases hold the same rows, whatever the order of rows and columns."""

from __future__ import annotations

from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from pipelines.warehouse.names import is_made, table_name
from pipelines.warehouse.tables import TABLES, Table


class Checksum(NamedTuple):
    """How many rows a table holds, and the sum of their 64-bit digests."""

    rows: int
    digest: str


def checksums(connection: psycopg.Connection[Any]) -> dict[str, Checksum | None]:
    """One for every described table, by its name; None for a table that is not made yet."""
    return {table.qualified: _checksum(connection, table) for table in TABLES}


def _checksum(connection: psycopg.Connection[Any], table: Table) -> Checksum | None:
    if not is_made(connection, table.qualified):
        return None
    values = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(column.name)) for column in table.columns)
    statement = sql.SQL(
        "select count(*), coalesce(sum(('x' || left(md5(jsonb_build_array({})::text), 16))::bit(64)::bigint::numeric), 0)::text from {}"
    ).format(values, table_name(table))
    rows, digest = connection.execute(statement).fetchone() or (0, "0")
    return Checksum(rows, digest)
