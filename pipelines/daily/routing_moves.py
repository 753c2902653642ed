"""Step `mart.routing_move`: what prices, scores and changes of served models moved the window's projections by.

The projections are those of `routing.py`; how an event is undone is in `pipelines.routing.moves`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import polars as pl

from pipelines.books.served import CALLS, answered_by_others
from pipelines.daily.days import Window
from pipelines.daily.routing import Connection, setting_of
from pipelines.outside import ANY_FAILURE, worded
from pipelines.routing import Setting
from pipelines.routing.kept import kept_traffic
from pipelines.routing.moves import (
    Event,
    alarmed,
    as_asked,
    as_rows,
    cards_before,
    changed_output,
    concerned,
    moved,
    opened,
    score_words,
    served_events,
    silent,
    touched,
    written_ratio,
)
from pipelines.routing.quality import known_on
from pipelines.routing.traffic import CALL_COLUMNS, Halves
from pipelines.warehouse.day_files import day_of_requests
from pipelines.warehouse.read import read_frame, read_table
from pipelines.warehouse.replace import replace_days
from pipelines.warehouse.tables.core_prices import RATE_CARD
from pipelines.warehouse.tables.mart_behaviour import REQUEST_DRIFT
from pipelines.warehouse.tables.mart_routing import ROUTING_MOVE, ROUTING_PROJECTION
from pipelines.workspace import Workspace
from pipelines.workspace.model_registry import registry_of

_FIRST_SERVED = """
    select * from mart.served_model_change as change
    where event_date = %(day)s and not exists (
        select from mart.served_model_change as before
        where
            before.event_date < %(day)s and (before.provider_id, before.asked_model_id, before.served_model_id)
            = (change.provider_id, change.asked_model_id, change.served_model_id)
    )
"""
"""The pairs of models that are new on a day."""
_NEXT = """
    select event_date from (select min(event_date) as event_date from mart.routing_projection where event_date > %(last)s) as next
    where exists (select from core.routing_traffic as kept where kept.event_date = next.event_date)
"""
"""The next projected day, unless its sums were removed by age: then what is known of its moves stays."""
_QUIET = "select event_date from raw.quiet_day where event_date >= %(low)s and event_date < %(on)s"
_REACH = timedelta(days=35)
"""How far back the day may lie that a day is compared with."""


def explain_moves(workspace: Workspace, window: Window) -> tuple[int, list[str]]:
    """Replace the window's rows of mart.routing_move; their number, and the days that could not be explained with the reason."""
    rows: list[dict[str, Any]] = []
    problems: list[str] = []
    with workspace.database.connect() as connection:
        rate_card = read_table(connection, RATE_CARD)
        made_again: list[date] = []
        for on in (*window.days, *_following(connection, window)):
            try:
                rows += list(_of_day(workspace, connection, on, rate_card))
                made_again.append(on)
            except ANY_FAILURE as error:  # another day stands without it, and what was known of this one
                problems.append(f"moves of {on}: {worded(error)}")
        made = as_rows(rows)
        for stretch in Window.joined(made_again):
            within = made.filter(pl.col("event_date").is_in(stretch.days))
            replace_days(connection, ROUTING_MOVE, within, stretch.from_date, stretch.to_date)
    return made.height, problems


def _following(connection: Connection, window: Window) -> list[date]:
    """The next projected day, where only quiet days lie between: it is compared with a day of the window."""
    found = connection.execute(_NEXT, {"last": window.last_day}).fetchall()
    return [day for (day,) in found if _compared_with(connection, day) <= window.last_day]


def _compared_with(connection: Connection, on: date) -> date:
    """The day before, or the one before the quiet days that end with it: what changed at a weekend without calls shows on Monday."""
    low = on - _REACH
    quiet = {day for (day,) in connection.execute(_QUIET, {"low": low, "on": on})}
    day = on - timedelta(days=1)
    while day in quiet and day > low:
        day -= timedelta(days=1)
    return day


def _of_day(
    workspace: Workspace, connection: Connection, on: date, rate_card: pl.DataFrame
) -> Iterator[dict[str, Any]]:
    after = read_table(connection, ROUTING_PROJECTION, "event_date = %s", (on,))
    if after.is_empty():
        return
    then = _compared_with(connection, on)
    setting = setting_of(workspace, connection, then, on + timedelta(days=1), rate_card)
    day = _Day(workspace, connection, on, then, setting, rate_card, after)
    yield from day.prices()
    yield from day.scores()
    alarms = read_table(connection, REQUEST_DRIFT, "event_date = %s", (on,))
    # What could be computed goes before what is only named, and what the requests themselves say before an alarm on the same model.
    found = (*alarmed(on, alarms, setting.policies, day.ran), *day.silent(alarms), *day.served())
    yield from {tuple(row[name] for name in ROUTING_MOVE.primary_key): row for row in found}.values()


@dataclass
class _Day:
    """One day as it was projected (`after`: its rows of mart.routing_projection), to be projected again without an event or with it."""

    workspace: Workspace
    connection: Connection
    on: date
    then: date
    """The day that it is compared with."""
    setting: Setting
    rate_card: pl.DataFrame
    after: pl.DataFrame

    @cached_property
    def requests(self) -> pl.DataFrame:
        """The day's requests, read where an event asks for them."""
        return day_of_requests(self.connection, self.workspace.day_files, self.on, CALL_COLUMNS)

    @cached_property
    def traffic(self) -> Halves:
        """The day's sums with their cost on every model, read where an event asks for them."""
        return kept_traffic(self.connection, [self.on])

    @cached_property
    def ran(self) -> list[str]:
        """The models that the traffic ran on."""
        return [model for _, model in kept_traffic(self.connection, [self.on], ()).priced.ran]

    def prices(self) -> Iterator[dict[str, Any]]:
        """Each seller and model whose prices changed: the day's requests at the prices before."""
        policies = self.setting.policies
        for offer in sorted(policies.offers()):
            changed, cases = cards_before(self.rate_card, offer, self.on, self.then), touched(policies, offer)
            if changed is None or not cases:
                continue
            names = {policy for policy, _ in cases}
            kept = tuple(policy for policy in policies.policies if policy.policy in names)
            asked = replace(self.setting, policies=policies.model_copy(update={"policies": kept, "headline": None}))
            before = asked.routed(asked.traffic(self.requests, changed[0]), self.on, with_frontier=False)
            yield from moved(Event(self.on, "price_change", offer, changed[1]), before.projection, self.after)

    def scores(self) -> Iterator[dict[str, Any]]:
        """All policies with the scores that were believed before, where they are others."""
        setting = self.setting
        if setting.scores is None:
            return
        then, now = (known_on(setting.scores, day) for day in (self.then, self.on))
        models = {*(model for _, model in setting.policies.offers()), *self.ran}
        words = score_words(*(_best(frame, setting, models) for frame in (then, now)))
        if words:
            held = then.with_columns(pl.lit(None, then.schema["superseded_at"]).alias("superseded_at"))
            before = replace(setting, scores=held).routed(self.traffic, self.on, with_frontier=False)
            yield from moved(Event(self.on, "scores", ("", ""), words), before.projection, self.after)

    def silent(self, alarms: pl.DataFrame) -> Iterator[dict[str, Any]]:
        """Each model that writes more or less since an alarm of the day: the day as it is projected with that."""
        for event, rows in opened(self.on, alarms):
            ratio, cases = written_ratio(rows), concerned(self.setting.policies, self.ran, {event.who[1]})
            if ratio is None or not cases:
                continue
            evidence = self.setting.counted(self.traffic, self.on).evidence
            asked = replace(self.setting, evidence=changed_output(evidence, event.who[1], ratio))
            found = asked.routed(self.traffic, self.on, with_frontier=False).projection
            yield from silent(event, ratio, self.after, found, cases)

    def served(self) -> Iterator[dict[str, Any]]:
        """Each model that another one answered for the first time: the day as if the asked model had answered the same calls."""
        events = [
            (event, cases)
            for event, models in served_events(self.on, read_frame(self.connection, _FIRST_SERVED, {"day": self.on}))
            if (cases := concerned(self.setting.policies, self.ran, models))
        ]
        if not events:
            return
        calls = read_frame(self.connection, CALLS, (self.on, self.on + timedelta(days=1)))
        calendars = self.workspace.config.calendars
        others = answered_by_others(calls, registry_of(self.workspace), self.rate_card, calendars)
        for event, cases in events:
            of_event = others.filter(provider_id=event.who[0], asked_model_id=event.who[1])
            undone = self.setting.traffic(as_asked(self.requests, of_event), self.rate_card)
            before = self.setting.routed(undone, self.on, with_frontier=False)
            yield from moved(event, before.projection, self.after, cases)


def _best(scores: pl.DataFrame, setting: Setting, models: set[str]) -> dict[str, float]:
    """The best score of each model on each version that may stand for quality."""
    prefixes = [name if "@" in name else f"{name}@" for name in setting.policies.quality_benchmarks]
    version = pl.col("benchmark_version_id")
    is_proxy = pl.any_horizontal(pl.lit(value=False), *(version.str.starts_with(prefix) for prefix in prefixes))
    rows = scores.filter(is_proxy & pl.col("model_id").is_in(sorted(models)))
    best = rows.group_by("model_id", "benchmark_version_id").agg(pl.col("score").max())
    return {f"{model} on {name}": score for model, name, score in best.iter_rows()}
