"""The section on what moved: cost against earlier days, by seller, model, team, project and cost centre, and why.

Postgres makes the sums and their parts (`span_queries.movement`); here they are rounded and put into words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl

from pipelines.finops import format as fmt
from pipelines.finops.report.collect import ReportData, movement_name
from pipelines.finops.report.tables import (
    Cell,
    Table,
    amount_cell,
    count_cell,
    number_column,
    share_cell,
    text_cell,
    text_column,
)
from pipelines.finops.span import Earlier
from pipelines.finops.span_queries import DIMENSIONS, PARTS

MOVERS = 10
"""Rows of a table of movers."""
QUERY_AT = "provider"
"""The dimension whose table of spend has the query of all these tables under it."""
NAMES = {"provider": "Seller", "model": "Model", "team": "Team", "project": "Project", "cost_centre": "Cost centre"}
"""The dimensions as headings."""
PART_TITLES = {
    "volume": "More requests",
    "mix": "Other models",
    "use": "Longer requests",
    "price": "Unit cost",
    "new": "New models",
    "ended": "Models no longer used",
}
"""The parts of a change (`PARTS`) as headings."""
_IN_WORDS = {
    "volume": ("more requests", "fewer requests"),
    "mix": ("a shift to dearer models", "a shift to cheaper models"),
    "use": ("more tokens per request, or fewer of them cached", "fewer tokens per request, or more of them cached"),
    "price": ("higher unit costs", "lower unit costs"),
    "new": ("new models", "new models"),
    "ended": ("models no longer used", "models no longer used"),
}


@dataclass(frozen=True)
class MovedSection:
    """Why cost is another one than before: a sentence, the whole against each earlier stretch, and the movers by dimension."""

    sentence: str
    compared: Table
    movers: Sequence[Table]


def whole(data: ReportData, number: int = 0) -> dict[str, Any] | None:
    """The row of the whole in a comparison; None if neither stretch has a charge."""
    rows = data[movement_name(number)].filter(pl.col("dimension") == "all").to_dicts()
    return rows[0] if rows else None


def main_comparison(data: ReportData) -> tuple[int, Earlier] | None:
    """The first comparison whose earlier days have a cost; None if none has."""
    for number, earlier in enumerate(data.earlier):
        row = whole(data, number)
        if row is not None and row["cost_then_usd"] is not None:
            return number, earlier
    return None


def moved_section(data: ReportData) -> MovedSection | None:
    """Why the cost is another one than before; None if there is nothing to compare with."""
    main = main_comparison(data)
    if main is None:
        return None
    number, earlier = main
    movers = [_movers(data, number, earlier, dimension) for dimension in DIMENSIONS]
    return MovedSection(
        moved_sentence(whole(data, number) or {}, earlier),
        _compared(data),
        movers if any(table.rows for table in movers) else [],
    )


def moved_sentence(row: dict[str, Any], earlier: Earlier) -> str:
    """The change and its largest causes, in words."""
    change = row["change_usd"]
    if not change:
        return f"The cost is the same as {earlier.name}, {fmt.dollars(row['cost_then_usd'])}."
    direction = "more" if change > 0 else "less"
    share = fmt.percent(fmt.share(abs(change), row["cost_then_usd"]))
    text = f"{fmt.dollars(abs(change))} ({share}) {direction} than {earlier.name}"
    causes = sorted((part for part in PARTS if row[f"{part}_usd"]), key=lambda part: -abs(row[f"{part}_usd"]))
    named = [
        f"{_IN_WORDS[part][row[f'{part}_usd'] < 0]} ({fmt.dollars(row[f'{part}_usd'], plus=True)})"
        for part in causes[:3]
        if abs(row[f"{part}_usd"]) >= abs(change) / 20
    ]
    return f"{text}: {', '.join(named)}." if named else f"{text}."


def spent_on(data: ReportData, dimension: str) -> pl.DataFrame:
    """The rows of a dimension, with what each cost in the days of the main comparison."""
    number, _ = main_comparison(data) or (0, None)
    return data[movement_name(number)].filter(
        pl.col("dimension") == dimension, (pl.col("requests") > 0) | pl.col("cost_then_usd").is_not_null()
    )


def spend_by(data: ReportData, dimension: str) -> Table:
    """Every value of a dimension: its cost, its share, and its cost before."""
    number, earlier = main_comparison(data) or (0, None)
    frame = spent_on(data, dimension)
    total = whole(data, number) or dict.fromkeys(frame.columns)
    decimals = fmt.scale_of(frame["cost_usd"])
    title = NAMES[dimension]

    def cells(row: dict[str, Any]) -> list[Cell]:
        then = [amount_cell(row["cost_then_usd"], decimals), *_change(row, decimals)] if earlier else []
        return [
            amount_cell(row["cost_usd"], decimals),
            share_cell(fmt.share(row["cost_usd"], total["cost_usd"]), bar=True),
            *then,
            *(
                count_cell(row[name] or 0)
                for name in ("requests", "unpriced_requests", "input_tokens", "output_tokens")
            ),
        ]

    then_columns = (
        [number_column("Before", "USD"), number_column("Change", "USD"), number_column("Change", "%")]
        if earlier
        else []
    )
    columns = [
        text_column(title),
        number_column("Cost", "USD"),
        number_column("Share of cost", "%"),
        *then_columns,
        number_column("Requests"),
        number_column("Unpriced"),
        number_column("Tokens in"),
        number_column("Tokens out"),
    ]
    rows = [[text_cell(row["dimension_value"]), *cells(row)] for row in frame.iter_rows(named=True)]
    foot = [Cell("Total"), *cells(total)]
    against = f"; before: {earlier.name}" if earlier else ""
    return Table(
        f"spend-{dimension}",
        f"Spend by {title.lower()} {'on' if data.span.kind == 'day' else 'in'} {data.span.name}{against}",
        columns,
        rows,
        foot if rows else (),
        "No requests in these days.",
        data.sql[movement_name(number)] if dimension == QUERY_AT else "",
        f"spend-{QUERY_AT}",
    )


def _compared(data: ReportData) -> Table:
    rows = []
    found = [(earlier, whole(data, number)) for number, earlier in enumerate(data.earlier)]
    known = [(earlier, row) for earlier, row in found if row is not None and row["cost_then_usd"] is not None]
    decimals = fmt.scale_of(row["change_usd"] for _, row in known)
    for earlier, row in known:
        days = f"{fmt.short_day(earlier.first)} to {fmt.short_day(earlier.last)}, {fmt.plural(earlier.days, 'day')}"
        note = days if data.span.kind != "day" else fmt.long_day(earlier.first)
        rows.append([text_cell(earlier.name, note), *_why(row, decimals)])
    return Table(
        "compared",
        f"{fmt.capital(data.span.name)} against earlier days: the change and what it consists of, in USD",
        [text_column("Against"), *_why_columns()],
        rows,
        sql_at=f"spend-{QUERY_AT}",
    )


def _movers(data: ReportData, number: int, earlier: Earlier, dimension: str) -> Table:
    frame = data[movement_name(number)].filter(pl.col("dimension") == dimension, pl.col("change_usd") != 0)
    largest = frame.sort(pl.col("change_usd").abs(), "dimension_value", descending=[True, False]).head(MOVERS)
    decimals = fmt.scale_of(largest["change_usd"])
    title = NAMES[dimension]
    which = f"the {MOVERS} that moved most, " if frame.height > MOVERS else ""
    return Table(
        f"moved-{dimension}",
        f"By {title.lower()}, {which}against {earlier.name}",
        [text_column(title), *_why_columns()],
        [[text_cell(row["dimension_value"]), *_why(row, decimals)] for row in largest.iter_rows(named=True)],
        empty=f"No {title.lower()} moved.",
        sql_at=f"spend-{QUERY_AT}",
    )


def _why_columns() -> list[Any]:
    return [
        number_column("Before"),
        number_column("Now"),
        number_column("Change"),
        *(number_column(title) for title in PART_TITLES.values()),
    ]


def _why(row: dict[str, Any], decimals: int) -> list[Cell]:
    return [
        amount_cell(row["cost_then_usd"], decimals),
        amount_cell(row["cost_usd"], decimals),
        amount_cell(row["change_usd"], decimals, plus=True),
        *(amount_cell(row[f"{part}_usd"] or None, decimals, plus=True) for part in PARTS),
    ]


def _change(row: dict[str, Any], decimals: int) -> tuple[Cell, Cell]:
    change = row["change_usd"]
    then: Decimal | None = row["cost_then_usd"]
    share = fmt.share(change, then)
    return (
        amount_cell(change, decimals, plus=True),
        Cell(
            fmt.percent(share, plus=True) if then else "new" if row["cost_usd"] else fmt.NONE,
            "" if share is None else f"{share:f}",
        ),
    )
