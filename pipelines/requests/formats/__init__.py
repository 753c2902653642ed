"""The formats of request logs, one module each: what the fields of a record mean.

How a format is registered is in `pipelines.formats`; what it may declare is in `pipelines.requests.format`.
"""

from __future__ import annotations

from typing import Protocol

from pipelines.config.mistakes import accepted_are
from pipelines.config.sources import RequestSource
from pipelines.formats import Formats
from pipelines.records.event_streams import with_events
from pipelines.records.layout import SourceError
from pipelines.requests.format import GENERAL_OPTIONS, Format, for_source


class RequestFormat(Protocol):
    """What a module of a request format offers."""

    def build(self, source: RequestSource) -> Format:
        """The format with the options of the source. Raises SourceError for options that it does not know."""


FORMATS: Formats[RequestFormat] = Formats(__name__)


def build_format(source: RequestSource) -> Format:
    """The format of a source with its options, attribution and defaults. Raises SourceError."""
    return for_source(with_events(FORMATS[source.format].build(source)), source)


def refuse_options(source: RequestSource, accepted: tuple[str, ...] = ()) -> None:
    """Raises SourceError where a source has an option that its format does not know."""
    known = (*accepted, *GENERAL_OPTIONS)
    unknown = sorted(set(source.options) - set(known))
    if unknown:
        raise SourceError(
            source.source,
            ("options", unknown[0]),
            f"format {source.format} has no such option; {accepted_are(unknown[0], known)}",
        )
