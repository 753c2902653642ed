"""How the lines of a request log arrive: in files of a few hours, repeated, late, broken, past midnight.

Which calls there are is drawn in `traffic.py`, their lines are written in `logs.py`; here they are put into files and
counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import polars as pl

from pipelines.sample.bills import Bills
from pipelines.sample.catalogue import Source
from pipelines.sample.draws import Draws
from pipelines.sample.logs import BREAKS, LINES, TRUNCATED
from pipelines.sample.summary import SourceSummary
from pipelines.sample.traffic import draw_calls, requests_on

LATE_PER_MILLE = 4
REPEATED_INSIDE_PER_MILLE = 4
REPEATED_ACROSS_PER_MILLE = 2
SPILLED_PER_DAY = 6
BROKEN_PER_REASON_AND_DAY = 3


@dataclass(frozen=True)
class ArrivedFile:
    """One file: the day it arrived, its name, its lines in order."""

    arrival_date: date
    name: str
    lines: pl.Series


class Arrivals:
    """The files of one source over consecutive days, whose calls are added to `bills`; `summary` is complete when all have
    been taken."""

    def __init__(self, source: Source, days: tuple[date, ...], requests_per_day: int, seed: int, bills: Bills) -> None:
        self.summary = SourceSummary()
        self._bills = bills
        self._source, self._days, self._requests_per_day, self._seed = source, days, requests_per_day, seed
        self._held: dict[date, list[pl.DataFrame]] = defaultdict(list)

    def files_of(self, day: date) -> Iterator[ArrivedFile]:
        """The files that arrive on `day`; days must be taken in order, because late lines are held until theirs."""
        rows = pl.concat([self._valid_rows(day), *self._broken_rows(day), *self._held.pop(day, [])])
        for part in range(self._source.files_per_day):
            lines = rows.filter(pl.col("part") == part).sort("at_us", maintain_order=True)["line"]
            self.summary.files += 1
            self.summary.lines += len(lines)
            yield ArrivedFile(day, self._source.file_name.format(self._closed_at(day, part)), lines)

    def _valid_rows(self, day: date) -> pl.DataFrame:
        source, is_last = self._source, day == self._days[-1]
        draws = Draws(self._seed, source.name, day.isoformat())
        count = requests_on(source, day, self._requests_per_day)
        calls = draw_calls(source, day, count, 0 if is_last else SPILLED_PER_DAY, draws)
        self._count(calls)
        self._bills.add(calls)
        rows = self._rows(day, calls, LINES[source.name](calls, None))
        size = rows.height
        is_late = pl.Series(draws.chance(0 if is_last else LATE_PER_MILLE, size)) & ~calls["is_next_day"]
        delay = pl.Series(1 + draws.below(2, size))
        if not is_last:
            for days in (1, 2):
                arrival = min(day + timedelta(days=days), self._days[-1])
                self._held[arrival].append(rows.filter(is_late & (delay == days)).with_columns(part=pl.lit(0)))
        on_time = rows.filter(~is_late)
        repeated = on_time.filter(pl.Series(draws.chance(REPEATED_INSIDE_PER_MILLE, on_time.height)))
        again = on_time.filter(pl.Series(draws.chance(REPEATED_ACROSS_PER_MILLE, on_time.height)))
        in_next_part = again.filter(pl.col("part") < source.files_per_day - 1).with_columns(pl.col("part") + 1)
        in_next_day = again.filter(pl.col("part") == source.files_per_day - 1).with_columns(part=pl.lit(0))
        if is_last:
            in_next_day = in_next_day.clear()
        else:
            self._held[day + timedelta(days=1)].append(in_next_day)
        self.summary.late += int(is_late.sum())
        self.summary.duplicates_inside += repeated.height
        self.summary.duplicates_across += in_next_part.height + in_next_day.height
        return pl.concat([on_time, repeated.with_columns(pl.col("at_us") + 30_000_000), in_next_part])

    def _broken_rows(self, day: date) -> list[pl.DataFrame]:
        source = self._source
        write = LINES[source.name]
        reasons: dict[str, pl.Expr | None] = dict(BREAKS)
        if not source.file_name.endswith(".csv"):
            reasons[TRUNCATED] = None
        found = []
        for reason, expression in reasons.items():
            draws = Draws(self._seed, source.name, day.isoformat(), reason)
            calls = draw_calls(source, day, BROKEN_PER_REASON_AND_DAY, 0, draws).with_columns(outcome=pl.lit("ok"))
            lines = write(calls, expression)
            if reason == TRUNCATED:
                lines = lines.str.slice(0, 301)
            self.summary.broken[reason] = self.summary.broken.get(reason, 0) + len(lines)
            found.append(self._rows(day, calls, lines))
        return found

    def _rows(self, day: date, calls: pl.DataFrame, lines: pl.Series) -> pl.DataFrame:
        files = self._source.files_per_day
        midnight = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000
        part = ((pl.col("at_us") - midnight) * files // 86_400_000_000).clip(0, files - 1).cast(pl.Int32)
        return calls.select(lines.alias("line"), "at_us", part.alias("part"))

    def _closed_at(self, day: date, part: int) -> str:
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        end = midnight + timedelta(hours=24 * (part + 1) // self._source.files_per_day, seconds=-1)
        return f"{end:%Y%m%dT%H%M%SZ}"

    def _count(self, calls: pl.DataFrame) -> None:
        summary, used = self.summary, pl.col("outcome") != "error"
        summary.requests += calls.height
        summary.errors += int((calls["outcome"] == "error").sum())
        summary.cache_hits += int((calls["outcome"] == "cache_hit").sum())
        summary.unknown_model += int((calls["is_unknown"] & ~calls["is_nameless"]).sum())
        summary.without_model += int(calls["is_nameless"].sum())
        summary.next_day += int(calls["is_next_day"].sum())
        per_day = calls.group_by(day=pl.from_epoch("at_us", time_unit="us").dt.date().cast(pl.String)).agg(
            pl.len().alias("requests"),
            pl.sum_horizontal("input", "cache_read", "cache_write").filter(used).sum().alias("input"),
            pl.sum_horizontal("visible", "reasoning").filter(used).sum().alias("output"),
        )
        for day, requests, prompt, output in per_day.sort("day").iter_rows():
            for totals, value in (
                (summary.requests_by_date, requests),
                (summary.input_tokens_by_date, prompt),
                (summary.output_tokens_by_date, output),
            ):
                totals[day] = totals.get(day, 0) + value
