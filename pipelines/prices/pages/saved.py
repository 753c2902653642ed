"""The text of a page as it was saved: as it is, or taken out of the JSON of the tool that saved it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from pipelines.outside import worded
from pipelines.prices.feed_snapshot import PriceFeedError
from pipelines.prices.pages.layout import PageLayout

_KEPT_UNDER = ("page", "body", "content", "html", "markdown", "text", "raw", "rawhtml", "raw_html", "data", "result")
"""Keys under which archives and scrapers keep the page that they saved."""

_JSON = re.compile(r"\{\s*[\"}]|\"")
"""How the JSON of an archive begins; markdown may begin with a comment or a macro in braces (`{/* ... */}`)."""


def page_text(layout: PageLayout, content: bytes) -> str:
    """The text of the page, taken out of the JSON around it: under the keys that the layout names, else where it stands."""
    try:
        text = content.decode("utf-8-sig").lstrip()
    except UnicodeDecodeError as error:
        raise PriceFeedError(f"not UTF-8 text: {worded(error)}") from error
    if not (layout.inside or _JSON.match(text)) or (layout.inside and text.startswith("<")):
        return text
    try:
        page: object = json.loads(text)
    except ValueError as error:
        raise PriceFeedError(f"not JSON: {worded(error)}") from error
    if not layout.inside:
        return max(_texts(page, "page"), key=len, default="")
    for name in layout.inside:
        page = page.get(name) if isinstance(page, dict) else None
    if not isinstance(page, str):
        raise PriceFeedError(f"expected the page as text under {'.'.join(layout.inside)}, found {type(page).__name__}")
    return f"<html>{page}"


def _texts(value: object, name: str) -> Iterator[str]:
    """The texts of an archive's record that may be the page it keeps."""
    if isinstance(value, str) and name.lower() in _KEPT_UNDER:
        yield value.lstrip("\ufeff \t\r\n")
    for key_, item in value.items() if isinstance(value, dict) else ():
        yield from _texts(item, str(key_))
