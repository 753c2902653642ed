"""`python -m perf`: generate, measure, write `results.json` and `results.md`.

Sizes are measured one after the other and kept in `results.json` until they are measured again.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from perf.bench import bench, chosen, install_peers, peer_versions
from perf.board_day import measure_board_day
from perf.books import measure_books
from perf.contenders import BY_NAME
from perf.day import measure_day
from perf.growth import DAY_ROWS, measure_growth
from perf.growth import SIZES as GROWTH_SIZES
from perf.history import SIZES, measure_history
from perf.measure import ROOT, RunError, machine
from perf.table import results_page
from perf.year import measure_year

RESULTS = ROOT / "perf" / "results.json"
PAGE = ROOT / "perf" / "results.md"
_BEHIND = 30


def main() -> None:
    """Measure the sizes named on the command line."""
    options = _options()
    has_peers = bool(options.rows) and install_peers(_say)
    results: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"sizes": {}}
    results["machine"] = machine()
    own = {name: version(name) for name in ("polars", "pgpq", "psycopg")}
    peers = peer_versions() if has_peers else {}
    results["versions"] = {**results.get("versions", {}), "Python": sys.version.split()[0], **own, **peers}
    for rows, rounds in zip(options.rows, options.rounds[: len(options.rows)], strict=True):
        results["sizes"][str(rows)] = _measure(options, rows, rounds, has_peers=has_peers, results=results)
        _write(results)
    for rows in options.day:
        day = measure_day(options.home, rows, options.rounds[0], _say)
        results.setdefault("days", {})[str(rows)] = {"date": datetime.now(UTC).date().isoformat(), **day}
        _write(results)
    for rows in options.behind:
        day = measure_day(options.home, rows, options.rounds[0], _say, behind=_BEHIND)
        results.setdefault("behind", {})[str(rows)] = {"date": datetime.now(UTC).date().isoformat(), **day}
        _write(results)
    for exports in options.board_day:
        found = measure_board_day(options.home, exports, options.rounds[0], _say)
        results["board_day"] = {"date": datetime.now(UTC).date().isoformat(), **found}
        _write(results)
    for kind, models in [("prices", models) for models in options.maps] + [("leaderboards", 0)] * options.boards:
        year = measure_year(options.home, kind, models, options.rounds[0], _say)
        results.setdefault("years", {})[f"{kind} {models}"] = {"date": datetime.now(UTC).date().isoformat(), **year}
        _write(results)
    for charges in options.books:
        books = measure_books(options.home, charges, _say)
        results.setdefault("books", {})[str(charges)] = {"date": datetime.now(UTC).date().isoformat(), **books}
        _write(results)
    if options.history:
        results["history"] = {
            "date": datetime.now(UTC).date().isoformat(),
            "sizes": measure_history(options.home, options.history, _say),
        }
        _write(results)
    if options.growth is not None:
        results["growth"] = {"date": datetime.now(UTC).date().isoformat(), "sizes": []}
        for found in measure_growth(options.home, options.growth or list(GROWTH_SIZES), options.growth_day, _say):
            results["growth"]["sizes"].append(found)
            _write(results)


def _write(results: dict[str, Any]) -> None:
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    PAGE.write_text(results_page(results))
    _say(f"written: {PAGE.relative_to(ROOT)}")


def _measure(
    options: argparse.Namespace, rows: int, rounds: int, *, has_peers: bool, results: dict[str, Any]
) -> dict[str, Any]:
    runs: dict[str, list[dict[str, Any]]] = defaultdict(list)
    contenders = chosen(rows, options.only, has_peers=has_peers)
    with bench(options.home, rows) as ground:
        results["versions"]["Postgres"] = ground.server_version
        for number in range(rounds):
            for contender in contenders:
                try:
                    found = ground.measure(contender)
                except RunError as error:
                    _say(f"{contender.label}: left out, {error}")
                    continue
                runs[contender.name].append(found.as_dict())
                _say(f"{rows:,} lines, round {number + 1} of {rounds}: {contender.label}: {found.wall_s:.2f} s")
        size = ground.dirty.lines.stat().st_size / rows
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "rounds": rounds,
        "bytes_per_line": size,
        "runs": dict(runs),
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m perf", description=__doc__)
    parser.add_argument(
        "--rows", type=int, action="append", help="lines of input; may be given more than once (200000)"
    )
    parser.add_argument(
        "--rounds", type=int, action="append", help="runs of each contender (3); given as often as --rows, one for each"
    )
    parser.add_argument(
        "--history",
        type=int,
        nargs="*",
        help=f"rows of history over which a day's spend and mart are measured (without a number: {SIZES})",
    )
    parser.add_argument(
        "--growth",
        type=int,
        nargs="*",
        help=f"requests of history over which a whole day is measured, stage by stage (without a number: {GROWTH_SIZES})",
    )
    parser.add_argument(
        "--growth-day", type=int, default=DAY_ROWS, help=f"lines of each day of that history ({DAY_ROWS})"
    )
    parser.add_argument(
        "--day",
        type=int,
        action="append",
        default=[],
        help="lines of a day that the whole of `modelmeter daily` is measured on, by stage; may be given more than once",
    )
    parser.add_argument(
        "--behind",
        type=int,
        action="append",
        default=[],
        help=f"lines of a day that the whole of `modelmeter daily` is measured on with {_BEHIND} copies of the day before it",
    )
    parser.add_argument(
        "--board-day",
        type=int,
        action="append",
        default=[],
        help="exports of a board: a whole run with one new export over them, boards and report",
    )
    parser.add_argument(
        "--maps",
        type=int,
        action="append",
        default=[],
        help="models in a price map: one new map over a year of daily ones; may be given more than once",
    )
    parser.add_argument("--boards", action="store_true", help="one new export of a board over 399 of them")
    parser.add_argument(
        "--books",
        type=int,
        action="append",
        default=[],
        help="charges in a year: one day is built over it, and closed months are compared with it; may be given more than once",
    )
    parser.add_argument(
        "--only", action="append", default=[], choices=sorted(BY_NAME), help="measure only this; may be repeated"
    )
    parser.add_argument(
        "--home", type=Path, default=ROOT / ".modelmeter-perf", help="where input and database are kept"
    )
    options = parser.parse_args()
    is_other = (
        options.history is not None
        or options.growth is not None
        or options.day
        or options.behind
        or options.board_day
        or options.maps
        or options.boards
        or options.books
    )
    options.rows = options.rows or ([] if is_other else [200_000])
    options.rounds = options.rounds or [3]
    if len(options.rounds) == 1:
        options.rounds *= max(1, len(options.rows))
    if len(options.rounds) != max(1, len(options.rows)):
        parser.error(
            f"--rounds is given {len(options.rounds)} times, --rows {len(options.rows)} times: once, or as often"
        )
    options.history = list(SIZES) if options.history == [] else options.history
    options.home = options.home.resolve()
    return options


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
