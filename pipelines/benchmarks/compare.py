"""Two exports side by side: identity, the board's common shift, rounding, and a test per model.

Everything here looks at one pair (the belief, the new export) and remembers nothing; the sequence, with
its epochs and confirmations, is in `history.py`, the arithmetic in `pipelines.uncertainty`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

import numpy as np
import polars as pl

from pipelines import uncertainty
from pipelines.benchmarks.observation import ROW_KEY, ROW_SCHEMA, Benchmark, Observation
from pipelines.uncertainty import MAD_TO_SD, Floats

GROUP = ("benchmark_id", "version_label")
Group = tuple[str, str]

_NO_CONTENT = ("model_name", "as_of", "source_locator", "score_text", "position")
CONTENT = tuple(name for name in ROW_SCHEMA if name not in (*ROW_KEY, *_NO_CONTENT))
"""What a row states. A change of any of these makes a new row. The place in the file, the source's date stamp and
the spelling of a number (`40`, `40.0`) do not."""

NOISE = 1e-9
"""Share by which two computations of one number may differ in the last digits of floating point; it is not a change."""

MIN_COMMON = 10
"""Fewest common rows from which a shift of the whole board can be distinguished from changes of a few models."""

SMALL_CHANGE = 0.1
"""A component that moves by no more than this (percentage points) stands still: rounding, not a new run."""

MEDIAN_EFFICIENCY = 1.2533
"""Standard error of a median as a multiple of the mean's: sqrt(pi / 2)."""

SAME_SIGN_SHARE = 0.8
ROUNDED_SHARE = 0.9
SCATTERED_SHARE = 0.6
"""Share of rows that must move beyond noise before not the models but what the board measures counts as another."""
SCATTERED_IN_PART = 0.3
"""The same of the rows that an export has which is not whole, and of ratings that no more than STANDING_SHARE shows to be the old fit."""
STANDING_SHARE = 0.5
"""Of the ratings that stayed within three standard errors, the most that may have stayed within one where one fit has made them all anew:
it leaves a third to a half there. Where models move, however many, the others lie as chance leaves them, two thirds or more within one."""
REWEIGHTED_SHARE = 0.3
"""Share of entries with unchanged components whose composite must move before the composite counts as re-weighted."""
_SETTING = re.compile(
    r"[\s_\-:/,]*[\[(]?(?:non[\s_-]?)?(?:(?:thinking|reasoning|adaptive|default|standard|minimal|low|medium|x?high|max|effort|budget|tokens?|"
    r"\d+k)[\s_\-,]*)+[\])]?$",
    re.IGNORECASE,
)
"""The thinking effort that stands behind a model's name."""
ON_A_LINE = 0.05
"""Distance from the line through old and new scores, as a share of a change's standard error. Drawing other items
never gives one so small."""
JOINING_SHARE = 0.2
"""Once one version of an export is re-anchored, others join at this share of the practical threshold."""


@dataclass(frozen=True)
class Shift:
    """The common move of one version of a board between two exports: median of the rows' deltas and its robust spread."""

    group: Group
    n: int
    median: float
    spread: float
    same_sign_share: float
    kind: Literal["scale_rebase", "index_version"] = "scale_rebase"
    shared_error: float = 0.0
    """Standard error that all rows have in common, such as that of items that were drawn for all of them."""

    def exceeds(self, tolerance: float, least: int = MIN_COMMON) -> bool:
        """The rebase test: enough rows, nearly all in one direction, and a median beyond chance and tolerance."""
        chance = 3 * np.hypot(self.spread / np.sqrt(self.n), self.shared_error) if self.n else np.inf
        return self.n >= least and abs(self.median) > max(chance, tolerance) and self.same_sign_share > SAME_SIGN_SHARE


def is_same(name: str) -> pl.Expr:
    """True where a column says the same on both sides; numbers but for the last digits of floating point."""
    before, after = pl.col(name), pl.col(f"{name}_after")
    kind = ROW_SCHEMA[name]
    if kind.is_float() or kind.is_decimal():
        first, second = before.cast(pl.Float64), after.cast(pl.Float64)
        is_close = (second - first).abs() <= NOISE * pl.max_horizontal(first.abs(), second.abs())
        return (before.is_null() & after.is_null()) | is_close.fill_null(value=False)
    return before.eq_missing(after)


def find_renames(before: pl.DataFrame, after: pl.DataFrame) -> dict[str, str]:
    """Old row key to new row key where a model-keyed board spells a model anew.

    A pair is a rename where both names are equal but for case and punctuation, or also but for a setting (`(high)`, `-thinking`)
    where all scores are the same, or where every shared version shows the very same numbers (score, bounds, votes) and these identify an entry: a long decimal, votes, or two versions alike.
    Ambiguous pairs are none.
    """
    gone, come = _gone_and_come(before, after)
    if gone.is_empty() or come.is_empty():
        return {}
    renames: dict[str, str] = {}
    for marks in (_by_spelling, _by_setting, _by_numbers):
        rest, others = _without(gone, come, renames)
        renames |= _unique_pairs(marks(rest), marks(others))
    return renames


def find_moved_runs(before: pl.DataFrame, after: pl.DataFrame, days: tuple[date | None, date]) -> dict[str, str]:
    """Old key to new key of finished runs that are filed anew: a run is what it is, whatever its folder is called.

    The same run has the same day and scores in every version, and a key that is spelt alike or the same name. `days` are
    those of the two exports: a row with that date may have no day of its own, and then fits any day.
    """
    gone, come = _gone_and_come(before, after)
    if gone.is_empty() or come.is_empty():
        return {}
    old, new = _run_facts(gone), _run_facts(come)
    found: dict[str, str] = {}
    for name in ("source_row_key", "raw_model"):
        pairs = _unique_pairs(*(
            {key: (_plain(str(facts[name])), facts["scores"]) for key, facts in side.items() if key not in taken}
            for side, taken in ((old, found.keys()), (new, found.values()))
        ))  # fmt: skip
        for key, other in pairs.items():
            stated = {old[key]["as_of"], new[other]["as_of"]}
            if len(stated) == 1 or old[key]["as_of"] == days[0] or new[other]["as_of"] == days[1]:
                found[key] = other
    return found


def _run_facts(rows: pl.DataFrame) -> dict[str, dict[str, object]]:
    facts: dict[str, dict[str, object]] = {}
    for row in rows.sort(ROW_KEY).iter_rows(named=True):
        own = facts.setdefault(row["source_row_key"], {**row, "scores": ()})
        own["scores"] = (*own["scores"], (row["benchmark_id"], row["version_label"], round(row["score"], 6)))  # type: ignore[misc]
    return facts


def _gone_and_come(before: pl.DataFrame, after: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    gone = before.join(after.select("source_row_key").unique(), on="source_row_key", how="anti")
    return gone, after.join(before.select("source_row_key").unique(), on="source_row_key", how="anti")


def _without(gone: pl.DataFrame, come: pl.DataFrame, renames: Mapping[str, str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    gone = gone.filter(~pl.col("source_row_key").is_in(list(renames)))
    return gone, come.filter(~pl.col("source_row_key").is_in(list(renames.values())))


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name.lower())


def _by_spelling(rows: pl.DataFrame) -> dict[str, object]:
    return {key: _plain(key) for key in rows["source_row_key"].unique()}


def _by_setting(rows: pl.DataFrame) -> dict[str, object]:
    """Each key without a setting at its end, with its scores."""
    return {key: (_plain(_SETTING.sub("", key)), facts["scores"]) for key, facts in _run_facts(rows).items()}


def _by_numbers(rows: pl.DataFrame) -> dict[str, object]:
    """Fingerprint of each key's numbers over its versions; keys without one that identifies them are left out."""
    fingerprints: dict[str, list[tuple[object, ...]]] = {}
    shown: dict[str, str] = {}
    numbers = [pl.col(name).round(6) for name in ("score", "ci_low", "ci_high")]
    columns: list[str | pl.Expr] = [*GROUP, *numbers, "votes", "n_success", "run_cost_usd"]
    for row in rows.sort(ROW_KEY).select("source_row_key", "score_text", *columns).iter_rows():
        fingerprints.setdefault(row[0], []).append(row[2:])
        shown.setdefault(row[0], row[1])
    return {
        key: tuple(values)
        for key, values in fingerprints.items()
        if len(values) > 1 or values[0][5] is not None or len(re.sub(r"\D", "", str(shown[key]))) >= 8
    }


def _unique_pairs(old: Mapping[str, object], new: Mapping[str, object]) -> dict[str, str]:
    def invert(names: Mapping[str, object]) -> dict[object, list[str]]:
        inverted: dict[object, list[str]] = {}
        for key, mark in names.items():
            inverted.setdefault(mark, []).append(key)
        return inverted

    old_by, new_by = invert(old), invert(new)
    return {keys[0]: new_by[mark][0] for mark, keys in old_by.items() if len(keys) == 1 == len(new_by.get(mark, []))}


def find_shifts(matched: pl.DataFrame, observation: Observation) -> tuple[dict[Group, Shift], set[Group]]:
    """The common shift of every version of an export, and the versions that have a new scale.

    One clear re-anchoring (beyond the practical threshold) makes the export one; the other versions then join where
    their own shift is beyond chance and a fifth of the threshold. A composite that moves while its components stand
    still was re-weighted: kind index_version.
    """
    thresholds = observation.thresholds()
    shifts: dict[Group, Shift] = {}
    scattered: set[Group] = set()
    for (benchmark_id, version), rows in matched.partition_by(GROUP, as_dict=True).items():
        # What models lost on items that both exports share is a move; that other items were drawn is none.
        paired, kind = _numbers(rows["paired_delta"]), observation.row_kinds().get(str(benchmark_id))
        delta = np.where(np.isfinite(paired), paired, rows["delta"].to_numpy())
        group = (str(benchmark_id), str(version))
        median = float(np.median(delta))
        spread = MAD_TO_SD * float(np.median(np.abs(delta - median)))
        same_sign = float(np.mean(np.sign(delta) == np.sign(median))) if median else 0.0
        shared = _error_of_items(rows) if kind == "entry" else 0.0
        shifts[group] = Shift(group, delta.size, median, spread, same_sign, shared_error=shared)
        most = SCATTERED_IN_PART if kind == "rating" and _stands_still(rows) <= STANDING_SHARE else SCATTERED_SHARE
        if kind != "run" and delta.size >= MIN_COMMON and is_scattered(rows, thresholds[group[0]], most):
            scattered.add(group)
    reweighted = {group for item in observation.benchmarks for group in _reweighted(item, matched, thresholds)}
    shifts |= {group: replace(shifts[group], kind="index_version") for group in reweighted}
    rebased = {group for group, shift in shifts.items() if shift.exceeds(thresholds[group[0]])}
    if rebased - reweighted:
        rebased |= {g for g, shift in shifts.items() if shift.exceeds(JOINING_SHARE * thresholds[g[0]])}
    return shifts, rebased | reweighted | scattered


def is_scattered(rows: pl.DataFrame, threshold: float, share: float) -> bool:
    """Whether at least `share` of a version's rows moved beyond noise, in whatever direction: then something else is measured.

    A row without standard errors did not: a nightly run that states none moves by more than a point every night.
    """
    noise = 3 * np.nan_to_num(np.hypot(_numbers(rows["stderr"]), _numbers(rows["stderr_after"])), nan=np.inf)
    return bool(np.mean(np.abs(rows["delta"].to_numpy()) > np.maximum(noise, threshold)) >= share)


def _stands_still(rows: pl.DataFrame) -> float:
    """Of a version's rows that moved by less than three standard errors, the share that moved by less than one."""
    noise = np.nan_to_num(np.hypot(_numbers(rows["stderr"]), _numbers(rows["stderr_after"])), nan=np.inf)
    moved = np.abs(rows["delta"].to_numpy())
    return float(np.sum(moved < noise) / max(np.sum(moved < 3 * noise), 1))


def _error_of_items(rows: pl.DataFrame) -> float:
    """Standard error of a change by the choice of items, which all models share where they are asked the same ones.

    0 where the items are known on both sides, or their number is not: then nothing says that they were drawn. 0 as well where
    nearly all new scores lie on one line with the old ones: other items, drawn for all, never move the models so alike.
    """
    if "n_items" not in rows.columns or 2 * rows["paired_delta"].count() >= rows.height:
        return 0.0
    drawn = rows.filter(pl.col("n_items").is_not_null() & pl.col("n_items_after").is_not_null())
    if 2 * drawn.height < rows.height:
        return 0.0
    errors = np.hypot(_numbers(drawn["stderr"]), _numbers(drawn["stderr_after"]))
    error = float(np.nanmedian(errors)) if np.isfinite(errors).any() else 0.0
    residuals = np.abs(_off_the_line(rows["score"].to_numpy(), rows["score_after"].to_numpy()))
    return 0.0 if float(np.quantile(residuals, ROUNDED_SHARE)) <= ON_A_LINE * error else error


def _reweighted(composite: Benchmark, matched: pl.DataFrame, thresholds: Mapping[str, float]) -> list[Group]:
    """Versions of a composite that moved although its components, entry by entry, did not."""
    if not composite.components:
        return []
    still = (
        matched.filter(pl.col("benchmark_id").is_in(composite.components))
        .group_by("source_row_key")
        .agg((pl.col("delta").abs() <= SMALL_CHANGE).all().alias("is_still"))
        .filter("is_still")
    )
    rows = matched.filter(pl.col("benchmark_id") == composite.benchmark_id).join(still, on="source_row_key", how="semi")
    moved = has_moved(thresholds[composite.benchmark_id])
    counted = rows.group_by(GROUP).agg(pl.len().alias("n"), moved.sum().alias("moved"))
    found = counted.filter((pl.col("n") >= MIN_COMMON) & (pl.col("moved") > REWEIGHTED_SHARE * pl.col("n")))
    return [(row[0], row[1]) for row in found.select(GROUP).iter_rows()]


def has_moved(threshold: float) -> pl.Expr:
    """True for rows of a composite that a re-weighting may have moved."""
    return pl.col("delta").abs() > JOINING_SHARE * threshold


def find_roundings(matched: pl.DataFrame) -> dict[Group, int]:
    """Versions whose export changed its precision only, and the coarser number of decimals.

    One side has fewer decimals, and at least ten changed scores and nine in ten of all lie within half a unit of its
    last decimal: a source that rounds anew, or shows more digits than before (Artificial Analysis, 2026-05-14).
    """
    found: dict[Group, int] = {}
    moved = matched.filter(pl.col("delta") != 0)
    for (benchmark_id, version), rows in moved.partition_by(GROUP, as_dict=True).items():
        old, new = _decimals(rows["score_text"]), _decimals(rows["score_text_after"])
        before, after = (int(np.quantile(side, 0.95, method="lower")) for side in (old, new))
        decimals = min(before, after)
        fits = np.abs(rows["delta"].to_numpy()) <= half_unit(rows, decimals)
        if before != after and rows.height >= MIN_COMMON and fits.mean() >= ROUNDED_SHARE:
            found[(str(benchmark_id), str(version))] = decimals
    return found


def half_unit(rows: pl.DataFrame, decimals: int) -> Floats:
    """Half a unit of the last decimal, in the unit of the score: the most by which rounding can move it."""
    stated = rows["score_text_after"].str.strip_chars("% ").cast(pl.Float64, strict=False).fill_null(0).to_numpy()
    score = rows["score_after"].to_numpy()
    ratio = np.divide(score, stated, out=np.ones(rows.height), where=stated != 0)
    scale = np.where(np.abs(ratio - 100) < 1, 100.0, 1.0)  # a share in the file, per cent in the score
    return np.asarray(0.5 * scale * 10.0**-decimals * (1 + 1e-6))


def _decimals(texts: pl.Series) -> Floats:
    return texts.str.extract(r"\.(\d+)", 1).str.len_chars().fill_null(0).cast(pl.Float64).to_numpy()


def run_tests(matched: pl.DataFrame, shifts: Mapping[Group, Shift], rebased: set[Group]) -> pl.DataFrame:
    """Adds delta_adjusted, se_delta, z and p_value to matched rows.

    The adjusted change is the change less the version's common shift; after a re-anchoring that is no pure shift, less
    a robust line through old and new scores, and no test at all where even that leaves more spread than the intervals.
    Tested are changed rows with a standard error on both sides; the two are taken as independent, which over-states the
    noise of ratings that share votes (conservative). Rows with outcomes of the same items on both sides (columns
    paired_*) are compared item by item instead: what the items have in common is no noise then.
    """
    frames = [
        _adjust(rows, shifts[(str(key[0]), str(key[1]))], is_rebased=(str(key[0]), str(key[1])) in rebased)
        for key, rows in matched.partition_by(GROUP, as_dict=True).items()
    ]
    tested = pl.concat(frames) if frames else _adjust(matched, None, is_rebased=False)
    z = tested["z"].to_numpy()
    p_values = pl.Series("p_value", np.where(np.isfinite(z), uncertainty.two_sided_p(z), np.nan))
    # McNemar's test knows of no common shift: on a new scale the paired error has to do.
    is_rebased = group_mask(rebased)
    is_paired = pl.col("paired_p").is_not_null() & pl.col("z").is_not_nan() & ~is_rebased
    return (
        tested.with_columns(p_values)
        .with_columns(pl.when(is_paired).then("paired_p").otherwise("p_value").alias("p_value"))
        .with_columns(pl.col("z", "p_value", "se_delta").fill_nan(None))
    )


def _adjust(rows: pl.DataFrame, shift: Shift | None, *, is_rebased: bool) -> pl.DataFrame:
    delta, paired = rows["delta"].to_numpy(), _numbers(rows["paired_delta"])
    se_delta = np.hypot(_numbers(rows["stderr"]), _numbers(rows["stderr_after"]))
    adjusted = delta
    if shift is not None and shift.n >= MIN_COMMON and shift.kind == "scale_rebase":
        adjusted = delta - shift.median
        # The median is an estimate too: without its own error the most precise models would raise false alarms.
        se_delta = np.hypot(se_delta, MEDIAN_EFFICIENCY * shift.spread / np.sqrt(shift.n))
    is_testable = (se_delta > 0) & (delta != 0)
    if is_rebased and shift is not None:
        typical = float(np.nanmedian(se_delta)) if np.isfinite(se_delta).any() else 0.0
        if shift.spread > typical:
            adjusted = _off_the_line(rows["score"].to_numpy(), rows["score_after"].to_numpy())
            if MAD_TO_SD * float(np.median(np.abs(adjusted))) > typical:
                is_testable = np.zeros_like(is_testable)
    is_paired = np.isfinite(paired)
    moved = shift.median if is_rebased and shift is not None and shift.kind == "scale_rebase" else 0.0
    adjusted = np.where(is_paired, paired - moved, adjusted)
    se_delta = np.where(is_paired, _numbers(rows["paired_se"]), se_delta)
    is_testable |= is_paired & (delta != 0)
    z = np.divide(adjusted, se_delta, out=np.full(delta.size, np.nan), where=is_testable)
    return rows.with_columns(
        pl.Series("delta_adjusted", adjusted, dtype=pl.Float64),
        pl.Series("se_delta", se_delta, dtype=pl.Float64),
        pl.Series("z", z, dtype=pl.Float64),
    )


def _numbers(values: pl.Series) -> Floats:
    return np.asarray(values.cast(pl.Float64).fill_null(np.nan).to_numpy())


def _off_the_line(before: Floats, after: Floats) -> Floats:
    """Residuals of the new scores from the Theil-Sen line through (old, new)."""
    from scipy.stats import theilslopes

    if np.ptp(before) == 0:
        return np.asarray(after - np.median(after))
    slope, intercept, _, _ = theilslopes(after, before)
    return np.asarray(after - (intercept + slope * before))


def group_mask(groups: Collection[Group]) -> pl.Expr:
    """True for rows of the named versions."""
    marks = ["\x00".join(group) for group in sorted(groups)]
    return pl.concat_str(GROUP, separator="\x00").is_in(marks)


def in_groups(frame: pl.DataFrame, groups: Collection[Group], *, inside: bool = True) -> pl.DataFrame:
    """The rows of the named versions, or all others."""
    mask = group_mask(groups)
    return frame.filter(mask if inside else ~mask)
