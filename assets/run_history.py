"""Dagster's run history in Postgres, in fewer statements than Dagster's own.

Dagster reads the catalog of the database with every event that it stores, some 150 times in a daily run, writes each of 600 events by itself,
and notifies listeners that no version of it has any more. Of each asset it keeps the newest event, some kilobytes, and writes it again for
each day of a range: the table, of 80 rows, had 31 MB after runs of 88 days.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from threading import Lock
from typing import Any

from dagster import AssetKey, AssetRecordsFilter, DagsterEventType, EventLogRecord, EventRecordsResult
from dagster._core.event_api import EventLogCursor
from dagster._core.events import ASSET_CHECK_EVENTS, ASSET_EVENTS
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log import SqlEventLogStorageTable
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.event_log import PostgresEventLogStorage
from dagster_postgres.utils import pg_url_from_config
from sqlalchemy import Connection

_WAITING = {
    DagsterEventType.STEP_OUTPUT,
    DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
    DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED,
    DagsterEventType.ASSET_MATERIALIZATION,
    DagsterEventType.ASSET_CHECK_EVALUATION,
}
"""Events of a run that others follow: at the latest the end of the step."""


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
    """Dagster's own; a table or column that was found once is not looked for again. What is missing may still be made.

    Events that wait are written with the next one, or before anything is read, so that the order stays.
    """

    def __init__(self, postgres_url: str) -> None:
        self._tables: set[str] = set()
        self._columns: set[str] = set()
        self._waiting: list[EventLogEntry] = []
        self._made: dict[tuple[AssetKey | None, str | None], EventLogRecord] = {}
        self._run_id = ""
        self._lock = Lock()
        super().__init__(postgres_url)

    def store_event(self, event: EventLogEntry) -> None:
        """Write the event and those that wait for it, or let it wait."""
        if event.dagster_event_type in _WAITING and event.run_id:
            with self._lock:
                self._waiting.append(event)
        else:
            self._write(event)

    def _connect(self) -> AbstractContextManager[Connection]:
        self._write()
        return super()._connect()

    def _write(self, *events: EventLogEntry) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, []
        if not (waiting or events):
            return
        try:
            stored = self._inserted([*waiting, *events])
        except BaseException:
            with self._lock:  # Dagster takes them for written; the event that it writes now, it knows to be lost
                self._waiting = [*waiting, *self._waiting]
            raise
        of_assets = [(event, number) for event, number in stored if _asset_of(event)]
        if of_assets:
            newest = {(_asset_of(event), event.dagster_event_type): (event, number) for event, number in of_assets}
            with self.index_transaction() as connection:
                self._store_asset_event_tags(connection, *zip(*of_assets, strict=True))
                for event, number in newest.values():
                    self._store_asset_event(connection, event, number)
        for event, number in stored:
            if event.dagster_event_type in ASSET_CHECK_EVENTS:
                self.store_asset_check_event(event, number)

    def _inserted(self, events: Sequence[EventLogEntry]) -> list[tuple[EventLogEntry, int]]:
        """The events, each with its number in the database."""
        columns = SqlEventLogStorageTable.c
        insert = SqlEventLogStorageTable.insert().returning(columns.id, sort_by_parameter_order=True)
        with super()._connect() as connection:
            ids: Sequence[int] = (
                connection.execute(insert, [self._event_to_row(event) for event in events]).scalars().all()
            )
        stored = list(zip(events, ids, strict=True))
        for event, number in stored:
            # A report without a run is not kept: a web server that takes it sees no run that makes the day later.
            if event.dagster_event_type is DagsterEventType.ASSET_MATERIALIZATION and event.run_id:
                if event.run_id != self._run_id:  # a process that runs for weeks would keep every event
                    self._run_id, self._made = event.run_id, {}
                self._made[_asset_of(event), event.get_dagster_event().partition] = EventLogRecord(number, event)
        return stored

    def fetch_materializations(
        self,
        records_filter: AssetKey | AssetRecordsFilter,
        limit: int,
        cursor: str | None = None,
        ascending: bool = False,
    ) -> EventRecordsResult:
        """From memory where it is the newest of one day and this process wrote it: Dagster asks for it with every check."""
        if isinstance(records_filter, AssetRecordsFilter) and (limit, cursor, ascending) == (1, None, False):
            key, days = records_filter.asset_key, records_filter.asset_partitions or ()
            if len(days) == 1 and records_filter == AssetRecordsFilter(key, days):
                if any(_asset_of(event) == key for event in self._waiting):
                    self._write()
                if made := self._made.get((key, days[0])):
                    at = EventLogCursor.from_storage_id(made.storage_id).to_string()
                    return EventRecordsResult([made], cursor=at, has_more=True)
        return super().fetch_materializations(records_filter, limit, cursor, ascending)

    def has_table(self, table_name: str) -> bool:
        """Whether the database has the table."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def _has_asset_key_col_on_connection(self, conn: Connection, column_name: str) -> bool:
        if column_name not in self._columns and super()._has_asset_key_col_on_connection(conn, column_name):
            self._columns.add(column_name)
        return column_name in self._columns


def _asset_of(event: EventLogEntry) -> AssetKey | None:
    """The asset that the event is about, where Dagster keeps the newest event of each asset."""
    is_kept = event.dagster_event is not None and event.dagster_event_type in ASSET_EVENTS
    return event.get_dagster_event().asset_key if is_kept else None
