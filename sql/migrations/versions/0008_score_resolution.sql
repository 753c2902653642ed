-- How the model of a score was resolved, and with what confidence.
alter table core.benchmark_score add column resolution_method text;
alter table core.benchmark_score add column resolution_confidence double precision;
comment on column core.benchmark_score.resolution_method is 'How the model was resolved, as core.model_alias names it; variant_suffix where only a part of the entry''s name did.';
comment on column core.benchmark_score.resolution_confidence is '1 for an exact or declared name, less where something was left out, 0 while unresolved. Unit: share.';
