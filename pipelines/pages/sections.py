"""Finds the headed sections of a page and their tables, in markdown or HTML; knows nothing of prices.

The lines of markdown are `markdown.py`, what a page holds in scripts alone
`scripts.py`, and what the spellings of a text share `texts.py`.
"""

from __future__ import annotations

import html
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from selectolax.lexbor import LexborHTMLParser, LexborNode

from pipelines.pages.grid import cells_of
from pipelines.pages.labels import Labels, markdown_label
from pipelines.pages.markdown import blocks_of
from pipelines.pages.scripts import page_of_scripts
from pipelines.pages.texts import STRUCK_OUT, heading, plain, unescaped, without_links

_BEFORE_HTML = re.compile(r"^(?:\s|\ufeff|<\?xml\b[^>]*\?>|<!--.*?-->)+", re.DOTALL)
_HTML = re.compile(r"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_ANY_TAG = re.compile(r"<(?:[a-z][a-z0-9-]*|[A-Z]+)\b")
_MARKDOWN = re.compile(r"^(?:#{1,6}\s|\s*\|.*\|\s*$)", re.MULTILINE)

_OTHER_WORDS = re.compile(r"\b(?!(?:and|or)\b)\w")
_SMALLEST_GRID = 3
_BLOCKS = {
    "p",
    "li",
    "ul",
    "ol",
    "div",
    "section",
    "article",
    "main",
    "body",
    "html",
    "table",
    "td",
    "dd",
    "dt",
    "br",
    "hr",
}
_BLOCKS |= {f"h{level}" for level in range(1, 7)}


@dataclass
class PageSection:
    """The text and tables between one heading and the next. A table is rows of cells, its header first."""

    heading: str
    level: int = 1
    text: str = ""
    tables: list[list[list[str]]] = field(default_factory=list)
    labels: list[frozenset[str]] = field(default_factory=list)
    """Of each table: its caption, the name of the tab that shows it, and whatever else names it."""
    codes: list[str] = field(default_factory=list)
    """What stands in code marks outside tables, at the beginning of a line or after another code."""

    def add(self, table: list[list[str]], labels: frozenset[str] = frozenset()) -> None:
        """Add a table with what it is called."""
        self.tables.append(table)
        self.labels.append(labels)


def sections_of(page: str, *, grids: bool = False) -> list[PageSection]:
    """The sections of a page in order, the first without a heading; markdown unless the page begins as HTML.

    The rows that a component island of an HTML page draws (`astro-island`) stand in its properties and carry no
    headers. They make a section of their own, headed by the component and its tier (`PricingTable batch`), with one
    table per number of cells; its header is that number and the position: `5:1` to `5:5`. With `grids`, boxes whose
    children are rows of equally many boxes, at least three, are tables as well.
    """
    return _html_sections(page, grids) if _is_html(page) else _markdown_sections(page)


def _is_html(page: str) -> bool:
    """Whether a page is HTML: saved without its first lines or behind a comment too, but not markdown that begins with a tag."""
    start = _BEFORE_HTML.sub("", page[:20_000], count=1)
    return bool(_HTML.match(start)) or (bool(_ANY_TAG.match(start)) and not _MARKDOWN.search(page))


def _markdown_sections(page: str) -> list[PageSection]:
    sections = [PageSection("")]
    label = ""
    for block in blocks_of(page):
        if block.kind == "heading":
            sections.append(PageSection(block.text, block.level))
            label = ""
        elif block.kind == "html":
            root = LexborHTMLParser(block.text).root
            for node in root.css("table") if root else ():
                _mark_struck(node)
                _add_table(sections[-1], _html_table(node), frozenset(filter(None, [plain(label)])))
        elif block.kind == "table":
            sections[-1].add(block.rows, frozenset(filter(None, [plain(label)])))
        else:
            label = markdown_label(block.text.strip(), label)
            sections[-1].text += STRUCK_OUT.sub(" ", unescaped(block.text)) + "\n"
            sections[-1].codes += _leading_codes(without_links(block.text))
    return sections


def _leading_codes(text: str) -> list[str]:
    """What stands in code marks before the first other word: a line that names something, not one that mentions it."""
    codes = []
    for before, code in re.findall(r"([^`]*)`([^`]+)`", text):
        if _OTHER_WORDS.search(before):
            break
        codes.append(code)
    return codes


def _html_sections(page: str, grids: bool) -> list[PageSection]:
    root = LexborHTMLParser(page).root
    if root is None:
        return [PageSection("")]
    if root.css_first("table") is None and (in_scripts := page_of_scripts(root)):
        return [*_sections_below(root, grids), *_html_sections(in_scripts, grids)]
    return _sections_below(root, grids)


def _sections_below(root: LexborNode, grids: bool) -> list[PageSection]:
    sections = [PageSection("")]
    for mark in root.css("sup, style, script, svg, template"):
        mark.decompose()
    _mark_struck(root)
    labels = Labels(root)
    for node in root.traverse(include_text=False):
        if node.tag in {"h1", "h2", "h3", "h4", "h5", "h6"}:
            sections.append(PageSection(heading(_seen(node).strip() or node.text()), int(node.tag[1])))
        elif node.tag == "table":
            _add_table(sections[-1], _html_table(node), frozenset(map(plain, labels.of(node))))
        elif grids and node.tag == "div" and (grid := _grid(node)):
            sections[-1].add(grid, frozenset(map(plain, labels.of(node))))
        elif node.tag == "astro-island":
            props = _island_props(node)
            sections[-1].text += "".join(f"{tip}\n" for tip in _tooltips(props))
            sections += _island_sections(node, props)
        else:
            _add_text(sections[-1], node)
    return sections


def _seen(node: LexborNode) -> str:
    """The text of a heading without its buttons and icons, such as the one that copies the link to it."""
    parts = []
    for child in node.iter(include_text=True):
        is_aside = child.tag == "button" or child.attributes.get("aria-hidden") == "true"
        parts.append(child.text() if child.tag == "-text" else "" if is_aside else _seen(child))
    return "".join(parts)


def _add_text(section: PageSection, node: LexborNode) -> None:
    """The text of a paragraph, an item of a list or a box; code before the first table."""
    if node.tag == "code" and not section.tables and not _OTHER_WORDS.search(_before(node)):
        section.codes.append(node.text().strip())
    elif node.tag in {"p", "li"}:
        section.text += STRUCK_OUT.sub(" ", plain(node.text())) + "\n"
    elif node.tag in {"div", "span", "em"} and (own := STRUCK_OUT.sub(" ", plain(node.text(deep=False))).strip()):
        section.text += own + "\n"


def _mark_struck(root: LexborNode) -> None:
    """Write what is crossed out as markdown does, so that the price next to it is still one of two. A cell stays a cell, and whole rows,
    as of a retired model, stay as they are."""
    for node in root.css("del, s, strike, [class~='line-through'], [style*='line-through']"):
        words = node.text().strip()
        if not words or node.css_first("tr, td, th") not in (None, node):
            continue
        if node.tag in {"td", "th"}:
            node.inner_html = html.escape(f"~~{words}~~")
        elif node.tag != "tr":
            node.replace_with(f" ~~{words}~~ ")


def _before(code: LexborNode) -> str:
    """The words of the same block before a piece of code, without other code."""
    words, node = "", code
    while node.parent is not None and node.tag not in _BLOCKS:
        before = node.prev
        while before is not None and before.tag not in _BLOCKS:
            words = before.text() + words if before.tag == "-text" or not _is_code(before) else words
            before = before.prev
        node = node.parent
    return words


def _is_code(node: LexborNode) -> bool:
    """Whether a node is a piece of code, or a link or emphasis around nothing else."""
    code = node if node.tag == "code" else node.css_first("code")
    return code is not None and code.text().strip() == node.text().strip()


def _add_table(section: PageSection, rows: list[list[str]], labels: frozenset[str]) -> None:
    """Some pages draw the header as a table of its own; the next table of that width is its body."""
    before = section.tables[-1] if section.tables else []
    if len(before) == 1 and rows and len(before[0]) == len(rows[0]):
        before.extend(rows)
        section.labels[-1] |= labels
    elif rows:
        section.add(rows, labels)


def _html_table(table: LexborNode) -> list[list[str]]:
    """The texts of a table's cells; one that spans rows or columns stands in each of them, a short row stays short."""
    return [[plain(cell.text(separator=" ")) for cell in row] for row in cells_of(table)]


def _grid(box: LexborNode) -> list[list[str]]:
    """The cells of rows that are boxes of equally many boxes; nothing where the box is no such table."""
    rows = list(box.iter())
    widths = {len(list(row.iter())) if row.tag == "div" else 0 for row in rows}
    if len(rows) < 2 or len(widths) != 1 or max(widths) < _SMALLEST_GRID:
        return []
    return [[plain(cell.text(separator=" ")) for cell in row.iter()] for row in rows]


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
    named = f"{island.attributes.get('component-export') or ''} {props.get('tier') or ''}".strip()
    tables = [[[f"{width}:{at}" for at in range(1, width + 1)], *body] for width, body in sorted(by_width.items())]
    section = PageSection(named, 2)
    for table in tables:
        section.add(table)
    yield section


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
