"""Schema of `allocation.yaml`: how shared cost, and cost that names nobody, is passed on. `attribution.yaml` decides
before that who pays for a request. `pipelines.books.allocation` applies the rules here to sums of charges.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal, get_args

from pydantic import Field, field_validator, model_validator

from pipelines.config.declaration import Declaration
from pipelines.config.mistakes import KeyMistake, refuse_twice, refuse_unknown

Receiver = Literal["team", "project", "cost_centre", "environment", "application"]
ATTRIBUTION: tuple[Receiver, ...] = get_args(Receiver)
FIELDS = ("provider_id", "model_id", *ATTRIBUTION)
"""What a rule may look at."""
UNATTRIBUTED = "unattributed"
"""What stands for a team, project and the like, or an end user, where nobody is named; it receives no shared cost."""


def check_weights(by: str, weights: Mapping[str, Decimal]) -> None:
    """Raises KeyMistake if fixed weights are missing, belong to another kind of rule, or are not weights."""
    if (by == "weights") != bool(weights):
        problem = (
            "found none, `by: weights` needs them"
            if by == "weights"
            else f"they belong to `by: weights`, found `by: {by}`"
        )
        raise KeyMistake(("weights",), f"{problem}; accepted is a map such as {{search: 2, support: 1}}")
    for name, weight in weights.items():
        if not weight.is_finite() or weight < 0 or weight != round(weight, 18):
            raise KeyMistake(
                ("weights", name), f"found {weight}, accepted is a number from 0 on, of at most 18 decimals"
            )
    if weights and not any(weights.values()):
        raise KeyMistake(("weights",), "all are 0, accepted is one above 0 or more")


class AllocationRule(Declaration):
    """Charges that match every pattern of `when` (`*` stands for any text) are passed on to the values of `to`.

    `by`: even, in proportion to their own spend or tokens of the day, or by fixed `weights` by name. Except for
    weights, the receivers are those that have charges of their own on the day, which no rule matches.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")
    when: dict[str, str] = Field(min_length=1)
    to: Receiver
    by: Literal["even", "spend", "tokens", "weights"]
    weights: dict[str, Decimal] = Field(default_factory=dict)

    @field_validator("when")
    @classmethod
    def _known(cls, when: dict[str, str]) -> dict[str, str]:
        refuse_unknown(when, FIELDS)
        return when

    @model_validator(mode="after")
    def _check(self) -> AllocationRule:
        check_weights(self.by, self.weights)
        return self


class Allocation(Declaration):
    """The whole of `allocation.yaml`: a charge goes by the first rule that it matches."""

    rules: tuple[AllocationRule, ...] = ()

    @model_validator(mode="after")
    def _named_once(self) -> Allocation:
        refuse_twice("rules", [rule.name for rule in self.rules], within="name")
        return self
