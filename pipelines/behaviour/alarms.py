"""Alarms of mart.request_drift over time. They are open until recovery or a known change, and their days are no reference for others.

`drift.py` compares one day; this module says what the days before it decide. An alarm of a metric is open from its first
day on, and the days before that stay its reference: a change that lasts must not become normal by lasting.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from pipelines.behaviour.day_profile import GROUP
from pipelines.config.watch import KnownChange
from pipelines.warehouse.tables.mart_behaviour import REQUEST_DRIFT

REFERENCE_DAYS = 28
RHYTHM_DAYS, MAX_EPISODES = 2 * REFERENCE_DAYS, 2
"""Alarms of one metric in so many days that are accidents; more of them are its rhythm, which the noise must know."""

FAMILY = "family"
KEY = [*GROUP, FAMILY]
"""A reference is chosen for all finish reasons together, for they are shares of the same calls."""

_ALARM_COLUMNS = [*GROUP, "metric", "event_date", "opened_on", "effect"]
_SCHEMA = pl.Schema({name: REQUEST_DRIFT.polars_schema[name] for name in _ALARM_COLUMNS})


def family() -> pl.Expr:
    """What stands before the colon of a metric."""
    return pl.col("metric").str.split(":").list.first().alias(FAMILY)


@dataclass(frozen=True)
class Alarms:
    """What earlier days found. Both frames: provider, model, use case, metric, event_date, opened_on, effect."""

    open: pl.DataFrame
    """Alarms that were open at the end of the last day, with the effect that opened them."""
    days: pl.DataFrame
    """Every day with an alarm, as far back as references reach."""

    @staticmethod
    def none() -> Alarms:
        """Before the first day."""
        return Alarms(pl.DataFrame(schema=_SCHEMA), pl.DataFrame(schema=_SCHEMA))

    @staticmethod
    def of(rows: pl.DataFrame, last_day: date | None) -> Alarms:
        """From rows of mart.request_drift up to the last day that was judged, first days of open alarms among them."""
        alarms = rows.filter("is_alarm").with_columns(pl.coalesce("opened_on", "event_date")).select(_ALARM_COLUMNS)
        first = alarms.filter(pl.col("event_date") == pl.col("opened_on")).drop("event_date")
        found = alarms.filter(pl.col("event_date") == last_day).drop("effect")
        on = [*GROUP, "metric", "opened_on"]
        return Alarms(found.join(first, on=on, how="left").select(_ALARM_COLUMNS), alarms)

    def after(self, rows: pl.DataFrame, day: date) -> Alarms:
        """With the rows of one more day."""
        known = pl.concat([self.days, Alarms.of(rows, day).days])
        return Alarms.of(known.with_columns(pl.lit(value=True).alias("is_alarm")), day)

    def without(self, changes: Sequence[KnownChange], day: date) -> Alarms:
        """Those that no known change has closed by `day`."""
        closed = changed_on(self.open, changes, day)
        return Alarms(self.open.filter(closed.is_null() | (pl.col("opened_on") >= closed)), self.days)


def changed_on(rows: pl.DataFrame, changes: Sequence[KnownChange], day: date) -> pl.Series:
    """Per row (GROUP and metric) the day of the latest known change up to `day`; null where there is none."""
    found = pl.lit(None, pl.Date)
    for change in sorted(changes, key=lambda item: item.from_date):
        if change.from_date <= day:
            found = pl.when(_concerns(change)).then(pl.lit(change.from_date)).otherwise(found)
    return rows.select(found.alias("changed_on")).to_series() if rows.height else pl.Series(dtype=pl.Date)


def _concerns(change: KnownChange) -> pl.Expr:
    named = {"provider_id": change.provider, "model_id": change.model, "use_case": change.use_case}
    parts = [pl.col(name) == value for name, value in named.items() if value is not None]
    if change.metric is not None:
        parts.append((pl.col("metric") == change.metric) | (family() == change.metric))
    return pl.all_horizontal(*parts) if parts else pl.lit(value=True)


def with_reference(profile: pl.DataFrame, day: date, alarms: Alarms, changes: Sequence[KnownChange]) -> pl.DataFrame:
    """The rows of the day and of its reference, with `is_day`.

    The reference are the 28 days before, of an open alarm those before its first day. Left out are days with an alarm,
    and days before a known change.
    """
    rows = profile.filter(pl.col("event_date") <= day).with_columns(family())
    opened = alarms.open.with_columns(family()).group_by(KEY).agg(pl.col("opened_on").min())
    rows = rows.join(opened, on=KEY, how="left", maintain_order="left").with_columns(
        (pl.col("event_date") == day).alias("is_day"), pl.coalesce("opened_on", pl.lit(day)).alias("until")
    )
    since = pl.col("until") - pl.duration(days=REFERENCE_DAYS)
    rows = rows.filter(pl.col("is_day") | ((pl.col("event_date") >= since) & (pl.col("event_date") < pl.col("until"))))
    if changes:
        start = changed_on(rows, changes, day)
        rows = rows.filter(pl.col("is_day") | start.is_null() | (pl.col("event_date") >= start))
    odd = alarms.days.with_columns(family()).select(*KEY, "event_date", "opened_on").unique()
    episodes = odd.filter(pl.col("event_date") >= day - timedelta(days=RHYTHM_DAYS))
    rhythm = episodes.group_by(KEY).agg(pl.col("opened_on").n_unique()).filter(pl.col("opened_on") > MAX_EPISODES)
    odd = odd.join(rhythm.select(KEY), on=KEY, how="anti")
    return rows.join(odd.filter(pl.col("event_date") < day), on=[*KEY, "event_date"], how="anti").drop(
        FAMILY, "opened_on", "until"
    )


def with_age(rows: pl.DataFrame, day: date, alarms: Alarms, answered: pl.DataFrame) -> pl.DataFrame:
    """The day's comparisons with what is open: alarms get their first day and age, and one ends by recovery only.

    It has recovered where the day shows less than half of what opened it, and has calls enough to show that much; a name or a
    finish reason where it is not seen any more among calls that have one (`answered`: GROUP and family). Of an open alarm
    that can't be compared today there is a row too.
    """
    known = alarms.open.select(
        *GROUP, "metric", pl.col("opened_on").alias("was_opened_on"), pl.col("effect").alias("last")
    )
    both = rows.join(known, on=[*GROUP, "metric"], how="left", maintain_order="left")
    is_less = pl.col("effect") * pl.col("last").sign() < pl.col("last").abs() / 2
    # By its calls: an alarm that the noise between days hides, as their rhythm comes to be known, must not stay for ever.
    of_calls = pl.col("min_detectable") / pl.col("overdispersion").fill_null(1.0).sqrt()
    could_show = of_calls.is_null() | (of_calls <= pl.col("last").abs())
    has_recovered = ~pl.col("is_alarm") & is_less & could_show
    was_open = pl.col("was_opened_on").is_not_null()
    is_open = pl.col("is_alarm") | (was_open & ~has_recovered.fill_null(value=False))
    first = pl.when(is_open).then(pl.coalesce("was_opened_on", pl.lit(day)))
    judged = both.with_columns(
        is_open.alias("is_alarm"),
        first.alias("opened_on"),
        (pl.lit(day) - first).dt.total_days().cast(pl.Int32).alias("age_days"),
        pl.concat_str(pl.col("explanation"), _state_sentence(is_open, was_open)).alias("explanation"),
    ).select(*REQUEST_DRIFT.polars_schema)
    missing = known.join(rows, on=[*GROUP, "metric"], how="anti").with_columns(family())
    gone = missing.join(answered, on=KEY, how="semi")
    carried = [_carried(row, day, is_open=False) for row in gone.iter_rows(named=True)]
    unseen = missing.join(answered, on=KEY, how="anti")
    carried += [_carried(row, day, is_open=True) for row in unseen.iter_rows(named=True)]
    others = [pl.DataFrame(carried, schema=REQUEST_DRIFT.polars_schema)] if carried else []
    return pl.concat([judged, *others]).sort(*REQUEST_DRIFT.primary_key)


def _state_sentence(is_open: pl.Expr, was_open: pl.Expr) -> pl.Expr:
    since = pl.col("was_opened_on").dt.strftime("%Y-%m-%d")
    return (
        pl.when(is_open & was_open)
        .then(pl.concat_str(pl.lit(" Open since "), since, pl.lit("; the days before that are its reference.")))
        .when(was_open)
        .then(pl.concat_str(pl.lit(" Recovered: open since "), since, pl.lit(", and closed.")))
        .otherwise(pl.lit(""))
    )


def _carried(row: dict[str, Any], day: date, *, is_open: bool) -> dict[str, Any]:
    """The row of an open alarm that today's calls can't judge, or whose name no call has any more."""
    who, since = f"{row['model_id']} at {row['provider_id']} for {row['use_case']}", row["was_opened_on"]
    state = (
        f"{row['metric']} can't be compared today, too few like calls. Open since {since}; the effect is the one that opened it."
        if is_open
        else f"{row['metric']} is not seen any more. Recovered: open since {since}, and closed."
    )
    return {
        **{name: row[name] for name in (*GROUP, "metric")},
        "event_date": day,
        **dict.fromkeys(("n_day", "n_reference", "reference_days"), 0),
        "comparable_share": 0.0,
        "effect": row["last"] if is_open else 0.0,
        "is_alarm": is_open,
        "opened_on": since if is_open else None,
        "age_days": (day - since).days if is_open else None,
        "explanation": f"{who}: {state}",
    }
