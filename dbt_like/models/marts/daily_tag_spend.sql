with

requests as (

    select * from {{ ref('stg_request') }}
    {% if is_incremental() %} where {{ days_of_run() }} {% endif %}

),

-- Few lists of tags stand for all requests; those of one list are shared alike.
lists as (

    select
        event_date,
        listed_tags,
        count(*) as requests,
        count(*) filter (where unpriced_reason is not null) as unpriced_requests,
        sum(effective_cost_usd) as cost
    from requests
    group by event_date, listed_tags

),

tagged as (

    select
        lists.*,
        coalesce(names.tag, 'untagged') as tag
    from lists
    left join lateral (
        select distinct tag.name
        from jsonb_array_elements_text(
            case when lists.listed_tags ~ '^\[("([^"\\]|\\.)*"(, *)?)+\]$' then lists.listed_tags::jsonb end
        ) as tag (name)
    ) as names (tag) on true

),

numbered as (

    select
        *,
        count(*) over (partition by event_date, listed_tags) as tags,
        row_number() over (partition by event_date, listed_tags order by tag) as place,
        trunc(cost / count(*) over (partition by event_date, listed_tags), 18) as rounded_down
    from tagged

),

-- What division leaves goes to the first tags, one unit of the last decimal each.
final as (

    select
        event_date,
        tag,
        sum(requests)::bigint as requests_tagged,
        sum(unpriced_requests)::bigint as unpriced_requests,
        sum(
            rounded_down + case when place <= (cost - rounded_down * tags) * 1e18 then 1e-18 else 0 end
        )::numeric(38, 18) as effective_cost_usd
    from numbered
    group by event_date, tag

)

select * from final
