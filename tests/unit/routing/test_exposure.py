"""A drift event names the routes and the spend that it touches, and only those."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl

from pipelines.benchmarks import build_scores, detect_drift
from pipelines.config import load_config
from pipelines.config.policies import Arm, Policy
from pipelines.config.routing import RoutingConfig
from pipelines.models import build_registry
from pipelines.routing.exposure import Exposure, exposure_of, with_exposure
from tests.unit.benchmarks.boards import LMARENA, arena, export, models


def test_the_event_of_a_model_in_use_names_routes_and_spend(tmp_path: Path) -> None:
    ratings = models(30) | {"gpt-4o": 1340.0}
    fallen = ratings | {"gpt-4o": 1300.0, "model-05": ratings["model-05"] + 60}
    days = ("2026-02-01", "2026-02-08")
    history = [
        export(tmp_path, LMARENA, day, {"full": arena(r)}) for day, r in zip(days, (ratings, fallen), strict=True)
    ]
    registry = build_registry(load_config(None).models, [])
    events = detect_drift(LMARENA, history, build_scores(LMARENA, history, registry))
    arm = Arm.model_validate({"arm": "strong", "provider_id": "openai", "model_id": "gpt-4o", "share": "1"})
    policies = RoutingConfig(policies=(Policy(policy="all_strong", baselines=("actual",), arms=(arm,)),))
    spend = pl.DataFrame(
        {
            "event_date": [date(2026, 2, 7), date(2026, 2, 7), date(2026, 2, 6), date(2026, 2, 9)],
            "model_id": ["gpt-4o", "gpt-4o", "gpt-4o", "gpt-4o"],
            "effective_cost_usd": [Decimal("10.25"), Decimal("2.5"), Decimal(99), Decimal(99)],
        },
        schema_overrides={"effective_cost_usd": pl.Decimal(38, 18)},
    )
    stated = with_exposure(events, policies, spend)
    assert dict(stated.schema) == dict(events.schema)
    drift = stated.filter(pl.col("model_id") == "gpt-4o").row(0, named=True)
    assert (
        "12.75 USD were spent on it on 2026-02-07 and it is routed to by all_strong (strong)." in drift["explanation"]
    )
    found = exposure_of("gpt-4o", drift["event_date"], policies, spend)
    assert found == Exposure(("all_strong (strong)",), date(2026, 2, 7), Decimal("12.75"))
    rest = pl.col("event_id") != drift["event_id"]
    assert stated.filter(rest).equals(events.filter(rest))
    assert with_exposure(events, RoutingConfig(), spend.clear()).equals(events)


def test_only_an_alarm_of_the_log_names_what_it_touches() -> None:
    rows = [
        {"event_date": date(2026, 2, 8), "model_id": "gpt-4o", "is_alarm": is_alarm, "explanation": "Shorter."}
        for is_alarm in (True, False)
    ]
    spend = pl.DataFrame(
        {
            "event_date": [date(2026, 2, 8), date(2026, 2, 8)],
            "model_id": ["gpt-4o", "gpt-4o"],
            "effective_cost_usd": [Decimal("1234.5"), None],
        },
        schema_overrides={"effective_cost_usd": pl.Decimal(38, 18)},
    )
    stated = with_exposure(pl.DataFrame(rows), RoutingConfig(), spend)["explanation"].to_list()
    assert stated == ["Shorter. 1,234.50 USD were spent on it on 2026-02-08.", "Shorter."]
