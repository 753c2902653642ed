"""One day, policy and baseline: the rows of the policy's arms and of its total.

Amounts are Decimal in the context that `projection.py` sets.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy as np

from pipelines.config.evidence import MissingEvidenceError
from pipelines.config.policies import TOTAL, Arm, Policy
from pipelines.config.routing import Baseline
from pipelines.routing.amounts import arm_costs, at_the_middle, parted, total_of
from pipelines.routing.assumptions import assumptions
from pipelines.routing.cascade import cascade_flow
from pipelines.routing.day import Day
from pipelines.routing.draws import Floats
from pipelines.routing.flips import flips
from pipelines.routing.outlook import ArmOutlook, Flow, Outlook, Stake, grade, outlook
from pipelines.routing.own_scores import measured_quality
from pipelines.routing.plan import Lot, Plan
from pipelines.routing.policy_arm import Handling
from pipelines.routing.quality import Quality
from pipelines.routing.waterfall import waterfall
from pipelines.warehouse.tables.mart_routing import POLICY

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
    settled: frozenset[str] = frozenset()
    """Models whose quality is taken as known, to find what knowing it is worth."""

    @cached_property
    def plan(self) -> Plan:
        """Who serves what, and what that costs exactly."""
        return Plan(self.of_day, self.policy, self.baseline, self.quality)

    def rows(self) -> list[dict[str, Any]]:
        """The arms' rows and that of the total."""
        arms, plan, quality = self.policy.arms, self.plan, self.quality
        base, _ = plan.base_point()
        lots = plan.lots()
        central = arm_costs(base, [lot.base for lot in lots], [lot.cost for lot in lots])
        shares = self._shares(lots)
        known = None if isinstance(quality, str) else quality
        found, blank = self._outlook(known)
        amounts = at_the_middle(base, central, [one.gains for one in found.arms], found.total.gains)
        level = grade(self.of_day.worlds, plan.stakes(), known)
        rows = [
            self.row(
                arm,
                share=share,
                requests=lot.requests,
                amounts=part,
                central=exact,
                reason=lot.reason,
                sure=one,
                stated=self._assumptions(quality, (arm,)),
            )
            | {"evidence_grade": level}
            for arm, part, (_, exact), lot, share, one in zip(
                arms, amounts, central, lots, shares, found.arms, strict=True
            )
        ]
        reasons = [plan.assignment.reason, *(row["not_projected_reason"] for row in rows)]
        reason = "; ".join(dict.fromkeys(one for one in reasons if one)) or blank
        whole, exact_whole = (
            None if plan.assignment.reason else total_of([cost for _, cost in parts]) for parts in (amounts, central)
        )
        total = self.row(
            None,
            amounts=(base, whole),
            central=exact_whole,
            reason=reason,
            sure=found.total,
            stated=self._assumptions(quality, arms),
        )
        turned = flips(plan)
        total |= {
            "evidence_grade": level,
            "probability_saving_85": found.saving_85,
            "probability_quality_95": found.quality_95,
            "probability_both": found.both,
            "quality_realised": found.realised,
            "quality_oracle": found.oracle,
            "break_even_ratio": turned.break_even_ratio,
            "first_flip": turned.first,
            "waterfall": waterfall(plan, base, exact_whole, whole),
            "quality_by_use_case": _kept_by_use_case(plan, found.use_cases),
        }
        return [*rows, total]

    def _shares(self, lots: Sequence[Lot]) -> list[Decimal]:
        """Each arm's share of the requests, adding up to exactly 1; as declared where there is no traffic."""
        count = self.of_day.traffic.count
        whole = sum((lot.requests for lot in lots), Decimal(0))
        if not count or whole != count:
            return [arm.part for arm in self.policy.arms]
        return parted(Decimal(1), [lot.requests / count for lot in lots])

    def failed(self, reason: str) -> dict[str, Any]:
        """The total alone, which says why nothing could be projected."""
        why = f"the projection failed: {reason}"
        row = self.row(None, amounts=(None, None), reason=why, sure=NO_OUTLOOK, stated="{}")
        return row | {"evidence_grade": "E"}

    def row(
        self,
        arm: Arm | None,
        *,
        amounts: tuple[Decimal | None, Decimal | None],
        reason: str | None,
        sure: ArmOutlook,
        stated: str,
        central: Decimal | None = None,
        share: Decimal = Decimal(1),
        requests: Decimal | None = None,
    ) -> dict[str, Any]:
        """One row of the policy; of its total where `arm` is None. `amounts` are baseline and projected cost,
        `central` is the cost with every assumption at its middle."""
        base, cost = amounts
        saving = None if base is None or cost is None else base - cost
        return {
            "event_date": self.day,
            "policy": self.policy.policy,
            "method": POLICY,
            "arm": arm.arm if arm else TOTAL,
            "provider_id": arm.provider_id if arm else None,
            "model_id": arm.model_id if arm else None,
            "share": share,
            "requests": float(self.of_day.traffic.count if requests is None else requests),
            "baseline": self.baseline.baseline,
            "baseline_cost_usd": base,
            "projected_cost_usd": cost,
            "central_cost_usd": central,
            "saving_usd": saving,
            "saving_share": float(saving / base) if saving is not None and base else None,
            "quality_retained": sure.kept,
            "is_headline": self.of_day.config.is_headline(self.policy.policy),
            **{f"saving_share_{name}": value for name, value in (sure.saving or {}).items()},
            **{f"quality_retained_{name}": value for name, value in (sure.quality or {}).items()},
            "assumptions": stated,
            "not_projected_reason": reason,
        }

    def intervals(self) -> ArmOutlook:
        """The intervals of the total alone. Raises MissingEvidenceError where a line of evidence is missing."""
        known = None if isinstance(self.quality, str) else self.quality
        found, missing = self._outlook(known)
        if missing is not None:
            raise MissingEvidenceError(missing)
        return found.total

    def _outlook(self, known: Quality | None) -> tuple[Outlook, str | None]:
        """Intervals of the policy, or none of them with the line of evidence that is missing."""
        stakes, fee = self.plan.stakes(), float(self.policy.router_fee_usd)
        if isinstance(self.plan.parts, str) or self.plan.assignment.reason:
            return Outlook([NO_OUTLOOK] * len(stakes), NO_OUTLOOK), None
        if self.policy.cascade is None or known is None or not self.of_day.groups:
            return self.outlook_of(stakes, known, fee=fee)
        verifier = self.of_day.evidence.needed_verifier(self.policy.cascade.verifier)
        flow, answered = cascade_flow(self.of_day.worlds, stakes, known, verifier, fee)
        return self.outlook_of(stakes, known, fee=fee, flow=flow, answered=answered)

    def outlook_of(
        self,
        stakes: Sequence[Stake],
        quality: Quality | None,
        *,
        fee: float,
        flow: Flow | None = None,
        answered: Floats | None = None,
    ) -> tuple[Outlook, str | None]:
        """Intervals of arms, or none of them with the line of evidence that is missing; `fee` is the router's in USD per request."""
        none = Outlook([NO_OUTLOOK] * len(stakes), NO_OUTLOOK)
        if not self.of_day.groups:
            return none, None
        worlds = self.of_day.worlds
        try:
            base = self._base_by_group()
            solved = None if quality is None else self._base_solved(quality)
            return outlook(worlds, base, stakes, quality, solved, flow=flow, answered=answered, fee=fee), None
        except MissingEvidenceError as error:
            if quality is None or flow is not None:
                return none, str(error)
            # The saving stands where only quality lacks a line.
            without, missing = self.outlook_of(stakes, None, fee=fee)
            return without, missing or str(error)

    def _base_by_group(self) -> Floats | None:
        """The baseline's cost in each world: draws x groups; None if it is not known. Raises MissingEvidenceError."""
        arm = self.plan.base_arm
        if arm is None:
            return self.of_day.actual
        return None if isinstance(arm, str) else self.of_day.worlds.cost(arm.arrays)

    @cached_property
    def base_drawn(self) -> Floats | None:
        """The baseline's cost in each world, None if it, or a line of evidence on it, is not known."""
        if not self.of_day.groups:
            return None
        try:
            drawn = self._base_by_group()
        except MissingEvidenceError:
            return None
        return None if drawn is None else np.asarray(drawn.sum(axis=1))

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
        found = self._known_quality()
        return found if isinstance(found, str) else replace(found, settled=self.settled)

    def _known_quality(self) -> Quality | str:
        """Scores on requests of one's own where there are enough, else those of a leaderboard."""
        models = {arm.model_id for arm in self.policy.arms}
        measured = measured_quality(self.of_day.answered, models | self.against)
        if measured is not None:
            return measured
        scores = self.of_day.scores
        if not self.against and scores is not None and scores.height:
            return "there is no traffic"
        return self.of_day.quality(models | self.against)

    @property
    def against(self) -> set[str]:
        """The models whose quality is kept or lost: the baseline's, or all that the traffic ran on."""
        return set(self.of_day.mix) if self.baseline.model_id is None else {self.baseline.model_id}

    def _assumptions(self, quality: Quality | str, arms: Sequence[Arm]) -> str:
        return assumptions(self.plan, quality, arms)


def _kept_by_use_case(plan: Plan, found: Mapping[str, dict[str, float]]) -> str | None:
    """JSON text: by use case its requests, and of the quality kept the median (`retained`) and the bounds of its intervals, as they were
    `found`; None without scores. The mean over all traffic hides a use case that a rule sends to a worse model."""
    if not found:
        return None
    use_cases = plan.of_day.worlds.use_cases
    rows = {name: {"requests": sum(use_cases[name].values()), **kept} for name, kept in found.items()}
    return json.dumps(rows, sort_keys=True)
