"""Agents of pydantic-ai with its own instrumentation, on Claude and on both APIs of OpenAI, run and streamed.

Arguments: the model server's address and the folder to write into.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path

from pydantic_ai import Agent
from pydantic_ai.exceptions import AgentRunError
from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

from interop.emitters.traced import traced
from interop.script import model_of

CASES = {
    "claude": ("plain", "cached", "written", "retry", "error"),
    "gpt": ("plain", "cached", "reasoning", "retry", "error"),
}


async def main(url: str, folder: Path) -> None:
    """Every case but tools, which an agent answers with another call."""
    claude = AnthropicProvider(api_key="none", base_url=url)
    gpt = OpenAIProvider(api_key="none", base_url=f"{url}/v1")
    with traced(folder):
        Agent.instrument_all()
        for stream in (False, True):
            for case in CASES["claude"]:
                await run(AnthropicModel(model_of("claude", case, stream=stream), provider=claude), stream=stream)
            for case in CASES["gpt"]:
                await run(OpenAIChatModel(model_of("gpt", case, stream=stream), provider=gpt), stream=stream)
                if case != "error":
                    named = model_of("gpt", f"{case}-responses", stream=stream)
                    await run(OpenAIResponsesModel(named, provider=gpt), stream=stream)


async def run(model: Model, *, stream: bool) -> None:
    """One run of an agent, which is one call."""
    agent = Agent(model)
    with contextlib.suppress(AgentRunError):
        if not stream:
            await agent.run("hello")
            return
        async with agent.run_stream("hello") as answer:
            async for _ in answer.stream_text():
                pass


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
