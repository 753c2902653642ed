"""The progress of a board (`progress.py`) as a file: facts as JSON, frames as Arrow.

Of the last export of each scope, which the next is compared with, only its name is kept: the export itself is in the store of parsed
files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import date, datetime
from pathlib import Path

import numpy as np
import polars as pl
from pydantic import AwareDatetime, BaseModel, ConfigDict

from pipelines.benchmarks.compare import Group
from pipelines.benchmarks.coverage import Memory
from pipelines.benchmarks.cusum import SlowWatch
from pipelines.benchmarks.history import State
from pipelines.benchmarks.observation import Benchmark, BoardSnapshot, Contradiction, Observation
from pipelines.benchmarks.progress import FileFacts, Progress
from pipelines.benchmarks.scores import Said
from pipelines.benchmarks.significance import Waiting
from pipelines.landing.parse_cache import CachedParse, read_cached, write_cached
from pipelines.uncertainty import Floats

ReadAgain = Callable[[bytes], BoardSnapshot]
"""Reads the export with a snapshot id again. Raises LookupError where it has landed no more."""

_JSON = ConfigDict(ser_json_inf_nan="constants", ser_json_bytes="base64", val_json_bytes="base64")
_SAID = ("asserted", "closed", "items")
_WAITING = tuple(item.name for item in fields(Waiting))


class _Scope(BaseModel):
    """One scope: `State` without its frames, and whether drifts wait and a watch has begun."""

    model_config = _JSON

    name: str
    previous: tuple[bytes, AwareDatetime] | None
    epochs: list[tuple[Group, int]]
    listed: list[tuple[Group, int]]
    short: list[tuple[Group, tuple[AwareDatetime, int, frozenset[str]]]]
    redefined: list[tuple[Group, tuple[AwareDatetime, frozenset[str]]]]
    reported: list[Contradiction]
    has_waiting: bool
    has_watch: bool


class _Facts(BaseModel):
    model_config = _JSON

    files: dict[str, FileFacts]
    until: date
    benchmarks: dict[str, Benchmark]
    families: dict[date, str]
    tested: dict[date, int]
    scopes: list[_Scope]


def keep(path: Path, progress: Progress) -> None:
    """Keep `progress` for the next run."""
    frames = {
        "quarantine": progress.quarantine,
        "events": progress.events,
        "tests": pl.DataFrame({"p_value": np.concatenate([np.empty(0), *progress.tests.values()])}),
        **{name: getattr(progress.said, name) for name in _SAID},
    }
    scopes = [_scope(progress, name, number, frames) for number, name in enumerate(progress.states)]
    facts = _Facts(
        files=progress.files,
        until=progress.until,
        benchmarks=dict(progress.said.benchmarks),
        families=progress.families,
        tested={day: p_values.size for day, p_values in progress.tests.items()},
        scopes=scopes,
    )
    write_cached(path, CachedParse(facts.model_dump_json().encode(), frames))


def kept(path: Path, read: ReadAgain) -> Progress | None:
    """What is kept at `path`; None if nothing is, or nothing of today's shape."""
    entry = read_cached(path)
    if entry is None:
        return None
    try:
        return _progress(_Facts.model_validate_json(entry.facts), entry.frames, read)
    except (ValueError, LookupError, pl.exceptions.PolarsError):
        path.unlink(missing_ok=True)
        return None


def _scope(progress: Progress, name: str, number: int, frames: dict[str, pl.DataFrame]) -> _Scope:
    """The facts of a scope; puts its frames into `frames`."""
    state = progress.states[name]
    waiting, watch = progress.judging.pending.get(name), progress.judging.watches.get(name)
    own = {"believed": state.believed, "items": state.items}
    if waiting:
        own |= {f"waiting-{part}": getattr(waiting, part) for part in _WAITING}
    if watch:
        own |= {"series": watch.series, "correlations": watch.correlations}
    frames |= {f"{number}-{part}": frame for part, frame in own.items()}
    return _Scope(
        name=name,
        previous=(state.previous.snapshot_id, state.previous.observed_at) if state.previous else None,
        epochs=list(state.epochs.items()),
        listed=list(state.memory.listed.items()),
        short=list(state.memory.short.items()),
        redefined=list(state.redefined.items()),
        reported=sorted(state.reported, key=repr),
        has_waiting=waiting is not None,
        has_watch=watch is not None,
    )


def _progress(facts: _Facts, frames: Mapping[str, pl.DataFrame], read: ReadAgain) -> Progress:
    progress = Progress(
        files=facts.files,
        quarantine=frames["quarantine"],
        until=facts.until,
        said=Said(**{name: frames[name] for name in _SAID}, benchmarks=facts.benchmarks),
        tests=_tests(facts.tested, frames["tests"]),
        events=frames["events"],
        families=facts.families,
    )
    for number, scope in enumerate(facts.scopes):
        begin = f"{number}-"
        own = {name.removeprefix(begin): frame for name, frame in frames.items() if name.startswith(begin)}
        progress.states[scope.name] = _state(scope, own, read)
        if scope.has_waiting:
            progress.judging.pending[scope.name] = Waiting(*(own[f"waiting-{part}"] for part in _WAITING))
        if scope.has_watch:
            progress.judging.watches[scope.name] = SlowWatch(own["series"], own["correlations"])
    return progress


def _state(scope: _Scope, frames: Mapping[str, pl.DataFrame], read: ReadAgain) -> State:
    return State(
        believed=frames["believed"],
        previous=None if scope.previous is None else _observation(scope.name, *scope.previous, read),
        epochs=dict(scope.epochs),
        memory=Memory(dict(scope.listed), dict(scope.short)),
        redefined=dict(scope.redefined),
        reported=set(scope.reported),
        items=frames["items"],
    )


def _observation(scope: str, snapshot_id: bytes, at: datetime, read: ReadAgain) -> Observation:
    found = [item for item in read(snapshot_id).observations if (item.scope, item.observed_at) == (scope, at)]
    if not found:
        raise LookupError(f"an export does not speak of {scope} at {at} any more")
    return found[-1]


def _tests(sizes: Mapping[date, int], frame: pl.DataFrame) -> dict[date, Floats]:
    p_values, tests, start = frame["p_value"].to_numpy(), {}, 0
    for day, size in sizes.items():
        tests[day] = p_values[start : start + size]
        start += size
    return tests
