"""Values that Python printed are read as what they are; anything else stays as it is."""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from pipelines.records.python_texts import as_json


class Tier(enum.Enum):
    FLEX = "flex"


@dataclass
class Usage:
    input_tokens: int
    details: object = None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": 5, "b": None, "c": True, "d": -1.5e-7}, {"a": 5, "b": None, "c": True, "d": -1.5e-7}),
        ([{"x": (1, 2)}, {}], [{"x": [1, 2]}, {}]),
        ({"a": 1, "it's": 'say "x"', "n": "a\n\\ \x00 \u2028"}, {"a": 1, "it's": 'say "x"', "n": "a\n\\ \x00 \u2028"}),
        ({"a": Decimal("0.10"), "b": b"x", "t": Tier.FLEX}, {"a": 0.1, "b": "x", "t": "flex"}),
        ({"a": Decimal("0.0000001"), "b": Decimal("0E-10"), "c": Decimal("-1E+3")}, {"a": 1e-7, "b": 0, "c": -1000}),
        ({"f": float("nan"), "d": Decimal("NaN")}, {"f": None, "d": None}),
        (Usage(5, Usage(3)), {"input_tokens": 5, "details": {"input_tokens": 3, "details": None}}),
    ],
)  # fmt: skip
def test_what_python_printed_is_what_it_was(value: Any, expected: Any) -> None:
    assert json.loads(str(as_json(repr(value)))) == expected


@pytest.mark.parametrize(
    "text",
    ["{'a': 1", "it's", "{'a': <object object at 0x7f>}", "{'a': {1, 2}}", "[" * 2000 + "'a'", "{'a': 1} and more", "Hello (x=1)", ""],
)  # fmt: skip
def test_anything_else_is_no_such_value(text: str) -> None:
    assert as_json(text) is None
