"""Schema of `claims.yaml`: numbers that somebody published, each with the formula that gives it and what goes in.

Only declarations live here. `pipelines.claims` computes them again, at the prices they cite, at those of their date and
at today's.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from pipelines.config.declaration import Declaration
from pipelines.config.mistakes import refuse_twice

_NAME = r"^[a-z0-9][a-z0-9_.-]*$"
_OFFER = r"^[a-z0-9][a-z0-9._-]*/[a-z0-9][a-z0-9._:-]*$"


def _as_written(value: object) -> object:
    """A number of YAML, or a text that is one, as its digits, so that 0.1 stays a tenth and 6.30 keeps its last digit."""
    try:
        return value if value is None else Decimal(str(value))
    except InvalidOperation:
        return value


Digits = Annotated[Decimal, BeforeValidator(_as_written)]
DigitsOrText = Annotated[Decimal | str, BeforeValidator(_as_written)]


class Input(Declaration):
    """One number that goes into a formula.

    `cited` is what the report says it is. Its true value is either `value`, the same at all times, with the reason in `source`;
    or a price: `offers` (`seller/model`, the first that has a price at the date counts) and `meter`, in USD per million; or a `fact` of `model`; or the
    `score` of `model` on a benchmark.
    """

    cited: DigitsOrText | None = None
    value: Digits | None = None
    source: str = ""
    offers: tuple[Annotated[str, Field(pattern=_OFFER)], ...] = ()
    meter: str = "input_uncached"
    model: str | None = None
    fact: str | None = None
    score: str | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        origins = [self.value is not None, bool(self.offers), self.fact is not None, self.score is not None]
        if sum(origins) > 1 or (not any(origins) and self.cited is None):
            raise ValueError("an input is one of value, offers, fact and score, or at least cited")
        if (self.fact or self.score) and self.model is None:
            raise ValueError("a fact or a score is one of a model: name it in model")
        return self


class Claimed(Declaration):
    """What the report says: a number or a range, or a text such as a licence.

    A `value` is met by what rounds to its last digit, and with `is_about` by what is within a tenth of it.
    """

    value: Digits | None = None
    low: Digits | None = None
    high: Digits | None = None
    is_about: bool = False
    text: str | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        numbers = [self.value, self.low, self.high]
        if (self.text is None) == all(number is None for number in numbers):
            raise ValueError("a claim has a text or a number: value, low or high")
        if self.value is not None and (self.low is not None or self.high is not None):
            raise ValueError("a claim is one value, or a range from low to high")
        return self

    @property
    def bounds(self) -> tuple[Decimal | None, Decimal | None]:
        """Smallest and largest number that meets the claim; None if there is no bound."""
        if self.value is None:
            return self.low, self.high
        exponent = self.value.as_tuple().exponent
        half = Decimal(1).scaleb(exponent if isinstance(exponent, int) else 0) / 2
        room = abs(self.value) / 10 if self.is_about else half
        return self.value - room, self.value + room


class Condition(Declaration):
    """Other inputs under which the claim may hold, in words: `1 million tokens in and 1 million out a day`."""

    condition: str
    inputs: dict[str, Input] = Field(min_length=1)


class Claim(Declaration):
    """One published number. `lines` are the lines of the report that state it.

    `assumes` is something that no input shows; where the number comes out as claimed, the claim is then conditional. `true_if`
    says what would make it true where it fails, if the formula has no words for it. `report` and `report_date` are those of
    the whole file, unless another report stated it.
    """

    claim: str = Field(pattern=_NAME)
    about: str
    lines: tuple[int, ...] = ()
    claimed: Claimed
    unit: str = ""
    formula: str
    inputs: dict[str, Input] = Field(min_length=1)
    holds_if: tuple[Condition, ...] = ()
    assumes: str = ""
    true_if: str = ""
    source: str = ""
    report: str = ""
    report_date: date | None = None


class ReferencePrice(Declaration):
    """A price of an earlier time that no landed feed reaches back to, in USD per million, from a day up to another."""

    offer: str = Field(pattern=_OFFER)
    meter: str
    usd_per_million: Digits = Field(ge=0)
    from_date: date
    to_date: date
    source: str


class ReferenceFact(Declaration):
    """A fact of a model that goes before what `model_facts.yaml` says, with its source."""

    model: str
    fact: str
    value: DigitsOrText
    source: str


class ClaimsConfig(Declaration):
    """The whole of `claims.yaml`: the report's date, what it claims, and facts and prices of earlier times.

    `report_source` is the report's name among the sources of `model_facts.yaml`: it is no evidence for itself.
    """

    report: str = ""
    report_source: str = ""
    report_date: date
    claims: tuple[Claim, ...] = ()
    reference_prices: tuple[ReferencePrice, ...] = ()
    reference_facts: tuple[ReferenceFact, ...] = ()

    @model_validator(mode="after")
    def _no_claim_twice(self) -> Self:
        refuse_twice("claims", [item.claim for item in self.claims], within="claim")
        return self
