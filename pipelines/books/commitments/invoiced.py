"""What each row of the ledger is billed at, and how much of the commitment it is in the unit that the commitment is measured in.

Throughput is measured in hours of its units, money in USD. Who used how much money of it is in the modules of the kinds.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from pipelines.books.allocation import split
from pipelines.books.commitments.usage import ZERO, usage_row
from pipelines.config.commitments import HOURS_OF_A_DAY, Commitment, PrepaidCredit, ProvisionedThroughput
from pipelines.warehouse.tables.mart_commitments import CREDIT, FREE_TIER, MINIMUM, PROVISIONED

HOURS, UNIT_HOURS, MONEY = "Hours", "Unit-Hours", "USD"
"""Units in FOCUS's UnitFormat."""
_Row = dict[str, Any]


def invoiced(item: Commitment, kind: str, rows: Sequence[_Row]) -> list[_Row]:
    """`rows` of a commitment and day with billed_cost_usd, commitment_discount_quantity and commitment_discount_unit."""
    quantities = _quantities(item, kind, [row["amount_usd"] for row in rows])
    unit = None if kind == FREE_TIER else _unit(item, kind)
    return [
        row
        | {
            "billed_cost_usd": _billed(kind, row),
            "commitment_discount_quantity": quantity,
            "commitment_discount_unit": unit,
        }
        for row, quantity in zip(rows, quantities, strict=True)
    ]


def bought(item: PrepaidCredit) -> _Row:
    """The purchase of a credit, which is billed whole on its first day: a row of its own, whether that day is loaded or not."""
    return usage_row(item, CREDIT, "", ZERO) | {
        "event_date": item.from_date,
        "billed_cost_usd": item.usd,
        "commitment_discount_quantity": item.usd,
        "commitment_discount_unit": MONEY,
    }


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
