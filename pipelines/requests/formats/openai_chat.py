"""OpenAI chat completions answers, and those of everyone who answers in the same shape, streams included.

Azure OpenAI, DeepSeek (`prompt_cache_hit_tokens`), Mistral (`num_cached_tokens`; `connector_tokens` of its tools apart from the prompt, sound by the
second), Snowflake (`guardrails_tokens` apart from the prompt), Groq (`x_groq`; of a compound system the one model that it asked, several stay under its own name, which no feed prices), xAI (reasoning
counted apart from completion, `cost_in_usd_ticks` of a ten-billionth of a dollar), Together and Moonshot (`cached_tokens`), DashScope
(`cache_creation_input_tokens` among the details; its own API names counts as the responses API does), SGLang (`reasoning_tokens` next to the
details), Perplexity (reasoning and citations counted and charged apart from completion and prompt; `cost` in dollars; DeepInfra's is
`estimated_cost`), LiteLLM's proxy, Envoy's (`cached_write_tokens`), Cohere (`billed_units`, which is what is charged; version 1 writes it under
`meta`, and reranking counts `search_units`), OpenRouter's reranking, OCR of Mistral and of its models on Azure (`pages_processed`, those with fields
extracted apart), Kong's log (`meta` next to the usage), servers and gateways that also have Anthropic's endpoint (a `message`, whose input leaves the cache out), Gemini's OpenAI endpoint
(thoughts only in the total), vLLM and Ollama servers, embeddings. `prompt_tokens` contains cached and written tokens, `completion_tokens` contains
reasoning and rejected predictions; where the total says otherwise, the rule that fits it is taken (`openai_variant`). Stream chunks of one id are
cumulative: the last with a usage is kept, and a stream that never stated its usage stays one request without usage. The answer's service tier is the
one that is billed; a line of a batch's output file is billed as batch. `created` is in seconds since 1970.
Source: platform.openai.com/docs/api-reference/chat; the providers' own references for their variants.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

import polars as pl

from pipelines.config.sources import RequestSource
from pipelines.records.conversions import TimeRule
from pipelines.records.layout import Paths
from pipelines.requests.conventions import own_total
from pipelines.requests.format import Format
from pipelines.requests.formats._anthropic_stream import STREAM, StreamReader
from pipelines.requests.formats._envelope import BATCH_RECORD, SUMS, Envelope
from pipelines.requests.formats._langchain import CALLS, COLUMNS
from pipelines.requests.formats._openai_usage import MARKS, reading, usage_paths
from pipelines.requests.reused_ids import ANSWERED
from pipelines.requests.semantics import measure, openai_variant, written_apart

_BILLED = ("usage/billed_units", "delta/usage/billed_units", "meta/billed_units")
"""Where Cohere counts what it charges."""


OF_ANTHROPIC = ("message", "message_start", "message_delta")
"""Types of answers and events in Anthropic's shape, whose input leaves the cache out."""
OF_STREAMS = ('"message_start"', '"message_delta"')
"""Texts of the lines that hold events of Anthropic's streams, of which one needs the other."""
ASKERS = ("user", "system", "developer", "tool")
"""Roles of messages that a model is given."""
REPORTS = ("page", "bucket")
OF_A_REPORT = "a report of usage or costs: declare a source of format openai_usage_api or openai_costs_api"
BODIES = ("response", "response/body", "body")
"""Where in an envelope an answer lies."""


def build(source: RequestSource) -> Format:
    """The format; options `body` and `timestamp`."""
    at = Envelope(source, BODIES)
    return Format(
        name="openai_chat",
        version="17",
        text={
            "source_request_id": at.body("id", "generation_id", "response_id", "request_id", "provider_response_id"),
            "provider_id": at.body("meta/provider_name"),
            "request_model": at.model("model", "meta/request_model"),
            "response_model": (*at.body("served_model", "model", "meta/response_model"), *at.outer("response.model")),
            "object": at.body("object"),
            "logged_operation": at.body("operation"),
            "event": at.body("type"),
            "batch_record": (BATCH_RECORD,),
            "batch_answer": at.batch_answer("id", "model", "object"),
            # The latter of messages in Anthropic's shape.
            "service_tier": at.body("service_tier", "usage/service_tier"),
            "run_type": at.outer("run_type"),
            "role": at.outer("role"),
            "session_id": at.outer("session_id", "trace_id"),
            "end_user_id": at.outer("user"),
            "finish_reason": at.outer("finish_reason"),
            "error": at.outer("error/type", "error/code", "response/body/error/type"),
            "stream_id": (STREAM,),
        },
        usage=usage_paths(
            at,
            input=tuple(f"{units}/input_tokens" for units in _BILLED),
            output=tuple(f"{units}/output_tokens" for units in _BILLED),
            input_tool=("usage/citation_tokens", "usage/connector_tokens", "usage/guardrails_tokens"),
            input_image=tuple(f"{units}/image_tokens" for units in _BILLED),
        ),
        integers={
            "http_status": at.outer("http_status", "status_code", "response/status_code"),
            "billed_input": at.body(*(f"{units}/{part}_tokens" for part in ("input", "image") for units in _BILLED)),
            "guarded": at.body("usage/guardrails_tokens"),
            "refused": at.body("base_resp/status_code"),
            "ticks": at.body("usage/cost_in_usd_ticks"),
            "searches": at.body("usage/num_search_queries"),
            "web_search_count": at.body(
                "usage/num_search_queries",
                "usage/server_side_tool_usage_details/web_search_calls",
                "usage/connectors/web_search",
                "web_searches",
                "tool_usage/web_search/num_requests",
            ),
            **counted_alone(at.body),
        },
        numbers={"latency_ms": at.outer("latency_ms", "duration_ms"), "ttft_ms": at.outer("ttft_ms")},
        booleans={"is_stream": at.outer("stream", "is_stream")},
        instants={"event_at": at.instant("created", "created_at"), ANSWERED: at.body("created", "created_at")},
        money={"cost_usd": at.body("usage/total_cost", "usage/estimated_cost")},
        tags={
            "custom_id": at.outer("custom_id"),
            "system_fingerprint": at.body("system_fingerprint"),
            "audio_seconds": at.body("usage/prompt_audio_seconds"),
        },
        bodies=at.bodies,
        maybe_objects=at.body("stats", "base_resp"),
        time=TimeRule("iso", epoch="epoch"),
        trusts_total=True,
        keep="stream_delta",
        read_by_items=COLUMNS,
        items=lambda: at.opened(reader(at.bodies)),
        marks=(*OF_STREAMS, *MARKS, *at.marks),
        in_sequence_where=OF_STREAMS,
        derive=_derive,
    )


def reader(bodies: tuple[str, ...]) -> Callable[[object], Iterator[object]]:
    """The records of a line, events of Anthropic's streams with the message that they belong to."""
    whole, read_on = StreamReader(bodies), reading(bodies)

    def records(value: object) -> Iterator[object]:
        for record in whole(value):
            yield from read_on(record)

    return records


def counted_alone(at: Callable[..., Paths]) -> dict[str, Paths]:
    """Where an answer counts what is charged in place of tokens: Cohere's search units, Mistral's pages."""
    return {
        "rerank_search_count": at(
            *(f"{units}/search_units" for units in _BILLED), "usage/search_units", "usage/rerank_units"
        ),
        "document_page_count": at("usage_info/pages_processed"),
        "annotated_document_page_count": at("usage_info/pages_processed_annotation"),
    }


def is_of_anthropic(kind: str) -> pl.Expr:
    """Whether an answer whose type stands in the column `kind` is in Anthropic's shape, which states no total, or one that adds up the cache. An
    envelope may call itself a message."""
    cached, total = measure("cache_read") + measure("cache_write"), pl.col("usage.total")
    adds_cache = (cached > 0) & (total == measure("input") + measure("output") + cached)
    return pl.col(kind).is_in(OF_ANTHROPIC).fill_null(value=False) & (total.is_null() | adds_cache)


def batch_tier() -> pl.Expr:
    """The service tier; lines of a batch's output file are the tier batch, which the answer does not say.

    Such a line names a `custom_id`, the batch interface's own word, and holds the answer as its `response`. OpenAI and Groq give it
    an id of its own too, Mistral another one, Azure, Together and Fireworks none. Bedrock names a record.
    """
    is_line = pl.col("source_request_id").str.starts_with("batch_req_") | pl.col("batch_answer").is_not_null()
    is_line &= pl.col("tag.custom_id").is_not_null()
    is_line |= pl.col("batch_record").is_not_null()
    return pl.when(is_line.fill_null(value=False)).then(pl.lit("batch")).otherwise(pl.col("service_tier"))


def _derive() -> Mapping[str, pl.Expr]:
    counted = pl.col("usage.input").is_not_null() | pl.col("usage.output").is_not_null()
    is_completion = pl.col("object").str.contains("completion", literal=True).fill_null(value=False)
    billed_units = pl.col("billed_input").is_not_null()
    # Perplexity's total is that of prompt and completion; Snowflake's holds its guard too.
    is_apart = pl.col("searches").is_not_null() | (
        pl.col("usage.input_tool").is_not_null() & pl.col("guarded").is_null()
    )
    rule = pl.when(is_apart).then(pl.lit("openai_reasoning_apart")).otherwise(openai_variant(of_answer=True))
    without_writes = written_apart()
    rule = pl.when(without_writes).then(pl.lit("openai_inclusive")).otherwise(rule)
    # Mistral's total holds tokens of sound, which is charged by the second.
    holds_sound = pl.col("tag.audio_seconds").fill_null("0") != "0"
    # MiniMax answers a call that it refused with a code above 0.
    failed = pl.col("error").is_not_null() | (pl.col("http_status") >= 400) | (pl.col("refused") > 0)
    status = pl.when(failed.fill_null(value=False)).then(pl.lit("error")).otherwise(pl.lit("ok"))
    # Cohere's streams name the call at their start and count it at their end, which does not name it.
    is_start = (pl.col("event") == "message-start").fill_null(value=False)
    ranks, reads = pl.col("rerank_search_count").is_not_null(), pl.col("document_page_count").is_not_null()
    # An answer of the images API names neither itself nor its kind.
    is_drawn = pl.col("source_request_id").is_null() & pl.col("object").is_null()
    is_drawn &= pl.coalesce("response_model", "request_model").str.contains(r"gpt-image|chatgpt-image")
    known = counted | ranks | reads | failed
    known |= pl.col("usage.total").is_not_null() | pl.col("source_request_id").is_not_null()
    return {
        # Voyage and others state only the total of an embeddings call.
        "usage.input": pl.when(billed_units)
        .then(measure("input") + measure("input_image"))
        .when(without_writes)
        .then(measure("input") + measure("cache_write"))
        .when(counted | is_completion)
        .then(pl.col("usage.input"))
        .otherwise(pl.col("usage.total")),
        "usage.cache_read": pl.when(~billed_units).then(pl.col("usage.cache_read")),
        "usage.output_image": pl.when(is_drawn.fill_null(value=False))
        .then(pl.coalesce("usage.output_image", "usage.output"))
        .otherwise(pl.col("usage.output_image")),
        "usage.total": pl.when(~is_apart & ~holds_sound).then(own_total(rule)),
        "tag.audio_seconds": pl.when(holds_sound).then(pl.col("tag.audio_seconds")),
        "token_semantics": pl.when(is_of_anthropic("event"))
        .then(pl.lit("anthropic_exclusive"))
        .when(billed_units)
        .then(pl.lit("cohere_billed_units"))
        .otherwise(rule),
        "reported_cost_usd": pl.coalesce("cost_usd", pl.col("ticks").cast(pl.Decimal(38, 18)) * Decimal("1e-10")),
        "service_tier": batch_tier(),
        "operation": pl.when(pl.col("object") == "list")
        .then(pl.lit("embeddings"))
        .otherwise(pl.col("logged_operation")),
        "is_stream": pl.coalesce("is_stream", is_chunk()),
        "status": status,
        "is_billable": (status == "ok") | counted,
        "not_a_request": pl.when(~pl.col("run_type").is_in(CALLS))
        .then(pl.lit("a run that holds calls and adds them up"))
        .when(pl.col("object") == "response.input_tokens")
        .then(pl.lit("tokens were counted, and no model asked"))
        .when(pl.col("role").is_in(ASKERS) & pl.col("request_model").is_null() & ~counted)
        .then(pl.lit("what was asked, and no answer"))
        .when(adds_up("event"))
        .then(pl.lit("a record that adds up others"))
        .when(is_start)
        .then(pl.lit("the start of a stream, which is counted at its end"))
        .when(pl.col("object").is_in(REPORTS))
        .then(pl.lit(OF_A_REPORT))
        .when(~known.fill_null(value=False))
        .then(pl.lit("the record has neither an id nor usage")),
    }


def adds_up(kind: str) -> pl.Expr:
    """Whether a record adds up others: a step of an assistant's run is counted in the run, a batch in its output file, a summary by the type in column `kind` has no id."""
    is_summary = pl.col(kind).str.contains(SUMS) & pl.col("source_request_id").is_null()
    return is_summary | pl.col("object").is_in(["thread.run.step", "batch"])


def is_chunk() -> pl.Expr:
    """True for a piece of a stream, null for any other record."""
    return pl.when(pl.col("object").str.ends_with(".chunk")).then(statement=True)
