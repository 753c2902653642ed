"""LangChain's chat models for OpenAI and Anthropic under the instruments named on the command line: openllmetry, openinference.

Arguments: the model server's address, the folder to write into, the instruments with commas.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from pathlib import Path

from anthropic import APIError as ClaudeError
from langchain_anthropic import ChatAnthropic
from langchain_core.language_models import BaseChatModel
from langchain_openai import ChatOpenAI
from openai import APIError

from interop.emitters.traced import traced
from interop.script import model_of

INSTRUMENTS = {
    "openllmetry": ("opentelemetry.instrumentation.langchain", "LangchainInstrumentor"),
    "openinference": ("openinference.instrumentation.langchain", "LangChainInstrumentor"),
}
CASES = {
    "claude": ("plain", "cached", "written", "retry", "error"),
    "gpt": ("plain", "cached", "reasoning", "retry", "error"),
}


def main(url: str, folder: Path, names: list[str]) -> None:
    """Every case but tools, invoked and streamed."""
    with traced(folder) as provider:
        for name in names:
            module, kind = INSTRUMENTS[name]
            getattr(importlib.import_module(module), kind)().instrument(tracer_provider=provider)
        for stream in (False, True):
            for case in CASES["claude"]:
                run(
                    ChatAnthropic(
                        model=model_of("claude", case, stream=stream), api_key="none", base_url=url, max_retries=2
                    ),
                    stream=stream,
                )
            for case in CASES["gpt"]:
                for api in ("", "-responses") if case != "error" else ("",):
                    named = model_of("gpt", f"{case}{api}", stream=stream)
                    model = ChatOpenAI(
                        model=named,
                        api_key="none",
                        base_url=f"{url}/v1",
                        use_responses_api=bool(api),
                        stream_usage=True,
                    )
                    run(model, stream=stream)


def run(model: BaseChatModel, *, stream: bool) -> None:
    """One call."""
    with contextlib.suppress(APIError, ClaudeError):
        if not stream:
            model.invoke("hello")
            return
        for _ in model.stream("hello"):
            pass


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3].split(","))
