with

charges as (

    select * from {{ ref('daily_charge') }}
    {% if is_incremental() %} where {{ days_of_run() }} {% endif %}

),

by_reason as (

    select
        event_date,
        coalesce(unpriced_reason, 'priced') as reason,
        {{ quantity_of(['request']) }} as requests,
        {{ quantity_of(input_meters() + output_meters()) }} as tokens
    from charges
    group by event_date, coalesce(unpriced_reason, 'priced')

),

days as (

    select
        event_date,
        sum(requests) as requests,
        sum(tokens) as tokens
    from by_reason
    group by event_date

),

-- A day on which nothing is priced has the line 'priced' with a zero.
reasons as (

    select event_date, reason, requests, tokens from by_reason
    union all
    select event_date, 'priced', 0, 0 from days
    where not exists (
        select from by_reason
        where by_reason.event_date = days.event_date and by_reason.reason = 'priced'
    )

),

final as (

    select
        reasons.event_date,
        reasons.reason,
        reasons.requests,
        reasons.tokens,
        reasons.requests::double precision / days.requests::double precision as request_share,
        reasons.tokens::double precision / nullif(days.tokens, 0)::double precision as token_share
    from reasons
    inner join days on reasons.event_date = days.event_date

)

select * from final
