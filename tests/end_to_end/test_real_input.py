"""The main job on real input: billed OpenRouter calls of February 2026 and the Azure trace of 16 November 2023.

Every total is counted again here from the files themselves, with nothing of the project's; the billed cost of the
calls is what OpenRouter charged, which a catalog price can't always reproduce. The counts of agreement are figures
of these files and of the genai-prices release in the lock.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.settings import Settings
from pipelines.warehouse.open import open_database
from tests.assets.conftest import OF_A_DAY, DailyJob
from tests.end_to_end.real_landing import AZURE, OPENROUTER, assemble
from tests.warehouse_fixtures import fresh_database

FEBRUARY = date(2026, 2, 10), date(2026, 2, 13)
TRACE_DAY = date(2023, 11, 16)


@pytest.fixture(scope="module")
def real_job(shared_data: Path, postgres_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DailyJob]:
    """The job, run over one stretch of days whole, and for the day of the trace as far as requests go; the tests read what it left."""
    root = tmp_path_factory.mktemp("real")
    landing, config = assemble(shared_data, root)
    with open_database(Settings(home=postgres_home), migrate=False) as shared:
        job = DailyJob(fresh_database(shared), root / "home", landing, config)
        assert job.run(*FEBRUARY).success
        assert job.run(TRACE_DAY, only=OF_A_DAY).success
        yield job


def calls(shared_data: Path) -> list[dict[str, object]]:
    with (shared_data / OPENROUTER).open(encoding="utf-8") as lines:
        return [json.loads(line, parse_float=Decimal) for line in lines]


def test_billed_calls(real_job: DailyJob, shared_data: Path) -> None:
    found = calls(shared_data)
    broken = [c for c in found if _reasoning(c) > _usage(c).get("completion_tokens", 0)]
    assert len(found) == 300
    assert len(broken) == 1, "one call reports more reasoning than output"

    rows = real_job.query(
        "select event_date::text as day, count(*) as calls, sum(input_uncached_tokens + input_cache_read_tokens)::bigint as prompt, "
        "sum(output_text_tokens + output_reasoning_tokens)::bigint as completion, sum(reported_cost_usd) as billed "
        "from core.request where source = 'openrouter' group by 1 order by 1"
    )
    for row in rows.to_dicts():
        of_day = [c for c in found if str(c["timestamp"])[:10] == row["day"]]
        assert row["calls"] == len(of_day)
        assert row["prompt"] == sum(_usage(c).get("prompt_tokens", 0) for c in of_day)
        assert row["completion"] == sum(_usage(c).get("completion_tokens", 0) for c in of_day)
        assert row["billed"] == sum((Decimal(_usage(c).get("cost", 0)) for c in of_day), Decimal(0))
    assert rows["calls"].sum() == 300

    quarantine = real_job.query(
        "select reason, detail from raw.quarantine join raw.snapshot using (snapshot_id) where kind = 'requests'"
    )
    assert quarantine.is_empty()
    marked = real_job.query(
        "select tags ->> 'dropped_details' as dropped from core.request where tags ? 'dropped_details'"
    )
    assert marked["dropped"].to_list() == ["reasoning"]


def test_billed_cost_against_the_catalog(real_job: DailyJob) -> None:
    """How far a catalog price reproduces the bill through a router: about two calls in five, to the last digit.

    The rest were served by an upstream seller whose price is not the catalog's, or the catalog that we know is of
    another date; a model that no feed prices at OpenRouter is NULL with its reason, never zero.
    """
    rows = real_job.query(
        "select list_cost_usd as computed, reported_cost_usd as billed, unpriced_reason as reason from core.request where source = 'openrouter'"
    ).to_dicts()
    verdicts = Counter(_verdict(row["computed"], row["billed"], row["reason"]) for row in rows)
    assert sum(verdicts.values()) == 300
    assert verdicts["equal"] == 98
    assert verdicts["within 1 %"] == 6
    assert verdicts["catalog lower"] == 108
    assert verdicts["catalog higher"] == 53
    assert {key: n for key, n in verdicts.items() if key.startswith("unpriced")} == {
        "unpriced: model_unresolved": 24,
        "unpriced: no_price": 9,
        "unpriced: no_rate_for_meter": 1,
        "unpriced: usage_missing": 1,
    }


def test_azure_trace_to_the_cent(real_job: DailyJob, shared_data: Path) -> None:
    """8,819 requests, rated as gpt-4 at USD 30 and 60 per million tokens: 4 lines of arithmetic of our own."""
    with (shared_data / AZURE).open(encoding="utf-8-sig") as lines:
        trace = list(csv.DictReader(lines))
    context = sum(int(row["ContextTokens"]) for row in trace)
    generated = sum(int(row["GeneratedTokens"]) for row in trace)
    spend = real_job.query(
        "select requests, input_tokens, output_tokens, list_cost_usd from mart.daily_model_spend where event_date = '2023-11-16'"
    ).row(0)
    assert spend == (
        len(trace),
        context,
        generated,
        (context * Decimal(30) + generated * Decimal(60)) / 1_000_000,
    )


def test_boards_and_maps_are_all_there(real_job: DailyJob, shared_data: Path) -> None:
    files = dict(
        real_job.query("select source, count(*) from raw.snapshot where kind <> 'requests' group by 1").iter_rows()
    )
    assert files["litellm_map"] == len(list((shared_data / "prices/litellm_map").iterdir())) == 20
    assert files["lmarena_text"] == len(list((shared_data / "leaderboards/lmarena/text").iterdir())) == 8
    assert files["aider_polyglot"] == len(list((shared_data / "leaderboards/aider_polyglot").iterdir())) == 7
    rebases = real_job.query("select event_date::text from mart.benchmark_drift where drift_class = 'scale_rebase'")
    assert rebases["event_date"].to_list() == ["2025-05-27"], "the re-anchoring is one event"


def test_published_hardware_is_in_the_ledgers_with_its_file(real_job: DailyJob) -> None:
    """416 rows of MLPerf 5.1 are measurements or set aside; one NVIDIA system of it served DeepSeek R1 on 8 H200 at 8,904.83 tokens a second."""
    counted = real_job.query("select source, lines, valid, quarantined from raw.snapshot where kind = 'selfhost'")
    by_feed = {row["source"]: row for row in counted.iter_rows(named=True)}
    assert by_feed["mlperf"]["lines"] == 416 == by_feed["mlperf"]["valid"] + by_feed["mlperf"]["quarantined"]
    assert (by_feed["gpu_tco"]["lines"], by_feed["gpu_tco"]["valid"]) == (9, 9)
    held = real_job.query(
        "select count(*) as n from raw.quarantine join raw.snapshot using (snapshot_id) where kind = 'selfhost'"
    )
    assert held["n"][0] == by_feed["mlperf"]["quarantined"]
    r1 = real_job.query(
        "select output_tokens_per_second as speed, gpus from core.throughput where model_id = 'deepseek-r1' and gpu = 'h200'"
    )
    assert r1.rows() == [(8904.83, 8)]
    rents = real_job.query(
        "select usd_per_hour from core.gpu_price where gpu = 'mi300x' and term = 'rental_3_years' and snapshot_id is not null"
    )
    assert rents["usd_per_hour"].to_list() == [Decimal("1.55")]


def _usage(call: dict[str, object]) -> dict[str, int]:
    usage = call["usage"]
    return usage if isinstance(usage, dict) else {}


def _reasoning(call: dict[str, object]) -> int:
    details = _usage(call).get("completion_tokens_details") or {}
    assert isinstance(details, dict)
    return details.get("reasoning_tokens") or 0


def _verdict(computed: Decimal | None, billed: Decimal | None, reason: str | None) -> str:
    if computed is None:
        return f"unpriced: {reason}"
    assert billed is not None
    if computed == billed:
        return "equal"
    if abs(computed - billed) <= billed / 100:
        return "within 1 %"
    return "catalog higher" if computed > billed else "catalog lower"
