"""Tables on hardware of one's own: what GPUs cost, what they were measured to serve, and whether that pays.

Prices of calls are in `core_prices.py`; how the figures are made is `pipelines.selfhost`.
"""

from __future__ import annotations

from pipelines.warehouse.tables.spec import Column, Table

GPU_PRICE = Table(
    "core",
    "gpu_price",
    "What an hour of one GPU cost, by source, region and term, and when we believed it.",
    "one row per GPU, source, region, term and price, per period of validity and period of belief",
    (
        Column("gpu_price_id", "uuid", "Hash of every other column but valid_to and superseded_at."),
        Column("gpu", "text", "GPU, as hardware.yaml names it."),
        Column("source", "text", "Who states the price."),
        Column("region", "text", "Region; empty where the source names none."),
        Column("term", "text", "For how long one binds oneself: on_demand, spot, rental_3_years, owned ..."),
        Column("usd_per_hour", "numeric(38,12)", "Price of one GPU for one hour.", unit="USD per hour"),
        Column("is_own", "boolean", "True for a price of one's own (selfhost.yaml), which goes before public ones."),
        Column("valid_from", "date", "First day of the price."),
        Column("valid_to", "date", "Day from which another one holds; null while open.", nullable=True),
        Column("recorded_at", "date", "Day since when it is known."),
        Column("superseded_at", "date", "Day since when something else is known; null while believed.", nullable=True),
        Column("snapshot_id", "uuid", "File that states it (raw.snapshot); null for YAML.", nullable=True),
    ),
    ("gpu_price_id",),
)

THROUGHPUT = Table(
    "core",
    "throughput",
    "What GPUs were measured to serve, each measurement with the configuration that it holds for.",
    "one row per measurement",
    (
        Column("throughput_id", "uuid", "Hash of every other column but snapshot_id."),
        Column("model_id", "text", "Canonical model; null where the name is not known.", nullable=True),
        Column("raw_model", "text", "Model as the source names it."),
        Column("gpu", "text", "GPU, as hardware.yaml names it; as the source names it where that is not known."),
        Column("gpus", "integer", "GPUs that served together.", unit="GPUs"),
        Column("engine", "text", "Software that served: vllm, tgi, ollama, llamacpp, sglang, tensorrt_llm ..."),
        Column("precision", "text", "Format of the weights: bf16, fp8, fp4, mxfp4 ..."),
        Column(
            "input_tokens",
            "double precision",
            "Prompt of a request, on average; null where the source does not say.",
            nullable=True,
            unit="tokens",
        ),
        Column("output_tokens", "double precision", "Answer of a request, on average.", nullable=True, unit="tokens"),
        Column("concurrency", "integer", "Requests at once.", nullable=True, unit="requests"),
        Column("scenario", "text", "Scenario of the benchmark, for example Offline or Server; empty for none."),
        Column(
            "output_tokens_per_second",
            "double precision",
            "Output that all GPUs together wrote.",
            unit="tokens per second",
        ),
        Column("is_own", "boolean", "True for a measurement of one's own (selfhost.yaml)."),
        Column("measured_on", "date", "Day of the measurement, else of its publication."),
        Column("source", "text", "Who measured."),
        Column("snapshot_id", "uuid", "File that states it (raw.snapshot); null for YAML.", nullable=True),
    ),
    ("throughput_id",),
)

SELFHOST_BREAKEVEN = Table(
    "mart",
    "selfhost_breakeven",
    "Whether a model on hardware of one's own pays against the cheapest API, at our own arrivals, with idle hours paid for.",
    "one row per day and option: a declared deployment, else a model on a GPU in a precision that was measured, else a model without any measurement",
    (
        Column("event_date", "date", "UTC day whose prices and last days of requests are used."),
        Column("option_id", "text", "Name of the deployment; else model, GPUs, precision and engine."),
        Column("is_deployed", "boolean", "True for a deployment of selfhost.yaml."),
        Column("model_id", "text", "Canonical model."),
        Column("engine", "text", "Software that serves.", nullable=True),
        Column("gpu", "text", "GPU.", nullable=True),
        Column("gpus", "integer", "GPUs of one replica.", nullable=True, unit="GPUs"),
        Column("precision", "text", "Format of the weights.", nullable=True),
        Column("weights_gb", "double precision", "Memory of the weights, all GPUs.", nullable=True, unit="GB"),
        Column(
            "cache_gb_per_request",
            "double precision",
            "Memory of the cache of one request of the measured length, all GPUs.",
            nullable=True,
            unit="GB",
        ),
        Column("fits", "boolean", "Whether weights and one such cache fit; null where not known.", nullable=True),
        Column("usd_per_gpu_hour", "numeric(38,12)", "Price of a GPU-hour.", nullable=True, unit="USD per hour"),
        Column("price_source", "text", "Who states that price.", nullable=True),
        Column("price_term", "text", "Its term.", nullable=True),
        Column("price_region", "text", "Its region.", nullable=True),
        Column("price_valid_from", "date", "Since when it holds.", nullable=True),
        Column("throughput_id", "uuid", "Measurement (core.throughput).", nullable=True),
        Column("measured_on", "date", "Day of the measurement.", nullable=True),
        Column(
            "tokens_per_second",
            "double precision",
            "Input and output that one replica serves at the measured lengths.",
            nullable=True,
            unit="tokens per second",
        ),
        Column(
            "input_per_output",
            "double precision",
            "Measured tokens of input for each of output; 0 where the source states no input.",
            nullable=True,
        ),
        Column("demand", "text", "Whose requests are served: deployment, or all_traffic.", nullable=True),
        Column(
            "demand_tokens_per_day",
            "double precision",
            "Input and output of those requests, mean of the days; output alone where the measurement states no input.",
            nullable=True,
            unit="tokens per day",
        ),
        Column(
            "peak_tokens_per_second",
            "double precision",
            "Mean of the busiest hour.",
            nullable=True,
            unit="tokens per second",
        ),
        Column("duty_cycle", "double precision", "Mean over busiest hour.", nullable=True, unit="share"),
        Column(
            "replicas",
            "integer",
            "Replicas that are paid for: as declared, else those that the busiest hour with headroom needs.",
            nullable=True,
        ),
        Column("fixed_usd_per_day", "numeric(38,18)", "What they cost a day, used or not.", nullable=True, unit="USD"),
        Column("utilisation", "double precision", "Demand over capacity.", nullable=True, unit="share"),
        Column(
            "served_share",
            "double precision",
            "Share of the demand that they can serve, hour by hour and with headroom; the rest is left to an API, on both sides.",
            nullable=True,
            unit="share",
        ),
        Column(
            "usage_usd_per_mtok",
            "numeric(38,12)",
            "Cost at full load. It is no basis for a comparison: nobody has full load.",
            nullable=True,
            unit="USD per million tokens",
        ),
        Column(
            "allocation_usd_per_mtok",
            "numeric(38,12)",
            "Cost with every idle hour, over what was served: what to compare with an API.",
            nullable=True,
            unit="USD per million tokens",
        ),
        Column("api_provider_id", "text", "Cheapest seller of the model.", nullable=True),
        Column(
            "api_usd_per_mtok",
            "numeric(38,12)",
            "Its price for the measured input and output, without cache.",
            nullable=True,
            unit="USD per million tokens",
        ),
        Column("api_valid_from", "timestamptz", "Since when it holds.", nullable=True),
        Column(
            "break_even_tokens_per_day",
            "double precision",
            "Volume from which one replica is cheaper than that API.",
            nullable=True,
            unit="tokens per day",
        ),
        Column(
            "is_reachable",
            "boolean",
            "Whether one replica can serve that volume at our duty cycle and headroom; null where not known.",
            nullable=True,
        ),
        Column(
            "saving_usd_per_day",
            "numeric(38,18)",
            "The API's price of what is served less the fixed cost.",
            nullable=True,
            unit="USD",
            is_signed=True,
        ),
        Column(
            "reason", "text", "What is missing and the line that mends it; else what limits the figures.", nullable=True
        ),
    ),
    ("event_date", "option_id"),
    day_column="event_date",
)

HOURLY_DEMAND = Table(
    "mart",
    "hourly_demand",
    "When requests come: billable requests and their tokens by hour, for the duty cycle that hardware of one's own would have.",
    "one row per day, hour, operation, seller and model that had requests",
    (
        Column("event_date", "date", "UTC day of the requests."),
        Column("hour", "integer", "Hour of the UTC day, from 0."),
        Column("operation", "text", "OpenTelemetry operation, for example chat."),
        Column("provider_id", "text", "Who sold the calls; empty where no log names it."),
        Column("model_id", "text", "Canonical model; empty while unresolved."),
        Column("requests", "bigint", "Requests.", unit="requests"),
        Column("input_tokens", "bigint", "Tokens of their prompts, cached ones included.", unit="tokens"),
        Column("output_tokens", "bigint", "Tokens of their answers, reasoning included.", unit="tokens"),
    ),
    ("event_date", "hour", "operation", "provider_id", "model_id"),
    day_column="event_date",
)

SELFHOST_TABLES = (GPU_PRICE, THROUGHPUT, HOURLY_DEMAND, SELFHOST_BREAKEVEN)
