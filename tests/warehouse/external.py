"""A Postgres that is not ours: version 16, reached over TCP by password, as a company's own server would be."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pipelines.warehouse import cluster as clusters
from tests.warehouse.test_access import free_port

PASSWORD = "p@ss/w:rd %"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """host:port of a Postgres 16 that knows only its superuser, by password."""
    programs = clusters.installed_programs().parents[1] / "pginstall" / "bin"
    if not programs.is_dir():
        pytest.skip("the package brings no second version of Postgres")
    base = Path(tempfile.mkdtemp(prefix="modelmeter-tests-"))
    base.chmod(0o711)
    probe = clusters.locate(base / "home")
    server = clusters.Cluster(base, base / "server", probe.starter, probe.runner)
    clusters._make_private(server.folder, server.runner)
    (server.folder / "password").write_text(PASSWORD)
    (server.folder / "password").chmod(0o644)
    port = free_port()
    made = server.run(
        [
            *(programs / "initdb", "-D", server.data, "--username=admin", "--encoding=UTF8", "--auth=scram-sha-256"),
            *(f"--pwfile={server.folder / 'password'}", "--no-sync"),
        ]
    )
    assert made.returncode == 0, made.stderr
    process = subprocess.Popen(
        [programs / "postgres", "-D", server.data, "-p", str(port), "-k", "", "-c", "listen_addresses=127.0.0.1"],
        stderr=subprocess.DEVNULL,
        cwd=server.folder,
        **server.as_runner(),
    )
    try:
        deadline = time.monotonic() + 30
        while "ready" not in (
            (server.data / "postmaster.pid").read_text() if (server.data / "postmaster.pid").exists() else ""
        ):
            assert time.monotonic() < deadline, "Postgres 16 did not start"
            time.sleep(0.05)
        yield f"127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGINT)  # at once: SIGTERM waits for every session that a test left open
        process.wait(timeout=30)
        shutil.rmtree(base)


def execute(address: str, *statements: str, dbname: str = "postgres") -> None:
    host, port = address.split(":")
    with psycopg.connect(
        host=host, port=port, user="admin", password=PASSWORD, dbname=dbname, autocommit=True
    ) as connection:
        for statement in statements:
            connection.execute(statement)
