"""The rows of mart.routing_projection: each policy's shares applied to a day's traffic, with what is known and what is not.

Which requests count and what they cost on a model is in `traffic.py`, quality in `quality.py`, intervals in `outlook.py`. Money
is Decimal throughout; a missing rate makes a cost NULL with a reason, never zero and never a smaller sum.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from pipelines.config.calendars import Calendars
from pipelines.config.evidence import Evidence
from pipelines.config.loader import load_file
from pipelines.config.routing import TOTAL, Arm, Baseline, Policy, RoutingConfig
from pipelines.outside import ANY_FAILURE, worded
from pipelines.routing.draws import Floats, Group, NoEvidence, Worlds
from pipelines.routing.outlook import ArmOutlook, Outlook, Stake, grade, outlook
from pipelines.routing.policy_arm import Handling, PolicyArm, policy_arm, to_arrays
from pipelines.routing.quality import Quality, find_quality, known_on
from pipelines.routing.traffic import Traffic, routable
from pipelines.warehouse.tables.mart import ROUTING_PROJECTION

_SMALLEST = Decimal(1).scaleb(-18)
_OPEN_SHARE = Decimal("0.01")
"""A cost that caches without a session may change by more than this share of itself is a range and no point."""
_Parts = list[tuple[Decimal | None, Decimal | None]]
_NO_OUTLOOK = ArmOutlook(None, None)
_ASSUMED = {
    "assignment": "blind: requests are assigned at random, so each arm gets its share of the tokens too",
    "service_tier": "standard tier, no region surcharge, where the arm differs from the recorded model",
    "retries": 0,
    "context": "every request fits into the arm's context window",
}
_CACHE = {
    "session": "cache reads hit where the arm served the session before within five minutes, else the prompt is written anew",
    "kept": "recorded cache reads and writes are charged at the model's own cache rates",
    "lost": "recorded cache reads and writes are charged as plain input",
}


def project(
    requests: pl.DataFrame,
    rate_card: pl.DataFrame,
    policies: RoutingConfig,
    scores: pl.DataFrame | None,
    *,
    evidence: Evidence | None = None,
    calendars: Mapping[str, frozenset[date]] | None = None,
) -> pl.DataFrame:
    """What each day's traffic would have cost under each policy, against each of the policy's baselines.

    `requests` are rated rows of core.request, `rate_card` rows of core.rate_card, `scores` rows of
    core.benchmark_score (None or empty: quality stays null); `evidence` and `calendars` are those that ship where they are
    None. Returns mart.routing_projection: one row per day, policy, baseline and arm, and one for the total, whose amounts
    are the sums of the arms' to the last decimal.
    """
    known = load_file(Evidence, "evidence.yaml", None) if evidence is None else evidence
    holidays = load_file(Calendars, "calendars.yaml", None).days if calendars is None else calendars
    candidates = {(arm.provider_id, arm.model_id) for policy in policies.policies for arm in policy.arms}
    candidates |= {
        (item.provider_id, item.model_id) for item in policies.baselines if item.provider_id and item.model_id
    }
    offers = pl.DataFrame(list(candidates), schema=["provider_id", "model_id"], orient="row") if candidates else None
    cards = rate_card if offers is None else rate_card.join(offers, on=["provider_id", "model_id"], how="semi")
    rows: list[dict[str, Any]] = []
    for day in requests["event_date"].unique().sort():
        frame = requests.filter(pl.col("event_date") == day)
        believed = None if scores is None else known_on(scores, day)
        priced, whole = (
            _Day(routable(frame, cards, policies, must_be_priced=must, calendars=holidays), known, policies, believed)
            for must in (True, False)
        )
        # Where all of a day is priced, both comparisons are about the same requests.
        days = {True: priced, False: priced if priced.traffic.count == whole.traffic.count else whole}
        for policy in policies.policies:
            for name in policy.baselines:
                baseline = policies.baseline(name)
                case = _Case(day, policy, baseline, days[baseline.model_id is None])
                try:
                    with localcontext() as context:
                        context.prec, context.rounding = 76, ROUND_HALF_EVEN
                        rows.extend(case.rows())
                except ANY_FAILURE as error:  # one policy costs no other
                    rows.append(case.failed(worded(error)))
    return pl.DataFrame(rows, schema=ROUTING_PROJECTION.polars_schema)


@dataclass
class _Day:
    """A day's traffic with its simulated worlds; what an arm costs is worked out once, whatever policies it is in."""

    traffic: Traffic
    evidence: Evidence
    config: RoutingConfig
    scores: pl.DataFrame | None
    _arms: dict[tuple[str, str, Handling], PolicyArm | str] = field(default_factory=dict)

    @cached_property
    def groups(self) -> list[Group]:
        """Models that the day's requests ran on, agents' loops apart."""
        found = self.traffic.recorded.select("model_id", "is_loop").unique().sort(pl.all())
        return [Group(*row) for row in found.iter_rows()]

    @cached_property
    def worlds(self) -> Worlds:
        """The day's draws."""
        use_cases: dict[str, dict[str, int]] = {}
        for use_case, model, number in self.traffic.use_cases.iter_rows():
            use_cases.setdefault(use_case, {})[model] = number
        return Worlds(self.evidence, self.groups, self.recorded["requests"], use_cases)

    @cached_property
    def recorded(self) -> dict[str, Floats]:
        """Requests and actual cost, groups x buckets."""
        return to_arrays(self.traffic.recorded, ("requests", "actual"), self.groups)

    def arm(self, provider_id: str, model_id: str, handling: Handling) -> PolicyArm | str:
        """The arm's cost, or the reason why it is not known."""
        key = (provider_id, model_id, handling)
        if key not in self._arms:
            cost = self.traffic.cost_on(provider_id, model_id)
            self._arms[key] = cost.reason or policy_arm(cost, model_id, handling, self.groups)
        return self._arms[key]

    def actual(self) -> Floats:
        """What the traffic did cost in each world."""
        return self.worlds.recorded(self.recorded["actual"])


@dataclass(frozen=True)
class _Case:
    """One day, policy and baseline."""

    day: date
    policy: Policy
    baseline: Baseline
    of_day: _Day

    def rows(self) -> list[dict[str, Any]]:
        """The arms' rows and that of the total."""
        arms = self.policy.arms
        base, base_reason = self._point(self._base_arm)
        points = [self._arm_point(arm, base, base_reason) for arm in arms]
        amounts = _arm_costs(base, [usd for usd, _ in points], [arm.share for arm in arms])
        quality = self._quality()
        found, blank = self._outlook(quality)
        retained = [self._ratio(quality, arm.model_id) for arm in arms]
        level = grade(self.of_day.worlds, self._stakes(), None if isinstance(quality, str) else quality)
        rows = [
            self._row(arm, part, reason, kept, one, self._assumptions(quality, arm)) | {"evidence_grade": level}
            for arm, part, (_, reason), kept, one in zip(arms, amounts, points, retained, found.arms, strict=True)
        ]
        reasons = [row["not_projected_reason"] for row in rows if row["not_projected_reason"]]
        total = self._row(
            None,
            (base, _sum([cost for _, cost in amounts])),
            "; ".join(dict.fromkeys(reasons)) or blank,
            _mean([float(arm.share) for arm in arms], retained),
            found.total,
            self._assumptions(quality),
        )
        total |= {
            "evidence_grade": level,
            "probability_saving_85": found.saving_85,
            "probability_quality_95": found.quality_95,
            "probability_both": found.both,
            "quality_realised": found.realised,
            "quality_oracle": found.oracle,
            "break_even_ratio": found.break_even_ratio,
            "first_flip": found.first_flip,
            "waterfall": self._waterfall(base, total["projected_cost_usd"]),
        }
        return [*rows, total]

    def failed(self, reason: str) -> dict[str, Any]:
        """The total alone, which says why nothing could be projected."""
        why = f"the projection failed: {reason}"
        return self._row(None, (None, None), why, None, _NO_OUTLOOK, {}) | {"evidence_grade": "E"}

    def _row(
        self,
        arm: Arm | None,
        amounts: tuple[Decimal | None, Decimal | None],
        reason: str | None,
        retained: float | None,
        sure: ArmOutlook,
        assumptions: dict[str, Any],
    ) -> dict[str, Any]:
        base, cost = amounts
        saving = None if base is None or cost is None else base - cost
        share = arm.share if arm else Decimal(1)
        return {
            "event_date": self.day,
            "policy": self.policy.policy,
            "arm": arm.arm if arm else TOTAL,
            "provider_id": arm.provider_id if arm else None,
            "model_id": arm.model_id if arm else None,
            "share": share,
            "requests": float(share * self.of_day.traffic.count),
            "baseline": self.baseline.baseline,
            "baseline_cost_usd": base,
            "projected_cost_usd": cost,
            "saving_usd": saving,
            "saving_share": float(saving / base) if saving is not None and base else None,
            "quality_retained": retained,
            "is_headline": self.of_day.config.is_headline(self.policy.policy),
            **{f"saving_share_{name}": value for name, value in (sure.saving or {}).items()},
            **{f"quality_retained_{name}": value for name, value in (sure.quality or {}).items()},
            "assumptions": json.dumps(assumptions, sort_keys=True),
            "not_projected_reason": reason,
        }

    @cached_property
    def _base_arm(self) -> PolicyArm | str | None:
        """The baseline's model with all the traffic; None where the baseline is what did run."""
        baseline = self.baseline
        if baseline.provider_id is None or baseline.model_id is None:
            return None
        return self.of_day.arm(baseline.provider_id, baseline.model_id, Handling(baseline.cache, "session", Decimal(1)))

    def _arm(self, arm: Arm) -> PolicyArm | str:
        """The arm under the policy; one on the baseline's own model is charged as the baseline is."""
        if self._is_base(arm) and self._base_arm is not None:
            return self._base_arm
        return self.of_day.arm(arm.provider_id, arm.model_id, Handling(arm.cache, self.policy.unit, arm.share))

    def _is_base(self, arm: Arm) -> bool:
        return (arm.provider_id, arm.model_id) == (self.baseline.provider_id, self.baseline.model_id)

    def _point(self, arm: PolicyArm | str | None) -> tuple[Decimal | None, str | None]:
        """Cost of all the traffic at the middle of what is known, or the reason why it has none."""
        if arm is None:
            return self.of_day.traffic.actual_usd, None
        if isinstance(arm, str):
            return None, arm
        try:
            usd = arm.scaled(self.of_day.evidence)
        except NoEvidence as error:
            return None, str(error)
        if arm.open_usd > _OPEN_SHARE * usd:
            return None, (
                f"{arm.model_id}: prompts read from a cache without a session in the log cost {usd:.2f} to "
                f"{usd + arm.open_usd:.2f} USD: log session ids, or set cache to kept or lost in routing.yaml"
            )
        return usd, None

    def _arm_point(self, arm: Arm, base: Decimal | None, base_reason: str | None) -> tuple[Decimal | None, str | None]:
        usd, reason = (base, None) if self._is_base(arm) else self._point(self._arm(arm))
        fee = self.policy.router_fee_usd * self.of_day.traffic.count
        return None if usd is None else usd + fee, base_reason or reason

    def _stakes(self) -> list[Stake]:
        stakes = []
        for arm in self.policy.arms:
            cost = self._arm(arm)
            stakes.append(
                Stake(arm.arm, arm.model_id, float(arm.share), None if isinstance(cost, str) else cost.arrays)
            )
        return stakes

    def _outlook(self, quality: Quality | str) -> tuple[Outlook, str | None]:
        """Intervals, or none of them with the line of evidence that is missing."""
        none = Outlook([_NO_OUTLOOK] * len(self.policy.arms), _NO_OUTLOOK)
        if not self.of_day.groups:
            return none, None
        worlds = self.of_day.worlds
        known = None if isinstance(quality, str) else quality
        try:
            base: Floats | None
            if self._base_arm is None:
                base = self.of_day.actual()
            elif isinstance(self._base_arm, str):
                base = None
            else:
                base = worlds.cost(self._base_arm.arrays)
            solved = None if known is None else self._base_solved(known)
            return outlook(worlds, base, self._stakes(), known, solved, fee=self._fee()), None
        except NoEvidence as error:
            return none, str(error)

    def _fee(self) -> float:
        return float(self.policy.router_fee_usd)

    def _base_solved(self, quality: Quality) -> Floats:
        """The baseline's share solved, draws x use cases: its model's, or that of the models that ran, by requests."""
        worlds = self.of_day.worlds
        if self.baseline.model_id is not None:
            return worlds.shares_solved(quality, self.baseline.model_id)
        solved = {model: worlds.shares_solved(quality, model) for model in self._mix}
        columns = [
            sum(number * solved[model][:, place] for model, number in by_model.items()) / sum(by_model.values())
            for place, by_model in enumerate(worlds.use_cases.values())
        ]
        return np.stack(columns, axis=1)

    @cached_property
    def _mix(self) -> dict[str, float]:
        """Share of the requests by the model that they ran on."""
        counts = self.of_day.traffic.recorded.group_by("model_id").agg(pl.col("requests").sum()).sort("model_id")
        whole = counts["requests"].sum()
        return {model: number / whole for model, number in counts.iter_rows()}

    def _quality(self) -> Quality | str:
        """Scores for every arm and for the baseline: its model, or every model that the traffic ran on; else the reason."""
        scores, config = self.of_day.scores, self.of_day.config
        if scores is None or scores.is_empty():
            return "no leaderboard is loaded"
        against = set(self._mix) if self.baseline.model_id is None else {self.baseline.model_id}
        if not against:
            return "there is no traffic"
        return find_quality(scores, config.quality_benchmarks, {arm.model_id for arm in self.policy.arms} | against)

    def _ratio(self, quality: Quality | str, model_id: str) -> float | None:
        if isinstance(quality, str):
            return None
        shares = {name: score.share for name, score in quality.scores.items()}
        if self.baseline.model_id is not None:
            return shares[model_id] / shares[self.baseline.model_id]
        return shares[model_id] / sum(shares[name] * weight for name, weight in self._mix.items())

    def _waterfall(self, base: Decimal | None, projected: Decimal | None) -> str | None:
        """From the baseline's cost to the projected one, in USD: price, cache, tokens, router fee. Null without either."""
        arms = [(arm, self._arm(arm)) for arm in self.policy.arms]
        if base is None or projected is None:
            return None
        same = kept = Decimal(0)
        for arm, cost in arms:
            if isinstance(cost, str):
                return None
            handling = Handling("kept", "session", Decimal(1))
            whole = cost if self._is_base(arm) else self.of_day.arm(arm.provider_id, arm.model_id, handling)
            kept += arm.share * (base if self._is_base(arm) or isinstance(whole, str) else whole.same_tokens())
            same += arm.share * (base if self._is_base(arm) else cost.same_tokens())
        fee = self.policy.router_fee_usd * self.of_day.traffic.count
        steps = {
            "baseline": base,
            "price": kept - base,
            "cache": same - kept,
            "tokens": projected - fee - same,
            "router_fee": fee,
            "projected": projected,
        }
        return json.dumps({name: str(value.quantize(_SMALLEST)) for name, value in steps.items()})

    def _cache(self, arm: Arm) -> str:
        if self._is_base(arm):
            return f"{self.baseline.cache}: charged as the baseline, whose model it is"
        return f"{arm.cache}: {_CACHE[arm.cache]}, where the arm differs from the recorded model"

    def _assumptions(self, quality: Quality | str, arm: Arm | None = None) -> dict[str, Any]:
        arms = [arm] if arm else list(self.policy.arms)
        stated: dict[str, Any] = {
            **_ASSUMED,
            "tokens": self._effects(arms),
            "unit": self.policy.unit,
            "router_fee_usd": str(self.policy.router_fee_usd),
            "cache": {item.arm: self._cache(item) for item in arms},
            "requests": self.of_day.traffic.count,
            "requests_left_out": self.of_day.traffic.excluded,
        }
        if self.baseline.model_id is not None:
            stated["baseline_cache"] = f"{self.baseline.cache}: {_CACHE[self.baseline.cache]}"
        if isinstance(quality, str):
            stated["quality"] = f"not projected: {quality}"
        else:
            stated["quality"] = {
                "proxy": quality.benchmark_version_id,
                "scores": {name: round(score.share * 100, 6) for name, score in sorted(quality.scores.items())},
                "assumed": "the ratio of leaderboard scores (best entry per model) carries over to this traffic",
            }
        return stated

    def _effects(self, arms: Sequence[Arm]) -> dict[str, str]:
        """The lines of evidence on tokens that the arms rest on, by measure."""
        measures = {"loop" if group.is_loop else "output" for group in self.of_day.groups}
        measures |= {"input"} if "output" in measures else set()
        found: dict[str, str] = {}
        for measure in sorted(measures):
            for arm in arms:
                effect = self.of_day.evidence.effect(measure, arm.model_id)  # type: ignore[arg-type]
                if effect is not None:
                    found[f"{measure}, {effect.model}"] = (
                        f"factor {np.exp(effect.log_mean):.3g}, logarithm within {effect.log_sd} ({effect.grade}: {effect.source})"
                    )
        return found


def _sum(parts: list[Decimal | None]) -> Decimal | None:
    known = [part for part in parts if part is not None]
    return sum(known, Decimal(0)) if len(known) == len(parts) else None


def _mean(weights: list[float], values: list[float | None]) -> float | None:
    known = [weight * value for weight, value in zip(weights, values, strict=True) if value is not None]
    return sum(known) if len(known) == len(values) else None


def _shared_out(whole: Decimal, shares: list[Decimal]) -> list[Decimal]:
    """share x whole per arm, rounded to 18 decimals; the last takes the rest, so that the parts add up to the whole."""
    parts = [(share * whole).quantize(_SMALLEST) for share in shares[:-1]]
    return [*parts, whole - sum(parts, Decimal(0))]


def _arm_costs(base: Decimal | None, costs: list[Decimal | None], shares: list[Decimal]) -> _Parts:
    """Baseline and projected cost of each arm.

    An arm's saving is rounded, its projected cost is its part of the baseline less the saving: so an arm that costs what
    the baseline costs saves exactly 0, whatever the shares, and all amounts add up to the last decimal.
    """
    if base is None:
        alone = [None if c is None else (s * c).quantize(_SMALLEST) for s, c in zip(shares, costs, strict=True)]
        return [(None, cost) for cost in alone]
    parts = _shared_out(base, shares)
    savings = [None if c is None else (s * (base - c)).quantize(_SMALLEST) for s, c in zip(shares, costs, strict=True)]
    return [(part, None if s is None else part - s) for part, s in zip(parts, savings, strict=True)]
