"""The command as a person types it: what a run ends with, in words and for programs, and what is refused in words."""

from __future__ import annotations

import json
import re
import shutil
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from tests.assets.conftest import SmallSample
from tests.end_to_end.installation import Finished, Installation


@pytest.fixture
def finished(undisturbed: Finished, small_sample: SmallSample) -> Installation:
    """The installation in which the middle day was run."""
    return Installation(undisturbed.home, small_sample.root)


def test_a_run_ends_with_what_a_person_wants_to_know(
    undisturbed: Finished, finished: Installation, small_sample: SmallSample
) -> None:
    out, err = undisturbed.out, undisturbed.err
    for word in ("lines in", "loaded", "duplicates", "quarantined", "priced", "spend by model", "projected saving"):
        assert word in out
    assert "done  core_request" in err
    report = undisturbed.home / "reports" / str(small_sample.days[1]) / "index.html"
    assert report.is_file()
    shown = json.loads(finished.run("sql", "--json", "select count(*) as n from core.request")[0])
    assert shown[0]["n"] > 0


def test_claims_are_audited_by_the_run_as_the_command_shows_them(finished: Installation) -> None:
    kept = json.loads(finished.run("sql", "--json", "select claim, date_basis, verdict from mart.claims_audit")[0])
    shown = json.loads(finished.run("claims", "--json")[0])
    verdicts = {(row["claim"], row["date_basis"]): row["verdict"] for row in shown}
    assert verdicts == {(row["claim"], row["date_basis"]): row["verdict"] for row in kept}
    assert verdicts["saving_90_8_2_gpt_4o", "cited"] == "holds"
    listed = next(line for line in finished.run("claims")[0].splitlines() if line.startswith("saving_90_8_2_gpt_4o "))
    assert "✓ 90.4544" in listed, "behind the number a mark reads as its unit"
    out, _ = finished.run("claims", "saving_90_8_2_gpt_4o")
    assert "13.14 times cheaper" in " ".join(out.split())


def test_models_are_shown_as_the_run_catalogued_them(finished: Installation) -> None:
    kept = json.loads(finished.run("sql", "--json", "select * from mart.model_catalog where model_id = 'qwen3-32b'")[0])
    shown = json.loads(finished.run("models", "Qwen/Qwen3-32B", "--json")[0])
    assert {name: shown[name] for name in ("licence", "weights_gb_4bit", "prices", "scores", "facts")} == {
        name: kept[0][name] for name in ("licence", "weights_gb_4bit", "prices", "scores", "facts")
    }
    asked = ("models", "--open", "--permissive", "--context", "32k", "--fits", "48GB", "--cheapest")
    answered = json.loads(finished.run(*asked, "--json")[0])
    assert [found["model_id"] for found in answered["meets"]] == ["qwen3-32b"]
    assert all(found["unknown"] for found in answered["unknown"])
    out, _ = finished.run(*asked)
    assert "cheapest: qwen3-32b at groq: 0.29 in, 0.59 out" in " ".join(out.split())
    assert max(len(line) for line in out.splitlines()) <= 80
    _, err = finished.run("models", "--fits", "lots", status=2)
    assert "accepted is the memory of a GPU" in " ".join(err.replace("│", " ").split())


def test_focus_names_users_on_demand_and_adds_up_to_the_same(finished: Installation, tmp_path: Path) -> None:
    billed = []
    for options in ((), ("--by-user",)):
        out, _ = finished.run("focus", "--month", "2026-02", "--out", str(tmp_path / str(len(options))), *options)
        billed.append(re.search(r"billed ([\d.]+) USD", out)[1])  # type: ignore[index]
    assert billed[0] == billed[1]
    rows = pl.concat([pl.read_csv(path, infer_schema=False) for path in (tmp_path / "1").glob("*cost*.csv")])
    assert rows["x_PrincipalId"].n_unique() > 2


def test_self_hosting_is_judged_by_the_run(finished: Installation) -> None:
    """The sample deploys Qwen3 32B on one H100 for 2.10 USD an hour: 50.40 a day, whether used or not."""
    columns = "option_id, fixed_usd_per_day, demand_tokens_per_day, allocation_usd_per_mtok, usage_usd_per_mtok, reason"
    rows = json.loads(finished.run("sql", "--json", f"select {columns} from mart.selfhost_breakeven")[0])
    found = {row["option_id"]: row for row in rows}
    own = found["own_qwen3_32b"]
    assert own["fixed_usd_per_day"] == 50.4
    assert own["allocation_usd_per_mtok"] == pytest.approx(50.4e6 / own["demand_tokens_per_day"])
    assert own["allocation_usd_per_mtok"] > own["usage_usd_per_mtok"]
    assert "no throughput of deepseek-r1 was measured" in found["deepseek-r1"]["reason"]


def test_a_day_without_requests_ends_well(finished: Installation) -> None:
    """A warning, a page, status 0; the other days keep what they had."""
    before = finished.tables()["mart.daily_model_spend"]
    out, _ = finished.run("daily", "--date", "2026-01-01")
    assert "check warn: core.request has_rows" in out
    assert str(finished.home / "reports" / "2026-01-01" / "index.html") in "".join(out.splitlines())
    assert "No requests are loaded for 1 January 2026" in page(finished, "2026-01-01")
    assert finished.tables()["mart.daily_model_spend"] == before


def test_a_landing_zone_without_requests_ends_well(installation: Installation, tmp_path: Path) -> None:
    """Nothing at all, and prices only: yesterday is run, as the schedule would."""
    sample = installation.landing
    yesterday = str(datetime.now(UTC).date() - timedelta(days=1))
    for kinds in ((), ("prices",)):
        installation.landing = tmp_path / ("landing-" + "-".join(kinds))
        installation.landing.mkdir()
        for kind in kinds:
            shutil.copytree(sample / kind, installation.landing / kind)
        out, err = installation.run("daily", "--json")
        facts = json.loads(out)
        assert "holds no request logs" in err
        assert [run["window"] for run in facts["runs"]] == [yesterday]
        assert facts["report"] == str(installation.home / "reports" / yesterday / "index.html")
        warned = {f"{check['asset']} {check['name']}" for check in facts["checks"] if not check["passed"]}
        assert "core.request has_rows" in warned
        assert ("core.price has_rows" in warned) is ("prices" not in kinds)
        shutil.rmtree(installation.home / "reports")


def test_a_question_about_routing_is_answered_as_the_daily_run_did_and_stores_nothing(
    finished: Installation, small_sample: SmallSample
) -> None:
    day = str(small_sample.days[1])
    stored = json.loads(
        finished.run(
            "sql",
            "--json",
            "select arm, baseline, projected_cost_usd from mart.routing_projection where policy = 'hybrid_90_8_2'",
        )[0],
        parse_float=Decimal,
    )
    counted = "select count(*) as n from mart.routing_projection"
    before = finished.run("sql", "--json", counted)[0]
    answered = json.loads(finished.run("route", "--date", day, "--json")[0])
    of_arm = {(row["arm"], row["baseline"]): row["projected_cost_usd"] for row in stored}
    assert {(row["arm"], row["baseline"]): Decimal(row["projected_cost_usd"]) for row in answered} == of_arm
    words, _ = finished.run("route", "--share", "cheap_open=0", "--share", "strong_closed=0.98")
    assert "the saving lies between" in " ".join(words.split())
    assert "From baseline to projection, USD" in words
    assert finished.run("sql", "--json", counted)[0] == before


def page(installation: Installation, day: str) -> str:
    return (installation.home / "reports" / day / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["daily", "--from", "2026-02-16"], "--from and --to go together"),
        (["daily", "--from", "2026-02-16", "--to", "2026-02-15"], "is before"),
        (["daily", "--date", "2026-02-16", "--from", "2026-02-16", "--to", "2026-02-16"], "can't be combined"),
        (["daily", "--date", "16 February"], "accepted here: YYYY-MM-DD"),
        (["daily", "--date", "9999-12-31"], "a day is from 2023-01-01 to"),
        (["daily", "--date", "2026-02-30"], "not a day of the calendar"),
    ],
)
def test_wrong_days_are_refused_in_words(finished: Installation, arguments: list[str], words: str) -> None:
    _, err = finished.run(*arguments, status=2)
    assert words in err
    assert err.count("\n") == 1
