"""Answers that were asked for again: counted on sessions worked by hand, and what they do to a projection."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from pipelines.config.evidence import Escalation
from pipelines.routing.repeats import attempts, escalations, repeats
from tests.unit.routing.test_arms import CERTAIN, CHEAP_USD, HALF, STRONG_USD, arm, config, projected
from tests.unit.routing.traffic import CHEAP, STRONG, rate_card, request, requests

START = datetime(2026, 2, 20, 9, tzinfo=UTC)


def session(name: str, *calls: tuple[tuple[str, str], int, int]) -> list[dict[str, Any]]:
    """Calls of one session: model, seconds since the first, tokens of the prompt."""
    return [
        request(
            1000 * sum(map(ord, name)) + number,
            model,
            session_id=name,
            event_at=START + timedelta(seconds=seconds),
            input_uncached_tokens=prompt,
        )
        for number, (model, seconds, prompt) in enumerate(calls)
    ]


def counted(*rows: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["model_id"]: row for row in repeats(requests(*rows), rate_card()).to_dicts()}


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((CHEAP, 0, 1000), (STRONG, 60, 1100), (0, 1, 0)),  # asked again on the dearer one
        ((CHEAP, 0, 1000), (STRONG, 601, 1000), (0, 0, 0)),  # later than ten minutes
        ((CHEAP, 0, 1000), (STRONG, 60, 1300), (0, 0, 0)),  # another prompt
        ((CHEAP, 0, 1000), (STRONG, 60, 790), (0, 0, 0)),
        ((CHEAP, 0, 10_000), (STRONG, 60, 10_500), (0, 0, 0)),  # the next turn, which holds the answer of 500 tokens
        ((CHEAP, 0, 1000), (CHEAP, 60, 1000), (1, 0, 0)),  # the same again
        ((CHEAP, 0, 1000), (CHEAP, 60, 1001), (0, 0, 0)),
        ((STRONG, 0, 1000), (CHEAP, 60, 1000), (0, 0, 1)),  # the other way round: how often that is chance
    ],
)
def test_what_is_asked_again(first: Any, second: Any, expected: tuple[int, int, int]) -> None:
    found = counted(*session("a", first, second), *session("b", (CHEAP, 0, 70), (STRONG, 0, 5000)))[CHEAP[1]]
    assert (found["retried"], found["escalated"], found["came_down"]) == expected
    assert found["escalated_cost_usd"] == (Decimal("0.0033") + Decimal("0.0075") if expected[1] else 0)


def test_only_requests_whose_use_case_has_a_dearer_model_could_be_asked_again_there() -> None:
    alone = [row | {"application": "batch"} for row in session("a", (CHEAP, 0, 1000), (CHEAP, 99, 1000))]
    found = counted(*alone, *session("b", (CHEAP, 0, 70), (STRONG, 0, 5000)), request(7, CHEAP))
    assert (found[CHEAP[1]]["requests"], found[CHEAP[1]]["could_escalate"], found[CHEAP[1]]["retried"]) == (3, 1, 1)
    assert found[STRONG[1]]["could_escalate"] == 0


def test_rates_become_lines_of_evidence_less_what_is_chance() -> None:
    """12 of 100 up and 2 down are 10 %; models without a line of their own take the rate of all, as unsure as it is large."""
    columns = ("requests", "retried", "could_escalate", "escalated", "came_down")
    rows = [(CHEAP[1], 100, 5, 100, 12, 2), (STRONG[1], 100, 15, 0, 0, 0), ("rare", 49, 40, 49, 40, 0)]
    frame = pl.DataFrame([dict(zip(("model_id", *columns), row, strict=True)) for row in rows])
    lines = {line.model: line for line in escalations(frame)}
    assert lines.keys() == {CHEAP[1], "*"}
    assert (lines[CHEAP[1]].share, lines[CHEAP[1]].grade, lines["*"].grade) == (pytest.approx(0.1), "A", "C")
    assert lines[CHEAP[1]].share_sd == pytest.approx(15**0.5 / 100)
    assert lines["*"].share == lines["*"].share_sd == pytest.approx(0.1)
    factors = {line.model: line for line in attempts(frame)}  # 1.05 and 1.15 against 1.1 of both together
    assert 2.718281828 ** factors[CHEAP[1]].log_mean == pytest.approx(1.05 / 1.1, rel=1e-6)
    assert list(attempts(frame.head(1))) == []
    own = CERTAIN.model_copy(update={"escalations": (Escalation(model=CHEAP[1], share=0.5, grade="B", source="s"),)})
    known = own.with_escalations(list(escalations(frame)))
    assert (known.escalation(CHEAP[1]).share, known.escalation("other").share) == (0.5, pytest.approx(0.1))  # type: ignore[union-attr]


def test_what_is_asked_again_is_paid_on_the_dearest_arm() -> None:
    """A tenth of the cheap arm's five requests are answered by the strong one too. What ran on the cheap model had its second answers."""
    again = CERTAIN.model_copy(update={"escalations": (Escalation(model="*", share=0.1, grade="E", source="made up"),)})
    rows = [request(n) for n in range(10)]
    found = projected(*rows, policies=config(*HALF), evidence=again)
    assert found["cheap"]["central_cost_usd"] == 5 * CHEAP_USD
    assert found["strong"]["central_cost_usd"] == Decimal("5.5") * STRONG_USD
    assert Decimal(json.loads(found["total"]["waterfall"])["second_answers"]) == STRONG_USD / 2
    assert found["total"]["saving_share_low_95"] == pytest.approx(found["total"]["saving_share"])
    assert json.loads(found["total"]["assumptions"])["asked_again"] == {"cheap": "10.00% (E: made up)"}
    ran = projected(*(request(n, CHEAP) for n in range(10)), policies=config(*HALF), evidence=again)
    assert ran["strong"]["central_cost_usd"] == 5 * STRONG_USD
    alone = projected(
        *rows, policies=config(arm("one", STRONG, share="0.5"), arm("two", STRONG, share="0.5")), evidence=again
    )
    assert alone["total"]["saving_usd"] == 0
