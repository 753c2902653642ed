"""Slow drift: what it finds, what it must not, and how often it is wrong."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipelines.benchmarks import BoardSnapshot, detect_drift
from pipelines.benchmarks.cusum import BOUND, EXPORT_RATE, alarm_bound, average_run_length
from pipelines.benchmarks.significance import decide
from tests.unit.benchmarks.boards import LMARENA, arena, export, models
from tests.unit.benchmarks.calibration import cusum_run_length
from tests.unit.benchmarks.series import Export, history, independent, rolling, sharing_votes

SERIES = 60


def slow_of(exports: list[Export], kind: str = "entry") -> list[tuple[int, str, float]]:
    found = [(n, verdict.slow) for n, verdict in enumerate(decide(history(exports, kind)))]  # type: ignore[arg-type]
    return [(n, row["source_row_key"], row["slow_moved"]) for n, slow in found for row in slow.iter_rows(named=True)]


def drifting(step: float, exports: int = 30, stderr: float = 5.0, seed: int = 1) -> list[Export]:
    """The first model loses `step` standard errors per export, the others stay."""
    generator = np.random.default_rng(seed)
    truth, error = np.linspace(1400, 1000, SERIES), np.full(SERIES, stderr)
    made = []
    for n in range(exports):
        now = truth.copy()
        now[0] -= step * stderr * n
        made.append((generator.normal(now, error), error))
    return made


@pytest.mark.slow
def test_a_model_that_falls_a_little_every_time_is_found_though_no_two_exports_show_it() -> None:
    exports = drifting(step=0.5, exports=14)
    verdicts = decide(history(exports, "entry"))
    assert not any(v.changed["is_drift"].any() for v in verdicts if v.changed.height)
    found = slow_of(exports)
    assert [name for _, name, _ in found] == ["m000"]
    assert found[0][0] <= 12
    assert found[0][2] < -2 * 5


@pytest.mark.slow
def test_a_step_and_a_blip_are_no_slow_drift() -> None:
    """A sudden fall is drift; it starts the series anew and does not come again as slow drift for having stayed low."""
    generator = np.random.default_rng(4)
    truth, error = np.linspace(1400, 1000, SERIES), np.full(SERIES, 5.0)
    fallen, blip = truth.copy(), truth.copy()
    fallen[3] -= 60
    blip[7] += 15
    exports = [(generator.normal(at, error), error) for at in (truth, truth, truth, blip, *[fallen] * 9)]
    assert slow_of(exports) == []


@pytest.mark.slow
def test_a_score_that_is_not_measured_again_is_no_evidence() -> None:
    """Three runs that fall are shown by 40 exports: the 37 that repeat one of them add nothing."""
    error = np.full(SERIES, 5.0)
    base = np.linspace(1400, 1000, SERIES)
    exports = []
    for n in range(40):
        now = base.copy()
        now[0] -= 6 * min(n // 13, 2)
        exports.append((now, error))
    assert slow_of(exports) == []


@pytest.mark.slow
def test_a_new_scale_begins_every_series_anew() -> None:
    """Half of the fall before a re-anchoring and half after it: neither half is enough."""
    exports = drifting(step=0.5, exports=12)
    assert slow_of(exports)
    shifted = [(scores + (300 if n >= 6 else 0), error) for n, (scores, error) in enumerate(exports)]
    assert slow_of(shifted) == []


@pytest.mark.slow
def test_the_whole_board_sliding_is_no_drift_of_any_model() -> None:
    """Every model gains 2 Elo per export, below any threshold for a new scale: all together is nobody.

    In 40 exports two false alarms are allowed; taken for itself, every one of the 60 models would alarm.
    """
    generator = np.random.default_rng(2)
    truth, error = np.linspace(1400, 1000, SERIES), np.full(SERIES, 5.0)
    assert len(slow_of([(generator.normal(truth + 2 * n, error), error) for n in range(40)])) <= 2


@pytest.mark.slow
def test_a_move_that_is_proven_but_too_small_to_matter_is_not_reported() -> None:
    assert slow_of(drifting(step=0.5, exports=16, stderr=0.5)) == []


def test_the_bound_by_hand_and_by_simulation() -> None:
    # Siegmund: (exp(6.166) - 6.166 - 1) / 0.5 = 938 per side, 469 for both.
    assert average_run_length(BOUND) == pytest.approx(469, abs=1)
    assert cusum_run_length() == pytest.approx(average_run_length(BOUND), rel=0.05)


@pytest.mark.parametrize("series", [1, 23, 200, 4500])
def test_the_bound_grows_with_the_number_of_series(series: int) -> None:
    bound = alarm_bound(series)
    assert series / average_run_length(bound) <= EXPORT_RATE
    assert bound == BOUND or series / average_run_length(bound - 0.11) > EXPORT_RATE


@pytest.mark.parametrize("kind", ["rating", "entry"])
@pytest.mark.parametrize("name", ["independent", "sharing votes", "rolling votes"])
@pytest.mark.slow
def test_where_nothing_moves_at_most_one_export_in_twenty_alarms(name: str, kind: str) -> None:
    """Also where exports share their votes, which makes plain cumulative sums alarm several times as often."""
    generator, n = np.random.default_rng(12), 60
    truth, error = generator.normal(1300, 50, SERIES), generator.uniform(3, 8, SERIES)
    exports = {
        "independent": lambda: independent(generator, truth, error, n),
        "sharing votes": lambda: sharing_votes(generator, truth, error, n, 0.2),
        "rolling votes": lambda: rolling(generator, truth, error, n, 0.5),
    }[name]()
    alarms = len({n for n, _, _ in slow_of(exports, kind)})
    assert alarms <= n * EXPORT_RATE + 1.645 * math.sqrt(n * EXPORT_RATE * (1 - EXPORT_RATE))


def falling(root: Path, exports: int) -> list[BoardSnapshot]:
    made = drifting(step=0.5, exports=exports)
    names = list(models(SERIES))
    return [
        export(root, LMARENA, f"2026-{1 + n // 28:02d}-{1 + n % 28:02d}", {"full": arena(dict(zip(names, scores.tolist(), strict=True)), 9.8)})
        for n, (scores, _) in enumerate(made)
    ]  # fmt: skip


@pytest.mark.slow
def test_the_event_says_what_was_found_and_is_reported_once(tmp_path: Path) -> None:
    snapshots = falling(tmp_path, 13)
    found = detect_drift(LMARENA, snapshots).filter(pl.col("drift_class") == "slow_drift")
    assert found.select("raw_model", "severity").rows() == [("model-00", "warn")]
    event = found.row(0, named=True)
    assert event["explanation"].startswith("Slowly, model-00 falls in full of lmarena_text: no two exports show it")
    assert event["delta_adjusted"] < -5
    assert event["z"] == pytest.approx(event["delta_adjusted"] / event["stderr"])
    assert event["min_detectable"] == pytest.approx(1.96 * event["stderr"], rel=1e-3)
    evidence = json.loads(event["evidence"])
    assert evidence["method"] == "cusum"
    assert evidence["updates_per_false_alarm"] >= SERIES / EXPORT_RATE
    assert abs(evidence["versions"][0]["slow_sum"]) > evidence["versions"][0]["slow_bound"]
    for order in itertools.islice(itertools.permutations(snapshots), 1, 4):
        assert detect_drift(LMARENA, list(order)).filter(pl.col("drift_class") == "slow_drift").equals(found)
