"""What a request format is: the layout of its records, and what makes requests of them.

A format module under `formats/` builds a `Format`; `normalise.py` carries it out. Files are read by `pipelines.records`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from pipelines.config.mistakes import accepted_are
from pipelines.config.sources import RequestSource
from pipelines.records.declared import declared_encoding
from pipelines.records.layout import Layout, SourceError
from pipelines.records.paths import path_tree
from pipelines.warehouse.tables.core import SERVICE_TIER_NAME

KeepRule = Literal["same_record", "later_update", "stream_delta", "counter_replay"]

TEXT_COLUMNS = (
    "source_request_id", "session_id", "operation", "provider_id", "request_model", "response_model", "team",
    "project", "cost_centre", "environment", "application", "end_user_id", "service_tier", "region", "finish_reason",
)  # fmt: skip
DESCRIPTIONS = (
    "session_id",
    "finish_reason",
    "team",
    "project",
    "cost_centre",
    "environment",
    "application",
    "end_user_id",
    "role",
)
"""Columns that decide neither which call it was nor what it costs."""
ATTRIBUTION_COLUMNS = ("team", "project", "cost_centre", "environment", "application", "end_user_id")


GENERAL_OPTIONS = ("undated", "encoding")
"""Options that every format takes."""


@dataclass(frozen=True)
class Format(Layout):
    """One request format.

    Columns of `core.request` are taken as they are; any other name is a working column for `derive`, which may also give
    `not_a_request`: in words why a record is no request, else null. `event_at` is required. `trusts_total` says that
    `usage.total` is the provider's own count, not a sum that a logger made of what it had.
    `identity` names the columns that identify a request in its source; a row that lacks one is identified by
    all its content. `call_ids` names the text columns that hold ids by which other sources may name the same call: that of
    the answer first. Text columns trace_id, span_id and parent_id place a record in a trace. Among records of one request,
    `keep` says which stays: for same_record and counter_replay the first by event_at, for later_update the last by
    `revision` (a working column), for stream_delta the one written last among those that know most of the usage
    (`collect.py`). `undated` arrival dates a record without an instant to the midnight on which its file arrived.
    """

    is_wrapped: bool = True
    trusts_total: bool = False
    identity: tuple[str, ...] = ("source_request_id",)
    call_ids: tuple[str, ...] = ("source_request_id",)
    keep: KeepRule = "same_record"
    undated: Literal["refuse", "arrival"] = "refuse"


def free_columns(log_format: Format) -> set[str]:
    """Columns for the duration of a call, for whether it was streamed, and that describe it; none affects its cost."""
    times = {name for name in log_format.instants if name != "event_at"}
    streamed = {"is_stream", "was_stream"} & set(log_format.booleans)
    return {*log_format.numbers, *times, *streamed, *log_format.described_by}


def for_source(log_format: Format, source: RequestSource) -> Format:
    """`log_format` with the source's attribution fields and defaults. Raises SourceError for a name that does not exist."""
    text, tags = dict(log_format.text), dict(log_format.tags)
    for column, path in source.attribution.items():
        if column.startswith("tags.") and column != "tags.":
            tags[column.removeprefix("tags.")] = (path,)
            continue
        if column not in ATTRIBUTION_COLUMNS:
            raise SourceError(
                source.source,
                ("attribution", column),
                f"no such field; {accepted_are(column, (*ATTRIBUTION_COLUMNS, 'tags.<name>'))}",
            )
        text[column] = (path, *(known for known in text.get(column, ()) if known != path))
    constants = dict(log_format.constants)
    for key, value in source.defaults.items():
        column = {"model": "request_model"}.get(key, key)
        if column not in TEXT_COLUMNS:
            raise SourceError(
                source.source, ("defaults", key), f"no such field; {accepted_are(key, ('model', *TEXT_COLUMNS))}"
            )
        if not isinstance(value, str):
            raise SourceError(source.source, ("defaults", key), f"found {value!r}, text is accepted")
        if column == "service_tier" and not re.fullmatch(SERVICE_TIER_NAME, value):
            raise SourceError(
                source.source,
                ("defaults", "service_tier"),
                f"found {value!r}, a name such as standard or batch is accepted",
            )
        constants[column] = value
    undated = source.options.get("undated", "refuse")
    if undated not in ("refuse", "arrival"):
        raise SourceError(source.source, ("options", "undated"), f"found {undated!r}, refuse or arrival is accepted")
    described = (*(name for name in text if name in DESCRIPTIONS), *(f"tag.{name}" for name in tags))
    declared = replace(
        log_format,
        text=text,
        tags=tags,
        constants=constants,
        undated=undated,
        described_by=described,
        encoding=declared_encoding(source),
    )
    try:
        path_tree(declared.paths)
    except ValueError as error:
        raise SourceError(source.source, ("attribution",), str(error)) from None
    return declared
