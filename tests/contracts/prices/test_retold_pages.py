"""Pages that say the same in other signs state the same prices, to the last digit; words that bind a group of rows refuse the page."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines.pages.scripts import PageError
from pipelines.pages.sections import sections_of
from pipelines.prices.feed_snapshot import Price, PriceFeedError
from pipelines.prices.feeds.page import read as read_page
from tests.contracts.prices.retell import RETELLINGS, in_tables, is_html
from tests.contracts.prices.test_new_pages import PAGES, read

NAMES = ("anthropic.md", "google.md", "google.html", "mistral.html", "deepseek_en.html", "openai.md")
UNLIKE = {
    ("google.md", "tables without outer bars"),  # its header begins with an empty cell, which such a table can't have
    ("google.md", "the header again"),  # a row there is named by its first cell, and two without one are refused
    ("google.md", "a blank row"),
}


def _stated(prices: list[Price]) -> set[Price]:
    return {price._replace(source_locator="", extracted_text="") for price in prices}


@pytest.mark.parametrize("name", NAMES)
def test_a_page_that_says_the_same_states_the_same(name: str) -> None:
    page = (PAGES / name).read_text()
    good = _stated(read(name).prices)
    changed = {how: retold for how, retell in RETELLINGS.items() if (retold := retell(page)) != page}
    assert len(changed) >= 18
    for how, retold in changed.items():
        if (name, how) not in UNLIKE:
            assert _stated(read(name, retold).prices) == good, how


@pytest.mark.parametrize("words", ["Batch API", "Prompts > 200K tokens", "Until December 31, 2026"])
def test_a_row_whose_words_bind_those_below_it_refuses_the_page(words: str) -> None:
    retold = in_tables(lambda rows: [*rows[:3], [words, *[""] * (len(rows[0]) - 1)], *rows[3:]])
    with pytest.raises(PriceFeedError, match="heads those below it"):
        read("anthropic.md", retold((PAGES / "anthropic.md").read_text()))


@pytest.mark.parametrize("amount", ["HK$5", "A$5", "$6,25", "$5 / KTok", "$5 / 1,000 tokens", "$5 / m"])
def test_another_currency_or_unit_is_never_taken_for_the_pages(amount: str) -> None:
    page = (PAGES / "anthropic.md").read_text().replace("$5 / MTok", amount if "/" in amount else f"{amount} / MTok", 1)
    parsed = read("anthropic.md", page)
    assert _stated(parsed.prices) < _stated(read("anthropic.md").prices)
    assert [text for text in parsed.not_understood if re.search(r"expected an? (?:amount|price)", text)]


LAYOUT: dict[str, Any] = {
    "provider": "acme",
    "currency": "USD",
    "bare_amounts": True,
    "sections": [
        {
            "heading": "models",
            "alternatives": [
                {
                    "model": "name",
                    "columns": {
                        "pricing.input": {"meter": "input_uncached"},
                        "pricing.output": {"meter": "output_text"},
                    },
                }
            ],
        }
    ],
}
MODELS = [
    {"name": "m-1", "pricing": {"input": 0.3, "output": "$1.20"}, "tags": ["new"]},
    {"name": "m-2", "pricing": {"input": 3e-06, "output": 15}, "isNew": True},
]
SCRIPTS = {
    "next": f'<script id="__NEXT_DATA__" type="application/json">{json.dumps({"props": {"pageProps": {"models": MODELS}}})}</script>',
    "assigned": f"<script>window.__STATE__ = {json.dumps({'models': MODELS})};</script>",
    "pushed": "<script>self.__next_f.push([1,{}])</script><script>self.__next_f.push([1,{}])</script>".format(
        *map(json.dumps, ('3:["$","$L9",null,{"mod', f'els":{json.dumps(MODELS)}}}]\n'))
    ),
}


@pytest.mark.parametrize("kind", SCRIPTS)
def test_prices_that_stand_in_a_script_alone_are_read(kind: str) -> None:
    found = read_page(f"<!doctype html><html><body>{SCRIPTS[kind]}</body></html>".encode(), LAYOUT).prices
    assert {(p.raw_model, p.meter, p.unit_price) for p in found} == {
        ("m-1", "input_uncached", Decimal("0.3")),
        ("m-1", "output_text", Decimal("1.20")),
        ("m-2", "input_uncached", Decimal("0.000003")),
        ("m-2", "output_text", Decimal(15)),
    }


def test_a_node_that_names_its_parent_is_drawn_once() -> None:
    """A tree whose nodes name their parent was drawn anew below each of them, as deep as anything is drawn."""
    lines = [
        f'1:{json.dumps({"models": MODELS, "left": "$2", "right": "$3"})}', '2:{"parent":"$1","root":"$1"}', '3:{"parent":"$1","root":"$1"}',
        '0:{"page":"$1","of":1e9999999}',
    ]  # fmt: skip
    script = f"self.__next_f.push([1,{json.dumps(chr(10).join(lines))}])"
    drawn = sections_of(f"<!doctype html><html><script>{script}</script></html>")
    assert [section.heading for section in drawn if section.tables] == ["models"]


def test_a_chain_of_nodes_that_each_name_the_next_twice_is_refused() -> None:
    lines = [f'{number:x}:{{"left":"${number + 1:x}","right":"${number + 1:x}"}}' for number in range(40)]
    script = f"self.__next_f.push([1,{json.dumps(chr(10).join(lines))}])"
    with pytest.raises(PageError, match="name each other more than 5,000 times"):
        sections_of(f"<!doctype html><html><script>{script}</script></html>")


def test_a_number_that_no_one_can_write_out_costs_itself() -> None:
    models = json.dumps({"models": MODELS}).replace("15", "1e9999999")
    drawn = sections_of(f'<!doctype html><html><script type="application/json">{models}</script></html>')
    assert drawn[-1].tables[0][2][2] == "1e9999999"


def test_a_table_that_reacts_server_sends_is_the_table_that_a_browser_shows() -> None:
    page = (PAGES / "mistral.html").read_text()
    assert is_html(page)

    def element(tag: str, *children: Any) -> list[Any]:
        return ["$", tag, None, {"children": [*children]}]

    head = element("tr", *(element("th", text) for text in ("Model", "Input", "Output")))
    rows = [element("tr", *(element("td", text) for text in row)) for row in (("m-1", "$$0.30", "$$1.20"),)]
    lines = [
        f"5:{json.dumps(element('div', element('h2', 'Prices'), '$L6'))}",
        f"6:{json.dumps(element('table', element('thead', head), element('tbody', rows)))}",
    ]
    script = f"self.__next_f.push([1,{json.dumps(chr(10).join(lines))}])"
    columns = {"Input": {"meter": "input_uncached"}, "Output": {"meter": "output_text"}}
    section = {"heading": "Prices", "alternatives": [{"model": "Model", "columns": columns}]}
    found = read_page(f"<html><script>{script}</script></html>".encode(), LAYOUT | {"sections": [section]}).prices
    assert [(p.raw_model, p.unit_price) for p in found] == [("m-1", Decimal("0.30")), ("m-1", Decimal("1.20"))]


def test_a_page_that_a_tool_compiled_to_calls_is_the_page_that_it_draws() -> None:
    calls = (
        "return _jsxs(_Fragment,{children:[_jsx(Heading,{level:`2`,id:`x`,children:`Prices`}),`\\n`,_jsxs(Table,{children:["
        "_jsx(_components.thead,{children:_jsxs(_components.tr,{children:[_jsx(_components.th,{style:{textAlign:`left`},children:`Model`}),"
        "_jsx(_components.th,{children:`Input`}),_jsx(_components.th,{children:`Output`})]})}),_jsx(_components.tbody,{children:"
        "_jsxs(_components.tr,{children:[_jsx(_components.td,{children:`m-1`}),_jsx(_components.td,{children:`$0.30`}),"
        "_jsx(_components.td,{children:`$1.20`})]})})]})]})}"
    )
    columns = {"Input": {"meter": "input_uncached"}, "Output": {"meter": "output_text"}}
    section = {"heading": "Prices", "alternatives": [{"model": "Model", "columns": columns}]}
    page = f"<html><script>self.__next_f.push([1,{json.dumps(calls)}])</script></html>"
    found = read_page(page.encode(), LAYOUT | {"sections": [section]}).prices
    assert [(p.raw_model, p.unit_price) for p in found] == [("m-1", Decimal("0.30")), ("m-1", Decimal("1.20"))]


@pytest.mark.parametrize(("name", "layout", "prices"), [("zai.html", "zai", 58), ("kimi1.html", "kimi", 3)])
def test_a_real_page_states_the_same_by_its_scripts_alone(
    shared_data: Path, name: str, layout: str, prices: int
) -> None:
    """Kimi's gives its table to a component, as titles and rows."""
    page = (shared_data / "prices" / "pages" / name).read_text()
    bare = re.sub(r"<table\b.*?</table>", "", page, flags=re.DOTALL)
    assert "<table" not in bare
    found = [_stated(read_page(text.encode(), {"layout": layout}).prices) for text in (page, bare)]
    assert len(found[0]) == prices
    assert found[0] == found[1]
