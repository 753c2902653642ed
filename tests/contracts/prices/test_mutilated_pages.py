"""Pages of every layout, damaged in hundreds of ways each: never a wrong price applied.

For each damaged page one of these holds: it is refused with an error, it is held for review next to the last good page,
or every price that it gives for a model is one that the good page states for the same model, meter and conditions.

No reader of one page can see that two models have changed names, or two models' tables places: those are left out.
"""

from __future__ import annotations

import gzip
import json
import os
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from pipelines.config import load_config
from pipelines.config.sources import PriceFeed
from pipelines.models import build_registry
from pipelines.prices import FeedSnapshot, PriceFeedError, parse_feed, review
from tests.contracts.prices.mutilate import damaged, tables_of
from tests.unit.prices.landed import landed_bytes

OWN = Path(__file__).parents[2] / "fixtures" / "price_pages"
REAL = {
    "anthropic_page/anthropic_pricing_2025-10-20.md": "anthropic",
    "anthropic_page/anthropic_pricing_2026-02-18.md": "anthropic",
    "anthropic_page/anthropic_pricing_2026-05-01.md": "anthropic",
    "pages/openai_pricing_raw.html": "openai",
    "pages/deepseek.html": "deepseek",
    "pages/zai.html": "zai",
    "pages/kimi1.html": "kimi",
    "pages/minimax.html": "minimax",
    "pages/bigmodel.html.gz": "bigmodel",
    "pages/aliyun_bailian.json.gz": "bailian",
}
MADE = {
    "anthropic.md": "anthropic",
    "google.md": "google",
    "google.html": "google",
    "mistral.html": "mistral",
    "deepseek.html": "deepseek",
    "deepseek_en.html": "deepseek_en",
    "openai.md": "openai",
}
_SAID = (
    "raw_model", "meter", "service_tier", "region", "context_from_tokens", "context_bound", "context_to_tokens", "time_window",
    "reasoning_mode", "valid_from", "valid_to", "unit_price", "pricing_quantity", "pricing_currency",
)  # fmt: skip
UNTOLD = {
    "openai": r"272K once written 128K",  # a row's own bound, which no other row repeats
    "google": r"tables \d+ and \d+ exchanged",  # a table for each model
    "deepseek": r"table 0: headers \d+ \d+ exchanged",  # a column for each model
    "deepseek_en": r"table 0: headers \d+ \d+ exchanged",
}
MOST = int(os.environ.get("MODELMETER_TEST_DAMAGES", "60"))
"""Damaged pages read of each page, evenly chosen; 2000 reads them all, in ten minutes."""
DECLARED = build_registry(load_config(None).models, [])
TABLES_KEPT = 14
"""Of Bailian's 274 tables: enough of each shape, few enough to read the page hundreds of times."""


def said(snapshot: FeedSnapshot) -> set[tuple[object, ...]]:
    return set(snapshot.prices.select(_SAID).iter_rows())


def _parsed(folder: Path, feed: PriceFeed, name: str, page: str) -> FeedSnapshot:
    content = json.dumps({"data": {"content": page}}) if feed.options["layout"] == "bailian" else page
    return parse_feed(landed_bytes(folder, feed.feed, name, content.encode()), feed)


def outcomes(folder: Path, layout: str, page: str) -> Counter[str]:
    feed = PriceFeed(feed=layout, format="page", options={"layout": layout})
    suffix = "json" if layout == "bailian" else "md"
    good = _parsed(folder, feed, f"2026-08-01.{suffix}", page)
    true = said(good)
    models = {price[0] for price in true}
    found: Counter[str] = Counter()
    wrong: list[str] = []
    for name, text in _some(page, damaged(page)):
        if layout in UNTOLD and re.fullmatch(UNTOLD[layout], name):
            continue
        try:
            snapshot = _parsed(folder, feed, f"2026-08-02.{suffix}", text)
        except PriceFeedError:
            found["refused"] += 1
            continue
        if review([(feed, [good, snapshot])], DECLARED, {})[0].held:
            found["held"] += 1
            continue
        strange = {price for price in said(snapshot) - true if price[0] in models}
        if strange:
            wrong.append(f"{name}: {sorted(map(str, strange))[:2]}")
        found["the same" if said(snapshot) == true else "fewer"] += 1
    assert not wrong, f"{len(wrong)} of {found.total()} damaged pages set a wrong price:\n" + "\n".join(wrong[:15])
    return found


def _some(page: str, pages: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those that differ from the page and from each other, thinned to MOST evenly."""
    seen = {page}
    found = [(name, text) for name, text in pages if text not in seen and not seen.add(text)]  # type: ignore[func-returns-value]
    count = min(MOST, len(found))
    return [found[n * len(found) // count] for n in range(count)]


@pytest.mark.parametrize("name", REAL)
@pytest.mark.slow
def test_a_damaged_real_page_never_sets_a_wrong_price(shared_data: Path, tmp_path: Path, name: str) -> None:
    content = (shared_data / "prices" / name).read_bytes()
    page = (gzip.decompress(content) if name.endswith(".gz") else content).decode()
    if REAL[name] == "bailian":
        page = json.loads(page)["data"]["content"]
        page = page[: tables_of(page)[TABLES_KEPT].end]
    found = outcomes(tmp_path, REAL[name], page)
    assert found.total() >= 50, found
    assert found["refused"] + found["held"] >= 6, found


@pytest.mark.parametrize("name", MADE)
@pytest.mark.slow
def test_a_damaged_page_of_late_2026_never_sets_a_wrong_price(tmp_path: Path, name: str) -> None:
    found = outcomes(tmp_path, MADE[name], (OWN / name).read_text())
    assert found.total() >= 50, found
    assert found["refused"] + found["held"] >= 6, found
