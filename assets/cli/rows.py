"""How rows of a query are shown: as a table or as blocks for people, as JSON or CSV for programs, which get every digit.

Values are the text that Postgres sends, so no number passes through a float. Which query runs, and as whom, is
decided in `sql.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any, TextIO

import psycopg
from psycopg.types.string import TextLoader
from rich.cells import cell_len

from assets.cli.terminal import printable, printable_json
from pipelines.finops import format as fmt
from pipelines.spreadsheets import FORMULA_BEGINS
from pipelines.warehouse import QueryError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

Columns = list[tuple[str, str]]
"""Name and type of each column."""
Rows = list[tuple[Any, ...]]

_NUMBERS = {"int2", "int4", "int8", "float4", "float8", "numeric"}
_JSON_NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?", re.IGNORECASE)
_TEXTS = {"text", "varchar", "bpchar", "name", ""}
_FETCH_ROWS = 1000


@dataclass(frozen=True)
class View:
    """How rows are shown to people: at most `limit` of them (0: all), as blocks where wanted, amounts with every digit or not."""

    limit: int = 200
    expanded: bool = False
    exact: bool = False
    folds: bool = False
    """A table of the terminal's width, or of 80 columns, even where it does not fit: its last column holds sentences."""


def show(connection: psycopg.Connection[Any], query: str, view: View) -> None:
    """Print rows as a table, numbers to the right, or one record per block where a table would not fit.

    On a terminal amounts are rounded, unless every digit is wanted, and a line says so; elsewhere they never are.
    """
    from assets.cli.terminal import terminal

    with _run(connection, query) as (columns, rows):
        shown = list(islice(rows, view.limit + 1)) if view.limit else list(rows)
    console = terminal()
    is_cut = bool(view.limit) and len(shown) > view.limit
    shown = shown[: view.limit] if is_cut else shown
    cells = shown if view.exact or not console.is_terminal else _rounded(columns, shown)
    notes = terminal(stderr=True)
    fits = view.folds or not console.is_terminal or not shown or _width(columns, cells) <= console.width
    if view.expanded or not fits:
        _show_blocks(console, columns, cells)
    else:
        _show_table(console if console.is_terminal or view.folds else terminal(width=100_000), columns, cells)
    if is_cut:
        text = f"The first {view.limit} rows are shown; --limit 0 shows all, --csv and --json are never cut."
        notes.print(text, soft_wrap=True)
    if cells != shown:
        notes.print("Amounts are rounded; --exact shows every digit.", soft_wrap=True, style="dim")


def _show_table(console: Console, columns: Columns, rows: Rows) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for name, kind in columns:
        table.add_column(Text(name), justify="right" if kind in _NUMBERS else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    console.print(table)


def _show_blocks(console: Console, columns: Columns, rows: Rows) -> None:
    """One record after the other, a line per column."""
    from rich.table import Table
    from rich.text import Text

    for number, row in enumerate(rows, start=1):
        console.print(Text(f"─ record {number} ".ljust(min(console.width, 60), "─"), style="dim"))
        block = Table.grid(padding=(0, 2))
        block.add_column(style="bold", no_wrap=True)
        block.add_column(overflow="fold")
        for (name, _), value in zip(columns, row, strict=True):
            block.add_row(Text(name), _cell(value))
        console.print(block)


def _width(columns: Columns, rows: Rows) -> int:
    """The width of a table in which nothing is folded: the cells, two blanks and a line for each column, and a line."""
    names = [
        [name, *("null" if row[n] is None else str(row[n]) for row in rows)] for n, (name, _) in enumerate(columns)
    ]
    return 1 + sum(3 + max(cell_len(line) for text in column for line in text.split("\n")) for column in names)


def _rounded(columns: Columns, rows: Rows) -> Rows:
    """The rows with amounts of USD as people read them: as many decimals as the column needs, thousands marked."""
    amounts = [n for n, (name, kind) in enumerate(columns) if kind == "numeric" and "usd" in name.split("_")]
    rounded = [list(row) for row in rows]
    for n in amounts:
        values = [Decimal(row[n]) if row[n] is not None and Decimal(row[n]).is_finite() else None for row in rows]
        decimals = fmt.decimals_for(values)
        for row, value in zip(rounded, values, strict=True):
            if value is not None:
                row[n] = fmt.money(value, decimals)
    return [tuple(row) for row in rounded]


def write_csv(connection: psycopg.Connection[Any], query: str, file: TextIO) -> None:
    """CSV with a header; null is an empty field, the empty text a quoted one, as Postgres's own COPY writes them.

    A text that a spreadsheet would run as a formula gets an apostrophe before it (CWE-1236); numbers and dates stay as they are.
    """
    with _run(connection, query) as (columns, rows):
        kinds = [kind for _, kind in columns]
        file.write(",".join(_as_csv(name, "") for name, _ in columns) + "\n")
        file.writelines(",".join(map(_as_csv, row, kinds)) + "\n" for row in rows)


def write_json(connection: psycopg.Connection[Any], query: str, file: TextIO) -> None:
    """A JSON array with one object per line; numbers keep all their digits, jsonb is embedded as it is."""
    with _run(connection, query, with_lists=True) as (columns, rows):
        names = [name for name, _ in columns]
        if len(set(names)) != len(names):
            raise QueryError("the query names columns twice, which a JSON object can't hold; name each with `as`")
        keys = [json.dumps(name, ensure_ascii=False) for name in names]
        file.write("[")
        separator = "\n"
        for row in rows:
            fields = (
                printable_json(f"{key}: {_as_json(value, kind)}")
                for key, value, (_, kind) in zip(keys, row, columns, strict=True)
            )
            file.write(separator + "{" + ", ".join(fields) + "}")
            separator = ",\n"
        file.write("\n]\n")


@contextmanager
def _run(
    connection: psycopg.Connection[Any], query: str, *, with_lists: bool = False
) -> Iterator[tuple[list[tuple[str, str]], Iterator[tuple[Any, ...]]]]:
    """Name and type of every column, and the rows as text, fetched as they are used. One statement only.

    With `with_lists` arrays come as lists, else as Postgres writes them.
    """
    connection.execute("select")  # opens the transaction, read-only as the connection is set
    prepared = connection.pgconn.prepare(b"", query.encode())
    if prepared.status != psycopg.pq.ExecStatus.COMMAND_OK:
        raise psycopg.errors.error_from_result(prepared, encoding="utf-8")
    described = connection.pgconn.describe_prepared(b"")
    if described.nfields == 0:
        raise QueryError("the statement returns no rows; `modelmeter sql` only reads")
    types = connection.adapters.types
    columns = []
    cursor = connection.cursor()
    for index in range(described.nfields):
        oid = described.ftype(index)
        known = types.get(oid)
        is_array = known is not None and oid == known.array_oid
        columns.append(((described.fname(index) or b"").decode(), "" if known is None or is_array else known.name))
        if not (is_array and with_lists):
            cursor.adapters.register_loader(oid, TextLoader)
    rows = cursor.stream(query.encode(), size=_FETCH_ROWS)
    # An unfinished stream holds the connection's lock: when writing failed (`| head`), closing would wait for ever.
    with closing(rows):  # type: ignore[type-var]
        yield columns, rows


def _cell(value: str | None) -> Text:
    """A value for the terminal: null differs from the empty text, control characters can't steer the terminal."""
    from rich.text import Text

    return Text("null", style="dim") if value is None else Text(printable(value))


def _as_csv(value: str | None, kind: str) -> str:
    if value is None:
        return ""
    if kind in _TEXTS and value.startswith(FORMULA_BEGINS):
        value = f"'{value}"
    if not value or any(letter in value for letter in ',"\n\r'):
        return '"' + value.replace('"', '""') + '"'
    return value


def _as_json(value: str | list[Any] | None, kind: str) -> str:
    if value is None:
        return "null"
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False, default=str)
    if kind == "bool":
        return "true" if value == "t" else "false"
    if kind in {"json", "jsonb"} or (kind in _NUMBERS and _JSON_NUMBER.fullmatch(value)):
        return value
    return json.dumps(value, ensure_ascii=False)
