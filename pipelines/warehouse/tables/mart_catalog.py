"""The table of models: what is known of each, who says so, what it costs and what we spend on it.

How a row is put together is in `pipelines.catalog`.
"""

from __future__ import annotations

from pipelines.warehouse.tables.core import OPENNESS
from pipelines.warehouse.tables.spec import Column, Table

_GB = "GB"

MODEL_CATALOG = Table(
    "mart",
    "model_catalog",
    "Every model that something is stated of, or that we use: licence, size, context, memory, prices at every seller, scores, own spend, each fact with its source.",
    "one row per model",
    (
        Column("model_id", "text", "Canonical model."),
        Column("as_of", "date", "UTC day at whose end prices and scores hold."),
        Column("display_name", "text", "Name for people."),
        Column("developer", "text", "Who trained the model.", nullable=True),
        Column("family", "text", "Model family.", nullable=True),
        Column("openness", "text", "closed, open_weight, open_source or unknown.", accepted=OPENNESS),
        Column("is_released", "boolean", "False where a source says that there is no such model."),
        Column("licence", "text", "SPDX identifier where there is one, else a short name.", nullable=True),
        Column("licence_is_spdx", "boolean", "Whether it is an SPDX identifier.", nullable=True),
        Column(
            "licence_restricts",
            "text[]",
            "What it restricts: access, branding, commerce, use, users; empty for nothing.",
            nullable=True,
        ),
        Column("licence_terms", "text", "The restrictions in words.", nullable=True),
        Column("total_params_b", "double precision", "Parameters in total.", nullable=True, unit="billion"),
        Column(
            "active_params_b", "double precision", "Parameters that work on one token.", nullable=True, unit="billion"
        ),
        Column("context_tokens", "bigint", "Context that the weights are made for.", nullable=True, unit="tokens"),
        Column(
            "extended_context_tokens",
            "bigint",
            "Context with a documented extension (YaRN).",
            nullable=True,
            unit="tokens",
        ),
        Column("input_modalities", "text[]", "What it reads: text, image, audio, video.", nullable=True),
        Column("output_modalities", "text[]", "What it writes.", nullable=True),
        Column("tools", "boolean", "Whether it calls tools.", nullable=True),
        Column("released_on", "date", "Day of the first release.", nullable=True),
        Column("weights_gb_16bit", "double precision", "Memory of the weights at 16 bits.", nullable=True, unit=_GB),
        Column("weights_gb_8bit", "double precision", "The same at 8 bits.", nullable=True, unit=_GB),
        Column("weights_gb_4bit", "double precision", "The same at 4 bits.", nullable=True, unit=_GB),
        Column("weights_gb_native", "double precision", "The same as published.", nullable=True, unit=_GB),
        Column(
            "cache_gb_32k",
            "double precision",
            "Memory of the cache of one context of 32,768 tokens, in 16 bits; null where the model has no such context.",
            nullable=True,
            unit=_GB,
        ),
        Column("cache_gb_128k", "double precision", "The same for 131,072 tokens.", nullable=True, unit=_GB),
        Column(
            "fits",
            "jsonb",
            "Machine of hardware.yaml to bits of the weights to whether they fit with a context of 8,192 tokens; null where not known.",
        ),
        Column("prices", "jsonb", "List prices at every seller, each with the day from which it holds and its feed."),
        Column("cheapest_provider_id", "text", "Cheapest seller at 3 tokens of input to one of output.", nullable=True),
        Column(
            "cheapest_input_usd_per_mtok",
            "numeric(38,12)",
            "Its price of input.",
            nullable=True,
            unit="USD per million tokens",
        ),
        Column(
            "cheapest_output_usd_per_mtok",
            "numeric(38,12)",
            "Its price of output.",
            nullable=True,
            unit="USD per million tokens",
        ),
        Column("scores", "jsonb", "Best entry on every version of a benchmark, with its interval, board and day."),
        Column("requests_30d", "bigint", "Our requests of the 30 newest days.", unit="requests"),
        Column("spend_30d_usd", "numeric(38,18)", "What they cost; null without any.", nullable=True, unit="USD"),
        Column(
            "facts",
            "jsonb",
            "Every fact: value, source, its date, whether that was read, and what other sources say instead.",
        ),
        Column("conflicts", "text[]", "Facts on which sources disagree."),
        Column("unverified", "text[]", "Facts whose source nobody here has read."),
    ),
    ("model_id",),
)
