"""Formulas and verdicts: what turns a claim, and what a missing or strange input costs."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, localcontext
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.claims import FORMULAS, Known, audit
from pipelines.config.claims import ClaimsConfig, ReferencePrice
from pipelines.config.model_facts import ModelFactsConfig
from pipelines.ids import as_uuid, id_bytes
from pipelines.warehouse.tables.core_benchmarks import BENCHMARK_SCORE
from pipelines.warehouse.tables.core_prices import PRICE, RATE_CARD
from tests.unit.routing.traffic import rate_card

NOW = datetime(2026, 11, 1, tzinfo=UTC)
NUMBER = {"number": {"value": 5}}


def row(claim: dict[str, Any], basis: str = "report_date", facts: dict[str, Any] | None = None) -> dict[str, Any]:
    config = ClaimsConfig.model_validate(
        {
            "report_date": "2026-02-28",
            "report_source": "report",
            "claims": [{"claim": "it", "about": "it", "formula": "as_stated"} | claim],
        }
    )
    known = ModelFactsConfig.model_validate(facts or {})
    empty = RATE_CARD.empty(), PRICE.empty(), BENCHMARK_SCORE.empty()
    return audit(Known(config, *empty, known), NOW).filter(pl.col("date_basis") == basis).row(0, named=True)


@given(st.decimals("0.01", "0.99", places=2), st.decimals("0.01", "0.98", places=2), st.decimals("1", "9", places=1))
def test_the_saving_at_its_turning_point_is_the_one_that_was_asked_for(
    share: Decimal, wanted: Decimal, hard: Decimal
) -> None:
    with localcontext() as context:
        context.prec = 50
        ceiling = share / (share + (1 - share) * hard)
        least = wanted * ceiling
        ratio = 1 / (1 - least / ceiling)
        numbers = {
            "cheap_share": share, "hard_times_longer": hard, "input_millions": Decimal(1), "output_millions": Decimal(0),
            "cheap_input_price": Decimal(1), "cheap_output_price": Decimal(0), "dear_input_price": ratio, "dear_output_price": Decimal(0),
        }  # fmt: skip
        assert abs(FORMULAS["hybrid_saving"](numbers) - 100 * least) < Decimal("1e-40")
        assert f"at least {ratio:.2f} times cheaper" in str(FORMULAS["hybrid_saving"].turns_at(numbers, 100 * least))


@pytest.mark.parametrize(
    ("claimed", "verdict"),
    [
        ({"value": 5}, "holds"),
        ({"value": "5.0"}, "holds"),
        ({"value": "5.1"}, "fails"),
        ({"value": "5.4", "is_about": True}, "holds"),
        ({"value": "5.6", "is_about": True}, "fails"),
        ({"low": 5}, "holds"),
        ({"high": "4.99"}, "fails"),
        ({"low": 1, "high": 5}, "holds"),
        ({"text": "MIT"}, "fails"),
    ],
)
def test_a_number_meets_a_claim_up_to_its_last_digit(claimed: dict[str, Any], verdict: str) -> None:
    assert row({"claimed": claimed, "inputs": NUMBER})["verdict"] == verdict


def test_what_no_input_shows_makes_a_claim_conditional() -> None:
    found = row({"claimed": {"value": 5}, "inputs": NUMBER, "assumes": "the sun shines"})
    assert (found["verdict"], found["condition"]) == ("conditional", "the sun shines")


@pytest.mark.parametrize(
    ("claim", "why"),
    [
        ({"formula": "magic", "inputs": NUMBER}, "formula 'magic' is not known; accepted: as_stated, cost"),
        ({"formula": "ratio", "inputs": NUMBER}, "formula ratio has no input 'number'; accepted: first, second"),
        ({"formula": "ratio", "inputs": {"first": {"value": 1}}}, "second: formula ratio needs it"),
        ({"formula": "ratio", "inputs": {"first": {"value": 1}, "second": {"value": 0}}}, "a divisor is zero"),
        ({"inputs": {"number": {"cited": 5}}}, "claims.yaml gives no true value for it"),
        ({"inputs": {"number": {"offers": ["a/b"], "meter": "gold"}}}, "'gold' is not a meter"),
        ({"inputs": {"number": {"fact": "total_params_b", "model": "m"}}}, "total_params_b of m is not known: add it to model_facts.yaml"),
    ],
)  # fmt: skip
def test_a_claim_that_cannot_be_computed_says_what_is_missing(claim: dict[str, Any], why: str) -> None:
    found = row({"claimed": {"value": 5}} | claim)
    assert (found["verdict"], found["value"]) == ("unverified", None)
    assert why in found["unverified_reason"]


def test_a_report_is_no_evidence_for_itself_nor_is_hearsay() -> None:
    claim = {"claimed": {"value": 5}, "inputs": {"number": {"fact": "total_params_b", "model": "m"}}}
    sources = [
        {"source": "report", "title": "r", "as_of": "2026-02-28"},
        {"source": "rumour", "title": "r", "as_of": "2026-02-28", "is_held": False},
        {"source": "card", "title": "the card", "as_of": "2026-01-01"},
    ]
    for source, verdict in (("report", "unverified"), ("rumour", "unverified"), ("card", "holds")):
        said = [{"model": "m", "statements": [{"source": source, "total_params_b": 5}]}]
        assert row(claim, facts={"sources": sources, "models": said})["verdict"] == verdict


def test_a_price_of_unknown_start_says_nothing_of_the_time_before_it_was_seen() -> None:
    price_id = id_bytes("price")
    card = rate_card().filter(pl.col("provider_id") == "deepseek").head(1)
    offer = f"deepseek/{card['model_id'][0]}"
    card = card.with_columns(price_ids=pl.lit(f'{{"input_uncached": "{as_uuid(price_id)}"}}'), fallbacks=pl.lit("{}"))
    seen = datetime(2026, 5, 1, tzinfo=UTC)
    values = {"price_id": price_id, "feed": "map", "date_basis": "unknown", "recorded_at": seen, "valid_from": datetime(1, 1, 1, tzinfo=UTC)}  # fmt: skip
    config = ClaimsConfig.model_validate(
        {
            "report_date": "2026-02-28",
            "claims": [
                {"claim": "it", "about": "it", "claimed": {"low": 0}, "formula": "as_stated", "inputs": {"number": {"offers": [offer]}}}
            ],
        }
    )  # fmt: skip
    prices = pl.DataFrame([values], schema=PRICE.polars_schema)
    known = Known(config, card, prices, BENCHMARK_SCORE.empty(), ModelFactsConfig())
    rows = {one["date_basis"]: one for one in audit(known, NOW).iter_rows(named=True)}
    assert rows["report_date"]["verdict"] == "unverified"
    assert (rows["today"]["verdict"], rows["today"]["value"]) == ("holds", card["input_uncached_usd_per_mtok"][0])
    reference = ReferencePrice.model_validate(
        {"offer": offer, "meter": "input_uncached", "usd_per_million": 7, "from_date": "2026-01-01", "to_date": "2026-03-01", "source": "a page"}
    )  # fmt: skip
    known = Known(config.model_copy(update={"reference_prices": (reference,)}), card, prices, BENCHMARK_SCORE.empty(), ModelFactsConfig())  # fmt: skip
    rows = {one["date_basis"]: one for one in audit(known, NOW).iter_rows(named=True)}
    assert (rows["report_date"]["value"], rows["today"]["value"]) == (
        Decimal(7),
        card["input_uncached_usd_per_mtok"][0],
    )
