"""What Postgres says of a statement, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psycopg


def in_words(error: psycopg.Error, text: str) -> str:
    """An error of Postgres with the line of the statement it points at, a caret below the place, and the hint."""
    found = error.diag
    if "multiple commands" in (found.message_primary or ""):
        return "modelmeter: one statement at a time; leave out what follows the first semicolon"
    lines = [f"modelmeter: {found.message_primary or str(error).strip()}"]
    if found.statement_position:
        before = text[: int(found.statement_position) - 1]
        number, column = before.count("\n"), len(before) - before.rfind("\n") - 1
        line = text.split("\n")[number]
        prefix = f"line {number + 1}: "
        blank = "".join("\t" if letter == "\t" else " " for letter in line[:column])
        lines += [prefix + line, " " * len(prefix) + blank + "^"]
    lines += [
        f"{name}: {value}" for name, value in (("detail", found.message_detail), ("hint", found.message_hint)) if value
    ]
    return "\n".join(lines)
