"""Kill -9 of the run, of its server and of a backend: at steps, at random instants, and in the middle of a statement that is held up."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from pathlib import Path

import psutil
import pytest

from attacks.conftest import PATIENCE, ROUNDS, Attacked, all_days, kill, left_alone, wait_for_server
from tests.assets.conftest import SmallSample
from tests.end_to_end.installation import Run

STEPS = (
    "landing.price_feeds", "raw_request_files", "core_price", "core_rate_card", "core_request", "dbt_models.begin", "dbt_models.build", "routing_projection",
    "chargeback", "report.html",
)  # fmt: skip


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
    found = psutil.Process(wait_for_server(attacked.installation.home).pid)
    time.sleep(random.Random(f"server {number}").uniform(0, length))
    with contextlib.suppress(
        psutil.NoSuchProcess
    ):  # it ends with its run, which is sooner on a machine that became quiet
        found.kill()
    attacked.ends_in_words(run)  # or had ended before
    attacked.recovers()


SLOW_ROWS = """
    create function public.slow() returns boolean volatile language plpgsql as 'begin perform pg_sleep(0.05); return true; end';
    alter table core.request add constraint held_up check (public.slow());
"""
"""The partition that a load fills has the checks of core.request, so that its COPY takes half a minute."""


def test_a_backend_is_killed_in_copy(attacked: Attacked) -> None:
    """Postgres then ends every connection and recovers."""
    with attacked.database() as database, database.connect() as connection:
        connection.execute(SLOW_ROWS)
    run = attacked.start()
    kill_the_backend_of(attacked, run, "copy%request%")
    with attacked.database() as database, database.connect() as connection:
        connection.execute("alter table core.request drop constraint held_up; drop function public.slow")
    attacked.recovers()


def test_a_backend_is_killed_in_the_swap(attacked: Attacked) -> None:
    """The swap waits for a lock that somebody else holds."""
    with attacked.database() as database, contextlib.closing(database.connect()) as holder:
        holder.execute("lock table core.request in share update exclusive mode")
        run = attacked.start()
        kill_the_backend_of(attacked, run, "alter table%attach partition%")
    attacked.recovers()


def kill_the_backend_of(attacked: Attacked, run: Run, statement: str) -> None:
    """Kill the backend that executes such a statement; the run ends in words."""
    query = "select pid from pg_stat_activity where pid <> pg_backend_pid() and query ilike %s and state <> 'idle'"
    with attacked.database() as database:
        until, row = time.monotonic() + PATIENCE, None
        with database.connect() as connection:
            connection.autocommit = True
            while row is None:
                assert time.monotonic() < until, "the run did not come to the statement"
                assert run.poll() is None, run.communicate()
                row = connection.execute(query, [statement]).fetchone()
        os.kill(row[0], signal.SIGKILL)
        attacked.ends_in_words(run)


def test_a_rebuild_is_killed(attacked: Attacked, small_sample: SmallSample, tmp_path: Path) -> None:
    """Its tables are dropped and made in one transaction, and filled by runs like any other. It makes every day of the landing zone."""
    attacked.run()
    with attacked.database() as database, database.connect() as connection:
        connection.execute("insert into core.forgotten_user values ('abc', 'someone', now())")
    rebuild = attacked.installation.start("db", "rebuild", "--yes")
    attacked.until(rebuild, lambda line: line.split()[:2] == ["done", "core_rate_card"])
    kill(rebuild)
    with attacked.database() as database, database.connect() as connection:
        assert connection.execute("delete from core.forgotten_user").rowcount == 1
    out, _ = attacked.installation.run("status", status=1)
    assert "db rebuild --continue" in " ".join(out.split())
    attacked.installation.run("db", "rebuild", "--yes", "--continue")
    assert "rebuild" not in attacked.installation.run("status", "--json", status=0)[0]
    with left_alone(tmp_path, small_sample) as calm:
        calm.run("daily", *all_days(small_sample), patience=PATIENCE)
        mine, theirs = attacked.installation.tables(), calm.tables()
    assert {name for name in mine if mine[name] != theirs[name]} == set()
    assert attacked.leftovers() == []
