"""The classifier on made-up histories, each with the change it must find and one it must not."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipelines.benchmarks import BoardSnapshot, build_scores, detect_drift
from pipelines.config.sources import Leaderboard
from pipelines.warehouse.tables.core_benchmarks import BENCHMARK, BENCHMARK_SCORE, BENCHMARK_VERSION
from pipelines.warehouse.tables.mart_benchmarks import BENCHMARK_DRIFT
from tests.unit.benchmarks.boards import AIDER, LMARENA, arena, export, models
from tests.unit.benchmarks.test_formats import RUN

DAYS = ("2026-02-01", "2026-02-08", "2026-02-15", "2026-02-22", "2026-03-01", "2026-03-08")


def arena_history(root: Path, *ratings: dict[str, float], half_width: float = 8.0) -> list[BoardSnapshot]:
    return [
        export(root, LMARENA, day, {"full": arena(item, half_width)}) for day, item in zip(DAYS, ratings, strict=False)
    ]


def events(board: Leaderboard, snapshots: list[BoardSnapshot]) -> pl.DataFrame:
    found = detect_drift(board, snapshots)
    assert dict(found.schema) == dict(BENCHMARK_DRIFT.polars_schema)
    assert found["event_id"].n_unique() == found.height
    return found.filter(pl.col("event_date") > found["event_date"].min())


def classes(found: pl.DataFrame) -> list[tuple[str, str, str | None]]:
    return sorted(found.select("drift_class", "severity", "raw_model").iter_rows(), key=str)


def test_the_first_export_is_one_event_and_an_equal_one_none(tmp_path: Path) -> None:
    history = arena_history(tmp_path, models(30), models(30))
    found = detect_drift(LMARENA, history)
    assert found["drift_class"].to_list() == ["new"]
    assert "30 entries" in found["explanation"][0]


def test_a_fall_beyond_its_interval_is_drift_and_confirmed_by_the_next_export(tmp_path: Path) -> None:
    fallen = models(30) | {"model-05": models(30)["model-05"] - 40}
    found = events(LMARENA, arena_history(tmp_path, models(30), fallen, fallen, fallen))
    assert classes(found) == [("drift", "info", "model-05"), ("drift", "warn", "model-05")]
    first = found.filter(pl.col("severity") == "info").row(0, named=True)
    stderr = (2 * (8 / 1.959963984540054) ** 2) ** 0.5
    assert first["stderr"] == pytest.approx(stderr)
    assert first["z"] == pytest.approx(-40 / stderr)
    assert first["min_detectable"] == pytest.approx(1.959963984540054 * stderr)
    assert first["q_value"] == pytest.approx(first["p_value"])  # one changed row, one test
    assert "fell" in first["explanation"]
    assert "Not yet confirmed" in first["explanation"]
    confirmed = found.filter(pl.col("severity") == "warn").row(0, named=True)
    assert str(confirmed["event_date"]) == DAYS[2]
    assert json.loads(confirmed["evidence"])["first_seen_at"].startswith(DAYS[1])


def test_a_blip_that_goes_back_is_never_confirmed(tmp_path: Path) -> None:
    fallen = models(30) | {"model-05": models(30)["model-05"] - 40}
    found = events(LMARENA, arena_history(tmp_path, models(30), fallen, models(30), models(30)))
    assert found.filter(pl.col("severity") == "warn").is_empty()
    assert ["Not confirmed" in text for text in found["explanation"]] == [False, True]


@pytest.mark.parametrize(("points", "half_width"), [(10.0, 8.0), (4.9, 0.5)])
def test_a_move_inside_noise_or_too_small_to_matter_is_no_event(
    tmp_path: Path, points: float, half_width: float
) -> None:
    moved = models(30) | {"model-05": models(30)["model-05"] - points}
    assert events(LMARENA, arena_history(tmp_path, models(30), moved, half_width=half_width)).is_empty()


def test_a_new_anchor_is_one_event_for_all_categories_and_opens_an_epoch(tmp_path: Path) -> None:
    ratings = models(30)
    before = {"full": arena(ratings), "coding": arena(ratings), "math": arena(ratings)}
    shifted = {m: r + 60 for m, r in ratings.items()} | {"model-03": ratings["model-03"] + 60 - 45}
    after = {
        "full": arena(shifted),
        "coding": arena({m: r - 2 for m, r in ratings.items()}),  # small, but beyond chance: joins
        "math": arena(ratings),  # keeps its scale
    }
    history = [export(tmp_path, LMARENA, DAYS[0], before), export(tmp_path, LMARENA, DAYS[1], after)]
    found = events(LMARENA, history)
    assert classes(found) == [("drift", "info", "model-03"), ("scale_rebase", "warn", None)]
    rebase = found.filter(pl.col("drift_class") == "scale_rebase").row(0, named=True)
    assert (rebase["delta"], rebase["benchmark_version_id"]) == (60.0, "lmarena_text@full#0")
    shifts = {item["benchmark_version_id"]: item["median_shift"] for item in json.loads(rebase["evidence"])["shifts"]}
    assert shifts == {"lmarena_text@coding#0": -2.0, "lmarena_text@full#0": 60.0}
    drift = found.filter(pl.col("drift_class") == "drift").row(0, named=True)
    assert (drift["delta"], drift["delta_adjusted"]) == (15.0, -45.0)
    scores = build_scores(LMARENA, history, None)
    assert scores.versions["benchmark_version_id"].to_list() == [
        "lmarena_text@coding#0", "lmarena_text@coding#1", "lmarena_text@full#0", "lmarena_text@full#1",
        "lmarena_text@math#0",
    ]  # fmt: skip
    closed = scores.scores.filter(pl.col("superseded_at").is_not_null())
    assert closed["supersede_reason"].unique().to_list() == ["rebased"]
    assert closed.height == 60


def test_half_of_the_board_moving_is_no_new_scale(tmp_path: Path) -> None:
    ratings = models(30)
    moved = {m: r + (60 if index % 2 else 0) for index, (m, r) in enumerate(ratings.items())}
    found = events(LMARENA, arena_history(tmp_path, ratings, moved))
    assert "scale_rebase" not in found["drift_class"].to_list()


def test_a_truncated_export_is_gated_and_closes_nothing(tmp_path: Path) -> None:
    short = dict(itertools.islice(models(30).items(), 12))
    fallen = {m: r - 50 for m, r in short.items()}
    found = events(LMARENA, arena_history(tmp_path, models(30), fallen, models(30)))
    assert classes(found) == [("coverage_gate", "error", None)]
    assert "18 of 30 known rows are missing" in found["explanation"][0]
    scores = build_scores(LMARENA, arena_history(tmp_path, models(30), fallen), None).scores
    assert scores.height == 30
    assert scores["superseded_at"].null_count() == 30


def test_a_board_that_stays_short_for_weeks_is_believed_in_the_end(tmp_path: Path) -> None:
    short = dict(itertools.islice(models(30).items(), 12))
    found = events(LMARENA, arena_history(tmp_path, models(30), short, short, short, short))
    gates = found.filter(pl.col("drift_class") == "coverage_gate")
    assert [str(day) for day in gates["event_date"]] == [DAYS[1]]  # the next export lacks the same rows: they are gone
    removed = found.filter(pl.col("drift_class") == "removed")
    assert removed.height == 18
    assert {str(day) for day in removed["event_date"]} == {DAYS[2]}


def test_one_short_category_is_gated_alone(tmp_path: Path) -> None:
    ratings, short = models(30), dict(itertools.islice(models(30).items(), 12))
    fallen = ratings | {"model-05": ratings["model-05"] - 40}
    history = [
        export(tmp_path, LMARENA, DAYS[0], {name: arena(ratings) for name in ("full", "a", "b", "c", "d")}),
        export(tmp_path, LMARENA, DAYS[1], {name: arena(fallen) for name in ("full", "a", "b", "c")} | {"d": arena(short)}),
    ]  # fmt: skip
    found = events(LMARENA, history)
    assert classes(found) == [("coverage_gate", "error", None), ("drift", "info", "model-05")]
    assert "lmarena_text d" in found.filter(pl.col("drift_class") == "coverage_gate")["explanation"][0]


def test_where_most_categories_are_short_the_rest_still_counts(tmp_path: Path) -> None:
    ratings, short = models(30), dict(itertools.islice(models(30).items(), 12))
    fallen = ratings | {"model-05": ratings["model-05"] - 40}
    before = {name: arena(ratings) for name in ("full", "a", "b")}
    after = {"full": arena(fallen), "a": arena(short), "b": arena(short)}
    history = [export(tmp_path, LMARENA, DAYS[0], before), export(tmp_path, LMARENA, DAYS[1], after)]
    found = events(LMARENA, history)
    assert classes(found) == [("coverage_gate", "error", None), ("drift", "info", "model-05")]
    gate = found.filter(pl.col("drift_class") == "coverage_gate")
    assert (
        "is not whole: 36 of 60 known rows are missing from it (lmarena_text a, lmarena_text b)"
        in gate["explanation"][0]
    )


def test_names_that_could_be_swapped_are_no_rename(tmp_path: Path) -> None:
    def board_of(*names: str) -> dict[str, float]:
        return models(20) | dict.fromkeys(names, 1234.56789012)

    found = events(LMARENA, arena_history(tmp_path, board_of("old-a", "old-b"), board_of("new-a", "new-b")))
    assert classes(found) == [
        ("new", "info", "new-a"),
        ("new", "info", "new-b"),
        ("removed", "info", "old-a"),
        ("removed", "info", "old-b"),
    ]
    merged = events(LMARENA, arena_history(tmp_path / "c", board_of("old-a", "old-b"), board_of("new-a")))
    assert [row[0] for row in classes(merged)] == ["new", "removed", "removed"]
    alone = events(LMARENA, arena_history(tmp_path / "b", board_of("old-a"), board_of("new-a")))
    assert classes(alone) == [("renamed", "info", "new-a")]


def test_an_unreadable_or_empty_export_is_gated(tmp_path: Path) -> None:
    history = arena_history(tmp_path, models(30))
    broken = export(tmp_path, LMARENA, DAYS[1], b"Service unavailable")
    half = {m: ({"rating": None} if index < 5 else entry) for index, (m, entry) in enumerate(arena(models(30)).items())}
    found = events(LMARENA, [*history, broken, export(tmp_path, LMARENA, DAYS[2], {"full": half})])
    assert classes(found) == [("coverage_gate", "error", None)] * 2
    assert "no readable row" in found["explanation"][0]
    assert "5 of its records could not be read" in found["explanation"][1]


def test_rounding_is_one_event_and_no_drift(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    exact = {m: r + float(generator.random()) for m, r in models(30).items()}
    rounded = {m: round(r) for m, r in exact.items()}
    found = events(LMARENA, arena_history(tmp_path, exact, {m: float(r) for m, r in rounded.items()}))
    assert found.is_empty() or found["drift_class"].to_list() == ["rounding"]
    whole = [
        export(tmp_path, LMARENA, DAYS[0], {"full": arena(exact, 0.2)}),
        export(tmp_path, LMARENA, DAYS[3], {"full": arena(dict(rounded), 0.2)}),
    ]
    assert classes(events(LMARENA, whole)) == [("rounding", "info", None)]


def test_an_entry_spelt_anew_is_renamed_and_not_gone(tmp_path: Path) -> None:
    ratings = models(30)
    spelt = {m.replace("model-04", "Model_04"): r for m, r in ratings.items()}
    found = events(LMARENA, arena_history(tmp_path, ratings, spelt))
    assert classes(found) == [("renamed", "info", "Model_04")]
    other = {m.replace("model-04", "something-else"): r + (0 if m != "model-04" else 1) for m, r in ratings.items()}
    assert classes(events(LMARENA, arena_history(tmp_path / "b", ratings, other))) == [
        ("new", "info", "something-else"),
        ("removed", "info", "model-04"),
    ]


def aider_export(root: Path, day: str, *edits: tuple[str, str]) -> BoardSnapshot:
    runs = [RUN.replace("--one", f"--{n}").replace("Example 1", f"Example {n}") for n in range(1, 13)]
    for old, new in edits:
        assert old in runs[0]
        runs[0] = runs[0].replace(old, new)
    return export(root, AIDER, day, "".join(runs).encode(), ".yml")


def test_a_run_whose_numbers_change_is_a_revision_and_never_drift(tmp_path: Path) -> None:
    revised = aider_export(
        tmp_path, DAYS[1], ("pass_rate_2: 60.4", "pass_rate_2: 20.4"), ("pass_num_2: 136", "pass_num_2: 46"),
        ("total_cost: 12.3456", "total_cost: 15"),
    )  # fmt: skip
    found = events(AIDER, [aider_export(tmp_path, DAYS[0]), revised])
    assert classes(found) == [("revised", "info", "Example 1 (high)")]
    row = found.row(0, named=True)
    assert (row["score_before"], row["score_after"]) == (60.4, 20.4)
    assert "run cost from 12.3456 to 15" in row["explanation"]


def test_a_run_with_another_name_is_renamed(tmp_path: Path) -> None:
    renamed = aider_export(tmp_path, DAYS[1], ("Example 1 (high)", "Example 1 (prev)"))
    assert classes(events(AIDER, [aider_export(tmp_path, DAYS[0]), renamed])) == [
        ("renamed", "info", "Example 1 (prev)")
    ]


def test_a_contradiction_is_reported_once(tmp_path: Path) -> None:
    wrong = ("pass_rate_2: 60.4", "pass_rate_2: 50.4")
    history = [aider_export(tmp_path, day, wrong) for day in DAYS[:3]]
    found = detect_drift(AIDER, history)
    assert found["drift_class"].to_list().count("contradiction") == 1
    assert found.filter(pl.col("drift_class") == "contradiction")["severity"].to_list() == ["warn"]


@pytest.mark.slow
def test_any_order_gives_the_same_rows_and_known_on_a_day_is_a_prefix(tmp_path: Path) -> None:
    ratings = models(30)
    fallen = ratings | {"model-05": ratings["model-05"] - 40}
    shifted = {m: r + 60 for m, r in fallen.items()}
    short = dict(itertools.islice(shifted.items(), 9))
    history = arena_history(tmp_path, ratings, fallen, fallen, short, shifted)
    whole, found = build_scores(LMARENA, history, None), detect_drift(LMARENA, history)
    assert {"drift", "coverage_gate", "scale_rebase"} <= set(found["drift_class"])
    for order in itertools.islice(itertools.permutations(history), 0, 120, 17):
        again = build_scores(LMARENA, list(order), None)
        for name, table in (("benchmarks", BENCHMARK), ("versions", BENCHMARK_VERSION), ("scores", BENCHMARK_SCORE)):
            assert getattr(again, name).equals(getattr(whole, name))
            assert dict(getattr(again, name).schema) == dict(table.polars_schema)
        assert detect_drift(LMARENA, list(order), again).equals(found)
    for n in range(1, len(history) + 1):
        until = history[n - 1].file.observed_at
        known = detect_drift(LMARENA, history[:n])
        assert known.equals(found.filter(pl.col("event_date") <= until.date()))
        believed = build_scores(LMARENA, history[:n], None).scores
        later = whole.scores.filter(pl.col("observed_at") <= until).with_columns(
            pl.when(pl.col("superseded_at") <= until).then("superseded_at").alias("superseded_at"),
            pl.when(pl.col("superseded_at") <= until).then("supersede_reason").alias("supersede_reason"),
        )
        assert believed.equals(later)


def test_two_exports_of_one_instant_are_one_statement_and_a_contradiction(tmp_path: Path) -> None:
    first = export(tmp_path, LMARENA, DAYS[0], {"full": arena(models(12))})
    second = export(tmp_path, LMARENA, DAYS[0], {"full": arena(models(13))})
    assert first.file.landing_path != second.file.landing_path
    found = detect_drift(LMARENA, [first, second])
    assert sorted(found["drift_class"]) == ["contradiction", "new"]
    assert detect_drift(LMARENA, [second, first]).equals(found)


@pytest.mark.slow
def test_null_days_end_to_end_raise_drift_no_more_often_than_stated(tmp_path: Path) -> None:
    """60 exports drawn anew around the same truth: candidates are rare, and a second export confirms none."""
    generator = np.random.default_rng(7)
    truth = models(80)
    history = []
    for n in range(60):
        drawn = {m: r + float(generator.normal(0, 8 / 1.96)) for m, r in truth.items()}
        day = f"2026-{1 + n // 28:02d}-{1 + n % 28:02d}"
        history.append(export(tmp_path, LMARENA, day, {"full": arena(drawn)}))
    found = detect_drift(LMARENA, history).filter(pl.col("drift_class") == "drift")
    days = found["event_date"].n_unique()
    assert days <= 8  # 59 days at 5 %: 3 expected, 8 with probability below 1 %
