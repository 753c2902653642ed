"""The case that was measured: agents' tasks on GPT-5, of which DeepSeek V3.2 takes 92 %, saved .828 on SWE-bench.

`python -m tests.unit.routing.test_agent_traffic` prints it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from pipelines import routing
from tests.unit.routing.test_projection import arm, policies
from tests.unit.routing.traffic import rate_card, request, requests, score, scores

CHEAP, STRONG = ("deepseek", "deepseek-v3.2"), ("openai", "gpt-5")
CARD = rate_card(
    {
        CHEAP: {"input_uncached": "0.28", "input_cache_read": "0.028", "output_text": "0.42"},
        STRONG: {"input_uncached": "1.25", "input_cache_read": "0.125", "output_text": "10"},
    }
)
STEPS = 20
"""Requests of a task: 700,000 tokens are read, nine tenths of them out of a cache, and 11,000 are written."""


def task(number: int) -> list[dict[str, Any]]:
    start = datetime(2026, 2, 20, 9, tzinfo=UTC) + timedelta(minutes=number)
    return [
        request(
            number * STEPS + step,
            STRONG,
            session_id=f"task-{number}",
            event_at=start + timedelta(seconds=20 * step),
            input_uncached_tokens=70_000 // STEPS,
            input_cache_read_tokens=630_000 // STEPS,
            output_text_tokens=11_000 // STEPS,
        )
        for step in range(STEPS)
    ]


def projected_case() -> dict[str, Any]:
    """The total of 90/8/2 on 60 tasks, one session each."""
    config = policies(
        arm("cheap", CHEAP, "0.90", "session"),
        arm("strong", STRONG, "0.08", "session"),
        arm("special", CHEAP, "0.02", "session"),
        quality_benchmarks=("aider_polyglot",),
    )
    day = requests(*(row for number in range(60) for row in task(number)), card=CARD)
    known = scores(score(CHEAP[1], 60.0, n_items=500), score(STRONG[1], 65.0, n_items=500))
    found = routing.project(day, CARD, config, known).projection.filter(arm="total", method="policy")
    (total,) = found.to_dicts()
    return total


def test_the_interval_of_the_saving_holds_what_was_measured() -> None:
    total = projected_case()
    assert total["saving_share_low_95"] < 0.828 < total["saving_share_high_95"]
    assert total["quality_retained_low_95"] < 0.929 < total["quality_retained_high_95"]
    # At the same tokens: 60 tasks at 0.27625 USD, and 0.04186 of them on the cheap model.
    assert total["baseline_cost_usd"] == 60 * Decimal("0.27625")
    assert total["central_cost_usd"] == 60 * (
        Decimal("0.08") * Decimal("0.27625") + Decimal("0.92") * Decimal("0.04186")
    )


if __name__ == "__main__":
    case = projected_case()
    for name, measured in (("saving_share", 0.828), ("quality_retained", 0.929)):
        low, high = (case[f"{name}_{bound}_95"] for bound in ("low", "high"))
        print(f"{name}: {case[name]:.1%}, 95 % interval {low:.1%} to {high:.1%}; measured on SWE-bench {measured:.1%}")
