"""The rows of mart.routing_frontier: the cheapest shares of a day's traffic over all candidates for each level of quality.

A linear program: each group of requests (the model they ran on, agents' loops apart) is shared out among the candidates
so that the expected share solved reaches a level at the least cost. Costs are those of `arm_costs.py` at the central
ratios, whole sessions kept on their arm; quality is a leaderboard's, the same for every group. No interval is given: how
sure a policy is stands in mart.routing_projection.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np

from pipelines.config.evidence import MissingEvidenceError
from pipelines.routing.day import Day
from pipelines.routing.draws import Floats
from pipelines.routing.policy_arm import Handling, PolicyArm, central_ratios
from pipelines.routing.quality import Quality, widest_quality
from pipelines.routing.traffic import Offer

POINTS = 21
"""Levels of quality, from that of the cheapest model to that of the best."""
_NONE = 1e-9


def frontier(day: Day, on: date) -> list[dict[str, Any]]:
    """Rows of mart.routing_frontier for one day; none where fewer than two offers have both a price and a score."""
    if day.scores is None or not day.groups:
        return []
    quality = widest_quality(day.scores, day.config.quality_benchmarks, {model for _, model in day.offers})
    scored = [] if quality is None else [offer for offer in day.offers if offer[1] in quality.scores]
    costs = {offer: cost for offer in scored if (cost := _cost_by_group(day, offer)) is not None}
    if quality is None or len(costs) < 2:
        return []
    program = _Program(
        list(costs),
        np.array([quality.scores[model].share for _, model in costs]),
        np.stack(list(costs.values())),
        day.worlds.requests.sum(axis=1) / day.worlds.requests.sum(),
    )
    mixed = program.cheapest()
    points = [(f"frontier-{number:02}", shares) for number, shares in enumerate(mixed, start=1)]
    points += [("/".join(offer), program.alone(number)) for number, offer in enumerate(costs)]
    rows = []
    for name, shares in points:
        solved, usd = program.solved(shares), program.cost_of(shares)
        actual, today = float(day.traffic.actual_usd), _solved_today(day, quality)
        rows.append(
            {
                "event_date": on,
                "point": name,
                "is_single": bool((program.by_offer(shares) > 1 - _NONE).any()),
                "is_on_hull": usd <= program.least_cost(solved) * (1 + 1e-6),
                "benchmark_version_id": quality.benchmark_version_id,
                "quality": solved,
                "quality_retained": solved / today if today else None,
                "cost_usd": usd,
                "saving_share": 1 - usd / actual if actual else None,
                "shares": program.named(shares),
            }
        )
    return rows


@dataclass(frozen=True)
class _Program:
    """The linear program: share solved by offer, cost by offer and group in USD, and each group's part of the requests."""

    offers: Sequence[Offer]
    quality: Floats
    cost: Floats
    weight: Floats

    def cheapest(self) -> list[Floats]:
        """The cheapest shares (offers x groups) for levels from the quality of the cheapest offer to the best."""
        lowest = float(self.quality[int(self.cost.sum(axis=1).argmin())])
        levels = np.linspace(lowest, float(self.quality.max()), POINTS)
        found = [self._least(level) for level in levels]
        return [shares for shares in found if shares is not None]

    def least_cost(self, level: float) -> float:
        """What the level costs at least."""
        shares = self._least(level)
        return float("inf") if shares is None else self.cost_of(shares)

    def _least(self, level: float) -> Floats | None:
        from scipy.optimize import linprog

        offers, groups = self.cost.shape
        solved = (self.quality[:, None] * self.weight[None, :]).ravel()
        one_of_each = np.tile(np.eye(groups), (1, offers))
        result = linprog(
            self.cost.ravel(),
            A_ub=-solved[None, :],
            b_ub=[-(level - _NONE)],
            A_eq=one_of_each,
            b_eq=np.ones(groups),
            bounds=(0, 1),
            method="highs",
        )
        return np.asarray(result.x).reshape(offers, groups) if result.success else None

    def alone(self, number: int) -> Floats:
        """All traffic on one offer."""
        shares = np.zeros_like(self.cost)
        shares[number] = 1
        return shares

    def solved(self, shares: Floats) -> float:
        """Expected share of tasks solved."""
        return float(self.quality @ shares @ self.weight)

    def cost_of(self, shares: Floats) -> float:
        """Cost in USD."""
        return float((self.cost * shares).sum())

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


def _cost_by_group(day: Day, offer: Offer) -> Floats | None:
    """Cost in USD of each group on the offer; None where a rate or a line of evidence is missing."""
    arm = day.arm(*offer, Handling("session", "session", Decimal(1)))
    if not isinstance(arm, PolicyArm):
        return None
    costs = np.zeros(len(day.groups))
    for number, group in enumerate(day.groups):
        try:
            taken, written = central_ratios(day.evidence, offer[1], group)
        except MissingEvidenceError:
            return None
        part = arm.sums.get(group)
        if part is not None:
            costs[number] = float(part.fixed + taken * part.input + written * part.output)
    return costs


def _solved_today(day: Day, quality: Quality) -> float | None:
    """Expected share solved by the models that the traffic ran on; None where one of them has no score."""
    if any(model not in quality.scores for model in day.mix):
        return None
    return sum(weight * quality.scores[model].share for model, weight in day.mix.items())
