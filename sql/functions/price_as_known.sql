-- What `modelmeter price` answers, for people who ask in SQL. A migration that changes the columns returned drops the
-- function and core.price_in_force, which reads it, first.
create or replace function core.price_as_known(at timestamptz default now(), known_at timestamptz default now())
returns table (
    price_id uuid, feed text, provider_id text, model_id text, raw_model text, meter text, unit text, service_tier text,
    region text, context_from_tokens bigint, context_to_tokens bigint, context_bound text, context_scope text,
    context_counts text, time_window text, contract_id text, reasoning_mode text, usd_per_million numeric,
    unit_price numeric, pricing_currency text, pricing_quantity bigint, valid_from timestamptz, valid_to timestamptz,
    date_basis text, recorded_at timestamptz, superseded_at timestamptz, supersede_reason text, source_locator text,
    extracted_text text, landing_path text, sha256 text, is_stale boolean
)
language sql stable
as $$
    with feed_state as (
        select source as feed, max(observed_at) as landed_at, max(observed_at) filter (where valid > 0) as read_at
        from raw.snapshot
        where kind = 'prices' and observed_at <= known_at
        group by source
    )
    select
        price.price_id, price.feed, price.provider_id, price.model_id, price.raw_model, price.meter, price.unit,
        price.service_tier, price.region, price.context_from_tokens, price.context_to_tokens, price.context_bound,
        price.context_scope, price.context_counts, price.time_window, price.contract_id, price.reasoning_mode,
        price.usd_per_million, price.unit_price, price.pricing_currency, price.pricing_quantity, price.valid_from,
        price.valid_to, price.date_basis, price.recorded_at, price.superseded_at, price.supersede_reason,
        price.source_locator, price.extracted_text, file.landing_path, file.sha256,
        feed_state.read_at is distinct from feed_state.landed_at as is_stale
    from core.price
    left join raw.snapshot as file using (snapshot_id)
    left join feed_state on feed_state.feed = price.feed
    where price.recorded_at <= known_at and (price.superseded_at is null or price.superseded_at > known_at)
        and price.valid_from <= at and (price.valid_to is null or price.valid_to > at)
$$;
comment on function core.price_as_known is 'Every price that holds at an instant, as believed at another, with the file that states it; is_stale where a later file of the feed could not be read or is held for review, so that the last good price stays in force.';
