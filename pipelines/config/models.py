"""Schema of `models.yaml`: which models there are, what each is also called, and which provider names mean the same seller.

Only declarations live here; the rules that turn a name into a model are in `pipelines.models`, prices are in
`pipelines.prices`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Literal

from pydantic import ConfigDict, Field, field_validator, model_validator

from pipelines.config.declaration import Declaration
from pipelines.config.mistakes import KeyMistake, did_you_mean

Openness = Literal["open_source", "open_weight", "closed", "unknown"]

_ID = r"^[a-z0-9][a-z0-9._:-]*$"
_FACTS = {"license", "total_params_b", "active_params_b", "context_tokens", "released_date"}
"""What stood here before every fact had a source."""


class Provider(Declaration):
    """One seller of calls. `aliases` are other names of it; names are compared lower case.

    `developer` is set where the provider sells its own models under bare names, so that a log without a provider
    can be known: `claude-sonnet-4-5` alone was sold by Anthropic. `part_of` names the seller whose further price list
    this is: the two are one seller, but for models that a feed prices differently in the two lists.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    aliases: tuple[str, ...] = ()
    developer: str | None = None
    part_of: str | None = None


class Family(Declaration):
    """What names that begin with `prefix` have in common; the longest prefix wins.

    `dated_is_same` says that a dated or `-latest` name of this family is the undated model, as for Claude, where the
    undated name is an alias of one snapshot.
    """

    prefix: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    family: str
    developer: str
    openness: Openness = "unknown"
    dated_is_same: bool = False


class DeclaredModel(Declaration):
    """One model. `aliases` are names of it wherever they occur; what is known of it is in `model_facts.py`."""

    id: str = Field(pattern=_ID)
    display_name: str
    developer: str | None = None
    family: str | None = None
    openness: Openness = "unknown"
    aliases: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _facts_have_sources(cls, values: object) -> object:
        stated = sorted(_FACTS & set(values)) if isinstance(values, dict) else []
        if stated:
            problem = f"{', '.join(stated)} of a model belong into model_facts.yaml, with their source"
            raise KeyMistake((stated[0],), problem)
        return values


class Deployment(Declaration):
    """A name of the user's own for a model, for example an Azure deployment; `provider` empty means at any."""

    name: str = Field(min_length=1)
    model: str = Field(pattern=_ID)
    provider: str = ""


class Redirect(Declaration):
    """A name that a seller answers with another model from a UTC day on, and that its answers do not give away.

    `provider` empty means at any. `source` is where the seller, or who found out, says so.
    """

    model_config = ConfigDict(populate_by_name=True)

    name: str = Field(min_length=1)
    model: str = Field(pattern=_ID)
    from_date: date = Field(alias="from")
    provider: str = ""
    source: str = Field(min_length=1)


class Spelling(Declaration):
    """A regular expression over lower-case names that makes two spellings one, for example llama-v3p1 and llama-3.1."""

    pattern: str
    replace: str

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from error
        return value


class ModelsConfig(Declaration):
    """The whole of `models.yaml`.

    `openness` states, by the beginning of a name, where the models of one family differ; of these and the families the
    longest prefix wins.
    """

    providers: tuple[Provider, ...] = ()
    families: tuple[Family, ...] = ()
    openness: dict[Openness, tuple[str, ...]] = Field(default_factory=dict)
    spellings: tuple[Spelling, ...] = ()
    deployments: tuple[Deployment, ...] = ()
    redirects: tuple[Redirect, ...] = ()
    models: tuple[DeclaredModel, ...] = ()

    @model_validator(mode="after")
    def _names_are_unique(self) -> ModelsConfig:
        _refuse_twice(
            "providers", ((n, p.id, name) for n, p in enumerate(self.providers) for name in (p.id, *p.aliases))
        )
        sellers = {p.id for p in self.providers if p.part_of is None}
        for number, provider in enumerate(self.providers):
            if provider.part_of is not None and provider.part_of not in sellers:
                problem = (
                    f"found {provider.part_of!r}, which is not a seller here{did_you_mean(provider.part_of, sellers)}"
                )
                raise KeyMistake(("providers", number, "part_of"), problem)
        _refuse_twice("models", ((n, m.id, name) for n, m in enumerate(self.models) for name in (m.id, *m.aliases)))
        _refuse_twice("families", ((n, f.family, f.prefix) for n, f in enumerate(self.families)))
        _refuse_twice("openness", ((kind, kind, prefix) for kind, found in self.openness.items() for prefix in found))
        return self


def _refuse_twice(section: str, names: Iterable[tuple[int | str, str, str]]) -> None:
    """Of each name where its owner stands in the section, and the owner; upper case makes no other name."""
    seen: dict[str, str] = {}
    for place, owner, name in names:
        lower = name.lower()
        if lower in seen:
            raise KeyMistake(
                (section, place),
                f"the name {name!r} is given to both {seen[lower]!r} and {owner!r}; a name may stand once",
            )
        seen[lower] = owner
