"""What moved a projection since the last day that had requests, one event at a time: the same traffic is projected
with the event and without.

A change of price is undone by the cards of that day, new scores by those that were believed then, another model behind a name by what the
same calls would have cost on the asked one. Where a model writes more or less than before, the day is projected again with that. What
a silent change does to quality no log can say: the row names what mends it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from math import exp, isclose, log
from typing import Any

import polars as pl

from pipelines.config.evidence import Evidence
from pipelines.config.routing import RoutingConfig
from pipelines.instants import end_of, midnight
from pipelines.meters import FEE_METERS, TOKEN_METERS
from pipelines.routing.arm_costs import Offer
from pipelines.warehouse.tables.mart_routing import ROUTING_MOVE

_RATES = {meter.name: meter.rate_column for meter in TOKEN_METERS} | {fee.name: fee.rate_column for fee in FEE_METERS}
_PARENTS = {meter.name: meter.parent for meter in TOKEN_METERS if meter.parent}
_CARD = ("service_tier", "region", "time_window", "contract_id", "context_from_tokens", "reasoning_mode")
_FIGURES = ("saving_share", "saving_usd", "quality_retained")
_REASON = (
    "what it does to tokens and quality can't be computed from the log: measure the model again with shadow requests"
)
_QUALITY = "what it does to quality can't be computed from the log: measure the model again with shadow requests"
_ROUNDING = 1e-9
_KINDS = {"response_model": "served_other"}


def cards_before(rate_card: pl.DataFrame, offer: Offer, day: date, then: date) -> tuple[pl.DataFrame, str] | None:
    """The cards (core.rate_card) as if the seller had not changed the model's prices since the end of the earlier UTC day `then`, and the
    change in words.

    None if the prices are those of that day, or if there were none.
    """
    start = end_of(then)
    end = end_of(day)
    own = (pl.col("provider_id") == offer[0]) & (pl.col("model_id") == offer[1])
    standard = rate_card.filter(own & (pl.col("service_tier") == "standard") & (pl.col("region") == ""))
    ends = pl.col("valid_to")
    before = standard.filter((pl.col("valid_from") < start) & (ends.is_null() | (ends >= start)))
    is_over = ends <= midnight(day)
    since = standard.filter(
        (pl.col("valid_from") >= start) & (pl.col("valid_from") < end) & ~is_over.fill_null(value=False)
    )
    words = _changes(before, since, end)
    if before.is_empty() or not words:
        return None
    held = before.with_columns(pl.lit(None, rate_card.schema["valid_to"]).alias("valid_to"))
    return pl.concat([rate_card.filter(~own), held]), "; ".join(words)


def _changes(before: pl.DataFrame, since: pl.DataFrame, end: datetime) -> list[str]:
    both = before.join(since, on=_CARD, suffix="_since", nulls_equal=True)
    found: dict[str, None] = {}
    for name, column in _RATES.items():
        rows = both.filter(pl.col(column).ne_missing(pl.col(f"{column}_since")) & ~_as_its_parent(name))
        for old, new in rows.select(column, f"{column}_since").iter_rows():
            found[f"{name} {_usd(old)} to {_usd(new)}"] = None
    # A price for long prompts, hours or a mode that came or went: the cards that stay may cost what they did.
    came = since.join(before, on=_CARD, how="anti", nulls_equal=True)
    gone = (
        before.filter(pl.col("valid_to") < end).join(since, on=_CARD, how="anti", nulls_equal=True)
        if since.height
        else before.clear()
    )
    for words, cards in (("new", came), ("no longer", gone)):
        found |= {f"{words}: {_applies_to(row)}": None for row in cards.iter_rows(named=True)}
    return list(found)


def _as_its_parent(name: str) -> pl.Expr:
    """Whether a meter costs what its parent does before and since: a card without a rate of its own has the parent's, and seventeen meters would say
    what two do."""
    parent = _PARENTS.get(name)
    if parent is None:
        return pl.lit(value=False)
    column, other = _RATES[name], _RATES[parent]
    return pl.all_horizontal(pl.col(f"{column}{when}").eq_missing(pl.col(f"{other}{when}")) for when in ("", "_since"))


def _applies_to(card: Mapping[str, Any]) -> str:
    """What a card is for, with its prices of plain input and output."""
    parts = [
        f"prompts from {card['context_from_tokens']:,} tokens" if card["context_from_tokens"] else "",
        f"hours {card['time_window']}" if card["time_window"] else "",
        f"mode {card['reasoning_mode']}" if card["reasoning_mode"] else "",
        f"contract {card['contract_id']}" if card["contract_id"] else "",
    ]
    rates = ", ".join(f"{name} {_usd(card[_RATES[name]])}" for name in ("input_uncached", "output_text"))
    return f"{', '.join(part for part in parts if part) or 'all other requests'} at {rates}"


def _usd(rate: Any) -> str:  # noqa: ANN401 - a cell of a frame
    return "nothing" if rate is None else f"{rate.normalize():f}"


def touched(policies: RoutingConfig, offer: Offer) -> set[tuple[str, str]]:
    """Policies and baselines of which the seller and model are an arm or the baseline."""
    found = set()
    for policy in policies.policies:
        arms = {(arm.provider_id, arm.model_id) for arm in policy.arms}
        for name in policy.baselines:
            baseline = policies.baseline(name)
            if offer in arms | {(baseline.provider_id, baseline.model_id)}:
                found.add((policy.policy, name))
    return found


@dataclass(frozen=True)
class Event:
    """What happened on a day: its kind (the accepted values of mart.routing_move.event), whose it is, and in words."""

    on: date
    kind: str
    who: Offer
    words: str

    def row(self, policy: str, baseline: str) -> dict[str, Any]:
        """What a row of mart.routing_move says of it."""
        return {
            "event_date": self.on,
            "policy": policy,
            "baseline": baseline,
            "event": self.kind,
            "provider_id": self.who[0],
            "model_id": self.who[1],
            "explanation": self.words,
        }


def moved(
    event: Event, before: pl.DataFrame, after: pl.DataFrame, cases: Collection[tuple[str, str]] = ()
) -> Iterator[dict[str, Any]]:
    """Rows of mart.routing_move: totals of mart.routing_projection without the event and with it, where they differ, and of `cases` in
    any case."""
    figures = {(row["policy"], row["baseline"]): row for row in _totals(before)}
    for row in _totals(after):
        then = figures.get((row["policy"], row["baseline"]))
        is_same = then is not None and all(_is_same(then[name], row[name]) for name in _FIGURES)
        if then is None or (is_same and (row["policy"], row["baseline"]) not in cases):
            continue
        yield {
            **event.row(row["policy"], row["baseline"]),
            **{f"{name}_before": then[name] for name in _FIGURES},
            **{f"{name}_after": row[name] for name in _FIGURES},
        }


def _is_same(before: Decimal | float | None, after: Decimal | float | None) -> bool:
    """Whether two figures differ by rounding alone, because sums of different groups round differently."""
    if before is None or after is None:
        return before is after
    return isclose(before, after, rel_tol=_ROUNDING, abs_tol=_ROUNDING)


def alarmed(on: date, alarms: pl.DataFrame, policies: RoutingConfig, ran: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Rows of mart.routing_move for alarms of the log that opened on the day (mart.request_drift), on every policy that they touch.

    An alarm about a model that the traffic runs on touches all of them.
    """
    for event, _ in opened(on, alarms):
        for policy, baseline in concerned(policies, ran, {event.who[1]}):
            yield event.row(policy, baseline) | {"not_computed_reason": _REASON}


def opened(on: date, alarms: pl.DataFrame) -> Iterator[tuple[Event, pl.DataFrame]]:
    """The events of alarms that opened on the day (mart.request_drift), each with its alarms."""
    new = alarms.filter(pl.col("is_alarm") & (pl.col("opened_on") == on)).sort("model_id", "provider_id", "metric")
    kind = pl.col("metric").replace_strict(_KINDS, default="silent_change").alias("kind")
    by = ["model_id", "provider_id", "kind"]
    for (model, seller, name), rows in new.with_columns(kind).group_by(by, maintain_order=True):
        yield Event(on, str(name), (str(seller), str(model)), " ".join(rows["explanation"])), rows


def concerned(policies: RoutingConfig, ran: Sequence[str], models: Collection[str]) -> list[tuple[str, str]]:
    """Policies and baselines that one of the models touches: all of them where the traffic runs on it."""
    return [
        (policy.policy, baseline)
        for policy in policies.policies
        if {*models} & {*ran, *(arm.model_id for arm in policy.arms)}
        for baseline in policy.baselines
    ]


def written_ratio(alarms: pl.DataFrame) -> float | None:
    """How many times the output of before a model writes, by its alarms (mart.request_drift): the mean over use cases by their requests;
    None if no alarm is about that."""
    counted = alarms.filter(
        (pl.col("metric") == "output_tokens") & (pl.col("value_reference") > 0) & (pl.col("value_day") > 0)
    )
    if counted.is_empty():
        return None
    apart = (pl.col("value_day") / pl.col("value_reference")).log()
    return exp(float(counted.select((apart * pl.col("n_day")).sum() / pl.col("n_day").sum()).item()))


def changed_output(evidence: Evidence, model: str, ratio: float) -> Evidence:
    """The evidence with a model that writes `ratio` times what it wrote. Raises MissingEvidenceError."""
    known = evidence.needed_effect("output", model)
    line = known.model_copy(
        update={
            "model": model,
            "log_mean": known.log_mean + log(ratio),
            "source": f"{known.source}; {ratio:.3g} times that since its silent change",
        }
    )
    others = [effect for effect in evidence.effects if (effect.measure, effect.model) != ("output", model)]
    return evidence.model_copy(update={"effects": (line, *others)})


def written_words(model: str, ratio: float) -> str:
    """What the figures assume, and the line that makes it last."""
    return (
        f"With it, {model} is taken to write {ratio:.3g} times what it wrote, and other models what they did. To let that last, add to effects of "
        f"evidence.yaml {{measure: output, model: {model}, log_mean: ..., log_sd: ..., grade: ..., source: ...}} as measured since."
    )


def silent(
    event: Event, ratio: float, before: pl.DataFrame, after: pl.DataFrame, cases: Collection[tuple[str, str]]
) -> Iterator[dict[str, Any]]:
    """Rows of mart.routing_move for a model that writes `ratio` times what it wrote: `after` is projected with that."""
    said = replace(event, words=f"{event.words} {written_words(event.who[1], ratio)}")
    for row in moved(said, before, after, cases):
        yield row | {"not_computed_reason": _QUALITY}


def served_events(on: date, changes: pl.DataFrame) -> Iterator[tuple[Event, set[str]]]:
    """Models that another one answered for the first time on the day (mart.served_model_change), each with all models concerned."""
    ordered = changes.sort("asked_model_id", "provider_id", "served_model_id")
    for (asked, seller), rows in ordered.group_by("asked_model_id", "provider_id", maintain_order=True):
        words = " ".join(
            f"{row['requests']} calls of {asked} were answered by {row['served_model_id']}, {_cost(row['served_cost_usd'])} USD in place of "
            f"{_cost(row['asked_cost_usd'])}."
            for row in rows.iter_rows(named=True)
        )
        yield Event(on, "served_other", (str(seller), str(asked)), words), {str(asked), *rows["served_model_id"]}


def as_asked(requests: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
    """Requests (core.request) with those of `calls` as the asked model would have answered them: the same usage at its price.

    `calls` has request_uid, asked_model_id and asked_usd.
    """
    joined = requests.join(
        calls.select("request_uid", "asked_model_id", "asked_usd", is_other=True), on="request_uid", how="left"
    )
    return joined.with_columns(
        model_id=pl.coalesce("asked_model_id", "model_id"),
        effective_cost_usd=pl.when("is_other").then("asked_usd").otherwise("effective_cost_usd"),
    ).select(requests.columns)


def _cost(amount: Decimal | None) -> str:
    return "unknown" if amount is None else f"{amount:.2f}"


def score_words(before: Mapping[str, float], after: Mapping[str, float]) -> str:
    """Which models' scores are others than on the day before."""
    names = sorted(before.keys() | after.keys())
    return "; ".join(
        f"{name} {_score(before.get(name))} to {_score(after.get(name))}"
        for name in names
        if before.get(name) != after.get(name)
    )


def _score(value: float | None) -> str:
    return "no score" if value is None else f"{value:g}"


def _totals(projection: pl.DataFrame) -> list[dict[str, Any]]:
    return projection.filter((pl.col("arm") == "total") & (pl.col("method") == "policy")).to_dicts()


def as_rows(rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """Rows of mart.routing_move."""
    return pl.DataFrame(rows, schema=ROUTING_MOVE.polars_schema)
