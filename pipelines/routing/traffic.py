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

from pipelines.config.routing import RoutingConfig
from pipelines.meters import COUNT_COLUMNS, COUNTS, TOKEN_METERS
from pipelines.routing.arm_costs import GROUP, ArmCost, added_up, arm_cost
from pipelines.routing.lanes import Models, lane_column, lanes
from pipelines.routing.strata import in_groups, strata

Offer = tuple[str, str]
"""Seller and model."""
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

    def cost_on(self, offer: Offer) -> ArmCost | str:
        """What the requests would cost on one model, or why that is not known. One that ran there keeps its own exact cost."""
        failed = self.costs[offer].failed if offer in self.costs else {_ON_SOME_DAYS: self.count}
        if not failed:
            return self.costs[offer]
        ordered = sorted(failed.items(), key=lambda item: -item[1])
        listed = ", ".join(f"{reason} for {number}" for reason, number in ordered)
        return f"{offer[1]} at {offer[0]}: {listed} of {self.count} requests"


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
    kept, left_out = _routable(requests, models.config, may_hold_images=models.facts is not None)
    grouped = in_groups(
        kept.with_columns(
            is_priced=pl.col("effective_cost_usd").is_not_null(),
            use_case=pl.coalesce("application", "team", pl.lit("unattributed")),
        )
    )
    grouped = grouped.with_columns(lane=lane_column(lanes(models, grouped["model_id"].unique())))
    del kept  # a day of requests; what follows holds two more
    whole = strata(grouped, rate_card, calendars=calendars)
    halves = []
    for is_priced in (True, False):
        half, rows = grouped.filter(is_priced=is_priced), whole.filter(is_priced=is_priced)
        counts = (
            half.with_columns(pl.col("provider_id").fill_null(""))
            .group_by(KIND)
            .agg(requests=pl.len().cast(pl.Int64), actual=pl.col("effective_cost_usd").sum())
            .sort(KIND)
        )
        costs = {
            offer: arm_cost(rows, half, *offer, rate_card, calendars=calendars)
            for offer in (offers if is_priced or half.height else ())
        }
        halves.append(Traffic(1, counts, left_out if is_priced else {}, costs))
    return Halves(*halves)


def _routable(
    requests: pl.DataFrame, config: RoutingConfig, *, may_hold_images: bool
) -> tuple[pl.DataFrame, dict[str, int]]:
    """The requests that a policy can move, and how many it can't, by reason."""
    other = [
        meter.tokens_column
        for meter in _OTHER_MODALITY
        if not (may_hold_images and meter.name.startswith("input_image"))
    ]
    other_modality = pl.sum_horizontal(other) > 0
    rules = [
        ("not_billable", ~pl.col("is_billable")),
        ("operation", ~pl.col("operation").is_in(list(config.operations))),
        ("usage_missing", pl.col("usage_basis").is_in(["missing", "partial"])),
        ("modality", other_modality),
        ("provider_tool", pl.any_horizontal(pl.col(count.column) > 0 for count in COUNTS)),
    ]
    reason = pl.coalesce([pl.when(rule).then(pl.lit(name)) for name, rule in rules])
    judged = requests.with_columns(reason.alias("left_out"))
    counts = judged.filter(pl.col("left_out").is_not_null())["left_out"].value_counts().sort("left_out")
    return judged.filter(pl.col("left_out").is_null()).drop("left_out"), dict(counts.iter_rows())
