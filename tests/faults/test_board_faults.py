"""Leaderboards of which one fails: it costs itself alone, keeps the rows that it had, and is named with board and file."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import polars as pl
import pytest

from pipelines.benchmarks.collector import Collector
from pipelines.benchmarks.formats import FORMATS as BOARDS
from pipelines.daily import benchmarks, refresh_benchmarks
from pipelines.settings import Settings
from pipelines.warehouse.read import read_table
from pipelines.warehouse.tables import TABLES_BY_NAME
from pipelines.workspace import Workspace, open_workspace
from tests.unit.benchmarks.boards import arena, models

TABLES = (
    "core.benchmark_score",
    "mart.benchmark_drift",
    "mart.benchmark_gap",
    "core.benchmark",
    "core.benchmark_version",
)
PROMPT = "what the file held"
SOURCES = """
leaderboards:
  - {board: first, format: lmarena}
  - {board: second, format: lmarena}
  - {board: exam, format: mapping, options: {model_field: model, scores: [{field: score, benchmark: exam}]}}
"""


@pytest.fixture
def workspace(database_settings: Settings, tmp_path: Path) -> Iterator[Workspace]:
    config, zone = tmp_path / "config", tmp_path / "landing"
    config.mkdir()
    (config / "sources.yaml").write_text(SOURCES)
    for board in ("first", "second"):
        for day, shift in (("2026-02-01", 0), ("2026-02-08", 40)):
            put(zone, board, f"{day}.json", {"text": arena({**models(12), "model-03": 1300 + shift})})
    put(zone, "exam", "2026-02-03.json", [{"model": "a", "score": 71}, {"model": "b", "score": 64}])
    settings = Settings(
        home=tmp_path / "home", database_url=database_settings.database_url, landing=str(zone), config=config
    )
    with open_workspace(settings) as opened:
        yield opened


def put(zone: Path, board: str, name: str, content: object) -> None:
    import json

    path = zone / "leaderboards" / board / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


def held(workspace: Workspace) -> dict[str, pl.DataFrame]:
    with workspace.database.connect() as connection:
        found = {name: read_table(connection, TABLES_BY_NAME[name]) for name in TABLES}
    return {name: frame.sort(TABLES_BY_NAME[name].primary_key) for name, frame in found.items()}


def same(before: dict[str, pl.DataFrame], after: dict[str, pl.DataFrame]) -> bool:
    return all(before[name].equals(after[name]) for name in TABLES)


def failing_for(board: str, real: Callable[..., Any], name_of: Callable[..., str]) -> Callable[..., Any]:
    def act(*args: Any, **options: Any) -> Any:
        return fail() if name_of(*args) == board else real(*args, **options)

    return act


def fail() -> NoReturn:
    raise pl.exceptions.PanicException(PROMPT)


PARTS: dict[str, Callable[..., str]] = {
    "cached_board": lambda file, *_: str(file.source),
    "score_tables": lambda board, *_: str(board.board),
    "judge": lambda board, *_: str(board.board),
    "build_gap": lambda scores, *_: "".join(scores["board"].head(1)),
}


@pytest.mark.parametrize("part", PARTS)
def test_a_board_that_fails_keeps_its_rows_and_the_others_are_made(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    zone = Path(str(workspace.settings.landing))
    assert refresh_benchmarks(workspace).failures == []
    before = held(workspace)
    for board in ("second", "exam"):
        assert before["core.benchmark_score"].filter(pl.col("board") == board).height
    put(zone, "exam", "2026-02-10.json", [{"model": "a", "score": 80}, {"model": "b", "score": 64}])
    workspace.rescan()
    with monkeypatch.context() as patched:
        patched.setattr(benchmarks, part, failing_for("second", getattr(benchmarks, part), PARTS[part]))
        done = refresh_benchmarks(workspace)
    after = held(workspace)
    (message,) = done.failures
    assert message.startswith("leaderboard second")
    assert "PanicException" in message
    assert PROMPT not in message
    if part == "cached_board":
        assert "leaderboards/second/2026-02-01.json" in message
    for name in TABLES[:3]:
        of_second = pl.col("board") == "second"
        assert before[name].filter(of_second).equals(after[name].filter(of_second)), name
        assert before[name].filter(of_second).height, name
    assert after["core.benchmark_score"].filter(board="exam", raw_model="a")["score"].sort().to_list() == [71, 80]
    # The next run, in which nothing fails, makes what the tables would hold had nothing ever failed.
    assert refresh_benchmarks(workspace).failures == []
    whole = held(workspace)
    shutil.rmtree(workspace.store)
    refresh_benchmarks(workspace)
    assert same(whole, held(workspace))


def test_a_parser_that_panics_costs_its_file_only(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    real = BOARDS["lmarena"].parse

    def parse(into: Collector) -> Any:
        return fail() if into.file.landing_path.endswith("second/2026-02-08.json") else real(into)

    monkeypatch.setattr(BOARDS["lmarena"], "parse", parse)
    assert refresh_benchmarks(workspace).failures == []
    scores = held(workspace)["core.benchmark_score"]
    assert scores.filter(board="first")["as_of"].n_unique() == 2
    assert scores.filter(board="second")["as_of"].n_unique() == 1


@pytest.mark.parametrize("content", ["{}", "", "[]", "null", '{"text": ', '{"text": 7}'])
def test_an_unreadable_first_export_costs_its_board_only(workspace: Workspace, content: str) -> None:
    refresh_benchmarks(workspace)
    whole = held(workspace)
    zone = Path(str(workspace.settings.landing))
    put(zone, "second", "2026-01-01.json", content)
    workspace.rescan()
    assert refresh_benchmarks(workspace).failures == []
    after = held(workspace)
    for name in TABLES[:3]:
        others = pl.col("board") != "second"
        assert (
            whole[name]
            .filter(others)
            .drop("q_value", strict=False)
            .equals(after[name].filter(others).drop("q_value", strict=False))
        )
    assert whole["core.benchmark_score"].equals(after["core.benchmark_score"])


def test_wrong_options_of_one_board_cost_that_board_only(workspace: Workspace) -> None:
    config = workspace.settings.config
    assert config is not None
    (config / "sources.yaml").write_text(SOURCES.replace("benchmark: exam}]", "benchmrk: exam}]"))
    with open_workspace(workspace.settings) as opened:
        done = refresh_benchmarks(opened)
        assert [line.split(":")[0] for line in done.failures] == ["leaderboard exam"]
        assert set(held(opened)["core.benchmark_score"]["board"]) == {"first", "second"}
