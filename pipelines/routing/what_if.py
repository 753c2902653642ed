"""What if: a policy with other shares, prices, tokens or handling than those declared, for a question asked once.

    changed = what_if(question, policies, evidence, rate_card)

Nothing is stored; `pipelines.routing.project` then answers as it does every day.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from math import log
from typing import Any, Literal

import polars as pl
from pydantic import ValidationError

from pipelines.config.evidence import Effect, Evidence, Measure
from pipelines.config.policies import Policy
from pipelines.config.routing import Candidate, RoutingConfig
from pipelines.meters import FEE_METERS, METERS_BY_NAME, TOKEN_METERS, fallback_chain

RATE_COLUMNS = {meter.name: meter.rate_column for meter in TOKEN_METERS} | {
    fee.name: fee.rate_column for fee in FEE_METERS
}


class QuestionError(ValueError):
    """The question names something that does not exist; the message says what is accepted."""


@dataclass(frozen=True)
class Question:
    """What is asked. `shares` by arm, `prices` in USD per million by (seller, model, meter), `tokens` as factors by (model, measure)."""

    policy: str | None = None
    shares: Mapping[str, Decimal] = field(default_factory=dict)
    prices: Mapping[tuple[str, str, str], Decimal] = field(default_factory=dict)
    tokens: Mapping[tuple[str, Measure], float] = field(default_factory=dict)
    unit: Literal["session", "request"] | None = None
    router_fee_usd: Decimal | None = None


def what_if(
    question: Question, policies: RoutingConfig, evidence: Evidence, rate_card: pl.DataFrame
) -> tuple[RoutingConfig, Evidence, pl.DataFrame]:
    """The one policy that is asked about with its changes, the evidence and the cards (core.rate_card). Raises QuestionError."""
    policy = _policy(question, policies)
    _refuse_unknown_models(question, policies, policy, rate_card)
    # The arms of the others stay candidates: the best single model is looked for among the same as every day.
    offers = sorted({(arm.provider_id, arm.model_id) for other in policies.policies for arm in other.arms})
    others = tuple(Candidate(provider_id=seller, model_id=model) for seller, model in offers)
    found = policies.model_copy(
        update={"policies": (policy,), "headline": None, "candidates": (*policies.candidates, *others)}
    )
    return found, _evidence(question, evidence), _cards(question, rate_card)


def _refuse_unknown_models(
    question: Question, policies: RoutingConfig, policy: Policy, rate_card: pl.DataFrame
) -> None:
    """A factor on a model that nothing is priced on would change nothing, and nobody would see it."""
    known = {model for _, model in policies.offers()} | {*rate_card["model_id"]}
    for model, _ in question.tokens:
        if model not in known:
            arms = ", ".join(dict.fromkeys(arm.model_id for arm in policy.arms))
            raise QuestionError(
                f"no model {model!r} is priced or named in routing.yaml; policy {policy.policy} has {arms}"
            )


def _refuse_numbers(question: Question, policy: str, arms: Sequence[str]) -> None:
    for name, share in question.shares.items():
        if name not in arms:
            raise QuestionError(f"policy {policy} has no arm {name!r}; accepted: {', '.join(sorted(arms))}")
        if not 0 <= share <= 1:
            raise QuestionError(f"share of {name}: found {share}, accepted is a number from 0 to 1")
    if question.router_fee_usd is not None and question.router_fee_usd < 0:
        raise QuestionError(f"router fee: found {question.router_fee_usd}, accepted is a number from 0 on")


def _policy(question: Question, policies: RoutingConfig) -> Policy:
    names = [policy.policy for policy in policies.policies]
    if not names:
        raise QuestionError("routing.yaml declares no policy")
    wanted = question.policy or policies.headline or names[0]
    if wanted not in names:
        raise QuestionError(f"policy {wanted!r} is not declared in routing.yaml; accepted: {', '.join(names)}")
    declared = policies.policies[names.index(wanted)].model_dump()
    _refuse_numbers(question, wanted, [arm["arm"] for arm in declared["arms"]])
    shares = _with_the_rest(question.shares, declared["arms"])
    for arm in declared["arms"]:
        asked = shares.get(arm["arm"])
        if asked is not None:
            # What is above its threshold is a share too, but for none or all, which leave no threshold.
            is_hard = arm["difficulty_above"] is not None and 0 < asked < 1
            arm["difficulty_above" if is_hard else "share"] = 1 - asked if is_hard else asked
            arm["share" if is_hard else "difficulty_above"] = None
    if question.unit is not None:
        declared["unit"] = question.unit
    if question.router_fee_usd is not None:
        declared["router_fee_usd"] = question.router_fee_usd
    try:
        return Policy.model_validate(declared)
    except ValidationError as error:
        raise QuestionError("; ".join(item["msg"] for item in error.errors(include_url=False))) from error


def _with_the_rest(asked: Mapping[str, Decimal], arms: Sequence[Mapping[str, Any]]) -> Mapping[str, Decimal]:
    """The shares that are asked for; the arms that are not named divide the rest as they did before."""
    known = {
        arm["arm"]: arm["share"] if arm["difficulty_above"] is None else 1 - arm["difficulty_above"] for arm in arms
    }
    others = {name: share for name, share in known.items() if name not in asked}
    before, rest = sum(share or 0 for share in others.values()), 1 - sum(asked.values())
    if not asked or None in known.values() or not before or not 0 <= rest <= 1:
        return asked
    shares = {**asked, **{name: rest * share / before for name, share in others.items()}}
    last = max(others, key=lambda name: shares[name])
    return shares | {last: shares[last] + 1 - sum(shares.values())}


def _evidence(question: Question, evidence: Evidence) -> Evidence:
    asked = [
        Effect(measure=measure, model=model, log_mean=log(factor), log_sd=0, grade="E", source="what if")
        for (model, measure), factor in question.tokens.items()
    ]
    kept = [effect for effect in evidence.effects if (effect.model, effect.measure) not in question.tokens]
    return evidence.model_copy(update={"effects": (*asked, *kept)})


def _cards(question: Question, rate_card: pl.DataFrame) -> pl.DataFrame:
    asked: dict[tuple[str, str], dict[str, Decimal]] = {}
    for (seller, model, meter), usd in question.prices.items():
        asked.setdefault((seller, model), {})[meter] = usd
    for (seller, model), prices in asked.items():
        of_offer = (pl.col("provider_id") == seller) & (pl.col("model_id") == model)
        if rate_card.filter(of_offer).is_empty():
            raise QuestionError(
                f"no price of {model} at {seller} is known that could be changed: `modelmeter price {model}` shows sellers"
            )
        changes = []
        for meter, column in RATE_COLUMNS.items():
            rate = pl.col(column)
            for is_it, usd in _asked_prices(meter, prices):
                rate = pl.when(of_offer & is_it).then(pl.lit(usd, rate_card.schema[column])).otherwise(rate)
            changes.append(rate.alias(column))
        rate_card = rate_card.with_columns(changes)
    return rate_card


def _asked_prices(meter: str, prices: Mapping[str, Decimal]) -> Iterator[tuple[pl.Expr, Decimal]]:
    """The prices that a meter takes, the last that holds counts: its own, else that of the next of its fallbacks that is asked for, on cards where it
    takes a price from there or from beyond. Reasoning that has no price of its own costs what is asked for output."""
    if meter in prices:
        yield pl.lit(value=True), prices[meter]
        return
    chain = fallback_chain(METERS_BY_NAME[meter]) if meter in METERS_BY_NAME else ()
    taken_from = pl.col("fallbacks").str.json_path_match(f"$.{meter}")
    for place in range(len(chain) - 1, -1, -1):
        if chain[place] in prices:
            yield taken_from.is_in(list(chain[place:])).fill_null(value=False), prices[chain[place]]
