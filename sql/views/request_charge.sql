drop view if exists core.request_charge;

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
        ('web_search', request.web_search_count::bigint, card.web_search_usd_per_million),
        ('grounded_prompt', least(request.web_search_count, 1)::bigint, card.grounded_prompt_usd_per_million)
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
