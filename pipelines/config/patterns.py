"""Patterns of names in configuration: `*` stands for any text, everything else for itself."""

from __future__ import annotations

import re


def regex_of(pattern: str) -> str:
    """The regular expression that a whole name must match, for Python and for polars."""
    return f"^(?s:{'.*'.join(re.escape(part) for part in pattern.split('*'))})$"
