"""The registry: every model that is declared or that a price feed names, and the rules that find it by name.

Text rules are in `names.py`, whole frames in `frames.py`; prices are in `pipelines.prices`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import polars as pl

from pipelines.config.models import DeclaredModel, Family, ModelsConfig, Openness
from pipelines.models.names import DATE_SUFFIX, NameParts, Words, key_of, split_name

_DECLARED = "models.yaml"
_FINE_TUNE = re.compile(r"^(ft:[^:]+):.+$")
_AZURE_FINE_TUNE = re.compile(r"^(.+)\.ft-[0-9a-z-]+$")
_VARIANTS = re.compile(r":(?:nitro|floor|exacto|extended|beta|online|thinking|batch)$")
"""Suffixes by which routers name a way of serving a model. `:free` is not one of these: it is another price."""
_BEDROCK_VENDORS = ("luma", "nvidia", "stability", "twelvelabs", "writer")
"""Developers whose models Bedrock sells, and that sell nothing under a name of their own."""
_QUANTISED = re.compile(
    r"-(?:awq|gptq(?:-int[48])?|fp8(?:-dynamic)?|int[48]|w4a16|w8a8|bnb-4bit|gguf|mlx(?:-[48]bit)?)$"
)
"""Names that your own servers give the same weights in fewer bits."""


@dataclass(frozen=True)
class Resolution:
    """Which model a name means, how that was found and how sure it is (1 declared or exact, 0 unresolved)."""

    model_id: str | None
    method: str
    confidence: float
    decided_by: str


@lru_cache(maxsize=8)
def _taken_apart(declarations: str) -> dict[tuple[str, str], NameParts]:
    """The names that registries of these declarations have taken apart so far."""
    del declarations
    return {}


UNRESOLVED = Resolution(None, "unresolved", 0.0, "no rule")


@dataclass(frozen=True)
class Registry:
    """Models by id and by every name. Built by `build_registry`; equal inputs in any order give equal registries."""

    config: ModelsConfig
    models: dict[str, DeclaredModel]
    decided_by: dict[str, str]
    ids_by_key: dict[str, str]
    feeds_by_name: dict[tuple[str, str], str] = field(default_factory=dict)
    """(provider id, name in lower case) to the feed that uses the name."""
    same_by_feed: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    """(provider id or empty, key) of a name that a feed calls another model's, to that model and the feed."""
    dated: dict[str, str] = field(default_factory=dict)
    """Key of a dated name that is the undated model by its prices, to the feed that shows it."""

    separate: frozenset[tuple[str, str]] = frozenset()
    """(price list, model id) for which the list is a seller of its own, because a feed prices it otherwise there."""

    @cached_property
    def lists(self) -> dict[str, str]:
        """Every known name of a provider, lower case, to the id of its price list, which mostly is the seller."""
        return {name.lower(): p.id for p in self.config.providers for name in (p.id, *p.aliases)}

    @cached_property
    def _lists_run_together(self) -> dict[str, str]:
        """As `lists`, of names without the marks between their words: `Azure OpenAI`, `AzureOpenAI` and `azure-openai` are one.

        A name that two lists share then names neither."""
        found: dict[str, set[str]] = {}
        for name, price_list in self.lists.items():
            found.setdefault(_run_together(name), set()).add(price_list)
        return {name: next(iter(lists)) for name, lists in found.items() if len(lists) == 1}

    @cached_property
    def sellers(self) -> dict[str, str]:
        """Every price list to the id of its seller."""
        return {p.id: p.part_of or p.id for p in self.config.providers}

    @cached_property
    def words(self) -> Words:
        """What names are taken apart by."""
        developers = {family.developer for family in self.config.families}
        developers |= {model.developer for model in self.config.models if model.developer}
        spellings = tuple((re.compile(s.pattern), s.replace) for s in self.config.spellings)
        return Words(self.lists, self.sellers, frozenset({*self.lists, *developers, *_BEDROCK_VENDORS}), spellings)

    @cached_property
    def deployments(self) -> dict[tuple[str, str], str]:
        """The user's own names: (provider id or empty, name in lower case) to model id."""
        return {(self.provider(d.provider), d.name.lower()): d.model for d in self.config.deployments}

    @cached_property
    def own_sellers(self) -> dict[str, str]:
        """Developer to the provider that sells the developer's models under bare names."""
        return {p.developer: p.part_of or p.id for p in reversed(self.config.providers) if p.developer}

    def provider(self, raw: str) -> str:
        """The id of the seller that `raw` names; an unknown seller keeps its own name, lower case."""
        found = self.price_list(raw)
        return self.sellers.get(found, found)

    def price_list(self, raw: str, parts: NameParts | None = None) -> str:
        """The price list that `raw` names: the seller itself, or a further list of it (`part_of`).

        Where `raw` only names the seller, or nothing, the folder before the model's name is its list (`azure_ai/...`).
        """
        known_list = self._known_list(raw.strip().lower())
        by_name = parts.provider_id if parts else None
        return by_name if by_name and known_list in ("", self.provider(by_name)) else known_list

    def _known_list(self, name: str) -> str:
        """The list that `name`, or else its longest part before a dot, is known for: Vercel's AI SDK names a seller together
        with its interface (`openai.responses`, `google.vertex.chat`). How its words are parted does not matter. A name without
        such a part stays as it is."""
        part = name
        while part not in self.lists and _run_together(part) not in self._lists_run_together and "." in part:
            part = part.rpartition(".")[0]
        return self.lists.get(part) or self._lists_run_together.get(_run_together(part), name)

    def seller(self, price_list: str, model_id: str | None) -> str:
        """Who sells a model by a price list: the list itself where its prices are its own, else its seller."""
        return price_list if (price_list, model_id) in self.separate else self.sellers.get(price_list, price_list)

    def split(self, raw: str, provider: str = "") -> NameParts:
        """The raw name taken apart as `provider` (any name of a seller, empty: not known) writes it."""
        asked = (raw, provider)
        if asked not in self._parts:
            self._parts[asked] = split_name(raw, self.words, self.price_list(provider))
        return self._parts[asked]

    @cached_property
    def _parts(self) -> dict[tuple[str, str], NameParts]:
        """Names that were taken apart; how depends on the declarations alone, so all registries of them share these."""
        return _taken_apart(self.config.model_dump_json())

    def family(self, name: str) -> Family | None:
        """The declared family with the longest prefix of `name`."""
        found = [f for f in self.config.families if name.startswith(f.prefix)]
        return max(found, key=lambda f: len(f.prefix), default=None)

    def openness(self, name: str) -> Openness:
        """What the longest declared prefix of `name` says about its weights."""
        found = {f.prefix: f.openness for f in self.config.families if name.startswith(f.prefix)}
        for kind, prefixes in self.config.openness.items():
            found |= {prefix: kind for prefix in prefixes if name.startswith(prefix)}
        return found[max(found, key=len)] if found else "unknown"

    def resolve(self, provider_id: str, raw_name: str) -> Resolution:
        """The model that `raw_name` means at `provider_id` (empty: unknown seller). Never matches by a bare prefix."""
        raw = raw_name.strip().lower()
        if not raw:
            return UNRESOLVED
        provider = self.provider(provider_id)
        parts = self.split(raw, provider_id)
        return self._declared(provider, raw) or self._known(provider, raw, parts) or self._by_suffix(parts.short)

    def _declared(self, provider: str, raw: str) -> Resolution | None:
        for seller in (provider, ""):
            if model := self.deployments.get((seller, raw)):
                return Resolution(model, "deployment", 1.0, _DECLARED)
        if raw in self.models:
            return Resolution(raw, "exact", 1.0, self.decided_by[raw])
        key = key_of(raw)
        if key in self.dated:
            return Resolution(self.ids_by_key[key], "date_suffix", 0.95, self.dated[key])
        if model := self.ids_by_key.get(key):
            return Resolution(model, "alias", 1.0, self.decided_by[model])
        return None

    def _known(self, provider: str, raw: str, parts: NameParts) -> Resolution | None:
        seller = provider or self.provider(parts.provider_id or "")
        model = self._by_name(parts.name) or self._by_name(parts.short)
        if model is None:
            same = self.same_by_feed.get((seller, key_of(parts.name)))
            return Resolution(same[0], "feed_alias", 0.9, same[1]) if same else None
        if feed := self.feeds_by_name.get((seller, raw)):
            return Resolution(model, "feed_alias", 1.0, feed)
        return Resolution(model, _dropped(raw, parts, self.family(parts.name)), 0.95, "rule")

    def _by_name(self, name: str) -> str | None:
        key = key_of(name)
        if key in self.ids_by_key:
            return self.ids_by_key[key]
        return self.ids_by_key.get(_same_key(key, self.family(name)))

    def _by_suffix(self, name: str) -> Resolution:
        if (match := _FINE_TUNE.match(name)) and (model := self._by_name(match[1])):
            return Resolution(model, "fine_tune", 0.9, "rule")
        if (match := _AZURE_FINE_TUNE.match(name)) and (model := self._by_name(f"ft:{match[1]}")):
            return Resolution(model, "fine_tune", 0.9, "rule")
        if model := self._by_name(_QUANTISED.sub("", _VARIANTS.sub("", name))):
            return Resolution(model, "variant_suffix", 0.8, "rule")
        if model := self.ids_by_key.get(DATE_SUFFIX.sub("", key_of(name))):
            return Resolution(model, "date_suffix", 0.8, "rule")
        return UNRESOLVED


def build_registry(
    config: ModelsConfig, feed_names: pl.DataFrame | Sequence[pl.DataFrame], dated_aliases: pl.DataFrame | None = None
) -> Registry:
    """The registry of the declared models and of the names that price feeds use.

    `feed_names` has the columns provider_id, raw_name, feed and same_as (String). A name that no declaration covers
    introduces a model. Where feeds spell one name differently, the spelling of the developer's own price list wins,
    then the one with more dots, the shorter, the first in the alphabet. A name that a feed calls another name of a
    model (`same_as`) introduces none: unless something else knows it, it means that model at that seller. Nor does a
    dated name that `dated_aliases` (columns key, same_as and feed, from `pipelines.prices`) knows by its prices: unless
    it is declared, it means the undated model everywhere.
    """
    models = {model.id: model for model in config.models}
    decided_by = dict.fromkeys(models, _DECLARED)
    ids_by_key = {key_of(alias): model.id for model in config.models for alias in model.aliases}
    ids_by_key |= {key_of(model.id): model.id for model in config.models}
    registry = Registry(config, models, decided_by, ids_by_key)
    names = list(_distinct(feed_names))
    twins = [] if dated_aliases is None else [row for row in dated_aliases.iter_rows() if row[0] not in ids_by_key]
    own = [(registry.provider(p), raw, feed) for p, raw, feed, same_as in names if not same_as]
    _introduce(registry, own, {key for key, _, _ in twins})
    for key, same_as, feed in twins:
        ids_by_key[key] = ids_by_key[same_as]
        registry.dated[key] = feed
    for provider_id, raw, feed, same_as in names:
        key = key_of(registry.split(raw, provider_id).name)
        model = registry._by_name(registry.split(same_as, provider_id).name) if same_as else None
        if model is not None and key not in ids_by_key:
            registry.same_by_feed.setdefault((registry.provider(provider_id), key), (model, feed))
    _add_where_all_sellers_agree(registry.same_by_feed)
    return registry


def _add_where_all_sellers_agree(same: dict[tuple[str, str], tuple[str, str]]) -> None:
    """A name without a seller has the meaning that it has at every seller, or none."""
    meanings: dict[str, set[str]] = defaultdict(set)
    for (_, key), (model, _) in same.items():
        meanings[key].add(model)
    for (_, key), found in list(same.items()):
        if len(meanings[key]) == 1:
            same.setdefault(("", key), found)


def _introduce(registry: Registry, names: Iterable[tuple[str, str, str]], others: set[str]) -> None:
    """Adds a model for every (provider id, raw name, feed) that no model known so far answers to.

    Names whose key is among `others` belong to models that other names introduce.
    """
    spellings: dict[str, list[tuple[bool, int, int, str, str]]] = defaultdict(list)
    sold = list(names)
    known = {(provider, raw.lower()) for provider, raw, _ in sold}
    for provider, raw, feed in sold:
        registry.feeds_by_name.setdefault((provider, raw.lower()), feed)
        name = raw.lower() if _is_listed_twice(registry, provider, raw, known) else registry.split(raw, provider).name
        family = registry.family(name)
        if registry._by_name(name) is not None or not key_of(name) or key_of(name) in others:
            continue
        key = _same_key(key_of(name), family)
        spelt = name if key == key_of(name) else _undated(name)
        own = family is not None and registry.own_sellers.get(family.developer) == provider
        spellings[key].append((not own, -spelt.count("."), len(spelt), spelt, feed))
    for key, found in spellings.items():
        *_, name, _ = min(found)
        family = registry.family(name)
        registry.models[name] = DeclaredModel.model_construct(
            id=name,
            display_name=name,
            developer=family.developer if family else None,
            family=family.family if family else None,
            openness=registry.openness(name),
        )
        registry.decided_by[name] = min(feed for *_, feed in found)
        registry.ids_by_key[key] = name


def _is_listed_twice(registry: Registry, provider: str, raw: str, known: set[tuple[str, str]]) -> bool:
    """Whether there are both `perplexity/perplexity/sonar` and `perplexity/sonar`: two lists of one seller, and two models."""
    rest = raw.lower().partition("/")[2]
    return (provider, rest) in known and registry.provider(rest.partition("/")[0]) == provider


def _distinct(feed_names: pl.DataFrame | Sequence[pl.DataFrame]) -> Iterable[tuple[str, str, str, str]]:
    frames = [feed_names] if isinstance(feed_names, pl.DataFrame) else list(feed_names)
    if not frames:
        return ()
    columns = ["provider_id", "raw_name", "feed", "same_as"]
    return pl.concat([frame.select(columns).unique() for frame in frames]).unique().sort(columns).iter_rows()


def _run_together(name: str) -> str:
    return re.sub(r"[ _-]", "", name)


def _same_key(key: str, family: Family | None) -> str:
    return DATE_SUFFIX.sub("", key) if family is not None and family.dated_is_same else key


def _undated(name: str) -> str:
    return re.sub(r"-(?:20\d\d-?\d\d-?\d\d|latest)$", "", name)


def _dropped(raw: str, parts: NameParts, family: Family | None) -> str:
    """Which part of the raw name was dropped to find the model."""
    if parts.region:
        return "region_prefix"
    if parts.provider_id is not None or "/" in raw or "." in raw.removesuffix(parts.name):
        return "provider_prefix"
    return "date_suffix" if family is not None and family.dated_is_same else "alias"
