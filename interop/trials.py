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
NO_PROOF = "two traces, an id on one side: look_alikes has to say that they are one"


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
        "the same, with a rule",
        "sdk",
        "interop.emitters.sdk",
        ("openllmetry,openinference",),
        look_alikes=(_RESPONSES_ONCE,),
        explained={"claude-*-cancelled-stream": CANCELLED, "claude-*-error*": TWO_FAILED},
    ),
    Trial(
        "OpenTelemetry's own instruments",
        "official",
        "interop.emitters.sdk",
        ("official",),
        explained={"claude-*-cancelled-stream": CANCELLED},
    ),
    Trial("Claude Code", "terminal", "interop.emitters.terminal_agents", ("claude",), format="claude_code"),
    Trial("Codex", "terminal", "interop.emitters.terminal_agents", ("codex",), format="codex"),
)  # fmt: skip
