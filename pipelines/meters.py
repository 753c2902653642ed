"""The meters: the exclusive, additive quantities that a request is measured and priced by.

This is the one list of token buckets, of what else is counted, and of the fees charged by it. `core.request` has one column
`<meter>_tokens` per token meter and one column per count, `core.price.meter` holds the names of the meters, `core.rate_card`
has one column of rates each. The rules that turn a provider's usage object into buckets are in `pipelines.requests`; rates
are in `pipelines.prices`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Meter:
    """One meter. `parent` is the meter whose rate applies where a price source names no rate for this one.

    The fallback follows genai-prices: usage without a rate of its own is charged as the more general usage
    that contains it. `other_parent` is a second such meter, tried after `parent`: cached audio is audio, and it is
    cache. A fallback is never silent: the rate card lists it in `fallbacks`.
    """

    name: str
    direction: str  # FOCUS 1.5 TokenDirection: Input or Output
    cache_action: str  # FOCUS 1.5 TokenCacheAction: Uncached, Read, Write
    parent: str | None
    sku_meter: str  # FOCUS SkuMeter
    description: str
    other_parent: str | None = None

    @property
    def tokens_column(self) -> str:
        """Column of core.request that counts this meter."""
        return f"{self.name}_tokens"

    @property
    def quantity_sql(self) -> str:
        """The quantity of one row of core.request."""
        return self.tokens_column

    @property
    def rate_column(self) -> str:
        """Column of core.rate_card that holds the rate."""
        return f"{self.name}_usd_per_mtok"


TOKEN_METERS: tuple[Meter, ...] = (
    Meter(
        "input_uncached", "Input", "Uncached", None, "Input Tokens", "text input that neither read nor wrote a cache"
    ),
    Meter(
        "input_cache_read",
        "Input",
        "Read",
        "input_uncached",
        "Cache Read Input Tokens",
        "input served from a prompt cache",
    ),
    Meter(
        "input_cache_write",
        "Input",
        "Write",
        "input_uncached",
        "Cache Write Input Tokens",
        "input written to a cache whose time to live the source does not state",
    ),
    Meter(
        "input_cache_write_5m",
        "Input",
        "Write",
        "input_cache_write",
        "Cache Write 5m Input Tokens",
        "input written to a 5-minute cache",
    ),
    Meter(
        "input_cache_write_30m",
        "Input",
        "Write",
        "input_cache_write",
        "Cache Write 30m Input Tokens",
        "input written to a 30-minute cache",
    ),
    Meter(
        "input_cache_write_1h",
        "Input",
        "Write",
        "input_cache_write",
        "Cache Write 1h Input Tokens",
        "input written to a 1-hour cache",
    ),
    Meter(
        "input_cache_write_12h",
        "Input",
        "Write",
        "input_cache_write",
        "Cache Write 12h Input Tokens",
        "input written to a 12-hour cache",
    ),
    Meter("input_audio", "Input", "Uncached", "input_uncached", "Audio Input Tokens", "audio input outside a cache"),
    Meter(
        "input_audio_cache_read",
        "Input",
        "Read",
        "input_audio",
        "Cache Read Audio Input Tokens",
        "audio input served from a cache",
        "input_cache_read",
    ),
    Meter("input_image", "Input", "Uncached", "input_uncached", "Image Input Tokens", "image input outside a cache"),
    Meter(
        "input_image_cache_read",
        "Input",
        "Read",
        "input_image",
        "Cache Read Image Input Tokens",
        "image input served from a cache",
        "input_cache_read",
    ),
    Meter("input_video", "Input", "Uncached", "input_uncached", "Video Input Tokens", "video input outside a cache"),
    Meter(
        "input_tool",
        "Input",
        "Uncached",
        "input_uncached",
        "Tool Input Tokens",
        "input that the provider's own tools put into the prompt",
    ),
    Meter(
        "output_text",
        "Output",
        "Uncached",
        None,
        "Output Tokens",
        "visible text output, rejected prediction tokens included",
    ),
    Meter(
        "output_reasoning",
        "Output",
        "Uncached",
        "output_text",
        "Reasoning Output Tokens",
        "reasoning output, billed and not shown",
    ),
    Meter("output_audio", "Output", "Uncached", "output_text", "Audio Output Tokens", "audio output"),
    Meter("output_image", "Output", "Uncached", "output_text", "Image Output Tokens", "image output"),
)
"""All token meters, inputs first. Order is the order of columns."""

METERS_BY_NAME: dict[str, Meter] = {meter.name: meter for meter in TOKEN_METERS}
INPUT_METERS: tuple[Meter, ...] = tuple(meter for meter in TOKEN_METERS if meter.direction == "Input")
OUTPUT_METERS: tuple[Meter, ...] = tuple(meter for meter in TOKEN_METERS if meter.direction == "Output")


def fallback_chain(meter: Meter) -> tuple[str, ...]:
    """The meters whose rates stand in for that of `meter`, nearest first: parents before grandparents."""
    chain: list[str] = []
    level = [meter]
    while level:
        names = [name for item in level for name in (item.parent, item.other_parent) if name and name not in chain]
        chain.extend(dict.fromkeys(names))
        level = [METERS_BY_NAME[name] for name in names]
    return tuple(chain)


@dataclass(frozen=True)
class Count:
    """What a request counts besides tokens: a column of core.request and of core.reported_cost.

    A count of an `operation` is charged in place of tokens: a call that states it and no tokens has all of its usage, and does this
    operation where the log names none.
    """

    column: str
    unit: str
    description: str
    operation: str | None = None


WEB_SEARCHES = Count("web_search_count", "searches", "Web searches that the provider ran.")
RERANK_SEARCHES = Count(
    "rerank_search_count", "searches", "Search units of a reranking call: a query over up to 100 documents.", "rerank"
)
DOCUMENT_PAGES = Count("document_page_count", "pages", "Pages of documents that were read (OCR).", "ocr")
ANNOTATED_PAGES = Count(
    "annotated_document_page_count", "pages", "Pages of documents from which fields were extracted.", "ocr"
)
COUNTS: tuple[Count, ...] = (WEB_SEARCHES, RERANK_SEARCHES, DOCUMENT_PAGES, ANNOTATED_PAGES)
"""Everything that is counted apart from tokens. Order is the order of columns."""
STAND_ALONE: dict[str, str] = {count.column: count.operation for count in COUNTS if count.operation}
"""Counts that are charged in place of tokens, each with the operation of its calls."""

FOCUS_UNITS = {"token": "Tokens", "request": "Requests", "search": "Searches", "page": "Pages"}
"""FOCUS PricingUnit by the unit of a meter."""


@dataclass(frozen=True)
class FeeMeter:
    """A meter that counts things other than tokens; rates are USD per million units, as for tokens.

    `count` is what the fee is charged by; None for a fee on each billable call. With `once` a request is charged at most
    once, however high its count is. Of two meters with the same count a request is charged by one, the one that the feed
    which goes first states.
    """

    name: str
    unit: str
    count: Count | None
    sku_meter: str  # FOCUS SkuMeter
    description: str
    once: bool = False

    @property
    def quantity_sql(self) -> str:
        """The quantity of one row of core.request."""
        column = "1" if self.count is None else self.count.column
        return f"least({column}, 1)" if self.once else column

    @property
    def rate_column(self) -> str:
        """Column of core.rate_card that holds the rate."""
        return f"{self.name}_usd_per_million"


FEE_METERS: tuple[FeeMeter, ...] = (
    FeeMeter("request", "request", None, "Requests", "a fee per call"),
    FeeMeter(
        "web_search", "search", WEB_SEARCHES, "Web Searches", "web searches that the provider ran for the request"
    ),
    FeeMeter(
        "grounded_prompt",
        "request",
        WEB_SEARCHES,
        "Grounded Prompts",
        "an answer for which the provider searched the web",
        once=True,
    ),
    FeeMeter("rerank_search", "search", RERANK_SEARCHES, "Rerank Searches", "search units of a reranking call"),
    FeeMeter("document_page", "page", DOCUMENT_PAGES, "Document Pages", "pages of documents that were read"),
    FeeMeter(
        "annotated_document_page",
        "page",
        ANNOTATED_PAGES,
        "Annotated Document Pages",
        "pages of documents from which fields were extracted",
    ),
)
"""Fees per call that can be rated from a request's own counts."""

COUNT_COLUMNS: tuple[str, ...] = (
    *(meter.tokens_column for meter in TOKEN_METERS),
    *(count.column for count in COUNTS),
)
"""The columns of core.request that count what a request is priced by."""

PRICED_METERS: tuple[Meter | FeeMeter, ...] = (*TOKEN_METERS, *FEE_METERS)
"""Every meter that a rate card has a rate for, in the order of its columns."""
