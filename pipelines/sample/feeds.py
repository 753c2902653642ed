"""The price feeds of the sample, in the published formats of genai-prices (v2 data.json) and of LiteLLM's price map.

The prices themselves are in `catalogue.py`; here they are only written down as those projects write them.
"""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

from pipelines.sample.catalogue import LONG_CONTEXT_TOKENS, OFFERS, PRICE_CHANGE_DATE, Offer, Rates

GENAI_SNAPSHOT_DATES = (date(2026, 1, 31),)
LITELLM_SNAPSHOT_DATES = (date(2026, 1, 31), PRICE_CHANGE_DATE)

_PROVIDERS = {
    "anthropic": ("Anthropic", r"https://api\.anthropic\.com"),
    "deepseek": ("DeepSeek", r"https://api\.deepseek\.com"),
    "fireworks": ("Fireworks", r"https://api\.fireworks\.ai"),
    "google": ("Google", r"https://(.*\.)?googleapis\.com"),
    "groq": ("Groq", r"https://api\.groq\.com"),
    "mistral": ("Mistral", r"https://api\.mistral\.ai"),
    "openai": ("OpenAI", r"https://api\.openai\.com"),
    "openrouter": ("OpenRouter", r"https://openrouter\.ai"),
}
_GENAI_METERS = {
    "input_mtok": "input",
    "cache_write_mtok": "cache_write",
    "cache_read_mtok": "cache_read",
    "output_mtok": "output",
    "cache_write_1h_mtok": "cache_write_1h",
}
_LITELLM_METERS = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_write",
    "cache_creation_input_token_cost_above_1hr": "cache_write_1h",
}


def genai_prices_json() -> bytes:
    """One snapshot; the price change is announced in it, as a price with a `start_date`."""
    providers = []
    for provider, (name, pattern) in _PROVIDERS.items():
        models = [_genai_model(offer) for offer in OFFERS.values() if offer.provider == provider]
        providers.append({"id": provider, "name": name, "api_pattern": pattern, "models": models})
    return _compact(providers)


def litellm_map_json(day: date) -> bytes:
    """The map as it stood on a day: it has no dates, so the price change shows only in the later snapshot."""
    entries = {offer.litellm_key: _litellm_entry(offer, day) for offer in OFFERS.values()}
    dated = {
        offer.litellm_key.replace(offer.model, offer.response_model): _litellm_entry(offer, day)
        for offer in OFFERS.values()
        if offer.response_model
    }
    return (json.dumps(entries | dated, indent=4, sort_keys=True) + "\n").encode()


def _genai_model(offer: Offer) -> dict[str, Any]:
    match: dict[str, Any] = {"equals": offer.model}
    if offer.response_model:
        match = {"or": [match, {"equals": offer.response_model}]}
    prices: Any = _genai_rates(offer.rates, offer.rates_long)
    if offer.rates_from_change is not None:
        later = {
            "constraint": {"start_date": PRICE_CHANGE_DATE.isoformat()},
            "prices": _genai_rates(offer.rates_from_change, None),
        }
        prices = [{"prices": prices}, later]
    return {
        "id": offer.model,
        "name": offer.name,
        "match": match,
        "context_window": offer.context_tokens,
        "prices": prices,
    }


def _genai_rates(rates: Rates, long: Rates | None) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for key, meter in _GENAI_METERS.items():
        if (price := getattr(rates, meter)) is not None:
            written[key] = _number(price)
            if long is not None:
                tier = {"start": LONG_CONTEXT_TOKENS, "price": _number(getattr(long, meter))}
                written[key] = {"base": _number(price), "tiers": [tier]}
    return written


def _litellm_entry(offer: Offer, day: date) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "litellm_provider": offer.litellm_provider,
        "mode": "chat",
        "max_input_tokens": offer.context_tokens,
    }
    rates = offer.rates_on(day)
    for key, meter in _LITELLM_METERS.items():
        if (price := getattr(rates, meter)) is not None:
            entry[key] = _number(price / 10**6)
            if offer.rates_long is not None and meter != "cache_write_1h":
                entry[f"{key}_above_200k_tokens"] = _number(getattr(offer.rates_long, meter) / 10**6)
    return entry


def _number(price: Decimal) -> int | float:
    """Both feeds publish JSON numbers; a float prints the shortest decimal, which is the price as written above."""
    return int(price) if price == int(price) else float(price)


def _compact(content: object) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()
