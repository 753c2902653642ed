"""Gap and silent change on the page: plain words first, what they touch, and nothing claimed that noise may explain."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import psycopg
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from pipelines.config.policies import Arm, Policy
from pipelines.config.routing import RoutingConfig
from tests.unit.finops import books
from tests.unit.finops.books import DAY

Page = Callable[..., HTMLParser]
Connection = psycopg.Connection[Any]


def gap_row(day: int, gap: float, low: float | None, high: float | None) -> dict[str, Any]:
    return {
        "event_date": DAY - timedelta(days=day), "board": "mmlu", "benchmark_version_id": "mmlu@1#0",
        "best_open_model": "DeepSeek V3", "best_open_score": 88.5, "best_closed_model": "GPT-4o",
        "best_closed_score": 88.5 + gap, "gap": gap, "gap_adjusted": gap, "gap_low": low, "gap_high": high,
        "top_k": 5, "lag_days": 30, "lag_is_minimum": False, "n_open": 1, "n_closed": 1, "n_unknown": 0,
        "best_open_rank_from": 1, "best_open_rank_to": 2, "gap_stderr": 0.4, "min_detectable": 0.8, "paired_items": 500,
        "release_lag_days": 46,
    }  # fmt: skip


def with_gaps(connection: Connection, *rows: dict[str, Any]) -> None:
    books.write(connection, books.small_day())
    books.add(
        connection, "core.benchmark",
        {"benchmark_id": "mmlu", "display_name": "MMLU", "metric_kind": "accuracy", "unit": "percent", "lower_is_better": False},
    )  # fmt: skip
    books.add(
        connection, "core.benchmark_version",
        {"benchmark_version_id": "mmlu@1#0", "benchmark_id": "mmlu", "version_label": "1", "scale_epoch": 0, "valid_from": DAY},
    )  # fmt: skip
    books.add(connection, "mart.benchmark_gap", *rows)


def alarm(is_alarm: bool, model: str = "gpt-4o") -> dict[str, Any]:
    return {
        "event_date": DAY, "provider_id": "openai", "model_id": model, "use_case": "helpdesk", "metric": "output_tokens",
        "n_day": 40, "n_reference": 400, "reference_days": 10, "comparable_share": 1.0, "effect": -0.3,
        "min_detectable": 0.12, "is_alarm": is_alarm, "explanation": f"{model} answers shorter." if is_alarm else "Same.",
    }  # fmt: skip


def quality(parser: HTMLParser) -> str:
    return " ".join(parser.css("#quality")[0].text().split())


def test_the_gap_is_reported_with_its_noise_and_its_past(connection: Connection, page: Page) -> None:
    with_gaps(connection, gap_row(90, 17.5, 16.0, 19.0), gap_row(1, 0.6, -0.4, 1.6), gap_row(-1, 99.0, None, None))
    text = quality(page())
    assert "The best closed model, GPT-4o, is 0.6 percentage points ahead of DeepSeek V3" in text
    assert "with −0.4 to +1.6 possible at 95 %, that is no proven difference." in text
    assert "the gap was +17.5" in text
    assert "A closed model first had what the open one has now 30 days before." in text
    assert "99.0" not in text  # of the day after
    cells = [cell.text().strip() for cell in page().css("#gap tbody tr td")]
    assert cells[:4] == ["+0.6", "−0.4 to +1.6on the same 500 items", "+0.6", "0.8"]
    assert "The open model was released 46 days after the first closed one as good." in text


def test_a_gap_beyond_noise_is_called_none_the_less_by_its_bounds(connection: Connection, page: Page) -> None:
    with_gaps(connection, gap_row(9, 17.5, 16.0, 19.0), gap_row(1, -3.0, -4.0, -2.0))
    text = quality(page())
    assert "is 3.0 percentage points behind DeepSeek V3, the best open one; between −4.0 and −2.0 at 95 %." in text


def test_without_gaps_and_comparisons_the_page_says_so(connection: Connection, page: Page) -> None:
    books.write(connection, books.small_day())
    text = quality(page())
    assert "No benchmark lists both an open and a closed model yet." in text
    assert "No served model could be compared with its past" in text


def test_only_alarms_are_listed_and_say_what_they_touch(connection: Connection, page: Page) -> None:
    books.write(connection, books.small_day())
    rows = connection.execute(
        "select model_id, effective_cost_usd from mart.daily_model_spend where event_date = %s "
        "and effective_cost_usd > 0 order by 2 desc limit 1",
        [DAY],
    ).fetchone()
    assert rows is not None
    model, cost = rows
    books.add(connection, "mart.request_drift", alarm(True, model), alarm(False, "other"))
    arm = Arm.model_validate({"arm": "strong", "provider_id": "p", "model_id": model, "share": "1"})
    routing = RoutingConfig(policies=(Policy(policy="all", baselines=("actual",), arms=(arm,)),))
    parser = page(routing=routing)
    assert "2 comparisons of 2 models on this day, 1 is more than noise." in quality(parser)
    listed = [row.text() for row in parser.css("#silent tbody tr")]
    assert len(listed) == 1
    assert f"{Decimal(cost):,.2f} USD were spent on it on {DAY} and it is routed to by all (strong)." in listed[0]
    assert "0.120" in listed[0]


def test_the_landscape_reports_own_gap_is_drawn_however_many_boards_there_are(
    connection: Connection, page: Page
) -> None:
    """ "17.5 points to zero" has two days; boards with a year of exports must not push it off the page."""
    busy = [{**gap_row(day, 5.0, 4.0, 6.0), "board": f"board{n}"} for n in range(4) for day in (1, 2, 3, 4)]
    own = [{**gap_row(day, gap, None, None), "board": "landscape_report"} for day, gap in ((800, 17.5), (1, -0.5))]
    with_gaps(connection, *busy, *own)
    assert "the gap was +17.5" in quality(page())


def test_every_class_of_event_has_a_name_for_people() -> None:
    """The page of a day with an event of a new class would not be made at all."""
    from pipelines.finops.report.evidence import _CLASSES
    from pipelines.warehouse.tables.mart_benchmarks import BENCHMARK_DRIFT

    described = next(column.description for column in BENCHMARK_DRIFT.columns if column.name == "drift_class")
    assert set(described.rstrip(".").replace(" or ", ", ").split(", ")) == set(_CLASSES)
