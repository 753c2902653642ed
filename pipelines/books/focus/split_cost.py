"""FOCUS split cost allocation, from 1.3 on: what the columns Allocated* say of a charge that a rule of allocation.yaml passed on.

Such a charge is a row for each receiver. Everything but its costs and quantities is that of the charge, Tags among it; who pays is in
AllocatedResourceId and AllocatedTags.
Source: FOCUS_Spec, attribute DataGeneratorCalculatedSplitCostAllocationHandling and column AllocatedMethodDetails.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import polars as pl

from pipelines.exact_json import exact_json

ALLOCATION_COLUMNS = (
    "AllocatedMethodDetails", "AllocatedMethodId", "AllocatedResourceId", "AllocatedResourceName", "AllocatedTags",
)  # fmt: skip
_UNITS = {"spend": "USD", "tokens": "Tokens"}
"""What a rule measures, in the words of UsageUnit; the others measure nothing."""


def allocation_columns() -> dict[str, pl.Expr]:
    """The five columns from those of `pipelines.books.allocation.ALLOCATED`; null for a charge that no rule takes.

    Cost that found no receiver is the unallocated part: it has the method and no resource.
    """
    return {
        "AllocatedMethodId": pl.col("allocated_method_id"),
        "AllocatedMethodDetails": pl.struct("rule", "share", "weight").map_elements(_details, return_dtype=pl.String),
        "AllocatedResourceId": pl.concat_str("allocated_to", "receiver", separator="/"),
        "AllocatedResourceName": pl.col("receiver"),
        "AllocatedTags": pl.struct("allocated_to", "receiver").map_elements(_tags, return_dtype=pl.String),
    }


def _details(part: Mapping[str, Any]) -> str | None:
    """The one element that decided the share, and the rule as custom properties; ratios are numbers with all their digits."""
    if part["rule"] is None:
        return None
    rule = json.loads(part["rule"])
    unit = _UNITS.get(rule["by"])
    element: dict[str, object] = {"AllocatedRatio": 1 if part["share"] is None else part["share"].normalize()}
    if unit and part["weight"] is not None:
        element |= {"UsageUnit": unit, "UsageQuantity": part["weight"].normalize()}
    return exact_json({"Elements": [element], **{f"x_{name.capitalize()}": rule[name] for name in sorted(rule)}})


def _tags(part: Mapping[str, Any]) -> str | None:
    return (
        None if part["receiver"] is None else json.dumps({part["allocated_to"]: part["receiver"]}, ensure_ascii=False)
    )
