"""The landscape report's scores: all of its tables, dated, as claims, and what they can and can't show."""

from __future__ import annotations

import csv
import io
import itertools
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from pipelines.benchmarks import REPORT_BOARD, build_gap, build_scores, packaged_board, parse_board, report_claims
from pipelines.config import load_config
from pipelines.config.model_facts import ModelFactsConfig
from pipelines.config.sources import Leaderboard
from pipelines.landing import land
from pipelines.models import build_registry, model_frame


@pytest.fixture
def scores(tmp_path: Path) -> pl.DataFrame:
    at = datetime(2026, 2, 28, tzinfo=UTC)
    file = land(tmp_path, "leaderboards", REPORT_BOARD.board, report_claims(), suffix=".csv", fetched_at=at, url=None)
    snapshot = parse_board(file, REPORT_BOARD)
    assert snapshot.quarantine.is_empty(), snapshot.quarantine["detail"].to_list()
    assert snapshot.valid == len(list(csv.DictReader(io.StringIO(report_claims().decode()))))
    registry = build_registry(load_config(None).models, [])
    return build_scores(REPORT_BOARD, [snapshot], registry).scores


def test_every_score_of_the_reports_table_is_a_dated_claim(scores: pl.DataFrame) -> None:
    assert scores["measured_by"].unique().to_list() == ["aggregator"]
    found = {(row["benchmark_version_id"], row["raw_model"]): row for row in scores.iter_rows(named=True)}
    for version, model, score in (
        ("report_mmlu@1#0", "DeepSeek V3", 88.5),
        ("report_math_500@1#0", "OpenAI o1", 96.0),
        ("report_aime@2024#0", "OpenAI o3", 96.7),
        ("report_aime@2025#0", "Qwen3-235B", 92.3),
        ("report_swebench_verified@1#0", "Claude Sonnet 4.5", 77.2),
        ("report_mmlu_pro@1#0", "Gemini 3 Pro", 89.8),
        ("report_livecodebench@v6#0", "Qwen3-235B", 74.1),
        ("report_lmarena_elo@unstated#0", "Gemini 3 Pro", 1501.0),
        ("report_humaneval@1#0", "Mistral Large 3", 92.0),
        ("report_quality@1#0", "GPT-4o", 9.5),
    ):
        assert found[version, model]["score"] == score
        assert found[version, model]["as_of"] == date(2026, 2, 28)
    assert found["report_humaneval@1#0", "Mistral Large 3"]["score_text"] == "~92%"


def test_the_reports_own_gaps_with_the_noise_of_its_benchmarks(scores: pl.DataFrame) -> None:
    registry = build_registry(load_config(None).models, [])
    benchmarks = pl.DataFrame({"benchmark_id": ["report_mmlu"], "lower_is_better": [False]})
    gap = build_gap(scores, model_frame(registry, ModelFactsConfig()), benchmarks, registry)
    rows = {row["benchmark_version_id"]: row for row in gap.iter_rows(named=True) if row["gap"] is not None}
    assert rows["report_swebench_verified@1#0"]["gap"] == pytest.approx(11.4)
    assert rows["report_swebench_verified@1#0"]["gap_low"] > 0  # 11.4 points of 500 items: closed is ahead
    assert rows["report_mmlu_pro@1#0"]["gap"] == pytest.approx(16.7)
    mmlu = {
        row["event_date"]: row["gap"] for row in gap.iter_rows(named=True) if "mmlu@" in row["benchmark_version_id"]
    }
    assert mmlu[date(2023, 12, 31)] == pytest.approx(17.5)  # "17.5 points to zero", in the report's own numbers
    assert mmlu[date(2026, 2, 28)] == pytest.approx(88 - 88.5)
    aime = rows["report_aime@2024#0"]
    assert aime["gap"] == pytest.approx(11.0)
    assert aime["gap_low"] < 0  # 30 items can't separate 85.7 from 96.7
    math = rows["report_math_500@1#0"]
    assert (math["best_closed_model"], math["best_closed_model_id"]) == ("OpenAI o1", "o1")
    assert rows["report_math_500@1#0"]["gap_low"] < 0 < rows["report_math_500@1#0"]["gap_high"]  # a "win" inside noise


def test_the_board_comes_with_the_package_by_its_name_alone(tmp_path: Path) -> None:
    declared = Leaderboard(board="landscape_report", format="mapping")
    board, files = packaged_board(declared)
    assert board is REPORT_BOARD
    assert len(files) == 1
    found = parse_board(files[0], board)
    assert found.valid == found.lines == len(list(csv.DictReader(io.StringIO(report_claims().decode()))))
    at = datetime(2026, 2, 28, tzinfo=UTC)
    landed = land(tmp_path, "leaderboards", board.board, report_claims(), suffix=".csv", fetched_at=at, url=None)
    assert landed.sha256 == files[0].sha256
    other = Leaderboard(board="lmarena_text", format="lmarena")
    assert packaged_board(other) == (other, [])
    own = declared.model_copy(update={"options": {"model_field": "m"}})
    assert packaged_board(own) == (own, [])  # a declaration of one's own is not overruled
    listed = {item.board for item in load_config(None).sources.leaderboards}
    assert {"landscape_report", "swebench", "evalplus", "bigcodebench"} <= listed


def _bare(cell: str) -> str:
    return cell.replace("*", "").strip()


def _tables(report: str, header: str) -> list[list[str]]:
    """Cells of the rows of the report's table whose header begins so."""
    lines = report.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith(header))
    rows = itertools.takewhile(lambda line: line.startswith("|"), lines[start + 2 :])
    return [[_bare(cell) for cell in row.strip("|").split("|")] for row in rows]


def test_every_number_of_the_reports_tables_is_loaded_as_it_is_written(shared_data: Path) -> None:
    report = (shared_data.parent / "landscape_report.md").read_text("utf-8")
    claims = list(csv.DictReader(io.StringIO(report_claims().decode())))
    loaded = {(row["benchmark"], row["model"]): row["score"] for row in claims if row["version"] != "2025"}
    benchmarks = {"AIME 2024": "AIME"}
    for benchmark, opened, open_score, closed, closed_score in _tables(report, "| Benchmark | Best Open Model"):
        for model, score in ((opened, open_score), (closed, closed_score)):
            name = model.removesuffix(" (Thinking)")
            assert loaded[benchmarks.get(benchmark, benchmark), name] == score, (benchmark, model)
    for model, _, _, quality, speed in _tables(report, "| Model | Input Cost | Output Cost"):
        assert loaded["Quality", model] == quality
        assert loaded["Speed", model] == speed.removesuffix(" tok/s")
    # What stands in the text: number, and the words around it.
    for words in (
        "best closed model ~88%, best open model ~70.5%", "AIME 2025: **92.3%**", "LiveCodeBench v6: **74.1%**",
        "**MATH-500**: 93.60%", "100% AIME 2025, hallucination rate 6.2%",
    ):  # fmt: skip
        assert words in report, words
    in_text = {(row["benchmark"], row["version"], row["model"]): row["score"] for row in claims}
    assert in_text["MMLU", "1", "best closed model of 2023 (not named)"] == "~88"
    assert in_text["MMLU", "1", "best open model of 2023 (not named)"] == "~70.5"
    assert in_text["AIME", "2025", "Qwen3-235B"] == "92.3"
    assert in_text["AIME", "2025", "GPT-5.2"] == "100"
    assert in_text["LiveCodeBench", "v6", "Qwen3-235B"] == "74.1"
    assert in_text["MATH-500", "1", "Mistral Large 3"] == "93.60"
    assert in_text["Hallucination rate", "1", "GPT-5.2"] == "6.2"
