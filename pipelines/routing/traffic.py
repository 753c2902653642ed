"""Which requests of a day can be routed, and what they cost on a given model.

Strata and their cost are made in `strata.py` and `arm_costs.py`; policies, shares and rows are in `projection.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property

import polars as pl

from pipelines.config.routing import RoutingConfig
from pipelines.meters import COUNTS, TOKEN_METERS
from pipelines.routing.arm_costs import GROUP, ArmCost, arm_cost
from pipelines.routing.strata import UNRESOLVED, strata

_OTHER_MODALITY = tuple(
    meter for meter in TOKEN_METERS if any(word in meter.name for word in ("audio", "image", "video"))
)


@dataclass
class Traffic:
    """One day's routable requests: rows of core.request, rated. Costs per model are computed once and kept."""

    requests: pl.DataFrame
    excluded: dict[str, int]
    """Requests that no policy moves, by reason; both sides of the comparison leave them out."""
    rate_card: pl.DataFrame
    calendars: Mapping[str, frozenset[date]]
    _known: dict[tuple[str, str], ArmCost] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Routable requests."""
        return self.requests.height

    @cached_property
    def strata(self) -> pl.DataFrame:
        """The requests added up (`strata.strata`)."""
        return strata(self.requests, self.rate_card, calendars=self.calendars)

    @cached_property
    def recorded(self) -> pl.DataFrame:
        """Requests and what they did cost, `requests` and `actual` (USD, Decimal), by GROUP."""
        return (
            self.strata.group_by(GROUP)
            .agg(pl.col("requests").sum(), actual=pl.col("effective_cost_usd").sum())
            .sort(GROUP)
        )

    @cached_property
    def use_cases(self) -> pl.DataFrame:
        """`requests` by use case (application, else team) and model_id that they ran on."""
        use_case = pl.coalesce("application", "team", pl.lit("unattributed")).alias("use_case")
        by = [use_case, pl.col("model_id").fill_null(UNRESOLVED)]
        return self.requests.group_by(by).agg(pl.len().alias("requests")).sort("use_case", "model_id")

    @property
    def actual_usd(self) -> Decimal:
        """What the requests did cost: the sum of their effective cost."""
        return Decimal(self.requests["effective_cost_usd"].sum() or 0)

    def cost_on(self, provider_id: str, model_id: str) -> ArmCost:
        """What the requests would cost on one model, in parts; a request that ran on this very model keeps its own exact cost."""
        key = (provider_id, model_id)
        if key not in self._known:
            self._known[key] = arm_cost(
                self.strata, self.requests, provider_id, model_id, self.rate_card, calendars=self.calendars
            )
        return self._known[key]


def routable(
    requests: pl.DataFrame,
    rate_card: pl.DataFrame,
    config: RoutingConfig,
    *,
    must_be_priced: bool,
    calendars: Mapping[str, frozenset[date]],
) -> Traffic:
    """The requests of one day that a policy can move, and how many it can't, by the first reason that holds.

    not_billable: free, whoever answers. operation: not in `config.operations`. usage_missing: no tokens to price.
    modality: audio, image or video tokens. provider_tool: tools that the provider ran, such as its web search. unpriced (only where
    `must_be_priced`): what it did cost is not known, so there is nothing to compare with.
    """
    other_modality = pl.sum_horizontal(meter.tokens_column for meter in _OTHER_MODALITY) > 0
    rules = [
        ("not_billable", ~pl.col("is_billable")),
        ("operation", ~pl.col("operation").is_in(list(config.operations))),
        ("usage_missing", pl.col("usage_basis").is_in(["missing", "partial"])),
        ("modality", other_modality),
        ("provider_tool", pl.any_horizontal(pl.col(count.column) > 0 for count in COUNTS)),
    ]
    if must_be_priced:
        rules.append(("unpriced", pl.col("effective_cost_usd").is_null()))
    reason = pl.coalesce([pl.when(rule).then(pl.lit(name)) for name, rule in rules])
    judged = requests.with_columns(reason.alias("excluded"))
    counts = judged.filter(pl.col("excluded").is_not_null())["excluded"].value_counts().sort("excluded")
    kept = judged.filter(pl.col("excluded").is_null()).drop("excluded")
    return Traffic(kept, dict(counts.iter_rows()), rate_card, calendars)
