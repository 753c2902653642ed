"""Charts of the routing section: where a saving comes from, and the cheapest way to each quality.

As in `charts.py`, names out of data stay out of the drawings: models are numbered and the legend names them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

from pipelines.finops import format as fmt
from pipelines.finops.report.charts import BAR_COLOUR, BASE_COLOUR, NARROW, WIDE, Chart, Legend, to_svg

if TYPE_CHECKING:
    import altair as alt

_LESS, _MORE = "var(--good)", "var(--bad)"
_SIZES = ((WIDE[0], 110, 1.25), (NARROW[0], 95, 1.6))
"""Of the waterfall: width, pixels for the names of the steps (the page's font is not known here), and the width in lengths of the
longest bar, the rest of which is for the amount."""


@dataclass(frozen=True)
class FrontierPoint:
    """All traffic on a mixture or on one model: its cost in USD, the share of tasks solved from 0 to 1. A mixture has no name."""

    cost_usd: float
    quality: float
    name: str
    is_on_hull: bool


def waterfall_chart(steps: Mapping[str, Decimal], title: str) -> Chart:
    """From the first amount to the last, in USD; those between are what changes. Keys are the labels, drawn in their order."""
    names = list(steps)
    first, *changes, last = steps.values()
    levels = list(accumulate(changes, initial=first))
    spans = [(Decimal(0), first), *pairwise(levels), (Decimal(0), last)]
    rows = [
        {
            "step": name,
            "from": float(min(span)),
            "to": float(max(span)),
            "colour": _colour(number, len(names), steps[name]),
            "label": fmt.money(steps[name], sign="$", plus=0 < number < len(names) - 1),
        }
        for number, (name, span) in enumerate(zip(names, spans, strict=True))
    ]
    described = ", ".join(f"{row['step']} {row['label']}" for row in rows)
    height = 34 * len(rows) + 10
    wide, narrow = (to_svg(_waterfall(rows, names_px, room), (width, height)) for width, names_px, room in _SIZES)
    return Chart(wide, narrow, f"{title}: {described}")


def _colour(number: int, steps: int, amount: Decimal) -> str:
    if number in (0, steps - 1):
        return BASE_COLOUR if number == 0 else BAR_COLOUR
    return _LESS if amount < 0 else _MORE


def _waterfall(rows: list[dict[str, Any]], names_px: int, room: float) -> alt.LayerChart:
    import altair as alt

    lowest, highest = min(0.0, *(row["from"] for row in rows)), max(row["to"] for row in rows)
    scale = alt.Scale(domain=[lowest, lowest + room * ((highest - lowest) or 1)])
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y(
            "step:O",
            sort=[row["step"] for row in rows],
            axis=alt.Axis(title=None, ticks=False, minExtent=names_px, maxExtent=names_px),
        )
    )
    bars = base.mark_bar(aria=False, height=18).encode(
        x=alt.X("from:Q", axis=None, scale=scale), x2="to:Q", color=alt.Color("colour:N", scale=None)
    )
    labels = base.mark_text(align="left", dx=5, aria=False, color="var(--ink)").encode(
        x=alt.X("to:Q", axis=None, scale=scale), text="label:N"
    )
    chart: alt.LayerChart = alt.LayerChart(layer=[bars, labels])
    return chart


def frontier_chart(points: Sequence[FrontierPoint]) -> Chart:
    """Cost across, share of tasks solved upwards: the line of the cheapest mixtures, and every single model as a number."""
    cheapest = sorted(
        (point for point in points if point.is_on_hull), key=lambda point: (point.quality, point.cost_usd)
    )
    single = sorted((point for point in points if point.name), key=lambda point: (-point.quality, point.cost_usd))
    line = [{"cost": point.cost_usd, "quality": point.quality} for point in cheapest]
    dots = [
        {
            "cost": point.cost_usd,
            "quality": point.quality,
            "number": str(number),
            "colour": BAR_COLOUR if point.is_on_hull else BASE_COLOUR,
        }
        for number, point in enumerate(single, 1)
    ]
    wide, narrow = (to_svg(_frontier(line, dots), size) for size in (WIDE, NARROW))
    legend = [
        Legend(
            BAR_COLOUR if point.is_on_hull else BASE_COLOUR,
            f"{number} {point.name}",
            fmt.money(Decimal(repr(point.cost_usd)), sign="$"),
        )
        for number, point in enumerate(single, 1)
    ]
    described = "; ".join(
        f"{point.name}: {fmt.percent(point.quality)} of tasks for {fmt.money(Decimal(repr(point.cost_usd)), sign='$')}"
        for point in single
    )
    return Chart(
        wide, narrow, f"Tasks solved by cost of the day. A line joins the cheapest mixtures. {described}", legend
    )


def _frontier(line: list[dict[str, Any]], dots: list[dict[str, Any]]) -> alt.LayerChart:
    import altair as alt

    costs = [row["cost"] for row in (*line, *dots)]
    x = alt.X(
        "cost:Q",
        scale=alt.Scale(domain=[0, 1.04 * max(costs)]),
        axis=alt.Axis(title="Cost of the day, USD", format="$~s" if max(costs) >= 10 else "$.2f", tickCount=5),
    )
    qualities = [row["quality"] for row in (*line, *dots)]
    room = 0.08 * ((max(qualities) - min(qualities)) or 1)
    y = alt.Y(
        "quality:Q",
        scale=alt.Scale(domain=[min(qualities) - room, max(qualities) + room], zero=False),
        axis=alt.Axis(title="Tasks solved", format=".0%", tickCount=5, domain=False),
    )
    drawn = alt.Chart(alt.InlineData(values=line)).mark_line(aria=False, color=BAR_COLOUR).encode(x=x, y=y)
    base = alt.Chart(alt.InlineData(values=dots)).encode(x=x, y=y)
    points = base.mark_point(aria=False, filled=True, size=70, opacity=1).encode(
        color=alt.Color("colour:N", scale=None)
    )
    numbers = base.mark_text(aria=False, dx=10, dy=-8, color="var(--ink)", fontSize=12).encode(text="number:N")
    chart: alt.LayerChart = alt.LayerChart(layer=[drawn, points, numbers])
    return chart
