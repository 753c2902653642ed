"""What people see of changed models: a check that fails with its severity and stops nothing, the command line, the table."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import dagster as dg
import pytest
import yaml
from typer.testing import CliRunner

from assets.cli import app
from pipelines.landing import land
from tests.assets.conftest import SAMPLE_CONFIG, DailyJob, RangedRun, SmallSample

MODEL = "Claude Sonnet 4.5"
SUPPORT = {
    "board": "support_cases",
    "format": "mapping",
    "options": {
        "model_field": "model",
        "item_field": "case",
        "scores": [{"field": "solved", "benchmark": "support", "scale": "share"}],
    },
}


def cases(solved: int) -> bytes:
    lines = [{"model": MODEL, "case": f"c{n:03d}", "solved": int(n < solved)} for n in range(200)]
    return "\n".join(json.dumps(line) for line in lines).encode()


def page(models: int) -> bytes:
    listed = [{"rank": n + 1, "model": f"m{n:02d}", "score": 1500 - 5 * n, "ci": 4} for n in range(models)]
    return json.dumps({"meta": {"leaderboard": "text"}, "models": listed}).encode()


@dataclass(frozen=True)
class Watched:
    """The sample's last day with two more boards: an own evaluation in which a model fell, and a page cut short."""

    job: DailyJob
    result: dg.ExecuteInProcessResult


@pytest.fixture(scope="module")
def watched(
    fresh_job: Callable[[], DailyJob], small_sample: SmallSample, tmp_path_factory: pytest.TempPathFactory
) -> Watched:
    folder, day = tmp_path_factory.mktemp("watched"), small_sample.days[-1]
    config, landing = folder / "config", folder / "landing"
    shutil.copytree(SAMPLE_CONFIG, config)
    shutil.copytree(small_sample.root, landing)
    declared = yaml.safe_load((config / "sources.yaml").read_text())
    declared["leaderboards"] += [SUPPORT, {"board": "arena", "format": "arena_daily"}]
    (config / "sources.yaml").write_text(yaml.safe_dump(declared))
    for board, suffix, contents in (
        ("support_cases", ".jsonl", (cases(150), cases(130))),
        ("arena", ".json", (page(40), page(15))),
    ):
        for days_before, content in zip((1, 0), contents, strict=True):
            at = _midnight(day) - timedelta(days=days_before)
            land(landing, "leaderboards", board, content, suffix=suffix, fetched_at=at, url=None)
    job = replace(fresh_job(), landing=landing, config=config)
    return Watched(job, job.run(day))


def _midnight(day: date) -> datetime:

    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def test_changes_fail_their_checks_with_a_severity_and_stop_nothing(
    watched: Watched, ranged: RangedRun, small_sample: SmallSample
) -> None:
    assert watched.result.success
    found = {
        check.check_name: check
        for check in watched.result.get_asset_check_evaluations()
        if check.asset_key.path[-1] in {"benchmark_drift", "request_drift"}
    }
    assert (found["no_drift"].passed, found["no_drift"].severity) == (False, dg.AssetCheckSeverity.WARN)
    assert (found["exports_complete"].passed, found["exports_complete"].severity) == (
        False,
        dg.AssetCheckSeverity.WARN,
    )
    assert found["scales_unchanged"].passed
    assert "on the 200 items that both runs share (0 better, 20 worse)" in str(found["no_drift"].description)
    assert "known rows are missing from it" in str(found["exports_complete"].description)
    spend = f"select * from mart.daily_model_spend where event_date = '{small_sample.days[-1]}' order by 1, 2, 3"
    assert watched.job.query(spend).rows() == ranged.job.query(spend).rows() != []


def test_the_event_names_the_money_and_the_routes_it_touches(watched: Watched) -> None:
    found = _cli(watched.job, "drift", "--json", "--board", "support_cases")
    (event,) = [item for item in json.loads(found)["leaderboards"] if item["drift_class"] == "drift"]
    assert event["model_id"] == "claude-sonnet-4-5"
    assert event["evidence"]["versions"][0]["items_lost"] == 20
    assert event["min_detectable"] > 0
    spent = watched.job.query(
        "select sum(effective_cost_usd) as usd from mart.daily_model_spend where model_id = 'claude-sonnet-4-5' and "
        f"event_date = '{event['event_date']}'"
    )["usd"][0]
    assert f"{Decimal(spent):,.2f} USD were spent on it on {event['event_date']}" in event["explanation"]
    assert "it is routed to by" in event["explanation"]
    people = _cli(watched.job, "drift")
    assert "support_cases, drift" in people
    assert "smallest that would show" in people


def test_scores_are_written_in_the_shared_schema(watched: Watched) -> None:
    lines = _cli(watched.job, "scores", "--board", "support_cases").splitlines()
    (document,) = [json.loads(line) for line in lines]
    assert document["model_info"]["additional_details"]["model_availability"] == "closed_weights"
    assert document["evaluation_results"][0]["score_details"]["score"] == 65.0
    day = watched.job.query(
        "select min(observed_at)::date as day from core.benchmark_score where board = 'support_cases'"
    )
    (before,) = _cli(watched.job, "scores", "--board", "support_cases", "--known-at", str(day["day"][0])).splitlines()
    assert json.loads(before)["evaluation_results"][0]["score_details"]["score"] == 75.0


def _cli(job: DailyJob, *arguments: str) -> str:
    given = {
        "MODELMETER_HOME": str(job.home),
        "MODELMETER_LANDING": str(job.landing),
        "MODELMETER_CONFIG": str(job.config),
        "MODELMETER_DATABASE_URL": job.database.url.render_as_string(hide_password=False),
        "MODELMETER_OFFLINE": "true",
    }
    done = CliRunner().invoke(app, list(arguments), env=given, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout
