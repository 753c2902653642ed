"""Marks in numbers that were written as text: `1.234` may be a thousand or not, and no row alone shows which.

A declared source says its marks. Without that, what a whole column of a file proves is believed, and a column that can
be read both ways sets the file aside. Numbers of JSON and Parquet never pass through here. Conversion is in `conversions.py`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from threading import Lock

import polars as pl

DECIMALS = (".", ",")
THOUSANDS = (".", ",", "'", " ", "_")
_ALIKE = {"'": "'\u2019", " ": " \u00a0\u2009\u202f"}
"""Characters that are written for one mark: apostrophes, and spaces that do not break."""
_CODES = "USD|EUR|GBP|CHF|JPY|CNY|INR|CAD|AUD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|BRL|MXN|SGD|HKD|KRW|ILS|ZAR|TRY"
_SIGN = rf"(?:US\$|[$€£¥₹]|{_CODES})"
_MINUS = "[-\u2212\u2013]"
_DRESSED = (
    (r"^\((.*)\)$", "-$1"),
    (rf"^({_MINUS}|\+)?\s*{_SIGN}\s*", "$1"),
    (rf"\s*{_SIGN}\s*({_MINUS}?)$", "$1"),
    (rf"^{_MINUS}\s*", "-"),
    (rf"^([^-+].*\d)\s*{_MINUS}$", "-$1"),
)
"""Spellings around a number and what they become: what accounts write in brackets, currencies on either side, minus signs of other fonts and behind it."""
_WRITTEN_IN = {
    r"US\$": "^USD$",
    r"\$": r"^..D$",
    "€": "^EUR$",
    "£": "^GBP$",
    "₹": "^INR$",
    "¥": "^(?:CNY|JPY)$",
    **{code: f"^{code}$" for code in _CODES.split("|")},
}
"""Signs next to amounts, and the codes of the currencies that they may stand for; the first that fits counts."""
_CERTAIN = tuple(mark for mark in THOUSANDS if mark not in DECIMALS)
"""Marks that stand between thousands and nowhere else."""
_A_THOUSAND = r"^-?[1-9]\d{0,2}\.\d{3}$"
_JSON_NUMBER = r"^-?\d+(?:\.\d*[1-9]|\.0)?(?:[eE][+-]?\d+)?$"
"""How numbers of JSON reach the columns of texts: never with zeros at their end."""


@dataclass(frozen=True)
class Marks:
    """The character before the decimals and the one between thousands."""

    decimal: str = "."
    thousands: str = ","


def declared(decimal: str | None, thousands: str | None) -> Marks:
    """The marks of a declaration that names one or both: of point and comma the other one is what is left."""
    if decimal is None:
        decimal = "," if thousands == "." else "."
    return Marks(decimal, thousands or ("," if decimal == "." else "."))


def plain(texts: pl.Expr, marks: Marks) -> pl.Expr:
    """Numbers by `marks` in the one spelling that conversion knows; a text that is none by these begins with `?`."""
    bare = _bare(texts)
    thousands = _class(marks.thousands)
    grouped = rf"(?:\d+|\d{{1,3}}(?:{thousands}\d{{2,3}})*{thousands}\d{{3}})"
    number = (
        rf"^[+-]?(?:{grouped}(?:{re.escape(marks.decimal)}\d*)?|{re.escape(marks.decimal)}\d+)(?:[eE][+-]?\d{{1,3}})?$"
    )
    spelled = bare.str.replace_all(thousands, "").str.replace(marks.decimal, ".", literal=True)
    return pl.when(bare.str.contains(number)).then(spelled).otherwise(pl.concat_str(pl.lit("?"), texts))


def currency_code(texts: pl.Expr) -> pl.Expr:
    """ISO 4217 codes in upper case; a sign that stands for one currency only becomes its code."""
    return (
        texts.str.strip_chars()
        .str.to_uppercase()
        .replace({"€": "EUR", "EURO": "EUR", "£": "GBP", "₹": "INR", "US$": "USD"})
    )


def in_another_currency(texts: pl.Expr, currency: pl.Expr) -> pl.Expr:
    """Whether a sign or code in an amount contradicts `currency`, an ISO 4217 code; what bears none contradicts nothing."""
    found = pl.lit(value=False)
    for sign, codes in reversed(_WRITTEN_IN.items()):
        found = pl.when(texts.str.contains(sign)).then(~currency.str.contains(codes)).otherwise(found)
    return found.fill_null(value=False)


def respelled(
    frame: pl.DataFrame, marks: Mapping[str, Marks], written: frozenset[str], in_usd: Collection[str] = ()
) -> pl.DataFrame:
    """`frame` with the paths of `marks` in plain spelling, as far as they were written as text (`written`: all of it).

    Of the paths `in_usd` an amount that bears the sign of another currency is no number either.
    """
    columns = []
    for path, held in marks.items():
        if path in frame.columns and frame.schema[path] == pl.String:
            text = pl.col(path)
            # Words for no value are separated later, as in every other format.
            is_number = _text(path, written).str.contains(r"\d")
            spelled = pl.when(is_number).then(plain(text, held)).otherwise(text)
            if path in in_usd:
                is_other = in_another_currency(text, pl.lit("USD"))
                spelled = pl.when(is_other).then(pl.concat_str(pl.lit("?"), text)).otherwise(spelled)
            if held.thousands == "." and path not in written:
                # A number in a JSON document, or a thousand written as text: the row is set aside, not guessed.
                spelled = (
                    pl.when(text.str.contains(_A_THOUSAND)).then(pl.concat_str(pl.lit("?"), text)).otherwise(spelled)
                )
            columns.append(spelled.alias(path))
    return frame.with_columns(columns)


@dataclass(frozen=True)
class Evidence:
    """What a column's texts say of point and comma: which are decimal, which part thousands, which may be either; which other
    marks part thousands, and whether a currency, brackets or a minus behind it stands next to numbers."""

    decimal: frozenset[str] = frozenset()
    thousands: frozenset[str] = frozenset()
    either: frozenset[str] = frozenset()
    certain: frozenset[str] = frozenset()
    is_dressed: bool = False

    def __or__(self, other: Evidence) -> Evidence:
        return Evidence(
            self.decimal | other.decimal,
            self.thousands | other.thousands,
            self.either | other.either,
            self.certain | other.certain,
            self.is_dressed or other.is_dressed,
        )

    @property
    def marks(self) -> Marks | None:
        """The one reading that is left; None if both are, or none is."""
        if self.certain:
            is_one = len(self.certain) == 1 and len(self.decimal) < 2
            is_open = bool(self.thousands or self.either - self.decimal)
            return Marks(next(iter(self.decimal), "."), next(iter(self.certain))) if is_one and not is_open else None
        if self.is_dressed and not self.decimal | self.thousands | self.either:
            return Marks()
        possible = [mark for mark in DECIMALS if mark not in self.thousands and not self.decimal - {mark}]
        return declared(possible[0], None) if len(possible) == 1 else None

    @property
    def is_plain(self) -> bool:
        """Whether numbers without marks, and with a decimal point, are all there is."""
        is_marked = self.thousands or self.certain or self.is_dressed
        return self.decimal == {"."} and not is_marked and "," not in self.either


def evidence(frame: pl.DataFrame, paths: Iterable[str], written: frozenset[str]) -> dict[str, Evidence]:
    """What the texts of each path say, as far as they were written as text (`written`: all of it)."""
    found: dict[str, Evidence] = {}
    for path in _texts_of(frame, paths):
        read = frame.select(
            _text(path, written).str.strip_chars().alias("text"), _bare(_text(path, written)).alias("bare")
        )
        texts, bare = read["text"], read["bare"]
        is_dressed = bool((bare.ne_missing(texts) & bare.str.contains(r"^[+-]?\d")).any())
        certain = []
        for mark in _CERTAIN:
            parted = bare.str.contains(rf"^[+-]?\d{{1,3}}(?:{_class(mark)}\d{{3}})+(?:[.,]\d*)?$")
            if parted.any():
                certain.append(mark)
                bare = pl.select(
                    pl.when(parted).then(bare.str.replace_all(_class(mark), "")).otherwise(bare)
                ).to_series()
        seen = {mark: _says(bare, mark) for mark in DECIMALS}
        decimal, thousands, either = (frozenset(mark for mark in DECIMALS if seen[mark][place]) for place in range(3))
        found[path] = Evidence(decimal, thousands, either, frozenset(certain), is_dressed)
    return found


def _bare(texts: pl.Expr) -> pl.Expr:
    """Numbers without what stands around them: a sign in front and nothing else."""
    bare = texts.str.strip_chars()
    for written, plain_form in _DRESSED:
        bare = bare.str.replace(written, plain_form).str.strip_chars()
    return bare


def _class(mark: str) -> str:
    return f"[{re.escape(_ALIKE.get(mark, mark))}]"


class Watch:
    """Collects the evidence of one file's batches, which may come from several threads; clean ones cost a glance."""

    def __init__(self, paths: Iterable[str], *, sees_all: bool = False) -> None:
        self._paths = tuple(paths)
        self._sees_all = sees_all
        self._lock = Lock()
        self.found: dict[str, Evidence] = {}

    def look(self, frame: pl.DataFrame, written: frozenset[str] = frozenset()) -> None:
        """Take in one batch; of those where nothing can be read two ways only if the watch sees all."""
        open_ones = [(_text(path, written).str.contains(_OPEN)).any() for path in _texts_of(frame, self._paths)]
        if not open_ones or not (self._sees_all or frame.select(pl.any_horizontal(open_ones)).item()):
            return
        for path, seen in evidence(frame, self._paths, written).items():
            with self._lock:
                self.found[path] = self.found.get(path, Evidence()) | seen

    @property
    def is_plain(self) -> bool:
        """Whether the file may be read without another look."""
        return all(seen == Evidence() or seen.is_plain for seen in self.found.values())


def _texts_of(frame: pl.DataFrame, paths: Iterable[str]) -> list[str]:
    return [path for path in paths if path in frame.columns and frame.schema[path] == pl.String]


def _text(path: str, written: frozenset[str]) -> pl.Expr:
    text = pl.col(path)
    return text if path in written else pl.when(~text.str.contains(_JSON_NUMBER)).then(text)


def _says(texts: pl.Series, mark: str) -> tuple[bool, bool, bool]:
    """Whether any text shows the mark before decimals, between thousands, or as either of them."""
    point, other = re.escape(mark), re.escape("," if mark == "." else ".")
    either = texts.str.contains(rf"^[+-]?[1-9]\d{{0,2}}{point}\d{{3}}$")
    last = texts.str.contains(rf"^[+-]?(?:\d+(?:{other}\d{{2,3}})*)?{point}\d*(?:[eE][+-]?\d+)?$")
    group = rf"{point}\d{{3}}"
    grouped = texts.str.contains(
        rf"^[+-]?\d{{1,3}}(?:(?:{point}\d{{2,3}})+{group}(?:{other}\d*)?|(?:{group})+{other}\d*)$"
    )
    return bool((last & ~either).any()), bool(grouped.any()), bool(either.any())


_OPEN = (
    r"^\s*[+-]?(?:[1-9]\d{0,2}\.\d{3}\s*$|\d[\d.]*,\d|\d+\.\d+\.\d|\d{1,3}[\'\u2019 \u00a0\u2009\u202f_]\d)"
    rf"|[$€£¥₹]|{_CODES}|^\s*\(.*\)\s*$|\d\s*{_MINUS}\s*$|^\s*[\u2212\u2013]|^\s*-\s"
)
