"""The requests of the price cases through a `mapping`, priced by one map alone: each comes out as its line says."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

from pipelines.config import load_config
from pipelines.models import build_registry, resolve_requests
from pipelines.prices import (
    build_ledger,
    build_rate_card,
    dated_aliases,
    feed_names,
    parse_feed,
    rate,
    with_separate_lists,
)
from tests.contracts.prices.conftest import LITELLM
from tests.unit.prices.landed import landed_file
from tests.unit.requests.helpers import parse_records, rows

OPTIONS = {
    "columns": {
        "source_request_id": "id", "event_at": "ts", "provider_id": "provider", "request_model": "model", "service_tier": "tier",
        "region": "region", "input": "input", "output": "output",
    }
}  # fmt: skip
NO_AMOUNT = {"unknown-tier-nobody-prices": None, "agent-api-list": Decimal("1.1")}


def test_every_request_costs_what_its_line_says(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "cases" / "prices"
    snapshot = parse_feed(landed_file(folder / "litellm_map_2026-10-01.json", "litellm_map"), LITELLM)
    models = load_config(None).models
    registry = build_registry(models, feed_names([snapshot]), dated_aliases([snapshot], models))
    registry = with_separate_lists(registry, [snapshot])
    lines = [json.loads(line) for line in (folder / "requests_2026-10-02.jsonl").read_text().splitlines()]
    requests = resolve_requests(
        rows(parse_records(tmp_path, "mapping", lines, arrival=date(2026, 10, 2), options=OPTIONS)), registry
    )
    rated = rate(requests, build_rate_card(build_ledger(LITELLM, [snapshot], registry), [LITELLM]))
    expected = {
        line["id"]: NO_AMOUNT[line["id"]] if line["id"] in NO_AMOUNT else Decimal(line["expected_usd"])
        for line in lines
    }
    assert dict(rated.select("source_request_id", "list_cost_usd").iter_rows()) == expected
    reasons = rated.filter(source_request_id="unknown-tier-nobody-prices")["unpriced_reason"].to_list()
    assert reasons == ["no_price_for_tier"]


def test_two_lists_of_one_seller_are_never_mixed(shared_data: Path) -> None:
    folder = shared_data / "cases" / "prices"
    snapshot = parse_feed(landed_file(folder / "litellm_map_2026-10-01.json", "litellm_map"), LITELLM)
    registry = build_registry(load_config(None).models, feed_names([snapshot]))
    names = [
        registry.resolve("perplexity", name).model_id
        for name in ("sonar", "perplexity/sonar", "perplexity/perplexity/sonar")
    ]
    assert names == ["sonar", "sonar", "perplexity/perplexity/sonar"]
