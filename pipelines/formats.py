"""The one way in which a format of a request log, a bill, a price feed, a leaderboard or a hardware file is registered.

A format is a module that bears the name by which `sources.yaml` asks for it, in the package of its kind:
`pipelines.requests.formats`, `pipelines.bills.formats`, `pipelines.prices.feeds`, `pipelines.benchmarks.formats`,
`pipelines.selfhost.formats`. What such
a module offers is the protocol in the package's `__init__.py`. Modules that several formats share begin with an
underscore. To add a format, add its module, and its name to `pipelines.config.sources`. A format of a feed, a board or a
hardware file that takes options names them in `OPTIONS`, or checks them in `option_mistakes`.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib import import_module
from typing import Any, TypeVar, cast

from pipelines.config.mistakes import Key, accepted_are

T = TypeVar("T")


def option_mistakes(module: object, options: Mapping[str, Any]) -> list[tuple[Key, str]]:
    """What is wrong in the options of a feed, a board or a hardware file: key and problem of each mistake."""
    if check := getattr(module, "option_mistakes", None):
        return cast("list[tuple[Key, str]]", check(options))
    accepted: tuple[str, ...] = getattr(module, "OPTIONS", ())
    unknown = [name for name in options if name not in accepted]
    none = "the format takes none"
    return [((name,), f"no such option; {accepted_are(name, accepted) if accepted else none}") for name in unknown]


class UnknownFormatError(LookupError):
    """No format of that name; the message names those that there are."""


class Formats(Mapping[str, T]):
    """The format modules of a package by name; a module is imported when it is first asked for."""

    def __init__(self, package: str) -> None:
        self._package = package

    @cached_property
    def _names(self) -> tuple[str, ...]:
        modules = pkgutil.iter_modules(import_module(self._package).__path__)
        return tuple(sorted(module.name for module in modules if not module.name.startswith("_")))

    def __getitem__(self, name: str) -> T:
        if name not in self._names:
            raise UnknownFormatError(f"format {name!r} is not known; accepted are {', '.join(self._names)}")
        return cast("T", import_module(f"{self._package}.{name}"))

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
