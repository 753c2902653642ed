"""Reports typed by hand after the providers' documented shapes, and short ways to land, parse and merge them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.bills import BillLedger, bitemporal, parse_bill
from pipelines.config.sources import RequestSource
from pipelines.requests import ParsedFile
from tests.unit.requests.helpers import buckets, landed

DAY = date(2026, 2, 12)
MIDNIGHT = int(datetime(2026, 2, 12, tzinfo=UTC).timestamp())
SECONDS = 86_400

OPENAI_COSTS = {
    "object": "page",
    "data": [
        {
            "object": "bucket", "start_time": MIDNIGHT, "end_time": MIDNIGHT + SECONDS,
            "results": [
                {"object": "organization.costs.result", "amount": {"value": 0.06, "currency": "usd"},
                 "line_item": "gpt-4o-2024-08-06, input", "project_id": "proj_a"},
                {"object": "organization.costs.result", "amount": {"value": 1.5e-05, "currency": "usd"},
                 "line_item": "gpt-4o-2024-08-06, cached input", "project_id": "proj_a"},
                {"object": "organization.costs.result", "amount": {"value": 2.50, "currency": "usd"},
                 "line_item": "priority | gpt-5.2 audio, output", "project_id": "proj_b"},
                {"object": "organization.costs.result", "amount": {"value": 0.01, "currency": "usd"},
                 "line_item": "web search tool calls", "project_id": "proj_b", "quantity": 1, "quantity_unit": "calls"},
                {"object": "organization.costs.result", "amount": {"value": -0.02, "currency": "usd"}, "line_item": None,
                 "project_id": None},
            ],
        },
        {"object": "bucket", "start_time": MIDNIGHT + SECONDS, "end_time": MIDNIGHT + 2 * SECONDS,
         "results": [{"object": "organization.costs.result", "amount": {"value": 0.5, "currency": "usd"},
                      "line_item": "gpt-4o-2024-08-06, input", "project_id": "proj_a"}]},
    ],
    "has_more": False, "next_page": None,
}  # fmt: skip
OPENAI_USAGE = {
    "object": "page",
    "data": [
        {
            "object": "bucket", "start_time": MIDNIGHT, "end_time": MIDNIGHT + SECONDS,
            "results": [
                # 10000 = 6000 text + 500 audio + 2000 cached text + 300 cached audio + 1200 written (700 for 30 minutes, 400 for 12 hours)
                {"object": "organization.usage.completions.result", "input_tokens": 10_000, "input_cached_tokens": 2300,
                 "input_cache_write_tokens": 1200, "input_cache_write_30m_tokens": 700, "input_cache_write_12h_tokens": 400,
                 "input_uncached_tokens": 6500, "input_text_tokens": 6000,
                 "input_cached_text_tokens": 2000, "input_audio_tokens": 500, "input_cached_audio_tokens": 300,
                 "output_tokens": 900, "output_text_tokens": 800, "output_audio_tokens": 100, "num_model_requests": 7,
                 "project_id": "proj_a", "user_id": "user-1", "api_key_id": "key_1", "model": "gpt-4o-2024-08-06",
                 "batch": False, "service_tier": "default"},
                # An older answer: audio next to input.
                {"object": "organization.usage.completions.result", "input_tokens": 1000, "input_cached_tokens": 400,
                 "input_audio_tokens": 50, "output_tokens": 200, "output_audio_tokens": 20, "num_model_requests": 2,
                 "project_id": "proj_a", "user_id": None, "api_key_id": None, "model": "gpt-4o-audio", "batch": True},
                {"object": "organization.usage.images.result", "images": 4, "num_model_requests": 2, "size": "1024x1024",
                 "source": "image.generation", "model": "dall-e-3", "project_id": None},
            ],
        }
    ],
    "has_more": True, "next_page": "page_x",
}  # fmt: skip
ANTHROPIC_USAGE = {
    "data": [
        {
            "starting_at": "2026-02-12T00:00:00Z", "ending_at": "2026-02-13T00:00:00Z",
            "results": [
                {"uncached_input_tokens": 3_000_000_000, "cache_read_input_tokens": 700, "output_tokens": 90,
                 "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
                 "server_tool_use": {"web_search_requests": 2}, "api_key_id": "apikey_1", "workspace_id": None,
                 "model": "claude-sonnet-4-5-20250929", "service_tier": "standard", "context_window": "0-200k",
                 "inference_geo": "global"},
            ],
        }
    ],
    "has_more": False, "next_page": None,
}  # fmt: skip
ANTHROPIC_COST = {
    "data": [
        {
            "starting_at": "2026-02-12T00:00:00Z", "ending_at": "2026-02-13T00:00:00Z",
            "results": [
                {"currency": "USD", "amount": "123.78912", "workspace_id": "wrkspc_1", "cost_type": "tokens",
                 "description": "Claude Sonnet 4.5 Usage - Input Tokens", "model": "claude-sonnet-4-5-20250929",
                 "token_type": "uncached_input_tokens", "service_tier": "standard", "context_window": "0-200k",
                 "inference_geo": "us"},
                {"currency": "USD", "amount": "20.0", "workspace_id": None, "cost_type": "web_search",
                 "description": "Web Search Usage", "model": None, "token_type": None, "service_tier": None,
                 "context_window": None},
            ],
        }
    ],
    "has_more": False, "next_page": None,
}  # fmt: skip
OPENROUTER = {
    "data": [
        {"date": "2026-02-12 00:00:00", "model": "openai/gpt-4.1", "model_permaslug": "openai/gpt-4.1-2025-04-14",
         "endpoint_id": "e-1", "provider_name": "OpenAI", "usage": 0.015, "byok_usage_inference": 0.012, "requests": 5,
         "prompt_tokens": 50, "completion_tokens": 125, "reasoning_tokens": 25},
        {"date": "2026-02-12 00:00:00", "model": "qwen/qwen3-32b", "model_permaslug": "qwen/qwen3-32b-04-28",
         "endpoint_id": "e-2", "provider_name": "DeepInfra", "usage": 0, "byok_usage_inference": 0, "requests": 1,
         "prompt_tokens": 10, "completion_tokens": 5, "reasoning_tokens": 0},
    ]
}  # fmt: skip
FOCUS = {
    "data": [
        {"ProviderName": "Microsoft", "ChargePeriodStart": "2026-02-12T00:00:00Z", "ChargePeriodEnd": "2026-02-13T00:00:00Z",
         "BilledCost": "2.7", "ListCost": "3.0", "BillingCurrency": "USD", "ChargeCategory": "Usage", "ConsumedQuantity": "1000000",
         "ConsumedUnit": "Tokens", "PricingQuantity": "1", "PricingUnit": "1000000 Tokens", "SkuMeter": "Input Tokens",
         "ResourceName": "gpt-4o", "ChargeDescription": "Input tokens of a model", "RegionId": "swedencentral"},
        {"ProviderName": "Microsoft", "ChargePeriodStart": "2026-02-01T00:00:00Z", "ChargePeriodEnd": "2026-03-01T00:00:00Z",
         "BilledCost": "19", "ListCost": "19", "BillingCurrency": "EUR", "ChargeCategory": "Tax", "ChargeDescription": "VAT",
         "SkuMeter": "NULL"},
    ]
}  # fmt: skip
INVOICE = {
    "data": [
        {"provider_id": "acme", "bucket_from": "2026-02-12", "amount": "15.00", "currency": "USD", "line_item": "API", "quantity": "5", "quantity_unit": "1K tokens"},
    ]
}  # fmt: skip
LITELLM_DAILY = {
    "data": [
        {"id": "1", "user_id": "u-1", "date": "2026-02-12", "api_key": "hash-1", "model": "gpt-4o", "model_group": "chat", "custom_llm_provider": "openai",
         "prompt_tokens": 1000, "completion_tokens": 50, "cache_read_input_tokens": 600, "cache_creation_input_tokens": 0, "spend": 0.0025,
         "api_requests": 4, "successful_requests": 3, "failed_requests": 1},
        {"id": "2", "user_id": "u-1", "date": "2026-02-13", "api_key": "hash-1", "model": "claude-sonnet-4-5", "custom_llm_provider": "anthropic",
         "prompt_tokens": 500, "completion_tokens": 20, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 300, "spend": 0.0021,
         "api_requests": 1, "successful_requests": 1, "failed_requests": 0},
    ]
}  # fmt: skip
LANGFUSE_DAILY = {
    "data": [
        {"date": "2026-02-12", "countTraces": 10, "countObservations": 25, "totalCost": 0.75,
         "usage": [
             {"model": "gpt-4o", "inputUsage": 1200, "outputUsage": 130, "totalUsage": 1330, "countTraces": 9, "countObservations": 20, "totalCost": 0.5},
             {"model": "gpt-4o-mini", "inputUsage": 900, "outputUsage": 40, "totalUsage": 940, "countTraces": 1, "countObservations": 5, "totalCost": 0.25},
         ]},
    ]
}  # fmt: skip
AZURE_COST = {
    "data": [
        {"Date": "02/12/2026", "SubscriptionId": "sub-1", "ResourceLocation": "swedencentral", "MeterCategory": "Cognitive Services",
         "MeterSubCategory": "Azure OpenAI", "MeterName": "gpt 4.1 mini cached Inp glbl Tokens", "UnitOfMeasure": "1K", "Quantity": "2000",
         "CostInBillingCurrency": "0.18", "PaygCostInBillingCurrency": "0.2", "BillingCurrencyCode": "EUR", "ChargeType": "Usage"},
        {"Date": "2026-02-12", "SubscriptionId": "sub-1", "MeterName": "Provisioned Managed Global Unit", "UnitOfMeasure": "1 Hour", "Quantity": "24",
         "CostInBillingCurrency": "24", "BillingCurrencyCode": "EUR", "ChargeType": "Purchase"},
        {"Date": "02/12/2026", "SubscriptionId": "sub-1", "MeterName": "gpt 4.1 mini Inp glbl Tokens", "MeterSubCategory": "Azure OpenAI",
         "CostInBillingCurrency": "-1.5", "BillingCurrencyCode": "EUR", "ChargeType": "Refund"},
    ]
}  # fmt: skip
_CUR = {
    "line_item_usage_start_date": "2026-02-12T00:00:00Z", "line_item_usage_end_date": "2026-02-13T00:00:00Z", "line_item_usage_account_id": "4711",
    "line_item_currency_code": "USD", "product_region_code": "us-east-1", "line_item_line_item_type": "Usage",
}  # fmt: skip
AWS_CUR = {
    "data": [
        _CUR | {"line_item_usage_type": "USE1-MP:USE1_OutputTokenCount-Units", "product": {"product_name": "Claude Sonnet 4.5 (Amazon Bedrock Edition)"},
         "line_item_line_item_description": "AWS Marketplace software usage", "line_item_usage_amount": "0.25", "pricing_unit": "Units",
         "line_item_unblended_cost": "3.75", "pricing_public_on_demand_cost": "4.125"},
        _CUR | {"line_item_usage_type": "USE1-Nova2.0Lite-input-tokens-batch", "product": {"product_name": "Amazon Bedrock"},
         "line_item_line_item_description": "$0.15 per 1M", "line_item_usage_amount": "1500", "pricing_unit": "1K tokens",
         "line_item_unblended_cost": "0.225", "pricing_public_on_demand_cost": "0.225"},
        _CUR | {"line_item_line_item_type": "EdpDiscount", "line_item_line_item_description": "EDP", "line_item_unblended_cost": "-0.4",
         "pricing_public_on_demand_cost": "0"},
    ]
}  # fmt: skip
_GOOGLE = {
    "usage_start_time": "2026-02-12 08:00:00 UTC", "usage_end_time": "2026-02-12 09:00:00 UTC", "project": {"id": "shop"}, "currency": "EUR",
    "location": {"region": "europe-west1"}, "cost_type": "regular", "export_time": "2026-02-13 02:00:00 UTC",
}  # fmt: skip
GOOGLE_BILLING = {
    "data": [
        _GOOGLE | {"service": {"id": "C7E2-9256-1C43", "description": "Vertex AI"}, "sku": {"id": "1", "description": "Gemini 2.5 Flash GA Text Input - Predictions"},
         "usage": {"amount": 2000000, "unit": "requests", "amount_in_pricing_units": 2000000, "pricing_unit": "count"}, "cost": 0.55, "cost_at_list": 0.6,
         "credits": [{"name": "Promotion", "amount": -0.05, "type": "PROMOTION"}, {"name": "Negotiated", "amount": -0.1, "type": "DISCOUNT"}]},
        _GOOGLE | {"service": {"id": "AEFD", "description": "Gemini API"}, "credits": [],
         "sku": {"id": "2", "description": "Generate content output token count gemini 3.6 flash text flex"},
         "usage": {"amount": 1000, "unit": "count"}, "cost": 0.0025, "cost_at_list": 0.0025},
        _GOOGLE | {"service": {"id": "AEFD", "description": "Gemini API"}, "credits": [], "sku": {"id": "3", "description": "Grounding with Google Search"},
         "usage": {"amount": 3, "unit": "count"}, "cost": 0.105, "cost_at_list": 0.105},
        _GOOGLE | {"service": {"id": "x", "description": "Invoice"}, "sku": {"id": "4", "description": "Tax"}, "cost_type": "tax", "cost": 0.12, "credits": []},
    ]
}  # fmt: skip
REPORTS: dict[str, dict[str, Any]] = {
    "openai_costs_api": OPENAI_COSTS,
    "openai_usage_api": OPENAI_USAGE,
    "anthropic_usage_api": ANTHROPIC_USAGE,
    "anthropic_cost_api": ANTHROPIC_COST,
    "openrouter_activity": OPENROUTER,
    "focus": FOCUS,
    "bill_mapping": INVOICE,
    "litellm_daily": LITELLM_DAILY,
    "langfuse_daily": LANGFUSE_DAILY,
    "azure_cost": AZURE_COST,
    "aws_cur": AWS_CUR,
    "google_billing": GOOGLE_BILLING,
}


def source(format_name: str) -> RequestSource:
    return RequestSource.model_validate({"source": "bill", "format": format_name})


def export(
    folder: Path, format_name: str, content: object, *, seen: str = "2026-02-14T06:00:00", user_key: bytes | None = None
) -> ParsedFile:
    """Land and parse one export (JSON, or bytes as they are) that was observed at `seen`."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    path = folder / f"{len(list(folder.glob('*.json')))}.json"
    path.write_bytes(data)
    observed = datetime.fromisoformat(seen).replace(tzinfo=UTC)
    file = replace(landed(path, "bill", observed.date()), observed_at=observed)
    parsed = parse_bill(file, source(format_name), folder / "store", user_key=user_key)
    assert parsed.lines == parsed.valid + parsed.quarantined
    assert parsed.quarantined == parsed.quarantine.height
    return parsed


def rows(parsed: ParsedFile) -> list[dict[str, Any]]:
    return pl.read_parquet(parsed.path).sort("line_no", "item_no").to_dicts()


def merged(parsed: Iterable[ParsedFile], pulls: Mapping[bytes, str] | None = None) -> BillLedger:
    files = list(parsed)
    ledger = bitemporal(pl.concat([pl.read_parquet(file.path) for file in files]), pulls)
    # Nothing is lost: every valid record is a row or names one.
    assert ledger.rows.height + ledger.duplicates.height == sum(file.valid for file in files)
    places = ["snapshot_id", "line_no", "item_no"]
    kept = set(ledger.duplicates.select(f"kept_{name}" for name in places).rows())
    assert kept <= set(ledger.rows.select(places).rows())
    return ledger


def usd(text: str) -> Decimal:
    return Decimal(text)


def tokens(found: dict[str, Any]) -> dict[str, int]:
    return {name: count for name, count in buckets(found).items() if count is not None}


def only(found: dict[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(found[name] for name in names)
