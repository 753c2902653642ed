"""What the spellings of one text on a page share: marks, invisible characters, and notations of an amount of money.

Knows no tables; `pipelines/prices/pages/cells.py` reads amounts.
"""

from __future__ import annotations

import html
import re
from functools import lru_cache

_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_TAG = re.compile(r"(?<!\\)</?[A-Za-z][^>]*>|<!--.*?-->", re.DOTALL)
_FOOTNOTE = re.compile(r"<sup\b[^>]*>.*?</sup>", re.DOTALL)
_NOT_SEEN = re.compile("\\*\\*|__|`|[\u00ad\u200b\u200c\u200d\u2060\ufeff\ue000-\uf8ff]")
"""Marks of emphasis, characters without a width, and those that only an icon's font can draw."""
_MONEY = (
    (re.compile(r"(?<![A-Za-z])(?:US\s?[$＄]|＄)"), "$"),
    (re.compile(r"\bUSD\s?\$?\s?(?=\.?\d)"), "$"),
    (re.compile(r"\$\s?(\.?\d[\d,.]*)\s?USD\b"), r"$\1"),
    (re.compile(r"(?<![\w.,$])(\d[\d,.]*)\s?USD\b"), r"$\1"),
    (re.compile(r"([$¥￥€£])\s+(?=\.?\d)"), r"\1"),
    (re.compile(r"([$¥￥€£])(?=\.\d)"), r"\g<1>0"),
)
"""Notations of an amount, and the one that is read: `US$3`, `USD 3`, `3 USD`, `$ 3` are `$3`, `$.50` is `$0.50`. Dollars of
other countries (`HK$3`) keep their letters and are none."""
_INSIDE_BRACKETS = re.compile(r"(?<=[(（\[]) | (?=[)）\]])")
"""The spaces that a link or another tag within brackets leaves: `( retired )`."""
_OF_MONEY = re.compile(r"[$＄¥￥€£]|USD")
_NUMBERED = re.compile(r"^(?:[^\w\s(（\[<>≤≥$¥￥€£'\"`@~/]+\s*|\d+(?:\.\d+)*[.)]\s+)+")
"""A sign or a number before the words, but none that a model's id begins with (`@cf/meta/llama`)."""
STRUCK_OUT = re.compile(r"~~(?:(?!~~).)+~~")
"""What is crossed out, as markdown writes it; `sections.py` writes it so in the cells of HTML too."""
_ANCHOR = re.compile(r"(?:\s*\{#[^}]*\}|\s*[¶#§🔗]+)$")


@lru_cache(4096)  # a page repeats its headers and cells, which are read once for each question that is asked of them
def plain(text: str) -> str:
    """Text without footnote marks, links, tags, emphasis, escapes and what no one sees, its spaces collapsed and its amounts
    in one notation."""
    text = _TAG.sub(" ", _LINK.sub(r"\1", _FOOTNOTE.sub("", text)))
    text = " ".join(_NOT_SEEN.sub("", re.sub(r"\\([$_*|#\[\]<>])", r"\1", text)).split())
    text = _INSIDE_BRACKETS.sub("", text)
    if _OF_MONEY.search(text):
        for notation, written in _MONEY:
            text = notation.sub(written, text)
    return text


def unescaped(text: str) -> str:
    """The same of a markdown text, whose entities (`&#36;`, `&lt;`) stand for characters."""
    words = plain(text)
    return plain(html.unescape(words)) if "&" in words else words


def without_struck(text: str) -> str:
    """Text without what is crossed out, unless nothing else stands there."""
    return (" ".join(STRUCK_OUT.sub(" ", text).split()) or text.replace("~~", "")) if "~~" in text else text


def heading(text: str) -> str:
    """The words of a heading: without the sign or the number before it, and without the link to itself."""
    words = _ANCHOR.sub("", plain(text))
    return _NUMBERED.sub("", words) or words


def without_links(text: str) -> str:
    """Text with the words of its links in their place."""
    return _LINK.sub(r"\1", text)
