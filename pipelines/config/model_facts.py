"""Schema of `model_facts.yaml`: what is known of each model, and who says so.

Every fact has a source with a date, and sources may disagree: the first source in a model's list wins, what the others say is
kept. Names, families and developers of models are in `models.py`; how much memory a shape takes is in `pipelines.selfhost`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Generic, Literal, TypeVar

from pydantic import Field, model_validator

from pipelines.config.declaration import Declaration
from pipelines.config.mistakes import Key, KeyMistake, did_you_mean, refuse_twice
from pipelines.config.models import Openness

T = TypeVar("T")

Modality = Literal["text", "image", "audio", "video"]
Restriction = Literal["access", "branding", "commerce", "use", "users"]
"""What a licence restricts: `access` no weights are published, `branding` a name must be shown, `commerce` no commercial use, `use`
a list of forbidden uses that must be passed on, `users` a limit on the number of users."""

_ID = r"^[a-z0-9][a-z0-9._:-]*$"
_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"


class Source(Declaration):
    """Who says so. `as_of` is the date of its version, else the day on which it was read.

    A source that is not `is_held` is hearsay: nobody here has read it, and its facts are unverified.
    """

    source: str = Field(pattern=_NAME)
    title: str = Field(min_length=1)
    as_of: date
    url: str | None = None
    is_held: bool = True


class Licence(Declaration):
    """The terms of a model's weights. `licence` is the SPDX identifier where `is_spdx`, else a short name."""

    licence: str = Field(pattern=_NAME)
    name: str
    is_spdx: bool = False
    restricts: tuple[Restriction, ...] = ()
    terms: str = ""
    source: str

    @property
    def is_permissive(self) -> bool:
        """Whether it restricts nothing."""
        return not self.restricts


class Layers(Declaration):
    """`count` layers of one kind, by what each keeps of every token of the context in its cache.

    Keys and values: `kv_heads` heads of `head_dim` numbers, twice. Or, for multi-head latent attention, one vector of `latent`
    numbers and one of `rope`. `keeps_tokens` is the most tokens that a layer keeps: the width of a sliding window (`window`) or of
    a chunk (`chunk`); all tokens without it. `indexer_bytes` is what a sparse-attention indexer adds for each token, in its own precision.
    """

    count: int = Field(gt=0)
    attention: Literal["full", "window", "chunk"] = "full"
    keeps_tokens: int | None = Field(default=None, gt=0)
    kv_heads: int | None = Field(default=None, gt=0)
    head_dim: int | None = Field(default=None, gt=0)
    latent: int | None = Field(default=None, gt=0)
    rope: int | None = Field(default=None, ge=0)
    indexer_bytes: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _is_whole(self) -> Layers:
        heads, latent = (self.kv_heads, self.head_dim), (self.latent, self.rope)
        if (None in heads) == (None in latent) or (heads != (None, None) and latent != (None, None)):
            raise ValueError("give kv_heads and head_dim, or latent and rope (multi-head latent attention)")
        if (self.attention == "full") != (self.keeps_tokens is None):
            raise ValueError(f"attention {self.attention!r}: keeps_tokens belongs to window and chunk, and only there")
        return self

    @property
    def numbers_per_token(self) -> int:
        """How many numbers one layer keeps of one token."""
        if self.latent is not None:
            return self.latent + (self.rope or 0)
        return 2 * (self.kv_heads or 0) * (self.head_dim or 0)


class Statement(Declaration):
    """What one source says of one model; what it does not say stays out.

    `context_tokens` is the context that the weights are made for; `extended_context_tokens` what they reach with a documented
    extension such as YaRN. `native_bits` is the width in which the weights are published, with the scales. `layers` is the shape of the cache.
    `is_released: false` says that there is no such model.
    """

    source: str
    licence: str | None = None
    openness: Openness | None = None
    total_params_b: float | None = Field(default=None, gt=0)
    active_params_b: float | None = Field(default=None, gt=0)
    context_tokens: int | None = Field(default=None, gt=0)
    extended_context_tokens: int | None = Field(default=None, gt=0)
    input_modalities: tuple[Modality, ...] | None = None
    output_modalities: tuple[Modality, ...] | None = None
    tools: bool | None = None
    released_on: date | None = None
    is_released: bool | None = None
    native_bits: float | None = Field(default=None, gt=0, le=32)
    layers: tuple[Layers, ...] | None = None
    note: str = ""

    @model_validator(mode="after")
    def _active_within_total(self) -> Statement:
        if self.active_params_b and self.total_params_b and self.active_params_b > self.total_params_b:
            problem = f"found {self.active_params_b}, accepted is a number up to total_params_b ({self.total_params_b})"
            raise KeyMistake(("active_params_b",), problem)
        return self


FACTS = tuple(name for name in Statement.model_fields if name not in ("source", "note"))
"""The names of all facts."""


class StatedModel(Declaration):
    """One model, by its id in `models.yaml` or in a price feed, and its statements: the one to believe first."""

    model: str = Field(pattern=_ID)
    statements: tuple[Statement, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Fact(Generic[T]):
    """One fact: its value, who says so, whether anybody here has read that, and what other sources say instead."""

    value: T
    source: Source
    note: str = ""
    others: tuple[Fact[T], ...] = ()

    @property
    def is_verified(self) -> bool:
        """Whether its source is held. The value of an unverified fact is only used where that is shown."""
        return self.source.is_held


@dataclass(frozen=True)
class ModelFacts:
    """What is known of one model. A fact that nobody states is None."""

    model_id: str
    statements: tuple[tuple[Source, Statement], ...]
    licences: dict[str, Licence]
    sources: dict[str, Source]

    def fact(self, name: str) -> Fact[Any] | None:
        """The fact of that name (one of `FACTS`): the first statement of a source that is held, else the first at all."""
        said = [(source, line) for source, line in self.statements if getattr(line, name) is not None]
        if not said:
            return None
        source, line = min(said, key=lambda item: not item[0].is_held)
        value = getattr(line, name)
        others = tuple(Fact(getattr(o, name), s, o.note) for s, o in said if getattr(o, name) != value)
        return Fact(value, source, line.note, others)

    @property
    def conflicts(self) -> dict[str, Fact[Any]]:
        """The facts on which sources disagree, by name."""
        found = {name: self.fact(name) for name in FACTS}
        return {name: fact for name, fact in found.items() if fact is not None and fact.others}

    @property
    def context_tokens(self) -> Fact[int] | None:
        """The longest context that the weights are made for, in tokens."""
        return self.fact("context_tokens")

    @property
    def extended_context_tokens(self) -> Fact[int] | None:
        """The longest context with a documented extension (YaRN), in tokens."""
        return self.fact("extended_context_tokens")

    @property
    def input_modalities(self) -> Fact[tuple[Modality, ...]] | None:
        """What the model reads."""
        return self.fact("input_modalities")

    @property
    def tools(self) -> Fact[bool] | None:
        """Whether it calls tools."""
        return self.fact("tools")

    @property
    def released_on(self) -> Fact[date] | None:
        """The day of its first release."""
        return self.fact("released_on")

    @property
    def openness(self) -> Fact[Openness] | None:
        """Whether its weights, or also data and code, are published."""
        return self.fact("openness")

    @property
    def total_params_b(self) -> Fact[float] | None:
        """All parameters, in billions."""
        return self.fact("total_params_b")

    @property
    def active_params_b(self) -> Fact[float] | None:
        """The parameters that work on one token, in billions."""
        return self.fact("active_params_b")

    @property
    def native_bits(self) -> Fact[float] | None:
        """Bits per weight as published."""
        return self.fact("native_bits")

    @property
    def layers(self) -> Fact[tuple[Layers, ...]] | None:
        """The layers of the model, by what each keeps in its cache."""
        return self.fact("layers")

    @property
    def is_released(self) -> bool:
        """False where a source says that there is no such model."""
        stated = self.fact("is_released")
        return stated is None or bool(stated.value)

    @property
    def licence(self) -> Fact[Licence] | None:
        """The terms of its weights. It is unverified where nobody here has read the terms themselves."""
        named = self.fact("licence")
        if named is None:
            return None
        licence = self.licences[named.value]
        terms = self.sources[licence.source]
        others = tuple(Fact(self.licences[other.value], other.source, other.note) for other in named.others)
        return Fact(licence, terms if named.is_verified and not terms.is_held else named.source, named.note, others)

    @property
    def is_permissive(self) -> bool | None:
        """Whether the licence restricts nothing; None if it is not known."""
        return None if self.licence is None else self.licence.value.is_permissive


class ModelFactsConfig(Declaration):
    """The whole of `model_facts.yaml`. `of` looks a model up by its canonical id."""

    sources: tuple[Source, ...] = ()
    licences: tuple[Licence, ...] = ()
    models: tuple[StatedModel, ...] = ()

    @model_validator(mode="after")
    def _names_hold(self) -> ModelFactsConfig:
        refuse_twice("sources", [item.source for item in self.sources], within="source")
        refuse_twice("licences", [item.licence for item in self.licences], within="licence")
        refuse_twice("models", [item.model for item in self.models], within="model")
        sources, licences = {item.source for item in self.sources}, {item.licence for item in self.licences}
        for number, licence in enumerate(self.licences):
            _refuse_unknown(("licences", number, "source"), licence.source, sources)
        for number, model in enumerate(self.models):
            for place, line in enumerate(model.statements):
                _refuse_unknown(("models", number, "statements", place, "source"), line.source, sources)
                if line.licence is not None:
                    _refuse_unknown(("models", number, "statements", place, "licence"), line.licence, licences)
        return self

    @cached_property
    def by_model(self) -> dict[str, ModelFacts]:
        """Every model that something is stated of, by its id."""
        sources = {item.source: item for item in self.sources}
        licences = {item.licence: item for item in self.licences}
        return {
            item.model: ModelFacts(
                item.model, tuple((sources[line.source], line) for line in item.statements), licences, sources
            )
            for item in self.models
        }

    def of(self, model_id: str) -> ModelFacts | None:
        """What is known of a model (its canonical id), or None."""
        return self.by_model.get(model_id)


def _refuse_unknown(key: Key, name: str, known: set[str]) -> None:
    if name not in known:
        names = sorted(known)
        raise KeyMistake(key, f"{name!r} is not declared; declared are {', '.join(names)}{did_you_mean(name, names)}")
