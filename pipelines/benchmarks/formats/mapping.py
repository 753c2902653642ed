"""Format `mapping`: any table or list of scores, described in `sources.yaml` instead of in code.

For boards without a format of their own (a Vellum or OpenCompass table saved by hand, a company's own evaluations):
CSV, TSV, JSON, JSON Lines, YAML, Parquet, or the tables of a page in markdown or HTML, one entry per record with one or several score columns, or one record per item
of the benchmark (option `item_field`), which gives far sharper comparisons.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

import orjson
from pydantic import Field, ValidationError

from pipelines.benchmarks.collector import Collector, check_row
from pipelines.benchmarks.fields import (
    NO_SCORE,
    BoardOptionsError,
    EntryError,
    count,
    day,
    is_blank,
    money,
    number,
    numbers,
    shown_name,
    text,
    weights,
)
from pipelines.benchmarks.formats._entries import ItemEntries
from pipelines.benchmarks.formats._tables import read_json, read_page, read_parquet, read_table, read_yaml, wrong_shape
from pipelines.benchmarks.observation import Benchmark, BoardSnapshot, RowKind, Traits
from pipelines.config.declaration import Declaration
from pipelines.config.fetched import FETCH_OPTIONS
from pipelines.config.mistakes import Key, dotted, explained
from pipelines.landing import read_bytes
from pipelines.outside import worded
from pipelines.records.oriented import records_of, says

_OUTCOMES = {"true": 1, "false": 0}
"""Outcomes of an item, as JSON has them and as tables write them."""
_FLOAT_NOISE = 1e-6
_FEWEST, _NEARLY_ALL = 5, 0.8
"""Numbers of a column, and the share of them from 0 to 100, from which on it holds per cent."""
_AROUND = re.compile(r"^[~≈]|%$|/10$")
"""What people write around a number: about, per cent, out of ten."""


class ScoreColumn(Declaration):
    """One score per record: its field and what it measures. `scale: share` is written 0 to 1 and kept as per cent.

    `when` limits it to records whose fields have these values: a table with one row per model and benchmark declares
    one of these per benchmark, all with the same `field`.
    """

    field: str
    when: dict[str, str] = Field(default_factory=dict)
    benchmark: str
    version: str = "1"
    display_name: str | None = None
    unit: str = "percent"
    scale: Literal["as_written", "share"] = "as_written"
    metric_kind: str = "accuracy"
    lower_is_better: bool = False
    n_items: int | None = Field(default=None, gt=0)
    n_items_field: str | None = None
    """Field with the number of items, where it differs from record to record; `n_items` counts where it is blank."""
    stderr_field: str | None = None
    ci_low_field: str | None = None
    ci_high_field: str | None = None
    cost_field: str | None = None
    n_success_field: str | None = None
    votes_field: str | None = None

    @property
    def measure(self) -> Measure:
        """What it measures."""
        return self.benchmark, self.version, self.field


Measure = tuple[str, str, str]
"""Benchmark, its version, and the field of the score."""


class MappingOptions(Declaration):
    """Options of a `mapping` board. Fields of nested JSON are named with dots (`metrics.accuracy`)."""

    model_field: str
    scores: tuple[ScoreColumn, ...] = Field(min_length=1)
    key_field: str | None = None
    name_field: str | None = None
    """Field with the name to resolve the model by, where the entry's own name is no name of a model."""
    variant_field: str | None = None
    harness_field: str | None = None
    """Field with what ran the evaluation: a library, an agent, a scaffold, with its version."""
    weights_field: str | None = None
    """Field that says whether weights are open: true or false, open or closed, or the licence."""
    item_field: str | None = None
    """Field that names the item, where there is a record per model and item: the score is the mean of its outcomes."""
    cluster_field: str | None = None
    """Field that names what items have in common (a text, a repository): they are then not taken as independent."""
    date_field: str | None = None
    records: str = ""
    """Where the list of records lies in a JSON document, with dots; empty where the document is the list."""
    delimiter: str = Field(default=",", pattern=r"^.$")
    decimal: Literal[".", ","] = "."
    """The mark before decimals in numbers that are written as text; point or comma, the other one parts thousands."""
    row_kind: RowKind = "entry"
    is_window: bool = False
    measured_by: Literal["vendor", "independent", "community", "aggregator"] = "independent"


def option_mistakes(options: Mapping[str, Any]) -> list[tuple[Key, str]]:
    """What is wrong in the options: key and problem of each mistake."""
    try:
        MappingOptions.model_validate(options)
    except ValidationError as error:
        return explained(MappingOptions, error.errors(include_url=False))
    return []


def parse(into: Collector) -> BoardSnapshot:
    """Read one file as the board's options describe it. Raises ValueError where the options are wrong."""
    declared = {key: value for key, value in into.board.options.items() if key not in FETCH_OPTIONS}
    if mistakes := option_mistakes(declared):
        problems = "; ".join(f"{dotted(('options', *key))}: {problem}" for key, problem in mistakes)
        raise BoardOptionsError(f"leaderboard {into.board.board}: {problems}")
    options = MappingOptions.model_validate(declared)
    entries = ItemEntries(into)
    records: Iterable[tuple[int, Any]] = _records(options, into)
    bounded: frozenset[Measure] = frozenset()
    if options.item_field is None:
        records = list(records)
        bounded = frozenset(_per_cent(options, records))
    for item_no, (line, record) in enumerate(records):
        try:
            rows = list(_rows(options, record, into, (item_no, line), bounded))
            if options.item_field is None:
                into.keep(*rows)
            else:
                item = text(_field(record, options.item_field), options.item_field)
                cluster = _field(record, options.cluster_field) if options.cluster_field else None
                entries.add(rows, item, None if cluster is None else str(cluster))
                into.count_valid()
        except EntryError as error:
            kept = {options.model_field, options.key_field, *(column.field for column in options.scores)} - {None}
            fields = {name: _field(record, str(name)) for name in sorted(map(str, kept))}
            into.reject(item_no, error.reason, str(error), fields=fields, line_no=line)
    entries.keep()
    benchmarks = {column.benchmark: _benchmark(column) for column in options.scores}
    first = options.scores[0]
    traits = Traits(row_kind=options.row_kind, primary_version=first.version, is_window=options.is_window)
    return into.snapshot(into.observation(traits, tuple(benchmarks.values())))


def _benchmark(column: ScoreColumn) -> Benchmark:
    is_share = column.unit == "percent"
    return Benchmark(
        column.benchmark,
        column.display_name or column.benchmark,
        column.metric_kind,
        column.unit,
        column.lower_is_better,
        0 if is_share else None,
        100 if is_share else None,
    )


def _records(options: MappingOptions, into: Collector) -> Iterator[tuple[int, Any]]:
    """Each record of the file with its line, 1 where it is no line's."""
    suffix = into.file.content_suffix
    scored = [column.field for column in options.scores]
    if suffix in (".csv", ".tsv"):
        delimiter = "\t" if suffix == ".tsv" else options.delimiter
        yield from read_table(into, required=(options.model_field,), known=_named(options), delimiter=delimiter)
        return
    if suffix in (".md", ".html", ".htm"):
        rows = read_page(into, required=(options.model_field,), any_of=scored, known=_named(options))
        yield from ((1, row) for row in rows)
        return
    if suffix == ".parquet":
        yield from ((1, record) for record in read_parquet(into))
        return
    content = read_bytes(into.file)
    if suffix not in (".yaml", ".yml") and (lines := _lines(content, suffix)) is not None:
        for line_no, line in lines:
            try:
                yield line_no, orjson.loads(line)
            except orjson.JSONDecodeError as error:
                into.reject(0, "not_json", f"the line is no JSON: {worded(error)}", record=line, line_no=line_no)
        return
    document = read_yaml(into) if suffix in (".yaml", ".yml") else read_json(into)
    if document is None:
        return
    held = _field(document, options.records) if options.records else document
    records = records_of(held, options.model_field, scored)
    if records is None:
        found = type(held).__name__
        wrong_shape(into, f"expected a list of records at {options.records or 'the top'}, found {found}")
        return
    yield from ((1, record) for record in records)


def _named(options: MappingOptions) -> list[str]:
    """The fields that the options name."""
    named = [value for name, value in options if name.endswith("_field")]
    for column in options.scores:
        named += [value for name, value in column if name == "field" or name.endswith("_field")]
        named += column.when
    return [name for name in named if name]


def _lines(content: bytes, suffix: str) -> list[tuple[int, bytes]] | None:
    """The lines of a file that holds a JSON value in each, whatever it is called; None if it is one document."""
    lines = [(number, line) for number, line in enumerate(content.splitlines(), start=1) if line.strip()]
    if suffix in (".jsonl", ".ndjson"):
        return None if lines and _is_json(content) and (len(lines) > 1 or content.lstrip()[:1] == b"[") else lines
    return lines if len(lines) > 1 and all(_is_json(line) for _, line in lines[:2]) else None


def _is_json(content: bytes) -> bool:
    try:
        orjson.loads(content)
    except orjson.JSONDecodeError:
        return False
    return True


def _per_cent(options: MappingOptions, records: Iterable[tuple[int, Any]]) -> Iterator[Measure]:
    """What is measured in per cent, as nearly all of its numbers say: what is beyond 100 there has lost its point. A field may hold
    several measures (`when`), of which another is no per cent."""
    for column in options.scores:
        if (column.unit, column.scale) != ("percent", "as_written"):
            continue
        rows = (record for _, record in records if isinstance(record, Mapping) and _applies(column, record))
        values = (_field(_spelled(row, column, options), column.field) for row in rows)
        stated = [_AROUND.sub("", str(value).strip()) for value in values if not is_blank(value)]
        found, _ = numbers({str(place): value for place, value in enumerate(stated)})
        inside = sum(0 <= value <= 100 for value in found.values())
        if len(found) >= _FEWEST and inside >= _NEARLY_ALL * len(found):
            yield column.measure


def _field(record: object, name: str) -> Any:  # noqa: ANN401 - a value of parsed JSON
    """The value under a dotted name; a name that is a key as it stands wins."""
    if isinstance(record, Mapping) and name in record:
        return record[name]
    value: Any = record
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _rows(
    options: MappingOptions, record: object, into: Collector, place: tuple[int, int], bounded: Container[Measure]
) -> Iterator[dict[str, Any]]:
    """The score rows of a record: of an item, one without an outcome too (score None); else those that have a score."""
    if not isinstance(record, Mapping):
        raise EntryError("wrong_shape", f"expected a record with {options.model_field}, found {type(record).__name__}")
    model = shown_name(_field(record, options.model_field), options.model_field)
    variant = str(_field(record, options.variant_field) or "") if options.variant_field else ""
    key = (
        text(_field(record, options.key_field), options.key_field)
        if options.key_field
        else f"{model} {variant}".strip()
    )
    as_of = day(_field(record, options.date_field), options.date_field) if options.date_field else None
    wanted = [column for column in options.scores if _applies(column, record)]
    if not wanted:
        raise EntryError("no_rule", "no score of the declaration is for this record: see `when` in options.scores")
    scores, broken = _scores(wanted, record, options, bounded)
    if not scores:
        fields = ", ".join(sorted({c.field for c in wanted}))
        raise next(iter(broken.values()), EntryError(NO_SCORE, f"none of {fields} has a value"))
    item_no, line = place
    into.reject_values(broken, item_no, line_no=line, model=model, key=key)
    for column, score in scores:
        yield {
            "benchmark_id": column.benchmark,
            "version_label": column.version,
            "source_row_key": key,
            "raw_model": model,
            "model_name": str(_field(record, options.name_field) or "") if options.name_field else None,
            "variant": variant,
            **score,
            "measured_by": options.measured_by,
            "as_of": as_of or into.as_of,
            "source_locator": f"/{key}/{column.field}",
            "weights": weights(_field(record, options.weights_field)) if options.weights_field else None,
            "harness": str(_field(record, options.harness_field) or "") or None if options.harness_field else None,
        }


def _scores(
    wanted: Iterable[ScoreColumn], record: Mapping[str, Any], options: MappingOptions, bounded: Container[Measure]
) -> tuple[list[tuple[ScoreColumn, dict[str, Any]]], dict[str, EntryError]]:
    """The scores that the record states, and what of it can't be read, by field."""
    is_item = options.item_field is not None
    scores: list[tuple[ScoreColumn, dict[str, Any]]] = []
    broken: dict[str, EntryError] = {}
    for column in wanted:
        spelled = _spelled(record, column, options)
        if not is_item and is_blank(_field(spelled, column.field)):
            continue
        details: dict[str, EntryError] = {}
        try:
            found = _score(column, spelled, details, is_item=is_item)
            if column.measure in bounded and not 0 <= found["score"] <= 100:
                problem = f"{column.field} is {found['score']:g} where nearly all are from 0 to 100: declare its `unit` if it is no per cent"
                raise EntryError("out_of_range", problem)
        except EntryError as error:
            broken[column.field] = error
            continue
        scores.append((column, found))
        broken |= details
    return scores, broken


def _spelled(record: Mapping[str, Any], column: ScoreColumn, options: MappingOptions) -> Mapping[str, Any]:
    """The record with a point before the decimals of the numbers that the column names."""
    if options.decimal == ".":
        return record
    names = {value for name, value in column if name == "field" or name.endswith("_field")} - {None}
    swapped = {name: value.translate(_SWAPPED) for name in names if isinstance(value := _field(record, name), str)}
    return {**record, **swapped}


_SWAPPED = str.maketrans(".,", ",.")


def _applies(column: ScoreColumn, record: Mapping[str, Any]) -> bool:
    return all(says(_field(record, name), value) for name, value in column.when.items())


def _score(
    column: ScoreColumn, record: Mapping[str, Any], broken: dict[str, EntryError], *, is_item: bool
) -> dict[str, Any]:
    """The score and its details; a detail that can't be read is left out and reported in `broken`, by field."""

    def detail(name: str | None, read: Callable[[object, str], Any]) -> Any:  # noqa: ANN401 - whatever `read` gives
        try:
            return None if name is None else read(_field(record, name), name)
        except EntryError as error:
            broken[str(name)] = error
            return None

    def scaled(value: object, name: str) -> float | None:
        return None if is_blank(value) else _scaled(value, name, column.scale)

    shown = _field(record, column.field)
    if is_item:  # solved or not; in a table of scores a boolean is something else
        shown = _OUTCOMES.get(str(shown).strip().lower(), shown)
    score = scaled(shown, column.field)
    if score is not None and column.scale == "share":
        score = 100.0 if 100 < score <= 100 + _FLOAT_NOISE else score
        if not 0 <= score <= 100:
            problem = f"{column.field} is {score / 100:g}: accepted are shares from 0 to 1; per cent are declared `scale: as_written`"
            raise EntryError("out_of_range", problem)
    low, high = detail(column.ci_low_field, scaled), detail(column.ci_high_field, scaled)
    if low is not None and high is not None and low > high:
        raise EntryError("identity_broken", f"{column.ci_low_field} {low} is above {column.ci_high_field} {high}")
    has_bounds = low is not None and high is not None
    n_items = detail(column.n_items_field, count)
    found = {
        "score": score,
        "score_text": str(shown).strip(),
        "stderr": detail(column.stderr_field, scaled),
        "ci_low": low if has_bounds else None,
        "ci_high": high if has_bounds else None,
        "ci_level": 0.95 if has_bounds else None,
        "ci_method": "reported" if has_bounds else "none",
        "run_cost_usd": detail(column.cost_field, money),
        "n_success": detail(column.n_success_field, count),
        "votes": detail(column.votes_field, count),
        "n_items": n_items or (None if column.n_items_field in broken else column.n_items),
    }
    if not is_item:
        check_row(found)
    return found


def _scaled(value: object, name: str, scale: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        return number(value, name)  # which says why it is none
    shown = _AROUND.sub("", str(value).strip())
    if scale == "as_written":
        return number(shown, name)
    number(shown, name)
    try:
        return float(Decimal(shown) * 100)
    except InvalidOperation:
        raise EntryError("not_a_number", f"{name} is {value!r}, not a number") from None
