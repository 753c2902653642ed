"""Tables of price pages as pages write them: merged cells and their placeholders, and several tables under one heading."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.pages.sections import sections_of
from pipelines.prices import PriceFeedError
from pipelines.prices.feeds.page import read
from pipelines.prices.pages.cells import refuse_fallen
from pipelines.prices.pages.layout import PageLayout
from tests.unit.prices.feeds import price


def cells(rows: str) -> list[list[str]]:
    (table,) = sections_of(f"<!doctype html><h2>P</h2><table>{rows}</table>")[-1].tables
    return table


def row(*cells: str) -> str:
    """A row of cells; one that begins with `|` states its attributes before another `|`."""
    drawn = [f"<td {c.split('|')[1]}>{c.split('|')[2]}</td>" if c.startswith("|") else f"<td>{c}</td>" for c in cells]
    return f"<tr>{''.join(drawn)}</tr>"


WHOLE = [["m", "in", "out"], ["a", "1", "2"], ["b", "1", "3"]]


@pytest.mark.parametrize(
    "placeholder",
    ['rowspan="0"', 'rowspan="0" colspan="0"', 'style="display:none"', 'rowspan="0" style="display: none;"', "hidden"],
)
def test_a_placeholder_under_merged_cells_is_no_cell(placeholder: str) -> None:
    assert cells(row("m", "in", "out") + row("a", '|rowspan="2"|1', "2") + row("b", f"|{placeholder}|", "3")) == WHOLE


def test_placeholders_next_to_merged_columns_and_with_the_merged_text() -> None:
    head = row("m", '|colspan="2"|price', '|colspan="0"|price', "x")
    body = row("a", "1", "2", '|rowspan="3"|y') + row('|rowspan="2"|b', "3", "4", '|rowspan="0"|y')
    last = row('|rowspan="0" colspan="0"|b', "5", "6", '|rowspan="0" colspan="0"|y')
    assert cells(head + body + last) == [
        ["m", "price", "price", "x"],
        ["a", "1", "2", "y"],
        ["b", "3", "4", "y"],
        ["b", "5", "6", "y"],
    ]


def test_a_span_of_no_rows_reaches_to_the_end_of_its_group() -> None:
    groups = [row("m", "in", "out"), row("a", '|rowspan="0"|1', "2") + row("b", "3"), row("c", "7", "8")]
    drawn = cells("".join(f"<tbody>{rows}</tbody>" for rows in groups))
    assert drawn == [*WHOLE, ["c", "7", "8"]]
    both = cells(row("m", "in", "out") + row('|rowspan="3"|a', '|rowspan="0"|1', "2") + row("3") + row("4"))
    assert both == [["m", "in", "out"], ["a", "1", "2"], ["a", "1", "3"], ["a", "1", "4"]]
    under = cells(row("m", "in", "out") + row('|rowspan="2"|a', "1", "2") + row('|rowspan="0"|3', "4"))
    assert under[2] == ["a", "3", "4"]


def test_no_span_reaches_beyond_its_group() -> None:
    drawn = cells(f"<thead>{row('|rowspan=5|m', 'in')}</thead><tbody>{row('a', '1')}</tbody>")
    assert drawn == [["m", "in"], ["a", "1"]]


@pytest.mark.parametrize("value", ["-1", "x", "", "1.5", "²", "1000000"])
def test_a_span_that_is_no_number_is_one_and_a_large_one_ends(value: str) -> None:
    drawn = cells(row("m", "in") + row("a", f'|rowspan="{value}"|1'))
    assert drawn == [["m", "in"], ["a", "1"]]


TABLE = "<table><tr><th>Model</th><th>Input</th></tr><tr><td>a</td><td>${0}</td></tr></table>"
TABS: dict[str, str] = {
    "caption": "".join(
        TABLE.format(usd).replace("<tr>", f"<caption>{name}</caption><tr>", 1)
        for name, usd in (("Global", 1), ("Europe", 2))
    ),
    "labelled by": (
        '<div role="tablist"><button role="tab" id="x1">Global</button><button role="tab" id="x2"> Europe </button></div>'
        f'<div role="tabpanel" aria-labelledby="x1">{TABLE.format(1)}</div>'
        f'<div role="tabpanel" aria-labelledby="x2"><div>{TABLE.format(2)}</div></div>'
    ),
    "controls": (
        '<a aria-controls="p1">Global</a><a aria-controls="p2">Europe</a>'
        f'<section id="p1">{TABLE.format(1)}</section><section id="p2">{TABLE.format(2)}</section>'
    ),
    "href": (
        '<a role="tab" href="#p1">Global</a><a role="tab" href="#p2">Europe</a>'
        f'<section id="p1">{TABLE.format(1)}</section><section id="p2">{TABLE.format(2)}</section>'
    ),
    "in order": (
        '<ul role="tablist"><li role="tab">Global</li><li role="tab">Europe</li></ul>'
        f'<div role="tabpanel">{TABLE.format(1)}</div><div role="tabpanel" hidden>{TABLE.format(2)}</div>'
    ),
    "attribute": f'<div data-region="Global">{TABLE.format(1)}</div><div data-region="Europe">{TABLE.format(2)}</div>',
    "aria": TABLE.format(1).replace("<table", '<table aria-label="Global"')
    + TABLE.format(2).replace("<table", '<table aria-label="Europe"'),
    "details": f"<details><summary>Global</summary>{TABLE.format(1)}</details>"
    f"<details><summary>Europe</summary>{TABLE.format(2)}</details>",
}
MARKDOWN_TABLE = "| Model | Input |\n|---|---|\n| a | ${0} |\n"
MARKDOWN: dict[str, tuple[str, str]] = {
    "bold": ("**Global**\n\n", "**Europe:**\n\n"),
    "tab": ('<Tab title="Global">\n', '</Tab>\n<Tab title="Europe">\n'),
    "item": ('<TabItem value="x" label="Global">\n', '</TabItem>\n<TabItem value="y" label="Europe">\n'),
    "mkdocs": ('=== "Global"\n\n', '=== "Europe"\n\n'),
    "vitepress": ("::: tabs\n== Global\n\n", "== Europe\n\n"),
    "summary": ("<details>\n<summary>Global</summary>\n\n", "</details>\n<details>\n<summary>Europe</summary>\n\n"),
}


def layout(*tables: dict[str, Any]) -> dict[str, Any]:
    columns = {"model": "Model", "columns": {"Input": {"meter": "input_uncached"}}}
    section = {"heading": "Prices", "tables": list(tables), "alternatives": [columns]}
    return {"provider": "acme", "currency": "USD", "sections": [section]}


def html(tables: str) -> bytes:
    return f"<!doctype html><h2>Prices</h2>{tables}".encode()


def regions(page: bytes, options: dict[str, Any]) -> dict[str, str]:
    return {price.region: price.extracted_text for price in read(page, options).prices}


@pytest.mark.parametrize("tabs", TABS)
def test_a_layout_picks_a_table_by_what_it_is_called(tabs: str) -> None:
    picks = layout({"label": "Global"}, {"label": "europe", "region": "eu"})
    assert regions(html(TABS[tabs]), picks) == {"": "$1", "eu": "$2"}
    only = read(html(TABS[tabs]), layout({"label": "Europe", "region": "eu"}))
    assert [price.extracted_text for price in only.prices] == ["$2"]
    assert only.not_understood == {"section 'Prices', table 1 ('Global'): the layout picks others"}


@pytest.mark.parametrize("tabs", MARKDOWN)
def test_so_it_does_in_markdown(tabs: str) -> None:
    first, second = MARKDOWN[tabs]
    page = f"## Prices\n\n{first}{MARKDOWN_TABLE.format(1)}\n{second}{MARKDOWN_TABLE.format(2)}"
    picks = layout({"label": "Global"}, {"label": "Europe", "region": "eu"})
    assert regions(page.encode(), picks) == {"": "$1", "eu": "$2"}


def test_a_layout_picks_a_table_by_its_number_and_binds_it_to_a_tier() -> None:
    picks = layout({"number": 1}, {"number": 2, "service_tier": "batch", "region": "us"})
    found = read(html(TABLE.format(2) + TABLE.format(1)), picks).prices
    assert [(p.service_tier, p.region, p.extracted_text) for p in found] == [
        ("standard", "", "$2"),
        ("batch", "us", "$1"),
    ]


def test_without_picks_two_tables_that_state_two_amounts_refuse_the_page() -> None:
    with pytest.raises(PriceFeedError, match="'\\$1' at section 'Prices', table 1"):
        read(html(TABS["caption"]), layout())


@pytest.mark.parametrize(
    ("pick", "stated"),
    [
        ({"label": "Asia"}, "0 tables are table 'Asia'; there are 2 under it, called 'Global', 'Europe'"),
        ({"number": 3}, "0 tables are table 3; there are 2"),
    ],
)
def test_a_pick_that_finds_no_table_refuses_the_page(pick: dict[str, Any], stated: str) -> None:
    with pytest.raises(PriceFeedError) as raised:
        read(html(TABS["caption"]), layout({"label": "Global"}, pick))
    assert stated in str(raised.value)
    found = read(html(TABS["caption"]), layout({"label": "Global"}, pick | {"required": False}))
    assert len(found.prices) == 1


def test_a_label_that_two_tables_have_refuses_the_page() -> None:
    page = html(TABS["caption"].replace("Europe", "Global"))
    with pytest.raises(PriceFeedError, match="2 tables are table 'Global'"):
        read(page, layout({"label": "Global"}))


def one_model(currency: str, *prices: str) -> dict[str, str]:
    """What a page says of a model that its heading names, in a table of prices alone."""
    names = ("Input", "Cached", "Output")
    meters = dict(zip(names, ("input_uncached", "input_cache_read", "output_text"), strict=True))
    alternative = {"models": ["m"], "columns": {name: {"meter": meter} for name, meter in meters.items()}}
    options = {
        "provider": "acme", "currency": currency, "free": ["Free"], "bare_amounts": True,
        "sections": [{"heading": "Prices", "alternatives": [alternative]}],
    }  # fmt: skip
    page = html(f"<table>{row(*names)}{row(*prices)}</table>")
    return {price.meter: price.extracted_text for price in read(page, options).prices}


@pytest.mark.parametrize(
    ("currency", "amount"),
    [
        ("CNY", "2元"),
        ("EUR", "2 EUR"),
        ("USD", "2 / 1M tokens"),
        ("USD", "Free"),
        ("USD", "$2"),
        ("GBP", "£2"),
        ("USD", "2"),
    ],
)
def test_a_row_that_states_one_price_in_all_its_cells_heads_no_others(currency: str, amount: str) -> None:
    """Its cells are alike, as those of a head that spans them are; the prices were gone without a word."""
    assert one_model(currency, amount, amount, amount) == dict.fromkeys(
        ("input_uncached", "input_cache_read", "output_text"), amount
    )


@pytest.mark.parametrize("head", [row("b", "", ""), row('|colspan="3"|b')])
@pytest.mark.parametrize("amount", ["$1", "$3"])
def test_a_head_names_the_model_of_rows_that_name_none(head: str, amount: str) -> None:
    """A price of model b was taken for one of a, which stands above."""
    options = {
        "provider": "acme", "currency": "USD",
        "sections": [{"heading": "Prices", "alternatives": [{"model": "Model", "columns": {"Input": {"meter": "input_uncached"}}}]}],
    }  # fmt: skip
    rows = [row("Model", "Input", "More"), row("a", "$1", ""), head, row("", amount, ""), row("Others", "", "")]
    found = read(html(f"<table>{''.join(rows)}{row('c', '$4', '')}</table>"), options)
    assert [(price.raw_model, price.extracted_text) for price in found.prices] == [
        ("a", "$1"),
        ("b", amount),
        ("c", "$4"),
    ]


@pytest.mark.parametrize("before", ["{/* prices of today */}\n", "{% raw %}\n", '{{< note "x" >}}\n'])
def test_a_markdown_page_may_begin_with_a_brace(before: str) -> None:
    page = f"{before}## Prices\n\n{MARKDOWN_TABLE.format(1)}"
    assert regions(page.encode(), layout()) == {"": "$1"}


def test_a_tag_of_an_html_table_in_markdown_may_end_at_the_begin_of_a_line() -> None:
    """Formatters break lines there; as the sign of a quotation the end was taken away, and a cell with it."""
    table = (
        "<table>\n<tr><td>Model</td><td>Input</td></tr>\n<tr><td\n  class='x'\n>a</td\n><td>$1</td></tr>\n</table>\n"
    )
    quoted = "".join(f"> {line}\n" for line in table.replace("\n>", ">").splitlines())
    for written in (table, quoted):
        assert regions(f"## Prices\n\n{written}".encode(), layout()) == {"": "$1"}


def test_a_line_across_the_begin_of_a_page_is_no_front_matter() -> None:
    page = f"## Prices\n\n{MARKDOWN_TABLE.format(1)}\n---\n"
    for before in ("---\n", "---\ntitle: Prices\n---\n", "---\nlast-update : today\ntags:\n  - a\n---\n"):
        assert regions(f"{before}{page}".encode(), layout()) == {"": "$1"}


@pytest.mark.parametrize("declared", ["Prices", "2. Prices", "💰 Prices", "Prices ¶", "prices"])
@pytest.mark.parametrize("written", ["Prices", "2. Prices", "💰 Prices", "3) Prices"])
def test_a_heading_is_found_with_and_without_its_number_or_sign(declared: str, written: str) -> None:
    """A layout may state it as the page does: the page's number was dropped, and the layout's no longer found."""
    options = layout()
    options["sections"][0]["heading"] = declared
    for page in (
        f"## {written}\n\n{MARKDOWN_TABLE.format(1)}",
        html(TABLE.format(1)).decode().replace("Prices", written),
    ):
        assert regions(page.encode(), options) == {"": "$1"}


@pytest.mark.parametrize("shown", ["US$0", "$ 0", "USD 0", "0 USD"])
def test_a_text_that_a_layout_takes_for_no_price_is_none_in_the_pages_notation(shown: str) -> None:
    """A model that is not sold was free: the page's `US$0` was read as `$0`, the layout's was not."""
    page = html(f"<table>{row('Model', 'Input')}{row('a', '$1')}{row('b', shown)}</table>")
    assert [price.raw_model for price in read(page, layout() | {"blank": [shown]}).prices] == ["a"]
    assert [price.raw_model for price in read(page, layout() | {"free": [shown]}).prices] == ["a", "b"]


@pytest.mark.parametrize("other", [{"service_tier": "batch"}, {"time_window": "00:00-08:00 UTC"}])
def test_a_price_of_long_prompts_is_held_to_that_of_short_ones_of_its_own_tier_and_hours(other: dict[str, str]) -> None:
    layout = PageLayout.model_construct()
    short, long = price("2"), price("1.5", context_from_tokens=200_000)
    refuse_fallen(layout, [short, long._replace(**other)], "row 1")
    for fallen in ([short, long], [short._replace(**other), long._replace(**other)]):
        with pytest.raises(PriceFeedError, match=r"row 1: .* should not be dearer"):
            refuse_fallen(layout, fallen, "row 1")
    with pytest.raises(PriceFeedError, match="should not be dearer"):
        refuse_fallen(
            layout, [price("2", reasoning_mode="non_thinking"), price("1", reasoning_mode="thinking")], "row 1"
        )
