"""The life of the embedded server: shared, killed, restarted, kept up and stopped, in folders of every kind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest

from pipelines.warehouse import server
from pipelines.warehouse.database import embedded_database
from pipelines.warehouse.errors import WarehouseError

HOLD = """
import sys
from pathlib import Path
from pipelines.warehouse import server
with server.lease(Path(sys.argv[1])) as running:
    print(running.pid, flush=True)
    sys.stdin.read()
"""


@contextmanager
def new_home(name: str = "home") -> Iterator[Path]:
    """A home that does not exist yet, in a folder that the server's own user can reach; removed with its cluster."""
    base = Path(tempfile.mkdtemp(prefix="modelmeter-tests-"))
    base.chmod(0o711)
    try:
        yield base / name
        server.shut_down(base / name, force=True)
        server.remove(base / name)
    finally:
        shutil.rmtree(base)


@pytest.fixture
def fresh_home() -> Iterator[Path]:
    with new_home() as path:
        yield path


@pytest.fixture(scope="module")
def used_home() -> Iterator[Path]:
    with new_home() as path:
        yield path


@pytest.fixture
def home(used_home: Path) -> Iterator[Path]:
    """A home that other tests have used and left in order; its server is down before and after the test."""
    yield used_home
    server.shut_down(used_home, force=True)


def hold(home: Path) -> subprocess.Popen[str]:
    """Another command that uses the server until its standard input is closed."""
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def let_go(command: subprocess.Popen[str]) -> None:
    command.communicate()
    assert command.returncode == 0


def first_line(command: subprocess.Popen[str]) -> str:
    assert command.stdout is not None
    return command.stdout.readline()


def is_alive(pid: int) -> bool:
    """False for a process that has ended and waits to be reaped, too."""
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def query(running: server.Running, statement: str) -> object:
    with embedded_database(running).connect() as connection:
        row = (
            connection.execute(statement).fetchone()
            if statement.startswith("select")
            else connection.execute(statement)
        )
        return row[0] if isinstance(row, tuple) else None


def test_two_commands_that_start_at_once_share_one_server_and_the_last_stops_it(fresh_home: Path) -> None:
    commands = [hold(fresh_home) for _ in range(3)]
    pids = {int(first_line(command)) for command in commands}
    assert len(pids) == 1
    pid = pids.pop()
    assert server.running(fresh_home) is not None
    for command in commands[:2]:
        let_go(command)
        assert is_alive(pid)
    let_go(commands[2])
    assert server.running(fresh_home) is None
    assert not is_alive(pid)


def test_leases_of_one_process_nest(home: Path) -> None:
    with server.lease(home) as outer:
        with server.lease(home) as inner:
            assert inner.pid == outer.pid
        assert query(outer, "select 1") == 1
    assert server.running(home) is None


def test_a_killed_command_leaves_a_server_that_the_next_one_uses_and_stops(home: Path) -> None:
    killed = hold(home)
    pid = int(first_line(killed))
    killed.kill()
    killed.communicate()
    assert is_alive(pid)
    with server.lease(home) as running:
        assert running.pid == pid
    assert not is_alive(pid)


def test_a_set_up_killed_in_the_middle_is_made_anew(fresh_home: Path) -> None:
    killed = """
import os, signal, sys
from pathlib import Path
from pipelines.warehouse import cluster, server
run = cluster.Cluster.run
def run_and_die(self, arguments, text=None):
    run(self, arguments, text)
    os.kill(os.getpid(), signal.SIGKILL)
cluster.Cluster.run = run_and_die
with server.lease(Path(sys.argv[1])):
    pass
"""
    assert subprocess.run([sys.executable, "-c", killed, str(fresh_home)], check=False).returncode == -signal.SIGKILL
    assert len(list((fresh_home / "postgres").glob("draft-*"))) == 1
    assert not (fresh_home / "postgres" / "data").exists()
    with server.lease(fresh_home) as running:
        assert query(running, "select current_user") == "modelmeter"
    assert not list((fresh_home / "postgres").glob("draft-*"))


def test_a_killed_server_recovers_what_was_committed(home: Path) -> None:
    with server.lease(home) as running:
        query(running, "create table if not exists kept (n integer)")
        query(running, "truncate kept")
        query(running, "insert into kept select generate_series(1, 1000)")
        os.kill(running.pid, signal.SIGKILL)
        while is_alive(running.pid):
            time.sleep(0.01)
        with server.lease(home) as again:
            assert again.pid != running.pid
            assert query(again, "select count(*) from kept") == 1000


def test_a_lock_file_that_names_a_stranger_does_not_stop_the_start(home: Path) -> None:
    with server.lease(home):
        found = (home / "postgres" / "data" / "postmaster.pid").read_text().splitlines()
    (home / "postgres" / "data" / "postmaster.pid").write_text("\n".join([str(os.getpid()), *found[1:]]) + "\n")
    with server.lease(home) as running:
        assert running.pid != os.getpid()
        assert query(running, "select 1") == 1


def test_a_server_that_can_not_start_shows_its_log(home: Path) -> None:
    with server.lease(home):
        pass
    config = home / "postgres" / "data" / "postgresql.conf"
    good = config.read_text()
    config.write_text(good + "no_such_setting = 1\n")
    with (
        pytest.raises(WarehouseError, match='unrecognized configuration parameter "no_such_setting"'),
        server.lease(home),
    ):
        pass
    config.write_text(good)


def test_a_cluster_of_another_version_is_reported(fresh_home: Path) -> None:
    with server.lease(fresh_home):
        pass
    (fresh_home / "postgres" / "data" / "PG_VERSION").write_text("17\n")
    with (
        pytest.raises(WarehouseError, match=r"was made by Postgres 17, this version of modelmeter brings 18"),
        server.lease(fresh_home),
    ):
        pass


def test_kept_up_it_outlives_commands_until_it_is_shut_down(home: Path) -> None:
    assert server.shut_down(home) is False
    running = server.keep_up(home)
    assert not running.listens_on_tcp
    with server.lease(home) as leased, server.lease(home):
        assert leased.pid == running.pid
        # The caller's own leases are in the way as well, and the message names it once.
        with pytest.raises(WarehouseError, match="can't stop while other commands use it: ") as refused:
            server.shut_down(home)
        assert str(refused.value).count(f"(process {os.getpid()})") == 1
    assert server.keep_up(home).pid == running.pid
    assert server.shut_down(home) is True
    assert server.shut_down(home) is False
    with server.lease(home):
        pass
    assert server.running(home) is None


def test_force_stops_it_under_a_command(home: Path) -> None:
    with server.lease(home) as running:
        connection = embedded_database(running).connect()
        assert server.shut_down(home, force=True) is True
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")
        connection.close()


def test_ctrl_c_for_the_command_is_not_for_the_server(home: Path) -> None:
    command = hold(home)
    pid = int(first_line(command))
    with server.lease(home):
        os.killpg(command.pid, signal.SIGINT)
        command.communicate()
        time.sleep(0.2)
        assert is_alive(pid)
        assert os.getsid(pid) != command.pid


def test_the_server_does_not_hold_the_output_of_the_command_that_started_it(home: Path) -> None:
    start = "import sys; from pathlib import Path; from pipelines.warehouse import server; server.keep_up(Path(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", start, str(home)], capture_output=True, text=True, check=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("", "")
    running = server.running(home)
    assert running is not None
    outputs = (
        {str(Path(f"/proc/{running.pid}/fd/{number}").readlink()) for number in (0, 1, 2)}
        if sys.platform == "linux"
        else set()
    )
    assert not {path for path in outputs if path.startswith(("pipe:", "/dev/pts"))}


@pytest.mark.parametrize(
    "name",
    ["with space", 'it\'s "quoted", $HOME `x` \\ ünï', "long-" * 30, "a/b/c"],
    ids=["space", "quotes", "long", "deep"],
)
def test_any_path_will_do(name: str) -> None:
    with new_home(name) as home:
        with server.lease(home) as running:
            query(running, "create table if not exists kept (n integer)")
            assert len(bytes(running.sockets)) + len("/.s.PGSQL.5432") <= 107
        with server.lease(home) as again:
            assert query(again, "select count(*) from kept") == 0


def test_a_copied_home_does_not_share_the_database_of_the_original() -> None:
    """Where the cluster lies in its home there is nothing to share; elsewhere both records would lead to one cluster."""
    with new_home("long-" * 30) as home:
        with server.lease(home):
            pass
        if not (home / "postgres" / "location").exists():
            pytest.skip("only root keeps a cluster away from its home")
        copy = home.with_name("copy")
        (copy / "postgres").mkdir(parents=True)
        shutil.copy(home / "postgres" / "location", copy / "postgres" / "location")
        with pytest.raises(WarehouseError, match="looks like a copy"), server.lease(copy):
            pass
        with server.lease(home):
            pass
        moved = home.with_name("moved")
        home.rename(moved)
        with server.lease(moved) as running:
            assert query(running, "select 1") == 1
        moved.rename(home)


def test_the_log_holds_no_values_of_rows(home: Path) -> None:
    with server.lease(home) as running:
        query(running, "create table if not exists named (t text primary key)")
        for statement in (
            "insert into named values ('secret-1'), ('secret-1')",
            "select 'secret-2'::integer",
            "selec secret-3",
        ):
            with pytest.raises(psycopg.Error, match=r"secret-\d|selec"):
                query(running, statement)
    log = (home / "postgres" / "server.log").read_text()
    assert "ready to accept connections" in log
    assert "secret" not in log


def test_the_passwords_are_made_once_for_the_starter_alone(fresh_home: Path) -> None:
    (fresh_home / "postgres").mkdir(parents=True, mode=0o711)
    first = server.passwords(fresh_home)
    assert first == server.passwords(fresh_home) == json.loads((fresh_home / "postgres" / "passwords.json").read_text())
    assert set(first) == {"modelmeter", "modelmeter_reader"}
    assert len(set(first.values())) == 2
    assert min(map(len, first.values())) >= 32
    assert (fresh_home / "postgres" / "passwords.json").stat().st_mode & 0o777 == 0o600
