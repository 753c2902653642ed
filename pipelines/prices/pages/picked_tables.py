"""Which of the tables under a heading a layout reads, and where or for whom the prices of each hold.

The schema is `layout.py`, reading the tables is `feeds/page.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pipelines.pages.sections import PageSection
from pipelines.prices.feed_snapshot import Price, PriceFeedError
from pipelines.prices.pages.cells import key, listed
from pipelines.prices.pages.layout import Section, TablePick


class Found(NamedTuple):
    """A table, its number under the heading from 1, and the pick that took it; `EVERY` where the layout picks none."""

    page: PageSection
    number: int
    table: list[list[str]]
    labels: frozenset[str]
    pick: TablePick


EVERY = TablePick(number=1)
"""Stands for a section that reads all its tables: it binds prices to nothing."""


def picked(section: Section, pages: Sequence[PageSection], problems: set[str]) -> list[Found]:
    """The tables of `pages` that the section reads, in the order of the page; those that no pick names are `problems`.

    Raises PriceFeedError where a pick finds no table, or a label finds more than one: the page has changed.
    """
    every = [
        Found(page, number, table, labels, EVERY)
        for page in pages
        for number, (table, labels) in enumerate(zip(page.tables, page.labels, strict=True), start=1)
    ]
    if not section.tables or not every:
        return every
    taken: dict[int, TablePick] = {}
    for pick in section.tables:
        places = [place for place, found in enumerate(every) if _fits(pick, place + 1, found.labels)]
        if len(places) > 1 or (not places and pick.required):
            what = f"table {pick.label!r}" if pick.label else f"table {pick.number}"
            raise PriceFeedError(
                f"section {section.heading!r}: {len(places)} tables are {what}; there are {len(every)} under it, called "
                f"{listed(' / '.join(sorted(found.labels)) for found in every)}"
            )
        for place in places:
            taken.setdefault(place, pick)
    for place, found in enumerate(every):
        if place not in taken:
            called = f" ({listed(sorted(found.labels))})" if found.labels else ""
            problems.add(f"section {section.heading!r}, table {place + 1}{called}: the layout picks others")
    return [every[place]._replace(pick=pick) for place, pick in sorted(taken.items())]


def bound(price: Price, pick: TablePick) -> Price:
    """The price under the conditions that hold for its whole table."""
    return price._replace(
        region=pick.region or price.region,
        service_tier=pick.service_tier or price.service_tier,
        reasoning_mode=pick.reasoning_mode or price.reasoning_mode,
    )


def _fits(pick: TablePick, number: int, labels: frozenset[str]) -> bool:
    if pick.label:
        return key(pick.label) in map(key, labels) and pick.number in (None, number)
    return pick.number == number
