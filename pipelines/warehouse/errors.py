"""The errors of the warehouse, written for the person who reads them.

A single broken record is no error: it becomes a row of `raw.quarantine` (`pipelines.requests`).
"""

from __future__ import annotations


class WarehouseError(RuntimeError):
    """The database can't be started, reached, migrated or stopped. The message names the remedy."""


class LoadError(ValueError):
    """A frame can't be loaded into a table. The message names the table, the column, the value found and those accepted."""


class QueryError(ValueError):
    """A query was refused or failed. The message points at the place in the query."""
