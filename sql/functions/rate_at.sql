-- The list rate of one model at one seller at an instant: one row or none, where a plain join on core.rate_card gives a row for
-- each tier, region, window, contract and size of the prompt, and multiplies a cost by as many.
create or replace function core.rate_at(
    seller text, model text, at timestamptz default now(), tier text default 'standard', in_region text default ''
)
returns setof core.rate_card
language sql stable
as $$
    select *
    from core.rate_card as card
    where card.provider_id = seller and card.model_id = model and card.service_tier = tier
        and card.region in ('', in_region) and card.contract_id = ''
        and card.valid_from <= at and (card.valid_to is null or card.valid_to > at)
    order by
        card.region = in_region desc, card.time_window, card.reasoning_mode, card.context_from_tokens,
        card.valid_from desc, card.rate_id
    limit 1
$$;
comment on function core.rate_at is 'The list rate of a model at a seller at an instant, one row of core.rate_card or none: for small prompts, all day and without a contract, where such a card holds.';
