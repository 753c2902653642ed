"""The gap between the best open and the best closed model: by hand, by simulation, and on real histories."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from pipelines.benchmarks import build_gap
from pipelines.config.model_facts import ModelFactsConfig
from pipelines.ids import id_bytes
from pipelines.warehouse.tables.core import MODEL
from pipelines.warehouse.tables.core_benchmarks import BENCHMARK, BENCHMARK_SCORE
from pipelines.warehouse.tables.mart_benchmarks import BENCHMARK_GAP

VERSION = "exam@1#0"


def score(model: str, value: float, day: str, stderr: float | None = 1.0, **values: Any) -> dict[str, Any]:
    as_of = date.fromisoformat(day)
    observed_at = values.pop("observed_at", datetime(as_of.year, as_of.month, as_of.day, tzinfo=UTC))
    return {
        "score_id": id_bytes(model, day, str(value), str(observed_at)),
        "board": "exam",
        "benchmark_version_id": VERSION,
        "source_row_key": model,
        "raw_model": model,
        "model_id": model,
        "variant": "",
        "score": value,
        "score_text": str(value),
        "stderr": stderr,
        "ci_method": "none",
        "measured_by": "independent",
        "as_of": as_of,
        "observed_at": observed_at,
        "snapshot_id": id_bytes("file"),
        "source_locator": "",
        **values,
    }


def gap(*rows: dict[str, Any], lower_is_better: bool = False, released: dict[str, date] | None = None) -> pl.DataFrame:
    names = list(BENCHMARK_SCORE.polars_schema)
    scores = pl.DataFrame([{n: row.get(n) for n in names} for row in rows], schema=BENCHMARK_SCORE.polars_schema)
    models = pl.DataFrame(
        [
            {
                "model_id": m,
                "display_name": m,
                "openness": kind,
                "decided_by": "test",
                "released_date": (released or {}).get(m),
            }
            for m, kind in {row["model_id"]: kind_of(row["model_id"]) for row in rows if row["model_id"]}.items()
        ],
        schema=MODEL.polars_schema,
    )
    benchmark = {"benchmark_id": "exam", "display_name": "Exam", "metric_kind": "accuracy", "unit": "percent"}
    benchmarks = pl.DataFrame([benchmark | {"lower_is_better": lower_is_better}], schema=BENCHMARK.polars_schema)
    found = build_gap(scores, models, benchmarks)
    assert dict(found.schema) == dict(BENCHMARK_GAP.polars_schema)
    return found


def test_the_lag_between_releases_by_hand() -> None:
    """c2 was as good first, 46 days before o1; c1 was released earlier and is worse, c3 later."""
    released = {"o1": date(2025, 2, 15), "c1": date(2024, 1, 1), "c2": date(2024, 12, 31), "c3": date(2025, 6, 1)}
    rows = [
        score(model, value, "2025-07-01") for model, value in {"o1": 70.0, "c1": 60.0, "c2": 71.0, "c3": 80.0}.items()
    ]
    found = gap(*rows, released=released).row(0, named=True)
    assert found["release_lag_days"] == 46
    assert found["lag_days"] == 0  # by the days of the exports nothing can be known: all are of one day
    first = gap(*rows[:2], rows[3], released=released).row(0, named=True)
    assert first["release_lag_days"] == -106  # open was there first
    assert gap(*rows[:2], released=released).row(0, named=True)["release_lag_days"] is None  # no closed one is as good
    assert gap(*rows).row(0, named=True)["release_lag_days"] is None


def kind_of(model: str) -> str:
    return {"o": "open_weight", "s": "open_source", "c": "closed"}.get(model[0], "unknown")


def test_the_gap_and_the_lag_by_hand() -> None:
    found = gap(
        score("c1", 70.5, "2024-01-01"),
        score("o1", 53.0, "2024-01-01"),
        score("c2", 60.0, "2023-06-01"),
        score("o2", 65.0, "2024-05-30"),
        score("s3", 72.0, "2024-08-01"),
        score("x1", 99.0, "2024-01-01"),
    )
    rows = {str(row["event_date"]): row for row in found.iter_rows(named=True)}
    assert rows["2023-06-01"]["gap"] is None  # no open model yet
    first = rows["2024-01-01"]
    assert (first["gap"], first["best_open_model"], first["best_closed_model"]) == (17.5, "o1", "c1")
    assert (first["lag_days"], first["lag_is_minimum"]) == (214, True)  # c2 had 60 when the series began, 2023-06-01
    second = rows["2024-05-30"]
    assert (second["gap"], second["lag_days"], second["lag_is_minimum"]) == (
        5.5,
        150,
        False,
    )  # c1 reached it 150 days ago
    third = rows["2024-08-01"]
    assert third["gap"] == -1.5
    assert third["lag_days"] is None  # no closed model has reached 72
    assert (third["n_open"], third["n_closed"], third["n_unknown"]) == (3, 2, 1)
    assert third["top_k_gap"] is None  # fewer than five per side


def test_a_corrected_and_a_withdrawn_score_count_as_now_known() -> None:
    later = datetime(2024, 3, 1, tzinfo=UTC)
    found = gap(
        score("c1", 70.0, "2024-01-01"),
        score("o1", 90.0, "2024-01-01", superseded_at=later, supersede_reason="revised"),
        score("o1", 60.0, "2024-01-01", observed_at=later),
        score("o2", 69.0, "2024-02-01", superseded_at=later, supersede_reason="removed"),
        score("c2", 70.0, "2024-04-01"),
    )
    assert found["gap"].to_list() == [10.0, 1.0, 10.0]  # 90 was wrong from the start; o2 held until it was withdrawn


def test_top_k_rank_interval_and_direction_by_hand() -> None:
    closed = [score(f"c{n}", 80.0 - n, "2024-01-01") for n in range(5)]
    opens = [score(f"o{n}", 76.5 - 2 * n, "2024-01-01") for n in range(5)]
    row = gap(*closed, *opens).row(0, named=True)
    assert row["top_k_gap"] == pytest.approx(78.0 - 72.5)
    assert row["top_k_gap_stderr"] == pytest.approx(np.sqrt(10) / 5)
    # 76.5 +- 1.96: nobody is surely above 78.46 (80 - 1.96 = 78.04); those with an upper bound from 74.54 on may be:
    # c0 to c4 (upper 77.96 to 81.96) and o1 (76.46).
    assert (row["best_open_rank_from"], row["best_open_rank_to"]) == (1, 7)
    errors = gap(
        score("c1", 5.0, "2024-01-01"),
        score("o1", 8.0, "2024-01-01"),
        score("o2", 9.0, "2024-01-01"),
        lower_is_better=True,
    )
    assert errors.select("gap", "best_open_model").row(0) == (3.0, "o1")


def test_without_standard_errors_there_is_a_gap_and_no_interval() -> None:
    row = gap(score("c1", 70.0, "2024-01-01", None), score("o1", 60.0, "2024-01-01")).row(0, named=True)
    assert (row["gap"], row["gap_adjusted"], row["gap_low"], row["gap_high"]) == (10.0, None, None, None)


@pytest.mark.slow
def test_the_adjusted_gap_takes_out_the_winners_curse() -> None:
    """One closed model and thirty equal open ones: the observed best of thirty flatters them by two standard errors."""
    generator = np.random.default_rng(11)
    observed, adjusted, covered = [], [], []
    for n in range(60):
        day = f"2024-{1 + n // 28:02d}-{1 + n % 28:02d}"
        opens = [score(f"o{k}", 60 + float(generator.normal(0, 2)), day, 2.0) for k in range(30)]
        row = gap(score("c1", 60 + float(generator.normal(0, 2)), day, 2.0), *opens).row(0, named=True)
        observed.append(row["gap"])
        adjusted.append(row["gap_adjusted"])
        covered.append(row["gap_low"] <= 0 <= row["gap_high"])
    assert np.mean(observed) < -3.5
    assert abs(np.mean(adjusted)) < 0.6 * abs(np.mean(observed))
    assert np.mean(covered) > 0.6  # of 95 %: the bootstrap of a maximum is known to be optimistic among equals
    assert gap(score("c1", 70.0, "2024-01-01"), score("o1", 60.0, "2024-01-01")).equals(
        gap(score("o1", 60.0, "2024-01-01"), score("c1", 70.0, "2024-01-01"))
    )


@pytest.mark.slow
def test_a_new_scale_epoch_breaks_the_series(shared_data: Path) -> None:
    from pipelines.benchmarks import build_scores
    from pipelines.config import load_config
    from pipelines.models import build_registry, model_frame
    from tests.unit.benchmarks.boards import LMARENA, real_snapshots

    registry = build_registry(load_config(None).models, [])
    snapshots = real_snapshots(shared_data / "leaderboards", "lmarena/text/*.json.gz", LMARENA)
    built = build_scores(LMARENA, snapshots, registry)
    found = build_gap(built.scores, model_frame(registry, ModelFactsConfig()), built.benchmarks, registry)
    full = found.filter(pl.col("benchmark_version_id").str.contains("@full#"))
    assert full.height == 8
    assert full["benchmark_version_id"].to_list() == ["lmarena_text@full#0"] * 7 + ["lmarena_text@full#1"]
    assert full["lag_days"][7] == 0  # counted from the new scale's first day, never across the break
    assert full["lag_is_minimum"][7]
    assert full["gap"].min() > 0


def test_the_model_of_a_score_comes_with_method_and_confidence(tmp_path: Path) -> None:
    from pipelines.benchmarks import build_scores
    from pipelines.config import load_config
    from pipelines.config.sources import Leaderboard
    from pipelines.models import build_registry
    from tests.unit.benchmarks.boards import export

    board = Leaderboard.model_validate(
        {"board": "own", "format": "mapping", "options": {"model_field": "m", "scores": [{"field": "s", "benchmark": "b"}]}}
    )  # fmt: skip
    table = b"m,s\ngpt-4o,50\nGPT-4o (2024-11-20 snapshot of ours),51\nnobody-1,52\n"
    snapshot = export(tmp_path, board, "2026-02-01", table, ".csv")
    scores = build_scores(board, [snapshot], build_registry(load_config(None).models, [])).scores
    found = {row["raw_model"]: row for row in scores.iter_rows(named=True)}
    stated = {name: (row["model_id"], row["resolution_confidence"]) for name, row in found.items()}
    assert stated["gpt-4o"] == ("gpt-4o", 1.0)
    assert stated["GPT-4o (2024-11-20 snapshot of ours)"] == ("gpt-4o", 0.8)
    assert found["GPT-4o (2024-11-20 snapshot of ours)"]["resolution_method"] == "variant_suffix"
    assert (stated["nobody-1"], found["nobody-1"]["resolution_method"]) == ((None, 0.0), "unresolved")
