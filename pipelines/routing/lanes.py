"""Lanes: requests that all policies treat alike, and which model can take them.

A request's lane names the needs and rules that hold for it, each followed by a bar: `over 131072|tools|`. Only what some policy
distinguishes is in it, so most traffic is in one lane without a name. Who gets a lane's requests is in `assignment.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import add, and_

import polars as pl

from pipelines.config.model_facts import ModelFactsConfig
from pipelines.config.policies import Arm, Requires, Rule
from pipelines.config.routing import RoutingConfig
from pipelines.meters import OUTPUT_METERS

_BAR = "|"
_BITS = 62
_IMAGE, _TOOLS = "image", "tools"
_WORDS = {_IMAGE: "an image in the prompt", _TOOLS: "tool calls"}


@dataclass(frozen=True)
class Models:
    """What is known of models and sellers. Without `facts` nothing is known, and no request is refused."""

    facts: ModelFactsConfig | None
    config: RoutingConfig

    def window(self, model_id: str, arm: Arm | None = None) -> int | None:
        """The longest context in tokens: the arm's own, else the model's, with a documented extension."""
        if arm is not None and arm.context_tokens is not None:
            return arm.context_tokens
        known = [self._value(model_id, name) for name in ("context_tokens", "extended_context_tokens")]
        return max((value for value in known if isinstance(value, int)), default=None)

    def refuses(self, model_id: str, lane: str, arm: Arm | None = None) -> str | None:
        """The need of the lane that the model is known not to meet, in words, or None."""
        needs = names_in(lane)
        window = self.window(model_id, arm)
        if window is not None and _over(window) in needs:
            return f"prompts over {window:,} tokens"
        reads, calls = self._value(model_id, "input_modalities"), self._value(model_id, "tools")
        if _IMAGE in needs and isinstance(reads, tuple) and "image" not in reads:
            return _WORDS[_IMAGE]
        return _WORDS[_TOOLS] if _TOOLS in needs and calls is False else None

    def not_known(self, arm: Arm, lane: str) -> list[str]:
        """Needs of the lane that nothing says whether the model meets: it is taken to."""
        needs, unknown = names_in(lane), []
        if _IMAGE in needs and self._value(arm.model_id, "input_modalities") is None:
            unknown.append(f"input_modalities of {arm.model_id} in model_facts.yaml: taken to read images")
        if _TOOLS in needs and self._value(arm.model_id, "tools") is None:
            unknown.append(f"tools of {arm.model_id} in model_facts.yaml: taken to call tools")
        return unknown

    def unmet(self, offer: tuple[str, str], requires: Requires, arm: Arm | None = None) -> str | None:
        """The first requirement that seller and model do not meet, in words, or None. What is not known is not met."""
        provider_id, model_id = offer
        window, stays = self.window(model_id, arm), self.config.residency(provider_id)
        reads = self._value(model_id, "input_modalities")
        found: list[tuple[str, object, bool]] = [
            ("context_tokens", window, requires.context_tokens is None or (window or 0) >= requires.context_tokens),
            ("input_modalities", reads, isinstance(reads, tuple) and {*requires.input} <= {*reads}),
            ("tools", self._value(model_id, "tools"), self._value(model_id, "tools") is True),
            ("licence", self._licence(model_id), self._permissive(model_id)),
            ("openness", self._value(model_id, "openness"), self._value(model_id, "openness") in requires.openness),
        ]
        wanted = (requires.context_tokens, requires.input, requires.tools, requires.licence, requires.openness)
        for (name, value, is_met), needed in zip(found, wanted, strict=True):
            if needed and not is_met:
                if value is None:
                    return f"{model_id}: {name} is not known: add it to model_facts.yaml"
                return f"{model_id}: {name} is {_shown(value)}, required is {_shown(needed)}"
        if requires.residency and not {*requires.residency} & {*(stays or ())}:
            if stays is None:
                return f"{provider_id}: residency is not known: add the seller to sellers in routing.yaml"
            return f"{provider_id}: residency is {_shown(stays)}, required is {_shown(requires.residency)}"
        return None

    def _permissive(self, model_id: str) -> bool:
        known = None if self.facts is None else self.facts.of(model_id)
        return known is not None and known.is_permissive is True

    def _licence(self, model_id: str) -> str | None:
        known = None if self.facts is None else self.facts.of(model_id)
        return None if known is None or known.licence is None else known.licence.value.licence

    def _value(self, model_id: str, name: str) -> object:
        if (model_id, name) not in self._values:
            known = None if self.facts is None else self.facts.of(model_id)
            fact = None if known is None else known.fact(name)
            self._values[model_id, name] = None if fact is None else fact.value
        return self._values[model_id, name]

    @cached_property
    def _values(self) -> dict[tuple[str, str], object]:
        """What `_value` has looked up: every group of requests asks for every model."""
        return {}


def lanes(models: Models, ran: Iterable[str] = ()) -> Mapping[str, pl.Expr]:
    """The needs and rules that arms, baselines and candidates distinguish, and the models that `ran`, each with its condition on rows of
    `strata.in_groups` with `use_case`."""
    found: dict[str, pl.Expr] = {}
    arms = [(policy, arm) for policy in models.config.policies for arm in policy.arms]
    named = {model for _, model in models.config.offers()} | {*ran}
    windows = {models.window(arm.model_id, arm) for _, arm in arms} | {models.window(model) for model in named}
    whole = reduce(add, [pl.col(meter.tokens_column).cast(pl.Int64) for meter in OUTPUT_METERS], pl.col("prompt"))
    for window in sorted(window for window in windows if window is not None):
        found[_over(window)] = whole > window
    if models.facts is not None:
        found[_IMAGE] = pl.sum_horizontal("input_image_tokens", "input_image_cache_read_tokens") > 0
        found[_TOOLS] = pl.col("finish_reason").str.to_lowercase().str.contains("tool|function")
    for policy, arm in arms:
        if arm.rule is not None:
            found[ruled(policy.policy, arm.arm)] = _holds(arm.rule)
    return found


@dataclass(frozen=True)
class LaneKey:
    """What requests are grouped by for their lane: a number with a bit for each need and rule that holds. Texts of a million requests took as
    long as all sums of a day."""

    found: Mapping[str, pl.Expr]

    @property
    def column(self) -> pl.Expr:
        """The key of each request (Int64); of more than 62 needs and rules the lane itself."""
        held = [condition.fill_null(value=False) for condition in self.found.values()]
        if len(held) > _BITS:
            texts = [
                pl.when(one).then(pl.lit(name + _BAR)).otherwise(pl.lit(""))
                for name, one in zip(self.found, held, strict=True)
            ]
            return pl.concat_str(texts)
        bits = [one.cast(pl.Int64) * (1 << place) for place, one in enumerate(held)]
        return reduce(add, bits, pl.lit(0, pl.Int64))

    def named(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows with the lane in place of its key."""
        if len(self.found) > _BITS:
            return rows
        names = {key: self._lane(key) for key in rows["lane"].unique()} or {0: ""}
        return rows.with_columns(pl.col("lane").replace_strict(names, return_dtype=pl.String))

    def _lane(self, key: int) -> str:
        return "".join(name + _BAR for place, name in enumerate(self.found) if key >> place & 1)


def names_in(lane: str) -> frozenset[str]:
    """The needs and rules that hold in a lane."""
    return frozenset(lane.split(_BAR)[:-1])


def ruled(policy: str, arm: str) -> str:
    """The name of an arm's rule in a lane."""
    return f"rule {policy}/{arm}"


def _over(window: int) -> str:
    return f"over {window}"


def _holds(rule: Rule) -> pl.Expr:
    conditions = [
        pl.col(column).is_in(list(wanted))
        for column, wanted in (
            ("use_case", rule.use_cases),
            ("application", rule.applications),
            ("team", rule.teams),
            ("operation", rule.operations),
        )
        if wanted
    ]
    if rule.prompt_tokens_at_least is not None:
        conditions.append(pl.col("prompt") >= rule.prompt_tokens_at_least)
    if rule.prompt_tokens_below is not None:
        conditions.append(pl.col("prompt") < rule.prompt_tokens_below)
    return reduce(and_, conditions)


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return " or ".join(str(item) for item in value)
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
