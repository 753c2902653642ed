"""What a deployment costs a day, used or not, and what it can serve: all that routing policies need of a self-hosted arm.

Whether it pays is in `breakeven.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import polars as pl

from pipelines.config.policies import Arm, Ceiling
from pipelines.config.routing import RoutingConfig
from pipelines.config.selfhost import Deployment, SelfHost
from pipelines.selfhost.gpu_prices import price_on
from pipelines.selfhost.throughput import best_measured, input_per_output, measured_for


@dataclass(frozen=True)
class FixedCost:
    """USD a day, from the price row that it comes from."""

    usd_per_day: Decimal
    price: dict[str, object]


def fixed_cost(deployment: Deployment, ledger: pl.DataFrame, day: date) -> FixedCost | str:
    """What all replicas cost on a day by the ledger (core.gpu_price), or the reason why that is not known.

    24 hours of every GPU, and what else a day costs. A deployment that does not run on the day has no cost.
    """
    if not deployment.runs_on(day):
        return f"{deployment.deployment} does not run on {day}"
    price = price_on(ledger, deployment.gpu, day, term=deployment.term, region=deployment.region)
    if price is None:
        return no_price(deployment.gpu, deployment.term, day, deployment.region)
    hours = 24 * deployment.gpus * deployment.replicas
    return FixedCost(Decimal(str(price["usd_per_hour"])) * hours + deployment.ops_usd_per_day, price)


def no_price(gpu: str, term: str, day: date, region: str) -> str:
    """The reason for an unknown price, with the line that mends it."""
    where = f", region: {region}" if region else ""
    return (
        f"no price of {gpu} ({term}{f', {region}' if region else ''}) is known on {day}: add to gpu_prices of "
        f"selfhost.yaml {{gpu: {gpu}, usd_per_hour: ..., valid_from: {day}, source: ...{where}, term: {term}}}"
    )


def ceiling_of(deployment: Deployment, best: pl.DataFrame, headroom: Decimal) -> Ceiling | None:
    """What all replicas serve with headroom, by the measurement (`best_measured`) of the deployment; None if nobody measured it."""
    row = measured_for(best, deployment)
    if row is None:
        return None
    speed = row["output_tokens_per_second"] * deployment.replicas / float(headroom)
    source = f"{row['source']}, {row['measured_on']}, {deployment.replicas} x {deployment.gpus} {deployment.gpu}"
    if row["input_tokens"] is None:
        return Ceiling(output_tokens_per_second=speed, source=source)
    return Ceiling(tokens_per_second=speed * (1 + input_per_output(row)), source=source)


def with_own_machines(
    routing: RoutingConfig, selfhost: SelfHost, ledger: pl.DataFrame, measured: pl.DataFrame, day: date
) -> RoutingConfig:
    """The policies with what each arm's `deployment` costs on a day and can serve. What is not known of it, the arm stays without.

    `ledger` and `measured` are rows of core.gpu_price and core.throughput.
    """
    best = best_measured(measured.filter(pl.col("measured_on") <= day))

    def known(arm: Arm) -> Arm:
        declared = None if arm.deployment is None else selfhost.deployment(arm.deployment)
        if declared is None:
            return arm
        cost = fixed_cost(declared, ledger, day)
        ceiling = arm.ceiling or ceiling_of(declared, best, selfhost.headroom)
        usd = cost.usd_per_day if isinstance(cost, FixedCost) else None
        return arm.model_copy(update={"fixed_usd_per_day": usd, "ceiling": ceiling})

    policies = tuple(
        policy.model_copy(update={"arms": tuple(known(arm) for arm in policy.arms)}) for policy in routing.policies
    )
    return routing.model_copy(update={"policies": policies})
