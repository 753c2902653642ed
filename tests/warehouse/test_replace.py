"""Replacing days and rows on a real server: what readers see, what a fault leaves, what two writers do."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from typing import Any

import polars as pl
import psycopg
import pytest
from polars.testing import assert_frame_equal

from pipelines.warehouse import partitions as module
from pipelines.warehouse.database import Database
from pipelines.warehouse.errors import LoadError, WarehouseError
from pipelines.warehouse.read import count_rows, read_table
from pipelines.warehouse.replace import DayLoad, replace_all, replace_days, replace_rows
from pipelines.warehouse.tables import Table
from pipelines.warehouse.tables.core import MODEL, REQUEST
from pipelines.warehouse.tables.raw import DUPLICATE
from tests.warehouse.rows import DAY, frame, requests, uuid_bytes

NEXT = DAY + timedelta(days=1)
AFTER = DAY + timedelta(days=2)


def stored(database: Database, table: Table = REQUEST) -> pl.DataFrame:
    with database.connect(read_only=True) as connection:
        return read_table(connection, table).sort(table.primary_key)


def relations(database: Database) -> set[str]:
    """Every table of schema core that has rows of its own, partitions included."""
    with database.connect() as connection:
        found = connection.execute(
            "select relname from pg_class where relnamespace = 'core'::regnamespace and relkind = 'r'"
        )
        return {name for (name,) in found}


def duplicates(count: int, label: str, day: date = DAY) -> pl.DataFrame:
    return frame(
        DUPLICATE,
        [
            {
                "event_date": day,
                "snapshot_id": uuid_bytes(label),
                "line_no": number,
                "item_no": 0,
                "request_uid": uuid_bytes(f"{label}/0"),
                "kept_snapshot_id": uuid_bytes("kept"),
                "kept_line_no": 1,
                "kept_item_no": 0,
                "rule": "same_record",
            }
            for number in range(count)
        ],
    )


def models(*names: str, openness: str = "closed") -> pl.DataFrame:
    row = {"display_name": "M", "openness": openness, "decided_by": "tests"}
    return frame(MODEL, [{**row, "model_id": name} for name in names])


@pytest.mark.parametrize(("table", "make"), [(REQUEST, requests), (DUPLICATE, duplicates)], ids=["partitions", "plain"])
def test_a_window_replaces_its_days_and_no_other(
    database: Database, table: Table, make: Callable[..., pl.DataFrame]
) -> None:
    first = pl.concat([make(5, label="a"), make(3, label="next", day=NEXT)])
    assert replace_days(database, table, first, DAY, AFTER) == 8
    assert_frame_equal(stored(database, table), first.sort(table.primary_key))
    before = relations(database)
    assert replace_days(database, table, make(2, label="b"), DAY, NEXT) == 2
    after = pl.concat([make(2, label="b"), make(3, label="next", day=NEXT)])
    assert_frame_equal(stored(database, table), after.sort(table.primary_key))
    assert relations(database) == before
    replace_days(database, table, table.empty(), DAY, NEXT)
    assert_frame_equal(stored(database, table), make(3, label="next", day=NEXT).sort(table.primary_key))


def test_a_partition_has_the_keys_checks_and_indexes_of_its_parent(database: Database) -> None:
    replace_days(database, REQUEST, requests(3), DAY, NEXT)
    with database.connect() as connection:
        indexes = connection.execute(
            "select child.relname, parent.relname from pg_inherits join pg_class child on child.oid = inhrelid "
            "join pg_class parent on parent.oid = inhparent where child.relkind = 'i'"
        ).fetchall()
        assert {parent for _, parent in indexes} == {"request_pkey", "request_brin"}
        shadow = "select conname from pg_constraint where contype in ('c', 'p') and conrelid = %s::regclass"
        parent = {name for (name,) in connection.execute(shadow, ["core.request"])}
        child = {name for (name,) in connection.execute(shadow, ["core.request_20260214"])}
        assert len(child & parent) == len({name for name in parent if name != "request_pkey"})
        plan = connection.execute("explain select * from core.request where event_date = '2026-02-13'").fetchall()
        assert "One-Time Filter: false" in str(plan)


def test_rows_that_break_a_check_leave_the_day_as_it_was(database: Database) -> None:
    replace_days(database, REQUEST, requests(3), DAY, NEXT)
    for broken in (
        requests(2, label="b").with_columns(input_uncached_tokens=pl.lit(-1, pl.Int32)),
        requests(2, label="b").with_columns(effective_cost_usd=pl.lit(None, pl.Decimal(38, 18))),
        requests(2, label="b").with_columns(event_at=pl.col("event_at") + timedelta(days=1)),
        pl.concat([requests(2, label="b"), requests(1, label="b")]),
    ):
        with pytest.raises(
            LoadError, match=r"request_(counts|cost_or_reason|event_date)|two rows of 2026-02-14 have the same"
        ):
            replace_days(database, REQUEST, broken, DAY, NEXT)
    assert_frame_equal(stored(database), requests(3).sort(REQUEST.primary_key))
    assert relations(database) >= {"request_20260214"}
    assert not {name for name in relations(database) if name.startswith("request_20260214_")}


def test_rows_outside_the_window_are_an_error(database: Database) -> None:
    with pytest.raises(
        LoadError,
        match=r"3 rows lie outside the window \[2026-02-14, 2026-02-15\); the first is request_uid .*, event_date 2026-02-15",
    ):
        replace_days(database, REQUEST, pl.concat([requests(2), requests(3, day=NEXT)]), DAY, NEXT)
    with pytest.raises(LoadError, match="to_date is exclusive"):
        replace_days(database, REQUEST, REQUEST.empty(), DAY, DAY)
    with pytest.raises(LoadError, match="1 rows lie outside the listed model_id; the first is model_id c"):
        replace_rows(database, MODEL, models("a", "c"), {"model_id": ["a", "b"]})
    with pytest.raises(LoadError, match="no day column"):
        replace_days(database, MODEL, MODEL.empty(), DAY, NEXT)
    with pytest.raises(LoadError, match="use replace_days"):
        replace_all(database, REQUEST, REQUEST.empty())
    assert stored(database).is_empty()


def test_chosen_rows_and_all_rows_are_replaced(database: Database) -> None:
    replace_all(database, MODEL, models("a", "b", "c"))
    assert replace_rows(database, MODEL, models("b", openness="open_weight"), {"model_id": ["a", "b"]}) == 1
    assert stored(database, MODEL).select("model_id", "openness").rows() == [("b", "open_weight"), ("c", "closed")]
    replace_rows(database, MODEL, MODEL.empty(), {"model_id": ["b", "c"], "openness": ["closed"]})
    assert stored(database, MODEL)["model_id"].to_list() == ["b"]
    replace_all(database, MODEL, models("z"))
    assert stored(database, MODEL)["model_id"].to_list() == ["z"]
    replace_all(database, DUPLICATE, pl.concat([duplicates(2, "a"), duplicates(2, "b")]))
    replace_rows(database, DUPLICATE, duplicates(1, "a"), {"snapshot_id": [uuid_bytes("a")]})
    assert stored(database, DUPLICATE).height == 3


def test_replacing_all_writes_only_what_differs(database: Database) -> None:
    def versions() -> dict[str, str]:
        with database.connect() as connection:
            rows = connection.execute("select model_id, xmin::text from core.model").fetchall()
        return dict(rows)

    replace_all(database, MODEL, models("a", "b", "c"))
    before = versions()
    changed = pl.concat([models("a"), models("b", openness="open_weight"), models("d")])
    assert replace_all(database, MODEL, changed) == 3
    after = versions()
    assert stored(database, MODEL).select("model_id", "openness").rows() == [
        ("a", "closed"),
        ("b", "open_weight"),
        ("d", "closed"),
    ]
    assert after["a"] == before["a"]
    assert before["b"] != after["b"] == after["d"]
    with pytest.raises(LoadError, match="refused the rows"):
        replace_all(database, MODEL, models("a", "a"))
    assert versions() == after
    assert replace_all(database, MODEL, MODEL.empty()) == 0
    assert versions() == {}


def test_several_tables_change_together_or_not_at_all(database: Database) -> None:
    with database.connect() as connection, connection.transaction():
        replace_days(connection, DUPLICATE, duplicates(1, "a"), DAY, NEXT)
        replace_days(connection, REQUEST, requests(2), DAY, NEXT)
        assert stored(database).is_empty()
    assert (stored(database).height, stored(database, DUPLICATE).height) == (2, 1)

    def fail_after_the_first() -> None:
        with database.connect() as connection, connection.transaction():
            replace_days(connection, DUPLICATE, duplicates(5, "b"), DAY, NEXT)
            replace_days(connection, REQUEST, requests(5, label="b", day=NEXT), DAY, NEXT)

    with pytest.raises(LoadError, match="outside the window"):
        fail_after_the_first()
    assert (stored(database).height, stored(database, DUPLICATE).height) == (2, 1)


def test_a_reader_in_the_middle_of_a_query_holds_the_swap_and_sees_one_day(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SWAP_LOCK_TIMEOUT", "50ms")
    monkeypatch.setattr(module, "_SWAP_PAUSE_SECONDS", 0.05)
    replace_days(database, REQUEST, requests(3), DAY, NEXT)
    with database.connect(read_only=True) as reader:
        query = "select count(*), min(source_request_id) from core.request where event_date = '2026-02-14'"
        assert reader.execute(query).fetchone() == (3, None)
        writer = threading.Thread(target=replace_days, args=(database, REQUEST, requests(7, label="b"), DAY, NEXT))
        writer.start()
        time.sleep(0.4)
        # The reader's transaction goes on, others still come in, and nobody has seen the new day.
        assert writer.is_alive()
        assert reader.execute(query).fetchone() == (3, None)
        assert stored(database).height == 3
        reader.commit()
        writer.join(timeout=30)
        assert reader.execute(query).fetchone() == (7, None)


def test_a_swap_that_never_gets_its_turn_says_so(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SWAP_LOCK_TIMEOUT", "20ms")
    monkeypatch.setattr(module, "_SWAP_PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr(module, "_SWAP_PAUSE_SECONDS", 0.02)
    replace_days(database, REQUEST, requests(3), DAY, NEXT)
    with database.connect(read_only=True) as reader:
        count_rows(reader, "core.request")
        with pytest.raises(WarehouseError, match="queries have kept 2026-02-14 to 2026-02-14 from being swapped in"):
            replace_days(database, REQUEST, requests(7, label="b"), DAY, NEXT)
    assert stored(database).height == 3


@pytest.mark.parametrize(("table", "make"), [(REQUEST, requests), (DUPLICATE, duplicates)], ids=["partitions", "plain"])
def test_two_writers_of_a_day_take_turns_and_the_last_wins_whole(
    database: Database, table: Table, make: Callable[..., pl.DataFrame]
) -> None:
    faults: list[Exception] = []

    def write(label: str, window: tuple[date, date]) -> None:
        rows = make(200, label=label)
        if window[1] == AFTER:
            rows = pl.concat([rows, make(200, label=f"{label}-next", day=NEXT)])
        try:
            for _ in range(5):
                replace_days(database, table, rows, *window)
        except Exception as error:  # noqa: BLE001, shown by the assertion below
            faults.append(error)

    windows = [("a", (DAY, NEXT)), ("b", (DAY, AFTER)), ("c", (DAY, NEXT))]
    writers = [threading.Thread(target=write, args=arguments) for arguments in windows]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(timeout=60)
    assert faults == []
    found = stored(database, table)
    of_day = found.filter(event_date=DAY)
    assert any(of_day.equals(make(200, label=label).sort(table.primary_key)) for label in "abc")
    assert found.filter(event_date=NEXT).equals(make(200, label="b-next", day=NEXT).sort(table.primary_key))


KILLED = """
import importlib, os, signal, sys
import polars as pl
from datetime import timedelta
from pydantic import SecretStr
from pipelines.settings import Settings
from pipelines.warehouse import replace
from pipelines.warehouse.open import open_database
from pipelines.warehouse.tables.core import REQUEST
from tests.warehouse.rows import DAY, requests

def stop_here(*arguments):
    print("here", flush=True)
    signal.pause()

module, _, name = sys.argv[2].rpartition(".")
setattr(importlib.import_module(module), name, stop_here)
with open_database(Settings(database_url=SecretStr(sys.argv[1]))) as database:
    rows = pl.concat([requests(50, label="new"), requests(50, label="new", day=DAY + timedelta(days=1))])
    replace.replace_days(database, REQUEST, rows, DAY, DAY + timedelta(days=2))
"""


@pytest.mark.parametrize(
    "stage", ["pipelines.warehouse.replace.swap_in", "pipelines.warehouse.partitions._attach_partition"]
)
def test_a_writer_killed_in_the_middle_leaves_the_old_days_and_nothing_else(database: Database, stage: str) -> None:
    old = pl.concat([requests(3), requests(2, day=NEXT)])
    replace_days(database, REQUEST, old, DAY, AFTER)
    before = relations(database)
    url = database.url.render_as_string(hide_password=False)
    with subprocess.Popen([sys.executable, "-c", KILLED, url, stage], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "here\n"
        writer.send_signal(signal.SIGKILL)
    assert_frame_equal(stored(database), old.sort(REQUEST.primary_key))
    assert relations(database) == before
    replace_days(database, REQUEST, requests(4, label="again"), DAY, AFTER)
    assert_frame_equal(stored(database), requests(4, label="again").sort(REQUEST.primary_key))


def test_the_caller_s_lock_timeout_outlives_a_replacement(database: Database) -> None:
    def timeout(connection: psycopg.Connection[Any]) -> Any:
        return connection.execute("show lock_timeout").fetchone()

    with database.connect() as connection, connection.transaction():
        connection.execute("set local lock_timeout = '7s'")
        replace_days(connection, REQUEST, requests(1), DAY, NEXT)
        assert timeout(connection) == ("7s",)


def test_parts_of_a_day_need_not_share_what_the_first_one_shares(database: Database) -> None:
    """What a first part holds throughout becomes a default of the new table: later parts may hold anything."""
    quoted = "it's a \\ 'team' {\"é\"}"
    parts = [
        requests(3, label="a").with_columns(team=pl.lit(quoted), latency_ms=pl.lit(0.1), is_stream=pl.lit(value=True)),
        requests(3, label="b").with_columns(http_status=pl.lit(200, pl.Int32), item_no=pl.lit(7, pl.Int32)),
        requests(3, label="c", day=NEXT),
        requests(3, label="d").with_columns(
            team=pl.when(pl.col("line_no").cum_count() == 2).then(pl.lit(None, pl.String)).otherwise(pl.lit(quoted)),
            snapshot_id=pl.lit(uuid_bytes("another")),
            tags=pl.lit(None, pl.String),
        ),
        requests(1, label="e"),
    ]
    with database.connect() as connection, connection.transaction(), DayLoad(connection, REQUEST, DAY, AFTER) as load:
        for part in parts:
            load.append(part)
        load.finish()
    assert load.rows == 13
    assert_frame_equal(stored(database), pl.concat(parts).sort(REQUEST.primary_key))
    with database.connect() as connection:
        left = connection.execute(
            "select count(*) from pg_attrdef where adrelid::regclass::text like '%request%'"
        ).fetchone()
    assert left == (0,)


def test_a_load_that_is_not_finished_changes_nothing(database: Database) -> None:
    replace_days(database, REQUEST, requests(3), DAY, NEXT)
    before = relations(database)
    with database.connect() as connection, connection.transaction(force_rollback=True):
        with DayLoad(connection, REQUEST, DAY, NEXT) as load:
            load.append(requests(2, label="b"))
        assert stored(database).height == 3
    assert_frame_equal(stored(database), requests(3).sort(REQUEST.primary_key))
    assert relations(database) == before


def load_parts(connection: psycopg.Connection[Any], parts: Iterable[pl.DataFrame]) -> None:
    with connection.transaction(), DayLoad(connection, REQUEST, DAY, NEXT) as load:
        for part in parts:
            load.append(part)
        load.finish()


def test_an_error_while_rows_are_sent_is_reported_and_changes_nothing(database: Database) -> None:
    """What makes the rows may fail between two parts, while the connection is in the middle of a COPY."""

    def parts() -> Iterator[pl.DataFrame]:
        yield requests(2, label="b")
        raise RuntimeError("the next part could not be made")

    replace_days(database, REQUEST, requests(3), DAY, NEXT)
    before = relations(database)
    with database.connect() as connection:
        with pytest.raises(RuntimeError, match="the next part"):
            load_parts(connection, parts())
        assert connection.execute("select 1").fetchone() == (1,)
    assert_frame_equal(stored(database), requests(3).sort(REQUEST.primary_key))
    assert relations(database) == before


def test_a_value_of_a_later_part_that_is_refused_is_named(database: Database) -> None:
    good = requests(3, label="a").with_columns(team=pl.Series(["x", "y", "z"]))
    bad = requests(3, label="b").with_columns(team=pl.Series(["x", "y\x00z", "x"]))
    with database.connect() as connection:
        with pytest.raises(LoadError, match=r"core.request.team: a NUL .* in 1 rows; the first is row 1"):
            load_parts(connection, [good, bad])
        assert connection.execute("select 1").fetchone() == (1,)
    assert stored(database).is_empty()


def test_rows_of_a_new_partition_are_frozen(database: Database) -> None:
    """No vacuum has to come back for them, and the first query does not rewrite them with hints."""
    replace_days(database, REQUEST, requests(3), DAY, NEXT)
    with database.connect() as connection:
        connection.execute("set enable_seqscan = off; set enable_bitmapscan = off")
        plan = connection.execute(
            "explain (analyze, costs off) select request_uid from core.request_20260214 where event_date = '2026-02-14'"
        ).fetchall()
    assert "Heap Fetches: 0" in str(plan)


def of_day(database: Database, rows: pl.DataFrame) -> None:
    replace_days(database, DUPLICATE, rows, NEXT, AFTER)


def chosen(database: Database, rows: pl.DataFrame) -> None:
    replace_rows(database, DUPLICATE, rows, {"event_date": [NEXT]})


@pytest.mark.parametrize("write", [of_day, chosen])
def test_the_planner_knows_a_new_day(database: Database, write: Callable[[Database, pl.DataFrame], None]) -> None:
    """Counted before the day came, a table seems to hold one row of it, and what joins two such tables loops over both."""
    replace_days(database, DUPLICATE, duplicates(2000, label="a"), DAY, NEXT)
    with database.connect() as connection:
        connection.execute("analyze raw.duplicate")
    write(database, duplicates(3000, label="next", day=NEXT))
    with database.connect(read_only=True) as connection:
        query = "explain (format json) select from raw.duplicate where event_date >= %s and event_date < %s"
        ((found,),) = connection.execute(query, [NEXT, AFTER]).fetchall()
    assert found[0]["Plan"]["Plan Rows"] == pytest.approx(3000, rel=0.5)
