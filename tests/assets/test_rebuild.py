"""A warehouse that is dropped and made again from the landing zone has the same rows; what people did is carried over."""

from __future__ import annotations

import pytest

from assets.cli.backup import _start_over, _windows
from pipelines.warehouse.checksums import Checksum, checksums
from pipelines.workspace import open_workspace
from tests.assets.conftest import DailyJob, SmallSample
from tests.assets.test_retention import job

__all__ = ["job"]


def sums(job: DailyJob) -> dict[str, Checksum | None]:
    with job.database.connect(read_only=True) as connection:
        return checksums(connection)


@pytest.mark.slow
def test_a_rebuild_gives_the_same_rows(job: DailyJob, small_sample: SmallSample) -> None:
    with job.database.connect() as connection:
        connection.execute(
            "insert into core.period_act values ('2026-01-01', now(), 'close', null, 7, 0.000000000000000001)"
        )
        connection.execute("insert into core.forgotten_user values ('abc', 'someone', now())")
    before = sums(job)

    _start_over(job.settings())

    after = sums(job)
    emptied = {name for name, found in after.items() if found is None or found.rows == 0}
    assert "core.request" in emptied
    assert "core.period_act" not in emptied
    with open_workspace(job.settings()) as workspace:
        (window,) = _windows(workspace)
    assert window.days == small_sample.days
    job.run(small_sample.days[0], small_sample.days[-1])
    assert sums(job) == before
