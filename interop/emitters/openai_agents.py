"""The OpenAI Agents SDK under OpenInference's instrument, run and streamed, on both APIs.

Arguments: the model server's address and the folder to write into.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path

from agents import Agent, Model, OpenAIChatCompletionsModel, OpenAIResponsesModel, Runner
from openai import APIError, AsyncOpenAI
from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor

from interop.emitters.traced import traced
from interop.script import model_of

CASES = ("plain", "cached", "reasoning", "retry", "error")


async def main(url: str, folder: Path) -> None:
    """Every case but tools, which an agent answers with another call."""
    client = AsyncOpenAI(api_key="none", base_url=f"{url}/v1")
    with traced(folder) as provider:
        OpenAIAgentsInstrumentor().instrument(tracer_provider=provider)
        for stream in (False, True):
            for case in CASES:
                await run(OpenAIChatCompletionsModel(model_of("gpt", case, stream=stream), client), stream=stream)
                if case != "error":
                    named = model_of("gpt", f"{case}-responses", stream=stream)
                    await run(OpenAIResponsesModel(named, client), stream=stream)


async def run(model: Model, *, stream: bool) -> None:
    """One run of an agent, which is one call."""
    agent = Agent(name="one", model=model)
    with contextlib.suppress(APIError):
        if not stream:
            await Runner.run(agent, "hello")
            return
        async for _ in Runner.run_streamed(agent, "hello").stream_events():
            pass


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
