"""The formats of shadow measurements, one module each: which fields of a record are which, in the terms of `core.shadow_request`.

How a format is registered is in `pipelines.formats`.
"""

from __future__ import annotations

from typing import Protocol

from pipelines.config.sources import RequestSource
from pipelines.formats import Formats
from pipelines.records.layout import Layout


class ShadowFormat(Protocol):
    """What a module of a shadow format offers."""

    def build(self, source: RequestSource) -> Layout:
        """The layout of the records, with the options of the source. Raises SourceError for options that it does not know."""


FORMATS: Formats[ShadowFormat] = Formats(__name__)


def build_shadow_format(source: RequestSource) -> Layout:
    """The format of a source of shadow measurements. Raises SourceError."""
    return FORMATS[source.format].build(source)
