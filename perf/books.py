"""What books cost over a year of charges: dbt's build of one day, and asking what became known of closed months.

A day of requests is loaded as the daily run loads it and shared out to teams and projects; dbt makes its charges. The days before it are
copies of them, so that the year has as many charges as are asked for, and all of its months are booked. Then the day is built again, by dbt as a run
does it, and it is asked what became known of the books.

    python -m perf --books 2000000
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from perf.bench import Bench, Say, bench
from perf.contenders import BY_NAME
from perf.history import build_marts
from perf.measure import RunError, server_seconds
from pipelines.books.periods import pending
from pipelines.warehouse.partitions import loaded_days
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.core_books import BOOKED_CHARGE
from pipelines.warehouse.tables.mart_charges import DAILY_CHARGE

_DAY_ROWS, _DAYS, _BUILDS = 20_000, 365, 5
_SHARED_OUT = (
    "update core.request set team = 'team-' || abs(hashtext(request_uid::text)) % 5, "
    "project = 'project-' || abs(hashtext(request_uid::text || 'p')) % 6"
)
"""Thirty combinations of 40 models: some 5,500 charges a day, two million a year."""


def measure_books(home: Path, charges: int, say: Say) -> dict[str, Any]:
    """Seconds over a year of `charges` charges: of processors (this process and the server) and on the clock."""
    with bench(home / "books", _DAY_ROWS) as ground:
        ground.measure(BY_NAME["ours_b"])
        with ground.database.owner.connect({}) as connection:
            connection.execute(_SHARED_OUT)
            day = loaded_days(connection, REQUEST)[-1]
        dbt = home / "books"
        build_marts(ground.database, dbt, day)
        with ground.database.owner.connect({}) as connection:
            size = _fill(connection, charges)
        say(f"books: {size['charges']:,} charges on {size['days']} days, {size['day']:,} on the newest")
        found: dict[str, Any] = {**size, "load_before": os.getloadavg()[0], "steps": {}}
        steps = found["steps"]
        steps["dbt builds the charges of one day"] = _built(ground, dbt, day)
        with ground.database.owner.connect({}) as connection:
            steps["nothing became known of closed months"] = _timed(ground, lambda: pending(connection).height, 0)
            connection.execute("update mart.daily_charge set quantity = quantity + 1 where event_date = %s", [day])
            steps["one day became known"] = _timed(ground, lambda: pending(connection).height, None)
            connection.rollback()
            connection.execute("truncate core.booked_charge, core.period_act")
            connection.commit()
        with ground.database.owner.connect({}, autocommit=True) as connection:
            connection.execute("drop table mart.daily_charge cascade")
        for name, step in steps.items():
            say(f"books: {name}: {step['cpu_s']:.2f} s of a processor, {step['wall_s']:.2f} s")
    return found


def _built(ground: Bench, home: Path, day: date) -> dict[str, float]:
    """dbt's own time for the model daily_charge, which it executes as in a run, and the processor seconds of the server meanwhile."""
    walls, server = [], []
    for _ in range(_BUILDS):
        before = server_seconds(ground.server_pid)
        walls.append(build_marts(ground.database, home, day, ("daily_charge",)))
        server.append(server_seconds(ground.server_pid) - before)
    return {"cpu_s": median(server), "wall_s": median(walls)}


def _fill(connection: psycopg.Connection[Any], charges: int) -> dict[str, int]:
    """Copies of the newest day's charges on the days before it, all of them booked."""
    columns = [column.name for column in DAILY_CHARGE.columns]
    copied = {"event_date": "event_date - n", "charge_id": "md5(charge_id::text || n)::uuid"}
    row = connection.execute("select count(*) from mart.daily_charge").fetchone()
    count = int(row[0]) if row else 0
    wanted = charges // _DAYS
    if count < wanted:
        raise RunError(f"the day has {count} charges, a year of {charges} takes {wanted} a day")
    connection.execute(
        f"insert into mart.daily_charge ({', '.join(columns)}) select {', '.join(copied.get(name, name) for name in columns)} "
        f"from (select * from mart.daily_charge order by charge_id limit {wanted}) as one, generate_series(1, {_DAYS - 1}) as n".encode()
    )
    booked = ", ".join(name for name in columns if name in BOOKED_CHARGE.polars_schema)
    connection.execute("truncate core.booked_charge, core.period_act")
    connection.execute(
        f"insert into core.booked_charge (period, {booked}) select date_trunc('month', event_date), {booked} from mart.daily_charge".encode()
    )
    connection.execute(
        "insert into core.period_act (period, acted_at, act, charges, billed_cost_usd) "
        "select distinct period, now(), 'close', 0, 0 from core.booked_charge"
    )
    connection.commit()
    connection.autocommit = True
    for table in ("mart.daily_charge", "core.booked_charge"):
        connection.execute(f"vacuum analyze {table}".encode())
    connection.autocommit = False
    return {"charges": wanted * (_DAYS - 1) + count, "days": _DAYS, "day": count}


def _timed(ground: Bench, ask: Callable[[], int], wanted: int | None) -> dict[str, float]:
    before, begun = server_seconds(ground.server_pid) + time.process_time(), time.perf_counter()
    rows = ask()
    took = {
        "wall_s": time.perf_counter() - begun,
        "cpu_s": server_seconds(ground.server_pid) + time.process_time() - before,
    }
    if rows == 0 if wanted is None else rows != wanted:
        raise RunError(f"{rows} rows became known of closed months")
    return took


def books_table(books: dict[str, Any]) -> str:
    """A line for each step, by size."""
    lines = [
        "| charges in a year | of the newest day | step | processor s | wall s | load average before |",
        "|---|---|---|---|---|---|",
    ]
    for size in sorted(books.values(), key=lambda item: item["charges"]):
        for name, step in size["steps"].items():
            lines.append(
                f"| {size['charges']:,} | {size['day']:,} | {name} | {step['cpu_s']:.2f} | {step['wall_s']:.2f} | {size['load_before']:.1f} |"
            )
    return "\n".join(lines)
