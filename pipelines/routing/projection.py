"""The rows of mart.routing_projection: each policy's shares applied to a day's traffic, with what is known and what is not.

Which requests count and what they cost on a model is in `traffic.py`, quality in `quality.py`, intervals in `outlook.py`. Money
is Decimal throughout; a missing rate makes a cost NULL with a reason, never zero and never a smaller sum.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_EVEN, localcontext
from functools import cached_property
from typing import Any

import polars as pl

from pipelines.config.calendars import Calendars
from pipelines.config.evidence import Evidence
from pipelines.config.loader import load_file
from pipelines.config.model_facts import ModelFactsConfig
from pipelines.config.routing import RoutingConfig
from pipelines.meters import INPUT_METERS, OUTPUT_METERS
from pipelines.outside import ANY_FAILURE, worded
from pipelines.routing.board_ratios import board_effects
from pipelines.routing.case import Case
from pipelines.routing.day import Day
from pipelines.routing.frontier import frontier
from pipelines.routing.lanes import Models, lanes
from pipelines.routing.methods import method_rows
from pipelines.routing.quality import known_on, with_stand_ins
from pipelines.routing.repeats import attempts, escalations
from pipelines.routing.traffic import Halves, Traffic, left_out_reason, traffic_of
from pipelines.warehouse.tables.mart_routing import ROUTING_FRONTIER, ROUTING_PROJECTION
from pipelines.warehouse.tables.selfhost import HOURLY_DEMAND

LANGUAGE = 4
"""Raised where `core.routing_traffic` and `core.routing_cost` of the same traffic would differ from before."""


@dataclass(frozen=True)
class Routed:
    """What routing would do: rows of mart.routing_projection and of mart.routing_frontier.

    `problems` are the days whose frontier could not be made, each with the reason.
    """

    projection: pl.DataFrame
    frontier: pl.DataFrame
    problems: Sequence[str] = ()


@dataclass(frozen=True)
class Setting:
    """What a projection rests on besides traffic: policies, evidence, scores (core.benchmark_score), calendars of price windows, what
    other models did with the same requests (`pipelines.shadow.answers`), when requests came (mart.hourly_demand), the prices by which
    boards' costs are read (core.rate_card), and how often answers were asked for again (mart.request_repeat)."""

    policies: RoutingConfig
    evidence: Evidence
    scores: pl.DataFrame | None
    calendars: Mapping[str, frozenset[date]]
    answered: pl.DataFrame | None = None
    facts: ModelFactsConfig | None = None
    hourly: pl.DataFrame | None = None
    rate_card: pl.DataFrame | None = None
    again: pl.DataFrame | None = None

    @cached_property
    def models(self) -> Models:
        """What is known of models and sellers."""
        return Models(self.facts, self.policies)

    def traffic(self, requests: pl.DataFrame, rate_card: pl.DataFrame) -> Halves:
        """One day's requests (rated rows of core.request) as sums, with their cost on everything that may serve them."""
        # A model of embeddings that ran on the day is no candidate for chats.
        routable = requests.lazy().filter(left_out_reason(self.models).is_null())
        ran = routable.select("provider_id", "model_id").drop_nulls().unique().collect().iter_rows()
        offers = sorted({*self.policies.offers(), *((str(seller), str(model)) for seller, model in ran)})
        schema = {"provider_id": pl.String(), "model_id": pl.String()}
        asked = pl.DataFrame(offers, schema=schema, orient="row")
        cards = rate_card.join(asked, on=["provider_id", "model_id"], how="semi")
        return traffic_of(requests, cards, offers, self.models, calendars=self.calendars)

    @property
    def config_id(self) -> str:
        """Changes where traffic has to be added up anew: by what policies distinguish, and for what may serve it."""
        arms = [arm for policy in self.policies.policies for arm in policy.arms]
        rules = [arm.rule.model_dump() for arm in arms if arm.rule is not None]
        apart = (LANGUAGE, sorted(self.policies.offers()), self.policies.operations, list(lanes(self.models)), rules)
        return hashlib.sha256(repr(apart).encode()).hexdigest()[:16]

    def _counted(self, traffic: Halves, believed: pl.DataFrame | None, on: date) -> Setting:
        """With what boards counted of the models that run or may run, and what the sessions of the traffic's own days show."""
        evidence = self.evidence
        if self.again is not None:
            own = self.again.filter(
                pl.col("event_date").is_in(_last_days(self.again, traffic.priced.days, on).implode())
            )
            evidence = evidence.with_measured(list(attempts(own))).with_escalations(list(escalations(own)))
        if believed is not None:
            models = {model for half in (traffic.priced, traffic.unpriced) for _, model in (*half.costs, *half.ran)}
            evidence = evidence.with_measured(list(board_effects(believed, evidence, models, self.rate_card)))
        return replace(self, evidence=evidence)

    def _day(self, traffic: Traffic, believed: pl.DataFrame | None, on: date) -> Day:
        offers, hours = sorted(traffic.costs), self._hours(traffic.days, on)
        return Day(traffic, self.evidence, self.policies, believed, offers, self.models, self.answered, hours)

    def _hours(self, days: int, on: date) -> pl.DataFrame | None:
        """The hours of the last `days` days up to `on` that had requests; None if not so many are added up."""
        if self.hourly is None:
            return None
        counted = self.hourly.filter(pl.col("operation").is_in(list(self.policies.operations)))
        last = _last_days(counted, days, on)
        return counted.filter(pl.col("event_date").is_in(last.implode())) if last.len() == days else None

    def _believed(self, on: date) -> pl.DataFrame | None:
        """The scores that are believed at the end of the day."""
        return None if self.scores is None else with_stand_ins(known_on(self.scores, on), self.evidence.stand_ins, on)

    def counted(self, traffic: Halves, on: date) -> Setting:
        """With what boards counted of the models that run or may run, and what the sessions of the traffic's own days show."""
        return self._counted(traffic, self._believed(on), on)

    def _days(self, traffic: Halves, on: date) -> dict[bool, Day]:
        """The traffic to compare with what it did cost (True), and with a model."""
        believed = self._believed(on)
        counted = self._counted(traffic, believed, on)
        days = {True: counted._day(traffic.against(actual=True), believed, on)}
        # Where all is priced, both comparisons are about the same requests.
        days[False] = (
            counted._day(traffic.against(actual=False), believed, on) if traffic.unpriced.count else days[True]
        )
        return days

    def _cases(self, days: Mapping[bool, Day], on: date) -> Iterator[Case]:
        for policy in self.policies.policies:
            for name in policy.baselines:
                baseline = self.policies.baseline(name)
                yield Case(on, policy, baseline, days[baseline.model_id is None].taken_by(policy))

    def cases(self, traffic: Halves, on: date) -> list[Case]:
        """Each policy against each of its baselines, on some days' traffic together."""
        return list(self._cases(self._days(traffic, on), on))

    def routed(self, traffic: Halves, on: date, *, with_frontier: bool = True) -> Routed:
        """The rows of some days' traffic together, which bear the date of the last one, `on`: what is known at its end counts."""
        days = self._days(traffic, on)
        points: list[dict[str, Any]] = []
        problems: list[str] = []
        with localcontext() as context:
            context.prec, context.rounding = 76, ROUND_HALF_EVEN
            rows = list(_projected(self._cases(days, on)))
            if with_frontier:
                try:
                    points = frontier(days[True], on)
                except ANY_FAILURE as error:  # the projections of the day stand without it
                    problems.append(f"frontier of {on}: {worded(error)}")
        return Routed(
            pl.DataFrame(rows, schema=ROUTING_PROJECTION.polars_schema),
            pl.DataFrame(points, schema=ROUTING_FRONTIER.polars_schema),
            problems,
        )


def _last_days(rows: pl.DataFrame, days: int, on: date) -> pl.Series:
    """The last `days` days up to `on` that have rows."""
    return rows.filter(pl.col("event_date") <= on)["event_date"].unique().sort().tail(days)


def project(
    requests: pl.DataFrame,
    rate_card: pl.DataFrame,
    policies: RoutingConfig,
    scores: pl.DataFrame | None,
    *,
    evidence: Evidence | None = None,
    calendars: Mapping[str, frozenset[date]] | None = None,
    facts: ModelFactsConfig | None = None,
) -> Routed:
    """What each day's traffic would have cost under each policy, against each of the policy's baselines.

    `requests` are rated rows of core.request, `rate_card` rows of core.rate_card, `scores` rows of
    core.benchmark_score (None or empty: quality stays null); `evidence` and `calendars` are those that ship where they are
    None; without `facts` on models no arm refuses a request. Of mart.routing_projection: one row per day, policy, baseline and arm, one for the total, whose amounts
    are the sums of the arms' to the last decimal, and one for each method of `methods.py`. Of mart.routing_frontier: the
    cheapest shares of all arms, baselines, candidates and models that ran.
    """
    setting = Setting(
        policies,
        load_file(Evidence, "evidence.yaml", None) if evidence is None else evidence,
        scores,
        load_file(Calendars, "calendars.yaml", None).days if calendars is None else calendars,
        facts=facts,
        hourly=hours_of(requests),
        rate_card=rate_card,
    )
    found = [
        setting.routed(setting.traffic(requests.filter(pl.col("event_date") == on), rate_card), on)
        for on in requests["event_date"].unique().sort()
    ]
    return together(found)


def hours_of(requests: pl.DataFrame) -> pl.DataFrame:
    """Rows of mart.hourly_demand of requests (core.request)."""
    given, written = (
        sum((pl.col(meter.tokens_column).cast(pl.Int64) for meter in meters), pl.lit(0))
        for meters in (INPUT_METERS, OUTPUT_METERS)
    )
    return (
        requests.filter("is_billable")
        .group_by(
            "event_date",
            "operation",
            *(pl.col(name).fill_null("") for name in ("provider_id", "model_id")),
            hour=pl.col("event_at").dt.hour().cast(pl.Int32),
        )
        .agg(requests=pl.len().cast(pl.Int64), input_tokens=given.sum(), output_tokens=written.sum())
        .select(*HOURLY_DEMAND.polars_schema)
    )


def together(found: Sequence[Routed]) -> Routed:
    """The rows of several days."""
    return Routed(
        pl.concat([ROUTING_PROJECTION.empty(), *(one.projection for one in found)]),
        pl.concat([ROUTING_FRONTIER.empty(), *(one.frontier for one in found)]),
        [problem for one in found for problem in one.problems],
    )


def _projected(cases: Iterable[Case]) -> Iterator[dict[str, Any]]:
    """The rows of every policy, and of the methods that are shown next to it."""
    for case in cases:
        try:
            rows = case.rows()
        except ANY_FAILURE as error:  # one policy costs no other
            rows = [case.failed(worded(error))]
        yield from rows
        yield from method_rows(case, rows[-1]["projected_cost_usd"])
