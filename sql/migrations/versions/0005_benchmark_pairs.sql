-- What ran an evaluation, beside its variant; gaps with the standard error of the two best, over their shared items
-- where outcomes are published, and the lag between releases; a class for slow drift.
alter table core.benchmark_score add column harness text;
alter table mart.benchmark_gap add column gap_stderr double precision;
alter table mart.benchmark_gap add column min_detectable double precision;
alter table mart.benchmark_gap add column paired_items integer;
alter table mart.benchmark_gap add column release_lag_days integer;
comment on column core.benchmark_score.harness is 'What ran the evaluation, with its version, where the source says so: a library, an agent, a scaffold.';
comment on column mart.benchmark_gap.gap_low is 'Lower bound of the gap at 95 %, by bootstrap of both maxima: of their items where outcomes are known, else parametric.';
comment on column mart.benchmark_gap.gap_stderr is 'Standard error of the difference of the two best, over their shared items where outcomes are known.';
comment on column mart.benchmark_gap.min_detectable is 'Smallest gap between the two best that a 95 % interval could have shown.';
comment on column mart.benchmark_gap.paired_items is 'Items on which both sides were compared outcome by outcome; null where only their scores are known. Unit: items.';
comment on column mart.benchmark_gap.release_lag_days is 'Days from the release of the first closed model that has what the best open one has to that one''s release; below 0 where open was first. Unit: days.';
comment on column mart.benchmark_drift.drift_class is 'new, removed, renamed, revised, rounding, scale_rebase, index_version, contradiction, coverage_gate, drift or slow_drift.';
