"""The rows of mart.routing_frontier: the cheapest shares of a day's traffic over all candidates for each level of quality.

A linear program: each group of requests (the model they ran on, what they need, agents' loops apart) is shared out among the
candidates that can take it so that the expected share solved reaches a level at the least cost. Costs are those of `arm_costs.py` at
the central ratios, whole sessions kept on their arm; quality is a leaderboard's, the same for every group. No interval is given: how
sure a policy is stands in mart.routing_projection.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np

from pipelines.config.evidence import MissingEvidenceError
from pipelines.routing.arm_costs import Offer
from pipelines.routing.day import Day
from pipelines.routing.draws import Floats, Group
from pipelines.routing.policy_arm import Handling
from pipelines.routing.quality import Quality, widest_quality

POINTS = 21
"""Levels of quality, from that of the cheapest shares to the best that there is."""
_NONE = 1e-9


def frontier(day: Day, on: date) -> list[dict[str, Any]]:
    """Rows of mart.routing_frontier for one day; no points where fewer than two candidates have both a price and a score."""
    if day.scores is None or not day.groups:
        return []
    quality = widest_quality(day.scores, day.config.quality_benchmarks, {model for _, model in day.offers})
    if quality is None:
        return []
    costs, barred = _candidates(day, quality)
    found = _Drawn(day, on, quality, costs)
    rows = [found.blank(offer, reason) for offer, reason in barred.items()]
    return [*rows, *found.rows()] if len(costs) > 1 else rows


def _candidates(day: Day, quality: Quality) -> tuple[dict[Offer, Floats], dict[Offer, str]]:
    """The cost of each group on every candidate, infinite if it can't take the group; and why other models are not candidates."""
    costs: dict[Offer, Floats] = {}
    barred: dict[Offer, str] = {}
    for offer in day.offers:
        requires = day.config.candidates_require
        unmet = None if requires is None else day.models.unmet(offer, requires)
        scored = None if offer[1] in quality.scores else f"{quality.benchmark_version_id} has no score for {offer[1]}"
        cost = unmet or scored or _cost_by_group(day, offer)
        if isinstance(cost, str):
            barred[offer] = cost
        else:
            costs[offer] = cost
    return costs, barred


@dataclass(frozen=True)
class _Drawn:
    """The points of a day: `costs` of each group on the candidates, infinite where one can't take it."""

    day: Day
    on: date
    quality: Quality
    costs: Mapping[Offer, Floats]

    def rows(self) -> Iterator[dict[str, Any]]:
        """The frontier, and each candidate alone. Requests that no candidate can take are left out of all of it."""
        day, cost = self.day, np.stack(list(self.costs.values()))
        taken = np.asarray(np.isfinite(cost).any(axis=0), dtype=np.bool_)
        groups = [group for group, is_taken in zip(day.groups, taken, strict=True) if is_taken]
        requests = day.worlds.requests.sum(axis=1)[taken]
        if not requests.sum():
            return
        scores = np.array([self.quality.scores[model].share for _, model in self.costs])
        program = _Program(list(self.costs), scores, cost[:, taken], requests / requests.sum())
        actual = float(sum((day.actual_by_group.get(group, Decimal(0)) for group in groups), Decimal(0)))
        today = self._solved_today(groups, program.weight)
        cheapest = program.cheapest()
        mixed = [(f"frontier-{number:02}", shares) for number, shares in enumerate(cheapest, start=1)]
        alone = [("/".join(offer), program.alone(number)) for number, offer in enumerate(self.costs)]
        for place, (name, shares) in enumerate([*mixed, *alone]):
            if shares is None:
                offer = list(self.costs)[place - len(mixed)]
                yield self.blank(offer, day.cannot_take(offer) or "")
                continue
            solved, usd = program.solved(shares), program.cost_of(shares)
            yield {
                **self._named(name),
                "is_single": bool((program.by_offer(shares) > 1 - _NONE).any()),
                "is_on_hull": place < len(mixed) or program.is_cheapest(usd, solved, cheapest),
                "requests": float(requests.sum()),
                "quality": solved,
                "quality_retained": solved / today if today else None,
                "cost_usd": usd,
                "saving_share": 1 - usd / actual if actual else None,
                "shares": program.named(shares),
            }

    def blank(self, offer: Offer, reason: str) -> dict[str, Any]:
        """A model that can't serve all of the traffic alone, and why."""
        known = self.quality.scores.get(offer[1])
        return {
            **self._named("/".join(offer)),
            "is_single": True,
            "is_on_hull": False,
            "quality": None if known is None else known.share,
            "shares": "{}",
            "not_eligible_reason": reason,
        }

    def _named(self, point: str) -> dict[str, Any]:
        return {"event_date": self.on, "point": point, "benchmark_version_id": self.quality.benchmark_version_id}

    def _solved_today(self, groups: Sequence[Group], weight: Floats) -> float | None:
        """Expected share solved by the models that the traffic ran on; None if one of them has no score."""
        scores = self.quality.scores
        if any(group.model_id not in scores for group in groups):
            return None
        return sum(float(part) * scores[group.model_id].share for group, part in zip(groups, weight, strict=True))


@dataclass(frozen=True)
class _Program:
    """The linear program: share solved by offer, cost by offer and group in USD (infinite where the offer can't take the group), and each
    group's part of the requests."""

    offers: Sequence[Offer]
    quality: Floats
    cost: Floats
    weight: Floats

    def cheapest(self) -> list[Floats]:
        """The cheapest shares (offers x groups) for levels from the quality of the cheapest of all to the best that there is."""
        best = float(np.where(np.isfinite(self.cost), self.quality[:, None], 0).max(axis=0) @ self.weight)
        cheapest = np.zeros_like(self.cost)
        cheapest[self.cost.argmin(axis=0), np.arange(len(self.weight))] = 1
        levels = np.linspace(self.solved(cheapest), best, POINTS)
        found = [self._least(level) for level in levels]
        return [shares for shares in found if shares is not None]

    def is_cheapest(self, usd: float, level: float, points: Sequence[Floats]) -> bool:
        """Whether nothing as good as the level costs less. For most levels a mixture of two of the cheapest `points`
        shows that something does, without a linear program."""
        mixed = np.interp(level, [self.solved(one) for one in points], [self.cost_of(one) for one in points])
        if usd > mixed * (1 + 1e-6):
            return False
        shares = self._least(level)
        return shares is None or usd <= self.cost_of(shares) * (1 + 1e-6)

    def _least(self, level: float) -> Floats | None:
        from scipy.optimize import linprog
        from scipy.sparse import csr_array

        offers, groups = np.nonzero(np.isfinite(self.cost))
        solved = self.quality[offers] * self.weight[groups]
        result = linprog(
            self.cost[offers, groups],
            A_ub=-solved[None, :],
            b_ub=[-(level - _NONE)],
            A_eq=csr_array((np.ones(len(groups)), (groups, np.arange(len(groups))))),
            b_eq=np.ones(len(self.weight)),
            bounds=(0, 1),
            method="highs",
        )
        if not result.success:
            return None
        shares = np.zeros_like(self.cost)
        shares[offers, groups] = result.x
        return shares

    def alone(self, number: int) -> Floats | None:
        """All traffic on one offer; None if it can't take all."""
        if not np.isfinite(self.cost[number]).all():
            return None
        shares = np.zeros_like(self.cost)
        shares[number] = 1
        return shares

    def solved(self, shares: Floats) -> float:
        """Expected share of tasks solved."""
        return float(self.quality @ shares @ self.weight)

    def cost_of(self, shares: Floats) -> float:
        """Cost in USD."""
        return float(np.where(shares > 0, self.cost, 0).ravel() @ shares.ravel())

    def by_offer(self, shares: Floats) -> Floats:
        """Each offer's share of the requests."""
        return np.asarray(shares @ self.weight)

    def named(self, shares: Floats) -> str:
        """JSON text: the share of the requests by seller/model."""
        named = {
            "/".join(offer): round(float(share), 6)
            for offer, share in zip(self.offers, self.by_offer(shares), strict=True)
        }
        return json.dumps({name: share for name, share in sorted(named.items()) if share > 0})


def _cost_by_group(day: Day, offer: Offer) -> Floats | str:
    """Cost in USD of each group on the offer, infinite where it can't take the group; or the rate or line of evidence that is missing."""
    arm = day.arm(*offer, Handling("session", "session", Decimal(1)))
    if isinstance(arm, str):
        return arm
    costs = np.zeros(len(day.groups))
    for number, group in enumerate(day.groups):
        if day.refuses(offer, group) is not None:
            costs[number] = np.inf
            continue
        try:
            taken, written = day.central.of(offer[1], group)
        except MissingEvidenceError as error:
            return str(error)
        part = arm.sums.get(group)
        if part is not None:
            costs[number] = float(part.fixed + taken * part.input + written * part.output)
    return costs
