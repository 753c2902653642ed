"""Reads genai-prices' published data (`new_data/v2/data.json`): dated prices, context tiers, variants, time of day.

The same data ships with the dependency; `pipelines/prices/packaged.py` writes it in the published form. Which
prices apply together is the business of `pipelines.prices.rate_card`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from pipelines.outside import worded
from pipelines.prices.feed_snapshot import BEGINNING, Parsed, Price, PriceFeedError, as_amount, why_no_price
from pipelines.prices.feeds._numbers import feed_json, unwrapped
from pipelines.prices.meters import LEDGER_UNITS

VERSION = "3"

_METERS: dict[str, tuple[str, int]] = {
    "input_mtok": ("input_uncached", 1_000_000),
    "output_mtok": ("output_text", 1_000_000),
    "cache_read_mtok": ("input_cache_read", 1_000_000),
    "cache_write_mtok": ("input_cache_write", 1_000_000),
    "cache_write_5m_mtok": ("input_cache_write_5m", 1_000_000),
    "cache_write_1h_mtok": ("input_cache_write_1h", 1_000_000),
    "input_audio_mtok": ("input_audio", 1_000_000),
    "cache_audio_read_mtok": ("input_audio_cache_read", 1_000_000),
    "cache_audio_write_mtok": ("input_audio_cache_write", 1_000_000),
    "output_audio_mtok": ("output_audio", 1_000_000),
    "input_image_mtok": ("input_image", 1_000_000),
    "cache_image_read_mtok": ("input_image_cache_read", 1_000_000),
    "output_image_mtok": ("output_image", 1_000_000),
    "input_video_mtok": ("input_video", 1_000_000),
    "output_video_mtok": ("output_video", 1_000_000),
    "input_tool_mtok": ("input_tool", 1_000_000),
    "output_reasoning_mtok": ("output_reasoning", 1_000_000),
    "output_citation_mtok": ("output_citation", 1_000_000),
    "requests_kcount": ("request", 1_000),
    "web_searches_kcount": ("web_search", 1_000),
    "storage_searches_kcount": ("storage_search", 1_000),
    "social_searches_kcount": ("social_search", 1_000),
    "rerank_searches_kcount": ("rerank_search", 1_000),
    "code_executions_kcount": ("code_execution", 1_000),
    "input_text_messages_kcount": ("input_message", 1_000),
    "input_document_kpages": ("document_page", 1_000),
    "input_annotated_document_kpages": ("annotated_document_page", 1_000),
    "input_mchars": ("input_character", 1_000_000),
    "input_gpixels": ("input_pixel", 1_000_000_000),
    "audio_hours": ("audio_second", 3_600),
    "input_audio_hours": ("input_audio_second", 3_600),
}
_CONSTRAINT = {"type", "start_date", "start_time", "end_time"}
_TIERED_BY = ("processing", "service_tier", "speed")
"""Conditions whose value is a service tier; but a service tier `fast` is OpenAI's name of priority, and no speed."""


@dataclass(frozen=True)
class _Entry:
    """One block of prices with its constraint and its place in the file."""

    prices: Mapping[str, Any]
    pointer: str
    start: datetime | None = None
    window: tuple[time, time] | None = None


@dataclass(frozen=True)
class _Period:
    """An entry in force from `start` to `end`, in the daily window `window` (empty: all day)."""

    entry: _Entry
    start: datetime
    end: datetime | None
    window: str = ""


def read(content: bytes, _options: Mapping[str, Any]) -> Parsed:
    """Every price of the file, for each model's id and for each name that its match clause spells out (`equals`).

    A list of entries follows the publisher's rule: the last active one applies. Dates become periods [start, next),
    the first entry holds from the beginning of time (basis unknown); hours of the day become windows. Clauses that
    match by prefix or pattern are no statement about a name and are left out. Raises PriceFeedError.
    """
    problems: set[str] = set()
    providers = unwrapped(feed_json(content, problems), _are_providers, problems)
    if not isinstance(providers, list):
        raise PriceFeedError(f"expected an array of providers, found {type(providers).__name__}")
    prices: list[Price] = []
    lines = rejected = 0
    for at, provider in enumerate(providers):
        models = provider.get("models") if isinstance(provider, dict) else None
        models = [model for model in models if isinstance(model, dict)] if isinstance(models, list) else []
        ids = {str(model.get("id")).lower() for model in models}
        for index, model in enumerate(models):
            lines += 1
            try:
                found = list(_model_prices(provider["id"], model, f"/{at}/models/{index}", problems))
            except (ArithmeticError, KeyError, TypeError, ValueError, AttributeError) as error:
                problems.add(f"{provider.get('id')}/{model.get('id')}: {worded(error)}")
                rejected += 1
                continue
            prices += found
            for name in dict.fromkeys(_equal_names(model.get("match"))):
                if name.lower() not in ids:
                    prices += [price._replace(raw_model=name, alias_of=price.raw_model) for price in found]
    return Parsed(prices, lines, rejected, frozenset(problems))


def _are_providers(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(provider, dict) and "models" in provider for provider in value)


def _model_prices(provider: str, model: Mapping[str, Any], pointer: str, problems: set[str]) -> Iterator[Price]:
    raw, sold = model["prices"], (provider, model["id"])
    if raw == {} and sold[1].endswith(":free"):
        raw = {"input_mtok": 0, "output_mtok": 0}  # the publisher leaves the block of a free model empty
    if isinstance(raw, list):
        entries = [_entry(item, f"{pointer}/prices/{i}") for i, item in enumerate(raw)]
    else:
        entries = [_Entry(raw, f"{pointer}/prices")]
    for period in _standard_periods(entries):
        for key in period.entry.prices:
            yield from _ladder(sold, period, key, "standard", problems)
    for tier, variants in _variants(provider, model, pointer, problems).items():
        for key in {key: None for entry in variants for key in entry.prices}:
            for period in _variant_periods([entry for entry in variants if key in entry.prices]):
                yield from _ladder(sold, period, key, tier, problems)


def _entry(item: Mapping[str, Any], pointer: str) -> _Entry:
    constraint = item.get("constraint") or {}
    prices = {key: value for key, value in item["prices"].items() if value is not None}
    if set(constraint) - _CONSTRAINT:
        raise PriceFeedError(
            f"{pointer}: unknown constraint {sorted(constraint)}; known are start_date, start_time and end_time"
        )
    if "start_date" in constraint:
        day = date.fromisoformat(constraint["start_date"])
        return _Entry(prices, f"{pointer}/prices", start=datetime(day.year, day.month, day.day, tzinfo=UTC))
    if "start_time" in constraint:
        return _Entry(
            prices, f"{pointer}/prices", window=(_utc(constraint["start_time"]), _utc(constraint["end_time"]))
        )
    return _Entry(prices, f"{pointer}/prices")


def _utc(text: str) -> time:
    value = time.fromisoformat(text)
    if value.tzinfo is not None:
        value = datetime.combine(date(2000, 1, 2), value).astimezone(UTC).time()
    return value.replace(tzinfo=None)


def _standard_periods(entries: Sequence[_Entry]) -> Iterator[_Period]:
    """For every stretch between start dates: the entry that applies, by the hour of the day where that matters."""
    marks = sorted({clock for entry in entries if entry.window for clock in entry.window})
    all_day = [entry for entry in entries if entry.window is None]
    if not all_day:
        raise PriceFeedError(f"{entries[0].pointer}: every entry is bound to hours of the day; one must hold all day")
    for start, end in _stretches(entries):
        by_hour = [(mark, _last_active(entries, start, mark)) for mark in marks]
        yield _Period(_last_active(all_day, start, None), start, end)
        for position, (mark, entry) in enumerate(by_hour):
            if entry.window is not None:
                until = by_hour[(position + 1) % len(by_hour)][0]
                yield _Period(entry, start, end, f"{mark:%H:%M}-{until:%H:%M}")


def _variant_periods(entries: Sequence[_Entry]) -> Iterator[_Period]:
    """Of several variants of one tier that state a key, the first active one applies."""
    for start, end in _stretches(entries):
        active = next((entry for entry in entries if (entry.start or BEGINNING) <= start), None)
        if active is not None:
            yield _Period(active, start, end)


def _stretches(entries: Sequence[_Entry]) -> Iterator[tuple[datetime, datetime | None]]:
    starts = sorted({BEGINNING, *(entry.start for entry in entries if entry.start)})
    yield from zip(starts, [*starts[1:], None], strict=True)


def _last_active(entries: Sequence[_Entry], at: datetime, clock: time | None) -> _Entry:
    for entry in reversed(entries):
        if entry.window is not None:
            start, end = entry.window
            if clock is not None and (start <= clock < end if start <= end else clock >= start or clock < end):
                return entry
        elif entry.start is None or entry.start <= at:
            return entry
    return entries[0]


def _variants(provider: str, model: Mapping[str, Any], pointer: str, problems: set[str]) -> dict[str, list[_Entry]]:
    """The variants of a model by service tier; `fast` as an OpenAI tier is sold at the price of priority."""
    raw = model.get("price_variants") or []
    found: dict[str, list[_Entry]] = {}
    for index, variant in enumerate(raw):
        entry = _entry(variant, f"{pointer}/price_variants/{index}")
        conditions = tuple(variant["when"].items())
        by, tier = conditions[0] if len(conditions) == 1 else ("", None)
        if by not in _TIERED_BY or conditions == (("service_tier", "fast"),):
            tier = None
        same_as_priority = conditions == (("service_tier", "fast"),) and any(
            other["when"] == {"service_tier": "priority"} and other["prices"] == variant["prices"] for other in raw
        )
        if tier is not None and entry.window is None:
            found.setdefault(tier, []).append(entry)
        elif entry.prices and not same_as_priority:
            problems.add(f"{provider}/{model['id']}: prices when {dict(conditions)}: no such condition in the ledger")
    return found


def _ladder(sold: tuple[str, str], period: _Period, key: str, tier: str, problems: set[str]) -> Iterator[Price]:
    """The price of one key over prompt sizes: a number, or a base and tiers that apply above their start."""
    if key not in _METERS:
        problems.add(f"{key}: no such meter in the ledger")
        return
    value = period.entry.prices[key]
    pointer = f"{period.entry.pointer}/{key}"
    steps: list[tuple[int, Any, str]] = [(0, value, pointer)]
    if isinstance(value, dict) and {"base", "tiers"} <= value.keys():
        tiers = enumerate(value["tiers"])
        steps = [(0, value["base"], f"{pointer}/base")]
        steps += [(int(t["start"]), t["price"], f"{pointer}/tiers/{i}/price") for i, t in tiers]
    meter, quantity = _METERS[key]
    for start, raw, locator in steps:
        amount = as_amount(raw)
        if amount is None:
            problems.add(f"{sold[0]}/{sold[1]}: {locator}: {why_no_price(raw)}")
            continue
        yield Price(
            provider=sold[0],
            raw_model=sold[1],
            meter=meter,
            unit=LEDGER_UNITS[meter],
            unit_price=amount,
            pricing_quantity=quantity,
            source_locator=locator,
            extracted_text=f"{key}: {raw}" if start == 0 else f"{key}: {raw} above {start} input tokens",
            service_tier=tier,
            context_from_tokens=start,
            context_bound="gt" if start else "gte",
            time_window=period.window,
            valid_from=period.start,
            valid_to=period.end,
            date_basis="unknown" if period.start == BEGINNING else "documented",
        )


def _equal_names(clause: object) -> Iterator[str]:
    """The names that a match clause spells out; a conjunction spells out none."""
    if isinstance(clause, dict):
        if "equals" in clause:
            yield clause["equals"]
        for part in clause.get("or", ()):
            yield from _equal_names(part)
