"""Whole exports are distinguished from cut ones, revisions from spelling, and one redefinition from two."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from pipelines.benchmarks import build_scores, detect_drift
from pipelines.benchmarks.cusum import SlowWatch
from pipelines.benchmarks.observation import ROW_KEY
from pipelines.config.sources import Leaderboard
from tests.unit.benchmarks.boards import LMARENA, arena, export, models
from tests.unit.benchmarks.series import history

DAYS = tuple(f"2026-02-{day:02d}" for day in range(1, 20))


def own(**options: Any) -> Leaderboard:
    scores = options.pop("scores", [{"field": "score", "benchmark": "exam"}])
    values = {"model_field": "model", "scores": scores, **options}
    return Leaderboard.model_validate({"board": "own", "format": "mapping", "options": values})


def stated(board: Leaderboard, root: Path, *exports: list[dict[str, Any]]) -> pl.DataFrame:
    """Events after the first day."""
    snapshots = [export(root, board, day, records) for day, records in zip(DAYS, exports, strict=False)]
    found = detect_drift(board, snapshots)
    assert detect_drift(board, snapshots[::-1]).equals(found)
    return found.filter(pl.col("event_date") > found["event_date"].min())


def entries(*names: str, **more: Any) -> list[dict[str, Any]]:
    return [{"model": name, "score": 80 - number, **more} for number, name in enumerate(names)]


OLD = [f"model-{n:02d}" for n in range(30)]


@pytest.mark.parametrize(
    "after",
    [
        pytest.param([*OLD[:15], *(f"next-{n:02d}" for n in range(40))], id="growth"),
        pytest.param([*(f"vendor/{name}-2026" for name in OLD[:20]), *OLD[20:]], id="renames"),
        pytest.param([*OLD[12:], "new-a", "new-b"], id="retirement"),
        pytest.param([*OLD[::2], "new-a", "new-b", "new-c"], id="every other one retired"),
    ],
)
def test_a_whole_export_is_no_gate_event(tmp_path: Path, after: list[str]) -> None:
    found = stated(own(), tmp_path, entries(*OLD), entries(*after))
    assert "coverage_gate" not in found["drift_class"].to_list()


@pytest.mark.parametrize("kept", [OLD[:12], OLD[:20], [*OLD[:15], "new-a"]])
def test_a_list_that_lacks_its_end_is_cut_off_once_and_what_it_has_counts(tmp_path: Path, kept: list[str]) -> None:
    short = entries(*kept)
    short[3]["score"] = 12.5
    found = stated(own(), tmp_path, entries(*OLD), short, short)
    gates = found.filter(pl.col("drift_class") == "coverage_gate")
    assert [str(day) for day in gates["event_date"]] == [DAYS[1]]  # the second day says the same: they are gone
    moved = found.filter((pl.col("drift_class") == "revised") & (pl.col("raw_model") == "model-03"))
    assert moved.select("score_before", "score_after").rows() == [(77.0, 12.5)]
    assert str(moved["event_date"][0]) == DAYS[1]
    removed = found.filter(pl.col("drift_class") == "removed")
    assert set(map(str, removed["event_date"])) == {DAYS[2]}


@pytest.mark.slow
def test_a_window_that_turns_over_is_no_truncation(tmp_path: Path) -> None:
    """The best 20 of a longer list, four others every day: what fell out may be there still."""
    board = own(is_window=True)
    days = [
        [{"model": f"m{n:03d}", "score": 60 + (n - 4 * day) / 10} for n in range(4 * day, 4 * day + 20)]
        for day in range(8)
    ]
    found = stated(board, tmp_path, *days)
    assert "coverage_gate" not in found["drift_class"].to_list()


def test_a_blank_column_of_listed_entries_is_withdrawn_and_not_cut_off(tmp_path: Path) -> None:
    board = own(scores=[{"field": "a", "benchmark": "a"}, {"field": "b", "benchmark": "b"}])
    before = [{"model": name, "a": 50, "b": 60} for name in OLD]
    after = [{"model": name, "a": 50, "b": 60 if n >= 10 else "-"} for n, name in enumerate(OLD)]
    found = stated(board, tmp_path, before, after)
    assert set(found["drift_class"]) == {"removed"}
    assert found.height == 10


@pytest.mark.slow
def test_a_run_is_matched_by_what_it_is(tmp_path: Path) -> None:
    board = own(row_kind="run", key_field="folder", date_field="date")

    def runs(folder: str, name: str = "Agent One") -> list[dict[str, Any]]:
        others = [{"model": f"other {n}", "score": 20 + n, "folder": f"f{n}", "date": "2026-01-01"} for n in range(5)]
        return [*others, {"model": name, "score": 61.2, "folder": folder, "date": "2026-01-09"}]

    for new in ("2026_01_09-agent-one", "AGENT one 20260109", "submissions.v2.x7"):
        found = stated(board, tmp_path / new, runs("20260109_Agent_One"), runs(new))
        assert found.select("drift_class", "raw_model").rows() == [("renamed", "Agent One")], new
        assert new in found["explanation"][0]
    other = runs("20260109_Agent_One")
    other[-1] |= {"folder": "20260109-agent-one", "date": "2026-01-10"}  # of another day: another run
    classes = stated(board, tmp_path / "other", runs("20260109_Agent_One"), other)["drift_class"].to_list()
    assert sorted(classes) == ["new", "removed"]


def test_in_a_bulk_change_the_move_is_reported_with_before_and_after(tmp_path: Path) -> None:
    board = own(harness_field="harness", row_kind="run")
    names = [f"m{n:02d}" for n in range(40)]
    before = [{"model": name, "score": 18.2} for name in names]
    after = [{"model": name, "score": 18.2 if name != "m07" else 15.8, "harness": "v2"} for name in names]
    found = stated(board, tmp_path, before, after)
    moved = found.filter(pl.col("raw_model") == "m07")
    assert moved.select("score_before", "score_after", "drift_class").rows() == [(18.2, 15.8, "revised")]
    assert found.filter(pl.col("raw_model").is_null())["n_models"].to_list() == [39]
    many = stated(
        board,
        tmp_path / "many",
        before,
        [{**row, "score": round(row["score"] + (-n if n % 2 else n) / 10, 1)} for n, row in enumerate(after)],
    )
    assert "m39 from 18.2 to 14.3" in many["explanation"][0]
    assert '"after": 14.3' in many["evidence"][0]


def test_float_noise_and_another_spelling_of_a_number_are_no_revision(tmp_path: Path) -> None:
    board = own(row_kind="run", scores=[{"field": "score", "benchmark": "exam", "cost_field": "usd"}])
    first = [{"model": "a", "score": 40, "usd": 0.3}, {"model": "b", "score": 76.3, "usd": 1}]
    second = [
        {"model": "a", "score": "40.0", "usd": 0.1 + 0.2},
        {"model": "b", "score": 76.30000000000001, "usd": "1.00"},
    ]
    assert stated(board, tmp_path, first, second).is_empty()
    snapshots = [
        export(tmp_path / "b", board, day, records) for day, records in zip(DAYS, (first, second), strict=False)
    ]
    assert build_scores(board, snapshots, None).scores.height == 2


def indexed(root: Path, *exports: tuple[float, float, float]) -> list[tuple[str, str]]:
    """Class and day of the scale events of an index; per export the weights of its parts for two halves of the models."""
    board = Leaderboard(board="artificial_analysis", format="artificial_analysis")
    generator = np.random.default_rng(4)
    parts = generator.uniform(0.2, 0.9, (40, 2))
    snapshots = []
    for day, (first, second, third) in zip(DAYS, exports, strict=False):
        weights = [first] * 15 + [second] * 15 + [third] * 10
        data = [
            {
                "slug": f"m{n}", "name": f"M{n}",
                "evaluations": {
                    "artificial_analysis_coding_index": 100 * (weight * scicode + (1 - weight) * terminal),
                    "scicode": scicode, "terminalbench_hard": terminal,
                },
            }
            for n, (weight, (scicode, terminal)) in enumerate(zip(weights, parts.tolist(), strict=True))
        ]  # fmt: skip
        snapshots.append(export(root, board, day, {"data": data}))
    found = detect_drift(board, snapshots).filter(
        pl.col("drift_class").is_in(["index_version", "scale_rebase", "drift"])
    )
    return [(row["drift_class"], str(row["event_date"])) for row in found.iter_rows(named=True)]


@pytest.mark.slow
def test_a_composite_that_is_redefined_over_two_exports_is_one_index_version(tmp_path: Path) -> None:
    old, new = 0.5, 0.9
    halves = indexed(tmp_path, (old, old, old), (new, old, old), (new, new, new), (new, new, new))
    assert halves == [("index_version", DAYS[1])]
    twice = indexed(tmp_path / "twice", (old,) * 3, (0.7,) * 3, (new,) * 3, (new,) * 3)
    assert twice == [("index_version", DAYS[1])]
    apart = indexed(tmp_path / "apart", (old,) * 3, *[(0.7,) * 3] * 6, (new,) * 3)
    assert [name for name, _ in apart] == ["index_version"] * 2


def test_one_step_between_two_scores_is_no_slow_drift() -> None:
    scores = np.linspace(80, 60, 20)
    stepped = scores.copy()
    stepped[3] -= 12
    again = stepped.copy()
    again[3] -= 0.5
    error = np.full(20, 1.0)
    steps = history([(scores, error), (stepped, error), (again, error)], "entry")
    watch, nothing = SlowWatch(), pl.DataFrame(schema=dict.fromkeys(ROW_KEY, pl.String()))
    found = [watch.look(step, nothing).height for step in steps]
    assert found == [0, 0, 1]  # the third score makes it a series


def test_a_partial_export_whose_rows_move_together_waits_for_a_whole_one(tmp_path: Path) -> None:
    ratings = models(30)
    short = {name: rating + 60 for name, rating in list(ratings.items())[:8]}
    snapshots = [
        export(tmp_path, LMARENA, day, {"full": arena(item)}) for day, item in zip(DAYS, (ratings, short), strict=False)
    ]
    found = detect_drift(LMARENA, snapshots)
    assert sorted(found["drift_class"]) == ["coverage_gate", "new"]
    assert "all rows moved together" in found.filter(pl.col("drift_class") == "coverage_gate")["explanation"][0]
    assert build_scores(LMARENA, snapshots, None).scores["superseded_at"].null_count() == 30


def graded(scale: float, n: int = 8) -> dict[str, object]:
    results = [
        {"name": f"agent {i}", "folder": f"2026010{i}_agent", "resolved": round((40 + 2.2 * i) * scale, 4)}
        for i in range(n)
    ]
    return {"leaderboards": [{"name": "Verified", "results": results}]}


def test_an_export_in_shares_of_one_changes_no_score(tmp_path: Path) -> None:
    """It was a new scale, and 40 per cent became 0.4: every later ratio of models by that board was wrong."""
    board = Leaderboard(board="swebench", format="swebench")
    days = ("2026-02-01", "2026-02-08", "2026-02-15")
    shares = [export(tmp_path / "a", board, day, graded(scale)) for day, scale in zip(days, (1, 0.01, 1), strict=True)]
    found = detect_drift(board, shares)
    assert found["drift_class"].to_list() == ["new", "coverage_gate"]
    assert "8 of 8 scores of verified are a hundredth" in found["explanation"][1]
    assert build_scores(board, shares, None).scores.filter(pl.col("score") < 1).is_empty()
    halved = [export(tmp_path / "b", board, day, graded(scale)) for day, scale in zip(days, (1, 0.5, 0.5), strict=True)]
    assert "coverage_gate" not in detect_drift(board, halved)["drift_class"].to_list()
    few = [export(tmp_path / "c", board, day, graded(scale, 1)) for day, scale in zip(days, (1, 0.01, 1), strict=True)]
    assert "coverage_gate" not in detect_drift(board, few)["drift_class"].to_list()
