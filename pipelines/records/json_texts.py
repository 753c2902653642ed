"""JSON lines to columns of texts at speed, without losing or shifting a line.

Every line is first held to be one JSON object of its own, so that none can reach into its neighbours when blocks of
them are decoded by polars as one array. What does not decode so, or only in doubt, is read line by line by the
reference reading in `json_record.py`. Where bytes come from is in `line_chunks.py`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import orjson
import polars as pl

from pipelines.constant import empty, repeated
from pipelines.records.json_record import COUNTED, MAX_TEXT, RecordError, load, texts_of
from pipelines.records.paths import Node

BLOCK_LINES = 4000
"""Lines per decoded block: 100,000 take three times as long, because they leave the cache."""

_SMALLEST_BLOCK = 50
"""A block that does not decode is halved down to this size; what is left is read line by line."""

_WORKERS = min(4, os.cpu_count() or 1)
_SAMPLE_LINES = 200
_SUSPECT = [r"\u0000", r"\ud", r"\uD"]


@dataclass(frozen=True)
class Failure:
    """Line `index` of the decoded frame could not be read."""

    index: int
    reason: str
    detail: str


class JsonDecoder:
    """Decodes lines of JSON objects along one tree of paths.

    `exact` names paths whose digits must be those of the line (money). Which nodes are written as JSON strings is
    learnt from the lines that do not decode and remembered.
    """

    def __init__(self, tree: Node, exact: Iterable[str] = ()) -> None:
        self._tree = tree
        self._exact = tuple(exact)
        self._as_text: set[str] = set()
        self._has_learnt = False

    def decode(self, lines: pl.DataFrame) -> tuple[pl.DataFrame, list[Failure]]:
        """Decode `lines` (index: Int64, line: String) to a frame of `index` and one String column per path.

        Rows come in the order of `index`; every index is in the frame or in the failures, never in both.
        """
        if not self._has_learnt:
            self._learn(lines)
            self._has_learnt = True
        sound = _are_objects(lines["line"])
        whole = bool(sound.all())
        rows, pending, doubted = self._attempt(lines if whole else lines.filter(sound))
        frames, slow = [rows], [doubted if whole else pl.concat([lines.filter(~sound), doubted])]
        if pending.height:
            self._learn(pending)
            again, rest, more_doubted = self._attempt(pending)
            frames.append(again)
            slow += [rest, more_doubted]
        slowly, failures = self.one_by_one(pl.concat(slow))
        rows = pl.concat([*frames, slowly])
        if pending.height or slowly.height:
            rows = rows.sort("index")
        if rows.height + len(failures) != lines.height:
            raise AssertionError(f"{lines.height} lines became {rows.height} rows and {len(failures)} failures")
        return rows, failures

    def _attempt(self, lines: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        """The fast reading: rows that it vouches for, lines that it could not decode, lines that it doubts."""
        records = _in_blocks(lines["index"], lines["line"], self._dtype(self._tree))
        columns, failed = self._columns(records["index"], records["value"], self._tree)
        rows = pl.DataFrame([records["index"], *columns]).select("index", *self._tree.paths)
        if failed:
            rows = rows.filter(~pl.col("index").is_in(sorted(failed)))
        decoded = lines if rows.height == lines.height else lines.join(rows.select("index"), on="index", how="semi")
        pending = lines.clear() if rows.height == lines.height else lines.join(rows, on="index", how="anti")
        rows, doubt = self._doubts(decoded, rows)
        if not doubt.any():
            return rows, pending, lines.clear()
        return rows.filter(~doubt), pending, decoded.filter(doubt)

    def _columns(self, index: pl.Series, record: pl.Series, node: Node) -> tuple[list[pl.Series], set[int]]:
        """One column per path below `node`, and the indexes whose inner JSON text does not decode."""
        columns: list[pl.Series] = []
        failed: set[int] = set()
        for key, path in {**node.leaves, **node.lists}.items():
            column = record.struct.field(key)
            if key in node.lists:
                column, broken = list_texts(index, column)
                failed |= broken
            columns.append(column.rename(path))
        for key, child in node.children.items():
            value = record.struct.field(key)
            if value.dtype == pl.String:
                if child.path in node.bodies:  # words are no answer; what may be one the reference reading looks at
                    value = value.set(~value.str.contains(r"^\s*\{"), None)
                    if node.children.keys() & COUNTED:
                        failed |= set(index.filter(value.is_not_null()).to_list())
                value, broken = self._opened(index, value, self._dtype(child))
                failed |= broken
            inner, broken = self._columns(index, value, child)
            columns += inner
            failed |= broken
        return columns, failed

    def _opened(self, index: pl.Series, texts: pl.Series, dtype: pl.Struct) -> tuple[pl.Series, set[int]]:
        """A column of JSON strings decoded, and the indexes of those that do not decode; null and blank stay null."""
        held = pl.DataFrame({"index": index, "text": texts}).filter(
            ~pl.col("text").str.strip_chars().is_in(["", "null"])
        )
        sound = held.filter(_are_objects(held["text"]))
        opened = _in_blocks(sound["index"], sound["text"], dtype)
        failed = set(held["index"].to_list()) - set(opened["index"].to_list()) if opened.height < held.height else set()
        if opened.height == len(index):
            return opened["value"], failed
        placed = index.to_frame("index").join(opened, on="index", how="left", maintain_order="left")
        return placed["value"], failed

    def _dtype(self, node: Node) -> pl.Struct:
        fields: dict[str, pl.DataType] = dict.fromkeys(node.leaves, pl.String())
        for key, path in node.lists.items():
            fields[key] = pl.String() if path in self._as_text else pl.List(pl.String())
        for key, child in node.children.items():
            fields[key] = pl.String() if child.path in self._as_text else self._dtype(child)
        return pl.Struct(fields)

    def _learn(self, lines: pl.DataFrame) -> None:
        """Learn from the first lines which nodes are written as JSON strings."""
        for line in lines["line"].head(_SAMPLE_LINES).to_list():
            try:
                record = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue
            if isinstance(record, dict):
                self._observe(record, self._tree)

    def _observe(self, record: dict[str, Any], node: Node) -> None:
        for key, path in node.lists.items():
            self._remember(path, record.get(key))
        for key, child in node.children.items():
            value = record.get(key)
            self._remember(child.path, value)
            if isinstance(value, str) and child.children:
                try:
                    value = orjson.loads(value)
                except orjson.JSONDecodeError:
                    continue
            if isinstance(value, dict):
                self._observe(value, child)

    def _remember(self, path: str, value: object) -> None:
        if isinstance(value, str):
            self._as_text.add(path)
        elif value is not None:
            self._as_text.discard(path)

    def _doubts(self, lines: pl.DataFrame, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
        """`rows` with the digits of money as written, and which rows the fast reading may have changed.

        That is: NUL (also what half a surrogate pair turns into), texts that are too long, digits not found.
        """
        both = rows.with_columns(lines["line"])
        written = [self._digits(both, path) for path in self._exact]
        rows = rows.with_columns(written)
        doubts = [
            pl.Series(column.name, column.is_null() & own.is_not_null())
            for column, own in zip(written, both.select(self._exact), strict=True)
        ]
        texts = [pl.col(path) for path in self._tree.paths]
        doubt = repeated(False, rows.height, pl.Boolean())
        if both.select((pl.col("line").str.len_bytes() > MAX_TEXT).any()).item():
            long = pl.any_horizontal(pl.lit(value=False), *[text.str.len_bytes() > MAX_TEXT for text in texts])
            doubt = rows.select(long.fill_null(value=False)).to_series()
        for found in doubts:
            doubt = doubt | found
        escaped = lines["line"].filter(lines["line"].str.contains(r"\u", literal=True))
        if escaped.str.contains_any(_SUSPECT).any():
            nul = pl.any_horizontal(pl.lit(value=False), *[text.str.contains("\x00", literal=True) for text in texts])
            doubt = doubt | rows.select(nul.fill_null(value=False)).to_series()
        return rows, doubt

    def _digits(self, both: pl.DataFrame, path: str) -> pl.Series:
        """The column with the digits that stand in the line; null where these can't be known.

        Decoding passes numbers through a float and writes 1e-05 as 0.00001: the digits of the line count.
        """
        same = pl.col("line").str.contains(pl.col(path), literal=True)
        column, line = pl.col(path), pl.col("line")
        if both.select((same | column.is_null()).all()).item():
            return both[path]
        key = re.escape(path.rsplit("/", 1)[-1])
        text = line.str.extract(rf'"{key}\\?"\s*:\s*"?(-?\d[0-9.eE+-]*)')
        equal = text.cast(pl.Float64, strict=False) == column.cast(pl.Float64, strict=False)
        return both.select(pl.when(same).then(column).when(equal).then(text).alias(path)).to_series()

    def one_by_one(self, lines: pl.DataFrame) -> tuple[pl.DataFrame, list[Failure]]:
        """As `decode`, by the reference reading alone: the better way for a handful of lines."""
        rows: list[tuple[str | None, ...]] = []
        indexes: list[int] = []
        failures: list[Failure] = []
        for index, line in lines.iter_rows():
            try:
                texts = texts_of(load(line), self._tree)
            except RecordError as error:
                failures.append(Failure(index, error.reason, str(error)))
                continue
            indexes.append(index)
            rows.append(tuple(texts[path] for path in self._tree.paths))
        schema = dict.fromkeys(self._tree.paths, pl.String())
        texts_frame = pl.DataFrame(rows, schema=schema, orient="row") if rows else empty(schema)
        return texts_frame.insert_column(0, pl.Series("index", indexes, dtype=pl.Int64)), failures


def _are_objects(texts: pl.Series) -> pl.Series:
    """Which texts are one JSON object each, no more and no less."""
    sound: list[bool] = []
    for text in texts.to_list():
        try:
            sound.append(type(orjson.loads(text)) is dict)
        except orjson.JSONDecodeError:
            sound.append(False)
    return pl.Series("sound", sound, dtype=pl.Boolean)


def _in_blocks(index: pl.Series, texts: pl.Series, dtype: pl.Struct) -> pl.DataFrame:
    """`texts` decoded as `dtype`: index and value, without small blocks that hold a text that does not decode so.

    Polars joins the texts of a block with commas and decodes the one array. That keeps every text in its place only
    because each is one JSON object (`_are_objects`); others could open or close something and shift the rest.
    """
    lines = pl.DataFrame([index.alias("index"), texts.alias("value")])
    if lines.height <= BLOCK_LINES:  # no threads for one block
        good = _good_parts(lines, dtype) if lines.height else []
    else:
        with ThreadPoolExecutor(_WORKERS) as pool:
            blocks = list(pool.map(lambda block: _good_parts(block, dtype), lines.iter_slices(BLOCK_LINES)))
        good = [part for parts in blocks for part in parts]
    return pl.concat(good) if good else empty({"index": pl.Int64(), "value": dtype})


def _good_parts(lines: pl.DataFrame, dtype: pl.Struct) -> list[pl.DataFrame]:
    """What of a block decodes, by halves: one text of another type does not take its neighbours with it."""
    decoded = _decoded(lines["value"], dtype)
    if decoded is not None:
        return [lines.with_columns(decoded)]
    if lines.height <= _SMALLEST_BLOCK:
        return []
    half = lines.height // 2
    return _good_parts(lines.head(half), dtype) + _good_parts(lines.tail(lines.height - half), dtype)


def _decoded(texts: pl.Series, dtype: pl.Struct) -> pl.Series | None:
    """A block decoded, or None if it does not decode as a whole or changes its length."""
    try:
        decoded = texts.str.json_decode(dtype)
    except pl.exceptions.PolarsError:
        return None
    return decoded if len(decoded) == len(texts) and not decoded.null_count() else None


def list_texts(index: pl.Series, column: pl.Series) -> tuple[pl.Series, set[int]]:
    """Lists of scalars, or texts that hold such lists, as JSON texts of lists of strings; indexes of those that are neither."""
    if column.null_count() == len(column):
        return repeated(None, len(column), pl.String()).rename(column.name), set()
    known: dict[str, str | None] = {}
    texts: list[str | None] = []
    failed: set[int] = set()
    for number, value in zip(index.to_list(), column.to_list(), strict=True):
        if value is None or (isinstance(value, str) and not value.strip()):
            texts.append(None)
        elif not isinstance(value, str):
            texts.append(orjson.dumps(value).decode())
            # A text in place of a list is decoded as a list of that text, which may be a JSON list itself, or blank.
            alone = value[0] if len(value) == 1 else None
            if (alone is not None and (not alone.strip() or alone.lstrip().startswith("["))) or "\\u0000" in str(
                texts[-1]
            ):
                failed.add(number)
        else:
            if value not in known:
                known[value] = _strings(value)
            texts.append(known[value])
            if known[value] is None:
                failed.add(number)
    return pl.Series(column.name, texts, dtype=pl.String), failed


def _strings(text: str) -> str | None:
    """The JSON text again where it is a list of strings; None sends the line to the reference reading."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(value, list) or not all(isinstance(item, str) and "\x00" not in item for item in value):
        return None
    return orjson.dumps(value).decode()
