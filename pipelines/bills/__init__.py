"""Provider bills: usage and cost reports as providers write them, for reconciliation and never as cost of our own.

`parse_bill` reads a landed export into the store, `bitemporal` turns all exports into the rows of `core.reported_cost`.
Requests and what we compute for them are in `pipelines.requests` and `pipelines.prices`.
"""

from __future__ import annotations

from pipelines.bills.ledger import BillLedger, bitemporal
from pipelines.bills.parse import bill_version, parse_bill

__all__ = ["BillLedger", "bill_version", "bitemporal", "parse_bill"]
