"""vLLM's server: answers and streams of its OpenAI-compatible endpoints and of Anthropic's.

The shape is that of `openai_chat`; details of the prompt appear only with --enable-prompt-tokens-details, reasoning only with
--reasoning-parser, and a stream states its usage only where asked to. With continuous usage every chunk counts cumulatively: the last is
kept. `created_cache_tokens` are part of the prompt, and an own server charges nothing for them: they stay uncached input. `/v1/messages`
answers and streams as Anthropic does. The provider is `vllm`, so that self-hosted rates apply.
Source: docs.vllm.ai, "OpenAI-Compatible Server"; what vLLM 0.32.0 answered (`tests/unit/requests/test_local_servers.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from pipelines.config.sources import RequestSource
from pipelines.requests.format import Format
from pipelines.requests.formats import openai_chat
from pipelines.requests.formats._anthropic_stream import STREAM, StreamReader
from pipelines.requests.formats._envelope import Envelope
from pipelines.requests.formats._openai_usage import reading


def build(source: RequestSource) -> Format:
    """The format; options `body` and `timestamp`."""
    chat = openai_chat.build(source)
    at = Envelope(source, openai_chat.BODIES)
    return replace(
        chat,
        name="vllm",
        constants={"provider_id": "vllm"},
        text={**chat.text, "stream_id": (STREAM,)},
        items=lambda: at.opened(reader(at.bodies)),
        in_sequence=True,
        marks=('"message_start"', '"message_delta"', *chat.marks),
    )


def reader(bodies: tuple[str, ...]) -> Callable[[object], Iterator[object]]:
    """The records of a line, events of Anthropic's streams with the message that they belong to."""
    whole, read_on = StreamReader(bodies), reading(bodies)

    def records(value: object) -> Iterator[object]:
        for record in whole(value):
            yield from read_on(record)

    return records
