"""Answers that were asked for again: the same prompt in the same session soon after, on the same model or on a dearer one.

No log says why a request was sent again. The same prompt on the same model is a retry. On a dearer model it is taken for a user who was not
content, less the cases the other way round: where models change at random, one is as frequent as the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from math import log, sqrt
from operator import add

import polars as pl

from pipelines.config.evidence import ANY, Effect, Escalation
from pipelines.meters import INPUT_METERS, OUTPUT_METERS
from pipelines.requests.attribution import USE_CASE
from pipelines.routing.session_parts import slices, whole_sessions
from pipelines.warehouse.tables.mart_evidence import REQUEST_REPEAT

SOON_SECONDS = 600
"""Within this time a prompt is the same question; later it is another one."""
_ALIKE = 0.2
"""How far two models' counts of the tokens of one prompt may be apart."""
_FEWEST = 50
"""Requests of a model that a rate is taken from."""
_OFFER = ("provider_id", "model_id")
_BY = ("event_date", *_OFFER)
_ORDER = ("session_id", "event_at", "request_uid")
_IS_ASKED = pl.all_horizontal(pl.col("session_id", "provider_id", "model_id").is_not_null())


def repeats(requests: pl.DataFrame, rate_card: pl.DataFrame) -> pl.DataFrame:
    """Rows of mart.request_repeat of rated rows of core.request (`traffic.CALL_COLUMNS` at least)."""
    prices = _prices(rate_card)
    used = [one.filter(_IS_ASKED).select("event_date", USE_CASE, *_OFFER).unique() for one in slices(requests)]
    priced = pl.concat(used).join(prices, on=_OFFER)
    dearest = priced.group_by("event_date", "use_case").agg(dearest=pl.col("price").max())
    prompt, written = (
        reduce(add, [pl.col(meter.tokens_column).cast(pl.Int64) for meter in meters])
        for meters in (INPUT_METERS, OUTPUT_METERS)
    )
    # Parts are copies, so of no more columns than are looked at.
    needed = requests.select(*_BY, USE_CASE, *_ORDER, "effective_cost_usd", prompt=prompt, written=written)
    parts = [_counts(part.filter(_IS_ASKED), prices) for part in whole_sessions(needed)]
    asked, up, down = (pl.concat([part[place] for part in parts]) for place in range(3))
    counted = (
        asked.group_by(*_BY, "use_case")
        .agg(pl.col("requests", "retried").sum())
        .join(prices, on=_OFFER, how="left")
        .join(dearest, on=["event_date", "use_case"], how="left")
        .group_by(_BY)
        .agg(
            pl.col("requests", "retried").sum(),
            could_escalate=pl.col("requests").filter(pl.col("price") < pl.col("dearest")).sum(),
        )
    )
    for more in (up, down):
        counted = counted.join(more.group_by(_BY).agg(pl.exclude(_BY).sum()), on=_BY, how="left")
    filled = counted.with_columns(pl.col("escalated", "escalated_cost_usd", "came_down").fill_null(0))
    return filled.select(pl.col(name).cast(kind) for name, kind in REQUEST_REPEAT.polars_schema.items()).sort(_BY)


def _counts(asked: pl.DataFrame, prices: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Of whole sessions: requests and retries by model and use case; what was asked again on a dearer model, by the model that answered first;
    and what came down to a model from a dearer one."""
    pairs = asked.sort(_ORDER).with_columns(
        _is_soon().alias("soon"), pl.all_horizontal(_next(name) == pl.col(name) for name in _OFFER).alias("same")
    )
    retried = pl.col("soon") & pl.col("same") & (_next("prompt") == pl.col("prompt")) & (pl.col("prompt") > 0)
    counted = (
        pairs.with_columns(retried=retried.fill_null(value=False))
        .group_by(*_BY, "use_case")
        .agg(requests=pl.len().cast(pl.Int64), retried=pl.col("retried").sum().cast(pl.Int64))
    )
    # The next turn of a conversation holds the answer too; a prompt that is asked again does not.
    apart = (_next("prompt") - pl.col("prompt")).abs() <= _ALIKE * pl.col("prompt")
    is_again = apart & (_next("prompt") < pl.col("prompt") + pl.col("written") / 2)
    following = [_next(name).alias(f"next_{name}") for name in (*_OFFER, "effective_cost_usd")]
    again = (
        pairs.select(*_BY, *following, moved=pl.col("soon") & ~pl.col("same") & is_again)
        .filter("moved")
        .join(prices, on=_OFFER, how="left")
        .join(prices.select(next_provider_id="provider_id", next_model_id="model_id", next_price="price"),
              on=["next_provider_id", "next_model_id"], how="left")
    )  # fmt: skip
    up = again.filter(pl.col("next_price") > pl.col("price")).select(
        *_BY, escalated=pl.lit(1, pl.Int64), escalated_cost_usd="next_effective_cost_usd"
    )
    down = again.filter(pl.col("next_price") < pl.col("price")).select(
        "event_date", provider_id="next_provider_id", model_id="next_model_id", came_down=pl.lit(1, pl.Int64)
    )
    return counted, up, down


def _next(name: str) -> pl.Expr:
    return pl.col(name).shift(-1)


def _is_soon() -> pl.Expr:
    """Whether the next request is of the same session and comes soon."""
    apart = (_next("event_at") - pl.col("event_at")).dt.total_seconds()
    return (_next("session_id") == pl.col("session_id")) & (apart <= SOON_SECONDS)


def _prices(rate_card: pl.DataFrame) -> pl.DataFrame:
    """What each model costs by its newest standard card: three parts input, one part output."""
    price = 3 * pl.col("input_uncached_usd_per_mtok") + pl.col("output_text_usd_per_mtok")
    standard = rate_card.filter((pl.col("service_tier") == "standard") & (pl.col("region") == ""))
    newest = standard.sort("valid_from", "context_from_tokens", descending=[True, False])
    return newest.group_by("provider_id", "model_id", maintain_order=True).agg(price=price.first().cast(pl.Float64))


def attempts(rows: pl.DataFrame) -> Iterator[Effect]:
    """Lines on attempts from rows of mart.request_repeat: each model's retries against those of all together."""
    by_model = _summed(rows).filter(pl.col("requests") >= _FEWEST)
    if by_model.height < 2:
        return
    sent, again = (sum(by_model[name].to_list()) for name in ("requests", "retried"))
    whole = 1 + again / sent
    for row in by_model.iter_rows(named=True):
        rate = row["retried"] / row["requests"]
        yield Effect(
            measure="attempts",
            model=row["model_id"],
            log_mean=log((1 + rate) / whole),
            log_sd=sqrt(row["retried"] + 1) / row["requests"],
            grade="A",
            source=f"own log: {row['retried']} of {row['requests']} requests were sent again on the same model within ten minutes",
        )


def escalations(rows: pl.DataFrame) -> Iterator[Escalation]:
    """Lines on escalation from rows of mart.request_repeat: each model's, and for models without one that of all together."""
    by_model = _summed(rows).filter(pl.col("could_escalate") >= _FEWEST)
    for row in by_model.iter_rows(named=True):
        yield _escalation(row["model_id"], row, "A")
    if by_model.height:
        whole = by_model.drop("model_id").sum().row(0, named=True)
        pooled = _escalation(ANY, whole, "C")
        # A model that nobody used may differ from those that were as much as their rate is large.
        yield pooled.model_copy(update={"share_sd": max(pooled.share_sd, pooled.share)})


def _escalation(model: str, row: dict[str, int], grade: str) -> Escalation:
    asked, up, down = row["could_escalate"], row["escalated"], row["came_down"]
    return Escalation.model_validate(
        {
            "model": model,
            "share": max(0.0, (up - down) / asked),
            "share_sd": min(1.0, sqrt(up + down + 1) / asked),
            "grade": grade,
            "source": f"own log: {up} of {asked} requests were asked again on a dearer model within ten minutes, {down} the other way round",
        }
    )


def _summed(rows: pl.DataFrame) -> pl.DataFrame:
    counts = ("requests", "retried", "could_escalate", "escalated", "came_down")
    return rows.group_by("model_id").agg(pl.col(counts).sum()).sort("model_id")
