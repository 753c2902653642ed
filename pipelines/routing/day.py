"""One day of traffic with everything that its projections share: costs per arm, groups and simulated worlds.
`projection.py` applies policies to it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property

import polars as pl

from pipelines.config.evidence import Evidence
from pipelines.config.policies import Policy
from pipelines.config.routing import RoutingConfig
from pipelines.routing.arm_costs import OF_GROUP, Offer
from pipelines.routing.assignment import untaken
from pipelines.routing.draws import Floats, Group, Worlds
from pipelines.routing.lanes import Models
from pipelines.routing.outlook import Outlook
from pipelines.routing.policy_arm import CentralRatios, Handling, PolicyArm, policy_arm, to_arrays
from pipelines.routing.quality import Quality, find_quality, widest_quality
from pipelines.routing.traffic import Traffic
from pipelines.selfhost.demand import Demand, demand_of


@dataclass
class Day:
    """A day's traffic with its simulated worlds. What an arm costs is computed once for all policies."""

    traffic: Traffic
    evidence: Evidence
    config: RoutingConfig
    scores: pl.DataFrame | None
    offers: Sequence[Offer]
    """Sellers and models that could serve the traffic."""
    models: Models
    answered: pl.DataFrame | None = None
    """What other models did with requests of the traffic (`pipelines.shadow.answers`)."""
    hourly: pl.DataFrame | None = None
    """Rows of mart.hourly_demand of the traffic: when it came. None if its hours are not added up."""
    _arms: dict[tuple[str, str, Handling], PolicyArm | str] = field(default_factory=dict)
    _without: dict[frozenset[str], Day] = field(default_factory=dict)
    _qualities: dict[frozenset[str], Quality | str] = field(default_factory=dict)
    _widest: dict[tuple[Sequence[str], frozenset[str]], Quality | None] = field(default_factory=dict)

    def taken_by(self, policy: Policy) -> Day:
        """The day without the requests that no arm of the policy can take: they stay where they ran, and are left out of both sides. The day
        itself where every request has an arm, or none has."""
        lanes = self.traffic.lanes["lane"].to_list()
        refused = untaken(policy, self.models, lanes)
        if not refused or len(refused) == len(lanes):
            return self
        key = frozenset(refused)
        if key not in self._without:
            why = {lane: f"no arm takes ({needs})" for lane, needs in refused.items()}
            self._without[key] = replace(self, traffic=self.traffic.without(why), _arms={}, _without={})
        return self._without[key]

    @cached_property
    def groups(self) -> list[Group]:
        """Models that the requests ran on, agents' loops and lanes apart."""
        found = self.traffic.recorded.select(OF_GROUP).unique().sort(pl.all())
        return [Group(*row) for row in found.iter_rows()]

    @cached_property
    def worlds(self) -> Worlds:
        """The day's draws."""
        use_cases: dict[str, dict[str, int]] = {}
        by_model = self.traffic.use_cases.group_by("use_case", "model_id", maintain_order=True)
        for use_case, model, number in by_model.agg(pl.col("requests").sum()).iter_rows():
            use_cases.setdefault(use_case, {})[model] = number
        return Worlds(self.evidence, self.groups, self.recorded["requests"], use_cases)

    @cached_property
    def recorded(self) -> dict[str, Floats]:
        """Requests and actual cost, groups x buckets."""
        return to_arrays(self.traffic.recorded, ("requests", "actual"), self.groups)

    @cached_property
    def alone(self) -> dict[tuple[Offer, str, str | None], tuple[Outlook, str | None]]:
        """What `methods.py` has found of all traffic on one model, by the model, the baseline and the version that scores both."""
        return {}

    def quality(self, models: set[str]) -> Quality | str:
        """A leaderboard's scores of all the models, or why there are none. Many policies ask for the same."""
        if self.scores is None or self.scores.is_empty():
            return "no leaderboard is loaded: put an export under leaderboards/<board>/ (docs/benchmarks.md)"
        key = frozenset(models)
        if key not in self._qualities:
            self._qualities[key] = find_quality(self.scores, self.config.quality_benchmarks, models)
        return self._qualities[key]

    def widest_quality(self, benchmarks: Sequence[str], models: set[str]) -> Quality | None:
        """Scores of as many of the models as there are."""
        key = (benchmarks, frozenset(models))
        if self.scores is not None and key not in self._widest:
            self._widest[key] = widest_quality(self.scores, benchmarks, models)
        return self._widest.get(key)

    def arm(self, provider_id: str, model_id: str, handling: Handling) -> PolicyArm | str:
        """The arm's cost, or the reason why it is not known."""
        if handling.unit == "session":  # a session stays on its arm, whatever the arm's share
            handling = replace(handling, share=Decimal(1))
        key = (provider_id, model_id, handling)
        if key not in self._arms:
            cost = self.traffic.cost_on((provider_id, model_id))
            self._arms[key] = cost if isinstance(cost, str) else policy_arm(cost, model_id, handling, self.groups)
        return self._arms[key]

    @cached_property
    def actual_by_group(self) -> dict[Group, Decimal]:
        """What the traffic did cost, by group."""
        return self._by_group("actual")

    @cached_property
    def requests_by_group(self) -> dict[Group, Decimal]:
        """Requests by group."""
        return self._by_group("requests")

    def _by_group(self, column: str) -> dict[Group, Decimal]:
        found = self.traffic.recorded.group_by(OF_GROUP).agg(pl.col(column).sum()).sort(OF_GROUP)
        return {Group(*of_group): Decimal(amount) for *of_group, amount in found.iter_rows()}

    def scaled(self, arm: PolicyArm) -> dict[Group, Decimal]:
        """The arm's cost by group at the central ratios of tokens, worked out once. Raises MissingEvidenceError."""
        if id(arm) not in self._scaled:
            self._scaled[id(arm)] = (arm, arm.scaled_by_group(self.central))
        return self._scaled[id(arm)][1]

    @cached_property
    def central(self) -> CentralRatios:
        """Tokens of each model over another's at the middle of what is known."""
        return CentralRatios(self.evidence)

    @cached_property
    def _scaled(self) -> dict[int, tuple[PolicyArm, dict[Group, Decimal]]]:
        """By the arm's identity, with the arm, so that it lives as long."""
        return {}

    def drawn_alone(self, offer: Offer, arm: PolicyArm) -> Floats:
        """What all the traffic costs on the one model in each world; each policy and baseline asks for every candidate."""
        if offer not in self._drawn_alone:
            self._drawn_alone[offer] = self.worlds.cost_of_all(arm.arrays)
        return self._drawn_alone[offer]

    @cached_property
    def _drawn_alone(self) -> dict[Offer, Floats]:
        """What `drawn_alone` has found."""
        return {}

    @cached_property
    def actual(self) -> Floats:
        """What the traffic did cost in each world, by group."""
        return self.worlds.recorded(self.recorded["actual"])

    def arrivals(self, *, counts_input: bool) -> Demand | None:
        """When the traffic came: tokens of prompts and answers, or of answers alone."""
        return None if self.hourly is None else demand_of(self.hourly, "all_traffic", counts_input=counts_input)

    def refuses(self, offer: Offer, group: Group) -> str | None:
        """The need of the group that the model is known not to meet, in words. A model meets the needs of what ran on it."""
        return None if group.model_id == offer[1] else self.models.refuses(offer[1], group.lane)

    def cannot_take(self, offer: Offer) -> str | None:
        """The requests that the model can't take, by the first need that it does not meet, in words; None if it can take all."""
        if offer not in self._left_out:
            self._left_out[offer] = self._cannot_take(offer)
        return self._left_out[offer]

    @cached_property
    def _left_out(self) -> dict[Offer, str | None]:
        """What `cannot_take` has found: each policy and baseline asks for every candidate."""
        return {}

    def _cannot_take(self, offer: Offer) -> str | None:
        found: Counter[str] = Counter()
        for group, number in self.requests_by_group.items():
            why = self.refuses(offer, group)
            if why is not None:
                found[why] += int(number)
        if not found:
            return None
        return "can't take " + ", ".join(f"{number:,} requests: {need}" for need, number in found.items())

    @cached_property
    def mix(self) -> dict[str, float]:
        """Share of the requests by the model that they ran on."""
        counts = self.traffic.recorded.group_by("model_id").agg(pl.col("requests").sum()).sort("model_id")
        whole = counts["requests"].sum()
        return {model: number / whole for model, number in counts.iter_rows()}
