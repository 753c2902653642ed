"""What each team pays against the charges, on real Postgres: sums that agree, and each way in which they may not."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from pipelines.books.allocation import charge_back
from pipelines.config.allocation import Allocation
from pipelines.daily.chargeback import spend_of
from pipelines.daily.days import Window
from pipelines.quality import ExpectationOutcome, chargeback_agrees
from pipelines.warehouse.database import Database
from pipelines.warehouse.replace import replace_days
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.mart_charges import CHARGEBACK
from tests.marts import build_spend_tables
from tests.unit.quality.rows import DAY, good_row, insert

END = DAY + timedelta(days=1)
UNPRICED = dict.fromkeys(("list_cost_usd", "contracted_cost_usd", "effective_cost_usd", "rate_id"))
RULES = Allocation.model_validate(
    {"rules": [{"name": "nobody", "when": {"team": "unattributed"}, "to": "team", "by": "even"}]}
)


@pytest.fixture
def passed_on(bare: Database) -> Database:
    """Three calls of 0.25 USD list, 0.2 effective: of two teams, and of nobody; a fourth has no price."""
    teams: tuple[dict[str, Any], ...] = (
        {"team": "search", "cost_centre": "4711"},
        {"team": "support"},
        {},
        {**UNPRICED, "unpriced_reason": "no_price"},
    )
    with bare.connect() as connection:
        insert(
            connection, REQUEST, [good_row(REQUEST, request_uid=UUID(int=n), **more) for n, more in enumerate(teams)]
        )
        build_spend_tables(connection)
        found = charge_back(spend_of(connection, Window.of_day(DAY)), RULES)
        replace_days(connection, CHARGEBACK, found, DAY, END)
    return bare


def outcome(database: Database) -> ExpectationOutcome:
    with database.connect() as connection:
        return chargeback_agrees(connection, DAY, END)


def test_what_teams_pay_is_what_the_charges_come_to(passed_on: Database) -> None:
    found = outcome(passed_on)
    assert (found.success, found.observed) == (True, "0.600000000000000000")
    with passed_on.connect() as connection:
        rows = connection.execute(
            "select team, cost_centre, allocated_method_id, list_cost_usd, effective_cost_usd, unpriced_requests "
            "from mart.chargeback order by 1, 2, 3"
        ).fetchall()
    whole, half = (Decimal("0.25"), Decimal("0.2")), (Decimal("0.125"), Decimal("0.1"))
    assert rows == [
        ("search", "4711", "", *whole, 0),
        ("search", "unattributed", "nobody", *half, 0),
        ("support", "unattributed", "", *whole, 0),
        ("support", "unattributed", "nobody", *half, 0),
        ("unattributed", "unattributed", "", None, None, 1),
    ]


@pytest.mark.parametrize(
    ("damage", "sum_"),
    [
        ("delete from mart.chargeback", "list_cost_usd"),
        ("update mart.chargeback set event_date = event_date + 1", "list_cost_usd"),
        ("update mart.chargeback set billed_cost_usd = billed_cost_usd + 1e-18 where team = 'search'", "billed_cost_usd"),
        ("update mart.chargeback set unpriced_requests = 0", "unpriced_requests"),
        ("insert into mart.chargeback select * from mart.chargeback", "list_cost_usd"),
    ],
)  # fmt: skip
def test_a_cent_that_is_lost_or_doubled_is_found(passed_on: Database, damage: str, sum_: str) -> None:
    with passed_on.connect() as connection:
        connection.execute(damage.encode())
    found = outcome(passed_on)
    assert found.blocks
    assert (found.sample[0]["day"], found.sample[0]["sum"]) == (str(DAY), sum_)
