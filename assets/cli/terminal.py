"""What commands print: text out of data can neither steer the terminal nor be taken for markup.

A model's name may hold an escape sequence that clears the screen, sets the title or hides a line. Control characters and
marks that turn the direction of text are shown as escapes, wherever they come from.
"""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

_STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_STEERS_IN_JSON = re.compile("[\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def can_write_anything() -> None:
    """Let a name in any script be printed where the locale knows few letters: programs and files get UTF-8, a terminal escapes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            encoding = stream.encoding if stream.isatty() else "utf-8"
            stream.reconfigure(encoding=encoding, errors="backslashreplace")


def printable(text: str) -> str:
    """`text` with what could steer a terminal as `\\x1b` or `\\u202e`; line breaks and tabs stay."""
    return _STEERS.sub(lambda found: _escape(found[0]), text)


def _escape(letter: str) -> str:
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def json_text(value: object, *, indent: int | None = 2) -> str:
    """JSON that is safe to print and means the same: letters as they are, what could steer a terminal as `\\u009b`."""
    return printable_json(json.dumps(value, indent=indent, ensure_ascii=False, default=str))


def printable_json(text: str) -> str:
    """JSON text, with what could steer a terminal as JSON escapes."""
    return _STEERS_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def terminal(*, stderr: bool = False, soft_wrap: bool = False, width: int | None = None) -> Console:
    """The console of a command: texts are no markup, a style is given by `Text` or `style=`."""
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

    class Terminal(Console):
        """Escapes control characters when they are drawn, whatever they are part of."""

        def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
            for segment in super().render(renderable, options):
                yield segment if segment.control else Segment(printable(segment.text), segment.style)

    return Terminal(stderr=stderr, soft_wrap=soft_wrap, width=width, highlight=False, markup=False)


def say(text: str, *, err: bool = False) -> None:
    """Print one line as it is, but for what could steer the terminal. For JSON see `json_text`."""
    (sys.stderr if err else sys.stdout).write(printable(text) + "\n")
