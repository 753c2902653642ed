"""Who serves what under one policy, against one baseline, and what that costs exactly: in parts of groups of requests.

Groups are those of `draws.Group`; the rows that are made of it are in `case.py`. Amounts are Decimal in the context of `projection.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from functools import cached_property
from math import exp

import numpy as np

from pipelines.config.evidence import Escalation, MissingEvidenceError
from pipelines.config.policies import Arm, Policy
from pipelines.config.routing import Baseline
from pipelines.routing.assignment import Assignment, assign
from pipelines.routing.cascade import central
from pipelines.routing.day import Day
from pipelines.routing.draws import ArmArrays, Floats, Group
from pipelines.routing.outlook import Stake
from pipelines.routing.policy_arm import Handling, PolicyArm, Sums
from pipelines.routing.quality import Quality

_SHARE = Decimal("0.000001")
_OPEN_SHARE = Decimal("0.01")
"""A cost that caches without a session may change by more than this share of itself is a range and no point."""
ByGroup = Mapping[Group, Decimal]


@dataclass(frozen=True)
class Parts:
    """By arm, the parts of each group: of its requests that the arm answers, of its tokens that the arm answers for (`base`), and
    of the arm's own cost that it has (`cost`: more than `base` where answers are rejected)."""

    requests: Sequence[ByGroup]
    base: Sequence[ByGroup]
    cost: Sequence[ByGroup]


@dataclass(frozen=True)
class Lot:
    """What one arm has: requests, and exact amounts in USD, None with the reason where they are not known."""

    requests: Decimal
    base: Decimal | None
    cost: Decimal | None
    reason: str | None


@dataclass(frozen=True)
class Plan:
    """A policy and a baseline on some traffic; `quality` may be the reason why it is not known."""

    of_day: Day
    policy: Policy
    baseline: Baseline
    quality: Quality | str

    @cached_property
    def assignment(self) -> Assignment:
        """Who serves which lane."""
        lanes = dict(self.of_day.traffic.lanes.iter_rows())
        found = assign(self.policy, self.of_day.models, lanes)
        limits = {
            place: limit
            for place, (arm, parts) in enumerate(zip(self.policy.arms, found.parts, strict=True))
            if (limit := self.limit(arm, parts)) is not None
        }
        return assign(self.policy, self.of_day.models, lanes, limits) if limits else found

    def limit(self, arm: Arm, parts: Mapping[str, Decimal]) -> Decimal | None:
        """The part of what comes to an arm of one's own machines (`parts` of the lanes) that they can serve; None if nothing limits it.

        Requests are taken to come when all traffic comes.
        """
        if arm.ceiling is None or not parts:
            return None
        arrivals = self.of_day.arrivals(counts_input=arm.ceiling.counts_input)
        if arrivals is None:
            return None
        known = self.of_day.actual_by_group if self.of_day.traffic.actual_usd else self.of_day.requests_by_group
        whole = sum(known.values(), Decimal(0))
        part = self._sum(self._by_group(parts), known) / whole if whole else Decimal(0)
        share = arrivals.served_share(arm.ceiling.per_second, float(part))
        return Decimal(repr(share)).quantize(_SHARE, ROUND_DOWN) if share < 1 else None

    @cached_property
    def parts(self) -> Parts | str:
        """The parts of every group, or why there are none."""
        served = [self._by_group(part) for part in self.assignment.parts]
        try:
            if self.policy.cascade is not None:
                return self._cascaded(served)
            hard = [arm.difficulty_above is not None for arm in self.policy.arms]
            if not any(hard):
                return Parts(served, served, self._with_escalated(served))
            longer = Decimal(repr(exp(self.of_day.evidence.needed_difficulty().log_mean)))
            weighted = [
                {group: part * (longer if is_hard else 1) for group, part in of_arm.items()}
                for of_arm, is_hard in zip(served, hard, strict=True)
            ]
            tokens = _normed(weighted, self.of_day.groups)
            return Parts(served, tokens, self._with_escalated(tokens))
        except MissingEvidenceError as error:
            return str(error)

    @cached_property
    def takes_escalated(self) -> int | None:
        """The place of the arm on which users ask again: the dearest that is bought; None in a cascade, and where no arm is dearer than another."""
        totals = self._dearness()
        if self.policy.cascade is not None or len(set(totals.values())) < 2:
            return None
        return max(totals, key=lambda place: totals[place])

    def _dearness(self) -> dict[int, Decimal]:
        """What all the traffic would cost on each arm that is bought, at the recorded tokens, by the arm's place."""
        costs = {place: self.arm(arm) for place, arm in enumerate(self.policy.arms) if not arm.is_own}
        return {place: cost.same_tokens() for place, cost in costs.items() if isinstance(cost, PolicyArm)}

    def escalation(self, place: int) -> Escalation | None:
        """How often what an arm answers is asked for again on the dearest one."""
        if self.takes_escalated in (None, place):
            return None
        return self.of_day.evidence.escalation(self.policy.arms[place].model_id)

    def _with_escalated(self, parts: Sequence[ByGroup]) -> Sequence[ByGroup]:
        taker, paid = self.takes_escalated, [dict(part) for part in parts]
        for place, (arm, part) in enumerate(zip(self.policy.arms, parts, strict=True)):
            line = self.escalation(place)
            if taker is not None and line is not None and line.share:
                share = Decimal(repr(line.share))
                for group, value in part.items():
                    if group.model_id != arm.model_id:
                        paid[taker][group] = paid[taker].get(group, Decimal(0)) + share * value
        return paid

    def _by_group(self, by_lane: Mapping[str, Decimal]) -> ByGroup:
        return {group: by_lane[group.lane] for group in self.of_day.groups if group.lane in by_lane}

    def _cascaded(self, served: Sequence[ByGroup]) -> Parts | str:
        """The first arm answers all that it can take, the second what the verifier rejects and what the first can't take."""
        if isinstance(self.quality, str):
            return f"a cascade needs to know how often its first arm is right: {self.quality}"
        evidence, cascade = self.of_day.evidence, self.policy.cascade
        if cascade is None or evidence.agreement is None:
            return "evidence.yaml has no agreement: add the correlation of two models' outcomes"
        twice, tokens = central(
            evidence.needed_verifier(cascade.verifier),
            evidence.needed_difficulty(),
            self.quality,
            [arm.model_id for arm in self.policy.arms],
            evidence.agreement,
        )
        first, direct = served

        def split(part: Decimal, *, paid_twice: bool) -> list[ByGroup]:
            groups = self.of_day.groups
            second = {g: first.get(g, Decimal(0)) * part + direct.get(g, Decimal(0)) for g in groups}
            kept = first if paid_twice else {g: value * (1 - part) for g, value in first.items()}
            return [kept, second]

        return Parts(
            split(Decimal(repr(twice)), paid_twice=False),
            split(Decimal(repr(tokens)), paid_twice=False),
            split(Decimal(repr(tokens)), paid_twice=True),
        )

    @cached_property
    def base_arm(self) -> PolicyArm | str | None:
        """The baseline's model with all the traffic; None if the baseline is what did run."""
        baseline = self.baseline
        if baseline.provider_id is None or baseline.model_id is None:
            return None
        return self.of_day.arm(baseline.provider_id, baseline.model_id, Handling(baseline.cache, "session", Decimal(1)))

    def base_point(self) -> tuple[Decimal | None, str | None]:
        """The baseline's cost, or the reason why it has none."""
        if self.base_arm is None:
            return self.of_day.traffic.actual_usd, None
        return self.point(self.base_arm)

    @cached_property
    def base_by_group(self) -> ByGroup | None:
        """The baseline's cost by group, None if it is not known."""
        if self.base_point()[0] is None:
            return None
        if self.base_arm is None:
            return self.of_day.actual_by_group
        return {} if isinstance(self.base_arm, str) else self.of_day.scaled(self.base_arm)

    def is_base(self, arm: Arm) -> bool:
        """Whether the arm is the baseline's own model: it is charged as the baseline is."""
        offer = (self.baseline.provider_id, self.baseline.model_id)
        return not arm.is_own and (arm.provider_id, arm.model_id) == offer

    def arm(self, arm: Arm) -> PolicyArm | str:
        """The arm's cost with all the traffic; nothing but its fixed cost for one's own deployment, nothing for an arm without a price that
        serves no request."""
        if self.is_base(arm) and self.base_arm is not None:
            return self.base_arm
        if arm.is_own:
            return self._own(arm)
        cost = self.of_day.arm(arm.provider_id, arm.model_id, self.handling(arm))
        return self._free(arm) if isinstance(cost, str) and self.is_idle(arm) else cost

    def is_idle(self, arm: Arm) -> bool:
        """Whether the arm serves no request: its share is 0, or what it requires leaves none. A cascade's arms never are."""
        return self.policy.cascade is None and not self.assignment.parts[self.policy.arms.index(arm)]

    def handling(self, arm: Arm) -> Handling:
        """What becomes of sessions and caches on the arm."""
        if self.policy.cascade is not None:
            return Handling(arm.cache, "session", Decimal(1))
        return Handling(arm.cache, self.policy.unit, Decimal(1) if arm.rule is not None else arm.part)

    def _own(self, arm: Arm) -> PolicyArm | str:
        if arm.fixed_usd_per_day is None:
            return (
                f"{arm.arm}: what the deployment {arm.deployment} costs a day is not known: selfhost.yaml must declare it, with "
                "a price of its GPU in its term (mart.selfhost_breakeven has the line)"
            )
        lacking = self._unlimited(arm)
        return self._free(arm) if lacking is None else lacking

    def _free(self, arm: Arm) -> PolicyArm:
        """An arm whose requests cost nothing."""
        groups, nothing = self.of_day.groups, np.zeros_like(self.of_day.recorded["requests"])
        zero = Decimal(0)
        return PolicyArm(
            arm.model_id,
            {group: Sums(zero, zero, zero, zero) for group in groups},
            lambda: ArmArrays(arm.model_id, nothing, nothing, nothing, nothing),
        )

    def _unlimited(self, arm: Arm) -> str | None:
        """Why it is not known what machines of one's own can serve, with the line that mends it."""
        if arm.ceiling is None:
            mend = f"add throughput of the deployment {arm.deployment} to selfhost.yaml"
            if arm.deployment is None:
                mend = "add to the arm in routing.yaml ceiling: {output_tokens_per_second: ..., source: ...}"
            return f"{arm.arm}: what its machines can serve is not known: {mend}"
        if self.of_day.traffic.count and self.of_day.arrivals(counts_input=True) is None:
            return f"{arm.arm}: the hours of the day are not added up: modelmeter daily (mart.hourly_demand)"
        return None

    def point(self, arm: PolicyArm | str) -> tuple[Decimal | None, str | None]:
        """Cost of all the traffic at the middle of what is known, or the reason why it has none."""
        if isinstance(arm, str):
            return None, arm
        try:
            usd = sum(self.of_day.scaled(arm).values(), Decimal(0))
        except MissingEvidenceError as error:
            return None, str(error)
        if arm.open_usd > _OPEN_SHARE * usd:
            return None, (
                f"{arm.model_id}: prompts read from a cache without a session in the log cost {usd:.2f} to "
                f"{usd + arm.open_usd:.2f} USD: log session ids, or set cache to kept or lost in routing.yaml"
            )
        return usd, None

    def lots(self) -> list[Lot]:
        """What each arm has, in the policy's order."""
        if isinstance(self.parts, str):
            return [Lot(Decimal(0), None, None, self.parts) for _ in self.policy.arms]
        return [self._lot(place, arm, self.parts) for place, arm in enumerate(self.policy.arms)]

    def _lot(self, place: int, arm: Arm, parts: Parts) -> Lot:
        requests = self._sum(parts.requests[place], self.of_day.requests_by_group)
        base = None if self.base_by_group is None else self._sum(parts.base[place], self.base_by_group)
        cost, reason = self.base_point() if self.is_base(arm) else self.point(self.arm(arm))
        if cost is not None:
            found = self.base_by_group if self.is_base(arm) else self._scaled(arm)
            cost = self._sum(parts.cost[place], found or {}) + self.besides(place, arm, requests)
        return Lot(requests, base, cost, self.base_point()[1] or reason)

    def _scaled(self, arm: Arm) -> ByGroup:
        cost = self.arm(arm)
        return {} if isinstance(cost, str) else self.of_day.scaled(cost)

    def besides(self, place: int, arm: Arm, requests: Decimal) -> Decimal:
        """What the arm costs besides its tokens: the router's fee, the verifier, its own machines."""
        fee = self.policy.router_fee_usd * requests
        fixed = (arm.fixed_usd_per_day or Decimal(0)) * self.of_day.traffic.days
        return fee + fixed + (self.verifier_usd if place == 0 else Decimal(0))

    @cached_property
    def verifier_usd(self) -> Decimal:
        """What the verifier of a cascade costs."""
        if self.policy.cascade is None or isinstance(self.parts, str):
            return Decimal(0)
        line = self.of_day.evidence.needed_verifier(self.policy.cascade.verifier)
        judged = Decimal(self.of_day.traffic.count) * line.usd_per_request
        if line.cost_share:
            judged += Decimal(repr(line.cost_share)) * self._sum(self.parts.cost[0], self._scaled(self.policy.arms[0]))
        return judged

    def sum_of(self, parts: Sequence[ByGroup], amounts: Sequence[ByGroup | None]) -> Decimal:
        """Parts of amounts, over all arms."""
        return sum((self._sum(part, usd or {}) for part, usd in zip(parts, amounts, strict=True)), Decimal(0))

    @staticmethod
    def _sum(parts: ByGroup, amounts: ByGroup) -> Decimal:
        return sum((part * amounts.get(group, Decimal(0)) for group, part in parts.items()), Decimal(0))

    def stakes(self) -> list[Stake]:
        """The arms as `outlook.py` draws them."""
        found = []
        for place, (arm, by_lane) in enumerate(zip(self.policy.arms, self.assignment.parts, strict=True)):
            cost = self.arm(arm)
            found.append(
                Stake(
                    arm.arm,
                    arm.model_id,
                    np.array([float(by_lane.get(group.lane, 0)) for group in self.of_day.groups]),
                    None if isinstance(cost, str) else cost.arrays,
                    served=self.served(by_lane),
                    is_hard=arm.difficulty_above is not None,
                    is_ruled=arm.rule is not None,
                    fixed_usd=float(arm.fixed_usd_per_day or 0) * self.of_day.traffic.days,
                    escalation=self.escalation(place),
                    takes_escalated=place == self.takes_escalated,
                )
            )
        return found

    def served(self, by_lane: Mapping[str, Decimal]) -> Floats:
        """Requests by use case, in the order of `draws.Worlds.use_cases`."""
        found = dict.fromkeys(self.of_day.worlds.use_cases, 0.0)
        for use_case, lane, _, number in self.of_day.traffic.use_cases.iter_rows():
            found[use_case] += float(by_lane.get(lane, 0)) * number
        return np.array(list(found.values()))


def _normed(weighted: Sequence[ByGroup], groups: Sequence[Group]) -> list[ByGroup]:
    """Weights as parts that add up to exactly 1 in each group; the last arm with a weight takes the rest."""
    found: list[dict[Group, Decimal]] = [{} for _ in weighted]
    for group in groups:
        holders = [place for place, of_arm in enumerate(weighted) if of_arm.get(group)]
        whole = sum((weighted[place][group] for place in holders), Decimal(0))
        rest = Decimal(1)
        for place in holders[:-1]:
            found[place][group] = weighted[place][group] / whole
            rest -= found[place][group]
        if holders:
            found[holders[-1]][group] = rest
    return list(found)
