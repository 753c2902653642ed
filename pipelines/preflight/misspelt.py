"""Names that are nearly known ones. What they name comes from logs and feeds too, so a name that nobody declares may be right: only one that
is a letter or two away from a known name is a mistake, and the known one is what was meant.

Names that must be declared are `names.py`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from pydantic import BaseModel

from pipelines.behaviour.wording import METRICS
from pipelines.config import Config
from pipelines.config.mistakes import Key

Found = tuple[str, Key, str]
"""File without its ending, key and problem."""

_ALIKE = 0.8
"""How alike a name is to a known one to be a misspelt one."""
_OPERATIONS = (
    "chat", "text_completion", "generate_content", "invoke_agent", "create_agent", "execute_tool", "embeddings", "image_generation", "rerank",
    "ocr", "retrieval",
)  # fmt: skip
_TERMS = ("on_demand", "spot", "reserved_1_year", "reserved_3_years", "rental_1_year", "rental_3_years", "owned")
_TIERS = ("standard", "batch", "flex", "priority", "fast", "scale")
_METRICS = (*METRICS, "error_rate", "finish", "fingerprint", "response_model")
_ALIKE_IN_MODELS = 0.85
"""The same of a word in the name of a model: `llava` is no misspelt `llama`."""
_LEAST_LETTERS = 4
_NAME_OF_MODEL = re.compile(r"[a-z][a-z0-9.]*(?:-[a-z0-9.]+)+")
_NAMING_MODELS = ("claims.yaml", "models.yaml", "routing.yaml")
"""Packaged files that name many models."""
_NAMES_OF_BENCHMARKS = re.compile(r"\b(?:benchmark|quality_benchmarks|agents|score): (\[[^\]]*\]|[\w@-]+)")
_NAMING_BENCHMARKS = ("claims.yaml", "evidence.yaml", "routing.yaml")


@dataclass(frozen=True)
class _Kind:
    """The keys that hold names of one kind, what such a name is in words, and what a misspelt one means."""

    keys: tuple[str, ...]
    words: str
    meant: Callable[[str], str | None]
    maps: tuple[str, ...] = ()
    """Maps whose keys are such names."""


def misspelt(name: str, known: Sequence[str], alike: float = _ALIKE) -> str | None:
    """The known name that is probably meant; None if the name is known, or like none."""
    return None if name in known else next(iter(difflib.get_close_matches(name, known, n=1, cutoff=alike)), None)


def misspelt_names(config: Config, files: Collection[str]) -> Iterator[Found]:
    """Every name in one of the files (without their ending) that is nearly a known one."""
    kinds = _kinds(config)
    for file in sorted(files):
        for key, name, kind in _named(getattr(config, file), (), kinds):
            if meant := kind.meant(name):
                yield file, key, f"found {name!r}, which is not {kind.words}; did you mean {meant!r}?"


def _kinds(config: Config) -> tuple[_Kind, ...]:
    sellers = [name for item in config.models.providers for name in (item.id, *item.aliases)]
    own = {item.seller for item in config.selfhost.deployments}
    terms = [*_TERMS, *(item.term for item in (*config.selfhost.gpu_prices, *config.hardware.gpu_prices))]
    models, benchmarks = _words_of_models(config), _words_of_benchmarks(config)
    return (
        _Kind(("provider_id", "provider"), "a seller in models.yaml", lambda name: None if name in own else misspelt(name, sellers),
              maps=("billing_accounts", "sellers")),
        _Kind(("operations", "operation"), "an OpenTelemetry operation", lambda name: misspelt(name, _OPERATIONS)),
        _Kind(("term",), "a term of a GPU price", lambda name: misspelt(name, terms)),
        _Kind(("tier", "service_tier"), "a tier of a seller", lambda name: misspelt(name, _TIERS)),
        _Kind(("metric",), "a metric of the watch", lambda name: misspelt(name.split(":", maxsplit=1)[0], _METRICS)),
        _Kind(("model", "model_id", "models"), "a known model", lambda name: _words_meant(name, models)),
        _Kind(("benchmark", "quality_benchmarks", "agents", "score"), "a known benchmark", lambda name: _words_meant(name, benchmarks)),
    )  # fmt: skip


def _named(block: object, way: Key, kinds: Sequence[_Kind]) -> Iterator[tuple[Key, str, _Kind]]:
    """Every place of a file at which a name of a kind stands."""
    if isinstance(block, BaseModel):
        parts: Iterable[tuple[str | int, object]] = [(name, getattr(block, name)) for name in type(block).model_fields]
    elif isinstance(block, Mapping):
        parts = block.items()
    elif isinstance(block, tuple | list):
        parts = enumerate(block)
    else:
        return
    for name, value in parts:
        holder = next((part for part in (name, *reversed(way)) if isinstance(part, str)), "")
        for kind in kinds:
            if way and way[-1] in kind.maps and isinstance(block, Mapping):
                yield (*way, name), str(name), kind
            if holder in kind.keys and isinstance(value, str):
                yield (*way, name), value, kind
        yield from _named(value, (*way, name), kinds)


def _words_of_models(config: Config) -> frozenset[str]:
    """The words of four letters and more that names of models are made of, in what ships and in `models.yaml`."""
    packaged = resources.files("pipelines.config") / "defaults"
    texts = (
        config.models.model_dump_json(),
        *((packaged / name).read_text(encoding="utf-8") for name in _NAMING_MODELS),
    )
    return frozenset(word for text in texts for name in _NAME_OF_MODEL.findall(text) for word in _words(name))


def _words_of_benchmarks(config: Config) -> frozenset[str]:
    """The same of benchmarks: those of what ships, and what `sources.yaml` names in its boards and their options."""
    packaged = resources.files("pipelines.config") / "defaults"
    named = [
        found
        for name in _NAMING_BENCHMARKS
        for found in _NAMES_OF_BENCHMARKS.findall((packaged / name).read_text("utf-8"))
    ]
    named += [text for item in config.sources.leaderboards for text in (item.board, item.format, str(item.options))]
    return frozenset(word for text in named for word in _words(text))


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[^a-z]+", name.lower()) if len(word) >= _LEAST_LETTERS]


def _words_meant(name: str, known: frozenset[str]) -> str | None:
    """The name with its misspelt words mended: those that begin and end as a known word does and are nearly it (`sonet`)."""
    meant = name.lower()
    for word in _words(name):
        like = [one for one in known if (one[0], one[-1]) == (word[0], word[-1])]
        if word not in known and (right := misspelt(word, like, _ALIKE_IN_MODELS)):
            meant = meant.replace(word, right)
    return None if meant == name.lower() else meant
