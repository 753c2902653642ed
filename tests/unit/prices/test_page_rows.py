"""One row, cell or sentence of a price page that can't be read costs itself; what is crossed out is no price."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.prices.feed_snapshot import Parsed, PriceFeedError
from pipelines.prices.feeds.page import read

ACME: dict[str, Any] = {
    "provider": "acme",
    "currency": "USD",
    "conditions": [r"for prompts over (?P<above>[\d,]+) tokens"],
    "sections": [
        {
            "heading": name,
            "required": False,
            "alternatives": [
                {
                    "model": "Model",
                    "columns": {
                        "Input": {"meter": "input_uncached", "service_tier": tier},
                        "Output": {"meter": "output_text", "service_tier": tier},
                    },
                }
            ],
        }
        for name, tier in (("Models", "standard"), ("Batch", "batch"))
    ],
    "phrases": [
        {"heading": "*", "pattern": r"\$(?P<amount>[\d.]+) per 1,000 searches", "meter": "web_search", "per": 1000}
    ],
}
SEARCHES = "\n\nSearch costs $10 per 1,000 searches.\n"


def table(heading: str, *rows: str) -> str:
    return "\n".join([f"## {heading}", "", "| Model | Input | Output |", "|---|---|---|", *rows, ""])


def stated(parsed: Parsed) -> set[tuple[str, str, str, str]]:
    return {
        (p.raw_model, p.service_tier, p.meter, f"{p.unit_price.normalize():f}")
        for p in parsed.prices
        if p.meter != "web_search"
    }


@pytest.mark.parametrize(
    "cell",
    [
        "<del>$1.74</del> $0.435", "$0.435 (75% off<sup>(3)</sup>)<br><s>$1.74</s>", "<strike>$1.74</strike> 75% OFF $0.435",
        '<span class="text-sm line-through">$1.74</span><span>$0.435</span>',
        '<span style="text-decoration: line-through">$1.74</span> $0.435',
    ],
)  # fmt: skip
def test_of_two_prices_the_one_that_is_not_crossed_out_is_charged(cell: str) -> None:
    page = f"<html><h2>Models</h2><table><tr><th>Model<th>Input<th>Output</tr><tr><td>m<td>{cell}<td>$2</tr></table><p>{SEARCHES}</html>"
    assert stated(read(page.encode(), ACME)) == {
        ("m", "standard", "input_uncached", "0.435"), ("m", "standard", "output_text", "2"),
    }  # fmt: skip


def test_a_cell_that_is_crossed_out_stays_a_cell_and_a_row_a_row() -> None:
    """The first left its row without a cell, so that the page was refused; the second lost its model without a word."""
    rows = "<tr><td>{}<td{}>$1</td><td>$2</td></tr>"
    page = (
        f"<html><h2>Models</h2><table><tr><th>Model<th>Input<th>Output</tr>{rows.format('n', '')}"
        f"{rows.format('m', ' class=line-through')}{rows.format('old', '').replace('<tr', '<tr class=line-through', 1)}</table><p>{SEARCHES}</html>"
    )
    parsed = read(page.encode(), ACME)
    assert {model for model, *_ in stated(parsed)} == {"n", "old"}
    assert [text for text in parsed.not_understood if "found '~~$1~~'" in text]


def test_so_it_is_in_markdown_in_sentences_and_in_names() -> None:
    page = (
        table("Models", "| ~~m-preview~~ m | ~~$1.74~~ $0.435 | $2 |")
        + "\nSearch: ~~$10 per 1,000 searches~~ $5 per 1,000 searches.\n"
    )
    parsed = read(page.encode(), ACME)
    assert {(p.raw_model, str(p.unit_price)) for p in parsed.prices} == {("m", "0.435"), ("m", "2"), ("m", "5")}


@pytest.mark.parametrize("cell", ["~~$1~~", "$1 (75% off)", "$1 or $2", "€1", "$1 / hour", "soon", "$02"])
def test_a_row_that_cannot_be_read_costs_its_model_alone(cell: str) -> None:
    page = table("Models", "| n | $1 | $4 |", f"| m | {cell} | $4 |") + SEARCHES
    parsed = read(page.encode(), ACME)
    assert {model for model, *_ in stated(parsed)} == {"n"}
    assert (parsed.lines, parsed.rejected) == (2, 1)
    assert [text for text in parsed.not_understood if "row 2" in text]


def test_a_model_of_which_a_row_is_lost_has_no_price_where_that_row_may_hold() -> None:
    """Else prompts of any size would cost what short ones do; a batch that can't be read leaves the standard price."""
    rows = ["| m | $1 | $4 |", "| m for prompts over 200,000 tokens | ? | $8 |", "| n | $1 | $4 |"]
    models = table("Models", *rows, *(f"| other-{number} | $1 | $4 |" for number in range(4)))
    batch = table("Batch", "| m | $0.5 | $2 |", "| n | half | half |", "| o | $0.5 | $2 |")
    found = stated(read((models + batch + SEARCHES).encode(), ACME))
    assert {price for price in found if not price[0].startswith("other")} == {
        ("n", "standard", "input_uncached", "1"), ("n", "standard", "output_text", "4"),
        ("o", "batch", "input_uncached", "0.5"), ("o", "batch", "output_text", "2"),
    }  # fmt: skip


def test_a_row_of_a_table_that_is_picked_for_a_tier_leaves_the_prices_of_other_tiers() -> None:
    """As OpenAI's page has them: a table for each tier, with the same columns."""
    columns = {"Input": {"meter": "input_uncached"}, "Output": {"meter": "output_text"}}
    tables = [{"number": 1}, {"number": 2, "service_tier": "batch"}]
    section = {"heading": "Models", "tables": tables, "alternatives": [{"model": "Model", "columns": columns}]}
    batch = table("Models", "| m | half | half |", "| n | $0.5 | $2 |").partition("\n\n")[2]
    page = f"{table('Models', '| m | $1 | $4 |', '| n | $1 | $4 |')}\n{batch}"
    parsed = read(page.encode(), {"provider": "acme", "currency": "USD", "sections": [section]})
    assert {(model, tier) for model, tier, *_ in stated(parsed)} == {
        ("m", "standard"),
        ("n", "standard"),
        ("n", "batch"),
    }


@pytest.mark.parametrize(
    "page",
    [
        table("Models", "| m | €1 | €4 |", "| n | €1 | €4 |"),
        table("Models", "| m | €1 | €4 |"),
        table("Models", *["| m | €1 | €4 |"] * 2, *["| o | $1 | $4 |"] * 7),
    ],
)
def test_a_page_of_which_many_rows_cannot_be_read_is_refused(page: str) -> None:
    with pytest.raises(PriceFeedError, match="expected an amount in USD"):
        read((page + SEARCHES).encode(), ACME)


def test_a_table_that_does_not_fit_is_named_and_not_a_row_of_another_section() -> None:
    models = table("Models", "| m | soon | $4 |", *(f"| n{number} | $1 | $4 |" for number in range(5)))
    page = models + table("Batch", "| n | $1 | $4 |").replace("Output", "Answers") + SEARCHES
    with pytest.raises(PriceFeedError, match="section 'Batch', table 1: column 'Output' is missing"):
        read(page.encode(), ACME)


def test_a_sentence_that_states_two_prices_costs_that_price_alone() -> None:
    parsed = read(
        (table("Models", "| m | $1 | $4 |") + SEARCHES + "\nFrom 2027 on $12 per 1,000 searches.\n").encode(), ACME
    )
    assert {p.meter for p in parsed.prices} == {"input_uncached", "output_text"}
    assert [text for text in parsed.not_understood if "several prices of web_search, 10, 12" in text]


def deepseek(flash: str, pro: str, note: str, unit: str = "units") -> bytes:
    rows = "".join(
        f"<tr>{head}<td>1M {words}</td><td>{flash}</td><td>{pro}</td></tr>"
        for head, words in (
            ('<td rowspan="3">PRICING</td>', "INPUT TOKENS (CACHE HIT)<sup>(2)</sup>"),
            ("", "INPUT TOKENS (CACHE MISS)"),
            ("", "OUTPUT TOKENS"),
        )
    )
    return (
        f"<html><h1>Models &amp; Pricing</h1><p>The prices listed below are in {unit} of per 1M tokens.</p><h2>Model Details</h2>"
        '<table><tr><td colspan="2">MODEL</td><td>deepseek-v4-flash<sup>(1)</sup></td><td>deepseek-v4-pro</td></tr>'
        f'<tr><td colspan="2">CONTEXT LENGTH</td><td colspan="2">1M</td></tr>{rows}</table><ul><li>{note}</li></ul></html>'
    ).encode()


def test_deepseeks_page_of_may_2026_has_a_promotion_and_names_that_cost_the_same() -> None:
    note = (
        "(1) The model names deepseek-chat and deepseek-reasoner will be deprecated in the future. For compatibility, they "
        "correspond to the non-thinking mode and thinking mode of deepseek-v4-flash, respectively."
    )
    page = deepseek("$0.14", "$0.435 (75% off<sup>(3)</sup>)<br><del>$1.74</del>", note)
    found = {p.raw_model: str(p.unit_price) for p in read(page, {"layout": "deepseek_en"}).prices}
    flash = dict.fromkeys(("deepseek-v4-flash", "deepseek-chat", "deepseek-reasoner"), "0.14")
    assert found == flash | {"deepseek-v4-pro": "0.435"}


def test_deepseeks_pages_of_2025_say_unites() -> None:
    assert read(deepseek("$0.14", "$0.28", "", unit="unites"), {"layout": "deepseek_en"}).prices


@pytest.mark.parametrize(
    ("layout", "sign", "words"),
    [
        (
            "kimi_en",
            "$",
            ("Model", "Unit", "Input Price (Cache Hit)", "Input Price (Cache Miss)", "Output Price", "Input Price"),
        ),
        ("kimi", "¥", ("模型", "计费单位", "输入价格（缓存命中）", "输入价格（缓存未命中）", "输出价格", "输入价格")),
    ],
)
def test_kimis_page_of_march_2026_has_a_heading_for_each_kind_of_model(
    layout: str, sign: str, words: tuple[str, ...]
) -> None:
    model, unit, hit, miss, output, single = words
    page = (
        f"## Product Pricing\n\n### Multi-modal Model kimi-k2.5\n\n| {model} | {unit} | {hit} | {miss} | {output} |\n"
        f"|---|---|---|---|---|\n| kimi-k2.5 | 1M tokens | {sign}0.10 | {sign}0.60 | {sign}3.00 |\n"
        f"| kimi-x | 1K tokens | {sign}0.10 | {sign}0.60 | {sign}3.00 |\n\n"
        f"### Generation Model moonshot-v1\n\n| {model} | {unit} | {single} | {output} |\n|---|---|---|---|\n"
        f"| moonshot-v1-8k | 1M tokens | {sign}0.20 | {sign}2.00 |\n"
        f"| moonshot-v1-auto | 1M tokens | {sign}0.20 ~ {sign}2.00 | {sign}2.00 |\n"
    )
    parsed = read(page.encode(), {"layout": layout})
    assert {(p.raw_model, p.meter, str(p.unit_price)) for p in parsed.prices} == {
        ("kimi-k2.5", "input_cache_read", "0.10"), ("kimi-k2.5", "input_uncached", "0.60"), ("kimi-k2.5", "output_text", "3.00"),
        ("moonshot-v1-8k", "input_uncached", "0.20"), ("moonshot-v1-8k", "output_text", "2.00"),
    }  # fmt: skip
    assert len(parsed.not_understood) == 2


def test_a_column_of_amounts_that_is_not_read_is_named() -> None:
    """Kimi's cached input under a new header fits its table without one: it would cost what any input does, and nobody would know."""
    page = (
        "## Chat\n\n| Model | Unit | Input Price (cached) | Input Price | Output Price | Context |\n|---|---|---|---|---|---|\n"
        "| kimi-k3 | 1M tokens | $0.10 | $0.60 | $3.00 | 262,144 |\n"
    )
    parsed = read(page.encode(), {"layout": "kimi_en"})
    assert {(p.meter, str(p.unit_price)) for p in parsed.prices} == {
        ("input_uncached", "0.60"),
        ("output_text", "3.00"),
    }
    assert parsed.not_understood == {
        "section 'Chat', table 1: no price is taken from the column 'Input Price (cached)'"
    }
