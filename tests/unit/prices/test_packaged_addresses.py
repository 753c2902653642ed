"""Every price feed that is packaged with an address: what that address answers is fetched, lands, and is read by the declaration as it is.

The answers have the shape and the content type of each address, with few models and amounts typed by hand.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from pipelines.config import load_config
from pipelines.config.sources import Sources
from pipelines.fetch import fetch_feeds
from pipelines.landing import scan
from pipelines.prices import parse_feed
from pipelines.settings import Settings
from tests.unit.fetch.server import reply, serve

FEEDS = {feed.feed: feed for feed in load_config(None).sources.prices if feed.url}
PAGES = Path(__file__).parents[2] / "fixtures" / "price_pages"
JSON, TEXT, MARKDOWN, HTML = (
    "application/json",
    "text/plain; charset=utf-8",
    "text/markdown",
    "text/html; charset=utf-8",
)


def page(name: str) -> bytes:
    return (PAGES / name).read_bytes()


def table(*rows: tuple[str, ...]) -> str:
    head, *body = ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
    lines = "".join(f"<tr>{row}</tr>" for row in body)
    return f"<table><thead><tr>{head.replace('td>', 'th>')}</tr></thead><tbody>{lines}</tbody></table>"


def html(text: str) -> bytes:
    return f"<!DOCTYPE html><html><body>{text}</body></html>".encode()


ZAI = html(
    "<h3>Text Models</h3><span>Prices per 1M tokens.</span>"
    + table(("Model", "Input", "Cached Input", "Cached Input Storage", "Output"), ("GLM-5.2", "$1.4", "$0.26", "Limited-time Free", "$4.4"))
    + "<h3>Vision Models</h3>"
    + table(("Model", "Input", "Cached Input", "Cached Input Storage", "Output"), ("GLM-4.6V", "$0.3", "$0.05", "Limited-time Free", "$0.9"))
)  # fmt: skip
KIMI = html(
    "<h2>产品定价</h2>"
    + table(("模型", "计费单位", "输入价格（缓存命中）", "输入价格（缓存未命中）", "输出价格", "上下文窗口"), ("kimi-k2.6", "1M tokens", "¥1.10", "¥6.50", "¥27.00", "262,144 tokens"))
    + "<p>此处 1M = 1,000,000，表格中的价格代表每消耗 1M tokens 的价格。</p>"
)  # fmt: skip
BIGMODEL = html(
    "<h2>旗舰模型</h2>"
    + table(("模型名称", "上下文 (千tokens)", "输入单价 (百万tokens)", "输出单价 (百万tokens)", "缓存存储 (百万tokens/小时)", "缓存命中 (百万tokens)"), ("GLM-5.2 新品", "1M", "8元", "28元", "限时免费", "2元"))
)  # fmt: skip


def boxes(*cells: str) -> str:
    """Cells of boxes, as the page draws them: `|` stands between two, and `~` before what is crossed out."""

    def drawn_in(part: str) -> str:
        return (
            f'<span class="text-xs line-through">{part[1:]}</span>' if part.startswith("~") else f"<span>{part}</span>"
        )

    drawn = "".join(f"<div>{''.join(map(drawn_in, cell.split('|')))}</div>" for cell in cells)
    return f'<div class="grid" style="grid-template-columns: minmax(260px, 2fr) repeat(3, 1fr);">{drawn}</div>'


MINIMAX = html(
    "<h2>语言模型</h2><div>"
    + boxes("模型", "输入价格|百万 tokens", "输出价格|百万 tokens", "缓存读取|百万 tokens")
    + boxes("MiniMax-M3|上下文 ≤ 512K", "~¥4.2|¥2.1", "~¥16.8|¥8.4", "~¥0.84|¥0.42")
    + "</div>"
)  # fmt: skip
BAILIAN = "<h2>华北2（北京）</h2>" + table(
    ("模型 ID（Model ID）", "单次请求的输入Token数", "输入单价（每百万Token）", "输出单价（每百万Token）"),
    ("qwen3-max", "0&lt;Token≤32K", "2.5元", "10元"),
    ("qwen3-max", "32K&lt;Token≤128K", "4元", "16元"),
)
GENAI = [
    {
        "id": "openai",
        "name": "OpenAI",
        "models": [
            {"id": "m", "match": {"equals": "m"}, "prices": {"input_mtok": 2.5, "cache_read_mtok": 0.25, "output_mtok": 10}}
        ],
    }
]  # fmt: skip
LLM_PRICES = {
    "prices": [
        {"id": "m", "vendor": "openai", "name": "M", "input": 2.5, "output": 10, "input_cached": 0.25, "from_date": None, "to_date": None}
    ]
}  # fmt: skip
MAP = {
    "sample_spec": {"litellm_provider": "one of ...", "input_cost_per_token": 0.0},
    "m": {
        "litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 2.5e-06, "output_cost_per_token": 1e-05,
        "cache_read_input_token_cost": 2.5e-07, "max_input_tokens": 128000, "supports_vision": True,
    },
}  # fmt: skip
AZURE = {
    "BillingCurrency": "USD", "CustomerEntityId": "Default", "CustomerEntityType": "Retail", "NextPageLink": None, "Count": 1,
    "Items": [
        {
            "currencyCode": "USD", "tierMinimumUnits": 0.0, "retailPrice": 0.0025, "unitPrice": 0.0025, "armRegionName": "swedencentral",
            "location": "SE Central", "effectiveStartDate": "2026-01-01T00:00:00Z", "meterId": "1", "meterName": "gpt 4o 1120 Inp glbl Tokens",
            "productName": "Azure OpenAI", "skuName": "gpt-4o 1120 Inp glbl", "serviceName": "Foundry Models", "serviceFamily": "AI + Machine Learning",
            "unitOfMeasure": "1K", "type": "Consumption", "isPrimaryMeterRegion": True, "armSkuName": "gpt-4o-1120-Inp-glbl",
        }
    ],
}  # fmt: skip
OPENROUTER = {
    "data": [
        {"id": "openai/m", "name": "M", "pricing": {"prompt": "0.0000025", "completion": "0.00001", "input_cache_read": "0.00000025"}}
    ]
}  # fmt: skip
MODELS_DEV = {
    "openai": {
        "id": "openai", "name": "OpenAI", "env": ["OPENAI_API_KEY"],
        "models": {"m": {"id": "m", "name": "M", "cost": {"input": 2.5, "output": 10, "cache_read": 0.25}}},
    }
}  # fmt: skip

ANSWERS: dict[str, tuple[Any, str, tuple[str, str, str]]] = {
    "anthropic_page": (page("anthropic.md"), MARKDOWN, ("claude opus 5", "input_cache_write_1h", "10")),
    "openai_page": (page("openai.md"), MARKDOWN, ("gpt-5.4-mini", "input_cache_read", "0.075")),
    "google_page": (page("google.md"), TEXT, ("gemini-2.5-flash-lite", "output_text", "0.4")),
    "mistral_page": (page("mistral.html"), HTML, ("mistral large 4", "input_cache_read", "0.07")),
    "deepseek_page": (page("deepseek_en.html"), HTML, ("deepseek-flash", "output_text", "0.6")),
    "deepseek_cn": (page("deepseek.html"), HTML, ("deepseek-flash", "output_text", "4")),
    "zai_page": (ZAI, HTML, ("glm-4.6v", "input_cache_read", "0.05")),
    "kimi": (KIMI, HTML, ("kimi-k2.6", "input_cache_read", "1.1")),
    "minimax": (MINIMAX, HTML, ("minimax-m3", "output_text", "8.4")),
    "bigmodel": (BIGMODEL, HTML, ("glm-5.2", "input_cache_read", "2")),
    "bailian": (html(BAILIAN), HTML, ("qwen3-max", "output_text", "10")),
    "genai_prices": (GENAI, TEXT, ("m", "input_cache_read", "0.25")),
    "llm_prices": (LLM_PRICES, JSON, ("m", "input_cache_read", "0.25")),
    "litellm_map": (MAP, TEXT, ("m", "input_cache_read", "0.25")),
    "azure": (AZURE, JSON, ("gpt-4o-2024-11-20", "input_uncached", "2.5")),
    "openrouter": (OPENROUTER, JSON, ("openai/m", "input_cache_read", "0.25")),
    "models_dev": (MODELS_DEV, JSON, ("m", "input_cache_read", "0.25")),
}
"""By feed what is answered, its content type, and one price: model, meter, and the amount for a million in the page's currency."""


def test_every_packaged_address_is_tried() -> None:
    assert set(ANSWERS) == set(FEEDS)


@pytest.mark.parametrize("name", ANSWERS)
def test_what_a_packaged_address_answers_is_read(name: str, tmp_path: Path) -> None:
    content, kind, (model, meter, amount) = ANSWERS[name]
    feed = FEEDS[name]
    path = urlsplit(str(feed.url)).path
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    settings = Settings(home=tmp_path / "home", landing=tmp_path / "landing", offline=False)
    with serve() as server:
        server.routes[path] = reply(body, Content_Type=kind)
        here = feed.model_copy(update={"url": f"{server.url}{path}", "enabled": True})
        (result,) = fetch_feeds(settings, Sources(prices=(here,)), now=datetime(2026, 11, 14, 6, tzinfo=UTC))
    assert (result.outcome, result.error) == ("fetched", None)
    (file,) = scan(settings.landing_zone, "prices").files
    snapshot = parse_feed(file, feed)
    found = {
        (row["raw_model"].lower(), row["meter"], row["unit_price"] * 1_000_000 / row["pricing_quantity"])
        for row in snapshot.prices.iter_rows(named=True)
    }
    assert (model, meter, Decimal(amount)) in found, sorted(found)
    assert snapshot.lines == snapshot.valid


def test_a_page_that_is_packed_into_json_is_read_as_well(tmp_path: Path) -> None:
    from tests.unit.prices.landed import landed_bytes

    packed = json.dumps({"code": 200, "data": {"content": BAILIAN}, "success": True}).encode()
    rows = [
        parse_feed(landed_bytes(tmp_path, "bailian", f"2026-11-14{suffix}", content), FEEDS["bailian"]).prices
        for suffix, content in ((".json", packed), (".html", html(BAILIAN)))
    ]
    assert rows[0].height == 4
    assert rows[0].drop("source_locator").equals(rows[1].drop("source_locator"))
