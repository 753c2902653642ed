"""The registry of request formats: one module each, found by the name that `sources.yaml` uses.

A module offers `build(source) -> Format`; adding a format is adding a module and its name in
`pipelines.config.sources`. What a format may declare is in `pipelines.requests.format`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from pipelines.config.sources import RequestSource
from pipelines.records.event_streams import with_events
from pipelines.records.layout import SourceError
from pipelines.requests.format import GENERAL_OPTIONS, Format, for_source


def build_format(source: RequestSource) -> Format:
    """The format of a source with its options, attribution and defaults. Raises SourceError."""
    try:
        module = import_module(f"{__name__}.{source.format}")
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}.{source.format}":
            raise
        raise SourceError(f"source {source.source}: format {source.format} is not built yet") from None
    build: Callable[[RequestSource], Format] = module.build
    return for_source(with_events(build(source)), source)


def refuse_options(source: RequestSource, accepted: tuple[str, ...] = ()) -> None:
    """Raises SourceError where a source has an option that its format does not know."""
    known = (*accepted, *GENERAL_OPTIONS)
    unknown = sorted(set(source.options) - set(known))
    if unknown:
        raise SourceError(
            f"source {source.source}: options.{unknown[0]}: format {source.format} has no such option; accepted are {', '.join(known)}"
        )
