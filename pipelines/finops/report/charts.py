"""The charts: Vega-Lite specifications rendered to SVG in this process, twice each, for a desk and for a phone.

Names out of logs never enter a chart: series are numbered here and named in the HTML legend, and every chart has its
figures in a table below it. Floats are for the height of bars only.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

import polars as pl

from pipelines.finops import format as fmt
from pipelines.finops.report.tables import Cell, Table, count_cell, money_cell, number_column, share_cell, text_column

Spec = dict[str, Any]
"""A Vega-Lite specification, or a part of one."""

SERIES = 6
"""Models that get a colour of their own; the rest are drawn together as others."""

_OTHERS = "all other models"
WIDE, NARROW = (920, 300), (330, 250)
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
_CONFIG: Spec = {
    "font": _FONT,
    "view": {"stroke": None},
    "axis": {
        "labelColor": "var(--muted)",
        "titleColor": "var(--muted)",
        "gridColor": "var(--rule)",
        "domainColor": "var(--rule)",
        "tickColor": "var(--rule)",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
    },
}
_DAYS_BY_MONTH = 120
"""A longer series is labelled by months, a shorter one by days."""
BAR_COLOUR, BASE_COLOUR = "var(--accent)", "var(--s-others)"


@dataclass(frozen=True)
class Legend:
    """A colour (a variable of the style sheet), the name of the series and its sum."""

    colour: str
    name: str
    amount: str


@dataclass(frozen=True)
class Chart:
    """The same chart as SVG for a desk and for a phone, what it shows in a sentence, and its legend."""

    wide: str
    narrow: str
    description: str
    legend: Sequence[Legend] = ()


@dataclass(frozen=True)
class Stacks:
    """Spend by day and series: the largest models by their spend over the days, then the others."""

    days: Sequence[date]
    names: Sequence[str]
    amounts: dict[tuple[date, str], Decimal]
    frame: pl.DataFrame

    def of_name(self, name: str) -> Decimal:
        """Spend of a series over all days."""
        return fmt.total(amount for (_, series), amount in self.amounts.items() if series == name) or Decimal(0)

    def of_day(self, day: date) -> Decimal | None:
        """Spend of a day over all series; None if nothing is known."""
        return fmt.total(amount for (on, _), amount in self.amounts.items() if on == day)


def stacks(history: pl.DataFrame, start: date, last: date) -> Stacks:
    """A history by day and model, from its first day with data, at the earliest `start`, up to `last`."""
    priced = history.filter(pl.col("effective_cost_usd").is_not_null())
    first = min(history["event_date"].to_list(), default=last)
    days = [day for n in range((last - start).days + 1) if (day := start + timedelta(days=n)) >= first]
    by_model: dict[str, list[Decimal]] = {}
    for model, amount in priced.select("model_id", "effective_cost_usd").iter_rows():
        by_model.setdefault(model, []).append(amount)
    sums = {model: fmt.total(amounts) or Decimal(0) for model, amounts in by_model.items()}
    ranked = [model for model, amount in sorted(sums.items(), key=lambda item: (-item[1], item[0])) if amount]
    names = ranked if len(ranked) <= SERIES + 1 else [*ranked[:SERIES], _OTHERS]
    cells: dict[tuple[date, str], list[Decimal]] = {}
    for day, model, amount in priced.select("event_date", "model_id", "effective_cost_usd").iter_rows():
        cells.setdefault((day, model if model in names else _OTHERS), []).append(amount)
    amounts = {key: fmt.total(values) or Decimal(0) for key, values in cells.items()}
    return Stacks(days, names, amounts, history)


def spend_chart(found: Stacks) -> Chart | None:
    """Stacked bars per day and model; None if nothing was spent in the thirty days."""
    if not found.names:
        return None
    rows = [
        {"day": fmt.short_day(day), "series": f"s{n}", "order": n, "usd": float(found.amounts.get((day, name), 0))}
        for day in found.days
        for n, name in enumerate(found.names)
    ]
    colours = [_colour(n, name) for n, name in enumerate(found.names)]
    total = fmt.dollars(fmt.total(found.amounts.values()))
    description = (
        f"Stacked bars: spend per day from {fmt.long_day(found.days[0])} to {fmt.long_day(found.days[-1])}, {total} in all. "
        + ", ".join(f"{name} {fmt.dollars(found.of_name(name))}" for name in found.names)
        + ". The figures stand in the table below."
    )
    labels = [fmt.short_day(day) for day in found.days]
    wide, narrow = (
        to_svg(_stacked(rows, labels, colours, at_most), size) for size, at_most in ((WIDE, 15), (NARROW, 4))
    )
    legend = [
        Legend(colour, name, fmt.dollars(found.of_name(name)))
        for colour, name in zip(colours, found.names, strict=True)
    ]
    return Chart(wide, narrow, description, legend)


def history_table(found: Stacks, sql: str) -> Table:
    """The figures of the chart: one row per day, none where no day has data."""
    decimals = fmt.decimals_for(found.of_day(day) for day in found.days)
    by_day = found.frame.group_by("event_date").agg(pl.col("requests", "priced_requests").sum())
    counts = {row["event_date"]: row for row in by_day.iter_rows(named=True)}
    rows = []
    for day in reversed(found.days if counts else ()):
        day_counts = counts.get(day)
        rows.append(
            [
                Cell(f"{day}"),
                count_cell(day_counts["requests"] if day_counts else None),
                share_cell(fmt.share(day_counts["priced_requests"], day_counts["requests"]) if day_counts else None),
                money_cell(found.of_day(day), decimals),
                *(money_cell(found.amounts.get((day, name)), decimals) for name in found.names),
            ]
        )
    columns = [
        text_column("Day, UTC"),
        number_column("Requests"),
        number_column("Priced", "%"),
        number_column("Spend", "USD"),
        *(number_column(name, "USD") for name in found.names),
    ]
    empty = "Nothing was spent in these days, as far as the books know."
    return Table("history", "Spend by day and model", columns, rows, empty=empty, sql=sql)


def gap_chart(points: Sequence[tuple[date, float, float | None, float | None]], unit: str, description: str) -> Chart:
    """A line of the gap (day, gap, lower and upper bound) in a unit, with its interval as a band and a rule at zero."""
    rows = [
        {
            "day": f"{day}T00:00:00Z",
            "gap": gap,
            "low": gap if low is None else low,
            "high": gap if high is None else high,
        }
        for day, gap, low, high in points
    ]
    months = "%b %Y" if (points[-1][0] - points[0][0]).days > _DAYS_BY_MONTH else "%-d %b"
    wide, narrow = (to_svg(_banded(rows, months), (width, 190)) for width, _ in (WIDE, NARROW))
    legend = [Legend(BAR_COLOUR, f"closed less open, {unit}; above zero closed models lead", "")]
    return Chart(wide, narrow, description, legend)


def _banded(rows: list[dict[str, Any]], months: str) -> Spec:
    y_axis = {"title": None, "tickCount": 5, "domain": False}
    x = {
        "field": "day",
        "type": "temporal",
        "scale": {"type": "utc"},
        "axis": {"title": None, "format": months, "tickCount": 5},
    }
    band = {"x": x, "y": {"field": "low", "type": "quantitative", "axis": y_axis}, "y2": {"field": "high"}}
    line = {"x": x, "y": {"field": "gap", "type": "quantitative"}}
    return {
        "data": {"values": rows},
        "layer": [
            {"mark": {"type": "area", "aria": False, "opacity": 0.2, "color": BAR_COLOUR}, "encoding": band},
            {
                "data": {"values": [{"zero": 0}]},
                "mark": {"type": "rule", "aria": False, "color": "var(--muted)"},
                "encoding": {"y": {"field": "zero", "type": "quantitative"}},
            },
            {
                "mark": {
                    "type": "line",
                    "aria": False,
                    "color": BAR_COLOUR,
                    "point": {"color": BAR_COLOUR, "aria": False},
                },
                "encoding": line,
            },
        ],
    }


def _colour(number: int, name: str) -> str:
    return "var(--s-others)" if name == _OTHERS else f"var(--s{number})"


def _dollars(rows: list[dict[str, Any]]) -> str:
    """The format of an axis in USD: thousands as k, cents as cents. SI's m would be a thousandth and reads as millions."""
    sums: dict[str, float] = {}
    for row in rows:
        sums[row["day"]] = sums.get(row["day"], 0) + row["usd"]
    highest = max(sums.values(), default=0)
    if highest >= 10:
        return "$~s"
    return f"$,.{max(2, 1 - math.floor(math.log10(highest))) if highest > 0 else 2}f"


def _stacked(rows: list[dict[str, Any]], days: list[str], colours: list[str], at_most: int) -> Spec:
    named = days[:: -(-len(days) // at_most)]
    series = [f"s{n}" for n in range(len(colours))]
    return {
        "data": {"values": rows},
        "mark": {"type": "bar", "aria": False, "stroke": "var(--paper)", "strokeWidth": 0.6},
        "encoding": {
            "x": {
                "field": "day",
                "type": "ordinal",
                "sort": days,
                "axis": {"title": None, "values": named, "labelAngle": 0, "labelPadding": 7, "ticks": False},
            },
            "y": {
                "field": "usd",
                "type": "quantitative",
                "axis": {"title": None, "format": _dollars(rows), "tickCount": 5, "domain": False},
            },
            "color": {
                "field": "series",
                "type": "nominal",
                "scale": {"domain": series, "range": colours},
                "legend": None,
            },
            "order": {"field": "order", "type": "quantitative"},
        },
    }


def to_svg(chart: Spec, size: tuple[int, int]) -> str:
    """The chart as an SVG element that scales with its column and takes its colours from the page."""
    width, height = size
    drawn = {
        "$schema": _SCHEMA,
        "width": width,
        "height": height,
        "background": "transparent",
        "autosize": {"type": "fit", "contains": "padding"},
        "config": _CONFIG,
        **chart,
    }
    return _drawn(json.dumps(drawn))


@lru_cache(maxsize=64)
def _drawn(spec: str) -> str:
    """The pages of neighbouring days share most of their charts, and drawing takes as long as all else on a page."""
    import vl_convert

    svg: str = vl_convert.vegalite_to_svg(json.loads(spec), allowed_base_urls=[])
    return re.sub(r"<svg ([^>]*?)width=\"\d+(?:\.\d+)?\" height=\"\d+(?:\.\d+)?\"", r"<svg \1", svg, count=1)
