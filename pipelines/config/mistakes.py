"""What is wrong in a configuration, in one line each: file, line, key, what was found, what is accepted, what was probably meant.

Schemas raise `KeyMistake` or pydantic's own errors; where a key stands in its file is `yaml_file.py`.
"""

from __future__ import annotations

import difflib
import re
import types
import typing
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Union

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from pipelines.config.wording import found, in_words, may_be_secret

__all__ = [
    "ConfigError", "Key", "KeyMistake", "accepted_are", "did_you_mean", "dotted", "explained", "found", "may_be_secret", "refuse_twice",
    "refuse_unknown",
]  # fmt: skip

_SHORTEST = 3
"""Letters that the beginning of a name must have to stand for it."""

Key = tuple[str | int, ...]
"""The way to a value: names of keys and numbers of list items, from 0."""


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


def did_you_mean(name: object, accepted: Iterable[object]) -> str:
    """`; did you mean 'format'?` where one of the accepted names is close to `name`, else nothing."""
    names = [str(item) for item in accepted]
    lower = str(name).lower()
    close = difflib.get_close_matches(lower, [item.lower() for item in names], n=1, cutoff=0.7)
    meant = next((item for item in names if close and item.lower() == close[0]), None)
    if meant is None and len(lower) >= _SHORTEST:  # `from` for `from_date`, `amount_usd` for `amount`
        longer = [
            item for item in names if item.lower().startswith(f"{lower}_") or lower.startswith(f"{item.lower()}_")
        ]
        meant = longer[0] if len(longer) == 1 else None
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


def refuse_unknown(names: Iterable[str], accepted: Sequence[str], *, within: Key = (), beginning: str = "") -> None:
    """Raises KeyMistake for the first name of a key below `within` that is not accepted; what starts with `beginning` is."""
    for name in names:
        if name not in accepted and not (beginning and name.startswith(beginning)):
            more = [f"{beginning}<name>"] if beginning else []
            raise KeyMistake((*within, name), f"no such field; {accepted_are(name, [*accepted, *more])}")


def explained(schema: type[BaseModel], errors: Sequence[ErrorDetails]) -> list[tuple[Key, str]]:
    """Key and problem of each error of a validation; a key that is only missing because it was misspelt is no second one."""
    misspelt = [error["loc"] for error in errors if error["type"] == "extra_forbidden"]
    mistakes: dict[Key, str] = {}
    for error in errors:
        key, _ = _followed(schema, error["loc"])
        if error["type"] == "too_short" and any(
            other["loc"][: len(error["loc"])] == error["loc"] for other in errors if other is not error
        ):
            continue  # its items are wrong, each with a line of its own
        if error["type"] == "missing" and any(
            other[:-1] == error["loc"][:-1] and did_you_mean(other[-1], [key[-1]]) for other in misspelt
        ):
            continue
        raised = error.get("ctx", {}).get("error")
        if isinstance(raised, KeyMistake):
            mistakes.setdefault((*key, *raised.key), raised.problem)
        elif error["type"].startswith("union_tag"):
            mistakes.setdefault((*key, error["ctx"]["discriminator"].strip("'")), _problem(schema, error))
        else:
            mistakes.setdefault(key, _problem(schema, error))
    return list(mistakes.items())


def _problem(schema: type[BaseModel], error: ErrorDetails) -> str:
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "value_error":
        return error["msg"].removeprefix("Value error, ")
    if kind in ("missing", "union_tag_not_found"):
        return "is missing"
    if kind == "extra_forbidden":
        _, block = _followed(schema, error["loc"][:-1])
        return f"there is no such key; {accepted_are(error['loc'][-1], _keys_of(block))}"
    if kind in ("literal_error", "union_tag_invalid"):
        name = context.get("tag", value)
        return f"found {found(name)}, {accepted_are(name, _choices(context.get('expected_tags', context.get('expected', ''))))}"
    if kind == "model_type":
        _, block = _followed(schema, error["loc"])
        return f"found {found(value)}, accepted is a map of {', '.join(_keys_of(block))}"
    return in_words(kind, error["msg"], context, value)


def _choices(expected: str) -> list[str]:
    """The names in `'a', 'b' or 'c'`."""
    return re.findall(r"'([^']*)'", expected) or [part.strip() for part in expected.replace(" or ", ",").split(",")]


def _keys_of(annotation: Any) -> list[str]:  # noqa: ANN401 - an annotation is anything
    """The keys that a block of this annotation accepts."""
    return [field.alias or name for block in _blocks(annotation) for name, field in block.model_fields.items()]


def _blocks(annotation: Any) -> list[type[BaseModel]]:  # noqa: ANN401 - an annotation is anything
    return [kind for kind in _kinds(annotation) if isinstance(kind, type) and issubclass(kind, BaseModel)]


def _followed(schema: type[BaseModel], place: Key) -> tuple[Key, Any]:
    """The key in the file of a place that pydantic names, and the annotation of what lies there.

    Of a value of several kinds pydantic's place also names the kind that was tried: the file has no such key.
    """
    key: list[str | int] = []
    at: Any = schema
    for part in place:
        if part == "[key]":
            continue
        below = _below(at, part)
        if below is None and (tried := _tried(at, part)) is not None:
            at = tried
        else:
            key.append(part)
            at = below
    return tuple(key), at


def _tried(annotation: Any, part: str | int) -> Any:  # noqa: ANN401 - an annotation is anything
    """Of a union, the member that pydantic calls `part`: by its tag, its name, or the type that it is made of."""
    members = _kinds(annotation)
    for member in members if len(members) > 1 else ():
        name = getattr(member, "__name__", "").lower()
        fields = getattr(member, "model_fields", {}).values()
        tags = [tag for field in fields for tag in typing.get_args(field.annotation) if isinstance(tag, str)]
        if part in tags or (isinstance(part, str) and re.search(rf"\b{re.escape(name)}\b", part.lower())):
            return member
    return None


def _below(annotation: Any, part: str | int) -> Any:  # noqa: ANN401 - an annotation is anything
    """The annotation of what lies at `part` of a value of this annotation."""
    for kind in _kinds(annotation):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
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
