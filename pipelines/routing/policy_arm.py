"""One arm under a policy: its cost parts put together by what the policy does to sessions and their caches.

The parts are of `arm_costs.py`; the exact sums make the projection, the arrays the simulated worlds of `draws.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cached_property
from math import exp
from typing import Any, Literal

import numpy as np
import polars as pl

from pipelines.config.evidence import Evidence, Measure
from pipelines.routing.arm_costs import OF_GROUP, ArmCost
from pipelines.routing.draws import ArmArrays, Floats, Group
from pipelines.routing.session_parts import BUCKETS
from pipelines.warehouse.tables.core_routing import LAGS

_RATIO = Decimal("0.000001")


@dataclass(frozen=True)
class Handling:
    """What a policy does with an arm's traffic: what becomes of caches, what is routed, and the arm's share."""

    cache: Literal["session", "kept", "lost"]
    unit: Literal["session", "request"]
    share: Decimal


@dataclass(frozen=True)
class Sums:
    """Exact sums in USD: what does not scale with tokens, input and output at recorded tokens, what caches without a
    session may add to input."""

    fixed: Decimal
    input: Decimal
    output: Decimal
    open: Decimal


@dataclass(frozen=True)
class PolicyArm:
    """An arm: exact sums by group, and the same as arrays of groups x buckets, which few arms are asked for."""

    model_id: str
    sums: Mapping[Group, Sums]
    make_arrays: Callable[[], ArmArrays]

    @cached_property
    def arrays(self) -> ArmArrays:
        """The cost of each group and bucket."""
        return self.make_arrays()

    @property
    def open_usd(self) -> Decimal:
        """What caches without a session may add: where it is not zero, the cost is a range."""
        return sum((part.open for part in self.sums.values()), Decimal(0))

    def same_tokens(self) -> Decimal:
        """Cost of all the traffic on the arm at the recorded tokens."""
        return sum(self.same_by_group().values(), Decimal(0))

    def same_by_group(self) -> dict[Group, Decimal]:
        """The same by group."""
        return {group: part.fixed + part.input + part.output for group, part in self.sums.items()}

    def scaled_by_group(self, central: CentralRatios) -> dict[Group, Decimal]:
        """Cost by group at the central ratios, exact to the ratio's six decimals. Raises MissingEvidenceError."""
        found = {}
        for group, part in self.sums.items():
            taken, written = central.of(self.model_id, group)
            found[group] = part.fixed + taken * part.input + written * part.output
        return found


def policy_arm(cost: ArmCost, model_id: str, handling: Handling, groups: Sequence[Group]) -> PolicyArm:
    """Puts the parts of `cost`, which has no reason, together."""
    weights = [handling.share]
    for _ in range(LAGS - 1):
        weights.append(weights[-1] * (1 - handling.share))
    parts = _needed(handling)
    by_group = cost.parts.group_by(OF_GROUP).agg(pl.col(parts).sum()).sort(OF_GROUP)
    sums = {
        Group(*(row[name] for name in OF_GROUP)): Sums(
            *_together({name: Decimal(row[name]) for name in parts}, handling, weights)
        )
        for row in by_group.iter_rows(named=True)
    }

    def arrays() -> ArmArrays:
        found = to_arrays(cost.parts, parts, groups)
        return ArmArrays(model_id, *_together(found, handling, [float(weight) for weight in weights]))

    return PolicyArm(model_id, sums, arrays)


def _needed(handling: Handling) -> list[str]:
    """The parts of a cost that `_together` reads."""
    missed = {"lost": ["lost_gap"], "session": ["sessionless_gap"]}.get(handling.cache, [])
    if handling.cache == "session" and handling.unit == "request":
        missed += [f"gap_reuse_{lag}" for lag in range(1, LAGS + 1)]
    return ["own", "fees", "input", "output", *missed]


def _together(part: Mapping[str, Any], handling: Handling, weights: Sequence[Any]) -> tuple[Any, Any, Any, Any]:
    """fixed, input, output and open of parts that are Decimals or arrays.

    Under the unit `request` a prompt is still cached where the arm served one of the session's requests shortly before:
    the first of them j requests back with the probability share x (1 - share)^(j - 1). What is read from a cache that no
    earlier request of the session can have left is a prefix shared by sessions, and stays warm.
    """
    missed, unsure = 0 * part["input"], 0 * part["input"]
    if handling.cache == "lost":
        missed = part["lost_gap"]
    elif handling.cache == "session":
        unsure = part["sessionless_gap"]
        if handling.unit == "request":
            hits = [weight * part[f"gap_reuse_{lag}"] for lag, weight in enumerate(weights, start=1)]
            missed = part["gap_reuse_1"] - sum(hits[1:], hits[0])
    return part["own"] + part["fees"], part["input"] + missed, part["output"], unsure


class CentralRatios:
    """Tokens of input and output on a model over those recorded, at the middle of what is known of both: each looked up once."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._middles: dict[tuple[Measure, str], float] = {}
        self._found: dict[tuple[str, str, bool], tuple[Decimal, Decimal]] = {}

    def of(self, model_id: str, group: Group) -> tuple[Decimal, Decimal]:
        """The ratios of input and of output. Raises MissingEvidenceError."""
        key = (model_id, group.model_id, group.is_loop)
        if key not in self._found:
            self._found[key] = self._between(*key)
        return self._found[key]

    def _between(self, model_id: str, recorded: str, is_loop: bool) -> tuple[Decimal, Decimal]:
        if model_id == recorded:
            return Decimal(1), Decimal(1)
        measures: tuple[Measure, Measure] = ("loop", "loop") if is_loop else ("input", "output")
        sent = 0.0
        if self._evidence.effect("attempts", model_id) is not None:
            sent = self._apart("attempts", model_id, recorded)
        taken, written = (
            Decimal(repr(exp(sent + self._apart(measure, model_id, recorded)))).quantize(_RATIO, ROUND_HALF_EVEN)
            for measure in measures
        )
        return taken, written

    def _apart(self, measure: Measure, model_id: str, recorded: str) -> float:
        return self._middle(measure, model_id) - self._middle(measure, recorded)

    def _middle(self, measure: Measure, model_id: str) -> float:
        key = (measure, model_id)
        if key not in self._middles:
            self._middles[key] = self._evidence.log_effect(measure, model_id)
        return self._middles[key]


def to_arrays(frame: pl.DataFrame, columns: Sequence[str], groups: Sequence[Group]) -> dict[str, Floats]:
    """Columns of rows by GROUP as floats, groups x buckets; 0 where there is no row."""
    order = pl.DataFrame(
        [(group.model_id, group.is_loop, group.lane, number) for number, group in enumerate(groups)],
        schema={"model_id": pl.String(), "is_loop": pl.Boolean(), "lane": pl.String(), "place": pl.Int64()},
        orient="row",
    )
    rows = frame.select(OF_GROUP).join(order, on=OF_GROUP, how="left", maintain_order="left")["place"]
    arrays = {name: np.zeros((len(groups), BUCKETS)) for name in columns}
    if frame.height:
        places = (rows.to_numpy(), frame["bucket"].to_numpy())
        for name, array in arrays.items():
            array[places] = frame[name].cast(pl.Float64).to_numpy()
    return arrays
