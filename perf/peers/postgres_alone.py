"""Postgres alone: lines copied as jsonb, broken ones skipped by the server, then one SQL statement, key and sum."""

from __future__ import annotations

from pathlib import Path

from perf.peers.common import LINES, TARGET, answer, key_and_spend, prices, psql, stage

_FILL = """
insert into {target} (
    event_date, request_uid, event_at, source, snapshot_id, line_no, item_no, source_request_id, operation, provider_id,
    request_model, response_model, model_id, resolution_method, team, service_tier, region, status, latency_ms,
    input_uncached_tokens, input_cache_read_tokens, input_cache_write_tokens, input_cache_write_5m_tokens,
    input_cache_write_30m_tokens, input_cache_write_1h_tokens, input_cache_write_12h_tokens, input_audio_tokens,
    input_audio_cache_read_tokens, input_image_tokens, input_image_cache_read_tokens, input_video_tokens, input_tool_tokens,
    output_text_tokens, output_reasoning_tokens, output_audio_tokens, output_image_tokens, web_search_count,
    rerank_search_count, document_page_count, annotated_document_page_count,
    token_semantics, usage_basis, is_billable, reported_cost_usd, list_cost_usd, contracted_cost_usd, effective_cost_usd,
    unpriced_reason
)
with
fields as (
    select
        line ->> 'request_id' as id, (line ->> 'startTime')::timestamptz as started, (line ->> 'endTime')::timestamptz as ended,
        line ->> 'custom_llm_provider' as seller, line ->> 'model' as model, line ->> 'team_id' as team,
        (line ->> 'prompt_tokens')::int as prompt, (line ->> 'completion_tokens')::int as completion,
        (line ->> 'total_tokens')::int as total, (line ->> 'spend')::numeric as spend,
        (line #>> '{{metadata,usage_object,prompt_tokens_details,cached_tokens}}')::int as cached,
        (line #>> '{{metadata,usage_object,completion_tokens_details,reasoning_tokens}}')::int as reasoning
    from {target}_lines
),
once as (
    select distinct on (id) * from fields
    where least(prompt, completion) >= 0 and total = prompt + completion order by id, started
),
costed as (
    select once.*, (prompt - cached) * input_usd + cached * cached_usd + completion * output_usd as cost
    from once left join {target}_price as price using (seller, model)
)
select
    (started at time zone 'UTC')::date, md5(id)::uuid, started, 'gateway', '00000000-0000-0000-0000-000000000000', 0, 0, id,
    'chat', seller, model, model, case when cost is not null then model end,
    case when cost is null then 'unresolved' else 'exact' end, team, 'standard', '', 'ok',
    extract(epoch from ended - started) * 1000, prompt - cached, cached, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    completion - reasoning, reasoning, 0, 0, 0, 0, 0, 0, 'openai_inclusive', 'reported', true, spend, cost, cost, cost,
    case when cost is null then 'model_unresolved' end
from costed
"""


def main() -> None:
    """Load, fill, build the key and sum."""
    values = ", ".join(
        f"('{seller}', '{model}', {given}, {cached}, {out})" for seller, model, _, given, cached, out in prices()
    )
    with stage("copy jsonb"), Path(LINES).open("rb") as file:
        psql(
            f"create table {TARGET}_lines (line jsonb)",
            f"create table {TARGET}_price (seller text, model text, input_usd numeric, cached_usd numeric, output_usd numeric)",
            f"insert into {TARGET}_price values {values}",
            rf"copy {TARGET}_lines from stdin (format csv, quote e'\x01', delimiter e'\x02', on_error ignore, log_verbosity silent)",
            stdin=file,
        )
    with stage("sql"):
        psql(_FILL.format(target=TARGET))
    requests, cost = key_and_spend()
    answer(requests, cost)


if __name__ == "__main__":
    main()
