"""The progress of a command as JSON lines on standard error, for `--log-format json`: one event a line, for collectors of logs."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assets.cli.terminal import json_text, say, terminal

if TYPE_CHECKING:
    from rich.console import Console


class LogFormat(StrEnum):
    """How progress is written."""

    TEXT = "text"
    JSON = "json"


LogFormatOption = Annotated[LogFormat, typer.Option("--log-format", help="How progress is written: text or json.")]


def progress_console(log_format: LogFormat) -> Console:
    """Where a command writes its progress."""
    if log_format is LogFormat.TEXT:
        return terminal(stderr=True)
    from rich.console import Console

    class JsonLines(Console):
        """Every line as one JSON object; styles and animations are left out."""

        def print(self, *objects: Any, **_: Any) -> None:  # noqa: ANN401, as the base class takes them
            log_line("message", text=" ".join(map(str, objects)))

    return JsonLines(stderr=True, force_terminal=False, quiet=True)


def log_line(event: str, **facts: object) -> None:
    """One event with its facts; those that are None are left out."""
    known = {name: value for name, value in facts.items() if value is not None}
    line = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **known}
    say(json_text(line, indent=None), err=True)
