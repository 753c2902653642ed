"""Dagster's history remembers what the database has, and only that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest
from dagster._core.events.log import EventLogEntry
from dagster_postgres import PostgresEventLogStorage
from sqlalchemy import event as listening
from sqlalchemy.exc import ProgrammingError

from assets.run_history import Events, RunHistory
from pipelines.warehouse.database import Database


def test_what_was_found_is_remembered_and_what_was_missing_is_looked_for_again(database: Database) -> None:
    events = RunHistory(database.dagster_url).event_log_storage
    with database.named(database.dagster_database).connect() as connection:
        assert connection.execute("show synchronous_commit").fetchone() == ("on",), "of Dagster's own sessions only"
    assert not events.has_table("made_later")
    with events.index_connection() as connection:
        assert connection.exec_driver_sql("show synchronous_commit").scalar() == "off"
        connection.exec_driver_sql("create table made_later ()")
        assert events.has_table("made_later")
        connection.exec_driver_sql("drop table made_later")
    assert events.has_table("made_later")
    assert events.has_asset_key_col("asset_key")
    assert not events.has_asset_key_col("made_later")


@pytest.fixture(scope="module")
def run() -> tuple[str, list[EventLogEntry]]:
    """The events of a run of two assets and four checks, one of which fails."""

    @dg.multi_asset(
        specs=[dg.AssetSpec("first"), dg.AssetSpec("second", deps=["first"])],
        check_specs=[dg.AssetCheckSpec(name, asset=key) for key in ("first", "second") for name in ("holds", "agrees")],
    )
    def both() -> Iterator[object]:
        for key in ("first", "second"):
            yield dg.MaterializeResult(asset_key=key, metadata={"rows": 3})
            yield dg.AssetCheckResult(asset_key=key, check_name="holds", passed=True)
            yield dg.AssetCheckResult(asset_key=key, check_name="agrees", passed=key == "first")

    with dg.DagsterInstance.ephemeral() as instance:
        run_id = dg.materialize([both], instance=instance, raise_on_error=False).run_id
        return run_id, list(instance.all_logs(run_id))


def test_events_stand_as_dagster_writes_them_in_fewer_statements(
    database: Database, run: tuple[str, list[EventLogEntry]]
) -> None:
    run_id, entries = run
    made = RunHistory(database.dagster_url).event_log_storage  # makes the tables
    own = PostgresEventLogStorage(database.dagster_url)
    found, statements = [], []
    for storage in (own, made):
        storage.wipe()
        said: list[str] = []
        listening.listen(storage._engine, "before_cursor_execute", lambda *call, said=said: said.append(call[2]))
        for entry in entries:
            storage.store_event(entry)
        statements.append(len(said))
        found.append(_kept(storage, run_id))
    assert found[0] == found[1]
    assert [event for event, *_ in found[1][0]] == entries
    assert {name: status for name, status, *_ in found[1][2]} == {
        "first holds": "SUCCEEDED",
        "first agrees": "SUCCEEDED",
        "second holds": "SUCCEEDED",
        "second agrees": "FAILED",
    }
    assert statements[1] < 0.35 * statements[0], statements


def test_the_newest_event_of_an_asset_is_written_once_for_a_range_of_days(database: Database) -> None:
    """Each time it is some kilobytes: eighty assets and ninety days left 30 MB behind."""

    @dg.asset(partitions_def=dg.DailyPartitionsDefinition("2026-01-01"), backfill_policy=dg.BackfillPolicy.single_run())
    def table() -> dg.MaterializeResult:
        return dg.MaterializeResult(metadata={"rows": 3})

    days = {"dagster/asset_partition_range_start": "2026-01-01", "dagster/asset_partition_range_end": "2026-01-31"}
    with dg.DagsterInstance.ephemeral() as instance:
        run_id = dg.materialize([table], instance=instance, tags=days).run_id
        entries = list(instance.all_logs(run_id))
    events = RunHistory(database.dagster_url).event_log_storage
    events.wipe()
    said: list[str] = []
    listening.listen(events._engine, "before_cursor_execute", lambda *call: said.append(call[2]))
    for entry in entries:
        events.store_event(entry)
    assert sum("INSERT INTO asset_keys" in statement for statement in said) == 2, "planned, and made"
    (record,) = events.get_asset_records([table.key])
    newest = record.asset_entry.last_materialization
    assert newest is not None
    assert newest.get_dagster_event().partition == "2026-01-31"
    assert events.get_materialized_partitions(table.key) == {f"2026-01-{day:02}" for day in range(1, 32)}


def test_what_a_run_made_of_a_day_is_not_asked_of_the_database(database: Database) -> None:
    """Dagster asks for it with every check of the day."""

    @dg.asset(partitions_def=dg.DailyPartitionsDefinition("2026-01-01"))
    def table() -> None: ...

    def made_on(day: str) -> tuple[str, list[EventLogEntry]]:
        with dg.DagsterInstance.ephemeral() as instance:
            run_id = dg.materialize([table], instance=instance, partition_key=day).run_id
            return run_id, list(instance.all_logs(run_id))

    events = RunHistory(database.dagster_url).event_log_storage
    own = PostgresEventLogStorage(database.dagster_url)
    events.wipe()
    of_day = dg.AssetRecordsFilter(table.key, ["2026-01-02"])
    assert not events.fetch_materializations(of_day, limit=1).records
    for _ in range(2):  # the newest counts
        for entry in made_on("2026-01-02")[1]:
            events.store_event(entry)
    said: list[str] = []
    listening.listen(events._engine, "before_cursor_execute", lambda *call: said.append(call[2]))
    found = events.fetch_materializations(of_day, limit=1)
    assert said == []
    assert found == own.fetch_materializations(of_day, limit=1)
    (made,) = found.records
    for asked, limit in (
        (dg.AssetRecordsFilter(table.key, ["2026-01-02"], before_storage_id=made.storage_id), 1),
        (of_day, 9),
    ):
        assert events.fetch_materializations(asked, limit) == own.fetch_materializations(asked, limit)
    other = dg.AssetRecordsFilter(table.key, ["2026-01-03"])
    (waiting,) = [
        entry
        for entry in made_on("2026-01-03")[1]
        if entry.dagster_event_type is dg.DagsterEventType.ASSET_MATERIALIZATION
    ]
    events.store_event(waiting)
    assert [record.event_log_entry for record in events.fetch_materializations(other, limit=1).records] == [waiting]


def test_what_waits_is_there_for_whoever_reads(database: Database, run: tuple[str, list[EventLogEntry]]) -> None:
    run_id, entries = run
    events = RunHistory(database.dagster_url).event_log_storage
    assert isinstance(events, Events)
    events.wipe()
    waiting = [entry for entry in entries if entry.dagster_event_type is dg.DagsterEventType.STEP_OUTPUT]
    assert waiting
    for entry in waiting:
        events.store_event(entry)
    assert not PostgresEventLogStorage(database.dagster_url).get_logs_for_run(run_id)
    assert events.get_logs_for_run(run_id) == waiting


def test_what_waits_is_kept_where_the_database_refuses_to_write(
    database: Database, run: tuple[str, list[EventLogEntry]]
) -> None:
    run_id, entries = run
    events = RunHistory(database.dagster_url).event_log_storage
    assert isinstance(events, Events)
    events.wipe()
    waiting = next(entry for entry in entries if entry.dagster_event_type is dg.DagsterEventType.STEP_OUTPUT)
    later = next(entry for entry in entries if entry.dagster_event_type is dg.DagsterEventType.STEP_SUCCESS)
    events.store_event(waiting)
    with database.named(database.dagster_database).connect() as connection:
        connection.execute("alter table event_logs rename to event_logs_away")
    with pytest.raises(ProgrammingError):
        events.store_event(later)
    with database.named(database.dagster_database).connect() as connection:
        connection.execute("alter table event_logs_away rename to event_logs")
    events.store_event(later)
    assert events.get_logs_for_run(run_id) == [waiting, later]


def test_an_event_without_a_run_does_not_wait(database: Database) -> None:
    events = RunHistory(database.dagster_url).event_log_storage
    with dg.DagsterInstance.ephemeral() as instance:
        instance.report_runless_asset_event(dg.AssetMaterialization("third"))
        (entry,) = [
            record.event_log_entry for record in instance.fetch_materializations(dg.AssetKey("third"), 1).records
        ]
    events.store_event(entry)
    found = PostgresEventLogStorage(database.dagster_url).get_asset_records([dg.AssetKey("third")])
    assert [record.asset_entry.last_materialization for record in found] == [entry]


def test_what_was_reported_without_a_run_is_asked_again(database: Database) -> None:
    """A web server that took the report lives for weeks, and a run of another process makes the day anew."""
    day = "2026-01-05"
    with dg.DagsterInstance.ephemeral() as instance:
        instance.report_runless_asset_event(dg.AssetMaterialization("fourth", partition=day))
        (entry,) = [
            record.event_log_entry for record in instance.fetch_materializations(dg.AssetKey("fourth"), 1).records
        ]
    server, other = (RunHistory(database.dagster_url).event_log_storage for _ in range(2))
    server.store_event(entry)
    other.store_event(entry)
    of_day = dg.AssetRecordsFilter(dg.AssetKey("fourth"), [day])
    found = server.fetch_materializations(of_day, limit=1).records
    assert found == PostgresEventLogStorage(database.dagster_url).fetch_materializations(of_day, limit=1).records


def _kept(storage: PostgresEventLogStorage, run_id: str) -> tuple[list[Any], list[Any], list[Any]]:
    """Events, what is kept of each asset, and the results of checks, without the numbers of events."""
    keys = [dg.AssetKey("first"), dg.AssetKey("second")]
    events = [(record.event_log_entry,) for record in storage.get_records_for_run(run_id).records]
    assets = [
        (record.asset_entry.asset_key, record.asset_entry.last_run_id, record.asset_entry.last_materialization)
        for record in sorted(storage.get_asset_records(keys), key=lambda record: str(record.asset_entry.asset_key))
    ]
    checks = [
        (f"{key.path[0]} {name}", record.status.value, record.event)
        for key in keys
        for name in ("holds", "agrees")
        for record in storage.get_asset_check_execution_history(dg.AssetCheckKey(key, name), limit=5)
    ]
    return events, assets, checks
