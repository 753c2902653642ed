"""Decides which changes are alarms: by all tests of a day together, by size, and by a second look.

The walk (`history.py`) compares; here its steps are judged. It takes the tests of every board of a day, because more
tests show more by chance. Which events the verdicts make is in `drift.py`, slow drift in `cusum.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import polars as pl

from pipelines import uncertainty
from pipelines.benchmarks.compare import in_groups
from pipelines.benchmarks.cusum import SlowWatch
from pipelines.benchmarks.history import Step
from pipelines.benchmarks.items import compare_items
from pipelines.benchmarks.observation import ROW_KEY
from pipelines.uncertainty import Z95, Floats

MAX_Q = 0.05
"""Expected share of false alarms among all alarms of a day."""

DayTests = Mapping[date, Floats]
"""The p-values of every test of a UTC day, over all boards."""


@dataclass(frozen=True)
class Waiting:
    """Drifts that wait for a second export, and the outcomes on both sides of those that were compared item by item."""

    rows: pl.DataFrame
    before: pl.DataFrame
    after: pl.DataFrame


@dataclass(frozen=True)
class Verdict:
    """One step, judged. Frames have the columns of `Step.changed`."""

    step: Step
    tests: int
    """Tests of the day, over all boards."""
    changed: pl.DataFrame
    """`Step.changed` with `q_value` and `is_drift`."""
    confirmed: pl.DataFrame
    """Rows of an earlier drift that this export shows again, with `first_seen_at`, `score_now`, `held_delta`, `held_se` and
    `held_items` (null where not compared item by item)."""
    withdrawn: pl.DataFrame
    """Rows of an earlier drift that this export does not show any more; same columns."""
    slow: pl.DataFrame
    """Rows whose scores moved too slowly for any pair of exports to show it (columns of `cusum.SLOW`)."""


def day_tests(histories: Iterable[Sequence[Step]]) -> DayTests:
    """The tests of each day over all boards. Revisions of a finished run and roundings are no tests of a model."""
    found: dict[date, list[Floats]] = {}
    for step in (step for history in histories for step in history):
        if step.changed.height:
            p_values = step.changed.filter(_is_test(step))["p_value"].to_numpy()
            found.setdefault(step.observation.observed_at.date(), []).append(p_values)
    return {day: np.concatenate(parts) for day, parts in found.items()}


@dataclass
class Judging:
    """What the next export of each scope is judged with: drifts that wait for it, and the watch for slow ones."""

    pending: dict[str, Waiting] = field(default_factory=dict)
    watches: dict[str, SlowWatch] = field(default_factory=dict)

    def decide(self, history: Sequence[Step], family: DayTests) -> tuple[Verdict, ...]:
        """The next steps of a board's walk, judged in order."""
        verdicts = []
        for step in history:
            scope = step.observation.scope
            verdict = _judge(step, self.pending.get(scope), family)
            slow = self.watches.setdefault(scope, SlowWatch()).look(step, _reported(verdict))
            verdicts.append(replace(verdict, slow=slow))
            if not step.is_unusable:
                self.pending[scope] = _pending(self.pending.get(scope), verdict)
        return tuple(verdicts)


def decide(history: Sequence[Step], tests: DayTests | None = None) -> tuple[Verdict, ...]:
    """The steps of one board's walk, judged in order. `tests` is None if the board is the only one of its days."""
    return Judging().decide(history, tests if tests is not None else day_tests([history]))


def _judge(step: Step, pending: Waiting | None, family: DayTests) -> Verdict:
    day = family.get(step.observation.observed_at.date(), np.empty(0))
    nothing = step.changed.clear()
    if step.changed.is_empty() and (pending is None or step.is_unusable):
        return Verdict(step, day.size, step.changed, nothing, nothing, nothing)
    confirmed, withdrawn = _second_look(step, pending)
    changed = step.changed
    if changed.height:
        p_values = changed["p_value"].cast(pl.Float64).fill_null(np.nan).to_numpy()
        changed = changed.with_columns(pl.Series("q_value", q_values(p_values, day)).fill_nan(None))
        changed = changed.with_columns(
            pl.when(_is_test(step)).then("q_value").alias("q_value"), _is_drift(step, withdrawn).alias("is_drift")
        )
    return Verdict(step, day.size, changed, confirmed, withdrawn, nothing)


def q_values(p_values: Floats, day: Floats) -> Floats:
    """Benjamini-Hochberg adjusted p-values among all tests of the day, of which `p_values` are some."""
    if day.size == 0:
        return np.full(p_values.size, np.nan)
    ordered = np.sort(day)
    adjusted = uncertainty.benjamini_hochberg(ordered)
    place = np.clip(np.searchsorted(ordered, p_values, side="right") - 1, 0, None)
    return np.where(np.isfinite(p_values), adjusted[place], np.nan)


def _is_test(step: Step) -> pl.Expr:
    """True for changes that say something about a model: neither a revision of a finished run nor a rounding."""
    kind = pl.col("benchmark_id").replace_strict(step.observation.row_kinds(), return_dtype=pl.String)
    return pl.col("p_value").is_not_null() & (kind != "run") & ~pl.col("is_rounding")


def _is_drift(step: Step, withdrawn: pl.DataFrame) -> pl.Expr:
    threshold = pl.col("benchmark_id").replace_strict(step.observation.thresholds(), return_dtype=pl.Float64)
    # On the day on which a change is taken back, the way back is no second change.
    went_back = pl.struct(ROW_KEY).is_in(withdrawn.select(pl.struct(ROW_KEY)).to_series().implode())
    is_beyond = (pl.col("q_value") <= MAX_Q) & (pl.col("delta_adjusted").abs() >= threshold)
    return (_is_test(step) & is_beyond & ~went_back).fill_null(value=False)


def _second_look(step: Step, pending: Waiting | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Pending drifts that hold in this export too, and those that it does not show any more.

    The claim is asked the question that it was made with. Of two scores: is the row still beyond 1.96 standard errors of
    its old level, in the same direction? Item by item: do both runs together differ from the one before, and does the
    second by itself show at least half of what they do? (Asking the second alone a test of its own would lose one true
    drift in six.)
    """
    if pending is None or pending.rows.is_empty() or step.tested.is_empty():
        nothing = step.tested.clear()
        return nothing, nothing
    renamed = pl.col("source_row_key").replace(step.renames)
    both = (
        pending.rows.with_columns(renamed)
        .join(_now(step), on=ROW_KEY, how="inner")
        .join(_paired_now(step, pending), on=ROW_KEY, how="left", maintain_order="left")
    )
    moved = pl.col("delta_adjusted") + pl.col("moved_since")
    is_of_items, was_of_items = pl.col("alone").is_not_null(), pl.col("paired_items").is_not_null()
    unpaired = (pl.col("stderr").pow(2) + pl.col("stderr_now").pow(2)).sqrt()
    both = both.with_columns(
        pl.when(is_of_items).then("alone").otherwise(moved).alias("held_delta"),
        # Without outcomes this time, runs on the same items still have the noise that the first look found.
        pl.when(is_of_items).then("alone_se").when(was_of_items).then("se_delta").otherwise(unpaired).alias("held_se"),
        pl.when(is_of_items).then("items_now").otherwise(None).alias("held_items"),
    )
    sign = pl.col("delta_adjusted").sign()
    is_same_way = pl.col("held_delta").sign() == sign
    is_beyond = pl.col("held_delta").abs() >= Z95 * pl.col("held_se")
    of_both = (pl.col("together_p") <= MAX_Q) & (pl.col("together") * sign > 0)
    shows_its_part = pl.col("held_delta") * sign >= pl.col("together") * sign / 2
    holds = is_same_way & pl.when(is_of_items).then(of_both & shows_its_part).otherwise(is_beyond)
    holds = holds.fill_null(value=False)
    return tuple(  # type: ignore[return-value]
        both.filter(side).drop("alone", "alone_se", "items_now", "together", "together_p") for side in (holds, ~holds)
    )


def _now(step: Step) -> pl.DataFrame:
    return step.tested.select(
        *ROW_KEY,
        pl.col("delta_adjusted").alias("moved_since"),
        pl.col("score_after").alias("score_now"),
        pl.col("stderr_after").alias("stderr_now"),
    )


def _paired_now(step: Step, pending: Waiting) -> pl.DataFrame:
    """This export's outcomes, alone and together with those of the first look, against those before it."""
    renamed = pl.col("source_row_key").replace(step.renames)
    before, first = pending.before.with_columns(renamed), pending.after.with_columns(renamed)
    # On a new scale the same outcomes mean another score.
    now = in_groups(step.observation.items, step.rebased, inside=False)
    now = now.join(before.select(ROW_KEY).unique(), on=ROW_KEY, how="semi")
    together = pl.concat([first.join(now.select(ROW_KEY).unique(), on=ROW_KEY, how="semi"), now])
    mean = together.group_by(*ROW_KEY, "item_id").agg(pl.col("cluster").first(), pl.col("outcome").mean())
    alone = compare_items(before, now).select(
        *ROW_KEY,
        pl.col("paired_delta").alias("alone"),
        pl.col("paired_se").alias("alone_se"),
        pl.col("paired_items").alias("items_now"),
    )
    return alone.join(
        compare_items(before, mean).select(
            *ROW_KEY, pl.col("paired_delta").alias("together"), pl.col("paired_p").alias("together_p")
        ),
        on=ROW_KEY,
        how="left",
    )


def _pending(pending: Waiting | None, verdict: Verdict) -> Waiting:
    """Drifts that wait for a second export: those found now, and earlier ones of rows that this export does not show."""
    step = verdict.step
    found = verdict.changed
    if found.height:
        seen = pl.lit(step.observation.observed_at).alias("first_seen_at")
        found = found.filter("is_drift").with_columns(seen)
    if pending is None or pending.rows.is_empty():
        return Waiting(found, step.items_before, step.items_after)
    renamed = pl.col("source_row_key").replace(step.renames)
    shown = step.tested.select(ROW_KEY) if step.tested.height else step.removed.select(ROW_KEY).clear()
    shown = pl.concat([shown, step.removed.select(ROW_KEY)])
    waiting = pending.rows.with_columns(renamed).join(shown, on=ROW_KEY, how="anti")
    if waiting.is_empty():
        return Waiting(found, step.items_before, step.items_after)
    before, after = (
        pl.concat([side.with_columns(renamed).join(waiting.select(ROW_KEY), on=ROW_KEY, how="semi"), own])
        for side, own in ((pending.before, step.items_before), (pending.after, step.items_after))
    )
    return Waiting(pl.concat([waiting, found], how="diagonal"), before, after)


def _reported(verdict: Verdict) -> pl.DataFrame:
    """Keys of rows whose change this export's events report already: their series begin anew."""
    keys = [verdict.withdrawn, verdict.changed.filter("is_drift")] if verdict.changed.height else [verdict.withdrawn]
    frames = [frame.select(ROW_KEY) for frame in keys if frame.height]
    return pl.concat(frames) if frames else pl.DataFrame(schema=dict.fromkeys(ROW_KEY, pl.String()))
