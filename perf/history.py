"""What one day costs when years lie behind it: a day's spend, and its mart by dbt, over a growing core.request.

One day of 200,000 requests is loaded as the daily run loads it; the days before it are copies of that day, made by the
server. What is measured are the query of `job.py` on the newest day and dbt's build of mart.daily_charge and
mart.daily_model_spend for it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from perf.bench import Say, bench
from perf.contenders import BY_NAME
from perf.job import SPEND_SQL
from perf.measure import ROOT, RunError
from pipelines.warehouse.database import Database
from pipelines.warehouse.ddl import index_statements, primary_key
from pipelines.warehouse.partitions import loaded_days
from pipelines.warehouse.tables.core import REQUEST

DAY_ROWS = 200_000
SIZES = (2_000_000, 50_000_000)
_QUERIES, _BUILDS = 15, 5
_MARTS = ("daily_charge", "daily_model_spend")


def measure_history(home: Path, sizes: list[int], say: Say) -> list[dict[str, Any]]:
    """One result per size, smallest first; the history grows from one to the next and is dropped at the end."""
    found = []
    with bench(home, DAY_ROWS) as ground:
        ground.measure(BY_NAME["ours_b"])
        database = ground.database
        try:
            for rows in sorted(sizes):
                for done in grow(database, rows):
                    say(f"history: {done:,} of {rows:,} rows")
                found.append(_measured(database, home, rows))
                say(f"history of {rows:,} rows: a day's spend {found[-1]['spend_s'][0] * 1000:.0f} ms")
        finally:
            _drop(database)
    return found


def grow(database: Database, rows: int) -> Iterator[int]:
    """Add copies of the newest day before the oldest until there are `rows`."""
    columns = [column.name for column in REQUEST.columns]
    with database.owner.connect({}) as connection:
        days = loaded_days(connection, REQUEST)
        count = _count(connection, days[-1])
    while len(days) * count < rows:
        day = min(days) - timedelta(days=1)
        shift = (days[-1] - day).days
        moved = {"event_date": f"event_date - {shift}", "event_at": f"event_at - interval '{shift} days'"}
        name = f"request_{day:%Y%m%d}"
        with database.owner.connect({}) as connection:
            connection.execute(
                f"create table core.{name} (like core.request including constraints, "
                f"check (event_date >= '{day}' and event_date < '{day + timedelta(days=1)}'))"
            )
            connection.execute(
                f"insert into core.{name} ({', '.join(columns)}) select {', '.join(moved.get(column, column) for column in columns)} "
                f"from core.request where event_date = '{days[-1]}'"
            )
            connection.execute(f"alter table core.{name} add {primary_key(REQUEST)}")
            for statement in index_statements(REQUEST, name):
                connection.execute(statement)
            connection.execute(
                f"alter table core.request attach partition core.{name} for values from ('{day}') to ('{day + timedelta(days=1)}')"
            )
        days.insert(0, day)
        if len(days) % 25 == 0:
            yield len(days) * count
    with database.owner.connect({}, autocommit=True) as connection:
        connection.execute("analyze only core.request")


def _count(connection: psycopg.Connection[Any], day: date) -> int:
    found = connection.execute("select count(*) from core.request where event_date = %s", [day]).fetchone()
    return int(found[0]) if found else 0


def _measured(database: Database, home: Path, rows: int) -> dict[str, Any]:
    with database.owner.connect({}) as connection:
        days = loaded_days(connection, REQUEST)
        window = {"first": days[-1], "end": days[-1] + timedelta(days=1)}
        build_marts(database, home, days[-1])
        for mart in _MARTS:
            connection.execute(f"delete from mart.{mart} where event_date < %s", [days[-1]])
        names = [name for (name,) in connection.execute(
            "select attname from pg_attribute where attrelid = 'mart.daily_model_spend'::regclass and attnum > 0 and not attisdropped"
        ).fetchall() if name != "event_date"]  # fmt: skip
        listed = ", ".join(names)
        connection.execute(
            f"insert into mart.daily_model_spend (event_date, {listed}) select event_date - n, {listed} "
            "from mart.daily_model_spend, generate_series(1, %s) as n where event_date = %s",
            [len(days) - 1, days[-1]],
        )
        connection.commit()
        spend = [_timed(connection, window) for _ in range(_QUERIES + 1)][1:]
        size = connection.execute(
            "select sum(pg_total_relation_size(inhrelid)) from pg_inherits where inhparent = 'core.request'::regclass"
        ).fetchone()
    builds = [build_marts(database, home, days[-1]) for _ in range(_BUILDS)]
    return {
        "rows": rows,
        "days": len(days),
        "gib": float(size[0]) / 2**30 if size else 0.0,
        "spend_s": [min(spend), median(spend)],
        "mart_s": [min(builds), median(builds)],
        "load_before": os.getloadavg()[0],
    }


def _timed(connection: psycopg.Connection[Any], window: dict[str, date]) -> float:
    started = time.perf_counter()
    connection.execute(SPEND_SQL, window).fetchall()
    return time.perf_counter() - started


def build_marts(database: Database, home: Path, day: date, marts: Sequence[str] = _MARTS) -> float:
    """Seconds that dbt says the models took, which build on one another up to the last, its own start not counted."""
    target = home / "dbt"
    variables = {"from_date": str(day), "to_date": str(day + timedelta(days=1))}
    command = [
        str(Path(sys.executable).parent / "dbt"), "--quiet", "run", "--select", f"+{marts[-1]}",
        "--vars", json.dumps(variables), "--target-path", str(target), "--project-dir", str(ROOT / "dbt_like"),
        "--profiles-dir", str(ROOT / "dbt_like"),
    ]  # fmt: skip
    environment = {
        **os.environ,
        **database.dbt_env(),
        "DBT_LOG_PATH": str(target),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }
    done = subprocess.run(command, check=False, cwd=home, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RunError(f"dbt failed:\n{done.stdout[-3000:]}")
    results = json.loads((target / "run_results.json").read_text())["results"]
    return sum(float(item["execution_time"]) for item in results if item["unique_id"].rpartition(".")[2] in marts)


def _drop(database: Database) -> None:
    with database.owner.connect({}, autocommit=True) as connection:
        for day in loaded_days(connection, REQUEST):
            connection.execute(f"drop table core.request_{day:%Y%m%d}")
        connection.execute(f"drop table if exists {', '.join(f'mart.{mart}' for mart in _MARTS)} cascade")
