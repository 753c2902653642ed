-- Whether weights are open, as a source says it; back ends (fingerprints) among what is compared in the log.
alter table core.benchmark_score add column weights text;
alter table core.benchmark_score add constraint benchmark_score_weights_accepted check (weights in ('open', 'closed'));
comment on column core.benchmark_score.weights is 'open or closed, where the source says so by a flag or a licence; the gap uses it for models that are not known otherwise.';
comment on column mart.request_profile.metric is 'output_tokens, reasoning_share, latency_ms, ttft_ms, throughput, cache_read_share, error_rate, finish:<reason>, response_model:<name> or fingerprint:<back end>.';
comment on column mart.request_drift.metric is 'output_tokens, reasoning_share, latency_ms, ttft_ms, throughput, cache_read_share, error_rate, finish:<reason>, response_model or fingerprint.';
