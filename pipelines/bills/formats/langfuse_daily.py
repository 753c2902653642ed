"""What Langfuse computed by day and model: answers of `GET /api/public/v2/metrics`, and of the older `/api/public/metrics/daily`.

Of v2 a row is one model on one day: view `observations`, metrics `totalCost`, `inputTokens` and `outputTokens` by sum and `count`, dimension `providedModelName`,
`timeDimension` by day. Of the older one a day holds `usage`, one entry a model. Langfuse names no seller: a source says it (`defaults: {provider_id: openai}`), or asks for the traces of each seller
apart. It is Langfuse's own computation, for companies that have no bill of the seller: next to one, the same cost would stand twice.
Source: api.reference.langfuse.com, "metrics".
"""

from __future__ import annotations

from dataclasses import replace

from pipelines.bills.formats import seller_of
from pipelines.config.sources import RequestSource
from pipelines.records.conversions import TimeRule
from pipelines.records.layout import Layout


def build() -> Layout:
    """Days by model; the seller is not named."""
    return Layout(
        name="langfuse_daily",
        version="2",
        text={"raw_model": ("model", "providedModelName")},
        usage={"input": ("inputUsage", "sum_inputTokens"), "output": ("outputUsage", "sum_outputTokens")},
        integers={"request_count": ("countObservations", "count_count")},
        instants={"bucket_from": ("date", "time_dimension")},
        money={"amount": ("totalCost", "sum_totalCost")},
        constants={"provider_id": "unknown", "report": "metrics.daily", "currency": "USD"},
        time=TimeRule("iso"),
    )


def described(source: RequestSource) -> Layout:
    """The layout with the seller that the source names. Raises SourceError for other declarations."""
    seller, plain = seller_of(source), build()
    return replace(plain, constants=plain.constants if seller is None else {**plain.constants, "provider_id": seller})
