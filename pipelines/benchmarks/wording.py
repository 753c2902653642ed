"""The sentences of mart.benchmark_drift: each event in plain words first, then its numbers.

Only text is made here, from numbers that `drift.py` hands over; nothing is computed or decided.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from pipelines.benchmarks.compare import SAME_SIGN_SHARE, Shift
from pipelines.benchmarks.observation import RowKind
from pipelines.listed import first_few

REVISABLE = (
    "score",
    "n_items",
    "n_success",
    "run_cost_usd",
    "run_input_tokens",
    "run_output_tokens",
    "variant",
    "harness",
)
"""Fields whose change is reported as a revision."""

_FIELD_NAMES = {
    "n_items": "items",
    "n_success": "items solved",
    "run_cost_usd": "run cost",
    "run_input_tokens": "input tokens",
    "run_output_tokens": "output tokens",
    "variant": "variant",
    "harness": "harness",
}


def unit_name(unit: str) -> str:
    """A unit as it reads in a sentence about a difference."""
    return {"elo": "Elo", "percent": "percentage points", "points": "points"}.get(unit, unit)


def first(board: str, models: int, versions: int) -> str:
    """The first export of a board."""
    return (
        f"First export of {board}: {models} entries in {_n(versions, 'version')}; later exports are compared with it."
    )


def unusable(board: str, reason: str, known: int) -> str:
    """An export without a row."""
    stays = f"What was known ({_n(known, 'row')}) stays believed" if known else "Nothing is known about it yet"
    return f"This export of {board} was not used: {reason}. {stays}, and no model counts as removed."


def partial(board: str, reason: str, listed: int, short: Sequence[str], held: Sequence[str]) -> str:
    """An export that lacks rows without saying that they are gone."""
    moved = (
        f" Except in {first_few(held)}: there all rows moved together, and whether the scale did takes a whole export."
        if held
        else ""
    )
    where = f" ({first_few(short)})" if short else ""
    return (
        f"This export of {board} is not whole: {reason}{where}. The {_n(listed, 'row')} that it has count. Missing "
        f"rows stay believed, and no model counts as removed.{moved}"
    )


def missing_outcomes(model: str, board: str, detail: str) -> str:
    """A score that lacks outcomes of some of its items."""
    return f"{model} on {board}: {detail}."


def contradiction(model: str, board: str, detail: str) -> str:
    """Two statements of one export that can't both be true."""
    return f"{board} contradicts itself{f' about {model}' if model else ''}: {detail}."


def rebase(board: str, primary: Shift, shifts: Sequence[Shift], unit: str, drifted: int | None) -> str:
    """A new scale for a whole board."""
    low, high = min(item.median for item in shifts), max(item.median for item in shifts)
    spread = f", between {low:+.1f} and {high:+.1f} over {len(shifts)} versions" if len(shifts) > 1 else ""
    rest = {
        None: "Without published intervals no single model can be judged across it",
        0: "No model moved against the others beyond its interval",
    }.get(drifted, f"{_n(drifted or 0, 'score')} moved against the others beyond their intervals")
    verb = "was re-weighted" if primary.kind == "index_version" else "moved its scale"
    together = f"{primary.n} models of {primary.group[1]} moved together by {primary.median:+.1f} {unit}{spread}"
    if primary.same_sign_share <= SAME_SIGN_SHARE and primary.kind != "index_version":
        verb, together = (
            "measures something else",
            f"most of {primary.n} models of {primary.group[1]} moved beyond noise, in both directions",
        )
    return f"{board} {verb}: {together}. {rest}. A new scale epoch begins: scores before and after can't be compared."


def rounding(board: str, models: int, scores: int, decimals: Sequence[int], largest: float) -> str:
    """A change of precision."""
    coarser = " or ".join(str(number) for number in decimals)
    return (
        f"{board} shows its scores with another precision: {scores} scores of {models} entries differ by at most "
        f"{largest:.2g}, which rounding to {coarser} decimals explains; no model changed."
    )


def many(drift_class: str, board: str, names: Sequence[str], versions: int) -> str:
    """Many entries that came or went together."""
    verb = {"new": "New on", "removed": "No longer on", "revised": "Revised on"}[drift_class]
    return f"{verb} {board}: {len(names)} entries in {_n(versions, 'version')} with one export, among them {first_few(names)}."


def unveiled(board: str, names: Sequence[str]) -> str:
    """Entries that a longer list shows."""
    shown = "1 entry" if len(names) == 1 else f"{len(names)} entries"
    return (
        f"The list of {board} is longer than before and shows {shown} below its former end: {first_few(names)}. "
        "Whether they are new is not known."
    )


def come_or_gone(drift_class: str, row: Mapping[str, Any], board: str, versions: int, unit: str) -> str:
    """One entry that came or went."""
    where = _where(row, board) + (f" and {_n(versions - 1, 'other version')}" if versions > 1 else "")
    score = f"{row['score']:.1f}{_interval(row['stderr'], unit)}"
    if drift_class == "new":
        return f"{_entry(row)} is new in {where} with {score}."
    return f"{_entry(row)} is no longer listed in {where}; its last score was {score}."


def largest_moves(rows: Sequence[Mapping[str, Any]], moved: int) -> str:
    """The largest of many moves."""
    moves = ", ".join(f"{row['raw_model_after']} from {row['score']:g} to {row['score_after']:g}" for row in rows)
    return f"{_n(moved, 'score')} moved, most of all {moves}; the evidence lists every one."


def renamed(row: Mapping[str, Any], board: str) -> str:
    """An entry under a new name, or a run under a new key."""
    variant = f" ({row['variant_after']})" if row["variant_after"] else ""
    if row["raw_model"] == row["raw_model_after"]:
        return (
            f"{board} now files {row['raw_model']}{variant} under {row['source_row_key']}, before under "
            f"{row['held_key']}; it is the same entry."
        )
    return f"{board} now calls {row['raw_model']} {row['raw_model_after']}{variant}; it is the same entry."


def revised(row: Mapping[str, Any], board: str, versions: int, unit: str, kind: RowKind) -> str:
    """A change of what was published about the same entry."""
    changes = [
        f"{label} from {_value(row[name])} to {_value(row[f'{name}_after'])}"
        for name, label in _FIELD_NAMES.items()
        if row[name] != row[f"{name}_after"]
    ]
    score = "score unchanged"
    if row["delta"]:
        score = f"score from {row['score']:g} to {row['score_after']:g} ({row['delta']:+.2f} {unit})"
    where = _where(row, board) + (f" and {_n(versions - 1, 'other version')}" if versions > 1 else "")
    sentence = f"{_entry(row, '_after')} was revised in {where}: {', '.join([score, *changes])}."
    if kind == "run":
        return f"{sentence} It is the same run: the source changed what it had published."
    if not row["delta"]:
        return sentence
    if row["z"] is None:
        return f"{sentence} Without an interval on both sides it may be noise."
    if row["paired_items"] is not None and not row["delta_adjusted"]:
        return f"{sentence} On the {row['paired_items']} items that both runs share nothing changed: the runs differ in their other items."
    noise = f"{1.96 * row['se_delta']:.1f}"
    if abs(row["delta_adjusted"]) >= 1.96 * row["se_delta"]:
        return f"{sentence} Alone it would be beyond noise ({noise}), but not among all the tests of the day."
    return f"{sentence} That is within noise: changes below {noise} can't be detected here."


def drift(row: Mapping[str, Any], board: str, versions: int, tests: int, unit: str) -> str:
    """A change beyond noise that was seen once."""
    others = f" (and in {_n(versions - 1, 'other version')})" if versions > 1 else ""
    return (
        f"{_entry(row, '_after')} {_moved(row['delta_adjusted'])} in {_where(row, board)}{others}: "
        f"{row['score']:.1f} to {row['score_after']:.1f}, {row['delta_adjusted']:+.1f} {unit} {_against(row)}, "
        f"against {1.96 * row['se_delta']:.1f} that noise explains (z {row['z']:.1f}, q {row['q_value']:.2g} over "
        f"{_n(tests, 'test')} of the day). Not yet confirmed by a second export."
    )


def _against(row: Mapping[str, Any]) -> str:
    """What a change is counted against: the same items, or the board's common shift."""
    if row["paired_items"] is None:
        return "beyond the board's common shift"
    return (
        f"on the {row['paired_items']} items that both runs share ({row['items_gained']} better, "
        f"{row['items_lost']} worse)"
    )


def confirmed(row: Mapping[str, Any], board: str, versions: int, unit: str) -> str:
    """A change beyond noise that a second export shows again."""
    others = f" (and in {_n(versions - 1, 'other version')})" if versions > 1 else ""
    return (
        f"Confirmed: {_entry(row, '_after')} {_moved(row['held_delta'])} in {_where(row, board)}{others}, from "
        f"{row['score']:.1f} to {row['score_now']:.1f}, {row['held_delta']:+.1f} {unit} {_held_against(row)}, "
        f"first seen on {row['first_seen_at']:%Y-%m-%d} and still so."
    )


def _held_against(row: Mapping[str, Any]) -> str:
    if row["held_items"] is None:
        return "beyond the board's common shift"
    return f"on the {row['held_items']} items that it shares with the run before the change"


def withdrawn(row: Mapping[str, Any], board: str, unit: str) -> str:
    """A change beyond noise that the next export does not show any more."""
    return (
        f"Not confirmed: of the change of {_entry(row, '_after')} in {_where(row, board)} on "
        f"{row['first_seen_at']:%Y-%m-%d} ({row['score']:.1f} to {row['score_after']:.1f}, {row['delta_adjusted']:+.1f} {unit}) "
        f"{row['held_delta']:+.1f} are left, where noise explains {1.96 * row['held_se']:.1f}; it is at {row['score_now']:.1f}."
    )


def slow(row: Mapping[str, Any], board: str, versions: int, unit: str) -> str:
    """A change that only a series of exports shows."""
    others = f" (and in {_n(versions - 1, 'other version')})" if versions > 1 else ""
    verb = "rises" if row["slow_sum"] > 0 else "falls"
    return (
        f"Slowly, {_entry(row, '_after')} {verb} in {_where(row, board)}{others}: no two exports show it, but "
        f"{row['slow_observations']} scores since {row['slow_since']:%Y-%m-%d} lead from {row['slow_first_score']:.1f} to "
        f"{row['score_after']:.1f}, {row['slow_moved']:+.1f} {unit} from their mean beyond the board's common shift, where "
        f"noise explains {1.96 * row['slow_stderr']:.1f} (cumulative sum {abs(row['slow_sum']):.1f}, bound {row['slow_bound']:.1f})."
    )


def _entry(row: Mapping[str, Any], suffix: str = "") -> str:
    variant = row[f"variant{suffix}"]
    return f"{row[f'raw_model{suffix}']}{f' ({variant})' if variant else ''}"


def _where(row: Mapping[str, Any], board: str) -> str:
    """Version and board, or the board alone where its name ends with the version."""
    version = row["version_label"]
    return board if board.endswith(f" {version}") else f"{version} of {board}"


def _moved(delta: float) -> str:
    return "rose" if delta > 0 else "fell"


def _interval(stderr: float | None, unit: str) -> str:
    return f" ± {1.96 * stderr:.1f} {unit}" if stderr else ""


def _value(value: object) -> str:
    if value is None:
        return "none"
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def _n(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
