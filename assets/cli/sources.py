"""`modelmeter sources`: what is declared and when it was reached last; what a run would pull from one source.

Pulling is `pipelines.pull`, fetching `pipelines.fetch`; the daily run does both.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assets.cli.terminal import json_text, say

if TYPE_CHECKING:
    from pipelines.pull.probe import Probe, ReportProbe

_Json = Annotated[bool, typer.Option("--json", help="Print as JSON.")]


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(help="List what is declared; see what a source would give.", no_args_is_help=True)
    group.command("list")(list_)
    group.command("test")(look)
    app.add_typer(group, name="sources")


def list_(as_json: _Json = False) -> None:
    """List every source, feed and board: where from, when reached last or that it is off, which key it needs."""
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


def look(
    name: Annotated[str, typer.Argument(help="A source that is declared with `pull`.")], as_json: _Json = False
) -> None:
    """Ask a source for its first and last records, and say what a run would pull. Nothing lands.

    Ends with status 1 where the source can't be pulled.
    """
    from datetime import UTC, datetime

    from pipelines.config import load_config
    from pipelines.landing import open_zone
    from pipelines.pull.probe import probe_source
    from pipelines.settings import Settings

    settings = Settings()
    declared = load_config(settings.config, use_sample=settings.uses_sample).sources.requests
    pulled = {source.source: source for source in declared if source.pull is not None}
    if name not in pulled:
        known = ", ".join(pulled) or "none is declared with `pull` in sources.yaml"
        raise typer.BadParameter(f"{name!r} is not pulled; accepted: {known}")
    zone = open_zone(settings)
    probe = probe_source(settings, zone, pulled[name], zone.scan("requests").files, datetime.now(UTC))
    if as_json:
        say(json_text(asdict(probe)))
    else:
        _show(probe)
    if probe.error:
        raise typer.Exit(1)


def _show(probe: Probe) -> None:
    say(f"{probe.source}: {probe.kind}" + (f" at {probe.place}" if probe.place else ""))
    say(f"  reached      {_yes(probe.is_reached)}")
    say(f"  authorised   {'unknown' if probe.is_authorised is None else _yes(probe.is_authorised)}")
    say(f"  landed       {probe.files:,} files")
    for report in probe.reports:
        _show_report(report)
    if probe.unread:
        say(f"  never read   {probe.unread}")
    if probe.error:
        say(f"  error        {probe.error}")


def _show_report(report: ReportProbe) -> None:
    more = " at least" if report.is_least else ""
    lines: dict[str, Any] = {
        "asked so far": f"up to {report.asked_to}" if report.asked_to else "never",
        "would ask": f"{report.windows:,} windows from {report.begin} to {report.end}" if report.windows else "nothing",
        "newest window": f"{report.records:,} records{more}",
        "first record": report.first or "none",
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


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"
