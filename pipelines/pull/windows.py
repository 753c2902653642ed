"""The windows in which a source is asked: pieces of time, or of a counting column, with the same bounds in every
run. A window is asked again while it is in the look-back, so late and revised records are seen. Which windows hold what
has landed is in `landed.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_DAYS = 31
"""How far the first run goes back, where the declaration names no `since`."""


@dataclass(frozen=True)
class Window:
    """From `start` up to and without `end`: seconds since 1970 in UTC, or values of a counting column."""

    start: int
    end: int


@dataclass(frozen=True)
class Bounds:
    """How positions are written in a sidecar and read again: instants as RFC 3339 in UTC, values of a counting column as digits."""

    are_instants: bool

    def text(self, position: int) -> str:
        """The position as text."""
        return f"{instant(position):%Y-%m-%dT%H:%M:%SZ}" if self.are_instants else str(position)

    def position(self, text: str) -> int:
        """The position of a text. Raises ValueError."""
        return seconds(datetime.fromisoformat(text)) if self.are_instants else int(text)

    def reached(self, end: int, at: datetime) -> int:
        """How far a window up to `end` can have been filled when it was asked for at an instant."""
        return min(end, seconds(at)) if self.are_instants else end


INSTANTS, NUMBERS = Bounds(are_instants=True), Bounds(are_instants=False)


def instant(position: int) -> datetime:
    """The instant of a position of time."""
    return EPOCH + timedelta(seconds=position)


def seconds(at: datetime) -> int:
    """Whole seconds since 1970 of an instant with a time zone."""
    return (at - EPOCH) // timedelta(seconds=1)


@dataclass(frozen=True)
class Span:
    """What was asked for without a gap."""

    start: int
    end: int


@dataclass(frozen=True)
class Plan:
    """What a run may ask for: up to `until`, in windows of `width`. The first run starts at `first`. Later runs
    start `look_back` before the point where the last one stopped, or at `since` if that is earlier than everything
    asked so far. The source has nothing before `oldest`.
    """

    first: int
    until: int
    width: int
    look_back: int
    since: int | None = None
    oldest: int | None = None

    def windows(self, asked: Span | None) -> list[Window]:
        """The windows to ask now, oldest first."""
        if asked is None:
            begin = self.first
        elif self.since is not None and self.since < asked.start:
            begin = self.since
        else:
            begin = max(min(asked.end, self.until) - self.look_back, min(asked.start, self.until))
        begin = begin if self.oldest is None else max(begin, self.oldest)
        starts = range(begin - begin % self.width, self.until, self.width)
        return [Window(start, start + self.width) for start in starts]

    def asked_after(self, window: Window, asked: Span | None) -> Span:
        """What was asked for once `window`, the next of `windows`, was."""
        end = min(window.end, self.until)
        if asked is None or window.start < asked.start or window.start > asked.end:
            return Span(window.start, max(end, asked.end) if asked and window.start < asked.start else end)
        return Span(asked.start, max(end, asked.end))
