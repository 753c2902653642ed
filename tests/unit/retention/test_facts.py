"""A forgotten end user, a restated day and old days in the files of request facts."""

from datetime import date
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from pipelines.retention.facts import days_of_facts, prune_facts, rename_in_facts, restate_facts

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
    assert days_of_facts(str(tmp_path / "facts")) == []
    assert prune_facts(str(tmp_path / "facts"), date(2026, 2, 13)).count == 0


def test_a_restated_day_says_what_the_warehouse_says_and_nothing_else_changes(tmp_path: Path) -> None:
    day, other = land(tmp_path, 12, ROWS), land(tmp_path, 13, ROWS)
    schema, before = pq.read_schema(day), other.stat()
    decided = ROWS.select("request_uid", "cost")[1:].with_columns(
        cost=pl.Series(["2", "7.25", None]).cast(pl.Decimal(38, 18))
    )

    assert restate_facts(str(tmp_path), date(2026, 2, 12), decided) == 1

    after = pl.read_parquet(day, hive_partitioning=False)
    assert after["cost"].cast(pl.Float64).to_list() == [1.5, 2, 7.25, None], "the first is in the file only, and stays"
    assert after.drop("cost").equals(ROWS.drop("cost"))
    assert pq.read_schema(day).equals(schema)
    assert (other.stat().st_ino, other.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert [path.name for path in tmp_path.rglob("*.draft")] == []
    assert restate_facts(str(tmp_path), date(2026, 2, 12), decided) == 0


def test_facts_of_old_days_go_and_what_is_no_day_stays(tmp_path: Path) -> None:
    for day in (12, 13, 14):
        land(tmp_path, day, ROWS)
    (tmp_path / "_loads" / "now").mkdir(parents=True)
    (tmp_path / "event_date=never").mkdir()
    assert prune_facts(str(tmp_path), date(2026, 2, 14)).count == 2
    assert days_of_facts(str(tmp_path)) == [date(2026, 2, 14)]
    assert (tmp_path / "_loads" / "now").is_dir()
    assert (tmp_path / "event_date=never").is_dir()
