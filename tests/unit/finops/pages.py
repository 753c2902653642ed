"""What tests of the report read out of a page: tables, amounts, words."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import psycopg
from selectolax.lexbor import LexborHTMLParser as HTMLParser

Page = Callable[..., HTMLParser]
Connection = psycopg.Connection[Any]


def rows_of(page: HTMLParser, table: str, part: str = "tbody") -> list[list[str]]:
    """The texts of a table's cells, row by row, without remarks in small print."""
    found = []
    for row in page.css(f"#{table} > {part} > tr"):
        cells = []
        for cell in row.css("th, td"):
            for small in cell.css("small"):
                small.decompose()
            cells.append(" ".join(cell.text().split()))
        found.append(cells)
    return found


def amount(text: str) -> Decimal:
    return Decimal(text.replace(",", "").replace("−", "-").replace("+", "").replace("–", "0"))


def words(page: HTMLParser, selector: str) -> str:
    """The words, without the joiner that holds a minus and its amount together."""
    return " ".join(" ".join(node.text(separator=" ") for node in page.css(selector)).replace("\u2060", "").split())
