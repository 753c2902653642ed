"""`modelmeter focus`: a month of charges in FOCUS, the FinOps open cost and usage specification.

The files are made by `pipelines.books.focus`.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from assets.cli.dates import month_option
from assets.cli.terminal import say


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("focus")(focus)


def focus(
    month: Annotated[date, month_option("--month", "The month, as YYYY-MM.")],
    out: Annotated[Path, typer.Option("--out", help="The folder to write to.", file_okay=False)],
    version: Annotated[str, typer.Option("--version", help="1.2, 1.3 or 1.4, the newest that is ratified.")] = "1.4",
    by_user: Annotated[
        bool,
        typer.Option(
            "--by-user", help="Split charges by the user and key that the log names (x_PrincipalId, x_CredentialId)."
        ),
    ] = False,
) -> None:
    """Write a month's Cost and Usage and its other data sets as CSV and Parquet, and say what they hold and what they leave out."""
    from pipelines.books.focus.export import export_month, export_supporting
    from pipelines.books.focus.versions import VERSIONS
    from pipelines.workspace import open_workspace

    chosen = next((known for known in VERSIONS if known == version), None)
    if chosen is None:
        raise typer.BadParameter(f"--version {version} is not accepted: {', '.join(VERSIONS)}")
    # Who made a call stands in requests as they are staged, which the reader does not see.
    with open_workspace() as workspace, workspace.database.connect(read_only=not by_user) as connection:
        found, files = export_month(
            connection,
            month,
            chosen,
            out,
            workspace.config.focus.billing_accounts,
            allocation=workspace.config.allocation,
            by_user=by_user,
        )
        files += export_supporting(
            connection, month, chosen, out, usage=found.rows, declared=workspace.config.commitments
        )
    for file in files:
        say(str(file))
    say(f"{found.rows.height:,} rows, billed {found.rows['BilledCost'].sum() or 0:f} USD")
    if found.unpriced_requests:
        say(
            f"not in the file: {found.unpriced_requests:,} requests whose cost is not known (modelmeter sql, mart.cost_coverage)"
        )
    if found.unnamed_accounts:
        say(f"no account declared in focus.yaml for {', '.join(found.unnamed_accounts)}: named <seller>-account")
