"""A real collector on loopback between an application and the receiver: Rotel, whose binary comes with its package.

It takes OTLP, gathers what arrives within its batch, and sends it on over OTLP.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

_WAIT_S = 30.0


@contextmanager
def collecting(behind: str) -> Iterator[str]:
    """The collector's address; what it has gathered lies at `behind` when the block has ended."""
    with TemporaryDirectory() as folder:
        http, grpc = _free_port(), _free_port()
        command = [
            str(_binary()), "start", "--log-file", f"{folder}/log", "--pid-file", f"{folder}/pid",
            "--otlp-http-endpoint", f"127.0.0.1:{http}", "--otlp-grpc-endpoint", f"127.0.0.1:{grpc}",
            "--exporter", "otlp", "--otlp-exporter-protocol", "http", "--otlp-exporter-endpoint", behind,
            "--batch-timeout", "1s",
        ]  # fmt: skip
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen(command, env={"PATH": os.environ["PATH"]}, **quiet)
        try:
            _wait_for(http)
            yield f"http://127.0.0.1:{http}"
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(_WAIT_S)


def _binary() -> Path:
    found = find_spec("rotel")
    if found is None or not found.submodule_search_locations:
        raise FileNotFoundError("the package rotel is not in this environment")
    return Path(found.submodule_search_locations[0]) / "rotel-agent"


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + _WAIT_S
    while time.monotonic() < deadline:
        with socket.socket() as asking:
            if asking.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("the collector does not listen")
