"""What is served in each case: exclusive buckets of tokens. Needs nothing but Python, because every environment imports it.

The name of a case is part of the model that is asked for, so that every record names the call that it is of.
"""

from __future__ import annotations

BUCKETS = (
    "input_uncached",
    "input_cache_read",
    "input_cache_write_5m",
    "input_cache_write_1h",
    "input_cache_write",
    "output_text",
    "output_reasoning",
)

ANTHROPIC = {
    "plain": {"input_uncached": 101, "output_text": 21},
    "cached": {"input_uncached": 12, "input_cache_read": 2003, "output_text": 22},
    "written": {
        "input_uncached": 13,
        "input_cache_read": 504,
        "input_cache_write_5m": 1205,
        "input_cache_write_1h": 706,
        "output_text": 23,
    },
    "tools": {"input_uncached": 331, "output_text": 41},
    "retry": {"input_uncached": 151, "output_text": 25},
}
OPENAI = {
    "plain": {"input_uncached": 102, "output_text": 31},
    "cached": {"input_uncached": 211, "input_cache_read": 1024, "output_text": 32},
    "reasoning": {"input_uncached": 103, "output_text": 33, "output_reasoning": 640},
    "tools": {"input_uncached": 332, "output_text": 43},
    "retry": {"input_uncached": 152, "output_text": 35},
}
GEMINI = {
    "plain": {"input_uncached": 104, "output_text": 51},
    "cached": {"input_uncached": 213, "input_cache_read": 4096, "output_text": 52},
    "reasoning": {"input_uncached": 105, "output_text": 53, "output_reasoning": 801},
    "tools": {"input_uncached": 334, "output_text": 54},
    "retry": {"input_uncached": 154, "output_text": 55},
}
MISTRAL = {
    "plain": {"input_uncached": 106, "output_text": 61},
    "tools": {"input_uncached": 336, "output_text": 64},
    "retry": {"input_uncached": 156, "output_text": 65},
}
FAMILIES = {
    "claude": ("claude-sonnet-4-5", ANTHROPIC),
    "gpt": ("gpt-5", OPENAI),
    "gemini": ("gemini-2.5-flash", GEMINI),
    "mistral": ("mistral-large", MISTRAL),
}
"""The model that every case's name begins with, and what is served."""
ALONE = {
    "rerank-v3.5": {"rerank_search": 3},
    "mistral-ocr-latest": {"document_page": 7, "annotated_document_page": 2},
}
"""Models that are charged by the search or the page, and what one call of each is served."""
FAULTS = ("error", "cancelled")
"""Cases without usage: an answer 400, and a stream that the client leaves."""
AT_ONCE = 6
"""Calls of case `plain` at the same time, as streams, with models `...-at-once-N`."""


def served(family: str, case: str) -> dict[str, int]:
    """The buckets of a case; of `at-once-N` those of `plain`, with N more of everything; of models beyond the script those of `plain`."""
    _, table = FAMILIES[family]
    if case.startswith("at-once-"):
        number = int(case.removeprefix("at-once-"))
        return {name: count + number for name, count in table["plain"].items()}
    return dict(table.get(case, table["plain"]))


def model_of(family: str, case: str, *, stream: bool) -> str:
    """The model that is asked for."""
    base, _ = FAMILIES[family]
    return f"{base}-{case}" + ("-stream" if stream else "")


def case_of(model: str) -> tuple[str, str]:
    """Family and case of a model; of models beyond the script that of OpenAI."""
    family = next((name for name in FAMILIES if model.startswith(name)), "gpt")
    base, _ = FAMILIES[family]
    return family, model.removeprefix(f"{base}-").removesuffix("-stream").removesuffix("-responses")
