"""The store of parsed files: what was written comes back whole, whatever is left out of the Parquet files."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.records import store
from pipelines.records.store import Writer, load_parsed, scan_stored, stored_parts
from pipelines.requests.normalise import STORED_SCHEMA
from pipelines.warehouse.tables.raw import QUARANTINE

START = datetime(2026, 2, 14, tzinfo=UTC)


def batch(first: int, count: int, **same: object) -> pl.DataFrame:
    """Rows whose columns are all null but the first of each, those named, and those that differ from row to row."""
    numbers = range(first, first + count)
    own = {
        "event_date": [date(2026, 2, 14)] * count,
        "request_uid": [number.to_bytes(16) for number in numbers],
        "event_at": [START + timedelta(seconds=number) for number in numbers],
        "line_no": list(numbers),
        "input_uncached_tokens": list(numbers),
    }
    held = {name: [same.get(name)] * count for name in STORED_SCHEMA if name not in own}
    return pl.DataFrame({**held, **own}, schema_overrides=STORED_SCHEMA).select(STORED_SCHEMA.names())


def written(path: Path, *batches: pl.DataFrame) -> pl.DataFrame:
    with Writer(path, STORED_SCHEMA) as writer:
        for rows in batches:
            writer.write(rows, QUARANTINE.empty())
        writer.finish()
    parsed = load_parsed(path, "1", b"s" * 16)
    assert (parsed.lines, parsed.valid, parsed.quarantined) == (sum(map(len, batches)), sum(map(len, batches)), 0)
    found = scan_stored(stored_parts([path]), STORED_SCHEMA).collect()
    assert_frame_equal(found, pl.concat(batches))
    return found


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_LARGE_ROWS", 100)


def test_a_column_that_never_changes_is_kept_once(tmp_path: Path) -> None:
    same = {"source": "gateway", "snapshot_id": b"s" * 16, "output_text_tokens": 0, "is_billable": True}
    written(tmp_path / "a.parquet", batch(0, 150, **same), batch(150, 50, **same))
    assert pl.read_parquet_schema(tmp_path / "a.parquet").names() == [
        "event_date", "request_uid", "event_at", "line_no", "input_uncached_tokens",
    ]  # fmt: skip
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.parquet", "a.quarantine.parquet"]


def test_where_a_value_changes_the_rows_go_on_in_a_further_part(tmp_path: Path) -> None:
    batches = [
        batch(0, 120, source="a", team="x", output_text_tokens=0),
        batch(120, 120, source="a", team="y", output_text_tokens=0),
        batch(240, 5, source="a", team=None, output_text_tokens=1),
        batch(245, 120, source="a", team="x", output_text_tokens=0),
    ]
    written(tmp_path / "a.parquet", *batches)
    parts = stored_parts([tmp_path / "a.parquet"])
    assert [part.path.name for part in parts] == ["a.parquet", "a.2.parquet", "a.3.parquet"]
    assert all(part.shared["source"] == "a" for part in parts)
    assert ["team" in part.shared for part in parts] == [True, False, False]
    assert ["output_text_tokens" in part.shared for part in parts] == [True, True, False]


def test_a_value_changes_within_a_batch(tmp_path: Path) -> None:
    mixed = pl.concat([batch(120, 3, team="x"), batch(123, 3, team="y"), batch(126, 3, team="x")])
    written(tmp_path / "a.parquet", batch(0, 120, team="x"), mixed)


def test_small_files_keep_every_column_and_are_read_with_large_ones(tmp_path: Path) -> None:
    small, large = batch(0, 99, source="a", team="x"), batch(99, 200, source="b")
    written(tmp_path / "a.parquet", small)
    written(tmp_path / "b.parquet", large)
    assert pl.read_parquet_schema(tmp_path / "a.parquet").names() == STORED_SCHEMA.names()
    found = scan_stored(stored_parts([tmp_path / "b.parquet", tmp_path / "a.parquet"]), STORED_SCHEMA).collect()
    assert_frame_equal(found.sort("line_no"), pl.concat([small, large]))
    of_first = (
        scan_stored(stored_parts([tmp_path / "b.parquet"]), STORED_SCHEMA).filter(pl.col("source") == "a").collect()
    )
    assert of_first.is_empty()


def test_nothing_is_left_of_a_file_that_was_not_finished(tmp_path: Path) -> None:
    with Writer(tmp_path / "a.parquet", STORED_SCHEMA) as writer:
        writer.write(batch(0, 120, team="x"), QUARANTINE.empty())
        writer.write(batch(120, 120, team="y"), QUARANTINE.empty())
        assert len(list(tmp_path.iterdir())) == 3
    assert list(tmp_path.iterdir()) == []


def test_no_rows_at_all(tmp_path: Path) -> None:
    assert written(tmp_path / "a.parquet", batch(0, 0)).schema == STORED_SCHEMA


def test_what_was_set_aside_is_read_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run holds all files that it parsed: a file of another format, with millions of broken lines, must not be one frame of it."""
    monkeypatch.setattr(store, "_QUARANTINE_ROWS", 400)
    rows = [
        (b"s" * 16, number, 0, number, number + 1, "not_json", "error", "Expecting value", None, f"{number:064x}")
        for number in range(1500)
    ]
    set_aside = pl.DataFrame(rows, schema=QUARANTINE.polars_schema, orient="row")
    with Writer(tmp_path / "a.parquet", STORED_SCHEMA) as writer:
        for start in (0, 700):
            writer.write(batch(0, 0), set_aside.slice(start, 700 if start == 0 else None))
        writer.finish()
    parsed = load_parsed(tmp_path / "a.parquet", "1", b"s" * 16)
    assert not any(isinstance(held, pl.DataFrame) for held in vars(parsed).values())
    parts = list(parsed.quarantine_parts())
    assert max(map(len, parts)) <= 400
    assert_frame_equal(pl.concat(parts), set_aside)
    assert_frame_equal(parsed.quarantine, set_aside)
