"""Schema of a page layout: where the tables of a provider's price page are, and which column is which meter.

A layout is YAML: one that ships in `pipelines/prices/layouts/`, or one of the user's own under `options` of the feed.
`feeds/page.py` reads a page by it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, Field, ValidationError, field_validator, model_validator

from pipelines.config.declaration import Declaration
from pipelines.config.fetched import FETCH_OPTIONS
from pipelines.config.mistakes import Key, accepted_are, dotted, explained
from pipelines.config.sources import VERDICT_OPTIONS
from pipelines.prices.feed_snapshot import PriceFeedError
from pipelines.prices.meters import LEDGER_UNITS
from pipelines.warehouse.tables.core import SERVICE_TIER_NAME

CONDITION_GROUPS = ("through", "starting", "up_to", "below", "above")


def _known_tier(value: str) -> str:
    if not re.fullmatch(SERVICE_TIER_NAME, value):
        raise ValueError(f"{value!r} is no service tier, such as standard or batch")
    return value


def _known_meter(value: str) -> str:
    if value not in LEDGER_UNITS:
        raise ValueError(f"{value!r} is not a meter; known are {', '.join(LEDGER_UNITS)}")
    return value


_Tier = Annotated[str, AfterValidator(_known_tier)]
_Meter = Annotated[str, AfterValidator(_known_meter)]


class Column(Declaration):
    """What the amounts of one column (or of one label inside its cells) are; `also` are meters that cost the same."""

    meter: _Meter
    also: tuple[_Meter, ...] = ()
    service_tier: _Tier = "standard"
    per: int = Field(default=1_000_000, gt=0)
    context_from_tokens: int = Field(default=0, ge=0)
    context_bound: Literal["gt", "gte"] = "gte"
    reasoning_mode: Literal["", "thinking", "non_thinking"] = ""
    hours: str | None = None
    """The note among `hours` of the layout that says in which hours of the day the price holds."""


class Labels(Declaration):
    """A column whose cells carry a label before the amount: `Input: $3 / MTok`."""

    labels: dict[str, Column]


class PromptSize(Declaration):
    """A column that states the prompt sizes of a row; the first group of `pattern` times `factor` is the bound.

    A cell in which `base` is found states the price of the smallest prompts; one in which neither is found is a mistake.
    """

    column: str
    pattern: str
    base: str
    factor: int = 1
    bound: Literal["gt", "gte"] = "gte"


class Alternative(Declaration):
    """One shape that the tables of a section may have, recognised by its headers.

    `model` is the header over the models' names, or `models` names them where the table does not, and then the section
    `says` so in words. `scaled` lists
    meters that move with the input price, as a note on the page says: half the input price in a batch, half the price
    of a cache read. Rows with a cell that matches its column's pattern in `beyond` depend on something that the ledger
    can't express; they give no price and are named as not understood. Headers that span several rows are joined from
    top to bottom (`Short context Input`). `transpose` turns a table with one model per column, after `drop_columns` columns before the labels.
    """

    model: str | None = None
    models: tuple[str, ...] = ()
    says: str = ""
    columns: dict[str, Column | Labels]
    prompt_size: PromptSize | None = None
    scaled: tuple[str, ...] = ()
    beyond: dict[str, str] = Field(default_factory=dict)
    header_rows: int = Field(default=1, ge=1)
    transpose: bool = False
    drop_columns: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _names_models(self) -> Alternative:
        if (self.model is None) == (not self.models):
            raise ValueError("exactly one of `model` (a header) and `models` (names) is needed")
        return self

    @property
    def tiers(self) -> frozenset[str]:
        """The service tiers that a row states prices of."""
        columns = [
            c for item in self.columns.values() for c in (item.labels.values() if isinstance(item, Labels) else [item])
        ]
        return frozenset(column.service_tier for column in columns)


class Region(Declaration):
    """Columns (spellings of one) that say where a price holds, and the region that each of their values stands for.

    Tables under the headings `everywhere` need no such column; one elsewhere without it is a mistake.
    """

    columns: tuple[str, ...]
    names: dict[str, str]
    everywhere: tuple[str, ...] = ()


class TablePick(Declaration):
    """One of several tables under a heading, by its `number` from 1 or by its `label`, and what its prices are bound to.

    A label is the table's caption, the tab that shows it, or another name that the page gives it. A pick that is not
    required may find no table.
    """

    number: int | None = Field(default=None, ge=1)
    label: str = ""
    region: str = ""
    service_tier: _Tier | None = None
    reasoning_mode: Literal["", "thinking", "non_thinking"] = ""
    required: bool = True

    @model_validator(mode="after")
    def _picks_something(self) -> TablePick:
        if self.number is None and not self.label:
            raise ValueError("`number` or `label` is needed")
        return self


class Section(Declaration):
    """The tables under one heading, or under every heading (`*`) whose section `says` what the pattern finds.

    A section that is not required may be missing, or be without tables. `tables` picks among several; without it all
    are read.
    """

    heading: str
    says: str = ""
    tables: tuple[TablePick, ...] = ()
    required: bool = True
    alternatives: tuple[Alternative, ...] = Field(min_length=1)


class Share(Declaration):
    """Words next to a model's name that say that a tier costs a share of the standard price: `half price in a batch`."""

    pattern: str
    service_tier: _Tier
    share: Decimal = Field(gt=0)


class Factor(Declaration):
    """A sentence that says that modifiers multiply; where `pattern` does not find it, nothing is derived.

    `service_tier`: what the tier costs of the standard price for short prompts, it costs of that for long ones. `regions`: every
    price costs the group `factor` of `pattern` times as much there, or the group `percent` more. `models` is found in the names that the sentence is about.
    """

    pattern: str
    service_tier: Annotated[str, AfterValidator(_known_tier)] = ""
    regions: tuple[str, ...] = ()
    models: str = ""

    @model_validator(mode="after")
    def _is_one_of_two(self) -> Factor:
        if bool(self.service_tier) == bool(self.regions):
            raise ValueError("exactly one of `service_tier` and `regions` is needed")
        if self.regions and len({"factor", "percent"} & set(re.compile(self.pattern).groupindex)) != 1:
            raise ValueError("the pattern of regions needs a group (?P<factor>...) or (?P<percent>...)")
        return self


class AlsoNamed(Declaration):
    """A note that other names cost what `model` does: those that `name` finds in the group `names` of `pattern`."""

    pattern: str
    name: str
    model: str

    @field_validator("pattern")
    @classmethod
    def _has_names(cls, value: str) -> str:
        if "names" not in re.compile(value).groupindex:
            raise ValueError("the pattern needs a group (?P<names>...)")
        return value


class Phrase(Declaration):
    """A price in running text under one heading (`*`: any), or in a table row (`cell | cell`), for every priced model.

    The group `amount` of `pattern` holds it. Of one that is not required, what `hint` finds where the pattern finds nothing is named: the
    page may state it in other words.
    """

    heading: str
    pattern: str
    meter: str
    per: int = Field(gt=0)
    required: bool = True
    hint: str = "(?!)"

    @field_validator("pattern")
    @classmethod
    def _has_amount(cls, value: str) -> str:
        if "amount" not in re.compile(value).groupindex:
            raise ValueError("the pattern needs a group (?P<amount>...)")
        return value


class Hours(Declaration):
    """A note on the hours in which some prices hold: `Peak hours are 01:00 - 04:00 and 06:00 - 10:00 UTC, ...`.

    The group `hours` of `pattern` holds one or more `HH:MM - HH:MM` by the clock of `zone`; the groups `weekdays` and
    `holidays`, where they match, say that the prices hold from Monday to Friday and not on the holidays of `calendar`.
    """

    pattern: str
    zone: str = "UTC"
    calendar: str = ""
    dearer: bool = False
    """Whether no price of these hours is ever below the one of other hours; a page that breaks this is refused."""

    @field_validator("pattern")
    @classmethod
    def _has_hours(cls, value: str) -> str:
        if "hours" not in re.compile(value).groupindex:
            raise ValueError("the pattern needs a group (?P<hours>...)")
        return value


class RowMeters(Declaration):
    """What the amounts of one row are: a meter for each modality that may stand behind one, text where none does.

    A modality without a meter (null) gives no price. `besides` are words behind an amount that mean another thing.
    """

    meters: dict[str, str | None]
    besides: dict[str, Column] = Field(default_factory=dict)


class RowPhrase(Declaration):
    """A price inside a sentence; the group `amount` of `pattern` holds it."""

    pattern: str
    meter: str
    per: int = Field(gt=0)


class RowPattern(Declaration):
    """A row whose cell is a sentence: the first pattern that is found counts."""

    patterns: tuple[RowPhrase, ...] = Field(min_length=1)


class ModelSections(Declaration):
    """A section for each model, under headings of `level`, that names it in code marks (`names` is what a name looks like).

    Under a heading of its own each tier has one table; '' is the tier of a table right under the model's heading. `column`
    holds the prices, `rows` say of what; rows in `not_charged` state a price that no request is charged by.
    """

    level: int = Field(default=2, ge=1, le=6)
    names: str
    tiers: dict[str, str]
    column: str
    rows: dict[str, RowMeters | RowPattern]
    not_charged: tuple[str, ...] = ()


class PageLayout(Declaration):
    """How to read one provider's page.

    `bare_amounts` says that amounts stand without their currency. `units` are the units that may stand behind an amount, with the quantity that each means; `units_stated` says that one does, or stands in the header, and that an amount
    without one is not read. `blank` are cells that
    state no price, `free` cells that state a price of zero. `ordered` lists meters whose prices never fall from left
    to right inside one row, and `at_most` how many times the input price others cost: a page that breaks this has changed
    its columns and is refused. Models whose name `unordered` finds are left out of that.

    `inside` are the keys that lead to the page where the answer is JSON. `grids` takes rows of boxes for tables too, for
    pages that draw their tables with nothing else. Headings in `continued` go on with the section before. `drop_from_cells`
    are patterns of what a price cell holds next to its price; `discount` is one whose group holds the tenths of the stated
    price that are charged (`原价 12元 限时5折` is 6 yuan, `限时85折` is 10.2). Tables that have one of the columns of `region` bind their prices to a region.

    `prefixes` are put before names that begin so (`OCR 4.1` is `Mistral OCR 4.1`).

    `conditions` are patterns of words that bind a price to prompt sizes or dates, next to a model's name or an amount; their
    groups are through, starting, up_to, below and above (`pipelines.prices.pages.conditions`). `hours` are notes on the hours
    of the day. A page without a text that each of `requires` finds (such as the unit of all its prices), or with one that
    `refuse` finds, is not read, because there the layout would mislead; a text that `notes` finds is listed for a person to read, because it may change a price.
    """

    provider: str
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    units: dict[str, int] = Field(default_factory=dict)
    units_stated: bool = False
    inside: tuple[str, ...] = ()
    grids: bool = False
    continued: tuple[str, ...] = ()
    drop_from_cells: tuple[str, ...] = ()
    discount: str | None = None
    shares: tuple[Share, ...] = ()
    region: Region | None = None
    bare_amounts: bool = False
    blank: tuple[str, ...] = ("", "-", "–", "—", "\\", "N/A")
    free: tuple[str, ...] = ()
    drop_from_names: tuple[str, ...] = ()
    prefixes: dict[str, str] = Field(default_factory=dict)
    ordered: tuple[tuple[str, ...], ...] = ()
    unordered: str = "(?!)"
    at_most: dict[str, Decimal] = Field(default_factory=dict)
    conditions: tuple[str, ...] = ()
    hours: dict[str, Hours] = Field(default_factory=dict)
    requires: tuple[str, ...] = ()
    refuse: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()
    models: ModelSections | None = None
    factors: tuple[Factor, ...] = ()
    also_named: tuple[AlsoNamed, ...] = ()
    phrases: tuple[Phrase, ...] = ()

    @model_validator(mode="after")
    def _reads_something(self) -> PageLayout:
        if not self.sections and self.models is None:
            raise ValueError("`sections` or `models` is needed")
        return self

    @field_validator("conditions")
    @classmethod
    def _are_conditions(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in value:
            named = set(re.compile(pattern).groupindex)
            if not named or not named <= set(CONDITION_GROUPS):
                raise ValueError(f"{pattern!r} needs groups among {', '.join(CONDITION_GROUPS)}")
        return value


def layout_of(options: Mapping[str, Any]) -> PageLayout:
    """The layout that a feed's options give: `{layout: <name>}` for one that ships, or the layout itself.

    Raises PriceFeedError with a line per mistake: the key, what was found and what is accepted.
    """
    content = {key: value for key, value in options.items() if key not in (*FETCH_OPTIONS, *VERDICT_OPTIONS)}
    mistakes = layout_mistakes(content)
    if mistakes:
        raise PriceFeedError("\n".join(f"{dotted(('options', *key))}: {problem}" for key, problem in mistakes))
    return _shipped(content["layout"]) if _names_one(content) else PageLayout.model_validate(content)


def layout_mistakes(content: Mapping[str, Any]) -> list[tuple[Key, str]]:
    """What is wrong in a layout or in the name of one: key and problem of each mistake."""
    if _names_one(content):
        known, name = _names(), content["layout"]
        return [] if name in known else [(("layout",), f"no layout {name!r} ships; {accepted_are(name, known)}")]
    try:
        PageLayout.model_validate(content)
    except ValidationError as error:
        return explained(PageLayout, error.errors(include_url=False))
    return []


def _names_one(content: Mapping[str, Any]) -> bool:
    return {*content} == {"layout"} and isinstance(content["layout"], str)


@cache
def _names() -> list[str]:
    """The layouts that ship."""
    folder = resources.files("pipelines.prices") / "layouts"
    return sorted(file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.endswith(".yaml"))


@cache
def _shipped(name: str) -> PageLayout:
    file = resources.files("pipelines.prices") / "layouts" / f"{name}.yaml"
    return PageLayout.model_validate(yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))
