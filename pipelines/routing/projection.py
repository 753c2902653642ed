"""The rows of mart.routing_projection: each policy's shares applied to the recorded tokens of a day.

Which requests count and what they cost on a model is in `traffic.py`, quality in `quality.py`. Money is Decimal
throughout; a missing rate makes a cost NULL with a reason, never zero and never a smaller sum.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Any

import polars as pl

from pipelines.config.routing import TOTAL, Arm, Baseline, Policy, RoutingConfig
from pipelines.outside import ANY_FAILURE, worded
from pipelines.routing.quality import Quality, find_quality, known_on
from pipelines.routing.traffic import Cost, Traffic, routable
from pipelines.warehouse.tables.mart import ROUTING_PROJECTION

_SMALLEST = Decimal(1).scaleb(-18)
_Parts = list[tuple[Decimal | None, Decimal | None]]
_ASSUMED = {
    "tokens": "rho = 1: another model would have used the same input and output tokens",
    "assignment": "blind: requests are assigned at random, so each arm gets its share of the tokens too",
    "service_tier": "standard tier, no region surcharge, where the arm differs from the recorded model",
    "router_fee_usd": 0,
    "retries": 0,
    "context": "every request fits into the arm's context window",
}


def project(
    requests: pl.DataFrame, rate_card: pl.DataFrame, policies: RoutingConfig, scores: pl.DataFrame | None
) -> pl.DataFrame:
    """What each day's traffic would have cost under each policy, against each of the policy's baselines.

    `requests` are rated rows of core.request, `rate_card` rows of core.rate_card, `scores` rows of
    core.benchmark_score (None or empty: quality stays null). Returns mart.routing_projection: one row per day, policy,
    baseline and arm, and one for the total, whose amounts are the sums of the arms' to the last decimal.
    """
    rows: list[dict[str, Any]] = []
    for day in requests["event_date"].unique().sort():
        frame = requests.filter(pl.col("event_date") == day)
        known = None if scores is None else known_on(scores, day)
        traffic = {
            is_actual: routable(frame, rate_card, policies, must_be_priced=is_actual) for is_actual in (True, False)
        }
        for policy in policies.policies:
            for name in policy.baselines:
                baseline = policies.baseline(name)
                case = _Case(day, policy, baseline, policies, traffic[baseline.model_id is None], known)
                try:
                    rows.extend(case.rows())
                except ANY_FAILURE as error:  # one policy costs no other
                    rows.append(case.failed(worded(error)))
    return pl.DataFrame(rows, schema=ROUTING_PROJECTION.polars_schema)


@dataclass(frozen=True)
class _Case:
    """One day, policy and baseline."""

    day: date
    policy: Policy
    baseline: Baseline
    config: RoutingConfig
    traffic: Traffic
    scores: pl.DataFrame | None

    def rows(self) -> list[dict[str, Any]]:
        base, arms = self._baseline_cost(), self.policy.arms
        costs = [self._arm_cost(arm, base) for arm in arms]
        amounts = _arm_costs(base.usd, [cost.usd for cost in costs], [arm.share for arm in arms])
        quality = self._quality()
        retained = [_ratio(quality, arm.model_id, self.baseline.model_id) for arm in arms]
        rows = [
            self._row(
                name=arm.arm,
                arm=arm,
                share=arm.share,
                base=base_part,
                cost=part,
                reason=base.reason or cost.reason,
                retained=kept,
                assumptions=self._assumptions(quality, arm),
            )
            for arm, cost, (base_part, part), kept in zip(arms, costs, amounts, retained, strict=True)
        ]
        total = self._row(
            name=TOTAL,
            arm=None,
            share=Decimal(1),
            base=base.usd,
            cost=_sum([part for _, part in amounts]),
            reason="; ".join(dict.fromkeys(row["not_projected_reason"] for row in rows if row["not_projected_reason"]))
            or None,
            retained=_mean([float(arm.share) for arm in arms], retained),
            assumptions=self._assumptions(quality),
        )
        return [*rows, total]

    def failed(self, reason: str) -> dict[str, Any]:
        """The total alone, which says why nothing could be projected."""
        return self._row(
            name=TOTAL,
            arm=None,
            share=Decimal(1),
            base=None,
            cost=None,
            reason=f"the projection failed: {reason}",
            retained=None,
            assumptions={},
        )

    def _row(
        self,
        *,
        name: str,
        arm: Arm | None,
        share: Decimal,
        base: Decimal | None,
        cost: Decimal | None,
        reason: str | None,
        retained: float | None,
        assumptions: dict[str, Any],
    ) -> dict[str, Any]:
        saving = None if base is None or cost is None else base - cost
        return {
            "event_date": self.day,
            "policy": self.policy.policy,
            "arm": name,
            "provider_id": arm.provider_id if arm else None,
            "model_id": arm.model_id if arm else None,
            "share": share,
            "requests": float(share * self.traffic.count),
            "baseline": self.baseline.baseline,
            "baseline_cost_usd": base,
            "projected_cost_usd": cost,
            "saving_usd": saving,
            "saving_share": float(saving / base) if saving is not None and base else None,
            "quality_retained": retained,
            "evidence_grade": "E" if retained is None else "C",
            "assumptions": json.dumps(assumptions, sort_keys=True),
            "not_projected_reason": reason,
        }

    def _baseline_cost(self) -> Cost:
        baseline = self.baseline
        if baseline.provider_id is None or baseline.model_id is None:
            return self.traffic.actual
        return self.traffic.cost_on(baseline.provider_id, baseline.model_id, baseline.cache)

    def _arm_cost(self, arm: Arm, base: Cost) -> Cost:
        """Cost of all the traffic on the arm; an arm on the baseline's own model is charged as the baseline is."""
        if (arm.provider_id, arm.model_id) == (self.baseline.provider_id, self.baseline.model_id):
            return base
        return self.traffic.cost_on(arm.provider_id, arm.model_id, arm.cache)

    def _quality(self) -> Quality | None:
        """Scores for every arm and for the baseline: its model, or every model that the traffic ran on."""
        if self.scores is None or self.scores.is_empty():
            return None
        models = {arm.model_id for arm in self.policy.arms}
        if self.baseline.model_id is not None:
            return find_quality(self.scores, self.config.quality_benchmarks, models | {self.baseline.model_id})
        ran_on = self.traffic.requests["model_id"].value_counts()
        if ran_on.is_empty() or ran_on["model_id"].null_count():
            return None
        found = find_quality(self.scores, self.config.quality_benchmarks, models | set(ran_on["model_id"]))
        if found is None:
            return None
        weights = dict(ran_on.iter_rows())
        mix = sum(found.scores[model] * number for model, number in weights.items()) / sum(weights.values())
        return Quality(found.benchmark_version_id, {**found.scores, _MIX: mix})

    def _cache(self, arm: Arm) -> str:
        if (arm.provider_id, arm.model_id) == (self.baseline.provider_id, self.baseline.model_id):
            return f"{self.baseline.cache}: charged as the baseline, whose model it is"
        return f"{arm.cache}: {_CACHE[arm.cache]}, where the arm differs from the recorded model"

    def _assumptions(self, quality: Quality | None, arm: Arm | None = None) -> dict[str, Any]:
        arms = [arm] if arm else list(self.policy.arms)
        told = {
            **_ASSUMED,
            "cache": {item.arm: self._cache(item) for item in arms},
            "requests": self.traffic.count,
            "requests_left_out": self.traffic.excluded,
            "quality": "not projected: no benchmark has a score for every arm and the baseline",
        }
        if self.baseline.model_id is not None:
            told["baseline_cache"] = f"{self.baseline.cache}: {_CACHE[self.baseline.cache]}"
        if quality is not None:
            told["quality"] = {
                "proxy": quality.benchmark_version_id,
                "scores": dict(sorted(quality.scores.items())),
                "assumed": "the ratio of leaderboard scores (best entry per model) carries over to this traffic",
            }
        return told


_MIX = "actual mix"
_CACHE = {
    "kept": "recorded cache reads and writes are charged at the model's own cache rates",
    "lost": "recorded cache reads and writes are charged as plain input",
}


def _ratio(quality: Quality | None, model_id: str, baseline_model: str | None) -> float | None:
    return None if quality is None else quality.scores[model_id] / quality.scores[baseline_model or _MIX]


def _sum(parts: list[Decimal | None]) -> Decimal | None:
    known = [part for part in parts if part is not None]
    return sum(known, Decimal(0)) if len(known) == len(parts) else None


def _mean(weights: list[float], values: list[float | None]) -> float | None:
    known = [weight * value for weight, value in zip(weights, values, strict=True) if value is not None]
    return sum(known) if len(known) == len(values) else None


def _shared_out(whole: Decimal, shares: list[Decimal]) -> list[Decimal]:
    """share x whole per arm, rounded to 18 decimals; the last takes the rest, so that the parts add up to the whole."""
    with localcontext() as context:
        context.prec, context.rounding = 76, ROUND_HALF_EVEN
        parts = [(share * whole).quantize(_SMALLEST) for share in shares[:-1]]
        return [*parts, whole - sum(parts, Decimal(0))]


def _arm_costs(base: Decimal | None, costs: list[Decimal | None], shares: list[Decimal]) -> _Parts:
    """Baseline and projected cost of each arm.

    An arm's saving is rounded, its projected cost is its part of the baseline less the saving: so an arm that costs what
    the baseline costs saves exactly 0, whatever the shares, and all amounts add up to the last decimal.
    """
    with localcontext() as context:
        context.prec, context.rounding = 76, ROUND_HALF_EVEN
        if base is None:
            alone = [None if c is None else (s * c).quantize(_SMALLEST) for s, c in zip(shares, costs, strict=True)]
            return [(None, cost) for cost in alone]
        parts = _shared_out(base, shares)
        savings = [
            None if c is None else (s * (base - c)).quantize(_SMALLEST) for s, c in zip(shares, costs, strict=True)
        ]
        return [(part, None if s is None else part - s) for part, s in zip(parts, savings, strict=True)]
