"""Schema of `budgets.yaml`: what may be spent on what, in which period, and who owns it.

What was spent of a budget, and where it will end, is `pipelines.planning`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import Field, field_validator, model_validator

from pipelines.config.allocation import FIELDS
from pipelines.config.declaration import Declaration
from pipelines.config.mistakes import KeyMistake, refuse_twice, refuse_unknown

Period = Literal["day", "week", "month", "quarter", "year"]
_AMOUNT = Field(gt=0, le=1_000_000_000_000, decimal_places=18)
_CURRENCY = Field(default="USD", pattern=r"^[A-Z]{3}$")


class Budget(Declaration):
    """`amount` in each `period` for the charges that match every pattern of `when` (`*` stands for any text).

    Without `when` it is for all charges. `thresholds` are shares of the amount: passing one is an event. A week begins on Monday.
    """

    budget: str = Field(pattern=r"^[a-z][a-z0-9_.-]{0,59}$")
    when: dict[str, str] = Field(default_factory=dict)
    period: Period
    amount: Decimal = _AMOUNT
    currency: str = _CURRENCY
    owner: str = Field(min_length=1, max_length=200)
    thresholds: tuple[Decimal, ...] = (Decimal("0.8"), Decimal(1))

    @field_validator("when")
    @classmethod
    def _known(cls, when: dict[str, str]) -> dict[str, str]:
        refuse_unknown(when, FIELDS)
        for field, pattern in when.items():
            if not pattern:
                raise KeyMistake((field,), "found '', accepted is a name or a pattern, for example search or search-*")
        return when

    @field_validator("thresholds")
    @classmethod
    def _rising(cls, thresholds: tuple[Decimal, ...]) -> tuple[Decimal, ...]:
        for number, share in enumerate(thresholds):
            if not share.is_finite() or not 0 < share <= 10:
                meant = f"; did you mean {share / 100}?" if 10 < share <= 100 else ""
                raise KeyMistake(
                    (number,), f"found {share}, accepted is a share of the amount, above 0 and up to 10{meant}"
                )
        return tuple(sorted(set(thresholds)))

    @property
    def what(self) -> str:
        """The charges that it is for, as one text that is the same for equal `when`: `model_id=gpt-5 team=search`; empty for all."""
        return " ".join(f"{field}={self.when[field]}" for field in sorted(self.when))


class SellerLimit(Declaration):
    """A limit that the seller itself enforces or warns of: `amount` in each `period`."""

    provider_id: str = Field(min_length=1)
    period: Period = "month"
    amount: Decimal = _AMOUNT
    currency: str = _CURRENCY


class Budgets(Declaration):
    """The whole of `budgets.yaml`."""

    budgets: tuple[Budget, ...] = ()
    seller_limits: tuple[SellerLimit, ...] = ()

    @model_validator(mode="after")
    def _named_once(self) -> Budgets:
        refuse_twice("budgets", [item.budget for item in self.budgets], within="budget")
        refuse_twice("seller_limits", [f"{item.provider_id} by the {item.period}" for item in self.seller_limits])
        return self
