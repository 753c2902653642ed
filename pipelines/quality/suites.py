"""The suites: what must hold of each table before its rows go on, beyond what Postgres itself enforces.

Rules that follow from a table's description are derived by `rules.described`; here are those that need knowledge of
the subject. Running them is `run.py`; checks that compare tables with each other are `accounting.py`.
"""

from __future__ import annotations

from pipelines.meters import FEE_METERS, INPUT_METERS, OUTPUT_METERS, TOKEN_METERS
from pipelines.quality.rules import NoRow, Suite, SuiteName, described
from pipelines.warehouse.tables import TABLES_BY_NAME

_COSTS = "list_cost_usd, contracted_cost_usd, effective_cost_usd"
_INPUT = " + ".join(meter.tokens_column for meter in INPUT_METERS)
_OUTPUT = " + ".join(meter.tokens_column for meter in OUTPUT_METERS)
_RATES = ", ".join([*(meter.rate_column for meter in TOKEN_METERS), *(meter.rate_column for meter in FEE_METERS)])

PLAUSIBLE_USD_PER_MTOK = (0.001, 1000)
"""A token price outside is worth a look: list prices of 2023 to 2026 lie between 0.01 and 600. LiteLLM's map of May 2026
is caught with prices per million entered as prices per token (wandb) and image models priced by the pixel."""

_REQUEST = TABLES_BY_NAME["core.request"]
_PRICE = TABLES_BY_NAME["core.price"]
_RATE_CARD = TABLES_BY_NAME["core.rate_card"]
_SCORE = TABLES_BY_NAME["core.benchmark_score"]
_REPORTED = TABLES_BY_NAME["core.reported_cost"]
_SPEND = TABLES_BY_NAME["mart.daily_model_spend"]

_CORE_REQUEST = Suite(
    "core_request",
    _REQUEST,
    ("event_date", "source", "source_request_id", "line_no"),
    (
        *described(_REQUEST, key=("request_uid",), may_be_negative=("reported_cost_usd",)),
        NoRow(
            name="event_on_its_day",
            description="event_date is the UTC day of event_at.",
            where="event_date <> (event_at at time zone 'UTC')::date",
        ),
        NoRow(
            name="event_not_in_future",
            description="No event lies ahead of the clock by more than an hour.",
            where="event_at > now() + interval '1 hour'",
        ),
        NoRow(
            name="cost_or_reason",
            description="A request has a list cost, or a reason why not; never both, never neither.",
            where="(list_cost_usd is null) <> (unpriced_reason is not null)",
        ),
        NoRow(
            name="costs_known_together",
            description="List, contracted and effective cost are all known or all unknown.",
            where=f"num_nulls({_COSTS}) in (1, 2)",
        ),
        NoRow(
            name="cost_has_a_rate",
            description="A cost above zero names the rate card row that it comes from.",
            where="list_cost_usd > 0 and rate_id is null",
        ),
        NoRow(
            name="free_call_costs_nothing",
            description="A call that the billing rule makes free has no cost.",
            where="not is_billable and list_cost_usd <> 0",
        ),
        NoRow(
            name="unresolved_has_no_cost",
            description="A billable request whose model is unknown is not priced.",
            where="is_billable and model_id is null and list_cost_usd is not null",
        ),
        NoRow(
            name="file_is_indexed",
            description="The file that the record comes from is in raw.snapshot.",
            where="snapshot_id not in (select snapshot_id from raw.snapshot)",
        ),
        NoRow(
            name="rate_is_on_the_card",
            description="The rate that priced the request is still in core.rate_card, so the cost can be explained.",
            severity="warning",
            where="rate_id is not null and rate_id not in (select rate_id from core.rate_card)",
        ),
        NoRow(
            name="ok_call_used_tokens",
            description="A call that went well used at least one token.",
            severity="warning",
            where=f"status = 'ok' and {_INPUT} + {_OUTPUT} = 0",
        ),
        NoRow(
            name="details_hold",
            description="No call lost a detail of its usage that could not be true; the tag dropped_details names it.",
            severity="warning",
            where="tags -> 'dropped_details' is not null",
        ),
    ),
)

_CORE_PRICE = Suite(
    "core_price",
    _PRICE,
    ("feed", "provider_id", "model_id", "meter", "valid_from"),
    (
        *described(_PRICE),
        NoRow(name="price_not_negative", description="No price as found is negative.", where="unit_price < 0"),
        NoRow(
            name="quantity_is_usual",
            description="A price is for one unit, a thousand, a million, or for the seconds of a minute or an hour.",
            where="pricing_quantity not in (1, 1000, 1000000) and not (unit = 'second' and pricing_quantity in (60, 3600))",
        ),
        NoRow(
            name="usd_follows_from_price",
            description="For a price in USD, usd_per_million is the price as found per million units, to 12 decimals.",
            where="pricing_currency = 'USD' and pricing_quantity > 0 "
            "and usd_per_million is distinct from round(unit_price * 1000000 / pricing_quantity, 12)",
        ),
        NoRow(
            name="valid_period",
            description="A price stops to hold after it began to.",
            where="valid_to <= valid_from",
        ),
        NoRow(
            name="belief_period",
            description="A price was superseded after it was recorded, and a superseded price says why.",
            where="superseded_at <= recorded_at or (superseded_at is null) <> (supersede_reason is null)",
        ),
        NoRow(
            name="one_price_at_a_time",
            description="Of the prices believed now, no two of one SKU hold at the same instant.",
            rows="(select *, lead(valid_from) over (partition by sku_id order by valid_from, price_id) "
            "as next_from from {batch} where superseded_at is null) as believed",
            where="next_from < coalesce(valid_to, 'infinity')",
        ),
        NoRow(
            name="model_is_known",
            description="The model is in core.model.",
            where="model_id not in (select model_id from core.model)",
        ),
        NoRow(
            name="file_is_indexed",
            description="The file that is the evidence is in raw.snapshot.",
            where="snapshot_id not in (select snapshot_id from raw.snapshot)",
        ),
        NoRow(
            name="plausible_token_price",
            description="A believed token price is free, or between {} and {} USD per million.".format(
                *PLAUSIBLE_USD_PER_MTOK
            ),
            severity="warning",
            where="unit = 'token' and superseded_at is null and usd_per_million > 0 "
            "and usd_per_million not between {} and {}".format(*PLAUSIBLE_USD_PER_MTOK),
        ),
    ),
)

_CORE_RATE_CARD = Suite(
    "core_rate_card",
    _RATE_CARD,
    ("provider_id", "model_id", "service_tier", "region", "valid_from"),
    (
        *described(_RATE_CARD),
        NoRow(
            name="has_a_rate",
            description="At least one rate is known, or the row names the currency that lacks an exchange rate.",
            where=f"num_nonnulls({_RATES}) = 0 and not jsonb_path_exists(exchange_rates, '$.* ? (@ == null)')",
        ),
        NoRow(
            name="valid_period",
            description="A rate stops to hold after it began to.",
            where="valid_to <= valid_from",
        ),
        NoRow(
            name="context_range",
            description="A context tier ends above where it begins.",
            where="context_to_tokens <= context_from_tokens",
        ),
        NoRow(
            name="one_rate_at_a_time",
            description="No two rows apply to the same request: same seller, model, conditions, prompt size and instant.",
            rows="{batch} as a join {batch} as b on (a.provider_id, a.model_id, a.service_tier, a.region, a.time_window, "
            "a.contract_id, a.reasoning_mode) = (b.provider_id, b.model_id, b.service_tier, b.region, b.time_window, "
            "b.contract_id, b.reasoning_mode) and a.rate_id < b.rate_id",
            where="a.valid_from < coalesce(b.valid_to, 'infinity') and b.valid_from < coalesce(a.valid_to, 'infinity') "
            "and (b.context_to_tokens is null or a.context_from_tokens < b.context_to_tokens) "
            "and (a.context_to_tokens is null or b.context_from_tokens < a.context_to_tokens)",
        ),
        NoRow(
            name="prices_are_in_the_ledger",
            description="Every price that a rate names is in core.price.",
            rows="(select *, jsonb_each_text(price_ids) as price from {batch}) as named",
            where="(price).value not in (select price_id::text from core.price)",
        ),
        NoRow(
            name="rates_name_their_prices",
            description="The row names at least one price that it comes from.",
            where="price_ids = jsonb_build_object()",
        ),
    ),
)

_CORE_BENCHMARK_SCORE = Suite(
    "core_benchmark_score",
    _SCORE,
    ("board", "raw_model", "variant", "score_text"),
    (
        # A company may follow no leaderboard at all: that is worth a word, not a stop.
        *described(_SCORE),
        NoRow(
            name="score_is_a_number",
            description="The score is a finite number.",
            where="score in ('NaN', 'Infinity', '-Infinity')",
        ),
        NoRow(
            name="score_within_bounds",
            description="The score lies within what the benchmark can give.",
            rows="{batch} as a join core.benchmark_version as v using (benchmark_version_id) "
            "join core.benchmark as b using (benchmark_id)",
            where="a.score <> 'NaN' and (a.score < b.min_score or a.score > b.max_score)",
        ),
        NoRow(
            name="score_within_interval",
            description="The score lies within its own confidence interval.",
            where="score <> 'NaN' and (ci_low > score or score > ci_high)",
        ),
        NoRow(
            name="interval_is_whole",
            description="An interval has both ends and a method, and its level, where told, lies between 0 and 1.",
            where="num_nulls(ci_low, ci_high) = 1 or (ci_low is null) <> (ci_method = 'none') "
            "or ci_level <= 0 or ci_level >= 1",
        ),
        NoRow(name="stderr_not_negative", description="No standard error is negative.", where="stderr < 0"),
        NoRow(
            name="solved_within_items",
            description="No more items were solved than scored.",
            where="n_success > n_items * coalesce(n_trials, 1)",
        ),
        NoRow(
            name="belief_period",
            description="A score was superseded after it was observed, and a superseded score says why.",
            where="superseded_at <= observed_at or (superseded_at is null) <> (supersede_reason is null)",
        ),
        NoRow(
            name="one_score_at_a_time",
            description="Of the scores believed now, a board has one per row, version and day.",
            rows="(select *, count(*) over (partition by board, source_row_key, benchmark_version_id, as_of) "
            "as scores from {batch} where superseded_at is null) as believed",
            where="scores > 1",
        ),
        NoRow(
            name="version_is_known",
            description="The benchmark version is in core.benchmark_version.",
            where="benchmark_version_id not in (select benchmark_version_id from core.benchmark_version)",
        ),
        NoRow(
            name="file_is_indexed",
            description="The file that is the evidence is in raw.snapshot.",
            where="snapshot_id not in (select snapshot_id from raw.snapshot)",
        ),
        NoRow(
            name="as_of_not_in_future",
            description="No score is dated later than the day after it was observed.",
            severity="warning",
            where="as_of > (observed_at at time zone 'UTC')::date + 1",
        ),
    ),
)

_CORE_REPORTED_COST = Suite(
    "core_reported_cost",
    _REPORTED,
    ("source", "event_date", "provider_id", "line_no"),
    (
        # Not every company exports its bills; and a bill may hold credits.
        *described(_REPORTED, may_be_negative=("amount_usd", "byok_cost_usd"), may_be_empty=True),
        NoRow(
            name="bucket_on_its_day",
            description="event_date is the UTC day on which the bucket begins, and the bucket is no longer than a day.",
            where="event_date <> (bucket_from at time zone 'UTC')::date or bucket_to <= bucket_from "
            "or bucket_to - bucket_from > interval '1 day'",
        ),
        NoRow(
            name="belief_period",
            description="A record was superseded after it was observed, and a superseded record says why.",
            where="superseded_at <= observed_at or (superseded_at is null) <> (supersede_reason is null)",
        ),
        NoRow(
            name="one_amount_at_a_time",
            description="Of the records believed now, a line of the bill has one.",
            rows="(select *, count(*) over (partition by cost_uid) as records from {batch} "
            "where superseded_at is null) as believed",
            where="records > 1",
        ),
        NoRow(
            name="amount_has_a_currency",
            description="An amount names its currency and keeps its digits; in USD it is also the amount in USD.",
            where="num_nonnulls(amount, currency, amount_text) not in (0, 3) "
            "or amount_usd is distinct from case when currency = 'USD' then amount end",
        ),
        NoRow(
            name="one_width_of_bucket",
            description="A source reports a day in buckets of one width: others would count the day twice.",
            severity="warning",
            rows="(select *, bucket_to - bucket_from as width, min(bucket_to - bucket_from) over "
            "(partition by source, report, event_date) as narrowest from {batch} where superseded_at is null) as believed",
            where="width <> narrowest",
        ),
        NoRow(
            name="file_is_indexed",
            description="The file that the record comes from is in raw.snapshot.",
            where="snapshot_id not in (select snapshot_id from raw.snapshot)",
        ),
    ),
)

_MART_DAILY_MODEL_SPEND = Suite(
    "mart_daily_model_spend",
    _SPEND,
    tuple(_SPEND.primary_key),
    (
        *described(_SPEND, may_be_negative=("reported_cost_usd",)),
        NoRow(
            name="requests_add_up",
            description="Priced and unpriced requests are all requests, and there is at least one.",
            where="requests <> priced_requests + unpriced_requests or requests = 0",
        ),
        NoRow(
            name="tokens_add_up",
            description="The token buckets sum to input and output tokens.",
            where=f"input_tokens <> {_INPUT} or output_tokens <> {_OUTPUT}",
        ),
        NoRow(
            name="cost_where_priced",
            description="A row has costs where, and only where, some of its requests are priced.",
            where=f"num_nonnulls({_COSTS}) <> case when priced_requests > 0 then 3 else 0 end",
        ),
        NoRow(
            name="unresolved_has_no_openness",
            description="An unresolved model is of unknown openness.",
            where="model_id like 'unresolved: %' and openness <> 'unknown'",
        ),
    ),
)

SUITES: dict[SuiteName, Suite] = {
    suite.name: suite
    for suite in (
        _CORE_REQUEST,
        _CORE_PRICE,
        _CORE_RATE_CARD,
        _CORE_BENCHMARK_SCORE,
        _CORE_REPORTED_COST,
        _MART_DAILY_MODEL_SPEND,
    )
}
"""Every suite by name."""
