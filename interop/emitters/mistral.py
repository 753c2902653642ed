"""Mistral's SDK under the instruments named on the command line: openllmetry, openinference.

Arguments: the model server's address, the folder to write into, the instruments with commas.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from pathlib import Path
from typing import Any

try:
    from mistralai.client import Mistral
    from mistralai.client.errors import MistralError
    from mistralai.client.utils import BackoffStrategy, RetryConfig
except ImportError:  # before version 2
    from mistralai import Mistral
    from mistralai.models import SDKError as MistralError
    from mistralai.utils import BackoffStrategy, RetryConfig

from interop.emitters.traced import traced
from interop.script import MISTRAL, model_of

INSTRUMENTS = {
    "openllmetry": ("opentelemetry.instrumentation.mistralai", "MistralAiInstrumentor"),
    "openinference": ("openinference.instrumentation.mistralai", "MistralAIInstrumentor"),
}
_TOOLS: list[Any] = [
    {
        "type": "function",
        "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
    }
]


def main(url: str, folder: Path, names: list[str]) -> None:
    """Every case, plain and streamed."""
    with traced(folder) as provider:
        for name in names:
            module, kind = INSTRUMENTS[name]
            getattr(importlib.import_module(module), kind)().instrument(tracer_provider=provider)
        again = RetryConfig("backoff", BackoffStrategy(1, 50, 1.1, 1000), True)
        client = Mistral(api_key="none", server_url=url, retry_config=again)
        for stream in (False, True):
            for case in (*MISTRAL, "error"):
                with contextlib.suppress(MistralError):
                    call(client, case, stream=stream)


def call(client: Mistral, case: str, *, stream: bool) -> None:
    """One call."""
    asked: dict[str, Any] = {
        "model": model_of("mistral", case, stream=stream),
        "messages": [{"role": "user", "content": "hello"}],
    }
    if case == "tools":
        asked["tools"] = _TOOLS
    if not stream:
        client.chat.complete(**asked)
        return
    for _ in client.chat.stream(**asked):
        pass


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3].split(","))
