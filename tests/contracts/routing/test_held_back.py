"""The figures of `held_back.py` on files of the test's own: models and benchmarks that no file has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.contracts.routing.held_back import UnusableFileError, main, measured, read_items, scored_elsewhere

MODELS = ("zeta-9", "omicron-2b", "kappa")
ITEMS, FIELDS = 160, ("tax law", "tides")


@pytest.fixture
def long(tmp_path: Path) -> Path:
    """One row per item and model, harder items dearer; one model lacks an item."""
    chance = np.random.default_rng(1)
    hard = chance.random(ITEMS)
    rows = [
        {"task": f"t{item}", "who": model, "passed": int(chance.random() > hard[item]), "paid": (1 + hard[item]) * (place + 1) / 100,
         "field": FIELDS[item % 2]}
        for place, model in enumerate(MODELS)
        for item in range(ITEMS)
    ]  # fmt: skip
    path = tmp_path / "nobody-has-seen-it.csv"
    pl.DataFrame(rows[:-1]).write_csv(path)
    return path


@pytest.mark.slow
def test_a_file_of_other_names_is_judged_by_what_ships(long: Path) -> None:
    items = read_items(long, "task", "who", "passed", "paid", "field")
    assert (sorted(items.models), items.score.shape) == (sorted(MODELS), (3, ITEMS - 1))
    grades, saving, quality = measured(items)
    assert grades == {"A"}
    assert saving is not None
    ratio = items.cost[0].sum() / items.cost[1].sum()  # type: ignore[index]
    assert ratio == pytest.approx(_rank(items.models[0]) / _rank(items.models[1]))
    assert min(saving.truths) < 0 < max(saving.truths)
    elsewhere = scored_elsewhere(items)
    assert elsewhere is not None
    assert len(elsewhere.truths) == 2 * 6  # each field from the other, for each ordered pair
    for truth in (saving, quality, elsewhere):
        assert truth.covered("95") >= 0.8


def _rank(model: str) -> int:
    return MODELS.index(model) + 1


def test_a_row_per_item_says_the_same_as_a_row_per_answer(long: Path, tmp_path: Path) -> None:
    rows = pl.read_csv(long)
    wide = rows.pivot(on="who", index=["task", "field"], values="passed").rename(
        {one: f"{one} passed" for one in MODELS}
    )
    wide.write_parquet(tmp_path / "wide.parquet")
    found = read_items(tmp_path / "wide.parquet", "task,field", None, "* passed", None, "field")
    expected = read_items(long, "task", "who", "passed", None, "field")
    assert found.models == expected.models
    assert (found.score.sum(axis=1) == expected.score.sum(axis=1)).all()


def test_what_cannot_be_judged_is_named(
    long: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UnusableFileError, match="no column solved; the file has task, who"):
        read_items(long, "task", "who", "solved", None, None)
    with pytest.raises(UnusableFileError, match="not from 0 to 1"):
        read_items(_doubled(long), "task", "who", "passed", None, None)
    with pytest.raises(UnusableFileError, match="write a star"):
        read_items(long, "task", None, "passed", None, None)
    monkeypatch.setattr("sys.argv", ["held_back", str(long), "--item", "field", "--model", "who", "--score", "passed"])
    with pytest.raises(SystemExit):
        main()
    assert (
        "2 items that all of 3 models answered: two models and more than 120 items are needed"
        in capsys.readouterr().err
    )


def _doubled(path: Path) -> Path:
    other = path.with_name("doubled.csv")
    pl.read_csv(path).with_columns(pl.col("passed") * 2).write_csv(other)
    return other
