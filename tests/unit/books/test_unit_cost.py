"""What a unit of use costs: a day worked by hand, what has no figure and why, and the interval against its definition."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from pipelines.warehouse.database import Database
from pipelines.warehouse.tables.core import REQUEST
from tests.marts import build_spend_tables, create_spend_tables
from tests.unit.quality.rows import good_row, insert

Z95 = 1.959963984540054


def call(number: int, cost: str | None, **more: Any) -> dict[str, Any]:
    costs = dict.fromkeys(("list_cost_usd", "contracted_cost_usd", "effective_cost_usd"), cost and Decimal(cost))
    unpriced = {} if cost else {"unpriced_reason": "no_price", "rate_id": None}
    return good_row(REQUEST, request_uid=UUID(int=number), provider_id="openai", **costs, **unpriced, **more)


def unit_costs(
    database: Database, calls: list[dict[str, Any]], columns: str, dimension: str = "team"
) -> dict[str, Any]:
    """Columns of the day's rows of a dimension, by its value."""
    with database.connect() as connection:
        connection.execute("create table core.request_rest partition of core.request default")
        insert(connection, REQUEST, calls)
        create_spend_tables(connection)
        build_spend_tables(connection)
        query = f"select dimension_value, {columns} from mart.unit_cost where dimension = %s"
        rows = connection.execute(query.encode(), [dimension]).fetchall()
    return {value: row for value, *row in rows}


def test_a_success_pays_for_the_attempts_before_it(database: Database) -> None:
    """1.00 USD: a failed and a good call of session a, a cancelled and a good one of user u, and an answer from the cache."""
    search = {"team": "search"}
    calls = [
        call(1, "0.3", session_id="a", status="error", **search),
        call(2, "0.2", session_id="a", **search),
        call(3, "0.1", end_user_id="u", status="cancelled", **search),
        call(4, "0.4", end_user_id="u", **search),
        call(5, "0", session_id="b", status="cache_hit", is_billable=False, **search),
        call(6, None, session_id="c", end_user_id="v", **search),
        call(7, "0.5", team="failing", status="error"),
        call(8, None, team="dark"),
    ]
    columns = (
        "requests, unpriced_requests, successes, sessions, users, effective_cost_usd, unsuccessful_cost_usd, usd_per_request, "
        "usd_per_thousand_requests, usd_per_session, usd_per_user, round(usd_per_success, 6), usd_per_success_high, not_computed_reason"
    )
    found = unit_costs(database, calls, columns)
    counted, reason = found["search"][:5], found["search"][-1]
    assert (counted, reason) == ([6, 1, 3, 2, 1], "few_sessions")
    dollars = [None if usd is None else f"{usd.normalize():f}" for usd in found["search"][5:-1]]
    assert dollars == ["1", "0.4", "0.2", "200", "0.25", "0.5", "0.333333", None]
    half = Decimal("0.5")
    assert found["failing"] == [1, 0, 0, 0, 0, half, half, half, 500, None, None, None, None, "no_success"]
    assert found["dark"] == [1, 1, 0, 0, 0, *[None] * 8, "nothing_priced"]


@pytest.mark.parametrize("in_sessions", [True, False], ids=["sessions", "single calls"])
def test_the_interval_ends_where_the_ratio_is_just_significant(database: Database, in_sessions: bool) -> None:
    """Fieller's ends are the ratios R at which the mean of cost - R * success is Z95 of its standard errors from zero."""
    random = np.random.default_rng(3)
    cents, good = random.integers(1, 100, 120), random.random(120) < 0.7
    calls = [
        call(n, f"{c / 100:f}", status="ok" if ok else "error", **({"session_id": str(n // 3)} if in_sessions else {}))
        for n, (c, ok) in enumerate(zip(cents, good, strict=True))
    ]
    columns = "usd_per_success, usd_per_success_low, usd_per_success_high, not_computed_reason"
    middle, low, high, reason = unit_costs(database, calls, columns, "all")[""]
    assert reason is None
    size = 3 if in_sessions else 1
    cost, success = (values.reshape(-1, size).sum(1) for values in (cents / 100, good.astype(float)))
    assert float(middle) == pytest.approx(cost.sum() / success.sum())
    for end, sign in ((low, 1), (high, -1)):
        left = cost - float(end) * success
        assert left.mean() / (left.std(ddof=1) / np.sqrt(left.size)) == pytest.approx(sign * Z95)


def test_one_success_in_forty_calls_bounds_nothing(database: Database) -> None:
    calls = [call(n, "0.1", status="error" if n else "ok") for n in range(40)]
    columns = "usd_per_success, usd_per_success_low, usd_per_success_high, not_computed_reason"
    assert unit_costs(database, calls, columns, "all")[""] == [4, None, None, "few_successes"]
