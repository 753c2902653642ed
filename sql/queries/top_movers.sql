-- Question: whose spend moved most between the newest seven days and the seven before?
-- Grain:    one row per team and model
-- Columns:  team, model_id, before_usd, after_usd, change_usd, change_percent
with

charges as (

    select * from mart.daily_charge

),

weeks as (

    select
        team,
        model_id,
        (select max(event_date) from charges) - event_date < 7 as is_newest,
        effective_cost_usd
    from charges
    where event_date > (select max(event_date) - 14 from charges)

),

final as (

    select
        team,
        model_id,
        coalesce(sum(effective_cost_usd) filter (where not is_newest), 0) as before_usd,
        coalesce(sum(effective_cost_usd) filter (where is_newest), 0) as after_usd,
        coalesce(sum(effective_cost_usd) filter (where is_newest), 0)
        - coalesce(sum(effective_cost_usd) filter (where not is_newest), 0) as change_usd,
        round(
            100 * sum(effective_cost_usd) filter (where is_newest)
            / nullif(sum(effective_cost_usd) filter (where not is_newest), 0) - 100, 1
        ) as change_percent
    from weeks
    group by team, model_id
    having sum(effective_cost_usd) is not null

)

select * from final
order by abs(change_usd) desc, team, model_id
