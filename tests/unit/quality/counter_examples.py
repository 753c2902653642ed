"""For every rule of every suite, rows that break that rule and no other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from pipelines.quality import SuiteName
from tests.unit.quality.rows import DAY, NOON

LATER = NOON + timedelta(days=1)
OTHER = UUID(int=77)


@dataclass(frozen=True)
class CounterExample:
    """Rows as changes to the good row of the suite's table. `wrong` is how many of them the rule must name."""

    suite: SuiteName
    rule: str
    rows: tuple[dict[str, Any], ...]
    wrong: int | None = 1


def _one(suite: SuiteName, rule: str, **changes: Any) -> CounterExample:
    return CounterExample(suite, rule, (changes,))


SUPERSEDED = {"superseded_at": LATER, "supersede_reason": "revised"}
_PRICED_NOT = {"list_cost_usd": None, "contracted_cost_usd": None, "effective_cost_usd": None, "rate_id": None}

COUNTER_EXAMPLES: tuple[CounterExample, ...] = (
    CounterExample("core_request", "has_rows", (), wrong=None),
    CounterExample(
        "core_request", "key_is_unique", ({}, {"event_date": DAY + timedelta(days=1), "event_at": LATER}), wrong=2
    ),
    _one("core_request", "counts_not_negative", latency_ms=-0.5),
    _one("core_request", "money_not_negative", effective_cost_usd=Decimal("-0.000000000000000001")),
    _one(
        "core_request",
        "event_not_in_future",
        event_date=date(2999, 1, 1),
        event_at=datetime(2999, 1, 1, tzinfo=UTC),
    ),
    _one("core_request", "cost_has_a_rate", rate_id=None),
    _one("core_request", "free_call_costs_nothing", is_billable=False),
    _one("core_request", "unresolved_has_no_cost", model_id=None),
    _one("core_request", "file_is_indexed", snapshot_id=OTHER),
    _one("core_request", "rate_is_on_the_card", rate_id=OTHER),
    CounterExample(
        "core_request",
        "ok_call_used_tokens",
        (
            {"input_uncached_tokens": 0, "output_text_tokens": 0},
            {"input_uncached_tokens": 0, "output_text_tokens": 0, "document_page_count": 1, "request_uid": OTHER},
        ),
    ),
    _one("core_request", "details_hold", tags=Jsonb({"dropped_details": "reasoning"})),
    CounterExample("core_price", "has_rows", (), wrong=None),
    _one("core_price", "money_not_negative", pricing_currency="CNY", usd_per_million=Decimal(-1)),
    _one("core_price", "price_not_negative", pricing_currency="CNY", unit_price=Decimal(-1), usd_per_million=None),
    _one("core_price", "quantity_is_usual", pricing_quantity=100, unit_price=Decimal("0.00025")),
    _one("core_price", "usd_follows_from_price", usd_per_million=Decimal("2.500000000001")),
    _one("core_price", "usd_follows_from_price", usd_per_million=None),
    _one("core_price", "superseded_for_a_reason", superseded_at=LATER),
    _one("core_price", "model_is_known", model_id="model-z"),
    _one("core_price", "file_is_indexed", snapshot_id=OTHER),
    _one("core_price", "plausible_token_price", unit_price=Decimal("0.0025"), usd_per_million=Decimal(2500)),
    CounterExample("core_rate_card", "has_rows", (), wrong=None),
    _one("core_rate_card", "money_not_negative", input_audio_usd_per_mtok=Decimal(-1)),
    _one("core_rate_card", "has_a_rate", output_text_usd_per_mtok=None),
    CounterExample(
        "core_rate_card",
        "one_rate_at_a_time",
        ({"context_to_tokens": 200_001}, {"rate_id": OTHER, "context_from_tokens": 200_000}),
    ),
    _one("core_rate_card", "prices_are_in_the_ledger", price_ids=Jsonb({"output_text": str(OTHER)})),
    _one("core_rate_card", "rates_name_their_prices", price_ids=Jsonb({})),
    CounterExample("core_benchmark_score", "has_rows", (), wrong=None),
    _one("core_benchmark_score", "counts_not_negative", votes=-1),
    _one("core_benchmark_score", "money_not_negative", run_cost_usd=Decimal("-0.01")),
    _one("core_benchmark_score", "score_is_a_number", score=float("nan")),
    _one("core_benchmark_score", "score_within_bounds", score=100.5, ci_high=101.0),
    _one("core_benchmark_score", "score_within_bounds", score=-0.5, ci_low=-1.0),
    _one("core_benchmark_score", "score_within_interval", ci_high=49.0),
    _one("core_benchmark_score", "score_within_interval", ci_low=51.0),
    _one("core_benchmark_score", "interval_is_whole", ci_high=None),
    _one("core_benchmark_score", "interval_is_whole", ci_low=None, ci_high=None),
    _one("core_benchmark_score", "interval_is_whole", ci_level=95.0),
    _one("core_benchmark_score", "stderr_not_negative", stderr=-0.1),
    _one("core_benchmark_score", "solved_within_items", n_success=101),
    _one("core_benchmark_score", "superseded_for_a_reason", supersede_reason="revised"),
    _one("core_benchmark_score", "file_is_indexed", snapshot_id=OTHER),
    _one("core_benchmark_score", "as_of_not_in_future", as_of=DAY + timedelta(days=2)),
    _one("core_reported_cost", "counts_not_negative", input_uncached_tokens=-1),
    _one("core_reported_cost", "bucket_within_a_month", bucket_to=NOON + timedelta(days=32)),
    CounterExample("core_reported_cost", "one_amount_at_a_time", ({}, {"observed_at": LATER}), wrong=2),
    _one("core_reported_cost", "amount_keeps_its_digits", amount_text=None),
    _one("core_reported_cost", "amount_keeps_its_digits", amount_usd=Decimal(2)),
    CounterExample(
        "core_reported_cost", "one_width_of_bucket", ({"bucket_to": NOON + timedelta(hours=2)}, {"cost_uid": OTHER})
    ),
    CounterExample("core_reported_cost", "one_source_of_a_bill", ({}, {"cost_uid": OTHER, "source": "again"}), wrong=2),
    _one("core_reported_cost", "file_is_indexed", snapshot_id=OTHER),
)
