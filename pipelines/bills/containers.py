"""Pages and buckets of provider reports opened into their results, each with its bucket, its place and its identity.

The reports of OpenAI and Anthropic are pages of time buckets that hold results, OpenRouter's a page of results; users
also flatten them to one result per line. What the fields of a result mean is in `formats/`.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from pipelines.records.json_record import Number

_PAGE = "data"
_RESULTS = ("results", "result", "model_breakdown", "usage")
_FROM = ("start_time", "starting_at", "start_time_iso", "startingAt", "startTime", "date", "time_dimension")
_TO = ("end_time", "ending_at", "end_time_iso", "endingAt", "endTime")
_OF_ANALYTICS = {"usage": "analytics_usage", "cost": "analytics_cost"}
"""Reports whose results are flat, by the field next to `group` that holds what they measure."""
_AMOUNTS = frozenset(
    {
        "amount", "list_amount", "amount_value", "value", "usage", "quantity", "spend", "totalCost", "sum_totalCost", "sum_inputTokens",
        "sum_outputTokens", "count_count",
    }
)  # fmt: skip
"""What a report measures and may write as text: a record is the same one when these change."""


LABELS = ("labels", "system_labels", "tags")
"""Lists in rows of Google's billing export, by which it splits an hour."""


def open_report(value: object) -> list[object]:
    """The results of one page, bucket or flattened line; anything else stays as it is.

    A result gets `bucket` {from, to}, `locator` (a JSON pointer inside the value) and `record_identity`: a hash of every text
    and flag in it, known to us or not, so that a dimension that a provider adds later never merges two lines of a bill.
    """
    return list(_opened(value, {}, ""))


def _opened(value: object, bucket: dict[str, Any], place: str) -> Iterator[object]:
    if not isinstance(value, dict):
        yield value
        return
    inner = next((name for name in (_PAGE, *_RESULTS) if isinstance(value.get(name), list)), None)
    if inner is None:
        yield _placed(value, bucket or _bucket(value), place, 0)
        yield from _of_google(value, place)
        return
    if inner == _PAGE and any(_is_flat(item) for item in value[inner]):
        yield from _flat(value[inner], f"{place}/{inner}")
        return
    if inner == _PAGE:
        for number, item in enumerate(value[inner]):
            yield from _opened(item, {}, f"{place}/{inner}/{number}")
        return
    times: Counter[str] = Counter()
    context = _of_claude_code(value) if inner == "model_breakdown" else {}
    for number, found in enumerate(value[inner]):
        if not isinstance(found, dict):
            yield found
            continue
        if isinstance(found.get("breakdown"), dict):
            yield from _of_litellm(found, f"{place}/{inner}/{number}")
            continue
        result = {**found, **context}
        key = identity(result)
        yield _placed(result, _bucket(value), f"{place}/{inner}/{number}", times[key])
        times[key] += 1


def _of_claude_code(day: dict[str, Any]) -> dict[str, Any]:
    """What stands next to the models of a day: who used them, and the terminal and plan, of which a person may have several a day."""
    said = {name: item for name, item in day.items() if name in ("actor", "organization_id") or name.endswith("_type")}
    return {**said, "report": "claude_code"}


def _of_google(row: dict[str, Any], place: str) -> Iterator[object]:
    """The credits of a row of Google's billing export, each a line of its own: `cost` is the amount before them."""
    found = row.get("credits")
    if "cost" not in row or not isinstance(found, list):
        return
    kept = {name: item for name, item in row.items() if name not in ("credits", "cost", "usage")}
    for number, credit in enumerate(found):
        if not isinstance(credit, dict):
            yield credit
            continue
        category = "Discount" if str(credit.get("type", "")).upper().endswith("DISCOUNT") else "Credit"
        said = {**kept, "credit": {**credit, "category": category}}
        yield _placed(said, {}, f"{place}/credits/{number}", number)


def _of_litellm(day: dict[str, Any], place: str) -> Iterator[object]:
    """The models of a day of `/user/daily/activity`. Sellers stand next to them, so a model's is known where the day has one."""
    models, sellers = (day["breakdown"].get(name) or {} for name in ("models", "providers"))
    seller = {"custom_llm_provider": next(iter(sellers))} if len(sellers) == 1 else {}
    for model, said in models.items():
        result = {**(said.get("metrics") or {}), "model": model, **seller}
        # A seller that the first export of a day did not have yet is no other line.
        own = {
            "bucket": _bucket(day),
            "locator": f"{place}/breakdown/models",
            "record_identity": f"{identity({'model': model})}/0",
        }
        yield {**result, **own}


def _is_flat(item: object) -> bool:
    return isinstance(item, dict) and isinstance(item.get("group"), dict)


def _flat(items: list[Any], place: str) -> Iterator[object]:
    """Results of which each names its own bucket. People that the report can't name are rows that say the same: each is a line."""
    times: Counter[str] = Counter()
    for number, item in enumerate(items):
        if not _is_flat(item):
            yield from _opened(item, {}, f"{place}/{number}")
            continue
        report = next((name for field, name in _OF_ANALYTICS.items() if isinstance(item.get(field), dict)), None)
        result, bucket = item if report is None else {**item, "report": report}, _bucket(item)
        key = f"{bucket}{identity(result)}"
        yield _placed(result, bucket, f"{place}/{number}", times[key])
        times[key] += 1


def _bucket(holder: dict[str, Any]) -> dict[str, Any]:
    ends = {"from": _FROM, "to": _TO}
    return {
        end: next((holder[name] for name in names if holder.get(name) is not None), None) for end, names in ends.items()
    }


def _placed(result: dict[str, Any], bucket: dict[str, Any], place: str, occurrence: int) -> dict[str, Any]:
    own = {"bucket": bucket, "locator": place or "/", "record_identity": f"{identity(result)}/{occurrence}"}
    return {**result, **own}


def identity(result: dict[str, Any]) -> str:
    """A hash of every text and flag of a result, wherever it stands in it; numbers and amounts are no part of it."""
    found = sorted(_dimensions(result, ""))
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()


def _dimensions(value: dict[str, Any], place: str) -> Iterator[tuple[str, str]]:
    for name, item in value.items():
        if name in LABELS and isinstance(item, list):
            yield from ((f"{place}{name}", json.dumps(label, sort_keys=True, default=str)) for label in item)
            continue
        if isinstance(item, dict):
            yield from _dimensions(item, f"{place}{name}/")
            continue
        says = isinstance(item, bool) or (isinstance(item, str) and not isinstance(item, Number) and item != "")
        if says and name not in (*_AMOUNTS, *_FROM, *_TO):
            yield f"{place}{name}", str(item)
