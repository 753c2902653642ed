"""What is wrong in a configuration, in one line each: file, line, key, what was found, what is accepted, what was probably meant.

Schemas raise `KeyMistake` or pydantic's own errors; where a key stands in its file is `yaml_file.py`.
"""

from __future__ import annotations

import difflib
import re
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Union

from pydantic import BaseModel
from pydantic_core import ErrorDetails

Key = tuple[str | int, ...]
"""The way to a value: names of keys and numbers of list items, from 0."""

_LONGEST = 60
"""Characters of a found value that an error shows."""
_TOKEN = re.compile(
    r"(?:sk|pk|rk|xox[a-z]|gh[a-z])[-_]\S{8,}|(?:AKIA|eyJ|Bearer |Basic )\S{8,}"
    r"|(?=\D*\d)[A-Za-z0-9]{20,}|(?=\D*\d)(?=.*[a-z])(?=.*[A-Z])[A-Za-z0-9+/=_-]{32,}",
    re.ASCII,
)
"""What keys look like: a known beginning, or many letters and digits without a space."""
_ADDRESS = re.compile(r"://\S*@|://\S*\?\S*=")
"""An address with a user or a query."""


class ConfigError(ValueError):
    """A configuration can't be used. The message has one line per mistake."""


class KeyMistake(ValueError):  # noqa: N818 - it is one of the mistakes that a ConfigError lists
    """A value below the block that is validated is wrong. `key` leads to it from there."""

    def __init__(self, key: Key, problem: str) -> None:
        super().__init__(f"{dotted(key)}: {problem}")
        self.key = key
        self.problem = problem


def dotted(key: Key) -> str:
    """A key as it is shown: `requests.0.options.columns`."""
    return ".".join("(a long name)" if may_be_secret(part) else str(part) for part in key)


def may_be_secret(value: object) -> bool:
    """Whether this may be a key or an address with a password that was written into the wrong place: it is never shown."""
    if not isinstance(value, str):
        return False
    return bool(_TOKEN.fullmatch(value) or _ADDRESS.search(value))


def found(value: object) -> str:
    """A value as an error shows it: short, and of what holds others only the kind."""
    if isinstance(value, Mapping):
        return "a map"
    if isinstance(value, list | tuple):
        return "a list"
    if may_be_secret(value):
        return f"a text of {len(str(value))} characters, which may be a secret"
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def did_you_mean(name: object, accepted: Iterable[object]) -> str:
    """`; did you mean 'format'?` where one of the accepted names is close to `name`, else nothing."""
    names = [str(item) for item in accepted]
    close = difflib.get_close_matches(str(name).lower(), [item.lower() for item in names], n=1, cutoff=0.7)
    meant = next((item for item in names if close and item.lower() == close[0]), None)
    return f"; did you mean {meant!r}?" if meant else ""


def accepted_are(name: object, accepted: Iterable[object]) -> str:
    """`accepted are a, b, c`, and what was probably meant by `name`."""
    names = [str(item) for item in accepted]
    return f"accepted are {', '.join(names)}{did_you_mean(name, names)}"


def refuse_twice(key: str, names: Iterable[str], *, within: str | None = None) -> None:
    """Raises KeyMistake for the first name of the list `key` that an earlier item has; `within` is the item's key of the name."""
    seen: dict[str, int] = {}
    for number, name in enumerate(names):
        if name in seen:
            place: Key = (key, number) if within is None else (key, number, within)
            raise KeyMistake(place, f"{name!r} is declared twice, first as {key}.{seen[name]}; a name is accepted once")
        seen[name] = number


def explained(schema: type[BaseModel], errors: Sequence[ErrorDetails]) -> list[tuple[Key, str]]:
    """Key and problem of each error of a validation; a key that is only missing because it was misspelt is no second one."""
    misspelt = [error["loc"] for error in errors if error["type"] == "extra_forbidden"]
    mistakes = []
    for error in errors:
        key = tuple(part for part in error["loc"] if part != "[key]")
        if error["type"] == "too_short" and any(
            other["loc"][: len(key)] == key for other in errors if other is not error
        ):
            continue  # its items are wrong, each with a line of its own
        if error["type"] == "missing" and any(
            other[:-1] == key[:-1] and did_you_mean(other[-1], [key[-1]]) for other in misspelt
        ):
            continue
        raised = error.get("ctx", {}).get("error")
        if isinstance(raised, KeyMistake):
            mistakes.append(((*key, *raised.key), raised.problem))
        else:
            mistakes.append((key, _problem(schema, error)))
    return mistakes


def _problem(schema: type[BaseModel], error: ErrorDetails) -> str:
    message, value = error["msg"], error["input"]
    match error["type"]:
        case "extra_forbidden":
            accepted = _keys_of(schema, error["loc"][:-1])
            return f"there is no such key; {accepted_are(error['loc'][-1], accepted)}"
        case "missing":
            return "is missing"
        case "literal_error":
            accepted = [part.strip(" '") for part in message.partition("be ")[2].replace(" or ", ",").split(",")]
            return f"found {found(value)}, {accepted_are(value, accepted)}"
        case "value_error":
            return message.removeprefix("Value error, ")
        case "string_pattern_mismatch":
            return f"found {found(value)}, accepted is text that matches {error['ctx']['pattern']}"
        case _:
            lower = message[0].lower() + message[1:]
            return f"found {found(value)}, accepted is {lower.removeprefix('input should be ')}"


def _keys_of(schema: type[BaseModel], key: Key) -> list[str]:
    """The keys that the block at `key` accepts; none where the way there can't be followed."""
    at: Any = schema
    for part in key:
        at = _below(at, part)
    blocks = [kind for kind in _kinds(at) if isinstance(kind, type) and issubclass(kind, BaseModel)]
    return [field.alias or name for block in blocks for name, field in block.model_fields.items()]


def _below(annotation: Any, part: str | int) -> Any:  # noqa: ANN401 - an annotation is anything
    """The annotation of what lies at `part` of a value of this annotation."""
    for kind in _kinds(annotation):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            if kind.__name__ == part:
                return kind
            for name, field in kind.model_fields.items():
                if part in (name, field.alias):
                    return field.annotation
        inner = typing.get_args(kind)
        if typing.get_origin(kind) in (tuple, list) and isinstance(part, int):
            return inner[0]
        if typing.get_origin(kind) is dict and inner:
            return inner[1]
    return None


def _kinds(annotation: Any) -> list[Any]:  # noqa: ANN401 - an annotation is anything
    """The members of a union, without None and annotations."""
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        return _kinds(typing.get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return [kind for member in typing.get_args(annotation) for kind in _kinds(member)]
    return [] if annotation in (None, type(None)) else [annotation]
