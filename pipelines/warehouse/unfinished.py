"""How far a rebuild came: a file of the home that is there from before the tables are dropped until every day is made again.

A rebuild that was ended leaves a warehouse that misses whole months and looks well. `status` and `daily` ask here. The rebuild itself is the
command's.
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
        """The days that are made again; None where no rebuild was ended. A file that can't be read says of no day that it is made."""
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
        """What a person should know; None where there is nothing."""
        made = self.made()
        if made is None:
            return None
        return f"a rebuild of the warehouse goes on or was ended (days made: {len(made)}); where none goes on, `{GO_ON}` makes the rest"
