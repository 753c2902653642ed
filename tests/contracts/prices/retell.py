"""Ways in which a price page may say the same in other signs: each takes the text of a page and gives one that means the same.

What another date of a page or another tool that saves it changes: notations of amounts, marks on cells and headings, tables without
outer bars or as HTML, what stands around the page. Damage is `mutilate.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

Retelling = Callable[[str], str]

_HTML_CELL = re.compile(r"(<t[dh]\b[^>]*>)(.*?)(</t[dh]>)", re.DOTALL)
_MD_TABLE = re.compile(r"(?:^[ \t]*\|.*\n)+", re.MULTILINE)
_RULE = re.compile(r"[\s|:-]+")


def is_html(page: str) -> bool:
    return page.lower().startswith("<!doctype")


def _rows(table: str) -> list[list[str]]:
    return [re.split(r"(?<!\\)\|", line.strip()[1:].removesuffix("|")) for line in table.splitlines()]


def _table(rows: list[list[str]]) -> str:
    return "".join(f"|{'|'.join(row)}|\n" for row in rows)


def in_cells(change: Retelling) -> Retelling:
    def retold(page: str) -> str:
        if is_html(page):
            return _HTML_CELL.sub(lambda m: m[1] + change(m[2]) + m[3], page)
        return in_tables(list, change)(page)

    return retold


def in_tables(change: Callable[[list[list[str]]], list[list[str]]], cell: Retelling = str) -> Retelling:
    """The rows of every markdown table changed, each with its rule as the second; pages of HTML stay."""

    def of_table(table: str) -> str:
        rows = change(_rows(table))
        return _table(
            [row if _RULE.fullmatch("|".join(row)) else [f" {cell(text.strip())} " for text in row] for row in rows]
        )

    return lambda page: page if is_html(page) else _MD_TABLE.sub(lambda match: of_table(match[0]), page)


def in_headings(before: str, after: str, *, words: Retelling = str) -> Retelling:
    def retold(page: str) -> str:
        if is_html(page):
            return re.sub(
                r"(<h[1-6][^>]*>)(.*?)(</h[1-6]>)", lambda m: f"{m[1]}{before}{words(m[2])}{after}{m[3]}", page
            )
        return re.sub(r"^(#+) (.*)$", lambda m: f"{m[1]} {before}{words(m[2])}{after}", page, flags=re.MULTILINE)

    return retold


def _amounts(written: str) -> Retelling:
    """Dollars and cents in another notation; `written` is a replacement for sign and amount."""
    return in_cells(lambda cell: re.sub(r"(?<!\w)\$(\d[\d.,]*)", written, cell))


def _as_html_table(match: re.Match[str]) -> str:
    rows = [row for row in _rows(match[0]) if not _RULE.fullmatch("|".join(row))]
    return f"<table>{''.join('<tr>' + ''.join(f'<td>{cell.strip()}</td>' for cell in row) + '</tr>' for row in rows)}</table>\n"


def _without_outer_bars(page: str) -> str:
    return re.sub(r"^\|(.+[^|\s].*)\|$", lambda m: m[1].strip(), page, flags=re.MULTILINE)


RETELLINGS: dict[str, Retelling] = {
    "line ends of Windows": lambda page: page.replace("\n", "\r\n"),
    "a byte order mark": lambda page: f"\ufeff{page}",
    "behind a comment": lambda page: f"<!-- saved from url=(0014)about:internet -->\n{page}",
    "in a scraper's JSON": lambda page: json.dumps({"url": "https://example.com", "result": {"status": 200, "body": page}}),
    "without its first lines": lambda page: re.sub(r"^<!doctype html><html[^>]*>", "", page, flags=re.IGNORECASE),
    "behind front matter": lambda page: page if is_html(page) else f"---\ntitle: Pricing\n---\n{page}",
    "US$": _amounts(r"US$\1"),
    "USD before": _amounts(r"USD \1"),
    "USD behind": _amounts(r"$\1 USD"),
    "USD for the sign": _amounts(r"\1 USD"),
    "a space behind the sign": _amounts("$\u202f\\1"),
    "a wide sign": _amounts(r"＄\1"),
    "no zero before the point": in_cells(lambda cell: cell.replace("$0.", "$.")),
    "more decimals": in_cells(lambda cell: re.sub(r"\$(\d+)(?![\d.,])", r"$\1.00", cell)),
    "entities": in_cells(lambda cell: cell.replace("$", "&#36;")),
    "per MTok": in_cells(lambda cell: cell.replace(" / MTok", " per MTok")),
    "million tokens": in_cells(lambda cell: cell.replace(" / MTok", " / 1M tokens")),
    "what no one sees": in_cells(lambda cell: f"\ufeff{cell}\u200b"),
    "a drawing and a style": lambda page: page if not is_html(page) else _HTML_CELL.sub(r"\1<style>.a{top:1px}</style>\2<svg><title>i</title></svg>\3", page),
    "anchors before headings": in_headings('<a href="#x">#</a>', ""),
    "anchors behind headings": in_headings("", '<a href="#x">¶</a>'),
    "numbered headings": in_headings("2. ", ""),
    "signs before headings": in_headings("💰 ", ""),
    "headings in capitals": in_headings("", "", words=lambda text: text if "`" in text or "<" in text else text.upper()),
    "tables as HTML": lambda page: page if is_html(page) else _MD_TABLE.sub(_as_html_table, page),
    "tables in a quotation": lambda page: page if is_html(page) else re.sub(r"^\|", "> |", page, flags=re.MULTILINE),
    "tables without spaces": lambda page: page if is_html(page) else _MD_TABLE.sub(lambda m: re.sub(r" *\| *", "|", m[0]), page),
    "the header again": in_tables(lambda rows: [*rows[:3], rows[0], *rows[3:]]),
    "a blank row": in_tables(lambda rows: [*rows[:2], [""] * len(rows[0]), *rows[2:]]),
    "a row that heads others": in_tables(lambda rows: [*rows, ["**Other models**", *[""] * (len(rows[0]) - 1)]]),
    "tables without outer bars": _without_outer_bars,
}  # fmt: skip
