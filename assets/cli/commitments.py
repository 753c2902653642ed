"""`modelmeter commitments`: how what was paid ahead or promised to sellers stands, in words and as JSON.

The rows are those of mart.commitment_day; the words are in `pipelines.finops.commitments`.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from assets.cli.dates import day_option
from assets.cli.terminal import json_text, say


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("commitments")(commitments)


def commitments(
    day: Annotated[
        date | None, day_option("--date", "How they stood at the end of this UTC day; default: the newest.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Every figure with all digits, for programs.")] = False,
) -> None:
    """Show how much of each commitment is used, whether it pays, when credits run out or expire, and which discounts apply."""
    from pipelines.finops.commitments import KINDS, discount_sentences, sentence, standings
    from pipelines.workspace import open_workspace

    with open_workspace() as workspace, workspace.database.connect(read_only=True) as connection:
        rows, discounts = standings(connection, day), workspace.config.commitments.discounts
    if as_json:
        say(json_text({"commitments": rows, "discounts": [item.model_dump(mode="json") for item in discounts]}))
        return
    if not rows and not discounts:
        say("nothing is declared in commitments.yaml, or no day of it is loaded")
    for row in rows:
        say(
            f"{row['event_date']}  {row['commitment_id']} ({KINDS[row['kind']]} at {row['provider_id']}): {sentence(row)}"
        )
    for line in discount_sentences(discounts):
        say(line)
