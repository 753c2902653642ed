"""EvalPlus: HumanEval and MBPP, plain and with more tests; the shape is in `_pass_at_1.py`."""

from __future__ import annotations

from pipelines.benchmarks.collector import Collector
from pipelines.benchmarks.formats._pass_at_1 import parse_subsets
from pipelines.benchmarks.observation import BoardSnapshot, Traits

ITEMS = {"humaneval": 164, "humaneval+": 164}
"""Problems per subset. MBPP's number changed with its version (399, then 378), which the file does not state."""


def parse(into: Collector) -> BoardSnapshot:
    """Read EvalPlus results: HumanEval and MBPP, plain and with more tests."""
    return parse_subsets(into, "evalplus", "EvalPlus", ITEMS, Traits(row_kind="entry", primary_version="humaneval+"))
