"""Exceptions in words that may be shown: the one place where the text of an exception is let through or held back.

A library that trips over a file puts what it tripped over into its message, prompt text among it. Messages that we wrote
name files, columns and places and are shown; of every other exception the class is, and the place in our own code.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from traceback import walk_tb
from types import TracebackType

import polars as pl
import yaml

OWN_PACKAGES = ("pipelines", "assets")

ANY_FAILURE = (Exception, pl.exceptions.PanicException)
"""What a boundary around one file or one step catches: a panic inside polars is no `Exception`."""


def worded(error: BaseException) -> str:
    """`error` as it may be shown to people and written to logs, checks and tables; never holds the content of a file.

    An exception of our own classes speaks for itself. One from outside is named by its class and the innermost place of
    our code that it came through, as `polars.exceptions.ComputeError at pipelines.records.tables:130 (csv_columns)`;
    what an operating system says of an error number, the place in a text that is no JSON or no UTF-8, and the constraint
    that a database names are added.
    """
    if is_own(error):
        return str(error)
    place = place_of(error.__traceback__)
    return f"{_class_of(error)}{_where(error)}{f' at {place}' if place else ''}"


@dataclass
class Apart:
    """Parts of a step, each in a boundary of its own: one that fails costs the others nothing, and is named."""

    failures: dict[str, str] = field(default_factory=dict)
    """Why each part failed, in words that may be shown."""

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """A block whose failure is kept under `name`, and goes no further."""
        try:
            yield
        except ANY_FAILURE as error:
            self.failures[name] = worded(error)

    @property
    def messages(self) -> list[str]:
        """One line per part that failed."""
        return [f"{name}: {reason}" for name, reason in self.failures.items()]


def is_own(error: BaseException) -> bool:
    """Whether the class of an exception, and with it the text, is ours."""
    return type(error).__module__.partition(".")[0] in OWN_PACKAGES


def place_of(trace: TracebackType | None) -> str | None:
    """`module:line (function)` of the innermost frame that is our code; None if none is."""
    found = None
    for frame, line in walk_tb(trace):
        module = str(frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] in OWN_PACKAGES:
            found = f"{module}:{line} ({frame.f_code.co_name})"
    return found


def _where(error: BaseException) -> str:
    match error:
        case json.JSONDecodeError():
            return f" (line {error.lineno}, column {error.colno})"
        case yaml.MarkedYAMLError(problem_mark=yaml.Mark() as mark):
            return f" (line {mark.line + 1}, column {mark.column + 1})"
        case UnicodeDecodeError():
            return f" (byte {error.start + 1})"
        case OSError() if error.errno:
            return f" ({os.strerror(error.errno)})"
        case _:
            # Of what a database says, the names of its own things; its sentences quote values.
            diagnosis = getattr(error, "diag", None)
            names = [
                getattr(diagnosis, name, None) for name in ("sqlstate", "table_name", "column_name", "constraint_name")
            ]
            return f" ({', '.join(filter(None, names))})" if any(names) else ""


def _class_of(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
