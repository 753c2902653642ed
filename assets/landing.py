"""Assets of group `landing`: the feeds that are fetched, and the request logs that other systems deliver or that are pulled from them.

Fetching is `pipelines.fetch`, pulling `pipelines.pull`; a feed that can't be reached leaves the last snapshot in use, flagged stale.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import polars as pl

from assets.boundary import in_own_words
from assets.resources import WorkspaceResource
from assets.specs import markdown_table, owners_of
from pipelines.fetch import FeedKind, FetchResult, fetch_feeds
from pipelines.pull import PullResult, pull_sources


@dg.asset(
    key=["landing", "request_logs"],
    description="Request logs and bills: `requests/<source>/<arrival date>/*` in the landing zone. Other systems write them there, or "
    "they are pulled, where sources.yaml says so: exact bytes or rows with a sidecar. Read, never changed.",
    group_name="landing",
    owners=owners_of(["landing", "request_logs"]),
    kinds={"python", "file"},
    check_specs=[
        dg.AssetCheckSpec(
            "every_source_pulled",
            asset=["landing", "request_logs"],
            description="Every source with `pull` in sources.yaml was asked as far as it should be, and what it answered has landed.",
        )
    ],
)
@in_own_words
def request_logs(mm: WorkspaceResource) -> Iterator[dg.MaterializeResult[Any]]:
    """Pull the sources that are declared so; the others are only read."""
    workspace = mm.workspace
    results = pull_sources(workspace.settings, workspace.config.sources, landed=workspace.landed("requests").files)
    if any(result.files for result in results):
        workspace.rescan()
    yield _pulled(results)


def _pulled(results: list[PullResult]) -> dg.MaterializeResult[Any]:
    failed = [result for result in results if result.error]
    unread = [f"{result.source}: {result.unread}" for result in results if result.unread]
    columns = ["source", "kind", "outcome", "files", "records", "calls", "asked up to", "error"]
    rows = [
        [r.source, r.kind, r.outcome, r.files, r.records, r.calls, min(r.asked_to.values(), default=""), r.error or ""]
        for r in results
    ]
    said = "; ".join(f"{result.source}: {result.error}" for result in failed)
    sentences = [f"Not pulled whole: {said}. What landed stays, and the next run goes on there."] if failed else []
    sentences += [f"{'; '.join(unread)}."] if unread else []
    return dg.MaterializeResult(
        metadata={
            "sources": len(results),
            "files": sum(result.files for result in results),
            "outcomes": markdown_table(pl.DataFrame(rows, schema=columns, orient="row")),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="every_source_pulled",
                passed=not sentences,
                # Of a feed the last prices stay in use; of a log that was not pulled, requests are missing.
                severity=dg.AssetCheckSeverity.ERROR if failed else dg.AssetCheckSeverity.WARN,
                description=" ".join(sentences) or None,
                metadata={"errors": {result.source: result.error for result in failed}},
            )
        ],
    )


def _fetched(kind: FeedKind, name: str, description: str) -> dg.AssetsDefinition:
    @dg.asset(
        key=["landing", name],
        description=description,
        group_name="landing",
        owners=owners_of(["landing", name]),
        kinds={"python", "file"},
        retry_policy=dg.RetryPolicy(max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL),
        check_specs=[
            dg.AssetCheckSpec(
                "fresh",
                asset=["landing", name],
                description="Every feed was reached, or its newest snapshot is younger than stale_after_hours of "
                "sources.yaml; and what was answered could be landed. One that was never fetched, because there is no network, is only named.",
            )
        ],
    )
    @in_own_words
    def fetch(mm: WorkspaceResource) -> Iterator[dg.MaterializeResult[Any]]:
        config = mm.workspace.config
        results = fetch_feeds(mm.workspace.settings, config.sources, kinds=(kind,), fx=config.fx.feeds)
        mm.workspace.rescan()
        yield _materialized(results)

    return fetch


def _materialized(results: list[FetchResult]) -> dg.MaterializeResult[Any]:
    absent = [r.name for r in results if r.is_absent]
    stale = [r for r in results if r.is_stale and not r.is_absent]
    not_landed = [r for r in results if r.outcome == "not landed"]
    unwell = {r.name: r.error for r in [*stale, *not_landed] if r.error}
    return dg.MaterializeResult(
        metadata={
            "feeds": len(results),
            "stale": len(stale),
            "never_fetched": ", ".join(absent) or "none",
            "outcomes": markdown_table(
                pl.DataFrame(
                    [
                        [
                            r.name,
                            r.outcome,
                            str(r.newest_observed_at or "never"),
                            "yes" if r.is_stale else "",
                            r.error or "",
                        ]
                        for r in results
                    ],
                    schema=["feed", "outcome", "newest snapshot", "stale", "error"],
                    orient="row",
                )
            ),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="fresh",
                passed=not stale and not not_landed,
                severity=dg.AssetCheckSeverity.WARN,
                description=_not_landed_sentence(not_landed),
                metadata={
                    "stale": [r.name for r in stale],
                    "not_landed": [r.name for r in not_landed],
                    "errors": unwell,
                },
            )
        ],
    )


def _not_landed_sentence(not_landed: list[FetchResult]) -> str | None:
    """What was answered and could not be kept; None if all was."""
    if not not_landed:
        return None
    named = "; ".join(f"{r.name} ({r.error})" for r in not_landed)
    return f"Not landed: {named}. What was landed before stays in use."


PRICE_FEEDS = _fetched(
    "prices",
    "price_feeds",
    "Price feeds and pricing pages, fetched as exact bytes with a sidecar (url, time, status, etag, sha256). "
    "A feed that can't be reached leaves its last snapshot in use and is flagged stale.",
)
LEADERBOARDS = _fetched(
    "leaderboards",
    "leaderboards",
    "Leaderboard exports, fetched as exact bytes with a sidecar. A board that can't be reached keeps its last export.",
)

HARDWARE = _fetched(
    "selfhost",
    "selfhost",
    "Published prices of GPUs and measurements on them, fetched as exact bytes with a sidecar. What can't be reached keeps its last file.",
)

LIMITS = _fetched(
    "limits",
    "limits",
    "Spend limits and alerts that sellers keep themselves, fetched as exact bytes with a sidecar. What can't be reached keeps its last file.",
)

landing_assets: list[dg.AssetsDefinition] = [request_logs, PRICE_FEEDS, LEADERBOARDS, HARDWARE, LIMITS]
