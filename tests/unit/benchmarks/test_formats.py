"""What each format reads, and what it sets aside with place and reason."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from pipelines.benchmarks import detect_drift
from pipelines.warehouse.tables.raw import QUARANTINE
from tests.unit.benchmarks.boards import AIDER, LMARENA, arena, export

RUN = """- dirname: 2026-01-05--one
  test_cases: 225
  total_tests: 225
  model: Example 1 (high)
  edit_format: diff
  reasoning_effort: high
  pass_rate_1: 30.2
  pass_rate_2: 60.4
  pass_num_1: 68
  pass_num_2: 136
  date: 2026-01-05
  prompt_tokens: 100
  completion_tokens: 20
  total_cost: 12.3456
"""


def test_lmarena_reads_bounds_as_a_standard_error(tmp_path: Path) -> None:
    snapshot = export(tmp_path, LMARENA, "2026-02-01", {"full": arena({"alpha": 1400.0}, 9.8)})
    row = snapshot.observations[0].rows.row(0, named=True)
    assert row["stderr"] == pytest.approx(19.6 / 3.919927969)  # width over 2 x 1.96
    assert (row["version_label"], row["source_row_key"], row["as_of"]) == ("full", "alpha", date(2026, 2, 1))
    assert snapshot.lines == 1 == snapshot.valid


def test_lmarena_bounds_without_width_are_an_anchor_and_no_certainty(tmp_path: Path) -> None:
    snapshot = export(tmp_path, LMARENA, "2026-02-01", {"full": arena({"alpha": 1400.0}, 0.0)})
    assert snapshot.observations[0].rows["stderr"].to_list() == [None]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"rating": None}, "missing_field"),
        ({"rating": "high"}, "not_a_number"),
        ({"rating": True}, "not_a_number"),
        ({"rating": 1.0, "rating_q025": 5.0, "rating_q975": 4.0}, "identity_broken"),
        ([1400], "wrong_shape"),
    ],
)
def test_lmarena_sets_broken_entries_aside(tmp_path: Path, entry: object, reason: str) -> None:
    snapshot = export(tmp_path, LMARENA, "2026-02-01", {"full": {**arena({"alpha": 1400.0}), "beta": entry}})
    assert snapshot.quarantine["reason"].to_list() == [reason]
    assert snapshot.lines == snapshot.valid + 1 == 2
    assert json.loads(snapshot.quarantine["fields"][0])["model"] == "beta"
    assert dict(snapshot.quarantine.schema) == dict(QUARANTINE.polars_schema)


@pytest.mark.parametrize("content", [b"<html>busy</html>", b"[1, 2]", b""])
def test_a_file_of_another_kind_is_one_quarantined_record(tmp_path: Path, content: bytes) -> None:
    snapshot = export(tmp_path, LMARENA, "2026-02-01", content)
    assert snapshot.quarantine["reason"].to_list() in (["not_json"], ["wrong_shape"])
    assert snapshot.observations[0].rows.is_empty()
    assert (snapshot.lines, snapshot.valid) == (1, 0)


def test_a_cut_list_of_runs_is_yaml_still_and_its_last_run_shows_it(tmp_path: Path) -> None:
    """A cut `pass_rate_2: 60` was a revision to 60, and the runs behind it were removed."""
    runs = [RUN.replace("dirname: ", f"dirname: {n:02d}-") for n in range(30)]
    whole = export(tmp_path / "whole", AIDER, "2026-02-01", "".join(runs).encode(), ".yml")
    cut = "".join(runs[:28]) + runs[28][: runs[28].index("60.4") + 2]
    short = export(tmp_path / "cut", AIDER, "2026-02-08", cut.encode(), ".yml")
    assert short.observations[0].ends_broken
    assert not whole.observations[0].ends_broken
    assert short.quarantine["reason"].to_list() == ["wrong_shape"]
    found = detect_drift(AIDER, [whole, short]).filter(pl.col("drift_class") != "new")
    assert found["drift_class"].to_list() == ["coverage_gate"]


def test_aider_reads_counts_cost_tokens_and_variant(tmp_path: Path) -> None:
    snapshot = export(tmp_path, AIDER, "2026-02-01", RUN.encode(), ".yml")
    second = snapshot.observations[0].rows.filter(pl.col("version_label") == "pass_rate_2").row(0, named=True)
    assert second["score"] == 60.4
    assert second["run_cost_usd"] == Decimal("12.3456")
    assert (second["n_items"], second["n_success"], second["as_of"]) == (225, 136, date(2026, 1, 5))
    assert second["variant"] == "diff, effort high"
    assert second["stderr"] == pytest.approx(100 * (136 / 225 * 89 / 225 / 225) ** 0.5)
    assert second["ci_method"] == "wilson"
    assert snapshot.lines == 1  # one run, two rows


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("pass_rate_2: 60.4", "pass_rate_2: many", "not_a_number"),
        ("pass_rate_2: 60.4", "pass_rate_2: 160.4", "out_of_range"),
        ("pass_num_2: 136", "pass_num_2: 236", "identity_broken"),
        ("total_cost: 12.3456", "total_cost: -1", "negative_amount"),
        ("test_cases: 225", "test_cases: 22.5", "not_a_count"),
        ("date: 2026-01-05", "date: soon", "not_a_date"),
        ("  model: Example 1 (high)\n", "", "missing_field"),
    ],
)
def test_aider_sets_broken_runs_aside_with_their_line(tmp_path: Path, old: str, new: str, reason: str) -> None:
    assert old in RUN
    good = RUN.replace("--one", "--two")
    snapshot = export(tmp_path, AIDER, "2026-02-01", (good + RUN.replace(old, new)).encode(), ".yml")
    assert snapshot.quarantine.select("reason", "line_no", "item_no").row(0) == (reason, good.count("\n") + 1, 1)
    assert snapshot.valid == (2 if "pass_rate" in old else 1)  # one broken rate leaves the other standing


def test_a_key_listed_twice_is_kept_once_and_reported(tmp_path: Path) -> None:
    changed = RUN.replace("pass_rate_2: 60.4", "pass_rate_2: 61.0").replace("pass_num_2: 136", "pass_num_2: 137")
    snapshot = export(tmp_path, AIDER, "2026-02-01", (RUN + changed).encode(), ".yml")
    assert snapshot.quarantine["reason"].to_list() == ["duplicate_key"]
    assert [item.implied for item in snapshot.observations[0].contradictions] == [61.0]
    same = export(tmp_path, AIDER, "2026-02-02", (RUN + RUN).encode(), ".yml")
    assert same.quarantine.height == 1
    assert same.observations[0].contradictions == ()


def test_a_rate_that_its_own_counts_deny_is_a_contradiction(tmp_path: Path) -> None:
    snapshot = export(tmp_path, AIDER, "2026-02-01", RUN.replace("60.4", "50.4").encode(), ".yml")
    (found,) = snapshot.observations[0].contradictions
    assert (found.stated, found.version_label) == (50.4, "pass_rate_2")
    assert found.implied == pytest.approx(100 * 136 / 225)
    assert export(tmp_path, AIDER, "2026-02-02", RUN.encode(), ".yml").observations[0].contradictions == ()
