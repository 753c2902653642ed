"""The registry of bill formats: per format, which fields of a result are which, in the terms of `core.reported_cost`.

Formats of request logs are in `pipelines.requests.formats`; their declaration, `Layout`, is the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pipelines.bills.containers import open_report
from pipelines.bills.formats import anthropic, openai, openrouter
from pipelines.config.sources import BILL_FORMATS, RequestSource
from pipelines.records.layout import Layout, SourceError

_BUILT: dict[str, Callable[[], Layout]] = {
    "openai_usage_api": openai.usage,
    "openai_costs_api": openai.costs,
    "anthropic_usage_api": anthropic.usage,
    "anthropic_cost_api": anthropic.cost,
    "openrouter_activity": openrouter.activity,
}


def build_bill_format(source: RequestSource) -> Layout:
    """The format of a source of bills. Raises SourceError for declarations that bills don't take."""
    for name in ("options", "attribution", "defaults"):
        if getattr(source, name):
            raise SourceError(
                f"source {source.source}: {name}: format {source.format} takes none; the report says itself who used what"
            )
    if source.format not in BILL_FORMATS:
        raise SourceError(f"source {source.source}: {source.format} is no bill; accepted are {', '.join(BILL_FORMATS)}")
    fmt = _BUILT[source.format]()
    own = {"locator": ("locator",), "identity": ("identity",)}
    ends = {"bucket_from": ("bucket/from",), "bucket_to": ("bucket/to",)}
    return replace(
        fmt,
        text={**own, **fmt.text},
        instants={name: (*paths, *fmt.instants.get(name, ())) for name, paths in ends.items()},
        items=lambda: open_report,
    )
