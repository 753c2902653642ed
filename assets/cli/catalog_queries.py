"""What `--tables` and `--describe` ask: Postgres's own catalog with the comments that every table and column bears."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.config.mistakes import did_you_mean
from pipelines.warehouse.errors import QueryError

if TYPE_CHECKING:
    import psycopg

_IS_SHOWN = "nspname in ('raw', 'core', 'mart') and relkind in ('r', 'p', 'v', 'm') and not relispartition and relname <> 'alembic_version'"
TABLES = f"""
select
    nspname || '.' || relname as "table",
    split_part(replace(obj_description(pg_class.oid, 'pg_class'), '? ', '?. '), '. ', 1) as "what is in it"
from pg_class
join pg_namespace on pg_namespace.oid = relnamespace
where {_IS_SHOWN}
order by array_position(array['mart', 'core', 'raw'], nspname::text), relname
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


_NAMES = f"select nspname || '.' || relname from pg_class join pg_namespace on pg_namespace.oid = relnamespace where {_IS_SHOWN}"


def columns_of(connection: psycopg.Connection[Any], table: str) -> str:
    """The query for the columns of `schema.table`. Raises QueryError with what was probably meant where there is no such table."""
    names = [str(name) for (name,) in connection.execute(_NAMES.encode())]
    if table not in names:
        same = [name for name in names if name.partition(".")[2] == table]
        meant = f"; did you mean {same[0]!r}?" if same else did_you_mean(table, names)
        raise QueryError(f"there is no table {table!r}{meant or '; --tables lists them'}")
    quoted = table.replace("'", "''")
    return _COLUMNS.format(table=f"'{quoted}'")
