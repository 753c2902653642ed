"""The interface of every source that is asked window by window: APIs (`api.py`) and databases (`database_rows.py`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

from pipelines.config.pull import ApiPull, SqlPull
from pipelines.pull.landed import Packing, Page
from pipelines.pull.windows import FIRST_DAYS, Bounds, Plan, Window, seconds


class PullError(Exception):
    """A source can't be pulled. The message is safe to show: it holds no secret and nothing of an answer."""


class Reader(Protocol):
    """A source that is asked window by window."""

    @property
    def packing(self) -> Packing:
        """How its pages become a file."""
        ...

    @property
    def bounds(self) -> Bounds:
        """How positions of its windows are written."""
        ...

    @property
    def place(self) -> str:
        """Where the source is, safe to show."""
        ...

    def said_at(self, record: object) -> str | None:
        """The instant or the number that a record states; None if it states none."""
        ...

    @property
    def minutes(self) -> float:
        """How long a run may take for one report."""
        ...

    @property
    def reports(self) -> Sequence[str]:
        """The names of what is asked for separately."""
        ...

    @property
    def calls(self) -> int:
        """How often the source was asked so far."""
        ...

    def plan(self, now: datetime) -> Plan:
        """Which windows may be asked for at an instant."""
        ...

    def unread(self) -> str | None:
        """What no window can hold, in words; None if there is nothing such. Raises PullError."""
        ...

    def pages(self, report: str, window: Window, /) -> Iterator[Page]:
        """The pages of a window. Raises FetchError or PullError; then the window is incomplete."""
        ...


def time_plan(
    pull: ApiPull | SqlPull,
    now: datetime,
    *,
    look_back_days: int,
    whole_days: bool = False,
    oldest_days: int | None = None,
) -> Plan:
    """The windows of a source that is asked for pieces of time; the look-back is that of the declaration, if it names one."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    since = None if pull.since is None else seconds(datetime(*pull.since.timetuple()[:3], tzinfo=UTC))
    days = look_back_days if pull.look_back_days is None else pull.look_back_days
    return Plan(
        first=since if since is not None else seconds(today - timedelta(days=FIRST_DAYS)),
        until=seconds(today if whole_days else now),
        width=(24 if whole_days else pull.window_hours) * 3600,
        look_back=days * 86400,
        since=since,
        oldest=None if oldest_days is None else seconds(today - timedelta(days=oldest_days)),
    )
