"""Runs of the command that are forked from a process which has imported the libraries: five seconds of processor time less each.

A run has a process, a session, an environment and pipes of its own, as if it had been started from a shell. The server that forks
imports no module that starts threads, polars above all: a forked process has none of them. Real starts are tested too, by the
fixture `undisturbed` and the tests of the wheel.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection

LIBRARIES = (
    "scipy.stats", "dagster", "dagster_postgres", "altair", "jinja2", "alembic", "sqlalchemy", "psycopg", "typer", "rich",
    "pydantic_settings", "great_expectations",
)  # fmt: skip

# The session's folder is removed as a whole; a folder of multiprocessing's own would be missed when Python ends.
multiprocessing.current_process()._config["tempdir"] = tempfile.gettempdir()  # type: ignore[attr-defined]
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(list(LIBRARIES))
os.environ["GX_ANALYTICS_ENABLED"] = "false"  # great_expectations reads it when it is imported


class Forked:
    """A run of `modelmeter` with the attributes of `subprocess.Popen` that tests use."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        pipes = [_context.Pipe(duplex=False) for _ in range(2)]
        self._process = _context.Process(
            target=_run, args=(arguments, dict(environment), *(writer for _, writer in pipes)), daemon=False
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


def stop_server() -> None:
    """End the server that forks and its helper, which otherwise live as long as this process."""
    forkserver._forkserver._stop()  # type: ignore[attr-defined]
    resource_tracker._resource_tracker._stop()  # type: ignore[attr-defined]


def _run(arguments: Sequence[str], environment: Mapping[str, str], out: Connection, err: Connection) -> None:
    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    for connection, number in ((out, 1), (err, 2)):
        os.dup2(connection.fileno(), number)
        connection.close()
    sys.argv = ["modelmeter", *arguments]
    from assets.cli import main

    main()
