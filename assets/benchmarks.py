"""Assets of the leaderboards: scores, drift and gap; and the check of both watches, over the boards and over our own log.

The step is `pipelines.daily.refresh_benchmarks`; exports arrive through `landing.py`, our own log is watched in `behaviour.py`.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import polars as pl

from assets.boundary import in_own_words
from assets.partitions import window_of
from assets.resources import WorkspaceResource
from assets.specs import WENT_ON, asset_key, nothing_found, result, rows_key, rows_spec, rows_table, table_spec
from pipelines.daily import Window, refresh_benchmarks
from pipelines.daily.model_changes import changes_of
from pipelines.warehouse.tables.core_benchmarks import BENCHMARK, BENCHMARK_SCORE, BENCHMARK_VERSION
from pipelines.warehouse.tables.mart_benchmarks import BENCHMARK_DRIFT, BENCHMARK_GAP
from pipelines.warehouse.tables.raw import QUARANTINE, SNAPSHOT


@dg.multi_asset(
    name="core_benchmark",
    specs=[
        rows_spec(SNAPSHOT, "leaderboards", "The index rows of leaderboard exports", deps=["landing.leaderboards"]),
        rows_spec(
            QUARANTINE, "leaderboards", "What is set aside of leaderboard exports", deps=["landing.leaderboards"]
        ),
        table_spec(BENCHMARK, deps=["landing.leaderboards"]),
        table_spec(BENCHMARK_VERSION, deps=["landing.leaderboards"]),
        table_spec(BENCHMARK_SCORE, deps=["landing.leaderboards", "core.model"]),
        table_spec(BENCHMARK_DRIFT, deps=["core.benchmark_score"]),
        table_spec(BENCHMARK_GAP, deps=["core.benchmark_score", "core.model"]),
    ],
    check_specs=[
        dg.AssetCheckSpec(
            "every_board_made",
            asset=asset_key(BENCHMARK_SCORE.qualified),
            description="Every leaderboard was read, scored and compared. A board that made modelmeter's own code fail, or whose "
            "options are wrong, keeps its earlier rows, and the others are made. Nor is a file used that has no date or can't be read. "
            "Look at the board, file and place named.",
        )
    ],
)
@in_own_words
def core_benchmark(
    context: dg.AssetExecutionContext, mm: WorkspaceResource
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    """Rebuild scores, drift events and gaps from every landed leaderboard export."""
    done = refresh_benchmarks(mm.workspace)
    for problem in done.problems:
        context.log.warning("%s", problem)
    yield result(SNAPSHOT, done.snapshots, key=rows_key(SNAPSHOT, "leaderboards"))
    yield result(QUARANTINE, done.quarantined, key=rows_key(QUARANTINE, "leaderboards"))
    yield result(BENCHMARK, done.benchmarks)
    yield result(BENCHMARK_VERSION, done.versions)
    yield result(BENCHMARK_SCORE, done.scores, snapshots=done.snapshots)
    yield result(BENCHMARK_DRIFT, done.events, done.preview)
    yield result(BENCHMARK_GAP, done.gaps)
    yield nothing_found("every_board_made", BENCHMARK_SCORE, [*done.failures, *done.problems])


@dg.multi_asset_check(
    name="models_unchanged",
    specs=[
        dg.AssetCheckSpec(
            "no_drift",
            asset=asset_key("mart.benchmark_drift"),
            description="No model's score moved beyond noise on any leaderboard on these days.",
            additional_deps=[asset_key("mart.daily_model_spend")],
        ),
        dg.AssetCheckSpec(
            "exports_complete",
            asset=asset_key("mart.benchmark_drift"),
            description="No leaderboard export of these days was set aside as truncated or reshaped.",
        ),
        dg.AssetCheckSpec(
            "scales_unchanged",
            asset=asset_key("mart.benchmark_drift"),
            description="No leaderboard moved its scale or changed its weights on these days.",
        ),
        dg.AssetCheckSpec(
            "no_silent_change",
            asset=asset_key("mart.request_drift"),
            description="No served model behaves differently from the 28 days before, comparing like requests with like.",
        ),
    ],
)
@in_own_words
def models_unchanged(context: dg.AssetCheckExecutionContext, mm: WorkspaceResource) -> Iterator[dg.AssetCheckResult]:
    """Whether the models are what they were: nothing is stopped by it, but someone should look."""
    window = window_of(context)
    changes = changes_of(mm.workspace, window)
    classes = {
        "no_drift": ("drift", "slow_drift"),
        "exports_complete": ("coverage_gate",),
        "scales_unchanged": ("scale_rebase", "index_version"),
    }
    for name, drift_classes in classes.items():
        found = changes.events.filter(pl.col("drift_class").is_in(drift_classes))
        named = ", ".join(f"'{one}'" for one in drift_classes)
        check = dg.AssetCheckKey(asset_key("mart.benchmark_drift"), name)
        yield _verdict(check, found, f"drift_class in ({named})", window)
    check = dg.AssetCheckKey(asset_key("mart.request_drift"), "no_silent_change")
    yield _verdict(check, changes.alarms, "is_alarm", window)


def _verdict(check: dg.AssetCheckKey, found: pl.DataFrame, condition: str, window: Window) -> dg.AssetCheckResult:
    table = ".".join(check.asset_key.path)
    metadata: dict[str, Any] = {"found": found.height, "days": str(window)}
    if found.height:
        rows = found.select(pl.col("event_date", "model_id", "explanation").cast(pl.String)).head(20)
        metadata["first_rows"] = rows_table(rows.to_dicts())
        metadata["query"] = (
            f"select * from {table} where event_date between '{window.from_date}' and '{window.last_day}' and {condition} order by event_date desc"
        )
        metadata["what_to_do"] = (
            f'See every row: modelmeter sql -x "<query>", or modelmeter drift. Check that the applications on these models still work. {WENT_ON}'
        )
    return dg.AssetCheckResult(
        check_name=check.name,
        asset_key=check.asset_key,
        passed=found.is_empty(),
        severity=dg.AssetCheckSeverity.WARN,
        description=_first_finding(found),
        metadata=metadata,
    )


def _first_finding(found: pl.DataFrame) -> str | None:
    """The first finding in words and how many more there are; None if there is none."""
    if found.is_empty():
        return None
    more = f" And {found.height - 1} more: `modelmeter drift` shows them." if found.height > 1 else ""
    return f"{found['explanation'][0]}{more}"
