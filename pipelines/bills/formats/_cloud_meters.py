"""What the names of clouds' meters say: model, our meter and tier. Shared by the formats of their exports.

Azure writes `gpt 4.1 mini cached Inp glbl Tokens`, as in its price list; AWS `USE1-Qwen3-32B-input-tokens-batch` for what it
sells itself, and `USW2-MP:USW2_output_tokens_standard-Units` under a service named after the model for what its marketplace does. A name with a
word that is not understood says nothing: the line stays a line of the seller.
Source: usage types of the AWS price list and of Cost and Usage Reports.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import polars as pl

from pipelines.prices.feeds import aws_price_list, azure_retail

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
    found = azure_retail.meaning_of(product or "", meter or "")
    return None if found is None else Said(found.model, found.meter, found.tier)


def aws_said(service: str | None, usage_type: str | None) -> Said | None:
    """Of AWS's usage type and the service that it belongs to."""
    found = aws_price_list.meaning_of(service, usage_type)
    unit = _OF_MARKETPLACE if found is not None and found.is_million else None
    return None if found is None else Said(found.model, found.meter, found.tier, unit)


def as_struct(said: Said | None) -> Mapping[str, str | None] | None:
    """As a value of the type SAID."""
    return None if said is None else asdict(said)
