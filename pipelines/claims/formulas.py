"""The formulas that published numbers come from: few, pure and exact (Decimal). A claim names one of them.

Which numbers go in is decided in `known.py`, whether the outcome meets the claim in `audit.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

Numbers = Mapping[str, Decimal]


class FormulaError(ValueError):
    """The numbers give no outcome; the message says why."""


@dataclass(frozen=True)
class Formula:
    """A formula: its inputs with their defaults (None: must be given), the unit of the outcome and the text that people read.

    `turning_point` says, for a least outcome, what the inputs must be for it; None if there is no such sentence.
    """

    name: str
    text: str
    unit: str
    inputs: Mapping[str, Decimal | None]
    compute: Callable[[Numbers], Decimal]
    turning_point: Callable[[Numbers, Decimal], str] | None = None

    def __call__(self, numbers: Numbers) -> Decimal:
        """The outcome. Raises FormulaError where the numbers give none."""
        try:
            return self.compute(numbers)
        except ArithmeticError as error:
            raise FormulaError(f"{self.text} can't be computed: a divisor is zero") from error

    def turns_at(self, numbers: Numbers, least: Decimal) -> str | None:
        """What the inputs must be for an outcome of at least `least`, in words; None if the formula has none."""
        try:
            return None if self.turning_point is None else self.turning_point(numbers, least)
        except ArithmeticError:
            return None


def _cost(x: Numbers, prefix: str = "") -> Decimal:
    taken = x["input_millions"] * x[f"{prefix}input_price"]
    return taken + x["output_millions"] * x[f"{prefix}output_price"]


def _times_cheaper(x: Numbers) -> Decimal:
    return _cost(x, "dear_") / _cost(x, "cheap_")


def _weighted_strong(x: Numbers) -> Decimal:
    """What the strong arm's requests cost, in units of a common request on the strong model."""
    return (1 - x["cheap_share"]) * x["hard_times_longer"]


def _saving(x: Numbers) -> Decimal:
    whole = x["cheap_share"] + _weighted_strong(x)
    return 100 * x["cheap_share"] * (1 - 1 / _times_cheaper(x)) / whole


def _saving_turns(x: Numbers, least: Decimal) -> str:
    wanted, share = least / 100, x["cheap_share"]
    ceiling = share / (share + _weighted_strong(x))
    found = _times_cheaper(x)
    if wanted >= ceiling:
        return f"nothing: even a free cheap arm saves {_short(100 * ceiling)} %"
    needed = 1 / (1 - wanted / ceiling)
    sentence = f"the cheap arm is at least {_short(needed)} times cheaper (it is {_short(found)} times)"
    longest = (share * (1 - 1 / found) / wanted - share) / (1 - share)
    if longest > 0:
        sentence += f", and hard requests are at most {_short(longest)} times as long as others"
    return sentence + "; equal tokens, no cache, no router fee"


def _ratio_turns(x: Numbers, least: Decimal) -> str:
    return (
        f"the same tokens cost at most {_short(_cost(x, 'dear_') / least)} USD on the cheap model "
        f"(they cost {_short(_cost(x, 'cheap_'))})"
    )


def _weights(x: Numbers) -> Decimal:
    return x["billion_parameters"] * x["bits"] / 8 * (1 + x["overhead"])


def _short(number: Decimal) -> str:
    return f"{number:.2f}"


_TOKENS: dict[str, Decimal | None] = {"input_millions": Decimal(1), "output_millions": Decimal(1)}
_TWO_OFFERS: dict[str, Decimal | None] = {
    **dict.fromkeys(("cheap_input_price", "cheap_output_price", "dear_input_price", "dear_output_price")),
    **_TOKENS,
}
_FORMULAS = (
    Formula("as_stated", "the number itself", "", {"number": None}, lambda x: x["number"]),
    Formula(
        "cost",
        "(input price x million input tokens + output price x million output tokens) x days",
        "USD",
        {"input_price": None, "output_price": None, **_TOKENS, "days": Decimal(1)},
        lambda x: _cost(x) * x["days"],
    ),
    Formula(
        "times_cheaper",
        "cost of the same tokens on the dear model / on the cheap model",
        "times",
        _TWO_OFFERS,
        _times_cheaper,
        _ratio_turns,
    ),
    Formula(
        "hybrid_saving",
        "cheap share x (1 - cheap cost / dear cost), by tokens where hard requests are longer",
        "%",
        {"cheap_share": None, **_TWO_OFFERS, "hard_times_longer": Decimal(1)},
        _saving,
        _saving_turns,
    ),
    Formula(
        "hybrid_quality",
        "(cheap share x cheap score + the rest x strong score) / strong score",
        "%",
        {"cheap_share": None, "cheap_score": None, "strong_score": None},
        lambda x: 100 * (x["cheap_share"] * x["cheap_score"] / x["strong_score"] + 1 - x["cheap_share"]),
        lambda x, least: (
            f"the cheap model solves at least {_short(100 * (least / 100 - 1 + x['cheap_share']) / x['cheap_share'])} % "
            f"of what the strong one does (it solves {_short(100 * x['cheap_score'] / x['strong_score'])} %)"
        ),
    ),
    Formula("difference", "first - second", "", {"first": None, "second": None}, lambda x: x["first"] - x["second"]),
    Formula("sum", "first + second", "", {"first": None, "second": None}, lambda x: x["first"] + x["second"]),
    Formula("ratio", "first / second", "times", {"first": None, "second": None}, lambda x: x["first"] / x["second"]),
    Formula(
        "reduction",
        "1 - new / old",
        "%",
        {"new": None, "old": None},
        lambda x: 100 * (1 - x["new"] / x["old"]),
    ),
    Formula(
        "weights_memory",
        "billion parameters x bits / 8 x (1 + overhead)",
        "GB",
        {"billion_parameters": None, "bits": None, "overhead": Decimal(0)},
        _weights,
    ),
    Formula(
        "memory_left",
        "memory of the GPUs - billion parameters x bits / 8 x (1 + overhead)",
        "GB",
        {"gpu_memory": None, "billion_parameters": None, "bits": None, "overhead": Decimal(0)},
        lambda x: x["gpu_memory"] - _weights(x),
        lambda x, least: (
            f"the GPUs have at least {_short(_weights(x) + least)} GB (they have {_short(x['gpu_memory'])})"
        ),
    ),
)
FORMULAS: Mapping[str, Formula] = {formula.name: formula for formula in _FORMULAS}
