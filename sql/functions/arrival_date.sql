-- The day on which a request file arrived, as its folder says in any of the accepted ways (docs/landing_zone.md), else the day on
-- which it was first seen. The load reads names with `pipelines/landing/names.py`.
create or replace function raw.arrival_date(landing_path text, observed_at timestamptz)
returns date
language plpgsql immutable
as $$
declare
    found text[];
begin
    found := regexp_match(
        landing_path, '(?<!\d)(20\d\d)(?:-|/(?:m(?:onth)?=)?|)(\d\d)(?:-|/(?:d(?:ay)?=)?|)(\d\d)(?!\d)'
    );
    return coalesce(make_date(found[1]::int, found[2]::int, found[3]::int), (observed_at at time zone 'utc')::date);
exception
    when datetime_field_overflow then
        return (observed_at at time zone 'utc')::date;
end
$$;
comment on function raw.arrival_date is 'The day on which a request file arrived: as its path says, else the day on which it was first seen.';
