"""A table of short texts on a PDF, in rows that stay whole, its heading again on every page.

fpdf's own table lays every cell out twice, letter by letter, which took half of the time of a month's PDF. Here a text is measured once
and written where it goes; only what is too wide for its column is broken into lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fpdf import FPDF

_LINE = 4.2
_PADDING = 0.4
_SIDE = 1.0
"""Millimetres: the height of a line, and the space above and below, left and right of a cell's text."""
_LINES = 30
"""Lines of a cell: a row has to fit on a page."""
_HEADING_FILL = (240, 242, 244)


@dataclass(frozen=True)
class PdfColumn:
    """A column: its heading, its share of the width of the page, the side on which its texts stand, and the longest word in them."""

    title: str
    share: float
    is_right: bool
    longest: str = ""


class PdfTable:
    """A table at the current position of `pdf`, in its current font and its bold style."""

    def __init__(self, pdf: FPDF, columns: Sequence[PdfColumn]) -> None:
        self._pdf, self._columns = pdf, columns
        unit = pdf.epw / sum(column.share for column in columns)
        self._widths = self._with_whole_words([column.share * unit for column in columns])
        self._heading()

    def row(self, texts: Sequence[str], *, is_bold: bool = False) -> None:
        """Write a row, on a new page below the heading where this one has no room for it."""
        self._pdf.set_font(style="B" if is_bold else "")
        cells = [self._lines(text, width) for text, width in zip(texts, self._widths, strict=True)]
        if self._pdf.will_page_break(_height(cells)):
            self._pdf.add_page()
            self._heading()
            self._pdf.set_font(style="B" if is_bold else "")
        self._write(cells)

    def _with_whole_words(self, widths: list[float]) -> list[float]:
        """The widths, with room for the longest word of each column, taken from columns that have more than they need."""
        self._pdf.set_font(style="B")
        words = [[*column.title.split(), column.longest] for column in self._columns]
        needed = [max(map(self._pdf.get_string_width, each)) + 2 * _SIDE + 0.1 for each in words]
        lacking = sum(max(0.0, need - width) for need, width in zip(needed, widths, strict=True))
        spare = sum(max(0.0, width - need) for need, width in zip(needed, widths, strict=True))
        if lacking > spare:  # not every word can be whole: those of the shares' columns are broken
            return widths
        part = lacking / spare if spare else 0.0
        return [
            need if width < need else width - part * (width - need) for need, width in zip(needed, widths, strict=True)
        ]

    def _heading(self) -> None:
        pdf = self._pdf
        pdf.set_font(style="B")
        cells = [self._lines(c.title, width) for c, width in zip(self._columns, self._widths, strict=True)]
        pdf.set_fill_color(*_HEADING_FILL)
        pdf.rect(pdf.l_margin, pdf.y, pdf.epw, _height(cells), style="F")
        pdf.set_fill_color(0)
        self._write(cells)

    def _write(self, cells: Sequence[Sequence[str]]) -> None:
        """Write the lines of each cell, and a line below the row."""
        pdf = self._pdf
        left, top, height = pdf.l_margin, pdf.y, _height(cells)
        for column, width, lines in zip(self._columns, self._widths, cells, strict=True):
            for number, line in enumerate(lines):
                x = left + width - _SIDE - pdf.get_string_width(line) if column.is_right else left + _SIDE
                pdf.text(x, top + _PADDING + (number + 0.5) * _LINE + 0.3 * pdf.font_size, line)
            left += width
        pdf.line(pdf.l_margin, top + height, left, top + height)
        pdf.set_y(top + height)

    def _lines(self, text: str, width: float) -> list[str]:
        """`text` in lines that fit into a cell of `width` millimetres, broken at spaces, and inside a word that is wider."""
        room = width - 2 * _SIDE
        if self._fits(text, room):
            return [text]
        lines = [""]
        for word in text.split():
            first, *others = [word] if self._fits(word, room) else self._pieces(word, room)
            joined = f"{lines[-1]} {first}".lstrip()
            if self._fits(joined, room):
                lines[-1] = joined
            else:
                lines.append(first)
            lines += others
        return lines if len(lines) <= _LINES else [*lines[: _LINES - 1], "..."]

    def _pieces(self, word: str, room: float) -> list[str]:
        """`word` in pieces that each fit, of one letter at least."""
        pieces, start = [], 0
        for end in range(1, len(word) + 1):
            if end - start > 1 and not self._fits(word[start:end], room):
                pieces.append(word[start : end - 1])
                start = end - 1
        return [*pieces, word[start:]]

    def _fits(self, text: str, room: float) -> bool:
        return self._pdf.get_string_width(text) <= room


def _height(cells: Sequence[Sequence[str]]) -> float:
    return max(map(len, cells)) * _LINE + 2 * _PADDING
