"""What `modelmeter route` prints: names and figures whole at 80 columns, and why quality is not known."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from assets.cli.route import _show, measure_line, method_line
from pipelines.warehouse.tables.mart_routing import ROUTING_PROJECTION
from tests.unit.finops import books

MEND = "no score of m on aider_polyglot: land an export that scores it (docs/benchmarks.md)"


def shown(capsys: pytest.CaptureFixture[str], *rows: dict[str, Any]) -> list[str]:
    frame = pl.DataFrame(rows, schema=ROUTING_PROJECTION.polars_schema)
    _show(frame, books.DAY, books.DAY)
    return capsys.readouterr().out.splitlines()


def row(arm: str, share: str, **more: Any) -> dict[str, Any]:
    stated = {
        "quality": f"not projected: {MEND}",
        "requests": 1729,
        "requests_left_out": {"not_billable": 37, "unpriced": 4},
        "requests_moved": {"specialised_open: prompts over 131,072 tokens": 2},
    }
    bounds = {"saving_share_low_95": -11.38, "saving_share_high_95": -0.32}
    held = {"quality_retained": 1.286, "quality_retained_low_95": 1.18, "quality_retained_high_95": 1.38}
    middle = {"saving_share_low_50": -1.0, "saving_share_high_50": -0.5}
    known = {**bounds, **middle, "assumptions": json.dumps(stated), "is_headline": True}
    return books.projection(arm, share, "2.00", "0.55", **{**known, **(held if arm != "total" else {}), **more})


def test_names_and_figures_stay_whole_at_80_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = shown(capsys, row("specialised_open", "0.9"), row("strong_closed", "0.1"), row("total", "1"))
    (line,) = [line for line in lines if line.startswith("specialised_open")]
    assert line.split() == ["specialised_open", "90.0", "%", "0.55", "1.45", "−1,138", "to", "−32", "128.6", "%", "118", "to", "138"]  # fmt: skip
    assert max(map(len, lines)) <= 80
    text = " ".join(" ".join(lines).split())
    assert f"What it would have meant for quality is not known: {MEND}." in text
    assert "Requests projected: 1,729 Requests left out: not billable: 37; unpriced: 4" in text
    assert "Requests moved to the next arm: specialised_open: prompts over 131,072 tokens: 2" in text


def test_a_policy_without_a_figure_says_why_quality_is_missing_too(capsys: pytest.CaptureFixture[str]) -> None:
    nothing = {
        "projected_cost_usd": None,
        "saving_usd": None,
        "not_projected_reason": "m at s: no_price for 3 of 3 requests",
    }
    stated = json.dumps({"quality": f"not projected: {MEND}", "requests": 3, "requests_left_out": {}})
    text = " ".join(" ".join(shown(capsys, row("total", "1", **nothing, assumptions=stated))).split())
    assert "no_price for 3 of 3 requests. How many" in text
    assert f"What it would have meant for quality is not known: {MEND}." in text
    assert "Requests left out: none" in text


def test_a_day_without_routable_requests_says_what_was_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    """An operation spelt wrongly in routing.yaml: 0.00 of 0.00 USD were saved."""
    stated = json.dumps({"quality": f"not projected: {MEND}", "requests": 0, "requests_left_out": {"operation": 1733}})
    text = " ".join(" ".join(shown(capsys, row("total", "1", assumptions=stated))).split())
    assert "No request can be routed, so there is nothing to save. Left out: operation: 1,733." in text
    assert "would have saved" not in text
    assert "Machines of one's own" in text, "what they cost a day they cost on this one too"
    free = row("total", "1", assumptions=stated, projected_cost_usd=Decimal(0), saving_usd=Decimal(0))
    assert "Machines" not in " ".join(shown(capsys, free))


def test_a_method_says_why_its_quality_is_not_known() -> None:
    stated = json.dumps({"quality": "no leaderboard scores this model and the baseline"})
    method = row("total", "1", method="best_single_cheap", assumptions=stated, quality_retained=None)
    assert method_line(method).endswith(", quality not known: no leaderboard scores this model and the baseline")


def test_a_method_that_costs_more_says_so_and_saves_nothing() -> None:
    more = {
        "saving_usd": Decimal("-4.14"),
        "saving_share": -0.232,
        "saving_share_low_95": -3.895,
        "saving_share_high_95": 0.03,
    }
    line = method_line(row("total", "1", method="best_single_cheap", quality_retained=None, **more))
    assert ": $4.14 more (23.2 %, 95 % interval of the saving −389.5 % to 3.0 %)" in line.replace(
        "\N{NO-BREAK SPACE}", " "
    )
    assert "saved" not in line


def test_what_ends_a_loss_is_not_called_the_end_of_a_saving(capsys: pytest.CaptureFixture[str]) -> None:
    turns = {"first_flip": "stay with 0.74 times the tokens", "break_even_ratio": 0.742}
    saves, loses = (
        " ".join(" ".join(shown(capsys, row("total", "1", central_cost_usd=Decimal(usd), **turns))).split())
        for usd in ("0.55", "2.55")
    )
    assert "What would end the saving first: stay with 0.74" in saves
    assert "All arms may take: 0.742 times the tokens before nothing is saved" in saves
    assert "What would end the loss first: stay with 0.74" in loses
    assert "To save, all arms would have to take: less than 0.742 times the tokens" in loses


def test_a_run_without_a_cost_says_why() -> None:
    row = {
        "measure": "loop", "baseline": "actual", "model_id": "a", "against_model_id": "b", "pairs_needed": 20, "cost_usd": None,
        "no_cost_reason": "a pair is a whole task", "width_known": 0.2, "width_now": 0.3,
    }  # fmt: skip
    assert ": a, loop tokens against b, about 20 pairs (no cost: a pair is a whole task): the interval" in measure_line(
        row
    )
    assert "(no cost" not in measure_line(row | {"cost_usd": Decimal(1), "no_cost_reason": None})
