"""Dagster's run history in Postgres, without asking again and again which tables and columns it has.

Dagster reads the catalog of the database with every event that it stores, some 150 times in a daily run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.event_log import PostgresEventLogStorage
from dagster_postgres.utils import pg_url_from_config
from sqlalchemy import Connection


class RunHistory(DagsterPostgresStorage):
    """Dagster's own, with `Events` in place of its events."""

    def __init__(self, postgres_url: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(postgres_url, inst_data=inst_data)
        self._event_log_storage = Events(postgres_url)

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> RunHistory:
        """As dagster.yaml says."""
        return cls(pg_url_from_config(config_value), inst_data)


class Events(PostgresEventLogStorage):
    """Dagster's own; a table or column that was found once is not looked for again. What is missing may still be made."""

    def __init__(self, postgres_url: str) -> None:
        self._tables: set[str] = set()
        self._columns: set[str] = set()
        super().__init__(postgres_url)

    def has_table(self, table_name: str) -> bool:
        """Whether the database has the table."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def _has_asset_key_col_on_connection(self, conn: Connection, column_name: str) -> bool:
        if column_name not in self._columns and super()._has_asset_key_col_on_connection(conn, column_name):
            self._columns.add(column_name)
        return column_name in self._columns
