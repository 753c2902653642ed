"""Servers are asked as they wish: by their robots.txt, once a day, and not at all for what is switched off."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from urllib.robotparser import RobotFileParser

import pytest
import yaml

from pipelines.config import ConfigError, load_config
from pipelines.config.sources import PriceFeed, Sources
from pipelines.fetch import FetchLimits, fetch_feeds
from pipelines.fetch.robots import allows, rules_for
from pipelines.settings import Settings
from tests.unit.fetch.server import Server, in_turn, reply
from tests.unit.fetch.test_fetch import DAY_1, feed, only

QUICK = FetchLimits(connect_s=1, read_s=2, feed_s=5, retry_wait_s=0.01)

RFC_9309 = """
User-Agent: *
Disallow: *.gif$
Disallow: /example/
Allow: /publications/

User-Agent: foobot
Disallow:/
Allow:/example/page.html
Allow:/example/allowed.gif

User-Agent: barbot
User-Agent: bazbot
Disallow: /example/page.html

User-Agent: quxbot
"""
"""The example of section 5.1."""


@pytest.mark.parametrize(
    ("agent", "path", "allowed"),
    [
        ("modelmeter", "/pictures/a.gif", False),
        ("modelmeter", "/pictures/a.gif?size=1", True),
        ("modelmeter", "/example/page.html", False),
        ("modelmeter", "/publications/a", True),
        ("foobot", "/", False),
        ("foobot", "/example/page.html", True),
        ("foobot", "/example/allowed.gif", True),
        ("barbot", "/example/page.html", False),
        ("bazbot", "/example/page.html", False),
        ("bazbot", "/example/", True),
        ("quxbot", "/example/page.html", True),
    ],
)
def test_the_rules_of_rfc_9309(agent: str, path: str, allowed: bool) -> None:
    assert allows(rules_for(agent, RFC_9309), path) == allowed


@pytest.mark.parametrize("path", ["/", "/private/x", "/private", "/public/%7Ejoe", "/public/~joe", "/a%3cd.html"])
def test_plain_rules_are_read_as_python_reads_them(path: str) -> None:
    text = "# ours\nUser-agent: *\nDisallow: /private/ # not this\nDisallow: /public/~joe\nDisallow: /a%3Cd.html\nSitemap: /s.xml\n"
    theirs = RobotFileParser()
    theirs.parse(text.splitlines())
    assert allows(rules_for("modelmeter", text), path) == theirs.can_fetch("modelmeter", f"https://h{path}")


def test_the_longest_rule_decides_and_an_allowance_wins_a_tie() -> None:
    """Section 5.2, and what Google documents of equal rules."""
    rules = rules_for(
        "a", "User-agent: *\nAllow: /example/page/\nDisallow: /example/page/disallowed.gif\nAllow: /p\nDisallow: /p"
    )
    assert [allows(rules, path) for path in ("/example/page/disallow.gif", "/example/page/disallowed.gif", "/p")] == [
        True, False, True,
    ]  # fmt: skip


def test_what_a_server_does_not_want_is_left_alone(server: Server, settings: Settings) -> None:
    server.routes["/robots.txt"] = reply(b"User-agent: *\nDisallow: /map.json\n", Content_Type="text/plain")
    server.routes["/map.json"] = server.routes["/other.json"] = reply(b"{}")
    both = Sources(prices=(*feed(f"{server.url}/map.json").prices, *feed(f"{server.url}/other.json", "other").prices))
    refused, fetched = fetch_feeds(settings, both, now=DAY_1, limits=QUICK)
    assert refused.error == f"{server.url}/robots.txt: asks modelmeter not to fetch /map.json; it was left alone"
    assert (fetched.outcome, [path for path, _ in server.seen], server.robots) == ("fetched", ["/other.json"], 1)


@pytest.mark.parametrize(("status", "outcome"), [(404, "fetched"), (403, "fetched"), (500, "failed")])
def test_a_server_without_robots_and_one_that_fails(
    status: int, outcome: str, server: Server, settings: Settings
) -> None:
    server.routes["/robots.txt"] = reply(status=status)
    server.routes["/map.json"] = reply(b"{}")
    result = only(fetch_feeds(settings, feed(f"{server.url}/map.json"), now=DAY_1, limits=QUICK))
    assert result.outcome == outcome
    assert outcome == "fetched" or "without it nothing is asked there" in str(result.error)


def test_who_hands_out_a_key_is_not_asked_for_robots(
    server: Server, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHEET_KEY", "k")
    server.routes["/robots.txt"] = reply(b"User-agent: *\nDisallow: /\n")
    server.routes["/map.json"] = reply(b"{}")
    sources = feed(f"{server.url}/map.json", options={"headers_env": {"X-Key": "SHEET_KEY"}})
    assert (only(fetch_feeds(settings, sources, now=DAY_1)).outcome, server.robots) == ("fetched", 0)


def test_a_feed_is_asked_once_a_day(server: Server, settings: Settings) -> None:
    server.routes["/map.json"] = in_turn(reply(status=404), reply(b'{"a": 1}'), reply(b'{"a": 2}'))
    server.routes["/moved.json"] = reply(b'{"a": 3}')
    sources = feed(f"{server.url}/map.json")
    hours = {0: "failed", 1: "fetched", 2: "recent", 20: "recent", 21: "fetched", 22: "recent"}
    for hour, outcome in hours.items():
        result = only(fetch_feeds(settings, sources, now=DAY_1 + timedelta(hours=hour)))
        assert (hour, result.outcome) == (hour, outcome)
    assert (server.count("/map.json"), result.age_hours, result.is_stale, result.error) == (3, 1.0, False, None)
    moved = only(fetch_feeds(settings, feed(f"{server.url}/moved.json"), now=DAY_1 + timedelta(hours=22)))
    assert moved.outcome == "fetched", "another address was never asked"


def test_what_is_off_is_not_asked(server: Server, settings: Settings) -> None:
    off = Sources(prices=(PriceFeed(feed="map", format="litellm_map", url=f"{server.url}/map.json", enabled=False),))
    assert (fetch_feeds(settings, off, now=DAY_1), server.seen, server.robots) == ([], [], 0)


def written(folder: Path, content: object) -> Path:
    (folder / "sources.yaml").write_text(yaml.safe_dump(content))
    return folder


def test_lists_that_are_left_out_are_the_packaged_ones_with_switches(tmp_path: Path) -> None:
    packaged = load_config(None).sources
    requests = [{"source": "logs", "format": "codex"}]
    own = load_config(
        written(tmp_path, {"requests": requests, "enabled": {"openrouter": True, "epoch": False}, "selfhost": []})
    ).sources
    assert [feed.feed for feed in own.prices] == [feed.feed for feed in packaged.prices]
    switched = {feed.feed for feed in own.prices if feed.enabled} - {
        feed.feed for feed in packaged.prices if feed.enabled
    }
    boards = {board.board for board in packaged.leaderboards if board.enabled}
    assert switched == {"openrouter"}
    assert boards - {board.board for board in own.leaderboards if board.enabled} == {"epoch"}
    assert own.selfhost == ()
    with pytest.raises(
        ConfigError, match=r"enabled\.openroutr: no feed or board has this name; did you mean 'openrouter'"
    ):
        load_config(written(tmp_path, {"enabled": {"openroutr": True}}))


def test_what_is_packaged_is_public() -> None:
    sources = load_config(None).sources
    fetched = [item for item in (*sources.prices, *sources.leaderboards, *sources.selfhost) if item.url]
    assert all(item.url and item.url.startswith("https://") and not item.headers_env for item in fetched)
    hosts = {(item.url or "").split("/")[2] for item in fetched if item.enabled}
    assert len(hosts) < 20, "a first run asks few servers"
