"""Marks in numbers that are written as text: declared, proven by a column, or in doubt, which costs the file."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.records.layout import SourceError
from pipelines.requests import ParsedFile
from tests.unit.requests.helpers import parse, rows, the_fault

COLUMNS = {"event_at": "at", "model": "model", "input": "in", "output": "out", "reported_cost_usd": "usd"}


def table(folder: Path, *records: tuple[str, str, str], **options: Any) -> ParsedFile:
    path = folder / "a.csv"
    lines = [["at", "model", "in", "out", "usd"]]
    lines += [[f"2026-02-09T08:{number:02}:00Z", "gpt-4o", *record] for number, record in enumerate(records)]
    path.write_text("".join(";".join(line) + "\n" for line in lines), encoding="utf-8")
    return parse(path, "mapping", options={"columns": COLUMNS} | options)


def read(parsed: ParsedFile) -> list[tuple[int, int, Decimal | None]]:
    found = rows(parsed).sort("event_at")
    return [
        (row["input_uncached_tokens"], row["output_text_tokens"], row["reported_cost_usd"]) for row in found.to_dicts()
    ]


def test_a_text_that_excel_keeps_in_a_formula_is_the_text(tmp_path: Path) -> None:
    assert read(table(tmp_path, ('="1000"', '"=""50"""', '="0.5"'))) == [(1000, 50, Decimal("0.5"))]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("in", [("10.000", "1", "0.5"), ("2.000", "1", "0.5")]),
        ("in", [("1.234", "1", "0.5"), ("10.000", "1", "0.5")]),
        ("out", [("1", "1.000", "0.5")]),
        ("out", [("1", '"1,000"', "0.5")]),
        ("usd", [("1", "1", "1.234"), ("1", "1", "12.500")]),
        ("usd", [("1", "1", "1,234")]),
        ("in", [("1.234.567", "1", "0.5"), ("1234.5", "1", "0.5"), ("1.000", "1", "0.5")]),
        ("usd", [("1", "1", "1.234,5"), ("1", "1", "0.5"), ("1", "1", "7.000")]),
        ("usd", [("1", "1", "$1,234")]),
        ("in", [("1 234", "1", "0.5"), ("10.000", "1", "0.5")]),
        ("in", [("1'234", "1", "0.5"), ("1_000", "1", "0.5")]),
        ("usd", [("1", "1", "1 234,5"), ("1", "1", "1 234.5")]),
    ],
)
def test_a_column_that_can_be_read_both_ways_sets_the_file_aside(
    tmp_path: Path, column: str, values: list[tuple[str, str, str]]
) -> None:
    fault = the_fault(table(tmp_path, ("7", "7", "7"), *values))
    assert (fault["reason"], fault["severity"]) == ("undecided_marks", "error")
    field = {"in": "input", "out": "output", "usd": "reported_cost_usd"}[column]
    assert f"options.columns.{field}: column '{column}'" in fault["detail"]
    assert "options.decimal" in fault["detail"]


@pytest.mark.parametrize(
    ("values", "options", "expected"),
    [
        (("1.234", "56", "0,0036"), {"decimal": ","}, (1234, 56, "0.0036")),
        (("1.234", "56", "1.234,56"), {"thousands": "."}, (1234, 56, "1234.56")),
        (("1.234", "1.000", "1,234"), {"decimal": ",", "thousands": "."}, (1234, 1000, "1.234")),
        (("1,234", "1,000", "1.234"), {"decimal": "."}, (1234, 1000, "1.234")),
        (("1,234", "1,234,567", "12.500"), {"thousands": ","}, (1234, 1234567, "12.5")),
        (("1'234", "1\u2019000", "1'234.50"), {"thousands": "'"}, (1234, 1000, "1234.5")),
        (("1 234", "1\u00a0000", "1\u202f234,50"), {"thousands": " ", "decimal": ","}, (1234, 1000, "1234.5")),
        (("1.234", "7", "1.234,50 $"), {"decimal": ","}, (1234, 7, "1234.5")),
        (("1000.0", "7", "$1,234.50"), {"decimal": "."}, (1000, 7, "1234.5")),
        (("1,2E5", "7", "0,5"), {"decimal": ","}, (120000, 7, "0.5")),
    ],
)  # fmt: skip
def test_declared_marks(
    tmp_path: Path, values: tuple[str, str, str], options: dict[str, str], expected: tuple[int, int, str]
) -> None:
    read_by_options = read(table(tmp_path, values, **options))
    assert read_by_options == [(expected[0], expected[1], Decimal(expected[2]).quantize(Decimal(1).scaleb(-18)))]


def test_a_number_that_is_none_by_the_declared_marks_costs_its_row(tmp_path: Path) -> None:
    parsed = table(tmp_path, ("12.5", "1", "0,5"), ("1.234", "1", "0,5"), ("-", "1", "0,5"), decimal=",")
    assert parsed.quarantine["reason"].to_list() == ["not_an_integer"]
    assert [found[0] for found in read(parsed)] == [1234, 0]
    assert rows(parsed).sort("event_at")["usage_basis"].to_list() == ["reported", "partial"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([("1000.0", "1", "1.234"), ("10.000", "1", "0.5")], [(1000, 1, "1.234"), (10, 1, "0.5")]),
        ([("1.234.567", "1", "0,5"), ("1.000", "1", "1,234")], [(1234567, 1, "0.5"), (1000, 1, "1.234")]),
        ([("5", "1", '"1,234.50"'), ("5", "1", "1.234")], [(5, 1, "1234.5"), (5, 1, "1.234")]),
        ([("5", "1", "12,5"), ("5", "1", "1,234")], [(5, 1, "12.5"), (5, 1, "1.234")]),
        ([("1 234", "1", "1 234,5"), ("7", "1", "0,123")], [(1234, 1, "1234.5"), (7, 1, "0.123")]),
        ([("1'234", "1\u2019000", "1'234.50"), ("12'345'678", "1", "2")], [(1234, 1000, "1234.5"), (12345678, 1, "2")]),
        ([("1\u00a0234", "1_000", "1\u202f234,56 $")], [(1234, 1000, "1234.56")]),
        ([("12,34,567", "1", "1,23,456.50"), ("1,234", "1", "0.5")], [(1234567, 1, "123456.5"), (1234, 1, "0.5")]),
        (
            [("5", "1", "$0.0012"), ("5", "1", "0.5 USD"), ("5", "1", "$7")],
            [(5, 1, "0.0012"), (5, 1, "0.5"), (5, 1, "7")],
        ),
    ],
)
def test_a_column_that_proves_its_marks_is_read_by_them(
    tmp_path: Path, values: list[tuple[str, str, str]], expected: list[tuple[int, int, str]]
) -> None:
    wanted = [(first, second, Decimal(usd).quantize(Decimal(1).scaleb(-18))) for first, second, usd in expected]
    assert read(table(tmp_path, *values)) == wanted


@pytest.mark.slow
def test_the_proof_may_stand_anywhere_in_the_file(tmp_path: Path) -> None:
    """A file of several chunks: the first is in doubt, the last decides."""
    many = [("5", "1", "1.234")] * 30_000
    path = tmp_path / "a.csv"
    lines = [f"2026-02-09T08:00:{number % 60:02}Z;m{number};5;1;{usd}" for number, (_, _, usd) in enumerate(many)]
    text = "\n".join(["at;model;in;out;usd", *lines])
    for last, valid in (("0.5", 30_001), ("2.345", 0)):
        path.write_text(f"{text}\n2026-02-09T09:00:00Z;m;5;1;{last}\n", encoding="utf-8")
        parsed = parse(path, "mapping", options={"columns": COLUMNS})
        assert (parsed.valid, parsed.quarantined) == (valid, 0 if valid else 1)


def test_numbers_of_json_and_parquet_are_never_in_doubt_but_their_texts_are(tmp_path: Path) -> None:
    record = {"at": "2026-02-09T08:00:00Z", "model": "gpt-4o", "in": 10.000, "out": 1, "usd": 1.234}
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(record) + "\n", encoding="utf-8")
    assert read(parse(path, "mapping", options={"columns": COLUMNS}))[0][:2] == (10, 1)
    declared = parse(path, "mapping", options={"columns": COLUMNS, "thousands": ","})
    assert read(declared)[0][2] == Decimal("1.234").quantize(Decimal(1).scaleb(-18))
    for text, reason in (("10.000", "undecided_marks"), ("1.234", "undecided_marks")):
        path.write_text(json.dumps(record | {"in": text}) + "\n", encoding="utf-8")
        assert the_fault(parse(path, "mapping", options={"columns": COLUMNS}))["reason"] == reason
        stated = parse(path, "mapping", options={"columns": COLUMNS, "thousands": "."})
        assert read(stated)[0][0] == int(text.replace(".", ""))
    table_path = tmp_path / "a.parquet"
    pl.DataFrame([record]).write_parquet(table_path)
    assert read(parse(table_path, "mapping", options={"columns": COLUMNS}))[0][:2] == (10, 1)
    pl.DataFrame([record | {"in": "10.000"}]).write_parquet(table_path)
    assert the_fault(parse(table_path, "mapping", options={"columns": COLUMNS}))["reason"] == "undecided_marks"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"decimal": ";"}, r"options.decimal: found ';', accepted: one of '.', ','"),
        ({"decimal": ".", "thousands": "."}, r"options.thousands: found '.', accepted: another character than decimal"),
        ({"thousands": "::"}, r"options.thousands: found '::'"),
        ({"decimal": ",", "delimiter": ","}, r"options.decimal: found ',', accepted: another character than delimiter"),
    ],
)
def test_marks_that_cant_be_are_refused_at_the_start(tmp_path: Path, options: dict[str, str], message: str) -> None:
    with pytest.raises(SourceError, match=message):
        table(tmp_path, ("1", "1", "1"), **options)


def test_an_amount_in_another_currency_is_no_amount_in_dollars(tmp_path: Path) -> None:
    parsed = table(tmp_path, ("1", "1", "\u20ac1.50"), ("2", "1", "US$ 2.50"), ("3", "1", "EUR 3"), ("4", "1", "$4"))
    assert read(parsed) == [(2, 1, Decimal("2.5")), (4, 1, Decimal(4))]
    assert parsed.quarantine["reason"].to_list() == ["not_a_decimal"] * 2
