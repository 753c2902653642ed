"""The sample: that it is the same everywhere, holds exactly what its summary says, and has the shapes it claims.

All counts come from the files by the standard library (`reading.py`), never from the generator's own frames.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from pipelines.benchmarks import packaged_board
from pipelines.config import load_config
from pipelines.landing import KINDS, read_bytes, scan
from pipelines.sample import GENERATOR_VERSION, SampleError, SampleSummary, catalogue, generate_sample
from pipelines.sample.bills import Bills
from pipelines.sample.boards import CORRECTED_COST, FALLEN_MODEL, FALLEN_POINTS, RENAMED_RUN
from pipelines.sample.catalogue import BURST_APPLICATION, BURST_FACTOR, BURST_FROM, PRICE_CHANGE_DATE, UNKNOWN_MODEL
from pipelines.sample.draws import Draws
from pipelines.sample.traffic import draw_calls, requests_on
from tests.unit.sample.reading import content, records

SOURCES = ("gateway", "assistants", "batch")
Sample = tuple[Path, SampleSummary]


def tree(root: Path) -> dict[str, str]:
    """Hash of every file's decompressed content by path."""
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): hashlib.sha256(content(path)).hexdigest() for path in files}


def test_random_numbers_are_exact_arithmetic_on_raw_bits() -> None:
    seed = int.from_bytes(hashlib.sha256(b"7\x00a\x00b").digest()[:16], "big")
    raw = [int(bits) for bits in np.random.PCG64(seed).random_raw(8)]
    draws = Draws(7, "a", "b")
    assert draws.below(1000, 3).tolist() == [(bits >> 32) * 1000 >> 32 for bits in raw[:3]] == [171, 5, 803]
    knots = [(0, 10), (5000, 20), (10000, 100)]
    u = [Fraction((bits >> 32) * 10**8 >> 32, 10**8) for bits in raw[3:7]]
    expected = [math.floor(10 + 20 * p if p < Fraction(1, 2) else 20 + 160 * (p - Fraction(1, 2))) for p in u]
    assert draws.quantile(knots, 4).tolist() == expected
    assert draws.hex_ids(16, 1) == [f"{raw[7]:016x}"]


def test_weights_are_kept() -> None:
    drawn = Counter(Draws(1).weighted([1, 0, 3], 40_000).tolist())
    assert set(drawn) == {0, 2}
    assert drawn[2] / 40_000 == pytest.approx(0.75, abs=0.01)
    assert Draws(1).chance(250, 40_000).mean() == pytest.approx(0.25, abs=0.01)


def test_the_same_seed_gives_the_same_content(tmp_path: Path) -> None:
    first = generate_sample(tmp_path / "a" / "landing", days=2, requests_per_day=500)
    again = generate_sample(tmp_path / "b" / "landing", days=2, requests_per_day=500)
    other = generate_sample(tmp_path / "c" / "landing", days=2, requests_per_day=500, seed=1)
    assert first == again != other
    assert tree(tmp_path / "a") == tree(tmp_path / "b")
    digest = hashlib.sha256(json.dumps(tree(tmp_path / "a")).encode()).hexdigest()
    assert (GENERATOR_VERSION, digest[:16]) == ("6", "e38224a52bf3d8f7"), "raise GENERATOR_VERSION with every change"


def test_one_application_runs_away_and_one_workspace_has_no_log() -> None:
    source = next(
        item for item in catalogue.SOURCES if any(lane.application == BURST_APPLICATION for lane in item.lanes)
    )
    before, after = BURST_FROM - timedelta(days=7), BURST_FROM
    weights = {lane.application: lane.weight for lane in source.lanes}
    runaway = weights[BURST_APPLICATION]
    total = sum(weights.values())
    assert (
        requests_on(source, after, 10_000)
        == requests_on(source, before, 10_000) * (total + (BURST_FACTOR - 1) * runaway) // total
    )
    assert all(
        requests_on(other, after, 10_000) == requests_on(other, before, 10_000)
        for other in catalogue.SOURCES
        if other is not source
    )
    bills = Bills()
    for day in (PRICE_CHANGE_DATE - timedelta(days=1), PRICE_CHANGE_DATE):
        bills.add(draw_calls(source, day, 300, 0, Draws(1, str(day))))
    report = next(
        json.loads(content) for name, _, content in bills.files_of(PRICE_CHANGE_DATE) if name == "anthropic_bill"
    )
    workspaces = [{line["workspace_id"] for line in bucket["results"]} for bucket in report["data"]]
    assert workspaces == [{"wrkspc_sample"}, {"wrkspc_sample", "wrkspc_trial"}]
    sums = {
        name: sum(Decimal(line["amount"]) for line in report["data"][1]["results"] if line["workspace_id"] == name)
        for name in workspaces[1]
    }
    assert float(sums["wrkspc_trial"]) == pytest.approx(float(sums["wrkspc_sample"]) / 25)


def test_days_begin_where_they_are_asked_to(tmp_path: Path) -> None:
    made = generate_sample(tmp_path / "landing", first=date(2026, 2, 1), days=2, requests_per_day=300)
    assert made.days == ("2026-02-01", "2026-02-02")
    assert generate_sample(tmp_path / "landing", days=2, requests_per_day=300).days[0] == "2026-02-15", "another sample"


def test_it_is_made_once_and_whole(tmp_path: Path) -> None:
    root, days = tmp_path / "landing", []
    made = generate_sample(root, days=2, requests_per_day=300, progress=lambda *done: days.append(done))
    assert days == [(1, 2, "2026-02-15"), (2, 2, "2026-02-16")]
    times = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    assert generate_sample(root, days=2, requests_per_day=300) == made
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == times
    marker = root / "_sample.json"
    marker.write_text(marker.read_text().replace(f'"{GENERATOR_VERSION}"', '"0"'))
    assert generate_sample(root, days=2, requests_per_day=300) == made
    assert f'"{GENERATOR_VERSION}"' in marker.read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["landing"], "no scratch folder is left"


def test_an_interrupted_generation_leaves_what_was_there(tmp_path: Path) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate_sample(tmp_path / "landing", days=2, requests_per_day=300, progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_no_sample_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(SampleError, match="no modelmeter sample"):
        generate_sample(tmp_path, days=1, requests_per_day=100)
    (tmp_path / "_sample.json").write_text("{")
    with pytest.raises(SampleError, match="can't be read"):
        generate_sample(tmp_path, days=1, requests_per_day=100)
    assert (tmp_path / "mine.txt").read_text() == "keep"


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.slow
def test_the_summary_is_what_the_files_hold(small: Sample, source: str) -> None:
    root, summary = small
    expected, found = summary.sources[source], list(records(root, source))
    assert expected.lines == len(found) == expected.requests + expected.duplicates + sum(expected.broken.values())
    assert expected.files == len({record.path for record in found})
    assert expected.broken == Counter(record.fault for record in found if record.fault)
    valid = [record for record in found if record.fault is None]
    per_file = Counter((record.path, record.id) for record in valid)
    distinct = {record.id: record for record in valid}
    assert expected.requests == len(distinct)
    assert expected.duplicates_inside == sum(count - 1 for count in per_file.values()) > 0
    assert expected.duplicates_across == len(per_file) - len(distinct) > 0
    by_day: dict[str, Counter[str]] = {"requests": Counter(), "input": Counter(), "output": Counter()}
    for record in distinct.values():
        assert record.at is not None
        day = record.at.date().isoformat()
        for name, value in (("requests", 1), ("input", record.prompt), ("output", record.output)):
            by_day[name][day] += value
    assert expected.requests_by_date == by_day["requests"]
    assert expected.input_tokens_by_date == by_day["input"]
    assert expected.output_tokens_by_date == by_day["output"]


@pytest.mark.parametrize("source", SOURCES)
def test_lines_arrive_in_time(small: Sample, source: str) -> None:
    root, summary = small
    first: dict[str, timedelta] = {}
    for record in records(root, source):
        if record.at is not None:
            delay = record.arrival - record.at.date()
            assert timedelta(days=-1) <= delay <= timedelta(days=3)
            first[record.id] = min(delay, first.get(record.id, delay))
    counted = Counter(first.values())
    expected = summary.sources[source]
    assert expected.next_day == counted[timedelta(days=-1)] > 0
    assert expected.late == counted[timedelta(days=1)] + counted[timedelta(days=2)] > 0
    assert set(expected.requests_by_date) == set(summary.days), "no call falls outside the sample's days"


def test_gateway_outcomes_are_counted(small: Sample) -> None:
    root, summary = small
    rows = {record.id: record.row for record in records(root, "gateway") if record.fault is None}.values()
    expected = summary.sources["gateway"]
    assert expected.errors == sum(row["status"] == "failure" for row in rows) > 0
    assert expected.cache_hits == sum(row["cache_hit"] == "True" for row in rows) > 0
    assert expected.unknown_model == sum(row["model"] == UNKNOWN_MODEL for row in rows) > 0
    assert expected.without_model == sum(row["model"] == "" for row in rows) > 0


def test_gateway_costs_are_those_of_the_price_map_of_the_day(small: Sample) -> None:
    root, _ = small
    maps = {
        day: json.loads((root / f"prices/litellm_map/{day}.json").read_bytes(), parse_float=Decimal)
        for day in ("2026-01-31", "2026-02-22")
    }
    checked: Counter[str] = Counter()
    for record in records(root, "gateway"):
        row, free = record.row, record.fault is not None
        if free or row["model"] in ("", UNKNOWN_MODEL) or row["status"] == "failure" or row["cache_hit"] == "True":
            continue
        assert record.at is not None
        day = "2026-01-31" if record.at < datetime(2026, 2, 22, tzinfo=UTC) else "2026-02-22"
        names = (row["model"], f"{row['custom_llm_provider']}/{row['model']}")
        rates = next(maps[day][name] for name in names if name in maps[day])
        tier = (
            "_above_200k_tokens"
            if record.prompt > 200_000 and "input_cost_per_token_above_200k_tokens" in rates
            else ""
        )
        read, write = row["usage"]["cache_read_input_tokens"], row["usage"]["cache_creation_input_tokens"]
        base = rates[f"input_cost_per_token{tier}"]
        cost = (
            (record.prompt - read - write) * base
            + read * rates.get(f"cache_read_input_token_cost{tier}", base)
            + write * rates.get(f"cache_creation_input_token_cost{tier}", base)
            + record.output * rates[f"output_cost_per_token{tier}"]
        )
        assert Decimal(row["spend"]) == cost
        checked[f"{row['model']} {day}"] += 1
    assert checked["deepseek-chat 2026-01-31"] > 100
    assert checked["deepseek-chat 2026-02-22"] > 100


def test_the_price_feed_is_read_by_the_project_that_defines_it(small: Sample) -> None:
    from genai_prices import Usage
    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import _providers_from_raw

    raw = json.loads((small[0] / "prices/genai_prices/2026-01-31.json").read_bytes())
    snapshot = DataSnapshot(_providers_from_raw(raw), from_auto_update=False)

    def price(model: str, provider: str, at: datetime, tokens: int) -> Decimal:
        usage = Usage(input_tokens=tokens, output_tokens=tokens)
        found = snapshot.calc(usage, model, provider_id=provider, provider_api_url=None, genai_request_timestamp=at)
        return found.total_price * 1_000_000 / tokens

    before, after = datetime(2026, 2, 21, 23, 59, tzinfo=UTC), datetime(2026, 2, 22, tzinfo=UTC)
    assert price("deepseek-chat", "deepseek", before, 1000) == Decimal("0.70")
    assert price("deepseek-chat", "deepseek", after, 1000) == Decimal("0.60")
    assert price("claude-sonnet-4-5-20250929", "anthropic", after, 200_000) == Decimal(18)
    assert price("claude-sonnet-4-5-20250929", "anthropic", after, 200_001) == Decimal("28.5")
    assert price("openai/gpt-oss-120b", "groq", after, 1000) == Decimal("0.75")


@pytest.mark.slow
def test_twelve_models_and_six_teams_use_three_formats(dense: Sample) -> None:
    root, _ = dense
    rows = {source: [record.row for record in records(root, source) if record.fault is None] for source in SOURCES}
    teams = {row["team_id"] for row in rows["gateway"]} | {row["cost_centre"] for row in rows["batch"]}
    teams |= {row["resource"]["attributes"]["team"] for row in rows["assistants"]}
    assert teams == {"support", "search", "legal", "marketing", "engineering", "research"}
    models = {row["model"] for row in rows["gateway"]} | {row["model_name"] for row in rows["batch"]}
    models |= {row["attributes"].get("gen_ai.response.model", "") for row in rows["assistants"]}
    assert len({model.rpartition("/")[2] for model in models} - {"", UNKNOWN_MODEL}) == 12
    requests = sum(source.requests for source in dense[1].sources.values())
    assert requests == pytest.approx(20_000 * (0.70 + 1.12), rel=0.01), "a Sunday and a Monday"


@pytest.mark.parametrize("probability", [0.05, 0.25, 0.5, 0.75, 0.9, 0.95])
@pytest.mark.parametrize("column", ["ContextTokens", "GeneratedTokens"])
def test_code_requests_have_the_shape_of_the_public_trace(
    dense: Sample, shared_data: Path, column: str, probability: float
) -> None:
    trace = pl.read_csv(shared_data / "requests/traces/AzureLLMInferenceTrace_code.csv")
    sample = [
        (attributes["gen_ai.usage.input_tokens"], attributes["gen_ai.usage.output_tokens"])
        for record in records(dense[0], "assistants")
        if record.fault is None
        and record.row["resource"]["attributes"]["service.name"] == "ide-assistant"
        and "gen_ai.usage.input_tokens" in (attributes := record.row["attributes"])
        and attributes["gen_ai.usage.reasoning.output_tokens"] == 0
    ]
    assert len(sample) > 5000
    drawn = pl.DataFrame(sample, schema=["ContextTokens", "GeneratedTokens"], orient="row")[column]
    assert drawn.quantile(probability) == pytest.approx(trace[column].quantile(probability), rel=0.12, abs=2)


def test_every_folder_is_declared_and_every_file_listed(small: Sample) -> None:
    root, summary = small
    sources = load_config(None, use_sample=True).sources
    declared = {
        "requests": {source.source for source in sources.requests},
        "prices": {feed.feed for feed in sources.prices},
        "leaderboards": {board.board for board in sources.leaderboards if not packaged_board(board)[1]},
        "selfhost": {feed.feed for feed in sources.selfhost},
        "limits": {feed.feed for feed in sources.limits},
    }
    for kind in KINDS:
        found = scan(root, kind)
        assert found.problems == ()
        assert {file.source for file in found.files} == declared[kind]
        assert all(read_bytes(file) for file in found.files)
    assert {file.arrival_date for file in scan(root, "requests").files} == {date.fromisoformat(d) for d in summary.days}
    assert not [f for f in (*sources.prices, *sources.leaderboards) if f.url], "a sample is never fetched over"
    assert "SYNTHETIC" in (root / "README.txt").read_text()


def test_the_boards_change_as_they_say(small: Sample) -> None:
    boards = small[0] / "leaderboards"
    exports = {path.stem: json.loads(path.read_bytes()) for path in (boards / "lmarena_text").iterdir()}
    assert len(exports) == 4
    assert {len(models) for export in exports.values() for models in export.values()} == {60}
    for model, before, after in ((FALLEN_MODEL, "2026-02-14", "2026-02-21"), ("o3", "2026-02-14", "2026-02-27")):
        old, new = exports[before]["full"][model], exports[after]["full"][model]
        assert old["rating_q025"] < old["rating"] < old["rating_q975"]
        has_moved = new["rating_q975"] < old["rating_q025"]
        assert has_moved is (model == FALLEN_MODEL)
        assert new["rating"] - old["rating"] == pytest.approx(-FALLEN_POINTS if has_moved else 0, abs=2)
    first, second = (
        {run["dirname"]: run for run in yaml.safe_load(path.read_bytes())}
        for path in sorted((boards / "aider_polyglot").iterdir())
    )
    assert len(second.keys() - first.keys()) == 1
    changed = {
        (run["model"], key): (run[key], second[name][key])
        for name, run in first.items()
        for key in run
        if run[key] != second[name][key]
    }
    assert changed == {
        (RENAMED_RUN[0], "model"): RENAMED_RUN,
        (CORRECTED_COST[0], "total_cost"): (CORRECTED_COST[1] / 100, CORRECTED_COST[2] / 100),
    }
    for run in second.values():
        assert run["pass_rate_2"] == pytest.approx(100 * run["pass_num_2"] / 225, abs=0.05)
