"""The landscape report's scenario, projected: 90/8/2 against GPT-4o, a million tokens read and a million written each day.

First under the report's own assumptions: every model takes the same tokens, no cache, no router fee, requests alike in length. Its prices
give 90.5 %, prices of other dates (price maps and pages, docs/claims.md) give other answers. Then with what `evidence.yaml` says of
models, hard requests going to the strong arm. `python -m tests.unit.routing.test_report_scenario` prints the table of docs/routing.md.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from pipelines import routing
from pipelines.config.evidence import Effect, Evidence, Transfer
from pipelines.config.loader import load_file
from pipelines.config.policies import Policy
from pipelines.config.routing import Baseline, RoutingConfig
from tests.unit.routing.traffic import rate_card, request, requests

CHEAP, TUNED, STRONG = ("deepseek", "deepseek-chat"), ("groq", "specialised"), ("openai", "gpt-4o")
REQUESTS = 100
AS_ASSUMED = Evidence(
    effects=tuple(Effect(measure=one, log_sd=0, grade="E", source="-") for one in ("input", "output", "loop")),
    transfers=(Transfer(logit_sd=0, grade="E", source="-"),),
)
PRICES = {
    "the report's": ("0.07", "0.14"),
    "DeepSeek V3, list of 2025-02-08": ("0.27", "1.10"),
    "DeepSeek V3.2, 2026-02-26, the report's date": ("0.28", "0.42"),
    "DeepSeek V4 Pro, 2026-08": ("1.74", "3.48"),
}
"""USD per million tokens of input and output on the cheap arm; GPT-4o costs 2.50 and 10.00 throughout."""


@cache
def scenario(cheap: tuple[str, str], *, as_assumed: bool) -> dict[str, Any]:
    """The total of 90/8/2 at those prices."""
    prices = dict(zip(("input_uncached", "output_text"), cheap, strict=True))
    card = rate_card({CHEAP: prices, TUNED: prices, STRONG: {"input_uncached": "2.50", "output_text": "10.00"}})
    each = 1_000_000 // REQUESTS
    sizes = {"input_uncached_tokens": each, "output_text_tokens": each}
    day = requests(*(request(number, STRONG, **sizes) for number in range(REQUESTS)), card=card)
    to_strong = {"share": "0.08"} if as_assumed else {"difficulty_above": "0.92"}
    arms = [
        {"arm": name, "provider_id": offer[0], "model_id": offer[1], **taken}
        for name, offer, taken in (
            ("cheap", CHEAP, {"share": "0.90"}),
            ("strong", STRONG, to_strong),
            ("special", TUNED, {"share": "0.02"}),
        )
    ]
    policy = Policy.model_validate({"policy": "hybrid_90_8_2", "baselines": ["actual"], "arms": arms})
    config = RoutingConfig(baselines=(Baseline(baseline="actual"),), policies=(policy,))
    evidence = AS_ASSUMED if as_assumed else load_file(Evidence, "evidence.yaml", None)
    found = routing.project(day, card, config, None, evidence=evidence).projection
    return found.filter(arm="total", method="policy").row(0, named=True)


# Worked by hand: 92 % x (1 - (input + output) / 12.50).
@pytest.mark.parametrize(("prices", "saving"), [*zip(PRICES, (0.904544, 0.819168, 0.86848, 0.535808), strict=True)])
def test_its_own_assumptions_give_its_saving_and_dated_prices_another(prices: str, saving: float) -> None:
    found = scenario(PRICES[prices], as_assumed=True)
    assert found["saving_share"] == pytest.approx(saving, abs=1e-12)
    assert found["saving_share_low_95"] == pytest.approx(saving) == found["saving_share_high_95"]
    assert found["probability_saving_85"] == (saving >= 0.85)


# At the middle of every assumption by hand: hard requests are exp(0.5) times as long, so that the cheap arms have 0.92 / (0.92 + 0.08 x 1.6487)
# = 87.461 % of the tokens. Median and interval are what docs/routing.md says.
@pytest.mark.parametrize(
    ("prices", "saving", "median", "interval"),
    [
        *zip(
            PRICES,
            (0.859917, 0.778757, 0.825633, 0.509373),
            (0.85, 0.76, 0.81, 0.49),
            ((0.56, 0.92), (-1.21, 0.89), (0.03, 0.90), (-5.72, 0.77)),
            strict=True,
        )
    ],
)
def test_what_models_take_makes_an_interval_of_it(
    prices: str, saving: float, median: float, interval: tuple[float, float]
) -> None:
    found = scenario(PRICES[prices], as_assumed=False)
    assert float(1 - found["central_cost_usd"] / found["baseline_cost_usd"]) == pytest.approx(saving, abs=1e-5)
    assert found["saving_share"] == pytest.approx(median, abs=0.006)
    assert found["saving_share_low_50"] < found["saving_share"] < found["saving_share_high_50"]
    assert (found["saving_share_low_95"], found["saving_share_high_95"]) == pytest.approx(interval, abs=0.006)
    assert found["evidence_grade"] == "E"  # no scores, no quality


if __name__ == "__main__":
    for name, cheap in PRICES.items():
        assumed, shipped = (scenario(cheap, as_assumed=one) for one in (True, False))
        central = float(1 - shipped["central_cost_usd"] / shipped["baseline_cost_usd"])
        low, high = (shipped[f"saving_share_{end}_95"] for end in ("low", "high"))
        print(
            f"| {name} | {' / '.join(cheap)} | {assumed['saving_share']:.1%} | {central:.1%} | {shipped['saving_share']:.1%} ({low:.0%} to {high:.0%}) | "
            f"{shipped['probability_saving_85']:.0%} |"
        )
