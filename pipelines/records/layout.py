"""A layout declares which fields of a file become which columns, and how the file holds its records.

Readers take from it which paths to read and how containers open; `typed_frame.py` and the rules take the columns. Request
formats (`pipelines.requests.format`) and bill formats (`pipelines.bills.formats`) are layouts. This module opens no file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple

import polars as pl

from pipelines.config.mistakes import Key, KeyMistake, dotted
from pipelines.records.conversions import TimeRule
from pipelines.records.measures import MEASURES, TOTALS
from pipelines.records.number_marks import Marks

Paths = tuple[str, ...]
MAX_PREFIX = 256
"""Characters of a line in which its object has to begin."""
LINE_COLUMNS = frozenset(
    ("@message", "message", "Message", "msg", "log", "line", "Line", "_raw", "raw", "jsonPayload", "json_payload", "textPayload", "text_payload")
)  # fmt: skip
"""Columns in which exports of log services hold the line that was logged."""
Kind = Literal["text", "integer", "number", "boolean", "instant", "decimal"]
ItemReader = Callable[[object], Iterable[object]]
"""Opens one decoded JSON value into the records that it holds."""


class SourceError(KeyMistake):
    """A source's declaration can't be used. The message names source, option, what was found and what is accepted."""

    def __init__(self, source: str, key: Key, problem: str) -> None:
        super().__init__(key, problem)
        self.args = (f"source {source}: {dotted(key)}: {problem}",)


class Column(NamedTuple):
    """A typed column and the paths that may fill it: the first that is present and not empty counts."""

    name: str
    paths: Paths
    kind: Kind


@dataclass(frozen=True)
class Layout:
    """Which fields are read, as what, and how a file holds them.

    `text`, `integers`, `numbers`, `booleans`, `instants` and `money` map a column to the paths that hold it; the
    first that is present and not empty counts. `usage` does so for measures (`measures.py`), `tags` for tag names, `lists`
    for columns of JSON lists. `constants` fill a text column where a record has none. `derive` gives further columns as
    expressions over the typed ones. `semantics` names the rule by which the counts of `usage` add up.

    `items` opens one decoded JSON value into the records it holds; where `marks` are given, only lines that contain one of these texts go through it,
    else all do; `read_by_items` are places that only it reads. `in_sequence` says that the reader remembers earlier lines of the file, so that they
    are read one after the other, `in_sequence_where` that it does so in files whose beginning holds one of these texts. `is_wrapped` says that objects which no format names may stand around records (`wrappers.py`). `of_text` makes a
    record of a line that is no JSON, or None if it holds none. `bodies` are the places where an answer may lie as the text of an event stream, the
    empty one for the record itself (`event_streams.py`). `maybe_objects` are further places that may hold an object, or words or a list, which are
    not read.

    `delimiter` separates the columns of a CSV file, and `encoding` is that of its text where it is not Unicode. `columns_of` names, per option, the
    columns that a table must have; `column_name` brings a column of a table to the path it stands for. `number_marks` are the marks in numbers that
    are written as text, by path; an empty map says that the file has to show them (None: as in JSON). `described_by` names text columns, and tags,
    that only describe a record: one that holds no text costs itself and not the record. `user_key`, where given, turns end users into a keyed hash.
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
    number_marks: Mapping[str, Marks] | None = None
    items: Callable[[], ItemReader] | None = None
    marks: tuple[str, ...] = ()
    read_by_items: Paths = ()
    in_sequence: bool = False
    in_sequence_where: tuple[str, ...] = ()
    is_wrapped: bool = False
    of_text: Callable[[str], object] | None = None
    bodies: Paths = ()
    maybe_objects: Paths = ()
    delimiter: str = ","
    encoding: str | None = None
    columns_of: Mapping[str, str] = field(default_factory=dict)
    column_name: Callable[[str], str] = str
    described_by: tuple[str, ...] = ()
    user_key: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        unknown = sorted(set(self.usage) - set(MEASURES))
        if unknown:
            raise ValueError(f"format {self.name}: {unknown} are no measures, accepted are {sorted(MEASURES)}")

    def own_reader(self) -> ItemReader:
        """A fresh reader of the records in a decoded value; the value itself in a format without containers."""
        return self.items() if self.items is not None else lambda value: [value]

    @cached_property
    def columns(self) -> list[Column]:
        """Every typed column; each measure is one, also where no path fills it."""
        groups: tuple[tuple[Kind, Mapping[str, Paths]], ...] = (
            ("text", self.text), ("integer", self.integers), ("number", self.numbers), ("boolean", self.booleans),
            ("instant", self.instants), ("decimal", self.money), ("text", self.lists),
            ("integer", {f"usage.{name}": self.usage.get(name, ()) for name in MEASURES}),
            ("text", {f"tag.{name}": paths for name, paths in self.tags.items()}),
        )  # fmt: skip
        return [Column(name, paths, kind) for kind, group in groups for name, paths in group.items()]

    @cached_property
    def paths(self) -> list[str]:
        """Every path that is read from a record: the allow-list."""
        return sorted({path for column in self.columns for path in column.paths})

    @cached_property
    def counted_paths(self) -> list[str]:
        """Paths that hold counts or amounts, which a mark can change by a thousand."""
        return sorted(
            {path for column in self.columns if column.kind in ("integer", "decimal") for path in column.paths}
        )

    @cached_property
    def exact_paths(self) -> list[str]:
        """Paths whose digits must not pass through a float."""
        return sorted({path for paths in self.money.values() for path in paths})

    @cached_property
    def readable(self) -> frozenset[str]:
        """Names that columns of a table may have: the heads, whole paths, as tables flatten objects, and what may hold a whole record."""
        return frozenset(self.heads).union(self.paths, self.read_by_items, LINE_COLUMNS if self.is_wrapped else ())

    def path_of(self, column: str) -> str:
        """The path that a column of a table stands for; `usage.prompt_tokens` is the field of an object unless it is a name of its own."""
        own = self.column_name(column)
        nested = column.replace(".", "/")
        return nested if own not in self.heads and nested in self.readable else own

    @cached_property
    def yielding(self) -> set[str]:
        """Columns of which a 0 gives way to a count in a later path: the details of a usage, which APIs state in several places."""
        return {f"usage.{name}" for name in MEASURES if name not in TOTALS}

    @cached_property
    def detail_paths(self) -> set[str]:
        """Paths that hold details of a usage, or what only describes a record, and nothing else."""
        details = self.yielding | set(self.described_by)
        others = {path for column in self.columns if column.name not in details for path in column.paths}
        return {path for column in self.columns if column.name in details for path in column.paths} - others

    @cached_property
    def loose_paths(self) -> Paths:
        """Places where something else than an object is no fault: where an answer may lie, but for a place that was declared, and the like."""
        declared = "" if "" in self.bodies else next(iter(self.bodies), "")
        places = {*self.bodies, *self.maybe_objects}
        around = {path[: at.start()] for path in places for at in re.finditer("/", path)}
        return tuple(sorted(path for path in places | around if path and not f"{declared}/".startswith(f"{path}/")))

    @cached_property
    def heads(self) -> set[str]:
        """The first keys of the paths, which are the columns of a table that are read."""
        return {path.split("/")[0].removesuffix("[]") for path in self.paths}
