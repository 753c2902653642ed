"""What core.request holds of a window, by day and file: counted in one pass, because every check that compares it with something asks for it.

Sums are made by the server, exactly; nothing of a request leaves it.
"""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import Any

from psycopg import Connection

from pipelines.meters import INPUT_METERS, OUTPUT_METERS, TOKEN_METERS

_COUNTS = {
    "requests": "count(*)",
    "priced_requests": "count(list_cost_usd)",
    "spans_around": "count(*) filter (where tags ? 'calls_inside')",
}
_SUMS = {
    **{meter.tokens_column: f"sum({meter.tokens_column})" for meter in TOKEN_METERS},
    **{f"{name}_cost_usd": f"sum({name}_cost_usd)" for name in ("list", "contracted", "effective", "reported")},
    "logged_only_cost_usd": "sum(reported_cost_usd) filter (where list_cost_usd is null)",
}
_QUERY = f"""
with by_file as materialized (
    select event_date, snapshot_id, {", ".join(f"{sum_} as {name}" for name, sum_ in {**_COUNTS, **_SUMS}.items())}
    from core.request
    where event_date >= %s and event_date < %s
    group by event_date, snapshot_id
)
select event_date, snapshot_id, {", ".join([*_COUNTS, *_SUMS])} from by_file
union all
select event_date, null, {", ".join([*(f"sum({name})::bigint" for name in _COUNTS), *(f"sum({name})" for name in _SUMS)])}
from by_file
group by event_date
"""


class HeldRequests:
    """Counts and sums of the requests of the days `[from_date, to_date)`, asked for when one of them is needed."""

    def __init__(self, connection: Connection[Any], from_date: date, to_date: date) -> None:
        self._connection, self._window = connection, (from_date, to_date)

    @property
    def by_file(self) -> dict[tuple[date, Any], int]:
        """Requests by day and snapshot_id."""
        return {(day, file): sums["requests"] for day, file, sums in self._rows if file is not None}

    @cached_property
    def by_day(self) -> dict[date, dict[str, Any]]:
        """The sums of each day, by the name of the column that holds them in a spend table."""
        days = {day: sums for day, file, sums in self._rows if file is None}
        for sums in days.values():
            sums["unpriced_requests"] = sums["requests"] - sums["priced_requests"]
            for name, meters in (("input", INPUT_METERS), ("output", OUTPUT_METERS)):
                sums[f"{name}_tokens"] = sum(sums[meter.tokens_column] for meter in meters)
            sums["tokens"] = sum(sums[meter.tokens_column] for meter in TOKEN_METERS)
        return days

    @cached_property
    def _rows(self) -> list[tuple[date, Any, dict[str, Any]]]:
        rows = self._connection.execute(_QUERY.encode(), self._window).fetchall()
        return [(day, file, dict(zip([*_COUNTS, *_SUMS], sums, strict=True))) for day, file, *sums in rows]
