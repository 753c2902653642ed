"""Keeps how far a board came between runs: exports that were judged once are neither read nor judged again.

The walk, the tests and the events are functions of the exports in the order of observation, so what is known after some of them is
all that the next ones need. Kept is what was known before the newest day: its tests may still grow by other boards. An export that
lies before what was kept, another set of files or other tests on one of its days begin the board anew.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from pipelines.benchmarks.board_cache import DECIDES
from pipelines.benchmarks.drift import events_of
from pipelines.benchmarks.history import States, Step, advance, in_order
from pipelines.benchmarks.observation import BoardSnapshot
from pipelines.benchmarks.scores import Said
from pipelines.benchmarks.significance import DayTests, Judging, day_tests
from pipelines.config.sources import Leaderboard
from pipelines.landing import LandedFile
from pipelines.landing.parse_cache import cache_folder
from pipelines.warehouse.tables.mart_benchmarks import BENCHMARK_DRIFT
from pipelines.warehouse.tables.raw import QUARANTINE

Read = Callable[[LandedFile], BoardSnapshot]


@dataclass(frozen=True)
class FileFacts:
    """What the tables say of a file that was read: its records, those set aside, and by which reader."""

    lines: int
    set_aside: int
    parser_version: str


@dataclass
class Progress:
    """What is known of a board after the exports of its first days."""

    files: dict[str, FileFacts] = field(default_factory=dict)
    """By `name_of`."""
    quarantine: pl.DataFrame = field(default_factory=QUARANTINE.empty)
    until: date = date.min
    """The last day of these exports."""
    states: States = field(default_factory=dict)
    said: Said = field(default_factory=Said)
    tests: DayTests = field(default_factory=dict)
    judging: Judging = field(default_factory=Judging)
    events: pl.DataFrame = field(default_factory=BENCHMARK_DRIFT.empty)
    families: dict[date, str] = field(default_factory=dict)
    """Of each day on which these exports were judged, a hash of the tests of all boards."""


@dataclass
class Course:
    """A board from what was kept of it to its newest export, before the tests of all boards are at hand."""

    start: Progress
    early: Sequence[BoardSnapshot]
    """Exports that will be kept with `start`."""
    late: Sequence[BoardSnapshot]

    def __post_init__(self) -> None:
        states = self.start.states
        self._early = advance(states, in_order(self.early))
        self._states = copy.deepcopy(states) if self.early else states
        self._late = advance(states, in_order(self.late))
        self._said = self.start.said.then(self._early)
        self.said = self._said.then(self._late)
        self._tests = {**self.start.tests, **day_tests([self._early])}
        self.tests: DayTests = {**self._tests, **day_tests([self._late])}
        self.files = {**self.start.files, **_facts([*self.early, *self.late])}
        self.quarantine = pl.concat([self.start.quarantine, *(item.quarantine for item in [*self.early, *self.late])])

    @property
    def history(self) -> tuple[Step, ...]:
        """The steps of the exports that were walked through now."""
        return (*self._early, *self._late)

    def is_judged_alike(self, family: DayTests) -> bool:
        """Whether `family`, the tests of all boards, are those with which the exports before were judged."""
        return all(_hash(family, day) == known for day, known in self.start.families.items())

    def judged(self, board: str, family: DayTests) -> tuple[pl.DataFrame, Progress | None]:
        """See `judge`."""
        judging = self.start.judging
        events = pl.concat([self.start.events, events_of(board, judging.decide(self._early, family))])
        kept = self._progress(events, copy.deepcopy(judging), family) if self.early else None
        return pl.concat([events, events_of(board, judging.decide(self._late, family))]), kept

    def _progress(self, events: pl.DataFrame, judging: Judging, family: DayTests) -> Progress:
        days = {step.observation.observed_at.date() for step in self._early}
        return Progress(
            {**self.start.files, **_facts(self.early)},
            pl.concat([self.start.quarantine, *(item.quarantine for item in self.early)]),
            max(_last_day(item) for item in self.early),
            self._states,
            self._said,
            self._tests,
            judging,
            events,
            {**self.start.families, **{day: _hash(family, day) for day in days}},
        )


def judge(board: Leaderboard, course: Course, family: DayTests) -> tuple[pl.DataFrame, Progress | None]:
    """The events of the board with no model_id, and what to keep for the next run: None if that is what was kept before.

    `family` are the tests of all boards. Once per course.
    """
    return course.judged(board.board, family)


def course(files: Sequence[LandedFile], kept: Progress | None, newest: date, read: Read) -> Course:
    """The board with the exports `files`; it goes on from `kept` where these come after what is kept.

    `newest` is the newest day of any board.
    """
    names = {name_of(file): file for file in files}
    if kept is not None and kept.files.keys() <= names.keys():
        fresh = [read(file) for name, file in names.items() if name not in kept.files]
        if all(_first_day(item) > kept.until and not _is_pooled(item) for item in fresh):
            return Course(kept, *_parted(fresh, newest))
    return Course(Progress(), *_parted([read(file) for file in files], newest))


def _parted(snapshots: Sequence[BoardSnapshot], newest: date) -> tuple[list[BoardSnapshot], list[BoardSnapshot]]:
    """The exports before the day `newest`, and the others; all are others where an export reaches into both or into another one's past."""
    early = [item for item in snapshots if _last_day(item) < newest]
    late = [item for item in snapshots if _last_day(item) >= newest]
    until = max((_last_day(item) for item in early), default=date.min)
    if any(_first_day(item) <= until for item in late) or any(map(_is_pooled, snapshots)):
        return [], list(snapshots)
    return early, late


def _is_pooled(snapshot: BoardSnapshot) -> bool:
    """Whether it is one run of several, which are looked at together."""
    return any(item.submission for item in snapshot.observations)


def _first_day(snapshot: BoardSnapshot) -> date:
    return min([item.observed_at.date() for item in snapshot.observations] or [snapshot.file.observed_at.date()])


def _last_day(snapshot: BoardSnapshot) -> date:
    return max([item.observed_at.date() for item in snapshot.observations] or [snapshot.file.observed_at.date()])


def _facts(snapshots: Iterable[BoardSnapshot]) -> dict[str, FileFacts]:
    return {
        name_of(item.file): FileFacts(item.lines, item.quarantine.height, item.parser_version) for item in snapshots
    }


def name_of(file: LandedFile) -> str:
    """Everything about a file that its reading depends on."""
    return f"{file.snapshot_id.hex()} {file.observed_at.isoformat()} {file.url or ''}"


def _hash(family: DayTests, day: date) -> str:
    return hashlib.sha256(np.sort(family.get(day, np.empty(0))).tobytes()).hexdigest()


def progress_path(board: Leaderboard, store: Path) -> Path:
    """Where the progress of a board is kept, as it is read and judged today."""
    declared: Mapping[str, object] = board.model_dump(mode="json")
    return cache_folder(store, "leaderboards/progress", declared, *DECIDES, "pipelines.ids") / "state.zip"
