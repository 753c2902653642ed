"""Schema of one policy of `routing.yaml`: its arms, what they may be, and which requests each takes.

Baselines, sellers and the file as a whole are in `routing.py`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import Field, field_validator, model_validator

from pipelines.config.declaration import Declaration
from pipelines.config.mistakes import KeyMistake, refuse_twice
from pipelines.config.model_facts import Modality
from pipelines.config.models import Openness
from pipelines.warehouse.tables.mart_routing import METHODS

NAME = r"^[a-z0-9][a-z0-9_.-]*$"
ID = r"^[a-z0-9][a-z0-9._:/-]*$"
TOTAL = "total"
"""Name of the row that sums a policy; no arm may take it."""


class Requires(Declaration):
    """What a model must be to serve an arm. A requirement that can't be checked, because `model_facts.yaml` or
    `sellers` of `routing.yaml` says nothing, is not met.

    `context_tokens`: at least this window. `input`: all of these modalities. `licence: permissive` restricts nothing. `openness`: one
    of these. `residency`: the seller keeps data in one of these places.
    """

    context_tokens: int | None = Field(default=None, gt=0)
    input: tuple[Modality, ...] = ()
    tools: Literal[True] | None = None
    licence: Literal["permissive"] | None = None
    openness: tuple[Openness, ...] = ()
    residency: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _asks_for_something(self) -> Requires:
        if not any(getattr(self, name) for name in type(self).model_fields):
            raise ValueError(f"requires nothing; accepted are {', '.join(type(self).model_fields)}")
        return self


class Rule(Declaration):
    """Requests that an arm takes: those that meet every condition, with one value of each list.

    `use_cases` are applications, else teams. `prompt_tokens_at_least` and `prompt_tokens_below` bound the prompt,
    tokens read from a cache included.
    """

    use_cases: tuple[str, ...] = ()
    applications: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()
    prompt_tokens_at_least: int | None = Field(default=None, gt=0)
    prompt_tokens_below: int | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _holds_for_something(self) -> Rule:
        if not any(getattr(self, name) for name in type(self).model_fields):
            raise ValueError(f"a rule needs one of {', '.join(type(self).model_fields)}")
        low, high = self.prompt_tokens_at_least, self.prompt_tokens_below
        if low is not None and high is not None and low >= high:
            raise KeyMistake(
                ("prompt_tokens_at_least",), f"found {low}, accepted is a number below prompt_tokens_below ({high})"
            )
        return self


class Ceiling(Declaration):
    """What your own machines can serve in a second, all together: tokens of prompts and answers, or of answers alone, where the
    measurement states no prompts. `source` says who measured it."""

    tokens_per_second: float | None = Field(default=None, gt=0)
    output_tokens_per_second: float | None = Field(default=None, gt=0)
    source: str = Field(min_length=1)

    @model_validator(mode="after")
    def _one_unit(self) -> Ceiling:
        if (self.tokens_per_second is None) == (self.output_tokens_per_second is None):
            raise ValueError("ceiling: accepted is one of tokens_per_second, output_tokens_per_second")
        return self

    @property
    def counts_input(self) -> bool:
        """Whether prompts count too."""
        return self.tokens_per_second is not None

    @property
    def per_second(self) -> float:
        """Tokens a second, prompts among them where `counts_input`."""
        return self.tokens_per_second or self.output_tokens_per_second or 0.0


class Arm(Declaration):
    """One model of a policy and the requests that it gets: a `share` of them from 0 to 1, those of a `rule`, or, with
    `difficulty_above` between 0 and 1, those that the router ranks harder than that part of all.

    Rules take first, in the order of the arms; shares and the difficulty threshold part what no rule takes. In a cascade no arm has any of
    them. A request that the arm can't take goes to the next one that can. `context_tokens` is the seller's window
    where it is not the model's. `fixed_usd_per_day` makes the arm one's own deployment: it costs that, and its tokens nothing, and serves
    what its `ceiling` allows; what is more goes to the next arm. `deployment` does the same with the cost and the measured throughput of
    the deployment of that name in `selfhost.yaml`.

    `cache` says what becomes of the recorded prompt cache where the arm differs from the recorded model: `session` works
    it out from the log's sessions and the policy's unit; `lost` charges those tokens as plain input, `kept` at the
    arm's own cache rates.
    """

    arm: str = Field(pattern=NAME)
    provider_id: str = Field(pattern=ID)
    model_id: str = Field(pattern=ID)
    share: Decimal | None = Field(default=None, ge=0, le=1)
    difficulty_above: Decimal | None = Field(default=None, gt=0, lt=1)
    rule: Rule | None = None
    requires: Requires | None = None
    context_tokens: int | None = Field(default=None, gt=0)
    fixed_usd_per_day: Decimal | None = Field(default=None, ge=0)
    deployment: str | None = Field(default=None, pattern=NAME)
    ceiling: Ceiling | None = None
    cache: Literal["session", "kept", "lost"] = "session"

    @field_validator("share", "difficulty_above", "fixed_usd_per_day", mode="before")
    @classmethod
    def _as_written(cls, value: object) -> object:
        return digits(value)

    @field_validator("arm")
    @classmethod
    def _not_a_row(cls, value: str) -> str:
        if value in (TOTAL, *METHODS[1:]):
            what = "the sum of a policy" if value == TOTAL else "a method"
            raise ValueError(f"found {value!r}, which names {what}; take another name")
        return value

    @model_validator(mode="after")
    def _one_cost(self) -> Arm:
        if self.deployment is not None and self.fixed_usd_per_day is not None:
            raise ValueError(f"arm {self.arm}: give deployment or fixed_usd_per_day, not both")
        if self.ceiling is not None and not self.is_own:
            raise ValueError(
                f"arm {self.arm}: ceiling belongs to machines of one's own: fixed_usd_per_day or deployment"
            )
        return self

    @property
    def is_own(self) -> bool:
        """Whether it is a deployment of one's own, paid for by the day."""
        return self.deployment is not None or self.fixed_usd_per_day is not None

    @property
    def part(self) -> Decimal:
        """The arm's part of the requests that no rule takes: its share, or those harder than its threshold."""
        if self.difficulty_above is not None:
            return 1 - self.difficulty_above
        return self.share or Decimal(0)

    @property
    def takes(self) -> list[str]:
        """Which of the ways to choose requests it has."""
        return [name for name in ("share", "difficulty_above", "rule") if getattr(self, name) is not None]


class Cascade(Declaration):
    """The first arm answers, a verifier judges, and the second arm answers what was rejected. `verifier` names a line of `verifiers`
    in `evidence.yaml`."""

    verifier: str


class Policy(Declaration):
    """One routing policy. Its shares, and what is above its difficulty threshold, add up to exactly 1.

    `unit` is what is routed: a `session` at its start, which then stays where it is, or each `request`, which loses the
    prompt cache of a session whenever it changes arms. `router_fee_usd` is what the router charges for a request. `requires`
    holds for every arm.
    """

    policy: str = Field(pattern=NAME)
    description: str = ""
    unit: Literal["session", "request"] = "session"
    router_fee_usd: Decimal = Field(default=Decimal(0), ge=0)
    requires: Requires | None = None
    cascade: Cascade | None = None
    baselines: tuple[str, ...] = Field(min_length=1)
    arms: tuple[Arm, ...] = Field(min_length=1)

    @field_validator("router_fee_usd", mode="before")
    @classmethod
    def _as_written(cls, value: object) -> object:
        return digits(value)

    @model_validator(mode="after")
    def _adds_up(self) -> Policy:
        refuse_twice("arms", [arm.arm for arm in self.arms], within="arm")
        if self.cascade is not None:
            self._is_a_cascade()
            return self
        for arm in self.arms:
            if len(arm.takes) != 1:
                found = " and ".join(arm.takes) or "none"
                raise ValueError(
                    f"policy {self.policy}: arm {arm.arm}: found {found}; accepted is one of share, difficulty_above, rule"
                )
        if sum(arm.difficulty_above is not None for arm in self.arms) > 1:
            raise ValueError(f"policy {self.policy}: at most one arm may have difficulty_above")
        parts = [arm.part for arm in self.arms if arm.rule is None]
        if sum(parts, Decimal(0)) != 1:
            shares = " + ".join(str(part) for part in parts)
            raise ValueError(f"policy {self.policy}: shares must add up to 1, found {shares or 'none'} = {sum(parts)}")
        return self

    def _is_a_cascade(self) -> None:
        if len(self.arms) != 2:
            raise ValueError(f"policy {self.policy}: a cascade has two arms, found {len(self.arms)}")
        for arm in self.arms:
            if arm.takes:
                raise ValueError(
                    f"policy {self.policy}: arm {arm.arm}: a cascade's arms have no {' or '.join(arm.takes)}: "
                    "the first answers, the second answers what the verifier rejects"
                )


def digits(value: object) -> object:
    """A number of YAML as its digits, so that 0.1 stays a tenth."""
    return str(value) if isinstance(value, float) else value
