"""Lists of prices by declaration: the public ones as they are published, and one list in every shape."""

from __future__ import annotations

import io
import json
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from pipelines.prices.feed_snapshot import Parsed, PriceFeedError
from pipelines.prices.feeds.price_mapping import option_mistakes, read

VERCEL = {
    "provider": "vercel", "records": "data", "model_field": "id",
    "columns": {
        "pricing.input": {"meter": "input_uncached", "per": 1}, "pricing.output": {"meter": "output_text", "per": 1},
        "pricing.input_cache_read": {"meter": "input_cache_read", "per": 1},
    },
}  # fmt: skip
TOGETHER = {
    "provider": "together_ai", "model_field": "id",
    "columns": {"pricing.input": {"meter": "input_uncached"}, "pricing.output": {"meter": "output_text"}},
}  # fmt: skip
PORTKEY = {
    "provider": "openai", "model_field": "@key", "cents": True,
    "columns": {
        "pricing_config.pay_as_you_go.request_token.price": {"meter": "input_uncached", "per": 1},
        "pricing_config.pay_as_you_go.response_token.price": {"meter": "output_text", "per": 1},
    },
}  # fmt: skip
HELICONE = {
    "provider_field": "provider", "records": "data", "model_field": "model", "when": {"operator": "equals"},
    "columns": {"input_cost_per_1m": {"meter": "input_uncached"}, "output_cost_per_1m": {"meter": "output_text"}},
}  # fmt: skip
LISTS: dict[str, tuple[dict[str, Any], Any]] = {
    "vercel": (VERCEL, {"object": "list", "data": [
        {"id": "m", "context_window": 200000, "pricing": {"input": "0.000003", "output": "0.000015", "input_cache_read": "0.0000003"}},
        {"id": "image", "pricing": {"input": "0", "output": "0"}},
    ]}),
    "together": (TOGETHER, [{"id": "m", "context_length": 8192, "pricing": {"hourly": 0, "input": 3, "output": 15, "base": 0}}]),
    "portkey": (PORTKEY, {"m": {"pricing_config": {"currency": "USD", "pay_as_you_go": {
        "request_token": {"price": 0.0003}, "response_token": {"price": 0.0015}}}}}),
    "helicone": (HELICONE, {"metadata": {"total_models": 2}, "data": [
        {"provider": "acme", "model": "m", "operator": "equals", "input_cost_per_1m": 3, "output_cost_per_1m": 15},
        {"provider": "acme", "model": "m", "operator": "startsWith", "input_cost_per_1m": 9, "output_cost_per_1m": 9},
    ]}),
}  # fmt: skip


def usd(found: Parsed) -> dict[tuple[str, str], Decimal]:
    return {(p.raw_model, p.meter): p.unit_price * 1_000_000 / p.pricing_quantity for p in found.prices}


@pytest.mark.parametrize("name", LISTS)
def test_public_lists_are_read_by_declaration(name: str) -> None:
    options, content = LISTS[name]
    found = usd(read(json.dumps(content).encode(), options))
    assert found.pop(("m", "input_cache_read"), Decimal("0.3")) == Decimal("0.3")
    assert found == {("m", "input_uncached"): 3, ("m", "output_text"): 15}


FLAT = {
    "provider": "acme", "model_field": "Model",
    "columns": {"Input": {"meter": "input_uncached"}, "Output": {"meter": "output_text"}},
}  # fmt: skip
ROWS: list[dict[str, Any]] = [
    {"Model": "m-1", "Input": "0.3", "Output": "1.20"},
    {"Model": "m-2", "Input": "3", "Output": "15"},
]
SHAPES: dict[str, tuple[bytes, dict[str, Any]]] = {
    "json": (json.dumps(ROWS).encode(), {}),
    "numbers": (json.dumps([{**row, "Input": float(row["Input"])} for row in ROWS]).encode(), {}),
    "lines": ("\n".join(map(json.dumps, ROWS)).encode(), {}),
    "csv": (b"\xef\xbb\xbfModel,Input,Output\r\nm-1,$0.3,US$1.20\r\nm-2,$3,$15\r\n", {}),
    "semicolons": (b"Output;Extra;Model;Input\n1.20;;m-1;0.3\n15;;m-2;3\n", {"delimiter": ";"}),
    "tabs": (b"Model\tInput\tOutput\nm-1\t0.3\t1.20\nm-2\t3\t15\n", {"delimiter": "\t"}),
    "columns": (json.dumps({name: [row[name] for row in ROWS] for name in ROWS[0]}).encode(), {}),
    "a header and rows": (json.dumps([[*ROWS[0]], *([*row.values()] for row in ROWS)]).encode(), {}),
    "within an object": (json.dumps({"updated": "2026-11-01", "models": ROWS}).encode(), {}),
    "wrapped": (json.dumps({"meta": {"n": 2}, "result": {"models": ROWS}}).encode(), {"records": "result.models"}),
}


@pytest.mark.parametrize("shape", [*SHAPES, "parquet"])
def test_one_list_says_the_same_in_every_shape(shape: str) -> None:
    if shape == "parquet":
        out = io.BytesIO()
        pl.DataFrame(ROWS).with_columns(pl.col("Input", "Output").cast(pl.Float64)).write_parquet(out)
        content, more = out.getvalue(), dict[str, Any]()
    else:
        content, more = SHAPES[shape]
    assert usd(read(content, FLAT | more)) == {
        ("m-1", "input_uncached"): Decimal("0.3"),
        ("m-1", "output_text"): Decimal("1.2"),
        ("m-2", "input_uncached"): 3,
        ("m-2", "output_text"): 15,
    }


@pytest.mark.parametrize("value", ["€3", "3,5", "-1", "free", "NaN", True])
def test_an_amount_that_is_none_costs_itself(value: object) -> None:
    found = read(json.dumps([{"Model": "m", "Input": value, "Output": 2}]).encode(), FLAT)
    assert usd(found) == {("m", "output_text"): 2}
    assert any("m: Input: expected an amount" in text for text in found.not_understood)


def test_a_price_that_the_declaration_does_not_know_is_named() -> None:
    found = read(
        json.dumps([{"Model": "m", "Input": 1, "Output": 2, "Cached input": 0.1, "max_output": 8192}]).encode(), FLAT
    )
    assert found.not_understood == {"m: Cached input: not understood: 0.1"}


@pytest.mark.parametrize(
    "content", [b"Model,Input\nm,1\n", b"Model,Input,Output\nm,1\n", b'{"status": "ok"}', b"<html></html>"]
)
def test_a_list_of_another_shape_is_refused(content: bytes) -> None:
    with pytest.raises(PriceFeedError):
        read(content, FLAT)


def test_mistakes_in_the_declaration_are_named() -> None:
    wrong = {"model_field": "id", "columns": {"in": {"meter": "input"}}, "provider": "a", "provider_field": "b"}
    assert {key for key, _ in option_mistakes(wrong)} >= {("columns", "in", "meter")}
    assert option_mistakes(FLAT) == []
    # YAML takes '\t' in single quotes for two characters; the file was refused for its shape.
    assert [key for key, _ in option_mistakes(FLAT | {"delimiter": "\\t"})] == [("delimiter",)]
    assert option_mistakes(FLAT | {"delimiter": "\t"}) == []


@pytest.mark.parametrize(
    ("written", "value"), [("true", True), ("True", True), ("false", False), ("1", 1), ("1.5", 1.5)]
)
def test_a_record_is_taken_by_a_value_that_is_no_text(written: str, value: object) -> None:
    """`true` of JSON was compared as Python writes it, and no record was taken."""
    listed = [{"id": "m", "in": 3, "is": value}, {"id": "n", "in": 4, "is": "other"}]
    options = {
        "provider": "acme",
        "model_field": "id",
        "when": {"is": written},
        "columns": {"in": {"meter": "input_uncached"}},
    }
    assert [price.raw_model for price in read(json.dumps(listed).encode(), options).prices] == ["m"]


TIERED = {"input": "0.000001", "output": "0.00001", "input_tiers": [{"cost": "0.000001", "min": 0, "max": 200001}, {"cost": "0.000002", "min": 200001}]}  # fmt: skip


def test_prices_by_prompt_size_are_read_where_declared_and_else_named() -> None:
    """Long prompts cost as short ones, without a word."""
    content = json.dumps({"data": [{"id": "m", "pricing": TIERED}]}).encode()
    assert [name.partition(": not")[0] for name in read(content, VERCEL).not_understood] == ["m: pricing.input_tiers"]
    steps = {"pricing.input_tiers": {"meter": "input_uncached", "per": 1}}
    found = read(content, {**VERCEL, "steps": steps})
    assert found.not_understood == frozenset()
    inputs = [(p.context_from_tokens, p.unit_price) for p in found.prices if p.meter == "input_uncached"]
    assert inputs == [(0, Decimal("0.000001")), (200001, Decimal("0.000002"))]
    broken = {"cost": "0.000002", "min": "many"}
    content = json.dumps({"data": [{"id": "m", "pricing": {**TIERED, "input_tiers": [broken]}}]}).encode()
    assert len(read(content, {**VERCEL, "steps": steps}).not_understood) == 1


@pytest.mark.parametrize(
    ("tiers", "named"),
    [
        ([{"cost": "1", "max": 9}, {"cost": "2", "min": 9}], []),
        ([{"cost": "1"}, {"cost": "2", "from": 9}], ["1"]),
        ([{"price": "1", "min": 0}, {"price": "2", "min": 9}], ["0", "1"]),
        ('[{"cost": "2", "min": 9}]', [""]),
    ],
)
def test_a_step_without_its_size_or_its_price_is_named(tiers: object, named: list[str]) -> None:
    """A list with other names of fields than the declared ones left long prompts at the price of short ones."""
    content = json.dumps({"data": [{"id": "m", "pricing": {**TIERED, "input_tiers": tiers}}]}).encode()
    found = read(content, {**VERCEL, "steps": {"pricing.input_tiers": {"meter": "input_uncached", "per": 1}}})
    places = [f"m: pricing.input_tiers{place and '.'}{place}" for place in named]
    assert sorted(text.partition(": not")[0] for text in found.not_understood) == places


def test_prices_next_to_the_declared_ones_and_deeper_are_named() -> None:
    """Portkey states each price in an object of its own: what a declaration left out went without a word."""
    units = {"request_token": {"price": 1}, "response_token": {"price": 2}, "cache_read_input_token": {"price": 0.1}}
    more = {"additional_units": {"web_search": {"price": 1}, "free": {"price": 0}}}
    content = json.dumps({"m": {"pricing_config": {"currency": "USD", "pay_as_you_go": units | more}}}).encode()
    assert {name.split(": ")[1].removeprefix("pricing_config.pay_as_you_go.") for name in read(content, PORTKEY).not_understood} == {
        "cache_read_input_token.price", "additional_units.web_search.price"
    }  # fmt: skip


def test_a_price_of_the_record_itself_is_named_where_the_declared_ones_lie_in_objects_of_their_own() -> None:
    columns = {
        f"{name}.price.usd": {"meter": meter} for name, meter in (("in", "input_uncached"), ("out", "output_text"))
    }
    record = {"id": "m", "in": {"price": {"usd": 1}}, "out": {"price": {"usd": 2}}, "cache_read": 0.1}
    found = read(json.dumps([record]).encode(), {"provider": "acme", "model_field": "id", "columns": columns})
    assert found.not_understood == {"m: cache_read: not understood: 0.1"}
