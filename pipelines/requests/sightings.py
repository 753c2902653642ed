"""Which records are of one call although each has an identity of its own: two sources or two instruments saw it.

Three kinds of proof, in this order: an id that both state (`told_by_id`), a span inside another of the same counts
(`told_by_chain`), and a rule of `sources.yaml` for what only looks alike (`told_by_rule`). Each gets records that may be
such and says which is dropped for which. How those are found among millions is in `shared_keys.py`, what becomes of them
in `collect.py`.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.config.sources import LookAlike, Sighting
from pipelines.meters import INPUT_METERS, OUTPUT_METERS, TOKEN_METERS
from pipelines.requests.conventions import is_miscounted
from pipelines.requests.identity import KEYS, SPANS

PLACE = ("snapshot_id", "line_no", "item_no")
FILLED = ("session_id", "provider_id", "team", "project", "cost_centre", "environment", "application", "end_user_id")
"""What a kept record takes from a dropped one where it has none."""
PAYER_ONLY = "payer_only"
"""The rule of a record that stays: it only gives what it says of who pays."""
CHOICES = pl.Schema({"row": pl.UInt32(), "kept_row": pl.UInt32(), "rule": pl.String()})
"""Per dropped record the one that is kept for it, both by their number in the frame given, and why. With the rule
PAYER_ONLY none is dropped."""

CLOSE_US = 60_000_000
"""What looks like a counter, or comes more than once from one instrument, is one call only within a minute."""
FAR_US = 3_600_000_000
"""Records of one id whose counts all differ are two calls when they lie more than an hour apart."""
_DEEPEST = 256
_INPUT = pl.sum_horizontal(pl.col(meter.tokens_column).cast(pl.Int64) for meter in INPUT_METERS)
_OUTPUT = pl.sum_horizontal(pl.col(meter.tokens_column).cast(pl.Int64) for meter in OUTPUT_METERS)
_BY_LIFETIME = ("input_cache_write_5m_tokens", "input_cache_write_30m_tokens", "input_cache_write_1h_tokens")
_BASIS = {"reported": 0, "estimated": 1, "partial": 2, "missing": 3}
_READ = tuple(
    dict.fromkeys(
        (*PLACE, "request_uid", "event_date", "event_at", "source", "tags", "usage_basis", "status", "latency_ms", "request_model",
         "response_model", "is_stream", "reported_cost_usd", *FILLED, *KEYS, *(meter.tokens_column for meter in TOKEN_METERS))
    )
)  # fmt: skip


def sightings(stored: pl.LazyFrame, precedence: Mapping[str, int]) -> pl.DataFrame:
    """The stored rows as the functions below take them: narrow, numbered by `row`, the one to be kept before every other first.

    The first is the one that knows its usage, then is of no emitter that is known to miscount it, splits it the finest (cache writes by lifetime, cached, reasoning), comes
    from the source that `precedence` prefers (the lowest number), logs a cost, says most about who pays, and began first.
    """
    seen = stored.select(_READ).collect().rechunk()
    known = pl.col("usage_basis") != "missing"
    emitter = pl.col("tags").str.json_path_match("$.emitter").fill_null("")
    seen = (
        seen.with_columns(
            at=pl.col("event_at").to_physical(),
            emitter=emitter,
            instrument=pl.concat_str("source", emitter, separator="\x00"),
            total_in=_INPUT,
            total_out=_OUTPUT,
            uncached=pl.col("input_uncached_tokens").cast(pl.Int64),
            said=_OUTPUT - pl.col("output_reasoning_tokens").cast(pl.Int64),
            known=known & (_INPUT + _OUTPUT > 0),
            partial=pl.col("usage_basis") == "partial",
            model=_plain_model(),
        )
        .with_columns(miscounted=is_miscounted())
        .with_columns(ended=pl.col("at") + (pl.col("latency_ms").fill_null(0) * 1000).cast(pl.Int64))
    )
    return by_richness(seen, precedence)


def by_richness(seen: pl.DataFrame, precedence: Mapping[str, int]) -> pl.DataFrame:
    """`seen` numbered by `row` in the order of `sightings`."""
    parts = pl.sum_horizontal((pl.col(meter.tokens_column) > 0).cast(pl.Int32) for meter in TOKEN_METERS)
    by_lifetime = pl.any_horizontal(pl.col(name) > 0 for name in _BY_LIFETIME)
    whole = by_lifetime & (pl.col("input_cache_write_tokens") == 0)
    filled = pl.sum_horizontal(pl.col(name).is_not_null().cast(pl.Int32) for name in (*FILLED, "latency_ms"))
    ranks = [
        pl.col("status") != "cache_hit",
        ~pl.col("known"),
        pl.col("usage_basis").replace_strict(_BASIS, return_dtype=pl.Int32),
        "miscounted",
        -(3 * parts + by_lifetime.cast(pl.Int32) + whole.cast(pl.Int32)),
        pl.col("source").replace_strict(precedence, default=100, return_dtype=pl.Int64),
        pl.col("reported_cost_usd").is_null(),
        -filled,
        "at",
        "request_uid",
        *PLACE,
    ]
    return seen.sort(ranks).with_row_index("row")


def _plain_model() -> pl.Expr:
    """The model's name without seller, date and version, as far as it can be known without a registry."""
    name = pl.coalesce("response_model", "request_model").str.to_lowercase().str.replace(r"^.*/", "")
    return name.str.replace(r"^(?:[a-z]{2,6}\.)?(?:anthropic|amazon|meta|mistral|cohere)\.", "").str.replace(
        r"[-@:](?:\d{4}-?\d{2}-?\d{2}|latest|v\d).*$", ""
    )


def told_by_id(seen: pl.DataFrame) -> pl.DataFrame:
    """CHOICES among records that state the same id, of whatever source.

    An id that is unique by its looks makes one call of all of them, unless they lie more than an hour apart and agree in no
    count. What may be a counter is believed only where the output, the model and the minute agree. Where one instrument
    states the id of several calls (an answer given again from a cache, a server whose ids never change), the first of one
    instrument belongs to the first of the other that has the same output, within a minute.
    """
    rows = seen.join(_calls(seen), on="row").sort("call", "at", "row")
    by_instrument = rows.with_columns(number=_numbered("call", "instrument"))
    again = by_instrument.with_columns(again=pl.col("number").max().over("call") > 1)
    rows = again.with_columns(output=pl.when(pl.col("again") & pl.col("known")).then("total_out"))
    rows = rows.with_columns(number=_numbered("call", "instrument", "output"))
    group = ["call", "output", "number"]
    rows = rows.sort(*group, "at", "row", nulls_last=True)
    before = {
        name: pl.when("known").then(name).forward_fill().shift().over(group)
        for name in ("total_in", "total_out", "model")
    }
    gap = pl.col("at") - pl.col("ended").cum_max().shift().over(group)
    differs = {
        name: (pl.col("known") & (pl.col(name) != before[name])).fill_null(value=False)
        for name in ("total_in", "total_out")
    }
    other_model = ~(pl.col("model").str.starts_with(before["model"]) | before["model"].str.starts_with(pl.col("model")))
    doubtful = (gap > CLOSE_US) | differs["total_out"] | other_model.fill_null(value=False)
    far = (gap > FAR_US) & differs["total_in"] & differs["total_out"]
    apart = pl.when(pl.col("sure") & ~pl.col("again")).then(far).otherwise(doubtful).fill_null(value=False)
    rows = rows.with_columns(part=apart.cast(pl.Int32).cum_sum().over(group))
    kept = rows.group_by(*group, "part").agg(pl.col("row").min().alias("kept_row"))
    chosen = rows.join(kept, on=[*group, "part"], nulls_equal=True).filter(pl.col("row") != pl.col("kept_row"))
    spans = seen.select(pl.col("row").alias("kept_row"), pl.col("span_key").alias("kept_span"))
    same = (pl.col("span_key") == pl.col("kept_span")).fill_null(value=False)
    rule = pl.when(same).then(pl.lit("same_span")).otherwise(pl.lit("same_response"))
    return chosen.join(spans, on="kept_row").select("row", "kept_row", rule.alias("rule")).cast(CHOICES)


def _calls(seen: pl.DataFrame) -> pl.DataFrame:
    """Per row that shares a key: the number of its call, and whether every key that is shared there is unique by its looks."""
    held = [
        seen.select("row", pl.col(name).alias("key")).drop_nulls() for name in ("answer_key", "other_key", "span_key")
    ]
    links = pl.concat(held).unique().filter(pl.len().over("key") > 1)
    keys = links["key"].rank("dense").cast(pl.Int64).to_numpy() - 1
    rows = links["row"].to_numpy().astype(np.int64)
    size = seen.height + (int(keys.max()) + 1 if len(keys) else 0)
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    graph = coo_matrix((np.ones(len(rows), np.int8), (rows, keys + seen.height)), shape=(size, size))
    _, labels = connected_components(graph, directed=False)
    found = links.with_columns(call=pl.Series(labels[rows], dtype=pl.Int64))
    found = found.with_columns(sure=((pl.col("key") & 1) == 1).all().over("call"))
    return found.select("row", "call", "sure").unique()


def _numbered(*keys: str) -> pl.Expr:
    """Which call of its instrument a record describes: of rows in order of time, those of one trace, or under way together, describe
    one, unless their answers have ids of their own: attempts that a gateway made for one request."""
    among = list(keys)
    same_trace = (pl.col("trace_key") == pl.col("trace_key").shift().over(among)).fill_null(value=False)
    under_way = pl.col("sure") & (pl.col("at") <= pl.col("ended").cum_max().shift().over(among)).fill_null(value=False)
    other_answer = (pl.col("answer_key") != pl.col("answer_key").shift().over(among)).fill_null(value=False)
    return (~(same_trace | under_way) | other_answer).cast(pl.Int32).cum_sum().over(among)


def told_by_chain(seen: pl.DataFrame, spans: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """CHOICES among spans that lie inside each other, and the outer spans that state something else than the calls inside them.

    `spans` (SPANS) are further spans of the same traces, through which chains lead. An outer span that has the counts of one
    call inside it describes that call; one that has the sum of several, or no counts, describes none. A lone call of unknown usage
    inside one of known usage is the same call. Others stay, and come back as `row`, `calls` (how many lie inside).
    """
    tree = _Tree(seen, spans)
    choices, outers = [CHOICES.to_frame()], []
    for depth in range(int(tree.depth.max(initial=0)) - 1, -1, -1):
        pairs = tree.pairs(depth)
        if pairs.is_empty():
            continue
        found, open_ones = _judged(pairs, seen)
        tree.drop(found.filter(pl.col("rule") != PAYER_ONLY)["row"])
        choices.append(found)
        outers.append(open_ones)
    open_spans = pl.concat(outers) if outers else pl.DataFrame(schema={"row": pl.UInt32(), "calls": pl.UInt32()})
    alive = pl.Series(np.flatnonzero(tree.alive), dtype=pl.UInt32)
    return pl.concat(choices), open_spans.filter(pl.col("row").is_in(alive.implode()))


class _Tree:
    """Spans by their parents; `alive` and `depth` (how many requests lie above) are those of the rows of `seen`."""

    def __init__(self, seen: pl.DataFrame, spans: pl.DataFrame) -> None:
        nodes = pl.concat([seen.select(SPANS.names()), spans.select(SPANS.names())]).sort(SPANS.names())
        nodes = nodes.unique("span_key", keep="last", maintain_order=True).sort("span_key")
        keys = nodes["span_key"].to_numpy()
        parents = nodes["parent_key"].fill_null(0).to_numpy()
        found = np.searchsorted(keys, parents).clip(max=max(len(keys) - 1, 0))
        self._up = np.where(keys[found] == parents, found, -1) if len(keys) else np.empty(0, np.int64)
        self._node = np.searchsorted(keys, seen["span_key"].to_numpy())
        self._row = np.full(len(keys), -1, np.int64)
        self._row[self._node[::-1]] = np.arange(seen.height)[::-1]
        self.alive = self._row[self._node] == np.arange(seen.height)
        self.depth = np.zeros(seen.height, np.int64)
        above = self._above()
        reached = above.copy()
        for _ in range(_DEEPEST):
            inside = reached >= 0
            if not inside.any():
                break
            self.depth[inside] += 1
            reached[inside] = above[reached[inside]]

    def _above(self) -> npt.NDArray[np.int64]:
        """Per row the nearest row alive whose span it lies in, or -1."""
        up = self._up[self._node]
        for _ in range(_DEEPEST):
            passing = np.flatnonzero(up >= 0)
            passing = passing[~self._is_alive(up[passing])]
            if not len(passing):
                return np.where(up >= 0, self._row[up], -1)
            up[passing] = self._up[up[passing]]
        up[passing] = -1  # spans that lie in each other in a circle
        return np.where(up >= 0, self._row[up], -1)

    def _is_alive(self, nodes: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        rows = self._row[nodes]
        is_alive: npt.NDArray[np.bool_] = (rows >= 0) & self.alive[rows]
        return is_alive

    def pairs(self, depth: int) -> pl.DataFrame:
        """Rows alive with so many rows above (`outer`), each with every row alive that lies in it next (`inner`)."""
        above = self._above()
        inner = np.flatnonzero(self.alive & (above >= 0) & (above != np.arange(len(above))))
        outer = above[inner]
        wanted = self.depth[outer] == depth
        return pl.DataFrame({"outer": outer[wanted], "inner": inner[wanted]}).cast(pl.UInt32)

    def drop(self, rows: pl.Series) -> None:
        self.alive[rows.to_numpy()] = False


def _judged(pairs: pl.DataFrame, seen: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """CHOICES among outer spans and what lies in them, and the outer ones of which nothing can be said (`row`, `calls`)."""
    facts = ("known", "partial", "miscounted", "total_in", "uncached", "total_out", "said")
    of = seen.select("row", "at", *facts)
    both = pairs.join(of.rename({name: f"outer_{name}" for name in facts}).drop("at"), left_on="outer", right_on="row")
    both = both.join(of, left_on="inner", right_on="row").sort("outer", "at", "inner")
    like = _one_is(_same("total_in", "uncached"), _same_output())
    judged = both.group_by("outer", maintain_order=True).agg(
        pl.len().alias("calls"),
        pl.col("known").sum().alias("known_calls"),
        pl.col("outer_known").first(),
        pl.col("inner").filter(like).first().alias("same"),
        pl.col("inner").sort_by(~pl.col("known"), maintain_order=True).first().alias("lead"),
        pl.col("inner"),
        (pl.col("total_out").sum() == pl.col("outer_total_out").first()).alias("adds_out"),
        (
            (pl.col("total_in").sum() == pl.col("outer_total_in").first())
            | (pl.col("uncached").sum() == pl.col("outer_uncached").first())
        ).alias("adds_in"),
    )
    adds = pl.col("outer_known") & (pl.col("known_calls") > 1) & pl.col("adds_in") & pl.col("adds_out")
    case = (
        pl.when(~pl.col("outer_known")).then(pl.lit("container"))
        .when(pl.col("same").is_not_null()).then(pl.lit("same"))
        .when(adds).then(pl.lit("sum"))
        .when((pl.col("calls") == 1) & (pl.col("known_calls") == 0)).then(pl.lit("shadow"))
        .otherwise(pl.lit("open"))
    )  # fmt: skip
    judged = judged.with_columns(case=case)
    dropped = (
        pl.when(pl.col("case") == "same").then(pl.max_horizontal("outer", "same"))
        .when(pl.col("case") == "shadow").then("lead").otherwise("outer")
    )  # fmt: skip
    kept = (
        pl.when(pl.col("case") == "same").then(pl.min_horizontal("outer", "same"))
        .when(pl.col("case") == "shadow").then("outer").otherwise("lead")
    )  # fmt: skip
    rule = pl.when(pl.col("case") == "sum").then(pl.lit("sum_of_spans")).otherwise(pl.lit("nested_span"))
    chosen = judged.filter(pl.col("case") != "open").select(
        dropped.alias("row"), kept.alias("kept_row"), rule.alias("rule")
    )
    others = judged.filter(pl.col("case").is_in(["sum", "container"]) & (pl.col("calls") > 1)).explode("inner")
    payers = others.filter(pl.col("inner") != pl.col("lead")).select(
        pl.col("outer").alias("row"), pl.col("inner").alias("kept_row"), pl.lit(PAYER_ONLY).alias("rule")
    )
    left = judged.filter((pl.col("case") == "open") & (pl.col("known_calls") > 0))
    return pl.concat([chosen.cast(CHOICES), payers.cast(CHOICES)]), left.select(pl.col("outer").alias("row"), "calls")


def _same(total: str, uncached: str) -> pl.Expr:
    """Whether inner and outer have the same input; an instrument that reports no cache may count it all, or leave it out."""
    return (
        (pl.col(total) == pl.col(f"outer_{total}"))
        | (pl.col(uncached) == pl.col(f"outer_{uncached}"))
        | (pl.col(uncached) == pl.col(f"outer_{total}"))
        | (pl.col(total) == pl.col(f"outer_{uncached}"))
    )


def _same_output() -> pl.Expr:
    """Whether inner and outer have the same output, an instrument of Gemini may leave out the thoughts, or one of them is known to have it wrong."""
    return (
        (pl.col("total_out") == pl.col("outer_total_out"))
        | (pl.col("said") == pl.col("outer_total_out"))
        | (pl.col("total_out") == pl.col("outer_said"))
        | pl.col("miscounted")
        | pl.col("outer_miscounted")
    )


def _one_is(same_in: pl.Expr, same_out: pl.Expr) -> pl.Expr:
    partly = pl.col("partial") | pl.col("outer_partial")
    counted = pl.col("known") & pl.col("outer_known")
    return counted & ((same_in & same_out) | (partly & (same_in | same_out)))


def told_by_rule(seen: pl.DataFrame, rules: Sequence[LookAlike]) -> pl.DataFrame:
    """CHOICES by the rules of `sources.yaml`: for each record to drop the nearest one to keep that has the same counts and
    model and was under way at the same time; of calls that failed, which have no counts, that failed too and name the same model. A rule
    takes each record once; one that is kept may stand for others by another rule."""
    gone: set[int] = set()
    found: list[tuple[int, int, str]] = []
    failed = (pl.col("status") == "error") & ~pl.col("known") & pl.col("model").is_not_null()
    wanted = seen.filter(pl.col("known") | failed).with_columns(of=pl.when(failed).then("model")).sort("at", "row")
    counts = [pl.when(~failed).then(name).alias(name) for name in ("total_in", "total_out")]
    for _, group in wanted.with_columns(counts).group_by("total_in", "total_out", "of", maintain_order=True):
        rows = list(group.select("row", "source", "emitter", "model", "at", "ended").iter_rows())
        begins, longest = [row[4] for row in rows], max(row[5] - row[4] for row in rows)
        for rule in rules:
            taken = set(gone)
            for row in rows:
                if row[0] in taken or not _fits(rule.drop, row):
                    continue
                near = rows[bisect_left(begins, row[4] - longest) : bisect_right(begins, row[5])]
                twins = [
                    kept for kept in near
                    if kept[0] != row[0] and kept[0] not in taken and _fits(rule.keep, kept) and _at_once(row, kept)
                ]  # fmt: skip
                if twins:
                    kept = min(twins, key=lambda other: (abs(other[4] - row[4]), other[0]))
                    taken |= {row[0], kept[0]}
                    gone.add(row[0])
                    found.append((row[0], kept[0], "declared_look_alike"))
    return pl.DataFrame(found, schema=CHOICES, orient="row")


def _fits(sighting: Sighting, row: tuple[object, ...]) -> bool:
    patterns = zip((sighting.source, sighting.emitter), row[1:3], strict=True)
    return all(re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), str(value)) for pattern, value in patterns)


def _at_once(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    _, _, _, model, at, ended = one
    _, _, _, other_model, other_at, other_ended = other
    alike = model is None or other_model is None or model == other_model
    return alike and max(int(str(at)), int(str(other_at))) <= min(int(str(ended)), int(str(other_ended)))


def given(seen: pl.DataFrame, choices: pl.DataFrame) -> pl.DataFrame:
    """What kept records take from dropped ones, the best giver first: their request_uid, FILLED, and the cost that was logged
    where both are of one call."""
    columns = [*FILLED, "reported_cost_usd"]
    givers = choices.join(seen.select("row", *columns), on="row").sort("kept_row", "row")
    cost = pl.when(~pl.col("rule").is_in([PAYER_ONLY, "sum_of_spans"])).then("reported_cost_usd")
    takers = seen.select(pl.col("row").alias("kept_row"), "request_uid")
    given_by = givers.with_columns(reported_cost_usd=cost).join(takers, on="kept_row", maintain_order="left")
    return given_by.select("request_uid", *columns)
