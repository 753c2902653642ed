"""A standalone Spark cluster on loopback: started and ended by the ids of its own processes."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

PROPERTIES = {
    "spark.driver.memory": "768m",
    "spark.executor.memory": "512m",
    "spark.executor.cores": "1",
    "spark.network.timeout": "60s",
    "spark.executor.heartbeatInterval": "10s",
}
"""Of a session on this cluster. An executor's heap is half of its worker's memory, its Python has the rest."""
_PATIENCE = 120.0


@dataclass
class Standalone:
    """The running master and its workers."""

    folder: Path
    url: str = ""
    master: subprocess.Popen[bytes] | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def add_worker(self) -> None:
        """Start a worker and wait until it is registered."""
        log = self.folder / f"worker-{len(self.workers)}-{time.monotonic_ns()}.log"
        given = (
            "--host",
            "127.0.0.1",
            "--webui-port",
            "0",
            "--cores",
            "1",
            "--memory",
            "1g",
            "--work-dir",
            str(self.folder / "work"),
        )
        self.workers.append(_started("worker.Worker", log, *given, self.url))
        _waited_for(log, "Successfully registered with master")

    def executors(self) -> list[psutil.Process]:
        """The executors that run, of all workers."""
        return [
            child for worker in self.workers for child in psutil.Process(worker.pid).children() if _is_executor(child)
        ]

    def kill_executor(self) -> None:
        """Kill -9 of one executor; its worker starts another."""
        self.executors()[0].kill()

    def kill_worker(self) -> None:
        """Kill -9 of one worker and its executors, as when a machine goes; another takes its place."""
        _ended(self.workers.pop())
        self.add_worker()


@contextmanager
def standalone(folder: Path, workers: int) -> Iterator[Standalone]:
    """A cluster with its logs in `folder`, ended with the block."""
    running = Standalone(folder)
    try:
        log = folder / "master.log"
        running.master = _started("master.Master", log, "--host", "127.0.0.1", "--port", "0", "--webui-port", "0")
        running.url = _waited_for(log, r"Starting Spark master at (spark://\S+)")
        for _ in range(workers):
            running.add_worker()
        yield running
    finally:
        for process in (*running.workers, running.master):
            if process is not None:
                _ended(process)


def _started(name: str, log: Path, *given: str) -> subprocess.Popen[bytes]:
    import pyspark

    home = Path(pyspark.__file__).parent
    environment = os.environ | {"SPARK_HOME": str(home), "SPARK_DAEMON_MEMORY": "256m", "SPARK_LOCAL_IP": "127.0.0.1"}
    command = [str(home / "bin/spark-class"), f"org.apache.spark.deploy.{name}", *given]
    with log.open("wb") as out:
        return subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment)


def _waited_for(log: Path, pattern: str) -> str:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        if found := re.search(pattern, log.read_text(errors="replace")):
            return found[found.lastindex or 0]
        time.sleep(0.2)
    raise TimeoutError(f"{pattern} is not in {log}: {log.read_text(errors='replace')[-2000:]}")


def _is_executor(process: psutil.Process) -> bool:
    try:
        return "CoarseGrainedExecutorBackend" in " ".join(process.cmdline())
    except psutil.NoSuchProcess:  # it ended, or nobody has noticed yet that it did
        return False


def _ended(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        children = psutil.Process(process.pid).children(recursive=True)
        for one in (process, *children):
            try:
                one.kill()
            except psutil.NoSuchProcess:
                continue
    process.wait()
