"""Assets of the request logs: what arrived (`raw`), and the facts of each day (`core.request`).

The steps are `pipelines.daily.ingest_requests` and `load_requests`; the checks on these assets are in `checks.py`.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.boundary import in_own_words
from assets.engine import engine_of
from assets.partitions import DAILY, ONE_PASS, window_of
from assets.resources import WorkspaceResource
from assets.specs import asset_key, nothing_found, result, table_spec
from pipelines.daily import ingest_requests, load_requests
from pipelines.warehouse.tables.core import MODEL_ALIAS, REQUEST
from pipelines.warehouse.tables.raw import DUPLICATE, LOADED_FILE, QUARANTINE, QUIET_DAY, SNAPSHOT


@dg.multi_asset(
    name="raw_request_files",
    specs=[
        # Of price files and leaderboard exports the steps that read them write the rows, see `prices.py` and `benchmarks.py`.
        table_spec(SNAPSHOT, deps=["landing.request_logs"], partitioned=True),
        table_spec(QUARANTINE, deps=["landing.request_logs"], partitioned=True),
    ],
    check_specs=[
        dg.AssetCheckSpec(
            "every_source_usable",
            asset=asset_key(SNAPSHOT.qualified),
            description="The declaration of every source of requests and bills can be used. Of one that can't, nothing new is read; "
            "what was read before stays. Mend the line of sources.yaml that is named.",
        ),
        dg.AssetCheckSpec(
            "every_file_taken",
            asset=asset_key(SNAPSHOT.qualified),
            description="Every file below requests/ belongs to a declared source, has a date and could be read. Nothing of any other is "
            "loaded: declare the source, or mend the file that is named.",
        ),
    ],
    partitions_def=DAILY,
    backfill_policy=ONE_PASS,
)
@in_own_words
def raw_request_files(
    context: dg.AssetExecutionContext, mm: WorkspaceResource
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    """Parse the files that can matter to the window and are new or changed."""
    window = window_of(context)
    engine = engine_of(mm.workspace.settings)
    done = ingest_requests(mm.workspace, window, read=engine.read if engine else None)
    undeclared = [
        f"requests/{source} holds files, but sources.yaml declares no such source: they are not read"
        for source in done.undeclared
    ]
    left_out = [*undeclared, *done.problems]
    for problem in [*done.unusable, *left_out]:
        context.log.warning("%s", problem)
    yield result(SNAPSHOT, done.parsed, files=done.files, files_parsed=done.parsed, lines=done.lines)
    yield result(QUARANTINE, done.quarantined, lines=done.lines, valid=done.valid, quarantined=done.quarantined)
    yield nothing_found("every_source_usable", SNAPSHOT, list(done.unusable))
    yield nothing_found("every_file_taken", SNAPSHOT, left_out)


@dg.multi_asset(
    name="core_request",
    specs=[
        table_spec(REQUEST, deps=["raw.snapshot", "core.rate_card", "core.model"], partitioned=True),
        table_spec(DUPLICATE, deps=["raw.snapshot"], partitioned=True),
        table_spec(LOADED_FILE, deps=["raw.snapshot"], partitioned=True),
        table_spec(QUIET_DAY, deps=["raw.snapshot"], partitioned=True),
        table_spec(MODEL_ALIAS, deps=["raw.snapshot", "core.model"], partitioned=True),
    ],
    partitions_def=DAILY,
    backfill_policy=ONE_PASS,
)
@in_own_words
def core_request(context: dg.AssetExecutionContext, mm: WorkspaceResource) -> Iterator[dg.MaterializeResult[Any]]:
    """Deduplicate, attribute, resolve and rate the window's requests; replace its days in one transaction."""
    engine = engine_of(mm.workspace.settings)
    loaded = load_requests(mm.workspace, window_of(context), engine.parts if engine else None)
    if engine:
        engine.publish()
    yield result(REQUEST, loaded.requests, loaded.preview, priced=loaded.priced, list_cost_usd=loaded.list_cost_usd)
    yield result(DUPLICATE, loaded.duplicates)
    yield result(LOADED_FILE, loaded.files)
    yield result(QUIET_DAY, loaded.quiet_days)
    yield result(MODEL_ALIAS, loaded.aliases)
