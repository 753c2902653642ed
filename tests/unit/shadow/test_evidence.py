"""Measured lines in the evidence: they go before the lines for any model, never before the file's own, and never in a circle."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from pipelines.config.evidence import Effect, Evidence
from pipelines.config.loader import load_file

PACKAGED = load_file(Evidence, "evidence.yaml", None)


def line(model: str, against: str, **values: Any) -> Effect:
    known = {"measure": "output", "log_mean": 0.5, "log_sd": 0.05, "freedom": 30, "grade": "A", "source": "-"}
    return Effect.model_validate(known | {"model": model, "against": against} | values)


def test_a_measured_line_goes_before_the_one_for_any_model() -> None:
    known = PACKAGED.with_measured([line("a", "b"), line("b", "c", log_mean=0.2)])
    assert known.needed_effect("output", "a").grade == "A"
    assert known.needed_effect("input", "a").grade == "E"
    assert known.log_effect("output", "a") == pytest.approx(0.7)
    assert known.stand_ins == PACKAGED.stand_ins
    assert PACKAGED.with_measured([]) == PACKAGED


def test_the_files_own_line_stays_and_a_circle_is_never_made() -> None:
    own = PACKAGED.with_measured([line("c", "a", grade="B")])
    known = own.with_measured([line("a", "b"), line("b", "c"), line("c", "x")])
    assert known.needed_effect("output", "c").grade == "B"
    assert known.needed_effect("output", "a").against == "b"
    assert known.needed_effect("output", "b").against is None
    with pytest.raises(ValidationError, match="held against itself"):
        Evidence(effects=(line("a", "b"), line("b", "a")))
    with pytest.raises(ValidationError, match="against: found 'a', accepted is another model than 'a'"):
        line("a", "a")
