"""The daily job on a small sample: totals against the generator's own count, same rows however it is run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

import dagster as dg
import polars as pl

from pipelines.warehouse.tables import TABLES
from tests.assets.conftest import DailyJob, RangedRun, SmallSample


def failed_checks(result: dg.ExecuteInProcessResult) -> set[str]:
    return {
        f"{c.asset_key.to_user_string()}:{c.check_name}" for c in result.get_asset_check_evaluations() if not c.passed
    }


def shown_by(result: dg.ExecuteInProcessResult) -> dict[str, Mapping[str, dg.MetadataValue]]:
    """What Dagster shows of each table that the run made."""
    return {
        event.asset_key.to_user_string(): event.step_materialization_data.materialization.metadata
        for event in result.all_events
        if event.is_step_materialization and event.asset_key
    }


def test_a_day_is_what_the_generator_counted(ranged: RangedRun, small_sample: SmallSample) -> None:
    assert ranged.result.success
    assert failed_checks(ranged.result) <= {
        "landing/price_feeds:fresh",
        "landing/leaderboards:fresh",
        "raw/quarantine:sources_readable",  # the sample's broken lines are a few per cent of so small a day
    }
    for source, expected in small_sample.summary.sources.items():
        counted = ranged.job.query(
            f"select event_date::text as day, count(*) as requests from core.request where source = '{source}' group by 1 order by 1"
        )
        by_day = dict(counted.iter_rows())
        assert by_day == {day: n for day, n in expected.requests_by_date.items() if day in small_sample.summary.days}, (
            source
        )


def test_every_line_of_every_file_is_accounted_for(ranged: RangedRun, small_sample: SmallSample) -> None:
    first, last = small_sample.days[0], small_sample.days[-1]
    files = [path for path in (small_sample.root / "requests").rglob("*") if path.is_file()]
    bills = {path.relative_to(small_sample.root).as_posix() for path in files if "_bill/" in path.as_posix()}
    assert set(ranged.job.query("select landing_path from raw.snapshot where kind = 'bills'")["landing_path"]) == bills
    lines = {
        path.relative_to(small_sample.root).as_posix(): _count_lines(path)
        for path in files
        if "_bill/" not in path.as_posix()
    }
    books = ranged.job.query(
        """
        select landing_path, lines, quarantined,
               (select count(*) from core.request r where r.snapshot_id = s.snapshot_id) as loaded,
               (select count(*) from raw.duplicate d where d.snapshot_id = s.snapshot_id) as duplicates,
               (select count(*) from raw.quarantine q where q.snapshot_id = s.snapshot_id) as set_aside,
               event_dates
        from raw.snapshot s where kind = 'requests'
        """
    )
    assert {row["landing_path"] for row in books.to_dicts()} == set(lines)
    for row in books.to_dicts():
        assert row["lines"] == lines[row["landing_path"]], row
        assert row["quarantined"] == row["set_aside"], row
        if all(first <= day <= last for day in row["event_dates"]):
            assert row["lines"] == row["loaded"] + row["duplicates"] + row["quarantined"], row


def _count_lines(path: object) -> int:
    """Records of a file by the simplest means: line ends, and for CSV one less for its header."""
    import gzip
    from pathlib import Path

    import zstandard

    assert isinstance(path, Path)
    content = path.read_bytes()
    if path.suffix == ".zst":
        content = zstandard.ZstdDecompressor().stream_reader(content).read()
    elif path.suffix == ".gz":
        content = gzip.decompress(content)
    if path.suffix == ".parquet":
        return pl.read_parquet(path).height
    count = sum(1 for line in content.split(b"\n") if line.strip())
    return count - 1 if ".csv" in path.name else count


def test_spend_is_the_sum_of_the_facts(ranged: RangedRun) -> None:
    totals = ranged.job.query(
        """
        select (select sum(list_cost_usd) from core.request) as facts,
               (select sum(list_cost_usd) from mart.daily_model_spend) as by_model,
               (select sum(requests)::bigint from mart.daily_model_spend) as requests,
               (select count(*) from core.request) as rows
        """
    ).row(0, named=True)
    assert totals["facts"] == totals["by_model"] > Decimal(0)
    assert totals["requests"] == totals["rows"] > 0


def test_day_by_day_backwards_gives_the_rows_of_the_range(
    ranged: RangedRun, fresh_job: Callable[[], DailyJob], small_sample: SmallSample
) -> None:
    """That a day run twice gives the same rows is shown by two runs at the same time (`end_to_end/test_interrupted.py`)."""
    other = fresh_job()
    for day in reversed(small_sample.days):
        result = other.run(day)
    expected, found = ranged.job.tables(), other.tables()
    assert expected["core.request"]
    assert {name for name in expected if expected[name] != found[name]} == set()
    spend = other.query("select event_date, count(*) as rows from mart.daily_model_spend group by 1")
    of_the_day = spend.filter(event_date=small_sample.days[0])["rows"].item()
    assert shown_by(result)["mart/daily_model_spend"]["dagster/row_count"].value == of_the_day < spend["rows"].sum()


def test_what_a_person_sees_of_a_run(ranged: RangedRun) -> None:
    shown = shown_by(ranged.result)
    assert {"core/request", "core/price", "mart/daily_model_spend", "mart/benchmark_drift", "report/html"} <= set(shown)
    tables = {f"{table.schema}/{table.name}" for table in TABLES if table.schema in {"core", "mart"}}
    assert len(tables & shown.keys()) > 15
    for key in tables & shown.keys():
        assert "dagster/row_count" in shown[key], key
    rows = ranged.job.query("select count(*) as n from core.request")["n"][0]
    assert shown["core/request"]["dagster/row_count"].value == rows
