"""What the names of clouds' meters say: model, our meter and tier. Shared by the formats of their exports.

Azure writes `gpt 4.1 mini cached Inp glbl Tokens`, as in its price list; AWS `USE1-Qwen3-32B-input-tokens-batch` for what it
sells itself, and `USW2-MP:USW2_output_tokens_standard-Units` under a service named after the model for what its marketplace does. A name with a
word that is not understood says nothing: the line stays a line of the seller.
Source: usage types of the AWS price list and of Cost and Usage Reports.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import polars as pl

from pipelines.prices.feeds.azure_retail import meaning_of

_PREFIX = re.compile(r"^(?:[A-Z]{2,4}\d{0,2}(?:_[A-Z0-9]+)?-)?(?:MP:(?:[A-Z]{2,4}\d{0,2}_)?)?")
_EDITION = re.compile(r"^(.+?)\s*\(Amazon Bedrock(?: Edition)?\)$")
_METER = re.compile(
    r"(?:^|[-_])(?:"
    r"(?P<read>cache[-_]?read(?:[-_]?input)?)|(?P<write>cache[-_]?write(?P<life>\d+[mh])?(?:[-_]?input)?)|(?P<input>input)|(?P<output>output)"
    r")[-_]?tokens?(?:[-_]?count)?(?P<rest>(?:[-_][a-z0-9]+)*)$",
    re.IGNORECASE,
)
_NAMES = {"read": "input_cache_read", "write": "input_cache_write", "input": "input_uncached", "output": "output_text"}
_LIVES = ("5m", "30m", "1h", "12h")
_TIERS = ("batch", "flex", "priority", "standard")
_PLACES = ("cross", "region", "global", "geo", "regional", "units", "long", "ctx")
"""Words that change neither meter nor tier: where the call ran, that its prompt was long."""
_OF_MARKETPLACE = "1M tokens"
"""AWS's marketplace counts tokens in `Units`; its price list says that one is a million."""
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
    found = meaning_of(product or "", meter or "")
    return None if found is None else Said(found.model, found.meter, found.tier)


def aws_said(service: str | None, usage_type: str | None) -> Said | None:
    """Of AWS's usage type and the service that it belongs to."""
    name = _PREFIX.sub("", usage_type or "", count=1)
    # Marketplace: InputTokenCount; first party: input-tokens
    found = _METER.search(re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name) if "Token" in name else name)
    if found is None:
        return None
    words = [word.lower() for word in re.split(r"[-_]", found["rest"]) if word]
    if any(word not in (*_TIERS, *_LIVES, *_PLACES) for word in words):
        return None
    edition = _EDITION.match(service or "")
    model = edition[1] if edition else re.sub("-(?:mantle|text)$", "", name[: found.start()]) or None
    kind = next(kind for kind in _NAMES if found[kind])
    life = next((f"_{word}" for word in (found["life"], *words) if word in _LIVES and kind == "write"), "")
    unit = _OF_MARKETPLACE if "MP:" in (usage_type or "") and words[-1:] == ["units"] else None
    return Said(model, _NAMES[kind] + life, next((word for word in words if word in _TIERS), "standard"), unit)


def as_struct(said: Said | None) -> Mapping[str, str | None] | None:
    """As a value of the type SAID."""
    return None if said is None else asdict(said)
