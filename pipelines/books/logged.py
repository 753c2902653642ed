"""What logs state of a day's requests: costs of their own, against ours, and names that have no price.

Requests come in parts; held are sums, and of each seller's model the first requests that differ. Why they differ is
`pipelines.prices.logged_cost`.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal, localcontext

import polars as pl

from pipelines.meters import COUNT_COLUMNS, TOKEN_METERS
from pipelines.prices.logged_cost import ALIKE_USD, why_logged_differs
from pipelines.warehouse.tables.mart_logged import LOGGED_COST, LOGGED_DIFFERENCE, UNPRICED_NAME

MODELS, REQUESTS = 20, 40
"""How many models that differ are looked into, and how many requests of each."""

LOGGED_COLUMNS = (
    "request_uid", "event_at", "source", "provider_id", "model_id", "request_model", "response_model", "service_tier", "region",
    "rate_id", "is_billable", *COUNT_COLUMNS, "reported_cost_usd", "list_cost_usd", "effective_cost_usd", "unpriced_reason",
)  # fmt: skip
"""The columns of core.request that are looked at."""

_MODEL = ("provider_id", "model_id")
_NAME = ("reason", "source", "raw_name", *_MODEL)
_MONEY = pl.Decimal(38, 18)
_TOKENS = pl.sum_horizontal(pl.col(meter.tokens_column).cast(pl.Int64) for meter in TOKEN_METERS)
_LOGGED, _OURS = pl.col("reported_cost_usd"), pl.col("effective_cost_usd")
_IS_COMPARED = pl.all_horizontal(pl.col(*_MODEL, "reported_cost_usd", "effective_cost_usd").is_not_null())
_DIFFERS = _IS_COMPARED & ((_LOGGED - _OURS).abs() > ALIKE_USD)


class LoggedDay:
    """What logs state of the requests of one day."""

    def __init__(self, day: date) -> None:
        self._day = day
        self._sums: list[pl.DataFrame] = []
        self._differing: list[pl.DataFrame] = []
        self._names: list[pl.DataFrame] = []
        self._paid = (Decimal(0), 0)

    def add(self, requests: pl.DataFrame) -> None:
        """Count some more requests of the day (LOGGED_COLUMNS)."""
        compared = [
            column.filter(_IS_COMPARED).sum().alias(name) for name, column in (("reported", _LOGGED), ("ours", _OURS))
        ]
        sums = requests.group_by(_MODEL).agg(
            _IS_COMPARED.sum().cast(pl.Int64).alias("requests"),
            _DIFFERS.sum().cast(pl.Int64).alias("differing"),
            *compared,
            (_LOGGED - _OURS).filter(_DIFFERS).sum().alias("apart"),
        )
        self._sums.append(sums)
        self._differing = [_first(pl.concat([*self._differing, requests.filter(_DIFFERS)]))]
        self._names.append(_by_name(requests.filter(pl.col("unpriced_reason").is_not_null())))
        paid = requests.filter(pl.col("is_billable") & _OURS.is_not_null()).select(_OURS.sum(), tokens=_TOKENS.sum())
        self._paid = (self._paid[0] + paid["effective_cost_usd"][0], self._paid[1] + paid["tokens"][0])

    @property
    def costs(self) -> pl.DataFrame:
        """Rows of mart.logged_cost."""
        is_any = pl.col("requests") > 0
        named = self._by_model().with_columns(
            pl.col("provider_id").fill_null("unknown"), pl.col("model_id").fill_null("unresolved")
        )
        found = (
            named.group_by(_MODEL)
            .agg(pl.all().sum())
            .select(
                pl.lit(self._day).alias("event_date"),
                *_MODEL,
                "requests",
                pl.col("differing").alias("differing_requests"),
                pl.when(is_any).then("reported").alias("reported_cost_usd"),
                pl.when(is_any).then("ours").alias("effective_cost_usd"),
            )
        )
        return found.sort(LOGGED_COST.primary_key).cast(LOGGED_COST.polars_schema)

    def differences(self, cards: pl.DataFrame) -> pl.DataFrame:
        """Rows of mart.logged_difference; `cards` are those of core.rate_card."""
        dearest = self._by_model().filter(pl.col("differing") > 0)
        dearest = dearest.sort(pl.col("apart").abs(), *_MODEL, descending=[True, False, False]).head(MODELS)
        if dearest.is_empty():
            return LOGGED_DIFFERENCE.empty()
        calls = self._differing[0].join(dearest.select(_MODEL), on=_MODEL, how="semi").sort(*_MODEL, "request_uid")
        own = cards.filter(pl.col("model_id").is_in(dearest["model_id"].implode()))
        found = why_logged_differs(calls, own).with_columns(event_date=pl.lit(self._day))
        return found.select(LOGGED_DIFFERENCE.polars_schema.names()).cast(LOGGED_DIFFERENCE.polars_schema)

    @property
    def names(self) -> pl.DataFrame:
        """Rows of mart.unpriced_name."""
        found = pl.concat(self._names).group_by(_NAME).agg(pl.all().sum()).sort(_NAME, nulls_last=True)
        logged = [amount if count else None for amount, count in found.select("reported", "logged").iter_rows()]
        at_risk = [
            _at_risk(amount, self._paid, left) for amount, left in zip(logged, found["unlogged_tokens"], strict=True)
        ]
        return found.select(
            pl.lit(self._day).alias("event_date"),
            "reason",
            "source",
            *(pl.col(name).fill_null("") for name in ("raw_name", *_MODEL)),
            "requests",
            "tokens",
            pl.Series("reported_cost_usd", logged, dtype=_MONEY),
            pl.Series("at_risk_usd", at_risk, dtype=_MONEY),
        ).cast(UNPRICED_NAME.polars_schema)

    def _by_model(self) -> pl.DataFrame:
        return pl.concat(self._sums).group_by(_MODEL).agg(pl.all().sum())


def _first(differing: pl.DataFrame) -> pl.DataFrame:
    """Of each seller's model the requests with the smallest ids."""
    return differing.sort("request_uid").group_by(_MODEL, maintain_order=True).head(REQUESTS).select(differing.columns)


def _by_name(unpriced: pl.DataFrame) -> pl.DataFrame:
    """Sums of requests without a price by _NAME; `logged` counts those with a logged cost."""
    name = pl.coalesce("response_model", "request_model")
    return (
        unpriced.select(
            pl.col("unpriced_reason").alias("reason"),
            "source",
            name.alias("raw_name"),
            pl.when(name.is_not_null()).then("provider_id").alias("provider_id"),
            "model_id",
            _LOGGED,
            _TOKENS.alias("tokens"),
        )
        .group_by(_NAME)
        .agg(
            pl.len().cast(pl.Int64).alias("requests"),
            pl.col("tokens").sum(),
            _LOGGED.sum().alias("reported"),
            _LOGGED.count().cast(pl.Int64).alias("logged"),
            pl.col("tokens").filter(_LOGGED.is_null()).sum().alias("unlogged_tokens"),
        )
    )


def _at_risk(logged: Decimal | None, paid: tuple[Decimal, int], tokens: int) -> Decimal | None:
    """What was logged and what `tokens` cost at the average of what was `paid` for so many tokens."""
    if not tokens:
        return logged
    cost, paid_tokens = paid
    if not paid_tokens:
        return None
    with localcontext(prec=76):
        return ((logged or Decimal(0)) + tokens * cost / paid_tokens).quantize(Decimal("1e-18"))
