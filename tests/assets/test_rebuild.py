"""A warehouse that is dropped and made again from the landing zone has the same rows; what people did is carried over."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from assets.cli.backup import _start_over, _windows
from pipelines.warehouse import acts
from pipelines.warehouse.checksums import Checksum, checksums
from pipelines.workspace import open_workspace
from tests.assets.conftest import DailyJob, SmallSample
from tests.assets.test_retention import job

__all__ = ["job"]
DONE_BY_PEOPLE = """
    insert into core.period_act values ('2026-01-01', now(), 'close', null, 7, 0.000000000000000001);
    insert into core.forgotten_user values ('abc', 'someone', now());
    insert into core.alert values (gen_random_uuid(), 'budget', now(), '2026-01-01', 'a title', 'a text', 0.1, 'a link');
    insert into core.alert_delivery select alert_id, 'mail', 2, now(), now(), null from core.alert;
"""


def sums(job: DailyJob) -> dict[str, Checksum]:
    with job.database.connect(read_only=True) as connection:
        return {name: found for name, found in checksums(connection).items() if found}


@pytest.mark.slow
def test_a_rebuild_gives_the_same_rows(
    job: DailyJob, small_sample: SmallSample, monkeypatch: pytest.MonkeyPatch
) -> None:
    with job.database.connect() as connection:
        connection.execute(DONE_BY_PEOPLE)
    before = sums(job)

    def is_killed(connection: psycopg.Connection[Any], path: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as attacked:
        attacked.setattr(acts, "import_acts", is_killed)
        with pytest.raises(KeyboardInterrupt):
            _start_over(job.settings())
    assert sums(job) == before, "all or nothing"

    _start_over(job.settings())

    kept = {name for name, found in sums(job).items() if found.rows}
    assert kept == {name for name, found in before.items() if found.rows} & {t.qualified for t in acts.ACTS}
    assert kept >= {"core.period_act", "core.forgotten_user", "core.alert", "core.alert_delivery"}
    with open_workspace(job.settings()) as workspace:
        (window,) = _windows(workspace)
    assert window.days == small_sample.days
    job.run(small_sample.days[0], small_sample.days[-1])
    assert sums(job) == before
