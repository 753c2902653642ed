"""BigCodeBench: the full set of tasks, or the hard ones; the shape is in `_pass_at_1.py`."""

from __future__ import annotations

from pipelines.benchmarks.collector import Collector
from pipelines.benchmarks.fields import BoardOptionsError
from pipelines.benchmarks.formats._pass_at_1 import parse_subsets
from pipelines.benchmarks.observation import BoardSnapshot, Traits

ITEMS = {"full": 1140, "hard": 148}
OPTIONS = ("subset",)


def parse(into: Collector) -> BoardSnapshot:
    """Read BigCodeBench results. Option `subset`: full (1,140 tasks, default) or hard (148)."""
    subset = str(into.board.options.get("subset", "full"))
    if subset not in ITEMS:
        raise BoardOptionsError(f"leaderboard {into.board.board}: subset {subset!r} is not one of {sorted(ITEMS)}")
    items = dict.fromkeys(("instruct", "complete"), ITEMS[subset])
    name = "bigcodebench" if subset == "full" else f"bigcodebench_{subset}"
    return parse_subsets(
        into, name, f"BigCodeBench {subset}", items, Traits(row_kind="entry", primary_version="instruct")
    )
