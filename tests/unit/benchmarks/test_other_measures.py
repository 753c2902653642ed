"""Exports that say something else in the same shape: shares among per cent, another scale, another board, a setting in the name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from pipelines.benchmarks import detect_drift
from pipelines.benchmarks.fields import EntryError, number
from pipelines.config.sources import Leaderboard
from tests.unit.benchmarks.boards import LMARENA, arena, export, models

BASE = {f"model-{n}": round(30 + n * 2.5, 1) for n in range(20)}


def events(folder: Path, *history: dict[str, float], n_items: int | None = 500) -> list[tuple[str, str | None]]:
    """Kind and model of what each export but the first changed, on a board of 500 items."""
    scores = [{"field": "s", "benchmark": "x"} | ({"n_items": n_items} if n_items else {})]
    board = Leaderboard.model_validate(
        {"board": "b", "format": "mapping", "options": {"model_field": "m", "scores": scores}}
    )
    found = [
        export(folder, board, f"2026-10-{day:02}", "".join(["m,s\n", *(f"{m},{s}\n" for m, s in table.items())]).encode(), ".csv")
        for day, table in enumerate(history, start=1)
    ]  # fmt: skip
    is_first = (pl.col("event_date") == pl.date(2026, 10, 1)) & (pl.col("drift_class") == "new")
    rows = detect_drift(board, found).filter(~is_first)
    return list(rows.select("drift_class", "raw_model").iter_rows())


def test_a_single_share_among_per_cent_changes_no_score(tmp_path: Path) -> None:
    """62.5 became 0.625 and came back: it was a drift of 62 points, seen and gone again."""
    share = BASE | {"model-13": 0.625}
    assert events(tmp_path, BASE, share, share, BASE) == [("contradiction", "model-13")]


def test_half_a_board_in_shares_is_one_event(tmp_path: Path) -> None:
    shares = {m: s / 100 if n % 2 else s for n, (m, s) in enumerate(BASE.items())}
    assert events(tmp_path, BASE, shares, BASE) == [("contradiction", None)]


def test_a_fall_to_nearly_nothing_is_still_seen(tmp_path: Path) -> None:
    fallen = BASE | {"model-13": 0.9}
    assert events(tmp_path, BASE, fallen, fallen) == [("drift", "model-13")] * 2


@pytest.mark.parametrize("scale", [lambda s: s + 1.5, lambda s: round(s * 0.9, 2), lambda s: 100 - s])
def test_a_new_judge_or_scale_is_one_event(tmp_path: Path, scale: Any) -> None:
    """All on one line with the scores before, or nearly all beyond noise: no drawing of items does that."""
    other = {m: scale(s) for m, s in BASE.items()}
    assert events(tmp_path, BASE, other, other) == [("scale_rebase", None)]


def test_a_third_of_the_models_that_moved_are_moves_of_models(tmp_path: Path) -> None:
    moved = {m: s + (9 if n % 6 == 0 else -9 if n % 6 == 3 else 0) for n, (m, s) in enumerate(BASE.items())}
    found = events(tmp_path, BASE, moved)
    assert found
    assert {kind for kind, _ in found} == {"drift"}


def test_a_nightly_run_without_errors_is_no_new_measure(tmp_path: Path) -> None:
    noise = np.random.default_rng(7)
    nights = [{m: round(s + noise.normal(0, 3), 1) for m, s in BASE.items()} for _ in range(6)]
    assert {kind for kind, _ in events(tmp_path, *nights, n_items=None)} == {"revised"}


def test_a_setting_in_the_name_is_a_rename(tmp_path: Path) -> None:
    for suffix in (" (medium)", "-thinking", " [high effort]", "-32k"):
        renamed = {f"{m}{suffix}" if m == "model-4" else m: s for m, s in BASE.items()}
        assert events(tmp_path / suffix.strip(), BASE, renamed) == [("renamed", f"model-4{suffix}")]
    other = {"model-4 turbo" if m == "model-4" else m: s for m, s in BASE.items()}
    assert [kind for kind, _ in events(tmp_path / "other", BASE, other)] == ["new", "removed"]


def test_a_page_of_another_arena_moves_no_model(tmp_path: Path) -> None:
    """A quarter of the models, four in ten of them with ratings of their own: what a short list shows so is not compared."""
    text = models(60)
    vision = {name: rating + (60, 0, -45, 0, 0)[n % 5] for n, (name, rating) in enumerate(list(text.items())[:15])}
    days = (("2026-10-01", text), ("2026-10-02", vision), ("2026-10-03", text))
    found = [export(tmp_path, LMARENA, day, {"text": arena(ratings)}) for day, ratings in days]
    assert [kind for kind in detect_drift(LMARENA, found)["drift_class"] if kind != "new"] == ["coverage_gate"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("62.5*", 62.5), ("62.5¹", 62.5), ("62.5 [3]", 62.5), ("**62.5**", 62.5), ("`62.5`", 62.5), ("62.5 ± 1.2", 62.5),
        ("62.5% (±1.2%)", 62.5), ("62.5 [60.1, 64.9]", 62.5), ("62.5 (60.1–64.9)", 62.5), ("\u200b62.5", 62.5), ("1,234 +/- 5", 1234.0),
    ],
)  # fmt: skip
def test_what_pages_put_next_to_a_number_is_none_of_it(text: str, value: float) -> None:
    assert number(text, "score") == value


@pytest.mark.parametrize("text", ["3-4", "62.5 - 3", "5/8", ">60", "v1.2", "62.5 (12/20)", "rank 3", "*"])
def test_what_may_be_another_number_is_refused(text: str) -> None:
    with pytest.raises(EntryError):
        number(text, "score")


@pytest.mark.slow
def test_another_fit_of_all_ratings_moves_no_model(tmp_path: Path) -> None:
    """Style control moved models by some 25 Elo either way, four in ten beyond their noise: each was a drift."""
    chance = np.random.default_rng(11)
    before = models(60)
    after = {m: r + chance.normal(0, 25) for m, r in before.items()}
    few = {m: r + (30 if n % 5 == 0 else 0) for n, (m, r) in enumerate(before.items())}
    half = {m: r + (40 if n % 2 == 0 else chance.normal(0, 5)) for n, (m, r) in enumerate(before.items())}

    def kinds(name: str, second: dict[str, float]) -> set[str]:
        days = [("2026-10-01", before), ("2026-10-08", second), ("2026-10-15", second)]
        found = [export(tmp_path / name, LMARENA, day, {"full": arena(ratings)}) for day, ratings in days]
        return set(detect_drift(LMARENA, found)["drift_class"].to_list()) - {"new"}

    assert kinds("another fit", after) == {"scale_rebase"}
    assert kinds("twelve models", few) == {"drift"}
    assert kinds("half of the models", half) == {"drift"}
