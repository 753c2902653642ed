"""What if: the changes of a question against the same day worked by hand, and questions that name what does not exist."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from pipelines.config.evidence import Evidence
from pipelines.config.loader import load_file
from pipelines.routing.what_if import Question, QuestionError, what_if
from tests.unit.routing.test_projection import HYBRID, arm, policies, project, total
from tests.unit.routing.traffic import CHEAP, STRONG, rate_card, request, requests

EVIDENCE = load_file(Evidence, "evidence.yaml", None)


def asked(**question: Any) -> dict[str, Any]:
    """The total of ten requests of 1,000 + 500 tokens on the strong model: 0.105 USD, 0.0049 on the cheap one."""
    changed, evidence, cards = what_if(Question(**question), policies(*HYBRID), EVIDENCE, rate_card())
    return total(project(requests(*(request(n) for n in range(10))), cards, changed, None, evidence=evidence))


def test_a_question_without_changes_is_answered_as_every_day() -> None:
    assert asked()["central_cost_usd"] == Decimal("0.012927")


def test_other_shares() -> None:
    found = asked(shares={"cheap": Decimal("0.98"), "strong": Decimal(0)})
    assert found["central_cost_usd"] == Decimal("0.98") * Decimal("0.0049") + Decimal("0.02") * Decimal("0.00585")


def test_arms_that_are_not_named_divide_the_rest() -> None:
    """Of nine tenths on the cheap arm seven are left; the eight and the two hundredths of the others become 24 and 6."""
    changed, _, _ = what_if(Question(shares={"cheap": Decimal("0.7")}), policies(*HYBRID), EVIDENCE, rate_card())
    assert [one.share for one in changed.policies[0].arms] == [Decimal("0.7"), Decimal("0.24"), Decimal("0.06")]


def test_the_share_of_an_arm_for_hard_requests_moves_its_threshold() -> None:
    config = policies(*HYBRID[:1], arm("strong", STRONG, "0.10"))
    hard = config.policies[0].arms[1].model_copy(update={"share": None, "difficulty_above": Decimal("0.9")})
    declared = config.policies[0].model_copy(update={"arms": (config.policies[0].arms[0], hard)})
    shares = {"cheap": Decimal("0.7"), "strong": Decimal("0.3")}
    for asked, threshold, share in (
        (shares, Decimal("0.7"), None),
        ({"cheap": Decimal(1), "strong": Decimal(0)}, None, 0),
    ):
        changed, _, _ = what_if(
            Question(shares=asked), config.model_copy(update={"policies": (declared,)}), EVIDENCE, rate_card()
        )
        found = changed.policies[0].arms[1]
        assert (found.difficulty_above, found.share) == (threshold, share)


def test_another_price_of_one_seller() -> None:
    found = asked(prices={(*CHEAP, "output_text"): Decimal("0.84")})
    assert found["central_cost_usd"] == Decimal("0.012927") + Decimal("0.9") * Decimal("0.0021")


def test_what_has_no_price_of_its_own_follows_the_price_that_is_asked_for() -> None:
    """Reasoning costs what output costs; a cache write of five minutes follows the general one, where that is asked for, else plain input. Reads have
    their own price."""
    steps = '{"output_reasoning": "output_text", "input_cache_write": "input_uncached", "input_cache_write_5m": "input_uncached"}'
    card = rate_card().with_columns(fallbacks=pl.lit(steps))
    asked_for = {(*CHEAP, "output_text"): Decimal(7), (*CHEAP, "input_uncached"): Decimal(2)}
    names = (
        "output_text",
        "output_reasoning",
        "input_uncached",
        "input_cache_read",
        "input_cache_write",
        "input_cache_write_5m",
    )

    def rates(prices: dict[tuple[str, str, str], Decimal], who: tuple[str, str] = CHEAP) -> list[Decimal]:
        _, _, found = what_if(Question(prices=prices), policies(*HYBRID), EVIDENCE, card)
        return [*found.filter(model_id=who[1]).select(f"{name}_usd_per_mtok" for name in names).row(0)]

    assert rates(asked_for) == [7, 7, 2, Decimal("0.028"), 2, 2]
    assert rates(asked_for | {(*CHEAP, "input_cache_write"): Decimal(3)}) == [7, 7, 2, Decimal("0.028"), 3, 3]
    assert rates(asked_for, STRONG)[:3] == [15, 15, 3]


def test_another_number_of_tokens() -> None:
    found = asked(tokens={(CHEAP[1], "output"): 2.0})
    assert found["central_cost_usd"] == Decimal("0.012927") + Decimal("0.9") * Decimal("0.0021")


def test_a_fee_and_another_unit() -> None:
    found = asked(router_fee_usd=Decimal("0.001"), unit="request")
    assert found["central_cost_usd"] == Decimal("0.022927")
    assert '"unit": "request"' in found["assumptions"]


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"policy": "nope"}, "policy 'nope' is not declared in routing.yaml; accepted: hybrid"),
        ({"shares": {"dear": Decimal(1)}}, "policy hybrid has no arm 'dear'; accepted: cheap, strong, tuned"),
        (
            {"shares": {"cheap": Decimal("0.5"), "strong": Decimal("0.08"), "tuned": Decimal("0.02")}},
            "shares must add up to 1, found 0.5 + 0.08 + 0.02 = 0.60",
        ),
        (
            {"prices": {("openai", STRONG[1], "output_text"): Decimal(1)}},
            "no price of strong-closed at openai is known",
        ),
        ({"shares": {"cheap": Decimal("1.5")}}, "share of cheap: found 1.5, accepted is a number from 0 to 1"),
        ({"router_fee_usd": Decimal(-1)}, "router fee: found -1, accepted is a number from 0 on"),
        (
            {"tokens": {("cheep-open", "output"): 2.0}},
            "no model 'cheep-open' is priced or named in routing.yaml; policy hybrid has cheap-open, strong-closed, tuned",
        ),
    ],
)
def test_what_does_not_exist_is_named_with_what_is_accepted(question: dict[str, Any], message: str) -> None:
    with pytest.raises(QuestionError) as error:
        asked(**question)
    assert message in str(error.value)
