-- Question: which teams spent most over the newest seven days, and how much does a request of theirs cost?
-- Grain:    one row per team
-- Columns:  team, requests, input_tokens, output_tokens, effective_cost_usd, usd_per_thousand_priced_requests
with

spend as (

    select * from mart.daily_team_spend

),

week as (

    select max(event_date) - 6 as first_day from spend

),

by_team as (

    select
        spend.team,
        sum(spend.requests)::bigint as requests,
        sum(spend.priced_requests)::bigint as priced_requests,
        sum(spend.input_tokens)::bigint as input_tokens,
        sum(spend.output_tokens)::bigint as output_tokens,
        sum(spend.effective_cost_usd) as effective_cost_usd
    from spend
    inner join week on spend.event_date >= week.first_day
    group by spend.team

),

final as (

    select
        team,
        requests,
        input_tokens,
        output_tokens,
        effective_cost_usd,
        round(1000 * effective_cost_usd / nullif(priced_requests, 0), 6) as usd_per_thousand_priced_requests
    from by_team

)

select * from final
order by effective_cost_usd desc nulls last, team
