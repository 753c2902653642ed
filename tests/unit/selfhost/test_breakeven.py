"""The break-even of self-hosting, worked by hand from first principles, and what must hold at any price."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.selfhost.breakeven import breakeven
from pipelines.selfhost.demand import demand
from tests.unit.selfhost.markets import DAY, MEASURED, MODEL, PRICE, card, hours, market

OPTION = f"{MODEL} on 1 x h100, fp8, vllm"


def row(option: str = OPTION, **known: Any) -> dict[str, Any]:
    found = breakeven(market(**known), DAY)
    return {line["option_id"]: line for line in found.iter_rows(named=True)}[option]


def test_the_break_even_worked_by_hand() -> None:
    """1,000 tokens/s of output with 3 of input each: 4,000 tokens/s, 345.6 million a day. The GPU costs 2.50 x 24 = 60 USD a day.

    Arrivals: 8 hours of 7.2 and 16 of 1.44 million tokens are 80.64 million a day; the busiest hour has 2,000 tokens/s, so one
    replica does (2,000 x 1.25 = 2,500 of 4,000); the mean is 933.3, so the duty cycle is 0.4667. The cheapest API costs
    (3 x 0.20 + 1.40) / 4 = 0.50 USD per million tokens: 60 USD buy 120 million tokens there. One replica serves at most
    345.6 x 0.4667 / 1.25 = 129.0 million a day of arrivals like ours, so 120 can be reached; at 80.64 the API costs 40.32 USD.
    """
    found = row()
    assert (found["tokens_per_second"], found["input_per_output"]) == (4000, 3)
    assert found["fixed_usd_per_day"] == 60
    assert found["demand_tokens_per_day"] == 8 * 7_200_000 + 16 * 1_440_000 == 80_640_000
    assert (found["peak_tokens_per_second"], found["replicas"]) == (2000, 1)
    assert found["duty_cycle"] == pytest.approx(0.466667, abs=1e-6)
    assert found["utilisation"] == pytest.approx(80.64 / 345.6)
    assert found["usage_usd_per_mtok"] == pytest.approx(Decimal(60) / Decimal("345.6"), abs=Decimal("1e-11"))
    assert found["allocation_usd_per_mtok"] == pytest.approx(Decimal(60) / Decimal("80.64"), abs=Decimal("1e-11"))
    assert (found["api_provider_id"], found["api_usd_per_mtok"]) == ("groq", Decimal("0.5"))
    assert found["break_even_tokens_per_day"] == 120_000_000
    assert found["is_reachable"] is True
    assert found["saving_usd_per_day"] == Decimal("40.32") - 60
    assert found["reason"] is None
    assert (found["weights_gb"], found["fits"]) == (pytest.approx(32.8), True)
    assert found["cache_gb_per_request"] == pytest.approx(262_144 * 4000 / 1e9)


def test_a_break_even_beyond_what_the_arrivals_let_one_replica_serve_is_out_of_reach() -> None:
    found = row(prices=[{**PRICE, "usd_per_hour": "2.7"}])
    assert found["break_even_tokens_per_day"] == pytest.approx(129.6e6)
    assert found["is_reachable"] is False  # 129.0 million at most


def test_the_busiest_hour_decides_how_many_replicas_are_paid_for() -> None:
    """At 550 tokens/s of output a replica serves 2,200: the 2,000 of the busiest hour, but not 2,500 with headroom."""
    found = row(measured=[{**MEASURED, "output_tokens_per_second": 550}])
    assert (found["replicas"], found["fixed_usd_per_day"]) == (2, 120)
    assert found["allocation_usd_per_mtok"] == pytest.approx(Decimal(120) / Decimal("80.64"), abs=Decimal("1e-11"))


def test_a_deployment_is_judged_by_its_own_requests_and_pays_for_all_that_is_declared() -> None:
    deployed = {
        "deployment": "own_qwen",
        "engine": "vllm",
        "model": MODEL,
        "gpu": "h100",
        "replicas": 3,
        "precision": "fp8",
        "term": "on_demand",
        "ops_usd_per_day": 30,
    }
    mixed = hours([DAY]).vstack(hours([DAY], provider="vllm", model=MODEL).head(4))
    found = row("own_qwen", selfhost={"deployments": [deployed]}, hourly=mixed)
    assert (found["demand"], found["demand_tokens_per_day"]) == ("deployment", 4 * 7_200_000)
    assert (found["replicas"], found["fixed_usd_per_day"]) == (3, 3 * 60 + 30)
    assert found["allocation_usd_per_mtok"] == pytest.approx(Decimal(210) / Decimal("28.8"), abs=Decimal("1e-11"))
    assert found["break_even_tokens_per_day"] == 140_000_000  # 70 USD for one of the three replicas


def test_what_the_replicas_can_not_serve_in_an_hour_saves_nothing() -> None:
    """250 tokens/s of output are 1,000 in all, 800 with headroom: 2.88 of the 7.2 million of a busy hour, all 1.44 of a quiet one.

    So 8 x 2.88 + 16 x 1.44 = 46.08 of 80.64 million are served, for which the API asks 23.04 USD.
    """
    deployed = {
        "deployment": "one",
        "engine": "vllm",
        "model": MODEL,
        "gpu": "h100",
        "precision": "fp8",
        "term": "on_demand",
    }
    slow = [{**MEASURED, "output_tokens_per_second": 250}]
    found = row("one", selfhost={"deployments": [deployed]}, measured=slow)
    assert found["served_share"] == pytest.approx(46.08 / 80.64)
    assert found["saving_usd_per_day"] == pytest.approx(Decimal("23.04") - 60, abs=Decimal("1e-9"))
    assert found["allocation_usd_per_mtok"] == pytest.approx(Decimal(60) / Decimal("46.08"), abs=Decimal("1e-9"))
    assert found["reason"] == "the demand of some hours is more than the replicas can serve: the rest is not counted"


@pytest.mark.parametrize(
    ("known", "empty", "words"),
    [
        (
            {"measured": []},
            "tokens_per_second",
            "no throughput of qwen3-32b was measured: add to throughput of selfhost.yaml",
        ),
        ({"prices": []}, "fixed_usd_per_day", "no price of h100 (on_demand) is known on 2026-03-02: add to gpu_prices"),
        ({"cards": []}, "break_even_tokens_per_day", "no seller's price of qwen3-32b is known on 2026-03-02"),
        ({"hourly": hours([])}, "allocation_usd_per_mtok", "no requests of the 7 days before are loaded"),
        (
            {"measured": [{**MEASURED, "input_tokens": None}]},
            None,
            "output alone counts, of our requests and at the API, so that the break-even is at most this",
        ),
        ({"measured": [{**MEASURED, "gpu": "tpu9"}]}, "fits", "hardware.yaml names no GPU tpu9"),
    ],
)
def test_what_is_missing_is_null_with_the_line_that_mends_it(
    known: dict[str, Any], empty: str | None, words: str
) -> None:
    rows = [line for line in breakeven(market(**known), DAY).iter_rows(named=True) if line["model_id"] == MODEL]
    assert len(rows) == 1
    assert empty is None or rows[0][empty] is None
    assert words in rows[0]["reason"]


def test_without_a_stated_input_output_is_held_against_output() -> None:
    """1,000 tokens/s serve 86.4 million a day; a quarter of 80.64 million arrives as output. The API sells output at 1.40."""
    found = row(measured=[{**MEASURED, "input_tokens": None}])
    assert (found["tokens_per_second"], found["demand_tokens_per_day"]) == (1000, 80_640_000 / 4)
    assert found["utilisation"] == pytest.approx(20.16 / 86.4)
    assert found["break_even_tokens_per_day"] == pytest.approx(60 / 1.4 * 1e6)


def test_every_open_model_has_a_row_and_closed_ones_none() -> None:
    models = set(breakeven(market(), DAY)["model_id"])
    assert {"deepseek-v3", "kimi-k2", "gpt-oss-120b", "llama-4-scout"} <= models
    assert not models & {"gpt-5.2", "claude-sonnet-4-5", "codestral-2508", "qwen3-72b"}


def test_a_run_under_load_goes_before_an_offline_batch() -> None:
    offline = {**MEASURED, "output_tokens_per_second": 9000, "scenario": "Offline"}
    assert row(measured=[offline, {**MEASURED, "scenario": "Server"}])["tokens_per_second"] == 4000


def test_idle_hours_count_and_days_that_are_not_loaded_do_not() -> None:
    two_days = hours([DAY, DAY - timedelta(days=3)])
    one = demand(hours([DAY]), DAY, 7, "all_traffic")
    assert one is not None
    assert demand(two_days, DAY, 7, "all_traffic") == type(one)(
        "all_traffic", 2, one.tokens_per_day, one.peak_tokens_per_second
    )
    only_busy = demand(hours([DAY]).head(8), DAY, 7, "all_traffic")
    assert only_busy is not None
    assert only_busy.duty_cycle == pytest.approx(8 / 24)
    assert demand(hours([date(2026, 1, 1)]), DAY, 7, "all_traffic") is None


@settings(max_examples=25, deadline=None)
@given(
    cents=st.integers(1, 2000),
    cheaper=st.integers(1, 2000),
    speed=st.integers(50, 20_000),
    usd_out=st.decimals("0.1", "20", places=2),
)
def test_what_holds_at_any_price(cents: int, cheaper: int, speed: int, usd_out: Decimal) -> None:
    """The break-even falls when GPUs get cheaper, and the allocated cost is at least the cost by usage."""
    low, high = sorted((cents, cheaper))
    known = {
        "measured": [{**MEASURED, "output_tokens_per_second": speed}],
        "cards": [card("groq", "0.2", str(usd_out))],
    }
    at_low, at_high = (
        row(prices=[{**PRICE, "usd_per_hour": str(Decimal(price) / 100)}], **known) for price in (low, high)
    )
    assert at_low["break_even_tokens_per_day"] <= at_high["break_even_tokens_per_day"]
    assert at_low["is_reachable"] >= at_high["is_reachable"]
    for found in (at_low, at_high):
        assert found["allocation_usd_per_mtok"] >= found["usage_usd_per_mtok"]
        assert 0 < found["utilisation"] <= 1
