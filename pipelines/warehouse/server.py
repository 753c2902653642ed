"""The running embedded server: the first command that needs it starts it, all share it, the last one stops it.

`cluster.py` holds the place of the cluster and its configuration, `database.py` connections and sessions. Every change of
state happens under one file lock. Every command that uses the server holds a lease, a locked file of its own, so that the
next command recognises the lease of a killed one.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import psutil

from pipelines.warehouse import cluster as clusters
from pipelines.warehouse import privileges
from pipelines.warehouse.cluster import Cluster
from pipelines.warehouse.errors import WarehouseError

_POLL_SECONDS = 0.02
_START_SECONDS = 600  # crash recovery after a long write may take minutes
_STOP_SECONDS = 60
_LOG_LIMIT_BYTES = 10 * 2**20


@dataclass(frozen=True)
class Running:
    """A running server: its process, where its socket lies, and its TCP port where it has one."""

    pid: int
    sockets: Path
    port: int
    listens_on_tcp: bool
    is_ready: bool


@dataclass(frozen=True)
class Holder:
    """A command that uses the server now."""

    pid: int
    command: str


@contextlib.contextmanager
def lease(home: Path) -> Iterator[Running]:
    """The server of `home`, started if need be and kept running until the last lease on it ends.

    A command that is killed loses its lease with its process: the server then stays until the next command
    ends or `modelmeter db down`.
    """
    cluster = clusters.locate(home)
    with contextlib.ExitStack() as stack:
        ticket: Path | None = None
        try:
            with _exclusive(cluster):
                ticket = stack.enter_context(_ticket(cluster))
                running = _ensure_running(cluster)
            yield running
        finally:
            with uninterrupted(), _exclusive(cluster):
                if ticket is not None:
                    ticket.unlink(missing_ok=True)
                    stack.close()
                if not _keep_file(cluster).exists() and not _holders(cluster):
                    stop(cluster)


def keep_up(home: Path, tcp_port: int | None = None) -> Running:
    """Start the server and keep it running after this command ends, on a loopback TCP port too where one is named.

    Raises WarehouseError where the running server would have to restart under other commands.
    """
    cluster = clusters.locate(home)
    with _exclusive(cluster):
        running = _find(cluster)
        if running and tcp_port and not (running.listens_on_tcp and running.port == tcp_port):
            _refuse_if_used(cluster, "the server has to restart to open a TCP port")
            _refuse_taken_port(tcp_port)
            stop(cluster)
        if tcp_port or not _keep_file(cluster).exists():
            _keep_file(cluster).write_text(json.dumps({"port": tcp_port}))
        try:
            return _ensure_running(cluster)
        except WarehouseError:
            _keep_file(cluster).unlink()
            raise


def shut_down(home: Path, *, force: bool = False) -> bool:
    """Stop the server, and no longer keep it up. False where none was running.

    Raises WarehouseError that names the commands that use it, unless `force` is set: they lose their connections.
    """
    if not (home / "postgres").exists():
        return False
    cluster = clusters.locate(home)
    with _exclusive(cluster):
        if not force:
            _refuse_if_used(cluster, "the server can't stop")
        _keep_file(cluster).unlink(missing_ok=True)
        return stop(cluster)


def remove(home: Path) -> None:
    """Stop the server and delete the cluster with everything in it, wherever `home` keeps it."""
    if not (home / "postgres").exists():
        return
    cluster = clusters.locate(home)
    with _exclusive(cluster):
        _refuse_if_used(cluster, "the database can't be removed")
        stop(cluster)
        if cluster.folder != home / "postgres":
            shutil.rmtree(cluster.folder)
    shutil.rmtree(home / "postgres")


def running(home: Path) -> Running | None:
    """The server of `home` if it runs now; starts nothing."""
    return _find(clusters.locate(home)) if (home / "postgres").exists() else None


def passwords(home: Path) -> dict[str, str]:
    """The passwords of the two roles for TCP connections, generated once, in a file that only the starter reads."""
    path = clusters.locate(home).base / "passwords.json"
    if not path.exists():
        fresh = {role: secrets.token_urlsafe(24) for role in (privileges.OWNER_ROLE, privileges.READER_ROLE)}
        draft = path.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(fresh, file)
        draft.replace(path)
    found: dict[str, str] = json.loads(path.read_text())
    return found


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Ctrl-C waits until the block ends, which takes seconds at most: a server that is half started or half stopped would be
    left behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        came.append(number)

    former = signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)
        if came:
            signal.raise_signal(signal.SIGINT)


@contextlib.contextmanager
def _exclusive(cluster: Cluster) -> Iterator[None]:
    """Only one command at a time starts, stops or makes the cluster. The lock goes with the process that held it."""
    path = cluster.base / "lock"
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
        os.fchmod(file.fileno(), 0o600)  # whoever can open the file can hold the lock
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _ticket(cluster: Cluster) -> Iterator[Path]:
    folder = cluster.base / "leases"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        verb = next((word for word in sys.argv[1:2] if not word.startswith("-")), "")
        json.dump({"pid": os.getpid(), "command": f"{Path(sys.argv[0]).name} {verb}".strip()}, file)
        file.flush()
        yield path


def _holders(cluster: Cluster) -> list[Holder]:
    """The commands that hold a lease. Files whose lock is free belong to killed commands and are removed."""
    holders = []
    for path in sorted((cluster.base / "leases").glob("*")):
        with path.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                found = json.load(file)
                holders.append(Holder(found["pid"], found["command"]))
            else:
                path.unlink()
    return holders


def _refuse_if_used(cluster: Cluster, refusal: str) -> None:
    holders = _holders(cluster)
    if holders:
        named = ", ".join(dict.fromkeys(f"{holder.command} (process {holder.pid})" for holder in holders))
        raise WarehouseError(
            f"{refusal} while other commands use it: {named}. Wait for them or end them; "
            "`modelmeter db down --force` stops the server under them."
        )


def _refuse_taken_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise WarehouseError(
                f"TCP port {port} of 127.0.0.1 can't be opened: {error.strerror}. Name another."
            ) from None


def _keep_file(cluster: Cluster) -> Path:
    return cluster.base / "keep"


def _find(cluster: Cluster) -> Running | None:
    """The running server of this cluster, read from the file it writes and checked against the process itself."""
    try:
        lines = (cluster.data / "postmaster.pid").read_text().splitlines()
        pid = int(lines[0])
        process = psutil.Process(pid)
        # A process id outlives its process: after a crash it may name a stranger.
        if process.status() == psutil.STATUS_ZOMBIE or Path(process.cwd()) != cluster.data.resolve():
            return None
        if len(lines) < 8:
            return Running(pid, Path(), 0, listens_on_tcp=False, is_ready=False)
        return Running(
            pid,
            Path(lines[4]),
            int(lines[3]),
            listens_on_tcp=bool(lines[5].strip()),
            is_ready=lines[7].strip() == "ready",
        )
    except (FileNotFoundError, psutil.NoSuchProcess, psutil.AccessDenied, ValueError, IndexError):
        return None


def _ensure_running(cluster: Cluster) -> Running:
    running = _find(cluster)
    if running is None:
        bin_folder = clusters.programs(cluster)
        with uninterrupted():
            clusters.ensure_data(cluster, bin_folder)
        kept = _keep_file(cluster)
        tcp_port = json.loads(kept.read_text())["port"] if kept.exists() else None
        sockets = clusters.socket_folder(cluster)
        _clear_crash(cluster, sockets)
        with uninterrupted():
            clusters.update_privileges(cluster, bin_folder)
        clusters.write_configuration(cluster, sockets, tcp_port)
        with uninterrupted():
            pid = _launch(cluster, bin_folder)
    else:
        pid = running.pid
    running = _await_ready(cluster, pid)
    clusters.check_private(running.sockets, cluster.runner)
    return running


def _clear_crash(cluster: Cluster, sockets: Path) -> None:
    """Remove the lock files of a server that was killed, once the last of its processes is gone.

    Postgres itself refuses to start when the process id in such a file was given to a stranger or is still to be
    reaped, and these files are all that protects the data from processes that outlive their server: hence the wait.
    """
    deadline = time.monotonic() + _STOP_SECONDS
    left_behind = [path for path in (cluster.data / "postmaster.pid", *sockets.glob(".s.PGSQL.*")) if path.exists()]
    while left_behind:
        alive = [process.info["pid"] for process in psutil.process_iter(["pid", "cwd"]) if _works_in(process, cluster)]
        if not alive:
            for path in left_behind:
                path.unlink(missing_ok=True)
            return
        if time.monotonic() > deadline:
            raise WarehouseError(
                f"the server of {cluster.data} was killed, but its processes {alive} still run. End them and try again."
            )
        time.sleep(_POLL_SECONDS)


def _works_in(process: psutil.Process, cluster: Cluster) -> bool:
    folder = process.info["cwd"]
    return folder is not None and Path(folder) == cluster.data.resolve()


def _launch(cluster: Cluster, bin_folder: Path) -> int:
    """Start the server in a session of its own: Ctrl-C for the command is not for it, nor does it hold its output.

    A shell starts it in the background and ends, so that the server is no child of this process. Returns its pid.
    """
    if cluster.log.exists() and cluster.log.stat().st_size > _LOG_LIMIT_BYTES:
        cluster.log.replace(cluster.log.with_suffix(".log.1"))
    with os.fdopen(os.open(cluster.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as log:
        shell = subprocess.run(
            ["/bin/sh", "-c", '"$@" >&2 & echo $!', "sh", bin_folder / "postgres", "-D", cluster.data],
            check=True,
            cwd=cluster.folder,
            env=clusters.SERVER_ENVIRONMENT,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            umask=0o077,
            text=True,
            **cluster.as_runner(),
        )
    pid = int(shell.stdout)
    # From here on the server is found by its file, and whoever is interrupted can stop it.
    while _find(cluster) is None and _lives(pid):
        time.sleep(_POLL_SECONDS)
    return pid


def _await_ready(cluster: Cluster, pid: int) -> Running:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and _lives(pid):
        running = _find(cluster)
        if running is not None and running.is_ready:
            return running
        time.sleep(_POLL_SECONDS)
    tail = cluster.log.read_bytes()[-2000:].decode(errors="replace").strip()
    raise WarehouseError(f"the embedded Postgres did not start. Its log, {cluster.log}, ends with:\n{tail}")


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def stop(cluster: Cluster) -> bool:
    """Stop fast: open transactions roll back and a checkpoint is written. After a minute, abort: recovery follows."""
    running = _find(cluster)
    if running is None:
        return False
    for how in (signal.SIGINT, signal.SIGQUIT):
        with contextlib.suppress(ProcessLookupError):
            os.kill(running.pid, how)
        deadline = time.monotonic() + _STOP_SECONDS
        while time.monotonic() < deadline:
            if not _lives(running.pid):
                return True
            time.sleep(_POLL_SECONDS)
    raise WarehouseError(f"the embedded Postgres (process {running.pid}) does not stop; see {cluster.log}")
