"""Reads LiteLLM's price map (`model_prices_and_context_window.json`): one undated object per model, one column per price.

A column name is taken apart into a meter and its conditions; a priced column that does not come apart is named as
not understood. The map's keys are turned into models and regions by `pipelines.models`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from pipelines.prices.meters import LEDGER_UNITS
from pipelines.prices.snapshot import Parsed, Price, PriceFeedError, as_amount

_METERS = {
    "input_cost_per_token": "input_uncached",
    "output_cost_per_token": "output_text",
    "cache_read_input_token_cost": "input_cache_read",
    "input_cost_per_token_cache_hit": "input_cache_read",
    "cache_creation_input_token_cost": "input_cache_write",
    "cache_creation_input_token_cost_above_1hr": "input_cache_write_1h",
    "cache_creation_input_token_cost_above_12hr": "input_cache_write_12h",
    "cache_creation_input_audio_token_cost": "input_audio_cache_write",
    "input_cost_per_audio_token": "input_audio",
    "cache_read_input_audio_token_cost": "input_audio_cache_read",
    "cache_read_input_token_cost_per_audio_token": "input_audio_cache_read",
    "input_cost_per_image_token": "input_image",
    "cache_read_input_image_token_cost": "input_image_cache_read",
    "input_cost_per_video_token": "input_video",
    "output_cost_per_reasoning_token": "output_reasoning",
    "output_cost_per_audio_token": "output_audio",
    "output_cost_per_image_token": "output_image",
    "citation_cost_per_token": "output_citation",
    "input_cost_per_request": "request",
    "input_cost_per_query": "rerank_search",
    "input_cost_per_character": "input_character",
    "output_cost_per_character": "output_character",
    "input_cost_per_second": "input_second",
    "output_cost_per_second": "output_second",
    "input_cost_per_audio_per_second": "input_audio_second",
    "input_cost_per_video_per_second": "input_video_second",
    "output_cost_per_video_per_second": "output_video_second",
    "input_cost_per_image": "input_image_item",
    "output_cost_per_image": "output_image_item",
    "input_cost_per_pixel": "input_pixel",
    "output_cost_per_pixel": "output_pixel",
    "ocr_cost_per_page": "document_page",
    "annotation_cost_per_page": "annotated_document_page",
    "code_interpreter_cost_per_session": "code_interpreter_session",
}
_SEARCH_SIZES = {
    "search_context_size_low": "web_search_low",
    "search_context_size_high": "web_search_high",
}
_TIERS = {"_batches": "batch", "_batch_requests": "batch", "_flex": "flex", "_priority": "priority"}
_CONTEXT = re.compile(r"_above_(\d+)k_tokens$")
_Found = tuple[str, object, str | None, str, int]
"""Place in the entry, value as found, meter (None: not understood), service tier, exclusive bound of the prompt size."""
_PRICED = re.compile(r"cost|pric|uplift|multiplier|surcharge|provider_specific_entry")
_SAME_IN_ANOTHER_UNIT = re.compile(r"^(?:input|output)_dbu?_cost_per_token$")
"""Databricks units for the same tokens whose price in USD stands beside them."""


def read(content: bytes, _options: Mapping[str, Any]) -> Parsed:
    """Every price of the map. Bounds such as `_above_200k_tokens` are exclusive and re-price the whole request.

    An entry with nothing but zeros gives no price, for the map writes 0 both for free and for unknown; only names
    that end in `:free` are free. Web search has three prices by the size of the search; `web_search` is the medium
    one, which providers use unless told otherwise. Raises PriceFeedError.
    """
    try:
        entries = json.loads(content, parse_float=Decimal)
    except ValueError as error:
        raise PriceFeedError(f"not JSON: {error}") from error
    if not isinstance(entries, dict):
        raise PriceFeedError(f"expected an object of models, found {type(entries).__name__}")
    entries.pop("sample_spec", None)
    prices: list[Price] = []
    problems: set[str] = set()
    rejected = 0
    for key, entry in entries.items():
        if not isinstance(entry, dict) or not isinstance(entry.get("litellm_provider"), str):
            problems.add(f"{key}: no litellm_provider, so that no one sells it")
            rejected += 1
            continue
        if key.endswith("/"):  # fireworks_ai/accounts/fireworks/models/ stands for every model without an entry
            problems.add(f"{key}: a path without a model's name")
            rejected += 1
            continue
        found = list(_entry_prices(key, entry, problems))
        if any(price.unit_price for price in found) or key.endswith(":free"):
            prices += found
        elif found:
            problems.add(f"{key}: only zeros, which the map writes for free and for unknown")
    return Parsed(prices, len(entries), rejected, frozenset(problems))


def _entry_prices(key: str, entry: Mapping[str, Any], problems: set[str]) -> Iterator[Price]:
    for column, value in entry.items():
        if column == "tiered_pricing":
            found = _tiered(value, problems)
        elif column == "search_context_cost_per_query" and isinstance(value, dict):
            found = _searches(value, _search_meter(entry))
        elif _PRICED.search(column) and not _SAME_IN_ANOTHER_UNIT.match(column):
            found = iter([(column, value, *_take_apart(column))])
        else:
            continue
        for place, raw, meter, tier, above in found:
            if meter is None:
                problems.add(f"{place}: not understood")
            elif (amount := as_amount(raw)) is not None:
                yield Price(
                    provider=entry["litellm_provider"],
                    raw_model=key,
                    meter=meter,
                    unit=LEDGER_UNITS[meter],
                    unit_price=amount,
                    pricing_quantity=1,
                    source_locator=f"/{key.replace('~', '~0').replace('/', '~1')}/{place}",
                    extracted_text=f"{place}: {raw}",
                    service_tier=tier,
                    context_from_tokens=above,
                    context_bound="gt" if above else "gte",
                )
            elif raw is not None:
                problems.add(f"{key}: {place}: expected an amount of zero or more, found {str(raw)[:60]!r}")


def _take_apart(column: str) -> tuple[str | None, str, int]:
    """Meter, service tier and exclusive bound of the prompt size that a column name stands for."""
    tier, bound = "standard", 0
    for suffix, name in _TIERS.items():
        if column.endswith(suffix):
            column, tier = column.removesuffix(suffix), name
            break
    if match := _CONTEXT.search(column):
        column, bound = column[: match.start()], int(match[1]) * 1000
    return _METERS.get(column), tier, bound


def _search_meter(entry: Mapping[str, Any]) -> str:
    """Gemini's searches are charged by the prompt, however many it takes, unless the map says that each is."""
    by_prompt = "gemini" in str(entry.get("litellm_provider")) or "language-models" in str(
        entry.get("litellm_provider")
    )
    return "grounded_prompt" if by_prompt and entry.get("web_search_billing_unit") != "per_query" else "web_search"


def _searches(sizes: Mapping[str, object], usual: str) -> Iterator[_Found]:
    meters = {**_SEARCH_SIZES, "search_context_size_medium": usual}
    for size, value in sizes.items():
        yield f"search_context_cost_per_query/{size}", value, meters.get(size), "standard", 0


def _tiered(tiers: object, problems: set[str]) -> Iterator[_Found]:
    """`tiered_pricing`: objects with `range: [above, up to]` in prompt tokens and the columns of that range."""
    for index, tier in enumerate(tiers if isinstance(tiers, list) else ()):
        bounds = tier.get("range")
        if not isinstance(bounds, list) or not bounds:
            problems.add("tiered_pricing by something other than a range of prompt tokens: not understood")
            continue
        for column, value in tier.items():
            if column != "range":
                meter, service_tier, bound = _take_apart(column)
                yield f"tiered_pricing/{index}/{column}", value, None if bound else meter, service_tier, int(bounds[0])
