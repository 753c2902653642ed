"""Schema of `periods.yaml`: up to which day the books are closed.

What closing means is decided where days are written: `pipelines.daily.requests` keeps what a closed day was booked
at, `pipelines.daily.rerate` restates one only with `--reopen`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from pipelines.config.declaration import Declaration


class Periods(Declaration):
    """The whole of `periods.yaml`: `closed_through` is the last closed UTC day, inclusive; empty closes nothing."""

    closed_through: date | None = None

    def is_closed(self, day: date) -> bool:
        """Whether the books of `day` are closed."""
        return self.closed_through is not None and day <= self.closed_through

    def closed(self, days: Iterable[date]) -> list[date]:
        """Those of `days` that are closed, in their order."""
        return [day for day in days if self.is_closed(day)]
