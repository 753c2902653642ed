"""A real S3 server on loopback for tests: rclone, which serves a folder per bucket and checks every signature."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

RCLONE = Path(sys.executable).parent / "rclone"
KEY, SECRET = "AKLOOPBACK", "a-secret-that-no-message-may-show"


@dataclass(frozen=True)
class S3Server:
    """Each folder of `root` is a bucket; its files are the objects."""

    endpoint: str
    root: Path

    def environment(self) -> dict[str, str]:
        """What a person sets to use it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
        }

    def use(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        for name, value in self.environment().items():
            monkeypatch.setenv(name, value)


@contextmanager
def serve_s3(root: Path) -> Iterator[S3Server]:
    root.mkdir(parents=True, exist_ok=True)
    # With a cache of no time at all a folder is out of date as soon as it is read, and rclone reads on and on.
    command = [
        str(RCLONE), "serve", "s3", str(root), "--addr", "127.0.0.1:0", "--auth-key", f"{KEY},{SECRET}",
        "--dir-cache-time", "2ms", "--config", os.devnull, "--log-level", "NOTICE",
    ]  # fmt: skip
    log = root.parent / f"{root.name}.s3.log"
    with log.open("w") as stream, subprocess.Popen(command, stdout=stream, stderr=stream) as process:
        try:
            yield S3Server(_endpoint(process, log), root)
        finally:
            process.terminate()


def _endpoint(process: subprocess.Popen[bytes], log: Path) -> str:
    for _ in range(600):
        if (found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text())) is not None:
            return found[0]
        assert process.poll() is None, log.read_text()
        time.sleep(0.05)
    raise AssertionError(f"the S3 server did not start: {log.read_text()}")
