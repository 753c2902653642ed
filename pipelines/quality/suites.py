"""The suites: what must hold of the rows of each table that Python fills, before they go on.

A check has one owner (`pipelines/quality/__init__.py` has the rule), so nothing here repeats a constraint of Postgres.
`rules.described` derives what follows from a table's description; the rules here need knowledge of the subject.
`run.py` runs them.
"""

from __future__ import annotations

from pipelines.meters import COUNT_COLUMNS, FEE_METERS, INPUT_METERS, OUTPUT_METERS, STAND_ALONE, TOKEN_METERS
from pipelines.quality.rules import NoRow, Suite, SuiteName, Unique, described
from pipelines.warehouse.tables import TABLES_BY_NAME

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

_CORE_REQUEST = Suite(
    "core_request",
    _REQUEST,
    ("event_date", "source", "source_request_id", "line_no"),
    (
        *described(_REQUEST, held_by_postgres=COUNT_COLUMNS),
        Unique(
            name="key_is_unique",
            description="One row per request_uid, over all days: the key in Postgres holds within a day.",
            columns=("request_uid",),
        ),
        NoRow(
            name="event_not_in_future",
            description="No event is more than an hour ahead of the clock.",
            where="event_at > now() + interval '1 hour'",
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
            description="A successful call used at least one token, or something that is charged instead of tokens.",
            severity="warning",
            where=f"status = 'ok' and {_INPUT} + {_OUTPUT} + {' + '.join(STAND_ALONE)} = 0",
        ),
        NoRow(
            name="details_hold",
            description="No call lost an impossible detail of its usage; the tag dropped_details names the detail.",
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
        *described(_PRICE, held_by_postgres=("pricing_quantity", "context_from_tokens", "context_to_tokens")),
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
            name="superseded_for_a_reason",
            description="A price states why it was superseded if, and only if, it was superseded.",
            where="(superseded_at is null) <> (supersede_reason is null)",
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
        *described(_RATE_CARD, held_by_postgres=("context_from_tokens", "context_to_tokens")),
        NoRow(
            name="has_a_rate",
            description="At least one rate is known, or the row names the currency that lacks an exchange rate.",
            where=f"num_nonnulls({_RATES}) = 0 and not jsonb_path_exists(exchange_rates, '$.* ? (@ == null)')",
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
            description="An interval has both ends and a method. If it states a level, the level is between 0 and 1.",
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
            name="superseded_for_a_reason",
            description="A score states why it was superseded if, and only if, it was superseded.",
            where="(superseded_at is null) <> (supersede_reason is null)",
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
        *described(_REPORTED, may_be_empty=True),  # not every company exports its bills
        NoRow(
            name="bucket_within_a_month",
            description="The bucket is no longer than a month.",
            where="bucket_to - bucket_from > interval '31 days'",
        ),
        NoRow(
            name="one_amount_at_a_time",
            description="A line of the bill has one record that is believed now.",
            rows="(select *, count(*) over (partition by cost_uid) as records from {batch} "
            "where superseded_at is null) as believed",
            where="records > 1",
        ),
        NoRow(
            name="amount_keeps_its_digits",
            description="An amount keeps the digits of the bill; in USD it is also the amount in USD.",
            where="(amount is null) <> (amount_text is null) "
            "or amount_usd is distinct from case when currency = 'USD' then amount end",
        ),
        NoRow(
            name="one_width_of_bucket",
            description="A source reports a day in buckets of one width: a second width would count the day twice.",
            severity="warning",
            rows="(select *, bucket_to - bucket_from as width, min(bucket_to - bucket_from) over "
            "(partition by source, report, event_date) as narrowest from {batch} where superseded_at is null) as believed",
            where="width <> narrowest",
        ),
        NoRow(
            name="one_source_of_a_bill",
            description="No two sources bill the same amount, of a dollar or more, for the same day of a seller: bills of all sources add up.",
            severity="warning",
            rows="(select *, count(*) over (partition by event_date, provider_id, billed) as sources from (select event_date, provider_id, "
            "source, min(line_no) as line_no, round(sum(amount_usd), 2) as billed from {batch} "
            "where superseded_at is null group by event_date, provider_id, source) as of_source) as believed",
            where="sources > 1 and abs(billed) >= 1",
        ),
        NoRow(
            name="file_is_indexed",
            description="The file that the record comes from is in raw.snapshot.",
            where="snapshot_id not in (select snapshot_id from raw.snapshot)",
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
    )
}
"""Every suite by name."""
