"""Invoices as tables: how dates and amounts are written, in which currency, and what a changed declaration changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.bills.parse import parse_bill
from pipelines.config.sources import RequestSource
from pipelines.records.layout import SourceError
from pipelines.records.store import ParsedFile
from tests.unit.bills.reports import rows
from tests.unit.requests.helpers import landed

COLUMNS = {"bucket_from": "Von", "bucket_to": "Bis", "amount": "Netto", "line_item": "Position"}


def invoice(
    folder: Path, *amounts: str, day: str = "2026-02-01", until: str = "2026-03-01", **options: Any
) -> ParsedFile:
    lines = ["Von;Bis;Position;Netto", *(f"{day};{until};Tokens {n};{amount}" for n, amount in enumerate(amounts))]
    path = folder / "rechnung.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    defaults = {"provider_id": "acme", "currency": options.pop("currency", "EUR")}
    declared = {
        "source": "acme",
        "format": "bill_mapping",
        "defaults": defaults,
        "options": {"delimiter": ";", "columns": COLUMNS} | options,
    }
    return parse_bill(landed(path), RequestSource.model_validate(declared), folder / "store")


def amounts(parsed: ParsedFile) -> list[str]:
    return [f"{row['amount'].normalize():f} {row['currency']}" for row in rows(parsed)]


@pytest.mark.parametrize(
    ("written", "options", "expected"),
    [
        (("1.234,56", "0,50"), {}, ["1234.56 EUR", "0.5 EUR"]),
        (("1.234,56 \u20ac", "-12,00 EUR"), {}, ["1234.56 EUR", "-12 EUR"]),
        (("1\u202f234,50",), {}, ["1234.5 EUR"]),
        (("1.234",), {"decimal": ","}, ["1234 EUR"]),
        (("1.234",), {"decimal": "."}, ["1.234 EUR"]),
        (("$1,234.50",), {"currency": "AUD", "decimal": "."}, ["1234.5 AUD"]),
    ],
)
def test_amounts_by_their_marks(
    tmp_path: Path, written: tuple[str, ...], options: dict[str, Any], expected: list[str]
) -> None:
    assert amounts(invoice(tmp_path, *written, **options)) == expected


def test_amounts_that_can_be_read_two_ways_set_the_invoice_aside(tmp_path: Path) -> None:
    parsed = invoice(tmp_path, "1.234", "10.000")
    assert parsed.valid == 0
    [fault] = parsed.quarantine.to_dicts()
    assert fault["reason"] == "undecided_marks"
    assert "options.columns.amount: column 'Netto'" in fault["detail"]


def test_a_sign_of_another_currency_is_believed_before_the_declaration(tmp_path: Path) -> None:
    parsed = invoice(tmp_path, "\u20ac12,30", "3,20", currency="USD")
    assert amounts(parsed) == ["3.2 USD"]
    [fault] = parsed.quarantine.to_dicts()
    assert fault["reason"] == "other_currency"
    assert "USD" in fault["detail"]
    assert "12,30" not in fault["detail"]


def test_dates_are_read_as_declared(tmp_path: Path) -> None:
    parsed = invoice(tmp_path, "3,20", day="01.02.2026", until="01.03.2026", time={"format": "%d.%m.%Y"})
    assert [str(row["event_date"]) for row in rows(parsed)] == ["2026-02-01"]


@pytest.mark.parametrize(
    ("day", "end", "zone", "period"),
    [
        ("2026-01-15", "2026-02-14", "UTC", ("2026-01-15 00:00", "2026-02-15 00:00")),
        ("2026-02-12", "2026-02-12", "UTC", ("2026-02-12 00:00", "2026-02-13 00:00")),
        ("2025-10-26", "2025-10-26", "Europe/Berlin", ("2025-10-25 22:00", "2025-10-26 23:00")),
        ("2026-02-12", "2026-02-12 23:59:59", "UTC", ("2026-02-12 00:00", "2026-02-12 23:59")),
    ],
)
def test_an_invoice_may_name_the_last_day_as_its_end(
    tmp_path: Path, day: str, end: str, zone: str, period: tuple[str, str]
) -> None:
    """The last case has a time of day, and the one before it an hour more than a day."""
    [line] = rows(invoice(tmp_path, "3,20", day=day, until=end, time={"zone": zone}, end="inclusive"))
    assert tuple(f"{line[name]:%Y-%m-%d %H:%M}" for name in ("bucket_from", "bucket_to")) == period


def test_a_line_that_ends_where_it_begins_names_the_option(tmp_path: Path) -> None:
    parsed = invoice(tmp_path, "3,20", day="2026-02-12", until="2026-02-12")
    [fault] = parsed.quarantine.to_dicts()
    assert (fault["reason"], "options.end: inclusive" in fault["detail"]) == ("bucket_reversed", True)


def test_a_changed_declaration_reads_the_invoice_again(tmp_path: Path) -> None:
    assert amounts(invoice(tmp_path, "1.234", decimal=",")) == ["1234 EUR"]
    assert amounts(invoice(tmp_path, "1.234", decimal=".")) == ["1.234 EUR"]


def test_a_column_that_the_invoice_lacks_is_named(tmp_path: Path) -> None:
    parsed = invoice(tmp_path, "3,20", columns=COLUMNS | {"amount": "Brutto"})
    [fault] = parsed.quarantine.to_dicts()
    assert fault["reason"] == "missing_column"
    assert "options.columns.amount names 'Brutto'" in fault["detail"]


def test_options_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    for options, said in (
        ({"end": "last"}, "options.end: found 'last'"),
        ({"decimal": ";"}, "options.decimal: found ';'"),
        ({"time": {"zone": "Mars"}}, "options.time.zone: found 'Mars'"),
        ({"delimiter": "ab"}, "options.delimiter: found 'ab'"),
    ):
        with pytest.raises(SourceError, match=said):
            invoice(tmp_path, "1", **options)
