"""What people did and no landed file holds (closings, restatements, users to forget): out of one database, into another.

The landing zone makes everything else again. Decisions about price files lie in the landing zone itself.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from pipelines.landing.atomic import write_atomically
from pipelines.warehouse.errors import WarehouseError
from pipelines.warehouse.names import is_made, table_name
from pipelines.warehouse.tables import TABLES, Table

ACTS = tuple(table for table in TABLES if table.is_act)
_FORMAT = "modelmeter acts 1"


def export_acts(connection: psycopg.Connection[Any], path: Path) -> dict[str, int]:
    """Write every act to a JSON file, exactly; how many rows each table has. A table that is not made yet has none."""
    rows = {table.qualified: _rows(connection, table) for table in ACTS}
    content = {"format": _FORMAT, "tables": rows}
    write_atomically(path, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())
    return {name: len(found) for name, found in rows.items()}


def import_acts(connection: psycopg.Connection[Any], path: Path) -> dict[str, int]:
    """Add the acts of a file that are not there yet; how many were added to each table. All or none.

    Raises WarehouseError for a file that `export_acts` did not write.
    """
    try:
        content = json.loads(path.read_bytes())
        tables = content["tables"] if content["format"] == _FORMAT else None
    except (OSError, ValueError, LookupError, TypeError):
        tables = None
    if not isinstance(tables, dict) or set(tables) - {table.qualified for table in ACTS}:
        raise WarehouseError(f"{path} is no file of `modelmeter db export-acts` that this version knows")
    added = {}
    with connection.transaction():
        for table in ACTS:
            place = table_name(table)
            # As text, so that no number passes through a float.
            statement = sql.SQL(
                "insert into {place} select * from jsonb_populate_recordset(null::{place}, %s::jsonb) on conflict do nothing"
            ).format(place=place)
            try:
                done = connection.execute(statement, [json.dumps(tables.get(table.qualified, []))])
            except psycopg.Error:
                raise WarehouseError(
                    f"{path} has rows that {table.qualified} can't take; nothing was imported"
                ) from None
            added[table.qualified] = done.rowcount
    return added


def _rows(connection: psycopg.Connection[Any], table: Table) -> list[dict[str, Any]]:
    if not is_made(connection, table.qualified):
        return []
    # Numbers as text: JSON in Python would round them.
    columns = sql.SQL(", ").join(
        sql.SQL("{name}::text as {name}" if column.type.startswith("numeric") else "{name}").format(
            name=sql.Identifier(column.name)
        )
        for column in table.columns
    )
    statement = sql.SQL("select to_jsonb(found)::text from (select {} from {}) as found order by 1").format(
        columns, table_name(table)
    )
    return [json.loads(text) for (text,) in connection.execute(statement)]
