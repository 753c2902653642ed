"""Every case of the script, called with the SDKs of OpenAI and Anthropic, plain and streamed, alone and at the same time."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from anthropic import Anthropic
    from openai import OpenAI

from interop.script import ANTHROPIC, AT_ONCE, OPENAI, model_of

_ASKED = [{"role": "user", "content": "What is the weather in Oslo?"}]
_PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}}
_ANTHROPIC_TOOLS = [{"name": "weather", "description": "The weather.", "input_schema": _PARAMETERS}]
_CHAT_TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": _PARAMETERS}}]
_RESPONSES_TOOLS = [{"type": "function", "name": "weather", "parameters": _PARAMETERS}]


def call_everything(url: str) -> None:
    """All cases, of which those that fail or are left are part."""
    import anthropic
    import openai

    claude = anthropic.Anthropic(api_key="none", base_url=url, max_retries=2)
    gpt = openai.OpenAI(api_key="none", base_url=f"{url}/v1", max_retries=2)
    for stream in (False, True):
        for case in (*ANTHROPIC, "error"):
            with contextlib.suppress(anthropic.APIError):
                message(claude, case, stream=stream)
        for case in (*OPENAI, "error"):
            with contextlib.suppress(openai.APIError):
                chat(gpt, case, stream=stream)
        for case in OPENAI:
            if case != "retry":
                responses(gpt, case, stream=stream)
    message(claude, "cancelled", stream=True, leaves=True)
    chat(gpt, "cancelled", stream=True, leaves=True)
    _at_once(lambda case: message(claude, case, stream=True), lambda case: chat(gpt, case, stream=True))


def _at_once(*calls: Callable[[str], None]) -> None:
    threads = [threading.Thread(target=call, args=(f"at-once-{n}",)) for n in range(AT_ONCE) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def message(claude: Anthropic, case: str, *, stream: bool, leaves: bool = False) -> None:
    """One call of the messages API; `leaves` closes the stream after three events."""
    asked: dict[str, Any] = {"model": model_of("claude", case, stream=stream), "max_tokens": 100, "messages": _ASKED}
    if case == "tools":
        asked["tools"] = _ANTHROPIC_TOOLS
    answer = claude.messages.create(**asked, stream=stream)
    _read(answer, stream=stream, leaves=leaves)


def chat(gpt: OpenAI, case: str, *, stream: bool, leaves: bool = False) -> None:
    """One chat completion; `leaves` closes the stream after three chunks."""
    asked: dict[str, Any] = {"model": model_of("gpt", case, stream=stream), "messages": _ASKED}
    if case == "tools":
        asked["tools"] = _CHAT_TOOLS
    if stream:
        asked["stream_options"] = {"include_usage": True}
    _read(gpt.chat.completions.create(**asked, stream=stream), stream=stream, leaves=leaves)


def responses(gpt: OpenAI, case: str, *, stream: bool) -> None:
    """One call of the responses API."""
    model = model_of("gpt", f"{case}-responses", stream=stream)
    asked: dict[str, Any] = {"model": model, "input": "What is the weather in Oslo?"}
    if case == "tools":
        asked["tools"] = _RESPONSES_TOOLS
    _read(gpt.responses.create(**asked, stream=stream), stream=stream, leaves=False)


def _read(answer: Iterable[object], *, stream: bool, leaves: bool) -> None:
    if stream:
        for number, _ in enumerate(answer):
            if leaves and number >= 3:
                answer.close()  # type: ignore[attr-defined]
                return
