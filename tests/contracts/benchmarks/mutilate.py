"""Real exports, damaged the way exports get damaged: cut off, thinned out, renamed, re-typed. No assertions here."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
from collections.abc import Callable
from typing import Any

import yaml

Mutilation = Callable[[bytes, str, random.Random], bytes]
"""(content, suffix without compression, source of chance) -> damaged content."""


def cut_off(content: bytes, suffix: str, chance: random.Random) -> bytes:
    """The transfer ended early."""
    return content[: int(len(content) * chance.uniform(0.3, 0.95))]


def rows_dropped(content: bytes, suffix: str, chance: random.Random) -> bytes:
    """A page shows part of its list: a third to four fifths of the entries are missing."""
    share = chance.uniform(0.3, 0.8)
    return _entries(content, suffix, lambda entries: [entry for entry in entries if chance.random() > share])


def rows_doubled(content: bytes, suffix: str, chance: random.Random) -> bytes:
    """Some entries stand there twice."""
    return _entries(content, suffix, lambda entries: [*entries, *chance.sample(entries, len(entries) // 5)])


def shuffled(content: bytes, suffix: str, chance: random.Random) -> bytes:
    """The same entries in another order: no damage at all."""
    return _entries(content, suffix, lambda entries: chance.sample(entries, len(entries)))


def fields_renamed(content: bytes, suffix: str, chance: random.Random) -> bytes:
    """One in three fields has another name."""
    lost: dict[str, bool] = {}
    return _fields(
        content, suffix, lambda name, value: [(f"{name}_v2" if _is(name, lost, chance, 0.3) else name, value)]
    )


def fields_missing(content: bytes, suffix: str, chance: random.Random) -> bytes:
    """One in three fields is gone."""
    lost: dict[str, bool] = {}
    return _fields(content, suffix, lambda name, value: [] if _is(name, lost, chance, 0.3) else [(name, value)])


def fields_added(content: bytes, suffix: str, chance: random.Random) -> bytes:
    """There are fields that nobody knows: no damage at all."""
    return _fields(content, suffix, lambda name, value: [(name, value), (f"x_{name}", "new")])


def values_as_text(content: bytes, suffix: str, chance: random.Random) -> bytes:
    """Numbers are written as text, one in ten with a per cent sign behind it."""

    def written(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return value
        return f"{value}%" if chance.random() < 0.1 else str(value)

    return _fields(content, suffix, lambda name, value: [(name, written(value))])


def values_lost(content: bytes, suffix: str, chance: random.Random) -> bytes:
    """One in ten numbers is null, NaN, a word or a list."""
    broken = (None, float("nan"), "n/a", "", [], {"value": 1})

    def lost(value: Any) -> Any:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        is_number |= isinstance(value, str) and value.replace(".", "", 1).isdigit()
        return chance.choice(broken) if is_number and chance.random() < 0.1 else value

    return _fields(content, suffix, lambda name, value: [(name, lost(value))])


def something_else(content: bytes, suffix: str, chance: random.Random) -> bytes:
    """Another document altogether."""
    others = (
        b"",
        b"null",
        b"[]",
        b"{}",
        b"[1, 2, 3]",
        b'"busy"',
        b"<html>503</html>",
        b"\xff\xfe\x00bin",
        b"a,b\n1,2\n",
    )
    return chance.choice(others)


DAMAGES: tuple[Mutilation, ...] = (
    cut_off, rows_dropped, rows_doubled, shuffled, fields_renamed, fields_missing, fields_added, values_as_text,
    values_lost, something_else,
)  # fmt: skip


def plain(content: bytes) -> bytes:
    """The content without compression."""
    return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content


def _is(name: str, known: dict[str, bool], chance: random.Random, share: float) -> bool:
    return known.setdefault(name, chance.random() < share)


def _load(content: bytes, suffix: str) -> Any:
    if suffix == ".csv":
        return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    if suffix in (".yml", ".yaml"):
        return yaml.load(content, Loader=yaml.CSafeLoader)
    return json.loads(content)


def _dump(document: Any, suffix: str) -> bytes:
    if suffix == ".csv":
        names = list(dict.fromkeys(name for row in document for name in row))
        out = io.StringIO(newline="")
        writer = csv.DictWriter(out, names)
        writer.writeheader()
        writer.writerows(document)
        return out.getvalue().encode()
    if suffix in (".yml", ".yaml"):
        return yaml.dump(document, Dumper=yaml.CSafeDumper, allow_unicode=True).encode()
    return json.dumps(document).encode()


def _entries(content: bytes, suffix: str, change: Callable[[list[Any]], list[Any]]) -> bytes:
    """Change the entries, wherever a format keeps them: the list or object that is longest, at each level."""

    def walk(value: Any, depth: int = 0) -> Any:
        if isinstance(value, list) and len(value) > 5:
            return change(value)
        if isinstance(value, dict) and len(value) > 25 and all(isinstance(item, dict) for item in value.values()):
            kept = dict(change(list(value.items())))
            return {name: kept[name] for name in kept}
        if isinstance(value, dict) and depth < 4:
            return {name: walk(item, depth + 1) for name, item in value.items()}
        if isinstance(value, list) and depth < 4:
            return [walk(item, depth + 1) for item in value]
        return value

    return _dump(walk(_load(content, suffix)), suffix)


def _fields(content: bytes, suffix: str, change: Callable[[str, Any], list[tuple[str, Any]]]) -> bytes:
    """Change the fields of every entry (an object of plain values, however deep it lies)."""

    def walk(value: Any) -> Any:
        if isinstance(value, list):
            return [walk(item) for item in value]
        if isinstance(value, dict) and any(not isinstance(item, (dict, list)) for item in value.values()):
            return {
                n: v
                for name, item in value.items()
                for n, v in change(name, walk(item) if isinstance(item, (dict, list)) else item)
            }
        if isinstance(value, dict):
            return {name: walk(item) for name, item in value.items()}
        return value

    return _dump(walk(_load(content, suffix)), suffix)
