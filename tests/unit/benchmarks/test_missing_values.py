"""What a source does not say costs itself alone: blank cells, errored cases, single values that are no score."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest

from pipelines.benchmarks import BoardSnapshot, detect_drift, parse_board
from pipelines.benchmarks.formats import FORMATS as BOARDS
from pipelines.config.sources import Leaderboard
from pipelines.warehouse.bulk_copy import _check_values, check_schema
from pipelines.warehouse.tables.mart_benchmarks import BENCHMARK_DRIFT
from tests.unit.benchmarks.boards import export, landed

BLANKS = ("", "-", "—", "N/A", "n/a", "NaN", "null", "unknown", "#N/A", "?")


def board(name: str, **options: Any) -> Leaderboard:
    return Leaderboard.model_validate({"board": name, "format": name, "options": options})


def mapping(*scores: dict[str, Any], **options: Any) -> Leaderboard:
    return board("mapping", model_field="model", scores=list(scores), **options)


def rows(snapshot: BoardSnapshot) -> list[dict[str, Any]]:
    return [row for item in snapshot.observations for row in item.rows.iter_rows(named=True)]


def test_cells_without_a_number_are_no_score_and_no_complaint(shared_data: Path) -> None:
    own = mapping({"field": "mmlu_pro", "benchmark": "mmlu_pro"}, {"field": "gpqa", "benchmark": "gpqa"})
    file = landed(shared_data / "cases" / "boards" / "cells_without_a_number.csv", own, at=_at())
    snapshot = parse_board(file, own)
    found = pl.DataFrame({"benchmark": [row["benchmark_id"] for row in rows(snapshot)]})["benchmark"].value_counts()
    assert dict(found.iter_rows()) == {"mmlu_pro": 12, "gpqa": 8}
    assert snapshot.quarantine.is_empty()


def test_a_comma_before_decimals_is_declared_or_the_value_is_set_aside(tmp_path: Path) -> None:
    """Undeclared, 7,2 is not 72 and 0,05 USD are not 5; 1,234 is a thousand. Declared, 1.234,5 is read as people wrote it."""
    column = {"field": "elo", "benchmark": "elo", "unit": "rating", "cost_field": "usd"}
    table = b"model;elo;usd\nalpha;7,2;1\nbeta;1,234;0,05\ngamma;1.234,5;0,05\n"
    plain = export(tmp_path / "plain", mapping(column, delimiter=";"), "2026-02-01", table, ".csv")
    assert [(row["score"], row["run_cost_usd"]) for row in rows(plain)] == [(1234, None)]
    assert plain.quarantine["reason"].to_list() == ["not_a_number"] * 3
    declared = export(tmp_path / "own", mapping(column, delimiter=";", decimal=","), "2026-02-01", table, ".csv")
    assert [(row["score"], row["run_cost_usd"]) for row in rows(declared)] == [
        (7.2, Decimal(1)),
        (1.234, Decimal("0.05")),
        (1234.5, Decimal("0.05")),
    ]


@pytest.mark.parametrize("blank", BLANKS)
def test_a_blank_cell_costs_nothing_else_in_any_table(tmp_path: Path, blank: str) -> None:
    own = mapping({"field": "a", "benchmark": "a", "cost_field": "usd"}, {"field": "b", "benchmark": "b"})
    table = f"model,a,b,usd\nalpha,50,{blank},{blank}\nbeta,{blank},{blank},1\n".encode()
    snapshot = export(tmp_path, own, "2026-02-01", table, ".csv")
    assert [(row["raw_model"], row["benchmark_id"]) for row in rows(snapshot)] == [("alpha", "a")]
    assert snapshot.quarantine.select("reason", "severity").rows() == [("no_score", "info")]


def test_errored_cases_are_counted_and_named_and_the_score_is_over_the_rest(shared_data: Path) -> None:
    own = mapping({"field": "solved", "benchmark": "own", "scale": "share"}, item_field="case")
    path = shared_data / "cases" / "boards" / "items_errored.jsonl"
    snapshot = parse_board(landed(path, own, at=_at()), own)
    records = [json.loads(line) for line in path.read_text().splitlines()]
    for row in rows(snapshot):
        solved = [r["solved"] for r in records if r["model"] == row["raw_model"] and r["solved"] is not None]
        assert (row["n_items"], row["score"]) == (len(solved), pytest.approx(100 * sum(solved) / len(solved)))
    assert {row["raw_model"]: row["n_items"] for row in rows(snapshot)}["gpt-5"] == 92
    found = detect_drift(own, [snapshot])
    (lacking,) = found.filter(pl.col("drift_class") == "missing_outcomes")["explanation"]
    assert lacking.startswith("gpt-5 on mapping: 8 of 100 outcomes are missing (c000, c001, c002")
    assert "coverage_gate" not in found["drift_class"].to_list()


@pytest.mark.parametrize(
    ("name", "content", "suffix", "kept"),
    [
        ("evalplus", {"alpha": {"pass@1": {"humaneval": 70.1, "humaneval+": True, "mbpp": 80}}}, ".json", 2),
        ("bigcodebench", {"alpha": {"pass@1": {"instruct": 40, "complete": False}}}, ".json", 1),
        ("livebench", b"model,a,b\nalpha,50,many\nbeta,40,41\n", ".csv", 3),
        ("mmlu_pro", b"Models,Overall,Law\nalpha,0.5,7.1\n", ".csv", 1),
        (
            "artificial_analysis",
            {"data": [{"slug": "a", "name": "A", "evaluations": {"gpqa": 0.5, "hle": True, "scicode": 1.4}}]},
            ".json",
            1,
        ),
        ("open_llm_leaderboard", [{"fullname": "a", "eval_name": "a", "IFEval": 50, "BBH": True}], ".json", 1),
    ],
)
def test_a_value_that_is_no_score_costs_itself(
    tmp_path: Path, name: str, content: object, suffix: str, kept: int
) -> None:
    own = board(name, release="2026-01-01") if name == "livebench" else board(name)
    snapshot = export(tmp_path, own, "2026-02-01", content, suffix)
    assert len(rows(snapshot)) == kept
    assert set(snapshot.quarantine["severity"]) == {"error"}
    assert snapshot.lines == snapshot.valid + snapshot.quarantine.height


def test_a_boolean_next_to_scores_and_a_share_above_one_are_refused(tmp_path: Path) -> None:
    own = mapping({"field": "a", "benchmark": "a", "scale": "share"}, {"field": "b", "benchmark": "b"})
    records = [{"model": "m", "a": 0.5, "b": True}, {"model": "n", "a": 55.3, "b": 40}, {"model": "o", "a": 1, "b": 7}]
    snapshot = export(tmp_path, own, "2026-02-01", records)
    assert sorted((row["raw_model"], row["score"]) for row in rows(snapshot)) == [
        ("m", 50.0), ("n", 40.0), ("o", 7.0), ("o", 100.0),
    ]  # fmt: skip
    assert sorted(snapshot.quarantine["reason"]) == ["not_a_number", "out_of_range"]


def test_mapping_takes_the_number_of_items_per_row(tmp_path: Path) -> None:
    own = mapping({"field": "s", "benchmark": "b", "n_items": 500, "n_items_field": "n"})
    snapshot = export(tmp_path, own, "2026-02-01", b"model,s,n\nalpha,80,200\nbeta,80,\n", ".csv")
    assert {row["raw_model"]: row["n_items"] for row in rows(snapshot)} == {"alpha": 200, "beta": 500}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *((field, value) for field in ("n", "se", "low", "votes", "solved") for value in (True, "12.5x", "many", [1])),
        *((field, -3) for field in ("n", "votes", "solved")),
    ],
)
def test_a_broken_detail_costs_itself_and_not_the_score(tmp_path: Path, field: str, value: object) -> None:
    column = {"field": "s", "benchmark": "b", "n_items": 500, "n_items_field": "n", "stderr_field": "se", "ci_low_field": "low",
              "ci_high_field": "high", "votes_field": "votes", "n_success_field": "solved"}  # fmt: skip
    whole = {"model": "m", "s": 80, "n": 100, "se": 4, "low": 72, "high": 88, "votes": 9, "solved": 80}
    (row,) = rows(snapshot := export(tmp_path, mapping(column), "2026-02-01", [{**whole, field: value}]))
    names = {"n": "n_items", "se": "stderr", "low": "ci_low", "votes": "votes", "solved": "n_success"}
    assert (row["score"], row["votes"] if field != "votes" else 9) == (80, 9)
    assert field == "se" or row[names[field]] is None
    assert snapshot.quarantine["severity"].to_list() == ["error"]


def test_outcomes_that_a_table_writes_as_words_count(tmp_path: Path) -> None:
    """As pandas writes a column of booleans."""
    own = mapping({"field": "ok", "benchmark": "own", "scale": "share"}, item_field="case")
    table = b"model,case,ok\nm,a,True\nm,b,False\nm,c,true\nm,d,\n"
    (row,) = rows(snapshot := export(tmp_path, own, "2026-02-01", table, ".csv"))
    assert (row["score"], row["n_items"], row["n_success"]) == (pytest.approx(200 / 3), 3, 2)
    assert snapshot.quarantine.is_empty()


def test_a_share_of_one_and_float_noise_is_one(tmp_path: Path) -> None:
    own = mapping({"field": "s", "benchmark": "b", "scale": "share"})
    (row,) = rows(export(tmp_path, own, "2026-02-01", [{"model": "m", "s": 1.0000000000000002}]))
    assert row["score"] == 100


SOLVED = (39, 36, 39, 34, 33)


def runs_of_one_submission(root: Path) -> list[BoardSnapshot]:
    """Five runs of 80 tasks, one file each."""
    terminal = board("terminal_bench", version="0.1.1")
    found = []
    for number, solved in enumerate(SOLVED):
        folder = root / "2025-07-17_terminus_claude-4-sonnet" / f"run-{number}"
        folder.mkdir(parents=True)
        results = [{"task_id": f"t{n:02d}", "is_resolved": n < solved} for n in range(80)]
        (folder / "results.json").write_bytes(orjson.dumps({"results": results, "accuracy": solved / 80}))
        file = landed(folder / "results.json", terminal, at=_at())
        place = f"leaderboards/terminal_bench/2025-07-17_terminus_claude-4-sonnet/run-{number}/results.json"
        found.append(parse_board(_placed(file, place), terminal))
    return found


def test_runs_of_one_submission_are_trials_of_one_score(tmp_path: Path) -> None:
    from pipelines.benchmarks import build_scores

    terminal = board("terminal_bench", version="0.1.1")
    snapshots = runs_of_one_submission(tmp_path)
    (row,) = build_scores(terminal, snapshots, None).scores.iter_rows(named=True)
    assert (row["score"], row["n_items"], row["n_trials"]) == (pytest.approx(45.25), 80, 5)
    found = detect_drift(terminal, snapshots)
    assert found["drift_class"].to_list() == ["new"]
    assert detect_drift(terminal, snapshots[::-1]).equals(found)


@pytest.mark.parametrize(("accuracy", "score", "n_items"), [(0.5, 50.0, 80), (40 / 72, 100 * 40 / 72, 72), (None, 100 * 40 / 72, 72)])  # fmt: skip
def test_a_null_trial_is_unsolved_where_the_file_says_so(
    tmp_path: Path, accuracy: float | None, score: float, n_items: int
) -> None:
    terminal = board("terminal_bench", version="0.1.1")
    outcomes = [True] * 40 + [False] * 32 + [None] * 8
    results = [{"task_id": f"t{n:02d}", "is_resolved": outcome} for n, outcome in enumerate(outcomes)]
    folder = tmp_path / "2025-07-17_terminus_claude-4-sonnet"
    folder.mkdir()
    (folder / "results.json").write_bytes(orjson.dumps({"results": results, "accuracy": accuracy}))
    snapshot = parse_board(landed(folder / "results.json", terminal, at=_at()), terminal)
    (row,) = rows(snapshot)
    assert (row["score"], row["n_items"]) == (pytest.approx(score), n_items)
    assert len(snapshot.observations[0].contradictions) == (0 if n_items == 80 else 1)


@pytest.mark.parametrize("name", sorted(BOARDS))
@pytest.mark.parametrize("content", [b"{}", b"<html>502</html>", b"", b"[1]", b"PK\x03\x04", b"\xff\xfe\x00"])
def test_an_unreadable_first_export_is_one_gate_event(tmp_path: Path, name: str, content: bytes) -> None:
    own = mapping({"field": "s", "benchmark": "b"}) if name == "mapping" else board(name)
    snapshot = export(tmp_path, own, "2026-02-01", content, ".html")
    found = detect_drift(own, [snapshot])
    check_schema(BENCHMARK_DRIFT, found)
    _check_values(BENCHMARK_DRIFT, found)  # what the table refuses would stop every board
    assert found["drift_class"].to_list() == ["coverage_gate"]


def _at() -> Any:
    from datetime import UTC, datetime

    return datetime(2026, 2, 1, tzinfo=UTC)


def _placed(file: Any, place: str) -> Any:
    from dataclasses import replace

    return replace(file, landing_path=place)
