-- Entries on neither side of a gap, and how long an alarm of the log is open.
alter table mart.benchmark_gap add column undecided jsonb;
alter table mart.request_drift add column opened_on date;
alter table mart.request_drift add column age_days integer;
comment on column mart.benchmark_gap.undecided is 'Entries on neither side by rank, the best ten: rank, model, score and the line of models.yaml that would decide it; null where there is none.';
comment on column mart.request_drift.opened_on is 'First day of the open alarm; null where none is open.';
comment on column mart.request_drift.age_days is 'Days since then. Unit: days.';
comment on column mart.request_drift.is_alarm is 'True where an alarm is open: q is 0.05 or less and the effect is worth telling, or it was so and has neither recovered nor been closed in watch.yaml.';
comment on column mart.request_profile.stratum is 'Operation, whether streamed, prompt size as a power of two, and the tags that watch.yaml names: only requests of one stratum are compared.';
comment on column mart.benchmark_drift.drift_class is 'new, removed, renamed, revised, rounding, scale_rebase, index_version, contradiction, missing_outcomes, coverage_gate, drift or slow_drift.';
comment on column core.benchmark_score.weights is 'open or closed, where the source says so by a flag or a licence; the gap believes it before any list.';
