"""What one new file costs when a year of daily price maps, or of exports of a board, lies behind it.

A year is landed and read once. Then, round after round, one more file is landed, and the steps that read it run in a process of
their own. At the end everything that was kept of files that were judged is deleted, and the same steps begin anew: the tables must
be the same.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from perf.bench import Say
from perf.generate import offers
from perf.measure import Run, RunError, run
from pipelines.daily import refresh_benchmarks, refresh_price_history, refresh_prices, refresh_rate_card
from pipelines.sample.boards import lmarena_json
from pipelines.sample.draws import Draws
from pipelines.settings import Settings
from pipelines.warehouse import server
from pipelines.warehouse.database import Database, embedded_database
from pipelines.workspace import open_workspace

KINDS = ("prices", "leaderboards")
_FIRST_DAY = date(2025, 1, 1)
_FILES = {"prices": 365, "leaderboards": 399}
_STEPS = {
    "prices": {
        "core_price": refresh_prices,
        "core_rate_card": refresh_rate_card,
        "price_history": refresh_price_history,
    },
    "leaderboards": {"core_benchmark": refresh_benchmarks},
}
_TABLES = {
    "prices": (
        "core.price",
        "core.rate_card",
        "core.model",
        "mart.price_change",
        "mart.price_conflict",
        "raw.snapshot",
    ),
    "leaderboards": ("core.benchmark_score", "mart.benchmark_drift", "mart.benchmark_gap", "raw.snapshot"),
}
_SOURCES = {
    "prices": "prices: [{feed: map, format: litellm_map, precedence: 10}]\nrequests: []\nleaderboards: []\n",
    "leaderboards": "prices: []\nrequests: []\nleaderboards: [{board: arena, format: lmarena}]\n",
}
_NEWCOMER_DAYS, _SEED = 10, 20250101


def measure_year(home: Path, kind: str, models: int, rounds: int, say: Say) -> dict[str, Any]:
    """Runs of the steps of one kind of file over a year of them, each with one more; `models` is the size of a price map."""
    home = home / "year" / f"{kind}-{models}"
    shutil.rmtree(home, ignore_errors=True)
    (home / "config").mkdir(parents=True)
    (home / "config" / "sources.yaml").write_text(_SOURCES[kind])
    settings = {
        "MODELMETER_HOME": str(home / "home"),
        "MODELMETER_LANDING": str(home / "landing"),
        "MODELMETER_CONFIG": str(home / "config"),
        "MODELMETER_OFFLINE": "1",
        "MODELMETER_DATABASE_URL": "",
    }
    os.environ.update(settings)
    command = [sys.executable, "-m", "perf.year", kind]
    for number in range(_FILES[kind]):
        _land(home, kind, models, number)
    with server.lease(Settings().home) as running:
        database = embedded_database(running)
        first = run(command, settings, running.pid)
        say(f"{_FILES[kind]} {kind} of {models} models, nothing read: {first.answer['cpu_s']:.1f} s of a processor")
        more = []
        for number in range(rounds):
            _land(home, kind, models, _FILES[kind] + number)
            more.append(run(command, settings, running.pid))
            say(f"one more: {more[-1].answer['cpu_s']:.2f} s of a processor, {more[-1].peak_mb:.0f} MB")
        before = _checksums(database, kind)
        for kept in (home / "home" / "parsed").rglob("state.zip"):
            kept.unlink()
        anew = run(command, settings, running.pid)
        if _checksums(database, kind) != before:
            raise RunError(f"{kind}: other tables than those of a run that begins anew")
    return {"kind": kind, "models": models, "files": _FILES[kind], **_runs(first, more, anew)}


def _runs(first: Run, more: list[Run], anew: Run) -> dict[str, Any]:
    return {"first": first.as_dict(), "one_more": [one.as_dict() for one in more], "anew": anew.as_dict()}


def _land(home: Path, kind: str, models: int, number: int) -> None:
    day = _FIRST_DAY + timedelta(days=number)
    folder = home / "landing" / kind / {"prices": "map", "leaderboards": "arena"}[kind]
    folder.mkdir(parents=True, exist_ok=True)
    content = _map(models, number) if kind == "prices" else lmarena_json(day, _SEED)
    (folder / f"{day}.json").write_bytes(content)


def _map(models: int, number: int) -> bytes:
    """LiteLLM's map on day `number`: one price moves each day, and a model comes every ten days."""
    moved = Draws(_SEED, "moved").below(models, number + 1)
    sold = offers()
    entries = {}
    for place in range(models + number // _NEWCOMER_DAYS):
        offer, edition = sold[place % len(sold)], place // len(sold)
        steps = int((moved == place).sum())
        entries[f"{offer.litellm_key}-e{edition}" if edition else offer.litellm_key] = {
            "litellm_provider": offer.seller,
            "mode": "chat",
            "input_cost_per_token": _usd(offer.input * (100 + 5 * steps) / 100),
            "output_cost_per_token": _usd(offer.output),
            **({} if offer.cached is None else {"cache_read_input_token_cost": _usd(offer.cached)}),
        }
    return json.dumps(entries, indent=1).encode()


def _usd(per_million: Decimal) -> float:
    return float(per_million / 10**6)


def _job(kind: str) -> dict[str, Any]:
    """Run the steps; what they took without the start of the process."""
    steps = {}
    with open_workspace(Settings()) as workspace:
        begun, used = time.perf_counter(), time.process_time()
        for name, step in _STEPS[kind].items():
            before = time.process_time()
            step(workspace)
            steps[name] = time.process_time() - before
        return {"wall_s": time.perf_counter() - begun, "cpu_s": time.process_time() - used, "steps": steps}


def _checksums(database: Database, kind: str) -> dict[str, Any]:
    """Rows and checksum of each table that the steps write."""
    with database.connect(read_only=True) as connection:
        return {
            table: connection.execute(
                f"select count(*), md5(coalesce(string_agg(md5(t::text), '' order by md5(t::text)), '')) from {table} as t"
            ).fetchone()
            for table in _TABLES[kind]
        }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_job(sys.argv[1])) + "\n")
