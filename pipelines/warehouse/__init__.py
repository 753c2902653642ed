"""The warehouse: Postgres, its tables and the ways in and out.

`open.open_database` opens it, `bulk_copy`, `replace` and `read` move frames, `tables` describes every table,
`migrate` makes them. Only the errors are offered here, so that naming them imports nothing else.
"""

from __future__ import annotations

from pipelines.warehouse.errors import LoadError, QueryError, WarehouseError

__all__ = ["LoadError", "QueryError", "WarehouseError"]
