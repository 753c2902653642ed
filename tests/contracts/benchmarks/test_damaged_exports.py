"""Real exports, damaged: every one is used, set aside with a reason or gated, and none makes a model drift."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from pipelines.benchmarks import BoardSnapshot, detect_drift, parse_board
from pipelines.benchmarks.collector import Collector
from pipelines.benchmarks.formats import FORMATS as BOARDS
from pipelines.config.sources import Leaderboard
from tests.contracts.benchmarks import mutilate
from tests.unit.benchmarks.boards import landed

REAL = {
    "lmarena": "lmarena/text/2025-05-06*",
    "arena_daily": "arena_daily/2026-03-25/text.json",
    "swebench": "swebench/2025-08*",
    "aider": "aider_polyglot/2025-05*",
    "livebench": "livebench/table_2025_05_30__at_2025-07-22.csv",
    "epoch": "epoch/external_benchmark_metr.csv",
    "evalplus": "evalplus/*",
    "bigcodebench": "bigcodebench/*",
}
START = datetime(2026, 1, 1, tzinfo=UTC)
HARMLESS = (mutilate.shuffled, mutilate.fields_added, mutilate.rows_doubled)


class _Exports:
    """One real export, sound or damaged, landed on days of its own."""

    def __init__(self, root: Path, real: Path, name: str) -> None:
        self.board = Leaderboard.model_validate({"board": name, "format": name})
        self.content = mutilate.plain(real.read_bytes())
        self.name = real.name.removesuffix(".gz")
        self.root = root

    @property
    def suffix(self) -> str:
        return Path(self.name).suffix

    def read(self, week: int, content: bytes) -> BoardSnapshot:
        folder = self.root / str(week)
        folder.mkdir(exist_ok=True)
        (folder / self.name).write_bytes(content)
        file = landed(folder / self.name, self.board, at=START + week * timedelta(days=7))
        BOARDS[self.board.format].parse(Collector(file, self.board))  # the format itself copes, without the safety net
        return parse_board(file, self.board)


@pytest.fixture(params=sorted(REAL))
def exports(request: pytest.FixtureRequest, shared_data: Path, tmp_path: Path) -> _Exports:
    real = max((shared_data / "leaderboards").glob(REAL[request.param]))
    return _Exports(tmp_path, real, request.param)


@pytest.mark.parametrize("damage", mutilate.DAMAGES, ids=lambda damage: damage.__name__)
@pytest.mark.slow
def test_a_damaged_export_is_used_set_aside_or_gated_and_makes_no_model_drift(
    exports: _Exports, damage: mutilate.Mutilation
) -> None:
    chance = random.Random(f"{exports.board.board} {damage.__name__}")
    damaged = exports.read(1, damage(exports.content, exports.suffix, chance))
    assert damaged.lines == damaged.valid + damaged.quarantine.height
    history = [exports.read(0, exports.content), damaged, exports.read(2, exports.content)]
    found = detect_drift(exports.board, history).filter(pl.col("event_date") > START.date())
    stated = set(found["drift_class"].to_list())
    assert not stated & {"drift", "slow_drift", "scale_rebase", "index_version"}
    if damage in HARMLESS:
        assert not stated - {"contradiction"}
    if damage in (mutilate.cut_off, mutilate.rows_dropped, mutilate.something_else):
        assert "coverage_gate" in stated
        assert "removed" not in stated


def test_a_format_that_is_surprised_costs_its_own_file_only(exports: _Exports, monkeypatch: pytest.MonkeyPatch) -> None:
    def surprised(into: Collector) -> BoardSnapshot:
        raise KeyError("score")

    sound = exports.read(0, exports.content)
    file = sound.file
    monkeypatch.setattr(BOARDS[exports.board.format], "parse", surprised)
    snapshot = parse_board(file, exports.board)
    assert snapshot.quarantine.select("reason", "severity").rows() == [("unexpected_shape", "error")]
    assert "KeyError at pipelines.benchmarks" in snapshot.quarantine["detail"][0]
    assert (snapshot.lines, snapshot.valid) == (1, 0)
    assert snapshot.observations[0].rows.is_empty()
