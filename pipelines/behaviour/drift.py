"""mart.request_drift: has a served model changed silently? A day of the company's own log against its trailing reference.

Like is compared with like (same operation, streaming and prompt size, per use case), so that a change of traffic is not
taken for a change of model; the noise between days is taken from the reference itself, so that thresholds are those of
the null distribution and not rules of thumb. Days come as histograms (`day_profile.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from pipelines import uncertainty
from pipelines.behaviour import wording
from pipelines.behaviour.alarms import Alarms, family, with_age, with_reference
from pipelines.behaviour.day_profile import (
    CONTINUOUS,
    ERROR_RATE,
    FINGERPRINT,
    FINISH,
    GROUP,
    LISTS,
    RESPONSE_MODEL,
    taken_apart,
)
from pipelines.behaviour.scores import scored
from pipelines.config.watch import KnownChange
from pipelines.models.names import DATE_SUFFIX, key_of
from pipelines.uncertainty import MAD_TO_SD, Floats
from pipelines.warehouse.tables.mart_behaviour import REQUEST_DRIFT

MIN_DAY, MIN_REFERENCE = 30, 60
MIN_DAYS_FOR_NOISE = 5
"""With fewer reference days the noise between days can't be estimated, so requests count as independent."""

ODD = 4.0
"""Robust standard deviations from the median of the reference days beyond which a day stands apart."""

ODD_ONE_IN = 10
"""Days of a reference for each that may be left out as odd; where more stand apart, that is how its days are."""

MAX_Q = 0.05
MIN_SHIFT, MIN_RATE = 0.05, 0.01
"""Smallest effects worth reporting: 5 points of P(day > reference), 1 percentage point of a rate."""

MIN_FINGERPRINT_SHARE = 0.5
"""So many calls must be answered by a new back end: providers run several at once, and most changes are small."""

MAX_REASONS = 8
"""Finish reasons that are followed as rates, the most frequent first."""

_TEST = [*GROUP, "metric"]
_STRATUM = [*_TEST, "stratum"]
_VALUES_AT_ONCE = 1_500_000
"""Of histograms that are compared at a time."""


def detect_request_drift(
    profile: pl.DataFrame, day: date, alarms: Alarms | None = None, changes: Sequence[KnownChange] = ()
) -> pl.DataFrame:
    """Every comparison of `day` with its reference that has enough requests on both sides, and every open alarm.

    `profile` are rows of mart.request_profile, taken apart or not, of the day and of all days that can be its reference: the 28 before it, of
    open alarms those before their first day (`alarms.py`). Days of the reference that stand apart are left out. Per provider, model and use case, each metric is tested by
    a stratified rank test (van Elteren 1960; rates: Cochran-Mantel-Haenszel), its statistic divided by the noise that
    the reference days show between each other, then Benjamini-Hochberg over the day. A response model that the
    reference does not know is an alarm by itself (metric response_model), and so is a back end that answers half of the
    calls and has never answered before (metric fingerprint). Returns mart.request_drift.
    """
    if "histogram" in profile.columns:
        profile = taken_apart(profile)
    known = (alarms or Alarms.none()).without(changes, day)
    window = with_reference(profile, day, known, changes)
    served = window.filter("is_day").select(*GROUP).unique()
    window = window.join(served, on=GROUP, how="semi")
    rows: list[dict[str, Any]] = []
    if not window["is_day"].all():  # true of no rows too
        rows += [_row(day, row) for row in _tests(pl.concat([_measured(window), _ends(window)])).iter_rows(named=True)]
        rows += _new_names(window, day, RESPONSE_MODEL, smallest=0.0)
        rows += _new_names(window, day, FINGERPRINT, smallest=MIN_FINGERPRINT_SHARE)
    named = pl.col("metric").str.contains(":", literal=True)
    answered = window.filter(pl.col("is_day") & named).select(*GROUP, family()).unique()
    return with_age(pl.DataFrame(rows, schema=REQUEST_DRIFT.polars_schema), day, known, answered)


_COUNTS = [*_STRATUM, "event_date", "is_day", "requests", *LISTS]


def _measured(window: pl.DataFrame) -> pl.DataFrame:
    """The profile of the metrics that every request has a value of."""
    return window.filter(pl.col("metric").is_in([*CONTINUOUS, ERROR_RATE])).select(_COUNTS)


def _ends(window: pl.DataFrame) -> pl.DataFrame:
    """The most frequent finish reasons as rates: 1 for requests that ended so, 0 for those that ended otherwise."""
    ended = window.filter(pl.col("metric").str.starts_with(FINISH))
    reasons = (
        ended.group_by("metric").agg(pl.col("requests").sum()).sort("requests", "metric", descending=[True, False])
    )
    followed = ended.join(reasons.head(MAX_REASONS), on="metric", how="semi")
    place = [*GROUP, "stratum", "event_date", "is_day"]
    total = ended.group_by(place).agg(pl.col("requests").sum().alias("total"))
    n = pl.col("n").fill_null(0)
    return (
        total.join(followed.select(_TEST).unique(), on=GROUP)
        .join(followed.select(*place, "metric", pl.col("requests").alias("n")), on=[*place, "metric"], how="left")
        .with_columns(value=pl.concat_list(pl.lit(0.0), pl.lit(1.0)), n=pl.concat_list(pl.col("total") - n, n))
        .cast({"n": pl.List(pl.UInt32)})
        .select(pl.col("total").alias("requests") if name == "requests" else name for name in _COUNTS)
    )


def _compared(counts: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What can be compared, one row per cell (stratum of a test) and day; and the tests, by number.

    Numbers stand for names: grouping counts by five texts is what would take the time. Tests come with
    comparable_share and requests on either side; those with too few are left out.
    """
    in_both = pl.col("is_day").any().over(_STRATUM) & (~pl.col("is_day")).any().over(_STRATUM)
    marked = counts.with_columns(in_both.alias("in_both"))
    n, is_day = pl.col("requests"), pl.col("is_day")
    tests = (
        marked.group_by(_TEST)
        .agg(
            (n.filter("in_both", is_day).sum() / n.filter(is_day).sum()).alias("comparable_share"),
            n.filter("in_both", is_day).sum().alias("n_day"),
            n.filter("in_both", ~is_day).sum().alias("n_reference"),
        )
        .filter((pl.col("n_day") >= MIN_DAY) & (pl.col("n_reference") >= MIN_REFERENCE))
        .with_columns((~pl.col("metric").is_in(CONTINUOUS)).alias("is_rate"))
        .sort(_TEST)
        .with_row_index("test")
    )
    kept = marked.filter("in_both").join(tests.select("test", "is_rate", *_TEST), on=_TEST)
    cells = kept.select("test", "stratum").unique().sort("test", "stratum").with_row_index("cell")
    numbered = kept.join(cells, on=["test", "stratum"])
    return numbered.select("cell", "test", "is_rate", "event_date", "is_day", *LISTS), tests


def _tests(counts: pl.DataFrame) -> pl.DataFrame:
    """The tests with values, effect, z, p and q.

    The score of a request is its mid-rank in the stratum (its value, for a rate). A day's statistic is the sum over
    strata of weight x (score - stratum mean), its variance that of drawing the day's requests from the stratum at
    random; weights are 1/(N+1) for ranks and 1 for rates.
    """
    return _judged(pl.concat([_tested(part) for part in _in_parts(counts)]).sort(_TEST))


def _in_parts(counts: pl.DataFrame) -> list[pl.DataFrame]:
    """The counts, some tests at a time: no test needs another's, and compared at once a month of a million requests a day takes gigabytes."""
    sizes = counts.group_by(_TEST).agg(pl.col("value").list.len().sum().alias("values")).sort(_TEST)
    part = pl.col("values").cum_sum() // _VALUES_AT_ONCE
    tests = sizes.select(*_TEST, part.alias("part")).partition_by("part", include_key=False, maintain_order=True)
    return [counts.join(some, on=_TEST, how="semi", maintain_order="left") for some in tests] or [counts]


def _tested(counts: pl.DataFrame) -> pl.DataFrame:
    """Tests with values, z and noise of the day, effect and its standard error."""
    compared, tests = _compared(counts)
    found = scored(compared)
    odd = _odd_days(_by_day(found.days)).join(tests.select("test", *_TEST), on="test")
    if odd.height:
        compared, tests = _compared(counts.join(odd, on=[*_TEST, "event_date"], how="anti"))
        found = scored(compared)
    return (
        tests.join(_values(found.sides), on="test")
        .join(_statistics(_by_day(found.days)), on="test")
        .join(_effects(found.days), on="test")
    )


def _values(sides: pl.DataFrame) -> pl.DataFrame:
    """Per test and side: the mean of a rate, the median of anything else."""
    n = pl.col("n")
    half, up_to = n.sum() / 2, n.cum_sum()
    middle = (pl.col("value").filter(up_to >= half).first() + pl.col("value").filter(up_to > half).first()) / 2
    mean = (pl.col("value") * n).sum() / n.sum()
    sides = (
        sides.group_by("test", "is_day", "value")
        .agg(n.sum(), pl.col("is_rate").first())
        .sort("test", "is_day", "value")
        .group_by("test", "is_day", maintain_order=True)
        .agg(pl.when(pl.col("is_rate").first()).then(mean).otherwise(middle).alias("value"))
    )
    day, reference = sides.filter("is_day"), sides.filter(~pl.col("is_day"))
    return day.select("test", pl.col("value").alias("value_day")).join(
        reference.select("test", pl.col("value").alias("value_reference")), on="test"
    )


def _by_day(days: pl.DataFrame) -> pl.DataFrame:
    """Per test and day: z of the day against all days."""
    share = pl.col("n") * (pl.col("total") - pl.col("n")) / (pl.col("total") - 1)
    return (
        days.group_by("test", "event_date", "is_day", maintain_order=True)
        .agg(
            (pl.col("weight") * (pl.col("sum") - pl.col("n") * pl.col("mean"))).sum().alias("statistic"),
            (pl.col("weight").pow(2) * share * pl.col("variance")).sum().alias("variance"),
        )
        .with_columns(
            pl.when(pl.col("variance") > 0).then(pl.col("statistic") / pl.col("variance").sqrt()).alias("z_raw")
        )
    )


def _odd_days(by_day: pl.DataFrame) -> pl.DataFrame:
    """Reference days that stand apart from the others, few enough to be accidents: test and event_date.

    Their robust deviation is that of the median; one outage among 28 days made the noise so large that nothing else showed.
    """
    z, days = pl.col("z_raw"), pl.len().over("test")
    away = (z - z.median().over("test")).abs()
    spread = pl.max_horizontal(MAD_TO_SD * away.median().over("test"), pl.lit(1.0))
    apart = (
        by_day.filter(~pl.col("is_day") & z.is_not_null())
        .with_columns(days.alias("days"), (away > ODD * spread).alias("is_apart"))
        .filter("is_apart")
    )
    few = pl.len().over("test") <= pl.max_horizontal(pl.col("days") // ODD_ONE_IN, pl.lit(1))
    return apart.filter((pl.col("days") >= MIN_DAYS_FOR_NOISE) & few).select("test", "event_date")


def _statistics(by_day: pl.DataFrame) -> pl.DataFrame:
    """Per test: z of the day, and the spread of the same statistic between the reference days."""
    noise = (
        by_day.filter(~pl.col("is_day"))
        .group_by("test", maintain_order=True)
        .agg(pl.len().alias("reference_days"), pl.col("z_raw").pow(2).mean().alias("noise"))
    )
    return by_day.filter("is_day").select("test", "z_raw").join(noise, on="test")


def _effects(days: pl.DataFrame) -> pl.DataFrame:
    """Per test: P(day > reference) - 0.5 for ranks, difference of rates else, with the standard error it has by chance.

    Mantel-Haenszel weights over strata.
    """
    n, m = pl.col("n"), pl.col("m")
    probability = (pl.col("day_sum") / n - (n + 1) / 2) / m - 0.5
    difference = pl.col("day_sum") / n - (pl.col("all_sum") - pl.col("day_sum")) / m
    weight = n * m / (n + m)
    # Of the difference of mean scores under no change; mean ranks differ by N (P - 0.5).
    error = pl.col("variance") * (n + m) / (n + m - 1) * (1 / n + 1 / m)
    return (
        days.group_by("test", "cell", maintain_order=True)
        .agg(
            pl.col("is_rate", "variance").first(),
            n.filter("is_day").sum(),
            n.filter(~pl.col("is_day")).sum().alias("m"),
            pl.col("sum").filter("is_day").sum().alias("day_sum"),
            pl.col("sum").sum().alias("all_sum"),
        )
        .with_columns(
            pl.when("is_rate").then(difference).otherwise(probability).alias("effect"),
            pl.when("is_rate").then(error).otherwise(error / (n + m).pow(2)).alias("error"),
            weight.alias("weight"),
        )
        .group_by("test", maintain_order=True)
        .agg(
            ((pl.col("effect") * pl.col("weight")).sum() / pl.col("weight").sum()).alias("effect"),
            ((pl.col("error") * pl.col("weight").pow(2)).sum().sqrt() / pl.col("weight").sum()).alias("stderr"),
        )
    )


def _judged(tested: pl.DataFrame) -> pl.DataFrame:
    """Adds overdispersion, min_detectable, z, p_value, q_value and is_alarm.

    A metric that never varies has no z and raises nothing.
    """
    from scipy.special import stdtr, stdtrit  # scipy.stats, which has the same, takes a second to import

    days = tested["reference_days"].cast(pl.Float64).to_numpy()
    has_noise = days >= MIN_DAYS_FOR_NOISE
    spread = np.where(has_noise, np.maximum(tested["noise"].fill_null(1).to_numpy(), 1.0), 1.0)
    z = tested["z_raw"].cast(pl.Float64).fill_null(np.nan).to_numpy() / np.sqrt(spread)
    degrees = np.maximum(days - 1, 1)
    p = np.where(has_noise, 2 * stdtr(degrees, -np.abs(z)), uncertainty.two_sided_p(z))
    critical = np.where(has_noise, -stdtrit(degrees, 0.025), uncertainty.Z95)
    q: Floats = np.full(p.size, np.nan)
    is_tested = np.isfinite(p)
    q[is_tested] = uncertainty.benjamini_hochberg(p[is_tested])
    smallest = pl.when("is_rate").then(MIN_RATE).otherwise(MIN_SHIFT)
    return tested.with_columns(
        pl.Series("overdispersion", spread),
        pl.Series("min_detectable", tested["stderr"].to_numpy() * np.sqrt(spread) * critical),
        pl.Series("z", z).fill_nan(None),
        pl.Series("p_value", p).fill_nan(None),
        pl.Series("q_value", q).fill_nan(None),
    ).with_columns(
        ((pl.col("q_value") <= MAX_Q) & (pl.col("effect").abs() >= smallest)).fill_null(value=False).alias("is_alarm")
    )


def _row(day: date, row: dict[str, Any]) -> dict[str, Any]:
    columns = {name: row[name] for name in REQUEST_DRIFT.polars_schema if name in row}
    return {**columns, "event_date": day, "explanation": wording.comparison(row)}


def _new_names(window: pl.DataFrame, day: date, prefix: str, smallest: float) -> list[dict[str, Any]]:
    """Versions or back ends that answered on the day, at least the share `smallest` of calls, and never in the
    reference: exact, so no test is needed.

    A model's name without its date names no version: where the log says the date on one side only, nothing is known to
    have changed.
    """
    named = window.filter(pl.col("metric").str.starts_with(prefix)).with_columns(
        pl.col("metric").str.strip_prefix(prefix).alias("name")
    )
    keys = {name: key_of(name) for name in named["name"].unique()}
    undated = {name: DATE_SUFFIX.sub("", key) for name, key in keys.items()}
    named = named.with_columns(
        pl.col("name").replace_strict(undated, return_dtype=pl.String).alias("undated"),
        pl.col("name").is_in([name for name, key in keys.items() if undated[name] != key]).alias("is_dated"),
    )
    known, now = named.filter(~pl.col("is_day")), named.filter("is_day")
    dated = known.group_by(*GROUP, "undated").agg(pl.col("is_dated").any().alias("was_dated"))
    new = (
        now.join(known, on=[*GROUP, "name"], how="anti")
        .join(dated, on=[*GROUP, "undated"], how="left")
        .filter((pl.col("was_dated") & pl.col("is_dated")) | pl.col("was_dated").is_null())
        .group_by(GROUP)
        .agg(pl.col("requests").sum().alias("n_day"), pl.col("name").unique().sort().alias("names"))
    )
    before = known.group_by(GROUP).agg(
        pl.col("requests").sum().alias("n_reference"),
        pl.col("event_date").n_unique().alias("reference_days"),
        pl.col("name").unique().sort().alias("old_names"),
    )
    total = now.group_by(GROUP).agg(pl.col("requests").sum().alias("total"))
    found = new.join(before, on=GROUP).join(total, on=GROUP)
    return [
        {
            **{name: row[name] for name in (*GROUP, "n_day", "n_reference", "reference_days")},
            "event_date": day,
            "metric": prefix.removesuffix(":"),
            "comparable_share": 1.0,
            "value_day": row["n_day"] / row["total"],
            "value_reference": 0.0,
            "effect": row["n_day"] / row["total"],
            "is_alarm": True,
            "explanation": wording.new_names(row, prefix.removesuffix(":")),
        }
        for row in found.filter(pl.col("n_day") >= smallest * pl.col("total")).iter_rows(named=True)
    ]
