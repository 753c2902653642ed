"""Hours in which calls were under way, on real Postgres: overlapping calls count once, and none runs past midnight."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from uuid import UUID

from pipelines.daily.own_hardware import busy_hours
from pipelines.warehouse.database import Database
from pipelines.warehouse.tables.core import REQUEST
from tests.unit.quality.rows import DAY, good_row, insert


def test_calls_that_overlap_are_one_busy_time(bare: Database) -> None:
    """Two calls of 30 minutes that overlap by 10 are 50 minutes; one of two hours before midnight ends there, after 30 minutes."""
    midnight = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC)
    calls = [(600, 30), (620, 30), (23 * 60 + 30, 120)]
    rows = [
        good_row(
            REQUEST, request_uid=UUID(int=n), event_at=midnight + timedelta(minutes=start), latency_ms=minutes * 60_000.0,
            provider_id="vllm", model_id="r1",
        )
        for n, (start, minutes) in enumerate(calls)
    ]  # fmt: skip
    with bare.connect() as connection:
        insert(connection, REQUEST, rows)
        assert busy_hours(connection, "vllm", "r1", DAY) == {DAY: Fraction(80, 60)}
        assert busy_hours(connection, "vllm", "another", DAY) == {}
