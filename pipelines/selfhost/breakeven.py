"""Whether a model on hardware of one's own pays against the cheapest API, at one's own arrivals.

The comparison uses the allocated cost: every hour that is paid for, over what was served (OpenCost and llm-d: a cost by usage makes
self-hosting look cheaper than it is). The formulas are in `economy.py`,
hardware is in `memory.py`, prices in `gpu_prices.py`, measurements in `throughput.py`, arrivals in `demand.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from pipelines.config.model_facts import ModelFacts, ModelFactsConfig
from pipelines.config.selfhost import BITS, Deployment, Hardware, SelfHost
from pipelines.selfhost.api_prices import ApiPrice, cheapest_api
from pipelines.selfhost.costs import FixedCost, fixed_cost
from pipelines.selfhost.demand import Demand, demand
from pipelines.selfhost.economy import RATE, Replica, economy
from pipelines.selfhost.memory import GB, Fit, Room, cache_bytes, fit, missing, weight_bytes
from pipelines.selfhost.throughput import best_measured, input_per_output, measured_for
from pipelines.warehouse.tables.selfhost import SELFHOST_BREAKEVEN

_NO_INPUT = "the measurement states no input: output alone counts, of our requests and at the API, so that the break-even is at most this"


@dataclass(frozen=True)
class Market:
    """What is known of one day: declarations, ledgers, measurements and arrivals."""

    selfhost: SelfHost
    hardware: Hardware
    facts: ModelFactsConfig
    ledger: pl.DataFrame
    """core.gpu_price."""
    measured: pl.DataFrame
    """core.throughput."""
    rate_card: pl.DataFrame
    hourly: pl.DataFrame
    """Rows of mart.hourly_demand of requests that could be served."""


@dataclass(frozen=True)
class _Option:
    """A deployment, declared or thought of, with the measurement that fits it."""

    deployment: Deployment
    is_deployed: bool
    measurement: Mapping[str, Any] | None


def breakeven(market: Market, day: date) -> pl.DataFrame:
    """Rows of mart.selfhost_breakeven for one day."""
    rows = [_row(market, day, option) for option in _options(market, day)]
    shown = {row["model_id"] for row in rows}
    rows += [
        _blank(day, model, missing_measurement(model))
        for model, facts in sorted(market.facts.by_model.items())
        if model not in shown and _has_weights(facts)
    ]
    return pl.DataFrame(rows, schema=SELFHOST_BREAKEVEN.polars_schema).sort("option_id")


def _has_weights(facts: ModelFacts) -> bool:
    return facts.is_released and facts.openness is not None and facts.openness.value != "closed"


def missing_measurement(model: str) -> str:
    """The reason for a model that nobody measured, with the line that mends it."""
    return (
        f"no throughput of {model} was measured: add to throughput of selfhost.yaml {{model: {model}, gpu: ..., gpus: ..., engine: "
        "..., precision: ..., input_tokens: ..., output_tokens: ..., output_tokens_per_second: ..., measured_on: ..., source: ...}"
    )


def _options(market: Market, day: date) -> Iterator[_Option]:
    """The declared deployments of the day, then every best measurement that none of them uses."""
    best = best_measured(market.measured.filter(pl.col("measured_on") <= day))
    used = set()
    for declared in market.selfhost.deployments:
        if declared.runs_on(day):
            measurement = measured_for(best, declared)
            used.add(measurement["throughput_id"] if measurement else b"")
            yield _Option(declared, True, measurement)
    for row in best.iter_rows(named=True):
        facts = market.facts.of(row["model_id"])
        if row["throughput_id"] not in used and facts is not None and _has_weights(facts):
            yield _Option(_thought_of(row, market.selfhost), False, row)


def _thought_of(row: Mapping[str, Any], selfhost: SelfHost) -> Deployment:
    """A deployment like the measured one; its engine may be one that nobody here names, so it is not validated."""
    name = f"{row['model_id']} on {row['gpus']} x {row['gpu']}, {row['precision']}, {row['engine']}"
    return Deployment.model_construct(
        deployment=name,
        engine=row["engine"],
        model=row["model_id"],
        gpu=row["gpu"],
        gpus=row["gpus"],
        replicas=1,
        precision=row["precision"],
        term=selfhost.term,
        region="",
        ops_usd_per_day=Decimal(0),
        from_date=None,
        to_date=None,
        provider_id=None,
    )


def _blank(day: date, model: str, reason: str) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(SELFHOST_BREAKEVEN.polars_schema)
    return row | {"event_date": day, "option_id": model, "is_deployed": False, "model_id": model, "reason": reason}


def _row(market: Market, day: date, option: _Option) -> dict[str, Any]:
    """One option: what is known of it, and the reasons for what is not."""
    deployed, measurement = option.deployment, option.measurement
    ratio, tokens = _measured_shape(measurement)
    reasons: list[str] = []
    row = _blank(day, deployed.model, "") | {
        "option_id": deployed.deployment,
        "is_deployed": option.is_deployed,
        **{name: getattr(deployed, name) for name in ("engine", "gpu", "gpus", "precision")},
        **_memory(market, deployed, tokens, reasons),
    }
    arrivals = _demand(market, day, option)
    cost = fixed_cost(deployed, market.ledger, day)
    api = cheapest_api(market.rate_card, deployed.model, day, ratio)
    row |= {**_arrivals_of(arrivals), **_price_of(cost, reasons), **_api_of(api, deployed.model, day, reasons)}
    if measurement is None:
        reasons.insert(0, missing_measurement(deployed.model))
        return row | {"reason": "; ".join(reasons)}
    speed = measurement["output_tokens_per_second"] * (1 + ratio)
    row |= {
        "throughput_id": measurement["throughput_id"],
        "measured_on": measurement["measured_on"],
        "tokens_per_second": speed,
        "input_per_output": ratio,
    }
    if measurement["input_tokens"] is None:
        reasons.append(_NO_INPUT)
    if not isinstance(cost, str):
        replica = Replica(cost.usd_per_day / deployed.replicas, speed, market.selfhost.headroom)
        paid_for = deployed.replicas if option.is_deployed else None
        row |= economy(replica, arrivals, None if api is None else api.usd_per_mtok, replicas=paid_for)
    if (row["served_share"] or 1) < 1:
        reasons.append("the demand of some hours is more than the replicas can serve: the rest is not counted")
    if arrivals is None:
        reasons.append(f"no requests of the {market.selfhost.window_days} days before are loaded: modelmeter daily")
    return row | {"reason": "; ".join(reasons) or None}


def _measured_shape(measurement: Mapping[str, Any] | None) -> tuple[float, int | None]:
    """Input per output (0 where not stated), and the tokens of one request."""
    if measurement is None or not measurement["output_tokens"]:
        return 0.0, None
    return input_per_output(measurement), math.ceil((measurement["input_tokens"] or 0.0) + measurement["output_tokens"])


def _memory(market: Market, deployed: Deployment, tokens: int | None, reasons: list[str]) -> dict[str, Any]:
    facts, gpu = market.facts.of(deployed.model), market.hardware.gpu(deployed.gpu)
    if facts is None or facts.total_params_b is None:
        reasons.append(missing(deployed.model, "total_params_b"))
        return {}
    bits = BITS[deployed.precision]
    found: dict[str, Any] = {"weights_gb": weight_bytes(facts.total_params_b.value, bits) / GB}
    if facts.layers is not None and tokens is not None:
        found["cache_gb_per_request"] = cache_bytes(facts.layers.value, tokens, gpus=deployed.gpus) * deployed.gpus / GB
    if gpu is None:
        reasons.append(f"hardware.yaml names no GPU {deployed.gpu}: add {{gpu: {deployed.gpu}, memory_gb: ...}}")
        return found
    judged = fit(facts, Room(gpu.memory_gb, deployed.gpus), bits=bits, tokens=tokens or 0)
    if isinstance(judged, Fit):
        found["fits"] = judged.fits
        if not judged.fits:
            reasons.append(
                f"does not fit: {found['weights_gb']:.0f} GB of weights on {deployed.gpus} x {gpu.memory_gb:g} GB"
            )
    else:
        reasons.append(judged)
    return found


def _demand(market: Market, day: date, option: _Option) -> Demand | None:
    """The requests of a deployment, where its log names them; else all routable ones."""
    deployed, window = option.deployment, market.selfhost.window_days
    counts_input = option.measurement is None or option.measurement["input_tokens"] is not None
    if option.is_deployed:
        own = (pl.col("provider_id") == deployed.seller) & (pl.col("model_id") == deployed.model)
        served = market.hourly.filter(own)
        if found := demand(served, day, window, "deployment", counts_input=counts_input):
            return found
    return demand(market.hourly, day, window, "all_traffic", counts_input=counts_input)


def _arrivals_of(arrivals: Demand | None) -> dict[str, Any]:
    if arrivals is None:
        return {}
    return {
        "demand": arrivals.what,
        "demand_tokens_per_day": arrivals.tokens_per_day,
        "peak_tokens_per_second": arrivals.peak_tokens_per_second,
        "duty_cycle": arrivals.duty_cycle,
    }


def _price_of(cost: FixedCost | str, reasons: list[str]) -> dict[str, Any]:
    if isinstance(cost, str):
        reasons.append(cost)
        return {}
    names = {"source": "price_source", "term": "price_term", "region": "price_region", "valid_from": "price_valid_from"}
    return {"usd_per_gpu_hour": cost.price["usd_per_hour"], **{new: cost.price[old] for old, new in names.items()}}


def _api_of(api: ApiPrice | None, model: str, day: date, reasons: list[str]) -> dict[str, Any]:
    if api is None:
        reasons.append(f"no seller's price of {model} is known on {day}: modelmeter price {model}")
        return {}
    return {
        "api_provider_id": api.provider_id,
        "api_usd_per_mtok": api.usd_per_mtok.quantize(RATE),
        "api_valid_from": api.valid_from,
    }
