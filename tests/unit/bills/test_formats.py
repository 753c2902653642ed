"""Each report format: hand-worked buckets, amounts as billed, places, and what is set aside."""

from __future__ import annotations

import gzip
import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from pipelines.bills import parse_bill
from pipelines.bills.formats import build_bill_format
from pipelines.config.sources import BILL_FORMATS, RequestSource
from pipelines.records.layout import SourceError
from tests.unit.bills.reports import (
    ANTHROPIC_COST,
    ANTHROPIC_USAGE,
    DAY,
    FOCUS,
    LANGFUSE_DAILY,
    LITELLM_DAILY,
    OPENAI_COSTS,
    OPENAI_USAGE,
    OPENROUTER,
    REPORTS,
    export,
    merged,
    only,
    rows,
    tokens,
    usd,
)
from tests.unit.requests.helpers import landed
from tests.unit.requests.samples import SECRET


def test_openai_costs(tmp_path: Path) -> None:
    found = rows(export(tmp_path, "openai_costs_api", OPENAI_COSTS))
    assert [only(row, "raw_model", "meter", "service_tier", "project_id", "amount_text") for row in found] == [
        ("gpt-4o-2024-08-06", "input", None, "proj_a", "0.06"),
        ("gpt-4o-2024-08-06", "cached input", None, "proj_a", "0.000015"),
        ("gpt-5.2", "audio output", "priority", "proj_b", "2.5"),
        (None, None, None, "proj_b", "0.01"),
        (None, None, None, None, "-0.02"),
        ("gpt-4o-2024-08-06", "input", None, "proj_a", "0.5"),
    ]
    # 0.06 + 0.000015 + 2.5 + 0.01 - 0.02, and 0.5 the day after
    assert sum(row["amount_usd"] for row in found if row["event_date"] == DAY) == usd("2.550015")
    assert sum(row["amount"] for row in found) == usd("3.050015")
    assert {row["currency"] for row in found} == {"USD"}
    assert only(found[3], "quantity", "quantity_unit", "source_locator") == (1, "calls", "/data/0/results/3")
    assert all(tokens(row) == {} and row["token_semantics"] is None for row in found)


def test_openai_usage(tmp_path: Path) -> None:
    whole, older, images = rows(export(tmp_path, "openai_usage_api", OPENAI_USAGE))
    assert tokens(whole) == {
        "input_uncached": 6000, "input_cache_read": 2000, "input_cache_write": 100, "input_cache_write_30m": 700,
        "input_cache_write_12h": 400, "input_audio": 500, "input_audio_cache_read": 300, "output_text": 800, "output_audio": 100,
    }  # fmt: skip
    assert only(whole, "request_count", "api_key_id", "end_user_id", "service_tier", "report") == (
        7, "key_1", "user-1", "standard", "organization.usage.completions.result",
    )  # fmt: skip
    assert tokens(older) == {
        "input_uncached": 600, "input_cache_read": 400, "input_audio": 50, "output_text": 180, "output_audio": 20
    }  # fmt: skip
    assert older["service_tier"] == "batch"
    assert only(images, "quantity", "quantity_unit", "meter", "amount", "token_semantics") == (
        4, "images", "1024x1024", None, None,
    )  # fmt: skip


def test_anthropic_usage(tmp_path: Path) -> None:
    [found] = rows(export(tmp_path, "anthropic_usage_api", ANTHROPIC_USAGE))
    # More than 2^31: a bill counts a whole organization.
    assert tokens(found) == {
        "input_uncached": 3_000_000_000, "input_cache_read": 700, "input_cache_write_5m": 100, "input_cache_write_1h": 200,
        "output_text": 90,
    }  # fmt: skip
    assert only(found, "web_search_count", "api_key_id", "project_id", "region", "context_window") == (
        2, "apikey_1", None, "global", "0-200k",
    )  # fmt: skip


def test_the_report_of_claude_code(tmp_path: Path) -> None:
    def used(model: str, count: int) -> dict[str, Any]:
        tokens = {"input": count, "output": 7, "cache_read": 3, "cache_creation": 2}
        return {"model": model, "tokens": tokens, "estimated_cost": {"currency": "USD", "amount": 15}}

    def day(actor: dict[str, str], *models: dict[str, Any]) -> dict[str, Any]:
        return {"date": "2026-02-12T00:00:00Z", "actor": actor, "organization_id": "o", "terminal_type": "vscode",
                "core_metrics": {"num_sessions": 5}, "model_breakdown": list(models)}  # fmt: skip

    ann, key = {"type": "user_actor", "email_address": "ann@x.org"}, {"type": "api_actor", "api_key_name": "ci"}
    report = {
        "data": [
            day(ann, used("claude-opus-4-5", 10), used("claude-haiku-4-5", 20)),
            day(key, used("claude-opus-4-5", 10)),
        ]
    }
    found = rows(export(tmp_path, "anthropic_usage_api", report))
    assert [only(row, "end_user_id", "api_key_id", "raw_model", "report", "amount") for row in found] == [
        ("ann@x.org", None, "claude-opus-4-5", "claude_code", None),
        ("ann@x.org", None, "claude-haiku-4-5", "claude_code", None),
        (None, "ci", "claude-opus-4-5", "claude_code", None),
    ]
    assert len({row["cost_uid"] for row in found}) == 3
    assert tokens(found[1]) == {"input_uncached": 20, "input_cache_read": 3, "input_cache_write": 2, "output_text": 7}


def test_a_person_of_several_terminals_and_plans_is_a_line_of_each(tmp_path: Path) -> None:
    """They stand next to the models of a day, not in them: the lines were taken for one."""
    used = {"model": "claude-opus-4-5", "tokens": {"input": 10, "output": 7, "cache_read": 3, "cache_creation": 2}}
    actor = {"type": "user_actor", "email_address": "ann@x.org"}
    days = [
        {"date": "2026-02-12T00:00:00Z", "actor": actor, "terminal_type": terminal, "customer_type": plan, "model_breakdown": [used]}
        for terminal, plan in (("vscode", "api"), ("iTerm.app", "api"), ("iTerm.app", "subscription"))
    ]  # fmt: skip
    ledger = merged([export(tmp_path, "anthropic_usage_api", {"data": days})])
    assert (ledger.rows["input_uncached_tokens"].sum(), ledger.duplicates.height) == (30, 0)


ANALYTICS = {"starting_at": "2026-02-12T00:00:00Z", "ending_at": "2026-02-13T00:00:00Z"}


def _analytics(field: str, *found: tuple[dict[str, Any], dict[str, Any]]) -> dict[str, Any]:
    rows = [{**ANALYTICS, "group": group, field: measured} for group, measured in found]
    return {"data": rows, "has_more": False, "next_page": None, "data_refreshed_at": "2026-02-13T04:00:00Z"}


def test_the_usage_of_analytics(tmp_path: Path) -> None:
    used = {
        "uncached_input_tokens": 10, "cache_creation": {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 3},
        "cache_read_input_tokens": 2, "output_tokens": 7, "total_tokens": 26, "requests": 5, "server_tool_use": {"web_search_requests": 1},
    }  # fmt: skip
    actor = {"type": "user_actor", "user_id": "user_1", "email_address": "ann@x.org", "name": "Ann", "deleted": False}
    named = {
        "actor": actor,
        "model": "claude-opus-5-5",
        "product": "cowork",
        "service_tier": "flex",
        "workspace_id": "wrkspc_1",
    }
    unnamed = {**named, "actor": None}
    parsed = export(
        tmp_path, "anthropic_usage_api", _analytics("usage", (named, used), (unnamed, used), (unnamed, used))
    )
    found = rows(parsed)
    assert only(found[0], "report", "end_user_id", "raw_model", "product", "service_tier", "project_id") == (
        "analytics_usage", "ann@x.org", "claude-opus-5-5", "cowork", "flex", "wrkspc_1",
    )  # fmt: skip
    assert only(found[0], "request_count", "web_search_count", "amount") == (5, 1, None)
    assert tokens(found[0]) == {
        "input_uncached": 10, "input_cache_read": 2, "input_cache_write_5m": 4, "input_cache_write_1h": 3, "output_text": 7,
    }  # fmt: skip
    assert merged([parsed]).rows["output_text_tokens"].sum() == 21, "two people without a name are two lines"


def test_the_costs_of_analytics(tmp_path: Path) -> None:
    cost = {"amount": "123.78912", "list_amount": "150.5", "currency": "USD", "requests": None}
    write = {"model": "claude-opus-5-5", "product": "claude_code", "cost_type": "tokens", "token_type": "cache_creation.ephemeral_1h_input_tokens"}  # fmt: skip
    session = {"model": None, "product": None, "cost_type": "session_usage", "token_type": None}
    found = rows(export(tmp_path, "anthropic_cost_api", _analytics("cost", (write, cost), (session, cost))))
    assert [only(row, "report", "amount_usd", "list_amount", "raw_model", "product", "meter", "line_item") for row in found] == [
        ("analytics_cost", usd("1.2378912"), usd("1.505"), "claude-opus-5-5", "claude_code", write["token_type"], "claude_code"),
        ("analytics_cost", usd("1.2378912"), usd("1.505"), None, None, "session_usage", "session_usage"),
    ]  # fmt: skip


def test_anthropic_costs_are_written_in_cents(tmp_path: Path) -> None:
    tokens_line, search = rows(export(tmp_path, "anthropic_cost_api", ANTHROPIC_COST))
    assert only(tokens_line, "amount_text", "amount", "amount_usd", "currency") == (
        "123.78912", usd("1.2378912"), usd("1.2378912"), "USD",
    )  # fmt: skip
    assert only(tokens_line, "raw_model", "meter", "project_id", "region") == (
        "claude-sonnet-4-5-20250929", "uncached_input_tokens", "wrkspc_1", "us",
    )  # fmt: skip
    assert only(search, "raw_model", "meter", "amount_usd", "line_item") == (
        None,
        "web_search",
        usd("0.2"),
        "Web Search Usage",
    )


def test_openrouter_credits_and_what_runs_on_keys_of_ones_own(tmp_path: Path) -> None:
    found, free = rows(export(tmp_path, "openrouter_activity", OPENROUTER))
    assert tokens(found) == {"input_uncached": 50, "output_text": 100, "output_reasoning": 25}
    assert only(found, "amount_usd", "byok_cost_usd", "request_count", "raw_model", "upstream_provider") == (
        usd("0.015"), usd("0.012"), 5, "openai/gpt-4.1-2025-04-14", "OpenAI",
    )  # fmt: skip
    assert (found["bucket_to"] - found["bucket_from"]).days == 1
    assert free["amount_usd"] == 0


def test_focus(tmp_path: Path) -> None:
    tokens_line, tax = rows(export(tmp_path, "focus", FOCUS))
    assert only(tokens_line, "provider_id", "raw_model", "meter", "quantity", "quantity_unit", "amount_usd", "list_amount") == (
        "azure", "gpt-4o", "Input Tokens", 1_000_000, "Tokens", usd("2.7"), 3,
    )  # fmt: skip
    assert only(tax, "charge_category", "meter", "amount", "amount_usd", "currency") == ("Tax", None, 19, None, "EUR")
    assert (tax["bucket_to"] - tax["bucket_from"]).days == 28
    csv = (
        b"BilledCost,ListCost,BillingCurrency,ServiceProviderName,ChargePeriodStart,ChargePeriodEnd,PricingQuantity,PricingUnit,SkuPriceDetails\n"
        b'1.5,1.5,USD,Solora AI,2026-02-12T00:00:00Z,2026-02-13T00:00:00Z,0.5,1000000 Tokens,"{""ModelId"": ""solora-pro"", ""a"": 1}"\n'
    )
    [found] = rows(export(tmp_path, "focus", csv))
    assert only(found, "provider_id", "raw_model", "quantity", "quantity_unit") == (
        "solora_ai", "solora-pro", usd("0.5"), "1000000 Tokens",
    )  # fmt: skip


def test_any_invoice_as_csv(tmp_path: Path) -> None:
    path = tmp_path / "invoice.csv"
    path.write_text("From;Until;Position;Net\n2026-02-01;2026-03-01;Tokens;12.34\n2026-02-01;2026-03-01;VAT;2.34\n")
    declared = {
        "source": "acme", "format": "bill_mapping", "defaults": {"provider_id": "acme", "currency": "EUR"},
        "options": {"delimiter": ";", "columns": {"bucket_from": "From", "bucket_to": "Until", "amount": "Net", "line_item": "Position"}},
    }  # fmt: skip
    found = rows(parse_bill(landed(path), RequestSource.model_validate(declared), tmp_path / "store"))
    assert [only(row, "provider_id", "line_item", "amount", "currency", "report") for row in found] == [
        ("acme", "Tokens", usd("12.34"), "EUR", "invoice"),
        ("acme", "VAT", usd("2.34"), "EUR", "invoice"),
    ]
    for name, value, said in (
        ("options", {"columns": {"price": "P"}}, "options.columns.price: no such field; accepted are model"),
        ("options", {"sheet": 1}, "options.sheet: accepted are columns"),
        ("defaults", {"team": "t"}, "defaults.team: accepted are provider_id"),
    ):
        with pytest.raises(SourceError, match=said):
            parse_bill(landed(path), RequestSource.model_validate({**declared, name: value}), tmp_path / "store")


def test_what_was_negotiated_with_anthropic(tmp_path: Path) -> None:
    report = _changed(ANTHROPIC_COST, ("data", 0, "results", 0, "list_amount"), "154.7364")
    found = rows(export(tmp_path, "anthropic_cost_api", report))
    assert [only(row, "amount", "list_amount", "amount_text") for row in found] == [
        (usd("1.2378912"), usd("1.547364"), "123.78912"),
        (usd("0.2"), None, found[1]["amount_text"]),
    ]


def _variants(report: dict[str, Any]) -> dict[str, bytes]:
    """The report as users save it: pages in an array, one per line, its buckets one per line, compressed, with a mark."""
    page = json.dumps(report).encode()
    items = [json.dumps(item).encode() for item in report["data"]]
    return {
        "array": b"[" + page + b"]",
        "lines": page + b"\n",
        "data": json.dumps(report["data"]).encode(),
        "buckets": b"\n".join(items) + b"\n",
        "pretty": json.dumps(report, indent=2).encode(),
        "marked": b"\xef\xbb\xbf" + page,
        "gzip": gzip.compress(page),
    }


def test_openai_costs_by_user_and_api(tmp_path: Path) -> None:
    """Two lines that differ only in `api_source` stay two lines, each with its own."""
    [result, *_] = OPENAI_COSTS["data"][0]["results"]
    page = deepcopy(OPENAI_COSTS) | {"data": [{**OPENAI_COSTS["data"][0], "results": [
        {**result, "user_id": "user-1", "api_source": source} for source in ("agents_api", "unlabeled")
    ]}]}  # fmt: skip
    found = rows(export(tmp_path, "openai_costs_api", page))
    assert sorted(only(row, "end_user_id", "product") for row in found) == [
        ("user-1", "agents_api"),
        ("user-1", "unlabeled"),
    ]
    assert len({row["cost_uid"] for row in found}) == 2


def test_litellm_counts_cached_and_written_tokens_in_the_prompt(tmp_path: Path) -> None:
    first, second = rows(export(tmp_path, "litellm_daily", LITELLM_DAILY))
    assert only(first, "provider_id", "raw_model", "api_key_id", "end_user_id", "request_count", "amount_text") == (
        "openai", "gpt-4o", "hash-1", "u-1", 4, "0.0025",
    )  # fmt: skip
    assert tokens(first) == {"input_uncached": 400, "input_cache_read": 600, "output_text": 50}
    assert tokens(second) == {
        "input_uncached": 100,
        "input_cache_read": 100,
        "input_cache_write": 300,
        "output_text": 20,
    }


def test_langfuse_names_no_seller_so_the_source_does(tmp_path: Path) -> None:
    found = rows(export(tmp_path, "langfuse_daily", LANGFUSE_DAILY))
    assert [only(row, "provider_id", "raw_model", "request_count", "amount_usd", "event_date") for row in found] == [
        ("unknown", "gpt-4o", 20, usd("0.5"), DAY),
        ("unknown", "gpt-4o-mini", 5, usd("0.25"), DAY),
    ]
    declared = {"source": "bill", "format": "langfuse_daily", "defaults": {"provider_id": "openai"}}
    assert build_bill_format(RequestSource.model_validate(declared)).constants["provider_id"] == "openai"
    with pytest.raises(SourceError, match=r"defaults\.model"):
        build_bill_format(RequestSource.model_validate({**declared, "defaults": {"model": "m"}}))


@pytest.mark.parametrize("format_name", BILL_FORMATS)
def test_however_it_is_saved_it_is_the_same_bill(tmp_path: Path, format_name: str) -> None:
    def said(content: object) -> list[tuple[Any, ...]]:
        place = ("snapshot_id", "line_no", "item_no", "source_locator")
        found = rows(export(tmp_path, format_name, content))
        return sorted((repr([value for name, value in row.items() if name not in place]),) for row in found)

    expected = said(REPORTS[format_name])
    assert expected
    for name, content in _variants(REPORTS[format_name]).items():
        assert said(content) == expected, name


@pytest.mark.parametrize(
    "format_name", [name for name in BILL_FORMATS if all("results" in bucket for bucket in REPORTS[name]["data"])]
)
def test_results_flattened_to_lines_are_the_same_records(tmp_path: Path, format_name: str) -> None:
    flat = [
        {**result, **{name: bucket[name] for name in bucket if name not in ("object", "results")}}
        for bucket in REPORTS[format_name]["data"]
        for result in bucket["results"]
    ]
    whole = rows(export(tmp_path, format_name, REPORTS[format_name]))
    lines = rows(export(tmp_path, format_name, "\n".join(map(json.dumps, flat)).encode()))
    assert [row["cost_uid"] for row in lines] == [row["cost_uid"] for row in whole]


def test_csv_files_of_the_consoles(tmp_path: Path) -> None:
    csv = (
        b"start_time,end_time,amount_value,amount_currency,line_item,project_id\n"
        b'1770854400,1770940800,0.06,usd,"gpt-4o-2024-08-06, input",proj_a\n'
        b'1770854400,1770940800,0.07,usd,"gpt-4o-2024-08-06, input",proj_a\n'
    )
    found = rows(export(tmp_path, "openai_costs_api", csv))
    # Two rows of one table that name the same are two lines of the bill.
    assert (len({row["cost_uid"] for row in found}), sum(row["amount_usd"] for row in found)) == (2, usd("0.13"))
    csv = (
        b"usage_date_utc,model_version,api_key,workspace,usage_type,context_window,usage_input_tokens_no_cache,"
        b"usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,usage_output_tokens,"
        b"web_search_count\n2026-02-12,claude-sonnet-4-5-20250929,prod,Default,standard,<= 200k,10,2,3,4,5,0\n"
    )
    [found_usage] = rows(export(tmp_path, "anthropic_usage_api", csv))
    assert tokens(found_usage) == {
        "input_uncached": 10, "input_cache_write_5m": 2, "input_cache_write_1h": 3, "input_cache_read": 4, "output_text": 5
    }  # fmt: skip


def _changed(report: dict[str, Any], place: tuple[Any, ...], value: object) -> dict[str, Any]:
    changed = deepcopy(report)
    target: Any = changed
    for part in place[:-1]:
        target = target[part]
    target[place[-1]] = value
    return changed


COST, RESULT = ("data", 0), ("data", 0, "results", 0)


@pytest.mark.parametrize(
    ("format_name", "place", "value", "reason", "said"),
    [
        ("openai_costs_api", (*COST, "start_time"), None, "missing_field", "names no time bucket"),
        ("openai_costs_api", (*COST, "end_time"), 1770854400, "bucket_reversed", "ends at"),
        ("openai_costs_api", (*COST, "end_time"), 1774483200, "bucket_too_long", "export it by days"),
        ("openai_costs_api", (*COST, "start_time"), "yesterday", "not_an_instant", "bucket/from"),
        ("openai_costs_api", (*RESULT, "amount", "value"), "much", "not_a_decimal", "amount/value"),
        ("openai_costs_api", (*RESULT, "amount"), None, "no_usage", "neither a count nor an amount"),
        ("openai_usage_api", (*RESULT, "input_tokens"), -1, "negative_tokens", "-1"),
        ("openai_usage_api", (*RESULT, "input_tokens"), 1.5, "not_an_integer", "input_tokens"),
        ("openai_usage_api", (*RESULT, "input_uncached_tokens"), 1, "identity_broken", "input_uncached_tokens is 1"),
        ("openai_usage_api", (*RESULT, "output_audio_tokens"), 1000, "identity_broken", "output_text"),
        ("anthropic_usage_api", (*RESULT, "output_tokens"), 10**16, "out_of_range", "at most"),
        ("anthropic_cost_api", (*RESULT, "currency"), "JPY", "identity_broken", "other than USD"),
        ("anthropic_cost_api", (*COST, "starting_at"), "2026-02-20T00:00:00Z", "bucket_reversed", "begins at"),
        ("openrouter_activity", ("data", 0, "date"), "2026-02-20", "event_after_arrival", "2026-02-20"),
    ],
)
def test_what_is_no_line_of_a_bill_is_set_aside_by_name(
    tmp_path: Path, format_name: str, place: tuple[Any, ...], value: object, reason: str, said: str
) -> None:
    whole = export(tmp_path, format_name, REPORTS[format_name])
    parsed = export(tmp_path, format_name, _changed(REPORTS[format_name], place, value))
    assert parsed.lines == whole.lines
    first = parsed.quarantine.row(0, named=True)
    assert (first["reason"], first["severity"]) == (reason, "error")
    assert said in first["detail"]


@pytest.mark.parametrize("format_name", BILL_FORMATS)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"null",
        b'{"data": []}',
        b'{"error": {"message": "no access"}}',
        b'{"data": [1]}',
        b'{"data": [{"results": [3]}]}',
    ],
)
def test_what_is_no_report_at_all_does_no_harm(tmp_path: Path, format_name: str, content: bytes) -> None:
    assert export(tmp_path, format_name, content).valid == 0


def test_users_can_be_kept_as_a_keyed_hash_only(tmp_path: Path) -> None:
    plain = export(tmp_path, "openai_usage_api", OPENAI_USAGE)
    keyed = export(tmp_path, "openai_usage_api", OPENAI_USAGE, user_key=b"k1")
    assert rows(plain)[0]["end_user_id"] == "user-1"
    assert "user-1" not in repr(rows(keyed))
    assert rows(keyed)[0]["cost_uid"] == rows(plain)[0]["cost_uid"]


def test_a_bill_takes_no_declarations(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("{}")
    for name, value in (("options", {"a": 1}), ("attribution", {"team": "t"}), ("defaults", {"model": "m"})):
        declared = {"source": "bill", "format": "openai_costs_api", name: value}
        with pytest.raises(SourceError, match=f"source bill: {name}: format openai_costs_api takes none"):
            parse_bill(landed(path), RequestSource.model_validate(declared), tmp_path / "store")


@pytest.mark.parametrize("format_name", BILL_FORMATS)
def test_a_field_that_no_report_has_reaches_nothing(tmp_path: Path, format_name: str) -> None:
    report = deepcopy(REPORTS[format_name])
    for item in report["data"]:
        for result in item.get("results", [item]):
            result.update({"prompt": SECRET, "messages": [{"content": SECRET}], "note": {"text": SECRET}})
    broken = _changed(report, ("data", 0, *(("results", 0) if "results" in report["data"][0] else ()), "requests"), -1)
    for content in (report, broken, json.dumps(report).encode()[:-40] + SECRET.encode()):
        parsed = export(tmp_path, format_name, content)
        assert SECRET not in repr(rows(parsed)) + repr(parsed.quarantine.rows())
        assert parsed.lines >= 1
    for stored in (tmp_path / "store").rglob("*.parquet"):
        assert SECRET.encode() not in stored.read_bytes()
