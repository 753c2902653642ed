"""One price at a time: what a file says of one thing twice is named, and periods that overlap are cut.

Applied to what every reader found in one file. What a later file changes is `ledger.py`, prices that a page announces
next to one without a date are `announced.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import combinations, pairwise
from operator import attrgetter

from pipelines.prices.feed_snapshot import CONDITIONS, Price

_thing_of = attrgetter("provider", "raw_model", "meter", *CONDITIONS)
_END_OF_TIME = datetime.max.replace(tzinfo=UTC)


def things(prices: Sequence[Price]) -> list[list[Price]]:
    """The prices of each thing that more than one price of a file is stated for."""
    by_thing: dict[tuple[object, ...], list[Price]] = defaultdict(list)
    for price in prices:
        by_thing[_thing_of(price)].append(price)
    return [found for found in by_thing.values() if len(found) > 1]


def one_at_a_time(prices: Sequence[Price]) -> tuple[list[Price], set[str]]:
    """The prices, of which no two hold for one thing at once, and in words where a file says two amounts of one thing.

    Of two that begin apart the later one holds, for as long as it does: after it the earlier one again, where it has not
    ended. Of two without a start the one that ends first holds, and from then on the other. What only begins alike is left to
    the ledger, which takes one.
    """
    problems: set[str] = set()
    replaced: dict[int, list[Price]] = {}
    for found in things(prices):
        if len({(*_amount(price), price.valid_from, price.valid_to) for price in found}) == 1:
            continue  # several tables say the same
        kept: dict[tuple[datetime | None, datetime | None], Price] = {}
        for price in found:
            start = price.valid_from
            first = kept.setdefault((start, price.valid_to if start is None else None), price)
            if _amount(first) != _amount(price):
                problems.add(
                    f"{price.raw_model}: {price.meter} is {first.extracted_text!r} at {first.source_locator} and "
                    f"{price.extracted_text!r} at {price.source_locator}; one of them counts"
                )
        if len(kept) == 1:
            continue  # nothing to cut; `one_per_sku` of the ledger takes one, and the others are conflicts
        undated = _in_turn([price for price in kept.values() if price.valid_from is None])
        dated = sorted([*undated[1:], *(price for price in kept.values() if price.valid_from is not None)], key=_start)
        replaced[id(found[0])] = [*undated[:1], *_cut(dated)]
        replaced |= {id(price): [] for price in found[1:]}
    if not replaced:
        return list(prices), problems
    return [one for price in prices for one in replaced.get(id(price), [price])], problems


def _in_turn(undated: Sequence[Price]) -> list[Price]:
    """Prices without a start, each from the end of the one before: `$2 through August` next to a plain `$3`."""
    turn = sorted(undated, key=_end)
    later = [price._replace(valid_from=before.valid_to, date_basis="announced") for before, price in pairwise(turn)]
    return [*turn[:1], *later]


def overlap(prices: Sequence[Price]) -> Iterator[tuple[Price, Price]]:
    """Pairs of prices that hold for one thing at once with different amounts; a price without a start has always held."""
    for found in things(prices):
        for earlier, later in combinations(sorted(found, key=_start), 2):
            if _end(earlier) > _start(later) and _amount(earlier) != _amount(later):
                yield earlier, later


def _cut(dated: Sequence[Price]) -> Iterator[Price]:
    """Prices in the order of their starts, each as the periods in which no later one holds."""
    marks = sorted({mark for price in dated for mark in (_start(price), _end(price))})
    pieces: list[tuple[Price, datetime, datetime]] = []
    for begin, end in pairwise(marks):
        holding = [price for price in dated if _start(price) <= begin < _end(price)]
        if not holding:
            continue
        is_continued = pieces and pieces[-1][0] is holding[-1] and pieces[-1][2] == begin
        since = pieces.pop()[1] if is_continued else begin
        pieces.append((holding[-1], since, end))
    for price, begin, end in pieces:
        yield price._replace(valid_from=begin, valid_to=None if end == _END_OF_TIME else end)


def _amount(price: Price) -> tuple[object, ...]:
    return price.unit_price / price.pricing_quantity, price.pricing_currency


def _start(price: Price) -> datetime:
    return price.valid_from or datetime.min.replace(tzinfo=UTC)


def _end(price: Price) -> datetime:
    return price.valid_to or _END_OF_TIME
