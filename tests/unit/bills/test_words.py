"""The words that lines of bills are written in, English and German, of clouds' exports and consoles: what each is charged for."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines.bills import parse_bill
from pipelines.books.reconciliation.words import category_of, meter_of, units_in
from pipelines.config.sources import RequestSource
from tests.unit.bills.reports import rows
from tests.unit.requests.helpers import landed

D = Decimal


@pytest.mark.parametrize(
    ("words", "meter"),
    [
        ("Eingabe-Token", "input_uncached"), ("Eingabe", "input_uncached"), ("Ausgabe-Token", "output_text"), ("Ausgabe", "output_text"),
        ("Cache-Lesen", "input_cache_read"), ("Eingabe (zwischengespeichert)", "input_cache_read"), ("Websuche", "web_search"),
        ("Prompt text tokens", "input_uncached"), ("Cached prompt text tokens", "input_cache_read"), ("Completion text tokens", "output_text"),
        ("Reasoning tokens", "output_reasoning"), ("text cached input", "input_cache_read"), ("Anfragen", "request"), ("Modell x", None),
    ],
)  # fmt: skip
def test_a_meter_by_its_words(words: str, meter: str | None) -> None:
    assert meter_of(words) == meter


@pytest.mark.parametrize(
    ("kind", "line", "category"),
    [
        # AWS's Cost and Usage Report
        ("Usage", "AWS Activate credit", "usage"), ("DiscountedUsage", "", "usage"), ("Tax", "", "tax"), ("Credit", "", "credit"), ("Refund", "", "credit"),
        ("EdpDiscount", "", "discount"), ("PrivateRateDiscount", "", "discount"), ("RIFee", "", "commitment"), ("SavingsPlanRecurringFee", "", "commitment"),
        ("Fee", "AWS Support (Business)", "usage"), ("Fee", "Provisioned throughput, 1 month", "commitment"),
        # Google's billing export
        ("regular", "", "usage"), ("tax", "", "tax"), ("adjustment", "", "unexplained"), ("rounding_error", "", "unexplained"),
        # FOCUS
        ("Purchase", "", "commitment"), ("Adjustment", "", "unexplained"), ("USAGE", "Refund", "usage"),
        # invoices
        (None, "Treuerabatt", "discount"), (None, "Skonto 2 %", "discount"), (None, "Preisnachlass", "discount"), (None, "Stornierung Januar", "credit"),
        (None, "Reservierte Kapazität", "commitment"), (None, "Mindestumsatz Differenz", "commitment"), (None, "Charge reversal", "credit"),
        (None, "Rundungsdifferenz", "unexplained"), (None, "Late payment fee", "unexplained"), (None, "Interest", "unexplained"),
        (None, "Prepaid commit consumption", "commitment"), (None, "Applied balance", "credit"),
        (None, "Prepaid balance top-up", "commitment"), (None, "Prepaid plan, Claude Sonnet input tokens", "usage"), ("Usage", "Prepaid API usage", "usage"),
        (None, "Promotional balance applied", "credit"),
        (None, "Supportpauschale", "usage"), (None, "Business support plan", "usage"), (None, "Total tax", "tax"), (None, "Rabattierte Preise", "usage"),
    ],
)  # fmt: skip
def test_a_category_by_the_kind_of_charge_else_by_the_line(kind: str | None, line: str, category: str) -> None:
    assert category_of(kind, line) == category


def invoice(folder: Path, line: str, amount: str = "10") -> tuple[list[Any], list[str]]:
    path = folder / "a.csv"
    path.write_text(
        f'bucket_from,bucket_to,line_item,amount\n2026-02-01,2026-03-01,"{line}",{amount}\n', encoding="utf-8"
    )
    declared = {"source": "b", "format": "bill_mapping", "defaults": {"provider_id": "acme", "currency": "EUR"}}
    found = parse_bill(landed(path), RequestSource.model_validate(declared), folder / "store")
    return rows(found), found.quarantine["reason"].to_list()


@pytest.mark.parametrize(
    "line",
    [
        "Total due", "Total excluding tax", "Subtotal before tax", "Total (incl. VAT)", "Total incl. 19 % VAT", "Rechnungsbetrag inkl. USt.", "Gesamtbetrag brutto",
        "Nettobetrag", "Übertrag", "Balance carried forward", "Zwischensumme ohne MwSt.", "Amount due USD",
    ],
)  # fmt: skip
def test_a_total_is_no_charge(tmp_path: Path, line: str) -> None:
    assert invoice(tmp_path, line) == ([], ["total_line"])


@pytest.mark.parametrize(
    "line", ["Total tax", "Total cost model, input", "Tax", "Summer sale", "Gesamtschule, input", "Due diligence agent"]
)
def test_what_only_sounds_like_a_total_is_charged(tmp_path: Path, line: str) -> None:
    found, aside = invoice(tmp_path, line, "-2.5")
    assert ([row["amount"] for row in found], aside) == ([D("-2.5")], [])


def test_a_month_of_aws_by_its_line_types(tmp_path: Path) -> None:
    """Usage 0.45 for 1,500 thousand tokens, tax 0.09, a refund of 2.50, a discount of 3, support 10: 5.04 in all, each for what it is."""
    path = tmp_path / "cur.csv"
    path.write_text(
        "line_item_usage_start_date,line_item_usage_end_date,line_item_usage_type,line_item_line_item_type,line_item_line_item_description,"
        "line_item_usage_amount,pricing_unit,line_item_unblended_cost,line_item_currency_code\n"
        "2026-02-12T00:00:00.000Z,2026-02-13T00:00:00.000Z,USE1-Nova2.0Lite-input-tokens,Usage,$0.3 per 1M,1500,1K tokens,0.45,USD\n"
        "2026-02-01T00:00:00.000Z,2026-03-01T00:00:00.000Z,,Tax,Tax,1,,0.09,USD\n"
        "2026-02-01T00:00:00.000Z,2026-03-01T00:00:00.000Z,,Refund,Outage,1,,-2.5,USD\n"
        "2026-02-01T00:00:00.000Z,2026-03-01T00:00:00.000Z,,EdpDiscount,EDP,1,,-3,USD\n"
        "2026-02-01T00:00:00.000Z,2026-03-01T00:00:00.000Z,,Fee,AWS Support (Business),1,,10,USD\n",
        encoding="utf-8",
    )
    columns = {
        "bucket_from": "line_item_usage_start_date", "bucket_to": "line_item_usage_end_date", "amount": "line_item_unblended_cost",
        "currency": "line_item_currency_code", "line_item": "line_item_line_item_description", "meter": "line_item_usage_type",
        "quantity": "line_item_usage_amount", "quantity_unit": "pricing_unit", "charge_category": "line_item_line_item_type",
    }  # fmt: skip
    declared = {
        "source": "cur",
        "format": "bill_mapping",
        "defaults": {"provider_id": "aws"},
        "options": {"columns": columns},
    }
    found = rows(parse_bill(landed(path), RequestSource.model_validate(declared), tmp_path / "store"))
    assert sum(row["amount"] for row in found) == D("5.04")
    assert units_in(found[0]["quantity"], found[0]["quantity_unit"]) == 1_500_000
    assert [category_of(row["charge_category"], row["line_item"]) for row in found] == [
        "usage",
        "tax",
        "credit",
        "discount",
        "usage",
    ]
