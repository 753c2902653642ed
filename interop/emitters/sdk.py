"""The SDKs of OpenAI and Anthropic under the instruments named on the command line: openllmetry, openinference, official.

Arguments: the model server's address, the folder to write into, the instruments with commas.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from interop.emitters.calls import call_everything
from interop.emitters.receiver import receiving

INSTRUMENTS = {
    "openllmetry": (
        "opentelemetry.instrumentation.openai:OpenAIInstrumentor",
        "opentelemetry.instrumentation.anthropic:AnthropicInstrumentor",
    ),
    "openinference": (
        "openinference.instrumentation.openai:OpenAIInstrumentor",
        "openinference.instrumentation.anthropic:AnthropicInstrumentor",
    ),
    "official": (
        "opentelemetry.instrumentation.genai.openai:OpenAIInstrumentor",
        "opentelemetry.instrumentation.genai.anthropic:AnthropicInstrumentor",
    ),
}


def main(url: str, folder: Path, names: list[str]) -> None:
    """Call everything under these instruments; spans go through a receiver into the folder."""
    with receiving(folder) as otlp:
        provider = TracerProvider(resource=Resource.create({"service.name": "interop"}))
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{otlp}/v1/traces")))
        trace.set_tracer_provider(provider)
        for name in names:
            for place in INSTRUMENTS[name]:
                module, _, kind = place.partition(":")
                getattr(importlib.import_module(module), kind)().instrument(tracer_provider=provider)
        call_everything(url)
        provider.shutdown()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3].split(","))
