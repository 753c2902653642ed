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
from tests.unit.routing.traffic import CHEAP, RATES, STRONG, rate_card, request, requests, score, scores

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
    assert line.source == "output tokens on aider, drawn towards a typical model, two boards"


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
    assert board["central_cost_usd"] == usd
    assert "output tokens on aider" in json.loads(str(board["assumptions"]))["tokens"][f"output, {CHEAP[1]}"]
    own = Effect(measure="output", model=CHEAP[1], log_mean=0, log_sd=0.1, grade="A", source="own")
    assert total(own)["central_cost_usd"] == Decimal("0.00049")
    assert STRONG[1] not in str(json.loads(str(board["assumptions"]))["tokens"])


AGENTS = EVIDENCE.model_copy(
    update={
        "effects": (*EVIDENCE.effects, Effect(measure="loop", log_sd=0.7, grade="C", source="s")),
        "boards": BoardRatios(
            log_sd=0.8, source="b", agents=("terminal-bench", "swe"), loop_log_sd=0.5, loop_source="l"
        ),
    }
)


def test_a_task_of_an_agent_takes_the_tokens_that_its_board_counted() -> None:
    """Four times the tokens of a typical model: log 4, with weight 0.49 / (0.49 + 0.25). Boards of answers say nothing of loops."""
    runs = [(CHEAP[1], 400_000), *((f"m{n}", 100_000) for n in range(4))]
    version = "terminal-bench-core@1#0"
    known = [
        score(name, 50.0, version, board="tb", run_input_tokens=tokens * 3 // 4, run_output_tokens=tokens // 4)
        for name, tokens in runs
    ]
    loops = [line for line in board_effects(scores(*known), AGENTS, [CHEAP[1]]) if line.measure == "loop"]
    assert [line.log_mean for line in loops] == [pytest.approx(log(4) * 0.49 / (0.49 + 0.25))]
    assert not [line for line in board_effects(BOARD, AGENTS, [CHEAP[1]]) if line.measure == "loop"]


def test_a_cost_is_read_by_the_list_price_of_its_day_and_says_nothing_without_one() -> None:
    """A task of the cheap model costs 0.07 x 0.28 + 0.63 x 0.028 + 0.011 x 0.42 = 0.04186 USD, of the others 0.564. It spent six of its own, they two."""
    names = [CHEAP, *(("seller", f"m{n}") for n in range(4))]
    card = rate_card({CHEAP: RATES[CHEAP], **dict.fromkeys(names[1:], RATES[STRONG])})
    costs = [Decimal("0.04186") * 6, *[Decimal("0.564") * 2] * 4]
    known = scores(
        *(
            score(model, 50.0, "swe@1#0", board="swe", run_cost_usd=usd)
            for (_, model), usd in zip(names, costs, strict=True)
        )
    )
    (line,) = [one for one in board_effects(known, AGENTS, [CHEAP[1]], card) if one.measure == "loop"]
    assert line.log_mean == pytest.approx(log(3) * 0.49 / (0.49 + 0.25))
    assert not list(board_effects(known, AGENTS, [CHEAP[1]]))
    assert not list(board_effects(known, AGENTS, [CHEAP[1]], card.head(4)))
