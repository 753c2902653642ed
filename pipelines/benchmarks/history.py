"""The walk through a board's exports: what is believed after each one, and what it changed.

One pass over the exports in the order of observation, so that scores and events rest on the same decisions and depend on
the set of exports only, never on the order in which they arrived. Pairwise comparison is in `compare.py`; which changes
are alarms is decided in `decide.py`, with the tests of all boards of a day at hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from pipelines.benchmarks import compare
from pipelines.benchmarks.compare import CONTENT, GROUP, MAX_MISSING_SHARE, Group, Shift
from pipelines.benchmarks.items import ITEM_SCHEMA, compare_items
from pipelines.benchmarks.snapshot import ROW_KEY, ROW_SCHEMA, BoardSnapshot, Contradiction, Observation

PATIENCE = timedelta(days=14)
PATIENCE_EXPORTS = 3
"""An export that stays short for this long and this often is no accident: the board has become shorter."""

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
    gated: pl.DataFrame
    """Versions from which nothing was computed (columns of `compare.coverage`); empty where the export is sound."""
    gate_reason: str | None
    is_gated: bool
    """True where nothing at all was computed from the export."""
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
    contradictions: tuple[Contradiction, ...]
    epochs: dict[Group, int]
    """Scale epoch of each version before this export."""
    asserted: pl.DataFrame
    closed: pl.DataFrame


@dataclass
class _State:
    """What is believed about one scope, between two exports."""

    believed: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=BELIEVED_SCHEMA))
    previous: Observation | None = None
    epochs: dict[Group, int] = field(default_factory=dict)
    short_since: dict[Group, tuple[datetime, int]] = field(default_factory=dict)
    told: set[Contradiction] = field(default_factory=set)
    items: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=ITEM_SCHEMA))
    """Outcomes item by item behind what is believed, where a source gave them."""


def walk(snapshots: Iterable[BoardSnapshot]) -> tuple[Step, ...]:
    """Every export of a board as a Step, ordered by instant of observation, scope and place in the landing zone."""
    observations = {
        (item.scope, item.observed_at, item.landing_path, item.snapshot_id): item
        for snapshot in snapshots
        for item in snapshot.observations
    }
    states: dict[str, _State] = {}
    steps = [
        _advance(states.setdefault(observation.scope, _State()), observation)
        for observation in _one_per_instant([observations[key] for key in sorted(observations)])
    ]
    return tuple(sorted(steps, key=lambda step: (step.observation.observed_at, step.observation.scope)))


def _one_per_instant(observations: Sequence[Observation]) -> list[Observation]:
    """Of several exports of one scope and instant the last by path speaks; that the others differ is a contradiction."""
    kept: list[Observation] = []
    for item in observations:
        last = kept[-1] if kept else None
        if last is None or (last.scope, last.observed_at) != (item.scope, item.observed_at):
            kept.append(item)
            continue
        if not last.rows.equals(item.rows):
            primary = item.benchmarks[0].benchmark_id
            detail = (
                f"{last.landing_path} and {item.landing_path} are of the same instant and differ; the latter is used"
            )
            clash = Contradiction(primary, "", "", "", None, None, detail)
            item = replace(item, contradictions=(*item.contradictions, *last.contradictions, clash))  # noqa: PLW2901
        kept[-1] = item
    return kept


def _advance(state: _State, observation: Observation) -> Step:
    """Judge one export against the state, and move the state on."""
    told = state.told
    contradictions = tuple(item for item in observation.contradictions if item not in told)
    state.told = told | set(contradictions)
    renames = {} if observation.traits.row_kind == "run" else compare.find_renames(state.believed, observation.rows)
    believed = state.believed.with_columns(pl.col("source_row_key").replace(renames))
    gated, reason, is_gated = _gate(state, believed, observation)
    step = Step(
        observation=observation,
        previous=state.previous,
        believed_rows=state.believed.height,
        gated=gated,
        gate_reason=reason,
        is_gated=is_gated,
        new=pl.DataFrame(schema=ROW_SCHEMA),
        unveiled=pl.DataFrame(schema=ROW_SCHEMA),
        removed=pl.DataFrame(schema=ROW_SCHEMA),
        unlisted=0,
        renames={},
        changed=pl.DataFrame(),
        rebased={},
        roundings={},
        tested=pl.DataFrame(),
        contradictions=contradictions,
        epochs=dict(state.epochs),
        asserted=pl.DataFrame(schema=ASSERTED_SCHEMA),
        closed=pl.DataFrame(schema=CLOSED_SCHEMA),
    )
    if is_gated:
        return step
    step = _compare(state, believed, replace(step, renames=renames))
    state.previous = observation
    return step


def _gate(state: _State, believed: pl.DataFrame, observation: Observation) -> tuple[pl.DataFrame, str | None, bool]:
    """The coverage gate: versions not to be used, why, and whether that is the whole export."""
    table = compare.coverage(believed, observation.rows)
    if compare.is_unreadable(observation):
        reason = (
            "it holds no readable row"
            if observation.rows.is_empty()
            else f"{observation.unreadable} of its records could not be read"
        )
        return table, reason, True
    # A transfer that ended early leaves its last record broken: then a single missing row is one too many.
    deficient = table.filter((pl.col("missing") > 0) if observation.ends_broken else "is_deficient")
    patient = []
    short_since: dict[Group, tuple[datetime, int]] = {}
    for benchmark_id, version in deficient.select(GROUP).iter_rows():
        first, exports = state.short_since.get((benchmark_id, version), (observation.observed_at, 0))
        short_since[(benchmark_id, version)] = (first, exports + 1)
        if exports + 1 < PATIENCE_EXPORTS or observation.observed_at - first < PATIENCE:
            patient.append((benchmark_id, version))
    state.short_since = short_since
    gated = _in_groups(table, set(patient))
    missing, total = int(gated["missing"].sum()), int(table["believed"].sum())
    if gated.is_empty():
        return gated, None, False
    end = " and its last record is broken" if observation.ends_broken else ""
    reason = f"{missing} of {total} known rows are missing from it{end}"
    return gated, reason, missing > MAX_MISSING_SHARE * total


def _compare(state: _State, believed: pl.DataFrame, step: Step) -> Step:
    """Everything that a usable export changes; versions that are gated keep what is believed of them."""
    observation = step.observation
    gated = {(row[0], row[1]) for row in step.gated.select(GROUP).iter_rows()}
    kept_aside, before = _in_groups(believed, gated), _in_groups(believed, gated, inside=False)
    after = _in_groups(observation.rows, gated, inside=False)
    known_items = state.items.with_columns(pl.col("source_row_key").replace(step.renames))
    paired = compare_items(known_items, observation.items)
    matched = (
        before.join(after, on=ROW_KEY, how="inner", suffix="_after")
        .with_columns((pl.col("score_after") - pl.col("score")).alias("delta"))
        .join(paired, on=ROW_KEY, how="left", maintain_order="left")
    )
    missing = before.join(after, on=ROW_KEY, how="anti")
    below = compare.below_the_cut(missing, after, observation) | _is_unreadable(missing, observation)
    new = after.join(before, on=ROW_KEY, how="anti")
    unveiled = compare.below_the_cut(new, state.previous.rows if state.previous else new.clear(), observation)
    shifts, rebased = compare.find_shifts(matched, observation)
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_after")) for name in CONTENT)
    is_renamed = (pl.col("held_key") != pl.col("source_row_key")) | (pl.col("raw_model") != pl.col("raw_model_after"))
    is_rebased = _group_mask(rebased)
    tested = compare.run_tests(matched, shifts, rebased).with_columns(
        differs.alias("differs"), is_rebased.alias("is_rebased"), is_renamed.alias("is_renamed")
    )
    changed = tested.filter(pl.col("differs") | pl.col("is_rebased") | pl.col("is_renamed"))
    roundings = {g: d for g, d in compare.find_roundings(matched).items() if g not in rebased}
    changed = changed.with_columns(_is_rounding(changed, roundings))
    step = replace(
        step,
        new=new.filter(~unveiled),
        unveiled=new.filter(unveiled),
        removed=missing.filter(~below).select(*ROW_SCHEMA),
        unlisted=int(below.sum()),
        changed=changed,
        rebased={group: shifts[group] for group in sorted(rebased)},
        roundings=roundings,
        tested=tested,
    )
    step = _move_on(state, step, kept_aside, tested, missing.with_columns(below.alias("below")))
    used = observation.items.join(after, on=ROW_KEY, how="semi")
    earlier = known_items.join(used, on=ROW_KEY, how="anti").join(state.believed, on=ROW_KEY, how="semi")
    state.items = pl.concat([earlier, used])
    return step


def _is_unreadable(missing: pl.DataFrame, observation: Observation) -> pl.Series:
    """True for rows whose record is in the export and could not be read: nothing says that they are gone."""
    names = sorted(observation.unreadable_names)
    return missing.select(pl.any_horizontal(pl.col("source_row_key", "raw_model").is_in(names))).to_series()


def _is_rounding(changed: pl.DataFrame, roundings: dict[Group, int]) -> pl.Series:
    """True for changes that a version's new precision explains."""
    flags = np.zeros(changed.height, dtype=bool)
    marks = pl.Series([f"{a}\x00{b}" for a, b in changed.select(GROUP).iter_rows()], dtype=pl.String)
    for group, decimals in roundings.items():
        inside = (marks == "\x00".join(group)).to_numpy()
        flags |= inside & (np.abs(changed["delta"].to_numpy()) <= compare.half_unit(changed, decimals))
    return pl.Series("is_rounding", flags, dtype=pl.Boolean)


def _move_on(state: _State, step: Step, kept_aside: pl.DataFrame, tested: pl.DataFrame, missing: pl.DataFrame) -> Step:
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
    is_rebased = _group_mask(set(step.rebased))
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
    table = pl.DataFrame(moved, schema={**dict.fromkeys(GROUP, pl.String()), "epoch": pl.Int32()}, orient="row")
    return (
        rows.drop("epoch", strict=False)
        .join(table, on=GROUP, how="left", maintain_order="left")
        .with_columns(pl.col("epoch").fill_null(0))
    )


def _group_mask(groups: set[Group]) -> pl.Expr:
    marks = ["\x00".join(group) for group in sorted(groups)]
    return pl.concat_str(GROUP, separator="\x00").is_in(marks)


def _in_groups(frame: pl.DataFrame, groups: set[Group], *, inside: bool = True) -> pl.DataFrame:
    mask = _group_mask(groups)
    return frame.filter(mask if inside else ~mask)
