"""The SDKs of OpenAI and Anthropic under the instruments named on the command line: openllmetry, openinference, official.

Arguments: the model server's address, the folder to write into, the instruments with commas; `collector` sends through one.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from interop.emitters.calls import call_everything
from interop.emitters.traced import traced

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


def main(url: str, folder: Path, names: list[str], *, through_collector: bool) -> None:
    """Call everything under these instruments; spans go through a receiver into the folder."""
    with traced(folder, through_collector=through_collector) as provider:
        for name in names:
            for place in INSTRUMENTS[name]:
                module, _, kind = place.partition(":")
                getattr(importlib.import_module(module), kind)().instrument(tracer_provider=provider)
        call_everything(url)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3].split(","), through_collector="collector" in sys.argv[4:])
