"""DuckDB: the whole job in SQL, then CSV through a pipe into psql.

`A` sums in DuckDB; `B` fills the table that modelmeter fills; `narrow` a table of the columns that the log holds.
Lines that do not parse become null and are dropped without a trace; 5.7 would become 6.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from decimal import Decimal

import duckdb

from perf.peers.common import LINES, TARGET, answer, key_and_spend, prices, stage

_READ = """
    create table calls as
    with
    lines as (
        select * from read_ndjson(?, ignore_errors = true, columns = {
            request_id: 'VARCHAR', spend: 'DECIMAL(30,18)', total_tokens: 'BIGINT', prompt_tokens: 'BIGINT',
            completion_tokens: 'BIGINT', startTime: 'TIMESTAMP', endTime: 'TIMESTAMP', model: 'VARCHAR',
            custom_llm_provider: 'VARCHAR', team_id: 'VARCHAR', status: 'VARCHAR',
            metadata: 'STRUCT(usage_object STRUCT(prompt_tokens_details STRUCT(cached_tokens BIGINT), completion_tokens_details STRUCT(reasoning_tokens BIGINT)))'
        })
    ),
    valid as (
        select *, coalesce(metadata.usage_object.prompt_tokens_details.cached_tokens, 0) as cached,
            coalesce(metadata.usage_object.completion_tokens_details.reasoning_tokens, 0) as reasoning
        from lines
        where request_id is not null and startTime is not null and least(prompt_tokens, completion_tokens) >= 0
            and total_tokens = prompt_tokens + completion_tokens
    ),
    once as (select distinct on (request_id) * from valid)
    select once.*,
        (prompt_tokens - cached) * price.input_usd + cached * price.cached_usd + completion_tokens * price.output_usd as cost
    from once left join price on once.custom_llm_provider = price.seller and once.model = price.model
"""
_SPEND = """
    with spend as (
        select startTime::date as event_date, custom_llm_provider, model, count(*) as requests, sum(cost) as cost
        from calls group by all
    )
    select sum(requests)::bigint, sum(cost) from spend
"""
_WIDE: dict[str, str] = {
    "event_date": "startTime::date", "request_uid": "md5(request_id)::uuid", "event_at": "startTime || 'Z'",
    "source": "'gateway'", "snapshot_id": "'00000000-0000-0000-0000-000000000000'", "line_no": "0", "item_no": "0",
    "source_request_id": "request_id", "operation": "'chat'", "provider_id": "custom_llm_provider",
    "request_model": "model", "response_model": "model", "model_id": "case when cost is null then null else model end",
    "resolution_method": "case when cost is null then 'unresolved' else 'exact' end", "team": "team_id",
    "service_tier": "'standard'", "region": "''", "status": "'ok'",
    "latency_ms": "epoch_ms(endTime) - epoch_ms(startTime)", "input_uncached_tokens": "prompt_tokens - cached",
    "input_cache_read_tokens": "cached", "output_text_tokens": "completion_tokens - reasoning",
    "output_reasoning_tokens": "reasoning",
    **dict.fromkeys(
        (
            "input_cache_write_tokens", "input_cache_write_5m_tokens", "input_cache_write_30m_tokens",
            "input_cache_write_1h_tokens", "input_cache_write_12h_tokens", "input_audio_tokens",
            "input_audio_cache_read_tokens", "input_image_tokens", "input_image_cache_read_tokens", "input_video_tokens",
            "input_tool_tokens", "output_audio_tokens", "output_image_tokens", "web_search_count",
            "rerank_search_count", "document_page_count", "annotated_document_page_count",
        ),
        "0",
    ),
    "token_semantics": "'openai_inclusive'", "usage_basis": "'reported'", "is_billable": "true",
    "reported_cost_usd": "spend", "list_cost_usd": "cost", "contracted_cost_usd": "cost", "effective_cost_usd": "cost",
    "unpriced_reason": "case when cost is null then 'model_unresolved' end",
}  # fmt: skip
_NARROW = (
    "event_date", "request_uid", "event_at", "provider_id", "model_id", "team", "status", "latency_ms",
    "input_uncached_tokens", "input_cache_read_tokens", "output_text_tokens", "output_reasoning_tokens",
    "reported_cost_usd", "list_cost_usd",
)  # fmt: skip


def main() -> None:
    """Do the work named on the command line."""
    which = sys.argv[1]
    with duckdb.connect(config={"preserve_insertion_order": "false"}) as database:
        with stage("parse, dedupe, cost"):
            database.execute(
                "create table price (seller varchar, model varchar, input_usd decimal(18,12), cached_usd decimal(18,12), "
                "output_usd decimal(18,12))"
            )
            database.executemany(
                "insert into price values (?, ?, ?, ?, ?)", [(s, m, *usd) for s, m, _, *usd in prices()]
            )
            database.execute(_READ, [LINES])
        if which == "A":
            with stage("spend"):
                requests, cost = database.execute(_SPEND).fetchone() or (0, Decimal(0))
            answer(requests, cost)
            return
        with stage("copy"):
            _copy(database, {name: _WIDE[name] for name in (_WIDE if which == "B" else _NARROW)})
    requests, cost = key_and_spend()
    answer(requests, cost)


def _copy(database: duckdb.DuckDBPyConnection, columns: dict[str, str]) -> None:
    """DuckDB writes CSV into a pipe while psql reads it."""
    statement = f"copy {TARGET} ({', '.join(columns)}) from stdin (format csv)"
    loader = subprocess.Popen(
        [*json.loads(os.environ["PERF_PSQL"]), "-v", "ON_ERROR_STOP=1", "-qX", "-c", statement], stdin=subprocess.PIPE
    )
    assert loader.stdin is not None
    listed = ", ".join(f"{expression} as {name}" for name, expression in columns.items())
    database.execute(
        f"copy (select {listed} from calls) to '/dev/fd/{loader.stdin.fileno()}' (format csv, header false)"
    )
    loader.stdin.close()
    if loader.wait():
        sys.exit("psql refused the rows")


if __name__ == "__main__":
    main()
