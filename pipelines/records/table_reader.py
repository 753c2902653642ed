"""Rows of a table to texts, whatever kind of file the table came from.

A column that holds single values is taken as it is. One that holds objects or lists, as JSON text or as a nested type, is
read as JSON (`json_texts.py`), and so is every row in doubt, whole (`json_record.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import orjson
import polars as pl

from pipelines.constant import repeated
from pipelines.records.batches import POSITION, Batch, only_faults, placed
from pipelines.records.json_documents import Item, item_faults, item_texts, line_items
from pipelines.records.json_record import MAX_TEXT, Number, spelled
from pipelines.records.json_texts import Failure, JsonDecoder
from pipelines.records.layout import LINE_COLUMNS, MAX_PREFIX, Layout
from pipelines.records.line_chunks import Chunk, Fault, digest_of
from pipelines.records.paths import path_tree
from pipelines.records.python_texts import BEGINS, as_json
from pipelines.records.tables import TableChunk, as_json_lines
from pipelines.records.tally import Tally
from pipelines.records.typed_frame import filled
from pipelines.records.wrappers import Wrappers

_EVENT = r'data: ?\{["\\\x00-\x1f]'
"""How the text of an event stream looks in a cell; `MARKS` in its JSON."""
_LINE = rf"^[^{{]{{0,{MAX_PREFIX - 1}}}\{{"
"""How a line with an object looks."""
_OBJECT = r"^\s*[\[{]"
"""How the text of an object or a list begins."""
_AS_WRITTEN = (pl.String, pl.Categorical, pl.Enum, pl.Boolean, pl.Date)
"""Types whose text is what a JSON line of them would hold."""


class TableReader:
    """Reads the rows of one file along the paths of a layout."""

    def __init__(self, layout: Layout, tally: Tally, absent: str | None = None) -> None:
        """`absent` says in words which declared columns the table lacks, where it lacks any: no row of it is taken then."""
        self._layout = layout
        self._tally = tally
        self._absent = absent
        self._wrappers = Wrappers(layout)
        self._items = self._wrappers.reader()
        self._tree = path_tree(layout.paths, layout.detail_paths, layout.loose_paths)
        self._flattened = {path for path in self._tree.paths if "/" in path}
        self._decoders: dict[tuple[str, ...], JsonDecoder] = {}
        self._reference = JsonDecoder(self._tree)

    def read(self, part: TableChunk | Chunk) -> Batch:
        """The rows of a part of the table, or the faults of one that only has these. A row that holds an answer as text, or the
        text of an event stream, gives the records within it."""
        if isinstance(part, Chunk):
            return only_faults(part.faults, self._tree.paths)
        part = replace(part, rows=self._plain_cells(part.rows))
        opened = self._to_open(part.rows)
        batch = self._read_rows(part, ~opened)
        if opened.any():
            items = self._within(part, opened)
            texts = pl.concat([batch.texts, item_texts(items, self._tree)]).sort("line_no", "item_no")
            batch = replace(batch, texts=texts, faults=[*batch.faults, *item_faults(items)])
        return batch if self._absent is None else _refused(batch, self._absent)

    def _plain_cells(self, rows: pl.DataFrame) -> pl.DataFrame:
        """`rows` with the objects and lists that Python printed as JSON, and without the formula in which Excel keeps a text: `="1000"`."""
        written = []
        for name, dtype in rows.schema.items():
            if dtype == pl.String and rows[name].str.starts_with('="').any():
                rows = rows.with_columns(pl.col(name).str.replace(r'^="(.*)"$', "$1"))
            is_held = name in self._tree.children or name in self._tree.lists or name in self._layout.read_by_items
            if dtype == pl.String and is_held and (printed := rows[name].str.contains(BEGINS).fill_null(False)).any():
                cells = rows[name].to_list()
                texts = [(as_json(cell) or cell) if said else cell for cell, said in zip(cells, printed, strict=True)]
                written.append(pl.Series(name, texts, dtype=pl.String))
        return rows.with_columns(written) if written else rows

    def _read_rows(self, part: TableChunk, wanted: pl.Series) -> Batch:
        is_whole = bool(wanted.all())
        texts, failures = self._texts(part.rows if is_whole else part.rows.filter(wanted))
        index = part.places["index"].filter(wanted)
        faults = list(part.faults)
        for failure in failures:
            _, line_no, byte_from, byte_to = part.places.row(index[failure.index])
            digest = digest_of(part.record(line_no, byte_from, byte_to))
            faults.append(Fault(line_no, byte_from, byte_to, failure.reason, failure.detail, digest))
        if not is_whole:
            texts = texts.with_columns(index.gather(texts["index"]))
        return Batch(placed(part.places, texts), faults, part.record, text_paths=part.text_paths)

    def _within(self, part: TableChunk, opened: pl.Series) -> list[Item]:
        items: list[Item] = []
        lines = self._as_objects(part.rows.filter(opened))
        for line, (_, line_no, byte_from, byte_to) in zip(lines, part.places.filter(opened).iter_rows(), strict=True):
            found = line_items(line.encode(), (line_no, 0), self._items, self._tree)
            held = [item.at(byte_from, byte_to) for item in found]
            self._tally.correct(len(held) - 1)
            items += held
        return items

    def _texts(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, list[Failure]]:
        """`rows` as index and one String column per path; every index is in the frame or in the failures, never in both."""
        index = pl.int_range(rows.height, eager=True).alias("index")
        plain = {name: text for name in rows.columns if (text := self._plain(rows[name])) is not None}
        nested = tuple(name for name in rows.columns if name in self._tree.places and name not in plain)
        columns, doubted = dict(plain), _unfit(plain.values(), rows.height)
        if nested:
            opened, failures = self._decoder(nested).decode(
                pl.DataFrame([index, as_json_lines(rows.select(list(nested)))])
            )
            if failures:
                doubted |= index.is_in([failure.index for failure in failures])
                opened = index.to_frame().join(opened, on="index", how="left", maintain_order="left")
            columns |= {name: opened[name] for name in opened.columns if name != "index"}
        nothing = repeated(None, rows.height, pl.String())
        texts = pl.DataFrame([index, *(columns.get(path, nothing).alias(path) for path in self._tree.paths)])
        if not doubted.any():
            return texts, []
        lines = pl.DataFrame([index.filter(doubted), as_json_lines(rows.filter(doubted))])
        others, failures = self._reference.one_by_one(lines)
        return pl.concat([texts.filter(~doubted), others]).sort("index"), failures

    def _to_open(self, rows: pl.DataFrame) -> pl.Series:
        """Which rows are opened into records: those that hold the text of an event stream where the layout looks for one, and
        those of which the JSON line would go through `Layout.items`."""
        found = self._holds_line(rows)
        if self._layout.items is None:
            return found
        nested = {
            name: rows[name].is_not_null()
            for name, dtype in rows.schema.items()
            if dtype.is_nested() or dtype in (pl.Categorical, pl.Enum)
        }
        marked = not self._layout.marks or any(
            f'"{name.rpartition("/")[2]}"' in self._layout.marks for name in rows.columns
        )
        for name, dtype in rows.schema.items():
            if dtype == pl.String:
                if self._layout.bodies:
                    found |= rows[name].str.contains(_EVENT).fill_null(value=False)
                held = rows[name].str.contains(_OBJECT).fill_null(value=False)
                if held.any():
                    nested[name] = held
                    found |= held & (marked and name in self._layout.read_by_items)
        if nested and self._layout.marks:
            marks = list(self._layout.marks)
            # In the JSON line of a row the quotes of a cell that holds JSON are escaped; names of columns stand in that line only.
            cells = [rows[name] for name in nested if rows.schema[name] == pl.String]
            whole = [name for name in nested if self._layout.bodies or rows.schema[name] != pl.String]
            cells += [as_json_lines(rows.select(whole))] if whole else []
            for texts in cells:
                found |= texts.str.contains_any(marks).fill_null(value=False)
        elif self._layout.items is not None:
            for held in nested.values():
                found |= held
        return found

    def _holds_line(self, rows: pl.DataFrame) -> pl.Series:
        """Which rows count nothing themselves and hold, in a column of a log service's export, an object that may."""
        held = [
            name
            for name in rows.columns
            if name in LINE_COLUMNS and name not in self._tree.places and rows.schema[name] == pl.String
        ]
        within = [
            pl.col(name).str.contains(_LINE) & pl.col(name).str.contains_any(self._wrappers.names) for name in held
        ]
        if not within:
            return repeated(False, rows.height, pl.Boolean())
        return rows.select(
            (self._wrappers.uncounted(filled(rows)) & pl.any_horizontal(within)).fill_null(value=False)
        ).to_series()

    def _as_objects(self, rows: pl.DataFrame) -> list[str]:
        """The JSON lines of rows, with what a cell holds as JSON text as the object that it is; an answer's own place is the format's to open."""
        names = [
            name
            for name, child in self._tree.children.items()
            if child.path not in self._tree.bodies and rows.schema.get(name) == pl.String
        ]
        flattened = [name for name in rows.columns if "/" in name]
        lines = as_json_lines(rows.drop(*names, *flattened)).to_list()
        for number, row in enumerate(as_json_lines(rows.select(flattened)) if flattened else ()):
            held = {head: json.dumps(value) for head, value in _unflattened(orjson.loads(row)).items()}
            lines[number] = _with_fields(lines[number], {h: text for h, text in held.items() if h not in rows.columns})
        for name in names:
            for number, cell in enumerate(rows[name].to_list()):
                if cell is not None:
                    lines[number] = _with_fields(lines[number], {name: _as_json(cell)})
        return lines

    def _decoder(self, heads: tuple[str, ...]) -> JsonDecoder:
        """The decoder of the columns `heads`, which remembers how they are written."""
        if heads not in self._decoders:
            paths = [path for path in self._layout.paths if path.split("/")[0].removesuffix("[]") in heads]
            exact = [path for path in self._layout.exact_paths if path in paths]
            self._decoders[heads] = JsonDecoder(
                path_tree(paths, self._layout.detail_paths, self._layout.loose_paths), exact
            )
        return self._decoders[heads]

    def _plain(self, column: pl.Series) -> pl.Series | None:
        """The texts of a column of single values; None if it has to be read as JSON."""
        if column.name not in self._tree.leaves and column.name not in self._flattened:
            return None
        if isinstance(column.dtype, pl.Decimal):  # the zeros at its end belong to the type: 10.000 is no thousand
            return column.cast(pl.String).str.replace(r"(\.\d*?)0+$", "$1").str.strip_suffix(".")
        if column.dtype in _AS_WRITTEN or column.dtype.is_integer():
            # Cells are padded where people or tools align them.
            return column.str.strip_chars() if column.dtype == pl.String else column.cast(pl.String)
        if column.dtype == pl.Float64:
            return _numbers_as_written(column)
        if isinstance(column.dtype, pl.Datetime):
            return column.dt.to_string(
                "%Y-%m-%d %H:%M:%S%.f" if column.dtype.time_zone is None else "%Y-%m-%dT%H:%M:%S%.f%:z"
            )
        return None


def _with_fields(line: str, fields: Mapping[str, str]) -> str:
    """A JSON object with further fields, whose values are JSON."""
    return (
        f"{{{','.join(filter(None, (line[1:-1], *(f'{json.dumps(name)}:{text}' for name, text in fields.items()))))}}}"
    )


def _unflattened(row: Mapping[str, Any]) -> dict[str, Any]:
    """The objects of which a table holds each field in a column, `usage/total` of `usage`; what a cell holds as JSON as that."""
    found: dict[str, Any] = {}
    for path, value in row.items():
        *parents, last = path.split("/")
        place = found
        for parent in parents if value is not None else ():
            inner = place.setdefault(parent, {})
            place = inner if isinstance(inner, dict) else {}
        if value is not None:
            place[last] = orjson.loads(_as_json(value)) if isinstance(value, str) else value
    return found


def _as_json(cell: str) -> str:
    """A cell as JSON: the object or list that it holds, else its text."""
    if cell.lstrip()[:1] in ("{", "["):
        with suppress(orjson.JSONDecodeError):
            orjson.loads(cell)
            return cell.strip()
    return json.dumps(cell)


def _numbers_as_written(numbers: pl.Series) -> pl.Series:
    """Floats in the one spelling of a number (`json_record.spelled`); what is no number is null."""
    texts = numbers.cast(pl.String).str.replace(r"\.0$", "")
    is_odd = ~numbers.is_finite() | texts.str.contains("e", literal=True)
    if not is_odd.any():
        return texts
    odd = {text: spelled(Number(text)) for text in texts.filter(is_odd & numbers.is_finite()).unique().to_list()}
    plain = pl.select(pl.when(numbers.is_finite()).then(texts)).to_series()
    return plain.replace(odd).rename(numbers.name)


def _unfit(texts: Iterable[pl.Series], height: int) -> pl.Series:
    """Which rows hold a text that no column may hold: one with a NUL character, or one that is too long."""
    unfit = repeated(False, height, pl.Boolean())
    for text in texts:
        unfit |= ((text.str.len_bytes() > MAX_TEXT) | text.str.contains("\x00", literal=True)).fill_null(value=False)
    return unfit


def _refused(batch: Batch, detail: str) -> Batch:
    """Every row as a fault: the declaration does not fit the table, so that nothing in it can be trusted."""
    faults = list(batch.faults)
    for line_no, item_no, byte_from, byte_to in batch.texts.select(*POSITION).iter_rows():
        digest = digest_of(batch.record(line_no, byte_from, byte_to))
        faults.append(Fault(line_no, byte_from, byte_to, "missing_column", detail, digest, item_no))
    return Batch(batch.texts.clear(), faults, batch.record)
