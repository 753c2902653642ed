"""What `--tables` and `--describe` ask: Postgres's own catalog with the comments that every table and column bears."""

from __future__ import annotations

TABLES = """
select
    nspname || '.' || relname as "table",
    split_part(obj_description(pg_class.oid, 'pg_class'), '. ', 1) as "what is in it"
from pg_class
join pg_namespace on pg_namespace.oid = relnamespace
where nspname in ('raw', 'core', 'mart') and relkind in ('r', 'p', 'v', 'm') and not relispartition and relname <> 'alembic_version'
order by nspname, relname
"""

_COLUMNS = """
select
    attname as "column",
    format_type(atttypid, atttypmod) as "type",
    col_description(attrelid, attnum) as "what it is"
from pg_attribute
where attrelid = {table}::regclass and attnum > 0 and not attisdropped
order by attnum
"""


def columns_of(table: str) -> str:
    """The query for the columns of `schema.table`."""
    quoted = table.replace("'", "''")
    return _COLUMNS.format(table=f"'{quoted}'")
