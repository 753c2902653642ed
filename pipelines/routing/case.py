"""One day, policy and baseline: the rows of the policy's arms and of its total.

Amounts are Decimal in the context that `projection.py` sets.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy as np

from pipelines.config.evidence import MissingEvidenceError
from pipelines.config.routing import TOTAL, Arm, Baseline, Policy
from pipelines.routing.amounts import SMALLEST, arm_costs, mean_of, total_of
from pipelines.routing.assumptions import assumptions
from pipelines.routing.day import Day
from pipelines.routing.draws import Floats
from pipelines.routing.outlook import ArmOutlook, Outlook, Stake, grade, outlook
from pipelines.routing.own_scores import measured_quality
from pipelines.routing.policy_arm import Handling, PolicyArm
from pipelines.routing.quality import Quality, find_quality
from pipelines.warehouse.tables.mart_routing import POLICY

_OPEN_SHARE = Decimal("0.01")
"""A cost that caches without a session may change by more than this share of itself is a range and no point."""
NO_OUTLOOK = ArmOutlook(None, None)
WHOLE = Handling("session", "session", Decimal(1))
"""All traffic on one model: sessions stay where they are."""


@dataclass(frozen=True)
class Case:
    """One day, policy and baseline."""

    day: date
    policy: Policy
    baseline: Baseline
    of_day: Day

    def rows(self) -> list[dict[str, Any]]:
        """The arms' rows and that of the total."""
        arms = self.policy.arms
        base, base_reason = self.base_point()
        points = [self._arm_point(arm, base, base_reason) for arm in arms]
        amounts = arm_costs(base, [usd for usd, _ in points], [arm.share for arm in arms])
        quality = self.quality
        known = None if isinstance(quality, str) else quality
        found, blank = self.outlook_of(self._stakes(), known, fee=float(self.policy.router_fee_usd))
        retained = [self.ratio(quality, arm.model_id) for arm in arms]
        level = grade(self.of_day.worlds, self._stakes(), known)
        rows = [
            self.row(
                arm,
                amounts=part,
                reason=reason,
                retained=kept,
                sure=one,
                stated=self._assumptions(quality, (arm,)),
            )
            | {"evidence_grade": level}
            for arm, part, (_, reason), kept, one in zip(arms, amounts, points, retained, found.arms, strict=True)
        ]
        reasons = [row["not_projected_reason"] for row in rows if row["not_projected_reason"]]
        total = self.row(
            None,
            amounts=(base, total_of([cost for _, cost in amounts])),
            reason="; ".join(dict.fromkeys(reasons)) or blank,
            retained=mean_of([float(arm.share) for arm in arms], retained),
            sure=found.total,
            stated=self._assumptions(quality, self.policy.arms),
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
        row = self.row(None, amounts=(None, None), reason=why, retained=None, sure=NO_OUTLOOK, stated="{}")
        return row | {"evidence_grade": "E"}

    def row(
        self,
        arm: Arm | None,
        *,
        amounts: tuple[Decimal | None, Decimal | None],
        reason: str | None,
        retained: float | None,
        sure: ArmOutlook,
        stated: str,
    ) -> dict[str, Any]:
        """One row of the policy; of its total where `arm` is None. `amounts` are baseline and projected cost."""
        base, cost = amounts
        saving = None if base is None or cost is None else base - cost
        share = arm.share if arm else Decimal(1)
        return {
            "event_date": self.day,
            "policy": self.policy.policy,
            "method": POLICY,
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
            "assumptions": stated,
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

    def point(self, arm: PolicyArm | str | None) -> tuple[Decimal | None, str | None]:
        """Cost of all the traffic at the middle of what is known, or the reason why it has none."""
        if arm is None:
            return self.of_day.traffic.actual_usd, None
        if isinstance(arm, str):
            return None, arm
        try:
            usd = arm.scaled(self.of_day.evidence)
        except MissingEvidenceError as error:
            return None, str(error)
        if arm.open_usd > _OPEN_SHARE * usd:
            return None, (
                f"{arm.model_id}: prompts read from a cache without a session in the log cost {usd:.2f} to "
                f"{usd + arm.open_usd:.2f} USD: log session ids, or set cache to kept or lost in routing.yaml"
            )
        return usd, None

    def _arm_point(self, arm: Arm, base: Decimal | None, base_reason: str | None) -> tuple[Decimal | None, str | None]:
        usd, reason = (base, None) if self._is_base(arm) else self.point(self._arm(arm))
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

    def outlook_of(self, stakes: Sequence[Stake], quality: Quality | None, *, fee: float) -> tuple[Outlook, str | None]:
        """Intervals of arms, or none of them with the line of evidence that is missing; `fee` is the router's in USD per request."""
        none = Outlook([NO_OUTLOOK] * len(stakes), NO_OUTLOOK)
        if not self.of_day.groups:
            return none, None
        worlds = self.of_day.worlds
        try:
            base: Floats | None
            if self._base_arm is None:
                base = self.of_day.actual()
            elif isinstance(self._base_arm, str):
                base = None
            else:
                base = worlds.cost(self._base_arm.arrays)
            solved = None if quality is None else self._base_solved(quality)
            return outlook(worlds, base, stakes, quality, solved, fee=fee), None
        except MissingEvidenceError as error:
            return none, str(error)

    def _base_solved(self, quality: Quality) -> Floats:
        """The baseline's share solved, draws x use cases: its model's, or that of the models that ran, by requests."""
        worlds = self.of_day.worlds
        if self.baseline.model_id is not None:
            return worlds.shares_solved(quality, self.baseline.model_id)
        solved = {model: worlds.shares_solved(quality, model) for model in self.of_day.mix}
        columns = [
            sum(number * solved[model][:, place] for model, number in by_model.items()) / sum(by_model.values())
            for place, by_model in enumerate(worlds.use_cases.values())
        ]
        return np.stack(columns, axis=1)

    @cached_property
    def quality(self) -> Quality | str:
        """Scores for every arm and for the baseline: its model, or every model that the traffic ran on; else the reason."""
        scores, config = self.of_day.scores, self.of_day.config
        models = {arm.model_id for arm in self.policy.arms}
        measured = measured_quality(self.of_day.answered, models | self.against)
        if measured is not None:
            return measured
        if scores is None or scores.is_empty():
            return "no leaderboard is loaded"
        if not self.against:
            return "there is no traffic"
        return find_quality(scores, config.quality_benchmarks, models | self.against)

    @property
    def against(self) -> set[str]:
        """The models whose quality is kept or lost: the baseline's, or all that the traffic ran on."""
        return set(self.of_day.mix) if self.baseline.model_id is None else {self.baseline.model_id}

    def base_point(self) -> tuple[Decimal | None, str | None]:
        """The baseline's cost, or the reason why it has none."""
        return self.point(self._base_arm)

    def ratio(self, quality: Quality | str, model_id: str) -> float | None:
        """The model's share solved over the baseline's; None where quality is not known."""
        if isinstance(quality, str):
            return None
        shares = {name: score.share for name, score in quality.scores.items()}
        if self.baseline.model_id is not None:
            return shares[model_id] / shares[self.baseline.model_id]
        return shares[model_id] / sum(shares[name] * weight for name, weight in self.of_day.mix.items())

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
        return json.dumps({name: str(value.quantize(SMALLEST)) for name, value in steps.items()})

    def _assumptions(self, quality: Quality | str, arms: Sequence[Arm]) -> str:
        return assumptions(self.of_day, self.policy, self.baseline, arms, quality)
