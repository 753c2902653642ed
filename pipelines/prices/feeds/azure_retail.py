"""Reads the Azure Retail Prices API: dated prices by region, whose meters differ only in abbreviated names.

`gpt 4.1 mini cached Inp glbl Tokens` is cached input of gpt-4.1-mini in a global deployment. A name is read only
where each of its words is understood; the others are named as not understood, never guessed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pipelines.outside import worded
from pipelines.prices.feed_snapshot import BEGINNING, Parsed, Price, PriceFeedError, as_amount, why_no_price
from pipelines.prices.feeds._numbers import feed_json, unwrapped
from pipelines.prices.meters import LEDGER_UNITS

VERSION = "4"

_WORDS: dict[str, str] = {
    **dict.fromkeys(("inp", "in", "inpt", "input"), "input"),
    **dict.fromkeys(("outp", "out", "outpt", "opt", "output"), "output"),
    **dict.fromkeys(("cached", "cchd", "ccchd", "cd", "cache"), "cached"),
    "wr": "written",
    "batch": "batch",
    "pp": "priority",
    **dict.fromkeys(("glbl", "gl", "global", "glb"), "global"),
    **dict.fromkeys(("regnl", "rgnl", "regional", "rg"), "regional"),
    **dict.fromkeys(("dzone", "dz", "datazone", "dzn"), "data-zone"),
    "shortco": "short",
    "longco": "long",
    **dict.fromkeys(("tokens", "1m", "std"), ""),
}
_LONG_PROMPT = 272_000
"""Above it lie the prompts of OpenAI's `LongCo` prices, as the pages of both sellers say; the meters name no number."""
_UNCLEAR = re.compile(
    r"^(?:ft|rft|trng|training|tkn|grdr|grader|dev|mdl|hosting|img|image|aud|audio|txt|text|rt|rtime|realtime|prvw|tts"
    r"|trscb|tcrb|transcribe|vision|l|sp|ch|fw|base|az|pages|search|unit|mm[\d.]+)$|1m$|aud|trb"
)
_FAMILY = {
    "Azure OpenAI GPT5": "gpt",
    "Azure OpenAI PP FT GPT4s": "gpt",
    "Azure Deepseek Models": "deepseek",
    "Azure Grok Models": "grok",
    "Azure Kimi": "kimi",
    "Azure Llama Models": "llama",
    "Azure Mistral Models": "mistral",
}
_SNAPSHOT_DAYS = {
    "0513": "2024-05-13", "0718": "2024-07-18", "0806": "2024-08-06", "1120": "2024-11-20", "1217": "2024-12-17",
    "0131": "2025-01-31", "0416": "2025-04-16", "0626": "2025-06-26",
}  # fmt: skip
_QUANTITIES = {"1k": 1_000, "1000": 1_000, "1m": 1_000_000, "1000000": 1_000_000}
_METERS = {
    ("input",): "input_uncached",
    ("cached", "input"): "input_cache_read",
    ("cached",): "input_cache_read",
    ("cached", "written"): "input_cache_write",
    ("cached", "input", "written"): "input_cache_write",
    ("output",): "output_text",
}


_PROMPTS: dict[str, dict[str, Any]] = {
    "": {},
    "short": {"context_to_tokens": _LONG_PROMPT + 1},
    "long": {"context_from_tokens": _LONG_PROMPT, "context_bound": "gt"},
}


class Meaning(NamedTuple):
    """What the name of a meter says; `scope` is global, regional or data-zone, `prompt` short, long or empty."""

    model: str
    meter: str
    tier: str
    scope: str
    prompt: str = ""


def read(content: bytes, _options: Mapping[str, Any]) -> Parsed:
    """Every token price whose meter name is understood whole. Raises PriceFeedError.

    `Items` as the API answers, or an array of such answers, one for each page; or `items` with a list of `regions` each. Each region has its own
    start date, and items of one meter with several dates are mostly several regions, not a history. Where all public
    regions agree on a global price it holds everywhere, and on a price of a data zone in the region `data-zone`, both
    from the first date; government regions and regions that differ have their own. In one region a price holds until
    the next one's date.
    """
    problems: set[str] = set()
    answer = unwrapped(feed_json(content, problems), _is_answer, problems)
    pages = answer if isinstance(answer, list) else [answer]
    found = [page.get("Items", page.get("items")) if isinstance(page, dict) else None for page in pages]
    items = [item for page in found if isinstance(page, list) for item in page]
    if not found or not all(isinstance(page, list) for page in found):
        raise PriceFeedError(
            "expected an object with the array `Items`, or an array of them, as https://prices.azure.com/api/retail/prices answers"
        )
    by_meaning: dict[Meaning, list[Price]] = defaultdict(list)
    rejected = 0
    for index, item in enumerate(items):
        try:
            if (strange := _no_list_price(item)) is not None:
                problems.add(f"{item['productName']}: {item['meterName']}: {strange}")
                continue
            meaning = meaning_of(item["productName"], item["meterName"])
            if _quantity(item) is None or meaning is None:
                problems.add(f"{item['productName']}: {item['meterName']} per {item['unitOfMeasure']}")
                continue
            by_meaning[meaning] += _item_prices(index, item, meaning)
        except (ArithmeticError, KeyError, TypeError, ValueError, AttributeError) as error:
            problems.add(f"item {index}: {worded(error)}")
            rejected += 1
    prices = [price for meaning, found in by_meaning.items() for price in _placed(meaning, found)]
    return Parsed(prices, len(items), rejected, frozenset(problems))


def _is_answer(value: object) -> bool:
    pages = value if isinstance(value, list) else [value]
    return bool(pages) and all(isinstance(page, dict) and ("Items" in page or "items" in page) for page in pages)


def _no_list_price(item: Mapping[str, Any]) -> str | None:
    """Why an item is not what everyone pays for any amount: a reservation, a price for developers, one from so many units on."""
    kind, least = item.get("type", "Consumption"), item.get("tierMinimumUnits")
    if kind != "Consumption":
        return f"a price of type {str(kind)[:40]}"
    return f"a price from {least} units on" if least else None


def _quantity(item: Mapping[str, Any]) -> int | None:
    """How many tokens a price is for (`1K`, `1M`, `1K Tokens`, `1,000`); None if it is for something else."""
    return _QUANTITIES.get(re.sub(r"[\s,]|tokens?$", "", str(item["unitOfMeasure"]).lower()))


def _item_prices(index: int, item: Mapping[str, Any], meaning: Meaning) -> Iterator[Price]:
    amount = as_amount(item["retailPrice"])
    if amount is None:
        raise PriceFeedError(f"{meaning.model}: retailPrice: {why_no_price(item['retailPrice'])}")
    regions = item.get("regions") or [item.get("armRegionName") or ""]
    for region in dict.fromkeys(regions):
        yield Price(
            provider="azure",
            raw_model=meaning.model,
            meter=meaning.meter,
            unit=LEDGER_UNITS[meaning.meter],
            unit_price=amount,
            pricing_quantity=_quantity(item) or 0,
            source_locator=f"item {index}",
            extracted_text=f"{item['productName']}: {item['meterName']}: {item['retailPrice']} per {item['unitOfMeasure']}",
            service_tier=meaning.tier,
            region=region,
            **_PROMPTS[meaning.prompt],
            pricing_currency=item.get("currencyCode", "USD"),
            valid_from=_instant(item["effectiveStartDate"]),
            valid_to=_instant(item["effectiveEndDate"]) if item.get("effectiveEndDate") else None,
            date_basis="documented",
        )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _placed(meaning: Meaning, found: Sequence[Price]) -> Iterator[Price]:
    """The prices of one meter by place: one for all regions where they agree, else a timeline for each."""
    everywhere = {"global": "", "data-zone": "data-zone"}.get(meaning.scope)
    public = [price for price in found if not price.region.startswith("usgov")]
    if everywhere is not None and len({(price.unit_price, price.pricing_quantity) for price in public}) == 1:
        stated = [price.valid_to for price in public if price.valid_to is not None]
        until = max(stated) if len(stated) == len(public) else None
        yield min(public, key=_from)._replace(region=everywhere, valid_to=until)
        found = [price for price in found if price.region.startswith("usgov")]
    for region in sorted({price.region for price in found}):
        here = [price for price in found if price.region == region]
        starts = sorted({_from(price) for price in here})
        ends = dict(zip(starts, [*starts[1:], None], strict=True))
        place = f"data-zone:{region}" if meaning.scope == "data-zone" else region
        for price in here:
            following = [end for end in (price.valid_to, ends[_from(price)]) if end is not None]
            yield price._replace(region=place, valid_to=min(following, default=None))


def _from(price: Price) -> datetime:
    return price.valid_from or BEGINNING


def meaning_of(product: str, meter_name: str) -> Meaning | None:
    """What a meter's name says, or None if a word of it is not understood."""
    words = re.split(r"[\s-]+", meter_name.lower().replace("data zone", "dzone").strip())
    if any(_UNCLEAR.search(word) for word in words if word not in _WORDS):
        return None
    said = {meaning for word in words if (meaning := _WORDS.get(word))}
    meter = _METERS.get(tuple(sorted(said & {"input", "output", "cached", "written"})))
    scopes = said & {"global", "regional", "data-zone"}
    tiers = said & {"batch", "priority"}
    prompts = said & {"short", "long"}
    name = [_SNAPSHOT_DAYS.get(word, word) for word in words if word not in _WORDS]
    if (
        meter is None
        or len(scopes) != 1
        or len(tiers) > 1
        or len(prompts) > 1
        or not name
        or any(re.fullmatch(r"\d{4,8}", word) for word in name)
    ):
        return None
    family = _FAMILY.get(product)
    model = "-".join(name)
    if family and not model.startswith((family, "mai-", "codestral", "ministral")):
        model = f"{family}-{model}"
    if prompts and not product.startswith("Azure OpenAI"):
        return None
    return Meaning(model, meter, min(tiers, default="standard"), scopes.pop(), min(prompts, default=""))
