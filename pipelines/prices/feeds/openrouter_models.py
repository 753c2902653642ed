"""Reads OpenRouter's list of models (`GET /api/v1/models`): undated prices per unit, batch slugs, prices by prompt size.

Catalogue prices only: what a call was billed depends on the upstream that served it, and stands in the call's own log.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from pipelines.outside import worded
from pipelines.prices.feed_snapshot import Parsed, Price, PriceFeedError, as_amount, why_no_price
from pipelines.prices.feeds._numbers import bound_of, feed_json, unwrapped
from pipelines.prices.meters import LEDGER_UNITS
from pipelines.prices.windows import utc_windows

VERSION = "6"

_METERS = {
    "prompt": "input_uncached",
    "completion": "output_text",
    "input_cache_read": "input_cache_read",
    "input_cache_write": "input_cache_write",
    "input_cache_write_1h": "input_cache_write_1h",
    "internal_reasoning": "output_reasoning",
    "audio": "input_audio",
    "input_audio_cache": "input_audio_cache_read",
    "audio_output": "output_audio",
    "image": "input_image",
    "image_token": "input_image",
    "image_output": "output_image",
    "request": "request",
    "web_search": "web_search",
}
_WHEN = ("min_prompt_tokens", "utc_start", "utc_end", "utc_days")
_DEAREST_IMAGE_TOKEN = Decimal("0.001")
_IMAGE_OVER_PROMPT = 50
"""`image` is the price of a token, as dear as one of the prompt, or in older lists of a whole image, which cost some hundred to
some thousand such tokens; from a tenth of a cent on it is an image."""


def read(content: bytes, _options: Mapping[str, Any]) -> Parsed:
    """Every price of the list. Raises PriceFeedError.

    A slug that ends in `:batch` is the batch tier of the model before it. `overrides` apply to the whole request from
    `min_prompt_tokens` on, that bound included, and between `utc_start` and `utc_end` (1630 is half past four) on `utc_days`;
    of two that apply the later counts. -1 stands for a price that depends on the model that is routed to and
    gives none. Zeros count only for names that end in `:free`; elsewhere the list writes them for models that are
    billed in another way, and the list of 2025 wrote one for everything but `prompt` and `completion` that has no price of its
    own: reasoning was no cheaper than the answer, nor was what came from a cache free.
    """
    problems: set[str] = set()
    models = unwrapped(feed_json(content, problems), _are_models, problems)
    models = models.get("data") if isinstance(models, dict) else models  # a list without a single price
    if not isinstance(models, list):
        raise PriceFeedError("expected an object with the array `data`, as GET /api/v1/models answers")
    prices: list[Price] = []
    rejected = 0
    for index, model in enumerate(models):
        if (
            not isinstance(model, dict)
            or not isinstance(model.get("id"), str)
            or not isinstance(model.get("pricing"), dict)
        ):
            problems.add(f"/data/{index}: no id or no pricing")
            rejected += 1
            continue
        try:
            found = list(_model_prices(model["id"], _spelt(model["pricing"]), f"/data/{index}/pricing", problems))
        except (ArithmeticError, AttributeError, TypeError, ValueError) as error:
            problems.add(f"{model['id']}: /data/{index}/pricing: not shaped as the format is ({type(error).__name__})")
            rejected += 1
            continue
        if any(price.unit_price for price in found) or model["id"].endswith(":free"):
            prices += found
        elif found:
            problems.add(f"{model['id']}: only zeros, though its name does not end in :free")
    return Parsed(prices, len(models), rejected, frozenset(problems))


def _spelt(block: Mapping[str, Any]) -> dict[str, Any]:
    """The fields as the API writes them, where the list was saved by an SDK that writes `inputCacheRead`."""
    spelt = {re.sub(r"(?<=[a-z])(?=[A-Z0-9])", "_", name).lower(): value for name, value in block.items()}
    steps = spelt.get("overrides")
    return spelt | {"overrides": [_spelt(step) for step in steps]} if isinstance(steps, list) else spelt


def _are_models(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(model, dict) and "pricing" in model for model in value)


def _model_prices(slug: str, pricing: Mapping[str, Any], pointer: str, problems: set[str]) -> Iterator[Price]:
    of_prompt = as_amount(pricing.get("prompt")) or Decimal("Infinity")
    for place, block, start, window in _steps(pricing, pointer, problems):
        for key, value in block.items():
            if key in ("overrides", *_WHEN) or (key == "discount" and not value) or value is None:
                continue
            amount = as_amount(value)
            if amount == 0 and key not in ("prompt", "completion") and not slug.endswith(":free"):
                continue
            if key not in _METERS or amount is None:
                problems.add(_why_not(slug, key, value))
            elif (key in ("image", "image_output") and amount >= _DEAREST_IMAGE_TOKEN) or (
                key == "image" and amount > _IMAGE_OVER_PROMPT * of_prompt
            ):
                problems.add(f"{slug}: {key}: {value} is the price of a whole image")
            else:
                yield Price(
                    provider="openrouter",
                    raw_model=slug.removesuffix(":batch"),
                    meter=_METERS[key],
                    unit=LEDGER_UNITS[_METERS[key]],
                    unit_price=amount,
                    pricing_quantity=1,
                    source_locator=f"{place}/{key}",
                    extracted_text=f"{key}: {value}" + (f" from {start} prompt tokens" if start else ""),
                    service_tier="batch" if slug.endswith(":batch") else "standard",
                    context_from_tokens=start,
                    time_window=window,
                )


def _why_not(slug: str, key: str, value: object) -> str:
    """Why a field gives no price."""
    if str(value) == "-1":
        return f"{slug}: depends on the model routed to"
    if key in _METERS:
        return f"{slug}: {key}: {why_no_price(value)}"
    if key == "discount":
        return f"{slug}: discount: {str(value)[:60]}: not taken off"
    return f"{key}: {str(value)[:60]}: not understood"


def _steps(
    pricing: Mapping[str, Any], pointer: str, problems: set[str]
) -> Iterator[tuple[str, Mapping[str, Any], int, str]]:
    """The plain prices and each override: place, prices, smallest prompt and window of the day."""
    yield pointer, pricing, 0, ""
    earlier: list[str] = []
    for index, listed in enumerate(pricing.get("overrides") or ()):
        override = {name: value for name, value in listed.items() if value is not None}
        start = bound_of(override.get("min_prompt_tokens", 0))
        try:
            windows = list(_windows(override))
        except (TypeError, ValueError) as error:
            problems.add(f"overrides: {worded(error)}")
            continue
        strange = set(override) - set(_METERS) - set(_WHEN)
        if start is None or strange or not set(override) & set(_WHEN):
            problems.add(f"overrides by {', '.join(sorted(strange)) or 'nothing'}: not understood")
            continue
        # What holds at every hour overrules the hours that stand before it.
        for window in windows or ["", *earlier]:
            yield f"{pointer}/overrides/{index}", override, start, window
        earlier += windows


def _windows(override: Mapping[str, Any]) -> Iterator[str]:
    if not set(override) & set(_WHEN[1:]):
        return iter(())
    first, last = (f"{int(override.get(name) or 0):04}" for name in ("utc_start", "utc_end"))
    return utc_windows([f"{first[:2]}:{first[2:]}-{last[:2]}:{last[2:]}"], override.get("utc_days"), None)
