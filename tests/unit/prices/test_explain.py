"""Explanations add up to the cost and lead to the file; price look-ups show what was believed, by whom, and what wins."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest

from pipelines.prices import build_ledger, build_rate_card, explain_request, price_lookup, rate
from pipelines.prices.feed_snapshot import BEGINNING
from pipelines.warehouse.tables.raw import SNAPSHOT
from tests.unit.prices.feeds import DATED, FEED, day, price, registry_of, snapshot
from tests.unit.prices.requests_frame import requests_frame

OLD = snapshot(
    "2026-01-10", price("3"), price("15", "output_text"), price("2", "request", unit="request", pricing_quantity=1000)
)
NEW = snapshot("2026-03-01", price("2"), price("15", "output_text"))
OTHER = snapshot("2026-01-01", price("2.9", valid_from=BEGINNING, date_basis="unknown"), feed=DATED)
REGISTRY = registry_of([OLD, NEW, OTHER])
PRICES = build_ledger(FEED, [OLD, NEW], REGISTRY)
CARD = build_rate_card(PRICES, [FEED])
FILES = SNAPSHOT.empty().vstack(
    pl.DataFrame(
        [{"snapshot_id": OLD.snapshot_id, "landing_path": "prices/list/2026-01-10.json", "sha256": "ab" * 32}],
        schema=SNAPSHOT.polars_schema,
    )
)


def rated(**values: object) -> dict[str, object]:
    call = {"provider_id": "acme", "model_id": "m", "event_at": day("2026-02-01"), **values}
    return rate(requests_frame([call]), CARD).with_columns(request_uid=pl.lit(b"0123456789abcdef")).row(0, named=True)


def test_the_lines_add_up_and_lead_to_the_file() -> None:
    request = rated(input_uncached=1000, output_text=10, output_reasoning=100)
    found = explain_request(request, CARD, PRICES, FILES)
    assert [(line.meter, line.quantity, line.cost_usd, line.priced_as) for line in found.lines] == [
        ("input_uncached", 1000, Decimal("0.003"), "input_uncached"),
        ("output_text", 10, Decimal("0.00015"), "output_text"),
        ("output_reasoning", 100, Decimal("0.0015"), "output_text"),
        ("request", 1, Decimal("0.002"), "request"),
    ]
    assert sum(line.cost_usd for line in found.lines) == found.cost_usd == Decimal("0.00665")
    first = found.lines[0]
    assert (first.price["source_locator"], first.price["extracted_text"]) == ("/m/input_uncached", "3")
    assert first.snapshot is not None
    assert first.snapshot["landing_path"] == "prices/list/2026-01-10.json"


def test_what_has_no_rate_says_why() -> None:
    assert explain_request(rated(model_id="x", input_uncached=1), CARD, PRICES, FILES).reason == "no_price"
    free = explain_request(rated(is_billable=False), CARD, PRICES, FILES)
    assert (free.cost_usd, free.lines) == (0, ())
    assert "free" in str(free.reason)


def test_missing_rows_are_named() -> None:
    request = rated(input_uncached=1)
    with pytest.raises(LookupError, match=r"core\.rate_card has no row"):
        explain_request(request, CARD.clear(), PRICES, FILES)
    with pytest.raises(LookupError, match=r"core\.price has no row"):
        explain_request(request, CARD, PRICES.clear(), FILES)


def test_a_look_up_shows_every_feed_and_which_one_is_used() -> None:
    prices = pl.concat([PRICES, build_ledger(DATED, [OTHER], REGISTRY)])
    found = price_lookup("M", REGISTRY, prices, [FEED, DATED], at=day("2026-04-01"))
    rows = found.filter(pl.col("meter") == "input_uncached").select("feed", "usd_per_million", "is_used").rows()
    assert rows == [("dated", Decimal("2.9"), True), ("list", Decimal(2), False)]
    assert found.filter(pl.col("meter") == "output_text").select("feed", "is_used").rows() == [("list", True)]


def test_a_look_up_as_known_then() -> None:
    at = day("2026-04-01")
    then = price_lookup("m", REGISTRY, PRICES, [FEED], at=at, known_at=day("2026-02-01"))
    now = price_lookup("m", REGISTRY, PRICES, [FEED], at=at)
    usd = [frame.filter(pl.col("meter") == "input_uncached")["usd_per_million"].to_list() for frame in (then, now)]
    assert usd == [[Decimal(3)], [Decimal(2)]]
    assert price_lookup("m", REGISTRY, PRICES, [FEED], at=at, known_at=day("2026-01-01")).is_empty()


def test_an_unknown_model_is_an_error_that_offers_likely_names() -> None:
    with pytest.raises(LookupError, match="no model is known as 'mm'"):
        price_lookup("mm", REGISTRY, PRICES, [FEED], at=day("2026-04-01"))


def test_marginal_tiers_and_a_minimum_are_reported_line_by_line() -> None:
    part = {"context_scope": "marginal", "context_bound": "gt", "context_from_tokens": 100}
    prices = [price("3"), price("2", **part), price("0.01", "minimum_charge", unit="request", pricing_quantity=1)]
    ledger = build_ledger(FEED, [snapshot("2026-01-10", *prices)], REGISTRY)
    card = build_rate_card(ledger, [FEED])
    call = {"provider_id": "acme", "model_id": "m", "event_at": day("2026-02-01"), "input_uncached": 250}
    request = (
        rate(requests_frame([call]), card).with_columns(request_uid=pl.lit(b"0123456789abcdef")).row(0, named=True)
    )
    explanation = explain_request(request, card, ledger, FILES)
    stated = [(line.meter, line.quantity, line.cost_usd, line.price["unit_price"]) for line in explanation.lines]
    assert stated == [
        ("input_uncached", 100, Decimal("0.0003"), Decimal(3)),
        ("input_uncached", 150, Decimal("0.0003"), Decimal(2)),
        ("minimum_charge", 1, Decimal("0.0094"), Decimal("0.01")),
    ]
    assert sum(line.cost_usd for line in explanation.lines) == explanation.cost_usd == Decimal("0.01")


def test_a_look_up_states_what_is_still_to_come() -> None:
    later = price("1.5", valid_from=day("2027-01-01"), date_basis="announced")
    coming = snapshot("2026-10-10", price("0.75", valid_to=day("2027-01-01")), later)
    ledger = build_ledger(FEED, [coming], REGISTRY)
    now = price_lookup("m", REGISTRY, ledger, [FEED], at=day("2026-11-01"))
    to_come = price_lookup("m", REGISTRY, ledger, [FEED], at=day("2026-11-01"), to_come=True)
    assert [(f["usd_per_million"].to_list(), f["date_basis"].to_list()) for f in (now, to_come)] == [
        ([Decimal("0.75")], ["first_observed"]),
        ([Decimal("1.5")], ["announced"]),
    ]
