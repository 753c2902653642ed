"""The usage objects of OpenAI's two APIs, with which many others answer: one table for every format that meets them.

An application that calls both APIs logs both into one file, so each format reads either. Libraries of TypeScript and Java write the names in camel
case (Mistral, Cohere, OpenRouter, Vercel's AI SDK). Groq's streams hold the usage in `x_groq`, Moonshot's in the last choice; Perplexity's total
stands in a `cost` object. A table of calls has the counts as columns of their own, without a usage object. LM
Studio's own API counts in `stats`. Images that a tool drew and searches that
it ran are counted apart from the usage.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pipelines.records.json_record import Number, count_of, object_of
from pipelines.records.layout import Paths
from pipelines.requests.formats._envelope import BATCH_MARK, Envelope, answers, of_bedrocks_batch, with_answer

# The realtime API writes token_details where the others write tokens_details.
_INPUT = ("usage/prompt_tokens_details", "usage/input_tokens_details", "usage/input_token_details")
_OUTPUT = ("usage/completion_tokens_details", "usage/output_tokens_details", "usage/output_token_details")
_CAMEL = re.compile(r"(?<=[a-z0-9])[A-Z]")
_HOLDERS = ("usage", "meta", "delta", "x_groq")
"""Objects of an answer that hold counts, at whatever depth."""
_OF_OPIK = "original_usage."
"""Before the names of a seller's own counts in a span of Opik, next to counts of OpenAI's names."""
_OF_PI = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cache_read": "cache_read_input_tokens",
    "cache_write": "cache_creation_input_tokens",
    "total": "total_tokens",
}
"""Names of an agent built on pi, whose input leaves the cache out."""
_OF_INVOKED = {
    "cache_read_input_token_count": "cache_read_input_tokens",
    "cache_write_input_token_count": "cache_creation_input_tokens",
}
"""Names of what Amazon's models answer where Bedrock invokes them."""
_OF_RUNS = "prompt_token_details"
"""How runs of assistants name what a prompt was made of."""
MARKS = (
    '"x_groq"', '"usage_breakdown"', '"total_cost"', "kimi", "Kimi", "moonshot", '"image_generation_call"', '"web_search_call"',
    '"promptTokens"', '"inputTokens"', '"billedUnits"', '"vendor_id"', BATCH_MARK, f'"{_OF_RUNS}"', '"cacheRead"', f'"{_OF_OPIK}',
    '"cachedContentTokens"',
)  # fmt: skip
"""Texts of the lines that `reading` changes."""


_ALONE: Mapping[str, Paths] = {
    "input": ("prompt_tokens", "input_tokens", "promptTokens", "inputTokens", "input_token_count", "prompt_token_count"),
    "output": ("completion_tokens", "output_tokens", "completionTokens", "outputTokens", "generatedTokens", "output_token_count",
        "generation_token_count", "generated_token_count", "candidates_token_count"),
    "total": ("total_tokens", "totalTokens", "total_token_count"),
    "cache_read": ("cached_tokens", "cache_read_input_tokens", "cache_read_tokens", "cached_input_tokens", "cachedInputTokens",
        "prompt_cached_tokens", "cacheReadTokens", "cached_content_token_count"),
    "cache_write": ("cache_creation_input_tokens", "cache_write_tokens", "prompt_cache_creation_tokens", "cacheWriteTokens"),
    "reasoning": ("reasoning_tokens", "completion_reasoning_tokens", "thoughts_token_count"),
}  # fmt: skip
"""Names of counts in a table of calls."""
_FLATTENED: Mapping[str, Paths] = {
    "input": ("prompt_tokens", "input_tokens"),
    "output": ("completion_tokens", "output_tokens"),
    "total": ("total_tokens",),
    "cache_read": ("prompt_tokens_details.cached_tokens", "input_tokens_details.cached_tokens", "cache_read_input_tokens"),
    "cache_write": ("cache_creation_input_tokens",),
    "reasoning": ("completion_tokens_details.reasoning_tokens", "output_tokens_details.reasoning_tokens"),
}  # fmt: skip
"""Names within a usage object, which tables flatten with dots or underscores."""


def flat_paths(at: Callable[..., Paths], names: Iterable[str] = _ALONE) -> dict[str, Paths]:
    """The measures of a record that has no usage object, by the names of its counts."""
    flattened = {
        name: tuple(
            f"{held}{join}{key.replace('.', join)}"
            for held in ("usage", "response.usage")
            for key in _FLATTENED[name]
            for join in ((".", "_") if held == "usage" else ".")
        )
        for name in names
    }
    return {name: at(*_ALONE[name], *flattened[name]) for name in names}


def usage_paths(at: Envelope, **more: Paths) -> dict[str, Paths]:
    """The measures of a usage object, wherever the answer lies; `more` are further names of a measure, tried after these."""

    def within(holders: tuple[str, ...], *names: str) -> tuple[str, ...]:
        return tuple(f"{holder}/{name}" for name in names for holder in holders)

    chat, responses, realtime = ((holder,) for holder in _INPUT)
    written = ("cache_creation_tokens", "cached_write_tokens", "cache_creation_input_tokens", "caching_tokens")
    found: dict[str, tuple[str, ...]] = {
        "input": ("usage/prompt_tokens", "usage/input_tokens", "stats/input_tokens"),
        "output": ("usage/completion_tokens", "usage/output_tokens", "stats/total_output_tokens"),
        "total": ("usage/total_tokens",),
        "cache_read": (
            *within(_INPUT, "cached_tokens"),
            *within(realtime, "cache_read_tokens"),
            "usage/prompt_cache_hit_tokens",
            "usage/num_cached_tokens",
            "usage/cached_tokens",
            "usage/cached_input_tokens",
            "usage/cache_read_input_tokens",
            "usage/cache_read_tokens",
        ),
        "cache_write": (
            *within(_INPUT, "cache_write_tokens"),
            *within(chat, *written),
            "usage/cache_creation_input_tokens",
            "usage/cache_write_tokens",
        ),
        "cache_write_5m": within((*chat, "usage"), "cache_creation/ephemeral_5m_input_tokens"),
        "cache_write_1h": within((*chat, "usage"), "cache_creation/ephemeral_1h_input_tokens"),
        "cache_write_30m": within(responses, "cache_write_tokens_details/ttl_30m_tokens"),
        "cache_write_12h": within(responses, "cache_write_tokens_details/ttl_12h_tokens"),
        "input_audio": (*within(_INPUT, "audio_tokens"), "usage/input_audio_tokens"),
        "input_video": within(_INPUT, "video_tokens"),
        "input_audio_cache_read": (
            *within(_INPUT, "cached_tokens_details/audio_tokens"),
            "usage/cache_audio_read_tokens",
        ),
        "input_image": within(_INPUT, "image_tokens"),
        "input_image_cache_read": within(_INPUT, "cached_tokens_details/image_tokens"),
        "reasoning": (
            *within(_OUTPUT, "reasoning_tokens"),
            "usage/reasoning_tokens",
            "usage/details/reasoning_tokens",
            "usage/details/thoughts_tokens",
            "stats/reasoning_output_tokens",
        ),
        "output_audio": (*within(_OUTPUT, "audio_tokens"), "usage/output_audio_tokens"),
        "output_image": within(_OUTPUT, "image_tokens"),
    }
    names = dict.fromkeys((*found, *more))
    flat = flat_paths(at.outer)
    return {name: (*at.body(*found.get(name, ()), *more.get(name, ())), *flat.get(name, ())) for name in names}


def reading(bodies: tuple[str, ...]) -> Callable[[object], Iterable[object]]:
    """The records of a line: its usage in the one place and case, its searches counted, images that a tool drew apart."""
    return lambda value: _with_tools(
        bodies, _with_served_model(bodies, _with_usage_in_place(bodies, _with_id(of_bedrocks_batch(value))))
    )


def _with_id(value: object) -> object:
    """An answer in a history of Pydantic AI before its version 1 under the later name of its id; elsewhere a vendor has a `vendor_id`."""
    if isinstance(value, dict) and value.get("kind") == "response" and "parts" in value and "vendor_id" in value:
        return {"provider_response_id": value["vendor_id"], **value}
    return value


def _with_served_model(bodies: Iterable[str], value: object) -> object:
    """Groq's compound systems answer with the models that they asked. Where that is one, it is the one that is charged."""
    for path, answer in answers(value, bodies):
        parts = answer.get("usage_breakdown")
        listed = parts.get("models") if isinstance(parts, dict) else None
        if isinstance(value, dict) and isinstance(listed, list):
            named = [object_of(part).get("model") for part in listed]
            models = {name if isinstance(name, str) else None for name in named}
            return with_answer(value, path, {**answer, "served_model": models.pop()}) if len(models) == 1 else value
    return value


def _with_usage_in_place(bodies: Iterable[str], value: object) -> object:
    for path, answer in answers(value, bodies):
        plain = in_snake_case(answer)
        usage = plain.get("usage") or _of_groq(plain.get("x_groq")) or _of_choice(plain.get("choices"))
        if not isinstance(value, dict):
            continue
        if isinstance(usage, dict):
            cost = usage.get("cost")
            if isinstance(cost, dict):
                total = cost.get("total")
                usage = {**usage, "total_cost": cost.get("total_cost", total if isinstance(total, Number) else None)}
            if isinstance(held := usage.get(_OF_RUNS), dict):
                usage = {"prompt_tokens_details": held, **usage}
            usage = _with_own_names(_with_plain_totals(usage))
            return with_answer(value, path, {**plain, "usage": usage})
        if plain is not answer:
            return with_answer(value, path, plain)
    return value


def _with_plain_totals(usage: dict[str, Any]) -> dict[str, Any]:
    """The usage of a provider of Vercel's AI SDK 6, whose counts are objects: `{"total": 9, "noCache": 3, "cacheRead": 6, "cacheWrite": 0}`."""
    counted, given = object_of(usage.get("input_tokens")), object_of(usage.get("output_tokens"))
    if "total" not in counted and "total" not in given:
        return usage
    read = {"cached_tokens": counted.get("cache_read"), "cache_write_tokens": counted.get("cache_write")}
    said = {"reasoning_tokens": given.get("reasoning")}
    totals = {"input_tokens": counted.get("total"), "output_tokens": given.get("total")}
    return usage | totals | {"input_tokens_details": read, "output_tokens_details": said}


def _with_own_names(usage: dict[str, Any]) -> dict[str, Any]:
    """The usage of an agent built on pi (`input`, `cacheRead`), of Opik (`original_usage.cache_read_input_tokens`) or of Genkit under OpenAI's names."""
    if isinstance(usage.get("input"), Number) and isinstance(usage.get("output"), Number):
        # Its older versions state no total.
        added = Number(sum(count_of(usage.get(name)) for name in ("input", "output", "cache_read", "cache_write")))
        usage = ({"total_tokens": added} if "cache_read" in usage else {}) | {
            _OF_PI.get(name, name): item for name, item in usage.items()
        }
    found = {_OF_INVOKED.get(name, name): item for name, item in usage.items()}
    for name, item in usage.items():
        holder, _, last = name.removeprefix(_OF_OPIK).rpartition(".")
        if name.startswith(_OF_OPIK) and last not in ("input_tokens", "output_tokens"):
            if not holder:
                found.setdefault(last, item)
            elif "." not in holder:
                found[holder] = {last: item, **object_of(found.get(holder))}
    if (cached := found.get("cached_content_tokens", found.get("cached_content_token_count"))) is not None:
        found.setdefault("cached_tokens", cached)
    # Genkit's plugins for Claude keep its cache in what is its own, and leave it out of the input.
    own = object_of(usage.get("custom"))
    parts = [
        count_of(own.get(name)) for name in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    ]
    if parts[1] + parts[2] and "input_tokens" in own:
        whole = {
            "input_tokens": Number(sum(parts)),
            "total_tokens": None,
            "cached_tokens": own.get("cache_read_input_tokens"),
        }
        found |= whole | {"cache_creation_input_tokens": own.get("cache_creation_input_tokens")}
    return found


def in_snake_case(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer with the names of its counts in snake case; the answer itself where none is in camel case."""
    if not any(_has_camel(answer.get(holder)) for holder in _HOLDERS) or _is_ambiguous(answer):
        return answer
    renamed = {_snake(name): item for name, item in answer.items()}
    renamed |= {holder: _renamed(answer[holder]) for holder in _HOLDERS if holder in answer}
    return {**renamed, **{name: item for name, item in answer.items() if name not in _HOLDERS}}


def _is_ambiguous(answer: Mapping[str, Any]) -> bool:
    """Vercel's AI SDK before version 6, whose input of Claude holds no cache, and of all others does."""
    usage = answer.get("usage")
    return (
        isinstance(usage, dict)
        and "cachedInputTokens" in usage
        and "inputTokenDetails" not in usage
        and "claude" in str(answer.get("model", "claude"))
    )


def _has_camel(value: object) -> bool:
    return isinstance(value, dict) and any(_CAMEL.search(name) or _has_camel(item) for name, item in value.items())


def _renamed(value: object) -> object:
    if not isinstance(value, dict):
        return value
    own = {_snake(name): _renamed(item) for name, item in value.items() if _CAMEL.search(name)}
    return {**own, **{name: _renamed(item) for name, item in value.items() if not _CAMEL.search(name)}}


def _snake(name: str) -> str:
    return _CAMEL.sub(lambda match: f"_{match[0]}", name).lower()


def _of_groq(stated: object) -> object:
    return stated.get("usage") if isinstance(stated, dict) else None


def _of_choice(choices: object) -> object:
    """The usage that the first choice of a chunk holds."""
    first = choices[0] if isinstance(choices, list) and choices else None
    return first.get("usage") if isinstance(first, dict) else None


def _with_tools(bodies: Iterable[str], value: object) -> Iterator[object]:
    """The record with its searches counted, and one more for the images that a tool drew for it."""
    found = list(answers(value, bodies))
    searched = {path: count for path, answer in found if (count := _searches(answer))}
    counted = value
    for path, count in searched.items():
        if isinstance(counted, dict):
            counted = with_answer(counted, path, {**dict(found)[path], "web_searches": Number(count)})
    yield counted
    for path, answer in found:
        used = answer.get("tool_usage")
        image = used.get("image_gen") if isinstance(used, dict) else None
        if isinstance(value, dict) and isinstance(image, dict) and str(image.get("total_tokens") or "0") != "0":
            own = {"usage": image, "model": _image_model(answer), "operation": "image_generation", "output": None}
            own |= {"web_searches": None, "tool_usage": None}
            yield with_answer(value, path, {**answer, **own, "id": answer.get("id") and f"{answer['id']}/image_gen"})


def _searches(answer: dict[str, Any]) -> int:
    """Searches that the tool ran; a page opened or looked through is one of its calls too, and free."""
    output = answer.get("output")
    calls = [item for item in output if isinstance(item, dict)] if isinstance(output, list) else []
    actions = [item.get("action") for item in calls if item.get("type") == "web_search_call"]
    kinds = [action.get("type") if isinstance(action, dict) else "search" for action in actions]
    return kinds.count("search")


def _image_model(answer: dict[str, Any]) -> object:
    tools = answer.get("tools")
    drawing = [tool for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []
    named = (tool.get("model") for tool in drawing if tool.get("type") == "image_generation")
    return next((name for name in named if name), "image_generation")
