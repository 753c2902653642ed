"""Every API is pulled whole from a server that pages, throttles, breaks off and lies; nothing is lost, and nothing lands twice."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from pipelines.bills import parse_bill
from pipelines.config import ConfigError, load_config
from pipelines.config.pull import ApiPull
from pipelines.config.sources import BILL_FORMATS, RequestSource, Sources
from pipelines.fetch import FetchLimits
from pipelines.landing import LandedFile, scan
from pipelines.pull import PullResult, pull_sources
from pipelines.pull.connectors import CONNECTORS
from pipelines.requests import parse_file
from pipelines.settings import Settings
from tests.unit.fetch.server import Server, reply
from tests.unit.pull.conftest import SECRET
from tests.unit.pull.upstream import PATHS, Upstream, midnight, numbered, record_of

TODAY = date(2026, 2, 14)
NOW = midnight(TODAY) + timedelta(hours=12)
DAYS = [TODAY - timedelta(days=back) for back in (3, 2, 1)]
QUICK = FetchLimits(connect_s=1, read_s=2, feed_s=5, attempts=3, retry_wait_s=0.01)


def declared(server: Server, kind: str, **options: Any) -> RequestSource:
    given = {"kind": kind, "url": server.url, "since": DAYS[0], **options}
    if kind == "openai_usage":
        given.setdefault("reports", ("completions",))
    return RequestSource(source="up", format=CONNECTORS[kind].reads, pull=ApiPull.model_validate(given))


def pulled(settings: Settings, source: RequestSource, now: datetime = NOW) -> PullResult:
    assert isinstance(settings.landing, Path)
    landed = scan(settings.landing, "requests").files
    (result,) = pull_sources(settings, Sources(requests=(source,)), landed=landed, now=now, limits=QUICK)
    return result


def files(settings: Settings) -> tuple[LandedFile, ...]:
    assert isinstance(settings.landing, Path)
    found = scan(settings.landing, "requests")
    assert not found.problems
    return found.of("up")


@pytest.fixture
def costs(server: Server) -> Upstream:
    upstream = Upstream(server, numbered("openai_costs", DAYS, 3))
    upstream.serve("openai_costs")
    return upstream


@pytest.mark.parametrize("kind", PATHS)
def test_every_record_of_every_api_lands_once_and_is_read(
    kind: str, server: Server, settings: Settings, tmp_path: Path
) -> None:
    upstream = Upstream(server, numbered(kind, DAYS, 5))
    upstream.serve(kind)
    options = {"params": {"limit": 2}} if kind == "helicone" else {}
    source = declared(server, kind, **options)
    result = pulled(settings, source)
    assert (result.error, result.outcome, result.files, result.records) == (None, "pulled", 3, _listed(kind, 15))
    parse = parse_bill if source.format in BILL_FORMATS else parse_file
    parsed = [parse(file, source, tmp_path / "store") for file in files(settings)]
    assert [(one.valid, one.quarantined) for one in parsed] == [(5, 0)] * 3
    assert sorted(day for one in parsed for day in one.event_dates) == DAYS
    again = pulled(settings, source, NOW + timedelta(hours=1))
    assert (again.outcome, again.files, len(files(settings))) == ("unchanged", 0, 3)
    assert all(SECRET not in path.read_text() for path in tmp_path.rglob("*.json"))
    assert (
        SECRET in upstream.headers.get("Authorization", "") + upstream.headers.get("X-Api-Key", "")
        or "langfuse" in kind
    )


def _listed(kind: str, records: int) -> int:
    """A bucket with its results is one record."""
    return records if CONNECTORS[kind].inner is None else 3


def test_every_kind_is_tried() -> None:
    assert set(PATHS) == set(CONNECTORS)


def test_pages_land_as_exact_bytes_with_what_was_asked(server: Server, settings: Settings) -> None:
    upstream = Upstream(server, numbered("langfuse", DAYS[-1:], 3))
    upstream.serve("langfuse")
    assert pulled(settings, declared(server, "langfuse", since=DAYS[-1])).files == 1
    (file,) = files(settings)
    pages = [
        json.dumps({"data": upstream.records[DAYS[-1]][:2], "meta": {"cursor": "2"}}),
        json.dumps({"data": upstream.records[DAYS[-1]][2:], "meta": {}}),
    ]
    assert file.path.read_text() == f"[{pages[0]},\n{pages[1]}]"
    assert (file.arrival_date, file.http_status, file.observed_at) == (TODAY, 200, NOW)
    assert file.url is not None
    assert file.url.startswith(f"{server.url}/api/public/v2/observations?fromStartTime=...")
    assert file.pulled is not None
    assert file.pulled.start == f"{DAYS[-1]}T00:00:00Z"


def test_what_was_revised_lands_again_and_counts_as_a_revision(costs: Upstream, settings: Settings) -> None:
    source = declared(costs.server, "openai_costs")
    pulled(settings, source)
    costs.records[DAYS[1]][0]["amount"]["value"] = 9.99
    costs.records[TODAY] = [record_of("openai_costs", 99, TODAY)]
    result = pulled(settings, source, NOW + timedelta(days=1))
    assert (result.outcome, result.files) == ("pulled", 2)
    held = [file.pulled.start[:10] for file in files(settings) if file.pulled]
    assert sorted(held) == sorted(str(day) for day in (*DAYS, DAYS[1], TODAY))
    costs.records[DAYS[1]][0]["amount"]["value"] = 0.04  # what it was at first: the newest version says otherwise
    assert pulled(settings, source, NOW + timedelta(days=1, hours=1)).files == 1


def test_days_before_the_look_back_are_not_asked_again(costs: Upstream, settings: Settings) -> None:
    source = declared(costs.server, "openai_costs", look_back_days=1)
    assert pulled(settings, source).calls == 3
    assert pulled(settings, source, NOW + timedelta(days=1)).calls == 2
    earlier = declared(costs.server, "openai_costs", look_back_days=1, since=DAYS[0] - timedelta(days=2))
    assert pulled(settings, earlier, NOW + timedelta(days=1)).calls == 6
    assert pulled(settings, earlier, NOW + timedelta(days=1)).calls == 1


def test_a_lost_note_of_what_was_asked_costs_calls_and_nothing_else(costs: Upstream, settings: Settings) -> None:
    source = declared(costs.server, "openai_costs", look_back_days=0)
    pulled(settings, source)
    for path in (settings.home / "cache" / "pull").glob("*.json"):
        path.unlink()
    assert (pulled(settings, source).calls, len(files(settings))) == (0, 3)


def test_a_day_without_records_lands_nothing_and_is_not_asked_for_ever(costs: Upstream, settings: Settings) -> None:
    costs.records.clear()
    source = declared(costs.server, "openai_costs", look_back_days=0)
    assert (pulled(settings, source).calls, pulled(settings, source).calls, files(settings)) == (3, 0, ())


def test_a_server_that_throttles_is_waited_for(costs: Upstream, settings: Settings) -> None:
    costs.faults = [reply(status=429, Retry_After="0"), reply(status=503)]
    result = pulled(settings, declared(costs.server, "openai_costs"))
    assert (result.outcome, result.files, result.calls) == ("pulled", 3, 5)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (reply(b'{"data": [', Content_Type="application/json"), "no valid JSON"),
        (reply(b"<html>sign in</html>", Content_Type="text/html"), "the answer is HTML"),
        (reply(b'{"error": "secret text"}'), "holds no list of records at data"),
        (reply(b'{"data": {}, "has_more": false}'), "holds no list of records at data"),
        (reply(b'{"data": [], "has_more": true, "next_page": {"a": 1}}'), "its next_page can't be used"),
        (reply(status=401), "the server answers 401"),
        (reply(status=302, Location="http://169.254.169.254/"), "not followed, because its headers are secret"),
    ],
    ids=["truncated", "html", "no list", "no list but an object", "no token", "refused", "redirected"],
)  # fmt: skip
def test_a_lie_costs_its_window_and_what_follows_until_the_next_run(
    fault: Any, said: str, costs: Upstream, settings: Settings
) -> None:
    source = declared(costs.server, "openai_costs")
    costs.faults = [
        reply(json.dumps({"data": [{"results": [1]}], "has_more": False}).encode()),
        fault,
    ]
    result = pulled(settings, source)
    assert result.outcome == "failed"
    assert result.error is not None
    assert said in result.error
    assert SECRET not in result.error
    assert "secret text" not in result.error
    assert (result.files, result.asked_to) == (1, {"costs": f"{DAYS[1]}T00:00:00Z"})
    assert pulled(settings, source, NOW + timedelta(hours=1)).error is None
    assert {file.pulled.start[:10] for file in files(settings) if file.pulled} == {str(day) for day in DAYS}


def test_a_cursor_that_repeats_for_ever_ends(costs: Upstream, settings: Settings) -> None:
    costs.faults = [reply(b'{"data": [], "has_more": true, "next_page": "again"}')] * 50
    result = pulled(settings, declared(costs.server, "openai_costs"))
    assert result.error is not None
    assert "leads back to a page that was read" in result.error
    assert (result.calls, files(settings)) == (2, ())


@pytest.mark.parametrize(
    ("kind", "answer", "said"),
    [
        ("litellm", {"data": [{"request_id": "r"}], "total_pages": 9}, "holds the records of a page that was read"),
        ("helicone", {"data": [{"request_id": "r"}] * 2, "error": None}, "holds the records of a page that was read"),
        ("litellm", {"data": [{"request_id": "r"}], "total_pages": True}, "has no total_pages"),
        ("langfuse_v1", {"data": [], "meta": {}}, "has no meta/totalPages"),
        ("langfuse", {"data": [], "meta": {"cursor": ["a"]}}, "its meta/cursor can't be used"),
        ("openrouter_activity", [{"date": "2026-02-11"}], "holds no list of records at data"),
        ("anthropic_usage", {"data": [], "has_more": True, "next_page": None}, "its next_page can't be used"),
    ],
)
def test_the_lies_of_every_style_of_paging(
    kind: str, answer: Any, said: str, server: Server, settings: Settings
) -> None:
    def route(handler: Any) -> None:
        handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        reply(json.dumps(answer).encode())(handler)

    server.routes[PATHS[kind][0]] = route
    result = pulled(settings, declared(server, kind, **({"params": {"limit": 2}} if kind == "helicone" else {})))
    assert said in str(result.error)
    assert (files(settings), result.calls <= 2) == ((), True)


@pytest.mark.parametrize("kind", PATHS)
def test_a_record_that_came_late_lands_with_its_window_of_every_api(
    kind: str, server: Server, settings: Settings
) -> None:
    upstream = Upstream(server, numbered(kind, DAYS, 2))
    upstream.serve(kind)
    source = declared(server, kind)
    pulled(settings, source)
    upstream.records[DAYS[-1]].append(record_of(kind, 50, DAYS[-1]))
    upstream.faults = [reply(status=503), reply(status=429, Retry_After="0")]
    later = pulled(settings, source, NOW + timedelta(hours=1))
    assert (later.error, later.files) == (None, 1)
    starts = [file.pulled.start[:10] for file in files(settings) if file.pulled]
    assert sorted(starts) == sorted(map(str, [*DAYS, DAYS[-1]])), "one file for the window that was revised"


def test_a_server_that_breaks_off_in_the_middle_of_a_window_leaves_nothing_of_it(
    server: Server, settings: Settings
) -> None:
    upstream = Upstream(server, numbered("langfuse", DAYS, 5))
    upstream.serve("langfuse")
    real = server.routes[PATHS["langfuse"][0]]
    calls = []

    def broken(handler: Any) -> None:
        calls.append(handler.path)
        (reply(status=500) if len(calls) in (5, 6, 7) else real)(handler)

    server.routes[PATHS["langfuse"][0]] = broken
    source = declared(server, "langfuse")
    assert (pulled(settings, source).outcome, len(files(settings))) == ("failed", 1)
    assert (pulled(settings, source, NOW + timedelta(hours=1)).outcome, len(files(settings))) == ("pulled", 3)


def test_a_large_window_lands_in_parts(server: Server, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.pull.landed.PART_BYTES", 3000)
    upstream = Upstream(server, numbered("langfuse", DAYS[-1:], 10))
    upstream.serve("langfuse")
    source = declared(server, "langfuse", since=DAYS[-1])
    result = pulled(settings, source)
    assert result.files > 1
    assert result.records == 10
    assert sorted(file.pulled.part for file in files(settings) if file.pulled) == list(range(1, result.files + 1))
    files(settings)[0].path.unlink()  # as a process leaves it that is killed between two parts
    again = pulled(settings, source, NOW + timedelta(hours=1))
    assert (again.files, len(files(settings))) == (1, result.files)


def test_a_source_that_fails_costs_the_others_nothing(
    costs: Upstream, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HELICONE_API_KEY")
    good = declared(costs.server, "openai_costs")
    others = [
        RequestSource(source="no_key", format="helicone", pull=ApiPull(kind="helicone", url=costs.server.url)),
        RequestSource(source="wrong", format="langfuse", pull=ApiPull(kind="openai_costs", url=costs.server.url)),
        RequestSource(source="where", format="litellm_spend_logs", pull=ApiPull(kind="litellm")),
        RequestSource(source="what", format="openai_usage_api", pull=ApiPull(kind="openai_usage", reports=("dreams",))),
    ]
    results = pull_sources(settings, Sources(requests=(*others, good)), landed=(), now=NOW, limits=QUICK)
    assert [result.outcome for result in results] == ["failed"] * 4 + ["pulled"]
    assert [result.error for result in results[:4]] == [
        "the environment variable HELICONE_API_KEY is not set",
        "format langfuse can't read what openai_costs answers: declare format openai_costs_api",
        "pull.url is needed: scheme and host of your own server",
        f"pull.reports: no such report as dreams; accepted are {', '.join(CONNECTORS['openai_usage'].reports)}",
    ]
    offline = replace_offline(settings)
    assert [result.outcome for result in pull_sources(offline, Sources(requests=(good,)), landed=())] == ["offline"]


@pytest.mark.parametrize(
    ("first", "second", "is_refused"),
    [
        ({"kind": "anthropic_costs"}, {"kind": "anthropic_analytics_costs"}, True),
        ({"kind": "anthropic_usage"}, {"kind": "anthropic_analytics_usage", "key_env": "ANTHROPIC_ADMIN_KEY"}, True),
        ({"kind": "openai_costs"}, {"kind": "openai_costs", "params": {"group_by": ["line_item"]}}, True),
        ({"kind": "anthropic_costs"}, {"kind": "anthropic_analytics_costs", "key_env": "HELICONE_API_KEY"}, False),
        ({"kind": "anthropic_usage"}, {"kind": "anthropic_analytics_costs"}, False),
        ({"kind": "openai_costs", "params": {"project_ids": ["a"]}}, {"kind": "openai_costs", "params": {"project_ids": ["b"]}}, False),
        ({"kind": "openai_usage", "reports": ["images"]}, {"kind": "openai_usage", "reports": ["moderations"]}, False),
    ],
)  # fmt: skip
def test_a_bill_that_two_sources_would_pull_is_pulled_once(
    first: dict[str, Any], second: dict[str, Any], *, is_refused: bool, server: Server, settings: Settings
) -> None:
    sources = []
    for number, pull in enumerate((first, second)):
        upstream = Upstream(server, numbered(pull["kind"], DAYS, 1))
        upstream.serve(pull["kind"])
        if pull["kind"] == "openai_usage":
            for report in pull["reports"]:
                server.routes[f"/v1/organization/usage/{report}"] = server.routes[PATHS["openai_usage"][0]]
        sources.append(declared(server, **pull).model_copy(update={"source": f"bill{number}"}))
    results = pull_sources(settings, Sources(requests=tuple(sources)), landed=(), now=NOW, limits=QUICK)
    assert [result.outcome for result in results] == ["pulled", "failed" if is_refused else "pulled"]
    assert ("source bill0 pulls" in str(results[1].error)) is is_refused


def test_each_report_of_openai_is_asked_by_the_groups_that_it_knows(server: Server, settings: Settings) -> None:
    """`model` in the question for vector stores is refused; the report of searches knows it."""
    upstream = Upstream(server, numbered("openai_usage", DAYS, 1))
    upstream.serve("openai_usage")
    asked: dict[str, list[str]] = {}

    def route(report: str) -> Any:
        def answer(handler: Any) -> None:
            asked[report] = parse_qs(urlsplit(handler.path).query)["group_by"]
            server.routes[PATHS["openai_usage"][0]](handler)

        return answer

    reports = tuple(CONNECTORS["openai_usage"].reports)
    for report in reports[1:]:
        server.routes[f"/v1/organization/usage/{report}"] = route(report)
    assert pulled(settings, declared(server, "openai_usage", reports=reports)).outcome == "pulled"
    by_project = {name for name, groups in asked.items() if groups == ["project_id"]}
    assert by_project == {"file_search_calls", "code_interpreter_sessions", "vector_stores"}
    assert asked["web_search_calls"] == ["project_id", "model"]


def replace_offline(settings: Settings) -> Settings:
    return settings.model_copy(update={"offline": True})


@pytest.mark.parametrize(
    "pull",
    [
        {"kind": "langfuse", "url": "https://u:hidden@h/x"},
        {"kind": "langfuse", "key_env": "sk-hidden"},
        {"kind": "langfuse", "key_env": ["PUBLIC", "sk_hidden"]},
        {"kind": "sql", "url_env": "postgres://u:hidden@h/x", "table": "t", "cursor": "c"},
        {"kind": "bucket", "url": "s3://id:hidden@b/x"},
        {"kind": "bucket", "url": "s3://b/x", "env": {"access_key_id": "AKIA/hidden"}},
    ],
)
def test_a_secret_in_place_of_its_variable_is_refused_without_being_shown(pull: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "sources.yaml").write_text(
        yaml.safe_dump({"requests": [{"source": "up", "format": "langfuse", "pull": pull}]})
    )
    with pytest.raises(ConfigError) as error:
        load_config(tmp_path)
    assert "hidden" not in str(error.value)
