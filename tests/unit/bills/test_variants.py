"""Bills as sellers and invoices write them, each worked by hand: what a line is charged, in which currency, for which meter, and how many units."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines.bills import parse_bill
from pipelines.bills.formats._cloud_meters import Said, aws_said
from pipelines.books.reconciliation.words import category_of, meter_of, units_in
from pipelines.config.sources import RequestSource
from pipelines.records.layout import SourceError
from pipelines.requests import ParsedFile
from tests.unit.bills.reports import export, rows
from tests.unit.requests.helpers import landed

D = Decimal
GERMAN = {"delimiter": ";", "decimal": ",", "thousands": ".", "time": {"format": "%d.%m.%Y"}}
INVOICE = {
    "bucket_from": "Datum",
    "amount": "Betrag",
    "line_item": "Position",
    "quantity": "Menge",
    "quantity_unit": "Einheit",
}


def invoice(
    folder: Path, *lines: str, written_in: str = "utf-8", currency: str | None = "EUR", **options: Any
) -> ParsedFile:
    path = folder / "invoice.csv"
    path.write_bytes("\n".join(["Datum;Position;Menge;Einheit;Betrag", *lines, ""]).encode(written_in))
    defaults = {"provider_id": "acme"} | ({} if currency is None else {"currency": currency})
    declared = {
        "source": "bill",
        "format": "bill_mapping",
        "defaults": defaults,
        "options": {"columns": INVOICE, **options},
    }
    return parse_bill(landed(path), RequestSource.model_validate(declared), folder / "store")


def amounts(parsed: ParsedFile) -> list[Decimal]:
    return [row["amount"] for row in rows(parsed)]


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("1.234,56", "1234.56"),
        ("-1.234,56", "-1234.56"),
        ("1.234,56-", "-1234.56"),
        ("(1.234,56)", "-1234.56"),
        ("\u22121.234,56", "-1234.56"),
        ("- 12,30 €", "-12.3"),
        ("-€ 12,30", "-12.3"),
        ("€ -12,30", "-12.3"),
        ("(€ 12,30)", "-12.3"),
        ("12,30 EUR-", "-12.3"),
        ("EUR 1.234,56", "1234.56"),
        ("1.234,56 €", "1234.56"),
    ],
)
@pytest.mark.parametrize(
    "options", [GERMAN, {name: GERMAN[name] for name in ("delimiter", "time")}], ids=["declared", "shown"]
)
def test_an_amount_has_its_sign_and_currency_on_either_side(
    tmp_path: Path, written: str, amount: str, options: dict[str, Any]
) -> None:
    """Also where the file has to show its marks: the other line does."""
    found = invoice(tmp_path, f"12.02.2026;a;;;{written}", "12.02.2026;b;;;9.876,54", **options)
    assert (amounts(found), found.quarantine.height) == ([D(amount), D("9876.54")], 0)


@pytest.mark.parametrize(
    ("written", "currency", "amount"),
    [("CHF 1'234.56", "CHF", "1234.56"), ("1’234.50 CHF", "CHF", "1234.5"), ("GBP 12.30", "GBP", "12.3"), ("1\u202f234,56", "EUR", "1234.56"), ("(12.30)", "USD", "-12.3"), ("12.30-", "USD", "-12.3")],
)  # fmt: skip
def test_marks_that_stand_for_one_thing_need_no_word(tmp_path: Path, written: str, currency: str, amount: str) -> None:
    found = invoice(tmp_path, f"12.02.2026;a;;;{written}", currency=currency, delimiter=";", time=GERMAN["time"])
    assert amounts(found) == [D(amount)]


@pytest.mark.parametrize("written", ["CHF 12,30", "US$ 12,30", "12,30 £", "GBP 12,30"])
def test_the_sign_of_another_currency_sets_the_line_aside(tmp_path: Path, written: str) -> None:
    found = invoice(tmp_path, f"12.02.2026;a;;;{written}", **GERMAN)
    assert found.quarantine["reason"].to_list() == ["other_currency"]


def test_an_amount_without_a_currency_is_in_none(tmp_path: Path) -> None:
    """Nobody knows whether 12.30 are dollars: they were booked as such."""
    found = invoice(tmp_path, "12.02.2026;a;;;12,30", currency=None, **GERMAN)
    assert found.quarantine["reason"].to_list() == ["missing_field"]
    assert "names no currency" in found.quarantine["detail"][0]
    row = "BilledCost,ProviderName,ChargePeriodStart,ChargeCategory\n1.5,OpenAI,2026-02-12T00:00:00Z,Usage\n"
    assert export(tmp_path, "focus", row.encode()).quarantine["reason"].to_list() == ["missing_field"]


def test_a_sign_in_the_column_of_currencies_is_its_code(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "bucket_from,amount,provider_id,currency\n2026-02-12,1,acme,€\n2026-02-12,2,acme,usd\n2026-02-12,3,acme,£\n",
        encoding="utf-8",
    )
    found = rows(parse_bill(landed(path), RequestSource(source="bill", format="bill_mapping"), tmp_path / "store"))
    assert [row["currency"] for row in found] == ["EUR", "USD", "GBP"]


@pytest.mark.parametrize(
    "words",
    [
        "Gesamtbetrag",
        "Total",
        "Summe:",
        "Zwischensumme",
        "Subtotal",
        "Invoice total",
        "Amount due",
        "Rechnungsbetrag EUR",
        "Grand Total",
        "Total TTC",
        "Montant total HT",
        "Sous-total",
        "Net à payer",
        "Importe total",
        "Totale fattura",
        "Totaal incl. btw",
        "Total amount due",
        "Total charges (USD)",
    ],
)
def test_a_line_that_adds_up_others_is_no_charge(tmp_path: Path, words: str) -> None:
    found = invoice(
        tmp_path,
        "12.02.2026;Tokens;;;10,00",
        f"12.02.2026;{words};;;10,00",
        "12.02.2026;Total cost model, input;;;1,00",
        **GERMAN,
    )
    assert (sum(amounts(found)), found.quarantine["reason"].to_list()) == (11, ["total_line"])


@pytest.mark.parametrize("encoding", ["cp1252", "iso8859-15", "mac-roman"])
def test_a_declared_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    found = invoice(
        tmp_path, "12.02.2026;Rückerstattung;;;-1,50 €", written_in=encoding, **{**GERMAN, "encoding": encoding}
    )
    assert [(row["line_item"], row["amount"]) for row in rows(found)] == [("Rückerstattung", D("-1.5"))]


def test_a_mark_of_unicode_goes_before_the_declared_encoding(tmp_path: Path) -> None:
    found = invoice(tmp_path, "12.02.2026;Größe;;;1,50", written_in="utf-8-sig", **{**GERMAN, "encoding": "cp1252"})
    assert rows(found)[0]["line_item"] == "Größe"


@pytest.mark.parametrize("encoding", ["utf-16-le", "klingon", "rot13", 5])
def test_an_encoding_that_is_none_is_refused(tmp_path: Path, encoding: object) -> None:
    with pytest.raises(SourceError, match=r"options\.encoding"):
        invoice(tmp_path, "12.02.2026;a;;;1,50", **{**GERMAN, "encoding": encoding})


@pytest.mark.parametrize(
    ("words", "category"),
    [
        ("USt. 19 %", "tax"), ("Mehrwertsteuer", "tax"), ("Sales Taxes", "tax"), ("VAT", "tax"), ("Gutschrift", "credit"), ("Rückerstattung", "credit"),
        ("Refunds", "credit"), ("Guthaben", "credit"), ("Promotional credits", "credit"), ("Rabatt 12 %", "discount"), ("Volume discount", "discount"),
        ("Provisioned throughput", "commitment"), ("taxonomy-1, input", "usage"), ("Eingabe-Token", "usage"), ("Austausch", "usage"),
        ("Credit purchase", "commitment"), ("Prepaid credits top-up", "commitment"), ("Credit card surcharge", "usage"),
        ("Committed spend shortfall", "commitment"), ("Minimum monthly charge", "commitment"),
    ],
)  # fmt: skip
def test_what_a_line_charges_by_its_words(words: str, category: str) -> None:
    assert category_of(None, words) == category


@pytest.mark.parametrize(
    ("kind", "words", "category"),
    [
        ("Usage", "Provisioned Managed Global", "commitment"), ("Usage", "gpt 5 Inp Glbl 1M Tokens", "usage"), ("Usage", "Tax advice model, input", "usage"),
        ("UnusedSavingsPlan", None, "commitment"), ("rounding_error", "Rounding", "unexplained"),
    ],
)  # fmt: skip
def test_the_kind_that_a_cloud_gives_a_line(kind: str, words: str | None, category: str) -> None:
    assert category_of(kind, words) == category


def test_a_unit_may_be_declared_where_the_column_says_it(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("day,Tokens,EUR\n2026-02-12,1000000,1.80\n", encoding="utf-8")
    declared = RequestSource.model_validate(
        {
            "source": "bill", "format": "bill_mapping", "defaults": {"provider_id": "mistral", "currency": "EUR", "quantity_unit": "tokens"},
            "options": {"columns": {"bucket_from": "day", "quantity": "Tokens", "amount": "EUR"}},
        }
    )  # fmt: skip
    [found] = rows(parse_bill(landed(tmp_path / "b.csv"), declared, tmp_path / "store"))
    assert units_in(found["quantity"], found["quantity_unit"]) == 1_000_000


@pytest.mark.parametrize(
    ("quantity", "unit", "units"),
    [
        ("2", "tokens", 2), ("2", "1000_tokens", 2000), ("2", "1K tokens", 2000), ("2", "1M tokens", 2_000_000), ("2.5", "Mio. Token", 2_500_000), ("3", "Tsd. Token", 3000),
        ("2", "Million tokens", 2_000_000), ("2", "MTok", 2_000_000), ("2", "per 1,000,000 tokens", 2_000_000), ("1", "1.000.000 Token", 1_000_000), ("2", "1K", 2000),
        ("2", "calls", 2), ("2", "duration_minutes", None), ("2", "gibibyte_hours", None), ("2", "Units", None), ("2", "1 Hour", None), ("2", "10", None), ("2", "", None),
    ],
)  # fmt: skip
def test_units_as_bills_write_them(quantity: str, unit: str, units: int | None) -> None:
    assert units_in(D(quantity), unit) == units


def test_the_console_of_anthropic_states_list_prices(tmp_path: Path) -> None:
    """Columns as the console wrote them in August 2026. What was negotiated, 0.10 for 1.00 USD, was lost; and `message` is no tier."""
    console = (
        "usage_date_utc,model,workspace,api_key,usage_type,context_window,token_type,cost_usd,list_price_usd,cost_type,inference_geo,speed,api_key_id\n"
        "2026-02-12,Claude Sonnet 4.5,Default,k,message,≤ 200k,input_no_cache,0.10,1.00,token,not_available,,apikey_1\n"
        "2026-02-12,Claude Sonnet 4.5,Default,k,message_batch,≤ 200k,output,0.02,0.02,token,us,,apikey_1\n"
    )
    plain, batch = rows(export(tmp_path, "anthropic_cost_api", console.encode()))
    names = ("amount", "list_amount", "service_tier", "region", "api_key_id")
    assert [plain[name] for name in names] == [D("0.1"), D(1), "standard", None, "apikey_1"]
    assert [batch[name] for name in names] == [D("0.02"), D("0.02"), "batch", "us", "apikey_1"]
    assert [meter_of(row["meter"]) for row in (plain, batch)] == ["input_uncached", "output_text"]


def test_reports_of_openai_on_tools_count_no_request_twice(tmp_path: Path) -> None:
    """A search is a quantity; the call that searched is in the report of completions."""
    page = {
        "data": [{"object": "bucket", "start_time": 1770854400, "end_time": 1770940800, "results": [
            {"object": "organization.usage.web_searches.result", "num_requests": 7, "num_model_requests": 5, "model": "gpt-5", "project_id": "p"},
            {"object": "organization.usage.file_searches.result", "num_requests": 3, "project_id": "p"},
            {"object": "organization.usage.code_interpreter_sessions.result", "num_sessions": 2, "project_id": "p"},
            {"object": "organization.usage.vector_stores.result", "usage_bytes": 1024, "project_id": "p"},
            {"object": "organization.usage.completions.result", "input_tokens": 10, "output_tokens": 1, "num_model_requests": 5, "model": "gpt-5"},
        ]}]
    }  # fmt: skip
    found = rows(export(tmp_path, "openai_usage_api", json.dumps(page).encode()))
    assert [(row["quantity"], row["quantity_unit"], row["request_count"]) for row in found] == [
        (7, "requests", None), (3, "requests", None), (2, "sessions", None), (1024, "bytes", None), (None, None, 5),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sellers", "defaults", "seller"),
    [(("openai",), {}, "openai"), (("openai", "azure"), {"provider_id": "azure"}, "azure"), (("openai",), {"provider_id": "azure"}, "openai"), (("openai", "azure"), {}, None)],
)  # fmt: skip
def test_a_page_of_daily_activity_of_litellm(
    tmp_path: Path, sellers: tuple[str, ...], defaults: dict[str, str], seller: str | None
) -> None:
    """By model and day. A day with one seller says whose the models are; of one with several the source does, or nobody knows."""
    counts = {"prompt_tokens": 100, "completion_tokens": 10, "cache_read_input_tokens": 40, "api_requests": 3}
    day = {"date": "2026-02-12", "metrics": {"spend": 2}, "breakdown": {
        "models": {"gpt-4o": {"metrics": {**counts, "spend": 1.25}, "api_key_breakdown": {"h": {"metrics": {**counts, "spend": 1.25}}}},
                   "gpt-5": {"metrics": {**counts, "spend": 0.75}}},
        "providers": {name: {"metrics": {"spend": 2}} for name in sellers},
    }}  # fmt: skip
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"results": [day], "metadata": {"page": 1, "has_more": False}}))
    declared = RequestSource.model_validate({"source": "bill", "format": "litellm_daily", "defaults": defaults})
    parsed = parse_bill(landed(path), declared, tmp_path / "store")
    found = [
        (r["raw_model"], r["amount"], r["input_uncached_tokens"], r["input_cache_read_tokens"], r["request_count"], r["provider_id"]) for r in rows(parsed)
    ]  # fmt: skip
    if seller is None:
        assert (found, set(parsed.quarantine["reason"])) == ([], {"missing_field"})
    else:
        assert found == [("gpt-4o", D("1.25"), 60, 40, 3, seller), ("gpt-5", D("0.75"), 60, 40, 3, seller)]


def test_a_table_of_openai_costs_names_its_currency(tmp_path: Path) -> None:
    table = 'start_time,end_time,amount_value,currency,line_item\n1770854400,1770940800,0.06,eur,"gpt-4o, input"\n'
    [found] = rows(export(tmp_path, "openai_costs_api", table.encode()))
    assert (found["currency"], found["amount_usd"]) == ("EUR", None)


@pytest.mark.parametrize(
    ("line_item", "model", "meter", "tier"),
    [
        ("gpt-6-astra, input_tokens", "gpt-6-astra", "input_uncached", None),
        ("gpt-6-astra, cached_input_tokens", "gpt-6-astra", "input_cache_read", None),
        ("gpt-6-astra, input_cache_write_tokens_30m", "gpt-6-astra", "input_cache_write_30m", None),
        ("gpt-6-astra, input_cache_write_12h_tokens", "gpt-6-astra", "input_cache_write_12h", None),
        ("batch | gpt-4o-2024-08-06, output", "gpt-4o-2024-08-06", "output_text", "batch"),
        ("Flex | o3, input", "o3", "input_uncached", "flex"),
        ("gpt-image-1 image, cached input", "gpt-image-1", "input_image_cache_read", None),
        ("ft:gpt-4o-mini:acme::abc, input", "ft:gpt-4o-mini:acme::abc", "input_uncached", None),
        ("gpt-4o, web search tool calls", "gpt-4o", "web_search", None),
        ("file search tool calls", None, None, None),
    ],
)
def test_line_items_of_openai(
    tmp_path: Path, line_item: str, model: str | None, meter: str | None, tier: str | None
) -> None:
    result = {
        "object": "organization.costs.result",
        "amount": {"value": 0.5, "currency": "usd"},
        "line_item": line_item,
    }
    page = {"data": [{"start_time": 1770854400, "end_time": 1770940800, "results": [result]}]}
    [found] = rows(export(tmp_path, "openai_costs_api", page))
    assert (found["raw_model"], meter_of(found["meter"]) or meter_of(line_item), found["service_tier"]) == (
        model,
        meter,
        tier,
    )


def charge(**columns: str) -> bytes:
    row = {
        "BilledCost": "2.7",
        "BillingCurrency": "USD",
        "ChargePeriodStart": "2026-02-12T00:00Z",
        "ChargePeriodEnd": "2026-02-13T00:00Z",
        "ChargeCategory": "Usage",
        **columns,
    }
    text = io.StringIO()
    writer = csv.DictWriter(text, list(row))
    writer.writeheader()
    writer.writerow(row)
    return text.getvalue().encode()


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"ProviderName": "Microsoft", "SkuMeter": "gpt 4.1 mini cached Inp glbl Tokens", "x_SkuMeterSubcategory": "Azure OpenAI", "ResourceName": "my-account", "ConsumedQuantity": "2000", "ConsumedUnit": "1K"}, ("azure", "gpt-4.1-mini", "input_cache_read", "standard", 2_000_000)),
        ({"ProviderName": "Microsoft", "x_SkuMeterName": "gpt 4.1 Outp glbl Tokens", "x_SkuMeterSubcategory": "Azure OpenAI", "ResourceName": "my-account"}, ("azure", "gpt-4.1", "output_text", "standard", None)),
        ({"ProviderName": "Microsoft", "SkuMeter": "D2 v3/D2s v3", "ResourceName": "vm-1"}, ("azure", "vm-1", None, None, None)),
        ({"ProviderName": "AWS", "ServiceName": "Amazon Bedrock", "SkuMeter": "USE1-Qwen3-32B-input-tokens-batch", "PricingQuantity": "1000", "PricingUnit": "1K tokens"}, ("aws.bedrock", "Qwen3-32B", "input_uncached", "batch", 1_000_000)),
        ({"ProviderName": "AWS", "ServiceName": "Claude Opus 4.5 (Amazon Bedrock Edition)", "x_UsageType": "USW2-MP:USW2_output_tokens_standard-Units"}, ("aws.bedrock", "Claude Opus 4.5", "output_text", "standard", None)),
        ({"ProviderName": "AWS", "ServiceName": "Claude Haiku 4.5 (Amazon Bedrock Edition)", "x_UsageType": "USW2-MP:USW2_InputTokenCount-Units", "ConsumedQuantity": "0.25", "ConsumedUnit": "Units"}, ("aws.bedrock", "Claude Haiku 4.5", "input_uncached", "standard", 250_000)),
        ({"ProviderName": "AWS", "ServiceName": "Claude Haiku 4.5 (Amazon Bedrock Edition)", "x_UsageType": "USW2-MP:USW2_InputTokenCount-Units", "ConsumedQuantity": "250", "ConsumedUnit": "1K tokens"}, ("aws.bedrock", "Claude Haiku 4.5", "input_uncached", "standard", 250_000)),
        ({"ProviderName": "AWS", "ServiceName": "Amazon S3", "x_UsageType": "TimedStorage-ByteHrs"}, ("aws.bedrock", None, None, None, None)),
    ],
)  # fmt: skip
def test_clouds_say_the_model_in_their_meter(tmp_path: Path, columns: dict[str, str], said: tuple[Any, ...]) -> None:
    [found] = rows(export(tmp_path, "focus", charge(**columns)))
    assert (
        found["provider_id"], found["raw_model"], meter_of(found["meter"]), found["service_tier"], units_in(found["quantity"], found["quantity_unit"]),
    ) == said  # fmt: skip


@pytest.mark.parametrize(
    ("name", "seller"),
    [
        ("Microsoft", "azure"), ("Azure OpenAI", "azure"), ("Azure Cloud", "azure"), ("microsoft azure", "azure"), ("AWS", "aws.bedrock"), ("Amazon Web Services", "aws.bedrock"),
        ("AMAZON", "aws.bedrock"), ("OpenAI", "openai"), ("Anthropic PBC", "anthropic"), ("Google Cloud", "google"), ("Jaws AI", "jaws_ai"),
        ("Mistral  AI", "mistral_ai"),
    ],
)  # fmt: skip
def test_sellers_by_the_names_that_exports_give_them(tmp_path: Path, name: str, seller: str) -> None:
    [found] = rows(export(tmp_path, "focus", charge(ProviderName=name)))
    assert found["provider_id"] == seller


@pytest.mark.parametrize(
    ("service", "usage_type", "said"),
    [
        ("Amazon Bedrock", "EU-Qwen3-32B-output-tokens", Said("Qwen3-32B", "output_text", "standard")),
        ("Amazon Bedrock", "USE1-Nova2.0Lite-input-tokens-cross-region-global-batch", Said("Nova2.0Lite", "input_uncached", "batch")),
        ("Amazon Bedrock", "USW2-Nova2.0Lite-cache-read-input-token-count", Said("Nova2.0Lite", "input_cache_read", "standard")),
        ("Amazon Bedrock", "USE1-qwen.qwen3-32b-mantle-output-tokens-flex", Said("qwen.qwen3-32b", "output_text", "flex")),
        ("Claude 3 Haiku (Amazon Bedrock Edition)", "USW2-MP:USW2_InputTokenCount-Units", Said("Claude 3 Haiku", "input_uncached", "standard", "1M tokens")),
        ("OpenAI GPT-5.6 Sol (Amazon Bedrock Edition)", "USE1-MP:USE1_cache_write_tokens_30m_standard-Units", Said("OpenAI GPT-5.6 Sol", "input_cache_write_30m", "standard", "1M tokens")),
        ("Claude Haiku 4.5 (Amazon Bedrock Edition)", "USW2-MP:USW2_CacheWrite1hInputTokenCount_Global-Units", Said("Claude Haiku 4.5", "input_cache_write_1h", "standard", "1M tokens")),
        ("Claude Opus 4.1 (Amazon Bedrock Edition)", "USW2-MP:USW2_InputTokenCount_Batch-Units", Said("Claude Opus 4.1", "input_uncached", "batch", "1M tokens")),
        ("OpenAI GPT-6 Astra (Amazon Bedrock Edition)", "USW2-MP:USW2_output_tokens_long_ctx_global_standard-Units", Said("OpenAI GPT-6 Astra", "output_text", "standard", "1M tokens")),
        ("Claude 3.7 Sonnet (Amazon Bedrock Edition)", "USW2-MP:USW2_ProvisionedThroughput_1MonthCommit_ModelUnits_Usage-Units", None),
        ("Amazon Bedrock", "USE1-Guardrail-ContentPolicyUnitsConsumed", None),
        ("Amazon Bedrock", "USE1-Claude-reserved-input-tokens-per-minute", None),
    ],
)  # fmt: skip
def test_usage_types_of_aws(service: str, usage_type: str, said: Said | None) -> None:
    assert aws_said(service, usage_type) == said


@pytest.mark.parametrize("column", ["Date", "date", "UsageDate", "usageDate"])
def test_azure_exports_write_their_date_in_several_ways(tmp_path: Path, column: str) -> None:
    text = f"{column},chargeType,billingCurrency,costInBillingCurrency\n02/12/2026,Usage,EUR,1E-05\n"
    [found] = rows(export(tmp_path, "azure_cost", text.encode()))
    assert (str(found["event_date"]), found["amount"], found["currency"]) == ("2026-02-12", D("0.00001"), "EUR")


def test_langfuse_v2_gives_a_row_for_each_model_and_day(tmp_path: Path) -> None:
    """The older endpoint left Langfuse's cloud in November 2026. Counts come as texts, which are no part of what a row is."""
    row = {"time_dimension": "2026-02-12T00:00:00.000Z", "providedModelName": "gpt-4o", "sum_totalCost": 0.5, "sum_inputTokens": "100", "sum_outputTokens": "20", "count_count": "3"}  # fmt: skip
    other = {**row, "providedModelName": None, "sum_totalCost": "0.25"}
    found = rows(export(tmp_path, "langfuse_daily", {"data": [row, other]}))
    assert [(str(line["event_date"]), line["raw_model"], line["amount"], line["request_count"], line["input_uncached_tokens"], line["output_text_tokens"]) for line in found] == [
        ("2026-02-12", "gpt-4o", D("0.5"), 3, 100, 20), ("2026-02-12", None, D("0.25"), 3, 100, 20),
    ]  # fmt: skip
    (later, _) = rows(export(tmp_path, "langfuse_daily", {"data": [{**row, "sum_inputTokens": "101"}, other]}))
    assert later["cost_uid"] == found[0]["cost_uid"]
