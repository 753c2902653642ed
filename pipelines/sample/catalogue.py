"""Who uses what in the sample: twelve models as their sellers name and price them, six teams and their traffic.

List prices in USD per million tokens as published in February 2026 (genai-prices 0.2.3, LiteLLM's price map 1.81.16),
re-typed; the price cut of 22 February and every mix and volume are invented. The files made of them are in `feeds.py`
and `logs.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from pipelines.sample.shapes import CHAT, CODE, DOCUMENTS, EXTRACTION, NIGHT_HOURS, OFFICE_HOURS, Workload

LONG_CONTEXT_TOKENS = 200_000
"""Above this prompt size the sellers that have a second tier charge it for the whole request."""
PRICE_CHANGE_DATE = date(2026, 2, 22)


@dataclass(frozen=True)
class Rates:
    """USD per million tokens; None if the seller publishes no rate of its own for the meter."""

    input: Decimal
    output: Decimal
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    cache_write_1h: Decimal | None = None


def _rates(
    input_: str, output: str, cache_read: str | None = None, cache_write: str | None = None, hour: str | None = None
) -> Rates:
    optional = [None if text is None else Decimal(text) for text in (cache_read, cache_write, hour)]
    return Rates(Decimal(input_), Decimal(output), *optional)


@dataclass(frozen=True)
class Offer:
    """One model at one seller, and its names: at the seller, in LiteLLM's map, in OpenTelemetry, in an answer."""

    key: str
    name: str
    provider: str  # genai-prices
    model: str  # genai-prices, and what the seller's API takes
    context_tokens: int
    rates: Rates
    litellm_key: str
    litellm_provider: str
    otel_provider: str
    response_model: str = ""
    rates_long: Rates | None = None
    rates_from_change: Rates | None = None
    is_reasoning: bool = False

    def rates_on(self, day: date, *, is_long: bool = False) -> Rates:
        """The rates of a UTC day."""
        if is_long and self.rates_long is not None:
            return self.rates_long
        if self.rates_from_change is not None and day >= PRICE_CHANGE_DATE:
            return self.rates_from_change
        return self.rates

    @property
    def answered_as(self) -> str:
        """The model name that the seller's answers carry."""
        return self.response_model or self.model


OFFERS: dict[str, Offer] = {
    offer.key: offer
    for offer in (
        Offer(
            "gpt-5.2", "GPT 5.2", "openai", "gpt-5.2", 400_000, _rates("1.75", "14", "0.175"),
            "gpt-5.2", "openai", "openai", "gpt-5.2-2025-12-11", is_reasoning=True,
        ),
        Offer(
            "gpt-4o", "GPT 4o", "openai", "gpt-4o", 128_000, _rates("2.5", "10", "1.25"),
            "gpt-4o", "openai", "openai", "gpt-4o-2024-08-06",
        ),
        Offer(
            "claude-sonnet-4-5", "Claude Sonnet 4.5", "anthropic", "claude-sonnet-4-5", 1_000_000,
            _rates("3", "15", "0.3", "3.75", "6"), "claude-sonnet-4-5", "anthropic", "anthropic",
            "claude-sonnet-4-5-20250929", rates_long=_rates("6", "22.5", "0.6", "7.5", "12"),
        ),
        Offer(
            "gemini-3-pro", "Gemini 3 Pro Preview", "google", "gemini-3-pro-preview", 1_000_000,
            _rates("2", "12", "0.2"), "gemini/gemini-3-pro-preview", "gemini", "gcp.gemini",
            rates_long=_rates("4", "18", "0.4"), is_reasoning=True,
        ),
        Offer(
            "deepseek-chat", "DeepSeek Chat (V3.2)", "deepseek", "deepseek-chat", 131_072,
            _rates("0.28", "0.42", "0.028"), "deepseek/deepseek-chat", "deepseek", "deepseek",
            rates_from_change=_rates("0.24", "0.36", "0.024"),
        ),
        Offer(
            "mistral-large-3", "Mistral Large 3", "mistral", "mistral-large-2512", 262_144,
            _rates("0.5", "1.5"), "mistral/mistral-large-2512", "mistral", "mistral_ai",
        ),
        Offer(
            "llama-3.3-70b", "Llama 3.3 70B", "groq", "llama-3.3-70b-versatile", 131_072,
            _rates("0.59", "0.79"), "groq/llama-3.3-70b-versatile", "groq", "groq",
        ),
        Offer(
            "qwen3-32b", "Qwen3 32B", "groq", "qwen/qwen3-32b", 131_072,
            _rates("0.29", "0.59"), "groq/qwen/qwen3-32b", "groq", "groq",
        ),
        Offer(
            "gpt-oss-120b", "GPT OSS 120B", "groq", "openai/gpt-oss-120b", 131_072,
            _rates("0.15", "0.6", "0.075"), "groq/openai/gpt-oss-120b", "groq", "groq", is_reasoning=True,
        ),
        Offer(
            "kimi-k2", "Kimi K2 0905", "groq", "moonshotai/kimi-k2-instruct-0905", 262_144,
            _rates("1", "3", "0.5"), "groq/moonshotai/kimi-k2-instruct-0905", "groq", "groq",
        ),
        Offer(
            "qwen3-235b", "Qwen3 235B A22B", "openrouter", "qwen/qwen3-235b-a22b", 131_072,
            _rates("0.13", "0.6"), "openrouter/qwen/qwen3-235b-a22b", "openrouter", "openrouter", is_reasoning=True,
        ),
        Offer(
            "qwen3-235b@fireworks", "Qwen3 235B A22B", "fireworks", "accounts/fireworks/models/qwen3-235b-a22b", 131_072,
            _rates("0.22", "0.88"), "fireworks_ai/accounts/fireworks/models/qwen3-235b-a22b", "fireworks_ai",
            "fireworks", is_reasoning=True,
        ),
        Offer(
            "gemma-3-27b", "Gemma 3 27B", "openrouter", "google/gemma-3-27b-it", 131_072,
            _rates("0.1", "0.2"), "openrouter/google/gemma-3-27b-it", "openrouter", "openrouter",
        ),
    )
}  # fmt: skip

UNKNOWN_MODEL = "orion-7b-chat"
"""A model that no feed and no alias knows: its requests stay unpriced, with a reason."""


@dataclass(frozen=True)
class Lane:
    """One application of one team: how much of its source's traffic it has, its token shape and its models."""

    team: str
    application: str
    weight: int
    workload: Workload
    models: dict[str, int]  # key of OFFERS -> weight


@dataclass(frozen=True)
class Source:
    """One request source: its share of all requests in percent, its hours, its lanes, and how many files a day."""

    name: str
    percent: int
    hours: tuple[int, ...]
    lanes: tuple[Lane, ...]
    files_per_day: int
    file_name: str  # {} is the instant at which the file was closed
    cache_hits_per_mille: int = 0
    unknown_per_mille: int = 0

    def lanes_on(self, day: date) -> tuple[Lane, ...]:
        """The lanes with their weights of a day."""
        if day < BURST_FROM:
            return self.lanes
        return tuple(
            replace(lane, weight=lane.weight * BURST_FACTOR) if lane.application == BURST_APPLICATION else lane
            for lane in self.lanes
        )


BURST_FROM, BURST_APPLICATION, BURST_FACTOR = date(2026, 2, 27), "review-bot", 7
"""From this day on one application makes this many times its requests: an agent that nobody stops."""

SOURCES: tuple[Source, ...] = (
    Source("gateway", 45, OFFICE_HOURS, (
        Lane("support", "helpdesk-chat", 46, CHAT, {"deepseek-chat": 44, "gpt-4o": 26, "llama-3.3-70b": 18, "gpt-5.2": 12}),
        Lane("search", "answer-box", 34, CHAT, {"gpt-oss-120b": 38, "qwen3-235b": 30, "gemini-3-pro": 18, "gpt-4o": 14}),
        Lane("legal", "contract-review", 8, DOCUMENTS, {"gemini-3-pro": 52, "claude-sonnet-4-5": 48}),
        Lane("marketing", "copywriter", 12, CHAT, {"gpt-4o": 40, "claude-sonnet-4-5": 30, "gemma-3-27b": 30}),
    ), 3, "spend_logs_{}.jsonl.zst", cache_hits_per_mille=22, unknown_per_mille=4),
    Source("assistants", 35, OFFICE_HOURS, (
        Lane("engineering", "ide-assistant", 70, CODE, {"claude-sonnet-4-5": 40, "gpt-5.2": 24, "kimi-k2": 22, "deepseek-chat": 14}),
        Lane("engineering", "review-bot", 12, CHAT, {"claude-sonnet-4-5": 50, "kimi-k2": 30, "gpt-5.2": 20}),
        Lane("research", "notebook-helper", 18, CHAT, {"gemini-3-pro": 34, "mistral-large-3": 36, "gpt-5.2": 30}),
    ), 2, "spans_{}.jsonl.gz"),
    Source("batch", 20, NIGHT_HOURS, (
        Lane("search", "catalogue-tagging", 44, EXTRACTION, {"qwen3-32b": 40, "gemma-3-27b": 34, "llama-3.3-70b": 26}),
        Lane("research", "paper-digest", 22, CHAT, {"mistral-large-3": 55, "qwen3-235b@fireworks": 45}),
        Lane("marketing", "translation", 34, EXTRACTION, {"mistral-large-3": 60, "qwen3-235b@fireworks": 40}),
    ), 1, "jobs_{}.csv"),
)  # fmt: skip
