"""What the names of clouds' meters say: model, our meter and tier. Shared by the formats of their exports.

Azure writes `gpt 4.1 mini cached Inp glbl Tokens`, as in its price list; AWS `USE1-Qwen3-32B-input-tokens-batch` for what it
sells itself, and `USW2-MP:USW2_output_tokens_standard-Units` under a service named after the model for what its marketplace does. Google describes an SKU as
`Gemini 2.5 Flash Text Input - Predictions` on Vertex AI and `Generate content input token count gemini 2.5 flash short input text` in its API. A name with a
word that is not understood says nothing: the line stays a line of the seller.
Source: usage types of the AWS price list and of Cost and Usage Reports; SKUs of Google's price list.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import polars as pl

from pipelines.prices.feeds import aws_price_list, azure_retail

_OF_MARKETPLACE = "1M tokens"
"""AWS's marketplace counts tokens in `Units`; its price list says that one is a million."""
_GEMINI = re.compile(
    r"^(?P<before>.*?)\bgemini (?P<version>\d+(?:\.\d+)?)(?P<kind>(?: (?:pro|flash|lite|nano|ultra|preview|image(?= text)))*)(?P<after>.*)$"
)
_SKU_TIERS = ("batch", "flex", "priority")
_SKU_WORDS = frozenset(
    (
        "generate", "content", "input", "output", "token", "tokens", "count", "for", "text", "short", "long", "thinking", "on", "off", "and", "ga",
        "global", "regional", "region", "vertex", "ai", "api", "prediction", "predictions", "cached", "caching", *_SKU_TIERS,
    )
)  # fmt: skip
SAID = pl.Struct({"model": pl.String, "meter": pl.String, "tier": pl.String, "unit": pl.String})


@dataclass(frozen=True)
class Said:
    """What a name says; `model` is the seller's own name for it."""

    model: str | None
    meter: str
    tier: str
    unit: str | None = None
    """What a quantity counts, where the line's own unit does not say."""


def azure_said(product: str | None, meter: str | None) -> Said | None:
    """Of Azure's meter and the product that it belongs to."""
    found = azure_retail.meaning_of(product or "", meter or "")
    return None if found is None else Said(found.model, found.meter, found.tier)


def aws_said(service: str | None, usage_type: str | None) -> Said | None:
    """Of AWS's usage type and the service that it belongs to."""
    found = aws_price_list.meaning_of(service, usage_type)
    unit = _OF_MARKETPLACE if found is not None and found.is_million else None
    return None if found is None else Said(found.model, found.meter, found.tier, unit)


def google_said(sku: str | None) -> Said | None:
    """Of the description of Google's SKU. Pictures, sound and what is stored by the hour are not counted in tokens of text."""
    found = _GEMINI.search(re.sub(r"[\s_(),:/-]+", " ", (sku or "").lower()).strip())
    if found is None:
        return None
    model = re.sub(r"^(\d+)\.0$", lambda number: number[1] if int(number[1]) > 2 else number[0], found["version"])
    model = "-".join(["gemini", model, *found["kind"].split()])
    words = [*found["before"].split(), *found["after"].split()]
    counted = re.search(r"\b(input|output) tokens? count", found["before"])
    way = counted[1] if counted else next((word for word in words if word in ("input", "output")), None)
    if way is None or any(word not in _SKU_WORDS for word in words) or (not counted and "text" not in words):
        return None
    is_cached = not {"cached", "caching"}.isdisjoint(words)
    meter = "input_cache_read" if is_cached else "input_uncached" if way == "input" else "output_text"
    return Said(model, meter, next((word for word in words if word in _SKU_TIERS), "standard"), "tokens")


def as_struct(said: Said | None) -> Mapping[str, str | None] | None:
    """As a value of the type SAID."""
    return None if said is None else asdict(said)
