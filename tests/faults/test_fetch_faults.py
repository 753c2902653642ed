"""What a network does to a fetch: each fault from a real server on loopback, its verdict, and that others go on.

What lands when all goes well is in `tests/unit/fetch`.
"""

from __future__ import annotations

import gzip
import ipaddress
import logging
import socket
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from pipelines.config.sources import PriceFeed, Sources
from pipelines.fetch import FetchLimits, FetchResult, fetch_feeds
from pipelines.landing import read_bytes, scan
from pipelines.settings import Settings
from tests.unit.fetch.server import Handler, Route, Server, in_turn, reply, serve

NOW = datetime(2026, 2, 14, 6, 0, tzinfo=UTC)
QUICK = FetchLimits(connect_s=1, read_s=0.3, feed_s=5, unreachable_s=2, retry_wait_s=0.01, retry_after_max_s=1)
SECRET = "s3cr3t-t0ken"


@pytest.fixture
def server() -> Iterator[Server]:
    with serve() as running:
        yield running


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", landing=tmp_path / "landing", offline=False)


def feeds(**urls: str) -> Sources:
    return Sources(prices=tuple(PriceFeed(feed=name, format="litellm_map", url=url) for name, url in urls.items()))


def fetch(settings: Settings, sources: Sources, limits: FetchLimits = QUICK) -> dict[str, FetchResult]:
    return {result.name: result for result in fetch_feeds(settings, sources, now=NOW, limits=limits)}


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def slow_headers(handler: Handler) -> None:
    time.sleep(1)
    reply(b"{}")(handler)


def stalls_after(part: bytes) -> Route:
    def route(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(part)
        handler.wfile.flush()
        time.sleep(1)
        handler.close_connection = True

    return route


def truncated(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.send_header("ETag", '"half"')
    handler.end_headers()
    handler.wfile.write(b'{"half": ')
    handler.close_connection = True


def trickle(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    for _ in range(1000):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.05)


OVERSIZED = b"[" + b"1," * 5000 + b"1]"
HTML = b"<!DOCTYPE html><html><body>Sign in to continue</body></html>"


@pytest.mark.parametrize(
    ("route", "verdict", "status", "attempts"),
    [
        (reply(status=404), "the server answers 404", 404, 1),
        (reply(status=401), "the server answers 401", 401, 1),
        (reply(status=405), "the server answers 405", 405, 1),
        (reply(status=204), "the server answers 204", 204, 1),
        (reply(status=503), "the server answers 503", 503, 3),
        (reply(status=429, Retry_After="3600"), "the server answers 429, asks to wait 3600 s", 429, 1),
        (reply(HTML), "JSON was expected, but the answer is HTML", 200, 1),
        (reply(b""), "the answer is empty", 200, 1),
        (reply(OVERSIZED), "larger than 10,000 bytes", 200, 1),
        (reply(b"not gzip", Content_Encoding="gzip"), "the compressed answer is broken", None, 3),
        (reply(status=302, Location="/map.json"), "redirects more than 5 times", None, 1),
        (truncated, "the server broke off before the answer was complete", None, 3),
        (slow_headers, "no data within 0.3 s", None, 3),
        (stalls_after(b'{"a"'), "no data within 0.3 s", None, 3),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_each_fault_has_its_verdict_and_lands_nothing(
    server: Server, settings: Settings, route: Route, verdict: str, status: int | None, attempts: int
) -> None:
    server.routes["/map.json"] = route
    url = f"{server.url}/map.json"
    result = fetch(settings, feeds(map=url), replace(QUICK, max_bytes=10_000))["map"]
    assert (result.outcome, result.error, result.http_status) == ("failed", f"{url}: {verdict}", status)
    assert (result.attempts, result.path, result.is_stale) == (attempts, None, True)
    if "redirects" not in verdict:
        assert server.count("/map.json") == attempts
    assert scan(settings.landing_zone, "prices").files == ()


def gzipped(size: int, times: int = 1) -> bytes:
    body = b" " * size
    for _ in range(times):
        body = gzip.compress(body, 1)
    return body


@pytest.mark.parametrize(
    ("body", "encoding", "verdict"),
    [
        (gzipped(100 << 20), "gzip", "larger than 1,000,000 bytes"),
        (gzipped(100 << 20, 2), "gzip, gzip", "the answer is encoded 2 times ('gzip, gzip'); once is accepted"),
        (b"{}", "br", "content encoding 'br'; gzip and deflate are accepted"),
        (gzip.compress(b'{"a": 1}')[:-4], "gzip", "the compressed answer is broken"),
    ],
    ids=["bomb", "bomb in a bomb", "not asked for", "cut off"],
)
def test_an_answer_is_decoded_once_and_within_the_limit(
    server: Server, settings: Settings, body: bytes, encoding: str, verdict: str
) -> None:
    """100 MB of spaces are 100 kB compressed and 500 bytes compressed twice: they are never held in memory."""
    server.routes["/map.json"] = reply(body, Content_Encoding=encoding)
    url = f"{server.url}/map.json"
    tracemalloc.start()
    result = fetch(settings, feeds(map=url), replace(QUICK, max_bytes=1_000_000))["map"]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert result.error == f"{url}: {verdict}"
    assert peak < 20_000_000


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b'{"a": ') + gzip.compress(b"1}")),
        ("deflate", zlib.compress(b'{"a": 1}')),
        ("deflate", zlib.compress(b'{"a": 1}')[2:-4]),
        ("identity", b'{"a": 1}'),
    ],
    ids=["members", "zlib", "raw deflate", "plain"],
)
def test_every_accepted_encoding_lands_what_was_encoded(
    server: Server, settings: Settings, encoding: str, body: bytes
) -> None:
    server.routes["/map.json"] = reply(body, Content_Encoding=encoding)
    assert fetch(settings, feeds(map=f"{server.url}/map.json"))["map"].error is None
    assert read_bytes(scan(settings.landing_zone, "prices").files[0]) == b'{"a": 1}'


def test_a_redirect_stays_with_the_declared_origin(server: Server, settings: Settings) -> None:
    """Another port of the same host is another server; the file scheme and a link-local address are none of a feed's business."""
    with serve() as other:
        other.routes["/map.json"] = reply(b"{}")
        refused = {
            f"{other.url}/map.json": "which is not the declared scheme and host; options.redirects of the feed can allow it",
            "https://127.0.0.1/map.json": "which is not the declared scheme and host; options.redirects of the feed can allow it",
            "http://169.254.169.254/latest": "which is not the declared scheme and host; options.redirects of the feed can allow it",
        }
        for target, reason in refused.items():
            server.routes["/map.json"] = reply(status=302, Location=target)
            url = f"{server.url}/map.json"
            assert fetch(settings, feeds(map=url))["map"].error == f"{url}: redirects to {target}, {reason}"
        options = {"redirects": [other.url, "http://169.254.169.254", "http://[::ffff:10.0.0.1]"]}
        allowed = Sources(
            prices=(PriceFeed(feed="map", format="litellm_map", url=f"{server.url}/map.json", options=options),)
        )
        for target in (f"{other.url}/map.json", "http://169.254.169.254/latest", "http://[::ffff:10.0.0.1]/"):
            server.routes["/map.json"] = reply(status=302, Location=target)
            error = fetch(settings, allowed)["map"].error or ""
            assert error.endswith("which is an address inside of this machine or its network"), target
        assert other.seen == []


def test_an_allowed_origin_outside_is_followed_and_the_sidecar_names_it(
    server: Server, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one thing that is not real here: the second server on loopback counts as an address of the internet."""
    monkeypatch.setattr("pipelines.fetch.redirects._addresses", lambda _: [ipaddress.ip_address("1.1.1.1")])
    with serve() as other:
        other.routes["/new.json"] = reply(b"{}")
        server.routes["/map.json"] = reply(status=302, Location=f"{other.url}/new.json?signature=abc")
        options = {"redirects": [other.url]}
        feed = PriceFeed(feed="map", format="litellm_map", url=f"{server.url}/map.json", options=options)
        assert fetch(settings, Sources(prices=(feed,)))["map"].outcome == "fetched"
    assert scan(settings.landing_zone, "prices").files[0].url == f"{other.url}/new.json?signature=..."


def test_a_body_that_trickles_ends_at_the_limit(server: Server, settings: Settings) -> None:
    server.routes["/map.json"] = trickle
    result = fetch(settings, feeds(map=f"{server.url}/map.json"), replace(QUICK, feed_s=0.5))["map"]
    assert (result.error or "").endswith("not complete after 0.5 s")


@pytest.mark.parametrize(
    "fault",
    [
        reply(status=500),
        reply(status=429, Retry_After="1"),
        reply(status=429, Retry_After="0"),
        truncated,
        slow_headers,
    ],
)
def test_a_passing_fault_is_tried_again(server: Server, settings: Settings, fault: Route) -> None:
    server.routes["/map.json"] = in_turn(fault, reply(b'{"whole": true}'))
    result = fetch(settings, feeds(map=f"{server.url}/map.json"))["map"]
    assert (result.outcome, result.attempts, result.error) == ("fetched", 2, None)
    assert read_bytes(scan(settings.landing_zone, "prices").files[0]) == b'{"whole": true}'


def test_retry_after_is_waited_for(server: Server, settings: Settings) -> None:
    times: list[float] = []

    def route(handler: Handler) -> None:
        times.append(time.monotonic())
        (reply(status=429, Retry_After="1") if len(times) == 1 else reply(b"{}"))(handler)

    server.routes["/map.json"] = route
    fetch(settings, feeds(map=f"{server.url}/map.json"))
    assert times[1] - times[0] >= 1


def test_a_dead_feed_stops_no_other_and_keeps_its_last_snapshot(
    server: Server, settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    server.routes["/a.json"] = in_turn(reply(b'{"a": 1}'), reply(status=500))
    server.routes["/b.json"] = reply(b'{"b": 1}')
    sources = feeds(a=f"{server.url}/a.json", b=f"{server.url}/b.json", c=f"http://127.0.0.1:{closed_port()}/c.json")
    first = fetch(settings, sources)
    assert {name: result.outcome for name, result in first.items()} == {"a": "fetched", "b": "fetched", "c": "failed"}
    assert "can't connect" in (first["c"].error or "")
    later = NOW + timedelta(hours=49)
    second = {result.name: result for result in fetch_feeds(settings, sources, now=later, limits=QUICK)}
    assert (second["a"].outcome, second["a"].path, second["a"].age_hours) == ("failed", first["a"].path, 49)
    assert (second["a"].is_stale, second["b"].is_stale) == (True, False)
    assert capfd.readouterr() == ("", ""), "what failed is in the results, not on the screen"
    assert len(scan(settings.landing_zone, "prices").files) == 2


def test_a_network_that_never_answers_is_given_up_for_all_at_once(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts and never answers
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/x.json"
        started = time.monotonic()
        results = fetch(settings, feeds(a=url, b=url, c=url), replace(QUICK, read_s=30, feed_s=60, unreachable_s=0.5))
        took = time.monotonic() - started
    assert {result.error for result in results.values()} == {f"{url}: no answer in time"}
    assert took < 20, "far below the time-outs of a single feed"


def test_an_unusable_url_is_said_in_words(settings: Settings) -> None:
    with pytest.raises(ValidationError, match="an address that begins with https:// or http:// is accepted"):
        feeds(map="ftp://host/map.json")
    result = fetch(settings, feeds(map="http://host:port/map.json"))["map"]
    assert "http:// and https:// are accepted" in (result.error or "")


def with_secret(url: str) -> Sources:
    options = {"headers_env": {"X-Api-Key": "SAMPLE_API_KEY"}}
    return Sources(prices=(PriceFeed(feed="map", format="litellm_map", url=url, options=options),))


@pytest.mark.parametrize("status", [200, 403, 500])
def test_secrets_reach_the_server_and_nothing_else(
    server: Server, settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    monkeypatch.setenv("SAMPLE_API_KEY", SECRET)
    caplog.set_level(logging.DEBUG)
    server.routes["/map.json"] = reply(b"{}", status)
    url = f"{server.url.replace('http://', f'http://user:{SECRET}@')}/map.json?key={SECRET}"
    result = fetch(settings, with_secret(url))["map"]
    assert result.http_status == status
    assert server.seen[0][1]["X-Api-Key"] == SECRET
    assert SECRET not in repr(result)
    assert SECRET not in caplog.text
    written = [
        path for folder in (settings.home, settings.landing_zone) for path in folder.rglob("*") if path.is_file()
    ]
    assert written or status != 200
    for path in written:
        assert SECRET.encode() not in path.read_bytes(), path


def test_secrets_are_not_sent_where_a_redirect_leads(
    server: Server, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAMPLE_API_KEY", SECRET)
    with serve() as other:
        other.routes["/map.json"] = reply(b"{}")
        server.routes["/map.json"] = reply(status=302, Location=f"{other.url}/map.json?signature=abc")
        result = fetch(settings, with_secret(f"{server.url}/map.json"))["map"]
        assert other.seen == []
    assert f"redirects to {other.url}/map.json?signature=..." in (result.error or "")


def test_a_secret_feed_is_revalidated_by_its_sidecar(
    server: Server, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAMPLE_API_KEY", SECRET)

    def route(handler: Handler) -> None:
        is_current = handler.headers["If-None-Match"] == '"v1"'
        reply(b"" if is_current else b"{}", 304 if is_current else 200, ETag='"v1"')(handler)

    server.routes["/map.json"] = route
    sources = with_secret(f"{server.url}/map.json")
    assert fetch(settings, sources)["map"].outcome == "fetched"
    again = fetch(settings, sources)["map"]
    assert (again.outcome, again.http_status) == ("unchanged", 304)


def test_a_missing_secret_names_its_variable(
    server: Server, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SAMPLE_API_KEY", raising=False)
    result = fetch(settings, with_secret(f"{server.url}/map.json"))["map"]
    assert "SAMPLE_API_KEY" in (result.error or "")
    assert server.seen == []


def test_two_runs_at_once_agree(server: Server, settings: Settings) -> None:
    server.routes["/map.json"] = reply(b'{"a": 1}', ETag='"v1"')
    import threading

    results: list[FetchResult] = []
    sources = feeds(map=f"{server.url}/map.json")
    runs = [threading.Thread(target=lambda: results.extend(fetch(settings, sources).values())) for _ in range(4)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert {result.path for result in results} == {"prices/map/20260214T060000Z.json"}
    assert len(scan(settings.landing_zone, "prices").files) == 1


def test_an_answer_that_cant_be_landed_is_reported_and_stops_no_other(server: Server, settings: Settings) -> None:
    """A file lies where the folder of the feed should be."""
    server.routes["/a.json"] = reply(b'{"a": 1}')
    server.routes["/b.json"] = reply(b'{"b": 1}')
    (settings.landing_zone / "prices").mkdir(parents=True)
    (settings.landing_zone / "prices" / "a").write_text("in the way")
    found = fetch(settings, feeds(a=f"{server.url}/a.json", b=f"{server.url}/b.json"))
    assert {name: result.outcome for name, result in found.items()} == {"a": "not landed", "b": "fetched"}
    assert (found["a"].error or "").startswith("the landing zone can't be written: ")
    assert found["a"].path is None
    assert found["b"].error is None
