"""Traffic as sums: how many requests of which kind a policy can move, what they did cost, and what each model would have cost.

All of it adds up: a month is the sum of its days. Strata and their cost are made in `strata.py` and `arm_costs.py`; policies,
shares and rows are in `case.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property

import polars as pl

from pipelines.constant import holds_only
from pipelines.meters import COUNT_COLUMNS, COUNTS, TOKEN_METERS
from pipelines.requests.attribution import USE_CASE
from pipelines.routing.arm_costs import GROUP, ArmCost, Offer, added_up, arm_costs, rated_one_by_one
from pipelines.routing.lanes import LaneKey, Models, lanes
from pipelines.routing.session_parts import slices, whole_sessions
from pipelines.routing.strata import UNRESOLVED, in_groups, in_order, strata

KIND = ("provider_id", "model_id", "is_loop", "lane", "bucket", "use_case")
"""What requests are counted by: who served them, the groups of `arm_costs.GROUP`, and use case (application, else team)."""
CALL_COLUMNS = (
    "event_at", "request_uid", "session_id", "provider_id", "model_id", "team", "application", "operation", "service_tier", "region",
    "finish_reason", "usage_basis", "is_billable", *COUNT_COLUMNS, "effective_cost_usd",
)  # fmt: skip
"""The columns of core.request that traffic is made of."""
_OTHER_MODALITY = tuple(
    meter for meter in TOKEN_METERS if any(word in meter.name for word in ("audio", "image", "video"))
)
_ON_SOME_DAYS = "not among the offers of some days"
_IN_A_SHEET = "state it in a price sheet (docs/prices.md)"
_MENDS = {
    "no_price": f"no price feed has it: {_IN_A_SHEET}, or give the arm fixed_usd_per_day where the machines are your own",
    "no_price_for_tier": f"no price feed has it at the standard tier: {_IN_A_SHEET}",
    "no_price_at_time": f"no price feed has it for the time of the requests: {_IN_A_SHEET}",
    "no_exchange_rate": "its currency can't be converted: docs/prices.md, other currencies",
    "no_rate_for_meter": f"a kind of token has no rate: {_IN_A_SHEET}",
    _ON_SOME_DAYS: "run those days again: modelmeter daily --from DAY --to DAY",
}
"""What gives a model its cost, by why it has none."""


@dataclass(frozen=True)
class Traffic:
    """Routable requests of one or more `days`, added up.

    `counts` has `requests` and `actual` (what they did cost, USD, Decimal) by KIND. `left_out` are the requests that no policy moves, by
    reason; both sides of a comparison leave them out. `costs` is what all of them would cost by seller and model.
    """

    days: int
    counts: pl.DataFrame
    left_out: Mapping[str, int]
    costs: Mapping[Offer, ArmCost]

    @cached_property
    def count(self) -> int:
        """Routable requests."""
        return int(self.counts["requests"].sum())

    @cached_property
    def recorded(self) -> pl.DataFrame:
        """Requests and what they did cost, `requests` and `actual`, by GROUP."""
        return self.counts.group_by(GROUP).agg(pl.col("requests", "actual").sum()).sort(GROUP)

    @cached_property
    def lanes(self) -> pl.DataFrame:
        """`requests` by lane."""
        return self.counts.group_by("lane").agg(pl.col("requests").sum()).sort("lane")

    @cached_property
    def use_cases(self) -> pl.DataFrame:
        """`requests` by use case, lane and model_id that they ran on."""
        by = ["use_case", "lane", "model_id"]
        return self.counts.group_by(by).agg(pl.col("requests").sum()).sort("use_case", "model_id", "lane")

    @property
    def actual_usd(self) -> Decimal:
        """What the requests did cost: the sum of their effective cost."""
        return Decimal(self.counts["actual"].sum() or 0)

    @cached_property
    def ran(self) -> list[Offer]:
        """Sellers and models that the requests ran on."""
        who = self.counts.select("provider_id", "model_id").filter(pl.col("provider_id") != "").unique()
        return sorted((str(seller), str(model)) for seller, model in who.iter_rows())

    def without(self, lanes: Mapping[str, str]) -> Traffic:
        """Without the requests of some lanes, which are left out for the reason that each lane has."""
        is_kept = ~pl.col("lane").is_in(list(lanes))
        left_out = Counter(self.left_out)
        for lane, number in self.lanes.iter_rows():
            if lane in lanes:
                left_out[lanes[lane]] += number
        costs = {offer: ArmCost(cost.parts.filter(is_kept), cost.failed) for offer, cost in self.costs.items()}
        return Traffic(self.days, self.counts.filter(is_kept), dict(left_out), costs)

    def cost_on(self, offer: Offer) -> ArmCost | str:
        """What the requests would cost on one model, or why that is not known. One that ran there keeps its own exact cost."""
        failed = self.costs[offer].failed if offer in self.costs else {_ON_SOME_DAYS: self.count}
        if not failed:
            return self.costs[offer]
        ordered = sorted(failed.items(), key=lambda item: -item[1])
        listed = ", ".join(f"{reason} for {number}" for reason, number in ordered)
        mend = _MENDS.get(ordered[0][0])
        return f"{offer[1]} at {offer[0]}: {listed} of {self.count} requests{f'; {mend}' if mend else ''}"


@dataclass(frozen=True)
class Halves:
    """The requests whose cost is known, and those that ran without a known cost: only models can be compared on these."""

    priced: Traffic
    unpriced: Traffic

    def against(self, *, actual: bool) -> Traffic:
        """The traffic of a comparison with what it did cost (`actual`), or with another model."""
        if actual:
            left_out = dict(self.priced.left_out)
            if self.unpriced.count:
                left_out["unpriced"] = self.unpriced.count
            return Traffic(self.priced.days, self.priced.counts, left_out, self.priced.costs)
        return summed([self.priced, self.unpriced], self.priced.days) if self.unpriced.count else self.priced


def added(halves: Sequence[Halves]) -> Halves:
    """Several days together."""
    return Halves(
        summed([half.priced for half in halves], len(halves)), summed([half.unpriced for half in halves], len(halves))
    )


def summed(lots: Sequence[Traffic], days: int) -> Traffic:
    """Lots of traffic together. A model that one of them has no cost of has none for all."""
    counts = pl.concat([lot.counts for lot in lots])
    left_out: Counter[str] = Counter()
    for lot in lots:
        left_out.update(lot.left_out)
    offers = sorted({offer for lot in lots for offer in lot.costs})
    busy = [lot for lot in lots if lot.count] or list(lots[:1])
    return Traffic(
        days,
        counts.group_by(KIND).agg(pl.col("requests", "actual").sum()).sort(KIND),
        dict(sorted(left_out.items())),
        {offer: added_up([_cost_of(lot, offer) for lot in busy]) for offer in offers},
    )


def _cost_of(lot: Traffic, offer: Offer) -> ArmCost:
    if offer in lot.costs:
        return lot.costs[offer]
    known = next(iter(lot.costs.values()))
    return ArmCost(known.parts.clear(), {_ON_SOME_DAYS: lot.count})


def traffic_of(
    requests: pl.DataFrame,
    rate_card: pl.DataFrame,
    offers: Sequence[Offer],
    models: Models,
    *,
    calendars: Mapping[str, frozenset[date]],
) -> Halves:
    """One day's requests as sums, with their cost on each of `offers`.

    `requests` are rated rows of core.request (CALL_COLUMNS at least). Left out are, by the first reason that holds: not_billable: free, whoever answers.
    operation: not among those of routing.yaml. usage_missing: no tokens to price. modality: audio, image or video tokens, but
    for images in the prompt where facts say which model reads them.
    provider_tool: tools that the provider ran, such as its web search.
    """
    reason = left_out_reason(models)
    model = pl.col("model_id").fill_null(UNRESOLVED)
    seen = pl.concat(
        one.group_by(left_out=reason, ran=pl.when(reason.is_null()).then(model)).len() for one in slices(requests)
    )
    left_out = seen.drop_nulls("left_out").group_by("left_out").agg(pl.col("len").sum()).sort("left_out")
    lane = LaneKey(lanes(models, seen["ran"].drop_nulls().unique()))
    # Most counts are 0 throughout a day: parts, which are copies, get them back as constants.
    empty = [name for name in COUNT_COLUMNS if requests.height and holds_only(requests[name], 0)]
    nothing = [pl.lit(0, requests.schema[name]).alias(name) for name in empty]
    parts = [
        _summed_up(part.with_columns(nothing).filter(reason.is_null()), lane, rate_card, offers, calendars)
        for part in whole_sessions(requests.drop(empty))
    ]
    halves = []
    for is_priced in (True, False):
        rows = in_order(pl.concat([part.strata.filter(is_priced=is_priced) for part in parts]))
        counts = pl.concat([part.counts.filter(is_priced=is_priced).drop("is_priced") for part in parts])
        exact = {
            offer: pl.concat([part.one_by_one[is_priced][offer] for part in parts])
            for offer in parts[0].one_by_one[is_priced]
        }
        asked = offers if is_priced or rows.height else ()
        costs = arm_costs(rows, asked, rate_card, exact, calendars=calendars)
        halves.append(Traffic(1, counts.sort(KIND), dict(left_out.iter_rows()) if is_priced else {}, costs))
    return Halves(*halves)


@dataclass(frozen=True)
class _Part:
    """Whole sessions of a day, added up: strata, `requests` and `actual` by KIND and is_priced, and what groups of requests with a known
    cost (True), and those without, cost one by one on the offers that need it."""

    strata: pl.DataFrame
    counts: pl.DataFrame
    one_by_one: Mapping[bool, Mapping[Offer, pl.DataFrame]]


def _summed_up(
    kept: pl.DataFrame,
    lane: LaneKey,
    rate_card: pl.DataFrame,
    offers: Sequence[Offer],
    calendars: Mapping[str, frozenset[date]],
) -> _Part:
    grouped = in_groups(
        kept.with_columns(
            is_priced=pl.col("effective_cost_usd").is_not_null(),
            use_case=USE_CASE,
        )
    ).with_columns(lane=lane.column)
    counts = (
        grouped.with_columns(pl.col("provider_id").fill_null(""))
        .group_by("is_priced", *KIND)
        .agg(requests=pl.len().cast(pl.Int64), actual=pl.col("effective_cost_usd").sum())
    )
    one_by_one = {
        is_priced: rated_one_by_one(grouped.filter(is_priced=is_priced), offers, rate_card, calendars=calendars)
        for is_priced in (True, False)
    }
    return _Part(
        lane.named(strata(grouped, rate_card, calendars=calendars)),
        lane.named(counts),
        {
            is_priced: {offer: lane.named(rows) for offer, rows in found.items()}
            for is_priced, found in one_by_one.items()
        },
    )


def left_out_reason(models: Models) -> pl.Expr:
    """Why no policy can move a request; null where one can."""
    other = [
        meter.tokens_column
        for meter in _OTHER_MODALITY
        if not (models.facts is not None and meter.name.startswith("input_image"))
    ]
    rules = [
        ("not_billable", ~pl.col("is_billable")),
        ("operation", ~pl.col("operation").is_in(list(models.config.operations))),
        ("usage_missing", pl.col("usage_basis").is_in(["missing", "partial"])),
        ("modality", pl.sum_horizontal(other) > 0),
        ("provider_tool", pl.any_horizontal(pl.col(count.column) > 0 for count in COUNTS)),
    ]
    return pl.coalesce([pl.when(rule).then(pl.lit(name)) for name, rule in rules])
