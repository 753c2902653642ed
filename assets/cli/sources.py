"""`modelmeter sources`: what is declared and when it was reached last; what a run would pull from one source.

Pulling is `pipelines.pull`, fetching `pipelines.fetch`; the daily run does both.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assets.cli.terminal import json_text, say

if TYPE_CHECKING:
    from pipelines.pull.feed_probe import FeedProbe
    from pipelines.pull.probe import Probe, ReportProbe

_Json = Annotated[bool, typer.Option("--json", help="Print as JSON.")]


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(help="List what is declared, and see what a source would deliver.", no_args_is_help=True)
    group.command("list")(list_)
    group.command("test")(look)
    app.add_typer(group, name="sources")


def list_(as_json: _Json = False) -> None:
    """List every source, feed and board: where it comes from, when it was last reached or that it is off, and which key it needs."""
    from pipelines.config import load_config
    from pipelines.pull.overview import overview
    from pipelines.settings import Settings

    settings = Settings()
    rows = overview(settings, load_config(settings.config, use_sample=settings.uses_sample))
    if as_json:
        say(json_text([asdict(row) for row in rows]))
        return
    names = max((len(row.name) for row in rows), default=0)
    formats = max((len(row.format) for row in rows), default=0)
    kind = ""
    for row in rows:
        if row.kind != kind:
            say(row.kind)
            kind = row.kind
        say(
            f"  {row.name:<{names}}  {row.format:<{formats}}  {(row.reached or 'never reached') if row.is_on else 'off'}"
        )
        if row.comes_from != "files":
            say(f"    from {row.comes_from}" + (f", key in {row.key}" if row.key else ""))
        if row.key_lacks:
            say(f"    not set: {row.key_lacks}")


def look(
    name: Annotated[str, typer.Argument(help="A source that is declared with `pull`, a price feed or a board.")],
    as_json: _Json = False,
) -> None:
    """Ask a source, feed or board for what it holds: first and last record, and what a run would read. Nothing lands.

    Ends with status 1 where it can't be pulled or read.
    """
    from datetime import UTC, datetime

    from pipelines.config import load_config
    from pipelines.landing import open_zone
    from pipelines.pull.feed_probe import FeedProbe, declared_feeds, probe_feed
    from pipelines.pull.probe import probe_source
    from pipelines.settings import Settings

    settings = Settings()
    config = load_config(settings.config, use_sample=settings.uses_sample)
    pulled = {source.source: source for source in config.sources.requests if source.pull is not None}
    feeds = declared_feeds(config)
    if name not in pulled and name not in feeds:
        is_laid = any(source.source == name for source in config.sources.requests)
        why = (
            f"has no `pull`; you put its files into requests/{name}/ (`sources list` names the newest)"
            if is_laid
            else "is not pulled"
        )
        raise typer.BadParameter(f"{name!r} {why}; accepted: {', '.join([*pulled, *feeds])}")
    zone = open_zone(settings)
    probe: Probe | FeedProbe
    if name in pulled:
        probe = probe_source(
            settings, zone, pulled[name], zone.scan("requests").files, datetime.now(UTC), declared=[*pulled.values()]
        )
    else:
        probe = probe_feed(settings, zone, name, *feeds[name])
    if as_json:
        say(json_text(asdict(probe)))
    elif isinstance(probe, FeedProbe):
        _show_feed(probe)
    else:
        _show(probe)
    if probe.error:
        raise typer.Exit(1)


def _show_feed(probe: FeedProbe) -> None:
    would = {True: f"{probe.size_bytes:,} bytes", False: "nothing: the answer is the newest file", None: ""}
    lines = {
        "reached": _yes(probe.is_reached) if probe.place != "files" else "",
        "authorised": _yes(probe.is_authorised) if probe.place != "files" else "",
        "landed": f"{probe.files:,} files" + (f", the newest of {probe.newest}" if probe.newest else ""),
        "would land": would[probe.is_new],
        "records": probe.records,
        "first record": probe.first,
        "last record": probe.last,
        "not read": f"{probe.refused:,} records or fields" if probe.refused else "",
        "error": probe.error,
    }
    say(f"{probe.name}: {probe.format}, {probe.place}")
    for what, value in lines.items():
        if value:
            say(f"  {what:<12} {value}")


def _show(probe: Probe) -> None:
    say(f"{probe.source}: {probe.kind}" + (f" at {probe.place}" if probe.place else ""))
    say(f"  reached      {_yes(probe.is_reached)}")
    say(f"  authorised   {_yes(probe.is_authorised)}")
    say(f"  landed       {probe.files:,} files")
    for report in probe.reports:
        _show_report(report)
    if probe.unread:
        say(f"  never read   {probe.unread}")
    if probe.lacks:
        say(f"  holds no     {probe.lacks}")
    if probe.error:
        say(f"  error        {probe.error}")


def _show_report(report: ReportProbe) -> None:
    more = " at least" if report.is_least else ""
    lines: dict[str, Any] = {
        "asked so far": f"up to {report.asked_to}" if report.asked_to else "never",
        "would ask": f"{report.windows:,} windows from {report.begin} to {report.end}" if report.windows else "nothing",
        "newest window": f"{report.records:,} records{more}",
        "first record": f"{report.first}{_of_newest(report)}" if report.first else "none",
        "last record": report.last or "none",
        "cost": f"{report.calls:,} calls{more}",
    }
    if report.report == "objects":
        lines = {
            "objects": f"{report.records:,}",
            "first": report.first,
            "last": report.last,
            "cost": f"{report.calls:,} calls",
        }
    say(f"  {report.report}")
    for what, value in lines.items():
        say(f"    {what:<14} {value or 'none'}")


def _of_newest(report: ReportProbe) -> str:
    if not report.empty_before:
        return ""
    return f" (of the newest window: the {report.empty_before} oldest hold none)"


def _yes(is_so: bool | None) -> str:
    return "unknown" if is_so is None else "yes" if is_so else "no"
