"""What a page says in running text: that a layout holds for it, the hours of its prices, and notes for a person to read.

Words next to a name or an amount are `conditions.py`; sentences by which prices follow from others are `factors.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pipelines.pages.sections import PageSection
from pipelines.prices.feed_snapshot import PriceFeedError
from pipelines.prices.pages.layout import Hours, PageLayout
from pipelines.prices.windows import parse_window

_SPAN = re.compile(r"(\d{1,2}:\d{2})\s*[-–—~]\s*(\d{1,2}:\d{2})")
_PRICES, _DISCOUNT = (
    r"\bpric(?:e|es|ing)\b",
    r"(?:\b\d+ ?% off\b|\boff until\b|\bintroductory\b|\bpromotional\b|\blimited[- ]time\b)",
)
_DAY = r"\b(?:effective|starting|beginning|as of|from|until|through)\b[^.\n]*\b20\d\d\b"
EVERYWHERE = tuple(
    rf"(?i)[^.\n]*{first}[^.\n]*{second}[^\n]*"
    for words in (_DISCOUNT, _DAY)
    for first, second in ((_PRICES, words), (words, _PRICES))
)
"""Sentences of any page that a layout does not read and that may change all prices: a discount, or a day from which others hold."""
_OF_PRICES, _OF_CHANGES = re.compile(rf"(?i){_PRICES}"), re.compile(rf"(?i){_DISCOUNT}|\b20\d\d\b")
"""What the lines of those sentences hold: looking for a whole sentence in every line took a third of the time of reading a page."""


def notes_of(layout: PageLayout, found: Sequence[PageSection]) -> Iterator[str]:
    """Texts that may change a price, for a person to read. Raises PriceFeedError for one under which the layout misleads."""
    for pattern in layout.requires:
        if not any(re.search(pattern, page.text) for page in found):
            raise PriceFeedError(f"the page does not say {pattern!r}: the layout does not hold for it")
    understood = [*(other.pattern for other in layout.also_named), *(factor.pattern for factor in layout.factors)]
    for page in found:
        for pattern in layout.refuse:
            if match := re.search(pattern, page.text):
                raise PriceFeedError(
                    f"section {page.heading!r} says {match[0]!r}: the layout does not hold for this page"
                )
        rest = [line for line in page.text.splitlines() if not any(re.search(pattern, line) for pattern in understood)]
        priced = "\n".join(line for line in rest if _OF_PRICES.search(line) and _OF_CHANGES.search(line))
        searched = [*((pattern, "\n".join(rest)) for pattern in layout.notes), *((one, priced) for one in EVERYWHERE)]
        for pattern, text in searched:
            for match in re.finditer(pattern, text):
                yield f"section {page.heading!r} has a note that may change a price: {match[0]!r}"


def windows_of(name: str, hours: Hours, found: Sequence[PageSection]) -> Iterator[str]:
    """The windows that the page's note states; none where there is no note, which only matters to columns that need it."""
    for page in found:
        if match := re.search(hours.pattern, page.text):
            stated = match.groupdict()
            days = "mon-fri " if stated.get("weekdays") else ""
            except_for = f" except {hours.calendar}" if stated.get("holidays") else ""
            zone = "" if hours.zone == "UTC" else f" {hours.zone}"
            spans = _SPAN.findall(stated["hours"])
            if not spans:
                raise PriceFeedError(f"hours {name!r}: expected hours such as 01:00 - 04:00, found {stated['hours']!r}")
            for start, end in spans:
                window = f"{days}{start.zfill(5)}-{end.zfill(5).replace('24:00', '00:00')}{zone}{except_for}"
                parse_window(window)
                yield window
            return
