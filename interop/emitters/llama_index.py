"""LlamaIndex's models for OpenAI and Anthropic under the instruments named on the command line: openllmetry, openinference.

Arguments: the model server's address, the folder to write into, the instruments with commas.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from pathlib import Path

from anthropic import APIError as ClaudeError
from llama_index.core.llms import LLM, ChatMessage, LLMMetadata
from llama_index.llms.anthropic import Anthropic
from llama_index.llms.openai import OpenAI, OpenAIResponses
from openai import APIError

from interop.emitters.traced import traced
from interop.script import model_of

INSTRUMENTS = {
    "openllmetry": ("opentelemetry.instrumentation.llamaindex", "LlamaIndexInstrumentor"),
    "openinference": ("openinference.instrumentation.llama_index", "LlamaIndexInstrumentor"),
}
CASES = {
    "claude": ("plain", "cached", "written", "retry", "error"),
    "gpt": ("plain", "cached", "reasoning", "retry", "error"),
}


_FACTS = {"context_window": 200_000, "is_chat_model": True, "is_function_calling_model": True}
"""LlamaIndex refuses a model whose context it does not know."""


class Claude(Anthropic):
    """The model of LlamaIndex, under any name."""

    @property
    def metadata(self) -> LLMMetadata:
        """What it would look up."""
        return LLMMetadata(model_name=self.model, **_FACTS)


class Chat(OpenAI):
    """The model of LlamaIndex, under any name."""

    @property
    def metadata(self) -> LLMMetadata:
        """What it would look up."""
        return LLMMetadata(model_name=self.model, **_FACTS)


class Responses(OpenAIResponses):
    """The model of LlamaIndex, under any name."""

    @property
    def metadata(self) -> LLMMetadata:
        """What it would look up."""
        return LLMMetadata(model_name=self.model, **_FACTS)


def main(url: str, folder: Path, names: list[str]) -> None:
    """Every case but tools, as a chat and as a streamed chat."""
    with traced(folder) as provider:
        for name in names:
            module, kind = INSTRUMENTS[name]
            getattr(importlib.import_module(module), kind)().instrument(tracer_provider=provider)
        for stream in (False, True):
            for case in CASES["claude"]:
                model = model_of("claude", case, stream=stream)
                run(Claude(model=model, api_key="none", base_url=url, max_retries=2), stream=stream)
            for case in CASES["gpt"]:
                named = model_of("gpt", case, stream=stream)
                shared = {"api_key": "none", "api_base": f"{url}/v1", "max_retries": 2}
                options = {"stream_options": {"include_usage": True}} if stream else {}
                run(Chat(model=named, additional_kwargs=options, **shared), stream=stream)
                if case != "error":
                    answers = model_of("gpt", f"{case}-responses", stream=stream)
                    run(Responses(model=answers, **shared), stream=stream)


def run(model: LLM, *, stream: bool) -> None:
    """One call."""
    asked = [ChatMessage(role="user", content="hello")]
    with contextlib.suppress(APIError, ClaudeError):
        if not stream:
            model.chat(asked)
            return
        for _ in model.stream_chat(asked):
            pass


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3].split(","))
