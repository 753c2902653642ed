"""Reads simonw/llm-prices: dated prices per million tokens, as its site publishes them or as one vendor's file.

`historical-v1.json` and `current-v1.json` hold a flat list for all vendors, `data/<vendor>.json` one vendor's models.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from pipelines.outside import worded
from pipelines.prices.feed_snapshot import BEGINNING, Parsed, Price, PriceFeedError, as_amount, why_no_price
from pipelines.prices.feeds._numbers import feed_json, unwrapped
from pipelines.prices.meters import LEDGER_UNITS

VERSION = "5"

_METERS = {"input": "input_uncached", "input_cached": "input_cache_read", "output": "output_text"}
_MODALITIES = {
    "image": {"input": "input_image", "input_cached": "input_image_cache_read", "output": "output_image"},
    "audio": {"input": "input_audio", "input_cached": "input_audio_cache_read", "output": "output_audio"},
    "text": _METERS,
}
_LONG_PROMPT = re.compile(r"^(?P<model>.+)-(?P<kilo>\d+)k$")
_SHORT_PROMPT = re.compile(r"(?P<sign>≤|<=|<)\s*(?P<kilo>\d+)k", re.IGNORECASE)
_MODALITY = re.compile(rf"^(?P<model>.+)-(?P<modality>{'|'.join(_MODALITIES)})$")


def read(content: bytes, _options: Mapping[str, Any]) -> Parsed:
    """Every dated price. One file is the whole feed: vendors' files are feeds of their own. Raises PriceFeedError.

    A name such as `gpt-5.4-272k` is the price of gpt-5.4 for prompts above 272,000 tokens where the list says so in
    the display name (`GPT-5.4 >272k`); without that it is a model of its own, as gpt-4-32k. A price named `GPT-5.4 ≤272k`
    states no price for longer prompts. `gpt-image-2-image` named `... image tokens` is the price of gpt-image-2 for those.
    """
    problems: set[str] = set()
    whole = unwrapped(feed_json(content, problems), _is_list, problems)
    if not _is_list(whole):
        raise PriceFeedError("expected an object with `prices`, or with `vendor` and `models`")
    prices: list[Price] = []
    rejected = lines = 0
    for pointer, entry in _entries(whole):
        lines += 1
        try:
            prices += list(_entry_prices(pointer, entry, problems))
        except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
            problems.add(f"{pointer}: {worded(error)}")
            rejected += 1
    return Parsed(prices, lines, rejected, frozenset(problems))


def _is_list(value: object) -> bool:
    return isinstance(value, dict) and ("prices" in value or {"vendor", "models"} <= set(value))


def _entries(whole: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for index, entry in enumerate(whole.get("prices", ())):
        yield f"/prices/{index}", entry
    for index, model in enumerate(whole.get("models", ())):
        for at, period in enumerate(model["price_history"]):
            facts = {"vendor": whole["vendor"], "id": model["id"], "name": model["name"]}
            yield f"/models/{index}/price_history/{at}", facts | period


def _entry_prices(pointer: str, entry: Mapping[str, Any], problems: set[str]) -> Iterator[Price]:
    model, above, meters = entry["id"], 0, _METERS
    if (match := _LONG_PROMPT.match(model)) and f">{match['kilo']}k" in entry["name"].lower().replace(" ", ""):
        model, above = match["model"], int(match["kilo"]) * 1000
    elif (match := _MODALITY.match(model)) and entry["name"].lower().endswith(f"{match['modality']} tokens"):
        model, meters = match["model"], _MODALITIES[match["modality"]]
    short = None if above else _SHORT_PROMPT.search(entry["name"])
    up_to = None if short is None else int(short["kilo"]) * 1000 + (short["sign"] != "<")
    for key in entry.keys() - meters.keys():
        if as_amount(entry[key]) is not None:
            problems.add(f"{model}: {key}: not understood: {str(entry[key])[:60]}")
    start, end = _instant(entry.get("from_date")), _instant(entry.get("to_date"))
    for key, meter in meters.items():
        value = entry.get(key)
        if value is None:
            continue
        amount = as_amount(value)
        if amount is None:
            problems.add(f"{model}: {pointer}/{key}: {why_no_price(value)}")
            continue
        yield Price(
            provider=entry["vendor"],
            raw_model=model,
            meter=meter,
            unit=LEDGER_UNITS[meter],
            unit_price=amount,
            pricing_quantity=1_000_000,
            source_locator=f"{pointer}/{key}",
            extracted_text=f"{entry['name']}: {key}: {value}",
            context_from_tokens=above,
            context_bound="gt" if above else "gte",
            context_to_tokens=up_to,
            valid_from=start or BEGINNING,
            valid_to=end,
            date_basis="documented" if start else "unknown",
        )


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
