"""Commas in numbers of English spelling: between thousands they mean nothing, and anywhere else the text is no such number."""

from __future__ import annotations

import re

_GROUPED = re.compile(r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")


def ungrouped(text: str) -> str:
    """`1,234.5` without its commas; any other text as it is, so that `0,05` stays what no conversion takes for 5."""
    return text.replace(",", "") if _GROUPED.fullmatch(text) else text
