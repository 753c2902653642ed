"""Tables of schema `core` on prices: the ledger, the rate cards derived from it, and exchange rates.

Prices are bitemporal (valid time and system time) and never overwritten. Models and requests are in `core.py`, the marts on
prices in `mart_prices.py`.
"""

from __future__ import annotations

from pipelines.meters import FEE_METERS, TOKEN_METERS
from pipelines.warehouse.tables.spec import Column, Table

_UNIT_RATE = "USD per million units"

CONTEXT_COUNTS = ("input", "input_uncached", "output", "input_output")
"""What may count towards a bound in tokens; `input` is the prompt whole, cached or not."""
REASONING_MODES = ("", "thinking", "non_thinking")

_TIER = Column(
    "service_tier", "text", "standard, batch, flex, priority, fast, or whatever else a feed prices apart (ultrafast)."
)
_COUNTED = Column(
    "context_counts",
    "text",
    "Tokens of the request that count towards the bounds of context_from_tokens and context_to_tokens: input (cached ones "
    "included), input_uncached (all input that was not read from a cache), output (reasoning included) or input_output.",
    accepted=CONTEXT_COUNTS,
)
_MODE = Column(
    "reasoning_mode",
    "text",
    "thinking: holds for requests with reasoning tokens; non_thinking: for those without; empty where it holds for both.",
    accepted=REASONING_MODES,
)

PRICE = Table(
    "core",
    "price",
    "The price ledger: each feed's price of one meter under one set of conditions, when it held and when we believed it.",
    "one row per feed, provider, model, meter and conditions, per period of validity and of belief",
    (
        Column("price_id", "uuid", "Hash of every other identifying column: same evidence, same id."),
        Column(
            "sku_id",
            "uuid",
            "Hash of feed, provider, model, meter and conditions: the thing that has one price at a time (FOCUS SkuPriceId without its period).",
        ),
        Column("feed", "text", "Price feed that states it, as named in sources.yaml."),
        Column(
            "provider_id",
            "text",
            "Who sells the call (FOCUS ServiceProviderName), for example openai, azure, openrouter.",
        ),
        Column("model_id", "text", "Canonical model (core.model)."),
        Column("raw_model", "text", "Model name as the feed writes it."),
        Column(
            "meter",
            "text",
            "What is counted: a token meter such as input_cache_read, or a fee meter such as web_search.",
        ),
        Column(
            "unit",
            "text",
            "Unit of the meter: token, token_hour (a token kept for an hour), request, search, page, second, image, pixel, "
            "character or session.",
            accepted=(
                "token",
                "token_hour",
                "request",
                "search",
                "page",
                "second",
                "image",
                "pixel",
                "character",
                "session",
            ),
        ),
        _TIER,
        Column("region", "text", "Region or data residency the price is bound to; empty where it holds everywhere."),
        Column(
            "context_from_tokens",
            "bigint",
            "Prompt size from which the price applies; 0 for the base price.",
            unit="tokens",
        ),
        Column(
            "context_to_tokens",
            "bigint",
            "Prompt size, exclusive, from which on the price no longer holds; null where it holds for any larger prompt, up to the bound of another price.",
            nullable=True,
            unit="tokens",
        ),
        Column(
            "context_bound", "text", "gt: applies above context_from_tokens; gte: from it on.", accepted=("gt", "gte")
        ),
        Column(
            "context_scope",
            "text",
            "whole_request: the rate applies to all tokens once the bound is passed; marginal: to those above it.",
            accepted=("whole_request", "marginal"),
        ),
        _COUNTED,
        Column(
            "time_window",
            "text",
            "Hours of the day, as [mon-fri ]HH:MM-HH:MM[ zone][ except calendar], UTC where no zone is named; empty where the "
            "price holds all day.",
        ),
        Column("contract_id", "text", "Contract that grants the price; empty for list prices."),
        _MODE,
        Column("unit_price", "numeric(38,18)", "Price as found, in pricing_currency per pricing_quantity units."),
        Column("pricing_currency", "text", "ISO 4217 code of the price as found."),
        Column(
            "pricing_quantity",
            "bigint",
            "How many units the price as found is for: 1, 1000 or 1000000; 60 or 3600 of seconds.",
            unit="units",
        ),
        Column(
            "usd_per_million",
            "numeric(38,12)",
            "The same price per million units in USD, rounded to 12 decimals at ingest; for token meters: USD per million tokens. Null for another currency: core.rate_card converts it at the rate of each day (core.fx_rate).",
            nullable=True,
            unit=_UNIT_RATE,
        ),
        Column("valid_from", "timestamptz", "Instant from which the price held; -infinity is written as 0001-01-01."),
        Column("valid_to", "timestamptz", "Instant at which it stopped to hold; null while open.", nullable=True),
        Column(
            "date_basis",
            "text",
            "How valid_from is known: documented, announced, first_observed or unknown.",
            accepted=("documented", "announced", "first_observed", "unknown"),
        ),
        Column(
            "recorded_at",
            "timestamptz",
            "When we first believed this row: observed_at of the first snapshot that states it.",
        ),
        Column(
            "superseded_at",
            "timestamptz",
            "When a later snapshot made us believe otherwise; null while believed.",
            nullable=True,
        ),
        Column(
            "supersede_reason",
            "text",
            "changed, corrected, retracted or source_removed.",
            nullable=True,
            accepted=("changed", "corrected", "retracted", "source_removed"),
        ),
        Column("snapshot_id", "uuid", "Evidence: the first file that states it (raw.snapshot)."),
        Column("source_locator", "text", "Place in the file: a JSON pointer, or table and row."),
        Column("extracted_text", "text", "The price as it stands in the file."),
        Column("parser_version", "text", "Version of the parser that read it."),
    ),
    ("price_id",),
)

RATE_CARD = Table(
    "core",
    "rate_card",
    "Wide price list derived from core.price by precedence: the rates that apply together to one request.",
    "one row per provider, model, service tier, region, daily window, contract, reasoning mode, context tier and period",
    (
        Column(
            "rate_id",
            "uuid",
            "Hash of conditions, start and rates, so that it stays when the period ends: the id that core.request.rate_id names.",
        ),
        Column("provider_id", "text", "Who sells the call."),
        Column("model_id", "text", "Canonical model."),
        _TIER,
        Column("region", "text", "Region; empty where the rates hold everywhere."),
        Column("time_window", "text", "Hours of the day, as in core.price; empty for all day."),
        Column("contract_id", "text", "Contract that grants at least one of the rates; empty for list prices."),
        _MODE,
        Column(
            "context_from_tokens",
            "bigint",
            "Smallest prompt, in tokens and inclusive, to which the row applies.",
            unit="tokens",
        ),
        Column(
            "context_to_tokens",
            "bigint",
            "Prompt size, exclusive, at which the row stops to apply; null for no bound.",
            nullable=True,
            unit="tokens",
        ),
        _COUNTED,
        Column("valid_from", "timestamptz", "Start of validity, inclusive."),
        Column("valid_to", "timestamptz", "End of validity, exclusive; null while open.", nullable=True),
        *(
            Column(
                m.rate_column,
                "numeric(38,12)",
                f"Rate for {m.description}.",
                nullable=True,
                unit="USD per million tokens",
            )
            for m in TOKEN_METERS
        ),
        *(
            Column(m.rate_column, "numeric(38,12)", f"Rate for {m.description}.", nullable=True, unit=_UNIT_RATE)
            for m in FEE_METERS
        ),
        Column("price_ids", "jsonb", "Object of meter to price_id: the ledger rows that the rates come from."),
        Column(
            "fallbacks",
            "jsonb",
            "Object of meter to the meter whose rate it took because its own is not published.",
        ),
        Column(
            "exchange_rates",
            "jsonb",
            "Object of currency to fx_rate_id, for rates converted from prices in other currencies; null instead of an id where no exchange rate is known, and then the row has no rates.",
        ),
        Column(
            "marginal",
            "jsonb",
            "Object of meter>n to the rate for those of a request's tokens of that meter that are above n; empty for most.",
            unit="USD per million tokens",
        ),
        Column(
            "minimum_charge_usd",
            "numeric(38,18)",
            "The least that one request costs; null where there is none.",
            nullable=True,
            unit="USD",
        ),
    ),
    ("rate_id",),
)

FX_RATE = Table(
    "core",
    "fx_rate",
    "Worth of one unit of another currency in USD on a day, as published or as stated in fx.yaml, and when we believed it.",
    "one row per currency, day and source, per period of belief",
    (
        Column("fx_rate_id", "uuid", "Hash of source, currency, start, rate and when it was recorded."),
        Column("currency", "text", "ISO 4217 code."),
        Column(
            "feed", "text", "Feed that published the rate, as named in fx.yaml; fx.yaml itself for a rate stated there."
        ),
        Column(
            "precedence",
            "integer",
            "Of the rates that hold at an instant the lowest wins: 0 for fx.yaml, then the feeds in its order; of one source the latest.",
        ),
        Column(
            "steps",
            "text",
            "day: used day by day; month: the rate that holds as a month begins is used for the whole of it.",
            accepted=("day", "month"),
        ),
        Column(
            "usd_per_unit",
            "numeric(38,18)",
            "USD for one unit of the currency, rounded half-even to 18 decimals.",
            unit="USD",
        ),
        Column("rate_as_found", "text", "The figures that it comes from."),
        Column("valid_from", "timestamptz", "Start of the UTC day that the rate is for."),
        Column(
            "valid_to",
            "timestamptz",
            "Instant at which it stops to hold, even where no later one is known; null while open.",
            nullable=True,
        ),
        Column(
            "recorded_at",
            "timestamptz",
            "observed_at of the first file that states it; -infinity (0001-01-01) for a rate of fx.yaml.",
        ),
        Column(
            "superseded_at",
            "timestamptz",
            "observed_at of the first later file that gives the same day another rate; null while believed.",
            nullable=True,
        ),
        Column("snapshot_id", "uuid", "Evidence: the file (raw.snapshot); null for a rate of fx.yaml.", nullable=True),
        Column("source_locator", "text", "Place in the file."),
    ),
    ("fx_rate_id",),
)

CORE_PRICE_TABLES = (PRICE, RATE_CARD, FX_RATE)
