"""`modelmeter scores`: what the leaderboards say of the models, written in the EvalEval coalition's shared schema.

The documents are made by `pipelines.benchmarks`; the same schema comes in through format `every_eval_ever`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated

import typer

from assets.cli.dates import day_option, end_of
from assets.cli.terminal import say


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("scores")(scores)


def scores(
    board: Annotated[
        str | None, typer.Option("--board", help="Only this leaderboard, as sources.yaml names it.")
    ] = None,
    known_at: Annotated[
        date | None, day_option("--known-at", "As known at the end of this UTC day; default: now.")
    ] = None,
) -> None:
    """Write the scores as "Every Eval Ever" documents (schema 0.3.0), one JSON document per line."""
    from pipelines.benchmarks import export_every_eval_ever
    from pipelines.warehouse.read import read_table
    from pipelines.warehouse.tables.core import MODEL
    from pipelines.warehouse.tables.core_benchmarks import BENCHMARK, BENCHMARK_SCORE
    from pipelines.workspace import open_workspace

    at = datetime.now(UTC) if known_at is None else end_of(known_at)
    with open_workspace() as workspace:
        boards = [declared.board for declared in workspace.config.sources.leaderboards]
        if board is not None and board not in boards:
            raise typer.BadParameter(f"{board!r} is not declared in sources.yaml; accepted: {', '.join(boards)}")
        with workspace.database.connect(read_only=True) as connection:
            found = read_table(connection, BENCHMARK_SCORE, "board = any(%s)", [[board] if board else boards])
            benchmarks, models = read_table(connection, BENCHMARK), read_table(connection, MODEL)
    for document in export_every_eval_ever(found, benchmarks, at, models):
        say(document)
