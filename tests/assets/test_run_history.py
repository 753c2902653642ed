"""Dagster's history remembers what the database has, and only that."""

from __future__ import annotations

from assets.run_history import RunHistory
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
