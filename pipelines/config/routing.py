"""Schema of `routing.yaml`: hybrid policies (which share of the traffic goes to which model) and what they are held against.

Only declarations live here; what a policy would have cost is computed in `pipelines.routing`.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Literal

from pydantic import Field, field_validator, model_validator

from pipelines.config.declaration import Declaration
from pipelines.warehouse.tables.mart_routing import METHODS

_NAME = r"^[a-z0-9][a-z0-9_.-]*$"
_ID = r"^[a-z0-9][a-z0-9._:/-]*$"
TOTAL = "total"
"""Name of the row that sums a policy; no arm may take it."""


class Baseline(Declaration):
    """What a policy is compared with: without a model, what the traffic did cost; with one, all traffic on it."""

    baseline: str = Field(pattern=_NAME)
    provider_id: str | None = Field(default=None, pattern=_ID)
    model_id: str | None = Field(default=None, pattern=_ID)
    cache: Literal["kept", "lost"] = "kept"

    @model_validator(mode="after")
    def _both_or_none(self) -> Baseline:
        if (self.provider_id is None) != (self.model_id is None):
            raise ValueError(f"baseline {self.baseline}: give provider_id and model_id, or neither (what it did cost)")
        return self


class Arm(Declaration):
    """One model of a policy and the share of requests that it gets, from 0 to 1.

    `cache` says what becomes of the recorded prompt cache where the arm differs from the recorded model: `session` works
    it out from the log's sessions and the policy's unit; `lost` charges those tokens as plain input, `kept` at the
    arm's own cache rates.
    """

    arm: str = Field(pattern=_NAME)
    provider_id: str = Field(pattern=_ID)
    model_id: str = Field(pattern=_ID)
    share: Decimal = Field(ge=0, le=1)
    cache: Literal["session", "kept", "lost"] = "session"

    @field_validator("share", mode="before")
    @classmethod
    def _as_written(cls, value: object) -> object:
        return _digits(value)

    @field_validator("arm")
    @classmethod
    def _not_total(cls, value: str) -> str:
        if value in (TOTAL, *METHODS[1:]):
            raise ValueError(
                f"{value!r} names {'the sum of a policy' if value == TOTAL else 'a method'}; take another name"
            )
        return value


class Candidate(Declaration):
    """A seller and model that the frontier may choose, besides arms, baselines and what ran."""

    provider_id: str = Field(pattern=_ID)
    model_id: str = Field(pattern=_ID)


class Policy(Declaration):
    """One routing policy. Its shares add up to exactly 1.

    `unit` is what is routed: a `session` at its start, which then stays where it is, or each `request`, which loses the
    prompt cache of a session whenever it changes arms. `router_fee_usd` is what the router charges for a request.
    """

    policy: str = Field(pattern=_NAME)
    description: str = ""
    unit: Literal["session", "request"] = "session"
    router_fee_usd: Decimal = Field(default=Decimal(0), ge=0)
    baselines: tuple[str, ...] = Field(min_length=1)
    arms: tuple[Arm, ...] = Field(min_length=1)

    @field_validator("router_fee_usd", mode="before")
    @classmethod
    def _as_written(cls, value: object) -> object:
        return _digits(value)

    @model_validator(mode="after")
    def _adds_up(self) -> Policy:
        total = sum((arm.share for arm in self.arms), Decimal(0))
        if total != 1:
            shares = " + ".join(str(arm.share) for arm in self.arms)
            raise ValueError(f"policy {self.policy}: shares must add up to 1, found {shares} = {total}")
        _refuse_twice(f"policy {self.policy}: arm", [arm.arm for arm in self.arms])
        return self


class RoutingConfig(Declaration):
    """The whole of `routing.yaml`.

    `operations` are the OpenTelemetry operations that can be routed. `quality_benchmarks` are benchmarks (or benchmark
    and version, `aider_polyglot@pass_rate_2`) whose scores may stand for quality, the best proxy first; only shares
    solved are meaningful, for the ratio of two Elo ratings has no meaning. `headline` is the policy that reports show first;
    without it, the first one declared.
    """

    operations: tuple[str, ...] = ("chat", "text_completion", "generate_content", "invoke_agent")
    quality_benchmarks: tuple[str, ...] = ()
    baselines: tuple[Baseline, ...] = (Baseline(baseline="actual"),)
    policies: tuple[Policy, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    headline: str | None = None

    @model_validator(mode="after")
    def _names_hold(self) -> RoutingConfig:
        _refuse_twice("baseline", [item.baseline for item in self.baselines])
        _refuse_twice("policy", [item.policy for item in self.policies])
        names = [item.policy for item in self.policies]
        if self.headline is not None and self.headline not in names:
            raise ValueError(f"headline {self.headline!r} is no policy; declared are {', '.join(names)}")
        known = [item.baseline for item in self.baselines]
        for policy in self.policies:
            for name in policy.baselines:
                if name not in known:
                    raise ValueError(
                        f"policy {policy.policy}: baseline {name!r} is not declared; declared are {', '.join(known)}"
                    )
            _refuse_twice(f"policy {policy.policy}: baseline", list(policy.baselines))
        return self

    def is_headline(self, policy: str) -> bool:
        """Whether the policy is the one that reports show first: `headline`, else the first one declared."""
        return policy == (self.headline or self.policies[0].policy)

    def baseline(self, name: str) -> Baseline:
        """The declared baseline of that name."""
        return next(item for item in self.baselines if item.baseline == name)


def _digits(value: object) -> object:
    """A number of YAML as its digits, so that 0.1 stays a tenth."""
    return str(value) if isinstance(value, float) else value


def _refuse_twice(what: str, names: list[str]) -> None:
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise ValueError(f"{what} {twice[0]!r} is declared twice")
