"""Token counts of boards as evidence: against values worked by hand, and in a projection's row."""

from __future__ import annotations

import json
from decimal import Decimal
from math import exp, log

import pytest

from pipelines import routing
from pipelines.config.evidence import BoardRatios, Effect
from pipelines.routing.board_ratios import board_effects
from tests.unit.routing.test_arms import CERTAIN, arm, config
from tests.unit.routing.traffic import CHEAP, STRONG, rate_card, request, requests, score, scores

EVIDENCE = CERTAIN.model_copy(
    update={
        "effects": (
            Effect(measure="input", log_sd=0, grade="E", source="s"),
            Effect(measure="output", log_sd=1.2, grade="C", source="s"),
        ),
        "boards": BoardRatios(log_sd=0.8, source="two boards"),
    }
)


def counted(model: str, tokens: int, board: str = "aider", version: str = "aider@1#0") -> dict[str, object]:
    return score(model, 50.0, version, board=board, run_output_tokens=tokens)


BOARD = scores(counted(CHEAP[1], 400_000), *(counted(f"m{n}", 100_000) for n in range(4)))


def test_a_boards_ratio_is_drawn_towards_a_typical_model_as_far_as_boards_are_off() -> None:
    """Four times the median: log 4, with weight 1.44 / (1.44 + 0.64)."""
    (line,) = board_effects(BOARD, EVIDENCE, [CHEAP[1]])
    assert line.log_mean == pytest.approx(log(4) * 1.44 / (1.44 + 0.64))
    assert line.log_sd == pytest.approx((1 / (1 / 1.44 + 1 / 0.64)) ** 0.5)
    assert line.source == "output tokens on aider, drawn towards a typical model; two boards"


def test_two_boards_count_twice_and_two_metrics_of_one_run_once() -> None:
    other = [counted(f"m{n}", 100_000, "aa", "aa@1#0") for n in range(4)]
    again = [counted(f"m{n}", 100_000, version="aider@2#0") for n in range(4)]
    both = scores(
        *BOARD.to_dicts(),
        counted(CHEAP[1], 400_000, version="aider@2#0"),
        *again,
        counted(CHEAP[1], 200_000, "aa", "aa@1#0"),
        *other,
    )
    (line,) = board_effects(both, EVIDENCE, [CHEAP[1]])
    assert line.log_mean == pytest.approx((log(4) + log(2)) / 0.64 / (1 / 1.44 + 2 / 0.64))
    assert "aa, aider" in line.source


def test_a_board_of_few_models_says_nothing_and_neither_does_one_without_a_line_on_boards() -> None:
    assert not list(board_effects(BOARD.head(4), EVIDENCE, [CHEAP[1]]))
    assert not list(board_effects(BOARD, EVIDENCE.model_copy(update={"boards": None}), [CHEAP[1]]))


def test_the_ratio_is_in_the_cost_and_named_in_the_row_unless_evidence_has_a_line_of_its_own() -> None:
    def total(*own: Effect) -> dict[str, object]:
        evidence = EVIDENCE.model_copy(update={"effects": (*own, *EVIDENCE.effects)})
        policy = config(arm("cheap", CHEAP, share="1"))
        found = routing.project(requests(request(1)), rate_card(), policy, BOARD, evidence=evidence).projection
        return found.filter(arm="total").row(0, named=True)

    factor = exp(log(4) * 1.44 / (1.44 + 0.64))
    usd = Decimal("0.00028") + Decimal("0.00021") * Decimal(f"{factor:.6f}")
    board = total()
    assert board["projected_cost_usd"] == usd
    assert "output tokens on aider" in json.loads(str(board["assumptions"]))["tokens"][f"output, {CHEAP[1]}"]
    own = Effect(measure="output", model=CHEAP[1], log_mean=0, log_sd=0.1, grade="A", source="own")
    assert total(own)["projected_cost_usd"] == Decimal("0.00049")
    assert STRONG[1] not in str(json.loads(str(board["assumptions"]))["tokens"])
