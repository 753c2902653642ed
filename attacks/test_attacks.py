"""Kill -9, a full disk and a crowd, at steps and at random instants. After each: the same tables, nothing left, the right message."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from attacks.conftest import ROUNDS, Attacked, wait_for_server
from pipelines.warehouse.database import embedded_database
from tests.assets.conftest import SmallSample
from tests.end_to_end.installation import Finished, Installation, Run, differences

STEPS = (
    "landing.price_feeds", "raw_request_files", "core_price", "core_rate_card", "core_request", "dbt_models", "routing_projection",
    "chargeback", "report.html",
)  # fmt: skip


def kill(process: Run) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


@pytest.mark.parametrize("step", STEPS)
def test_killed_after_a_step(attacked: Attacked, step: str) -> None:
    run = attacked.start()
    attacked.until(run, lambda line: line.split()[:2] == ["done", step])
    kill(run)
    attacked.recovers()


@pytest.mark.parametrize("number", range(ROUNDS))
def test_killed_at_a_random_instant(attacked: Attacked, length: float, number: int) -> None:
    run = attacked.start()
    time.sleep(random.Random(f"run {number}").uniform(0, length))
    kill(run)
    attacked.recovers()


@pytest.mark.parametrize("number", range(ROUNDS))
def test_the_server_is_killed_at_a_random_instant(attacked: Attacked, length: float, number: int) -> None:
    """A run that loses its server ends in words, and leaves the next one a server that recovers."""
    run = attacked.start()
    found = wait_for_server(attacked.installation.home)
    time.sleep(random.Random(f"server {number}").uniform(0, length))
    os.kill(found.pid, signal.SIGKILL)
    out, err = run.communicate(timeout=300)
    if run.returncode == 0:
        return  # it had ended before
    assert run.returncode in {1, 2}, f"{out}\n{err}"
    assert "Traceback" not in err, err
    attacked.recovers()


@pytest.mark.parametrize("statement", ["copy", "alter table"], ids=["in COPY", "in the swap"])
def test_a_backend_is_killed(attacked: Attacked, statement: str) -> None:
    """Postgres then ends every connection and recovers."""
    run = attacked.start()
    attacked.until(run, lambda line: line.split()[:2] == ["done", "core_rate_card"])
    database = embedded_database(wait_for_server(attacked.installation.home))
    query = "select pid from pg_stat_activity where pid <> pg_backend_pid() and query ilike %s and state <> 'idle'"
    until, pid = time.monotonic() + 60, None
    while pid is None and time.monotonic() < until and run.poll() is None:
        with contextlib.suppress(psycopg.Error), database.connect() as connection:
            row = connection.execute(query, [f"{statement}%request%"]).fetchone()
            pid = row[0] if row else None
    if pid is None:
        kill(run)
        pytest.skip("the moment was too short to be seen")
    os.kill(pid, signal.SIGKILL)
    out, err = run.communicate(timeout=300)
    assert run.returncode in {1, 2}, f"{out}\n{err}"
    assert "Traceback" not in err, err
    attacked.recovers()


def test_three_runs_of_other_days_and_everything_else_at_once(attacked: Attacked, small_sample: SmallSample) -> None:
    days = [str(day) for day in small_sample.days]
    commands = [
        *(("daily", "--date", day) for day in days),
        ("prune",),
        ("status", "--json"),
        ("db", "dump", str(attacked.installation.home / "w.dump")),
        ("sql", "select count(*) from core.request"),
    ]
    runs = [attacked.installation.start(*command) for command in commands]
    for command, run in zip(commands, runs, strict=True):
        out, err = run.communicate(timeout=600)
        assert run.returncode == 0 or command[0] == "status", f"{command}: {out}\n{err}"
    attacked.recovers()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 40 MB, which a cluster alone fills."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m,mode=0711", "tmpfs", place], check=False)
    if mounted.returncode != 0:
        pytest.skip("this machine mounts no file system")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


@pytest.mark.parametrize("megabytes", [40, 75, 100, 140])
def test_the_disk_of_the_home_is_full(
    small_disk: Path, megabytes: int, undisturbed: Finished, small_sample: SmallSample
) -> None:
    """Wherever it runs full, it is said in words; with room again, the next run gives the same tables."""
    subprocess.run(["mount", "-o", f"remount,size={megabytes}m", small_disk], check=True)
    home = small_disk / "home"
    home.mkdir()
    attacked = Attacked(Installation(home, small_sample.root), undisturbed, str(small_sample.days[1]))
    try:
        run = attacked.start()
        out, err = run.communicate(timeout=300)
        if run.returncode != 0:
            assert "Traceback" not in err, err
            assert "No space left" in f"{out}{err}" or "could not" in f"{out}{err}", err
        subprocess.run(["mount", "-o", "remount,size=2g", small_disk], check=True)
        attacked.recovers()
    finally:
        attacked.installation.remove()


def test_a_clock_that_steps_back_a_day_between_runs(attacked: Attacked, undisturbed: Finished) -> None:
    """Files look as if they came from the future; nothing is read twice or skipped."""
    attacked.installation.run("daily", "--date", attacked.day)
    ahead = time.time() + 86_400
    for path in attacked.installation.home.rglob("*"):
        if path.is_file() and "postgres" not in path.parts:
            os.utime(path, (ahead, ahead))
    attacked.recovers()
    assert differences(attacked.installation, undisturbed) == set()
