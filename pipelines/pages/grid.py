"""Which cell of an HTML table stands where: merged cells, their placeholders, and cells that are not shown.

Knows nothing of prices or headings; `sections.py` takes the texts.
"""

from __future__ import annotations

import re

from selectolax.lexbor import LexborNode

_LARGEST_SPAN = 100
_NOT_SHOWN = re.compile(r"(?:^|;)\s*display\s*:\s*none", re.IGNORECASE)


def cells_of(table: LexborNode) -> list[list[LexborNode]]:
    """The rows of a table; a cell that spans rows or columns stands in each of them, a short row stays short.

    `rowspan="0"` spans to the end of its row group (HTML standard, 4.9.11), and no span reaches beyond that. Editors that
    keep a cell for every place, the merged ones included, write a span of 0 as well: in a row that has a cell for every
    column of the table, one whose own place is merged already is a placeholder and no cell.
    """
    rows = [[cell for cell in row.css("th, td") if not _is_hidden(cell)] for row in table.css("tr")]
    ends = _group_ends([row.parent for row in table.css("tr")])
    width = max((_width(row) for row in rows), default=0)
    grid: dict[tuple[int, int], LexborNode] = {}
    for number, row in enumerate(rows):
        column = 0
        for place, cell in enumerate(row):
            tall, wide = _span(cell, "rowspan"), _span(cell, "colspan")
            if 0 in (tall, wide) and (number, place) in grid and len(row) == width:
                continue
            while (number, column) in grid:
                column += 1
            end = min(number + tall, ends[number]) if tall else ends[number]
            for r in range(number, end):
                for c in range(column, column + max(wide, 1)):
                    grid[r, c] = cell
            column += max(wide, 1)
    columns = range(max((c for _, c in grid), default=-1) + 1)
    return [[grid[r, c] for c in columns if (r, c) in grid] for r in range(len(rows))]


def _is_hidden(cell: LexborNode) -> bool:
    return "hidden" in cell.attributes or bool(_NOT_SHOWN.search(cell.attributes.get("style") or ""))


def _group_ends(groups: list[LexborNode | None]) -> list[int]:
    """For each row the number of the first row behind its group (thead, tbody, tfoot)."""
    names = [group.mem_id if group else 0 for group in groups]
    ends: list[int] = []
    for number in range(len(names) - 1, -1, -1):
        goes_on = ends and names[number] == names[number + 1]
        ends.append(ends[-1] if goes_on else number + 1)
    return ends[::-1]


def _width(row: list[LexborNode]) -> int:
    """Columns that a row takes: its cells and what they span, placeholders as they stand."""
    return max(len(row), sum(_span(cell, "colspan") for cell in row))


def _span(cell: LexborNode, name: str) -> int:
    """The span as written, 0 where it is written so; 1 without a number."""
    value = (cell.attributes.get(name) or "1").strip()
    return min(int(value), _LARGEST_SPAN) if value.isascii() and value.isdecimal() else 1
