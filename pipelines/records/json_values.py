"""A text of JSON values to its elements: objects one after the other, and the items of arrays.

One that is broken ends where the next one begins, so that it costs itself alone. What an element holds is opened in
`json_documents.py`; which lines of a file make up such a text is decided in `line_groups.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipelines.records.json_record import RecordError, load_item

_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|[{}\[\]]')
_BEGINS = re.compile(r"(?:\n([ \t]*)|[,\[][ \t]*)(?=\{)")
"""Where an item may begin: at the beginning of a line, or behind a comma."""
_FIRST_KEY = re.compile(r'\{\s*"([^"\\\n]*)"')
_MOST_TRIES = 200
_LONGEST_BROKEN = 4 * 2**20
"""Characters in which the end of a broken element is looked for by its brackets."""


@dataclass(frozen=True)
class Element:
    """The characters [start, end) and their value, or why they have none."""

    start: int
    end: int
    value: object = None
    error: RecordError | None = None


class Scanner:
    """Reads the elements of `text` from `position` on; `is_open`: inside an array."""

    def __init__(self, text: str, position: int = 0, *, is_open: bool = False) -> None:
        self.text = text
        self.position = position
        self.is_open = is_open
        self._first_key: str | None = None
        self._is_empty = True

    @property
    def at_end(self) -> bool:
        """Whether nothing but white space and commas is left."""
        return skipped(self.text, self.position) == len(self.text)

    def elements(self) -> Iterator[Element]:
        """Every element that is left; an array that is never closed ends with one that says so, unless its last is broken."""
        last: Element | None = None
        while not self.at_end:
            element = self.step()
            if element is not None:
                yield element
                last = element
        if self.is_open and (last is None or last.error is None or last.end < len(self.text.rstrip())):
            end = len(self.text)
            yield Element(end, end, error=RecordError("not_json", "the array breaks off: nothing closes it"))

    def step(self) -> Element | None:
        """The next element, or None if the next thing opened or closed an array with items."""
        start = skipped(self.text, self.position)
        if not self.is_open and self._opens_array(start):
            self.position, self.is_open, self._is_empty = start + 1, True, True
            return None
        if self.is_open and self.text[start] == "]":
            self.position, self.is_open = start + 1, False
            nothing = RecordError("no_items", "the array holds no record")
            return Element(start, start + 1, error=nothing) if self._is_empty else None
        self._is_empty = False
        try:
            value, self.position = load_item(self.text, start)
        except RecordError as error:
            self.position = self._after_broken(start)
            return Element(start, start + len(self.text[start : self.position].rstrip(" \t\r\n,")), error=error)
        if isinstance(value, dict) and self._first_key is None:
            self._first_key = next(iter(value), None)
        return Element(start, self.position, value)

    def _opens_array(self, start: int) -> bool:
        """An array of records; one of plain values is a value itself."""
        inner = skipped(self.text, start + 1, between="")
        return self.text[start] == "[" and self.text[inner : inner + 1] in ("{", "[", "]", "")

    def _after_broken(self, start: int) -> int:
        """Where the element after the broken one begins: behind its last bracket, at a line or comma where one like its
        neighbours begins, or at the end. Outside of an array what is broken ends with its line."""
        text = self.text
        if not self.is_open:
            line_end = text.find("\n", start)
            return len(text) if line_end < 0 else line_end
        end = _balanced(text, start)
        if end is not None and text[skipped(text, end, between="") :][:1] in (",", "]", ""):
            return end
        own_key = _FIRST_KEY.match(text, start)
        key = self._first_key or (own_key[1] if own_key else None)
        line_start = text.rfind("\n", 0, start) + 1
        indent = text[line_start:start] if not text[line_start:start].strip() else None
        for tries, found in enumerate(_BEGINS.finditer(text, start + 1)):
            if tries == _MOST_TRIES:
                break
            likely = found[1] == indent if found[1] is not None else _is_like(text, found.end(), key)
            if likely and _loads(text, found.end()):
                return found.end()
        return len(text)


def skipped(text: str, position: int, between: str = ",") -> int:
    """The index of the next value: white space and what stands between values are passed over."""
    while position < len(text) and (
        text[position].isspace() or text[position] in between or text[position] == "\ufeff"
    ):
        position += 1
    return position


def _balanced(text: str, start: int) -> int | None:
    """The index after the bracket that closes the one at `start`; None if none does."""
    if text[start] != "{":
        return None
    open_brackets: list[str] = []
    for token in _TOKEN.finditer(text, start, start + _LONGEST_BROKEN):
        match token[0]:
            case "{" | "[":
                open_brackets.append(token[0])
            case "}" | "]":
                if open_brackets.pop() + token[0] not in ("{}", "[]"):
                    return None
                if not open_brackets:
                    return token.end()
    return None


def _is_like(text: str, position: int, key: str | None) -> bool:
    found = _FIRST_KEY.match(text, position)
    return key is None or (found is not None and found[1] == key)


def _loads(text: str, position: int) -> bool:
    try:
        load_item(text, position)
    except RecordError:
        return False
    return True
