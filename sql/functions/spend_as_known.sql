-- What a range of days cost by what was known at an instant: requests whose file had landed by then, at the prices that were
-- believed then. In plpgsql, because the view core.request_charge is made later, by dbt.
create or replace function core.spend_as_known(from_date date, to_date date, known_at timestamptz default now())
returns table (
    event_date date, provider_id text, model_id text, requests bigint, requests_without_price bigint, cost_usd numeric
)
language plpgsql stable
as $$
#variable_conflict use_column
begin
    return query
    with landed as (
        select request.event_date, request.request_uid, request.event_at, request.provider_id, request.model_id
        from core.request as request
        join raw.snapshot as file using (snapshot_id)
        where request.event_date >= spend_as_known.from_date and request.event_date < spend_as_known.to_date
            and file.observed_at <= spend_as_known.known_at
            and request.rate_id is not null
    ),
    charged as (
        select
            landed.*,
            charge.price_id,
            charge.cost_usd,
            charge.quantity,
            price.sku_id
        from landed
        join core.request_charge as charge
            on charge.event_date = landed.event_date and charge.request_uid = landed.request_uid
        left join core.price as price on price.price_id = charge.price_id
        where charge.event_date >= spend_as_known.from_date and charge.event_date < spend_as_known.to_date
    ),
    priced as (
        select
            charged.*,
            case
                when charged.price_id is null or believed.price_id = charged.price_id then charged.cost_usd
                else round(charged.quantity * believed.usd_per_million / 1000000, 18)
            end as known_usd
        from charged
        left join core.price as believed
            on believed.sku_id = charged.sku_id
            and believed.recorded_at <= spend_as_known.known_at
            and (believed.superseded_at is null or believed.superseded_at > spend_as_known.known_at)
            and believed.valid_from <= charged.event_at
            and (believed.valid_to is null or believed.valid_to > charged.event_at)
    ),
    by_request as (
        select
            priced.event_date, priced.provider_id, priced.model_id, priced.request_uid,
            sum(priced.known_usd) as known_usd, bool_or(priced.known_usd is null) as lacks_a_price
        from priced
        group by 1, 2, 3, 4
    )
    select
        by_request.event_date, by_request.provider_id, by_request.model_id,
        count(*), count(*) filter (where by_request.lacks_a_price),
        sum(by_request.known_usd) filter (where not by_request.lacks_a_price)
    from by_request
    group by 1, 2, 3;
end
$$;
comment on function core.spend_as_known is 'What the days [from_date, to_date) cost by what was known at an instant: requests whose file had landed by then, each meter at the price of the same SKU believed then. A request whose price nobody knew then is counted, without a cost. Discounts and minimum charges stay as they are known now.';
