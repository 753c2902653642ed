"""Charts of the routing section: where a saving comes from, and the cheapest way to each quality.

As in `charts.py`, names out of data stay out of the drawings: models are numbered and the legend names them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate, pairwise
from typing import Any

from pipelines.finops import format as fmt
from pipelines.finops.report.charts import BAR_COLOUR, BASE_COLOUR, NARROW, WIDE, Chart, Legend, Spec, to_svg

_LESS, _MORE = "var(--good)", "var(--bad)"
_SIZES = ((WIDE[0], 178, 1.25), (NARROW[0], 158, 1.9))
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
            "label": fmt.dollars(steps[name], plus=0 < number < len(names) - 1),
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


def _waterfall(rows: list[dict[str, Any]], names_px: int, room: float) -> Spec:
    lowest, highest = min(0.0, *(row["from"] for row in rows)), max(row["to"] for row in rows)
    scale = {"domain": [lowest, lowest + room * ((highest - lowest) or 1)]}
    y = {
        "field": "step",
        "type": "ordinal",
        "sort": [row["step"] for row in rows],
        "axis": {"title": None, "ticks": False, "labelPadding": 8, "minExtent": names_px, "maxExtent": names_px},
    }
    bars = {
        "x": {"field": "from", "type": "quantitative", "axis": None, "scale": scale},
        "x2": {"field": "to"},
        "y": y,
        "color": {"field": "colour", "type": "nominal", "scale": None},
    }
    labels = {
        "x": {"field": "to", "type": "quantitative", "axis": None, "scale": scale},
        "y": y,
        "text": {"field": "label", "type": "nominal"},
    }
    text = {"type": "text", "align": "left", "dx": 5, "aria": False, "color": "var(--ink)"}
    return {
        "data": {"values": rows},
        "layer": [
            {"mark": {"type": "bar", "aria": False, "height": 18}, "encoding": bars},
            {"mark": text, "encoding": labels},
        ],
    }


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
            fmt.dollars(Decimal(repr(point.cost_usd))),
        )
        for number, point in enumerate(single, 1)
    ]
    described = "; ".join(
        f"{point.name}: {fmt.percent(point.quality)} of tasks for {fmt.dollars(Decimal(repr(point.cost_usd)))}"
        for point in single
    )
    return Chart(
        wide, narrow, f"Tasks solved by cost of the day. A line joins the cheapest mixtures. {described}", legend
    )


def _frontier(line: list[dict[str, Any]], dots: list[dict[str, Any]]) -> Spec:
    costs = [row["cost"] for row in (*line, *dots)]
    qualities = [row["quality"] for row in (*line, *dots)]
    room = 0.08 * ((max(qualities) - min(qualities)) or 1)
    at: Spec = {
        "x": {
            "field": "cost",
            "type": "quantitative",
            "scale": {"domain": [0, 1.04 * max(costs)]},
            "axis": {
                "title": "Cost of the day, USD",
                "format": "$~s" if max(costs) >= 10 else "$.2f",
                "tickCount": 5,
            },
        },
        "y": {
            "field": "quality",
            "type": "quantitative",
            "scale": {"domain": [min(qualities) - room, max(qualities) + room], "zero": False},
            "axis": {"title": "Tasks solved", "format": ".0%", "tickCount": 5, "domain": False},
        },
    }
    point = {"type": "point", "aria": False, "filled": True, "size": 70, "opacity": 1}
    number = {"type": "text", "aria": False, "color": "var(--ink)", "fontSize": 12}
    close = _close_below(dots, (0.04 * max(costs), room))
    return {
        "layer": [
            {"data": {"values": line}, "mark": {"type": "line", "aria": False, "color": BAR_COLOUR}, "encoding": at},
            {
                "data": {"values": dots},
                "mark": point,
                "encoding": at | {"color": {"field": "colour", "type": "nominal", "scale": None}},
            },
            *(
                {
                    "data": {"values": [row for row in dots if (row["number"] in close) == is_close]},
                    "mark": number | offset,
                    "encoding": at | {"text": {"field": "number", "type": "nominal"}},
                }
                for is_close, offset in ((False, {"dx": 10, "dy": -8}), (True, {"dx": -10, "dy": 10}))
            ),
        ]
    }


def _close_below(dots: Sequence[Mapping[str, Any]], near: tuple[float, float]) -> set[str]:
    """The numbers of the models that stand close below another one, whose point their number would cover: they are named below."""
    return {
        row["number"]
        for place, row in enumerate(dots)
        if any(
            abs(row["cost"] - other["cost"]) < near[0] and abs(row["quality"] - other["quality"]) < near[1]
            for other in dots[:place]
        )
    }
