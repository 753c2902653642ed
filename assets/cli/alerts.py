"""`modelmeter alerts`: what was sent to whom and what waits; `alerts test NAME` sends a message to one channel now.

Events and deliveries are rows of core.alert and core.alert_delivery; how they are sent is `pipelines.alerts`.
"""

from __future__ import annotations

from typing import Annotated

import typer

from assets.cli.terminal import json_text, say


def register(app: typer.Typer) -> None:
    """Add the group `alerts`."""
    group = typer.Typer(name="alerts", help="Events: what was sent to whom, and what waits.")
    group.callback(invoke_without_command=True)(listed)
    group.command("test")(tried)
    app.add_typer(group)


def listed(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the events of the last week: what was sent to whom, and what still waits."""
    if context.invoked_subcommand is not None:
        return
    from pipelines.alerts.outbox import history
    from pipelines.workspace import open_workspace

    with open_workspace() as workspace:
        channels = workspace.config.alerts.channels
        with workspace.database.connect(read_only=True) as connection:
            found = history(connection, channels)
    if as_json:
        say(json_text([one.described() for one in found]))
        return
    if not channels:
        say("alerts.yaml declares no channel: nothing is sent (docs/alerts.md)")
    for one in found:
        say(f"{one.event_date}  {one.kind:<17}{one.title}")
        for channel, state in one.states.items():
            say(f"            {channel}: {state}")
    if not found:
        say("no event in the last week")


def tried(name: Annotated[str, typer.Argument(help="Channel, as alerts.yaml names it.")]) -> None:
    """Send a message to one channel now, and say whether its server took it."""
    from pipelines.alerts.channels import Message, send
    from pipelines.config import load_config
    from pipelines.config.mistakes import accepted_are
    from pipelines.settings import Settings

    settings = Settings()
    channels = {
        one.channel: one for one in load_config(settings.config, use_sample=settings.uses_sample).alerts.channels
    }
    if name not in channels:
        accepted = accepted_are(name, channels) if channels else "alerts.yaml declares none"
        say(f"modelmeter: alerts test: found {name}, {accepted}", err=True)
        raise typer.Exit(2)
    problem = send(channels[name], Message("modelmeter: a test", "This channel works. Nothing has happened."))
    say(f"{name}: {problem or 'sent'}", err=problem is not None)
    raise typer.Exit(1 if problem else 0)
