"""The rows of mart.routing_projection: each policy's shares applied to a day's traffic, with what is known and what is not.

Which requests count and what they cost on a model is in `traffic.py`, quality in `quality.py`, intervals in `outlook.py`. Money
is Decimal throughout; a missing rate makes a cost NULL with a reason, never zero and never a smaller sum.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, localcontext
from typing import Any

import polars as pl

from pipelines.config.calendars import Calendars
from pipelines.config.evidence import Evidence
from pipelines.config.loader import load_file
from pipelines.config.routing import RoutingConfig
from pipelines.outside import ANY_FAILURE, worded
from pipelines.routing.case import Case
from pipelines.routing.day import Day, Offer
from pipelines.routing.frontier import frontier
from pipelines.routing.methods import method_rows
from pipelines.routing.quality import known_on, with_stand_ins
from pipelines.routing.traffic import routable
from pipelines.warehouse.tables.mart import ROUTING_FRONTIER, ROUTING_PROJECTION


@dataclass(frozen=True)
class Routed:
    """What routing would do: rows of mart.routing_projection and of mart.routing_frontier.

    `problems` are the days whose frontier could not be made, each with the reason.
    """

    projection: pl.DataFrame
    frontier: pl.DataFrame
    problems: Sequence[str] = ()


def project(
    requests: pl.DataFrame,
    rate_card: pl.DataFrame,
    policies: RoutingConfig,
    scores: pl.DataFrame | None,
    *,
    evidence: Evidence | None = None,
    calendars: Mapping[str, frozenset[date]] | None = None,
) -> Routed:
    """What each day's traffic would have cost under each policy, against each of the policy's baselines.

    `requests` are rated rows of core.request, `rate_card` rows of core.rate_card, `scores` rows of
    core.benchmark_score (None or empty: quality stays null); `evidence` and `calendars` are those that ship where they are
    None. Of mart.routing_projection: one row per day, policy, baseline and arm, one for the total, whose amounts
    are the sums of the arms' to the last decimal, and one for each method of `methods.py`. Of mart.routing_frontier: the cheapest shares of all arms, baselines,
    candidates and models that ran.
    """
    known = load_file(Evidence, "evidence.yaml", None) if evidence is None else evidence
    holidays = load_file(Calendars, "calendars.yaml", None).days if calendars is None else calendars
    rows: list[dict[str, Any]] = []
    points: list[dict[str, Any]] = []
    problems: list[str] = []
    for on in requests["event_date"].unique().sort():
        frame = requests.filter(pl.col("event_date") == on)
        offers = _offers(policies, frame)
        cards = rate_card.join(_as_frame(offers), on=["provider_id", "model_id"], how="semi")
        believed = None if scores is None else with_stand_ins(known_on(scores, on), known.stand_ins, on)
        priced, whole = (
            Day(
                routable(frame, cards, policies, must_be_priced=must, calendars=holidays),
                known,
                policies,
                believed,
                offers,
            )
            for must in (True, False)
        )
        # Where all of a day is priced, both comparisons are about the same requests.
        days = {True: priced, False: priced if priced.traffic.count == whole.traffic.count else whole}
        with localcontext() as context:
            context.prec, context.rounding = 76, ROUND_HALF_EVEN
            rows += _projected(on, policies, days)
            try:
                points += frontier(priced, on)
            except ANY_FAILURE as error:  # the projections of the day stand without it
                problems.append(f"frontier of {on}: {worded(error)}")
    return Routed(
        pl.DataFrame(rows, schema=ROUTING_PROJECTION.polars_schema),
        pl.DataFrame(points, schema=ROUTING_FRONTIER.polars_schema),
        problems,
    )


def _projected(on: date, policies: RoutingConfig, days: Mapping[bool, Day]) -> Iterator[dict[str, Any]]:
    """Rows of one day; `days` holds its traffic that is priced, and all of it."""
    for policy in policies.policies:
        for name in policy.baselines:
            baseline = policies.baseline(name)
            case = Case(on, policy, baseline, days[baseline.model_id is None])
            try:
                rows = case.rows()
            except ANY_FAILURE as error:  # one policy costs no other
                rows = [case.failed(worded(error))]
            yield from rows
            yield from method_rows(case, rows[-1]["projected_cost_usd"])


def _offers(policies: RoutingConfig, requests: pl.DataFrame) -> list[Offer]:
    """Sellers and models that may serve the requests: those declared, and those that did."""
    declared = {(arm.provider_id, arm.model_id) for policy in policies.policies for arm in policy.arms}
    declared |= {(item.provider_id, item.model_id) for item in policies.candidates}
    declared |= {(item.provider_id, item.model_id) for item in policies.baselines if item.provider_id and item.model_id}
    ran = requests.select("provider_id", "model_id").drop_nulls().unique().iter_rows()
    return sorted({*declared, *ran})


def _as_frame(offers: list[Offer]) -> pl.DataFrame:
    return pl.DataFrame(offers, schema={"provider_id": pl.String(), "model_id": pl.String()}, orient="row")
