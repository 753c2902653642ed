"""The coverage gate: does an export lack rows because it is incomplete, or because its owner removed them?

It compares one export with what is believed, and with what earlier exports lacked (`Memory`). What follows from it
is in `history.py`; what the present rows say is in `compare.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import polars as pl

from pipelines import uncertainty
from pipelines.benchmarks.compare import GROUP, Group, in_groups
from pipelines.benchmarks.observation import ROW_KEY, Contradiction, Observation

MAX_MISSING_SHARE = 0.2
MIN_MISSING = 3
MAX_UNREADABLE_SHARE = 0.05
TAIL_SHARE = 0.8
"""Rows at the end of the former list that must be missing for the list to look cut off."""

REPLACED_SHARE = 0.1
"""So many new rows for every missing one show that a list was edited and not thinned out."""

SAME_SHARE = 0.9
"""If the export before lacked so many of the rows too, the list is shorter for good."""

PATIENCE = timedelta(days=14)
PATIENCE_EXPORTS = 3
"""A list that stays short for this long and this often, with other rows missing each time, has become shorter too."""

MIN_RESCALED = 2
RESCALED = 0.02
"""How far, relatively, a hundredfold score may be from the one before: scores are rounded, or move a little."""

MOST_NAMED = 3
"""More scores than this of one version that are shares among per cent are named as one."""

_MISSING = [*ROW_KEY, "raw_model", "score", "position"]


@dataclass
class Memory:
    """What is remembered of earlier exports of a scope, by version."""

    listed: dict[Group, int] = field(default_factory=dict)
    """Rows of the last list that was not short."""
    short: dict[Group, tuple[datetime, int, frozenset[str]]] = field(default_factory=dict)
    """Since when and how often in a row the list is short, and the keys that it lacked last."""


@dataclass(frozen=True)
class Coverage:
    """The verdict on one export."""

    partial: pl.DataFrame
    """Versions of which rows are missing that nothing says are gone: benchmark_id, version_label, believed, listed, missing."""
    missing: pl.DataFrame
    """Believed rows of those versions that the export lacks (ROW_KEY): they stay believed."""
    reason: str | None
    is_unusable: bool
    """True where the export holds no row at all, or writes them in another unit."""


def judge(believed: pl.DataFrame, observation: Observation, memory: Memory) -> Coverage:
    """Compare one export with what is believed, and remember it.

    A list is taken for whole where it is about as long as before (others came in: growth, new spellings), where the rows
    that it lacks are cells of entries that are listed, or where it lost rows in its middle and gained others. It is short
    where the end of the former list is missing, or where rows are missing and none came, and only once: when the next
    export lacks the same rows, they are gone. Of the top of a longer list only its length counts.
    """
    after = observation.rows
    missing = _missing(believed, observation)
    table = _counted(believed, after, missing, observation, memory)
    if after.is_empty():
        return Coverage(table, missing.select(ROW_KEY), "it holds no readable row", is_unusable=True)
    if (shares := _in_shares(believed, after)) is not None:
        return Coverage(table, missing.select(ROW_KEY), shares, is_unusable=True)
    short = {_group(row) for row in table.iter_rows(named=True) if _is_short(row, believed, missing, observation)}
    partial = {group for group in short if not _is_settled(group, missing, observation, memory)}
    memory.listed |= {group: listed for group, listed in _listed(after).items() if group not in partial}
    memory.short = {group: entry for group, entry in memory.short.items() if group in short}
    partial, reason = _spread(partial, table, observation)
    kept = in_groups(missing, partial).select(ROW_KEY)
    return Coverage(in_groups(table, partial), kept, reason, is_unusable=False)


def _spread(partial: set[Group], table: pl.DataFrame, observation: Observation) -> tuple[set[Group], str | None]:
    """The versions whose missing rows are not gone, and why: an export that is cut off or partly unreadable may lack any row."""
    lacking = {_group(row) for row in table.iter_rows(named=True) if row["missing"]}
    broken = observation.unreadable
    if broken >= MIN_MISSING and broken > MAX_UNREADABLE_SHARE * (observation.rows.height + broken):
        return partial | lacking, f"{broken} of its records could not be read"
    if not partial:
        return partial, None
    if int(in_groups(table, partial)["missing"].sum()) > MAX_MISSING_SHARE * int(table["believed"].sum()):
        partial = partial | lacking
    lacks, total = (int(in_groups(table, partial)[name].sum()) for name in ("missing", "believed"))
    end = " and its last record is broken" if observation.ends_broken else ""
    return partial, f"{lacks} of {total} known rows are missing from it{end}"


def _in_shares(believed: pl.DataFrame, after: pl.DataFrame) -> str | None:
    """Why scores of a version are shares of one where per cent stood before: nearly all are a hundredth of what they were."""
    both = _with_shares(believed, after)
    counted = both.group_by(GROUP).agg(pl.len().alias("rows"), pl.col("is_share").sum().alias("shares")).sort(GROUP)
    found = counted.filter((pl.col("rows") >= MIN_RESCALED) & (pl.col("shares") >= SAME_SHARE * pl.col("rows")))
    for _, version, rows, shares in found.iter_rows():
        return f"{shares} of {rows} scores of {version} are a hundredth of those before, shares of one where per cent stood"
    return None


def _with_shares(believed: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Scores on both sides (`score`, `now`), and whether the later is a hundredth of the one before: a share of one."""
    is_share = ((pl.col("now") * 100 / pl.col("score") - 1).abs() <= RESCALED) & (pl.col("now").abs() <= 1)
    return (
        believed.select(*ROW_KEY, "score")
        .join(after.select(*ROW_KEY, "raw_model", now="score"), on=ROW_KEY)
        .filter(pl.col("score") != 0)
        .with_columns(is_share.alias("is_share"))
    )


def without_shares(believed: pl.DataFrame, observation: Observation) -> Observation:
    """The export without single scores that are a hundredth of the former ones. The former ones stay believed, and
    these are contradictions."""
    found = _with_shares(believed, observation.rows).filter("is_share").sort(ROW_KEY)
    if found.is_empty():
        return observation
    clashes = []
    for group, rows in found.group_by(GROUP, maintain_order=True):
        benchmark_id, version = (str(part) for part in group)
        if rows.height > MOST_NAMED:
            detail = (
                f"{rows.height} scores are a hundredth of those before, shares of one among per cent; they are not used"
            )
            clashes.append(Contradiction(benchmark_id, version, "", "", None, None, detail))
            continue
        for key, name, before, now in rows.select("source_row_key", "raw_model", "score", "now").iter_rows():
            detail = f"{now:g} is a hundredth of the {before:g} before, a share of one among per cent; it is not used"
            clashes.append(Contradiction(benchmark_id, version, key, name, now, before, detail))
    return replace(
        observation,
        rows=observation.rows.join(found, on=ROW_KEY, how="anti", maintain_order="left"),
        contradictions=(*observation.contradictions, *clashes),
        unreadable_names=observation.unreadable_names | set(found["source_row_key"]),
    )


def below_the_cut(missing: pl.DataFrame, after: pl.DataFrame, observation: Observation) -> pl.Series:
    """True for rows that a list of the top (`after`) could merely have cut off: within noise no better than its worst."""
    if not observation.traits.is_window:
        return pl.Series("below", [False], dtype=pl.Boolean).new_from_index(0, missing.height)
    lower_is_better = {item.benchmark_id: item.lower_is_better for item in observation.benchmarks}
    worst = after.group_by(GROUP).agg(pl.col("score").min().alias("lowest"), pl.col("score").max().alias("highest"))
    joined = missing.join(worst, on=GROUP, how="left", maintain_order="left").with_columns(
        pl.col("benchmark_id").replace_strict(lower_is_better, default=False, return_dtype=pl.Boolean).alias("reversed")
    )
    noise = uncertainty.Z95 * pl.col("stderr").fill_null(0)
    return joined.select(
        pl.when("reversed")
        .then(pl.col("score") + noise >= pl.col("highest"))
        .otherwise(pl.col("score") - noise <= pl.col("lowest"))
    ).to_series()


def is_named(rows: pl.DataFrame, observation: Observation) -> pl.Series:
    """True for rows whose record is in the export and could not be read: nothing says that they are gone."""
    names = sorted(observation.unreadable_names)
    return rows.select(pl.any_horizontal(pl.col("source_row_key", "raw_model").is_in(names))).to_series()


def _group(row: dict[str, object]) -> Group:
    return str(row["benchmark_id"]), str(row["version_label"])


def _listed(rows: pl.DataFrame) -> dict[Group, int]:
    return {(row[0], row[1]): row[2] for row in rows.group_by(GROUP).len().iter_rows()}


def _missing(believed: pl.DataFrame, observation: Observation) -> pl.DataFrame:
    """Believed rows that the export lacks, less the cells of entries that it lists: these are gone, not cut off.

    A column that is gone for every entry is missing, though: a field may have been renamed.
    """
    after = observation.rows
    missing = believed.select(_MISSING).join(after.select(ROW_KEY), on=ROW_KEY, how="anti")
    if not observation.is_wide:
        return missing
    has_cells = missing.join(after.select(GROUP).unique(), on=GROUP, how="semi").select(ROW_KEY)
    withdrawn = has_cells.join(after.select("source_row_key").unique(), on="source_row_key", how="semi")
    return missing.join(withdrawn, on=ROW_KEY, how="anti")


def _counted(
    believed: pl.DataFrame, after: pl.DataFrame, missing: pl.DataFrame, observation: Observation, memory: Memory
) -> pl.DataFrame:
    """Per version that is believed: rows believed, listed and missing. Of a list of the top, by its former length."""
    counts = (
        believed.group_by(GROUP)
        .agg(pl.len().cast(pl.Int64).alias("believed"))
        .join(after.group_by(GROUP).agg(pl.len().cast(pl.Int64).alias("listed")), on=GROUP, how="left")
        .join(missing.group_by(GROUP).agg(pl.len().cast(pl.Int64).alias("missing")), on=GROUP, how="left")
        .with_columns(pl.col("listed", "missing").fill_null(0))
        .sort(GROUP)
    )
    if not observation.traits.is_window:
        return counts
    length = pl.Series([memory.listed.get((row[0], row[1]), row[2]) for row in counts.iter_rows()], dtype=pl.Int64)
    return counts.with_columns(length.alias("believed")).with_columns(
        (pl.col("believed") - pl.col("listed")).clip(0).alias("missing")
    )


def _is_short(row: dict[str, int], believed: pl.DataFrame, missing: pl.DataFrame, observation: Observation) -> bool:
    # A transfer that ended early leaves its last record broken: then a single missing row is one too many.
    if observation.ends_broken:
        return row["missing"] > 0
    if row["missing"] < MIN_MISSING or row["missing"] <= MAX_MISSING_SHARE * row["believed"]:
        return False
    if row["listed"] >= (1 - MAX_MISSING_SHARE) * row["believed"]:
        return False
    if observation.traits.is_window:
        return True
    group = {_group(dict(row))}
    known, lost = in_groups(believed, group), in_groups(missing, group)
    come = row["listed"] - (row["believed"] - known.join(observation.rows, on=ROW_KEY, how="anti").height)
    is_edited = come >= REPLACED_SHARE * row["missing"] and not _looks_cut_off(known, lost)
    return not is_edited


def _looks_cut_off(known: pl.DataFrame, lost: pl.DataFrame) -> bool:
    """Whether the rows that are missing are those at the end of the former list."""
    tail = known.sort("position").tail(lost.height).select(ROW_KEY)
    return tail.join(lost, on=ROW_KEY, how="semi").height >= TAIL_SHARE * lost.height


def _is_settled(group: Group, missing: pl.DataFrame, observation: Observation, memory: Memory) -> bool:
    """Whether a short list has become one for good: it lacks what the one before lacked, or has been short for long."""
    lost = frozenset(in_groups(missing, {group})["source_row_key"].to_list())
    first, exports, before = memory.short.get(group, (observation.observed_at, 0, frozenset[str]()))
    memory.short[group] = (first, exports + 1, lost)
    if exports + 1 >= PATIENCE_EXPORTS and observation.observed_at - first >= PATIENCE:
        return True
    # The length of a list of the top comes and goes, so that it takes a third list as short; and a broken end is no list.
    least = PATIENCE_EXPORTS - 1 if observation.traits.is_window else 1
    if observation.ends_broken or exports < least:
        return False
    return len(lost & before) >= SAME_SHARE * len(lost)
