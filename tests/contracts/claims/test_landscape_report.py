"""The audit of the landscape report against answers that were worked out by hand, and against real price maps."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.claims import Known, audit, offers_of
from pipelines.config.claims import ClaimsConfig
from pipelines.config.loader import load_file
from pipelines.config.model_facts import ModelFactsConfig
from pipelines.config.models import ModelsConfig
from pipelines.config.sources import PriceFeed
from pipelines.models import build_registry
from pipelines.prices import build_ledger, build_rate_card, feed_names, parse_feed
from pipelines.warehouse.tables.core_benchmarks import BENCHMARK_SCORE
from pipelines.warehouse.tables.core_prices import PRICE, RATE_CARD
from tests.unit.prices.landed import landed_file

CLAIMS = load_file(ClaimsConfig, "claims.yaml", None)
FACTS = load_file(ModelFactsConfig, "model_facts.yaml", None)
NOW = datetime(2026, 11, 29, tzinfo=UTC)
MAP = PriceFeed(feed="litellm_map", format="litellm_map")

Found = dict[tuple[str, str], dict[str, Any]]


def audited(card: pl.DataFrame, prices: pl.DataFrame) -> Found:
    rows = audit(Known(CLAIMS, card, prices, BENCHMARK_SCORE.empty(), FACTS), NOW)
    return {(row["claim"], row["date_basis"]): row for row in rows.iter_rows(named=True)}


@pytest.fixture(scope="module")
def without_ledger() -> Found:
    return audited(RATE_CARD.empty(), PRICE.empty())


@pytest.fixture(scope="module")
def with_maps(shared_data: Path) -> Found:
    folder = shared_data / "prices" / "litellm_map"
    names = ("litellm_2026-02-26_1.81.16.json.gz", "litellm_2026-05-31_1.84.4.json.gz")
    snapshots = [parse_feed(landed_file(folder / name, "litellm_map"), MAP) for name in names]
    models = load_file(ModelsConfig, "models.yaml", None)
    ledger = build_ledger(MAP, snapshots, build_registry(models, feed_names(snapshots)))
    sold = pl.concat_str("provider_id", pl.lit("/"), "model_id").is_in(offers_of(CLAIMS))
    ledger = ledger.filter(sold)
    return audited(build_rate_card(ledger, [MAP]), ledger)


# Worked by hand: 1 million tokens in and 1 million out, USD. Report's date: DeepSeek .28 + .42 = .70, GPT-4o 12.50,
# Claude 18.00, GPT-5.2 15.75. Saving: 92 % x (1 - .70 / dear).
BY_HAND = [
    ("times_cheaper_than_gpt_4o", "cited", "59.5238", "holds"),
    ("times_cheaper_than_claude_3_5", "cited", "85.7143", "holds"),
    ("times_cheaper_than_gemini_2_0_flash", "cited", "29.7619", "fails"),
    ("times_cheaper_than_gpt_4o", "report_date", "17.8571", "fails"),
    ("times_cheaper_than_claude_3_5", "report_date", "25.7143", "fails"),
    ("times_cheaper_than_gpt_5_2", "report_date", "22.5", "fails"),
    ("saving_90_8_2_gpt_4o", "cited", "90.4544", "holds"),
    ("saving_90_8_2_gpt_4o", "report_date", "86.848", "holds"),
    ("saving_90_8_2_claude_3_5", "report_date", "88.4222", "holds"),
    ("saving_90_8_2_gpt_5_2", "report_date", "87.9111", "holds"),
    ("saving_90_8_2_gpt_5_2", "cited", None, "unverified"),
    ("saving_hard_requests_3x_gpt_4o", "cited", "77.9779", "fails"),
    ("cost_per_month_gpt_4o", "cited", "187.5", "conditional"),
    ("cost_per_month_claude_3_5", "cited", "270", "conditional"),
    ("cost_per_month_deepseek_v3", "cited", "3.15", "conditional"),
    ("quality_90_8_2_own_scale", "cited", "95.1579", "conditional"),
    ("quality_90_8_2_swe_bench", "cited", "86.4145", "fails"),
    ("quality_90_8_2_mmlu_pro", "cited", "82.8909", "fails"),
    ("quality_90_8_2_aime", "cited", "89.5346", "fails"),
    ("price_deepseek_v3_output", "cited", "1.1", "fails"),
    ("price_gemini_2_0_flash_input", "report_date", "0.1", "fails"),
    ("gap_swe_bench", "cited", "11.4", "fails"),
    ("fewer_total_parameters", "cited", "64.9776", "fails"),
    ("memory_grok_1_4_bit", "cited", "180.55", "holds"),
]
FACTS_BY_HAND = [
    ("exists_qwen3_72b", "no", "fails"),
    ("parameters_llama_4_scout", "109", "fails"),
    ("parameters_mistral_large_3", "675", "fails"),
    ("active_parameters_mixtral_8x22b", "39.2", "fails"),
    ("active_parameters_command_r_plus", "104", "fails"),
    ("active_parameters_grok_1", "84", "fails"),
    ("context_gemma_3_27b", "131072", "fails"),
    ("context_qwen3_32b", "40960", "conditional"),
    ("licence_command_r_plus", "CC-BY-NC-4.0", "fails"),
    ("fits_mistral_large_3_on_2_a100", "-228.125", "fails"),
    ("context_10m_over_128k", "78.125", "holds"),
]


@pytest.mark.parametrize(("claim", "basis", "value", "verdict"), BY_HAND)
def test_known_answers(without_ledger: Found, claim: str, basis: str, value: str | None, verdict: str) -> None:
    row = without_ledger[claim, basis]
    assert (row["value_text"], row["verdict"]) == (value, verdict)


@pytest.mark.parametrize(("claim", "value", "verdict"), FACTS_BY_HAND)
def test_known_facts(without_ledger: Found, claim: str, value: str, verdict: str) -> None:
    row = without_ledger[claim, "report_date"]
    assert (row["value_text"], row["verdict"]) == (value, verdict)


def test_the_condition_is_the_threshold_of_the_saving(without_ledger: Found) -> None:
    condition = without_ledger["saving_90_8_2_claude_3_5", "report_date"]["condition"]
    assert "at least 13.14 times cheaper (it is 25.71 times)" in condition
    assert "hard requests are at most 1.50 times as long" in condition


@pytest.mark.slow
def test_the_real_ledger_of_the_reports_date_gives_the_same(with_maps: Found) -> None:
    expected = {"gpt_4o": ("17.8571", "86.848"), "claude_3_5": ("25.7143", "88.4222"), "gpt_5_2": ("22.5", "87.9111")}
    for dear, values in expected.items():
        names = f"times_cheaper_than_{dear}", f"saving_90_8_2_{dear}"
        assert tuple(with_maps[name, "report_date"]["value_text"] for name in names) == values
        assert "feed litellm_map" in with_maps[names[0], "report_date"]["inputs"]
    # The newest map has no Claude 3.5 any more: its successor stands in, and is named.
    today = with_maps["times_cheaper_than_claude_3_5", "today"]
    assert "anthropic/claude-sonnet-4-5 output_text" in today["inputs"]
    assert today["value"] == Decimal("25.714285714285714286")


def test_without_a_ledger_nothing_is_known_of_today_and_the_line_that_mends_it_is_named(without_ledger: Found) -> None:
    row = without_ledger["saving_90_8_2_gpt_4o", "today"]
    assert (row["verdict"], row["value"]) == ("unverified", None)
    assert "no price of input_uncached of deepseek/deepseek-chat" in row["unverified_reason"]
    assert "reference_prices in claims.yaml" in row["unverified_reason"]
    score = without_ledger["quality_90_8_2_swe_bench", "today"]
    assert "land an export of a board" in score["unverified_reason"]
