"""The formats of bills, one module each: which fields of a report are which, in the terms of `core.reported_cost`.

How a format is registered is in `pipelines.formats`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from pipelines.bills.containers import open_report
from pipelines.config.mistakes import accepted_are
from pipelines.config.sources import RequestSource
from pipelines.formats import Formats
from pipelines.records.layout import Layout, SourceError


class BillFormat(Protocol):
    """What a module of a bill format offers."""

    def build(self) -> Layout:
        """The layout of the report."""

    def described(self, source: RequestSource) -> Layout:
        """The layout that a source declares itself, or completes. Formats whose sources declare nothing leave it out."""


FORMATS: Formats[BillFormat] = Formats(__name__)


def seller_of(source: RequestSource) -> str | None:
    """The seller that a source of a gateway's own computation names, if it does. Raises SourceError for what such a source can't declare."""
    if source.options:
        raise SourceError(source.source, ("options",), f"format {source.format} takes none")
    for name in sorted({*source.defaults} - {"provider_id"}):
        raise SourceError(source.source, ("defaults", name), accepted_are(name, ("provider_id",)))
    return str(source.defaults["provider_id"]) if "provider_id" in source.defaults else None


def build_bill_format(source: RequestSource) -> Layout:
    """The format of a source of bills. Raises SourceError for declarations that bills don't take."""
    module = FORMATS[source.format]
    is_declared = hasattr(module, "described")
    for name in ("attribution",) if is_declared else ("options", "attribution", "defaults"):
        if getattr(source, name):
            raise SourceError(
                source.source, (name,), f"format {source.format} takes none; the report says itself who used what"
            )
    bill_format = module.described(source) if is_declared else module.build()
    own = {"locator": ("locator",), "identity": ("record_identity",)}
    ends = {"bucket_from": ("bucket/from",), "bucket_to": ("bucket/to",)}
    return replace(
        bill_format,
        text={**own, **bill_format.text},
        instants={name: (*paths, *bill_format.instants.get(name, ())) for name, paths in ends.items()},
        items=lambda: open_report,
    )
