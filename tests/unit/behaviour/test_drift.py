"""Silent changes in the log: found where they are, not where the traffic changed, and no more often than stated."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from scipy import stats

from pipelines.behaviour import ProfileCounts, build_request_profile, detect_request_drift
from pipelines.behaviour import drift as behaviour
from pipelines.ids import id_bytes
from pipelines.meters import COUNT_COLUMNS
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.mart_behaviour import REQUEST_DRIFT

DAY = date(2026, 2, 20)


@cache
def _one_request() -> pl.DataFrame:
    constants: dict[str, Any] = {
        "source": "gateway",
        "snapshot_id": id_bytes("file"),
        "line_no": 1,
        "item_no": 0,
        "operation": "chat",
        "provider_id": "openai",
        "model_id": "gpt-4",
        "resolution_method": "exact",
        "application": "helpdesk",
        "service_tier": "standard",
        "region": "",
        "status": "ok",
        "token_semantics": "openai_inclusive",
        "usage_basis": "reported",
        "is_billable": True,
        "input_uncached_tokens": 1000,
    }
    row = {name: [constants.get(name, 0 if name in COUNT_COLUMNS else None)] for name in REQUEST.polars_schema}
    return pl.DataFrame(row, schema=REQUEST.polars_schema)


def requests(day: date, outputs: list[int], **values: Any) -> pl.DataFrame:
    """One request per output length, all of one use case unless stated otherwise; lists in `values` are per request."""
    n = len(outputs)
    given = {
        "event_date": day,
        "event_at": datetime(day.year, day.month, day.day, 9, tzinfo=UTC),
        "output_text_tokens": outputs,
        **values,
        "request_uid": [id_bytes(str(day), str(k), str(values.get("application"))) for k in range(n)],
    }
    return _one_request()[[0] * n].with_columns(
        pl.Series(name, value if isinstance(value, list) else [value] * n, dtype=REQUEST.polars_schema[name])
        for name, value in given.items()
    )


def history(
    generator: np.random.Generator, mean: float, n: int = 60, days: int = 14, sd: float = 0.5
) -> list[pl.DataFrame]:
    return [
        requests(DAY - timedelta(days=k), generator.lognormal(np.log(mean), sd, n).astype(int).tolist())
        for k in range(1, days + 1)
    ]


def drift(log: pl.DataFrame) -> pl.DataFrame:
    return detect_request_drift(build_request_profile(log), DAY)


def found(*frames: pl.DataFrame, metric: str = "output_tokens") -> dict[str, Any]:
    result = drift(pl.concat(frames))
    assert dict(result.schema) == dict(REQUEST_DRIFT.polars_schema)
    rows = result.filter(pl.col("metric") == metric)
    assert rows.height == 1
    return rows.row(0, named=True)


def test_a_model_that_answers_shorter_is_an_alarm() -> None:
    generator = np.random.default_rng(1)
    row = found(*history(generator, 400), requests(DAY, generator.lognormal(np.log(200), 0.5, 60).astype(int).tolist()))
    assert row["is_alarm"]
    assert row["effect"] < -0.25
    assert "More than noise" in row["explanation"]
    assert (row["n_day"], row["n_reference"], row["reference_days"]) == (60, 840, 14)


def test_the_statistic_is_mann_whitneys_where_there_is_one_stratum_and_day() -> None:
    generator = np.random.default_rng(2)
    before, now = generator.integers(1, 60, 200).tolist(), generator.integers(10, 70, 100).tolist()
    row = found(requests(DAY - timedelta(days=1), before), requests(DAY, now))
    expected = stats.mannwhitneyu(now, before, method="asymptotic", use_continuity=False)
    assert row["p_value"] == pytest.approx(expected.pvalue, rel=0.02)  # the finite population's N - 1
    assert row["effect"] + 0.5 == pytest.approx(expected.statistic / (100 * 200))
    assert row["overdispersion"] == 1.0


def test_a_rate_is_tested_as_a_two_by_two_table() -> None:
    before = requests(DAY - timedelta(days=1), [10] * 200, status=["error"] * 10 + ["ok"] * 190)
    now = requests(DAY, [10] * 100, status=["error"] * 20 + ["ok"] * 80)
    row = found(before, now, metric="error_rate")
    chi2 = stats.chi2_contingency([[20, 80], [10, 190]], correction=False).statistic
    assert row["z"] ** 2 == pytest.approx(chi2 * 299 / 300)
    assert (row["value_day"], row["value_reference"]) == (0.2, 0.05)
    assert row["effect"] == pytest.approx(0.15)
    assert row["is_alarm"]


def test_another_mix_of_prompts_is_no_change_of_the_model() -> None:
    """Long prompts get long answers; the day has more of them. Naively that is a huge shift, like with like it is none."""
    generator = np.random.default_rng(3)

    def day(at: date, short: int, long: int) -> pl.DataFrame:
        outputs = [*generator.lognormal(np.log(50), 0.4, short), *generator.lognormal(np.log(800), 0.4, long)]
        return requests(at, [int(x) for x in outputs], input_uncached_tokens=[200] * short + [9000] * long)

    frames = [day(DAY - timedelta(days=k), 80, 20) for k in range(1, 15)]
    row = found(*frames, day(DAY, 20, 80))
    assert row["value_day"] > 3 * row["value_reference"]
    assert not row["is_alarm"]
    assert row["comparable_share"] == 1.0


def test_noise_between_days_is_taken_from_the_reference() -> None:
    """Days that differ among themselves by a third make a difference of a third unremarkable."""
    generator = np.random.default_rng(4)

    def uneven(at: date, factor: float) -> pl.DataFrame:
        return requests(at, generator.lognormal(np.log(400 * factor), 0.3, 100).astype(int).tolist())

    factors = np.exp(generator.normal(0, 0.3, 14))
    row = found(*(uneven(DAY - timedelta(days=k + 1), f) for k, f in enumerate(factors)), uneven(DAY, 1.35))
    assert row["overdispersion"] > 5
    assert not row["is_alarm"]
    steady = found(*(uneven(DAY - timedelta(days=k + 1), 1.0) for k in range(14)), uneven(DAY, 1.35))
    assert steady["is_alarm"]


def fingerprints(day: date, *names: str) -> pl.DataFrame:
    tags = [f'{{"system_fingerprint": "{name}"}}' for name in names]
    return requests(day, [100] * len(names), tags=tags)


def test_a_back_end_that_takes_over_is_an_alarm_and_one_more_among_several_is_none() -> None:
    before = fingerprints(DAY - timedelta(days=1), *["fp_a"] * 60, *["fp_b"] * 20)
    row = found(before, fingerprints(DAY, *["fp_a"] * 10, *["fp_c"] * 30), metric="fingerprint")
    assert (row["is_alarm"], row["n_day"], row["value_day"]) == (True, 30, 0.75)
    assert "was answered by back end fp_c in 30 of 40 calls" in row["explanation"]
    few = drift(pl.concat([before, fingerprints(DAY, *["fp_a"] * 30, *["fp_c"] * 10)]))
    assert "fingerprint" not in few["metric"].to_list()


def test_a_new_response_model_is_an_alarm_by_itself() -> None:
    before = requests(DAY - timedelta(days=1), [100] * 80, response_model="gpt-4-0314")
    now = requests(DAY, [100] * 40, response_model=["gpt-4-0314"] * 30 + ["gpt-4-0613"] * 10)
    row = found(before, now, metric="response_model")
    assert row["is_alarm"]
    assert (row["n_day"], row["value_day"]) == (10, 0.25)
    assert "gpt-4-0613" in row["explanation"]
    same = drift(pl.concat([before, requests(DAY, [100] * 40, response_model="gpt-4-0314")]))
    assert "response_model" not in same["metric"].to_list()


@pytest.mark.parametrize(
    "names", [("claude-sonnet-4-5", "claude-sonnet-4-5-20250929"), ("gpt-4o-2024-08-06", "gpt-4o")]
)
def test_a_log_that_begins_or_ceases_to_say_the_date_of_a_version_is_no_change(names: tuple[str, str]) -> None:
    before = requests(DAY - timedelta(days=1), [100] * 80, response_model=names[0])
    stated = drift(pl.concat([before, requests(DAY, [100] * 40, response_model=names[1])]))
    assert "response_model" not in stated["metric"].to_list()


def test_another_date_of_one_version_is_a_change() -> None:
    before = requests(DAY - timedelta(days=1), [100] * 80, response_model=["gpt-4o"] * 40 + ["gpt-4o-2024-08-06"] * 40)
    now = requests(DAY, [100] * 40, response_model=["gpt-4o"] * 30 + ["gpt-4o-2024-11-20"] * 10)
    assert found(before, now, metric="response_model")["is_alarm"]


def test_too_little_to_compare_is_no_row() -> None:
    few = pl.concat([requests(DAY - timedelta(days=1), [10] * 100), requests(DAY, [10] * 29)])
    assert drift(few).is_empty()
    old = pl.concat([requests(DAY - timedelta(days=29), [10] * 100), requests(DAY, [10] * 50)])
    assert drift(old).is_empty()
    unresolved = pl.concat([requests(DAY - timedelta(days=1), [10] * 100), requests(DAY, [10] * 50)]).with_columns(
        pl.lit(None, pl.String).alias("model_id")
    )
    assert drift(unresolved).is_empty()


@pytest.mark.slow
def test_null_days_raise_no_more_alarms_than_stated() -> None:
    """100 days drawn like their reference, four metrics each: a false alarm on at most 5 % of days (and noise)."""
    generator = np.random.default_rng(6)
    alarms = 0
    for _ in range(100):
        frames = []
        for k in range(8):
            outputs = generator.lognormal(6, 0.6, 60).astype(int)
            frames.append(
                requests(
                    DAY - timedelta(days=k),
                    outputs.tolist(),
                    latency_ms=(outputs * generator.uniform(8, 12, 60)).tolist(),
                    status=np.where(generator.random(60) < 0.05, "error", "ok").tolist(),
                )
            )
        alarms += bool(drift(pl.concat(frames))["is_alarm"].any())
    assert alarms <= 100 * 0.05 + 1.645 * (100 * 0.05 * 0.95) ** 0.5


@pytest.mark.slow
def test_the_order_of_rows_changes_no_digit() -> None:
    generator = np.random.default_rng(7)
    log = pl.concat([*history(generator, 400, days=9), *history(generator, 300, days=9)]).with_columns(
        pl.Series("input_uncached_tokens", generator.integers(10, 9000, 2 * 9 * 60), dtype=pl.Int32),
        pl.Series("latency_ms", generator.lognormal(7, 1, 2 * 9 * 60)),
    )
    profile = build_request_profile(log)
    day = DAY - timedelta(days=1)
    expected = detect_request_drift(profile, day)
    assert expected.height >= 2
    for seed in range(20):
        assert detect_request_drift(profile.sample(fraction=1, shuffle=True, seed=seed), day).equals(expected)


def test_a_day_that_comes_in_many_parts_is_the_day() -> None:
    """Counts of parts are put together on the way, so that no more is held than what is distinct."""
    log = pl.concat(history(np.random.default_rng(7), 400, days=9))
    counts = ProfileCounts()
    for part in log.sample(fraction=1, shuffle=True, seed=7).iter_slices(13):
        counts.add(part)
    assert counts.profile().equals(build_request_profile(log))


def test_a_profile_counts_every_request_once() -> None:
    log = requests(
        DAY,
        [40, 41, 41, 1234],
        status=["ok", "ok", "ok", "error"],
        finish_reason=["stop", "stop", "length", "stop"],
        latency_ms=[100.0, 123.4, 126.0, 1.0],
        response_model="gpt-4-0613",
    )
    rows = {row["metric"]: row for row in build_request_profile(log).iter_rows(named=True)}
    assert rows["output_tokens"]["histogram"] == '{"value": [40.0, 41.0], "requests": [1, 2]}'
    assert rows["latency_ms"]["histogram"] == '{"value": [100.0, 120.0, 130.0], "requests": [1, 1, 1]}'
    assert rows["error_rate"]["histogram"] == '{"value": [0.0, 1.0], "requests": [3, 1]}'
    counted = {metric: row["requests"] for metric, row in rows.items()}
    assert counted["finish:stop"] == 2  # the failed call did not stop by itself
    assert counted["finish:length"] == 1
    assert counted["response_model:gpt-4-0613"] == 4
    assert {(row["event_date"], row["use_case"], row["stratum"]) for row in rows.values()} == {
        (DAY, "helpdesk", "chat false 2^9")
    }
    assert build_request_profile(log.with_columns(pl.lit("cache_hit").alias("status"))).is_empty()


def test_tests_that_are_made_some_at_a_time_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compared at once, the histograms of a month of a million requests a day took three gigabytes."""
    generator = np.random.default_rng(9)
    days = [*history(generator, 400), requests(DAY, generator.lognormal(np.log(300), 0.5, 60).astype(int).tolist())]
    log = pl.concat([day.with_columns(application=pl.lit(name)) for day in days for name in ("a", "b", "c")])
    at_once = drift(log)
    parts, compared = [], behaviour._compared

    def counted(counts: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        parts.append(counts.height)
        return compared(counts)

    monkeypatch.setattr(behaviour, "_VALUES_AT_ONCE", 1)
    monkeypatch.setattr(behaviour, "_compared", counted)
    assert_frame_equal(drift(log), at_once)
    assert at_once.height > 3
    assert len(parts) >= at_once.height
