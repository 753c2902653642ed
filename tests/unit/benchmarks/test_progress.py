"""A board that goes on where the run before ended gives what all its exports at once give, and reads only the exports that are new."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipelines.benchmarks import BoardSnapshot, build_gap, build_scores, detect_drift
from pipelines.benchmarks.progress_file import kept
from pipelines.config.sources import Leaderboard
from pipelines.warehouse.tables.core import MODEL
from tests.unit.benchmarks.going_on import Zone, half_open, holds_going_on, together
from tests.unit.benchmarks.series import ELO, independent, of_outcomes, snapshots

BOARD = Leaderboard(board="b", format="lmarena")


def drifting(seed: int) -> list[BoardSnapshot]:
    """Exports of a rating: chance, jumps that are confirmed or taken back, entries that come, go and are spelt anew, a slow
    drift, a short list and a new anchor."""
    generator = np.random.default_rng(seed)
    stderr = np.full(30, 4.0)
    made = independent(generator, np.linspace(1400, 1000, 30), stderr, 24)
    for number, (scores, _) in enumerate(made):
        scores[3] += 60 * (number >= 8)
        scores[5] -= 80 * (number == 11)
        scores[7] += 3 * number
        scores[:] += 25.0 * (number >= 16)
    exports = snapshots(made, "entry")
    for number, item in enumerate(exports):
        (seen,) = item.observations
        hidden = (
            [f"m{n:03d}" for n in range(20, 30)]
            if number in (13, 14)
            else ["m002"]
            if number < 6
            else ["m004"]
            if number > 9
            else []
        )
        rows = seen.rows.filter(~pl.col("source_row_key").is_in(hidden))
        if number > 18:
            spelt = pl.col("source_row_key").replace({"m006": "M-006"})
            rows = rows.with_columns(spelt.alias("source_row_key"), spelt.alias("raw_model")).sort("source_row_key")
        exports[number] = replace(item, observations=(replace(seen, rows=rows),))
    return exports


@pytest.mark.parametrize("stops", [(1, 9, 12, 15, 18, 24), (2, 10, 14, 17, 20, 24)], ids=str)
@pytest.mark.slow
def test_going_on_gives_what_beginning_anew_gives(tmp_path: Path, stops: tuple[int, ...]) -> None:
    """Stops before, within and after each thing that happens; what happens when is the same for every seed."""
    exports = drifting(stops[0] - 1)
    holds_going_on(BOARD, exports, tmp_path, stops)
    found = set(detect_drift(BOARD, exports)["drift_class"])
    assert {"drift", "coverage_gate", "scale_rebase", "new", "removed", "renamed"} <= found, found


@pytest.mark.slow
def test_going_on_with_outcomes_item_by_item(tmp_path: Path) -> None:
    generator = np.random.default_rng(3)
    easy = generator.uniform(0.2, 0.9, 200)
    nights = [
        (generator.random((4, 200)) < easy + np.array([[0], [0], [0.1], [-0.3 * (n > 4)]])) * 1.0 for n in range(9)
    ]
    exports = of_outcomes(nights)
    holds_going_on(BOARD, exports, tmp_path, (2, 4, 5, 6, 7, 8, 9))
    assert "drift" in detect_drift(BOARD, exports)["drift_class"].to_list()


@pytest.mark.slow
def test_only_what_is_new_is_read(tmp_path: Path) -> None:
    exports = drifting(5)
    zone = Zone(BOARD, exports[:10], tmp_path / "state.zip")
    zone.go_on()
    assert len(zone.read) == 10
    zone.exports = exports[:11]
    zone.go_on()
    assert zone.read == [item.file.landing_path for item in exports[9:11]]


@pytest.mark.slow
def test_an_export_of_an_earlier_day_or_one_that_is_gone_begins_anew(tmp_path: Path) -> None:
    exports = drifting(5)[:13]
    for first, then in ((exports[:9] + exports[10:], exports), (exports, exports[:9] + exports[10:])):
        zone = Zone(BOARD, first, tmp_path / f"{len(first)}.zip")
        zone.go_on()
        zone.exports = then
        _, scores, events = zone.go_on()
        assert set(zone.read) == {item.file.landing_path for item in then}
        assert scores.scores.equals(build_scores(BOARD, then, None).scores)
        assert events.equals(detect_drift(BOARD, then))


@pytest.mark.slow
def test_tests_of_another_board_on_a_kept_day_judge_it_anew(tmp_path: Path) -> None:
    """The more is looked at on a day, the more chance has to show: a drift of that day may be none any more."""
    exports = drifting(5)[:13]
    zone = Zone(BOARD, exports, tmp_path / "state.zip")
    _, _, alone = zone.go_on()
    day = exports[8].file.observed_at.date()
    other = {day: np.full(10_000, 0.9)}
    made, _, events = zone.go_on(other=other)
    whole = detect_drift(BOARD, exports, None, together(made.tests, other))
    assert events.equals(whole)
    assert not events.equals(alone)


@pytest.mark.slow
def test_what_is_kept_is_of_days_that_no_board_can_add_to(tmp_path: Path) -> None:
    exports = drifting(5)[:10]
    zone = Zone(BOARD, exports, tmp_path / "state.zip")
    zone.go_on()
    held = kept(zone.path, {item.file.snapshot_id: item for item in exports}.__getitem__)
    assert held is not None
    assert held.until == exports[-2].file.observed_at.date()
    zone.go_on(newest=exports[-1].file.observed_at.date() + timedelta(days=1))
    held = kept(zone.path, {item.file.snapshot_id: item for item in exports}.__getitem__)
    assert held is not None
    assert held.until == exports[-1].file.observed_at.date()


@pytest.mark.slow
def test_a_damaged_file_begins_anew(tmp_path: Path) -> None:
    exports = drifting(5)[:10]
    zone = Zone(BOARD, exports, tmp_path / "state.zip")
    zone.go_on()
    zone.path.write_bytes(zone.path.read_bytes()[:-50])
    _, scores, _ = zone.go_on()
    assert len(zone.read) == len(exports)
    assert scores.scores.equals(build_scores(BOARD, exports, None).scores)


def test_a_gap_of_the_past_is_measured_anew_where_its_past_changed(tmp_path: Path) -> None:
    exports = drifting(1)[:6]
    scores = half_open(build_scores(BOARD, exports, None).scores)
    benchmarks = pl.DataFrame({"benchmark_id": [ELO.benchmark_id], "lower_is_better": [False]})
    path = tmp_path / "gap.zip"
    build_gap(scores, MODEL.empty(), benchmarks, kept=path)
    third = exports[2].file.observed_at.date()
    best = (pl.col("as_of") == third) & (pl.col("source_row_key") == "m000")
    moved = scores.with_columns(pl.when(best).then(pl.col("score") + 20).otherwise("score").alias("score"))
    assert not moved.equals(scores)
    found = build_gap(moved, MODEL.empty(), benchmarks, kept=path)
    assert found.equals(build_gap(moved, MODEL.empty(), benchmarks))
    flipped = moved.with_columns(
        pl.when(pl.col("source_row_key") == "m001").then(pl.lit("closed")).otherwise("weights").alias("weights")
    )
    found = build_gap(flipped, MODEL.empty(), benchmarks, kept=path)
    assert found.equals(build_gap(flipped, MODEL.empty(), benchmarks))
