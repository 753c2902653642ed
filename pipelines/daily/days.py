"""The days of a run: a half-open window of UTC days, and which day of the landing zone is the newest.

No data is read here beyond the index of landed files. Steps that use a window are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from pipelines.landing import LandedFile


@dataclass(frozen=True)
class Window:
    """UTC days from `from_date` up to, not including, `to_date`."""

    from_date: date
    to_date: date

    def __post_init__(self) -> None:
        if self.to_date <= self.from_date:
            raise ValueError(f"an empty window: from {self.from_date} to {self.to_date} (the end is exclusive)")

    @classmethod
    def of_day(cls, day: date) -> Window:
        """The window of one day."""
        return cls(day, day + timedelta(days=1))

    @classmethod
    def joined(cls, days: Iterable[date]) -> list[Window]:
        """The windows that cover `days`, neighbouring days joined, so that each stretch is one pass."""
        windows: list[Window] = []
        for day in sorted(set(days)):
            if windows and windows[-1].to_date == day:
                windows[-1] = cls(windows[-1].from_date, day + timedelta(days=1))
            else:
                windows.append(cls.of_day(day))
        return windows

    @property
    def last_day(self) -> date:
        """The last day, inclusive."""
        return self.to_date - timedelta(days=1)

    @property
    def days(self) -> list[date]:
        """Every day of the window, in order."""
        return [self.from_date + timedelta(days=n) for n in range((self.to_date - self.from_date).days)]

    def __str__(self) -> str:
        return str(self.from_date) if len(self.days) == 1 else f"{self.from_date} to {self.last_day}"


FIRST_DAY = date(2023, 1, 1)
"""The first UTC day that a run can be for: the partitions of every table begin with it."""

EARLIEST_ARRIVAL = timedelta(days=2)
"""A day's rows, and the neighbours they may duplicate, can't be in a file that arrived more than two days earlier:
events later than their file's arrival day plus one are quarantined as event_after_arrival."""


def newest_day(files: list[LandedFile], event_dates: dict[bytes, list[date]]) -> date | None:
    """The day that a run without a date is for: the last day with events on or before the newest arrival day.

    A file of the newest arrival day may hold only late lines, or spill a few records into the next UTC day; neither
    makes that day the newest. `event_dates` maps snapshot ids to the days their rows fall on. None without files.
    """
    arrivals = [file.arrival_date for file in files if file.arrival_date is not None]
    if not arrivals:
        return None
    newest_arrival = max(arrivals)
    days = {day for file in files for day in event_dates.get(file.snapshot_id, []) if day <= newest_arrival}
    return max(days, default=None)
