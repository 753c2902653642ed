"""The shapes that sections hand to the template: tables of ready text, key figures and sentences.

No number is computed here and no HTML is written; every text is escaped by the template.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from pipelines.finops.format import NONE, amount, count, money, percent


@dataclass(frozen=True)
class Column:
    """A heading with its unit; numbers stand right and sort as numbers."""

    title: str
    unit: str = ""
    is_number: bool = False


@dataclass(frozen=True)
class Cell:
    """What is shown, what it sorts by (empty: the text itself), a bar from 0 to 1, and a remark in small print."""

    text: str
    sort: str = ""
    bar: float | None = None
    note: str = ""
    is_code: bool = False
    tone: str = ""


@dataclass(frozen=True)
class Table:
    """One table: the first cell of a row is its heading, `foot` is the row of totals, `empty` stands for no rows; `sql_at` is
    the table with the query, where that is another one."""

    id: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    foot: Sequence[Cell] = ()
    empty: str = ""
    sql: str = ""
    sql_at: str = ""


@dataclass(frozen=True)
class Link:
    """A way to another page, by its relative address."""

    text: str
    href: str


@dataclass(frozen=True)
class KeyFigure:
    """One of the figures at the top: `definition` is its entry in the section on method, `query` the table whose query gives it."""

    label: str
    value: str
    notes: Sequence[str] = field(default_factory=tuple)
    definition: str = ""
    query: str = ""


def text_column(title: str) -> Column:
    """A column of words."""
    return Column(title)


def number_column(title: str, unit: str = "") -> Column:
    """A column of numbers."""
    return Column(title, unit, is_number=True)


def text_cell(text: str | None, note: str = "") -> Cell:
    """A word, or a dash where there is none."""
    return Cell(text or NONE, note=note)


def count_cell(value: int | None) -> Cell:
    """A whole number."""
    return Cell(count(value), "" if value is None else str(value))


def money_cell(amount: Decimal | None, decimals: int, *, note: str = "", plus: bool = False) -> Cell:
    """An amount, rounded to `decimals`; sorts by all its digits."""
    return Cell(money(amount, decimals, plus=plus), "" if amount is None else f"{amount:f}", note=note)


def amount_cell(value: Decimal | None, decimals: int, *, plus: bool = False) -> Cell:
    """An amount to `decimals`; what is below them reads as below them."""
    return Cell(amount(value, decimals, plus=plus), "" if value is None else f"{value:f}")


def share_cell(value: Decimal | float | None, *, bar: bool = False) -> Cell:
    """A share in percent, with a bar where asked for."""
    width = min(max(float(value), 0.0), 1.0) if bar and value is not None else None
    return Cell(percent(value), "" if value is None else f"{Decimal(str(value)):f}", bar=width)
