"""How an outcome shows what was found: wrong rows as text, and failures without a value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pipelines.quality.rules import Suite

SAMPLE_SIZE = 5
"""How many wrong rows an outcome names."""


def row_as_text(row: Mapping[str, Any]) -> dict[str, str]:
    """A wrong row by its columns that say something."""
    return {name: str(value) for name, value in row.items() if value not in (None, "")}


def problem_of(message: str, suite: Suite) -> str:
    """The class that SQLAlchemy names in front of a database's sentence, and the columns of the table in it.

    The sentence itself is left out: it may quote a value, and so may that of any other library.
    """
    raised = re.match(r"\((psycopg\.errors\.\w+)\)", message)
    columns = [column.name for column in suite.table.columns if re.search(rf"\b{column.name}\b", message)]
    what = raised[1] if raised else "the check raised an exception"
    return f"{what} ({', '.join(columns)})" if columns else what
