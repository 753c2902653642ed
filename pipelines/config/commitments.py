"""Schema of `commitments.yaml`: what is paid ahead or promised to sellers.

Only declarations live here; what of them was used is `pipelines.books.commitments`. A negotiated price per model is a contract of the price
ledger (`price_sheet`); a discount by percent is one too, made from its list prices (`pipelines.prices.discounts`).
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from decimal import Decimal
from itertools import combinations
from typing import Literal

from pydantic import Field, model_validator

from pipelines.config.allocation import Receiver, check_weights
from pipelines.config.declaration import Declaration
from pipelines.config.mistakes import KeyMistake

HOURS_OF_A_DAY = 24
_MINUTES_OF_AN_HOUR = 60
_NAME = r"^[a-z][a-z0-9_.-]{0,59}$"


class UnusedRule(Declaration):
    """Who pays for the unused part of a commitment on a day: the values of `to` that used the seller's models that
    day, evenly or in proportion to their spend or tokens, or by fixed `weights`."""

    to: Receiver
    by: Literal["even", "spend", "tokens", "weights"]
    weights: dict[str, Decimal] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _weights_hold(self) -> UnusedRule:
        check_weights(self.by, self.weights)
        return self


class Commitment(Declaration):
    """What was agreed with one seller, from `from_date` up to, not including, `to_date`."""

    commitment: str = Field(pattern=_NAME)
    provider_id: str = Field(min_length=1)
    from_date: date
    to_date: date | None = None
    unused: UnusedRule | None = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Commitment:
        _refuse_empty(self.from_date, self.to_date)
        return self

    def runs_on(self, day: date) -> bool:
        """Whether it holds on a UTC day."""
        return self.from_date <= day and (self.to_date is None or day < self.to_date)


class ProvisionedThroughput(Commitment):
    """`units` of throughput for `models`, paid by the hour or month whether used or not.

    A unit serves `tokens_per_unit_hour` (or `tokens_per_unit_minute`) of input. A token of output counts as
    `output_weight` tokens of input. Usage beyond that in an hour is paid as used.
    """

    models: tuple[str, ...] = Field(min_length=1)
    units: int = Field(ge=1, le=1_000_000)
    usd_per_unit_hour: Decimal | None = Field(default=None, gt=0, le=1_000_000, decimal_places=18)
    usd_per_unit_month: Decimal | None = Field(default=None, gt=0, le=1_000_000_000, decimal_places=18)
    tokens_per_unit_hour: int | None = Field(default=None, ge=1)
    tokens_per_unit_minute: int | None = Field(default=None, ge=1)
    output_weight: Decimal = Field(default=Decimal(1), gt=0, le=1000, decimal_places=18)

    @model_validator(mode="after")
    def _one_price_and_capacity(self) -> ProvisionedThroughput:
        if (self.usd_per_unit_hour is None) == (self.usd_per_unit_month is None):
            raise ValueError("one of usd_per_unit_hour and usd_per_unit_month is needed")
        if None not in (self.tokens_per_unit_hour, self.tokens_per_unit_minute):
            raise KeyMistake(
                ("tokens_per_unit_minute",), "tokens_per_unit_hour is given too; accepted is one of the two"
            )
        return self

    @property
    def capacity_per_unit_hour(self) -> int | None:
        """Tokens that a unit serves in an hour; None if it is not declared."""
        if self.tokens_per_unit_minute is not None:
            return self.tokens_per_unit_minute * _MINUTES_OF_AN_HOUR
        return self.tokens_per_unit_hour

    def excludes(self, other: ProvisionedThroughput) -> bool:
        """Whether both serve the same model of a seller at the same time, so that nobody knows which one served a call."""
        begins = max(self.from_date, other.from_date)
        return (
            self.provider_id == other.provider_id
            and not {*self.models}.isdisjoint(other.models)
            and self.runs_on(begins)
            and other.runs_on(begins)
        )


class PrepaidCredit(Commitment):
    """`usd` paid ahead, from which the seller's usage is paid. What is left on `to_date` is lost. `granted`: nothing
    was paid for it. Of several, the lowest `priority` is used first, then the one that expires first.
    """

    usd: Decimal = Field(gt=0, le=1_000_000_000_000, decimal_places=18)
    priority: int = 0
    granted: bool = False


class FreeTier(Commitment):
    """The first `tokens_per_day` or `tokens_per_month` of `models`, input and output, cost nothing."""

    models: tuple[str, ...] = Field(min_length=1)
    tokens_per_day: int | None = Field(default=None, ge=1)
    tokens_per_month: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _one_allowance(self) -> FreeTier:
        if (self.tokens_per_day is None) == (self.tokens_per_month is None):
            raise ValueError("one of tokens_per_day and tokens_per_month is needed")
        return self

    @property
    def tokens(self) -> int:
        """What is free in a period."""
        return self.tokens_per_day or self.tokens_per_month or 0

    def period_of(self, day: date) -> date:
        """The first day of the period that `day` is in."""
        return day if self.tokens_per_day is not None else day.replace(day=1)


class MinimumSpend(Commitment):
    """At least `usd_per_month` is paid to the seller in each calendar month."""

    usd_per_month: Decimal = Field(gt=0, le=1_000_000_000_000, decimal_places=18)

    @model_validator(mode="after")
    def _whole_months(self) -> MinimumSpend:
        for name, day in (("from_date", self.from_date), ("to_date", self.to_date)):
            if day is not None and day.day != 1:
                raise KeyMistake((name,), f"found {day}, accepted is the first day of a month")
        return self


class Discount(Declaration):
    """`percent` off a seller's list prices on usage from `from_date` up to, not including, `to_date`.

    `models` are canonical ids, `*` standing for any text. `applies_to` leaves out fees for tools, where these are paid in full.
    """

    discount: str = Field(pattern=_NAME)
    provider_id: str = Field(min_length=1)
    models: tuple[str, ...] = Field(default=("*",), min_length=1)
    percent: Decimal = Field(gt=0, lt=100, decimal_places=6)
    applies_to: Literal["all", "tokens"] = "all"
    from_date: date
    to_date: date | None = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Discount:
        _refuse_empty(self.from_date, self.to_date)
        return self


_NAMED = (
    ("discounts", "discount"), ("free_tiers", "commitment"), ("provisioned", "commitment"), ("credits", "commitment"),
    ("minimum_spend", "commitment"),
)  # fmt: skip
"""The lists of the file, and the key that names an item. A name may stand only once in all of them."""


class Commitments(Declaration):
    """The whole of `commitments.yaml`. Of several discounts on one model at a time the first counts."""

    discounts: tuple[Discount, ...] = ()
    free_tiers: tuple[FreeTier, ...] = ()

    provisioned: tuple[ProvisionedThroughput, ...] = ()
    credits: tuple[PrepaidCredit, ...] = ()
    minimum_spend: tuple[MinimumSpend, ...] = ()

    @property
    def declared(self) -> tuple[Commitment, ...]:
        """Every commitment. Discounts are not commitments."""
        return (*self.provisioned, *self.free_tiers, *self.credits, *self.minimum_spend)

    @model_validator(mode="after")
    def _names_and_models_hold(self) -> Commitments:
        seen: set[str] = set()
        for kind, field in _NAMED:
            for number, item in enumerate(getattr(self, kind)):
                name = getattr(item, field)
                if name in seen:
                    raise KeyMistake((kind, number, field), f"{name!r} is declared twice; once is accepted")
                seen.add(name)
        for (_, one), (number, other) in combinations(enumerate(self.provisioned), 2):
            if one.excludes(other):
                raise KeyMistake(
                    ("provisioned", number, "models"),
                    f"{one.commitment} and {other.commitment} serve the same model at the same time: declare one of them with "
                    "the units of both, or end the first where the second begins",
                )
        return self


def _refuse_empty(from_date: date, to_date: date | None) -> None:
    if to_date is not None and to_date <= from_date:
        problem = f"found {to_date}, accepted is a day after from_date ({from_date}): it is the first day after the end"
        raise KeyMistake(("to_date",), problem)


def days_of_month(day: date) -> int:
    """Days of the calendar month that `day` is in."""
    return monthrange(day.year, day.month)[1]
