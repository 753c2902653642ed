"""Schema of `routing.yaml`: hybrid policies (which share of the traffic goes to which model) and their baselines.

Only declarations live here; what a policy would have cost is computed in `pipelines.routing`.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from pipelines.config.declaration import Declaration
from pipelines.config.mistakes import KeyMistake, did_you_mean, refuse_twice
from pipelines.config.policies import ID, NAME, Policy, Requires


class Baseline(Declaration):
    """What a policy is compared with: the actual cost of the traffic, or, with a model, all traffic on that model."""

    baseline: str = Field(pattern=NAME)
    provider_id: str | None = Field(default=None, pattern=ID)
    model_id: str | None = Field(default=None, pattern=ID)
    cache: Literal["kept", "lost"] = "kept"

    @model_validator(mode="after")
    def _both_or_none(self) -> Baseline:
        if (self.provider_id is None) != (self.model_id is None):
            raise ValueError(f"baseline {self.baseline}: give provider_id and model_id, or neither (what it did cost)")
        return self


class Candidate(Declaration):
    """A seller and model that the frontier may choose, besides arms, baselines and what ran."""

    provider_id: str = Field(pattern=ID)
    model_id: str = Field(pattern=ID)


class Seller(Declaration):
    """Where a seller keeps data, and who says so. The names of places are yours, such as `eu` or `own`."""

    provider_id: str = Field(pattern=ID)
    residency: tuple[str, ...] = Field(min_length=1)
    source: str = Field(min_length=1)


class RoutingConfig(Declaration):
    """The whole of `routing.yaml`.

    `operations` are the OpenTelemetry operations that can be routed. `quality_benchmarks` are benchmarks (or benchmark
    and version, `aider_polyglot@pass_rate_2`) whose scores may stand for quality, the best proxy first; only shares
    solved are meaningful, for the ratio of two Elo ratings has no meaning. `headline` is the policy that reports show first;
    without it, the first one declared. `sellers` say where data stays. `candidates_require` is what every model of the frontier must be.
    """

    operations: tuple[str, ...] = ("chat", "text_completion", "generate_content", "invoke_agent")
    quality_benchmarks: tuple[str, ...] = ()
    baselines: tuple[Baseline, ...] = (Baseline(baseline="actual"),)
    policies: tuple[Policy, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    candidates_require: Requires | None = None
    sellers: tuple[Seller, ...] = ()
    headline: str | None = None

    @model_validator(mode="after")
    def _names_hold(self) -> RoutingConfig:
        refuse_twice("baselines", [item.baseline for item in self.baselines], within="baseline")
        refuse_twice("policies", [item.policy for item in self.policies], within="policy")
        refuse_twice("sellers", [item.provider_id for item in self.sellers], within="provider_id")
        names = [item.policy for item in self.policies]
        if self.headline is not None and self.headline not in names:
            raise KeyMistake(
                ("headline",),
                f"{self.headline!r} is not a policy; declared are {', '.join(names)}{did_you_mean(self.headline, names)}",
            )
        known = [item.baseline for item in self.baselines]
        for number, policy in enumerate(self.policies):
            for name in policy.baselines:
                if name not in known:
                    raise KeyMistake(
                        ("policies", number, "baselines"),
                        f"policy {policy.policy}: baseline {name!r} is not declared; declared are {', '.join(known)}"
                        f"{did_you_mean(name, known)}",
                    )
            if len({*policy.baselines}) < len(policy.baselines):
                raise KeyMistake(("policies", number, "baselines"), "a baseline appears twice; once is accepted")
        return self

    def is_headline(self, policy: str) -> bool:
        """Whether the policy is the one that reports show first: `headline`, else the first one declared."""
        return policy == (self.headline or self.policies[0].policy)

    def of_headline(self) -> Self:
        """The configuration with the headline policy alone, its baselines and no candidates."""
        policies = tuple(one for one in self.policies if self.is_headline(one.policy))
        named = {name for one in policies for name in one.baselines}
        baselines = tuple(one for one in self.baselines if one.baseline in named)
        return self.model_copy(update={"policies": policies, "baselines": baselines, "candidates": ()})

    def offers(self) -> set[tuple[str, str]]:
        """Sellers and models of arms, baselines and candidates."""
        found = {(arm.provider_id, arm.model_id) for policy in self.policies for arm in policy.arms}
        found |= {(item.provider_id, item.model_id) for item in self.candidates}
        return found | {
            (item.provider_id, item.model_id) for item in self.baselines if item.provider_id and item.model_id
        }

    def baseline(self, name: str) -> Baseline:
        """The declared baseline of that name."""
        return next(item for item in self.baselines if item.baseline == name)

    def residency(self, provider_id: str) -> tuple[str, ...] | None:
        """Where the seller keeps data; None if nobody says."""
        return next((item.residency for item in self.sellers if item.provider_id == provider_id), None)
