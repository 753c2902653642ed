"""The calls of one source on one day: who called which model when, and how many tokens went in and out.

Only facts are drawn here; `logs.py` writes them as lines of a format, `arrival.py` decides in which file they arrive.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.sample import shapes
from pipelines.sample.catalogue import OFFERS, UNKNOWN_MODEL, Lane, Offer, Source
from pipelines.sample.draws import Draws, Ints

ERRORS_PER_MILLE = 15
NAMELESS_PER_MILLE = 1
DAY_US = 86_400_000_000
SPILL_US = 120_000_000
"""Records of the next UTC day that are already in a day's last file fall within this time after midnight."""

_OFFER_LIST = tuple(OFFERS.values())
_OFFER_INDEX = {key: index for index, key in enumerate(OFFERS)}


def requests_on(source: Source, day: date, requests_per_day: int) -> int:
    """How many requests a source has on a day: its share of the total in the shape of the week, and what a burst adds."""
    usual = requests_per_day * source.percent * shapes.WEEKDAY_PERCENT[day.weekday()] // 10_000
    weights = [sum(lane.weight for lane in lanes) for lanes in (source.lanes_on(day), source.lanes)]
    return usual * weights[0] // weights[1]


def draw_calls(source: Source, day: date, count: int, spill: int, draws: Draws) -> pl.DataFrame:
    """`count` calls on `day` and `spill` calls just after its midnight, in order of time.

    Columns: at_us (start, epoch microseconds UTC), team, application, offer (key of OFFERS), is_unknown, is_nameless, outcome (ok,
    error, cache_hit), is_stream, session_id, end_user, id (32 hex digits), five exclusive token counts input,
    cache_read, cache_write (not part of each other), visible, reasoning; first_ms and duration_ms; is_next_day.
    """
    size = count + spill
    midnight = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000
    within = draws.weighted(source.hours, count) * (DAY_US // 24) + draws.below(3_600_000, count) * 1000
    at_us = midnight + np.concatenate((within, DAY_US + draws.below(SPILL_US // 1000, spill) * 1000))
    order = np.argsort(at_us, kind="stable")
    at_us = at_us[order] + draws.below(1000, size)
    lanes = source.lanes_on(day)
    lane = draws.weighted([lane.weight for lane in lanes], size)
    offer = _draw_offers(lanes, lane, draws)
    session, is_first = _sessions(lanes, lane, draws)
    tokens = _draw_tokens(lanes, lane, offer, is_first, draws)
    first_ms = draws.quantile(shapes.FIRST_TOKEN_MS, size)
    written = tokens["visible"] + tokens["reasoning"]
    is_hit = draws.chance(source.cache_hits_per_mille, size)
    outcome = np.where(draws.chance(ERRORS_PER_MILLE, size), 1, np.where(is_hit, 2, 0))
    names = pl.DataFrame(
        {
            "lane": np.arange(len(source.lanes)),
            "team": [item.team for item in source.lanes],
            "application": [item.application for item in source.lanes],
        }
    )
    return (
        pl.DataFrame(
            {
                "at_us": at_us,
                "lane": lane,
                "offer": pl.Series(offer).cast(pl.UInt32),
                "is_unknown": draws.chance(source.unknown_per_mille, size),
                "is_nameless": draws.chance(NAMELESS_PER_MILLE, size) & (outcome == 0),
                "outcome": outcome,
                "is_stream": draws.chance(640, size),
                "session": session,
                "end_user": draws.below(60, size)[session],
                "id": draws.hex_ids(32, size),
                **tokens,
                "first_ms": first_ms,
                "duration_ms": first_ms + written * draws.quantile(shapes.MS_PER_TOKEN, size),
                "is_next_day": at_us >= midnight + DAY_US,
            }
        )
        .join(names, on="lane", how="left", maintain_order="left")
        .with_columns(
            offer=pl.col("offer").replace_strict(range(len(_OFFER_LIST)), list(OFFERS), return_dtype=pl.String),
            outcome=pl.col("outcome").replace_strict([0, 1, 2], ["ok", "error", "cache_hit"], return_dtype=pl.String),
            session_id=pl.format("{}-{}-{}", pl.col("team"), pl.lit(f"{day:%Y%m%d}"), pl.col("session")),
            end_user=pl.format("{}-user-{}", pl.col("team"), pl.col("end_user")),
        )
        .drop("lane", "session")
    )


def offer_column(attribute: str) -> pl.Expr:
    """An attribute of each call's offer, as text."""
    return pl.col("offer").replace_strict(
        list(OFFERS), [str(getattr(offer, attribute)) for offer in _OFFER_LIST], return_dtype=pl.String
    )


def model_names(attribute: str) -> pl.Expr:
    """The model name to log: the offer's, or the unknown model's, or none at all."""
    known = pl.when(pl.col("is_unknown")).then(pl.lit(UNKNOWN_MODEL)).otherwise(offer_column(attribute))
    return pl.when(pl.col("is_nameless")).then(pl.lit("")).otherwise(known)


def _draw_offers(lanes: tuple[Lane, ...], lane: Ints, draws: Draws) -> Ints:
    offer = np.zeros(len(lane), dtype=np.int64)
    for index, item in enumerate(lanes):
        mine = lane == index
        keys = np.asarray([_OFFER_INDEX[key] for key in item.models], dtype=np.int64)
        offer[mine] = keys[draws.weighted(list(item.models.values()), int(mine.sum()))]
    return offer


def _sessions(lanes: tuple[Lane, ...], lane: Ints, draws: Draws) -> tuple[Ints, NDArray[np.bool_]]:
    """A session number per call (runs of about four calls of one application) and whether the call opens it."""
    is_first = draws.chance(250, len(lane))
    session = np.zeros(len(lane), dtype=np.int64)
    taken = 0
    for index in range(len(lanes)):
        mine = np.flatnonzero(lane == index)
        if len(mine):
            is_first[mine[0]] = True
            session[mine] = taken + np.cumsum(is_first[mine]) - 1
            taken = int(session[mine[-1]]) + 1
    return session, is_first


def _draw_tokens(
    lanes: tuple[Lane, ...],
    lane: Ints,
    offer: Ints,
    is_first: NDArray[np.bool_],
    draws: Draws,
) -> dict[str, Ints]:
    """Exclusive token counts. The prompt of a later turn was in part seen before; that part is a cache read."""
    prompt = np.zeros(len(lane), dtype=np.int64)
    visible = np.zeros(len(lane), dtype=np.int64)
    for index, item in enumerate(lanes):
        mine = lane == index
        size, shape = int(mine.sum()), item.workload
        prompt[mine] = draws.quantile(shape.input_tokens, size) * shape.input_ratio[0] // shape.input_ratio[1]
        visible[mine] = draws.quantile(shape.output_tokens, size) * shape.output_ratio[0] // shape.output_ratio[1]
    prompt, visible = np.maximum(prompt, 1), np.maximum(visible, 1)
    room = _per_offer(lambda item: item.context_tokens)[offer] - visible
    prompt = np.minimum(prompt, room)
    reuse = draws.quantile(shapes.PREFIX_REUSE, len(lane))
    has_cache = _per_offer(lambda item: int(item.rates.cache_read is not None))[offer] == 1
    read = np.where(has_cache & ~is_first, prompt * reuse // 1000 // 128 * 128, 0)
    writes = _per_offer(lambda item: int(item.rates.cache_write is not None))[offer] == 1
    written = np.where(writes & (prompt - read > 1024), (prompt - read) * 3 // 4, 0)
    thinking = _per_offer(lambda item: int(item.is_reasoning))[offer] * draws.quantile(
        shapes.REASONING_PERCENT, len(lane)
    )
    return {
        "input": prompt - read - written,
        "cache_read": read,
        "cache_write": written,
        "visible": visible,
        "reasoning": np.minimum(visible * thinking // 100, 24_000),
    }


def _per_offer(value: Callable[[Offer], int]) -> Ints:
    return np.asarray([value(offer) for offer in _OFFER_LIST], dtype=np.int64)
