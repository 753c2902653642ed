"""One record to its allow-listed texts: the reference reading, exact to the digit, used where the fast one gives up.

Numbers keep the digits they were written with, the first of two equal keys counts, and an object may be written
as a JSON string. The fast reading of whole blocks that must agree with this one is in `json_columns.py` and `json_texts.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from pipelines.records.extended_json import number_in, text_in
from pipelines.records.paths import Node
from pipelines.records.python_texts import as_json

MAX_TEXT = 4096
"""Longest text that an allow-listed field may hold, in characters: an identifier or a name, never a prompt."""

UNREADABLE = "?!"
"""Stands for a detail of a usage that has another shape than it should: no number, and not the sign of a missing value."""

Texts = dict[str, str | None]


class RecordError(ValueError):
    """A record can't become a row. `reason` is for programs, the message for people; neither holds record text.

    `position` is the character at which the text is no JSON any more, where that is why.
    """

    def __init__(self, reason: str, detail: str, position: int | None = None) -> None:
        super().__init__(detail)
        self.reason = reason
        self.position = position


class Number(str):
    """A JSON number as it was written, without zeros at the end of a fraction."""

    __slots__ = ()


def object_of(value: object) -> dict[str, Any]:
    """The value, where it is an object; else an empty one."""
    return value if isinstance(value, dict) else {}


def object_in(record: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The object in a field; empty where there is none."""
    return object_of(record.get(name))


def objects_of(value: object) -> list[dict[str, Any]]:
    """The objects in a list; none where it is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def count_of(value: object) -> int:
    """A whole number as written; 0 for anything else."""
    return int(str(value)) if str(value).isdecimal() else 0


def _first_wins(pairs: list[tuple[str, Any]]) -> dict[str, Any] | Number:
    found = dict(pairs)
    if len(found) != len(pairs):
        found = dict(reversed(pairs))
    digits = number_in(found) if len(found) == 1 else None
    return found if digits is None else Number(digits)


def _no_value(_name: str) -> None:
    """NaN, Infinity and -Infinity are no JSON, but Python and pandas write them where a number is unknown."""


def _fraction(text: str) -> Number:
    """A number with a point or an exponent, without what adds nothing: writers that hold all numbers as floats (protobuf's Struct, pandas)
    print 500 as 500.0."""
    return Number(spelled(Number(text)) if "e" in text.lower() else text.rstrip("0").removesuffix("."))


_DECODER = json.JSONDecoder(
    object_pairs_hook=_first_wins, parse_float=_fraction, parse_int=Number, parse_constant=_no_value
)

COUNTED = ("usage", "usageMetadata", "usage_metadata")
_PLAIN = "prompt_tokens"
"""The count of a record that has no object of them."""
_ANSWERED = (*COUNTED, "choices", "candidates")
"""What only an answer of a provider has, and no object that its model wrote."""
_ERROR = "error"
_SAID = (_ERROR, "status")
"""Objects of these names may be written as a word, or as whether there is any. What an error says is not read."""
_NOTHING = ("", "0", "null", "none", "false", "n/a", "-")


def load(text: str) -> object:
    """The value of `text` with numbers as `Number`. Raises RecordError(not_json) with the place, never the text."""
    try:
        # Files that were joined bring the byte order mark of each into the middle.
        value: object = _DECODER.decode(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        raise RecordError("not_json", f"{error.msg} at character {error.pos + 1} of {len(text)}") from None
    except RecursionError:
        raise RecordError("not_json", "nested too deeply") from None
    return value


def load_item(text: str, start: int) -> tuple[object, int]:
    """The value that starts at `start` of `text` and the index after it. Raises RecordError(not_json)."""
    try:
        value, end = _DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise RecordError("not_json", f"{error.msg} at character {error.pos + 1}", error.pos) from None
    except RecursionError:
        raise RecordError("not_json", "nested too deeply") from None
    return value, end


def texts_of(record: object, tree: Node) -> Texts:
    """The texts of the allow-listed paths of one decoded record; a path that is absent or null is None.

    A list leaf becomes the JSON text of a list of strings. Raises RecordError(wrong_type, nul_character,
    text_too_long, bad_escape) naming the field.
    """
    if not isinstance(record, Mapping):
        raise RecordError("wrong_type", f"the record is {_kind(record)}, an object is accepted")
    texts: Texts = dict.fromkeys(tree.paths)
    _walk(record, tree, texts)
    return texts


def _walk(record: Mapping[str, Any], node: Node, texts: Texts) -> None:
    for key, path in node.leaves.items():
        value = _plain(record.get(key))
        is_broken = path in node.details and isinstance(value, dict | list)
        texts[path] = UNREADABLE if is_broken else _scalar(value, path)
    for key, path in node.lists.items():
        texts[path] = _list(record.get(key), path)
    for key, child in node.children.items():
        held = record.get(key)
        if child.path in node.bodies and not holds_answer(held, record):
            continue
        if key in _SAID and not isinstance(held, Mapping) and not str(held).lstrip().startswith("{"):
            texts.update(dict.fromkeys(child.leaves.values(), _said(key, held, child.path)))
            continue
        _enter(held, child, texts, is_detail=child.path in node.details)


def _enter(held: object, child: Node, texts: Texts, *, is_detail: bool) -> None:
    """The texts below an object; of one that holds details only, what is no object costs the details."""
    try:
        value = _opened(held, child.path)
    except RecordError:
        if not is_detail:
            raise
        value = UNREADABLE
    if value is None:
        return
    if isinstance(value, Number) and all(name.startswith("$") for name in child.leaves):
        # A path that says how MongoDB wraps a number, which is unwrapped.
        texts.update(dict.fromkeys(child.leaves.values(), _scalar(value, child.path)))
    elif isinstance(value, Mapping):
        _walk(value, child, texts)
    elif is_detail:
        texts.update(dict.fromkeys(child.paths, UNREADABLE))
    else:
        raise RecordError("wrong_type", f"{child.path} is {_kind(value)}, an object is accepted")


def holds_answer(held: object, record: Mapping[str, Any]) -> bool:
    """Whether a value in the place of an answer is an answer, or the broken text of one. Where the record has a usage of its own, a text is
    what the model said, even if it is JSON."""
    if not isinstance(held, str) or isinstance(held, Number):
        return isinstance(held, Mapping)
    if not held.lstrip().startswith("{"):
        return False
    is_counted = any(isinstance(count := record.get(name), Mapping) or str(count).startswith("{") for name in COUNTED)
    try:
        value = load(held)
    except RecordError:
        return not is_counted and _PLAIN not in record
    return not is_counted or (isinstance(value, Mapping) and any(name in value for name in _ANSWERED))


def _said(key: str, held: object, path: str) -> str | None:
    """What stands for an error or a status that is no object: of an error only that there is one."""
    if held is None or isinstance(held, bool | list) or str(held).strip().lower() in _NOTHING:
        return _ERROR if key == _ERROR and held is not False and held and not isinstance(held, str) else None
    return _ERROR if key == _ERROR else _scalar(held, path)


def _opened(value: object, path: str) -> object:
    """A JSON string opened: some exports write an object as text, and so does Python."""
    if not isinstance(value, str) or isinstance(value, Number):
        return value
    if not value.strip():
        return None
    try:
        return load(as_json(value) or value)
    except RecordError as error:
        raise RecordError("not_json", f"{path} holds text that is not JSON: {error}") from None


def _plain(value: object) -> object:
    """The id or instant that an object of MongoDB's extended JSON stands for; any other value as it is."""
    return (text_in(value) or value) if isinstance(value, dict) and len(value) == 1 else value


def _scalar(value: object, path: str) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        raise RecordError("wrong_type", f"{path} is {_kind(value)}, a single value is accepted")
    if isinstance(value, Number):
        return spelled(value)
    return _checked(str(value), path)


def spelled(number: Number) -> str:
    """One spelling per number: 1e-05 as 0.00001 and 2.0 as 2, with every digit that was written."""
    if number.lstrip("-").isdigit():
        return "0" if number == "-0" else str(number)
    try:
        value = Decimal(number)
    except InvalidOperation:  # an exponent of twenty digits
        return str(number)
    if abs(value.adjusted()) > MAX_TEXT:
        return str(number)
    plain = f"{value:f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _checked(text: str, path: str) -> str:
    if "\x00" in text:
        raise RecordError("nul_character", f"{path} holds a NUL character, which no text column can store")
    if len(text) > MAX_TEXT:
        raise RecordError("text_too_long", f"{path} holds {len(text)} characters, at most {MAX_TEXT} are accepted")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RecordError("bad_escape", f"{path} holds half of a surrogate pair, which is no character") from None
    return text


def _list(value: object, path: str) -> str | None:
    """A list, a JSON text that holds one, or a single value, which counts as a list of one."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    items: object = value
    if isinstance(value, str) and not isinstance(value, Number) and value.lstrip().startswith("["):
        items = _opened(value, path)
    scalars = [_scalar(_plain(item), path) for item in (items if isinstance(items, list) else [items])]
    return json.dumps(scalars, ensure_ascii=False, separators=(",", ":"))


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, Number):
        return "a number"
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return "text"
