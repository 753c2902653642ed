"""Asset checks: every rule of the Great Expectations suites and every accounting rule, one check each.

Rules and their words are in `pipelines.quality`; Great Expectations itself is imported inside the run, by `run_suite`.
A blocking rule that fails or can't be evaluated stops everything downstream of its table.

Checks have no partition, but name their days. In Dagster 1.13 a check may have partitions, as a preview (dagster-io/dagster issue 17005): a run of one
day would then carry it. But the same check in a run over several days has a row planned for each of them and its result written to one
of its own, without a day (`_store_asset_check_evaluation_planned`, `to_asset_check_evaluation`): those of the days would stay planned for ever.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import dagster as dg

from assets.boundary import in_own_words
from assets.partitions import window_of
from assets.resources import WorkspaceResource
from assets.specs import WENT_ON, asset_key, rows_key, rows_table
from pipelines.daily import Window
from pipelines.daily.accounting import books_of_the_window, delivering_sources, files_accounted, readable_sources
from pipelines.quality import SUITES, ExpectationOutcome, run_suite, statement
from pipelines.quality.rules import RowFloor, Suite
from pipelines.quality.silent import EVERY_SOURCE_DELIVERS
from pipelines.warehouse.tables.core_benchmarks import BENCHMARK_SCORE
from pipelines.warehouse.tables.mart import DAILY_END_USER_SPEND, DAILY_MODEL_SPEND, SPEND_TABLES
from pipelines.warehouse.tables.mart_charges import DAILY_CHARGE
from pipelines.warehouse.tables.mart_economics import UNIT_COST
from pipelines.warehouse.tables.raw import LOADED_FILE, QUARANTINE, QUIET_DAY


def suite_checks() -> list[dg.AssetChecksDefinition]:
    """One definition per suite: one connection and one pass over the rows for all its rules."""
    return [_suite_check(suite) for suite in SUITES.values()]


def _suite_check(suite: Suite) -> dg.AssetChecksDefinition:
    key = asset_key(suite.table.qualified)

    @dg.multi_asset_check(
        name=f"{suite.name}_suite",
        specs=[
            dg.AssetCheckSpec(
                rule.name,
                asset=key,
                description=rule.description,
                blocking=rule.severity == "blocking",
            )
            for rule in suite.rules
        ],
    )
    @in_own_words
    def run(context: dg.AssetCheckExecutionContext, mm: WorkspaceResource) -> Iterator[dg.AssetCheckResult]:
        window = window_of(context)
        kept = mm.workspace.settings.home / "checks"
        outcome = run_suite(mm.workspace.database.engine(), suite.name, window.from_date, window.to_date, kept)
        # A company that declares no leaderboard misses none.
        may_be_empty = suite.table is BENCHMARK_SCORE and not mm.workspace.config.sources.leaderboards
        for rule, expectation in zip(suite.rules, outcome.expectations, strict=True):
            is_no_lack = may_be_empty and isinstance(rule, RowFloor) and expectation.success is False
            query = statement(suite, rule, window.from_date, window.to_date)
            success = True if is_no_lack else expectation.success
            yield check_result(key, replace(expectation, success=success, query=query), window)

    return run


def accounting_checks() -> list[dg.AssetChecksDefinition]:
    """The checks that the books add up: per file, per source, and between facts and marts."""
    return [files_add_up, sources_readable, every_source_delivers, books_add_up]


@dg.multi_asset_check(
    name="files_add_up",
    specs=[
        dg.AssetCheckSpec(
            "lines_accounted",
            asset=asset_key("raw.quarantine"),
            description="For every file: lines = valid + quarantined, and every quarantined record is there to be looked at.",
            blocking=True,
            additional_deps=[rows_key(QUARANTINE, rows) for rows in ("prices", "leaderboards")],
        ),
        dg.AssetCheckSpec(
            "every_file_read",
            asset=asset_key("raw.quarantine"),
            description="modelmeter's own reader failed on no file; a file that made it fail is set aside whole and tried again.",
        ),
    ],
)
@in_own_words
def files_add_up(mm: WorkspaceResource) -> Iterator[dg.AssetCheckResult]:
    """Nothing is lost between the file and its index."""
    for outcome in files_accounted(mm.workspace):
        yield check_result(asset_key("raw.quarantine"), outcome, stops=outcome.name == "lines_accounted")


@dg.asset_check(
    asset=asset_key("raw.quarantine"),
    name="sources_readable",
    description="Less than 1 % of a source's billable records are set aside; from 20 % on the source counts as lost.",
)
@in_own_words
def sources_readable(context: dg.AssetCheckExecutionContext, mm: WorkspaceResource) -> dg.AssetCheckResult:
    """A source that mostly can't be read is no quiet day."""
    window = window_of(context)
    return check_result(asset_key("raw.quarantine"), readable_sources(mm.workspace, window), window, stops=False)


@dg.asset_check(
    asset=asset_key(LOADED_FILE.qualified),
    name="every_source_delivers",
    description=EVERY_SOURCE_DELIVERS,
    additional_deps=[asset_key(QUIET_DAY.qualified)],
)
@in_own_words
def every_source_delivers(context: dg.AssetCheckExecutionContext, mm: WorkspaceResource) -> dg.AssetCheckResult:
    """A source that falls silent is no day that cost less."""
    window = window_of(context)
    return check_result(asset_key(LOADED_FILE.qualified), delivering_sources(mm.workspace, window), window, stops=False)


@dg.multi_asset_check(
    name="books_add_up",
    specs=[
        dg.AssetCheckSpec(
            "records_accounted",
            asset=asset_key("raw.duplicate"),
            description="For every file whose days are loaded, and every export of a bill: valid = loaded + duplicates.",
            additional_deps=[asset_key("core.reported_cost")],
        ),
        dg.AssetCheckSpec(
            "counted_once",
            asset=asset_key("raw.duplicate"),
            description="A call that several sources or instruments record counts once. The result says which source was preferred, and how often.",
        ),
        dg.AssetCheckSpec(
            "look_alikes",
            asset=asset_key("raw.duplicate"),
            description="No call of one source or instrument looks like a call of another; such a call may be counted twice.",
        ),
        dg.AssetCheckSpec(
            "loaded_files_agree",
            asset=asset_key("raw.loaded_file"),
            description="raw.loaded_file, by which late files are found, counts what core.request holds of a day.",
            blocking=True,
        ),
        dg.AssetCheckSpec(
            "spend_agrees",
            asset=asset_key("mart.daily_model_spend"),
            description="Requests, tokens and costs of charges and spend marts equal core.request per day, to the last decimal.",
            blocking=True,
            additional_deps=[
                asset_key(table.qualified)
                for table in (DAILY_CHARGE, *SPEND_TABLES, DAILY_END_USER_SPEND, UNIT_COST)
                if table is not DAILY_MODEL_SPEND
            ],
        ),
        dg.AssetCheckSpec(
            "priced_coverage",
            asset=asset_key("mart.cost_coverage"),
            description="On each day at least 90 % of the requests have a known cost.",
        ),
    ],
)
@in_own_words
def books_add_up(context: dg.AssetCheckExecutionContext, mm: WorkspaceResource) -> Iterator[dg.AssetCheckResult]:
    """Nothing is lost or counted twice between files, facts and marts."""
    assets = {
        "records_accounted": "raw.duplicate",
        "counted_once": "raw.duplicate",
        "look_alikes": "raw.duplicate",
        "loaded_files_agree": "raw.loaded_file",
        "spend_agrees": "mart.daily_model_spend",
        "priced_coverage": "mart.cost_coverage",
    }
    window = window_of(context)
    for outcome in books_of_the_window(mm.workspace, window):
        stops = outcome.name in ("loaded_files_agree", "spend_agrees")
        yield check_result(asset_key(assets[outcome.name]), outcome, window, stops=stops)


def check_result(
    key: dg.AssetKey, outcome: ExpectationOutcome, window: Window | None = None, *, stops: bool = True
) -> dg.AssetCheckResult:
    """An outcome as Dagster shows it, with the days that it is for; "not evaluable" is a failure of that name. `stops` says whether a
    failure as an error stops what depends on the table."""
    metadata: dict[str, Any] = {"state": outcome.state}
    if window is not None:
        metadata["days"] = str(window)
    if outcome.observed is not None:
        metadata["observed"] = (
            float(f"{outcome.observed:.4g}") if isinstance(outcome.observed, float) else outcome.observed
        )
    if outcome.unexpected_count is not None:
        metadata["unexpected_count"] = outcome.unexpected_count
    if outcome.problem:
        metadata["problem"] = outcome.problem
    if outcome.sample:
        metadata["first_rows"] = rows_table(outcome.sample)
    if outcome.success is not True:
        metadata["what_to_do"] = _what_to_do(outcome, stops=stops)
        if outcome.query:
            metadata["query"] = outcome.query
    return dg.AssetCheckResult(
        check_name=outcome.name,
        asset_key=key,
        passed=outcome.success is True,
        severity=dg.AssetCheckSeverity.ERROR if outcome.severity == "blocking" else dg.AssetCheckSeverity.WARN,
        description=outcome.description,
        metadata=metadata,
    )


def _what_to_do(outcome: ExpectationOutcome, *, stops: bool) -> str:
    """The next step of the person who is called."""
    see = 'See every row: modelmeter sql "<query>". ' if outcome.query else ""
    if outcome.blocks and stops:
        return f"{see}The tables that depend on this one were not made. Mend what the description names, then run the same days again."
    return f"{see}{WENT_ON}"
