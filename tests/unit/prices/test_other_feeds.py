"""Readers of the smaller feeds: the real files where there are any, mistakes are reported by place, nothing dropped silently."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines.config.sources import PriceFeed
from pipelines.prices import FeedSnapshot, PriceFeedError, build_ledger, build_rate_card, parse_feed, rate
from pipelines.prices.feed_snapshot import BEGINNING, Parsed, Price
from pipelines.prices.feeds import FORMATS
from tests.unit.prices.feeds import day, registry_of
from tests.unit.prices.landed import landed_file
from tests.unit.prices.ledger_checks import assert_sound
from tests.unit.prices.requests_frame import requests_frame


def read(format_name: str, content: object) -> Parsed:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return FORMATS[format_name].read(raw, {})


def parse(format_name: str, path: Path, at: datetime | None = None) -> FeedSnapshot:
    return parse_feed(landed_file(path, "feed", at), PriceFeed(feed="feed", format=format_name))  # type: ignore[arg-type]


def found(parsed: Parsed, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(getattr(price, name) for name in names) for price in parsed.prices]


@pytest.mark.parametrize("format_name", sorted(FORMATS))
@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"null", b"[1]", b"[]", b"\xff\xfe\x00", b"<html></html>"])
def test_a_file_of_another_kind_is_an_error_and_not_an_empty_feed(
    tmp_path: Path, format_name: str, content: bytes
) -> None:
    """An empty feed would close every price that it ever gave."""
    path = tmp_path / "2026-01-01.json"
    path.write_bytes(content)
    with pytest.raises(PriceFeedError, match=r"prices/feed/2026-01-01\.json \(feed feed, format "):
        parse(format_name, path)


def test_openrouter_prices_tiers_and_overrides() -> None:
    models = [
        {"id": "a/m", "pricing": {"prompt": "0.000002", "completion": "0.00001", "overrides": [{"min_prompt_tokens": 272000, "prompt": "0.000004"}]}},
        {"id": "a/m:batch", "pricing": {"prompt": "0.000001"}},
        {"id": "openrouter/auto", "pricing": {"prompt": "-1"}},
        {"id": "a/song", "pricing": {"prompt": "0"}},
        {"id": "a/m:free", "pricing": {"prompt": "0"}},
        {"id": "a/picture", "pricing": {"prompt": "0.1", "image": "0.04", "surprise": "1"}},
        {"id": "a/broken"},
    ]  # fmt: skip
    parsed = read("openrouter_models", {"data": models})
    assert found(
        parsed, "raw_model", "meter", "unit_price", "service_tier", "context_from_tokens", "context_bound"
    ) == [
        ("a/m", "input_uncached", Decimal("0.000002"), "standard", 0, "gte"),
        ("a/m", "output_text", Decimal("0.00001"), "standard", 0, "gte"),
        ("a/m", "input_uncached", Decimal("0.000004"), "standard", 272000, "gte"),
        ("a/m", "input_uncached", Decimal("0.000001"), "batch", 0, "gte"),
        ("a/m:free", "input_uncached", Decimal(0), "standard", 0, "gte"),
        ("a/picture", "input_uncached", Decimal("0.1"), "standard", 0, "gte"),
    ]
    assert (parsed.lines, parsed.rejected) == (7, 1)
    assert sorted(parsed.not_understood) == [
        "/data/6: no id or no pricing",
        "a/picture: image: 0.04 is the price of a whole image",
        "a/song: only zeros, though its name does not end in :free",
        "openrouter/auto: depends on the model routed to",
        "surprise: 1: not understood",
    ]


def test_a_list_that_an_sdk_saved_says_what_the_api_says() -> None:
    """The names of OpenRouter's own SDK for TypeScript: cached input cost as much as any other."""
    pricing = {
        "prompt": "0.000002", "completion": "0.00001", "input_cache_read": "0.0000002", "input_cache_write_1h": "0.000004",
        "web_search": "0.01", "overrides": [{"min_prompt_tokens": 272000, "input_cache_read": "0.0000004"}],
    }  # fmt: skip
    spelt = {
        "prompt": "0.000002", "completion": "0.00001", "inputCacheRead": "0.0000002", "inputCacheWrite1h": "0.000004",
        "webSearch": "0.01", "overrides": [{"minPromptTokens": 272000, "inputCacheRead": "0.0000004"}],
    }  # fmt: skip
    one, other = (read("openrouter_models", {"data": [{"id": "a/m", "pricing": block}]}) for block in (pricing, spelt))
    assert one == other
    assert not one.not_understood


def test_a_discount_of_openrouter_is_named_with_its_model() -> None:
    pricing = {"prompt": "0.000002", "completion": "0.000004", "discount": 0.25}
    parsed = read("openrouter_models", {"data": [{"id": "m", "pricing": pricing}]})
    assert (len(parsed.prices), parsed.not_understood) == (2, {"m: discount: 0.25: not taken off"})


def test_zeros_of_the_openrouter_list_of_2025_are_no_prices() -> None:
    """Every model had a zero for what it charges nothing extra for: reasoning cost as the answer, cached input as input."""
    zeros = dict.fromkeys(("request", "input_cache_read", "input_cache_write", "web_search", "internal_reasoning"), "0")
    models = [
        {"id": "a/m", "pricing": {"prompt": "0.00000007", "completion": "0.00000014", "image": "0.0002476", **zeros}},
        {"id": "a/embed", "pricing": {"prompt": "0.0000001", "completion": "0", "image": "0.0000001"}},
        {"id": "a/m:free", "pricing": {"prompt": "0", "completion": None, "internal_reasoning": "0"}},
    ]  # fmt: skip
    parsed = read("openrouter_models", {"data": models})
    assert found(parsed, "raw_model", "meter", "unit_price") == [
        ("a/m", "input_uncached", Decimal("0.00000007")),
        ("a/m", "output_text", Decimal("0.00000014")),
        ("a/embed", "input_uncached", Decimal("0.0000001")),
        ("a/embed", "output_text", Decimal(0)),
        ("a/embed", "input_image", Decimal("0.0000001")),
        ("a/m:free", "input_uncached", Decimal(0)),
        ("a/m:free", "output_reasoning", Decimal(0)),
    ]
    assert parsed.not_understood == {"a/m: image: 0.0002476 is the price of a whole image"}


def test_a_constraint_with_a_part_that_is_not_known_gives_no_price() -> None:
    """A promotion that ends would otherwise hold for ever."""
    dated = {"constraint": {"start_date": "2026-06-01", "end_date": "2026-07-01"}, "prices": {"input_mtok": 1}}
    models = [{"id": "m", "match": {"equals": "m"}, "prices": [{"prices": {"input_mtok": 2}}, dated]}]
    parsed = read("genai_prices", [{"id": "openai", "models": models}])
    assert (parsed.prices, parsed.rejected) == ([], 1)
    assert all("unknown constraint" in problem for problem in parsed.not_understood)


def test_the_saved_openrouter_list(shared_data: Path) -> None:
    snapshot = parse("openrouter_models", shared_data / "prices" / "openrouter" / "models_2026-08-22.json")
    assert (snapshot.lines, snapshot.valid) == (421, 421)
    stated = [text.split(": ")[1] for text in snapshot.not_understood]
    assert stated.count("depends on the model routed to") == 5
    assert stated.count("only zeros, though its name does not end in :free") == len(stated) - 5 == 4
    ledger = build_ledger(PriceFeed(feed="feed", format="openrouter_models"), [snapshot], registry_of([snapshot]))
    assert_sound(ledger)
    card = build_rate_card(ledger, [PriceFeed(feed="feed", format="openrouter_models")])
    call = {"provider_id": "openrouter", "model_id": "gpt-5.6-sol", "event_at": datetime(2026, 9, 1, tzinfo=UTC)}
    calls = [call | {"input_uncached": tokens, "output_text": 1000} for tokens in (271_999, 272_000)]
    costs = rate(requests_frame(calls), card)["list_cost_usd"].to_list()
    # 2 and 10 USD per million below 272,000 prompt tokens, 4 and 15 from there on.
    assert costs == [Decimal("0.553998"), Decimal("1.103")]


def test_llm_prices_dates_and_long_prompts() -> None:
    period = {"output": 15, "input_cached": None, "to_date": None}
    content = {
        "vendor": "v",
        "models": [
            {"id": "m", "name": "M", "price_history": [period | {"input": 3, "from_date": None, "to_date": "2026-09-01"}, period | {"input": 2.5, "from_date": "2026-09-01"}]},
            {"id": "m-200k", "name": "M >200k", "price_history": [period | {"input": 6, "from_date": None}]},
            {"id": "m-32k", "name": "M 32k", "price_history": [period | {"input": "x", "from_date": None}]},
        ],
    }  # fmt: skip
    parsed = read("llm_prices", content)
    assert found(parsed, "raw_model", "unit_price", "context_from_tokens", "valid_from", "valid_to", "date_basis")[
        :6:2
    ] == [
        ("m", Decimal(3), 0, BEGINNING, day("2026-09-01"), "unknown"),
        ("m", Decimal("2.5"), 0, day("2026-09-01"), None, "documented"),
        ("m", Decimal(6), 200_000, BEGINNING, None, "unknown"),
    ]  # and of m-32k, whose input is no amount, the output alone
    assert found(parsed, "raw_model", "meter")[6:] == [("m-32k", "output_text")]
    assert parsed.rejected == 0
    assert parsed.not_understood == {
        "m-32k: /models/2/price_history/0/input: expected an amount of zero or more, found 'x'"
    }
    assert "expected an amount" in next(iter(parsed.not_understood))
    flat = read("llm_prices", {"prices": [{"id": "m", "vendor": "v", "name": "M", "input": 1, "output": 2}]})
    assert found(flat, "provider", "meter", "unit_price") == [("v", "input_uncached", 1), ("v", "output_text", 2)]


def test_every_saved_vendor_file_of_llm_prices(shared_data: Path) -> None:
    files = sorted((shared_data / "prices" / "llm_prices").glob("*.json"))
    assert len(files) == 9
    feed = PriceFeed(feed="feed", format="llm_prices")
    for path in files:
        snapshot = parse("llm_prices", path, datetime(2026, 8, 1, tzinfo=UTC))
        assert (
            snapshot.lines
            == snapshot.valid
            == sum(len(m["price_history"]) for m in json.loads(path.read_bytes())["models"])
        )
        assert_sound(build_ledger(feed, [snapshot], registry_of([snapshot])))


def test_models_dev_tiers_and_what_they_replace() -> None:
    cost = {"input": 5, "output": 30, "reasoning": 31, "surprise": 1, "cache_write": None}
    tier = {"input": 10, "output": 45, "tier": {"type": "context", "size": 272_000}}
    content = {
        "p": {"models": {"a": {"cost": cost | {"tiers": [tier], "context_over_200k": {"input": 10}}}}},
        "q": {
            "models": {
                "b": {"cost": {"input": 1, "reasoning": 0, "context_over_200k": {"input": 2}}},
                "c": {"cost": {"input": 0}},
                "d": {},
            }
        },
    }
    parsed = read("models_dev", content)
    assert found(parsed, "provider", "raw_model", "meter", "unit_price", "context_from_tokens") == [
        ("p", "a", "input_uncached", 5, 0),
        ("p", "a", "output_text", 30, 0),
        ("p", "a", "output_reasoning", 31, 0),
        ("p", "a", "input_uncached", 10, 272_000),
        ("p", "a", "output_text", 45, 272_000),
        ("q", "b", "input_uncached", 1, 0),
        ("q", "b", "input_uncached", 2, 200_000),
    ]
    assert sorted(parsed.not_understood) == ["p/a: cost.surprise: not understood: 1", "q/c: only zeros"]


SHEET = b"""provider,model,meter,price,per,currency,service_tier,region,context_from_tokens,context_bound,time_window,contract_id,valid_from,valid_to,note
openai,gpt-4o,input_uncached,2.00,,,,,,,,acme-2026,2026-01-01,2027-01-01,negotiated
vllm,llama-3.3-70b-instruct,output_text,0.0004,1000,USD,batch,eu,128000,gt,22:00-06:00,,2026-01-01T08:00:00+08:00,,own GPUs
"""


def test_a_price_sheet_holds_whatever_the_ledger_can() -> None:
    contract, own = read("price_sheet", SHEET).prices
    assert contract == Price(
        "openai", "gpt-4o", "input_uncached", "token", Decimal("2.00"), 1_000_000, "line 2",
        "provider=openai, model=gpt-4o, meter=input_uncached, price=2.00, contract_id=acme-2026, "
        "valid_from=2026-01-01, valid_to=2027-01-01, note=negotiated",
        contract_id="acme-2026", valid_from=day("2026-01-01"), valid_to=day("2027-01-01"), date_basis="documented",
    )  # fmt: skip
    assert (own.unit_price, own.pricing_quantity, own.service_tier, own.region) == (
        Decimal("0.0004"),
        1000,
        "batch",
        "eu",
    )
    assert (own.context_from_tokens, own.context_bound, own.time_window) == (128_000, "gt", "22:00-06:00")
    assert own.valid_from == day("2026-01-01")


def test_a_price_sheet_in_yaml_keeps_the_digits() -> None:
    text = b"prices:\n  - {provider: p, model: m, meter: output_text, price: 0.10000000000000000001}\n"
    (price,) = read("price_sheet", text).prices
    assert (price.unit_price, price.source_locator) == (Decimal("0.10000000000000000001"), "prices[0]")


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("openai,gpt-4o,input,2", ["line 2", "meter", "'input'", "input_uncached"]),
        ("openai,gpt-4o,input_uncached,-2", ["line 2", "price", "'-2'"]),
        ("openai,gpt-4o,input_uncached,\"2,5\"", ["price", "'2,5'"]),
        (",gpt-4o,input_uncached,2", ["provider is missing"]),
        ("openai,gpt-4o,input_uncached,2,7", ["per", "'7'", "1000000"]),
        ("openai,gpt-4o,input_uncached,2,,EURO", ["currency", "'EURO'"]),
        ("openai,gpt-4o,input_uncached,2,,,tur bo", ["service_tier", "'tur bo'", "batch"]),
        ("openai,gpt-4o,input_uncached,2,,,,,many", ["context_from_tokens", "'many'"]),
        ("openai,gpt-4o,input_uncached,2,,,,,,over", ["context_bound", "'over'"]),
        ("openai,gpt-4o,input_uncached,2,,,,,,,25:00-26:00", ["time_window", "'25:00-26:00'"]),
        ("openai,gpt-4o,input_uncached,2,,,,,,,,,1 March", ["valid_from", "'1 March'"]),
        ("openai,gpt-4o,input_uncached,2,,,,,,,,,2026-03-01,2026-02-01", ["valid_to", "not after"]),
    ],
)  # fmt: skip
def test_mistakes_in_a_price_sheet_are_reported_by_line_and_the_sheet_is_not_used(line: str, parts: list[str]) -> None:
    header = SHEET.split(b"\n", 1)[0]
    with pytest.raises(PriceFeedError) as error:
        read("price_sheet", header + b"\n" + line.encode() + b"\nopenai,gpt-4o,output_text,10\n")
    for part in parts:
        assert part in str(error.value)


def test_an_unknown_column_is_named() -> None:
    with pytest.raises(PriceFeedError, match="unknown column preis"):
        read("price_sheet", b"provider,model,meter,price,preis\na,b,output_text,1,2\n")
