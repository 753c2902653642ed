"""A forgotten end user in the files of request facts."""

from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from pipelines.retention.facts import rename_in_facts

ROWS = pl.DataFrame(
    {
        "request_uid": [b"1", b"2", b"3", b"4"],
        "end_user_id": ["ann", None, "bob", "ann"],
        "cost": ["1.5", "2", None, "0.1"],
    }
).with_columns(pl.col("cost").cast(pl.Decimal(38, 18)))


def land(root: Path, day: int, rows: pl.DataFrame) -> Path:
    path = root / f"event_date=2026-02-{day}" / "core.request.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(rows.to_arrow(compat_level=pl.CompatLevel.oldest()), path, row_group_size=3)
    return path


@pytest.mark.parametrize("replacement", ["forgotten-1", None])
def test_another_name_or_none_stands_in_their_place_and_nothing_else_changes(
    tmp_path: Path, replacement: str | None
) -> None:
    named = land(tmp_path, 12, ROWS)
    schema = pq.read_schema(named)
    others = land(tmp_path, 13, ROWS.filter(pl.col("end_user_id") == "bob"))
    before = others.stat()

    assert rename_in_facts(str(tmp_path), "ann", replacement) == 1

    after = pl.read_parquet(named)
    assert after["end_user_id"].to_list() == [replacement, None, "bob", replacement]
    assert after.drop("end_user_id").equals(ROWS.drop("end_user_id"))
    assert pq.read_schema(named).equals(schema)
    assert (others.stat().st_ino, others.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert [path.name for path in tmp_path.rglob("*.draft")] == []
    assert b"ann" not in named.read_bytes()
    assert rename_in_facts(str(tmp_path), "ann", replacement) == 0


def test_without_facts_nothing_is_to_do(tmp_path: Path) -> None:
    assert rename_in_facts(str(tmp_path / "facts"), "ann", None) == 0
