"""What the caller passes to the report because it is not in the warehouse: checks, states of feeds, whether all is synthetic.

Plain data only. `collect.py` holds what the report reads itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pipelines.config.routing import RoutingConfig
from pipelines.finops.report.tables import Link


@dataclass(frozen=True)
class CheckLine:
    """One check of the run. `passed` is None if it could not be evaluated; `detail` is what was checked or found, in words."""

    name: str
    passed: bool | None
    severity: str
    detail: str = ""


@dataclass(frozen=True)
class FeedLine:
    """What the run's fetch knows about one feed or board; `kind` is prices or leaderboards."""

    name: str
    kind: str
    observed_at: datetime | None
    is_stale: bool | None
    outcome: str = ""


@dataclass(frozen=True)
class Failure:
    """A step or a section that failed, and why, in words that may be shown."""

    what: str
    reason: str


@dataclass(frozen=True)
class StaleTable:
    """A table that the run did not make for the day; `made_at` is when the rows that stand there were made, if ever."""

    table: str
    made_at: datetime | None


@dataclass(frozen=True)
class Incomplete:
    """What a run that failed has left undone."""

    failures: Sequence[Failure] = ()
    stale: Sequence[StaleTable] = ()

    def lacks(self, table: str) -> bool:
        """Whether the rows of `table` are of an earlier run, or were never made."""
        return any(item.table == table for item in self.stale)


@dataclass(frozen=True)
class ReportContext:
    """The surroundings of one report. Without checks the report states that it has none.

    `routing` are the policies whose routes an event may touch. `incomplete` is what the run has left undone; None if it
    made everything. `links` lead to the pages around it. `mark` is of the days that the page rests on (`outdated.py`).
    """

    is_sample: bool = False
    checks: Sequence[CheckLine] = ()
    feeds: Sequence[FeedLine] = ()
    routing: RoutingConfig = field(default_factory=RoutingConfig)
    incomplete: Incomplete | None = None
    links: Sequence[Link] = ()
    mark: str = ""
