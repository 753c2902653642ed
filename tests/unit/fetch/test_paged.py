"""Catalogues that come in pages, from a real server on loopback: all pages in one snapshot, or none."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import pytest

from pipelines.config.sources import LimitFeed, LimitFormat, PriceFeed, Sources
from pipelines.fetch import FetchLimits, FetchResult, fetch_feeds
from pipelines.landing import scan
from pipelines.prices import parse_feed
from pipelines.seller_limits.formats import FORMATS
from pipelines.settings import Settings
from tests.unit.fetch.server import Handler, Route, Server, in_turn, reply

NOW = datetime(2026, 11, 20, 6, tzinfo=UTC)
QUICK = FetchLimits(connect_s=1, read_s=1, retry_wait_s=0.01, max_pages=5)


def item(meter: str, usd: float) -> dict[str, object]:
    return {
        "productName": "Azure OpenAI", "meterName": meter, "unitOfMeasure": "1M", "retailPrice": usd,
        "effectiveStartDate": "2026-01-01T00:00:00Z", "armRegionName": "eastus2", "currencyCode": "USD",
    }  # fmt: skip


def page(server: Server, number: int, following: object) -> bytes:
    names = ("gpt 4.1 Inp glbl Tokens", "gpt 4.1 Outp glbl Tokens", "gpt 4.1 cached Inp glbl Tokens")
    link = f"{server.url}/{following}" if isinstance(following, int) else following
    return json.dumps({"Items": [item(names[number - 1], number)], "NextPageLink": link, "Count": 1}).encode()


def fetched(server: Server, settings: Settings) -> tuple[FetchResult, PriceFeed]:
    feed = PriceFeed(feed="azure", format="azure_retail", url=f"{server.url}/1")
    (result,) = fetch_feeds(settings, Sources(prices=(feed,)), now=NOW, limits=QUICK)
    return result, feed


def test_all_pages_land_as_one_snapshot_byte_for_byte(server: Server, settings: Settings) -> None:
    bodies = {number: page(server, number, number + 1 if number < 3 else None) for number in (1, 2, 3)}
    server.routes.update({f"/{number}": reply(body) for number, body in bodies.items()})
    result, feed = fetched(server, settings)
    assert (result.outcome, result.attempts) == ("fetched", 3)
    (file,) = scan(settings.landing, "prices").of("azure")
    assert file.path.read_bytes() == b"[" + b",\n".join(bodies.values()) + b"]"
    snapshot = parse_feed(file, feed)
    assert sorted(snapshot.prices["meter"]) == ["input_cache_read", "input_uncached", "output_text"]
    assert snapshot.lines == 3
    assert fetched(server, settings)[0].outcome == "unchanged"


def test_a_single_page_lands_as_it_is(server: Server, settings: Settings) -> None:
    server.routes["/1"] = reply(page(server, 1, None))
    assert fetched(server, settings)[0].outcome == "fetched"
    (file,) = scan(settings.landing, "prices").of("azure")
    assert file.path.read_bytes() == page(server, 1, None)


def test_a_page_that_fails_once_is_asked_for_again(server: Server, settings: Settings) -> None:
    server.routes["/1"] = reply(page(server, 1, 2))
    server.routes["/2"] = in_turn(reply(status=503), reply(page(server, 2, None)))
    result, _ = fetched(server, settings)
    assert (result.outcome, result.attempts) == ("fetched", 3)


def cut_short(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"Items": [')


@pytest.mark.parametrize(
    ("second", "stated"),
    [
        (reply(status=500), "page 2: the server answers 500"),
        (reply(status=404), "page 2: the server answers 404"),
        (reply(b"<!doctype html><html>busy</html>", Content_Type="text/html"), "page 2: JSON was expected, but the answer is HTML"),
        (cut_short, "page 2: "),
    ],
)  # fmt: skip
def test_a_page_that_fails_lands_nothing_and_the_last_snapshot_stays(
    server: Server, settings: Settings, second: object, stated: str
) -> None:
    server.routes.update({"/1": reply(page(server, 1, 2)), "/2": reply(page(server, 2, None))})
    before, _ = fetched(server, settings)
    server.routes.update({"/1": reply(page(server, 3, 2)), "/2": second})  # type: ignore[dict-item]
    result, _ = fetched(server, settings)
    assert (result.outcome, result.path) == ("failed", before.path)
    assert stated in str(result.error)
    assert len(scan(settings.landing, "prices").of("azure")) == 1


@pytest.mark.parametrize(
    ("following", "stated"),
    [
        (1, "NextPageLink leads back to a page that was read"),
        ("http://127.0.0.2:9/2", "NextPageLink leads to another host"),
        ("file:///etc/passwd", "NextPageLink leads to another host"),
    ],
)
def test_a_link_that_leads_astray_is_not_followed(
    server: Server, settings: Settings, following: object, stated: str
) -> None:
    server.routes["/1"] = reply(page(server, 1, following))
    result, _ = fetched(server, settings)
    assert result.outcome == "failed"
    assert stated in str(result.error)
    assert scan(settings.landing, "prices").of("azure") == ()


def test_pages_without_end_are_given_up(server: Server, settings: Settings) -> None:
    server.routes.update({f"/{number}": reply(page(server, 1, number + 1)) for number in range(1, 9)})
    result, _ = fetched(server, settings)
    assert "page 6: more than 5 pages" in str(result.error)


def cursors(
    pages: dict[str | None, dict[str, object]], name: str, queries: list[dict[str, str]] | None = None
) -> Route:
    """Answers with the page that parameter `name` asks for; `queries` takes what each request asks for."""

    def route(handler: Handler) -> None:
        asked = dict(parse_qsl(urlsplit(handler.path).query))
        if queries is not None:
            queries.append(asked)
        reply(json.dumps(pages[asked.get(name)]).encode(), Content_Type="application/json")(handler)

    return route


def limits_of(server: Server, settings: Settings, format_name: LimitFormat, **headers: str) -> FetchResult:
    feed = LimitFeed(
        feed="own", format=format_name, url=f"{server.url}/limits?period=monthly", options={"headers_env": headers}
    )
    (result,) = fetch_feeds(settings, Sources(limits=(feed,)), now=NOW, limits=QUICK, kinds=("limits",))
    return result


def member(number: int) -> dict[str, object]:
    user = {"type": "user", "user_id": f"user_{number}"}
    return {
        "actor": {**user, "type": "user_actor"}, "amount": f"{number}000", "currency": "USD", "period": "monthly",
        "period_to_date_spend": "0", "scope": user, "source": user, "spend_limit_id": f"spl_{number}",
    }  # fmt: skip


def alert(number: int) -> dict[str, object]:
    return {
        "id": f"alert_{number}", "object": "organization.spend_alert", "threshold_amount": number * 1000, "currency": "USD", "interval": "month",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("format_name", "name", "pages"),
    [
        ("anthropic_limits", "page", {None: {"data": [member(1)], "next_page": "p/2="}, "p/2=": {"data": [member(2)], "next_page": "p3"}, "p3": {"data": [member(3)], "next_page": None}}),
        ("openai_limits", "after", {None: {"data": [alert(1)], "has_more": True, "last_id": "alert_1"}, "alert_1": {"data": [alert(2)], "has_more": True, "last_id": "alert_2"}, "alert_2": {"data": [alert(3)], "has_more": False, "last_id": "alert_3"}}),
    ],
)  # fmt: skip
def test_limits_of_all_pages_are_read(
    server: Server, settings: Settings, format_name: LimitFormat, name: str, pages: dict[str | None, dict[str, object]]
) -> None:
    """Else members beyond the first twenty have no limit, and nobody sees it."""
    queries: list[dict[str, str]] = []
    server.routes["/limits"] = cursors(pages, name, queries)
    assert limits_of(server, settings, format_name).outcome == "fetched"
    (file,) = scan(settings.landing, "limits").of("own")
    assert [found.amount for found in FORMATS[format_name].read(file.path.read_bytes(), {})] == [10, 20, 30]
    assert queries == [{"period": "monthly", **({} if page is None else {name: page})} for page in pages], (
        "what the address asks for holds for every page"
    )


def test_a_cursor_that_leads_in_a_circle_lands_nothing(server: Server, settings: Settings) -> None:
    again = {"data": [member(1)], "next_page": "p2"}
    server.routes["/limits"] = cursors({None: again, "p2": again}, "page")
    assert "next_page leads back to a page that was read" in str(limits_of(server, settings, "anthropic_limits").error)
    assert scan(settings.landing, "limits").of("own") == ()


def test_what_the_api_wants_in_each_request_is_sent(
    server: Server, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anthropic refuses a request without its version."""
    monkeypatch.setenv("LIMITS_KEY", "sk-1")
    monkeypatch.setenv("LIMITS_VERSION", "2027-01-01")
    server.routes["/limits"] = cursors({None: {"data": [], "next_page": None}}, "page")
    limits_of(server, settings, "anthropic_limits", **{"X-Api-Key": "LIMITS_KEY"})
    sent = server.seen[-1][1]
    assert (sent["anthropic-version"], sent["X-Api-Key"]) == ("2023-06-01", "sk-1")
    limits_of(
        server,
        settings.model_copy(update={"home": settings.home / "other"}),
        "anthropic_limits",
        **{"Anthropic-Version": "LIMITS_VERSION"},
    )
    assert server.seen[-1][1].get_all("anthropic-version") == ["2027-01-01"]
