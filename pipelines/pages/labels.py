"""What a table of a page is called, apart from the heading above it: its caption, or the tab that shows it.

Pages put one table per region or tier into tabs under one heading; a layout picks among them by these names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from selectolax.lexbor import LexborNode

_OWN = (
    "aria-label",
    "title",
    "summary",
    "data-label",
    "data-title",
    "data-tab",
    "data-tab-label",
    "data-region",
    "data-value",
)
_BOXES, _QUOTED = "(?:Tab|TabItem|Accordion|Step)", r"""\{?["']([^"']+)["']"""
_MARKDOWN = (
    re.compile(rf"^<{_BOXES}\b.*?\b(?:label|title)\s*=\s*{_QUOTED}"),
    re.compile(rf"^<{_BOXES}\b.*?\bvalue\s*=\s*{_QUOTED}"),
    re.compile(r"^<summary>(.+?)</summary>"),
    re.compile(r"""^(?:===[!+]?|\?\?\?[+]?|!!!)\s+(?:\w+\s+)?"([^"]+)"$"""),
    re.compile(r"^:{0,3}\s*==\s+(.+)$"),
    re.compile(r"^\s*(?:\*\*|__)([^*_]+?):?(?:\*\*|__):?$"),
)
_ENDS = re.compile(r"^</(?:Tab|TabItem|Accordion|Step|details)>|^:{3,}$")


def markdown_label(line: str, before: str) -> str:
    """The name of the tab, or the bold line, that a table below `line` stands under; `before` where the line names none."""
    for pattern in _MARKDOWN:
        if match := pattern.match(line):
            return match[1]
    return "" if _ENDS.match(line) else before


class Labels:
    """The names of the tables of one HTML page."""

    def __init__(self, root: LexborNode) -> None:
        self._root = root

    def of(self, table: LexborNode) -> Iterator[str]:
        """Its caption, its own attributes, and those of every box around it, tabs with the text of their button."""
        if (caption := table.css_first("caption")) is not None:
            yield caption.text()
        node: LexborNode | None = table
        while node is not None and node.tag not in ("body", "html"):
            yield from self._named(node)
            node = node.parent

    def _named(self, node: LexborNode) -> Iterator[str]:
        attributes = node.attributes
        yield from (value for name in _OWN if (value := attributes.get(name)))
        for name in (attributes.get("aria-labelledby") or "").split():
            yield from (text for text in [self._texts.get(name)] if text)
        if (own := attributes.get("id")) and (text := self._controllers.get(own)):
            yield text
        if node.tag == "details" and (summary := node.css_first("summary")) is not None:
            yield summary.text()
        if node.tag == "figure" and (caption := node.css_first("figcaption")) is not None:
            yield caption.text()
        if node.mem_id in self._in_order:
            yield self._in_order[node.mem_id]

    @cached_property
    def _texts(self) -> dict[str, str]:
        return {name: node.text() for node in self._root.css("[id]") if (name := node.attributes.get("id"))}

    @cached_property
    def _controllers(self) -> dict[str, str]:
        """By the id of a box: the text of the button or link that shows it."""
        found: dict[str, str] = {}
        for node in self._root.css("[aria-controls], [role=tab][href], [data-bs-target], [data-target]"):
            for name in ("aria-controls", "href", "data-bs-target", "data-target"):
                for shown in (node.attributes.get(name) or "").split():
                    found.setdefault(shown.lstrip("#"), node.text())
        return found

    @cached_property
    def _in_order(self) -> dict[int, str]:
        """Panels that no button names by id: the first tab of a list shows the first panel behind it, and so on."""
        found: dict[int, str] = {}
        tabs: list[str] = []
        for node in self._root.css("[role=tablist], [role=tabpanel]"):
            if node.attributes.get("role") == "tablist":
                tabs = [tab.text() for tab in node.css("[role=tab]")]
            elif tabs:
                found[node.mem_id] = tabs.pop(0)
        return found
