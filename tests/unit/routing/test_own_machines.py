"""Arms on machines of one's own: they cost the same however much they serve, and serve no more than they can."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.unit.routing.test_arms import CHEAP_USD, STRONG_USD, arm, config, projected
from tests.unit.routing.traffic import CHEAP, STRONG, request

MACHINES: dict[str, Any] = {
    "fixed_usd_per_day": "0.01",
    "ceiling": {"tokens_per_second": 10_000, "source": "own benchmark"},
}


def test_own_machines_cost_the_same_however_much_they_serve() -> None:
    arms = (arm("own", ("own", CHEAP[1]), share="0.5", **MACHINES), arm("strong", STRONG, share="0.5"))
    few, many = (projected(*(request(n) for n in range(count)), policies=config(*arms)) for count in (2, 20))
    assert few["own"]["central_cost_usd"] == many["own"]["central_cost_usd"] == Decimal("0.01")
    assert few["own"]["projected_cost_usd"] == many["own"]["projected_cost_usd"] == Decimal("0.01")
    assert few["total"]["central_cost_usd"] == Decimal("0.01") + STRONG_USD
    assert json.loads(few["total"]["waterfall"])["fixed"] == "0.010000000000000000"
    # Nothing but the traffic itself is uncertain, and machines do not get cheaper when it is less.
    assert few["total"]["saving_share_low_95"] < few["total"]["saving_share"] < few["total"]["saving_share_high_95"]


def in_two_hours() -> list[dict[str, Any]]:
    """Twelve requests of 1,500 tokens in one hour, four in another: 24,000 tokens, 18,000 of them in the busy hour."""
    later = datetime(2026, 2, 20, 15, tzinfo=UTC)
    return [*(request(n) for n in range(12)), *(request(n, event_at=later) for n in range(12, 16))]


def at_most(tokens_per_hour: float, **unit: float) -> dict[str, Any]:
    return MACHINES | {"ceiling": {"source": "own benchmark"} | (unit or {"tokens_per_second": tokens_per_hour / 3600})}


@pytest.mark.parametrize(
    ("limit", "served"),
    [
        (at_most(9000), 0.625),  # 9,000 of 18,000 and 6,000 of 6,000 tokens
        (at_most(3000), 0.25),  # 3,000 in each hour
        (at_most(18_000), 1.0),
        (
            at_most(0, output_tokens_per_second=3000 / 3600),
            0.625,
        ),  # of answers alone: 3,000 of 6,000 and 2,000 of 2,000
    ],
)
def test_what_own_machines_can_not_serve_in_an_hour_is_priced_at_the_next_arm(
    limit: dict[str, Any], served: float
) -> None:
    arms = (arm("own", ("own", CHEAP[1]), share="1", **limit), arm("api", CHEAP, share="0"))
    found = projected(*in_two_hours(), policies=config(*arms))
    assert (found["own"]["requests"], found["api"]["requests"]) == pytest.approx((16 * served, 16 * (1 - served)))
    assert found["api"]["central_cost_usd"] == CHEAP_USD * 16 * Decimal(repr(1 - served))
    assert found["own"]["central_cost_usd"] == Decimal("0.01")
    stated = json.loads(found["total"]["assumptions"])
    moved = {"own: more than its machines can serve": 16 * (1 - served)} if served < 1 else None
    assert stated.get("requests_moved") == moved
    assert "own benchmark" in stated["own_machines"]["own"]


def test_half_of_the_traffic_fills_the_machines_half_as_much() -> None:
    """Half of the busy hour are 9,000 tokens, which is just what they can serve."""
    arms = (arm("own", ("own", CHEAP[1]), share="0.5", **at_most(9000)), arm("strong", STRONG, share="0.5"))
    assert projected(*in_two_hours(), policies=config(*arms))["own"]["requests"] == 8


def test_what_nobody_can_serve_is_refused_and_says_how_much() -> None:
    arms = (arm("own", ("own", CHEAP[1]), share="1", **at_most(9000)),)
    found = projected(*in_two_hours(), policies=config(*arms))
    assert found["total"]["central_cost_usd"] is None
    assert found["total"]["not_projected_reason"] == "no arm takes 6 requests: more than its machines can serve"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (
            {"deployment": "own_r1"},
            "what the deployment own_r1 costs a day is not known: selfhost.yaml must declare it",
        ),
        (
            {"fixed_usd_per_day": "1"},
            "own: what its machines can serve is not known: add to the arm in routing.yaml ceiling",
        ),
    ],
)
def test_machines_of_which_not_enough_is_known_have_no_figure_and_say_so(values: dict[str, Any], reason: str) -> None:
    """Cost and ceiling of a deployment come from selfhost.yaml before a projection; here nobody has put them in."""
    arms = (arm("own", ("own", CHEAP[1]), share="0.5", **values), arm("strong", STRONG, share="0.5"))
    found = projected(request(1), policies=config(*arms))
    assert found["own"]["central_cost_usd"] is None
    assert reason in (found["own"]["not_projected_reason"] or "")
