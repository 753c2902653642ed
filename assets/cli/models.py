"""`modelmeter models`: the catalogue of models, all that meet constraints, or one with every fact and who says so.

The answers are those of `pipelines.catalog` on what is loaded; the daily run keeps the catalogue in mart.model_catalog.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from assets.cli.dates import day_option
from assets.cli.model_pages import plain_answer, show_answer, show_one
from assets.cli.terminal import json_text, say

if TYPE_CHECKING:
    from pipelines.catalog import ScoreAtLeast
    from pipelines.config.model_facts import Modality
    from pipelines.selfhost.memory import Room

_CONTEXT = re.compile(r"(\d+(?:\.\d+)?)\s*([kKmM]?)")
_ROOM = re.compile(r"(?:(\d+)\s*[xX]\s*)?(\d+(?:\.\d+)?)\s*(?:GB|gb|G|g)?")
_SCORE = re.compile(r"([A-Za-z0-9_.@-]+)\s*>=\s*(-?\d+(?:\.\d+)?)")
_TIMES = {"": 1, "k": 1_000, "m": 1_000_000}
_BITS = (4.0, 8.0, 16.0)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("models")(models)


def models(
    model: Annotated[
        str | None, typer.Argument(help="One model by any of its names, with every fact and its source.")
    ] = None,
    *,
    is_open: Annotated[bool, typer.Option("--open", help="Weights are published.")] = False,
    is_permissive: Annotated[bool, typer.Option("--permissive", help="The licence restricts nothing.")] = False,
    context: Annotated[
        str | None, typer.Option("--context", help="At least this many tokens, for example 128k.")
    ] = None,
    fits: Annotated[
        str | None, typer.Option("--fits", help="Weights and one context fit into this memory: 48GB, or 2x80GB.")
    ] = None,
    bits: Annotated[float, typer.Option("--bits", help="Bits of a weight for --fits: 4, 8 or 16.")] = 4,
    score: Annotated[
        list[str] | None, typer.Option("--score", help="BENCHMARK>=SCORE, for example 'aider_polyglot>=40'.")
    ] = None,
    reads: Annotated[list[str] | None, typer.Option("--reads", help="It reads image, audio or video.")] = None,
    tools: Annotated[bool, typer.Option("--tools", help="It calls tools.")] = False,
    family: Annotated[str | None, typer.Option("--family", help="Only this family, for example qwen.")] = None,
    cheapest: Annotated[
        bool, typer.Option("--cheapest", help="Only models that are for sale, the cheapest in full.")
    ] = False,
    mix: Annotated[float, typer.Option("--mix", min=0, help="Tokens of input to one of output, for prices.")] = 3,
    at: Annotated[
        date | None, day_option("--at", "As known at the end of this UTC day; default: the newest loaded.")
    ] = None,
    show_all: Annotated[bool, typer.Option("--all", help="Also list what fails, with the reasons.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Everything with all digits, for programs.")] = False,
) -> None:
    """Show what is known about models: all, those that meet constraints, or one in full."""
    from pipelines.catalog import Question, QuestionError, answer
    from pipelines.daily.catalog import known_entries
    from pipelines.daily.report import newest_loaded_day
    from pipelines.selfhost.memory import Room
    from pipelines.workspace import open_workspace
    from pipelines.workspace.model_registry import registry_of

    room = _room(fits, Room)
    if bits not in _BITS:
        raise typer.BadParameter(f"--bits {bits:g}: accepted are 4, 8 and 16")
    bounds, modalities, tokens = _scores(score or []), _modalities(reads or []), _tokens(context)
    with open_workspace() as workspace:
        day = at or newest_loaded_day(workspace) or datetime.now(UTC).date()
        entries = known_entries(workspace, day)
        wanted = None if model is None else registry_of(workspace).resolve("", model).model_id
        preferred = workspace.config.routing.quality_benchmarks
    if model is not None:
        found = next((entry for entry in entries if entry.model_id == wanted), None)
        if found is None:
            raise typer.BadParameter(f"nothing is known about {model!r}: `modelmeter models` lists what is known")
        show_one(found, workspace.config.hardware.machines, day, as_json=as_json)
        return
    question = Question(
        is_open=is_open,
        is_permissive=is_permissive,
        context_tokens=tokens,
        room=room,
        bits=bits,
        inputs=modalities,
        tools=tools,
        family=family,
        scores=bounds,
        preferred=preferred,
        is_priced=cheapest,
        input_per_output=Decimal(str(mix)),
    )
    try:
        answered = answer(entries, question)
    except QuestionError as error:
        raise typer.BadParameter(str(error)) from None
    if as_json:
        say(json_text(plain_answer(answered, question, day), indent=1))
    else:
        show_answer(answered, question, day, show_all=show_all, in_full=cheapest)


def _tokens(text: str | None) -> int | None:
    if text is None:
        return None
    match = _CONTEXT.fullmatch(text.strip())
    if match is None:
        raise typer.BadParameter(f"--context {text!r}: accepted is a number of tokens, for example 32768, 128k or 1m")
    return round(float(match[1]) * _TIMES[match[2].lower()])


def _room(text: str | None, make: type[Room]) -> Room | None:
    if text is None:
        return None
    match = _ROOM.fullmatch(text.strip())
    if match is None or float(match[2]) <= 0 or match[1] == "0":
        raise typer.BadParameter(f"--fits {text!r}: accepted is the memory of a GPU, for example 48GB or 2x80GB")
    return make(float(match[2]), int(match[1] or 1))


def _scores(texts: list[str]) -> tuple[ScoreAtLeast, ...]:
    from pipelines.catalog import ScoreAtLeast

    found = []
    for text in texts:
        match = _SCORE.fullmatch(text.strip())
        if match is None:
            raise typer.BadParameter(
                f"--score {text!r}: accepted is BENCHMARK>=SCORE, for example 'aider_polyglot>=40'"
            )
        found.append(ScoreAtLeast(match[1], float(match[2])))
    return tuple(found)


def _modalities(texts: list[str]) -> tuple[Modality, ...]:
    from pipelines.config.model_facts import Modality

    for text in texts:
        if text not in get_args(Modality):
            raise typer.BadParameter(f"--reads {text!r}: accepted are {', '.join(get_args(Modality))}")
    return tuple(kind for kind in get_args(Modality) if kind in texts)
