"""`modelmeter sources`: what a source would give, without landing anything, and the list of all that is declared."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from assets.cli import app
from pipelines.landing import open_zone
from pipelines.pull.probe import Probe, probe_source
from pipelines.settings import Settings
from tests.unit.fetch.server import Server, reply
from tests.unit.pull.conftest import SECRET
from tests.unit.pull.test_apis import DAYS, NOW, declared, files, pulled
from tests.unit.pull.upstream import PATHS, Upstream, numbered


def probed(settings: Settings, source: Any) -> Probe:
    zone = open_zone(settings)
    return probe_source(settings, zone, source, zone.scan("requests").files, NOW)


def test_a_source_is_looked_at(server: Server, settings: Settings) -> None:
    upstream = Upstream(server, numbered("langfuse", DAYS, 3))
    upstream.serve("langfuse")
    source = declared(server, "langfuse", look_back_days=0)
    probe = probed(settings, source)
    (report,) = probe.reports
    assert (probe.is_reached, probe.is_authorised, probe.error, probe.files) == (True, True, None, 0)
    assert (report.windows, report.begin, report.end) == (4, f"{DAYS[0]}T00:00:00Z", "2026-02-14T12:00:00Z")
    assert report.first is not None
    assert report.first.startswith(str(DAYS[0]))
    assert report.last is not None
    assert report.last.startswith(str(DAYS[-1]))  # today has no records yet
    assert (report.asked_to, report.calls, report.is_least) == (None, 8, False)  # four windows of two pages
    assert files(settings) == ()
    pulled(settings, source)
    (report,) = probed(settings, source).reports
    assert (report.asked_to, report.windows) == ("2026-02-14T12:00:00Z", 1)


def test_the_first_record_is_of_the_newest_window_where_the_oldest_hold_none(
    server: Server, settings: Settings
) -> None:
    upstream = Upstream(server, numbered("langfuse", DAYS[-1:], 3))
    upstream.serve("langfuse")
    (report,) = probed(settings, declared(server, "langfuse", since=DAYS[0] - timedelta(days=5))).reports
    assert report.first is not None
    assert report.first.startswith(str(DAYS[-1]))
    assert report.empty_before == 3


def test_what_an_api_does_not_give_is_said_where_it_is_asked(server: Server, settings: Settings) -> None:
    Upstream(server, numbered("openrouter_activity", DAYS, 1)).serve("openrouter_activity")
    probe = probed(settings, declared(server, "openrouter_activity"))
    assert probe.error is None
    assert "/api/v1/generation" in probe.lacks


@pytest.mark.parametrize(("status", "is_authorised"), [(401, False), (403, False), (404, True)])
def test_a_key_that_is_refused(status: int, is_authorised: bool, server: Server, settings: Settings) -> None:
    server.routes[PATHS["litellm"][0]] = reply(status=status)
    probe = probed(settings, declared(server, "litellm"))
    assert (probe.is_reached, probe.is_authorised) == (True, is_authorised)
    assert f"the server answers {status}" in str(probe.error)


def test_the_commands(server: Server, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    upstream = Upstream(server, numbered("openai_costs", DAYS, 3))
    upstream.serve("openai_costs")
    config = tmp_path / "config"
    config.mkdir()
    requests = [
        {"source": "bill", "format": "openai_costs_api", "pull": {"kind": "openai_costs", "url": server.url}},
        {"source": "logs", "format": "codex"},
    ]
    prices = [{"feed": "own", "format": "price_sheet", "url": "https://prices.example/p.csv?key=hidden", "options": {"headers_env": {"X-Key": "PRICE_KEY"}}}]  # fmt: skip
    own = {"requests": requests, "prices": prices, "leaderboards": [], "selfhost": []}
    (config / "sources.yaml").write_text(yaml.safe_dump(own))
    for name, value in {"HOME": settings.home, "LANDING": settings.landing, "CONFIG": config}.items():
        monkeypatch.setenv(f"MODELMETER_{name}", str(value))
    monkeypatch.delenv("MODELMETER_OFFLINE", raising=False)
    shown = CliRunner().invoke(app, ["sources", "list"])
    assert shown.exit_code == 0
    lines = shown.output.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[:3] == [
        "requests",
        "  bill  openai_costs_api  never reached",
        f"    from openai_costs at {server.url}, key in OPENAI_ADMIN_KEY",
    ]
    assert [line for line in lines if "prices.example" in line] == [
        "    from https://prices.example/p.csv?key=..., key in PRICE_KEY"
    ]
    assert [line for line in lines if "not set" in line] == ["    not set: PRICE_KEY"]
    listed = json.loads(CliRunner().invoke(app, ["sources", "list", "--json"]).output)
    assert [(row["name"], row["reached"], row["key"]) for row in listed[:3]] == [
        ("bill", None, "OPENAI_ADMIN_KEY"), ("logs", None, None), ("own", None, "PRICE_KEY"),
    ]  # fmt: skip
    assert "hidden" not in json.dumps(listed)
    looked = CliRunner().invoke(app, ["sources", "test", "bill"])
    assert (looked.exit_code, "authorised   yes" in looked.output, SECRET in looked.output) == (0, True, False)
    monkeypatch.delenv("OPENAI_ADMIN_KEY")
    refused = CliRunner().invoke(app, ["sources", "test", "bill"])
    assert (refused.exit_code, "OPENAI_ADMIN_KEY is not set" in refused.output) == (1, True)
    assert "accepted: bill" in CliRunner().invoke(app, ["sources", "test", "logs"]).output
    assert "you put its files into requests/logs/" in " ".join(
        CliRunner().invoke(app, ["sources", "test", "logs"]).output.replace("│", "").split()
    )
