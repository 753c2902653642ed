"""vLLM's server: answers and streams of its OpenAI-compatible endpoints and of Anthropic's.

The shape is that of `openai_chat`; details of the prompt appear only with --enable-prompt-tokens-details, reasoning only with
--reasoning-parser, and a stream states its usage only where asked to. With continuous usage every chunk counts cumulatively: the last is
kept. `created_cache_tokens` are part of the prompt, and an own server charges nothing for them: they stay uncached input. `/v1/messages`
answers and streams as Anthropic does. The provider is `vllm`, so that self-hosted rates apply.
Source: docs.vllm.ai, "OpenAI-Compatible Server"; what vLLM 0.32.0 answered (`tests/unit/requests/test_local_servers.py`).
"""

from __future__ import annotations

from dataclasses import replace

from pipelines.config.sources import RequestSource
from pipelines.requests.format import Format
from pipelines.requests.formats import openai_chat


def build(source: RequestSource) -> Format:
    """The format; options `body` and `timestamp`."""
    return replace(
        openai_chat.build(source),
        name="vllm",
        constants={"provider_id": "vllm"},
        in_sequence=True,
    )
