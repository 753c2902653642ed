"""What a page holds in scripts alone, as the HTML that its reader would see: for pages that a browser draws from data.

Data are JSON in a script (`__NEXT_DATA__`, JSON-LD, Nuxt, an assigned variable) or the lines that React's server sends
(`self.__next_f.push`). Elements become tags; a list of objects becomes a table whose header are the keys, with dots between those
of nested objects (`pricing.input`), under a heading with the title next to it or its own key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from html import escape
from typing import Any, TypeGuard

from selectolax.lexbor import LexborNode

from pipelines.pages.compiled import page_of_calls

_PUSHED = re.compile(r"self\.__next_f\.push\((\[.*\])\)\s*;?\s*$", re.DOTALL)
_ASSIGNED = re.compile(r"^\s*(?:(?:window|self|globalThis)\.|(?:var|let|const)\s+)[\w.$]+\s*=\s*(?=[{\[])")
_CHUNK = re.compile(r"^([0-9a-f]+):(?!I\[|HL|T[0-9a-f]+,)(?=[\[{\"])(.*)$", re.MULTILINE)
_REFERENCE = re.compile(r"^\$[L@]?([0-9a-f]+)$")
_TITLES = ("title", "heading", "name", "label", "tier", "@type")
_DEEPEST = 60
_MOST_NODES = 5_000
"""So often nodes are drawn where others name them; a chain of twenty in which each names the next twice would be a million."""
_MOST_DIGITS = 40
"""Numbers beyond stay as they are written: no amount is that long, and `1e9999999` is ten million digits."""


class PageError(ValueError):
    """A page can't be read."""


class _Nodes:
    """The nodes of a page's data that others name. One that is being drawn is not drawn in itself: a node may name its parent."""

    def __init__(self, nodes: Mapping[str, Any]) -> None:
        self._nodes, self._open, self._left = nodes, set[str](), _MOST_NODES

    def drawn(self, node: str, name: str, depth: int) -> str:
        """A node as HTML. Raises PageError where the page draws too many."""
        if node in self._open:
            return ""
        if not self._left:
            raise PageError(f"the data in the page's scripts name each other more than {_MOST_NODES:,} times")
        self._left -= 1
        self._open.add(node)
        found = _drawn(self._nodes.get(node), self, name, depth)
        self._open.discard(node)
        return found


def page_of_scripts(root: LexborNode) -> str:
    """The page that the scripts below `root` would draw; empty where they hold no data."""
    found: list[str] = []
    pushed: list[str] = []
    for script in root.css("script"):
        text = script.text()
        if "json" in (script.attributes.get("type") or ""):
            found.append(_drawn(_data(text), _Nodes({})))
        elif match := _PUSHED.search(text):
            pushed += [part for part in _data(match[1]) or () if isinstance(part, str)]
        elif match := _ASSIGNED.match(text):
            found.append(_drawn(_data(text[match.end() :]), _Nodes({})))
    chunks = {match[1]: _data(match[2]) for match in _CHUNK.finditer("".join(pushed))}
    used = {match[1] for match in re.finditer(r'"\$[L@]?([0-9a-f]+)"', "".join(pushed))}
    nodes = _Nodes(chunks)
    found += [_drawn(chunk, nodes) for name, chunk in chunks.items() if name not in used]
    found.append(page_of_calls("".join(pushed)))
    body = "".join(found)
    return f"<!doctype html><html><body>{body}</body></html>" if body else ""


def _data(text: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    """The JSON value that a text begins with, its numbers as they are written; None if it begins with none."""
    try:
        return json.JSONDecoder(parse_float=_written).raw_decode(text.lstrip())[0]
    except (ValueError, RecursionError):
        return None


def _written(number: str) -> str:
    exact = Decimal(number)
    return format(exact, "f") if abs(exact.adjusted()) < _MOST_DIGITS else number


def _drawn(value: object, nodes: _Nodes, name: str = "", depth: int = 0) -> str:
    """A value as HTML: an element as its tag, objects in a list as a table, and what else is in it below each other."""
    if depth > _DEEPEST:
        return ""
    if isinstance(value, str) and (match := _REFERENCE.match(value)):
        return nodes.drawn(match[1], name, depth + 1)
    if _is_element(value):
        return _element(value, nodes, depth)
    if isinstance(value, list):
        table = _table(value, name) if value and all(isinstance(item, dict) for item in value) else ""
        return table + "".join(_drawn(item, nodes, name, depth + 1) for item in value)
    return _inner(value, nodes, depth) if isinstance(value, dict) else ""


def _is_element(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list) and len(value) >= 4 and value[0] == "$"


def _element(element: list[Any], nodes: _Nodes, depth: int) -> str:
    """`["$", tag, key, {children, ...}]`; a component of the page's own is what stands in its properties."""
    tag, properties = element[1], element[3] if isinstance(element[3], dict) else {}
    if not (isinstance(tag, str) and re.fullmatch(r"[a-z][a-z0-9]*", tag)):
        return _drawn(properties, nodes, "", depth + 1)
    spans = "".join(
        f' {name.lower()}="{escape(str(properties[name]))}"'
        for name in ("rowSpan", "colSpan", "hidden")
        if properties.get(name)
    )
    return f"<{tag}{spans}>{_children(properties.get('children'), nodes, depth + 1)}</{tag}>"


def _children(value: object, nodes: _Nodes, depth: int) -> str:
    if isinstance(value, list) and not _is_element(value):
        return "".join(_children(item, nodes, depth + 1) for item in value) if depth <= _DEEPEST else ""
    if isinstance(value, str) and not _REFERENCE.match(value):
        return escape(value.removeprefix("$") if value.startswith("$$") else value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return _drawn(value, nodes, "", depth + 1)


def _inner(value: Mapping[str, Any], nodes: _Nodes, depth: int) -> str:
    """What the members of an object hold; its title, or the key of each, heads the tables in it."""
    title = next((str(value[key]) for key in _TITLES if isinstance(value.get(key), str) and value[key]), "")
    return "".join(
        _drawn(item, nodes, title or str(key), depth + 1)
        for key, item in value.items()
        if isinstance(item, (dict, list, str))
    )


def _table(items: list[dict[str, Any]], name: str) -> str:
    rows = [dict(_scalars(item)) for item in items]
    columns = list(dict.fromkeys(column for row in rows for column in row))
    if not any(re.search(r"\d", text) for row in rows for text in row.values()):
        return ""
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    cells = [[f"<td>{escape(row.get(column, ''))}</td>" for column in columns] for row in rows]
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in cells)
    return f"<h2>{escape(name)}</h2><table><tr>{head}</tr>{body}</table>"


def _scalars(value: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for key, item in value.items():
        if isinstance(item, dict) and before.count(".") < 3:
            yield from _scalars(item, f"{before}{key}.")
        elif item is None or (isinstance(item, (str, int)) and not isinstance(item, bool)):
            yield f"{before}{key}", "" if item is None else str(item)
