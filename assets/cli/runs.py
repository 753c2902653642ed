"""One run of a job in this process, with progress on the terminal, and how it ended.

The job is the one that the schedule launches; here it is recorded in the same Dagster storage. Which days are run, and
what is printed in the end, is decided by the commands.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assets.cli.log_lines import LogFormat, log_line

if TYPE_CHECKING:
    import dagster as dg
    from rich.console import Console

    from assets.progress import Report
    from pipelines.daily import Window
    from pipelines.workspace import Workspace

INTERRUPTED = 130
"""The status of a command that Ctrl-C ended."""

_EMPTY: tuple[object, ...] = (None, "", [], {})
_SHOWN_APART = ("state", "days", "query", "what_to_do")
_FOUND_LENGTH = 300
"""Characters of what a failed check found; all of it stands in Dagster, with the check."""


@dataclass(frozen=True)
class RunOutcome:
    """How one run of the job ended."""

    window: Window
    succeeded: bool
    seconds: float
    checks: list[dict[str, Any]]
    failures: list[str]
    late_days: list[date]
    pages: list[Path]
    """The pages of the window, in day order; after a failure those that were made of what is there, incomplete."""

    @property
    def is_well(self) -> bool:
        """Whether it succeeded and no check failed as an error: one that stops nothing may have found that a source is lost."""
        return self.succeeded and all(check["passed"] or check["severity"] != "ERROR" for check in self.checks)


def run_window(
    workspace: Workspace,
    window: Window,
    console: Console,
    *,
    job: str = "daily",
    log_format: LogFormat = LogFormat.TEXT,
) -> RunOutcome:
    """Run the named job for the window in this process and wait for it. Raises KeyboardInterrupt where it was interrupted."""
    from rich.status import Status
    from rich.text import Text

    from assets.cli.instance import dagster_instance
    from assets.partitions import tags_of
    from assets.progress import reported_to

    started = time.monotonic()
    with Status("starting Dagster", console=console) as status:

        def show(event: str, text: str, seconds: float | None) -> None:
            if log_format is LogFormat.JSON:
                taken = None if seconds is None else round(seconds, 3)
                log_line(event, job=job, days=str(window), step=text, seconds=taken)
            elif event == "started":
                status.update(f"{text} …")
            elif event == "finished":
                console.print(Text.assemble("  ", ("done", "green"), f"  {text:<34} {seconds:7.2f} s"))
            else:
                colour, room = ("red", "  ") if event == "failed" else ("yellow", " ")
                console.print(Text.assemble("  ", (event, colour), f"{room}{text}"))

        from assets.definitions import defs

        console.print(f"{job} run for {window}", style="bold")
        with reported_to(show), dagster_instance(workspace) as instance:
            result = defs.resolve_job_def(job).execute_in_process(
                instance=instance,
                run_config={"loggers": {"progress": {}}},
                tags=tags_of(window),
                raise_on_error=False,
            )
            if was_interrupted(result):
                raise KeyboardInterrupt
            pages = _pages(instance, result, workspace, window, show)
            if not result.success:
                _alert(instance, result.run_id, workspace, window, show)
    outcome = RunOutcome(
        window,
        result.success,
        time.monotonic() - started,
        _checks(result),
        [event.step_key or "" for event in result.all_events if event.is_step_failure],
        _late_days(workspace, window),
        pages,
    )
    if log_format is LogFormat.JSON:
        log_outcome(outcome, job)
    return outcome


def log_outcome(outcome: RunOutcome, job: str) -> None:
    """The checks that failed and how the run ended, as events; what the checks found stands on standard output and in Dagster."""
    days = str(outcome.window)
    for check in outcome.checks:
        if not check["passed"]:
            severity = check["severity"].lower()
            log_line("check", job=job, days=days, severity=severity, asset=check["asset"], name=check["name"])
    log_line("ended", job=job, days=days, succeeded=outcome.succeeded, seconds=round(outcome.seconds, 3))


def _pages(
    instance: dg.DagsterInstance, result: dg.ExecuteInProcessResult, workspace: Workspace, window: Window, show: Report
) -> list[Path]:
    """The pages that the run wrote; where it failed, pages made of what is there, or none at all."""
    from assets.incomplete import write_incomplete
    from pipelines.outside import ANY_FAILURE, worded

    if result.success:
        pages = [workspace.settings.reports / str(day) / "index.html" for day in window.days]
        return [page for page in pages if page.is_file()]  # not every job writes pages
    try:
        return write_incomplete(instance, result.run_id, workspace, window)
    except ANY_FAILURE as error:
        show("failed", f"the page of what is there: {worded(error)}", None)
        return []


def _alert(instance: dg.DagsterInstance, run_id: str, workspace: Workspace, window: Window, show: Report) -> None:
    """Send word to the channels that the run failed; one that can't be reached costs nothing else."""
    from assets.alerts import alert_failed_run
    from pipelines.outside import ANY_FAILURE, worded

    try:
        alert_failed_run(instance, run_id, workspace, window.last_day)
    except ANY_FAILURE as error:
        show("failed", f"alerts: {worded(error)}", None)


def was_interrupted(result: dg.ExecuteInProcessResult) -> bool:
    """Whether a person or the system ended the run: Dagster reports that as a failure of its own kind."""
    from dagster._core.events import RunFailureReason

    return any(
        event.is_job_failure and event.job_failure_data.failure_reason is RunFailureReason.UNEXPECTED_TERMINATION
        for event in result.all_events
    )


def _checks(result: dg.ExecuteInProcessResult) -> list[dict[str, Any]]:
    from assets.definitions import defs

    graph = defs.resolve_asset_graph()
    return [
        {
            "asset": check.asset_key.to_user_string().replace("/", "."),
            "name": check.check_name,
            "passed": check.passed,
            "severity": check.severity.value,
            "description": check.description or graph.get(check.asset_check_key).description or "",
            "found": _found(check.metadata),
            "query": check.metadata["query"].value if "query" in check.metadata else None,
        }
        for check in result.get_asset_check_evaluations()
    ]


def _found(metadata: Mapping[str, dg.MetadataValue[Any]]) -> str:
    """A check's metadata on one line, empty values and tables left out: rows are for the UI, and for the query that shows all."""
    values = {
        name: entry.value for name, entry in metadata.items() if name not in _SHOWN_APART and not _is_table(entry)
    }
    text = "; ".join(
        _said(name, value)
        for name, value in values.items()
        if value not in _EMPTY and not (name == "found" and isinstance(value, int))
    )
    return text if len(text) <= _FOUND_LENGTH else f"{text[:_FOUND_LENGTH]} …"


def _said(name: str, value: object) -> str:
    """One thing that a check found. What a check measures as a fraction is a share."""
    match name, value:
        case "found", _:
            return _plain(value)
        case "observed", float():
            return f"{100 * value:.3g} %"
        case "observed", _:
            return f"{_plain(value)} in all"
        case "unexpected_count", _:
            return f"{_plain(value)} wrong"
        case _:
            return f"{name.replace('_', ' ')} {_plain(value)}"


def _is_table(entry: dg.MetadataValue[Any]) -> bool:
    import dagster as dg

    return isinstance(entry, dg.MarkdownMetadataValue | dg.TableMetadataValue)


def _plain(value: object) -> str:
    """A metadata value without the signs of JSON."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_plain(item)}" for name, item in value.items())
    return ", ".join(_plain(item) for item in value) if isinstance(value, list | tuple) else str(value)


def _late_days(workspace: Workspace, window: Window) -> list[date]:
    from pipelines.daily.ingest import stale_days

    return stale_days(workspace, window)
