"""Reads a provider's own price page by a declared layout: tables and phrases under their headings.

Whatever does not fit the layout is an error that names page, section, table and column; nothing is guessed, so that a
page that changed its shape leaves the last good prices in force. The layout's schema is `pages/layout.py`, finding
tables is `pages/sections.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from pipelines.pages.scripts import PageError
from pipelines.pages.sections import PageSection, sections_of
from pipelines.prices.feed_snapshot import Parsed, Price, PriceFeedError
from pipelines.prices.meters import LEDGER_UNITS
from pipelines.prices.pages.cells import (
    amount_in,
    columns_not_read,
    heading_key,
    is_no_row,
    is_one_of,
    key,
    listed,
    model_names,
    price_of,
    refuse_dear_batches,
    refuse_fallen,
    refuse_headless,
    refuse_twice,
    what,
    without_former,
    without_marks,
)
from pipelines.prices.pages.conditions import IN_BRACKETS, Conditions, conditions_in, hints_at_more
from pipelines.prices.pages.factors import composed
from pipelines.prices.pages.layout import (
    Alternative,
    Column,
    Labels,
    PageLayout,
    Section,
    Share,
    layout_mistakes,
    layout_of,
)
from pipelines.prices.pages.model_sections import model_section_prices
from pipelines.prices.pages.notes import notes_of, windows_of
from pipelines.prices.pages.phrases import also_named, phrase_prices
from pipelines.prices.pages.picked_tables import Found, bound, picked
from pipelines.prices.pages.saved import page_text

VERSION = "9"
UNREAD_SHARE = 0.2
"""Of the rows of a page, the most that may be strange, but for a single one: more is another notation, and in it what seems to fit may not."""


@dataclass(frozen=True)
class _Reading:
    """The layout, the hours in the notes of the page, and the finds that were not understood."""

    layout: PageLayout
    windows: Mapping[str, Sequence[str]]
    problems: set[str]
    unread: list[_Unread] = field(default_factory=list)

    def is_lost(self, model: str, tier: str) -> bool:
        """Whether a row of the model can't be read, so that its other rows may not say all: a size or a region may be missing."""
        return any(model in row.models and not row.tiers.isdisjoint((tier, "standard")) for row in self.unread)


@dataclass(frozen=True)
class _Unread:
    """A row that can't be read: the models and the tiers that it is for, and why not."""

    models: tuple[str, ...]
    tiers: frozenset[str]
    problem: str


@dataclass(frozen=True)
class _Row:
    """The prices of one table row, by column, with the model names that the row is for."""

    models: tuple[str, ...]
    prices: tuple[Price, ...]
    scaled: tuple[str, ...]


option_mistakes = layout_mistakes


def read(content: bytes, options: Mapping[str, Any]) -> Parsed:
    """Every price that the layout finds on the page. Raises PriceFeedError for a page that does not fit it."""
    layout = layout_of(options)
    try:
        found = _continued(layout, sections_of(page_text(layout, content), grids=layout.grids))
    except PageError as error:
        raise PriceFeedError(str(error)) from None
    windows = {name: list(windows_of(name, hours, found)) for name, hours in layout.hours.items()}
    reading = _Reading(layout, windows, set(notes_of(layout, found)))
    rows: list[_Row] = []
    for section in layout.sections:
        rows += _section_rows(reading, section, found)
    if (lost := len(reading.unread)) and (not rows or lost > max(1, UNREAD_SHARE * (lost + len(rows)))):
        raise PriceFeedError(reading.unread[0].problem)
    if layout.sections and not rows:
        wanted = listed(section.heading for section in layout.sections)
        raise PriceFeedError(
            f"none of the sections {wanted} has a table of prices; the page has {listed(p.heading for p in found)}"
        )
    reading.problems.update(row.problem for row in reading.unread)
    prices = [
        price._replace(raw_model=model)
        for row in rows
        for model in row.models
        for price in row.prices
        if not reading.is_lost(model, price.service_tier)
    ]
    prices = composed(layout, found, [*prices, *_scaled(rows, prices)])
    if layout.models is not None:
        prices += model_section_prices(layout, found, reading.problems)
    prices += also_named(layout, found, prices)
    models = list(dict.fromkeys(price.raw_model for price in prices))
    for phrase in layout.phrases:
        prices += phrase_prices(layout, phrase, found, models, reading.problems)
    refuse_twice(prices)
    refuse_dear_batches(prices)
    return Parsed(prices, lost + len(rows) or len(models), lost, frozenset(reading.problems))


def _continued(layout: PageLayout, found: Sequence[PageSection]) -> list[PageSection]:
    """The sections, those that go on with the one before under its heading."""
    names = {heading_key(name) for name in layout.continued}
    sections: list[PageSection] = []
    for page in found:
        goes_on = bool(sections) and heading_key(page.heading) in names
        sections.append(replace(page, heading=sections[-1].heading) if goes_on else page)
    return sections


def _section_rows(reading: _Reading, section: Section, found: Sequence[PageSection]) -> list[_Row]:
    pages = [
        page
        for page in found
        if section.heading == "*" or heading_key(page.heading) == heading_key(section.heading)
        if not section.says or re.search(section.says, f"{page.heading}\n{page.text}")
    ]
    tables = picked(section, pages, reading.problems)
    if not tables:
        if section.required:
            lacks = "no table under it" if pages else "no such heading"
            raise PriceFeedError(
                f"section {section.heading!r}: {lacks}; the page has {listed(p.heading for p in found)}"
            )
        return []
    rows, before = list[_Row](), len(reading.unread)
    strange = False
    for item in tables:
        for alternative in section.alternatives:
            grid = _shaped(item.table, alternative)
            if not _missing(grid, alternative) and re.search(alternative.says, item.page.text):
                rows += _table_rows(reading, alternative, grid, item)
                break
        else:
            strange = True
            reading.problems.add(f"section {item.page.heading!r}: a table with the columns {_headers(item)}")
    if not rows and (section.required or strange):
        if own := reading.unread[before:]:
            raise PriceFeedError(own[0].problem)
        alternative, item = section.alternatives[0], tables[0]
        place = f"section {item.page.heading!r}, table {item.number}"
        if missing := _missing(item.table, alternative):
            raise PriceFeedError(f"{place}: column {listed(missing)} is missing; found {_headers(item)}")
        says = f" under a text that says {alternative.says!r}" if alternative.says else ""
        raise PriceFeedError(f"{place}: expected rows of prices{says}; found {len(item.table) - 1} rows")
    return rows


def _headers(item: Found) -> str:
    return listed(item.table[0] if item.table else [])


def _wanted(alternative: Alternative) -> list[str]:
    size = [alternative.prompt_size.column] if alternative.prompt_size else []
    return [*alternative.columns, *([alternative.model] if alternative.model else []), *size, *alternative.beyond]


def _missing(table: Sequence[Sequence[str]], alternative: Alternative) -> list[str]:
    headers = {key(cell) for cell in table[0]} if table else set()
    wanted = _wanted(alternative)
    unwanted = (
        [] if alternative.model or not table else [cell for cell in table[0] if key(cell) not in map(key, wanted)]
    )
    twice = [name for name in wanted if table and sum(key(cell) == key(name) for cell in table[0]) > 1]
    missing = [name for name in wanted if key(name) not in headers]
    return missing + [f"(none but {name})" for name in unwanted] + [f"(one {name})" for name in twice]


def _shaped(table: Sequence[Sequence[str]], alternative: Alternative) -> list[list[str]]:
    """The table with one header row on top and one model per row; without a header where its rows don't fit together."""
    rows = [list(row[alternative.drop_columns :]) for row in table]
    together = rows if alternative.transpose else rows[: alternative.header_rows]
    if len({len(row) for row in together}) > 1:
        return [[]]
    if alternative.transpose:
        rows = [list(column) for column in zip(*rows, strict=False)]
    head, body = rows[: alternative.header_rows], rows[alternative.header_rows :]
    return [[" ".join(filter(None, cells)) for cells in zip(*head, strict=False)], *body]


def _table_rows(reading: _Reading, alternative: Alternative, table: Sequence[Sequence[str]], item: Found) -> list[_Row]:
    layout, problems = reading.layout, reading.problems
    place = f"section {item.page.heading!r}, table {item.number}"
    positions = {key(cell): index for index, cell in enumerate(table[0])}
    problems |= columns_not_read(table, _wanted(alternative), place)
    rows, unread = list[_Row](), list[_Unread]()
    models, conditions, shares = alternative.models, Conditions(), list[tuple[Share, str]]()
    for row, cells in enumerate(table[1:], start=1):
        where = f"{place}, row {row}"
        is_head = is_no_row(layout, table[0], cells, where)
        name = _name_in(alternative, positions, table, row, is_head=is_head)
        if not is_head and len(cells) != len(table[0]):
            raise PriceFeedError(f"{where}: {len(cells)} cells under {len(table[0])} columns: {listed(cells)}")
        if name:
            shares = [(share, match[0]) for share in layout.shares if (match := re.search(share.pattern, name))]
            conditions, name = conditions_in(name, (*layout.conditions, *IN_BRACKETS))
            models = model_names(layout, name)
            problems |= {
                f"{where}: {model!r}: words that may be a condition" for model in models if hints_at_more(model)
            }
        if is_head:
            continue
        if not models:
            raise PriceFeedError(f"{where}: no model is named: {listed(cells)}")
        if any(re.search(pattern, cells[positions[key(name)]]) for name, pattern in alternative.beyond.items()):
            problems.add(f"{where}: {listed(models)} under a condition that the ledger can't express: {listed(cells)}")
            continue
        try:
            priced = _priced_cells(reading, alternative, cells, positions, item, where=where)
            found = [conditions.put_on(price) for price in priced]
        except PriceFeedError as error:
            tiers = frozenset([item.pick.service_tier]) if item.pick.service_tier else alternative.tiers
            unread.append(_Unread(models, tiers, str(error)))
            continue
        found += _shares(found, shares)
        if len({(what(price), price.unit_price) for price in found}) > len({what(price) for price in found}):
            words = "at two prices for one meter, by a condition that the ledger can't express"
            problems.add(f"{where}: {listed(models)} {words}")
            continue
        _refuse_disorder(layout, alternative, models, found, f"{where} ({listed(models)})")
        rows.append(_Row(models, tuple(found), alternative.scaled))
    if not rows and len(unread) > 1:  # no row of the table fits
        raise PriceFeedError(unread[0].problem)
    reading.unread.extend(unread)
    return rows


def _name_in(
    alternative: Alternative, positions: Mapping[str, int], table: Sequence[Sequence[str]], row: int, *, is_head: bool
) -> str:
    """The model that a row names; empty where it is the one above. A head names one where the row below it names none."""
    cells, below = table[row], table[row + 1] if row + 1 < len(table) else ()
    if alternative.model is None:
        return ""
    at = positions[key(alternative.model)]
    if not is_head:
        return cells[at] if at < len(cells) else ""
    name = cells[at] if at < len(cells) else cells[0]
    is_named_by_head = at < len(below) and any(below) and not below[at] and key(name) != key(alternative.model)
    return name if is_named_by_head else ""


def _priced_cells(
    reading: _Reading,
    alternative: Alternative,
    cells: Sequence[str],
    positions: Mapping[str, int],
    item: Found,
    *,
    where: str,
) -> Iterator[Price]:
    """The prices in the cells of one row, with its prompt size and region."""
    start, inclusive = _prompt_size(alternative, cells, positions, where)
    region = item.pick.region or _region(reading.layout, cells, positions, item.page.heading, where)
    for header, column in alternative.columns.items():
        for price in _cell_prices(
            reading, column, cells[positions[key(header)]], f"{where}, column {header!r}", header
        ):
            yield bound(price, item.pick)._replace(
                region=region,
                context_from_tokens=start or price.context_from_tokens,
                context_bound=inclusive if start else price.context_bound,
            )


def _refuse_disorder(
    layout: PageLayout, alternative: Alternative, models: Sequence[str], prices: Sequence[Price], where: str
) -> None:
    """Raises PriceFeedError where the prices of a row can't be those of one model, such as output cheaper than input."""
    if any(re.search(layout.unordered, model) for model in models):
        return
    if all(isinstance(column, Column) for column in alternative.columns.values()):
        refuse_headless(prices, where)
    refuse_fallen(layout, prices, where)


def _shares(prices: Sequence[Price], shares: Sequence[tuple[Share, str]]) -> list[Price]:
    """The prices of tiers that cost a share of the standard ones, each with the words that say so."""
    return [
        price._replace(
            service_tier=share.service_tier,
            unit_price=price.unit_price * share.share,
            extracted_text=f"{price.extracted_text}, {words}",
        )
        for share, words in shares
        for price in prices
        if price.service_tier == "standard"
    ]


def _cell_prices(reading: _Reading, column: Column | Labels, cell: str, where: str, header: str) -> Iterator[Price]:
    layout, windows = reading.layout, reading.windows
    if isinstance(column, Labels):
        label, _, rest = cell.partition(":")
        known = {key(name): meaning for name, meaning in column.labels.items()}
        if key(label) not in known:
            raise PriceFeedError(f"{where}: expected {listed(column.labels)} before the price, found {cell!r}")
        column, cell = known[key(label)], rest.strip()
    shown, cell = cell, without_former(cell)
    for pattern in layout.drop_from_cells:
        cell = re.sub(pattern, "", cell).strip()
    if is_one_of(cell, layout.blank):
        return
    if (unmarked := without_marks(cell)) != cell:
        reading.problems.add(f"{where}: {shown!r} has a footnote that may change it")
    is_free = is_one_of(unmarked, layout.free)
    amount = Decimal(0) if is_free else amount_in(layout, column, unmarked, where, header)
    price = price_of(layout, column, amount, where, shown)
    if column.hours is not None and not windows[column.hours]:
        raise PriceFeedError(f"{where}: the page has no note on its hours, {layout.hours[column.hours].pattern!r}")
    for window in [""] if column.hours is None else windows[column.hours]:
        for meter in (column.meter, *column.also):
            yield price._replace(meter=meter, unit=LEDGER_UNITS[meter], time_window=window)


def _scaled(rows: Sequence[_Row], prices: Sequence[Price]) -> list[Price]:
    """Prices that the page does not tabulate but says move with the input price; one that it tabulates wins."""
    stated = {what(price): price for price in prices}

    def base_of(price: Price, model: str, meter: str) -> Price | None:
        """The standard price of the same model, region and dates."""
        return stated.get(
            what(price._replace(raw_model=model, meter=meter, service_tier="standard", context_from_tokens=0))
        )

    found = []
    for scaled_meters, model, price in ((r.scaled, m, price) for r in rows for m in r.models for price in r.prices):
        is_base = price.service_tier == "standard" and not price.context_from_tokens
        base = base_of(price, model, "input_uncached")
        if is_base or price.meter != "input_uncached" or base is None or not base.unit_price:
            continue
        for meter in scaled_meters:
            same = base_of(price, model, meter)
            scaled = price._replace(raw_model=model, meter=meter)
            if same is not None and what(scaled) not in stated:
                text = f"{same.extracted_text} times {price.extracted_text} over {base.extracted_text}"
                amount = same.unit_price * price.unit_price / base.unit_price
                found.append(scaled._replace(unit_price=amount, extracted_text=text))
    return found


def _prompt_size(
    alternative: Alternative, cells: Sequence[str], positions: Mapping[str, int], where: str
) -> tuple[int, str]:
    size = alternative.prompt_size
    if size is None:
        return 0, "gte"
    cell = cells[positions[key(size.column)]]
    match = re.search(size.pattern, cell)
    if match is None and not re.search(size.base, cell):
        raise PriceFeedError(f"{where}, column {size.column!r}: expected prompt sizes, found {cell!r}")
    return int(match[1]) * size.factor if match else 0, size.bound


def _region(layout: PageLayout, cells: Sequence[str], positions: Mapping[str, int], heading: str, where: str) -> str:
    if layout.region is None:
        return ""
    stated = [cells[positions[key(name)]] for name in layout.region.columns if key(name) in positions]
    if not stated and heading in layout.region.everywhere:
        return ""
    if not stated or stated[0] not in layout.region.names:
        raise PriceFeedError(
            f"{where}: expected one of {listed(layout.region.names)} as the region in the column {listed(layout.region.columns)}, "
            f"found {stated[0] if stated else 'no such column'!r}"
        )
    return layout.region.names[stated[0]]
