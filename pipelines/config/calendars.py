"""Schema of `calendars.yaml`: days on which prices for working days do not hold.

What a window of the day is, and how it names a calendar, is in `pipelines.prices.windows`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cached_property

from pydantic import ConfigDict, Field, field_validator

from pipelines.config.declaration import Declaration
from pipelines.config.mistakes import KeyMistake


class Calendars(Declaration):
    """The whole of `calendars.yaml`: by name, lists of days or of periods `2026-02-15/2026-02-23`, both ends included."""

    model_config = ConfigDict(ignored_types=(cached_property,))

    calendars: dict[str, tuple[str | date, ...]] = Field(default_factory=dict)

    @field_validator("calendars")
    @classmethod
    def _can_be_read(cls, value: dict[str, tuple[str | date, ...]]) -> dict[str, tuple[str | date, ...]]:
        for name, periods in value.items():
            for number, period in enumerate(periods):
                try:
                    _days(period)
                except ValueError as error:
                    raise KeyMistake((name, number), str(error)) from error
        return value

    @cached_property
    def days(self) -> Mapping[str, frozenset[date]]:
        """Every day of each calendar."""
        return {name: frozenset(day for p in periods for day in _days(p)) for name, periods in self.calendars.items()}


def _days(period: str | date) -> list[date]:
    first, _, last = str(period).partition("/")
    try:
        start, end = date.fromisoformat(first), date.fromisoformat(last or first)
    except ValueError as error:
        raise ValueError(f"found {period!r}, accepted is a day or two days such as 2026-02-15/2026-02-23") from error
    if end < start:
        raise ValueError(f"found {period!r}, which ends before it starts")
    return [date.fromordinal(n) for n in range(start.toordinal(), end.toordinal() + 1)]
