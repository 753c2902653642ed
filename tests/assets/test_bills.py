"""Provider bills through the daily job: never requests or spend, accounted to the record, revised by a later export."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import yaml

from tests.assets.conftest import SAMPLE_CONFIG, DailyJob, SmallSample
from tests.unit.bills.reports import ANTHROPIC_COST, OPENAI_COSTS, OPENROUTER

BILLS = {"openai_bill": "openai_costs_api", "claude_bill": "anthropic_cost_api", "router": "openrouter_activity"}
OF_BILLS = ("raw.snapshot", "raw.quarantine", "core.reported_cost", "raw.bill_duplicate")
"""What a later export changes; its requests are accounted for by the run of the whole job."""


def put(root: Path, source: str, arrival: str, name: str, content: object) -> None:
    path = root / "requests" / source / arrival / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def with_bills(job: DailyJob, folder: Path) -> DailyJob:
    """The sample with three sources of bills in place of its own, one export of each landed."""
    config, landing = folder / "config", folder / "landing"
    shutil.copytree(SAMPLE_CONFIG, config)
    shutil.copytree(job.landing, landing, ignore=shutil.ignore_patterns("*_bill"))
    declared = yaml.safe_load((config / "sources.yaml").read_text())
    logs = [source for source in declared["requests"] if not source["source"].endswith("_bill")]
    declared["requests"] = logs + [{"source": source, "format": name} for source, name in BILLS.items()]
    (config / "sources.yaml").write_text(yaml.safe_dump(declared))
    put(landing, "openai_bill", "2026-02-14", "costs_20260214T060000Z.json", OPENAI_COSTS)
    put(landing, "claude_bill", "2026-02-14", "cost.json", ANTHROPIC_COST)
    put(landing, "router", "2026-02-14", "activity.json", OPENROUTER)
    return replace(job, landing=landing, config=config)


def failed_checks(result: dg.ExecuteInProcessResult) -> set[str]:
    checks = result.get_asset_check_evaluations()
    assert "lines_accounted" in {check.check_name for check in checks}
    return {check.check_name for check in checks if not check.passed}


def revised(report: dict[str, Any]) -> dict[str, Any]:
    """The bill with its first line 0.01 dearer and its third line gone."""
    again = deepcopy(report)
    results = again["data"][0]["results"]
    results[0]["amount"]["value"] = 0.07
    del results[2]
    return again


def billed(job: DailyJob) -> list[tuple[Any, ...]]:
    sql = (
        "select source, model_id, sum(amount_usd) as usd from core.reported_cost where superseded_at is null "
        "and event_date = '2026-02-12' group by 1, 2 order by 1, 2"
    )
    return job.query(sql).rows()


def test_bills_through_the_daily_job(
    fresh_job: Callable[[], DailyJob], small_sample: SmallSample, tmp_path: Path
) -> None:
    job = with_bills(fresh_job(), tmp_path)
    day = small_sample.days[-1]
    result = job.run(day)
    # So small a sample has too many broken lines, and no traffic for its credit.
    assert failed_checks(result) <= {"fresh", "sources_readable", "commitments_known"}
    # A bill is no request and no spend.
    sources = small_sample.summary.sources.values()
    loaded = "select count(*), sum(effective_cost_usd) as usd from core.request where event_date = '{}'"
    [(requests, spent)] = job.query(loaded.format(day)).rows()
    assert requests == sum(source.requests_by_date[str(day)] for source in sources)
    assert job.query(
        f"select sum(effective_cost_usd) from mart.daily_model_spend where event_date = '{day}'"
    ).rows() == [(spent,)]
    # By hand, from the reports: 1.2378912 + 0.2; 2.550015 without the 2.50 of gpt-5.2, which nothing here prices.
    found = billed(job)
    assert [(source, model, usd) for source, model, usd in found if model != "gpt-4.1"][:3] == [
        ("claude_bill", "claude-sonnet-4-5", Decimal("1.2378912")),
        ("claude_bill", None, Decimal("0.2")),
        ("openai_bill", "gpt-4o", Decimal("0.060015")),
    ]
    assert sum(usd for source, _, usd in found if source == "openai_bill") == Decimal("2.550015")
    index = "select landing_path, lines, valid, quarantined from raw.snapshot where kind = 'bills' order by 1"
    assert [row[1:] for row in job.query(index).rows()] == [(2, 2, 0), (6, 6, 0), (2, 2, 0)]

    put(job.landing, "openai_bill", "2026-02-15", "costs_20260215T060000Z.json", revised(OPENAI_COSTS))
    assert failed_checks(job.run(day, only=OF_BILLS)) <= {"fresh", "sources_readable"}
    assert sum(usd for source, _, usd in billed(job) if source == "openai_bill") == Decimal("0.060015")  # + 0.01 - 2.50
    ends = "select supersede_reason, count(*) from core.reported_cost where superseded_at is not null group by 1 order by 1"
    assert job.query(ends).rows() == [("removed", 1), ("revised", 1)]
    before = job.tables()
    job.run(day, only=OF_BILLS)
    again = job.tables()
    for name in ("core.reported_cost", "raw.bill_duplicate"):
        assert again[name] == before[name], "the same exports give the same rows"

    put(job.landing, "nobody", "2026-02-15", "calls.json", {})
    assert "every_file_taken" in failed_checks(job.run(day, only=OF_BILLS)), "a folder that no declaration reads"
