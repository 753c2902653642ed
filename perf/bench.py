"""Runs: makes files and database ready, measures every contender in turn, round after round, and checks its answer.

In each round every contender runs once, so that a busy minute of the machine hits them all. What is written about the
runs is in `table.py`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from pathlib import Path

from perf.contenders import CONTENDERS, Contender
from perf.generate import Dataset, generate
from perf.measure import ROOT, Run, run
from perf.peers.common import calls
from pipelines.daily import refresh_prices, refresh_rate_card
from pipelines.meters import COUNT_COLUMNS
from pipelines.settings import Settings
from pipelines.warehouse import cluster as clusters
from pipelines.warehouse import server
from pipelines.warehouse.database import Database, embedded_database
from pipelines.warehouse.partitions import loaded_days
from pipelines.warehouse.tables.core import REQUEST
from pipelines.workspace import open_workspace

PEERS = ROOT / ".venv-perf"
PEERS_LOCK = ROOT / "perf" / "requirements.lock"
Say = Callable[[str], None]


def install_peers(say: Say) -> bool:
    """Make `.venv-perf` from its lock unless it is there; False, with a word why, where that can't be done."""
    stamp = PEERS / ".packages"
    if stamp.exists() and stamp.read_text() == PEERS_LOCK.read_text():
        return True
    say("installing the tools to compare with into .venv-perf (once)")
    python = PEERS / "bin" / "python"
    install = [
        str(python),
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        "--quiet",
        "--requirement",
        str(PEERS_LOCK),
    ]
    for command in ([sys.executable, "-m", "venv", str(PEERS)], install):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            say(f"the other tools can't be installed and are left out: {done.stderr.strip()[-400:]}")
            return False
    stamp.write_text(PEERS_LOCK.read_text())
    return True


def peer_versions() -> dict[str, str]:
    """Name and version of the tools compared with."""
    locked = dict(line.split(" ")[0].split("==") for line in PEERS_LOCK.read_text().splitlines() if "==" in line)
    return {name: locked[name] for name in ("duckdb", "pandas", "dlt", "litellm", "genai-prices")}


class Bench:
    """One size of input, its database, and the runs on it."""

    def __init__(self, home: Path, rows: int, database: Database, server_pid: int) -> None:
        self.dirty = generate(home / "input" / f"{rows}-dirty", rows, is_dirty=True)
        self.clean = generate(home / "input" / f"{rows}-clean", rows, is_dirty=False)
        for data in (self.dirty, self.clean):
            _read_through(data.lines)
        self._home = home
        self.database = database
        self.server_pid = server_pid

    @property
    def server_version(self) -> str:
        """Postgres, as it names itself."""
        with self.database.owner.connect({}) as connection:
            return str(connection.info.parameter_status("server_version"))

    def measure(self, contender: Contender) -> Run:
        """Run one contender on fresh ground and check what it found. Raises RunError, or AssertionError for a wrong answer."""
        data = self.dirty if contender.is_dirty else self.clean
        self._clear(contender)
        python = PEERS / "bin" / "python" if contender.is_peer else sys.executable
        filled = {"sample": contender.sample, "first": data.days[0], "last": data.days[-1]}
        arguments = [argument.format(**filled) for argument in contender.arguments]
        found = run([str(python), "-m", *arguments], self._environment(data), self.server_pid)
        self._check(contender, data, found)
        if contender.name == "ours_b":
            self._keep_ready_rows()
        self._drop_target()
        return found

    def _environment(self, data: Dataset) -> dict[str, str]:
        owner = self.database.owner
        return {
            **environment(self._home, data),
            "PERF_LINES": str(data.lines),
            "PERF_PRICES": str(data.prices),
            "PERF_TARGET": "perf.filled",
            "PERF_READY": str(self._ready),
            "PERF_SERVER": json.dumps([owner.host, owner.user, owner.dbname]),
            "PERF_PSQL": json.dumps(psql_command(self._home, self.database)),
            "POLARS_VERBOSE": "0",
        }

    @property
    def _ready(self) -> Path:
        return self._home / "ready.bin"

    def _clear(self, contender: Contender) -> None:
        """Nothing parsed, nothing indexed, no partitions, an empty target."""
        shutil.rmtree(self._home / "parsed", ignore_errors=True)
        shutil.rmtree(self._home / "cache", ignore_errors=True)
        with self.database.owner.connect({}, autocommit=True) as connection:
            connection.execute("delete from raw.snapshot where kind = 'requests'")
            connection.execute("truncate raw.quarantine, raw.duplicate, raw.loaded_file")
            for day in loaded_days(connection, REQUEST):
                connection.execute(f"drop table core.request_{day:%Y%m%d}")
            self._drop_target()
            if contender.fills:
                connection.execute("create schema if not exists perf")
                connection.execute(
                    "create table perf.filled (like core.request including constraints including defaults)"
                )
                for name in COUNT_COLUMNS:  # a peer need not name what it never fills
                    connection.execute(f"alter table perf.filled alter {name} set default 0")
                if contender.name == "duckdb_b_narrow":
                    connection.execute("drop table perf.filled")
                    connection.execute(_NARROW)
        os.sync()

    def _drop_target(self) -> None:
        with self.database.owner.connect({}, autocommit=True) as connection:
            connection.execute("drop table if exists perf.filled, perf.filled_lines, perf.filled_price")

    def _keep_ready_rows(self) -> None:
        """The rows that modelmeter loaded, as the binary file that the COPY limit loads."""
        if self._ready.exists():
            return
        with self._ready.open("wb") as file:
            command = [
                *psql_command(self._home, self.database),
                "-qX",
                "-c",
                "copy (select * from core.request) to stdout (format binary)",
            ]
            subprocess.run(command, stdout=file, check=True)

    def _check(self, contender: Contender, data: Dataset, found: Run) -> None:
        """Whole files must give the generator's own totals, samples those of a plain loop; floats to nine decimals."""
        if contender.work not in ("A", "B"):
            return
        if contender.sample is not None:
            requests, cost = _plain_loop(data, contender.sample)
            got_cost = Decimal(found.answer["cost_usd"])
            if found.answer["requests"] != requests or abs(got_cost - cost) > Decimal("1e-9"):
                raise AssertionError(f"{contender.label}: found {found.answer}, a plain loop {requests} and {cost}")
            return
        truth = data.truth
        wanted = {"requests": truth["requests"], "cost_usd": Decimal(str(truth["cost_usd"]))}
        got = {"requests": found.answer["requests"], "cost_usd": Decimal(found.answer["cost_usd"])}
        if contender.is_ours:
            wanted |= {"lines": truth["lines"], "copies": truth["copies"]}
            wanted["quarantined"] = int(truth["broken"]) + int(truth["negative"])
            got |= {name: found.answer[name] for name in ("lines", "copies", "quarantined")}
        if got != wanted:
            raise AssertionError(f"{contender.label}: found {got}, the file holds {wanted}")


def _read_through(path: Path) -> None:
    """Bring a file into the page cache: else the first contender reads it from the disk."""
    with path.open("rb", buffering=0) as file:
        while file.read(2**24):
            pass


_NARROW = """
    create table perf.filled (
        event_date date not null, request_uid uuid not null, event_at timestamptz not null, provider_id text, model_id text,
        team text, status text, latency_ms double precision, input_uncached_tokens int, input_cache_read_tokens int,
        output_text_tokens int, output_reasoning_tokens int, reported_cost_usd numeric(38,18), list_cost_usd numeric(38,18)
    )
"""


@lru_cache
def _plain_loop(data: Dataset, count: int) -> tuple[int, Decimal]:
    """Requests and exact cost of the first lines, one by one."""
    entries = json.loads(data.prices.read_text(), parse_float=Decimal)
    requests, total = 0, Decimal(0)
    with data.lines.open() as file:
        for record, prompt, cached, completion in calls(islice(file, count)):
            requests += 1
            entry = entries.get(record["model"]) or entries.get(f"{record['custom_llm_provider']}/{record['model']}")
            if entry is not None:
                given = entry["input_cost_per_token"]
                total += (prompt - cached) * given + cached * entry.get("cache_read_input_token_cost", given)
                total += completion * entry["output_cost_per_token"]
    return requests, total


def environment(home: Path, data: Dataset) -> dict[str, str]:
    """The product's settings for one input."""
    return {
        "MODELMETER_HOME": str(home),
        "MODELMETER_LANDING": str(data.root / "landing"),
        "MODELMETER_CONFIG": str(data.root / "config"),
        "MODELMETER_OFFLINE": "1",
        "MODELMETER_DATABASE_URL": "",
    }


def psql_command(home: Path, database: Database) -> list[str]:
    """The embedded server's own psql, connected."""
    owner = database.owner
    program = clusters.programs(clusters.locate(home)) / "psql"
    return [str(program), "-h", owner.host, "-p", str(owner.port), "-U", owner.user, "-d", owner.dbname]


@contextmanager
def bench(home: Path, rows: int) -> Iterator[Bench]:
    """A bench whose database runs, is migrated and holds the price map's ledger and rate card."""
    small = generate(home / "input" / f"{rows}-dirty", rows, is_dirty=True)
    os.environ.update(environment(home, small))
    settings = Settings()
    with server.lease(settings.home) as running, open_workspace(settings) as workspace:
        with workspace.database.connect() as connection:
            connection.execute("truncate core.model_alias")
        refresh_prices(workspace)
        refresh_rate_card(workspace)
        (home / "ready.bin").unlink(missing_ok=True)
        yield Bench(home, rows, embedded_database(running), running.pid)
        (home / "ready.bin").unlink(missing_ok=True)


def chosen(rows: int, only: list[str], *, has_peers: bool) -> list[Contender]:
    """The contenders of a round, in order."""
    return [
        contender
        for contender in CONTENDERS
        if (not only or contender.name in only)
        and (has_peers or not contender.is_peer)
        and (contender.at_most is None or rows <= contender.at_most)
        and (contender.sample is None or contender.sample <= rows)
    ]
