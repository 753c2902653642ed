-- What a rate card holds beside plain rates: marginal tiers, and a minimum per request. Hours of the day may name
-- weekdays, a time zone and holidays; stored cache tokens have a unit of their own.
alter table core.rate_card add column marginal jsonb not null default '{}';
alter table core.rate_card alter column marginal drop default;
alter table core.rate_card add column minimum_charge_usd numeric(38,18);
alter table core.price drop constraint price_unit_accepted;
alter table core.price add constraint price_unit_accepted check (unit in ('token', 'token_hour', 'request', 'search', 'page', 'second', 'image', 'pixel', 'character', 'session'));
comment on column core.price.unit is 'Unit of the meter: token, token_hour (a token kept for an hour), request, search, page, second, image, pixel, character or session.';
comment on column core.price.time_window is 'Hours of the day, as [mon-fri ]HH:MM-HH:MM[ zone][ except calendar], UTC where no zone is named; empty where the price holds all day.';
comment on column core.rate_card.time_window is 'Hours of the day, as in core.price; empty for all day.';
comment on column core.rate_card.marginal is 'Object of meter>n to the rate for those of a request''s tokens of that meter that are above n; empty for most. Unit: USD per million tokens.';
comment on column core.rate_card.minimum_charge_usd is 'The least that one request costs; null where there is none. Unit: USD.';
comment on column mart.price_change.unit is 'Unit of the meter: token, token_hour (a token kept for an hour), request, search, page, second, image, pixel, character or session.';
comment on column mart.price_change.time_window is 'Hours of the day, as [mon-fri ]HH:MM-HH:MM[ zone][ except calendar], UTC where no zone is named; empty where the price holds all day.';
comment on column mart.price_conflict.unit is 'Unit of the meter: token, token_hour (a token kept for an hour), request, search, page, second, image, pixel, character or session.';
comment on column mart.price_conflict.time_window is 'Hours of the day, as [mon-fri ]HH:MM-HH:MM[ zone][ except calendar], UTC where no zone is named; empty where the price holds all day.';
alter table mart.price_change drop constraint if exists price_change_unit_accepted;
alter table mart.price_change add constraint price_change_unit_accepted check (unit in ('token', 'token_hour', 'request', 'search', 'page', 'second', 'image', 'pixel', 'character', 'session'));
alter table mart.price_conflict drop constraint if exists price_conflict_unit_accepted;
alter table mart.price_conflict add constraint price_conflict_unit_accepted check (unit in ('token', 'token_hour', 'request', 'search', 'page', 'second', 'image', 'pixel', 'character', 'session'));
