"""`modelmeter serve`: a real server on loopback shows reports, and nothing outside their folder or under another name."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server over a folder with a calendar and a month; a secret lies next to the folder."""
    home = tmp_path_factory.mktemp("served")
    (home / "secret.html").write_text("secret")
    month = home / "reports" / "2026-02"
    month.mkdir(parents=True)
    (home / "reports" / "index.html").write_text("calendar")
    (month / "index.html").write_text("month")
    (month / "model-spend-2026-02.xlsx").write_bytes(b"PK")
    (month / "note.txt").write_text("secret")
    (month / "link.html").symlink_to(home / "secret.html")
    code = "from assets.cli import main; import sys; sys.argv = ['modelmeter', 'serve', '--port', '0']; main()"
    environment = {**os.environ, "MODELMETER_REPORTS": str(home / "reports"), "MODELMETER_HOME": str(home)}
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    said = process.stderr.readline()
    yield int(said.split("127.0.0.1:")[1].split("/")[0])
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)


def ask(port: int, path: str, *, method: str = "GET", **headers: str) -> tuple[int, bytes, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.putrequest(method, path, skip_host="Host" in headers)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()}
    finally:
        connection.close()


def test_pages_and_files_are_shown(port: int) -> None:
    assert ask(port, "/")[:2] == (200, b"calendar")
    assert ask(port, "/2026-02/")[:2] == (200, b"month")
    status, body, headers = ask(port, "/2026-02/model-spend-2026-02.xlsx")
    assert (status, body, headers["x-content-type-options"]) == (200, b"PK", "nosniff")
    assert ask(port, "/2026-02/", Host=f"localhost:{port}")[0] == 200


@pytest.mark.parametrize(
    "path",
    ["/../secret.html", "/%2e%2e/secret.html", "/2026-02/..%2f..%2fsecret.html", "/..%5csecret.html", "//etc/passwd", "/2026-02/link.html",
     "/2026-02/note.txt", "/2026-02/%00", "/etc/passwd", "/....//secret.html", "/2026-02/../../secret.html"],
)  # fmt: skip
def test_nothing_outside_is(port: int, path: str) -> None:
    status, body, _ = ask(port, path)
    assert status in {400, 404}
    assert b"secret" not in body
    assert b"root:" not in body


@pytest.mark.slow
def test_it_answers_to_its_own_address_only(port: int) -> None:
    assert ask(port, "/", Host="evil.example")[0] == 403
    assert ask(port, "/", Origin="http://evil.example")[0] == 403
    assert ask(port, "/", method="POST")[0] == 405
