"""The events of the newest loaded day, each with what makes it one: the same event has the same id at every run.

Tables of the warehouse are read; what failed in a run is handed in by those who saw it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.rows import dict_row

from pipelines.finops import format as fmt
from pipelines.ids import id_bytes
from pipelines.outside import Apart
from pipelines.quality.readable import Unreadable, unreadable
from pipelines.quality.silent import Silence, Watched, silences
from pipelines.warehouse.names import is_made
from pipelines.warehouse.tables.core_alerts import AlertKind

_RECENT = timedelta(days=3)
"""How long ago something may have happened that a run of several days at once still speaks of."""


@dataclass(frozen=True)
class Alert:
    """One event. `identity` is what makes it one; `usd` is the money that it is about, where there is any."""

    kind: AlertKind
    identity: tuple[str, ...]
    event_date: date
    title: str
    detail: str
    link: str
    usd: Decimal | None = None

    @property
    def alert_id(self) -> bytes:
        """The same for the same event."""
        return id_bytes("alert", self.kind, *self.identity)


@dataclass(frozen=True)
class Asked:
    """What the configuration asks for."""

    credit_days: int
    watched: Watched


_QUERIES: dict[AlertKind, str] = {
    "budget": """
        select *
        from mart.budget_status
        where event_date = %(day)s and (state in ('crossed', 'will_cross') or passed_threshold is not null)
        order by budget_id
    """,
    "anomaly": """
        select *
        from mart.spend_anomaly
        where opened_on <= %(day)s and (ended_on is null or ended_on > %(recent)s)
        order by excess_usd desc, scope, scope_value
    """,
    "drift": """
        select provider_id || ' ' || model_id || ' ' || use_case || ' ' || metric || ' ' || opened_on as identity,
            model_id || ': ' || metric || ' changed' as title, explanation, opened_on as since
        from mart.request_drift
        where event_date = %(day)s and is_alarm
        union all
        select event_id::text, board || ': ' || drift_class, explanation, event_date
        from mart.benchmark_drift
        where event_date > %(recent)s and event_date <= %(day)s and severity in ('warn', 'error')
        order by 1
    """,
    "price_change": """
        select change_id::text as identity, summary, (spend_30d_usd * change_share::numeric)::numeric(38, 18) as usd,
            (valid_from at time zone 'UTC')::date as since
        from mart.price_change
        where is_used and spend_30d_usd > 0 and learnt_at > %(recent_end)s and learnt_at <= %(end)s
        order by spend_30d_usd desc, identity
    """,
    "unpriced_model": """
        select provider_id, model_id, unpriced_reason, sum(quantity)::bigint as requests
        from mart.daily_charge
        where event_date = %(day)s and meter = 'request' and unpriced_reason is not null
        group by provider_id, model_id, unpriced_reason
        order by requests desc, provider_id, model_id
    """,
    "credit_expiring": """
        select distinct on (commitment_id) *
        from mart.commitment_day
        where event_date <= %(day)s and kind = 'credit'
        order by commitment_id, event_date desc
    """,
}  # fmt: skip


def alerts_of(
    connection: psycopg.Connection[Any], day: date, link: Callable[[date], str], apart: Apart, asked: Asked
) -> list[Alert]:
    """Every event that the warehouse shows at the end of a day. A kind whose tables can't be read is named in `apart`."""
    end = datetime.combine(day, time.max, UTC)
    parameters = {
        "day": day,
        "recent": day - _RECENT,
        "end": end,
        "recent_end": end - _RECENT,
    }
    makers: dict[AlertKind, Callable[[dict[str, Any]], Iterator[tuple[tuple[str, ...], str, str, Decimal | None]]]] = {
        "budget": _budget,
        "anomaly": _anomaly,
        "drift": lambda row: iter([((row["identity"],), row["title"], row["explanation"], None)]),
        "price_change": lambda row: iter([((row["identity"],), "a price changes", _of_30_days(row), row["usd"])]),
        "unpriced_model": _unpriced,
        "credit_expiring": lambda row: _credit(row, day + timedelta(days=asked.credit_days)),
    }
    found = []
    for kind, query in _QUERIES.items():
        with (
            apart.part(f"events of kind {kind}"),
            connection.transaction(),
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            rows = cursor.execute(query.encode(), parameters).fetchall() if _is_there(connection, kind) else []
            found += [
                Alert(kind, identity, day, title, detail, link(day), usd)
                for row in rows
                for identity, title, detail, usd in makers[kind](row)
            ]
    with apart.part("events of kind source_set_aside"), connection.transaction():
        lost = [one for one in unreadable(connection, day, day + timedelta(days=1)) if one.is_lost]
        found += [_set_aside(one, day, link(day)) for one in lost]
    with apart.part("events of kind source_silent"), connection.transaction():
        silent = silences(connection, day, day + timedelta(days=1), asked.watched)
        found += [_silent(one, link(day)) for one in silent]
    return found


def _is_there(connection: psycopg.Connection[Any], kind: AlertKind) -> bool:
    """Whether dbt has made the table: it makes its own at the first run."""
    return kind != "unpriced_model" or is_made(connection, "mart.daily_charge")


_Made = Iterator[tuple[tuple[str, ...], str, str, Decimal | None]]


def _usd(*amounts: Decimal) -> list[str]:
    """Amounts that stand together, to the cent; to more decimals where all are below a dollar: 0.0135 of 0.01 is not 0.01 of 0.01."""
    decimals = fmt.scale_of(amounts)
    return [fmt.money(amount, decimals) for amount in amounts]


def _budget(row: dict[str, Any]) -> _Made:
    name, period = row["budget_id"], str(row["period_from"])
    spent, amount = _usd(row["spent_usd"], row["budget_usd"])
    spent = f"{spent} of {amount} USD are spent in the {row['period']} from {period}"
    text = f"{spent}; owner {row['owner']}."
    if row["state"] == "will_cross":
        when = f"on {row['crosses_on']}" if row["crosses_on"] else "in this period"
        early = f", at the earliest on {row['crosses_from']}" if row["crosses_from"] else ""
        foreseen = (
            f"{text} At this pace it is crossed {when}{early}; the period ends at {_usd(row['forecast_usd'])[0]} USD."
        )
        yield (
            (name, period, "will_cross"),
            f"budget {name} will be crossed",
            foreseen,
            row["forecast_usd"] - row["budget_usd"],
        )
    if row["passed_threshold"] is not None:
        share = row["passed_threshold"]
        yield (name, period, f"{share:g}"), f"budget {name} is past {share:.0%}", text, row["spent_usd"]


def _anomaly(row: dict[str, Any]) -> _Made:
    what = "everything" if row["scope"] == "total" else f"{row['scope'].replace('_', ' ')} {row['scope_value']}"
    state = "open" if row["ended_on"] is None else f"over since {row['ended_on']}"
    detail = f"{row['explanation']} {_usd(row['excess_usd'])[0]} USD so far, {state}."
    yield (
        (row["scope"], row["scope_value"], str(row["opened_on"])),
        f"{what} costs more than expected",
        detail,
        row["excess_usd"],
    )


def _of_30_days(row: dict[str, Any]) -> str:
    return f"{row['summary']} On the traffic of 30 days that is {row['usd']:+,.2f} USD."


def _unpriced(row: dict[str, Any]) -> _Made:
    model, reason = row["model_id"], row["unpriced_reason"]
    detail = f"{row['requests']:,} requests of {model} at {row['provider_id']} have no cost: {reason} (docs/prices.md says what mends it)."
    yield (row["provider_id"], model, reason), f"no price for {model} at {row['provider_id']}", detail, None


def _credit(row: dict[str, Any], until: date) -> _Made:
    if (
        row["expires_on"] is None
        or not row["balance_usd"]
        or row["expires_on"] > until
        or row["event_date"] >= row["expires_on"]
    ):
        return
    lost = f"; at this pace {_usd(row['expiring_usd'])[0]} USD expire unused" if row["expiring_usd"] else ""
    name = row["commitment_id"]
    detail = (
        f"{_usd(row['balance_usd'])[0]} USD of {name} at {row['provider_id']} are left until {row['expires_on']}{lost}."
    )
    yield (name, str(row["expires_on"])), f"credit {name} expires on {row['expires_on']}", detail, row["expiring_usd"]


def _set_aside(lost: Unreadable, day: date, link: str) -> Alert:
    files = f"; {lost.files} of its {lost.of_files} files can't be read to their end" if lost.files else ""
    detail = f"{lost.share:.1%} of {lost.source} could not be read (raw.quarantine){files}."
    return Alert("source_set_aside", (lost.source, str(day)), day, f"source {lost.source} is set aside", detail, link)


def _silent(silence: Silence, link: str) -> Alert:
    identity = (silence.source, str(silence.delivered))
    detail = f"{silence.described()}. {silence.remedy}"
    return Alert("source_silent", identity, silence.day, f"source {silence.source} is silent", detail, link)


def stale_feeds(feeds: Sequence[tuple[str, datetime | None]], day: date, link: str) -> list[Alert]:
    """Feeds that are too old, by name and newest file."""
    return [
        Alert("stale_feed", (name, str(newest)), day, f"feed {name} is stale", f"Its newest file is of {newest or 'no day: none was ever fetched'}.", link)
        for name, newest in feeds
    ]  # fmt: skip


def failed_checks(checks: Sequence[tuple[str, str, str]], day: date, link: str) -> list[Alert]:
    """Checks that failed, by name, severity and what each is about. A blocking one is an event on every day, a warning once a month."""
    return [
        Alert("check_failed", (name, str(day) if severity == "blocking" else f"{day:%Y-%m}"), day, f"check {name} failed", what, link)
        for name, severity, what in checks
    ]  # fmt: skip


def failed_run(run_id: str, failures: Sequence[tuple[str, str]], day: date, link: str) -> Alert:
    """A run that failed, with the steps that did and why."""
    detail = "; ".join(f"{step}: {reason}" for step, reason in failures) or "the run reached no step"
    return Alert("run_failed", (run_id,), day, f"the daily run for {day} failed", detail, link)
