"""Replay of real leaderboard histories: the events that are known to be in them, and none that are not."""

from __future__ import annotations

import gzip
import itertools
import json
import random
import tempfile
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
import yaml

from pipelines.benchmarks import BoardScores, BoardSnapshot, build_scores, detect_drift, parse_board
from pipelines.config.sources import Leaderboard
from tests.unit.benchmarks.boards import AIDER, LMARENA, landed, real_snapshots
from tests.unit.benchmarks.going_on import holds_going_on

SILENT = ("new", "removed")


@pytest.fixture(scope="module")
def lmarena(shared_data: Path) -> tuple[list[BoardSnapshot], BoardScores]:
    snapshots = real_snapshots(shared_data / "leaderboards", "lmarena/text/*.json.gz", LMARENA)
    return snapshots, build_scores(LMARENA, snapshots, None)


@pytest.fixture(scope="module")
def aider(shared_data: Path) -> tuple[list[BoardSnapshot], BoardScores]:
    snapshots = real_snapshots(shared_data / "leaderboards", "aider_polyglot/*.yml", AIDER)
    return snapshots, build_scores(AIDER, snapshots, None)


@pytest.mark.slow
def test_every_lmarena_entry_is_a_row(lmarena: tuple[list[BoardSnapshot], BoardScores], shared_data: Path) -> None:
    snapshots, scores = lmarena
    for snapshot in snapshots:
        document = json.loads(gzip.decompress(snapshot.file.path.read_bytes()))
        assert snapshot.lines == sum(len(models) for models in document.values())
        assert snapshot.quarantine.is_empty()
        day = snapshot.file.observed_at
        known = scores.scores.filter(
            (pl.col("observed_at") <= day) & (pl.col("superseded_at").is_null() | (pl.col("superseded_at") > day))
        )
        stated = {(c, m): entry["rating"] for c, models in document.items() for m, entry in models.items()}
        believed = {
            (row["benchmark_version_id"].split("@")[1].split("#")[0], row["source_row_key"]): row["score"]
            for row in known.iter_rows(named=True)
        }
        assert believed == stated  # as known on that day: exactly that day's file


def test_the_new_anchor_of_may_2025_is_one_event_without_drift(
    lmarena: tuple[list[BoardSnapshot], BoardScores],
) -> None:
    snapshots, scores = lmarena
    found = detect_drift(LMARENA, snapshots, scores).filter(~pl.col("drift_class").is_in(SILENT))
    assert found.select("event_date", "drift_class").rows() == [(date(2025, 5, 27), "scale_rebase")]
    event = found.row(0, named=True)
    shifts = json.loads(event["evidence"])["shifts"]
    assert len(shifts) == 20
    assert event["n_models"] == 226
    assert "No model moved against the others" in event["explanation"]
    assert scores.versions.filter(pl.col("scale_epoch") == 1).height == 20
    # Independent of the detector: the median over common models, category by category.
    before, after = (json.loads(gzip.decompress(s.file.path.read_bytes())) for s in snapshots[-2:])
    for shift in shifts:
        category = shift["benchmark_version_id"].split("@")[1].split("#")[0]
        deltas = pl.Series(
            [
                after[category][m]["rating"] - before[category][m]["rating"]
                for m in before[category]
                if m in after[category]
            ]
        )
        assert shift["median_shift"] == pytest.approx(deltas.median(), abs=1e-9)


def test_what_comes_and_goes_on_lmarena_is_reported_per_model(lmarena: tuple[list[BoardSnapshot], BoardScores]) -> None:
    snapshots, scores = lmarena
    found = detect_drift(LMARENA, snapshots, scores)
    new = found.filter((pl.col("event_date") == date(2025, 4, 7)) & (pl.col("drift_class") == "new"))
    assert new["raw_model"].to_list() == ["llama-4-maverick-03-26-experimental"]
    documents = [json.loads(gzip.decompress(s.file.path.read_bytes())) for s in snapshots]
    come = sum(
        len(set().union(*(set(now.get(c, {})) - set(then.get(c, {})) for c in now)))
        for then, now in itertools.pairwise(documents)
    )
    assert found.filter(pl.col("drift_class") == "new").height == come + 1  # and the first export


def test_aider_edits_and_renames_are_found_and_nothing_else(aider: tuple[list[BoardSnapshot], BoardScores]) -> None:
    snapshots, scores = aider
    found = detect_drift(AIDER, snapshots, scores).filter(~pl.col("drift_class").is_in(SILENT))
    assert found.select("event_date", "drift_class", "raw_model").rows() == [
        (date(2025, 1, 31), "revised", "o1-2024-12-17 (high)"),
        (date(2025, 3, 28), "renamed", "DeepSeek Chat V3 (prev)"),
        (date(2025, 3, 28), "renamed", "Gemini 2.0 Pro exp-02-05"),
        (date(2025, 5, 26), "revised", "Gemini 2.5 Pro Preview 03-25"),
    ]
    assert "run cost from 0 to 186.4958" in found["explanation"][0]
    assert "run cost from 6.3174 to 0" in found["explanation"][3]


def test_aider_runs_come_and_go_as_counted(aider: tuple[list[BoardSnapshot], BoardScores]) -> None:
    snapshots, scores = aider
    keys = [{run["dirname"] for run in yaml.load(s.file.path.read_bytes(), Loader=yaml.CSafeLoader)} for s in snapshots]
    found = detect_drift(AIDER, snapshots, scores)
    for drift_class, expected in (
        ("new", 1 + sum(len(b - a) for a, b in itertools.pairwise(keys))),
        ("removed", sum(len(a - b) for a, b in itertools.pairwise(keys))),
    ):
        assert found.filter(pl.col("drift_class") == drift_class).height == expected


def test_an_edited_cost_keeps_what_was_believed_before(aider: tuple[list[BoardSnapshot], BoardScores]) -> None:
    _, scores = aider
    rows = scores.scores.filter(
        (pl.col("source_row_key") == "2024-12-21-19-23-03--polyglot-o1-hard-diff")
        & pl.col("benchmark_version_id").str.contains("pass_rate_2", literal=True)
    ).sort("observed_at")
    assert rows["run_cost_usd"].to_list() == [Decimal(0), Decimal("186.4958")]
    assert rows["superseded_at"].to_list()[0] == rows["observed_at"].to_list()[1]
    assert rows["supersede_reason"].to_list() == ["revised", None]


@pytest.mark.parametrize("name", ["lmarena", "aider"])
@pytest.mark.slow
def test_loaded_in_any_order_and_day_by_day_the_rows_are_the_same(name: str, request: pytest.FixtureRequest) -> None:
    snapshots, _ = request.getfixturevalue(name)
    held_in_any_order(LMARENA if name == "lmarena" else AIDER, snapshots)


def board_history(shared_data: Path, board: Leaderboard, pattern: str, day: datetime | None = None) -> pl.DataFrame:
    """Events of a real history, checked to be the same in another order of loading."""
    files = [landed(path, board, at=day) for path in sorted((shared_data / "leaderboards").glob(pattern))]
    snapshots = [parse_board(file, board) for file in files]
    assert all(item.lines == item.valid + item.quarantine.height for item in snapshots)
    return held_in_any_order(board, snapshots)


def held_in_any_order(board: Leaderboard, snapshots: list[BoardSnapshot]) -> pl.DataFrame:
    """The events, after all at once, shuffled, day by day and from run to run gave the same scores and events as known on
    each day. One export has one order."""
    scores = build_scores(board, snapshots, None)
    if len(snapshots) == 1:
        return detect_drift(board, snapshots, scores)
    shuffled = snapshots.copy()
    random.Random(5).shuffle(shuffled)
    again = build_scores(board, shuffled, None)
    assert again.scores.equals(scores.scores)
    assert scores.scores["score_id"].n_unique() == scores.scores.height
    events = detect_drift(board, shuffled, again)
    assert events.equals(detect_drift(board, snapshots, scores))
    by_day = sorted(snapshots, key=lambda item: item.file.observed_at)
    stops = (len(by_day) // 2, len(by_day) - len(by_day) // 4, len(by_day))
    with tempfile.TemporaryDirectory() as folder:
        at_stop = holds_going_on(board, by_day, Path(folder), stops, scores)
    for stop in stops[:2]:  # day by day: what was known on D is a prefix
        until = by_day[stop - 1].file.observed_at
        known = [item for item in by_day if item.file.observed_at <= until]
        found = at_stop[stop] if len(known) == stop else detect_drift(board, known)
        assert found.equals(
            events.filter(pl.col("event_date") <= max(o.observed_at.date() for i in known for o in i.observations))
        )
    return events


@pytest.mark.slow
def test_truncated_arena_days_are_gated_and_nothing_is_computed_from_them(shared_data: Path) -> None:
    arena = Leaderboard(board="arena", format="arena_daily")
    events = board_history(shared_data, arena, "arena_daily/*/*.json")
    # Independent: a page that lacks more than a fifth of what the fullest page so far had listed.
    expected, fullest = [], dict.fromkeys(("text", "code", "vision"), frozenset[str]())
    for path in sorted((shared_data / "leaderboards" / "arena_daily").glob("*/*.json")):
        models = frozenset(item["model"] for item in json.loads(path.read_bytes())["models"])
        if len(fullest[path.stem] - models) > 0.2 * len(fullest[path.stem]):
            expected.append((path.parent.name, path.stem))
        else:
            fullest[path.stem] |= models
    gates = events.filter(pl.col("drift_class") == "coverage_gate")
    found = [
        (str(row["event_date"]), row["explanation"].split("arena ")[1].split()[0])
        for row in gates.iter_rows(named=True)
    ]
    assert sorted(found) == sorted(expected)
    assert len(found) == 10
    assert gates["severity"].unique().to_list() == ["error"]
    assert events.filter(pl.col("drift_class").is_in(["drift", "removed", "scale_rebase"])).is_empty()


@pytest.mark.slow
def test_the_day_of_another_precision_is_one_event(shared_data: Path) -> None:
    analysis = Leaderboard(board="artificial_analysis", format="artificial_analysis")
    events = board_history(shared_data, analysis, "artificial_analysis/*.csv.gz")
    rounding = events.filter(pl.col("drift_class") == "rounding")
    assert rounding["event_date"].to_list() == [date(2026, 5, 14)]
    assert json.loads(rounding["evidence"][0])["scores"] > 4000
    assert events.filter(
        pl.col("drift_class").is_in(["drift", "scale_rebase", "index_version", "coverage_gate"])
    ).is_empty()
    on_the_day = events.filter((pl.col("event_date") == date(2026, 5, 14)) & (pl.col("drift_class") == "revised"))
    assert on_the_day.height < 10  # the day of 4,300 changed numbers does not read as 460 changed models
    # Models that were run again have one event each, whatever the number of evaluations that moved.
    again = events.filter((pl.col("drift_class") == "revised") & (pl.col("event_date") == date(2026, 4, 14)))
    assert again.height == again["raw_model"].n_unique()


@pytest.mark.slow
def test_swebench_revisions_and_the_renamed_submission(shared_data: Path) -> None:
    events = board_history(shared_data, Leaderboard(board="swebench", format="swebench"), "swebench/*.json.gz")
    revised = events.filter((pl.col("drift_class") == "revised") & (pl.col("delta") != 0))
    assert revised.select("event_date", "score_before", "score_after").rows() == [(date(2025, 6, 24), 0.0, 30.67)]
    renamed = events.filter(pl.col("drift_class") == "renamed")
    assert renamed["raw_model"].to_list() == ["DeepSWE-Preview + TTS(Bo16)"]


@pytest.mark.slow
def test_livebench_regrading_edits_and_pruned_table(shared_data: Path) -> None:
    events = board_history(shared_data, Leaderboard(board="livebench", format="livebench"), "livebench/*")
    scales = events.filter(pl.col("drift_class") == "scale_rebase").sort("event_date")
    assert scales.select("event_date", "benchmark_version_id").rows() == [
        (date(2024, 12, 27), "livebench@2024-11-25/tablereformat#0"),  # regraded for 37 models by 8 points
        (date(2025, 10, 6), "livebench@2025-05-30/code_completion#0"),  # three tasks regraded with the pruned table
    ]
    # 50 of 80 models were retired while 7 came: the table is whole, and says so in one event.
    assert "coverage_gate" not in events["drift_class"].to_list()
    retired = events.filter((pl.col("event_date") == date(2025, 10, 6)) & (pl.col("drift_class") == "removed"))
    assert retired["n_models"].to_list() == [50]
    edits = events.filter((pl.col("drift_class") == "revised") & (pl.col("event_date") == date(2025, 1, 31)))
    assert edits.select("raw_model", "score_before", "score_after").rows() == [
        ("gemini-2.0-flash-thinking-exp-1219", 25.5, 30.2)
    ]


@pytest.mark.slow
def test_evalplus_swapped_entries_are_found_beyond_noise_and_confirmed(shared_data: Path) -> None:
    events = board_history(shared_data, Leaderboard(board="evalplus", format="evalplus"), "evalplus/*.json")
    drift = events.filter((pl.col("drift_class") == "drift") & (pl.col("severity") == "warn"))
    assert drift.select("raw_model", "score_before", "score_after").rows() == [
        ("Mistral-7B-Instruct-v0.2", 70.1, 36.0),
        ("Mixtral-8x22B-Instruct-v0.1", 34.1, 72.0),
    ]


@pytest.mark.slow
def test_bigcodebench_corrected_model_is_drift_and_a_new_spelling_is_a_rename(shared_data: Path) -> None:
    events = board_history(shared_data, Leaderboard(board="bigcodebench", format="bigcodebench"), "bigcodebench/*.json")
    drift = events.filter((pl.col("drift_class") == "drift") & (pl.col("severity") == "warn"))
    assert drift.select("raw_model", "delta").rows() == [("DeepSeek-Coder-V2-Lite-Base", pytest.approx(14.7))]
    renamed = events.filter(pl.col("drift_class") == "renamed")
    assert renamed["raw_model"].to_list() == ["DeepSeek-V3"]


@pytest.mark.slow
def test_every_score_of_the_epoch_hub_is_a_row_or_set_aside(shared_data: Path) -> None:
    hub = Leaderboard(board="epoch", format="epoch")
    day = datetime(2025, 11, 20, tzinfo=UTC)
    snapshots = [
        parse_board(landed(path, hub, at=day), hub)
        for path in sorted((shared_data / "leaderboards" / "epoch").glob("*.csv"))
    ]
    assert sum(item.observations[0].rows.height for item in snapshots if item.observations) > 2900
    errors = pl.concat([item.quarantine for item in snapshots]).filter(pl.col("severity") == "error")
    assert errors.is_empty(), errors["detail"].unique().to_list()
    runs = next(item for item in snapshots if "benchmarks_runs" in item.file.landing_path)
    assert runs.lines == 541 == runs.valid
    events = board_history(shared_data, hub, "epoch/*.csv", day)
    assert events["drift_class"].unique().to_list() == ["new"]
