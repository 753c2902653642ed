"""The store of readings: what is kept comes back the same, and whatever is wrong with it costs a second reading only."""

from __future__ import annotations

import ast
import dataclasses
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from pipelines.benchmarks import board_cache
from pipelines.landing import LandedFile, LandingError, land, parse_cache, read_bytes
from pipelines.landing.parse_cache import CachedParse, StaleCacheError, cache_folder, cached
from pipelines.prices import feed_cache

FRAME = pl.DataFrame({"n": list(range(1000)), "text": [f"row {n}" for n in range(1000)]})


@pytest.fixture
def file(tmp_path: Path) -> LandedFile:
    at = datetime(2026, 2, 14, 6, tzinfo=UTC)
    return land(
        tmp_path / "landing", "prices", "map", b"{}", suffix=".json", fetched_at=at, url="https://example.org/a"
    )


class Reader:
    """Counts how often it really reads; what it gives is a text and a frame."""

    def __init__(self, folder: Path, shape: int = 1) -> None:
        self.folder, self.shape, self.count = folder, shape, 0

    def read(self) -> tuple[str, pl.DataFrame]:
        self.count += 1
        return f"shape {self.shape}", FRAME

    def pack(self, result: tuple[str, pl.DataFrame]) -> CachedParse:
        return CachedParse(result[0].encode(), {"rows": result[1]})

    def unpack(self, reading: CachedParse) -> tuple[str, pl.DataFrame]:
        if reading.facts.decode() != f"shape {self.shape}":
            raise StaleCacheError(reading.facts.decode())
        return reading.facts.decode(), reading.frames["rows"]

    def __call__(self, file: LandedFile) -> tuple[str, pl.DataFrame]:
        return cached(self.folder, file, self.read, self.pack, self.unpack)


def test_a_file_is_read_once(tmp_path: Path, file: LandedFile) -> None:
    reader = Reader(tmp_path / "store")
    for _ in range(3):
        text, frame = reader(file)
        assert text == "shape 1"
        assert frame.equals(FRAME)
    assert reader.count == 1
    assert len(list((tmp_path / "store").iterdir())) == 1


@pytest.mark.parametrize(
    "other", [{"observed_at": datetime(2026, 2, 15, tzinfo=UTC)}, {"url": None}, {"snapshot_id": b"\x01" * 16}]
)
def test_all_that_a_reader_may_look_at_distinguishes_readings(
    tmp_path: Path, file: LandedFile, other: dict[str, object]
) -> None:
    reader = Reader(tmp_path / "store")
    reader(file)
    reader(dataclasses.replace(file, **other))  # type: ignore[arg-type]
    assert reader.count == 2


def _cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]


@pytest.mark.parametrize("damage", [_cut, _flipped, lambda _: b"", lambda _: b"PK\x05\x06" + bytes(18)])
def test_a_damaged_reading_is_made_anew(tmp_path: Path, file: LandedFile, damage: Callable[[bytes], bytes]) -> None:
    reader = Reader(tmp_path / "store")
    reader(file)
    (kept,) = (tmp_path / "store").iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(damage(whole))
    assert reader(file)[1].equals(FRAME)
    assert reader.count == 2
    assert kept.read_bytes()[:2] == b"PK"
    assert reader(file)[1].equals(FRAME)
    assert reader.count == 2


def test_a_reading_of_another_shape_is_made_anew(tmp_path: Path, file: LandedFile) -> None:
    Reader(tmp_path / "store", shape=1)(file)
    reader = Reader(tmp_path / "store", shape=2)
    assert [reader(file)[0] for _ in range(2)] == ["shape 2", "shape 2"]
    assert reader.count == 1


def test_of_a_file_that_changed_while_it_was_read_nothing_is_kept(tmp_path: Path, file: LandedFile) -> None:
    reader = Reader(tmp_path / "store")
    later = time.time() + 60
    os.utime(file.path, (later, later))
    reader(file)
    assert not (tmp_path / "store").exists()
    with pytest.raises(LandingError, match="was changed while it was read"):
        read_bytes(file)
    file.path.unlink()
    with pytest.raises(LandingError, match="vanished"):
        read_bytes(file)


def _fill(folder: Path, file: LandedFile) -> None:
    reader = Reader(folder)
    while True:
        for minute in range(50):
            reader(dataclasses.replace(file, observed_at=file.observed_at + timedelta(minutes=minute)))
        for path in folder.glob("*.zip"):
            path.unlink(missing_ok=True)


def test_runs_at_once_and_killed_in_the_middle_leave_whole_readings_only(tmp_path: Path, file: LandedFile) -> None:
    folder = tmp_path / "store"
    runs = [multiprocessing.get_context("fork").Process(target=_fill, args=(folder, file)) for _ in range(2)]
    for run in runs:
        run.start()
    time.sleep(0.4)
    for run in runs:
        os.kill(run.pid or 0, signal.SIGKILL)
        run.join()
    for path in folder.glob("*.zip"):
        assert len(path.read_bytes()) > 1000
    reader = Reader(folder)
    for minute in range(50):
        text, frame = reader(dataclasses.replace(file, observed_at=file.observed_at + timedelta(minutes=minute)))
        assert text == "shape 1"
        assert frame.equals(FRAME)


def test_a_reader_has_a_folder_by_its_declaration_and_its_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "src" / "someones_reader"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("VERSION = 1\n")
    monkeypatch.syspath_prepend(str(package.parent))

    def folder(**options: object) -> Path:

        parse_cache._content_hash.cache_clear()  # as in another process
        return cache_folder(tmp_path, "map-1", options, "someones_reader")

    first = folder(a=1, b=2)
    assert first == folder(b=2, a=1)
    assert first.parent == tmp_path
    assert first.name.startswith("map-1.")
    assert first != folder(a=1, b=3)
    (package / "layout.yaml").write_text("columns: []\n")
    with_layout = folder(a=1, b=2)
    assert with_layout != first
    (package / "__init__.py").write_text("VERSION = 2\n")
    assert folder(a=1, b=2) not in (first, with_layout)


_NO_READING = ("config", "constant", "formats", "listed", "outside", "warehouse")
"""Rooms and modules that reading uses and that decide nothing of it: options are part of the folder's name."""


@pytest.mark.parametrize(
    ("decides", "readers"),
    [
        (board_cache.DECIDES, ["benchmarks/formats/*", "benchmarks/collector", "benchmarks/fields", "benchmarks/intervals", "benchmarks/items", "benchmarks/observation", "pages/*"]),
        (feed_cache._DECIDES, ["prices/feeds/*", "prices/pages/*", "pages/*", "prices/feed_snapshot", "prices/parse", "prices/windows", "prices/meters"]),
    ],
)  # fmt: skip
def test_all_code_that_reads_decides_where_its_readings_lie(decides: tuple[str, ...], readers: list[str]) -> None:
    """Boards from pages were read by code of prices: where that changed, a board kept its old readings."""
    root = Path(parse_cache.__file__).parents[1]
    known = tuple(f"{name}." for name in (*decides, *(f"pipelines.{name}" for name in _NO_READING)))
    modules = [path for reader in readers for path in root.glob(f"{reader}.py")]
    assert len(modules) > len(readers)
    imported = {
        node.module
        for path in modules
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("pipelines.")
    }
    assert {name for name in imported if not f"{name}.".startswith(known)} == set()
