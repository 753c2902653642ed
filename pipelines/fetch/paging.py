"""How an API says that there is more: a style knows the parameters of the next page, or that there is none.

A server may lie: what an answer says of its next page is held to its type, and no style follows an address that an answer names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_MAX_TOKEN = 8192


class PagingError(ValueError):
    """What an answer says of its next page can't be; the message quotes nothing of it."""


@dataclass(frozen=True)
class OnePage:
    """The whole answer at once."""


@dataclass(frozen=True)
class Token:
    """The answer holds a token at `place`, which parameter `name` takes; `more` is the place of a flag that says whether it counts."""

    name: str
    place: str
    more: str | None = None


@dataclass(frozen=True)
class Numbered:
    """Pages count from 1 in parameter `name`; the answer holds the number of the last one at `last`."""

    name: str
    last: str


@dataclass(frozen=True)
class Offset:
    """Parameter `name` says how many records to pass over, `size` how many a page holds at most; a page with fewer is the last."""

    name: str
    size: str


Paging = OnePage | Token | Numbered | Offset


def first_page(paging: Paging) -> dict[str, Any]:
    """Parameters of the first page."""
    match paging:
        case Numbered():
            return {paging.name: 1}
        case Offset():
            return {paging.name: 0}
        case _:
            return {}


def next_page(paging: Paging, asked: Mapping[str, Any], answer: object, records: int) -> dict[str, Any] | None:
    """Parameters of the page after `answer`, which holds `records` records and was asked for with `asked`; None after the last.

    Raises PagingError.
    """
    match paging:
        case Token():
            return _after_token(paging, answer)
        case Numbered():
            last = at(answer, paging.last)
            if not isinstance(last, int) or isinstance(last, bool):
                raise PagingError(f"has no {paging.last}, the number of its last page")
            return {paging.name: asked[paging.name] + 1} if asked[paging.name] < last else None
        case Offset():
            is_full = records >= int(asked[paging.size])
            return {paging.name: asked[paging.name] + records} if is_full else None
        case _:
            return None


def _after_token(paging: Token, answer: object) -> dict[str, Any] | None:
    token, more = at(answer, paging.place), None if paging.more is None else at(answer, paging.more)
    if more is False or (token in (None, "") and not more):
        return None
    if not isinstance(token, str | int) or isinstance(token, bool) or token == "" or len(str(token)) > _MAX_TOKEN:
        raise PagingError(f"says that there is more, but its {paging.place} can't be used")
    return {paging.name: token}


def at(answer: object, path: str) -> object:
    """The value at `a/b` of a JSON answer; None if there is none."""
    for name in path.split("/"):
        answer = answer.get(name) if isinstance(answer, dict) else None
    return answer
