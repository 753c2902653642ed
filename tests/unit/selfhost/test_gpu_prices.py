"""The ledger of GPU prices: what held when, and what was believed when."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

from pipelines.config import load_config
from pipelines.config.policies import Arm
from pipelines.config.routing import RoutingConfig
from pipelines.config.selfhost import Deployment, GpuPrice, SelfHost
from pipelines.selfhost.costs import FixedCost, fixed_cost, with_own_machines
from pipelines.selfhost.gpu_prices import StatedPrice, gpu_ledger, price_on
from tests.unit.selfhost.markets import MEASURED, MODEL, market


def stated(usd: str, start: date, known: date | None = None, *, own: bool = False, **other: Any) -> StatedPrice:
    line = {
        "gpu": "h100",
        "usd_per_hour": usd,
        "valid_from": start,
        "known_from": known,
        "source": "list",
        "term": "spot",
    }
    return StatedPrice(GpuPrice.model_validate({**line, **other}), is_own=own)


def usd(ledger: pl.DataFrame, day: date, known: date | None = None, **other: Any) -> Decimal | None:
    found = price_on(ledger, "h100", day, term="spot", known_on=known, **other)
    return None if found is None else Decimal(str(found["usd_per_hour"]))


MAY, JUNE, JULY, AUGUST = (date(2026, month, 1) for month in (5, 6, 7, 8))


def test_a_price_holds_until_the_next_one() -> None:
    ledger = gpu_ledger([stated("1.3", MAY), stated("2", JULY)])
    assert [usd(ledger, day) for day in (date(2026, 4, 30), MAY, JUNE, JULY)] == [
        None,
        Decimal("1.3"),
        Decimal("1.3"),
        2,
    ]


def test_a_correction_changes_what_is_believed_not_what_was() -> None:
    """In June 1.3 was believed of May; since August it is known that it was 1.5."""
    ledger = gpu_ledger([stated("1.3", MAY), stated("1.5", MAY, AUGUST)])
    assert (usd(ledger, MAY, JUNE), usd(ledger, MAY, AUGUST)) == (Decimal("1.3"), Decimal("1.5"))
    assert ledger["superseded_at"].to_list().count(AUGUST) == 1


def test_one_s_own_price_goes_first_and_a_region_s_before_a_general_one() -> None:
    lines = [stated("1", MAY), stated("3", MAY, own=True, source="us"), stated("4", MAY, own=True, region="eu")]
    ledger = gpu_ledger(lines)
    assert (usd(ledger, JUNE), usd(ledger, JUNE, region="eu"), usd(ledger, JUNE, region="asia")) == (3, 4, 3)


def test_order_of_arrival_does_not_matter() -> None:
    lines = [stated("1.3", MAY), stated("1.5", MAY, AUGUST), stated("2", JULY), stated("1.9", JUNE, JULY)]
    one = gpu_ledger(lines)
    random.Random(7).shuffle(lines)
    assert gpu_ledger(lines).sort("gpu_price_id").equals(one.sort("gpu_price_id"))
    assert one["gpu_price_id"].n_unique() == one.height


def test_the_packaged_ledger_has_the_rise_of_september() -> None:
    """Rents of SemiAnalysis' constants, read from its repository: 1.30 in May 2026, 2.00 since pull request 1071."""
    ledger = gpu_ledger(StatedPrice(line, is_own=False) for line in load_config(None).hardware.gpu_prices)
    rents = [price_on(ledger, "h100", day, term="rental_3_years") for day in (date(2026, 6, 1), date(2026, 11, 1))]
    assert [rent and rent["usd_per_hour"] for rent in rents] == [Decimal("1.3"), Decimal(2)]


def test_the_fixed_cost_of_a_deployment() -> None:
    ledger = gpu_ledger([stated("1.3", MAY)])
    line = {
        "deployment": "d",
        "engine": "vllm",
        "model": "m",
        "gpu": "h100",
        "gpus": 4,
        "replicas": 2,
        "precision": "fp8",
    }
    declared = Deployment.model_validate({**line, "term": "spot", "ops_usd_per_day": 10.5, "to_date": AUGUST})
    cost = fixed_cost(declared, ledger, JUNE)
    assert isinstance(cost, FixedCost)
    assert cost.usd_per_day == Decimal("1.3") * 24 * 8 + Decimal("10.5")
    assert fixed_cost(declared, ledger, AUGUST) == "d does not run on 2026-08-01"
    assert "gpu_prices of selfhost.yaml {gpu: h100" in str(fixed_cost(declared, ledger, date(2026, 1, 1)))


def test_the_arm_of_a_policy_takes_the_cost_of_its_deployment() -> None:
    """8 GPUs at 1.30 for 24 hours are 249.60 a day; an arm of a deployment that nobody declares stays without a cost."""
    line = {
        "deployment": "d",
        "engine": "vllm",
        "model": MODEL,
        "gpu": "h100",
        "gpus": 4,
        "replicas": 2,
        "precision": "fp8",
        "term": "spot",
    }
    arm = {"provider_id": "vllm", "model_id": "m"}
    arms = [
        {**arm, "arm": "own", "share": 0.5, "deployment": "d"},
        {**arm, "arm": "lost", "share": 0.5, "deployment": "x"},
    ]
    routing = RoutingConfig.model_validate({"policies": [{"policy": "p", "baselines": ["actual"], "arms": arms}]})
    own = SelfHost.model_validate({"deployments": [line]})
    measured = market(measured=[MEASURED | {"gpus": 4}]).measured
    known = with_own_machines(routing, own, gpu_ledger([stated("1.3", MAY)]), measured, JUNE)
    priced = known.policies[0].arms
    assert [found.fixed_usd_per_day for found in priced] == [Decimal("249.6"), None]
    assert all(found.is_own for found in priced)
    ceiling = priced[0].ceiling
    assert ceiling is not None
    assert ceiling.source.startswith("own benchmark, 2026-02-01")
    # 1,000 tokens/s of answers with three of prompts each, on every replica.
    assert ceiling.tokens_per_second == 8000
    assert priced[1].ceiling is None
    both = arms[0] | {"fixed_usd_per_day": 3}
    with pytest.raises(ValidationError, match="give deployment or fixed_usd_per_day, not both"):
        Arm.model_validate(both)


@pytest.mark.parametrize("engine", ["vllm", "tgi", "ollama", "llamacpp"])
def test_the_engines_of_the_report_can_be_named(engine: str) -> None:
    line = {"deployment": "d", "model": "m", "gpu": "h100", "precision": "q4_k_m", "term": "owned"}
    assert Deployment.model_validate({**line, "engine": engine}).engine == engine
