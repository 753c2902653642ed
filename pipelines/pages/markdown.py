"""The blocks of a markdown page: headings, tables, HTML tables and lines of text. What they mean is `sections.py`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pipelines.pages.texts import heading, unescaped

_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*$")
_UNDERLINE = re.compile(r"^(?:=+|-{2,})$")
_DASHES = r"\s*(?::-+:?|-+:|-{2,})\s*"
_RULE = re.compile(rf"^\|?{_DASHES}(?:\|{_DASHES})*\|?$")
_COMMENT = re.compile(r"^[ \t]*<!--(?:(?!-->).)*-->[ \t]*\n|<!--.*?-->", re.DOTALL | re.MULTILINE)
_FRONT_MATTER = re.compile(r"\A\s*---\n(?=[\w-]+ *:).*?\n---\n", re.DOTALL)
"""Facts of the page as YAML; a page may also begin with a line across it."""
_HTML_TABLE = re.compile(r"<table\b", re.IGNORECASE)
_HTML_END = re.compile(r"</table\s*>", re.IGNORECASE)
_QUOTE = re.compile(r"^(?:\s*>)+ ?")
_BAR = re.compile(r"(?<!\\)\|")


@dataclass
class Block:
    """A heading with its level, a table with its rows of cells, an HTML table as it is written, or a line of text."""

    kind: Literal["heading", "table", "html", "text"]
    text: str = ""
    level: int = 1
    rows: list[list[str]] = field(default_factory=list)


def blocks_of(page: str) -> Iterator[Block]:
    """The blocks in order. Tables may leave out their outer bars and stand in a quotation; code is text."""
    written = _FRONT_MATTER.sub("", _COMMENT.sub("", page)).splitlines()
    lines = [_QUOTE.sub("", line) for line in written]
    at, in_code = 0, False
    while at < len(lines):
        stripped = lines[at].strip()
        following = lines[at + 1].strip() if at + 1 < len(lines) else ""
        in_code ^= stripped.startswith(("```", "~~~"))
        taken = 1
        if in_code:
            yield Block("text", lines[at])
        elif found := _HEADING.match(stripped):
            yield Block("heading", heading(unescaped(found[2])), len(found[1]))
        elif _HTML_TABLE.search(stripped):
            ends = (number for number in range(at, len(lines)) if _HTML_END.search(lines[number]))
            taken = next(ends, len(lines) - 1) - at + 1
            of_table = lines if _QUOTE.match(written[at]) else written  # a tag may end at the begin of a line
            yield Block("html", "\n".join(of_table[at : at + taken]))
        elif stripped.startswith("|") or (_BAR.search(stripped) and "|" in following and _RULE.match(following)):
            taken = _table_lines(lines, at)
            yield Block("table", rows=_rows(lines[at : at + taken]))
        elif _UNDERLINE.match(following) and re.search(r"\w", stripped) and not re.match(r"^[-*+>]\s", stripped):
            yield Block("heading", heading(unescaped(stripped)), 1 if following[0] == "=" else 2)
            taken = 2
        else:
            yield Block("text", lines[at])
        at += taken


def _table_lines(lines: Sequence[str], at: int) -> int:
    """How many lines the table takes: those that begin with a bar, of a table without outer bars those that hold one."""
    outer = lines[at].strip().startswith("|")
    end = at + 1
    while end < len(lines) and (line := lines[end].strip()) and (line.startswith("|") if outer else _BAR.search(line)):
        end += 1
    return end - at


def _rows(lines: Sequence[str]) -> list[list[str]]:
    rows = [line.strip() for line in lines if not _RULE.match(line.strip())]
    return [[unescaped(cell) for cell in _BAR.split(_without_outer_bars(row))] for row in rows]


def _without_outer_bars(row: str) -> str:
    """One bar less at either end: a first cell without text leaves two."""
    row = row.removeprefix("|")
    return row[:-1] if row.endswith("|") and not row.endswith("\\|") else row
