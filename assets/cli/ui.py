"""`modelmeter ui`: Dagster's web server and daemon on loopback, on the warehouse's own Postgres.

Both run as child processes of this command and end with it.
"""

from __future__ import annotations

from typing import Annotated

import typer

from assets.cli.terminal import terminal

GROUPS = ("landing", "raw", "staging", "core", "mart", "report")
"""Groups of the graph. Dagster opens a graph with its groups folded, unless the address names those to unfold."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("ui")(ui)


def ui(
    port: Annotated[int, typer.Option(help="Port of the web server.")] = 3000,
    host: Annotated[str, typer.Option(help="Address to bind; loopback unless you say otherwise.")] = "127.0.0.1",
    name: Annotated[
        list[str] | None, typer.Option(help="Host name that browsers may use, in addition to loopback. Repeatable.")
    ] = None,
) -> None:
    """Start Dagster's web server and daemon, for lineage, runs, checks and the 06:00 UTC schedule. Ctrl-C stops both."""
    import os
    import signal
    import subprocess
    import sys
    from types import FrameType

    from assets.cli.daily import prepare_sample
    from assets.cli.instance import prepare_home
    from assets.web_server import LOOPBACK, NAMES_VARIABLE
    from pipelines.workspace import open_workspace

    console = terminal(stderr=True)
    prepare_sample(console)
    with open_workspace() as workspace:
        home, environment = prepare_home(workspace)
        text = f"Dagster starts on http://{host}:{port}, which takes some ten seconds (run history in Postgres, files in {home}); Ctrl-C stops it"
        console.print(text, soft_wrap=True)
        unfolded = ",".join(f"global@global:{group}" for group in GROUPS)
        console.print(f"the graph, unfolded: http://{host}:{port}/asset-groups?expanded={unfolded}", soft_wrap=True)
        server = [sys.executable, "-m", "assets.web_server", "dev"]
        command = [*server, "-m", "assets.definitions", "-h", host, "-p", str(port)]
        own = {NAMES_VARIABLE: ",".join((*LOOPBACK, host, *(name or ())))}
        # `dagster dev` announces its successor at every start, which is no news for whoever wants to see the page.
        quiet = {"PYTHONWARNINGS": "ignore:Function `dev_command` is superseded"}
        # A shell that starts commands in the background lets them ignore SIGINT, and their children with them: `kill` would end nothing.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        # In a session of its own, so that Ctrl-C reaches it once, through us; SIGINT is what it stops its children on.
        process = subprocess.Popen(
            [*command, "--log-level", "warning"],
            env={**quiet, **os.environ, **environment, **own},
            start_new_session=True,
        )

        def stop(_number: int, _frame: FrameType | None) -> None:
            process.send_signal(signal.SIGINT)

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        status = process.wait()
    raise typer.Exit(0 if status in (0, -signal.SIGINT, -signal.SIGTERM) else status)
