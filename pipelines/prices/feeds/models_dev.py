"""Reads models.dev (`api.json`): undated prices per million tokens, by provider and model, with context tiers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.prices.feed_snapshot import Parsed, Price, PriceFeedError, as_amount, why_no_price
from pipelines.prices.feeds._numbers import bound_of, feed_json, unwrapped
from pipelines.prices.meters import LEDGER_UNITS
from pipelines.warehouse.tables.core import SERVICE_TIER_NAME

VERSION = "5"

_METERS = {
    "input": "input_uncached",
    "output": "output_text",
    "reasoning": "output_reasoning",
    "cache_read": "input_cache_read",
    "cache_write": "input_cache_write",
    "input_audio": "input_audio",
    "output_audio": "output_audio",
}


def read(content: bytes, _options: Mapping[str, Any]) -> Parsed:
    """Every price of the catalogue. Raises PriceFeedError.

    `tiers` of type context apply to the whole request above their size; `context_over_200k` counts only where there
    are none, because there it repeats the first tier at the wrong bound. A model whose prices are all zero is
    part of a subscription or not priced, and gives none. `experimental.modes` have prices of their own, of the service tier
    that their requests ask for. `catalog.json` holds the same providers under a key of its own.
    """
    problems: set[str] = set()
    providers = unwrapped(feed_json(content, problems), _are_providers, problems)
    if not _are_providers(providers):
        raise PriceFeedError(
            "expected an object of providers, each with `models`, as https://models.dev/api.json holds"
        )
    prices: list[Price] = []
    lines = rejected = 0
    for provider, facts in providers.items():
        for model, entry in facts["models"].items():
            lines += 1
            try:
                found = list(_model_prices(provider, model, entry.get("cost") or {}, "cost", problems))
                if any(price.unit_price for price in found):
                    found += _mode_prices(provider, model, entry.get("experimental"), problems)
            except (ArithmeticError, AttributeError, TypeError, ValueError) as error:
                problems.add(f"{provider}/{model}: cost: not shaped as the format is ({type(error).__name__})")
                rejected += 1
                continue
            if any(price.unit_price for price in found):
                prices += found
            elif found:
                problems.add(f"{provider}/{model}: only zeros")
    return Parsed(prices, lines, rejected, frozenset(problems))


def _are_providers(value: object) -> bool:
    return (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(p, dict) and isinstance(p.get("models"), dict) for p in value.values())
    )


def _mode_prices(provider: str, model: str, experimental: object, problems: set[str]) -> Iterator[Price]:
    modes = experimental.get("modes") if isinstance(experimental, dict) else None
    for name, mode in (modes if isinstance(modes, dict) else {}).items():
        cost = mode.get("cost") if isinstance(mode, dict) else None
        if not cost:
            continue
        body = (mode.get("provider") or {}).get("body") or {}
        tier = body.get("service_tier") or body.get("speed")
        if not isinstance(tier, str) or not re.fullmatch(SERVICE_TIER_NAME, tier):
            problems.add(f"{provider}/{model}: experimental.modes.{name}: not understood")
            continue
        place = f"experimental/modes/{name}/cost"
        yield from (
            price._replace(service_tier=tier) for price in _model_prices(provider, model, cost, place, problems)
        )


def _model_prices(provider: str, model: str, cost: Mapping[str, Any], at: str, problems: set[str]) -> Iterator[Price]:
    steps: list[tuple[int, str, Mapping[str, Any]]] = [(0, at, cost)]
    for index, tier in enumerate(cost.get("tiers") or ()):
        rule = tier.get("tier") or {}
        size = bound_of(rule.get("size"))
        if rule.get("type") == "context" and size is not None:
            steps.append((size, f"{at}/tiers/{index}", tier))
        else:
            problems.add(f"{provider}/{model}: cost.tiers of type {rule.get('type')!r}: not understood")
    if not cost.get("tiers") and cost.get("context_over_200k"):
        steps.append((200_000, f"{at}/context_over_200k", cost["context_over_200k"]))
    for above, place, block in steps:
        for key, value in block.items():
            if key in ("tiers", "tier", "context_over_200k") or value is None:
                continue
            amount = as_amount(value)
            if (
                amount == 0 and key == "reasoning"
            ):  # thinking is never cheaper than the answer: it has no price of its own
                continue
            if key not in _METERS:
                problems.add(f"{provider}/{model}: cost.{key}: not understood: {str(value)[:60]}")
                continue
            if amount is None:
                problems.add(f"{provider}/{model}: cost.{key}: {why_no_price(value)}")
                continue
            yield Price(
                provider=provider,
                raw_model=model,
                meter=_METERS[key],
                unit=LEDGER_UNITS[_METERS[key]],
                unit_price=amount,
                pricing_quantity=1_000_000,
                source_locator=f"/{provider}/models/{model.replace('~', '~0').replace('/', '~1')}/{place}/{key}",
                extracted_text=f"{key}: {value}" + (f" above {above} tokens" if above else ""),
                context_from_tokens=above,
                context_bound="gt" if above else "gte",
            )
