"""Reads LiteLLM's price map (`model_prices_and_context_window.json`): one undated object per model, one column per price.

A column name is taken apart into a meter and its conditions; a priced column that does not come apart is named as
not understood. The map's keys are turned into models and regions by `pipelines.models`.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from pipelines.outside import worded
from pipelines.prices.feed_snapshot import Parsed, Price, PriceFeedError, as_amount, why_no_price
from pipelines.prices.feeds._numbers import feed_json, unwrapped
from pipelines.prices.meters import LEDGER_UNITS
from pipelines.prices.windows import utc_windows

VERSION = "8"

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
    "output_cost_per_video_token": "output_video",
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
_TIERS = {"batches": "batch", "batch_requests": "batch"}
"""Suffixes that are not themselves the name of their service tier, as `_flex` and `_ultrafast` are."""
_UNITS_BY_TIER = ("token", "page")
"""Units of the columns whose names may end in a service tier."""
_BOUND = re.compile(r"_above_(?P<bound>\d+)(?P<thousands>k|m|)_tokens(?=_|$)")
_TIER = re.compile(r"^_(?P<tier>[a-z][a-z0-9]*(?:_[a-z0-9]+)*)$")
_NO_TIER = re.compile(
    r"(?:^|_)(?:per|above|cost|tokens?|cache|image|audio|video|character|pixels?|query|second|\d+p)(?:_|$)"
)
_AREAS = r"us_gov|us|eu|uk|jp|au|ca|sg|kr|br|ae|ch|apac|asia"
_PLACE = rf"{_AREAS}|[a-z]{{2}}|regional|[a-z]+_[a-z]+_?\d+"
_UPLIFT = re.compile(
    rf"^(?:inference_geo|(?:(?P<where>[a-z_]+?)_)?uplift_multiplier)(?:_(?P<region>{_PLACE}))?(?:_multiplier)?$"
)
_AREA_FIRST_OR_LAST = re.compile(rf"^(?P<first>{_AREAS})(?:_|$)|(?:^|_)(?P<last>{_AREAS})$")
_ANYWHERE = re.compile(r"(?<!cross_)region|residency|endpoint|geo")
"""What the name of an uplift for every region says, where it names none."""


class _Found(NamedTuple):
    """One priced value of an entry: its place, the value as found, and what it is the price of."""

    place: str
    value: object
    meter: str | None
    """None: not understood."""
    service_tier: str = "standard"
    above: int = 0
    """Exclusive bound of the prompt size."""
    time_window: str = ""


_INPUT, _OUTPUT = "input_cost_per_token", "output_cost_per_token"
_BY_CHARACTER, _CHARACTERS_A_TOKEN = "input_cost_per_character", 4
_READ, _WRITE = "cache_read_input_token_cost", "cache_creation_input_token_cost"
_WRITE_1H, _REASONING = "cache_creation_input_token_cost_above_1hr", "output_cost_per_reasoning_token"
_OF_TIERS = (_INPUT, _OUTPUT, _READ, _WRITE, _WRITE_1H, _REASONING)
"""The columns that tiers of prompt sizes decide alone."""
_FROM_BOUND_ON = ("xai",)
"""Sellers whose long prompts begin at the bound itself, as LiteLLM charges them."""
_LASTING_WRITES = ("input_cache_write_1h", "input_cache_write_12h")
_PRICED = re.compile(r"cost|pric|uplift|multiplier|surcharge|provider_specific_entry")
_CACHE_READ_SHARES = {"fireworks_ai": Decimal("0.5")}
"""What a cached token costs of an input token at sellers where the map mostly does not say, as LiteLLM charges it."""
_SAME_IN_ANOTHER_UNIT = re.compile(r"^(?:input|output)_dbu?_cost_per_token$")
"""Databricks units for the same tokens; their price in USD has a field of its own."""


def read(content: bytes, _options: Mapping[str, Any]) -> Parsed:
    """Every price of the map. Bounds such as `_above_200k_tokens` are exclusive (xAI's are not) and re-price the whole request.

    `off_peak_pricing` holds instead of the plain price inside its hours. Multipliers of a data residency (`us`, `eu`) and of
    Anthropic's fast mode give every token price once more, times the factor. An entry's `aliases` are names of its prices. One
    that only says `alias_of` another costs what that one does today, and is no name of it: `-latest` moves on.

    An entry with nothing but zeros gives no price, for the map writes 0 both for free and for unknown; only names
    that end in `:free` are free. Web search has three prices by the size of the search; `web_search` is the medium
    one, which providers use unless the request says otherwise. Raises PriceFeedError.
    """
    problems: set[str] = set()
    entries = unwrapped(feed_json(content, problems), _is_map, problems)
    if not isinstance(entries, dict):
        raise PriceFeedError(f"expected an object of models, found {type(entries).__name__}")
    entries.pop("sample_spec", None)
    prices: list[Price] = []
    rejected = 0
    pointers = _pointers(entries)
    named_by: dict[str, list[str]] = {}
    for name, target in pointers.items():
        named_by.setdefault(target, []).append(name)
    for key, entry in entries.items():
        if key in pointers:
            continue
        if not isinstance(entry, dict) or not isinstance(entry.get("litellm_provider"), str):
            problems.add(f"{key}: no litellm_provider, so that no one sells it")
            rejected += 1
            continue
        if key.endswith("/"):  # fireworks_ai/accounts/fireworks/models/ stands for every model without an entry
            problems.add(f"{key}: a path without a model's name")
            rejected += 1
            continue
        own: set[str] = set()
        try:
            found = list(_entry_prices(key, entry, own))
        except (ArithmeticError, AttributeError, TypeError, ValueError) as error:
            problems.add(f"{key}: not shaped as the format is ({type(error).__name__})")
            rejected += 1
            continue
        problems |= {problem if problem.startswith(f"{key}: ") else f"{key}: {problem}" for problem in own}
        if any(price.unit_price for price in found) or key.endswith(":free"):
            prices += found
            prices += [price._replace(raw_model=name) for name in named_by.get(key, ()) for price in found]
            aliases = entry.get("aliases")
            aliases = [
                name
                for name in (aliases if isinstance(aliases, list) else ())
                if isinstance(name, str) and name not in entries
            ]
            prices += [price._replace(raw_model=name, alias_of=key) for name in aliases for price in found]
        elif found:
            problems.add(f"{key}: only zeros, which the map writes for free and for unknown")
    return Parsed(prices, len(entries), rejected, frozenset(problems))


def _pointers(entries: Mapping[str, Any]) -> dict[str, str]:
    """The entries that only name another one (`alias_of`), which names none, and that one. One with costs of its own does more."""
    names = {
        key: entry["alias_of"]
        for key, entry in entries.items()
        if isinstance(entry, dict) and isinstance(entry.get("alias_of"), str)
        if "litellm_provider" not in entry and not any("cost" in name for name in entry)
    }
    return {key: name for key, name in names.items() if name in entries and name not in names}


def _is_map(value: object) -> bool:
    return isinstance(value, dict) and any(isinstance(e, dict) and "litellm_provider" in e for e in value.values())


def _entry_prices(key: str, entry: Mapping[str, Any], problems: set[str]) -> list[Price]:
    prices: list[Price] = []
    is_estimate = _estimates_tokens(entry)
    if is_estimate:
        problems.add("charged by the character: its prices of tokens are the map's estimate of four characters a token")
    for found in _found(entry, problems):
        if found.meter is None:
            problems.add(f"{found.place}: not understood: {str(found.value)[:60]}")
        elif is_estimate and LEDGER_UNITS[found.meter] == "token":
            continue
        elif (amount := as_amount(found.value)) is not None:
            prices.append(
                Price(
                    provider=entry["litellm_provider"],
                    raw_model=key,
                    meter=found.meter,
                    unit=LEDGER_UNITS[found.meter],
                    unit_price=amount,
                    pricing_quantity=1,
                    source_locator=f"/{key.replace('~', '~0').replace('/', '~1')}/{found.place}",
                    extracted_text=f"{found.place}: {found.value}",
                    service_tier=found.service_tier,
                    context_from_tokens=found.above,
                    context_bound="gt" if found.above and entry["litellm_provider"] not in _FROM_BOUND_ON else "gte",
                    time_window=found.time_window,
                )
            )
        elif found.value is not None:
            problems.add(f"{key}: {found.place}: {why_no_price(found.value)}")
    return _multiplied(prices, entry, problems)


def _estimates_tokens(entry: Mapping[str, Any]) -> bool:
    """Whether the seller charges characters (Vertex AI: Gemini until 1.5, text embeddings), from which the map makes prices of tokens."""
    by_token, by_character = (as_amount(entry.get(column)) for column in (_INPUT, _BY_CHARACTER))
    return by_character is not None and by_character > 0 and by_token == by_character * _CHARACTERS_A_TOKEN


def _found(entry: Mapping[str, Any], problems: set[str]) -> Iterator[_Found]:
    tiers = list(_tiers(entry, problems))
    for index, above, tier in tiers:
        for column, value in tier.items():
            meter, service_tier, bound = _take_apart(column)
            place = f"tiered_pricing/{index}/{column}"
            yield _Found(place, value, None if bound else meter, service_tier, above)
    is_replaced = any(above == 0 and _INPUT in tier for _, above, tier in tiers)
    for column, value in entry.items():
        if column == "tiered_pricing" or (is_replaced and _BOUND.sub("", column) in _OF_TIERS):
            continue
        if column == "search_context_cost_per_query" and isinstance(value, dict):
            yield from _searches(value, _search_meter(entry))
        elif column == "off_peak_pricing" and isinstance(value, dict):
            yield from _off_peak(value, problems)
        elif column in ("provider_specific_entry", "web_search_billing_unit") or _uplifted(column):
            continue
        elif _PRICED.search(column) and not _SAME_IN_ANOTHER_UNIT.match(column):
            yield _Found(column, value, *_take_apart(column))


def _take_apart(column: str) -> tuple[str | None, str, int]:
    """Meter, service tier and exclusive bound of the prompt size that a column name stands for, in either order."""
    bound = 0
    if match := _BOUND.search(column):
        bound = int(match["bound"]) * {"": 1, "k": 1000, "m": 1_000_000}[match["thousands"]]
        column = column[: match.start()] + column[match.end() :]
    if column in _METERS:
        return _METERS[column], "standard", bound
    plain = max((name for name in _METERS if column.startswith(f"{name}_")), key=len, default="")
    suffix = _TIER.match(column.removeprefix(plain)) if plain else None
    if suffix is None or LEDGER_UNITS[_METERS[plain]] not in _UNITS_BY_TIER or _NO_TIER.search(suffix["tier"]):
        return None, "standard", bound
    return _METERS[plain], _TIERS.get(suffix["tier"], suffix["tier"]), bound


def _multiplied(prices: list[Price], entry: Mapping[str, Any], problems: set[str]) -> list[Price]:
    """The prices and, of those for tokens, what modifiers make of them, each on top of those before it.

    First what the map leaves out because it moves as others do, then modes of serving (`fast`), then regions.
    """
    prices = _followed([*prices, *_cached(prices, entry["litellm_provider"])])
    stated = entry.get("provider_specific_entry") or {}
    factors = {region: value for name, value in entry.items() if (region := _uplifted(name))}
    factors |= stated if isinstance(stated, dict) else {"provider_specific_entry": None}
    is_place = {name: bool(re.fullmatch(_PLACE, name.replace("-", "_"))) for name in factors}
    for name, value in sorted(factors.items(), key=lambda item: (is_place[item[0]], item[0])):
        factor = as_amount(value)
        if not factor or not _TIER.match(f"_{name.replace('-', '_')}"):
            problems.add(f"a multiplier {name!r}: {why_no_price(value)}")
            continue
        stands = {_thing(price) for price in prices}
        for price in [price for price in prices if price.unit == "token" and not price.region]:
            text = f"{price.extracted_text}, times {factor} ({name})"
            more = price._replace(unit_price=price.unit_price * factor, extracted_text=text)
            if is_place[name]:
                prices.append(more._replace(region=name))
            elif price.service_tier == "standard" and _thing(more._replace(service_tier=name)) not in stands:
                prices.append(more._replace(service_tier=name))
    return prices


def _uplifted(column: str) -> str | None:
    """The region of an uplift, which its name ends or begins with, or every region that is not the global endpoint.

    None for any other column, and for an uplift of something else (`priority_uplift_multiplier`).
    """
    match = _UPLIFT.match(column.lower().replace("-", "_"))
    if match is None:
        return None
    where = match["where"] or ""
    named = _AREA_FIRST_OR_LAST.search(where)
    region = match["region"] or (named and (named["first"] or named["last"]))
    if not region and (column.startswith("inference_geo") or _ANYWHERE.search(where)):
        region = "regional"
    return region.replace("_", "-") if region else None


def _thing(price: Price) -> tuple[object, ...]:
    return price.meter, price.service_tier, price.context_from_tokens, price.time_window


def _cached(prices: Sequence[Price], seller: str) -> list[Price]:
    """What cached input costs at a seller of which the map does not say it, because LiteLLM charges all its models alike."""
    share = _CACHE_READ_SHARES.get(seller)
    if share is None or any(price.meter == "input_cache_read" for price in prices):
        return []
    return [
        price._replace(
            meter="input_cache_read",
            unit_price=price.unit_price * share,
            extracted_text=f"{price.extracted_text}, times {share} as LiteLLM charges",
        )
        for price in prices
        if price.meter == "input_uncached"
    ]


def _followed(prices: Sequence[Price]) -> list[Price]:
    """The prices and those that the map leaves out because they move as others do.

    A cache written for hours costs above a bound what the plain one does over its price below it; thinking costs in a tier what
    the answer does over its standard price; a tier costs for long prompts its share of the standard price for short ones.
    """
    short, tiers = {"context_from_tokens": 0}, sorted({price.service_tier for price in prices} - {"standard"})
    found = list(prices)
    for meter in _LASTING_WRITES:
        written = [price for price in found if price.meter == "input_cache_write" and price.context_from_tokens]
        found += _moved_alike(found, written, base=short, follower={"meter": meter})
    answers = [price for price in found if price.meter == "output_text" and price.service_tier != "standard"]
    found += _moved_alike(found, answers, base={"service_tier": "standard"}, follower={"meter": "output_reasoning"})
    usual = [
        price
        for price in found
        if price.service_tier == "standard" and price.unit == "token" and price.context_from_tokens
    ]
    return [
        *found,
        *(more for tier in tiers for more in _moved_alike(found, usual, base=short, follower={"service_tier": tier})),
    ]


def _moved_alike(
    prices: Sequence[Price], moved: Sequence[Price], *, base: Mapping[str, Any], follower: Mapping[str, Any]
) -> list[Price]:
    """What is not stated of `follower`: its price under `base`, times what each of `moved` is over its own price there."""
    known, made = {_thing(price): price for price in prices}, []
    for price in moved:
        before = price._replace(**base)
        usual, follows = known.get(_thing(before)), known.get(_thing(before._replace(**follower)))
        more = price._replace(**follower)
        if usual and follows and usual.unit_price and _thing(more) not in known:
            text = f"{price.extracted_text}, times {follows.extracted_text} over {usual.extracted_text}"
            amount = price.unit_price * follows.unit_price / usual.unit_price
            made.append(more._replace(unit_price=amount, extracted_text=text))
    return made


def _off_peak(block: Mapping[str, Any], problems: set[str]) -> Iterator[_Found]:
    """Prices that replace those of the same name inside hours of UTC, on the weekdays of a zone."""
    rules = block.get("windows") or []
    try:
        windows = [
            window
            for rule in [block, *rules]
            for window in utc_windows(
                _listed(rule.get("hours_utc")), rule.get("weekdays"), block.get("weekday_timezone")
            )
        ]
    except (AttributeError, TypeError, ValueError) as error:
        problems.add(f"off_peak_pricing: {worded(error)}")
        return
    if not windows:
        problems.add("off_peak_pricing without hours: not understood")
    for column, value in block.items():
        if column not in ("hours_utc", "windows", "weekdays", "weekday_timezone"):
            for window in windows:
                yield _Found(f"off_peak_pricing/{column}", value, *_take_apart(column), window)


def _listed(hours: object) -> list[Any]:
    return hours if isinstance(hours, list) else [hours] if hours else []


def _search_meter(entry: Mapping[str, Any]) -> str:
    """Gemini's searches are charged by the prompt, however many it takes, unless the map says that each is."""
    by_prompt = "gemini" in str(entry.get("litellm_provider")) or "language-models" in str(
        entry.get("litellm_provider")
    )
    return "grounded_prompt" if by_prompt and entry.get("web_search_billing_unit") != "per_query" else "web_search"


def _searches(sizes: Mapping[str, object], usual: str) -> Iterator[_Found]:
    meters = {**_SEARCH_SIZES, "search_context_size_medium": usual}
    for size, value in sizes.items():
        yield _Found(f"search_context_cost_per_query/{size}", value, meters.get(size))


def _tiers(entry: Mapping[str, Any], problems: set[str]) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """`tiered_pricing`: number, exclusive bound in prompt tokens and priced columns of each tier, completed as LiteLLM does.

    Where a tier prices input, the tier decides and not what the entry states next to it: caches without a price of their own cost
    as much as the tier's input, and reasoning as much as its output. A tier that states no output has the entry's.
    """
    listed = entry.get("tiered_pricing")
    blocks = [tier for tier in (listed if isinstance(listed, list) else ()) if isinstance(tier, dict)]
    if listed and len(blocks) != (len(listed) if isinstance(listed, list) else 0):
        problems.add("tiered_pricing: not understood")
    stated = {column for block in (entry, *blocks) for column in block}
    for index, tier in enumerate(blocks):
        bounds = tier.get("range")
        above = as_amount(bounds[0]) if isinstance(bounds, list) and bounds else None
        if above is None:
            problems.add("tiered_pricing by something other than a range of prompt tokens: not understood")
            continue
        own = {column: value for column, value in tier.items() if column != "range" and value is not None}
        yield index, int(above), _completed(own, entry, stated) if _INPUT in own else own


def _completed(tier: Mapping[str, Any], entry: Mapping[str, Any], stated: Container[str]) -> dict[str, Any]:
    """A tier with a price for input, and what it charges for each other column that is `stated` anywhere in the entry."""
    instead = {_READ: tier[_INPUT], _WRITE: tier[_INPUT], _WRITE_1H: tier.get(_WRITE, tier[_INPUT])}
    if _OUTPUT in tier:
        instead[_REASONING] = tier[_OUTPUT]
    else:
        instead |= {column: entry.get(column) for column in (_OUTPUT, _REASONING)}
    return {column: value for column, value in instead.items() if column in stated} | dict(tier)
