"""Exports of Azure, AWS and Google: model and meter from their words, each row a line of the bill, credits and dates."""

from __future__ import annotations

import io
from pathlib import Path

import polars as pl
import pytest

from pipelines.bills.formats._cloud_meters import google_said
from pipelines.books.reconciliation.words import category_of, meter_of, units_in
from tests.unit.bills.reports import (
    AWS_CUR,
    AZURE_COST,
    DAY,
    GOOGLE_BILLING,
    export,
    merged,
    only,
    rows,
    usd,
)


def test_azure_meters_are_read_as_its_price_list_writes_them(tmp_path: Path) -> None:
    """2,000 units of a thousand; a meter that is not understood stays a line, and a refund is a credit."""
    cached, provisioned, refund = rows(export(tmp_path, "azure_cost", AZURE_COST))
    assert only(cached, "raw_model", "meter", "quantity", "quantity_unit", "amount", "list_amount", "currency", "event_date") == (
        "gpt-4.1-mini", "input_cache_read", 2000, "1K tokens", usd("0.18"), usd("0.2"), "EUR", DAY,
    )  # fmt: skip
    assert units_in(cached["quantity"], cached["quantity_unit"]) == 2_000_000
    assert meter_of(cached["meter"]) == "input_cache_read"
    assert only(provisioned, "raw_model", "meter", "line_item", "charge_category", "quantity_unit") == (
        None, None, "Provisioned Managed Global Unit", "Purchase", "1 Hour",
    )  # fmt: skip
    assert only(refund, "amount", "charge_category") == (usd("-1.5"), "Credit")


def test_aws_reports_name_model_and_meter_in_the_usage_type(tmp_path: Path) -> None:
    """A quarter of a unit of the marketplace is 250,000 tokens; 1,500 thousands in a batch; a discount is no usage."""
    claude, nova, discount = rows(export(tmp_path, "aws_cur", AWS_CUR))
    wanted = (
        "raw_model",
        "meter",
        "service_tier",
        "quantity",
        "quantity_unit",
        "amount",
        "list_amount",
        "region",
        "project_id",
        "event_date",
    )
    assert only(claude, *wanted) == (
        "Claude Sonnet 4.5", "output_text", "standard", usd("0.25"), "1M tokens", usd("3.75"), usd("4.125"), "us-east-1", "4711", DAY,
    )  # fmt: skip
    assert only(nova, *wanted[:7]) == (
        "Nova2.0Lite",
        "input_uncached",
        "batch",
        1500,
        "1K tokens",
        usd("0.225"),
        usd("0.225"),
    )
    assert [units_in(row["quantity"], row["quantity_unit"]) for row in (claude, nova)] == [250_000, 1_500_000]
    assert only(discount, "raw_model", "amount", "list_amount", "provider_id") == (
        None,
        usd("-0.4"),
        None,
        "aws.bedrock",
    )
    assert category_of(discount["charge_category"], discount["line_item"]) == "discount"
    old = (
        b"lineItem/UsageStartDate,lineItem/UsageEndDate,lineItem/LineItemType,lineItem/UsageType,lineItem/UsageAmount,lineItem/UnblendedCost,"
        b"lineItem/CurrencyCode,lineItem/LineItemDescription,pricing/unit,product/ProductName,lineItem/UsageAccountId\n"
        b"2026-02-12T00:00:00Z,2026-02-13T00:00:00Z,Usage,USE1-MP:USE1_OutputTokenCount-Units,0.25,3.75,USD,usage,Units,"
        b"Claude Sonnet 4.5 (Amazon Bedrock Edition),4711\n"
    )
    [same] = rows(export(tmp_path, "aws_cur", old))
    assert only(same, *wanted[:6], "project_id") == (*only(claude, *wanted[:6]), "4711")


def test_google_rows_name_model_and_meter_in_the_sku_and_hold_their_credits(tmp_path: Path) -> None:
    """0.55 less 0.05 and 0.10 is what is billed; usage counts tokens, although its unit says requests."""
    found = rows(export(tmp_path, "google_billing", GOOGLE_BILLING))
    assert sum(row["amount"] for row in found) == usd("0.55") - usd("0.15") + usd("0.0025") + usd("0.105") + usd("0.12")
    flash, promotion, negotiated, flex, search, tax = found
    wanted = (
        "provider_id",
        "raw_model",
        "meter",
        "service_tier",
        "amount",
        "list_amount",
        "currency",
        "project_id",
        "region",
    )
    assert only(flash, *wanted) == (
        "vertex_ai", "gemini-2.5-flash", "input_uncached", "standard", usd("0.55"), usd("0.6"), "EUR", "shop", "europe-west1",
    )  # fmt: skip
    assert only(flex, *wanted[:4]) == ("google", "gemini-3.6-flash", "output_text", "flex")
    assert [units_in(row["quantity"], row["quantity_unit"]) for row in (flash, flex)] == [2_000_000, 1_000]
    assert [only(row, "amount", "quantity", "list_amount", "raw_model") for row in (promotion, negotiated)] == [
        (usd("-0.05"), None, None, "gemini-2.5-flash"), (usd("-0.1"), None, None, "gemini-2.5-flash"),
    ]  # fmt: skip
    assert [category_of(row["charge_category"], row["line_item"]) for row in found] == [
        "usage", "credit", "discount", "usage", "usage", "tax",
    ]  # fmt: skip
    assert (meter_of(search["meter"]), search["raw_model"], tax["raw_model"]) == ("web_search", None, None)


def test_rows_of_clouds_that_say_the_same_are_lines_of_the_bill(tmp_path: Path) -> None:
    """Vertex AI splits an hour by the labels of requests, AWS by resources; both write an export as several files."""
    row, cents = GOOGLE_BILLING["data"][0], usd("0.55") - usd("0.15")
    split = [row | {"labels": [{"key": "team", "value": team}]} for team in ("a", "b")]
    for files in ([split], [[one] for one in split], [[row, row]]):
        assert (
            merged(export(tmp_path, "google_billing", {"data": file}) for file in files).rows["amount"].sum()
            == 2 * cents
        )
    row = AWS_CUR["data"][0]
    old = {"lineItem/UsageStartDate": "2026-02-12T00:00:00Z", "lineItem/LineItemType": "Usage", "lineItem/UnblendedCost": "3.75",
           "lineItem/CurrencyCode": "USD", "lineItem/UsageType": "USE1-Nova2.0Lite-input-tokens"}  # fmt: skip
    for one, name in ((row, "identity_line_item_id"), (old, "identity/LineItemId")):
        split = [one | {name: line} for line in ("a", "b")]
        for files in ([split], [[each] for each in split], [[one, one]]):
            tables = [pl.DataFrame(file).write_csv().encode() if one is old else {"data": file} for file in files]
            assert merged(export(tmp_path, "aws_cur", table) for table in tables).rows["amount"].sum() == usd("7.5")


def test_credits_of_google_are_lines_in_parquet_too(tmp_path: Path) -> None:
    content = io.BytesIO()
    pl.DataFrame(GOOGLE_BILLING["data"][:1]).write_parquet(content)
    found = rows(export(tmp_path, "google_billing", content.getvalue()))
    assert [row["amount"] for row in found] == [usd("0.55"), usd("-0.05"), usd("-0.1")]


@pytest.mark.parametrize(
    ("sku", "said"),
    [
        ("Gemini 2.5 Flash GA Thinking Text Output - Predictions", ("gemini-2.5-flash", "output_text", "standard")),
        ("Gemini 3.0 Pro Text Input (Long) - Predictions", ("gemini-3-pro", "input_uncached", "standard")),
        ("Gemini 2.0 Flash Text Input - Batch Predictions", ("gemini-2.0-flash", "input_uncached", "batch")),
        ("Gemini 3 Flash Text Input Caching", ("gemini-3-flash", "input_cache_read", "standard")),
        ("Gemini 3.1 Flash Image Text Output - Predictions", ("gemini-3.1-flash-image", "output_text", "standard")),
        ("Generate content output token count gemini 2.5 flash short input text", ("gemini-2.5-flash", "output_text", "standard")),
        ("Generate content cached input token count gemini 3.6 flash text", ("gemini-3.6-flash", "input_cache_read", "standard")),
        ("Gemini 3 Flash Text Input Caching Storage", None),
        ("Generate_content image input token count for gemini 3 flash", None),
        ("Gemini 2.5 Flash Image Input - Predictions", None),
        ("Generate content input token count gemini 2.5 flash input audio", None),
        ("Gemini Code Assist Enterprise", None),
        (None, None),
    ],
)  # fmt: skip
def test_what_descriptions_of_google_skus_say(sku: str | None, said: tuple[str, ...] | None) -> None:
    found = google_said(sku)
    assert (found and (found.model, found.meter, found.tier)) == said


@pytest.mark.parametrize(("kind", "date", "is_line"), [
    ("Tax", "02/28/2026", True), ("RoundingAdjustment", "02/28/2026", True), ("Purchase", "2026-03-01", True),
    ("Usage", "02/28/2026", False), ("Tax", "04/28/2026", False),
])  # fmt: skip
def test_what_is_no_usage_may_be_dated_to_the_end_of_the_month(
    tmp_path: Path, kind: str, date: str, is_line: bool
) -> None:
    """An export of 14 February holds the month's tax and rounding, dated to its end."""
    row = {
        "Date": date,
        "MeterName": "x",
        "CostInBillingCurrency": "1.5",
        "BillingCurrencyCode": "EUR",
        "ChargeType": kind,
    }
    parsed = export(tmp_path, "azure_cost", {"data": [row]})
    assert (parsed.valid, parsed.quarantine["reason"].to_list()) == (
        (1, []) if is_line else (0, ["event_after_arrival"])
    )
