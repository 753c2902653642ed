"""Fetching from a real server on loopback: what lands, what does not, and how old what is in use is.

Everything that goes wrong on a network is in `tests/faults/test_fetch_faults.py`.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelines.config.fx import FxFeed
from pipelines.config.sources import Leaderboard, PriceFeed, Sources
from pipelines.fetch import FetchResult, fetch_feeds, safe_url
from pipelines.fetch.payload import check_content, suffix_of
from pipelines.landing import read_bytes, scan
from pipelines.settings import Settings
from tests.unit.fetch.server import Handler, Server, in_turn, reply

DAY_1 = datetime(2026, 2, 14, 6, 0, tzinfo=UTC)
DAY_2 = DAY_1 + timedelta(days=1)


def feed(url: str, name: str = "litellm_map", **more: object) -> Sources:
    return Sources(prices=(PriceFeed(feed=name, format="litellm_map", url=url, **more),))  # type: ignore[arg-type]


def only(results: list[FetchResult]) -> FetchResult:
    (result,) = results
    return result


def test_exact_bytes_land_with_their_facts(server: Server, settings: Settings) -> None:
    body = b'{"gpt-5.2": {"input_cost_per_token": 1.75e-06}}\n'
    server.routes["/map.json"] = reply(body, ETag='"v1"')
    result = only(fetch_feeds(settings, feed(f"{server.url}/map.json"), now=DAY_1))
    assert (result.outcome, result.http_status, result.error, result.attempts) == ("fetched", 200, None, 1)
    assert result.path == "prices/litellm_map/20260214T060000Z.json"
    assert (result.newest_observed_at, result.age_hours, result.is_stale) == (DAY_1, 0.0, False)
    (file,) = scan(settings.landing_zone, "prices").files
    assert (read_bytes(file), file.url, file.http_status, file.etag) == (body, f"{server.url}/map.json", 200, '"v1"')
    assert file.sha256 == hashlib.sha256(body).hexdigest()
    assert server.seen[0][1]["User-Agent"].startswith("modelmeter/")


def test_a_second_run_revalidates_and_writes_nothing(server: Server, settings: Settings) -> None:
    answers: list[int] = []

    def route(handler: Handler) -> None:
        is_current = handler.headers["If-None-Match"] == '"v1"'
        answers.append(304 if is_current else 200)
        reply(b"" if is_current else b"{}", answers[-1], ETag='"v1"', Cache_Control="max-age=86400")(handler)

    server.routes["/map.json"] = route
    sources = feed(f"{server.url}/map.json")
    first = only(fetch_feeds(settings, sources, now=DAY_1))
    second = only(fetch_feeds(settings, sources, now=DAY_2))
    assert answers == [200, 304], "a kept answer is revalidated even where it could pass for fresh"
    assert (first.outcome, second.outcome) == ("fetched", "unchanged")
    assert second.path == first.path
    assert second.newest_observed_at == DAY_1
    assert (second.age_hours, second.is_stale) == (0.0, False), "confirmed today, although observed yesterday"
    assert len(scan(settings.landing_zone, "prices").files) == 1


def test_new_content_is_a_new_snapshot_and_old_content_again_is_one_too(server: Server, settings: Settings) -> None:
    server.routes["/map.json"] = in_turn(reply(b'{"a": 1}'), reply(b'{"a": 2}'), reply(b'{"a": 1}'))
    sources = feed(f"{server.url}/map.json")
    outcomes = [only(fetch_feeds(settings, sources, now=DAY_1 + timedelta(days=n))).outcome for n in range(4)]
    assert outcomes == ["fetched", "fetched", "fetched", "unchanged"]
    assert [read_bytes(f) for f in scan(settings.landing_zone, "prices").files] == [
        b'{"a": 1}',
        b'{"a": 2}',
        b'{"a": 1}',
    ]


def test_a_lost_http_cache_costs_a_download_and_no_snapshot(server: Server, settings: Settings) -> None:
    server.routes["/map.json"] = reply(b"{}", ETag='"v1"')
    sources = feed(f"{server.url}/map.json")
    fetch_feeds(settings, sources, now=DAY_1)
    for file in (settings.home / "cache" / "http").iterdir():
        file.write_bytes(b"no database")
    assert only(fetch_feeds(settings, sources, now=DAY_2)).outcome == "unchanged"


def test_gzip_transfer_is_undone_and_a_gzip_file_is_kept(server: Server, settings: Settings) -> None:
    packed = gzip.compress(b'{"a": 1}')
    server.routes["/map.json"] = reply(packed, Content_Encoding="gzip")
    server.routes["/map.json.gz"] = reply(packed)
    url = server.url
    fetch_feeds(settings, feed(f"{url}/map.json", "sent"), now=DAY_1)
    fetch_feeds(settings, feed(f"{url}/map.json.gz", "kept"), now=DAY_1)
    kept, sent = scan(settings.landing_zone, "prices").files
    assert (sent.path.read_bytes(), sent.path.suffix) == (b'{"a": 1}', ".json")
    assert (kept.path.read_bytes(), kept.path.suffixes) == (packed, [".json", ".gz"])
    assert read_bytes(kept) == read_bytes(sent)


def test_leaderboards_land_in_their_own_folder(server: Server, settings: Settings) -> None:
    server.routes["/polyglot.yml"] = reply(b"- model: x\n")
    board = Leaderboard(board="aider_polyglot", format="aider", url=f"{server.url}/polyglot.yml")
    both = Sources(prices=feed(f"{server.url}/gone.json").prices, leaderboards=(board,))
    result = only(fetch_feeds(settings, both, now=DAY_1, kinds=("leaderboards",)))
    assert (result.kind, result.name) == ("leaderboards", "aider_polyglot")
    assert result.path == "leaderboards/aider_polyglot/20260214T060000Z.yml"


def test_redirects_are_followed(server: Server, settings: Settings) -> None:
    server.routes["/old"] = reply(status=301, Location="/map.json")
    server.routes["/map.json"] = reply(b"{}")
    assert only(fetch_feeds(settings, feed(f"{server.url}/old"), now=DAY_1)).outcome == "fetched"


def test_feeds_without_a_url_are_not_fetched(settings: Settings) -> None:
    assert fetch_feeds(settings, Sources(prices=(PriceFeed(feed="sheet", format="price_sheet"),)), now=DAY_1) == []


def test_offline_sends_nothing_and_states_the_age(server: Server, settings: Settings) -> None:
    server.routes["/map.json"] = reply(b"{}")
    sources = feed(f"{server.url}/map.json", stale_after_hours=48)
    fetch_feeds(settings, sources, now=DAY_1)
    offline = settings.model_copy(update={"offline": True})
    for hours, is_stale in ((48, False), (49, True)):
        result = only(fetch_feeds(offline, sources, now=DAY_1 + timedelta(hours=hours)))
        assert (result.outcome, result.age_hours, result.is_stale, result.error) == ("offline", hours, is_stale, None)
    assert server.count("/map.json") == 1
    never = only(fetch_feeds(offline, feed(f"{server.url}/map.json", "other"), now=DAY_1))
    assert (never.path, never.newest_observed_at, never.age_hours, never.is_stale) == (None, None, None, True)


def test_confirmation_counts_only_for_the_content_it_was_for(server: Server, settings: Settings) -> None:
    server.routes["/map.json"] = reply(b"{}")
    sources = feed(f"{server.url}/map.json", stale_after_hours=48)
    fetch_feeds(settings, sources, now=DAY_1)
    fetch_feeds(settings, sources, now=DAY_1 + timedelta(days=5))
    offline = settings.model_copy(update={"offline": True})
    assert not only(fetch_feeds(offline, sources, now=DAY_1 + timedelta(days=6))).is_stale
    (settings.landing_zone / "prices/litellm_map/20260215.json").write_bytes(b'{"by": "hand"}')
    assert only(fetch_feeds(offline, sources, now=DAY_1 + timedelta(days=6))).is_stale


def test_packaged_prices_land_where_nothing_else_is(settings: Settings) -> None:
    offline = settings.model_copy(update={"offline": True})
    sources = Sources(prices=(PriceFeed(feed="genai_prices", format="genai_prices", url="https://example.invalid/x"),))
    result = only(fetch_feeds(offline, sources, now=DAY_1))
    (file,) = scan(settings.landing_zone, "prices").files
    assert (result.outcome, result.path, result.is_stale) == ("offline", file.landing_path, True)
    assert (file.url or "").startswith("package:genai-prices==")
    assert "openai" in {provider["id"] for provider in json.loads(read_bytes(file))}
    again = only(fetch_feeds(offline, sources, now=DAY_2))
    assert again.path == result.path, "only where there is no snapshot at all"
    assert again.is_stale, "the packaged data was never confirmed by the network"


def test_the_sample_is_never_added_to(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, landing=None, offline=False)
    sources = Sources(prices=(PriceFeed(feed="genai_prices", format="genai_prices", url="https://example.invalid/x"),))
    assert only(fetch_feeds(settings, sources, now=DAY_1)).path is None
    assert not settings.sample_landing.exists()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:pass@host:8443/a/b.json?key=abc&page=2#x", "https://host:8443/a/b.json?key=...&page=..."),
        ("https://host/a.json", "https://host/a.json"),
    ],
)
def test_urls_are_shown_without_secrets(url: str, shown: str) -> None:
    assert safe_url(url) == shown


@pytest.mark.parametrize(
    ("path", "content_type", "suffix"),
    [
        ("/a/data.JSON", "text/plain", ".json"),
        ("/a/table.csv.gz", "application/gzip", ".csv.gz"),
        ("/pricing", "text/html; charset=utf-8", ".html"),
        ("/docs/v1.81", "text/markdown", ".md"),
        ("/api/v1/models", "", ".json"),
    ],
)
def test_suffix_of_what_lands(path: str, content_type: str, suffix: str) -> None:
    assert suffix_of(path, content_type) == suffix


@pytest.mark.parametrize(
    ("content", "suffix", "fault"),
    [
        (b"{}", ".json", None),
        (b" \n", ".json", "the answer is empty"),
        (b"{", ".json", "no valid JSON"),
        (b"<!DOCTYPE html><p>", ".json", "the answer is HTML"),
        (b"\xef\xbb\xbf\n<HTML>", ".yml", "the answer is HTML"),
        (b"<html>", ".html", None),
        (b"- a: 1", ".yml", None),
    ],
)
def test_content_must_be_what_its_suffix_says(content: bytes, suffix: str, fault: str | None) -> None:
    found = check_content(content, suffix)
    assert found is None if fault is None else fault in (found or "")


def test_exchange_rates_are_fetched_next_to_the_prices(server: Server, settings: Settings) -> None:
    body = b"PK\x03\x04 an archive"
    server.routes["/eurofxref.zip"] = reply(body, Content_Type="application/zip")
    rates = FxFeed(feed="fx", url=f"{server.url}/eurofxref.zip")
    result = only(fetch_feeds(settings, Sources(), now=DAY_1, fx=(rates,)))
    assert (result.kind, result.name, result.outcome) == ("prices", "fx", "fetched")
    (file,) = scan(settings.landing, "prices").of("fx")
    assert (file.path.suffix, file.path.read_bytes()) == (".zip", body)


def test_a_feed_that_no_network_ever_reached_is_absent_and_one_that_answers_amiss_is_not(
    server: Server, settings: Settings
) -> None:
    offline = settings.model_copy(update={"offline": True})
    assert only(fetch_feeds(offline, feed(f"{server.url}/map.json"), now=DAY_1)).is_absent
    assert only(fetch_feeds(settings, feed("http://127.0.0.1:1/map.json"), now=DAY_1)).is_absent
    server.routes["/map.json"] = reply(status=404)
    gone = only(fetch_feeds(settings, feed(f"{server.url}/map.json"), now=DAY_1))
    assert (gone.is_absent, gone.is_stale) == (False, True)
