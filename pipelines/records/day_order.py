"""Days as spreadsheets of one country write them: `02/12/2026` is the second of December or the twelfth of February, and no row alone shows which.

A declared source says its pattern (`time`). Without that, what the whole of a file proves is believed: a number above 12 is the day. A file
that proves neither order, or both, is set aside; where such days are few, only their records are. With points (`12.02.2026`) the day
comes first everywhere.
Conversion is in `conversions.py`, what numbers prove in `number_marks.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock
from typing import Literal

import polars as pl

Order = Literal["day", "month"]
"""What comes first."""
_WRITTEN = (
    r"^\s*(\d{1,2})([/.-])(\d{1,2})[/.-](\d{4})(?:[T,]?\s*(\d{1,2}):(\d{2})(?::(\d{2}))?([.,]\d{1,12})?\s*([AaPp])?\.?[Mm]?\.?)?"
    r"\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?\s*$"
)
_PARTS = ("first", "mark", "second", "year", "hour", "minute", "clock_second", "fraction", "half", "offset")
_CLOCK = r"(\d{1,2}):(\d{2})(?::(\d{2}))?([.,]\d{1,12})?\s*([AaPp])?\.?[Mm]?\.?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?"
_NAMED = (
    rf"^\s*(?:[A-Za-z]{{3,9}},?\s+)?(?<first>\d{{1,2}})[ -](?<second>[A-Za-z]{{3,9}})[ -](?<year>\d{{4}})(?:,?\s+{_CLOCK})?\s*$",
    rf"^\s*(?:[A-Za-z]{{3,9}},?\s+)?(?<second>[A-Za-z]{{3,9}})\s+(?<first>\d{{1,2}}),?\s+(?<year>\d{{4}})(?:,?\s+{_CLOCK})?\s*$",
)
_MONTHS = {
    name: f"{number:02}"
    for number, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
    )
}


def with_named_months(texts: pl.Series) -> pl.Series:
    """The texts with days whose month is an English word (`Thu, 12 Feb 2026 10:00:00 GMT`, `Feb 12, 2026 10:00 AM`) in ISO 8601."""
    if not texts.str.contains(r"(?i)(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)").any():
        return texts
    for pattern in _NAMED:
        parts = texts.str.extract_groups(pattern).struct.unnest()
        names = ("hour", "minute", "clock_second", "fraction", "half", "offset")
        unnamed = [name for name in parts.columns if name not in ("first", "second", "year")]
        parts = parts.rename(dict(zip(unnamed, names, strict=True))).with_columns(texts.alias("text"))
        month = pl.col("second").str.to_lowercase().str.head(3).replace_strict(_MONTHS, default=None)
        texts = _spelled(parts, month, pl.col("first").str.zfill(2)).rename(texts.name)
    return texts


def respelled(texts: pl.Series, order: Order) -> pl.Series:
    """The texts with such days in ISO 8601, by `order`; any other stays as it is."""
    frame = _parts(texts)
    is_day_first = pl.lit(order == "day") | (pl.col("mark") == ".")
    day, month = (
        pl.when(is_day_first).then(one).otherwise(other).str.zfill(2)
        for one, other in ((pl.col("first"), pl.col("second")), (pl.col("second"), pl.col("first")))
    )
    return _spelled(frame, month, day).rename(texts.name)


def _spelled(frame: pl.DataFrame, month: pl.Expr, day: pl.Expr) -> pl.Series:
    """The instants in ISO 8601 of the parts that `frame` holds; its `text` where there are none."""
    hour = pl.col("hour").cast(pl.Int64)
    in_day = (
        pl.when(pl.col("half").is_null()).then(hour)
        .when(~hour.is_between(1, 12)).then(99)
        .otherwise(hour % 12 + pl.when(pl.col("half").str.to_lowercase() == "p").then(12).otherwise(0))
    )  # fmt: skip
    clock = pl.concat_str(
        pl.lit("T"), in_day.cast(pl.String).str.zfill(2), pl.lit(":"), "minute", pl.lit(":"),
        pl.col("clock_second").fill_null("00"), pl.col("fraction").fill_null(""), pl.col("offset").fill_null(""),
    )  # fmt: skip
    spelled = pl.concat_str("year", pl.lit("-"), month, pl.lit("-"), day, clock.fill_null(""))
    return frame.select(pl.coalesce(spelled, "text")).to_series()


class OrderWatch:
    """What the instants of one file prove, over its batches, which may come from several threads."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = tuple(paths)
        self._lock = Lock()
        self._is_day_first = self._is_month_first = False
        self._seen = self._written_so = 0

    def look(self, frame: pl.DataFrame) -> None:
        """Take in one batch."""
        for path in self._paths:
            if path not in frame.columns or frame.schema[path] != pl.String:
                continue
            texts = frame[path].drop_nulls()
            parts = _parts(texts).drop_nulls("first")
            first, second = (parts[name].cast(pl.Int64) for name in ("first", "second"))
            with self._lock:
                self._is_day_first |= bool(((first > 12) | (parts["mark"] == ".")).any())
                self._is_month_first |= bool(((second > 12) & (parts["mark"] != ".")).any())
                self._seen, self._written_so = self._seen + len(texts), self._written_so + parts.height

    @property
    def is_written_so(self) -> bool:
        """Whether any instant is such a day."""
        return self._written_so > 0

    @property
    def is_most(self) -> bool:
        """Whether most instants are."""
        return self._written_so * 2 >= self._seen

    @property
    def order(self) -> Order | None:
        """What comes first; None if neither or both are proved."""
        if self._is_day_first == self._is_month_first:
            return None
        return "day" if self._is_day_first else "month"


def _parts(texts: pl.Series) -> pl.DataFrame:
    found = texts.str.extract_groups(_WRITTEN).struct.rename_fields(list(_PARTS)).struct.unnest()
    return found.with_columns(texts.alias("text"))
