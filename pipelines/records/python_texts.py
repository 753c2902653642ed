"""Values that Python printed, as JSON: `{'input_tokens': 5, 'cost': Decimal('0.1'), 'details': None}`, `Usage(input_tokens=5)`.

Tables of pandas hold objects so, and so do loggers that turn an answer into text. What a call was made with by name becomes an object; of a
call by place a lone number or text is known. A text that is anything else stays as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

BEGINS = r"^\s*(?:[\[{(]\s*)*(?:'|[A-Z]\w*\(\w+=)"
"""How such a value begins, where it is an object."""
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_TOKEN = re.compile(
    rf"\s*(?:(?P<text>[bru]{{0,2}}(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"))|(?P<number>{_NUMBER.pattern})"
    r"|(?P<name>-?[A-Za-z_][\w.]*)|(?P<sign>[\[\]{}(),:=<>]))",
    re.DOTALL,
)
_NAMED = re.compile(r"\s*\w+=")
_ESCAPED = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))", re.DOTALL)
_SIGNS = {"n": "\n", "t": "\t", "r": "\r", "\n": ""}
_WORDS = {"None": "null", "True": "true", "False": "false"}
_CLOSED_BY = {"[": "]", "{": "}", "(": ")"}
_DEEPEST = 40


def as_json(text: str) -> str | None:
    """The JSON of a value that Python printed; None if the text is no such value."""
    if not re.match(BEGINS, text):
        return None
    try:
        reader = _Reader(text)
        value = reader.value(0)
        return value if reader.at_end() else None
    except (_NoValueError, ValueError):
        return None


def _unescaped(found: re.Match[str]) -> str:
    digits = found[1] or found[2] or found[3]
    return chr(int(digits, 16)) if digits else _SIGNS.get(found[4], found[4])


class _NoValueError(Exception):
    """The text is not what Python prints."""


class _Reader:
    """The tokens of a text in their order; each method gives the JSON of what it reads."""

    def __init__(self, text: str) -> None:
        self._text, self._place = text, 0

    def at_end(self) -> bool:
        return not self._text[self._place :].strip()

    def value(self, depth: int) -> str:
        kind, said = self._next()
        if depth > _DEEPEST:
            raise _NoValueError
        if kind == "text":
            return json.dumps(_ESCAPED.sub(_unescaped, said.lstrip("bru")[1:-1]))
        if kind == "number":
            return said
        if kind == "name":
            return self._call(said, depth) if self._peek() == "(" else _WORDS.get(said, "null")
        if said == "<":  # a member of an enumeration: <Tier.FLEX: 'flex'>
            self._next()
            return self._expected(":") + self.value(depth + 1) + self._expected(">")
        if said == "{":
            return f"{{{','.join(self._items(said, depth, self._pair))}}}"
        if said in _CLOSED_BY:
            return f"[{','.join(self._items(said, depth, self.value))}]"
        raise _NoValueError

    def _call(self, name: str, depth: int) -> str:
        self._expected("(")
        if _NAMED.match(self._text, self._place) or self._peek() == ")":
            return f"{{{','.join(self._items('(', depth, self._argument))}}}"
        given = [item for item in self._items("(", depth, self._given) if item]
        if name == "Decimal" and len(given) == 1:
            digits = str(json.loads(given[0]))
            return digits if _NUMBER.fullmatch(digits) else "null"
        return given[0] if len(given) == 1 else "null"

    def _items(self, opened: str, depth: int, read: Callable[[int], str]) -> list[str]:
        found: list[str] = []
        while self._peek() != _CLOSED_BY[opened]:
            found.append(read(depth + 1))
            if self._peek() != _CLOSED_BY[opened]:
                self._expected(",")
        self._next()
        return found

    def _pair(self, depth: int) -> str:
        key = json.loads(self.value(depth))
        self._expected(":")
        return f"{json.dumps(str(key))}:{self.value(depth)}"

    def _argument(self, depth: int) -> str:
        _, name = self._next()
        self._expected("=")
        return f"{json.dumps(name)}:{self.value(depth)}"

    def _given(self, depth: int) -> str:
        """A value by place; nothing for one by name after it, such as the zone of an instant."""
        if not _NAMED.match(self._text, self._place):
            return self.value(depth)
        self._argument(depth)
        return ""

    def _next(self) -> tuple[str, str]:
        found = _TOKEN.match(self._text, self._place)
        if found is None or found.lastgroup is None:
            raise _NoValueError
        self._place = found.end()
        return found.lastgroup, found[found.lastgroup]

    def _peek(self) -> str:
        found = _TOKEN.match(self._text, self._place)
        return found["sign"] if found is not None and found["sign"] else ""

    def _expected(self, sign: str) -> str:
        if self._next()[1] != sign:
            raise _NoValueError
        return ""
