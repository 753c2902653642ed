"""Reads AWS's price list of Bedrock: offer files as JSON or CSV, and pages of the API `GetProducts`.

What a price is for stands in its usage type: `USE1-Qwen3-32B-input-tokens-batch` of what AWS sells itself, and
`USW2-MP:USW2_InputTokenCount_Global-Units`, under a service named after the model, of what its marketplace does. A usage type with
a word that is not understood gives no price and is named. Bills of AWS name the same usage types (`pipelines.bills`).
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pipelines.outside import worded
from pipelines.prices.feed_snapshot import Parsed, Price, PriceFeedError, as_amount, why_no_price
from pipelines.prices.feeds._numbers import feed_json, unwrapped
from pipelines.prices.meters import LEDGER_UNITS

VERSION = "2"

_PREFIX = re.compile(r"^(?:[A-Z]{2,4}\d{0,2}(?:_[A-Z0-9]+)?-)?(?:MP:(?:[A-Z]{2,4}\d{0,2}_)?)?")
_EDITION = re.compile(r"^(.+?)\s*\(Amazon Bedrock(?: Edition)?\)$")
_METER = re.compile(
    r"(?:^|[-_])(?:"
    r"(?P<read>cache[-_]?read(?:[-_]?input)?)|(?P<write>cache[-_]?write(?P<life>\d+[mh])?(?:[-_]?input)?)|(?P<input>input)|(?P<output>output)"
    r")[-_]?tokens?(?:[-_]?count)?(?P<rest>(?:[-_][a-z0-9]+)*)$",
    re.IGNORECASE,
)
_NAMES = {"read": "input_cache_read", "write": "input_cache_write", "input": "input_uncached", "output": "output_text"}
_LIVES = ("5m", "30m", "1h", "12h")
_TIERS = ("batch", "flex", "priority", "standard")
_PLACES = ("cross", "region", "global", "geo", "regional", "units")
_LONG = ("long", "ctx")
_OTHER_THING = re.compile(
    r"(?i)(?:^|[-_])(?:speech|audio|image|video|document|custom(?:ization|[-_]?model)?|training)$"
)
_LONG_PROMPT = 200_000
"""Prompts above it cost the prices of usage types with `long_ctx`, as Anthropic's page says; the usage types name no number."""
_QUANTITY = re.compile(r"(\d+)?\s*([KM])?\s*tokens?", re.IGNORECASE)
_MANY = {"": 1, "k": 1_000, "m": 1_000_000}
_GEOGRAPHIES = {
    "us-gov": "us-gov",
    "us": "us",
    "eu": "eu",
    "ap": "apac",
    "ca": "ca",
    "sa": "sa",
    "me": "me",
    "af": "af",
}
"""Regions by how they begin, and the names of the profiles that send a call to any of them; charged is where it was sent from."""


class Meaning(NamedTuple):
    """What a usage type says. `model` is AWS's name for it, None if it names none."""

    model: str | None
    meter: str
    tier: str
    is_global: bool = False
    is_long: bool = False
    is_million: bool = False
    """Whether one unit is a million tokens, as AWS's marketplace counts them."""


def meaning_of(service: str | None, usage_type: str | None) -> Meaning | None:
    """What a usage type and the service that it belongs to say, or None if a word is not understood."""
    name = _PREFIX.sub("", usage_type or "", count=1)
    # Marketplace: InputTokenCount; first party: input-tokens
    found = _METER.search(re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name) if "Token" in name else name)
    if found is None:
        return None
    words = [word.lower() for word in re.split(r"[-_]", found["rest"]) if word]
    before = name[: found.start()]
    if not {*words} <= {*_TIERS, *_LIVES, *_PLACES, *_LONG} or _OTHER_THING.search(before):
        return None
    edition = _EDITION.match(service or "")
    return Meaning(
        edition[1] if edition else re.sub("-(?:mantle|text)$", "", before) or None,
        _meter(found, words),
        next((word for word in words if word in _TIERS), "standard"),
        "global" in words,
        not {*words}.isdisjoint(_LONG),
        "MP:" in (usage_type or "") and words[-1:] == ["units"],
    )


def _meter(found: re.Match[str], words: Sequence[str]) -> str:
    """The meter that a usage type names; a written cache may have its life among the words that follow."""
    kind = next(kind for kind in _NAMES if found[kind])
    lives = [word for word in (found["life"], *words) if word in _LIVES] if kind == "write" else []
    return "_".join([_NAMES[kind], *lives[:1]])


class _Rate(NamedTuple):
    """One price of the list: its place, what its product is, and the dimension of its terms; keys are lower case letters."""

    place: str
    product: Mapping[str, str]
    dimension: Mapping[str, Any]


def read(content: bytes, _options: Mapping[str, Any]) -> Parsed:
    """Every price per token on demand. Raises PriceFeedError.

    `effectiveDate` moves with every edition of the list, so prices are undated. Where all regions of the file charge the same for what
    is sent within them it holds in the region `regional`, or everywhere where nothing is sold globally; else in each region, and in
    the profile of a geography (`us`) whose regions agree.
    """
    problems: set[str] = set()
    found: dict[tuple[str, ...], list[Price]] = defaultdict(list)
    lines = rejected = 0
    for rate in _rates(content, problems):
        lines += 1
        try:
            price = _price(rate, problems)
        except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
            problems.add(f"{rate.place}: {worded(error)}")
            rejected += 1
            continue
        if price is not None:
            found[price.raw_model, price.meter, price.service_tier, str(price.context_from_tokens)].append(price)
    prices = [price for group in found.values() for price in _placed(group, problems)]
    return Parsed(prices, lines, rejected, frozenset(problems))


def _price(rate: _Rate, problems: set[str]) -> Price | None:
    product, dimension = rate.product, rate.dimension
    usage_type = product.get("usagetype", "")
    meaning = meaning_of(product.get("servicename"), usage_type)
    tier = None if meaning is None else _tier(meaning.tier, product)
    model = _model(product, meaning) if meaning is not None else None
    quantity = _quantity(str(dimension.get("unit", "")), is_million=meaning is not None and meaning.is_million)
    if meaning is None or model is None or tier is None or quantity is None:
        if "token" in usage_type.lower():
            problems.add(f"{usage_type} per {str(dimension.get('unit'))[:20]}: not understood")
        return None
    if str(dimension.get("beginrange", "0")) not in ("0", ""):
        problems.add(f"{usage_type}: a price from so many units on")
        return None
    currency, stated = next(iter(dict(dimension["priceperunit"]).items()), ("USD", None))
    amount = as_amount(stated)
    if amount is None:
        problems.add(f"{usage_type}: {why_no_price(stated)}")
        return None
    return Price(
        provider="aws",
        raw_model=model,
        meter=meaning.meter,
        unit=LEDGER_UNITS[meaning.meter],
        unit_price=amount,
        pricing_quantity=quantity,
        source_locator=rate.place,
        extracted_text=str(dimension.get("description") or f"{usage_type}: {stated}"),
        service_tier=tier,
        region="global" if meaning.is_global else product.get("regioncode", ""),
        context_from_tokens=_LONG_PROMPT if meaning.is_long else 0,
        context_bound="gt" if meaning.is_long else "gte",
        pricing_currency=currency,
    )


def _tier(named: str, product: Mapping[str, str]) -> str | None:
    """The tier that usage type, product and inference type agree on; None if two name different ones, or another one."""
    said = {named} - {"standard"}
    stated = product.get("servicetier", "").lower()
    if stated and stated not in _TIERS:
        return None
    said |= {stated} - {"", "standard"}
    last = product.get("inferencetype", "").lower().split()[-1:]
    said |= {*last} & {*_TIERS} - {"standard"}
    feature = product.get("feature", "").lower().replace(" ", "")
    if "custom" in feature or "provisioned" in feature or "latency" in product.get("model", "").lower():
        return None
    said |= {"batch"} if feature.startswith("batch") else set()
    return next(iter(said), "standard") if len(said) < 2 else None


def _model(product: Mapping[str, str], meaning: Meaning) -> str | None:
    named = product.get("model") or product.get("titanmodel") or meaning.model
    short = named is not None and len(named) < 4 and product.get("provider")
    return f"{product['provider']}-{named}" if short else named


def _quantity(unit: str, *, is_million: bool) -> int | None:
    if unit.lower() == "units":
        return 1_000_000 if is_million else None
    match = _QUANTITY.fullmatch(unit.strip())
    return int(match[1] or 1) * _MANY[(match[2] or "").lower()] if match else None


def _placed(found: list[Price], problems: set[str]) -> Iterator[Price]:
    """The prices of one meter and tier of a model by where they hold."""
    within = [price for price in found if price.region != "global"]
    sold_globally = [price for price in found if price.region == "global"]
    if len({_rate_of(price) for price in sold_globally}) > 1:
        problems.add(f"{sold_globally[0].raw_model}: {sold_globally[0].meter}: global prices that differ by region")
    else:
        yield from sold_globally[:1]
    public = [price for price in within if not price.region.startswith(("us-gov", "cn-"))]
    if len({price.region for price in public}) > 1 and len({_rate_of(price) for price in public}) == 1:
        yield public[0]._replace(region="regional" if sold_globally else "")
        within = [price for price in within if price not in public]
    yield from within
    yield from _of_geographies(within)


def _of_geographies(found: Sequence[Price]) -> Iterator[Price]:
    """A price for the profile of each geography whose regions all charge the same."""
    by_geography: dict[str, list[Price]] = defaultdict(list)
    for price in found:
        begins = next((begins for begins in _GEOGRAPHIES if price.region.startswith(f"{begins}-")), "")
        by_geography[_GEOGRAPHIES.get(begins, "")].append(price)
    for geography, prices in by_geography.items():
        if geography and len({_rate_of(price) for price in prices}) == 1:
            yield prices[0]._replace(region=geography)


def _rate_of(price: Price) -> tuple[object, ...]:
    return price.unit_price / price.pricing_quantity, price.pricing_currency


def _rates(content: bytes, problems: set[str]) -> Iterator[_Rate]:
    if content.lstrip(b"\xef\xbb\xbf").startswith((b'"FormatVersion"', b"FormatVersion", b'"SKU"', b"SKU,")):
        yield from _of_table(content)
        return
    answer = unwrapped(feed_json(content, problems), _is_offer, problems)
    items = answer.get("PriceList") if isinstance(answer, dict) else answer
    if isinstance(items, list):
        for place, item in enumerate(items):
            whole = json.loads(item, parse_float=str) if isinstance(item, str) else item
            if not isinstance(whole, dict) or not isinstance(whole.get("product"), dict):
                raise PriceFeedError("expected the answer of GetProducts: items with `product` and `terms`")
            yield from _of_terms(f"/PriceList/{place}", whole["product"], (whole.get("terms") or {}).get("OnDemand"))
        return
    products, terms = (answer.get(name) if isinstance(answer, dict) else None for name in ("products", "terms"))
    if not isinstance(products, dict) or not isinstance(terms, dict):
        raise PriceFeedError(
            "expected an offer file of AWS's price list, with `products` and `terms`, or an answer of GetProducts"
        )
    on_demand = terms.get("OnDemand") or {}
    for sku, product in products.items():
        yield from _of_terms(f"/terms/OnDemand/{sku}", product, on_demand.get(sku))


def _is_offer(value: object) -> bool:
    return isinstance(value, dict) and ({"products", "terms"} <= set(value) or isinstance(value.get("PriceList"), list))


def _of_terms(place: str, product: Mapping[str, Any], terms: object) -> Iterator[_Rate]:
    attributes = {_plain(name): str(value) for name, value in (product.get("attributes") or {}).items()}
    for term in terms.values() if isinstance(terms, dict) else ():
        for code, dimension in (term.get("priceDimensions") or {}).items():
            yield _Rate(f"{place}/{code}", attributes, {_plain(name): value for name, value in dimension.items()})


def _of_table(content: bytes) -> Iterator[_Rate]:
    """The rows of an offer file as CSV, whose first lines say what file it is."""
    text = content.decode("utf-8-sig", "replace")
    lines = text.splitlines(keepends=True)
    start = next((n for n, line in enumerate(lines[:20]) if line.lstrip('"').startswith("SKU")), None)
    if start is None:
        raise PriceFeedError("expected a header that begins with SKU among the first lines")
    for number, row in enumerate(csv.DictReader(io.StringIO("".join(lines[start:]))), start=start + 2):
        fields = {_plain(name): value or "" for name, value in row.items() if isinstance(name, str)}
        if fields.get("termtype", "OnDemand") != "OnDemand":
            continue
        stated = {fields.get("currency", "USD"): fields.get("priceperunit", "")}
        dimension = {
            "unit": fields.get("unit", ""), "beginrange": fields.get("startingrange", ""), "priceperunit": stated,
            "description": fields.get("pricedescription", ""),
        }  # fmt: skip
        yield _Rate(f"line {number}", fields, dimension)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", str(name).lower())
