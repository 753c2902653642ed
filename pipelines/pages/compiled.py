"""Pages that a documentation tool has compiled to calls (`_jsx(_components.td, {children: `$0.30`})`), as HTML. For `scripts.py`."""

from __future__ import annotations

import re
from html import escape

_TEXT = r"`(?:[^`\\]|\\.)*`|\"(?:[^\"\\\n]|\\.)*\""
_TOKEN = re.compile(
    rf"_jsxs?\(\s*(?:_components\.(?P<tag>[a-z]\w*)|\"(?P<plain>[a-z]\w*)\"|(?P<other>[\w.]+))\s*,\s*\{{\s*(?:level:\s*[`\"]?(?P<level>[1-6])[`\"]?)?"
    rf"|children:\s*(?:(?P<list>\[)|(?P<child>{_TEXT}))|(?P<text>{_TEXT})|(?P<bracket>[\[\]{{}}])"
)
_COMPONENTS = {name.capitalize(): name for name in ("table", "thead", "tbody", "tr", "th", "td", "p", "li")}
"""Components of a tool's own that stand for an element; others are boxes."""
_BEGINS = re.compile(r"\breturn _jsxs?\(\s*(?!MDXLayout)")
_TABLE = re.compile(
    rf"\bcolumns:\s*\[(?P<columns>(?:{_TEXT}|[^\[\]`\"])*)\],\s*rows:\s*\[(?P<rows>(?:\s*\[(?:{_TEXT}|[^\[\]`\"])*\],?)+)\s*\]"
)
"""What a component is given that draws a table of data: `{columns: [{title: "Model"}], rows: [["x", "$1"]]}`."""
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def page_of_calls(source: str) -> str:
    """The elements that the calls in `source` make, in order, with the texts that are their children; empty where there are none."""
    source = _TABLE.sub(_table_of_calls, source)
    return "".join(_drawn(source, begins.start()) for begins in _BEGINS.finditer(source))


def _table_of_calls(data: re.Match[str]) -> str:
    """The calls that make a table of what a component of the page's own is given: titles of columns, and rows of texts."""
    titles = re.findall(rf"\btitle:\s*({_TEXT})", data["columns"])
    rows = [re.findall(_TEXT, row[0]) for row in re.finditer(rf"\[(?:{_TEXT}|[^\[\]`\"])*\]", data["rows"])]
    lines = [("th", titles), *(("td", cells) for cells in rows)]
    made = [
        f'_jsx("tr", {{children: [{", ".join(f"""_jsx("{tag}", {{children: {cell}}})""" for cell in cells)}]}})'
        for tag, cells in lines
    ]
    return f'children: [_jsx("table", {{children: [{", ".join(made)}]}})]'


def _drawn(source: str, start: int) -> str:
    """The element of the call at `start`; empty where it does not end."""
    drawn: list[str] = []
    open_: list[str] = []
    for token in _TOKEN.finditer(source, start):
        tag = f"h{token['level']}" if token["level"] else token["tag"] or token["plain"]
        if tag or token["other"]:
            open_.append(f"<{tag or _COMPONENTS.get(token['other'], 'div')}")
            drawn.append(f"{open_[-1]}>")
        elif token["list"]:
            open_.append("children")
        elif token["child"] or (token["text"] and open_[-1:] == ["children"]):
            drawn.append(escape(_ESCAPED.sub(r"\1", (token["child"] or token["text"])[1:-1])))
        elif token["bracket"] and token["bracket"] in "[{":
            open_.append(token["bracket"])
        elif token["bracket"] and open_ and (closed := open_.pop()).startswith("<"):
            drawn.append(f"</{closed[1:]}>")
            if not open_:
                return "".join(drawn)
    return ""
