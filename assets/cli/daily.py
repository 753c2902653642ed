"""`modelmeter daily`: the daily job for a day or a range, and a summary a person wants to read.

One run of the job is `runs.py`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assets.cli.dates import DateError, FirstDay, LastDay, day_option, window_of
from assets.cli.log_lines import LogFormat, LogFormatOption, progress_console
from assets.cli.runs import INTERRUPTED, RunOutcome, run_window
from assets.cli.terminal import json_text, say, terminal

if TYPE_CHECKING:
    from rich.console import Console

    from pipelines.daily import Window
    from pipelines.finops.summary import DaySummary
    from pipelines.workspace import Workspace


class EngineName(StrEnum):
    """Who parses files and makes the requests of a day."""

    LOCAL = "local"
    SPARK = "spark"


SAMPLE_FROM, SAMPLE_DAYS, SAMPLE_REQUESTS_PER_DAY = date(2026, 2, 1), 28, 2_000
"""The first run loads a month: three weeks are needed to say that a day is dearer than its past lets expect."""
_FEW_DAYS = timedelta(days=8)
"""How far the last known day may lie back for the days between to be run too."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("daily")(daily)


def daily(
    day: Annotated[date | None, day_option("--date", "The UTC day to run.")] = None,
    first: FirstDay = None,
    last: LastDay = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
    *,
    engine: Annotated[
        EngineName | None,
        typer.Option(
            "--engine", help="Who parses and makes requests: this machine, or Spark (MODELMETER_SPARK_MASTER)."
        ),
    ] = None,
    log_format: LogFormatOption = LogFormat.TEXT,
) -> None:
    """Run the daily job: fetch, ingest, price, check and report.

    Without options it runs the newest day of the landing zone, with up to a week before it that no run was for; on the bundled sample, the first time, all its days. Ends with status 1 when a step failed, or a check as an error, and with
    130 when it was interrupted.
    """
    from assets.engine import engine_of
    from pipelines.settings import Settings

    if engine is not None:
        os.environ["MODELMETER_ENGINE"] = engine.value  # the steps read their settings themselves
    engine_of(Settings())  # what it lacks is said before anything starts
    work = _Work(log_format)
    try:
        work.windows = list(filter(None, [window_of(day, first, last)]))
        work.do(as_json)
    except KeyboardInterrupt:
        say(work.unfinished(), err=True)
        raise typer.Exit(INTERRUPTED) from None
    raise typer.Exit(0 if all(run.is_well for run in work.runs) else 1)


class _Work:
    """The days of one command, those that late lines add to them, and the runs so far."""

    def __init__(self, log_format: LogFormat) -> None:
        self.log_format = log_format
        self.windows: list[Window] = []
        self.runs: list[RunOutcome] = []

    def do(self, as_json: bool) -> None:
        """Run the days and report what came of it."""

        from pipelines.settings import Settings
        from pipelines.warehouse.unfinished import Progress
        from pipelines.workspace import open_workspace

        console = progress_console(self.log_format)
        prepare_sample(console)
        with open_workspace(Settings()) as workspace:
            if said := Progress(workspace.settings.home).said():
                console.print(said, style="yellow")
            self._run(workspace, console)
            _tell(workspace, self.runs, as_json)
            if all(run.succeeded for run in self.runs):  # what a run that failed read is needed to run its days again
                _remove_old(workspace, console)
            if all(run.is_well for run in self.runs):
                _ping(workspace, console)

    def _run(self, workspace: Workspace, console: Console) -> None:
        """Run every window, and then the days that late lines belong to."""
        from pipelines.daily import Window

        self.windows = self.windows or [
            since_last_run(workspace, first_days(workspace, _newest(workspace, console)), console)
        ]
        while len(self.runs) < len(self.windows):
            window = self.windows[len(self.runs)]
            if self.runs:
                console.print(f"late or changed lines belong to {window}: running that too", style="yellow")
            self.runs.append(run_window(workspace, window, console, log_format=self.log_format))
            # A day that this command has run, or will run, has seen every file: only others can lack one.
            known = {day for each in self.windows for day in each.days}
            self.windows += Window.joined({*self.runs[-1].late_days} - known)

    def unfinished(self) -> str:
        """What an interrupt leaves, and how to go on."""
        left = self.windows[len(self.runs) :]
        if not left:
            text = "every day is finished" if self.runs else "before a day was chosen; nothing was computed"
            return f"interrupted: {text}"
        again = "; ".join(f"modelmeter daily {_options(window)}" for window in left)
        are = "is" if len(left) == 1 and len(left[0].days) == 1 else "are"
        return f"interrupted: {', '.join(str(window) for window in left)} {are} unfinished. To go on: {again}"


def _options(window: Window) -> str:
    if len(window.days) == 1:
        return f"--date {window.from_date}"
    return f"--from {window.from_date} --to {window.last_day}"


def prepare_sample(console: Console) -> None:
    """Generate the bundled sample landing zone where no landing zone is configured."""
    from pipelines.sample import generate_sample
    from pipelines.settings import Settings

    settings = Settings()
    if settings.uses_sample:
        fresh = not settings.sample_landing.is_dir()
        if fresh:
            console.print("no landing zone is configured: making the synthetic sample (once)", style="dim")
        generate_sample(
            settings.sample_landing, first=SAMPLE_FROM, days=SAMPLE_DAYS, requests_per_day=SAMPLE_REQUESTS_PER_DAY
        )


def _ping(workspace: Workspace, console: Console) -> None:
    """Let the dead man's switch know, where there is one."""
    from pipelines.fetch.ping import PingError, ping

    if (url := workspace.settings.ping_url) is not None:
        try:
            ping(url.get_secret_value())
        except PingError as error:
            console.print(str(error), style="yellow", soft_wrap=True)


def _remove_old(workspace: Workspace, console: Console) -> None:
    """Apply retention. A failure is printed and costs the run nothing: the next one tries again."""
    from assets.cli.retention import pruned, sentences
    from pipelines.outside import ANY_FAILURE, worded

    try:
        lines = sentences(pruned(workspace))
    except ANY_FAILURE as error:
        lines = [f"what is old could not be removed: {worded(error)}"]
    for line in lines:
        console.print(line, style="dim", soft_wrap=True)


def _newest(workspace: Workspace, console: Console) -> Window:
    """The newest day with requests; without request files, the day that ended last. Raises DateError where it is too old."""
    from assets.engine import engine_of
    from pipelines.daily import Window
    from pipelines.daily.days import FIRST_DAY
    from pipelines.daily.ingest import newest_event_day

    files = [file for file in workspace.landed("requests").files if file.arrival_date is not None]
    if not files:
        yesterday = datetime.now(UTC).date() - timedelta(days=1)
        text = (
            f"{workspace.zone} holds no request logs: running {yesterday}, the last day that has ended. Logs are expected as "
            "requests/<source>/<arrival date>/*.jsonl (or csv, parquet), with <source> declared in sources.yaml"
        )
        console.print(text, style="yellow", soft_wrap=True)
        return Window.of_day(yesterday)
    newest = max(file.arrival_date for file in files if file.arrival_date is not None)
    engine = engine_of(workspace.settings)
    day = newest_event_day(workspace, engine.read if engine else None)
    if day is None:
        console.print(f"no file holds a valid record: running {newest}, the day of the newest arrival", style="yellow")
        day = newest
    if day < FIRST_DAY:
        raise DateError(f"the newest day of {workspace.zone} is {day}: days are accepted from {FIRST_DAY} on")
    return Window.of_day(day)


def first_days(workspace: Workspace, newest: Window) -> Window:
    """All days of the sample where none is loaded yet, so that its newest page has something to compare; else the newest one: a
    landing zone of one's own may hold years."""
    from pipelines.daily import Window

    if not workspace.settings.uses_sample:
        return newest
    with workspace.database.connect(read_only=True) as connection:
        is_loaded = connection.execute("select exists (select from raw.loaded_file)").fetchone() == (True,)
    arrivals = [file.arrival_date for file in workspace.landed("requests").files if file.arrival_date is not None]
    return newest if is_loaded else Window(min([*arrivals, newest.from_date]), newest.to_date)


def since_last_run(workspace: Workspace, window: Window, console: Console) -> Window:
    """The window, with the days before it that no run was for, if they are few: a weekend without calls, of which no file holds anything."""
    from pipelines.daily import Window
    from pipelines.daily.known_days import all_known_days

    with workspace.database.connect(read_only=True) as connection:
        before = max((day for day in all_known_days(connection) if day < window.from_date), default=None)
    if before is None or not timedelta(days=1) < window.from_date - before <= _FEW_DAYS:
        return window
    missing = Window(before + timedelta(days=1), window.from_date)
    console.print(f"no run was for {missing} yet: running that too", style="yellow")
    return Window(missing.from_date, window.to_date)


def _tell(workspace: Workspace, runs: Sequence[RunOutcome], as_json: bool) -> None:
    """What the first run came to. One that failed has left tables as they were before it: their totals are not shown, and its
    page says what is missing."""
    from pipelines.daily import Window
    from pipelines.daily.ingest import days_left_out
    from pipelines.finops.summary import day_summary

    window, succeeded = runs[0].window, runs[0].succeeded
    page = runs[0].pages[-1] if runs[0].pages else None
    summary = None
    if succeeded:
        with workspace.database.connect(read_only=True) as connection:
            summary = day_summary(connection, window.from_date, window.to_date)
    if as_json:
        facts = {
            "summary": summary.as_dict() if summary else None,
            "checks": [check for run in runs for check in run.checks],
            "report": str(page) if page else None,
            "report_is_complete": succeeded and page is not None,
            "runs": [{"window": str(r.window), "succeeded": r.succeeded, "seconds": round(r.seconds, 2)} for r in runs],
        }
        say(json_text(facts))
        return
    _show(summary, runs, page)
    if succeeded and (left := days_left_out(workspace, window)):
        days = "1 earlier day holds" if len(left) == 1 else f"{len(left):,} earlier days hold"
        span = Window(left[0], left[-1] + timedelta(days=1))
        say(f"{days} records that are not loaded: modelmeter daily {_options(span)}")


def _show(summary: DaySummary | None, runs: Sequence[RunOutcome], page: Path | None) -> None:
    from rich.text import Text

    from pipelines.finops.summary import render_summary

    console = terminal()
    checks = [check for run in runs for check in run.checks]
    failed = [check for check in checks if not check["passed"]]
    if summary:
        render_summary(
            console,
            summary,
            report_path=page,
            checks_passed=len(checks) - len(failed),
            checks_total=len(checks),
            next_steps=[
                'modelmeter sql "select event_date, model_id, requests, priced_requests, effective_cost_usd from mart.daily_model_spend order by 1, 5 desc nulls last"',
                "modelmeter ui",
            ],
        )
    else:
        console.print(
            f"the run for {runs[0].window} failed: no totals are shown, because not every table was made anew",
            style="bold",
        )
    for check in failed:
        is_said = check["description"].startswith("Found: ")
        found = f" Found: {check['found']}" if check["found"] and not is_said else ""
        text = f"{check['description']}{found}"
        console.print(f"  check {check['severity'].lower()}: {check['asset']} {check['name']}: {text}")
        if check["query"]:
            console.print(f'    every row: modelmeter sql "{check["query"]}"', soft_wrap=True)
    for run in runs:
        for failure in run.failures:
            words = f" {failure.replace('__', '.')} in the run for {run.window}"
            console.print(Text.assemble("  ", ("failed", "red"), words))
        for made in [] if run.succeeded else run.pages:
            console.print(f"incomplete report  {made}", soft_wrap=True)
