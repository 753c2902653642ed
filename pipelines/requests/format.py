"""What a request format is: a declaration of which fields are which, and one function for what is derived.

A format module under `formats/` builds a `Format`; `normalise.py` carries it out. Reading and decoding files
is no part of a format, except that a format may open containers into items (`items`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import polars as pl

from pipelines.config.sources import RequestSource
from pipelines.records.conversions import TimeRule
from pipelines.records.number_marks import Marks
from pipelines.records.paths import path_tree
from pipelines.requests.semantics import MEASURES, TOTALS
from pipelines.warehouse.tables.core import SERVICE_TIER_NAME

Paths = tuple[str, ...]
KeepRule = Literal["same_record", "later_update", "stream_delta", "counter_replay"]
ItemReader = Callable[[object], Iterable[object]]

TEXT_COLUMNS = (
    "source_request_id", "session_id", "operation", "provider_id", "request_model", "response_model", "team",
    "project", "environment", "application", "end_user_id", "service_tier", "region", "finish_reason",
)  # fmt: skip
ATTRIBUTION_COLUMNS = ("team", "project", "environment", "application", "end_user_id")


GENERAL_OPTIONS = ("undated",)
"""Options that every format takes."""


class SourceError(ValueError):
    """A source's declaration can't be used. The message names source, option, what was found and what is accepted."""


@dataclass(frozen=True)
class Format:
    """One request format.

    `text`, `integers`, `numbers`, `booleans`, `instants` and `money` map a column to the paths that hold it; the
    first that is present and not empty counts. `usage` does so for the measures of `semantics.MEASURES`, `tags`
    for tag names, `lists` for columns of JSON lists. Columns of `core.request` are taken as they are; any other
    name is a working column for `derive`, which maps columns to expressions over the typed columns (also
    `not_a_request`: in words why a record is no request, else null). `event_at` is required.
    `identity` names the columns that identify a request in its source; a row that lacks one is identified by
    all it says. `call_ids` names the text columns that hold ids by which other sources may tell the same call: that of the
    answer first. Text columns trace_id, span_id and parent_id place a record in a trace. Among records of one request,
    `keep` says which stays: for same_record and counter_replay the first by event_at, for later_update the last by
    `revision` (a working column), for stream_delta the one written last among those that know most of the usage
    (`collect.py`).
    `items` opens one decoded JSON value into the records it holds; where `marks` are given, only lines that
    contain one of these texts go through it, else all do; `in_sequence` says that the reader remembers earlier lines of the
    file, so that they are read one after the other. `of_text` makes a record of a line that is no JSON, or None where it
    tells none. `bodies` are the places where an answer may lie as the text of an event stream, the empty one for the record
    itself (`event_streams.py`). `columns_of` names, per option, the columns that a
    table must have; `column_name` brings a column of a table to the path it stands for. `undated` arrival dates a record
    without an instant to the midnight on which its file arrived. `trusts_total` says that `usage.total` is the provider's own
    count, not a sum that a logger made of what it had. `number_marks` are the marks in numbers that are written as text, by path;
    an empty map says that the file has to show them (None: as in JSON). `user_key`, where given, turns end users into a keyed hash.
    """

    name: str
    version: str
    text: Mapping[str, Paths] = field(default_factory=dict)
    usage: Mapping[str, Paths] = field(default_factory=dict)
    integers: Mapping[str, Paths] = field(default_factory=dict)
    numbers: Mapping[str, Paths] = field(default_factory=dict)
    booleans: Mapping[str, Paths] = field(default_factory=dict)
    instants: Mapping[str, Paths] = field(default_factory=dict)
    money: Mapping[str, Paths] = field(default_factory=dict)
    tags: Mapping[str, Paths] = field(default_factory=dict)
    lists: Mapping[str, Paths] = field(default_factory=dict)
    time: TimeRule = field(default_factory=TimeRule)
    derive: Callable[[], Mapping[str, pl.Expr]] = dict
    constants: Mapping[str, str] = field(default_factory=dict)
    semantics: str = "openai_inclusive"
    trusts_total: bool = False
    number_marks: Mapping[str, Marks] | None = None
    identity: tuple[str, ...] = ("source_request_id",)
    call_ids: tuple[str, ...] = ("source_request_id",)
    keep: KeepRule = "same_record"
    items: Callable[[], ItemReader] | None = None
    marks: tuple[str, ...] = ()
    in_sequence: bool = False
    of_text: Callable[[str], object] | None = None
    bodies: Paths = ()
    delimiter: str = ","
    columns_of: Mapping[str, str] = field(default_factory=dict)
    column_name: Callable[[str], str] = str
    undated: Literal["refuse", "arrival"] = "refuse"
    user_key: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        unknown = sorted(set(self.usage) - set(MEASURES))
        if unknown:
            raise SourceError(f"format {self.name}: {unknown} are no measures, accepted are {sorted(MEASURES)}")

    @property
    def paths(self) -> list[str]:
        """Every path that is read from a record: the allow-list."""
        groups = (
            self.text, self.usage, self.integers, self.numbers, self.booleans, self.instants, self.money, self.tags, self.lists
        )  # fmt: skip
        return sorted({path for group in groups for paths in group.values() for path in paths})

    @property
    def counted_paths(self) -> list[str]:
        """Paths that hold counts or amounts, which a mark can change by a thousand."""
        groups = (self.usage, self.integers, self.money)
        return sorted({path for group in groups for paths in group.values() for path in paths})

    @property
    def detail_paths(self) -> set[str]:
        """Paths that hold details of a usage and nothing else."""
        others = [
            self.text,
            self.integers,
            self.numbers,
            self.booleans,
            self.instants,
            self.money,
            self.tags,
            self.lists,
        ]
        totals = [self.usage.get(name, ()) for name in TOTALS]
        told = {path for paths in totals for path in paths}
        told |= {path for group in others for paths in group.values() for path in paths}
        return {path for paths in self.usage.values() for path in paths} - told

    @property
    def exact_paths(self) -> list[str]:
        """Paths whose digits must not pass through a float."""
        return sorted({path for paths in self.money.values() for path in paths})


def typed_columns(fmt: Format) -> Iterator[tuple[str, Paths, str]]:
    """Every typed column of a format with its paths and its kind."""
    for kind, group in (
        ("text", fmt.text), ("integer", fmt.integers), ("number", fmt.numbers), ("boolean", fmt.booleans),
        ("instant", fmt.instants), ("decimal", fmt.money), ("text", fmt.lists),
    ):  # fmt: skip
        yield from ((name, paths, kind) for name, paths in group.items())
    yield from ((f"usage.{name}", fmt.usage.get(name, ()), "integer") for name in MEASURES)
    yield from ((f"tag.{name}", paths, "text") for name, paths in fmt.tags.items())


def beside(fmt: Format) -> set[str]:
    """Columns for the duration of a call and for whether it was streamed; none affects its cost."""
    times = {name for name in fmt.instants if name != "event_at"}
    return {*fmt.numbers, *times, *({"is_stream", "was_stream"} & set(fmt.booleans))}


def for_source(fmt: Format, source: RequestSource) -> Format:
    """`fmt` with the source's attribution fields and defaults. Raises SourceError for a name that does not exist."""
    text, tags = dict(fmt.text), dict(fmt.tags)
    for column, path in source.attribution.items():
        if column.startswith("tags.") and column != "tags.":
            tags[column.removeprefix("tags.")] = (path,)
            continue
        if column not in ATTRIBUTION_COLUMNS:
            raise SourceError(
                f"source {source.source}: attribution.{column}: no such field; accepted are {', '.join(ATTRIBUTION_COLUMNS)} and tags.<name>"
            )
        text[column] = (path, *(known for known in text.get(column, ()) if known != path))
    constants = dict(fmt.constants)
    for key, value in source.defaults.items():
        column = {"model": "request_model"}.get(key, key)
        if column not in TEXT_COLUMNS:
            accepted = ", ".join(("model", *TEXT_COLUMNS))
            raise SourceError(f"source {source.source}: defaults.{key}: no such field; accepted are {accepted}")
        if not isinstance(value, str):
            raise SourceError(f"source {source.source}: defaults.{key}: found {value!r}, text is accepted")
        if column == "service_tier" and not re.fullmatch(SERVICE_TIER_NAME, value):
            raise SourceError(
                f"source {source.source}: defaults.service_tier: found {value!r}, a name such as standard or batch is accepted"
            )
        constants[column] = value
    undated = source.options.get("undated", "refuse")
    if undated not in ("refuse", "arrival"):
        raise SourceError(f"source {source.source}: options.undated: found {undated!r}, refuse or arrival is accepted")
    declared = replace(fmt, text=text, tags=tags, constants=constants, undated=undated)
    try:
        path_tree(declared.paths)
    except ValueError as error:
        raise SourceError(f"source {source.source}: attribution: {error}") from None
    return declared
