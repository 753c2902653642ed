"""What a whole day costs when years lie behind it: `modelmeter daily` stage by stage, over a growing history.

A day of 200,000 lines, or of as many as are asked for, is loaded as its users load it. The days before it are copies that the server makes, in core.request and in every
table that has a row per day of them; the newest of them have their files too. At each size the day is run three times, and the last run counts,
because the first makes what it finds missing of past days.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from perf.behind import copy_newest
from perf.bench import Say, environment
from perf.day import forget, run_day
from perf.generate import generate
from perf.history import grow
from pipelines.settings import Settings
from pipelines.warehouse import server
from pipelines.warehouse.database import Database, embedded_database
from pipelines.warehouse.day_files import writing_days
from pipelines.warehouse.partitions import loaded_days
from pipelines.warehouse.read import read_table
from pipelines.warehouse.tables.core import REQUEST
from pipelines.workspace import open_workspace

DAY_ROWS = 200_000
SIZES = (2_000_000, 50_000_000)
_DAYS_WITH_FILES = 34


def measure_growth(home: Path, sizes: list[int], day_rows: int, say: Say) -> Iterator[dict[str, Any]]:
    """One result per number of requests in the history, smallest first, as each is measured."""
    home = home / "growth"
    data = generate(home / "input" / str(day_rows), day_rows, is_dirty=True)
    settings = {**environment(home, data), "MODELMETER_REPORTS": str(home / "reports")}
    os.environ.update(settings)
    with server.lease(Settings().home) as running:
        database = embedded_database(running)
        forget(home, database)
        run_day(data, settings, running.pid)
        for rows in sorted(sizes):
            for done in grow(database, rows):
                say(f"history: {done:,} of {rows:,} rows")
            _fill(database, say)
            runs = [run_day(data, settings, running.pid) for _ in range(3)]
            say(f"over {rows:,} requests: {sum(s.cpu_s + s.server_cpu_s for s in runs[-1]):.1f} s of a processor")
            yield {
                "rows": rows,
                "day_rows": day_rows,
                "stages": [asdict(stage) for stage in runs[-1]],
                "load": os.getloadavg()[0],
            }
        forget(home, database)


def _fill(database: Database, say: Say) -> None:
    """Give the days that were copied what the newest day has in other tables, and files."""
    with database.owner.connect({}) as connection:
        days = loaded_days(connection, REQUEST)
    copy_newest(database, days, say)
    with (
        open_workspace(Settings()) as workspace,
        workspace.database.connect() as connection,
        writing_days(workspace.day_files) as files,
    ):
        for day in days[-1 - _DAYS_WITH_FILES : -1]:
            files.append(read_table(connection, REQUEST, "event_date = %s", (day,)))
        files.name_in(connection)
