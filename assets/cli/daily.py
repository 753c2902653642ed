"""`modelmeter daily`: the daily job for a day or a range, with progress, and a summary a person wants to read.

The job is the one that the schedule launches; here it runs in this process and is recorded in the same Dagster storage.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import dagster as dg
    from rich.console import Console

    from pipelines.daily import Window, Workspace

_SAYS_NOTHING: tuple[object, ...] = (None, "", [], {})
_FOUND_LENGTH = 300
"""Characters of what a failed check found; all of it stands in Dagster, beside the check."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("daily")(daily)


def daily(
    day: Annotated[datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="The UTC day to run.")] = None,
    first: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day of a range.")
    ] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day, inclusive.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Run the daily job: fetch, ingest, price, check and report.

    Without options: the newest day of the landing zone. Ends with status 1 when a step or a blocking check failed.
    """
    from rich.console import Console

    from pipelines.daily import Window, open_workspace
    from pipelines.settings import Settings

    console = Console(stderr=True, highlight=False)
    if day and (first or last):
        raise typer.BadParameter("--date can't be combined with --from and --to")
    if bool(first) != bool(last):
        raise typer.BadParameter("--from and --to go together")
    settings = Settings()
    prepare_sample(console)
    with open_workspace(settings) as workspace:
        window = _asked_for(day or first, day or last) or _newest(workspace, console)
        runs = [run_window(workspace, window, console)]
        runs += [_run_late(workspace, days, console) for days in Window.joined(runs[0].late_days)]
        succeeded = all(run.succeeded for run in runs)
        _summarise(workspace, window, runs, as_json)
    raise typer.Exit(0 if succeeded else 1)


def _asked_for(first: datetime | None, last: datetime | None) -> Window | None:
    from pipelines.daily import Window

    if first is None or last is None:
        return None
    if last < first:
        raise typer.BadParameter(f"--to {last.date()} is before --from {first.date()}")
    return Window(first.date(), last.date() + timedelta(days=1))


@dataclass(frozen=True)
class RunOutcome:
    """How one run of the job ended."""

    window: Window
    succeeded: bool
    seconds: float
    checks: list[dict[str, Any]]
    failures: list[str]
    late_days: list[date]


def prepare_sample(console: Console) -> None:
    """Generate the bundled sample landing zone where no landing zone is configured."""
    from pipelines.sample import generate_sample
    from pipelines.settings import Settings

    settings = Settings()
    if settings.uses_sample:
        fresh = not settings.sample_landing.is_dir()
        if fresh:
            console.print("no landing zone is configured: making the synthetic sample (once)", style="dim")
        generate_sample(settings.sample_landing)


def _newest(workspace: Workspace, console: Console) -> Window:
    from pipelines.daily import Window, newest_day
    from pipelines.daily.ingest import event_dates, ingest_requests

    files = [file for file in workspace.landed("requests").files if file.arrival_date is not None]
    if not files:
        zone = workspace.zone
        raise typer.BadParameter(
            f"{zone} holds no request logs. Expected requests/<source>/<arrival date>/*.jsonl (or csv, parquet), "
            "with <source> declared in sources.yaml. Name a day with --date to run without them."
        )
    newest = max(file.arrival_date for file in files if file.arrival_date is not None)
    ingest_requests(workspace, Window.of_day(newest))
    day = newest_day(files, event_dates(workspace))
    if day is None:
        console.print(f"no valid record in the files that arrived on {newest}: running that day", style="yellow")
        day = newest
    return Window.of_day(day)


def run_window(workspace: Workspace, window: Window, console: Console, *, job: str = "daily") -> RunOutcome:
    """Run the named job for the window in this process and wait for it."""
    from rich.status import Status

    from assets.cli.instance import dagster_instance
    from assets.progress import report_to

    started = time.monotonic()
    with Status("starting Dagster", console=console) as status:

        def show(event: str, text: str, seconds: float | None) -> None:
            if event == "started":
                status.update(f"{text} …")
            elif event == "finished":
                console.print(f"  [green]done[/green]  {text:<34} {seconds:7.2f} s")
            else:
                console.print(
                    f"  [red]{event}[/red]  {text}" if event == "failed" else f"  [yellow]{event}[/yellow] {text}",
                    markup=True,
                )

        from assets.definitions import defs

        console.print(f"{job} run for {window}", style="bold")
        report_to(show)
        try:
            with dagster_instance(workspace) as instance:
                result = defs.resolve_job_def(job).execute_in_process(
                    instance=instance,
                    run_config={"loggers": {"progress": {}}},
                    tags={
                        "dagster/asset_partition_range_start": str(window.from_date),
                        "dagster/asset_partition_range_end": str(window.last_day),
                    },
                    raise_on_error=False,
                )
        finally:
            report_to(None)
    graph = defs.resolve_asset_graph()
    checks = [
        {
            "asset": check.asset_key.to_user_string().replace("/", "."),
            "name": check.check_name,
            "passed": check.passed,
            "severity": check.severity.value,
            "description": check.description or graph.get(check.asset_check_key).description or "",
            "found": _found(check.metadata),
        }
        for check in result.get_asset_check_evaluations()
    ]
    failures = [event.step_key or "" for event in result.all_events if event.is_step_failure]
    return RunOutcome(
        window, result.success, time.monotonic() - started, checks, failures, _late_days(workspace, window)
    )


def _found(metadata: Mapping[str, dg.MetadataValue[Any]]) -> str:
    """What a check came upon, in one line: its metadata less what says nothing."""
    values = {name: entry.value for name, entry in metadata.items() if name != "state"}
    text = "; ".join(
        f"{name.replace('_', ' ')} {_plain(value)}" for name, value in values.items() if value not in _SAYS_NOTHING
    )
    return text if len(text) <= _FOUND_LENGTH else f"{text[:_FOUND_LENGTH]} …"


def _plain(value: object) -> str:
    """A metadata value without the signs of JSON."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_plain(item)}" for name, item in value.items())
    return ", ".join(_plain(item) for item in value) if isinstance(value, list | tuple) else str(value)


def _late_days(workspace: Workspace, window: Window) -> list[date]:
    from pipelines.daily.ingest import stale_days

    return stale_days(workspace, window)


def _run_late(workspace: Workspace, window: Window, console: Console) -> RunOutcome:
    console.print(f"late or changed lines belong to {window}: running that too", style="yellow")
    return run_window(workspace, window, console)


def _summarise(workspace: Workspace, window: Window, runs: list[RunOutcome], as_json: bool) -> None:
    from rich.console import Console

    from pipelines.finops.summary import day_summary, render_summary

    checks = [check for run in runs for check in run.checks]
    failed = [check for check in checks if not check["passed"]]
    report = workspace.settings.reports / str(window.last_day) / "index.html"
    with workspace.database.connect(read_only=True) as connection:
        summary = day_summary(connection, window.from_date, window.to_date)
    if as_json:
        facts = {
            "summary": summary.as_dict(),
            "checks": checks,
            "report": str(report) if report.is_file() else None,
            "runs": [{"window": str(r.window), "succeeded": r.succeeded, "seconds": round(r.seconds, 2)} for r in runs],
        }
        sys.stdout.write(json.dumps(facts, indent=2, default=str) + "\n")
        return
    console = Console(highlight=False)
    render_summary(
        console,
        summary,
        report_path=report if report.is_file() else None,
        checks_passed=len(checks) - len(failed),
        checks_total=len(checks),
        next_steps=[
            'modelmeter sql "select * from mart.daily_model_spend order by event_date, effective_cost_usd desc"',
            "modelmeter ui",
        ],
    )
    for check in failed:
        found = f" Found: {check['found']}" if check["found"] else ""
        told = f"{check['description']}{found}"
        console.print(f"  check {check['severity'].lower()}: {check['asset']} {check['name']}: {told}", markup=False)
    for run in runs:
        for failure in run.failures:
            console.print(f"  [red]failed[/red] {failure.replace('__', '.')} in the run for {run.window}")
