"""Finds, among the rows of some days, the few that may be the call of another row, and has them judged.

Of all rows only keys (`identity.py`) are read, column by column; the rows that share one are read whole, some at a time.
What they are taken for is decided in `sightings.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.config.sources import LookAlike
from pipelines.records.store import StoredPart, scan_stored
from pipelines.requests.identity import KEYS, SPANS
from pipelines.requests.normalise import STORED_SCHEMA
from pipelines.requests.sightings import (
    CHOICES,
    FILLED,
    PAYER_ONLY,
    PLACE,
    by_richness,
    given,
    sightings,
    told_by_chain,
    told_by_id,
    told_by_rule,
)

_BATCH = 2**17
_IDS = ("answer_key", "other_key", "span_key")
_Keys = npt.NDArray[np.uint64]
_RECORD = ("request_uid", "event_date", *PLACE)
CHOSEN = pl.Schema(
    {**{name: STORED_SCHEMA[name] for name in _RECORD}, **{f"kept_{name}": STORED_SCHEMA[name] for name in _RECORD}, "rule": pl.String()}
)  # fmt: skip
_GIFTS = pl.Schema({name: STORED_SCHEMA[name] for name in ("request_uid", *FILLED, "reported_cost_usd")})
OUTERS = pl.Schema({"request_uid": pl.Binary(), "calls": pl.UInt32()})


@dataclass(frozen=True)
class Preferences:
    """What `sources.yaml` says of calls that several sources record: their precedence, and which look-alikes are dropped."""

    precedence: Mapping[str, int] = field(default_factory=dict)
    look_alikes: tuple[LookAlike, ...] = ()


NO_PREFERENCES = Preferences()


@dataclass(frozen=True)
class Resolved:
    """What all rows come to.

    `dropped` has CHOSEN: place and request_uid of every dropped row, those of the row kept in the end, and the rule. `gifts`
    has by request_uid what kept rows take where they have none; `outers` by request_uid how many calls lie in a span that
    says something else.
    """

    dropped: pl.DataFrame
    gifts: pl.DataFrame
    outers: pl.DataFrame


class SharedKeys:
    """The rows of `parts` in the `window` of microseconds, [low, high). `spans` has SPANS, of what is no request; `gone` holds
    the places of rows that were dropped before, `shares_ids` what `may_share_ids` says of them all."""

    def __init__(
        self,
        parts: Sequence[StoredPart],
        spans: pl.LazyFrame,
        window: tuple[int, int],
        gone: pl.DataFrame,
        *,
        shares_ids: bool,
    ) -> None:
        self._parts, self._spans, self._window, self._gone = parts, spans, window, gone
        self._shares_ids = shares_ids
        at = pl.col("event_at").to_physical()
        self._rows = scan_stored(parts, STORED_SCHEMA).filter((at >= window[0]) & (at < window[1]))
        self._choices: list[pl.DataFrame] = []
        self._gifts: list[pl.DataFrame] = []
        self._outers: list[pl.DataFrame] = []

    def resolve(self, preferences: Preferences, part_rows: int) -> Resolved:
        """Judge all rows that may be another one's call, about `part_rows` at a time."""
        self._precedence = preferences.precedence
        for some in self._by_id(part_rows):
            shares = pl.any_horizontal(pl.col(name).is_in(some.implode()) for name in _IDS)
            seen = self._seen(shares)
            self._keep(seen, told_by_id(seen))
        for some in self._by_trace(part_rows):
            in_trace = pl.col("trace_key").is_in(some.implode())
            everything = sightings(self._rows.filter(in_trace), self._precedence)
            is_gone = pl.col("row").is_in(self._gone_rows(everything).implode())
            gone = everything.filter(is_gone)
            through = pl.concat([gone.select(SPANS.names()), self._spans.filter(in_trace).collect()])
            seen = self._with_stand_ins(everything.filter(~is_gone & pl.col("span_key").is_not_null()), gone)
            choices, outers = told_by_chain(seen, through.drop_nulls("span_key"))
            self._keep(seen, _of_two_records(seen, choices))
            self._outers.append(outers.join(seen.select("row", "request_uid"), on="row").select("request_uid", "calls"))
        if preferences.look_alikes:
            seen = self._seen(named_by(preferences.look_alikes))
            self._keep(seen, told_by_rule(seen, preferences.look_alikes))
        return self._resolved()

    def _seen(self, wanted: pl.Expr) -> pl.DataFrame:
        seen = sightings(self._rows.filter(wanted), self._precedence)
        is_gone = pl.col("row").is_in(self._gone_rows(seen).implode())
        return seen.filter(~is_gone).drop("row").with_row_index("row")

    def _with_stand_ins(self, seen: pl.DataFrame, gone: pl.DataFrame) -> pl.DataFrame:
        """`seen`, and records of elsewhere at the place of the spans that were dropped for them: what lies around such a span, or
        in it, records the call of that record."""
        chosen = pl.concat([CHOSEN.to_frame(), *self._choices])
        dropped = gone.select(*PLACE, *SPANS.names()).drop_nulls("span_key").join(chosen, on=PLACE)
        kept = dropped.select(*SPANS.names(), *(pl.col(f"kept_{name}").alias(name) for name in PLACE))
        if kept.is_empty():
            return seen.drop("row").with_row_index("row")
        wanted = dropped["kept_request_uid"].unique().implode()
        elsewhere = self._seen(pl.col("request_uid").is_in(wanted)).drop("row")
        there = elsewhere.join(kept, on=PLACE, suffix="_there")
        there = there.filter(pl.col("trace_key").ne_missing(pl.col("trace_key_there")))
        there = there.with_columns(pl.col(f"{name}_there").alias(name) for name in SPANS.names())
        there = there.unique(["request_uid", "trace_key"], keep="first", maintain_order=True)
        return by_richness(pl.concat([seen.drop("row"), there.select(elsewhere.columns)]), self._precedence)

    def _gone_rows(self, seen: pl.DataFrame) -> pl.Series:
        return seen.join(self._gone, on=PLACE, how="semi")["row"]

    def _keep(self, seen: pl.DataFrame, choices: pl.DataFrame) -> None:
        if choices.is_empty():
            return
        self._gifts.append(given(seen, choices))
        own = seen.select("row", *_RECORD)
        kept = own.rename({name: f"kept_{name}" for name in own.columns})
        dropped = choices.filter(pl.col("rule") != PAYER_ONLY).join(own, on="row").join(kept, on="kept_row")
        self._choices.append(dropped.select(CHOSEN.names()))
        self._gone = pl.concat([self._gone, dropped.select(self._gone.columns)])

    def _resolved(self) -> Resolved:
        outers = pl.concat([OUTERS.to_frame(), *self._outers])
        if not self._choices:
            return Resolved(CHOSEN.to_frame(), _GIFTS.to_frame(), outers)
        dropped = to_the_last(pl.concat(self._choices))
        gifts = pl.concat(self._gifts)
        ends = dropped.select("request_uid", "kept_request_uid")
        passed_on = gifts.join(ends, on="request_uid", how="left", maintain_order="left")
        gifts = passed_on.with_columns(request_uid=pl.coalesce("kept_request_uid", "request_uid")).drop(
            "kept_request_uid"
        )
        return Resolved(dropped, gifts, outers)

    def _by_id(self, part_rows: int) -> Iterator[pl.Series]:
        """Keys that records of different requests share, so many at a time; keys that one record holds come together."""
        if not self._shares_ids:
            return
        keys, ties = [], []
        for batch in self._columns(("request_uid", *_IDS)):
            held = [batch[name] for name in _IDS if name in batch]
            for values in held:
                # A stream repeats its id in every chunk: of one request a key counts once.
                mixed = batch["request_uid"] ^ (values * np.uint64(0x9E3779B97F4A7C15))
                first = np.unique(mixed, return_index=True)[1]
                keys.append(values[first][values[first] != 0])
            for number, one in enumerate(held):
                ties += [np.stack([one, other]) for other in held[number + 1 :]]
        yield from _together(_repeated(keys), ties, part_rows)

    def _by_trace(self, part_rows: int) -> Iterator[pl.Series]:
        """Traces in which a request may lie inside another one, so many at a time."""
        rows = [batch for batch in self._columns(SPANS.names()) if "span_key" in batch]
        if not rows:
            return
        columns = {name: np.concatenate([batch.get(name, _zeros(batch)) for batch in rows]) for name in SPANS.names()}
        passed = self._spans.collect()
        parents = np.unique(columns["parent_key"][columns["parent_key"] != 0])
        # A span around others that is no request may lie in one.
        reached = pl.Series(np.concatenate([columns["span_key"], passed["span_key"].to_numpy()]), dtype=pl.UInt64)
        inside = np.isin(columns["parent_key"], reached.unique().to_numpy()) & (columns["parent_key"] != 0)
        traces, counts = np.unique(columns["trace_key"], return_counts=True)
        several = traces[counts > 1]
        wanted = np.intersect1d(several, columns["trace_key"][inside])
        if not len(parents) or not len(wanted):
            return
        size = int(counts[np.isin(traces, wanted)].sum())
        for some in np.array_split(wanted, -(-size // part_rows)):
            yield pl.Series(some, dtype=pl.UInt64)

    def _columns(self, names: Sequence[str]) -> Iterator[dict[str, npt.NDArray[np.uint64]]]:
        """Batches of the rows in the window: of each of `names` that the part holds 64 bits a row, 0 for null."""
        low, high = self._window
        for part in self._parts:
            held = [name for name in names if name not in _without(part)]
            if not any(name in KEYS for name in held):
                continue
            with pq.ParquetFile(part.path, metadata=part.metadata, pre_buffer=False) as file:
                for batch in file.iter_batches(_BATCH, columns=[*held, "event_at"], use_threads=False):
                    at = words_of(batch.column("event_at").cast(pa.int64()), "<i8")
                    inside = (at >= low) & (at < high)
                    if inside.any():
                        yield {name: _words(batch.column(name))[inside] for name in held}


def may_share_ids(parts: Sequence[StoredPart]) -> bool:
    """Where a source states nothing but the ids that separate it from others, equal ids are one request already."""
    sources = {source for part in parts for source in part.sources}
    return len(sources) > 1 or any(not {"other_key", "span_key"} <= _without(part) for part in parts)


def _of_two_records(seen: pl.DataFrame, choices: pl.DataFrame) -> pl.DataFrame:
    """`choices` without those of one record that stands at two places; each record is dropped once."""
    places = seen.select("row", place=pl.struct(PLACE))
    both = choices.join(places, on="row").join(places.rename({"row": "kept_row"}), on="kept_row", suffix="_kept")
    apart = both.filter(pl.col("place") != pl.col("place_kept"))
    once = pl.col("rule") != PAYER_ONLY
    first = apart.filter(once).unique("place", keep="first", maintain_order=True)
    return pl.concat([first, apart.filter(~once)]).select(CHOICES.names())


def to_the_last(chosen: pl.DataFrame, onward: pl.DataFrame | None = None) -> pl.DataFrame:
    """`chosen` (the `kept_*` columns of CHOSEN) with the record that is kept in the end, where the one named is itself dropped
    (`onward`, CHOSEN; without it by `chosen` itself)."""
    kept = [f"kept_{name}" for name in _RECORD]
    steps = (chosen if onward is None else onward).select(
        *(pl.col(name).alias(f"kept_{name}") for name in PLACE), *(pl.col(name).alias(f"next_{name}") for name in kept)
    )
    while True:
        moved = chosen.join(steps, on=[f"kept_{name}" for name in PLACE], how="left", maintain_order="left")
        if moved["next_kept_line_no"].null_count() == moved.height:
            return chosen
        chosen = moved.with_columns(**{name: pl.coalesce(f"next_{name}", name) for name in kept}).select(chosen.columns)


def _without(part: StoredPart) -> set[str]:
    """The keys that no row of the part has."""
    return {name for name in KEYS if name in part.shared}


def _words(column: pa.Array) -> _Keys:
    if pa.types.is_fixed_size_binary(column.type):
        return np.frombuffer(column.buffers()[1], "<u8")[2 * column.offset :][: 2 * len(column) : 2]
    return pl.Series(values=column, dtype=pl.UInt64).fill_null(0).to_numpy()


def words_of(column: pa.Array, kind: str) -> npt.NDArray[Any]:
    """The 64 bits of each value of a column without nulls. Arrow's to_numpy() and fill_null() would import pandas, which nothing
    else in a run needs."""
    return np.frombuffer(column.buffers()[1], kind)[column.offset :][: len(column)]


def _zeros(batch: Mapping[str, _Keys]) -> _Keys:
    return np.zeros(len(next(iter(batch.values()))), np.uint64)


def _repeated(keys: Sequence[_Keys]) -> _Keys:
    every = np.concatenate([np.empty(0, np.uint64), *keys])
    every.sort()
    return np.unique(every[1:][every[1:] == every[:-1]])


def _together(shared: _Keys, ties: Sequence[_Keys], part_rows: int) -> Iterator[pl.Series]:
    if not len(shared):
        return
    pairs = np.concatenate([np.empty((2, 0), np.uint64), *ties], axis=1)
    pairs = pairs[:, np.isin(pairs, shared).all(axis=0)]
    ends = np.searchsorted(shared, pairs)
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    graph = coo_matrix((np.ones(pairs.shape[1], np.int8), tuple(ends)), shape=(len(shared), len(shared)))
    count, labels = connected_components(graph, directed=False)
    turns = -(-2 * len(shared) // part_rows)
    turn = labels * turns // max(count, 1)
    for number in range(turns):
        if len(some := shared[turn == number]):
            yield pl.Series(some, dtype=pl.UInt64)


def named_by(rules: Sequence[LookAlike]) -> pl.Expr:
    """Whether a row's source is one of those that the rules name."""
    patterns = {side.source for rule in rules for side in (rule.keep, rule.drop)}
    literal = ["^" + ".*".join(_escaped(part) for part in pattern.split("*")) + "$" for pattern in sorted(patterns)]
    return pl.any_horizontal(pl.col("source").str.contains(pattern) for pattern in literal)


def _escaped(text: str) -> str:
    return text.replace(".", r"\.")
