"""JSON with decimals as numbers in all their digits, which the libraries write as floats or as texts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal


def exact_json(value: object) -> str:
    """`value` as JSON on one line: objects, lists, and in them decimals and whatever JSON has."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Mapping):
        members = (f"{json.dumps(name, ensure_ascii=False)}: {exact_json(held)}" for name, held in value.items())
        return "{" + ", ".join(members) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(exact_json(held) for held in value) + "]"
    return json.dumps(value, ensure_ascii=False)
