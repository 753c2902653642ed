"""Formats with outcomes per problem, and wide tables: made-up files of the published shapes."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl
import pytest

from pipelines.benchmarks import parse_board
from tests.unit.benchmarks.boards import export, landed
from tests.unit.benchmarks.test_more_formats import board, rows

DAY_MS = 86_400_000


def lcb(model: str, question: int, score: float, day: int) -> dict[str, Any]:
    return {"model": model, "question_id": str(question), "pass@1": score, "date": day * DAY_MS, "difficulty": "easy"}


def test_livecodebench_scores_depend_on_the_window(tmp_path: Path) -> None:
    records = [lcb("alpha", q, 100.0 if q < 6 else 20.0, 19_900 + q) for q in range(10)] + [
        lcb("beta", 1, 250.0, 19_901)
    ]
    whole = export(tmp_path, board("livecodebench"), "2024-08-01", {"performances": records, "models": []})
    row = rows(whole)[0]
    assert (row["score"], row["n_items"], row["version_label"]) == (pytest.approx(68.0), 10, "first..last")
    spread = np.var([1.0] * 6 + [0.2] * 4, ddof=1)
    assert row["stderr"] == pytest.approx(100 * np.sqrt(spread / 10))
    assert whole.quarantine["reason"].to_list() == ["out_of_range"]
    window = board("livecodebench", window_from="2024-06-31", window_to="2024-07-01")
    with pytest.raises(ValueError, match=r"options.window_from is '2024-06-31': accepted is YYYY-MM-DD"):
        export(tmp_path, window, "2024-08-02", {"performances": records})
    late = board("livecodebench", window_from="2024-06-30")  # day 19,904 of the era
    assert rows(export(tmp_path, late, "2024-08-03", {"performances": records}))[0]["n_items"] == 6


def test_matharena_counts_trials_and_costs_and_reads_no_answers(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "problem_idx": [1, 1, 2, 2, 3, 3],
            "model_name": ["alpha"] * 6,
            "idx_answer": [0, 1] * 3,
            "answer": ["secret"] * 6,
            "correct": [True, True, True, False, False, None],
            "input_tokens": [10] * 6,
            "output_tokens": [100] * 6,
            "cost": [0.01] * 6,
        }
    )
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    snapshot = export(tmp_path, board("matharena", benchmark="aime_2026"), "2026-02-01", buffer.getvalue(), ".parquet")
    (row,) = rows(snapshot)
    assert (row["score"], row["n_items"], row["n_trials"]) == (pytest.approx(50.0), 3, 2)
    assert row["stderr"] == pytest.approx(100 * np.sqrt(np.var([1, 0.5, 0], ddof=1) / 3))
    assert (row["run_cost_usd"], row["run_output_tokens"]) == (Decimal("0.06"), 600)  # the failed one was paid for too
    assert snapshot.quarantine.is_empty()
    (lacking,) = snapshot.observations[0].contradictions
    assert (lacking.drift_class, lacking.detail) == (
        "missing_outcomes",
        "1 of 6 outcomes are missing (3): the score is over the others",
    )
    assert "secret" not in str(snapshot)


def test_terminal_bench_takes_agent_and_model_from_the_name_of_the_run(tmp_path: Path) -> None:
    results = [{"task_id": f"t{n}", "is_resolved": n < 50, "total_input_tokens": 7} for n in range(80)]
    folder = tmp_path / "terminal-bench-core@0.1.1" / "2025-07-17_terminus_claude-4-sonnet"
    folder.mkdir(parents=True)
    path = folder / "results.json"
    path.write_bytes(orjson.dumps({"results": results, "accuracy": 0.625}))
    terminal = board("terminal_bench", version="0.1.1")
    snapshot = parse_board(landed(path, terminal), terminal)
    (row,) = rows(snapshot)
    assert (row["score"], row["n_success"], row["variant"], row["raw_model"]) == (
        62.5,
        50,
        "terminus",
        "claude-4-sonnet",
    )
    assert row["version_label"] == "0.1.1"
    assert row["ci_method"] == "wilson"
    nameless = export(tmp_path, terminal, "2025-07-18", {"results": results})
    assert nameless.quarantine["reason"].to_list() == ["unknown_model"]


def test_open_llm_leaderboard_reads_links_precision_and_every_column(tmp_path: Path) -> None:
    record = {
        "eval_name": "org_alpha_bfloat16", "Model": '<a target="_blank" href="https://x">org/alpha</a> <a>i</a>',
        "Precision": "bfloat16", "Average ⬆️": 30.5, "IFEval": 50.25, "BBH": None, "Submission Date": "2025-01-02",
    }  # fmt: skip
    snapshot = export(
        tmp_path, board("open_llm_leaderboard"), "2025-03-01", [record, {"eval_name": "x", "fullname": "y"}]
    )
    found = {row["benchmark_id"]: row for row in rows(snapshot)}
    assert set(found) == {"open_llm_average", "open_llm_ifeval"}
    assert (found["open_llm_ifeval"]["raw_model"], found["open_llm_ifeval"]["variant"]) == ("org/alpha", "bfloat16")
    assert snapshot.quarantine.select("reason", "severity").rows() == [("no_score", "info")]


def test_mmlu_pro_distinguishes_claims_from_measurements(tmp_path: Path) -> None:
    table = (
        b"Models,Model Size(B),Data Source,Overall,Biology\nalpha,unk,Self-Reported,0.8485,-\n"
        b"beta,7,TIGER-Lab,0.5,0.25\ngamma,7,TIGER-Lab,50.0,0.25\n"
    )
    snapshot = export(tmp_path, board("mmlu_pro"), "2026-01-01", table, ".csv")
    found = {(row["raw_model"], row["version_label"]): row for row in rows(snapshot)}
    assert found["alpha", "overall"]["measured_by"] == "vendor"
    assert found["beta", "overall"]["measured_by"] == "independent"
    assert found["beta", "overall"]["stderr"] == pytest.approx(100 * (0.25 / 12_032) ** 0.5)
    assert ("alpha", "biology") not in found
    assert snapshot.quarantine["reason"].to_list() == ["out_of_range"]


def test_helm_columns_are_versions_of_a_release(tmp_path: Path) -> None:
    table = {
        "title": "Accuracy",
        "header": [{"value": "Model"}, {"value": "Mean win rate"}, {"value": "MMLU - EM"}, {"value": "MATH"}],
        "rows": [
            [{"value": "alpha"}, {"value": 0.9}, {"value": 0.75}, {"value": None}],
            [{"value": "beta"}, {"value": 0.1}, {"value": 75}],
        ],
    }
    snapshot = export(tmp_path, board("helm", release="v1.13.0", benchmark="helm_lite"), "2025-01-01", [table, table])
    assert [(row["version_label"], row["score"]) for row in rows(snapshot)] == [("v1.13.0/MMLU - EM", 75.0)]
    assert snapshot.quarantine["reason"].to_list() == ["out_of_range"]
