"""Who counts how: the one table of emitters, sellers and model families whose counts follow a rule of their own.

A format asks `rule_of` before it falls back on its usual rule. What the rules mean is in `semantics.py` next to this
module; a row keeps the rule that it was read by in `token_semantics`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from pipelines.config.patterns import regex_of
from pipelines.requests.semantics import measure

CLAUDE = r"claude|anthropic"
"""Names of Anthropic's models, at any seller."""
_OPENAI = r"openai[./]|gpt-"
_BEDROCK = r"bedrock|^aws"


@dataclass(frozen=True)
class Convention:
    """Records of one kind and the rule that they follow.

    `format` is the format of the source, `emitter` the instrumentation scope of a span (`*` for any text), `before` the
    first version of the emitter that counts otherwise, `sellers` and `models` are patterns in lower case of who sold the
    call and of the model that answered, else the one asked for. `unless_exceeded` limits the rule to rows whose cache
    counts fit into their input.
    """

    format: str
    rule: str
    source: str
    emitter: str = "*"
    before: tuple[int, ...] = ()
    sellers: str = ""
    models: str = ""
    unless_exceeded: bool = False


_OPENAI_ON_BEDROCK = (
    "github.com/maximhq/bifrost/pull/6942: inputTokens of a stream hold the cache, the total adds it again"
)

CONVENTIONS = (
    Convention("bedrock_converse", "openai_inclusive", _OPENAI_ON_BEDROCK, models=_OPENAI, unless_exceeded=True),
    Convention("bedrock_invocation", "openai_inclusive", _OPENAI_ON_BEDROCK, models=_OPENAI, unless_exceeded=True),
    Convention(
        "otel_genai", "openai_inclusive", _OPENAI_ON_BEDROCK, sellers=_BEDROCK, models=_OPENAI, unless_exceeded=True
    ),
    Convention(
        "otel_genai",
        "openai_inclusive",
        _OPENAI_ON_BEDROCK,
        emitter="*bedrock*",
        models=_OPENAI,
        unless_exceeded=True,
    ),
    Convention(
        "otel_genai",
        "anthropic_exclusive",
        "github.com/traceloop/openllmetry/issues/4449; cache counts are written from version 0.62 on, read up to 0.62.4",
        emitter="opentelemetry.instrumentation.bedrock",
    ),
    Convention(
        "otel_genai",
        "anthropic_exclusive",
        "_extract_anthropic_usage of opentelemetry-instrumentation-llamaindex 0.62.4",
        emitter="opentelemetry.instrumentation.llamaindex",
        models=CLAUDE,
    ),
    Convention(
        "otel_genai",
        "anthropic_exclusive",
        "as the line before: of a stream the span names the seller anthropic_llm and no model (docs/interoperability.md)",
        emitter="opentelemetry.instrumentation.llamaindex",
        sellers=CLAUDE,
    ),
    Convention(
        "otel_genai",
        "anthropic_exclusive",
        "github.com/traceloop/openllmetry-js/pull/1027 and the package, cache counts from 0.25 on, read up to 0.27",
        emitter="@traceloop/instrumentation-anthropic",
    ),
    Convention(
        "otel_genai",
        "anthropic_exclusive",
        "_parse_usage_from_anthropic of agent-framework-anthropic: Claude's own counts, with those of the cache next to them",
        emitter="agent_framework",
        sellers=rf"{CLAUDE}|{_BEDROCK}",
        models=CLAUDE,
    ),
    Convention(
        "otel_genai",
        "anthropic_exclusive",
        "github.com/vercel/ai/issues/8794 and 9921: raw counts before version 6, whose spans also write details",
        emitter="ai",
        before=(6,),
        sellers=rf"{CLAUDE}|{_BEDROCK}",
    ),
    Convention(
        "otel_genai",
        "anthropic_exclusive",
        "github.com/pipecat-ai/pipecat, services/anthropic/llm.py and services/aws/llm.py: Claude's own counts",
        emitter="pipecat",
        sellers=rf"{CLAUDE}|{_BEDROCK}",
        models=CLAUDE,
    ),
    Convention(
        "otel_genai",
        "anthropic_exclusive",
        "github.com/agno-agi/agno/pull/9537 and _model_wrapper.py of openinference-instrumentation-agno: Claude's own counts",
        emitter="openinference.instrumentation.agno",
        sellers=rf"{CLAUDE}|{_BEDROCK}|vertex",
        models=CLAUDE,
    ),
    Convention(
        "azure_apim",
        "anthropic_exclusive",
        "learn.microsoft.com/azure/api-management: Claude's own counts are passed on",
        models=CLAUDE,
    ),
    Convention("helicone", "openai_inclusive", "openrouter.ai/docs, Usage accounting", sellers="openrouter"),
    Convention(
        "helicone", "openai_inclusive", _OPENAI_ON_BEDROCK, sellers=_BEDROCK, models=_OPENAI, unless_exceeded=True
    ),
    Convention(
        "helicone",
        "anthropic_exclusive",
        "github.com/Helicone/helicone/pull/4655: of Anthropic's models the cache counts apart from the prompt",
        models=CLAUDE,
    ),
    Convention("helicone", "anthropic_exclusive", "as the line before, for names that don't show it", sellers=CLAUDE),
    Convention("helicone", "anthropic_exclusive", "docs.aws.amazon.com/bedrock, TokenUsage", sellers=_BEDROCK),
)
"""The first that fits a row counts; formats and emitters that are not here follow the format's own rule."""


@dataclass(frozen=True)
class Miscount:
    """Streams of an emitter whose output counts are wrong: another record of the same call is believed instead, if there is one."""

    emitter: str
    source: str


_REFUSALS_FREE_FROM = datetime(2026, 6, 2, tzinfo=UTC)

MISCOUNTED_STREAMS = (
    Miscount(
        "opentelemetry.instrumentation.anthropic",
        "adds the output that message_start names to that of message_delta, which contains it: one token too many or more; "
        "seen with versions up to 0.62.4 (docs/interoperability.md)",
    ),
)


def is_miscounted() -> pl.Expr:
    """Whether the output of a stored row is wrong, by its columns emitter and is_stream."""
    wrong = pl.any_horizontal(_is_emitter(miscount.emitter) for miscount in MISCOUNTED_STREAMS)
    return (wrong & pl.col("is_stream")).fill_null(value=False)


def rule_of(
    log_format: str, otherwise: pl.Expr, emitters: Mapping[str, str] | None = None, *, version: pl.Expr | None = None
) -> pl.Expr:
    """The rule of each row of format `log_format`. `emitters` are the user's own, scope to rule, and go first.

    Needs provider_id and the models where the table asks for them, for spans the column emitter; `version` is the
    emitter's version as text (rows where it is null are older than any that is named).
    """
    rule = otherwise
    for convention in reversed([item for item in CONVENTIONS if item.format == log_format]):
        chosen = pl.lit(convention.rule)
        if convention.unless_exceeded:
            chosen = pl.when(_cached() > measure("input")).then(pl.lit("anthropic_exclusive")).otherwise(chosen)
        rule = pl.when(_fits(convention, version)).then(chosen).otherwise(rule)
    for scope, name in reversed(list((emitters or {}).items())):
        rule = pl.when(_is_emitter(scope)).then(pl.lit(name)).otherwise(rule)
    return rule


def own_total(rule: pl.Expr) -> pl.Expr:
    """The source's total where it speaks for the rule: one that leaves the cache out, or adds it again, is a sum of its own."""
    total, plain = pl.col("usage.total"), measure("input") + measure("output")
    exclusive = rule == "anthropic_exclusive"
    left_out = exclusive & (total == plain)
    added_again = ~exclusive & (_cached() > 0) & (total == plain + _cached())
    # Reasoning that the output could hold may be in it: such a total contradicts the rule.
    is_beyond = measure("reasoning") > measure("output")
    reasoning_left_out = (rule == "openai_reasoning_apart") & is_beyond & (total == plain)
    return pl.when(~(left_out | added_again | reasoning_left_out)).then(total)


def is_free_refusal(provider: pl.Expr, reason: pl.Expr) -> pl.Expr:
    """Whether Claude declined before it had answered anything, which Anthropic no longer charges.

    Source: platform.claude.com/docs, release notes of 2 June 2026 and "Refusals and fallback". The clouds that sell Claude promise no such thing.
    """
    nothing = (reason == "refusal") & (pl.col("usage.output") == 0) & (pl.col("event_at") >= _REFUSALS_FREE_FROM)
    return (nothing & (provider == "anthropic")).fill_null(value=False)


def leaves_cache_out(scope: str) -> pl.Expr:
    """Whether a span whose emitter stands in the column `scope` keeps Claude's own counts, where no version and no seller decides."""
    fits = [
        _is_emitter(one.emitter, scope) & pl.col("request_model").str.to_lowercase().str.contains(one.models)
        for one in CONVENTIONS
        if (one.format, one.rule) == ("otel_genai", "anthropic_exclusive")
        and not one.before
        and (one.models or not one.sellers)
    ]
    return pl.any_horizontal(fit.fill_null(value=False) for fit in fits)


def model() -> pl.Expr:
    """The model that answered, else the one asked for, in lower case."""
    return pl.coalesce("response_model", "request_model").str.to_lowercase()


def _cached() -> pl.Expr:
    return measure("cache_read") + measure("cache_write")


def _fits(convention: Convention, version: pl.Expr | None) -> pl.Expr:
    tests = [pl.lit(value=True)]
    if convention.emitter != "*":
        tests.append(_is_emitter(convention.emitter))
    if convention.sellers:
        tests.append(pl.col("provider_id").str.to_lowercase().str.contains(convention.sellers))
    if convention.models:
        tests.append(model().str.contains(convention.models))
    if convention.before and version is not None:
        tests.append(_is_before(version, convention.before).fill_null(value=True))
    return pl.all_horizontal(test.fill_null(value=False) for test in tests)


def _is_emitter(scope: str, column: str = "emitter") -> pl.Expr:
    return pl.col(column).str.contains(regex_of(scope))


def _is_before(version: pl.Expr, limit: tuple[int, ...]) -> pl.Expr:
    """Whether a version such as `6.0.97` or `v0.33.1` is below `limit`, compared number by number; null where it has none."""
    numbers = version.str.extract_all(r"\d{1,6}").list.slice(0, len(limit))
    below, equal = pl.lit(value=False), numbers.list.len() > 0
    for place, number in enumerate(limit):
        part = numbers.list.get(place, null_on_oob=True).cast(pl.Int64).fill_null(0)
        below, equal = below | (equal & (part < number)), equal & (part == number)
    return pl.when(numbers.list.len() > 0).then(below)
