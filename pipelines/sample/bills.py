"""Bills: what two sellers report of the calls that were drawn, as their cost APIs page it.

Each export is taken at the end of a day and holds the day before too, as real ones overlap. Anthropic bills what the calls
cost, to the last digit, until a workspace without a log begins on PRICE_CHANGE_DATE. OpenAI also bills what no log of the sample holds, a playground and its web searches, and
revises the former the day after. What the calls cost is worked out in `logs.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import polars as pl

from pipelines.sample.catalogue import OFFERS, PRICE_CHANGE_DATE
from pipelines.sample.logs import METERS, priced

PLAYGROUND = "gpt-4o"
"""The model of the playground, whose calls cost a twentieth of those that are logged."""
UNLOGGED_PART = 25
"""Of Anthropic's calls a trial workspace costs this part more, and no log holds it."""
_OPENAI_ITEMS = {"input": "input", "cache_read": "cached input", "cache_write": "input", "output": "output"}
_ANTHROPIC_ITEMS = {
    "input": ("Input Tokens", "uncached_input_tokens"),
    "cache_read": ("Cache Read Input Tokens", "cache_read_input_tokens"),
    "cache_write": ("5m Cache Creation Input Tokens", "cache_creation.ephemeral_5m_input_tokens"),
    "output": ("Output Tokens", "output_tokens"),
}
_Amounts = list[tuple[str, bool, str, int, int]]
"""Offer, whether charged as long, meter, pico-dollars and tokens."""


class Bills:
    """The bills of two sellers; calls of a day must be added before its bill is taken."""

    def __init__(self) -> None:
        self._calls: list[pl.DataFrame] = []

    def add(self, calls: pl.DataFrame) -> None:
        """Count calls in, each once."""
        sums = [pl.col(f"{meter}_pico").sum() for meter in METERS]
        sums += [pl.col(meter).filter(pl.col(f"{meter}_pico") > 0).sum() for meter in METERS]
        self._calls.append(priced(calls).group_by("day", "offer", "is_long").agg(sums))

    def files_of(self, day: date) -> Iterator[tuple[str, str, bytes]]:
        """Source, name and content of each export that arrives on `day`."""
        known = set(pl.concat(self._calls)["day"].to_list())
        days = [billed for billed in (day - timedelta(days=1), day) if billed in known]
        stamp = f"{day:%Y%m%d}T235500Z"
        page = {"object": "page", "data": [self._openai(of, day) for of in days], "has_more": False, "next_page": None}
        yield "openai_bill", f"costs_{stamp}.json", _json(page)
        report = {"data": [self._anthropic(of) for of in days], "has_more": False, "next_page": None}
        yield "anthropic_bill", f"cost_report_{stamp}.json", _json(report)

    def _amounts(self, provider: str, day: date) -> _Amounts:
        offers = [key for key, offer in OFFERS.items() if offer.provider == provider]
        of_day = pl.concat(self._calls).filter((pl.col("day") == day) & pl.col("offer").is_in(offers))
        sums = of_day.group_by("offer", "is_long").agg(pl.col(meter, f"{meter}_pico").sum() for meter in METERS)
        rows = sums.sort("offer", "is_long").iter_rows(named=True)
        found = [
            (row["offer"], row["is_long"], meter, row[f"{meter}_pico"], row[meter]) for row in rows for meter in METERS
        ]
        return [amount for amount in found if amount[3]]

    def _openai(self, day: date, arrival: date) -> dict[str, Any]:
        billed: dict[str, int] = {}
        counted: dict[str, int] = {}
        for offer, _, meter, pico, tokens in self._amounts("openai", day):
            item = f"{OFFERS[offer].answered_as}, {_OPENAI_ITEMS[meter]}"
            billed[item] = billed.get(item, 0) + pico
            counted[item] = counted.get(item, 0) + tokens
        results = [_openai_line(item, "proj_production", pico, counted[item]) for item, pico in billed.items()]
        played = f"{OFFERS[PLAYGROUND].answered_as}, output"
        if pico := billed.get(played, 0) // 20:
            seen, tokens = (part if arrival > day else part * 4 // 5 for part in (pico, counted[played] // 20))
            results.append(_openai_line(played, "proj_playground", seen, tokens))
            results.append(_openai_line("web search tool calls", "proj_playground", 12 * 10**10, 12, "calls"))
        start = int(datetime.combine(day, time(), UTC).timestamp())
        return {"object": "bucket", "start_time": start, "end_time": start + 86_400, "results": results}

    def _anthropic(self, day: date) -> dict[str, Any]:
        results = []
        for offer, is_long, meter, pico, _ in self._amounts("anthropic", day):
            said, token_type = _ANTHROPIC_ITEMS[meter]
            window = "200k-1M" if is_long else "0-200k"
            results.append({
                "currency": "USD", "amount": _decimal(pico * 100), "workspace_id": "wrkspc_sample",
                "description": f"{OFFERS[offer].name} Usage - {said}{' (Long Context)' if is_long else ''}", "cost_type": "tokens",
                "context_window": window, "model": OFFERS[offer].answered_as, "service_tier": "standard", "token_type": token_type,
            })  # fmt: skip
        if day >= PRICE_CHANGE_DATE:
            results += [
                {**line, "workspace_id": "wrkspc_trial", "amount": _decimal(pico * 100 // UNLOGGED_PART)}
                for line, (_, _, _, pico, _) in zip(results, self._amounts("anthropic", day), strict=True)
            ]
        ends = {"starting_at": f"{day}T00:00:00Z", "ending_at": f"{day + timedelta(days=1)}T00:00:00Z"}
        return {**ends, "results": results}


def _openai_line(item: str, project: str, pico: int, quantity: int, unit: str = "tokens") -> dict[str, Any]:
    amount = {"value": _decimal(pico), "currency": "usd"}
    said = {"line_item": item, "project_id": project, "quantity": quantity, "quantity_unit": unit}
    return {"object": "organization.costs.result", "amount": amount, **said}


def _decimal(pico: int) -> str:
    """Pico-dollars as dollars, every digit."""
    return f"{pico // 10**12}.{pico % 10**12:012d}"


def _json(page: dict[str, Any]) -> bytes:
    return (json.dumps(page, indent=1) + "\n").encode()
