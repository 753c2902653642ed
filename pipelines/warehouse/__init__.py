"""The warehouse: Postgres, its tables and the ways in and out.

`open.open_database` opens it; `bulk_copy`, `replace` and `read` move frames; `tables` describes every table and `migrate`
makes them. This package exports the errors alone, so that importing them imports nothing else.
"""

from __future__ import annotations

from pipelines.warehouse.errors import LoadError, QueryError, WarehouseError

__all__ = ["LoadError", "QueryError", "WarehouseError"]
