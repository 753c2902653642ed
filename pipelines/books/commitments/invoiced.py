"""What each row of the ledger is billed at, and how much of the commitment it is in the unit that the commitment is measured in.

Throughput is measured in hours of its units, money in USD. Who used how much money of it is in the modules of the kinds.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from pipelines.books.allocation import split
from pipelines.books.commitments.usage import ZERO, usage_row
from pipelines.config.commitments import HOURS_OF_A_DAY, Commitment, PrepaidCredit, ProvisionedThroughput
from pipelines.warehouse.tables.mart_commitments import CREDIT, FREE_TIER, MINIMUM, PROVISIONED

HOURS, UNIT_HOURS, MONEY = "Hours", "Unit-Hours", "USD"
"""Units in FOCUS's UnitFormat."""
_Row = dict[str, Any]


def invoiced(item: Commitment, kind: str, day: date, first: date, rows: Sequence[_Row]) -> list[_Row]:
    """`rows` of a commitment and day with billed_cost_usd, commitment_discount_quantity and commitment_discount_unit.

    A credit is billed whole on its first day (on `first`, from which days are known, where that is later in the same month), which is a row of its own.
    One that was granted is billed to nobody, and one that was bought in a month before is billed in none that is known.
    """
    quantities = _quantities(item, kind, [row["amount_usd"] for row in rows])
    unit = None if kind == FREE_TIER else _unit(item, kind)
    found = [
        row
        | {
            "billed_cost_usd": _billed(kind, row),
            "commitment_discount_quantity": quantity,
            "commitment_discount_unit": unit,
        }
        for row, quantity in zip(rows, quantities, strict=True)
    ]
    is_bought = day == max(item.from_date, first) and (day.year, day.month) == (
        item.from_date.year,
        item.from_date.month,
    )
    if isinstance(item, PrepaidCredit) and is_bought and not item.granted:
        bought = {
            "billed_cost_usd": item.usd,
            "commitment_discount_quantity": item.usd,
            "commitment_discount_unit": unit,
        }
        found.append(usage_row(item, CREDIT, "", ZERO) | bought)
    return found


def _billed(kind: str, row: _Row) -> Decimal:
    """Throughput is billed as it runs, a minimum where it was not reached."""
    amount: Decimal = {PROVISIONED: row["amount_usd"], MINIMUM: row["effective_cost_usd"]}.get(kind, ZERO)
    return amount


def _quantities(item: Commitment, kind: str, amounts: Sequence[Decimal]) -> Sequence[Decimal | None]:
    if kind == FREE_TIER:
        return [None] * len(amounts)
    if kind != PROVISIONED or not amounts:
        return amounts
    units = item.units if isinstance(item, ProvisionedThroughput) else 1
    return split(Decimal(HOURS_OF_A_DAY * units), amounts if any(amounts) else [Decimal(1)] * len(amounts))


def _unit(item: Commitment, kind: str) -> str:
    if kind != PROVISIONED:
        return MONEY
    return UNIT_HOURS if isinstance(item, ProvisionedThroughput) else HOURS
