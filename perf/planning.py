"""`python -m perf.planning`: how good forecasts, days of crossing and anomalies are, as the tables of docs/planning.md.

Series and incidents are drawn from seeds (`tests/unit/planning/traffic.py`, `companies.py`); with `--traces FOLDER` two public traces of real
arrivals are judged too. Nothing is timed here: the same code gives the same figures.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from pipelines.planning.forecast import Foresight, History, foresee
from pipelines.planning.smoothing import WEEK, Floats
from tests.unit.planning.companies import JUDGED_FROM, TEAMS, found
from tests.unit.planning.traffic import KINDS, MONDAY, drawn

SERIES = 120
CASES = ((14, 14), (28, 10), (60, 25), (110, 30))
"""Days of history, and days ahead that are foreseen."""
CROSSINGS = ((28, 30), (60, 30), (110, 30))
_CROSSED_AT = 0.9
"""Share of what the days ahead came to that the budgets of the second table hold."""
_NAMES = {
    "steady": "steady, with weekdays",
    "wandering": "drifting by 4 % a day",
    "sticky": "sticky (a deviation lasts for days)",
    "growing": "growing by 0.7 % a day",
    "spiky": "spiky (4 % of the days up to many times as expensive)",
    "heavy": "noisy with heavy tails",
    "steps": "in steps (a new level every 60 days)",
}
INCIDENTS = ((1.5, 2.0), (2.0, 3.0), (3.0, 6.0))
"""Times of a team's spend."""
_DAYS = 100
_COMPANIES = 80

Draw = Callable[[int], Floats]
"""(days, series) of a number of days."""


def main() -> None:
    """Print the four tables."""
    parser = argparse.ArgumentParser(prog="python -m perf.planning", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--traces",
        type=Path,
        help="a folder with AzureLLMInferenceTrace_code.csv and mooncake_conversation_trace.jsonl.gz",
    )
    folder = parser.parse_args().traces
    kinds = {_NAMES[kind]: _drawn(kind) for kind in KINDS} | (traces(folder) if folder else {})
    _print(
        ("spend that is", "seasonal-naive", "modelmeter", "in 95 %", "in 50 %"),
        (forecasts(*kind) for kind in kinds.items()),
    )
    _print(
        ("spend that is", "seasonal-naive, days", "modelmeter, days", "in 95 %"),
        (crossings(*kind) for kind in kinds.items()),
    )
    _print(
        ("incident", "recall on the first day", "recall while it lasts", "precision"),
        (incidents(*times) for times in INCIDENTS),
    )
    _print(
        ("days on which nothing is wrong", "events on 100 of them, all series together"),
        (quiet(kind) for kind in KINDS),
    )


def _drawn(kind: str) -> Draw:
    return lambda days: drawn(kind, days, SERIES)


def traces(folder: Path) -> dict[str, Draw]:
    """Real arrivals in short steps in place of days: each series is a piece of the trace that begins elsewhere."""
    with (folder / "AzureLLMInferenceTrace_code.csv").open(encoding="utf-8", newline="") as file:
        azure = [
            (
                datetime.fromisoformat(row["TIMESTAMP"][:26]).timestamp(),
                int(row["ContextTokens"]) + int(row["GeneratedTokens"]),
            )
            for row in csv.DictReader(file)
        ]
    with gzip.open(folder / "mooncake_conversation_trace.jsonl.gz", "rt", encoding="utf-8") as lines:
        calls = [json.loads(line) for line in lines]
    mooncake = [(call["timestamp"] / 1000, call["input_length"] + call["output_length"]) for call in calls]
    return {"Azure code trace": _pieces(_steps(azure, 10)), "Mooncake trace": _pieces(_steps(mooncake, 15))}


def _steps(calls: Sequence[tuple[float, int]], seconds: int) -> Floats:
    """Tokens by step; the last step, which is not whole, is left out."""
    at = np.array([instant for instant, _ in calls])
    step = ((at - at.min()) // seconds).astype(np.int64)
    return np.bincount(step, weights=[tokens for _, tokens in calls])[:-1].astype(np.float64)


def _pieces(steps: Floats) -> Draw:
    def draw(days: int) -> Floats:
        starts = np.linspace(0, len(steps) - days, SERIES).astype(np.int64)
        return np.stack([steps[start : start + days] for start in starts], axis=1)

    return draw


def forecasts(name: str, draw: Draw) -> list[str]:
    """Error of what remains of a period as a share of it, of seasonal-naive and ours, and how often it lay in the intervals."""
    ours = naive = whole = 0.0
    inside: list[list[float]] = [[], []]
    for days, ahead in CASES:
        y = draw(days + ahead)
        seen, actual = _foreseen(y, days, ahead), y[days:].sum(axis=0)
        ours += float(np.abs(seen.sums[-1] - actual).mean() / actual.mean())
        naive += float(np.abs(_last_week(y, days, ahead)[-1] - actual).mean() / actual.mean())
        whole += 1
        for which, tail in enumerate((0.025, 0.25)):
            low, high = seen.quantile(tail)[-1], seen.quantile(1 - tail)[-1]
            inside[which].append(float(np.mean((low <= actual) & (actual <= high))))
    return [name, f"{naive / whole:.1%}", f"{ours / whole:.1%}", *(f"{np.mean(shares):.0%}" for shares in inside)]


def crossings(name: str, draw: Draw) -> list[str]:
    """Error of the day on which an amount is crossed, and how often it lay between the days of the 95 % interval."""
    ours, naive, inside = [], [], []
    for days, ahead in CROSSINGS:
        y = draw(days + ahead)
        seen = _foreseen(y, days, ahead)
        actual = np.vstack([np.zeros((1, y.shape[1])), np.cumsum(y[days:], axis=0)])
        amount = _CROSSED_AT * actual[-1]
        day = _crossed(actual, amount)
        ours.append(np.abs(_crossed(seen.sums, amount) - day).mean())
        naive.append(np.abs(_crossed(_last_week(y, days, ahead), amount) - day).mean())
        early, late = _crossed(seen.quantile(0.975), amount), _crossed(seen.quantile(0.025), amount)
        inside.append(np.mean((early <= day) & (day <= late)))
    return [name, f"{np.mean(naive):.2f}", f"{np.mean(ours):.2f}", f"{np.mean(inside):.0%}"]


def incidents(low: float, high: float) -> list[str]:
    """One team at `low` to `high` times its spend for one to five days, in each of 80 companies."""
    rng = np.random.default_rng(5)
    first = during = wrong = 0
    for seed in range(_COMPANIES):
        teams = drawn("steady", _DAYS, len(TEAMS), seed)
        team, day, days = int(rng.integers(len(TEAMS))), int(rng.integers(50, 90)), int(rng.integers(1, 6))
        teams[day : day + days, team] *= rng.uniform(low, high)
        span = [MONDAY + timedelta(days=day + n) for n in range(days)]
        opened = [(event.key == ("team", TEAMS[team]), event.opened_on) for event in found(teams)]
        right = [when for is_team, when in opened if is_team and when in span]
        first += span[0] in right
        during += bool(right)
        wrong += len(opened) - len(right)
    precision = during / (during + wrong)
    return [
        f"{low:g} to {high:g} times a team's spend",
        f"{first / _COMPANIES:.0%}",
        f"{during / _COMPANIES:.0%}",
        f"{precision:.0%}",
    ]


def quiet(kind: str) -> list[str]:
    """Events of companies at which nothing happens, on 100 days."""
    alarms = sum(len(found(drawn(kind, _DAYS, len(TEAMS), seed))) for seed in range(_COMPANIES))
    return [_NAMES[kind], f"{100 * alarms / (_COMPANIES * (_DAYS - JUDGED_FROM)):.2f}"]


def _foreseen(y: Floats, days: int, ahead: int) -> Foresight:
    return foresee(History(MONDAY, y[:days]), MONDAY + timedelta(days=days - 1), ahead)


def _last_week(y: Floats, days: int, ahead: int) -> Floats:
    """Running sums of the last week, repeated."""
    week = np.tile(y[days - WEEK : days], (ahead // WEEK + 1, 1))[:ahead]
    return np.vstack([np.zeros((1, y.shape[1])), np.cumsum(week, axis=0)])


def _crossed(sums: Floats, amount: Floats) -> Floats:
    reached = sums >= amount
    return np.where(reached.any(axis=0), reached.argmax(axis=0), len(sums)).astype(np.float64)


def row_text(row: Sequence[str]) -> str:
    """A row as a line of Markdown."""
    return f"| {' | '.join(re.sub(r'(?<=[0-9])%', ' %', text) for text in row)} |"


def _print(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    print(f"{row_text(columns)}\n|{'---|' * len(columns)}")
    for row in rows:
        print(row_text(row), flush=True)
    print()


if __name__ == "__main__":
    main()
