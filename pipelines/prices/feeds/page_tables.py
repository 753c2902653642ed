"""Finds the headed sections of a page and their tables, in markdown or HTML; knows nothing of prices.

`page.py` beside this module reads prices out of the sections.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from selectolax.lexbor import LexborHTMLParser, LexborNode

_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*$")
_DASHES = r"\s*(?::-+:?|-+:|-{2,})\s*"
_RULE = re.compile(rf"^\|?{_DASHES}(?:\|{_DASHES})*\|?$")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_TAG = re.compile(r"(?<!\\)</?[A-Za-z][^>]*>|<!--.*?-->", re.DOTALL)
_FOOTNOTE = re.compile(r"<sup\b[^>]*>.*?</sup>", re.DOTALL)
_CODE = re.compile(r"`([^`]+)`")
_LARGEST_SPAN = 100
_SMALLEST_GRID = 3


@dataclass
class PageSection:
    """The text and tables between one heading and the next. A table is rows of cells, its header first."""

    heading: str
    level: int = 1
    text: str = ""
    tables: list[list[list[str]]] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    """What stands in code marks outside tables."""


def sections_of(page: str, *, grids: bool = False) -> list[PageSection]:
    """The sections of a page in order, the first without a heading; markdown unless the page begins as HTML.

    The rows that a component island of an HTML page draws (`astro-island`) stand in its properties and carry no
    headers. They make a section of their own, headed by the component and its tier (`PricingTable batch`), with one
    table per number of cells; its header is that number and the position: `5:1` to `5:5`. With `grids`, boxes whose
    children are rows of equally many boxes, at least three, are tables as well.
    """
    start = page.lstrip().lower()
    return _html_sections(page, grids) if start.startswith(("<!doctype html", "<html")) else _markdown_sections(page)


def plain(text: str) -> str:
    """Text without footnote marks, links, tags, emphasis and escapes, its spaces collapsed."""
    text = _TAG.sub(" ", _LINK.sub(r"\1", _FOOTNOTE.sub("", text)))
    text = re.sub(r"\\([$_*|#\[\]<>])", r"\1", text)
    return " ".join(re.sub(r"\*\*|__|`|\u200b", "", text).split())


def _markdown_sections(page: str) -> list[PageSection]:
    sections = [PageSection("")]
    table: list[list[str]] | None = None
    in_code = False
    for line in page.splitlines():
        stripped = line.strip()
        in_code ^= stripped.startswith("```")
        heading = None if in_code else _HEADING.match(stripped)
        if heading:
            sections.append(PageSection(plain(heading[2]), len(heading[1])))
            table = None
        elif stripped.startswith("|") and not in_code:
            if table is None:
                table = []
                sections[-1].tables.append(table)
            if not _RULE.match(stripped):
                table.append([plain(cell) for cell in re.split(r"(?<!\\)\|", stripped.strip("|"))])
        else:
            table = None
            sections[-1].text += plain(line) + "\n"
            sections[-1].codes += _CODE.findall(line)
    return sections


def _html_sections(page: str, grids: bool) -> list[PageSection]:
    sections = [PageSection("")]
    root = LexborHTMLParser(page).root
    if root is None:
        return sections
    for mark in root.css("sup"):
        mark.decompose()
    for node in root.traverse(include_text=False):
        if node.tag in {"h1", "h2", "h3", "h4", "h5", "h6"}:
            sections.append(PageSection(plain(node.text()), int(node.tag[1])))
        elif node.tag == "table":
            _add_table(sections[-1], _html_table(node))
        elif grids and node.tag == "div" and (grid := _grid(node)):
            sections[-1].tables.append(grid)
        elif node.tag == "astro-island":
            props = _island_props(node)
            sections[-1].text += "".join(f"{tip}\n" for tip in _tooltips(props))
            sections += _island_sections(node, props)
        elif node.tag == "code" and not sections[-1].tables:
            sections[-1].codes.append(node.text().strip())
        elif node.tag in {"p", "li"}:
            sections[-1].text += plain(node.text()) + "\n"
        elif node.tag in {"div", "span", "em"} and (own := plain(node.text(deep=False))):
            sections[-1].text += own + "\n"
    return sections


def _add_table(section: PageSection, rows: list[list[str]]) -> None:
    """Some pages draw the header as a table of its own; the next table of that width is its body."""
    before = section.tables[-1] if section.tables else []
    if len(before) == 1 and rows and len(before[0]) == len(rows[0]):
        before.extend(rows)
    elif rows:
        section.tables.append(rows)


def _html_table(table: LexborNode) -> list[list[str]]:
    """The cells of a table as a grid: a cell that spans rows or columns stands in each of them; a short row stays short."""
    grid: dict[tuple[int, int], str] = {}
    rows = table.css("tr")
    for row_number, row in enumerate(rows):
        column = 0
        for cell in row.css("th, td"):
            while (row_number, column) in grid:
                column += 1
            text = plain(cell.text(separator=" "))
            tall, wide = _span(cell, "rowspan"), _span(cell, "colspan")
            for r in range(row_number, row_number + tall):
                for c in range(column, column + wide):
                    grid[r, c] = text
            column += wide
    width = max((c for _, c in grid), default=-1) + 1
    return [[grid[r, c] for c in range(width) if (r, c) in grid] for r in range(len(rows))]


def _grid(box: LexborNode) -> list[list[str]]:
    """The cells of rows that are boxes of equally many boxes; nothing where the box is no such table."""
    rows = list(box.iter())
    widths = {len(list(row.iter())) if row.tag == "div" else 0 for row in rows}
    if len(rows) < 2 or len(widths) != 1 or max(widths) < _SMALLEST_GRID:
        return []
    return [[plain(cell.text(separator=" ")) for cell in row.iter()] for row in rows]


def _span(cell: LexborNode, name: str) -> int:
    value = cell.attributes.get(name) or "1"
    return min(max(int(value), 1), _LARGEST_SPAN) if value.isdecimal() else 1


def _island_props(island: LexborNode) -> dict[str, object]:
    try:
        props = json.loads(island.attributes.get("props") or "{}", parse_float=Decimal)
        return {name: _revived(value) for name, value in props.items()}
    except (ValueError, TypeError, AttributeError):
        return {}


def _island_sections(island: LexborNode, props: dict[str, object]) -> Iterator[PageSection]:
    rows = props.get("rows")
    if not isinstance(rows, list):
        return
    by_width: dict[int, list[list[str]]] = defaultdict(list)
    for row in rows:
        if isinstance(row, list):
            by_width[len(row)].append(["" if cell is None else plain(str(cell)) for cell in row])
    heading = f"{island.attributes.get('component-export') or ''} {props.get('tier') or ''}".strip()
    tables = [[[f"{width}:{at}" for at in range(1, width + 1)], *body] for width, body in sorted(by_width.items())]
    yield PageSection(heading, 2, tables=tables)


def _tooltips(value: object) -> Iterator[str]:
    """What the component shows only when pointed at, such as the prompt size that a column is for."""
    if isinstance(value, list):
        for item in value:
            yield from _tooltips(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            if name == "tooltip" and isinstance(item, str):
                yield item
            else:
                yield from _tooltips(item)


def _revived(value: object) -> object:
    """Astro writes each property as [type, value]: 0 a plain value, 1 a list of further pairs."""
    if not isinstance(value, list) or len(value) != 2:
        return value
    kind, inner = value
    if kind == 1 and isinstance(inner, list):
        return [_revived(item) for item in inner]
    return {name: _revived(item) for name, item in inner.items()} if isinstance(inner, dict) else inner
