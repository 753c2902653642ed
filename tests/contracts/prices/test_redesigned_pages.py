"""Small redesigns of price pages: what a provider could write next year. Read as before, named, or refused; never a wrong price."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pipelines.prices.feed_snapshot import Parsed, Price, PriceFeedError
from tests.contracts.prices.test_new_pages import PAGES, read

OPUS = "| Claude Opus 4.8 | $5 / MTok"
RESIDENCY = (
    "For Claude Opus 4.8, Claude Opus 4.6 and newer models, specifying US-only inference via the `inference_geo` "
    "parameter incurs a 1.1x multiplier on all token pricing categories, cache reads included."
)


def edited(name: str, old: str, new: str) -> Parsed:
    page = (PAGES / name).read_text()
    assert old in page
    return read(name, page.replace(old, new))


def stated(found: Parsed) -> set[Price]:
    return {price._replace(source_locator="", extracted_text="") for price in found.prices}


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("anthropic.md", OPUS, "| NEW Claude Opus 4.8 | $5 / MTok"),
        ("anthropic.md", OPUS, "| Claude Opus 4.8[^2] | $5 / MTok"),
        ("anthropic.md", OPUS, "| Claude Opus 4.8 | $5¹ / MTok"),
        ("anthropic.md", OPUS, "| Claude Opus 4.8 | $5 / MTok [2]"),
        ("anthropic.md", OPUS, "| Claude Opus 4.8 | $5 / MTok[^2]"),
        ("anthropic.md", "## Model pricing", "## Model pricing {#model-pricing}"),
        ("anthropic.md", "| Claude Opus 5 | $5 / MTok", "<!--\n| Claude Opus 9 | $1 / MTok | $2 / MTok | $2 / MTok | $0.10 / MTok | $9 / MTok |\n-->\n| Claude Opus 5 | $5 / MTok"),
        ("google.md", "### Batch", "See also `gemini-2.5-pro`.\n\n### Batch"),
        ("google.md", "lite`](https://ai.google.dev/z)*", "lite`](https://ai.google.dev/z), formerly `gemini-2.0-flash-lite`*"),
        ("google.md", "| $0.40 |", "| $0.40¹ |"),
        ("google.html", "<em><code", "<p>Faster than <code>gemini-2.5-pro</code></p><em><code"),
        ("mistral.html", "/1000 Pages", "/ 1,000 pages"),
    ],
)  # fmt: skip
def test_what_means_the_same_reads_the_same(name: str, old: str, new: str) -> None:
    assert stated(edited(name, old, new)) == stated(read(name))


@pytest.mark.parametrize("mark", ["$5¹ / MTok", "$5 / MTok [2]", "$5 / MTok*"])
def test_a_footnote_at_an_amount_is_named(mark: str) -> None:
    found = edited("anthropic.md", OPUS, f"| Claude Opus 4.8 | {mark}")
    assert any(mark in text and "footnote" in text for text in found.not_understood)


@pytest.mark.parametrize("words", ["(fast mode)", "(batch)", "(US-only)", "(long context)"])
def test_a_row_under_words_that_bind_it_is_not_the_models_price(words: str) -> None:
    found = edited("anthropic.md", OPUS, f"| Claude Opus 4.8 {words} | $5 / MTok")
    standard = {p.raw_model for p in found.prices if p.service_tier == "standard" and p.meter == "output_text"}
    assert "Claude Opus 4.8" not in standard
    assert any(f"Claude Opus 4.8 {words}" in text for text in found.not_understood)


def test_a_row_for_long_prompts_is_a_bound_of_the_model() -> None:
    row = "| Claude Opus 4.8 (> 200K) | $10 / MTok | $12.50 / MTok | $20 / MTok | $1 / MTok | $37.50 / MTok |\n"
    found = edited("anthropic.md", OPUS, row + OPUS)
    prices = {(p.context_from_tokens, p.unit_price) for p in found.prices if p.raw_model == "Claude Opus 4.8" and p.meter == "output_text" and p.service_tier == "standard"}  # fmt: skip
    assert prices == {(0, Decimal(25)), (200_000, Decimal("37.50"))}


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        ("anthropic.md", " / MTok", "", "expected a price for 1,000,000"),
        ("deepseek_en.html", "Monday through Friday", "Monday through Saturday", "no note on its hours"),
        ("deepseek_en.html", "excluding Chinese public", "excluding US public", "no note on its hours"),
        ("deepseek_en.html", ", Monday through Friday", " on weekdays", "no note on its hours"),
    ],
)
def test_a_unit_or_hours_that_are_not_understood_refuse_the_page(name: str, old: str, new: str, says: str) -> None:
    with pytest.raises(PriceFeedError, match=says):
        edited(name, old, new)


def test_hours_may_end_at_midnight() -> None:
    found = edited("deepseek_en.html", "06:00 - 10:00 UTC", "18:00 - 24:00 UTC")
    assert "mon-fri 18:00-00:00 except cn" in {price.time_window for price in found.prices}


@pytest.mark.parametrize(
    ("sentence", "holds"),
    [
        (RESIDENCY, True),
        (RESIDENCY.replace("incurs", "no longer incurs"), False),
        (RESIDENCY.replace("US-only", "US-only or EU-only"), False),
        (RESIDENCY.replace("Claude Opus 4.8, Claude Opus 4.6", "Claude Opus 5"), False),
    ],
)
def test_a_multiplier_is_taken_from_the_whole_sentence(sentence: str, holds: bool) -> None:
    found = edited("anthropic.md", "### Fast mode pricing", f"{sentence}\n\n### Fast mode pricing")
    regional = {p.unit_price for p in found.prices if p.region == "us" and p.raw_model == "Claude Opus 5" and p.meter == "output_text" and p.service_tier == "standard"}  # fmt: skip
    assert regional == ({Decimal("27.5")} if holds else set())
    assert holds or any("multiplier" in text for text in found.not_understood)


def test_pages_of_documents_are_priced_by_the_thousand() -> None:
    [price] = [price for price in read("mistral.html").prices if price.meter == "document_page"]
    assert (price.raw_model, price.unit_price, price.pricing_quantity) == ("Mistral OCR 4.1", Decimal(4), 1000)
    by_minute = edited("mistral.html", "/1000 Pages", "/min")
    assert "document_page" not in {price.meter for price in by_minute.prices}
    assert any("OCR 4.1" in text for text in by_minute.not_understood)


@pytest.mark.parametrize("name", ["anthropic.md", "google.md", "openai.md", "deepseek_en.html", "mistral.html"])
@pytest.mark.parametrize(
    "sentence",
    [
        "All prices are 50% off until December 31, 2026.",
        "The prices below are introductory.",
        "Effective January 1, 2027, prices rise by a fifth.",
        "These prices hold through March 2027.",
    ],
)
def test_a_sentence_that_may_change_all_prices_is_named(name: str, sentence: str) -> None:
    page = (PAGES / name).read_text()
    end = page.rindex("</") if name.endswith("html") else len(page)
    said = f"<p>{sentence}</p>" if name.endswith("html") else f"\n\n{sentence}\n"
    found = read(name, page[:end] + said + page[end:])
    assert stated(found) == stated(read(name))
    assert [text for text in found.not_understood if sentence in text]
