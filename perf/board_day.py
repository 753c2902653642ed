"""What one new export of a board costs a whole run when a year of exports lies behind it: the stages of boards and of the report."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

from perf.bench import Say, environment
from perf.day import run_day
from perf.generate import Dataset, generate
from pipelines.sample.boards import lmarena_json
from pipelines.settings import Settings
from pipelines.warehouse import server

_REQUESTS, _SEED = 3_000, 20250101
STAGES = ("core_benchmark", "report.html")


def measure_board_day(home: Path, exports: int, rounds: int, say: Say) -> dict[str, Any]:
    """Runs of `modelmeter daily` on a small day, each with one export more than the run before; the first reads all `exports`."""
    home = home / "board-day"
    shutil.rmtree(home, ignore_errors=True)
    data = generate(home / "input", _REQUESTS, is_dirty=True, has_people=True)
    sources = data.root / "config" / "sources.yaml"
    sources.write_text(
        sources.read_text().replace("leaderboards: []", "leaderboards: [{board: arena, format: lmarena}]")
    )
    settings = {**environment(home, data), "MODELMETER_REPORTS": str(home / "reports")}
    os.environ.update(settings)
    runs = []
    with server.lease(Settings().home) as running:
        for number in range(rounds + 1):
            _land(data, range(exports) if number == 0 else [exports + number - 1], exports + rounds)
            stages = run_day(data, settings, running.pid)
            runs.append({"load_before": os.getloadavg()[0], "stages": [asdict(stage) for stage in stages]})
            said = "; ".join(f"{s.name} {s.cpu_s + s.server_cpu_s:.2f} s" for s in stages if s.name in STAGES)
            say(f"{exports + number:,} exports, {'all' if number == 0 else 'one'} of them new, of a processor: {said}")
    return {"exports": exports, "first": runs[0], "one_more": runs[1:]}


def _land(data: Dataset, numbers: Iterable[int], count: int) -> None:
    folder = data.root / "landing" / "leaderboards" / "arena"
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        day = data.days[0] - timedelta(days=count - number)
        (folder / f"{day}.json").write_bytes(lmarena_json(day, _SEED))


def board_day_table(found: dict[str, Any]) -> str:
    """Processor seconds and seconds on the clock of the two stages, and of both."""
    lines = [
        (
            f"`modelmeter daily` on a day of 3,000 requests over {found['exports']} exports of a board, with one more in each of {len(found['one_more'])} rounds; "
            f"on {found['date']}, load average {max(run['load_before'] for run in found['one_more']):.1f}. Medians; run and server together."
        ),
        "",
        "| stage | one more: cpu s | wall s | first reading: cpu s |",
        "|---|---|---|---|",
    ]
    rows = {name: [_of(run, [name]) for run in (*found["one_more"], found["first"])] for name in STAGES}
    rows["**both**"] = [_of(run, STAGES) for run in (*found["one_more"], found["first"])]
    for name, figures in rows.items():
        cpu, wall = (median(figure[place] for figure in figures[:-1]) for place in (0, 1))
        lines.append(f"| {name} | {cpu:.2f} | {wall:.2f} | {figures[-1][0]:.1f} |")
    return "\n".join(lines)


def _of(run: dict[str, Any], names: Sequence[str]) -> tuple[float, float]:
    stages = [stage for stage in run["stages"] if stage["name"] in names]
    return sum(s["cpu_s"] + s["server_cpu_s"] for s in stages), sum(s["wall_s"] for s in stages)
