"""Ways in which a price page may come damaged: each takes the text of a page and gives named damaged ones.

Tables are found here by a reader of its own, so that the damage does not depend on the code that is tested. Names of
models and digits of amounts are left alone: a page that states another price in its own shape is a price change, and
only how far it moves distinguishes it from a mistake.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise

_HTML_TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL)
_HTML_ROW = re.compile(r"<tr\b.*?</tr>", re.DOTALL)
_HTML_CELL = re.compile(r"(<t[dh]\b[^>]*>)(.*?)(</t[dh]>)", re.DOTALL)
_MD_TABLE = re.compile(r"(?:^\|.*\n)+", re.MULTILINE)
_AMOUNT = re.compile(r"(?<![\w.])[$¥￥€]?\d+(?:\.\d+)?\s*元?")


@dataclass
class Table:
    """One table of a page: where it stands, and its rows of cells as they are written."""

    start: int
    end: int
    rows: list[list[str]]
    is_html: bool

    def text(self, rows: list[list[str]]) -> str:
        if self.is_html:
            return "<table>" + "".join(f"<tr>{''.join(row)}</tr>" for row in rows) + "</table>"
        ruled = [rows[0], ["---"] * len(rows[0]), *rows[1:]] if rows else []
        return "".join("|" + "|".join(row) + "|\n" for row in ruled)

    def inner(self, cell: str) -> str:
        match = _HTML_CELL.fullmatch(cell) if self.is_html else None
        return match[2] if match else cell

    def put(self, cell: str, text: str) -> str:
        match = _HTML_CELL.fullmatch(cell) if self.is_html else None
        return f"{match[1]}{text}{match[3]}" if match else f" {text} "


def tables_of(page: str) -> list[Table]:
    found = []
    for match in _HTML_TABLE.finditer(page):
        rows = [[m[0] for m in _HTML_CELL.finditer(row)] for row in _HTML_ROW.findall(match[0])]
        found.append(Table(*match.span(), rows, is_html=True))
    for match in () if found else _MD_TABLE.finditer(page):
        lines = [line.strip().strip("|").split("|") for line in match[0].splitlines()]
        rows = [cells for cells in lines if not all(re.fullmatch(r"\s*:?-+:?\s*", cell) for cell in cells)]
        found.append(Table(*match.span(), rows, is_html=False))
    return [table for table in found if len(table.rows) > 1]


def damaged(page: str) -> Iterator[tuple[str, str]]:
    """Every damage of every table, of every pair of neighbouring tables, and of the page as a whole."""
    tables = tables_of(page)
    for number, table in enumerate(tables):
        for name, rows in _table_damages(table):
            yield f"table {number}: {name}", page[: table.start] + table.text(rows) + page[table.end :]
    for number, (one, other) in enumerate(pairwise(tables)):
        first, second = one.text(one.rows), other.text(other.rows)
        between = page[one.end : other.start]
        yield f"tables {number} and {number + 1} exchanged", page[: one.start] + second + between + first + page[other.end :]  # fmt: skip
        merged = one.text([*one.rows, *other.rows[1:]])
        yield f"tables {number} and {number + 1} merged", page[: one.start] + merged + between + page[other.end :]
        yield f"table {number} gone", page[: one.start] + page[one.end :]
    yield from _page_damages(page)


def _table_damages(table: Table) -> Iterator[tuple[str, list[list[str]]]]:
    rows, width = table.rows, len(table.rows[0])
    head, body = rows[0], rows[1:]
    for a, b in combinations(range(width), 2):
        yield f"headers {a} {b} exchanged", [_exchanged(head, a, b), *body]
        if any(_AMOUNT.search(table.inner(row[i])) for row in body for i in (a, b) if i < len(row)):
            yield f"values {a} {b} exchanged", [head, *(_exchanged(row, a, b) for row in body)]
    for at in range(width):
        yield f"header {at} renamed", [[*head[:at], table.put(head[at], "Price"), *head[at + 1 :]], *body]
        yield f"column {at} gone", [row[:at] + row[at + 1 :] for row in rows]
        yield f"header {at} gone", [head[:at] + head[at + 1 :], *body]
        yield f"column {at} twice", [[*row[: at + 1], *row[at:]] for row in rows]
    for name, change in _CELL_DAMAGES.items():
        changed = [[_in_amounts(table, cell, change) for cell in row] for row in body]
        if changed != body:
            yield f"amounts {name}", [head, *changed]
            yield f"first row's amounts {name}", [head, changed[0], *body[1:]]
    for kept in range(0, len(body), max(1, len(body) // 6)):
        yield f"{kept} rows left", [head, *body[:kept]]
    yield "no header", body
    yield "header among the rows", [head, *body, head]
    yield "rows cut short", [row[:-1] for row in rows[:-1]] + [rows[-1]]


def _exchanged(row: list[str], a: int, b: int) -> list[str]:
    if b >= len(row):
        return row
    changed = list(row)
    changed[a], changed[b] = row[b], row[a]
    return changed


def _in_amounts(table: Table, cell: str, change: Callable[[str], str]) -> str:
    return (
        table.put(cell, _AMOUNT.sub(lambda m: change(m[0]), inner)) if _is_price(inner := table.inner(cell)) else cell
    )


def _is_price(text: str) -> bool:
    plain = re.sub(r"<[^>]*>", "", text)
    return bool(re.search(r"[$¥￥€元]|^\s*\d+(\.\d+)?\s*$", plain)) and bool(_AMOUNT.search(text))


_CELL_DAMAGES: dict[str, Callable[[str], str]] = {
    "in euro": lambda t: re.sub(r"[$¥￥]|元", "€", t) if re.search(r"[$¥￥元]", t) else f"€{t}",
    "in the other currency": lambda t: t.replace("$", "¥") if "$" in t else re.sub(r"(\d[\d.]*)\s*元|[¥￥](\d[\d.]*)", r"$\1\2", t),
    "without currency": lambda t: re.sub(r"[$¥￥€]|元", "", t),
    "with a decimal comma": lambda t: t.replace(".", ","),
    "without points": lambda t: t.replace(".", ""),
    "in cents": lambda t: re.sub(r"[$¥￥]?(\d+(?:\.\d+)?)", r"\1 ¢", t),
    "from": lambda t: f"from {t}",
    "about": lambda t: f"~{t}",
    "as ranges": lambda t: f"{t} - {t}",
    "two each": lambda t: f"{t} {t}1",
    "with a footnote in brackets": lambda t: f"{t} [1]",
    "per thousand": lambda t: f"{t} / 1K tokens",
    "per hour": lambda t: f"{t} / hour",
    "struck out": lambda t: f"~~{t}~~",
    "times a thousand": lambda t: re.sub(r"(\d+)(?:\.\d+)?", r"\g<1>000", t),
}  # fmt: skip


def _page_damages(page: str) -> Iterator[tuple[str, str]]:
    for part in range(1, 60):
        yield f"cut at {part} sixtieths", page[: len(page) * part // 60]
    for old, new in (("MTok", "KTok"), ("1M", "1K"), ("百万", "千"), ("million", "thousand"), ("$", "€"), ("元", "€"),
                     ("¥", "$"), ("￥", "$"), ("Output", "Input"), ("输出", "输入"), ("Input", "Output"), ("输入", "输出"),
                     ("200K", "100K"), ("272K", "128K"), ("PEAK", "OFF"), ("Batch", "Standard"), ("|", "¦"),
                     ("<td", "<th"), ("<tr", "<div"), ("&quot;", "'"), ("</table>", "")):  # fmt: skip
        if old in page:
            yield f"{old} written {new}", page.replace(old, new)
            yield f"{old} once written {new}", page.replace(old, new, 1)
    for name, change in _CELL_DAMAGES.items():
        boxed = re.sub(r"(?<=>)[$¥￥]\d+(?:\.\d+)?(?=\s*(?:/[^<]*)?<)", lambda m, change=change: change(m[0]), page)
        yield f"every boxed amount {name}", boxed
    headings = list(re.finditer(r"^#+ .*$|<h[1-6]\b.*?</h[1-6]>", page, re.MULTILINE | re.DOTALL))
    for match in headings[:40]:
        yield f"heading {match[0][:40]!r} gone", page[: match.start()] + page[match.end() :]
    for one, other in pairwise(headings[:40]):
        yield (
            f"headings {one[0][:30]!r} and the next exchanged",
            page[: one.start()] + other[0] + page[one.end() : other.start()] + one[0] + page[other.end() :],
        )
    yield "an error page", "<!DOCTYPE html><html><body><h1>Not found</h1></body></html>"
    yield "nothing", "\n"
