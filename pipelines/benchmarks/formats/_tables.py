"""Tables, JSON and Parquet for the formats: records with their lines, and what can't be read set aside.

The format modules know what the columns mean.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import orjson
import polars as pl
import yaml

from pipelines.benchmarks.collector import Collector
from pipelines.landing import read_bytes
from pipelines.outside import worded
from pipelines.pages.sections import sections_of
from pipelines.pages.texts import without_struck

_DELIMITERS = (",", ";", "\t", "|")
_LINES_BEFORE_HEADER = 5
_MARKS = re.compile(r"[\u2190-\u21ff\u2b00-\u2bff\ufe0f\u200b-\u200d\u2060\ufeff\ue000-\uf8ff*`]|__")
"""What pages put on the names of columns: arrows that say which way is better, bold type, and what no one sees."""
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def read_table(
    into: Collector,
    *,
    required: Sequence[str] = (),
    known: Sequence[str] = (),
    delimiter: str = ",",
    content: bytes | None = None,
) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows of the file as (line, {column: text}); quoted fields may hold line breaks. Blank rows and a header that is repeated are no rows.

    Where the first line lacks a `required` column, the header is the next line that has them all, by any delimiter and in any case; lines
    before it are a title. `known` are columns that may be missing. A file that is no text, has no header or lacks a required column is one quarantined record; a row with another
    number of fields than the header is set aside as `wrong_shape` and not yielded. `content` where it is not the file's.
    """
    content = read_bytes(into.file) if content is None else content
    span = (0, len(content))
    try:
        text = content.decode("utf-16" if content[:2] in _UTF_16 else "utf-8-sig").replace("\x00", "")
    except UnicodeDecodeError as error:
        into.reject(0, "not_utf8", f"the file is no UTF-8 text: {worded(error)}", record=content, span=span)
        return
    start, delimiter = _header_place(text, required, delimiter)
    reader = csv.reader(io.StringIO("".join(text.splitlines(keepends=True)[start:]), newline=""), delimiter=delimiter)
    asked_for = (*required, *known)
    header = _named(next(reader, []), asked_for)
    missing = [name for name in required if name not in header]
    if missing or not header:
        found = ", ".join(header[:12]) or "nothing"
        detail = f"the header lacks {', '.join(missing) or 'every column'}: found {found}"
        into.reject(0, "wrong_shape", detail, record=content, span=span)
        return
    named = _naming(asked_for)
    line, is_whole = reader.line_num, True
    for item_no, cells in enumerate(_readable(reader, into)):
        first, line = line + 1 + start, reader.line_num
        row = [cell.strip() for cell in cells]
        if not any(row) or (header[0] in (row[0], named(row[0])) and _named(row, asked_for) == header):
            continue
        is_whole = len(row) == len(header)
        if not is_whole:
            fields = dict(zip(header, row, strict=False))
            detail = f"{len(row)} fields where the header has {len(header)}"
            into.reject(item_no, "wrong_shape", detail, fields=fields, line_no=first)
            continue
        yield first, dict(zip(header, row, strict=True))
    into.is_cut_off = not is_whole


def _header_place(text: str, required: Sequence[str], delimiter: str) -> tuple[int, str]:
    """The line of the header and the delimiter: as declared, unless another line or delimiter alone gives what is required."""
    lines = text.splitlines()[: _LINES_BEFORE_HEADER + 1]
    start = 1 if lines and re.fullmatch(r"sep=.", lines[0]) else 0
    wanted = {*required}
    for place in range(start, len(lines)) if wanted else ():
        for mark in dict.fromkeys((delimiter, *_DELIMITERS)):
            if wanted <= {*_named(next(csv.reader([lines[place]], delimiter=mark), []), required)}:
                return place, mark
    return start, delimiter


def _named(cells: Sequence[str], asked_for: Sequence[str]) -> list[str]:
    """The names of columns without marks, as they are asked for. One that another column has already stays as it is written."""
    named = _naming(asked_for)
    written = [cell.strip() for cell in cells]
    taken = {*written}
    names = []
    for cell in written:
        name = named(cell)
        names.append(cell if name in taken else name)
        taken.add(names[-1])
    return names


def _naming(asked_for: Sequence[str]) -> Callable[[str], str]:
    """What gives one column its name, where no other column has it."""
    spelled = {_unmarked(name).lower(): name for name in asked_for}

    def named(cell: str) -> str:
        bare = _unmarked(cell)
        return cell if cell in asked_for else spelled.get(bare.lower(), bare)

    return named


def _unmarked(name: str) -> str:
    return " ".join(_MARKS.sub("", name).split())


def read_page(
    into: Collector, *, required: Sequence[str], any_of: Sequence[str], known: Sequence[str] = ()
) -> Iterator[dict[str, str]]:
    """Rows of the tables of a page, markdown or HTML, that have every `required` column and one of `any_of`.

    A page without such a table is one quarantined record; names of columns are read as `read_table` reads them.
    """
    content = read_bytes(into.file)
    tables = [
        table for section in sections_of(content.decode("utf-8-sig", "replace")) for table in section.tables if table
    ]
    asked_for = (*required, *any_of, *known)
    headers = [_named(table[0], asked_for) for table in tables]
    fits = [{*required} <= {*header} and not {*any_of}.isdisjoint(header) for header in headers]
    if not any(fits):
        shown = "; ".join(", ".join(header[:12]) for header in headers[:5]) or "no table"
        wrong_shape(
            into, f"no table of the page has {', '.join(required)} and one of {', '.join(any_of)}: found {shown}"
        )
    for table, header in (pair for pair, is_one in zip(zip(tables, headers, strict=True), fits, strict=True) if is_one):
        for item_no, row in enumerate(table[1:]):
            if not any(row) or _named(row, asked_for) == header:
                continue
            fields = dict(zip(header, map(without_struck, row), strict=False))
            if len(row) == len(header):
                yield fields
            else:
                detail = f"{len(row)} fields where the header has {len(header)}"
                into.reject(item_no, "wrong_shape", detail, fields=fields)


def _readable(reader: Any, into: Collector) -> Iterator[list[str]]:  # noqa: ANN401 - csv names no type for it
    """The rows up to the one that is no CSV, such as a quote that never ends."""
    try:
        yield from reader
    except csv.Error as error:
        into.reject(0, "wrong_shape", f"the rest of the file is no CSV: {worded(error)}", line_no=reader.line_num)


def only(row: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    """The named fields of a row, where they are not blank: what a quarantined record keeps."""
    return {name: row[name] for name in names if row.get(name)}


def read_json(into: Collector) -> Any:  # noqa: ANN401 - any JSON value
    """The file as a JSON value; None if it is none, which sets the file aside. NaN and Infinity, as Python writes
    them, are null."""
    content = read_bytes(into.file)
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        try:
            return json.loads(content, parse_constant=lambda _: None)
        except (ValueError, RecursionError):
            into.reject(0, "not_json", f"the file is no JSON: {worded(error)}", record=content, span=(0, len(content)))
            return None


def read_yaml(into: Collector) -> Any:  # noqa: ANN401 - any YAML value
    """The file as a YAML value; None if it is none, which sets the file aside."""
    content = read_bytes(into.file)
    try:
        return yaml.load(content, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        into.reject(0, "not_yaml", f"the file is no YAML: {worded(error)}", record=content, span=(0, len(content)))
        return None


def wrong_shape(into: Collector, detail: str) -> None:
    """Set the whole file aside, as one record, for not being what the format is."""
    content = read_bytes(into.file)
    into.reject(0, "wrong_shape", detail, record=content, span=(0, len(content)))


def read_parquet(into: Collector, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
    """The rows of a Parquet file, of `columns` those that it has; none where it can't be read, which sets it aside."""
    content = read_bytes(into.file)
    try:
        held = [name for name in pl.read_parquet_schema(io.BytesIO(content)) if columns is None or name in columns]
        frame = pl.read_parquet(io.BytesIO(content), columns=held)
    except (pl.exceptions.PolarsError, OSError) as error:
        into.reject(0, "unreadable", f"the file is no Parquet: {worded(error)}", record=content, span=(0, len(content)))
        return
    yield from frame.iter_rows(named=True)
