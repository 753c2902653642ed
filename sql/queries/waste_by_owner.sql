-- Question: which team could save most, and by which fix?
-- Grain:    one row per team and finding, over the newest seven days
-- Columns:  team, finding, requests, cost_usd, saving_usd
with

findings as (

    select * from mart.waste
    where event_date > (select max(event_date) - 7 from mart.waste)

),

final as (

    select
        team,
        finding,
        count(*) as requests,
        sum(cost_usd) as cost_usd,
        sum(saving_usd) as saving_usd
    from findings
    group by team, finding

)

select * from final
order by saving_usd desc, team, finding
