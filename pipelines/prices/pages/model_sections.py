"""Reads pages that give each model a section of its own: tiers under headings, meters in rows, several prices in a cell.

`Input price | $0.30 (text / image / video) $1.00 (audio)` is two prices; each amount carries its own words, and an
amount whose words are not all understood gives no price and is named. The schema is `layout.py`; tables with one
model per row or column are `feeds/page.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from pipelines.grouped import ungrouped
from pipelines.pages.sections import PageSection
from pipelines.prices.feed_snapshot import Price, PriceFeedError, as_amount
from pipelines.prices.pages.cells import (
    heading_key,
    is_one_of,
    key,
    listed,
    price_of,
    refuse_fallen,
    without_former,
    without_marks,
)
from pipelines.prices.pages.conditions import conditions_in
from pipelines.prices.pages.layout import Column, ModelSections, PageLayout, RowMeters, RowPattern

_MODALITIES = re.compile(r"^\(?\s*([a-z]+(?:\s*(?:/|,|&|and)\s*[a-z]+)*)\s*\)?$")
_BETWEEN = re.compile(r"\s*(?:/|,|&|\band\b)\s*")
_FOOTNOTE = re.compile(r"[*†\s]+$")


def model_section_prices(layout: PageLayout, found: Sequence[PageSection], problems: set[str]) -> list[Price]:
    """Every price of every section that names a model. Raises PriceFeedError where no section does, or a row is missing."""
    declared = layout.models
    if declared is None:
        return []
    prices: list[Price] = []
    tiers = {heading_key(name): tier for name, tier in declared.tiers.items()}
    models: tuple[str, ...] = ()
    named: set[str] = set()
    for section in found:
        if section.level <= declared.level:
            models = tuple(code for code in section.codes if re.fullmatch(declared.names, code))
            if repeated := named & set(models):
                raise PriceFeedError(f"section {section.heading!r}: {listed(sorted(repeated))} has a section already")
            named.update(models)
            tier = declared.tiers.get("")
        else:
            tier = tiers.get(heading_key(section.heading))
        if models and section.tables:
            if tier is None or len(section.tables) > 1:
                tables = "more than one table" if tier else "no such tier"
                problems.add(f"section {section.heading!r} of {listed(models)}: {tables}")
                continue
            rates = _table_prices(layout, section, f"{models[0]}, section {section.heading!r}", problems)
            prices += [rate._replace(raw_model=model, service_tier=tier) for model in models for rate in rates]
    if not named:
        raise PriceFeedError(f"no section names a model; the page has {listed(page.heading for page in found)}")
    return prices


def _table_prices(layout: PageLayout, section: PageSection, place: str, problems: set[str]) -> list[Price]:
    """The prices of one table, or none where it is not one of prices per token."""
    declared: ModelSections = layout.models  # type: ignore[assignment]
    head, *body = section.tables[0]
    if [key(cell) for cell in head].count(key(declared.column)) != 1:
        problems.add(f"{place}: a table with the columns {listed(head)}")
        return []
    at = [key(cell) for cell in head].index(key(declared.column))
    meanings = {key(label): meaning for label, meaning in declared.rows.items()}
    prices: list[Price] = []
    seen: set[str] = set()
    for cells in body:
        if len(cells) != len(head):
            raise PriceFeedError(f"{place}: {len(cells)} cells under {len(head)} columns: {listed(cells)}")
        label = key(_FOOTNOTE.sub("", cells[0]))
        if label in seen:
            raise PriceFeedError(f"{place}: the row {cells[0]!r} stands twice")
        seen.add(label)
        meaning, where = meanings.get(label), f"{place}, row {cells[0]!r}"
        if isinstance(meaning, RowPattern):
            prices += _phrase(layout, meaning, without_former(cells[at]), where, problems)
        elif meaning is not None:
            prices += _cell(layout, meaning, cells[at], where, problems)
        elif "$" in cells[at] and label not in map(key, declared.not_charged):
            problems.add(f"{where}: not understood: {cells[at]!r}")
    refuse_fallen(layout, prices, place)
    return prices


def _phrase(layout: PageLayout, row: RowPattern, cell: str, where: str, problems: set[str]) -> Iterator[Price]:
    if is_one_of(cell, layout.blank):
        return
    for meter in row.patterns:
        if (match := re.search(meter.pattern, cell)) and (amount := as_amount(ungrouped(match["amount"]))) is not None:
            column = Column(meter=meter.meter, per=meter.per)
            yield price_of(layout, column, amount, where, cell)
            return
    problems.add(f"{where}: not understood: {cell!r}")


def _cell(layout: PageLayout, row: RowMeters, cell: str, where: str, problems: set[str]) -> list[Price]:
    """The prices of one cell. One amount that is not understood may change the others: then the cell gives none."""
    shown, cell = cell, without_former(cell)
    for pattern in layout.drop_from_cells:
        cell = re.sub(pattern, "", cell).strip()
    if is_one_of(cell, layout.blank):
        return []
    before, *parts = re.split(r"\$\s*(?=\d)", without_marks(cell))
    prices: list[Price] = []
    for part in parts:
        amount, _, words = re.sub(r"^([\d,]*\d(?:\.\d+)?)", r"\1 ", part).partition(" ")
        conditions, rest = conditions_in(words, layout.conditions)
        meters = _meters(row, rest.strip(" .,;"))
        figure = as_amount(ungrouped(amount))
        if meters is None or before.strip() or figure is None:
            problems.add(f"{where}: not understood: {shown!r}")
            return []
        for column in meters:
            text = f"${amount}{words}".strip() if len(parts) > 1 else shown
            price = price_of(layout, column, figure, where, text)
            prices.append(conditions.put_on(price))
    if not parts:
        problems.add(f"{where}: not understood: {shown!r}")
    elif without_marks(cell) != cell:
        problems.add(f"{where}: {shown!r} has a footnote that may change it")
    return prices


def _meters(row: RowMeters, words: str) -> list[Column] | None:
    """The meters that an amount with these words is for: those of its modalities, or of text without any."""
    for pattern, column in row.besides.items():
        if re.fullmatch(pattern, words):
            return [column]
    match = _MODALITIES.match(words) if words else None
    if words and match is None:
        return None
    named: list[str] = ["text"] if match is None else _BETWEEN.split(match[1])
    meters: Mapping[str, str | None] = row.meters
    singular = [name if name in meters else name.removesuffix("s") for name in named]
    if any(name not in meters for name in singular):
        return None
    return [Column(meter=meter) for name in singular if (meter := meters[name]) is not None]
