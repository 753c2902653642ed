"""Every worked example of sql/queries, run as the reader on a small warehouse whose answers are worked out by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from pipelines.landing.names import folder_date
from pipelines.settings import Settings
from pipelines.warehouse.database import Database
from pipelines.warehouse.open import open_database
from pipelines.warehouse.tables import TABLES_BY_NAME
from tests.contracts.dbt.conftest import run_dbt
from tests.marts import build_unit_costs
from tests.unit.quality.rows import good_row, insert
from tests.warehouse_fixtures import fresh_database

QUERIES = sorted((Path(__file__).resolve().parents[3] / "sql" / "queries").glob("*.sql"))

JANUARY, BEFORE, NEWEST = date(2026, 1, 31), date(2026, 2, 1), date(2026, 2, 2)
SONNET, QWEN = "claude-sonnet-4-5", "qwen3-32b"
A, B, PRICES = UUID(int=1), UUID(int=2), UUID(int=3)
RATE_SONNET, RATE_QWEN = UUID(int=10), UUID(int=11)
P_INPUT_OLD, P_INPUT, P_READ, P_WRITE, P_OUTPUT, P_QWEN = (UUID(int=n) for n in range(20, 26))
FETCHED = datetime(2026, 1, 1, tzinfo=UTC)
CORRECTED = datetime(2026, 1, 15, tzinfo=UTC)


def usd(text: str) -> Decimal:
    return Decimal(text)


def at(day: date, hour: int = 12) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def request(
    number: int, day: date, model: str | None, team: str | None, cost: str | None, **more: Any
) -> dict[str, Any]:
    costs = dict.fromkeys(("list_cost_usd", "contracted_cost_usd", "effective_cost_usd"), cost and usd(cost))
    priced = {"rate_id": RATE_SONNET if model == SONNET else RATE_QWEN} if cost else {"rate_id": None}
    return {
        "request_uid": UUID(int=100 + number), "event_date": day, "event_at": at(day), "snapshot_id": A, "line_no": number,
        "provider_id": "anthropic" if model == SONNET else "deepinfra" if model else None, "model_id": model, "team": team,
        **costs, **priced, **more,
    }  # fmt: skip


def price(price_id: UUID, meter: str, usd_per_million: str, **more: Any) -> dict[str, Any]:
    return {
        "price_id": price_id, "sku_id": UUID(int=price_id.int + 100), "feed": "litellm", "provider_id": "anthropic",
        "model_id": SONNET, "meter": meter, "unit_price": usd(usd_per_million), "pricing_quantity": 1_000_000,
        "usd_per_million": usd(usd_per_million), "extracted_text": usd_per_million, "valid_from": FETCHED,
        "recorded_at": FETCHED, "snapshot_id": PRICES, "source_locator": f"/{meter}", **more,
    }  # fmt: skip


def bill(number: int, day: date, model: str | None, amount: str, **more: Any) -> dict[str, Any]:
    return {
        "cost_uid": UUID(int=200 + number), "event_date": day, "bucket_from": at(day, 0), "bucket_to": at(day, 23),
        "provider_id": "anthropic", "model_id": model, "raw_model": model, "snapshot_id": A, "observed_at": at(BEFORE),
        "amount": usd(amount), "amount_text": amount, "currency": "USD", "amount_usd": usd(amount), **more,
    }  # fmt: skip


PLAIN = {
    "unit": "token", "service_tier": "standard", "context_bound": "gte", "context_scope": "whole_request",
    "context_counts": "input",
}  # fmt: skip
ROWS: dict[str, list[dict[str, Any]]] = {
    "raw.snapshot": [
        {"snapshot_id": A, "source": "gateway", "landing_path": "a.jsonl", "valid": 5, "lines": 6, "observed_at": at(NEWEST)},
        {"snapshot_id": B, "source": "gateway", "landing_path": "b.jsonl", "valid": 4, "lines": 6, "quarantined": 2,
         "observed_at": at(NEWEST, 18)},
        {"snapshot_id": PRICES, "source": "litellm", "landing_path": "prices.json", "kind": "prices"},
    ],
    "raw.quarantine": [
        {"snapshot_id": A, "line_no": 6, "reason": "not_json", "severity": "error", "detail": "old"},
        {"snapshot_id": B, "line_no": 5, "reason": "not_json", "severity": "error", "detail": "newer"},
        {"snapshot_id": B, "line_no": 6, "reason": "no_usage", "severity": "info", "detail": "a chat line"},
    ],
    "raw.duplicate": [
        {"event_date": BEFORE, "snapshot_id": B, "line_no": 1, "request_uid": UUID(int=102), "kept_snapshot_id": A,
         "kept_line_no": 2, "rule": "same_record"},
    ],
    "core.model": [
        {"model_id": SONNET, "openness": "closed"}, {"model_id": QWEN, "openness": "open_weight"},
    ],
    "core.price": [
        price(P_INPUT_OLD, "input_uncached", "4", sku_id=UUID(int=999), superseded_at=CORRECTED, supersede_reason="corrected"),
        price(P_INPUT, "input_uncached", "3", sku_id=UUID(int=999), recorded_at=CORRECTED),
        price(P_READ, "input_cache_read", "0.3"),
        price(P_OUTPUT, "output_text", "15"),
        price(P_WRITE, "input_cache_write", "3.75", service_tier="batch"),
        price(P_QWEN, "input_uncached", "0.1", model_id=QWEN, provider_id="deepinfra"),
    ],
    "core.rate_card": [
        {"rate_id": RATE_SONNET, "provider_id": "anthropic", "model_id": SONNET, "valid_from": FETCHED,
         "input_uncached_usd_per_mtok": usd("3"), "input_cache_read_usd_per_mtok": usd("0.3"),
         "input_cache_write_5m_usd_per_mtok": usd("3.75"), "output_text_usd_per_mtok": usd("15"),
         "price_ids": Jsonb({"input_uncached": str(P_INPUT), "input_cache_read": str(P_READ),
                             "input_cache_write": str(P_WRITE), "output_text": str(P_OUTPUT)}),
         "fallbacks": Jsonb({"input_cache_write_5m": "input_cache_write"})},
        {"rate_id": RATE_QWEN, "provider_id": "deepinfra", "model_id": QWEN, "valid_from": FETCHED,
         "input_uncached_usd_per_mtok": usd("0.1"), "output_text_usd_per_mtok": usd("0.4"),
         "output_reasoning_usd_per_mtok": usd("0.4"),
         "price_ids": Jsonb({"input_uncached": str(P_QWEN)})},
    ],
    "core.request": [
        # 1000 x 3 + 100 x 15 = 4500 millionths of a dollar
        request(1, JANUARY, SONNET, "search", "0.0045", input_uncached_tokens=1000, output_text_tokens=100, latency_ms=100),
        # 2000 x 3 + 200 x 15
        request(2, BEFORE, SONNET, "search", "0.009", input_uncached_tokens=2000, output_text_tokens=200, latency_ms=200,
                session_id="s1"),
        # 1000 x 3 + 4000 x 0.3 + 1000 x 3.75 + 100 x 15
        request(3, NEWEST, SONNET, "search", "0.00945", input_uncached_tokens=1000, input_cache_read_tokens=4000,
                input_cache_write_5m_tokens=1000, output_text_tokens=100, end_user_id="kim", latency_ms=400, session_id="s1",
                tags=Jsonb({"request_tags": '["b", "a", "b"]'})),
        # 10000 x 0.1 + 600 x 0.4 + 400 x 0.4
        request(4, NEWEST, QWEN, "ops", "0.0014", input_uncached_tokens=10000, output_text_tokens=600, output_reasoning_tokens=400,
                tags=Jsonb({"tags": '["a", "c", "d"]'})),
        request(5, NEWEST, None, None, None, unpriced_reason="model_unresolved", request_model="gpt-x", status="error", http_status=429,
                input_uncached_tokens=10, output_text_tokens=5, tags=Jsonb({"tags": "[no list"})),
    ],
    "core.reported_cost": [
        bill(1, NEWEST, SONNET, "0.01"), bill(2, NEWEST, None, "0.02", line_item="Web Search Usage"),
        bill(3, NEWEST, SONNET, "0.5", superseded_at=at(NEWEST), supersede_reason="revised"),
        bill(4, BEFORE, QWEN, "0.25"),
    ],
    "mart.benchmark_drift": [
        {"event_id": UUID(int=51), "event_date": BEFORE, "board": "lmarena", "benchmark_version_id": "lmarena_text@1#0",
         "drift_class": "drift", "severity": "error", "model_id": SONNET, "score_before": 1400.0, "score_after": 1380.0,
         "delta": -20.0, "z": -4.5, "q_value": 0.001, "explanation": "fell"},
        {"event_id": UUID(int=52), "event_date": BEFORE, "board": "lmarena", "benchmark_version_id": "lmarena_text@1#0",
         "drift_class": "new", "severity": "info", "model_id": QWEN, "explanation": "appeared"},
    ],
    "mart.price_change": [
        {**PLAIN, "date_basis": "documented", "change_id": UUID(int=61), "provider_id": "anthropic", "model_id": SONNET, "meter": "input_uncached", "feed": "litellm",
         "pricing_currency": "USD", "price_before": usd("4"), "price_after": usd("3"), "change_share": -0.25, "is_used": True,
         "valid_from": at(NEWEST), "learnt_at": at(BEFORE), "spend_30d_usd": usd("0.012"), "summary": "4 to 3"},
        {**PLAIN, "date_basis": "documented", "change_id": UUID(int=62), "provider_id": "openai", "model_id": "gpt-x", "meter": "output_text", "is_used": True,
         "pricing_currency": "CNY", "price_before": usd("0"), "price_after": usd("8"), "change_share": None,
         "valid_from": at(BEFORE), "learnt_at": at(BEFORE), "spend_30d_usd": usd("0"), "summary": "0 to 8"},
        {**PLAIN, "date_basis": "documented", "change_id": UUID(int=63), "is_used": True, "valid_from": datetime(2025, 11, 4, 12, tzinfo=UTC)},  # 90 days before
        {**PLAIN, "date_basis": "documented", "change_id": UUID(int=64), "is_used": False, "valid_from": at(NEWEST)},
    ],
    "mart.reconciliation": [
        {"event_date": BEFORE, "period_days": 1, "provider_id": "anthropic", "model_id": "", "meter": "", "is_settled": True,
         "difference_usd": usd("0.5"), "price_usd": usd("0.3"), "unexplained_usd": usd("0.2")},
        {"event_date": NEWEST, "period_days": 1, "provider_id": "anthropic", "model_id": "", "meter": "", "is_settled": True,
         "difference_usd": usd("-0.1"), "price_usd": usd("-0.1")},
        {"event_date": NEWEST, "period_days": 1, "provider_id": "openai", "model_id": "", "meter": "", "is_settled": False,
         "difference_usd": usd("9"), "timing_usd": usd("9")},
        {"event_date": NEWEST, "period_days": 1, "provider_id": "anthropic", "model_id": SONNET, "meter": "", "is_settled": True,
         "difference_usd": usd("-0.1"), "price_usd": usd("-0.1")},
    ],
    "mart.waste": [
        {"event_date": NEWEST, "request_uid": UUID(int=103), "finding": "cache_unread", "team": "search", "provider_id": "anthropic",
         "model_id": SONNET, "cost_usd": usd("0.00945"), "saving_usd": usd("0.00075")},
        {"event_date": BEFORE, "request_uid": UUID(int=102), "finding": "failed", "team": "search", "provider_id": "anthropic",
         "model_id": SONNET, "cost_usd": usd("0.009"), "saving_usd": usd("0.009")},
    ],
    "mart.chargeback": [
        {"event_date": NEWEST, "cost_centre": "4711", "project": "shop", "allocated_method_id": "", "allocated_resource": "",
         "effective_cost_usd": usd("1"), "unpriced_requests": 2},
        {"event_date": NEWEST, "cost_centre": "4711", "project": "shop", "allocated_method_id": "platform", "allocated_resource": "ops",
         "effective_cost_usd": usd("0.25"), "unpriced_requests": 0},
        {"event_date": JANUARY, "cost_centre": "4711", "project": "shop", "allocated_method_id": "", "allocated_resource": "",
         "effective_cost_usd": usd("100"), "unpriced_requests": 0},
    ],
    "mart.commitment_day": [
        {"event_date": day, "commitment_id": name, "kind": "credit", "provider_id": "anthropic", "balance_usd": usd(balance),
         "expires_on": date(2026, 3, 1), "expiring_usd": usd(expiring)}
        for name, day, balance, expiring in (
            ("grant", BEFORE, "60", "20"), ("grant", NEWEST, "50", "10"), ("spent", NEWEST, "1", "0"))
    ],
    "mart.price_conflict": [
        {**PLAIN, "provider_id": "anthropic", "model_id": SONNET, "meter": "output_text", "usd_used": usd("15"), "feed_used": "genai",
         "prices": Jsonb({"genai": 15, "litellm": 16.5}), "quantity_30d": 400, "at_stake_30d_usd": usd("0.0006"),
         "decided_by": "genai has precedence 20, before litellm (30)"},
        {**PLAIN, "provider_id": "openai", "model_id": "gpt-x", "meter": "output_text", "quantity_30d": 0},
    ],
}  # fmt: skip

DRIFT = ("error", "drift", "lmarena", "lmarena_text@1#0", SONNET, 1400.0, 1380.0, -20.0, -4.5, 0.001, "fell")

EXPECTED: dict[str, list[tuple[Any, ...]]] = {
    "spend_by_model_this_month": [
        ("anthropic", SONNET, "closed", 2, 0, usd("0.01845"), usd("0.9295")),  # 0.01845 of 0.01985
        ("deepinfra", QWEN, "open_weight", 1, 0, usd("0.0014"), usd("0.0705")),
        ("unknown", "unresolved: gpt-x", "unknown", 1, 1, None, None),
    ],
    "top_teams": [
        ("search", 3, 9000, 400, usd("0.02295"), usd("7.65")),  # 22.95 / 3
        ("ops", 1, 10000, 1000, usd("0.0014"), usd("1.4")),
        ("unattributed", 1, 10, 5, None, None),
    ],
    # A half of 0.00945, and a third of 0.0014, of which two are one unit of the last decimal more.
    "spend_by_tag": [
        ("untagged", 2, 1, usd("0.009")),
        ("a", 2, 0, usd("0.004725") + usd("0.000466666666666667")),
        ("b", 1, 0, usd("0.004725")),
        ("c", 1, 0, usd("0.000466666666666667")),
        ("d", 1, 0, usd("0.000466666666666666")),
    ],
    "spend_by_end_user": [("unattributed", 3, 1, usd("0.0104")), ("kim", 1, 0, usd("0.00945"))],
    "unpriced_traffic_by_model": [(NEWEST, "model_unresolved", None, "gpt-x", 1, 15, usd("0.3333"))],
    "price_history": [
        ("anthropic", "litellm", meter, 0, None, "", usd(rate), FETCHED, None, "documented", recorded, until, reason, "prices.json",
         f"/{meter}")
        for meter, rate, recorded, until, reason in (
            ("input_cache_read", "0.3", FETCHED, None, None),
            ("input_uncached", "4", FETCHED, CORRECTED, "corrected"),
            ("input_uncached", "3", CORRECTED, None, None),
            ("output_text", "15", FETCHED, None, None),
        )
    ],
    "requests_explained": [
        (UUID(int=103), at(NEWEST), SONNET, usd("0.00945"), meter, tokens, usd(rate), usd(cost), fallback, "litellm", rate,
         "prices.json", f"/{fallback or meter}")
        for meter, tokens, rate, cost, fallback in (
            ("input_cache_write_5m", 1000, "3.75", "0.00375", "input_cache_write"),
            ("input_uncached", 1000, "3", "0.003", None),
            ("output_text", 100, "15", "0.0015", None),
            ("input_cache_read", 4000, "0.3", "0.0012", None),
        )
    ] + [
        (UUID(int=104), at(NEWEST), QWEN, usd("0.0014"), "input_uncached", 10000, usd("0.1"), usd("0.001"), None, "litellm",
         "0.1", "prices.json", "/input_uncached"),
    ] + [
        (UUID(int=104), at(NEWEST), QWEN, usd("0.0014"), meter, tokens, usd("0.4"), usd(cost), None, None, None, None, None)
        for meter, tokens, cost in (("output_text", 600, "0.00024"), ("output_reasoning", 400, "0.00016"))
    ],
    # reads: 4000 x (3 - 0.3); writes: 1000 x (3.75 - 3); hit: 4000 of 6000
    "cache_savings": [(NEWEST, SONNET, 4000, 1000, usd("0.6667"), usd("0.0108"), usd("0.00075"), usd("0.01005"))],
    "day_over_day_change": [
        ("deepinfra", QWEN, 0, usd("0.0014"), usd("0.0014"), 0, 1, usd("0.0014"), 0),
        ("anthropic", SONNET, usd("0.009"), usd("0.00945"), usd("0.00045"), 1, 1, 0, usd("0.00045")),
        ("unknown", "unresolved: gpt-x", 0, 0, 0, 0, 1, 0, 0),
    ],
    "duplicates_by_file": [("gateway", "b.jsonl", "same_record", "a.jsonl", 1, usd("0.25"))],
    "quarantine_reasons": [
        ("gateway", "not_json", "error", 2, 2, at(NEWEST), at(NEWEST, 18), "b.jsonl", 5, "newer"),
        ("gateway", "no_usage", "info", 1, 1, at(NEWEST, 18), at(NEWEST, 18), "b.jsonl", 6, "a chat line"),
    ],
    "price_changes": [
        (at(NEWEST), at(BEFORE), "anthropic", SONNET, "input_uncached", "USD", usd("4"), usd("3"), usd("-25.0"), usd("0.012"), "4 to 3"),
        (at(BEFORE), at(BEFORE), "openai", "gpt-x", "output_text", "CNY", usd("0"), usd("8"), None, usd("0"), "0 to 8"),
    ],
    "price_conflicts": [
        ("anthropic", SONNET, "output_text", feed, usd(rate), used, usd("0.0006"), "genai has precedence 20, before litellm (30)")
        for feed, rate, used in (("genai", "15", True), ("litellm", "16.5", False))
    ],
    # Sonnet: 0.00945 computed, 0.01 billed; of the day before the bill names a model that our log has not.
    "billed_against_computed": [
        (NEWEST, "anthropic", None, 0, None, None, usd("0.02"), usd("0.02"), None),
        (NEWEST, "anthropic", SONNET, 1, usd("0.00945"), None, usd("0.01"), usd("0.00055"), usd("0.0582")),
        (BEFORE, "anthropic", QWEN, 0, None, None, usd("0.25"), usd("0.25"), None),
        (BEFORE, "anthropic", SONNET, 1, usd("0.009"), None, None, usd("-0.009"), None),
    ],
    "drift_events": [(BEFORE, *DRIFT, usd("0.02295"))],
    # All three days are of the newest seven.
    "top_movers": [
        ("search", SONNET, 0, usd("0.02295"), usd("0.02295"), None), ("ops", QWEN, 0, usd("0.0014"), usd("0.0014"), None),
    ],
    "cost_per_successful_request": [
        (SONNET, 1, 1, usd("0.00945"), 0, usd("0.00945"), "few_sessions"),
        (QWEN, 1, 1, usd("0.0014"), 0, usd("0.0014"), "few_sessions"),
        ("unresolved: gpt-x", 1, 0, None, None, None, "nothing_priced"),
    ],
    # 10.85 / 2 and 9 / 1 and 4.5 / 1; 5.425 is 39.7 % less than 9. The sessions cost 0.00945 and 0.009.
    "unit_cost_trend": [
        (NEWEST, 3, usd("5.425"), usd("0.00945"), usd("0.00945"), usd("-39.7")),
        (BEFORE, 1, usd("9"), usd("0.009"), None, usd("100.0")), (JANUARY, 1, usd("4.5"), None, None, None),
    ],
    # Only the newest day is after the change: 1000 tokens x (3 - 4).
    "effect_of_price_change": [
        ("anthropic", SONNET, "input_uncached", at(NEWEST), usd("4"), usd("3"), 1000, usd("-0.001")),
    ],
    # 6000 x 0.1 + 100 x 0.4 = 640 millionths; on itself it costs what it did.
    "replace_model": [
        ("anthropic", SONNET, 1, usd("0.00945"), usd("0.00064"), usd("0.00881")),
        ("deepinfra", QWEN, 1, usd("0.0014"), usd("0.0014"), 0),
    ],
    "dearest_sessions": [("", "s1", "search", 2, 1, at(BEFORE), at(NEWEST), usd("0.01845"))],
    "late_data": [("", 2, 1, usd("0.0045"), "a.jsonl")],  # arrived on the newest day
    # At midnight of the newest day none of the files had landed.
    "spend_as_known_then": [
        (day, seller, model, 0, 1, None, usd(cost), usd(cost))
        for day, seller, model, cost in (
            (NEWEST, "anthropic", SONNET, "0.00945"), (BEFORE, "anthropic", SONNET, "0.009"),
            (JANUARY, "anthropic", SONNET, "0.0045"), (NEWEST, "deepinfra", QWEN, "0.0014"),
        )
    ],
    "failed_calls": [(None, None, "error", 429, None, 1, None)],
    "hourly_load": [(12, 5, 19010, 1405, usd("0.02435"), 1)],
    # Halfway between 100, 200 and 400; the 95th part lies nine tenths of the way from 200 to 400.
    "latency_and_cost": [
        ("anthropic", SONNET, 3, 200.0, 380.0, usd("7.65")), ("deepinfra", QWEN, 1, None, None, usd("1.4")),
    ],
    "reasoning_share": [("deepinfra", QWEN, 400, usd("0.4"), usd("0.00016"))],
    # The price: 0.3 and twice -0.1, for rows add up; the other seller's bill is not settled.
    "open_differences": [("anthropic", "unexplained", usd("0.2"), 1), ("anthropic", "price", usd("0.1"), 2)],
    "waste_by_owner": [
        ("search", "failed", 1, usd("0.009"), usd("0.009")), ("search", "cache_unread", 1, usd("0.00945"), usd("0.00075")),
    ],
    "cost_centre_statement": [("4711", "shop", usd("1"), usd("0.25"), usd("1.25"), 2)],
    "credits_about_to_expire": [("grant", "anthropic", usd("50"), None, date(2026, 3, 1), usd("10"), 27)],
}  # fmt: skip


@pytest.fixture(scope="module")
def warehouse(postgres_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The rows above, with their marts built by dbt; the tests of this module only read."""
    with open_database(Settings(home=postgres_home), migrate=False) as shared:
        database = fresh_database(shared)
        with database.connect() as connection:
            connection.execute("create table core.request_rest partition of core.request default")
            for name, rows in ROWS.items():
                table = TABLES_BY_NAME[name]
                insert(connection, table, [good_row(table, **row) for row in rows])
        assert run_dbt(database, tmp_path_factory.mktemp("dbt"), "run", {}).success
        with database.connect() as connection:
            build_unit_costs(connection)
        yield database


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
@pytest.mark.slow
def test_answer(warehouse: Database, path: Path) -> None:
    with warehouse.connect(read_only=True) as connection:
        assert connection.execute(path.read_text(encoding="utf-8")).fetchall() == EXPECTED[path.stem]


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_header_names_question_grain_and_columns(warehouse: Database, path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    header = text[: text.index("with\n")]
    assert re.fullmatch(r"-- Question: [^?]+\?[^?]*\n-- Grain:    .+\n-- Columns:  [^?]+\n", header)
    named = " ".join(line.removeprefix("--").strip() for line in header[header.index("-- Columns:") :].splitlines())
    columns = re.sub(r"\(.*\)", "", named.removeprefix("Columns:")).split(",")
    with warehouse.connect(read_only=True) as connection:
        description = connection.execute(text).description or []
    assert [column.strip() for column in columns] == [column.name for column in description]


def test_every_query_has_an_answer() -> None:
    assert {path.stem for path in QUERIES} == EXPECTED.keys()


def test_a_rate_is_one_row_where_the_card_has_many(warehouse: Database) -> None:
    """A plain join gave four rows, and four times the cost."""
    tiers: list[dict[str, Any]] = [{"service_tier": "batch"}, {"region": "us"}, {"context_from_tokens": 200_000}]
    card = TABLES_BY_NAME["core.rate_card"]
    common = {
        "provider_id": "anthropic",
        "model_id": SONNET,
        "valid_from": FETCHED,
        "input_uncached_usd_per_mtok": usd("9"),
    }
    asked = f"from core.rate_at('anthropic', '{SONNET}', timestamptz '2026-02-02'"
    with warehouse.connect() as connection, connection.transaction(force_rollback=True):
        rows = [good_row(card, **common, **more, rate_id=UUID(int=900 + n)) for n, more in enumerate(tiers)]
        insert(connection, card, rows)
        joined = connection.execute("select count(*) from core.rate_card where model_id = %s", [SONNET]).fetchone()
        assert joined == (4,)
        for more, rate in (
            ("", "3"),
            (", tier => 'batch'", "9"),
            (", in_region => 'us'", "9"),
            (", tier => 'flex'", None),
        ):
            found = connection.execute(f"select input_uncached_usd_per_mtok {asked}{more})").fetchall()
            assert found == ([(usd(rate),)] if rate else [])
        assert connection.execute(f"select count(*) {asked.replace('2026-02-02', '2025-12-31')})").fetchone() == (0,)


def test_spend_as_known_takes_the_files_and_the_prices_of_its_time(warehouse: Database) -> None:
    """Input was believed to cost 4 until the correction: 1000 x 4 + 100 x 15 = 5500 millionths."""
    query = f"select event_date, cost_usd from core.spend_as_known('{JANUARY}', '{BEFORE}', %s)"
    with warehouse.connect() as connection, connection.transaction(force_rollback=True):
        assert connection.execute(query, [at(JANUARY)]).fetchall() == [], "the file had not landed"
        connection.execute("update raw.snapshot set observed_at = %s where snapshot_id = %s", [FETCHED, A])
        assert connection.execute(query, [datetime(2026, 1, 10, tzinfo=UTC)]).fetchall() == [(JANUARY, usd("0.0055"))]
        assert connection.execute(query, [at(NEWEST)]).fetchall() == [(JANUARY, usd("0.0045"))]


@pytest.mark.parametrize(
    "path",
    ["2026-02-14/a.jsonl", "20260214/a.jsonl", "2026/02/14/06/a.jsonl", "y=2026/m=02/d=14/a.jsonl",
     "year=2026/month=02/day=14/a.jsonl", "dt=2026-02-14/a.jsonl"],
)  # fmt: skip
def test_the_arrival_date_in_sql_is_that_of_the_load(warehouse: Database, path: str) -> None:
    query = "select raw.arrival_date(%s, timestamptz '2026-03-01')"
    with warehouse.connect(read_only=True) as connection:
        assert connection.execute(query, [f"requests/gateway/{path}"]).fetchone() == (
            folder_date(path.split("/")[:-1]),
        )
        assert connection.execute(query, ["requests/gateway/2026-02-31.jsonl"]).fetchone() == (date(2026, 3, 1),)


DASHBOARD = json.loads((QUERIES[0].parents[1] / "grafana" / "modelmeter.json").read_text(encoding="utf-8"))


def test_the_dashboard_is_one_that_grafana_imports() -> None:
    """What Grafana's importer needs: a schema version, panels with ids and places of their own, a data source that the user picks."""
    panels = DASHBOARD["panels"]
    assert DASHBOARD["schemaVersion"] >= 36
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len({*cells}) == len(cells), "no panel lies on another"
    assert max(x for x, _ in cells) < 24
    (variable,) = DASHBOARD["templating"]["list"]
    assert all(panel["datasource"]["uid"] == f"${{{variable['name']}}}" for panel in panels)


@pytest.mark.parametrize("panel", DASHBOARD["panels"], ids=lambda panel: panel["title"])
def test_a_panel_of_the_dashboard_shows_what_the_warehouse_holds(warehouse: Database, panel: dict[str, Any]) -> None:
    """Grafana replaces its macro by a comparison with the range of the page; a series needs `time` first."""
    (target,) = panel["targets"]
    span = r"\1 between '2026-01-01' and '2026-03-01'"
    query = re.sub(r"\$__timeFilter\(((?:[^()]|\([^()]*\))*)\)", span, target["rawSql"])
    assert "$__" not in query
    with warehouse.connect(read_only=True) as connection:
        found = connection.execute(query)
        names = [column.name for column in found.description or []]
        rows = found.fetchall()
    assert rows, "the small warehouse has something for every panel"
    assert (names[0] == "time") is (target["format"] == "time_series")
