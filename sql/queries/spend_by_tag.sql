-- Question: what did each tag of the log cost in the newest month? A request with several tags is shared evenly among them.
-- Grain:    one row per tag; untagged for requests without one. The rows add up to the month, to the last decimal.
-- Columns:  tag, requests_tagged, unpriced_requests, effective_cost_usd
with

requests as (

    select
        request_uid,
        effective_cost_usd,
        coalesce(tags ->> 'request_tags', tags ->> 'tags') as listed
    from core.request
    where event_date >= (select date_trunc('month', max(event_date))::date from core.request)

),

tagged as (

    select distinct
        requests.request_uid,
        requests.effective_cost_usd,
        coalesce(tag.name, 'untagged') as tag
    from requests
    left join lateral jsonb_array_elements_text(
        case when requests.listed ~ '^\[("([^"\\]|\\.)*"(, *)?)+\]$' then requests.listed::jsonb end
    ) as tag (name) on true

),

numbered as (

    select
        *,
        count(*) over (partition by request_uid) as tags,
        row_number() over (partition by request_uid order by tag) as place,
        trunc(effective_cost_usd / count(*) over (partition by request_uid), 18) as rounded_down
    from tagged

),

-- What division leaves goes to the first tags, one unit of the last decimal each.
shared as (

    select
        tag,
        rounded_down + case
            when place <= (effective_cost_usd - rounded_down * tags) * 1e18 then 1e-18 else 0
        end as effective_cost_usd
    from numbered

),

final as (

    select
        tag,
        count(*) as requests_tagged,
        count(*) - count(effective_cost_usd) as unpriced_requests,
        sum(effective_cost_usd)::numeric(38, 18) as effective_cost_usd
    from shared
    group by tag

)

select * from final
order by effective_cost_usd desc nulls last, tag
