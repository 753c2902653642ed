"""vLLM's OpenAI-compatible server: its answers and stream chunks.

The shape is that of `openai_chat`; details of the prompt appear only with --enable-prompt-tokens-details, and a
stream states its usage only where asked to. With continuous usage every chunk counts cumulatively: the last is
kept. The provider is `vllm`, so that self-hosted rates apply.
Source: docs.vllm.ai, "OpenAI-Compatible Server".
"""

from __future__ import annotations

from dataclasses import replace

from pipelines.config.sources import RequestSource
from pipelines.requests.format import Format
from pipelines.requests.formats import openai_chat


def build(source: RequestSource) -> Format:
    """The format; options `body` and `timestamp`."""
    return replace(openai_chat.build(source), name="vllm", constants={"provider_id": "vllm"})
