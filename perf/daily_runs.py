"""`python -m perf.daily_runs`: what a year of daily runs leaves on disk, as the table of docs/operations.md.

A small landing zone grows day by day, with a price map a day and a board a week, and `modelmeter daily` runs as its users run it: each of the
first and the last days by a run of its own, those between by many in one run, as after a long absence, so that a year fits into half an
hour. After each run `modelmeter prune` removes what is old. All is done in an hour: what a run left is made older by as many days as the next
one is about. Each run writes a line into `runs.jsonl`; a measurement that was ended goes on after its last line.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path

from perf.measure import ROOT, RunError
from pipelines.sample import generate_sample
from pipelines.sample.boards import lmarena_json
from pipelines.sample.feeds import litellm_map_json
from pipelines.settings import Settings
from pipelines.warehouse import server
from pipelines.warehouse.database import Database, embedded_database

FIRST = date(2025, 10, 1)
_SINGLE, _RANGE, _LAST, _KEPT_DAYS = 3, 40, 3, 45
_PROGRAM = "import sys; from assets.cli import main; sys.exit(main())"
_RETENTION = (
    *("request_facts", "quarantine", "parsed", "reports", "landing"),
    *("routing_sums", "profiles", "projections"),
)
"""Dagster's history keeps its default of 90 days."""
_SIZES = """
    select n.nspname, sum(pg_table_size(c.oid)), sum(pg_indexes_size(c.oid))
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'm') and n.nspname in ('raw', 'core', 'mart', 'staging') group by 1
"""
_PARTITIONED = "select coalesce(sum(pg_total_relation_size(inhrelid)), 0) from pg_inherits where inhparent = 'core.request'::regclass"
_DEAD = "select coalesce(sum(n_dead_tup), 0), coalesce(sum(n_live_tup), 0) from pg_stat_user_tables"
_HISTORY = "select (select count(*) from runs), (select count(*) from event_logs)"
_OLDER = "update runs set create_timestamp = create_timestamp - make_interval(days => %(days)s)"


@dataclass(frozen=True)
class Sizes:
    """Bytes that an installation takes, once a number of days was run."""

    days: int
    """Days that were run so far."""
    at_once: int
    """Days that the last run was about."""
    runs: int
    """Runs in Dagster's history."""
    requests: int
    facts: int
    """Partitions of core.request with their indexes."""
    tables: int
    """All other tables, without their indexes."""
    indexes: int
    history: int
    """Dagster's database."""
    events: int
    dead_rows: int
    live_rows: int
    wal: int
    logs: int
    parsed: int
    cache: int
    reports: int
    other: int
    landing: int


class Installation:
    """A home, its landing zone, and what waits to arrive there."""

    def __init__(self, home: Path, days: int, requests: int, database: Database) -> None:
        """The files of all days are made once, and wait."""
        self.home, self.database = home, database
        self.landing, self._waiting = home.parent / "landing", home.parent / "waiting"
        made = home.parent / "waiting is made"
        if not made.exists():
            generate_sample(self._waiting, first=FIRST, days=days, requests_per_day=requests)
            made.touch()

    def arrive(self, days: list[date]) -> None:
        """Move the files that arrived on these days, and fetch what is fetched each day."""
        for day in days:
            for folder in (self._waiting / "requests").glob(f"*/{day}"):
                target = self.landing / "requests" / folder.parent.name / folder.name
                target.parent.mkdir(parents=True, exist_ok=True)
                folder.rename(target)
            self._land("prices/litellm_map", day, litellm_map_json(day))
            if day.weekday() == 0:
                self._land("leaderboards/lmarena_text", day, lmarena_json(day, 1))

    def _land(self, folder: str, day: date, content: bytes) -> None:
        (self.landing / folder).mkdir(parents=True, exist_ok=True)
        (self.landing / folder / f"{day}.json").write_bytes(content)

    def run(self, *arguments: str) -> None:
        """One command. Raises RunError where it fails."""
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RunError(f"{' '.join(arguments)} failed:\n{done.stderr[-3000:]}{done.stdout[-2000:]}")

    def daily(self, days: list[date]) -> None:
        """Let the files of the days arrive, run them at once, and remove what is old."""
        self.arrive(days)
        self.run("daily", "--from", str(days[0]), "--to", str(days[-1]))
        self.pass_time(len(days))
        self.run("prune")

    def pass_time(self, days: int) -> None:
        """Make the runs and the files of the home older. Rows and pages are as old as the day that they are about."""
        with self.database.named(self.database.dagster_database).connect() as connection:
            connection.execute(_OLDER, {"days": days})
        for path in [*(self.home / "parsed").rglob("*"), *(self.home / "dagster").rglob("*")]:
            instant = path.stat().st_mtime - days * 86_400
            os.utime(path, (instant, instant))

    def sizes(self, days: int, at_once: int) -> Sizes:
        """What there is now."""
        with self.database.owner.connect({}, autocommit=True) as connection:
            found = connection.execute(_SIZES).fetchall()
            (facts,) = connection.execute(_PARTITIONED).fetchone() or (0,)
            dead, live = connection.execute(_DEAD).fetchone() or (0, 0)
            (requests,) = connection.execute("select count(*) from core.request").fetchone() or (0,)
            name = self.database.dagster_database
            (history,) = connection.execute("select pg_database_size(%s)", [name]).fetchone() or (0,)
        with self.database.named(name).connect() as connection:
            runs, events = connection.execute(_HISTORY).fetchone() or (0, 0)
        postgres = next(path for path in self.home.rglob("pg_wal") if path.is_dir())
        tables, indexes = (int(sum(row[place] for row in found)) for place in (1, 2))
        measured = {
            "logs": _size(self.home / "dagster"),
            "parsed": _size(self.home / "parsed"),
            "cache": _size(self.home / "cache"),
            "reports": _size(self.home.parent / "reports"),
        }
        whole = sum(_size(path) for path in self.home.iterdir() if path.name != "postgres")
        other = whole - sum(measured[name] for name in ("logs", "parsed", "cache"))
        return Sizes(
            days, at_once, int(runs), int(requests), int(facts), tables + indexes - int(facts) - indexes, indexes,
            int(history), int(events), int(dead), int(live), _size(postgres), other=other, landing=_size(self.landing), **measured,
        )  # fmt: skip


def measure(folder: Path, days: int, requests: int, done: int) -> Iterator[Sizes]:
    """Run `days` days but for the first `done`, and measure after each run."""
    home = folder / "home"
    (folder / "config").mkdir(parents=True, exist_ok=True)
    shutil.copytree(ROOT / "pipelines" / "sample" / "config", folder / "config", dirs_exist_ok=True)
    kept = "".join(f"{name}_days: {_KEPT_DAYS}\n" for name in _RETENTION)
    (folder / "config" / "retention.yaml").write_text(kept)
    os.environ.update(
        {
            "MODELMETER_HOME": str(home),
            "MODELMETER_LANDING": str(folder / "landing"),
            "MODELMETER_CONFIG": str(folder / "config"),
            "MODELMETER_REPORTS": str(folder / "reports"),
            "MODELMETER_OFFLINE": "1",
            "MODELMETER_DATABASE_URL": "",
        }
    )
    with server.lease(Settings().home) as running:
        made = Installation(home, days, requests, embedded_database(running))
        for first, count in runs_of(done, days):
            made.daily([FIRST + timedelta(days=first + number) for number in range(count)])
            yield made.sizes(first + count, count)


def runs_of(done: int, days: int) -> Iterator[tuple[int, int]]:
    """The first day and the number of days of each run that is left."""
    last = max(0, days - _LAST)
    while done < days:
        count = min(_RANGE, last - done) if _SINGLE <= done < last else 1
        yield done, count
        done += count


def _size(folder: Path) -> int:
    """Bytes that the files of a folder take on disk; one that vanishes meanwhile counts nothing."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                total += Path(path, name).lstat().st_blocks * 512
            except FileNotFoundError:
                continue
    return total


def row(sizes: Sizes) -> str:
    """A line of the table, in MB."""
    mb = [getattr(sizes, name) / 1e6 for name in ("facts", "tables", "indexes", "history", "parsed", "cache", "reports", "logs", "wal", "landing")]  # fmt: skip
    counts = f"| {sizes.days} | {sizes.at_once} | {sizes.runs} | {sizes.requests:,} | "
    return counts + " | ".join(f"{size:.1f}" for size in mb) + f" | {sizes.dead_rows / max(1, sizes.live_rows):.1%} |"


HEAD = (
    "| days | of which in the last run | runs kept | requests kept | facts | other tables | their indexes | Dagster's history | parsed | cache | pages | logs | WAL | landing zone | dead rows |\n"
    "|" + "---|" * 15
)


def main() -> None:
    """Measure, and print the table; every figure goes into `runs.jsonl` of the folder."""
    parser = argparse.ArgumentParser(prog="python -m perf.daily_runs", description=__doc__)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--requests", type=int, default=300, help="requests a day (300)")
    parser.add_argument("--home", type=Path, default=ROOT / ".modelmeter-perf" / "runs")
    parser.add_argument("--anew", action="store_true", help="empty the folder first")
    options = parser.parse_args()
    folder = options.home.resolve()
    if options.anew:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    lines = folder / "runs.jsonl"
    found = [Sizes(**json.loads(line)) for line in lines.read_text().splitlines()] if lines.exists() else []
    sys.stdout.write("\n".join([HEAD, *map(row, found), ""]))
    with lines.open("a") as file:
        for sizes in measure(folder, options.days, options.requests, found[-1].days if found else 0):
            sys.stdout.write(row(sizes) + "\n")
            sys.stdout.flush()
            file.write(json.dumps(asdict(sizes)) + "\n")
            file.flush()


if __name__ == "__main__":
    main()
