"""The list of days is made once, and is the one that Dagster makes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import dagster as dg

from assets.partitions import DAILY
from pipelines.daily.days import FIRST_DAY

_MIDNIGHT = datetime(2026, 2, 28, tzinfo=UTC)
_OWN = dg.DailyPartitionsDefinition(start_date=str(FIRST_DAY), timezone="UTC")


def test_days_are_those_of_dagster_at_every_time() -> None:
    for at in (
        _MIDNIGHT - timedelta(microseconds=1),
        _MIDNIGHT,
        _MIDNIGHT + timedelta(microseconds=1),
        _MIDNIGHT + timedelta(days=1, hours=9),
        _MIDNIGHT.replace(tzinfo=None),
    ):
        for _ in range(2):
            assert DAILY.get_partition_keys(at) == _OWN.get_partition_keys(at), at
    assert DAILY.get_partition_keys() == _OWN.get_partition_keys()
    assert DAILY.get_partition_keys(_MIDNIGHT)[-1] == "2026-02-27"


def test_days_are_listed_once_a_day() -> None:
    DAILY.get_partition_keys(_MIDNIGHT)
    with patch(
        "dagster._core.definitions.partitions.definition.time_window.dst_safe_strftime", side_effect=AssertionError
    ):
        assert DAILY.get_partition_keys(_MIDNIGHT + timedelta(hours=5))[0] == str(FIRST_DAY)


def test_they_are_dagsters_own_days() -> None:
    assert type(DAILY) is dg.DailyPartitionsDefinition
    assert DAILY == _OWN
