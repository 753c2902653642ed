"""How far a rebuild came: a file of the home that is there from before the tables are dropped until every day is made again.

A rebuild that was interrupted leaves a warehouse that misses whole months and looks complete. `status` and `daily` ask here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipelines.landing.atomic import write_atomically

GO_ON = "modelmeter db rebuild --continue"


@dataclass(frozen=True)
class Progress:
    """The file of one home."""

    home: Path

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.home / "rebuild.json"

    def made(self) -> set[date] | None:
        """The days that are made again; None if no rebuild is unfinished. A file that can't be read names no day."""
        try:
            return {date.fromisoformat(day) for day in json.loads(self.path.read_bytes())["days"]}
        except FileNotFoundError:
            return None
        except (OSError, ValueError, LookupError, TypeError):
            return set()

    def write(self, days: Iterable[date]) -> None:
        """Say which days are made again."""
        write_atomically(self.path, json.dumps({"days": sorted(map(str, days))}).encode())

    def end(self) -> None:
        """Every day is made again."""
        self.path.unlink(missing_ok=True)

    def said(self) -> str | None:
        """What a person should know of an unfinished rebuild; None without one."""
        made = self.made()
        if made is None:
            return None
        return f"a rebuild of the warehouse is running or was interrupted (days made: {len(made)}); if none is running, `{GO_ON}` makes the rest"
