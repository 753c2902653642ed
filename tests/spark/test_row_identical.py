"""The engine `spark` on a master and two workers leaves the rows that one machine leaves, also where something of it is killed."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pyarrow.dataset as ds
import pytest

from pipelines.spark import engine as engines
from pipelines.workspace import Workspace
from tests.spark.cluster import Standalone
from tests.spark.engines import Left, assert_same, driver, left, load, local_run, run, spark_workspace, windows
from tests.spark.landing import generated_logs, real_logs, sample_logs

pytest.importorskip(
    "pyspark", reason="PySpark is not installed: `make spark` installs the extra into an environment of its own"
)

LINES = int(os.environ.get("SPARK_LINES", "200000"))
"""Generated lines; the full proof takes 5000000."""
BUCKETS = 18
"""Of the run in which something is killed."""

pytestmark = [
    pytest.mark.slow,
    # PySpark's own words about the version of pandas, and its sockets that Java closes.
    pytest.mark.filterwarnings(
        "ignore::FutureWarning", "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
    ),
]


@pytest.fixture(scope="module")
def generated(work: Path, postgres_home: Path) -> tuple[Path, Left]:
    """Lines with copies, broken ones and unknown models, and what one machine makes of them."""
    root = work / "generated"
    generated_logs(root, LINES)
    return root, local_run(postgres_home, root)


def test_real_files_of_every_format(work: Path, shared_data: Path, postgres_home: Path, cluster: Standalone) -> None:
    root = work / "real"
    real_logs(shared_data, root)
    expected = local_run(postgres_home, root)
    assert expected["raw.duplicate"]["rule"].n_unique() >= 4
    assert expected["raw.quarantine"].height > 0
    with spark_workspace(postgres_home, root, cluster, "home-spark") as workspace:
        assert_same(run(workspace), expected)


def test_the_sources_of_the_sample(work: Path, postgres_home: Path, cluster: Standalone) -> None:
    root = work / "sample"
    sample_logs(root, date(2026, 2, 15), 2, 1000)
    expected = local_run(postgres_home, root)
    assert expected["core.request"]["list_cost_usd"].sum() > 0
    with spark_workspace(postgres_home, root, cluster, "home-spark") as workspace:
        assert_same(run(workspace), expected)


def test_generated_lines_and_their_facts(
    generated: tuple[Path, Left], postgres_home: Path, cluster: Standalone
) -> None:
    root, expected = generated
    with spark_workspace(postgres_home, root, cluster, "home-spark") as workspace:
        assert_same(run(workspace), expected)
        facts = pl.DataFrame(ds.dataset(workspace.settings.facts_root, partitioning="hive").to_table())
    rows = expected["core.request"]
    assert facts.height == rows.height
    assert facts["list_cost_usd"].sum() == rows["list_cost_usd"].sum()


def test_an_executor_and_a_worker_that_are_killed(
    generated: tuple[Path, Left], postgres_home: Path, cluster: Standalone, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, expected = generated
    monkeypatch.setattr(engines, "_BUCKET_ROWS", max(LINES // BUCKETS, 1))
    with spark_workspace(postgres_home, root, cluster, "home-killed") as workspace:
        days = windows(workspace)
        executor = _when_facts_appear(workspace, 1, cluster.kill_executor)
        worker = _when_facts_appear(workspace, BUCKETS // 3, cluster.kill_worker)
        load(workspace, days)
        assert executor() <= worker() < BUCKETS, "killed after the work was done"
        assert_same(left(workspace), expected)


def test_a_driver_that_is_killed(generated: tuple[Path, Left], postgres_home: Path, cluster: Standalone) -> None:
    root, expected = generated
    with spark_workspace(postgres_home, root, cluster, "home-driver") as workspace:
        process = driver(workspace.settings)
        _when_facts_appear(workspace, 1, lambda: os.killpg(process.pid, signal.SIGKILL))()
        assert process.wait() == -signal.SIGKILL
        assert left(workspace)["core.request"].is_empty(), "nothing of a killed run is seen"
        assert_same(run(workspace), expected)


def _when_facts_appear(workspace: Workspace, buckets: int, act: Callable[[], None]) -> Callable[[], int]:
    """Let `act` happen as soon as so many buckets are made; the result waits for it and says how many were made then."""
    loads, seen = Path(workspace.settings.facts_root) / "_loads", [0]

    def watch() -> None:
        until = time.monotonic() + 600
        while time.monotonic() < until:
            if (made := len(list(loads.glob("*/core.request*")))) >= buckets:
                seen[0] = made
                act()
                return
            time.sleep(0.05)

    thread = threading.Thread(target=watch)
    thread.start()

    def ended() -> int:
        thread.join()
        assert seen[0], "no facts appeared"
        return seen[0]

    return ended
