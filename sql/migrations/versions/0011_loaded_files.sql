-- Which files each loaded day holds, so that late files are told without a look at the requests themselves.
create table raw.loaded_file (
    event_date date not null,
    snapshot_id uuid not null,
    requests bigint not null,
    constraint loaded_file_pkey primary key (event_date, snapshot_id)
);
comment on table raw.loaded_file is 'How many requests of each loaded day come from which file: tells late files without a look at the requests themselves. Grain: one row per day and file.';
comment on column raw.loaded_file.event_date is 'Loaded UTC day (core.request.event_date).';
comment on column raw.loaded_file.snapshot_id is 'File of kept records (raw.snapshot).';
comment on column raw.loaded_file.requests is 'Rows of core.request of this day and file. Unit: requests.';
insert into raw.loaded_file
select event_date, snapshot_id, count(*) from core.request group by event_date, snapshot_id;
