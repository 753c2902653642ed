"""Request logs to request facts: every call to a model, once, in exclusive additive token buckets.

`parse_file` reads a landed file into the store, `collect_days` takes whole days out of it without duplicates,
`attribute` says who pays. Models are resolved in `pipelines.models` and costs added in `pipelines.prices`.
"""

from __future__ import annotations

from pipelines.records.store import ParsedFile
from pipelines.requests.attribution import attribute
from pipelines.requests.collect import DayRequests, collect_days, iter_days
from pipelines.requests.normalise import REQUEST_SCHEMA
from pipelines.requests.parse import parse_file
from pipelines.requests.shared_keys import Preferences

__all__ = [
    "REQUEST_SCHEMA",
    "DayRequests",
    "ParsedFile",
    "Preferences",
    "attribute",
    "collect_days",
    "iter_days",
    "parse_file",
]
