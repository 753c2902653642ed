-- The questions that the commands price and explain answer, for people who ask in SQL.
create function core.price_as_known(at timestamptz default now(), known_at timestamptz default now())
returns table (
    price_id uuid, feed text, provider_id text, model_id text, raw_model text, meter text, unit text, service_tier text,
    region text, context_from_tokens bigint, context_bound text, context_scope text, time_window text, contract_id text,
    usd_per_million numeric, unit_price numeric, pricing_currency text, pricing_quantity bigint, valid_from timestamptz,
    valid_to timestamptz, date_basis text, recorded_at timestamptz, superseded_at timestamptz, supersede_reason text,
    source_locator text, extracted_text text, landing_path text, sha256 text, is_stale boolean
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
        price.service_tier, price.region, price.context_from_tokens, price.context_bound, price.context_scope,
        price.time_window, price.contract_id, price.usd_per_million, price.unit_price, price.pricing_currency,
        price.pricing_quantity, price.valid_from, price.valid_to, price.date_basis, price.recorded_at,
        price.superseded_at, price.supersede_reason, price.source_locator, price.extracted_text, file.landing_path,
        file.sha256, feed_state.read_at is distinct from feed_state.landed_at
    from core.price
    left join raw.snapshot as file using (snapshot_id)
    left join feed_state on feed_state.feed = price.feed
    where price.recorded_at <= known_at and (price.superseded_at is null or price.superseded_at > known_at)
        and price.valid_from <= at and (price.valid_to is null or price.valid_to > at)
$$;
comment on function core.price_as_known is 'Every price that holds at an instant, as believed at another, with the file that said so; is_stale where a later file of the feed could not be read or is held for review, so that the last good price stays in force.';

create view core.price_in_force as
with used as (
    select distinct pair.value::uuid as price_id
    from core.rate_card as card
    cross join lateral jsonb_each_text(card.price_ids) as pair
    where card.valid_from <= now() and (card.valid_to is null or card.valid_to > now())
)
select price.*, used.price_id is not null as is_used
from core.price_as_known(now(), now()) as price
left join used using (price_id);
comment on view core.price_in_force is 'Every price that holds now, as believed now, with the file that said so; is_used where requests are charged by it, is_stale where its feed has a later file that was not read. One row per feed, seller, model, meter and conditions.';

create view core.request_charge as
with lines as (
    select
        request.event_date, request.request_uid, request.event_at, request.provider_id, request.model_id,
        request.contracted_cost_usd, part.meter, part.quantity, part.usd_per_million,
        part.quantity * part.usd_per_million * 0.000001 as cost_usd,
        coalesce(card.fallbacks ->> part.meter, part.meter) as priced_as,
        (card.price_ids ->> coalesce(card.fallbacks ->> part.meter, part.meter))::uuid as price_id
    from core.request
    inner join core.rate_card as card using (rate_id)
    cross join lateral (values
        ('input_uncached', request.input_uncached_tokens::bigint, card.input_uncached_usd_per_mtok),
        ('input_cache_read', request.input_cache_read_tokens::bigint, card.input_cache_read_usd_per_mtok),
        ('input_cache_write', request.input_cache_write_tokens::bigint, card.input_cache_write_usd_per_mtok),
        ('input_cache_write_5m', request.input_cache_write_5m_tokens::bigint, card.input_cache_write_5m_usd_per_mtok),
        ('input_cache_write_30m', request.input_cache_write_30m_tokens::bigint, card.input_cache_write_30m_usd_per_mtok),
        ('input_cache_write_1h', request.input_cache_write_1h_tokens::bigint, card.input_cache_write_1h_usd_per_mtok),
        ('input_cache_write_12h', request.input_cache_write_12h_tokens::bigint, card.input_cache_write_12h_usd_per_mtok),
        ('input_audio', request.input_audio_tokens::bigint, card.input_audio_usd_per_mtok),
        ('input_audio_cache_read', request.input_audio_cache_read_tokens::bigint, card.input_audio_cache_read_usd_per_mtok),
        ('input_image', request.input_image_tokens::bigint, card.input_image_usd_per_mtok),
        ('input_image_cache_read', request.input_image_cache_read_tokens::bigint, card.input_image_cache_read_usd_per_mtok),
        ('input_video', request.input_video_tokens::bigint, card.input_video_usd_per_mtok),
        ('input_tool', request.input_tool_tokens::bigint, card.input_tool_usd_per_mtok),
        ('output_text', request.output_text_tokens::bigint, card.output_text_usd_per_mtok),
        ('output_reasoning', request.output_reasoning_tokens::bigint, card.output_reasoning_usd_per_mtok),
        ('output_audio', request.output_audio_tokens::bigint, card.output_audio_usd_per_mtok),
        ('output_image', request.output_image_tokens::bigint, card.output_image_usd_per_mtok),
        ('request', 1::bigint, card.request_usd_per_million),
        ('web_search', request.web_search_count::bigint, card.web_search_usd_per_million)
    ) as part (meter, quantity, usd_per_million)
    where part.quantity > 0 and part.usd_per_million is not null
),
rest as (
    -- What marginal tiers and minimums add to or take from the plain rates; a card that is no longer derived at all.
    select
        request.event_date, request.request_uid, request.event_at, request.provider_id, request.model_id,
        request.contracted_cost_usd - coalesce(known.cost_usd, 0) as cost_usd
    from core.request
    left join lateral (
        select sum(lines.cost_usd) as cost_usd from lines
        where lines.event_date = request.event_date and lines.request_uid = request.request_uid
    ) as known on true
    where request.rate_id is not null
        and not exists (
            select from core.rate_card as card
            where card.rate_id = request.rate_id and card.marginal = '{}' and card.minimum_charge_usd is null
        )
)
select
    lines.event_date, lines.request_uid, lines.event_at, lines.provider_id, lines.model_id, lines.meter, lines.quantity,
    lines.usd_per_million, lines.cost_usd, lines.priced_as, lines.price_id, price.feed, price.unit_price,
    price.pricing_currency, price.pricing_quantity, price.valid_from, price.date_basis, price.recorded_at,
    price.source_locator, price.extracted_text, file.landing_path, file.sha256
from lines
left join core.price using (price_id)
left join raw.snapshot as file using (snapshot_id)
union all
select
    event_date, request_uid, event_at, provider_id, model_id, 'rest', null, null, cost_usd, null, null, null, null, null,
    null, null, null, null, null, null, null, null
from rest
where cost_usd <> 0;
comment on view core.request_charge is 'The contracted cost of every priced request, meter by meter, down to the price row and the file it came from; the lines of a request add up to its cost. Ask for a day (event_date). The line rest is what marginal tiers and minimums make of it, or the whole of a request whose card is no longer derived (modelmeter explain finds it). One row per request and meter.';
