"""The events of mart.benchmark_drift: what each export changed, as one event for each thing that a reader should know.

Events are made of the steps of `history.py`; nothing is tested here. A change that shows in many versions of a board
(categories, tries) is one event, with the versions in its evidence; so is a change that concerns every model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from pipelines.benchmarks import wording
from pipelines.benchmarks.cusum import SLACK, SLOW, average_run_length
from pipelines.benchmarks.events import TIME, EventBook
from pipelines.benchmarks.observation import ROW_KEY, BoardSnapshot
from pipelines.benchmarks.scores import BoardScores, build_scores, version_id
from pipelines.benchmarks.significance import DayTests, Verdict, decide
from pipelines.config.sources import Leaderboard
from pipelines.uncertainty import Floats, min_detectable
from pipelines.warehouse.tables.mart_benchmarks import BENCHMARK_DRIFT

SINGLE_EVENTS = 20
"""If more models than this come or go with one export, one event reports them."""


def detect_drift(
    board: Leaderboard,
    snapshots: Sequence[BoardSnapshot],
    scores: BoardScores | None = None,
    tests: DayTests | None = None,
) -> pl.DataFrame:
    """mart.benchmark_drift for the whole history of the board, sorted by day, severity and model.

    `scores` is what `build_scores` made of the same snapshots (it carries the walk); without it, it is made here and
    model_id is null. `tests` are those of all boards (`decide.day_tests`), None if there is no other board. Every
    event depends only on exports observed up to the end of its own day: what was known on a day D are the events up to
    D. The caller filters or replaces by `event_date`.
    """
    scores = scores or build_scores(board, snapshots, None)
    return named(events_of(board.board, decide(scores.history, tests)), scores.scores)


def events_of(board: str, verdicts: Iterable[Verdict]) -> pl.DataFrame:
    """The events of judged steps, in their order, with no model_id."""
    rows = [row for verdict in verdicts for row in _Reporter(board, verdict).events()]
    return pl.DataFrame(rows, schema=BENCHMARK_DRIFT.polars_schema)


def named(events: pl.DataFrame, scores: pl.DataFrame) -> pl.DataFrame:
    """The events with the models that their entries are resolved to in `scores`, sorted by day, severity and model."""
    models = dict(scores.filter(pl.col("model_id").is_not_null()).select("raw_model", "model_id").iter_rows())
    urgency = pl.col("severity").replace_strict({"error": 0, "warn": 1, "info": 2})
    meant = pl.col("raw_model").replace_strict(models, default=None, return_dtype=pl.String)
    return events.with_columns(meant.alias("model_id")).sort(
        "event_date", urgency, "drift_class", "raw_model", "event_id"
    )


class _Reporter(EventBook):
    """Identifies the events of one step."""

    def events(self) -> list[dict[str, Any]]:
        step = self.step
        self._contradictions()
        if step.gate_reason is not None:
            self._gate()
        if not step.is_unusable:
            if step.previous is None:
                self._first()
            else:
                self._rebase()
                self._rounding()
                self._come_and_gone("new", step.new)
                self._unveiled()
                self._come_and_gone("removed", step.removed)
                self._renamed()
                self._revised()
                self._drift()
                self._confirmed()
                self._withdrawn()
                self._slow()
        return self.rows

    def _first(self) -> None:
        rows = self.step.new
        if rows.is_empty():
            return
        n, versions = rows["source_row_key"].n_unique(), rows.select("benchmark_id", "version_label").n_unique()
        self.add("new", wording.first(self.title(), n, versions), n_models=n, identity="first")

    def _gate(self) -> None:
        step = self.step
        listed = step.observation.rows.height
        held = [" ".join(group) for group in sorted(step.held)]
        self.add(
            "coverage_gate",
            wording.unusable(self.title(), str(step.gate_reason), step.believed_rows)
            if step.is_unusable
            else wording.partial(self.title(), str(step.gate_reason), listed, self._short(), held),
            n_models=int(step.partial["missing"].sum()),
            identity="gate",
            evidence={
                "believed_rows": step.believed_rows,
                "listed_rows": listed,
                "unreadable_records": step.observation.unreadable,
                "versions": step.partial.to_dicts(),
            },
        )

    def _short(self) -> list[str]:
        """The partial versions, where others of the export are whole."""
        groups = self.step.partial.select("benchmark_id", "version_label").rows()
        others = self.step.observation.rows.select("benchmark_id", "version_label").unique().rows()
        return [" ".join(group) for group in groups] if set(others) - set(groups) else []

    def _contradictions(self) -> None:
        for item in self.step.contradictions:
            sentence = wording.missing_outcomes if item.drift_class == "missing_outcomes" else wording.contradiction
            self.add(
                item.drift_class,
                sentence(item.raw_model, self.title(), item.detail),
                n_models=1,
                raw_model=item.raw_model or None,
                benchmark_version_id=self.version((item.benchmark_id, item.version_label)),
                score_before=item.stated,
                score_after=item.implied,
                delta=None if item.stated is None or item.implied is None else item.implied - item.stated,
                identity=f"{item.source_row_key} {item.detail}",
                evidence={"source_row_key": item.source_row_key},
            )

    def _rebase(self) -> None:
        if not self.step.rebased:
            return
        shifts = self.step.rebased
        for kind in sorted({shift.kind for shift in shifts.values()}):
            concerned = {group: shift for group, shift in shifts.items() if shift.kind == kind}
            primary = self.primary() if self.primary() in concerned else max(concerned, key=lambda g: concerned[g].n)
            rows = self.within(self.verdict.changed, concerned)
            shift, tested = concerned[primary], rows.filter(pl.col("z").is_not_null())
            drifted = int(rows["is_drift"].sum()) if tested.height else None
            unit = self.unit(primary[0])
            self.add(
                kind,
                wording.rebase(self.title(), shift, list(concerned.values()), unit, drifted),
                n_models=rows["source_row_key"].n_unique(),
                benchmark_version_id=self.version(primary),
                delta=shift.median,
                min_detectable=_median(min_detectable(tested["se_delta"].to_numpy())),
                identity=kind,
                evidence={
                    "shifts": [
                        {
                            "benchmark_version_id": self.version(group),
                            "new_benchmark_version_id": version_id(*group, self.step.epochs.get(group, 0) + 1),
                            "median_shift": item.median,
                            "spread_after_shift": item.spread,
                            "models": item.n,
                            "same_sign_share": item.same_sign_share,
                        }
                        for group, item in concerned.items()
                    ],
                    "drift_beyond_shift": drifted,
                },
            )

    def _rounding(self) -> None:
        if not self.step.roundings:
            return
        moved = self.verdict.changed.filter(pl.col("is_rounding") & (pl.col("delta") != 0))
        largest = float(moved["delta"].abs().max())  # type: ignore[arg-type]
        n = moved["source_row_key"].n_unique()
        self.add(
            "rounding",
            wording.rounding(self.title(), n, moved.height, sorted(set(self.step.roundings.values())), largest),
            n_models=n,
            identity="rounding",
            evidence={
                "scores": moved.height,
                "largest_change": largest,
                "decimals": {self.version(group): number for group, number in sorted(self.step.roundings.items())},
            },
        )

    def _come_and_gone(self, drift_class: str, rows: pl.DataFrame) -> None:
        if rows.height and rows["source_row_key"].n_unique() > SINGLE_EVENTS:
            self._many(drift_class, rows, "raw_model", {"score": pl.col("score")})
            return
        for group in self.per_model(rows):
            first = group.row(0, named=True)
            score = {"new": "score_after", "removed": "score_before"}[drift_class]
            self.add(
                drift_class,
                wording.come_or_gone(drift_class, first, self.title(), group.height, self.unit(first["benchmark_id"])),
                n_models=1,
                raw_model=first["raw_model"],
                benchmark_version_id=self.version((first["benchmark_id"], first["version_label"])),
                stderr=first["stderr"],
                identity=first["source_row_key"],
                evidence={"versions": _listed(group, ("score",))},
                **{score: first["score"]},
            )

    def _unveiled(self) -> None:
        rows = self.step.unveiled
        if rows.is_empty():
            return
        names = sorted(rows["raw_model"].unique())
        explanation = wording.unveiled(self.title(), names)
        self.add("new", explanation, n_models=len(names), identity="unveiled", evidence={"models": names})

    def _many(self, drift_class: str, rows: pl.DataFrame, name_column: str, scores: Mapping[str, pl.Expr]) -> None:
        """One event about many entries; the scores that it is about stand in the evidence."""
        names = sorted(rows[name_column].unique())
        explanation = wording.many(drift_class, self.title(), names, rows.select("version_label").n_unique())
        models = rows["source_row_key"].n_unique()
        listed = rows.sort(name_column, *ROW_KEY).select(
            pl.col(name_column).alias("model"), "benchmark_id", "version_label", **scores
        )
        evidence = {"models": names, "scores": listed.to_dicts()}
        self.add(drift_class, explanation, n_models=models, identity="many", evidence=evidence)

    def _renamed(self) -> None:
        rows = self.verdict.changed.filter("is_renamed") if self.verdict.changed.height else self.verdict.changed
        for group in self.per_model(rows):
            first = group.row(0, named=True)
            self.add(
                "renamed",
                wording.renamed(first, self.title()),
                n_models=1,
                raw_model=first["raw_model_after"],
                benchmark_version_id=self.version((first["benchmark_id"], first["version_label"])),
                score_before=first["score"],
                score_after=first["score_after"],
                identity=first["held_key"],
                evidence={"old_name": first["raw_model"], "old_key": first["held_key"], "key": first["source_row_key"]},
            )

    def _revised(self) -> None:
        if self.verdict.changed.is_empty():
            return
        observation = self.step.observation
        kinds = pl.col("benchmark_id").replace_strict(observation.row_kinds(), return_dtype=pl.String)
        threshold = pl.col("benchmark_id").replace_strict(observation.thresholds(), return_dtype=pl.Float64)
        stated = pl.any_horizontal(pl.col(n).ne_missing(pl.col(f"{n}_after")) for n in wording.REVISABLE)
        # A rating moves with every export; only a move that lacks the intervals for a test is reported.
        untested = pl.col("z").is_null() & (pl.col("delta_adjusted").abs() >= threshold)
        is_reported = pl.when(kinds == "rating").then(untested).otherwise(stated)
        rows = self.verdict.changed.filter(~pl.any_horizontal("is_rebased", "is_drift", "is_rounding") & is_reported)
        if rows["source_row_key"].n_unique() > SINGLE_EVENTS:
            rows = self._in_bulk(rows)
        for group in self.per_model(rows):
            first = group.row(0, named=True)
            kind = observation.row_kinds()[first["benchmark_id"]]
            self.add(
                "revised",
                wording.revised(first, self.title(), group.height, self.unit(first["benchmark_id"]), kind),
                n_models=1,
                identity=first["source_row_key"],
                evidence={"versions": _listed(group, _CHANGE), "score_ids": self.score_ids(group)},
                **self.numbers(first),
            )

    def _in_bulk(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Reports a change of many entries in one event, and returns those whose scores moved, to be reported one by one.

        Where these are many too, the event covers them all, the largest moves with before and after.
        """
        moved = rows.filter(pl.col("delta") != 0)
        before_and_after = {"before": pl.col("score"), "after": pl.col("score_after")}
        if moved["source_row_key"].n_unique() <= SINGLE_EVENTS:
            rest = rows.join(moved.select("source_row_key").unique(), on="source_row_key", how="anti")
            if rest.height:
                self._many("revised", rest, "raw_model_after", before_and_after)
            return moved
        largest = moved.sort(pl.col("delta").abs(), *ROW_KEY, descending=[True, *[False] * len(ROW_KEY)]).head(5)
        self._many("revised", rows, "raw_model_after", before_and_after)
        moves = wording.largest_moves(largest.to_dicts(), moved.height)
        self.rows[-1]["explanation"] += f" {moves}"
        return rows.clear()

    def _drift(self) -> None:
        rows = self.verdict.changed.filter("is_drift") if self.verdict.changed.height else self.verdict.changed
        tests = self.verdict.tests
        for group in self.per_model(rows, by="p_value"):
            first = group.row(0, named=True)
            self.add(
                "drift",
                wording.drift(first, self.title(), group.height, tests, self.unit(first["benchmark_id"])),
                n_models=1,
                severity="info",
                identity=first["source_row_key"],
                evidence={
                    "versions": _listed(group, _CHANGE),
                    "score_ids": self.score_ids(group),
                    "tests": tests,
                    "confirmed": False,
                },
                **self.numbers(first),
            )

    def _confirmed(self) -> None:
        for group in self.per_model(self.verdict.confirmed, by="p_value"):
            first = group.row(0, named=True)
            numbers = self.numbers(first) | {
                "score_after": first["score_now"],
                "delta": first["score_now"] - first["score"],
                "delta_adjusted": first["held_delta"],
                "stderr": first["held_se"],
                "z": first["held_delta"] / first["held_se"],
                "min_detectable": float(min_detectable(first["held_se"])),
            }
            self.add(
                "drift",
                wording.confirmed(first, self.title(), group.height, self.unit(first["benchmark_id"])),
                n_models=1,
                identity=f"{first['source_row_key']} confirmed",
                evidence={
                    "confirmed": True,
                    "first_seen_at": first["first_seen_at"].strftime(TIME),
                    "versions": _listed(group, (*_CHANGE, "score_now", "held_delta", "held_se", "held_items")),
                },
                **numbers,
            )

    def _withdrawn(self) -> None:
        for group in self.per_model(self.verdict.withdrawn, by="p_value"):
            first = group.row(0, named=True)
            self.add(
                "drift",
                wording.withdrawn(first, self.title(), self.unit(first["benchmark_id"])),
                identity=f"{first['source_row_key']} withdrawn",
                raw_model=first["raw_model_after"],
                benchmark_version_id=self.version((first["benchmark_id"], first["version_label"])),
                n_models=1,
                severity="info",
                score_before=first["score"],
                score_after=first["score_now"],
                delta=first["score_now"] - first["score"],
                delta_adjusted=first["held_delta"],
                stderr=first["held_se"],
                evidence={"withdrawn": True, "first_seen_at": first["first_seen_at"].strftime(TIME)},
            )

    def _slow(self) -> None:
        for group in self.per_model(self.verdict.slow):
            first = group.row(0, named=True)
            numbers = self.numbers(first) | {
                "score_before": first["slow_first_score"],
                "delta": first["score_after"] - first["slow_first_score"],
                "delta_adjusted": first["slow_moved"],
                "stderr": first["slow_stderr"],
                "z": first["slow_moved"] / first["slow_stderr"],
                "p_value": None,
                "q_value": None,
                "min_detectable": float(min_detectable(first["slow_stderr"])),
            }
            self.add(
                "slow_drift",
                wording.slow(first, self.title(), group.height, self.unit(first["benchmark_id"])),
                n_models=1,
                identity=first["source_row_key"],
                evidence={
                    "method": "cusum",
                    "slack": SLACK,
                    "updates_per_false_alarm": round(average_run_length(first["slow_bound"])),
                    "versions": [
                        {**row, "slow_since": row["slow_since"].strftime(TIME)}
                        for row in _listed(group, ("score_after", *SLOW))
                    ],
                },
                **numbers,
            )


_CHANGE = (
    "score", "score_after", "delta_adjusted", "se_delta", "z", "q_value", "paired_items", "items_gained", "items_lost"
)  # fmt: skip


def _listed(group: pl.DataFrame, columns: Sequence[str]) -> list[dict[str, Any]]:
    return group.select("benchmark_id", "version_label", *columns).to_dicts()


def _median(values: Floats) -> float | None:
    series = pl.Series(values, dtype=pl.Float64).drop_nans()
    return None if series.is_empty() else float(series.median())  # type: ignore[arg-type]
