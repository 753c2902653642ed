"""What is tried in which environment, and every difference from the book that is known, with its reason.

A trial that differs otherwise, or no longer differs where it is said to, is red.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipelines.config.sources import LookAlike, RequestFormat, Sighting

CANCELLED = "the stream was left: what the server would have counted is in no answer"
TWO_FAILED = (
    "each instrument has a span for a call that failed, and nothing proves that they are one; no tokens, no money"
)
NO_REASONING = "OpenLLMetry does not write the reasoning of streamed chat completions: it stays in the output"
NO_MODEL = "OpenInference names no model for a call to OpenAI that failed: no request"
CHAT_DETAILS = "the Agents SDK gives its tracers input and output of a chat completion, and neither what the cache gave nor reasoning"
NO_CHAIN_REASONING = "OpenLLMetry's instrument for LangChain writes no reasoning: it stays in the output"
EACH_ATTEMPT = (
    "the AI SDK tries again by itself, and each attempt has a span: the one that failed is a call without usage"
)
LOGGED_ATTEMPT = "the proxy logs each attempt; one that failed has 0 tokens, and so a usage: it is not billable"
NO_PROOF = "two traces, an id on one side: look_alikes has to say that they are one"
OWN_SPANS = "Mistral's SDK before version 2 writes spans by itself, in traces of its own, with each attempt and without the usage of streams"
NO_LIFETIME = "the instrument writes one count for all cache writes"
NO_DETAILS = "the instrument does not read what the responses API says of the cache and of reasoning"
NO_STREAM_USAGE = "the instrument writes no usage of this stream"
NO_SELLERS_MODEL = "OpenLLMetry's instrument for LlamaIndex names no model of a Claude stream and of a call that failed"
NO_SPAN = "OpenLLMetry ends no span for a stream that is refused"
OLDER = "OpenLLMetry 0.40 writes no usage of streams, no reasoning, no lifetime, and nothing of the responses API"
OLDER_OPENINFERENCE = "OpenInference of early 2025 writes neither cache nor reasoning, nothing of the responses API, no model of a call that failed"
NO_REASONING_7 = "the spans of version 7 hold no reasoning and one count for all cache writes"


@dataclass(frozen=True)
class Trial:
    """One emitter as it is used: its environment, the module that runs it, its further arguments, the format that reads it.

    `explained` maps a pattern of models to why they differ.
    """

    name: str
    environment: str
    module: str
    arguments: tuple[str, ...] = ()
    format: RequestFormat = "otel_genai"
    look_alikes: tuple[LookAlike, ...] = ()
    explained: Mapping[str, str] = field(default_factory=dict)


_RESPONSES_ONCE = LookAlike(
    keep=Sighting(emitter="opentelemetry.instrumentation.openai.v1"), drop=Sighting(emitter="openinference.instrumentation.openai")
)  # fmt: skip

_SDK = Sighting(emitter="com.anthropic.sdk.*")
_CLAUDE_ONCE = LookAlike(keep=_SDK, drop=Sighting(emitter="opentelemetry.instrumentation.anthropic"))
_CHAINS = {name: Sighting(emitter=f"{name}.instrumentation.langchain") for name in ("openinference", "opentelemetry")}
_MISTRAL_ONCE = LookAlike(
    keep=Sighting(emitter="opentelemetry.instrumentation.mistralai"), drop=Sighting(emitter="mistralai_sdk_tracer")
)
_CHAINS_ONCE = (
    LookAlike(keep=_SDK, drop=_CHAINS["openinference"]),
    LookAlike(keep=_SDK, drop=_CHAINS["opentelemetry"]),
    LookAlike(keep=_CHAINS["openinference"], drop=_CHAINS["opentelemetry"]),
)

TRIALS = (
    Trial(
        "OpenLLMetry, and the span that Anthropic's SDK writes itself",
        "sdk",
        "interop.emitters.sdk",
        ("openllmetry",),
        explained={"claude-*-cancelled-stream": CANCELLED, "claude-*-error*": TWO_FAILED, "gpt-5-reasoning-stream": NO_REASONING},
    ),
    Trial(
        "OpenInference, and the span that Anthropic's SDK writes itself",
        "sdk",
        "interop.emitters.sdk",
        ("openinference",),
        explained={"claude-*-cancelled-stream": CANCELLED, "gpt-5-error*": NO_MODEL},
    ),
    Trial(
        "OpenLLMetry and OpenInference together",
        "sdk",
        "interop.emitters.sdk",
        ("openllmetry,openinference",),
        explained={"claude-*-cancelled-stream": CANCELLED, "claude-*-error*": TWO_FAILED, "gpt-5-*-responses*": NO_PROOF},
    ),
    Trial(
        "the same, with rules",
        "sdk",
        "interop.emitters.sdk",
        ("openllmetry,openinference",),
        look_alikes=(_RESPONSES_ONCE, _CLAUDE_ONCE),
        explained={"claude-*-cancelled-stream": CANCELLED},
    ),
    Trial(
        "OpenTelemetry's own instruments",
        "official",
        "interop.emitters.sdk",
        ("official",),
        explained={"claude-*-cancelled-stream": CANCELLED},
    ),
    Trial(
        "the same, through a collector",
        "official",
        "interop.emitters.sdk",
        ("official", "collector"),
        explained={"claude-*-cancelled-stream": CANCELLED},
    ),
    Trial(
        "LiteLLM's proxy, generic API callback",
        "litellm",
        "interop.emitters.proxy",
        format="litellm_payload",
        explained={"*-retry*": LOGGED_ATTEMPT, "*-error*": LOGGED_ATTEMPT},
    ),
    Trial(
        "Vercel's AI SDK",
        "vercel",
        "interop.emitters.vercel",
        explained={"*-retry*": EACH_ATTEMPT},
    ),
    Trial("Claude Code", "terminal", "interop.emitters.terminal_agents", ("claude",), format="claude_code"),
    Trial("Codex", "terminal", "interop.emitters.terminal_agents", ("codex",), format="codex"),
    Trial("pydantic-ai", "pydantic", "interop.emitters.pydantic_agents"),
    Trial(
        "OpenAI Agents SDK under OpenInference",
        "agents",
        "interop.emitters.openai_agents",
        explained={"gpt-5-cached": CHAT_DETAILS, "gpt-5-reasoning": CHAT_DETAILS},
    ),
    Trial(
        "LangChain under OpenInference, and the span that Anthropic's SDK writes itself",
        "langchain",
        "interop.emitters.chains",
        ("openinference",),
        explained={"claude-*": NO_PROOF},
    ),
    Trial(
        "the same, with a rule",
        "langchain",
        "interop.emitters.chains",
        ("openinference",),
        look_alikes=_CHAINS_ONCE,
    ),
    Trial(
        "LangChain under OpenLLMetry, with a rule",
        "langchain",
        "interop.emitters.chains",
        ("openllmetry",),
        look_alikes=_CHAINS_ONCE,
        explained={"gpt-5-reasoning*": NO_CHAIN_REASONING},
    ),
    Trial(
        "LangChain under both, with rules",
        "langchain",
        "interop.emitters.chains",
        ("openllmetry,openinference",),
        look_alikes=_CHAINS_ONCE,
    ),
    Trial(
        "Vercel's AI SDK 7",
        "vercel7",
        "interop.emitters.vercel",
        explained={"gpt-5-reasoning*": NO_REASONING_7, "claude-*-written*": NO_REASONING_7},
    ),
    Trial(
        "Google's SDK 3 under OpenLLMetry",
        "gemini",
        "interop.emitters.gemini",
        ("openllmetry",),
        explained={"gemini-*-error-stream": NO_SPAN},
    ),
    Trial("Google's SDK 3 under OpenInference", "gemini", "interop.emitters.gemini", ("openinference",)),
    Trial("Google's SDK 3 under both", "gemini", "interop.emitters.gemini", ("openllmetry,openinference",)),
    Trial(
        "Google's SDK 2 under OpenLLMetry",
        "gemini2",
        "interop.emitters.gemini",
        ("openllmetry",),
        explained={"gemini-*-error-stream": NO_SPAN},
    ),
    Trial("Google's SDK 2 under OpenInference", "gemini2", "interop.emitters.gemini", ("openinference",)),
    Trial("Google's SDK 2 under OpenTelemetry's own instrument", "gemini2", "interop.emitters.gemini", ("official",)),
    Trial(
        "Mistral's SDK 3 under OpenInference",
        "mistral",
        "interop.emitters.mistral",
        ("openinference",),
        explained={"mistral-*-error*": NO_MODEL},
    ),
    Trial(
        "Mistral's SDK 1 under OpenLLMetry, with a rule",
        "mistral1",
        "interop.emitters.mistral",
        ("openllmetry",),
        look_alikes=(_MISTRAL_ONCE,),
        explained={"*-stream": OWN_SPANS, "*-error": OWN_SPANS, "*-retry": OWN_SPANS},
    ),
    Trial(
        "LlamaIndex under OpenInference",
        "llamaindex",
        "interop.emitters.llama_index",
        ("openinference",),
        explained={"claude-*-written*": NO_LIFETIME, "gpt-5-*-responses-stream": NO_STREAM_USAGE, "gpt-5-cached-responses": NO_DETAILS, "gpt-5-reasoning-responses": NO_DETAILS},
    ),
    Trial(
        "LlamaIndex under OpenLLMetry",
        "llamaindex",
        "interop.emitters.llama_index",
        ("openllmetry",),
        explained={
            "claude-*-stream": NO_SELLERS_MODEL, "*-error*": NO_SELLERS_MODEL, "no model": NO_SELLERS_MODEL, "claude-*-written": NO_LIFETIME,
            "gpt-5-*-responses-stream": NO_STREAM_USAGE, "gpt-5-cached-responses": NO_DETAILS, "gpt-5-reasoning*": NO_CHAIN_REASONING,
        },
    ),
    Trial("Langfuse's SDK, stand-in for OpenAI's client", "langfuse", "interop.emitters.langfuse_sdk", format="langfuse"),
    Trial(
        "OpenLLMetry of May 2025, SDKs of 2025",
        "older",
        "interop.emitters.sdk",
        ("openllmetry",),
        explained={"*-stream": OLDER, "*-error": OLDER, "*-responses": OLDER, "gpt-5-reasoning": OLDER, "claude-*-written": OLDER},
    ),
    Trial(
        "OpenInference of early 2025, SDKs of 2025",
        "older",
        "interop.emitters.sdk",
        ("openinference",),
        explained={
            "claude-*-written*": OLDER_OPENINFERENCE, "claude-*-cached*": OLDER_OPENINFERENCE, "*-error*": OLDER_OPENINFERENCE,
            "*-cancelled-stream": CANCELLED, "*-responses*": OLDER_OPENINFERENCE, "gpt-5-cached*": OLDER_OPENINFERENCE, "gpt-5-reasoning*": OLDER_OPENINFERENCE,
        },
    ),
)  # fmt: skip
