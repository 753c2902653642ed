"""Words and marks next to a model's name on a price page: dates in several wordings, sizes, footnotes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from pipelines.config.sources import PriceFeed
from pipelines.pages.sections import PageSection, sections_of
from pipelines.pages.texts import heading
from pipelines.prices import build_ledger, parse_feed
from pipelines.prices.feeds import FORMATS
from pipelines.prices.pages.layout import PageLayout
from pipelines.prices.pages.notes import notes_of
from tests.unit.prices.feeds import registry_of
from tests.unit.prices.landed import landed_bytes

PAGE = """
## Model pricing
| Model{mark} | Base Input Tokens{mark} | 5m Cache Writes | 1h Cache Writes | Cache Hits & Refreshes | Output Tokens{mark} |
|---|---|---|---|---|---|
| {name} | $2 / MTok | $2.50 / MTok | $4 / MTok | $0.20 / MTok | $10 / MTok |

## Batch processing
| Model | Batch input | Batch output |
|---|---|---|
| Claude Haiku 9 | $1 / MTok | $5 / MTok |

## Web search tool
Web search costs $10 per 1,000 searches.
"""
END_OF_YEAR = datetime(2027, 1, 1, tzinfo=UTC)


def spans(name: str, mark: str = "") -> set[tuple[str, datetime | None, datetime | None, int]]:
    """Name, start, end and bound of the input prices of the first table."""
    found = FORMATS["page"].read(PAGE.format(name=name, mark=mark).encode(), {"layout": "anthropic"}).prices
    return {
        (price.raw_model, price.valid_from, price.valid_to, price.context_from_tokens)
        for price in found
        if price.meter == "input_uncached" and price.service_tier == "standard"
    }


@pytest.mark.parametrize(
    "words",
    [
        "(introductory pricing through December 31, 2026)", "(promotional price until Dec 31, 2026)", "(until 2026-12-31)",
        "(valid through Dec. 31, 2026)", "ending December 31, 2026",
    ],
)  # fmt: skip
def test_a_price_ends_with_the_day_that_its_name_says(words: str) -> None:
    assert spans(f"Claude Haiku 9 {words}") == {("Claude Haiku 9", None, END_OF_YEAR, 0)}


@pytest.mark.parametrize(
    "words", ["starting January 1, 2027", "(from January 1, 2027)", "(effective on Jan 1, 2027)", "(as of 2027-01-01)"]
)
def test_a_price_begins_with_the_day_that_its_name_says(words: str) -> None:
    assert spans(f"Claude Haiku 9 {words}") == {("Claude Haiku 9", END_OF_YEAR, None, 0)}


@pytest.mark.parametrize(
    "words", ["(> 200K)", "(above 0.2M tokens)", "[over 200,000 input tokens]", "(prompts > 200K)"]
)
def test_a_size_in_brackets_is_a_bound(words: str) -> None:
    assert spans(f"Claude Haiku 9 {words}") == {("Claude Haiku 9", None, None, 200_000)}


@pytest.mark.parametrize("words", ["(until 31/12/2026)", "(long context)", "(batch)", "(US-only)", "– fast mode"])
def test_a_day_or_a_size_that_is_not_understood_is_no_part_of_the_model_s_price(words: str) -> None:
    assert {name for name, *_ in spans(f"Claude Haiku 9 {words}")} == {f"Claude Haiku 9 {words}"}


@pytest.mark.parametrize("mark", ["¹", "*", " †", "<sup>2</sup>", " [1]", "¹²"])
def test_marks_of_footnotes_belong_to_no_name(mark: str) -> None:
    assert spans(f"Claude Haiku 9{mark} ([deprecated](/docs/old))", mark) == {("Claude Haiku 9", None, None, 0)}
    assert spans(f"Claude Haiku 9 (new){mark}", mark) == {("Claude Haiku 9", None, None, 0)}


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("1. GPT-4o", "GPT-4o"), ("4.1. Prices", "Prices"), ("🔥GPT", "GPT"), ("• Models", "Models"), ("- Models", "Models"),
        ("🔥 2) Models ¶", "Models"), ("4.1 mini", "4.1 mini"), ("o3", "o3"), ("2.5 Flash", "2.5 Flash"), ("$5 plan", "$5 plan"),
        ("@cf/meta/llama-3", "@cf/meta/llama-3"), ("~moonshotai/kimi", "~moonshotai/kimi"), ("/v1", "/v1"), ("3.", "3."),
    ],
)  # fmt: skip
def test_a_heading_is_read_without_its_sign_and_its_number_and_a_model_keeps_both(written: str, words: str) -> None:
    assert heading(written) == words


def test_a_promotion_next_to_the_plain_price_gives_way_to_it(tmp_path: Path) -> None:
    """Seen in November and, unchanged, in January: 2 USD up to the end of the year, 3 from then on."""
    plain = "| Claude Haiku 9 | $3 / MTok | $3.75 / MTok | $6 / MTok | $0.30 / MTok | $15 / MTok |\n\n## Batch"
    page = PAGE.format(name="Claude Haiku 9 (through December 31, 2026)", mark="").replace("\n## Batch", plain)
    feed = PriceFeed(feed="p", format="page", options={"layout": "anthropic"})
    for days in (("2026-11-01",), ("2026-11-01", "2027-01-15")):
        found = [parse_feed(landed_bytes(tmp_path, "p", f"{day}T00-00-00Z.md", page.encode()), feed) for day in days]
        assert [snapshot.not_understood for snapshot in found] == [()] * len(days)
        rows = build_ledger(feed, found, registry_of(found)).filter(
            pl.col("superseded_at").is_null(), meter="input_uncached", service_tier="standard"
        )
        assert rows.sort("valid_from").select("unit_price", "valid_from", "valid_to").rows() == [
            (2, datetime(2026, 11, 1, tzinfo=UTC), END_OF_YEAR), (3, END_OF_YEAR, None),
        ]  # fmt: skip


ICON = '<span><button aria-label="Copy link"><span aria-hidden="true">\ue23e</span></button></span>'
"""What a documentation tool puts into each heading: a button whose icon is a character of a font of icons."""


def in_html(page: str, above: str = "") -> bytes:
    """The page of this file as its site serves it, with the icons that it draws into headings and names."""
    lines = []
    for line in page.strip().splitlines():
        if line.startswith("##"):
            lines.append(f"{'</table>' * bool(lines)}<h2>{line[3:]}{ICON}</h2>")
        elif line.startswith("|---"):
            continue
        elif line.startswith("|"):
            cells = "".join(f"<td>{cell.strip()}</td>" for cell in line.strip("|").split("|"))
            lines.append("<table>" * lines[-1].startswith(("<h2", "</table")) + f"<tr>{cells}</tr>")
        elif line:
            lines.append(f"<p>{line}</p>")
    return f"<html><body>{above}{''.join(lines)}</body></html>".encode()


def test_icons_and_links_belong_to_no_heading_and_no_name() -> None:
    """The page was refused for lack of its headings; a link in brackets made the retired model another one."""
    name = 'Claude Haiku 9 (<a href="/x">retired, except on Bedrock</a>)'
    found = FORMATS["page"].read(in_html(PAGE.format(name=name, mark="\ue23e")), {"layout": "anthropic"}).prices
    assert {price.raw_model for price in found} == {"Claude Haiku 9"}
    assert {price.meter for price in found} >= {"input_uncached", "input_cache_write_1h", "web_search"}


@pytest.mark.parametrize(
    ("inside", "shown"),
    [
        ('Text API<button type="button">Copy link</button>', "Text API"),
        ('<span>Text <b>API</b></span><a href="#text-api" aria-hidden="true">#</a>', "Text API"),
        ("<button>Text API</button>", "Text API"),
    ],
)
def test_a_heading_is_what_stands_there_without_its_buttons(inside: str, shown: str) -> None:
    """A layout asks for the heading; where nothing else is in it, the button is the heading."""
    assert sections_of(f"<html><body><h2>{inside}</h2><p>x</p></body></html>")[-1].heading == shown


@pytest.mark.parametrize(
    "words",
    [
        "For Claude 4.6 and later models, specifying US-only inference through the `inference_geo` parameter incurs a",
        "For Claude Opus 4.7, Claude Opus 4.6, and newer models, specifying US-only inference via the `inference_geo` parameter incurs a",
    ],
)
def test_data_residency_is_found_in_the_words_of_every_year(words: str) -> None:
    """The page's new sentence was not found: calls that stay in the US cost a tenth too little."""
    note = f"\n## Data residency pricing\n{words} 1.1x multiplier on all token pricing categories, including input tokens.\n"
    found = FORMATS["page"].read((PAGE.format(name="Claude Haiku 9", mark="") + note).encode(), {"layout": "anthropic"})
    there = {
        price.service_tier: price.unit_price
        for price in found.prices
        if price.region == "us" and price.meter == "output_text"
    }
    assert there == {"standard": Decimal(11), "batch": Decimal("5.5")}


GEMINI = """
# Pricing
## Gemini 9
*[`gemini-9`](/x)*
### Standard
| | Free Tier | Paid Tier, per 1M tokens in USD |
|---|---|---|
| {row} | Not available | {cell} |
"""


@pytest.mark.parametrize(
    ("row", "cell", "stated"),
    [
        ("Grounding with Google Search", "5,000 free search requests per month, then $14 per 1,000 requests.", {("web_search", "14", 1000, 0)}),
        ("Grounding with Google Search", "1,500 RPD (free), then $35 per 1,000 grounded prompts", {("grounded_prompt", "35", 1000, 0)}),
        ("Output price", "$3.00 (text and thinking) $17.50 (video)", {("output_text", "3.00", 1_000_000, 0), ("output_reasoning", "3.00", 1_000_000, 0), ("output_video", "17.50", 1_000_000, 0)}),
        ("Image input price", "$0.45 ($0.00012 per image)", {("input_image", "0.45", 1_000_000, 0)}),
        ("Input price", "$1, prompts <= 200k tokens $2, prompts > 200k token", {("input_uncached", "1", 1_000_000, 0), ("input_uncached", "2", 1_000_000, 200_000)}),
    ],
)  # fmt: skip
def test_cells_of_geminis_page_of_september(row: str, cell: str, stated: set[tuple[str, str, int, int]]) -> None:
    """Searches lost their price, and images of an embedding model cost as its text."""
    found = FORMATS["page"].read(GEMINI.format(row=row, cell=cell).encode(), {"layout": "google"})
    assert {(p.meter, str(p.unit_price), p.pricing_quantity, p.context_from_tokens) for p in found.prices} == stated


BAILIAN = """<h4>华北2（北京）</h4><table><tr><th>模型 ID（Model ID）</th><th>单次请求的输入Token数</th><th>输入单价（每百万Token）</th>
<th><b>输出单价（每百万Token）</b><blockquote><b>思维链+回答</b></blockquote></th></tr>
<tr><td>qwen9-plus</td><td>0&lt;Token≤256K</td><td><p>原价2元<b>（限时8折）</b></p></td><td>8元</td></tr>
<tr><td>qwen9-plus</td><td>256K&lt;Token≤1M</td><td><p>原价6元<b>（限时7.5折）</b></p></td><td>24元</td></tr>
<tr><td>deepseek-v9</td><td>无阶梯计价</td><td><p>忙时 2元</p><p>闲时 1元</p></td><td><p>忙时 8元</p><p>闲时 4元</p></td></tr></table>"""


@pytest.mark.parametrize("written", ["7.5", "75"])
def test_bailians_discounts_in_brackets_are_taken_off_and_busy_hours_cost_their_row_only(written: str) -> None:
    """Both refused the page: the prices of every model stayed those of the summer. A discount of two digits made a price dearer."""
    page = json.dumps({"data": {"content": BAILIAN.replace("7.5", written)}}).encode()
    found = FORMATS["page"].read(page, {"layout": "bailian"})
    paid = {(p.raw_model, p.context_from_tokens, p.unit_price) for p in found.prices if p.meter == "input_uncached"}
    assert paid == {("qwen9-plus", 0, Decimal("1.6")), ("qwen9-plus", 256_000, Decimal("4.5"))}
    assert [name for name in found.not_understood if "deepseek-v9" in name]


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ("| Search | Per 1,000 successful requests | $0.75 |", 0),
        ("| Search (text, image) | Per 1,000 calls | $0.75 |", 0),
        ("| Web Search | Per 1K calls | $0.75 |", 1),
        ("Searches cost $0.75 per thousand.", 1),
        ("", 0),
    ],
)
def test_a_price_that_a_page_states_in_other_words_is_named(row: str, named: int) -> None:
    """DeepSeek's price of a search went without a word when its table changed."""
    table = "| API | Unit | Price |\n|---|---|---|\n" if row.startswith("|") else ""
    page = f"""# Models & Pricing
The prices are in units of per 1M tokens.
| MODEL | MODEL | deepseek-x |
|---|---|---|
| PRICING | 1M INPUT TOKENS (CACHE HIT) | $0.1 |
| PRICING | 1M INPUT TOKENS (CACHE MISS) | $1 |
| PRICING | 1M OUTPUT TOKENS | $2 |

## Search
{table}{row}
"""
    found = FORMATS["page"].read(page.encode(), {"layout": "deepseek_en"})
    assert len([name for name in found.not_understood if "web_search" in name]) == named
    assert ("web_search" in {price.meter for price in found.prices}) == row.startswith("| Search")


def test_deepseeks_searches_of_november_2026_cost_and_those_not_yet_charged_are_noted() -> None:
    page = """# 模型 & 价格
下表所列模型价格以“百万 tokens”为单位。
## 模型细节
| 模型 | 模型 | deepseek-x |
|---|---|---|
| 价格 | 百万tokens输入 (缓存命中) | 0.1元 |
| 价格 | 百万tokens输入 (缓存未命中) | 1元 |
| 价格 | 百万tokens输出 | 2元 |

## 联网搜索与抓取价格
无论是直接调用 Search 与 Fetch API，还是通过工具使用，都按此价格计费。
这部分接口调用目前未计费，并将于北京时间 2026 年 11 月 1 日 00:00 起按次收取。

| 项目 | 计费单位 | 价格 |
|---|---|---|
| 搜索（文字、图片） | 每 1,000 次 | 5元 |
| 网页抓取 | 每 1,000 次 | 7元 |
"""
    found = FORMATS["page"].read(page.encode(), {"layout": "deepseek"})
    assert [(p.unit_price, p.pricing_quantity) for p in found.prices if p.meter == "web_search"] == [(5, 1000)]
    assert ["未计费" in name for name in found.not_understood] == [True]


@pytest.mark.parametrize(
    ("sentence", "is_noted"),
    [
        ("Introductory prices hold for one week.", True),
        ("All prices are 20% off.", True),
        ("Starting March 1, 2027, pricing changes for every model.", True),
        ("Pricing is valid until the end of 2027", True),
        ("Prices are in US dollars.", False),
        ("20% off your first seminar.", False),
        ("Until 2027 nothing is said of amounts. Prices are in US dollars.", False),
    ],
)
def test_a_sentence_that_may_change_all_prices_is_for_a_person_to_read(sentence: str, is_noted: bool) -> None:
    section = PageSection("Pricing", text=f"Prices below.\n{sentence}\nSee 2026.\n")
    noted = [*notes_of(PageLayout.model_construct(), [section])]
    assert noted == [f"section 'Pricing' has a note that may change a price: {sentence!r}"] * is_noted
