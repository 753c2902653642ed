"""Step `mart.routing_projection`, `mart.routing_month` and `mart.routing_frontier`: traffic under every routing policy, and the cheapest of all.

The projection itself is `pipelines.routing`; policies come from `routing.yaml`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import polars as pl
import psycopg

from pipelines.config.routing import RoutingConfig
from pipelines.daily.days import Window
from pipelines.daily.shadow import answers_now
from pipelines.instants import midnight
from pipelines.outside import ANY_FAILURE, worded
from pipelines.routing import Routed, Setting, together
from pipelines.routing.kept import kept_days, kept_traffic, rows_of
from pipelines.routing.measure_next import measure_next
from pipelines.routing.repeats import repeats
from pipelines.routing.traffic import CALL_COLUMNS, Halves, added
from pipelines.routing.what_if import Question, what_if
from pipelines.selfhost.costs import with_own_machines
from pipelines.shadow import effects, ratios
from pipelines.warehouse.day_files import day_of_requests
from pipelines.warehouse.partitions import loaded_days
from pipelines.warehouse.read import read_table
from pipelines.warehouse.replace import replace_all, replace_days
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.core_benchmarks import BENCHMARK_SCORE
from pipelines.warehouse.tables.core_prices import RATE_CARD
from pipelines.warehouse.tables.core_routing import ROUTING_COST, ROUTING_TRAFFIC
from pipelines.warehouse.tables.mart_evidence import REQUEST_REPEAT, ROUTING_MEASURE_NEXT
from pipelines.warehouse.tables.mart_routing import ROUTING_FRONTIER, ROUTING_MONTH, ROUTING_PROJECTION
from pipelines.warehouse.tables.selfhost import GPU_PRICE, HOURLY_DEMAND, THROUGHPUT
from pipelines.workspace import Workspace

Connection = psycopg.Connection[Any]
_LOADED = "select distinct event_date from raw.loaded_file where event_date >= %s and event_date < %s and requests > 0"
"""The days that had requests, also those whose requests were removed."""


class RemovedError(Exception):
    """Requests that something is made of were removed by age."""


@dataclass(frozen=True)
class Projected:
    """What the step made: the days' rows, how many rows each table got, and what could not be made, with the reason."""

    routed: Routed
    rows: Mapping[str, int]
    problems: Sequence[str]


def project_routing(workspace: Workspace, window: Window) -> Projected:
    """Project every policy on the window's days, and on the months that they are in; replace these rows."""
    rows: Counter[str] = Counter()
    with workspace.database.connect() as connection:
        rate_card = read_table(connection, RATE_CARD)
        again = [REQUEST_REPEAT.empty()]
        setting = setting_of(workspace, connection, _months(window)[0], window.to_date, rate_card)
        days = _traffic(workspace, connection, window.days, setting, rate_card, again=again)
        with connection.transaction():
            rows[REQUEST_REPEAT.qualified] = replace_days(
                connection, REQUEST_REPEAT, pl.concat(again), window.from_date, window.to_date
            )
        # What was asked again on the days themselves is evidence too.
        setting = replace(setting, again=_asked_again(connection, _months(window)[0], window.to_date))
        policies = _policies(workspace, connection)
        with connection.transaction(), ThreadPoolExecutor(1) as sender:
            # Of a million requests on 48 models the sums are 200,000 rows: they are sent while policies are projected.
            sent = sender.submit(_keep_days, connection, window.days, days, setting)
            routed = [replace(setting, policies=policies(on)).routed(traffic, on) for on, traffic in days.items()]
            rows.update(sent.result())
            found = together(routed)
            for table, frame in ((ROUTING_PROJECTION, found.projection), (ROUTING_FRONTIER, found.frontier)):
                rows[table.qualified] = replace_days(connection, table, frame, window.from_date, window.to_date)
        problems = [*found.problems]
        for month in _months(window):
            try:
                rows[ROUTING_MONTH.qualified] += _project_month(workspace, connection, month, rate_card)
            except ANY_FAILURE as error:  # the days stand without it
                problems.append(f"month of {month}: {worded(error)}")
    return Projected(found, rows, problems)


def ask(workspace: Workspace, window: Window, question: Question) -> Routed:
    """One policy, with what the question changes, on all traffic of the window together; nothing is stored.

    The rows bear the window's last day. Raises QuestionError.
    """
    with workspace.database.connect() as connection:
        rate_card = read_table(connection, RATE_CARD)
        setting = setting_of(workspace, connection, window.from_date, window.to_date, rate_card)
        policies, evidence, cards = what_if(question, setting.policies, setting.evidence, rate_card)
        asked = replace(setting, policies=policies, evidence=evidence)
        days = _traffic(workspace, connection, window.days, asked, cards)
    if not days:
        return together([])
    return asked.routed(added(list(days.values())), window.last_day, with_frontier=False)


def find_measure_next(workspace: Workspace) -> tuple[pl.DataFrame, list[str]]:
    """Replace mart.routing_measure_next by what is worth measuring for the headline policy, on the newest day added up; its rows, and what failed.

    A policy that can't be projected has none.
    """
    rows: list[dict[str, Any]] = []
    problems: list[str] = []
    with workspace.database.connect() as connection:
        newest = connection.execute("select max(event_date) from core.routing_traffic").fetchone()
        if newest is not None and newest[0] is not None:
            on = newest[0]
            setting = setting_of(workspace, connection, on, on + timedelta(days=1), read_table(connection, RATE_CARD))
            asked = setting.policies.of_headline()
            traffic = kept_traffic(connection, [on], asked.offers())
            for case in replace(setting, policies=asked).cases(traffic, on):
                try:
                    rows += measure_next(case)
                except ANY_FAILURE as error:  # one baseline costs no other
                    problems.append(f"{case.policy.policy} against {case.baseline.baseline}: {worded(error)}")
        found = pl.DataFrame(rows, schema=ROUTING_MEASURE_NEXT.polars_schema)
        replace_all(connection, ROUTING_MEASURE_NEXT, found)
    return found, problems


def stored_measure_next(workspace: Workspace, policies: Sequence[str], most: int) -> pl.DataFrame:
    """The first rows of mart.routing_measure_next of each baseline of some policies."""
    with workspace.database.connect(read_only=True) as connection:
        rows = read_table(connection, ROUTING_MEASURE_NEXT, "policy = any(%s) and rank <= %s", (list(policies), most))
    return rows.sort("policy", "baseline", "rank")


def _project_month(workspace: Workspace, connection: Connection, month: date, rate_card: pl.DataFrame) -> int:
    """Replace the month's rows by those of all its loaded days. Days that were never added up are added up first.

    Raises RemovedError, and replaces nothing, where retention removed requests that this would need.
    """
    until = _after(month)
    with_requests = {day for day in loaded_days(connection, REQUEST) if month <= day < until}
    loaded = sorted(with_requests.union(day for (day,) in connection.execute(_LOADED, (month, until))))
    setting = setting_of(workspace, connection, month, until, rate_card)
    with connection.transaction():
        lacking = sorted({*loaded} - {*kept_days(connection, month, until, setting.config_id)})
        if gone := [day for day in lacking if day not in with_requests]:
            raise RemovedError(f"it stays as it was, since the requests of {len(gone)} of its days were removed")
        for on, traffic in _traffic(workspace, connection, lacking, setting, rate_card).items():
            _keep(connection, on, traffic, setting)
        rows = ROUTING_MONTH.empty()
        if loaded:
            policies = _policies(workspace, connection)(max(loaded))
            rows = _together(connection, loaded, replace(setting, policies=policies))
            rows = rows.drop("event_date").with_columns(
                month=pl.lit(month), through=pl.lit(max(loaded)), days=pl.lit(len(loaded), pl.Int32)
            )
        return replace_days(
            connection, ROUTING_MONTH, rows.select(*ROUTING_MONTH.polars_schema), month, month + timedelta(days=1)
        )


def _together(connection: Connection, loaded: Sequence[date], setting: Setting) -> pl.DataFrame:
    """The rows of all the days together; of a single day its own, where it has some."""
    if len(loaded) == 1:
        own = read_table(connection, ROUTING_PROJECTION, "event_date = %s", (loaded[0],))
        if own.height:
            return own
    return setting.routed(kept_traffic(connection, loaded), max(loaded), with_frontier=False).projection


def _traffic(
    workspace: Workspace,
    connection: Connection,
    days: Iterable[date],
    setting: Setting,
    rate_card: pl.DataFrame,
    *,
    again: list[pl.DataFrame] | None = None,
) -> dict[date, Halves]:
    """The days' requests as sums, one day in memory at a time; days without requests are left out.

    `again` gets each day's rows of mart.request_repeat, made of the same reading.
    """
    found = {}
    with ThreadPoolExecutor(1) as other:
        for on in days:
            requests = day_of_requests(connection, workspace.day_files, on, ("event_date", *CALL_COLUMNS))
            if requests.height:
                asked = None if again is None else other.submit(repeats, requests, rate_card)
                found[on] = setting.traffic(requests, rate_card)
                if again is not None and asked is not None:
                    again.append(asked.result())
    return found


def _asked_again(connection: Connection, first: date, until: date) -> pl.DataFrame:
    return read_table(connection, REQUEST_REPEAT, "event_date >= %s and event_date < %s", (first, until))


def _keep_days(
    connection: Connection, on_days: Iterable[date], days: Mapping[date, Halves], setting: Setting
) -> Counter[str]:
    """Replace the sums of several days; the number of rows by table."""
    rows: Counter[str] = Counter()
    for on in on_days:
        rows.update(_keep(connection, on, days.get(on), setting))
    return rows


def _keep(connection: Connection, on: date, traffic: Halves | None, setting: Setting) -> dict[str, int]:
    """Replace the day's sums; the number of rows by table."""
    frames = ROUTING_TRAFFIC.empty(), ROUTING_COST.empty()
    if traffic is not None:
        frames = rows_of(traffic, on, setting.config_id)
    return {
        table.qualified: replace_days(connection, table, frame, on, on + timedelta(days=1))
        for table, frame in zip((ROUTING_TRAFFIC, ROUTING_COST), frames, strict=True)
    }


def setting_of(
    workspace: Workspace, connection: Connection, first: date, until: date, rate_card: pl.DataFrame
) -> Setting:
    """What projections of days in [first, until) rest on; each is judged by scores that were believed at its end."""
    config = workspace.config
    scores = read_table(
        connection,
        BENCHMARK_SCORE,
        "observed_at < %s and (superseded_at is null or superseded_at >= %s)",
        (midnight(until), midnight(first)),
    )
    answered = answers_now(connection)
    again = _asked_again(connection, first, until)
    evidence = config.evidence.with_measured([*effects(ratios(answered))])
    policies = _policies(workspace, connection)(until - timedelta(days=1))
    hourly = read_table(connection, HOURLY_DEMAND, "event_date >= %s and event_date < %s", (first, until))
    return Setting(
        policies, evidence, scores, config.calendars.days, answered, config.model_facts, hourly, rate_card, again
    )


def _policies(workspace: Workspace, connection: Connection) -> Callable[[date], RoutingConfig]:
    """The policies with what own machines cost and can serve on a day: that of the traffic, whatever else a run projects."""
    config, prices, measured = workspace.config, read_table(connection, GPU_PRICE), read_table(connection, THROUGHPUT)
    return lambda on: with_own_machines(config.routing, config.selfhost, prices, measured, on)


def _months(window: Window) -> list[date]:
    return sorted({day.replace(day=1) for day in window.days})


def _after(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)
