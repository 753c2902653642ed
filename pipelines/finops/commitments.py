"""How commitments stand, in words: for the command `modelmeter commitments` and the report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from psycopg import Connection, sql
from psycopg.rows import dict_row

from pipelines.config.commitments import Discount
from pipelines.finops.format import money, percent
from pipelines.warehouse.tables.mart_commitments import CREDIT, FREE_TIER, MINIMUM, PROVISIONED

KINDS = {PROVISIONED: "throughput", FREE_TIER: "free tier", CREDIT: "credit", MINIMUM: "minimum"}

NEWEST = """
    select distinct on (day.commitment_id) day.*, month.month_purchased_usd, month.month_unused_usd, month.month_saving_usd
    from mart.commitment_day as day
    join (
        select
            commitment_id, date_trunc('month', event_date)::date as month, event_date as until,
            sum(purchased_usd) over so_far as month_purchased_usd,
            sum(unused_usd) over so_far as month_unused_usd,
            sum(saving_usd) over so_far as month_saving_usd
        from mart.commitment_day
        window so_far as (partition by commitment_id, date_trunc('month', event_date) order by event_date)
    ) as month on month.commitment_id = day.commitment_id and month.until = day.event_date
    where day.event_date <= {day}
    order by day.commitment_id, day.event_date desc
"""
"""How each commitment stands on its newest day up to a day, with sums of the month up to it."""


def standings(connection: Connection[Any], day: date | None) -> list[dict[str, Any]]:
    """The rows of `NEWEST` for a day; None for the newest."""
    query = sql.SQL(NEWEST).format(day=sql.Literal(day or date.max))
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query).fetchall()


def sentence(row: dict[str, Any]) -> str:
    """What one commitment comes to, and what to do about it where that is known."""
    found = list(_facts(row))
    if row["reason"]:
        found.append(f"not complete: {row['reason']}")
    return "; ".join(found) or "nothing used yet"


def _facts(row: dict[str, Any]) -> Iterator[str]:
    if row["utilisation"] is not None:
        yield f"{percent(row['utilisation'])} used"
    kind = row["kind"]
    if kind == PROVISIONED:
        yield from _throughput(row)
    elif kind == FREE_TIER and row["month_saving_usd"] is not None:
        yield f"{_usd(row['month_saving_usd'])} USD of usage were free this month"
    elif kind == CREDIT:
        yield from _credit(row)
    elif kind == MINIMUM and row["balance_usd"]:
        yield f"{_usd(row['balance_usd'])} USD of the month's minimum are left"


def _throughput(row: dict[str, Any]) -> Iterator[str]:
    if row["month_unused_usd"] is not None:
        yield f"{_usd(row['month_unused_usd'])} of {_usd(row['month_purchased_usd'])} USD were idle this month"
    if row["break_even_utilisation"] is not None:
        yield f"pays from a use of {percent(row['break_even_utilisation'])}"
    if row["units_that_pay"] is not None:
        yield f"the last 28 days would have paid for {row['units_that_pay']} units"
    if row["overage_usd"]:
        yield f"{_usd(row['overage_usd'])} USD of the day went beyond it"


def _credit(row: dict[str, Any]) -> Iterator[str]:
    if row["balance_usd"] is not None:
        yield f"{_usd(row['balance_usd'])} USD left"
    if row["unused_usd"]:
        yield f"{_usd(row['unused_usd'])} USD expired unused"
    if row["runs_out_on"]:
        yield f"{'ran' if row['runs_out_on'] <= row['event_date'] else 'runs'} out on {row['runs_out_on']}"
    if row["expiring_usd"]:
        yield f"{_usd(row['expiring_usd'])} USD will expire on {row['expires_on']}"


def discount_sentences(discounts: Iterable[Discount]) -> list[str]:
    """Each discount of commitments.yaml in a sentence."""
    return [
        f"{item.discount}: {item.percent.normalize():f} % off {'tokens of ' if item.applies_to == 'tokens' else ''}"
        f"{', '.join(item.models) if item.models != ('*',) else 'everything'} at {item.provider_id} from {item.from_date}"
        + (f" up to {item.to_date}" if item.to_date else "")
        for item in discounts
    ]


def _usd(amount: Decimal) -> str:
    return money(amount, 2)
