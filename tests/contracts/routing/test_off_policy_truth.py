"""Off-policy estimates held against the truth: 500 issues on which every model's outcome is known, of which a log shows one.

Which model got an issue depends on how hard it is, as the other twelve models show: plain means are biased.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipelines.shadow.off_policy import by_propensity, by_strata, score_cells


@pytest.fixture(scope="module")
def solved(shared_data: Path) -> pl.DataFrame:
    """Issues: whether they are hard, and the outcome of two models."""
    rows = pl.read_csv(shared_data / "routing" / "swebench_bash_only_per_instance_2025-12-10.csv.gz")
    wide = rows.pivot(on="model", index="instance_id", values="resolved").sort("instance_id").fill_null(0)
    names = wide.columns[1:]
    one, other = (next(name for name in names if name.startswith(word)) for word in ("gpt-oss-120b", "Claude 4.5 Opus"))
    others = pl.sum_horizontal(pl.col(name) for name in names if name not in (one, other))
    return wide.select(hard=(others < len(names) // 2).cast(pl.Float64), cheap=pl.col(one), strong=pl.col(other))


def log_of(solved: pl.DataFrame, seed: int, size: int = 600) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Issues drawn again, hard ones mostly to the strong model, as `answers` has them; and the same drawn issues."""
    chance = np.random.default_rng(seed)
    drawn = solved[chance.integers(0, solved.height, size).tolist()]
    to_strong = np.where(drawn["hard"].to_numpy() > 0, 0.8, 0.3)
    is_strong = chance.random(size) < to_strong
    logged = pl.DataFrame(
        {
            "request_id": [str(number) for number in range(size)],
            "model_id": np.where(is_strong, "strong", "cheap"),
            "cluster": [str(number) for number in range(size)],
            "use_case": ["issues"] * size,
            "is_recorded": [True] * size,
            # The size of the prompt is what the log shows of how hard it is.
            "input": np.where(drawn["hard"].to_numpy() > 0, 5000, 500),
            "output": np.where(is_strong, 40, 90),
            "cost_usd": np.where(is_strong, 0.4, 0.1),
            "gold": np.where(is_strong, drawn["strong"].to_numpy(), drawn["cheap"].to_numpy()).astype(float),
            "propensity": np.where(is_strong, to_strong, 1 - to_strong),
        }
    )
    return logged, drawn


def test_every_method_covers_the_truth_where_plain_means_do_not(solved: pl.DataFrame) -> None:
    inside: dict[str, list[bool]] = {}
    widths: dict[str, list[float]] = {}
    plain, refused = [], 0
    for seed in range(60):
        logged, _ = log_of(solved, seed)
        rows = [*by_propensity(logged, ("gold",)), *by_strata(score_cells(logged), ("score",))]
        for row in rows:
            if "estimate" not in row:
                refused += 1
                continue
            truth = float(solved[row["model_id"]].mean())  # type: ignore[arg-type]
            inside.setdefault(row["method"], []).append(row["low_95"] <= truth <= row["high_95"])
            widths.setdefault(row["method"], []).append(row["high_95"] - row["low_95"])
        own = logged.filter(pl.col("model_id") == "strong")["gold"]
        error = float(own.std()) / np.sqrt(own.len())  # type: ignore[arg-type]
        plain.append(abs(float(own.mean()) - float(solved["strong"].mean())) <= 1.96 * error)  # type: ignore[arg-type]
    assert refused <= 5  # of 480: a sound log is hardly ever refused
    assert set(inside) == {"ips", "snips", "dr", "strata"}
    for method, found in inside.items():
        assert 0.90 <= np.mean(found) <= 0.99, method
    assert np.mean(plain) < 0.2
    assert np.mean(widths["dr"]) <= np.mean(widths["snips"]) <= np.mean(widths["ips"])


def test_a_model_that_never_served_a_kind_is_refused(solved: pl.DataFrame) -> None:
    logged, _ = log_of(solved, 1)
    only_easy = logged.filter((pl.col("model_id") == "strong") | (pl.col("input") < 1000))
    rows = {(row["model_id"], row["method"]): row for row in by_strata(score_cells(only_easy), ("score",))}
    refused = rows["cheap", "strata"]
    assert "estimate" not in refused
    assert "it did not serve that kind" in refused["refused_reason"]
    assert refused["unmatched_share"] > 0.2
    assert rows["strong", "strata"]["unmatched_share"] == 0
    weighed = next(row for row in by_propensity(only_easy, ("gold",)) if row["model_id"] == "cheap")
    assert "some requests could never go to it" in weighed["refused_reason"]


def test_few_requests_are_refused_by_what_they_count_for(solved: pl.DataFrame) -> None:
    logged, _ = log_of(solved, 2, size=24)
    for row in by_propensity(logged, ("gold",)):
        assert "20 are needed in as many sessions" in row["refused_reason"]


def test_standardised_means_are_those_of_a_hand_worked_table() -> None:
    """Small prompts: 10 of a (mean 1), 30 of b (mean 2); large: 30 of a (mean 3), 10 of b (mean 4)."""
    cells = pl.DataFrame(
        [
            {"use_case": "u", "size": size, "model_id": model, "cluster": cluster, "requests": number // 5, "output": value * number // 5}
            for size, model, number, value in ((1, "a", 50, 1), (1, "b", 150, 2), (2, "a", 150, 3), (2, "b", 50, 4))
            for cluster in range(5 * (1 + (model == "b")), 5 * (2 + (model == "b")))
        ]
    )  # fmt: skip
    found = {row["model_id"]: row for row in by_strata(cells, ("output",))}
    assert "are needed in as many sessions" in found["a"]["refused_reason"]
    many = pl.concat([cells.with_columns(cluster=pl.col("cluster") + 100 * copy) for copy in range(5)])
    found = {row["model_id"]: row for row in by_strata(many, ("output",))}
    assert found["a"]["estimate"] == pytest.approx((200 * 1 + 200 * 3) / 400)
    assert found["b"]["estimate"] == pytest.approx((200 * 2 + 200 * 4) / 400)
    # Kish: (50 x 4 + 150 x 4/3)^2 / (50 x 16 + 150 x 16/9), five times over.
    assert found["a"]["effective_requests"] == pytest.approx(5 * 400**2 / (50 * 16 + 150 * 16 / 9))


def test_a_model_that_never_failed_may_still_fail() -> None:
    cells = pl.DataFrame(
        [
            {"use_case": "u", "size": 1, "model_id": model, "cluster": cluster, "requests": 2, "ok": 2}
            for model in ("a", "b")
            for cluster in range(50)
        ]
    )
    found = next(by_strata(cells, ("ok",)))
    assert found["estimate"] == found["high_95"] == 1
    assert found["low_95"] == pytest.approx(0.963, abs=0.001)  # Wilson for 100 of 100
