"""Runs of the command that are forked from a process which has imported the libraries: eight seconds of processor time less each.

A run has a process, a session, an environment and pipes of its own, as if it had been started from a shell, and its dbt process is a
child of it. `warm.py` is what the process that forks has ready. Real starts are tested too, by the fixture `undisturbed`, which runs
the wheel, and by the tests of the dbt process.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import hashlib
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import forkserver, resource_tracker, util
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal, Self

import pytest

# The session's folder is removed as a whole; a folder of multiprocessing's own would be missed when Python ends.
multiprocessing.current_process()._config["tempdir"] = tempfile.gettempdir()  # type: ignore[attr-defined]
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.end_to_end.warm"])
os.environ["GX_ANALYTICS_ENABLED"] = "false"  # great_expectations reads it when it is imported
_CLONE_NEWNS = 0x00020000


class Forked:
    """A run of `modelmeter`, in `folder` where one is given, with the attributes of `subprocess.Popen` that tests use. For it alone
    the folder `read_only` can't be written."""

    def __init__(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        folder: Path | None = None,
        read_only: Path | None = None,
    ) -> None:
        pipes = [_context.Pipe(duplex=False) for _ in range(2)]
        self._process = _context.Process(
            target=_run,
            args=(arguments, dict(environment), folder, read_only, *(writer for _, writer in pipes)),
            daemon=False,
        )
        self._process.start()
        for _, writer in pipes:
            writer.close()
        self.stdout, self.stderr = (os.fdopen(os.dup(reader.fileno()), encoding="utf-8") for reader, _ in pipes)
        for reader, _ in pipes:
            reader.close()
        assert self._process.pid is not None
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        return self.poll()

    def poll(self) -> int | None:
        return self._process.exitcode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What the run wrote, once it has ended. Raises TimeoutExpired, as `subprocess` does."""
        with ThreadPoolExecutor(2) as pool:
            texts = [pool.submit(stream.read) for stream in (self.stdout, self.stderr)]
            self._process.join(timeout)
            if self._process.exitcode is None:
                os.killpg(self.pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired("modelmeter", timeout or 0)
            out, err = (text.result() for text in texts)
        self.stdout.close()
        self.stderr.close()
        return out, err

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class ForkedDbt:
    """The dbt process of a run, with what `dbt_resource.py` uses of `subprocess.Popen`. It waits until it is given its command."""

    def __init__(self, method: Literal["fork", "forkserver"]) -> None:
        context = multiprocessing.get_context(method)
        (order, self._order), (read, stdin), (out, written) = (context.Pipe(duplex=False) for _ in range(3))
        inherited = [self._order, stdin, out] if method == "fork" else []
        self._process = context.Process(target=_dbt, args=(order, read, written, inherited), daemon=True)
        self._process.start()
        for connection in (order, read, written):
            connection.close()
        self.stdin, self.stdout = os.fdopen(os.dup(stdin.fileno()), "wb"), os.fdopen(os.dup(out.fileno()), "rb")
        stdin.close()
        out.close()

    def begin(self, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> Self:
        self._order.send(([*command], dict(environment), folder))
        return self

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("dbt", timeout or 0)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None and self._process.pid:
            os.kill(self._process.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in (self.stdin, self.stdout):
            with contextlib.suppress(BrokenPipeError):
                stream.close()
        self._order.close()
        self.wait()


@contextlib.contextmanager
def warm_dbt() -> Iterator[None]:
    """While this lasts, runs in this process have their dbt process forked."""
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(subprocess, "Popen", _popen_with(lambda: ForkedDbt("forkserver")))
        yield


def _popen_with(dbt: Callable[[], ForkedDbt]) -> type[subprocess.Popen[Any]]:
    """`subprocess.Popen`, of which the program of `dbt_process.py` is what `dbt` makes."""

    class Popen(subprocess.Popen):  # type: ignore[type-arg]
        def __new__(cls, command: Any, *_: Any, **options: Any) -> Any:
            if "-P" not in command or not str(command[2]).endswith("dbt_process.py"):
                return super().__new__(cls)
            return dbt().begin(command[3:], options["env"], options["cwd"])

    return Popen


def _dbt(order: Connection, read: Connection, written: Connection, inherited: Sequence[Any]) -> None:
    for stream in inherited:
        stream.close()
    _leave_tracker()
    try:
        arguments, environment, folder = order.recv()
    except EOFError:
        return
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for connection, number in ((read, 0), (written, 1), (written, 2)):
        os.dup2(connection.fileno(), number)
    sys.stdin = os.fdopen(0)
    from assets.dbt_process import main

    sys.exit(main(*arguments))


def _leave_tracker() -> None:
    """Let this process start a tracker of shared memory of its own; the session's would report what a killed run left."""
    tracker = resource_tracker._resource_tracker
    tracker._fd = tracker._pid = None  # type: ignore[attr-defined]


def stop_server() -> None:
    """End the server that forks and its helper, which otherwise live as long as this process."""
    forkserver._forkserver._stop()  # type: ignore[attr-defined]
    # dbt's locks of this process end first: the helper would report them as leaked, and they would then miss their files.
    util._run_finalizers(0)  # type: ignore[attr-defined]
    resource_tracker._resource_tracker._stop()  # type: ignore[attr-defined]


def _mount_read_only(folder: Path) -> None:
    """In mounts of this process's own: root heeds no permissions."""
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNS):
        raise OSError(ctypes.get_errno(), "unshare")
    for words in (["--make-rprivate", "/"], ["--bind", folder, folder], ["-o", "remount,bind,ro", folder]):
        subprocess.run(["mount", *words], check=True)


def _share_charts() -> None:
    """Draw a chart once in a session: what draws takes 0.7 s of processor time to start, and many runs show the same day."""
    from pipelines.finops.report import charts

    drawn = charts._drawn.__wrapped__
    folder = Path(tempfile.gettempdir(), "charts")

    @functools.cache
    def shared(spec: str) -> str:
        kept = folder / hashlib.sha256(spec.encode()).hexdigest()
        with contextlib.suppress(FileNotFoundError):
            return kept.read_text(encoding="utf-8")
        svg: str = drawn(spec)
        folder.mkdir(exist_ok=True)
        written = kept.with_suffix(f".{os.getpid()}")
        written.write_text(svg, encoding="utf-8")
        written.replace(kept)
        return svg

    charts._drawn = shared  # type: ignore[assignment]


def _run(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    folder: Path | None,
    read_only: Path | None,
    out: Connection,
    err: Connection,
) -> None:
    os.setsid()
    if read_only is not None:
        _mount_read_only(read_only)
    if folder is not None:
        os.chdir(folder)
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a shell that runs the tests in the background lets all ignore it
    _leave_tracker()
    os.environ.clear()
    os.environ.update(environment)
    for connection, number in ((out, 1), (err, 2)):
        os.dup2(connection.fileno(), number)
        connection.close()
    # The streams of the tests may be files, whose place can be asked for; that of a pipe can't.
    sys.stdout, sys.stderr = (open(number, "w", encoding="utf-8", buffering=1, closefd=False) for number in (1, 2))  # noqa: SIM115
    sys.argv = ["modelmeter", *arguments]
    _share_charts()
    ready = ForkedDbt("fork")  # as long as this process has no threads
    subprocess.Popen = _popen_with(lambda: ready)  # type: ignore[misc]
    from assets.cli import main

    main()
