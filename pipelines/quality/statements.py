"""Writes the statement for `modelmeter sql` that shows every row that breaks a rule; a failed check shows only the first few.

The rules are in `suites.py`; how they are tested is `run.py`.
"""

from __future__ import annotations

from datetime import date

from pipelines.quality.rules import NoRow, RowFloor, Rule, Suite, Unique


def statement(suite: Suite, rule: Rule, from_date: date, to_date: date) -> str:
    """SQL for the wrong rows of the UTC days `[from_date, to_date)`; for a floor, how many rows there are."""
    day = suite.table.day_column
    window = f"{day} >= '{from_date}' and {day} < '{to_date}'" if day else "true"
    rows = f"(select * from {suite.table.qualified} where {window})"
    match rule:
        case NoRow():
            prefix = "a." if " join " in rule.rows else ""
            source = f"{rows} as rows" if rule.rows == "{batch}" else rule.rows.replace("{batch}", rows)
            return f"select {', '.join(prefix + name for name in suite.shown)} from {source} where {rule.where}"
        case Unique():
            columns = ", ".join(rule.columns)
            return f"select {columns}, count(*) from {rows} as rows group by {columns} having count(*) > 1"
        case RowFloor():
            return f"select count(*) from {rows} as rows"
        case _:
            raise TypeError(f"suite {suite.name}: rule {rule.name} is of the unknown kind {type(rule).__name__}")
