"""The walk through a board's exports: the belief after each one, and the changes that it made.

One pass over the exports in the order of observation, so that scores and events rest on the same decisions and depend on
the set of exports only, never on the order in which they arrived. Pairwise comparison is in `compare.py`; which changes
are alarms is decided in `significance.py`, with the tests of all boards of a day at hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from pipelines.benchmarks import compare, coverage
from pipelines.benchmarks.compare import CONTENT, GROUP, Group, Shift, group_mask, in_groups
from pipelines.benchmarks.items import ITEM_SCHEMA, compare_items
from pipelines.benchmarks.observation import ROW_KEY, ROW_SCHEMA, BoardSnapshot, Contradiction, Observation
from pipelines.benchmarks.trials import pooled
from pipelines.constant import empty

SETTLING = timedelta(days=3)
"""A composite that is re-weighted again within this time is still being redefined, whichever of its entries move."""
SETTLED_SHARE = 0.2
"""If fewer entries than this move again in the next export, it only brings the rest of the same redefinition."""

BELIEVED_SCHEMA = pl.Schema(
    {**ROW_SCHEMA, "held_key": pl.String(), "since": pl.Datetime("us", "UTC"), "epoch": pl.Int32()}
)
ASSERTED_SCHEMA = pl.Schema(
    {**ROW_SCHEMA, "since": pl.Datetime("us", "UTC"), "epoch": pl.Int32(), "snapshot_id": pl.Binary()}
)
CLOSED_SCHEMA = pl.Schema(
    {
        **{name: ROW_SCHEMA[name] for name in ROW_KEY},
        "since": pl.Datetime("us", "UTC"),
        "superseded_at": pl.Datetime("us", "UTC"),
        "supersede_reason": pl.String(),
    }
)


@dataclass(frozen=True)
class Step:
    """One export and what it did. Frames have ROW_SCHEMA; `changed` has it twice (`_after`) with the tests' columns."""

    observation: Observation
    previous: Observation | None
    """The last export of the scope that was used; None for the first."""
    believed_rows: int
    partial: pl.DataFrame
    """Versions of which the export lacks rows that stay believed (`coverage.Coverage`); empty where it is whole."""
    gate_reason: str | None
    is_unusable: bool
    """True where the export has no row, so that nothing at all was computed from it."""
    held: frozenset[Group]
    """Partial versions that were not compared: what they show moved together, which takes a whole export to judge."""
    new: pl.DataFrame
    unveiled: pl.DataFrame
    """New rows that a longer list of the top merely shows now: they lie below the last row of the list before."""
    removed: pl.DataFrame
    unlisted: int
    renames: dict[str, str]
    changed: pl.DataFrame
    rebased: dict[Group, Shift]
    roundings: dict[Group, int]
    """Versions that changed their precision only, with the coarser number of decimals."""
    tested: pl.DataFrame
    """Every row that is in both, changed or not, with the tests' columns; `changed` are those that say something new."""
    items_before: pl.DataFrame
    items_after: pl.DataFrame
    """Outcomes item by item on both sides of the rows in `changed` that were compared so (ITEM_SCHEMA)."""
    contradictions: tuple[Contradiction, ...]
    epochs: dict[Group, int]
    """Scale epoch of each version before this export."""
    asserted: pl.DataFrame
    closed: pl.DataFrame


@dataclass
class State:
    """What is believed about one scope, between two exports."""

    believed: pl.DataFrame = field(default_factory=lambda: empty(BELIEVED_SCHEMA))
    previous: Observation | None = None
    epochs: dict[Group, int] = field(default_factory=dict)
    memory: coverage.Memory = field(default_factory=coverage.Memory)
    redefined: dict[Group, tuple[datetime, frozenset[str]]] = field(default_factory=dict)
    """Composites that the last export re-weighted: when, and which entries moved."""
    reported: set[Contradiction] = field(default_factory=set)
    items: pl.DataFrame = field(default_factory=lambda: empty(ITEM_SCHEMA))
    """Outcomes item by item behind what is believed, where a source gave them."""


States = dict[str, State]
"""What is believed, by scope."""


def walk(snapshots: Iterable[BoardSnapshot]) -> tuple[Step, ...]:
    """Every export of a board as a Step, ordered by instant of observation and scope."""
    return advance({}, in_order(snapshots))


def in_order(snapshots: Iterable[BoardSnapshot]) -> list[Observation]:
    """What the exports state, one observation per scope and instant, ordered by instant and scope."""
    observations = {
        (item.scope, item.observed_at, item.landing_path, item.snapshot_id): item
        for snapshot in snapshots
        for item in snapshot.observations
    }
    single = _one_per_instant(pooled(observations[key] for key in sorted(observations)))
    return sorted(single, key=lambda item: (item.observed_at, item.scope))


def advance(states: States, observations: Iterable[Observation]) -> tuple[Step, ...]:
    """Each of the next exports as a Step; moves `states` on."""
    return tuple(_advance(states.setdefault(item.scope, State()), item) for item in observations)


def _one_per_instant(observations: Sequence[Observation]) -> list[Observation]:
    """Of several exports of one scope and instant, the last by path that has rows counts. If others differ, that is
    a contradiction."""
    kept: list[Observation] = []
    for item in observations:
        last = kept[-1] if kept else None
        if last is None or (last.scope, last.observed_at) != (item.scope, item.observed_at):
            kept.append(item)
            continue
        used, other = (last, item) if item.rows.is_empty() else (item, last)
        if not last.rows.equals(item.rows):
            primary = used.benchmarks[0].benchmark_id if used.benchmarks else ""
            detail = (
                f"{other.landing_path} and {used.landing_path} are of the same instant and differ; the latter is used"
            )
            clash = Contradiction(primary, "", "", "", None, None, detail)
            used = replace(used, contradictions=(*used.contradictions, *other.contradictions, clash))
        kept[-1] = used
    return kept


def _advance(state: State, observation: Observation) -> Step:
    """Judge one export against the state, and move the state on."""
    renames = _renames(state, observation)
    believed = state.believed.with_columns(pl.col("source_row_key").replace(renames))
    seen = coverage.judge(believed, observation, state.memory)
    if not seen.is_unusable:
        observation = coverage.without_shares(believed, observation)
    reported = state.reported
    contradictions = tuple(item for item in observation.contradictions if item not in reported)
    state.reported = reported | set(contradictions)
    step = Step(
        observation=observation,
        previous=state.previous,
        believed_rows=state.believed.height,
        partial=seen.partial,
        gate_reason=seen.reason,
        is_unusable=seen.is_unusable,
        held=frozenset(),
        new=empty(ROW_SCHEMA),
        unveiled=empty(ROW_SCHEMA),
        removed=empty(ROW_SCHEMA),
        unlisted=0,
        renames={},
        changed=pl.DataFrame(),
        rebased={},
        roundings={},
        tested=pl.DataFrame(),
        items_before=empty(ITEM_SCHEMA),
        items_after=empty(ITEM_SCHEMA),
        contradictions=contradictions,
        epochs=dict(state.epochs),
        asserted=empty(ASSERTED_SCHEMA),
        closed=empty(CLOSED_SCHEMA),
    )
    if seen.is_unusable:
        return step
    step = _compare(state, believed, replace(step, renames=renames), seen)
    state.previous = observation
    return step


def _renames(state: State, observation: Observation) -> dict[str, str]:
    if observation.traits.row_kind != "run":
        return compare.find_renames(state.believed, observation.rows)
    before = state.previous.observed_at.date() if state.previous else None
    return compare.find_moved_runs(state.believed, observation.rows, (before, observation.observed_at.date()))


def _compare(state: State, believed: pl.DataFrame, step: Step, seen: coverage.Coverage) -> Step:
    """Everything that an export changes; of its partial versions, what the rows that are there say."""
    observation = step.observation
    known_items = state.items.with_columns(pl.col("source_row_key").replace(step.renames))
    matched = _matched(believed, observation.rows, compare_items(known_items, observation.items))
    shifts, rebased = compare.find_shifts(matched, observation)
    held = _held(step, shifts, rebased, matched)
    rebased -= held
    kept_aside, before = in_groups(believed, held), in_groups(believed, held, inside=False)
    after, matched = in_groups(observation.rows, held, inside=False), in_groups(matched, held, inside=False)
    settling = _settling(state, matched, {group: shifts[group] for group in rebased}, observation)
    tested = _tested(matched, shifts, rebased, settling)
    missing = before.join(after, on=ROW_KEY, how="anti")
    below = _still_listed(missing, after, observation, seen)
    new = after.join(before, on=ROW_KEY, how="anti")
    unveiled = coverage.below_the_cut(new, state.previous.rows if state.previous else new.clear(), observation)
    changed = tested.filter(pl.col("differs") | pl.col("is_rebased") | pl.col("is_renamed"))
    roundings = {g: d for g, d in compare.find_roundings(matched).items() if g not in rebased}
    changed = changed.with_columns(_is_rounding(changed, roundings))
    paired = changed.filter(pl.col("paired_p").is_not_null()).select(ROW_KEY)
    step = replace(
        step,
        held=frozenset(held),
        new=new.filter(~unveiled),
        unveiled=new.filter(unveiled),
        removed=missing.filter(~below).select(*ROW_SCHEMA),
        unlisted=int(below.sum()),
        changed=changed,
        rebased={group: shifts[group] for group in sorted(rebased - settling)},
        roundings=roundings,
        tested=tested,
        items_before=known_items.join(paired, on=ROW_KEY, how="semi"),
        items_after=observation.items.join(paired, on=ROW_KEY, how="semi"),
    )
    step = _move_on(state, step, kept_aside, tested, missing.with_columns(below.alias("below")))
    used = observation.items.join(after, on=ROW_KEY, how="semi")
    earlier = known_items.join(used, on=ROW_KEY, how="anti").join(state.believed, on=ROW_KEY, how="semi")
    state.items = pl.concat([earlier, used])
    return step


def _held(step: Step, shifts: Mapping[Group, Shift], rebased: set[Group], matched: pl.DataFrame) -> set[Group]:
    """Partial versions in which all rows moved together, or most by more than noise: whether the scale did, or whether the
    export is this board's at all, takes a whole one to know."""
    thresholds = step.observation.thresholds()
    partial = [group for group in step.partial.select(GROUP).iter_rows() if group in shifts]
    for group in partial:
        rows = in_groups(matched, {group})
        if rows.height >= coverage.MIN_MISSING and compare.is_scattered(
            rows, thresholds[group[0]], compare.SCATTERED_IN_PART
        ):
            return set(partial)  # an export of something else is that in all its versions
    return {
        group
        for group in partial
        if group in rebased or shifts[group].exceeds(thresholds[group[0]], coverage.MIN_MISSING)
    }


def _still_listed(
    missing: pl.DataFrame, after: pl.DataFrame, observation: Observation, seen: coverage.Coverage
) -> pl.Series:
    """Which of the rows that an export lacks may still be listed: below its end, unreadable, or in a part that it lacks."""
    is_kept = missing.select(pl.struct(ROW_KEY).is_in(seen.missing.select(pl.struct(ROW_KEY)).to_series().implode()))
    below = coverage.below_the_cut(missing, after, observation) | coverage.is_named(missing, observation)
    return below | is_kept.to_series()


def _matched(before: pl.DataFrame, after: pl.DataFrame, paired: pl.DataFrame) -> pl.DataFrame:
    """Rows on both sides, with their change (`delta`) and their comparison item by item. A last digit is no change."""
    delta = pl.col("score_after") - pl.col("score")
    return (
        before.join(after, on=ROW_KEY, how="inner", suffix="_after")
        .with_columns(pl.when(compare.is_same("score")).then(0.0).otherwise(delta).alias("delta"))
        .join(paired, on=ROW_KEY, how="left", maintain_order="left")
    )


def _tested(
    matched: pl.DataFrame, shifts: dict[Group, Shift], rebased: set[Group], settling: set[Group]
) -> pl.DataFrame:
    """The matched rows with the tests' columns, `differs`, `is_renamed` and `is_rebased`: on a new scale, or part of the
    redefinition that brought the last one."""
    differs = pl.any_horizontal(~compare.is_same(name) for name in CONTENT)
    is_renamed = (pl.col("held_key") != pl.col("source_row_key")) | (pl.col("raw_model") != pl.col("raw_model_after"))
    is_rebased = group_mask(rebased - settling) | (group_mask(settling) & differs)
    return compare.run_tests(matched, shifts, rebased).with_columns(
        differs.alias("differs"), is_rebased.alias("is_rebased"), is_renamed.alias("is_renamed")
    )


def _settling(state: State, matched: pl.DataFrame, shifts: dict[Group, Shift], observation: Observation) -> set[Group]:
    """Composites whose redefinition began with the export before and continues with this one: no further version.

    It goes on where the entries that move now are those that did not move then, or where hardly any time has passed.
    """
    redefined, settling = {}, set()
    thresholds = observation.thresholds()
    for group in [group for group, shift in shifts.items() if shift.kind == "index_version"]:
        moved = in_groups(matched, {group}).filter(compare.has_moved(thresholds[group[0]]))
        keys = frozenset(moved["source_row_key"].to_list())
        since, before = state.redefined.get(group, (None, frozenset[str]()))
        is_soon = since is not None and observation.observed_at - since <= SETTLING
        if since is not None and (is_soon or len(keys & before) <= SETTLED_SHARE * len(keys)):
            settling.add(group)
        redefined[group] = (observation.observed_at, keys)
    state.redefined = redefined
    return settling


def _is_rounding(changed: pl.DataFrame, roundings: dict[Group, int]) -> pl.Series:
    """True for changes that a version's new precision explains."""
    flags = np.zeros(changed.height, dtype=bool)
    marks = pl.Series([f"{a}\x00{b}" for a, b in changed.select(GROUP).iter_rows()], dtype=pl.String)
    for group, decimals in roundings.items():
        inside = (marks == "\x00".join(group)).to_numpy()
        flags |= inside & (np.abs(changed["delta"].to_numpy()) <= compare.half_unit(changed, decimals))
    return pl.Series("is_rounding", flags, dtype=pl.Boolean)


def _move_on(state: State, step: Step, kept_aside: pl.DataFrame, tested: pl.DataFrame, missing: pl.DataFrame) -> Step:
    """The rows newly asserted and closed by this export, and the next state."""
    observation, at = step.observation, step.observation.observed_at
    epochs = {**state.epochs, **{group: state.epochs.get(group, 0) + 1 for group in step.rebased}}
    after = observation.rows.join(kept_aside.select(GROUP).unique(), on=GROUP, how="anti")
    known = tested.select(*ROW_KEY, "held_key", "since", "epoch", "differs", "is_rebased", "is_renamed")
    current = after.join(known, on=ROW_KEY, how="left").with_columns(
        pl.any_horizontal(pl.col("differs", "is_rebased", "is_renamed").fill_null(value=True)).alias("is_asserted")
    )
    current = _with_epoch(current, epochs).with_columns(
        pl.when("is_asserted").then(pl.lit(at, pl.Datetime("us", "UTC"))).otherwise("since").alias("since"),
        pl.col("source_row_key").alias("held_key"),
    )
    replaced = known.filter(pl.col("differs") | pl.col("is_rebased") | pl.col("is_renamed")).with_columns(
        pl.when("is_rebased")
        .then(pl.lit("rebased"))
        .when("is_renamed")
        .then(pl.lit("renamed"))
        .otherwise(pl.lit("revised"))
        .alias("supersede_reason")
    )
    is_rebased = group_mask(step.rebased)
    gone = missing.filter(~pl.col("below") | is_rebased).with_columns(
        pl.when(is_rebased & pl.col("below"))
        .then(pl.lit("rebased"))
        .otherwise(pl.lit("removed"))
        .alias("supersede_reason")
    )
    columns = [*GROUP, pl.col("held_key").alias("source_row_key"), "since", "supersede_reason"]
    closed = pl.concat([replaced.select(columns), gone.select(columns)]).with_columns(
        pl.lit(at, pl.Datetime("us", "UTC")).alias("superseded_at")
    )
    unlisted = missing.filter(pl.col("below") & ~is_rebased).select(*BELIEVED_SCHEMA)
    state.believed = pl.concat([kept_aside, current.select(*BELIEVED_SCHEMA), unlisted]).sort(ROW_KEY)
    state.epochs = epochs
    asserted = current.filter("is_asserted").with_columns(pl.lit(observation.snapshot_id).alias("snapshot_id"))
    return replace(step, asserted=asserted.select(*ASSERTED_SCHEMA), closed=closed.select(*CLOSED_SCHEMA))


def _with_epoch(rows: pl.DataFrame, epochs: dict[Group, int]) -> pl.DataFrame:
    """Set column `epoch` from the version's epoch, 0 where it was never re-anchored."""
    moved = [(*group, number) for group, number in sorted(epochs.items()) if number]
    if not moved:
        return rows.drop("epoch", strict=False).with_columns(epoch=pl.lit(0, pl.Int32()))
    table = pl.DataFrame(moved, schema={**dict.fromkeys(GROUP, pl.String()), "epoch": pl.Int32()}, orient="row")
    return (
        rows.drop("epoch", strict=False)
        .join(table, on=GROUP, how="left", maintain_order="left")
        .with_columns(pl.col("epoch").fill_null(0))
    )
