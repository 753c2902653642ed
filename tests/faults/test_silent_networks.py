"""Servers that stop answering while their connections stay open, at each stage: whoever waits for them gives up, and says so."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import make_url

from attacks.proxy import proxied, silent_from
from pipelines.alerts import channels
from pipelines.config.alerts import Channel
from pipelines.config.sources import PriceFeed, RequestSource, Sources
from pipelines.fetch import FetchLimits, client, fetch_feeds
from pipelines.landing import scan
from pipelines.pull import PullResult, database_engine, mysql_connection, pull_sources
from pipelines.pull.silence import watched
from pipelines.settings import Settings
from tests.unit.fetch.server import Handler, Server, serve
from tests.unit.pull.mariadb import mariadb
from tests.unit.pull.test_apis import NOW
from tests.unit.pull.test_databases import declared
from tests.warehouse.external import PASSWORD, address, execute

__all__ = ["address"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning"),  # apprise's own import
    # A cursor of a server that is lost can't be closed there.
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in. <function ServerCursorMixin:pytest.PytestUnraisableExceptionWarning"
    ),
]

QUICK = FetchLimits(read_s=0.3, feed_s=1.0, attempts=1)
FIRST = b""
"""The first thing that a server says, whatever it is."""
ROWS = 5_000
"""More than are fetched at once."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", landing=tmp_path / "landing", offline=False)


def pulled(settings: Settings, source: RequestSource) -> PullResult:
    (result,) = pull_sources(settings, Sources(requests=(source,)), landed=[], now=NOW, limits=QUICK)
    return result


def databases(kind: str, request: pytest.FixtureRequest) -> tuple[str, str]:
    """The address of a database of that kind with rows, and what the password is."""
    if kind == "mysql":
        return str(request.getfixturevalue("mysql")), "hidden-password"
    where = request.getfixturevalue("address")
    rows = f"select n, 'row ' || n || repeat('x', 500) as said from generate_series(1, {ROWS}) n"
    execute(where, "drop table if exists counted", f"create table counted as {rows}")
    return f"postgresql://admin:{quote(PASSWORD, safe='')}@{where}/postgres", PASSWORD


@pytest.fixture(scope="module")
def mysql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    import pymysql

    with mariadb(tmp_path_factory.mktemp("mdb")) as url:
        at = make_url(url)
        with pymysql.connect(host="127.0.0.1", port=at.port or 0, user=str(at.username), password=str(at.password), database="logs") as connection:  # fmt: skip
            with connection.cursor() as cursor:
                cursor.execute("create table counted (n int primary key, said text)")
                values = [(n, f"row {n}" + "x" * 500) for n in range(1, ROWS + 1)]
                cursor.executemany("insert into counted values (%s, %s)", values)
            connection.commit()
        yield url


@pytest.mark.parametrize("kind", ["mysql", "postgresql"])
@pytest.mark.parametrize(
    ("word", "said"),
    [
        (FIRST, "can't be reached, or refuses the login"),
        (b"row 2500x", "nothing came for 1 s"),
        (b"row 4999x", "nothing came for 1 s"),
    ],
    ids=["before the login", "in the middle of a result", "at its end"],
)
def test_a_database(
    kind: str,
    word: bytes,
    said: str,
    request: pytest.FixtureRequest,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, password = databases(kind, request)
    monkeypatch.setattr(mysql_connection, "LOGIN_S", 0.5)
    monkeypatch.setitem(database_engine.SIGNS_OF_LIFE, "connect_timeout", "2")
    source = declared(table="counted", cursor="n", cursor_type="number", window_rows=ROWS + 1)
    port = make_url(url).port
    started = time.monotonic()
    with proxied(f"http://127.0.0.1:{port}", silent_from(word)) as through:
        monkeypatch.setenv("LOGS_URL", url.replace(f":{port}/", f":{through.rpartition(':')[2]}/"))
        result = pulled(settings, source)
    assert time.monotonic() - started < 9, "MariaDB itself gives up a login after ten seconds"
    assert said in str(result.error), result.error
    assert password not in str(result.error)
    assert scan(settings.landing_zone, "requests").files == (), "a window lands whole or not at all"
    monkeypatch.setenv("LOGS_URL", url)
    assert (again := pulled(settings, source)).error is None
    assert (again.files, again.records) == (1, ROWS)


def test_what_is_heard_of_now_and_then_is_no_silence() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, watched(ours.fileno(), 0.4) as silence:
        for _ in range(6):
            time.sleep(0.1)
            silence.heard()
        assert not silence.is_over
        theirs.sendall(b"a")
        assert ours.recv(1) == b"a"
        assert ours.recv(1) == b"", "the wait ends with the time"
    assert silence.is_over


def dripping(handler: Handler) -> None:
    """Headers that never end, and never pause for long."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
    for _ in range(600):
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.05)


@pytest.fixture
def server() -> Iterator[Server]:
    with serve() as running:
        yield running


def test_headers_that_trickle(server: Server, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_OVERTIME_S", 0.1)
    server.routes["/map.json"] = dripping
    feed = PriceFeed(feed="map", format="litellm_map", url=f"{server.url}/map.json")
    started = time.monotonic()
    (result,) = fetch_feeds(settings, Sources(prices=(feed,)), now=NOW, limits=replace(QUICK, feed_s=0.5))
    assert (result.error or "").endswith("no answer within 0.5 s")
    assert time.monotonic() - started < 10


@contextmanager
def talking(lines: Callable[[bytes], bytes | None], greeting: bytes = b"", pause: float = 0.0) -> Iterator[str]:
    """host:port of a server that answers line by line; None keeps it silent with the connection open. Bytes come one by one with a pause."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def say(client: socket.socket, text: bytes) -> None:
            for byte in text:
                client.sendall(bytes([byte]))
                time.sleep(pause)

        def serve_one(client: socket.socket) -> None:
            with client, client.makefile("rb") as heard:
                try:
                    say(client, greeting)
                    for line in heard:
                        answer = lines(line)
                        if answer is None:
                            break
                        say(client, answer)
                    time.sleep(20)
                except OSError:
                    return

        def accept() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=serve_one, args=(client,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


def smtp(silent_at: str) -> Callable[[bytes], bytes | None]:
    """A mail server that says nothing more from a command on."""

    def answer(line: bytes) -> bytes | None:
        command = line.split()[0].upper().decode("ascii", "replace") if line.split() else ""
        if command == silent_at:
            return None
        return {"EHLO": b"250 here\r\n", "MAIL": b"250 ok\r\n", "RCPT": b"250 ok\r\n", "DATA": b"354 go\r\n"}.get(
            command, b""
        )

    return answer


def drip(_line: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nX: " + b"x" * 400


@pytest.mark.parametrize("silent_at", ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "."])
def test_a_mail_server(silent_at: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "SECONDS", 1.5)
    greeting = b"" if silent_at == "greeting" else b"220 here\r\n"
    with talking(smtp(silent_at), greeting) as where:
        said = sent(f"mailto://{where}/?from=a@here.example&to=b@here.example&mode=insecure", monkeypatch)
    assert said in {"the server did not finish within 1.5 s", "the server refused it or can't be reached"}


@pytest.mark.parametrize("kind", ["silent", "trickles"])
def test_a_webhook(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "SECONDS", 1.5)
    with talking(drip if kind == "trickles" else lambda _line: None, pause=0.1) as where:
        assert sent(f"json://{where}/", monkeypatch) == "the server did not finish within 1.5 s"


def sent(url: str, monkeypatch: pytest.MonkeyPatch) -> str | None:
    """What became of a message, which may not take long."""
    monkeypatch.setenv("ALERTS_URL", url)
    started = time.monotonic()
    said = channels.send(Channel(channel="here", url_env="ALERTS_URL"), channels.Message("title", "body"))
    assert time.monotonic() - started < 10
    return said


@pytest.mark.parametrize("kind", ["silent", "trickles"])
def test_the_dead_mans_switch(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines.fetch import ping as module

    monkeypatch.setattr(module, "_SECONDS", 0.5)
    started = time.monotonic()
    with (
        talking(drip if kind == "trickles" else lambda _line: None, pause=0.1) as where,
        pytest.raises(module.PingError, match=re.escape("could not be reached (")),
    ):
        module.ping(f"http://{where}/secret")
    assert time.monotonic() - started < 10
