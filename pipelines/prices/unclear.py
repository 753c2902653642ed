"""What the feeds in force say and we don't understand, weighed with our own spend, so that the costliest comes first.

Readers in `feeds/` name each such thing as `model: field: value`; whether it matters depends on what we use.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

import polars as pl

from pipelines.models import Registry
from pipelines.prices.exposure import Traffic
from pipelines.prices.feed_snapshot import FeedSnapshot
from pipelines.prices.statements import facts_of

UNCLEAR = pl.Schema(
    {
        "feed": pl.String(), "model": pl.String(), "field": pl.String(), "value": pl.String(), "since": pl.Datetime("us", "UTC"),
        "model_id": pl.String(), "spend_usd": pl.Decimal(38, 18),
    }
)  # fmt: skip
"""`model` is the feed's name of it, empty where the feed does not tie it to one; `since` the first of the snapshots up to now
that all say it; `spend_usd` what the traffic was charged for the model."""
_NAMED = 3


def unclear(feeds: Iterable[Sequence[FeedSnapshot]], registry: Registry, traffic: Traffic) -> pl.DataFrame:
    """A row of UNCLEAR for each thing in the newest snapshot of each feed, the largest spend first.

    Each item of `feeds` has the snapshots of one feed that count, in order of observation.
    """
    spend = _spend(traffic)
    rows = []
    for feed in feeds:
        snapshots = facts_of(feed)
        for text in snapshots[-1].not_understood if snapshots else ():
            since = snapshots[-1].observed_at
            for snapshot in reversed(snapshots):
                if text not in snapshot.not_understood:
                    break
                since = snapshot.observed_at
            model, field, value = _parts(text)
            model_id = registry.resolve("", model).model_id if model else None
            seller = registry.split(model).provider_id if model else ""
            touched = spend.get((seller or "", model_id or ""), Decimal(0))
            rows.append((snapshots[-1].feed, model, field, value, since, model_id, touched))
    return pl.DataFrame(rows, schema=UNCLEAR, orient="row").sort(
        "spend_usd", "feed", "model", "field", descending=[True, False, False, False]
    )


def headline(rows: pl.DataFrame) -> str:
    """The things that touch our spend, the three costliest by name; empty where none does."""
    touched = rows.filter(pl.col("spend_usd") > 0)
    if touched.is_empty():
        return ""
    named = [
        f"{row['model']} {row['field']} {row['value']} ({row['feed']} since {row['since']:%Y-%m-%d}, {row['spend_usd']:.2f} USD)"
        for row in touched.head(_NAMED).iter_rows(named=True)
    ]
    return (
        f"{touched.height} of {rows.height} things that price feeds say and modelmeter does not understand are about models you "
        f"pay for, most: {'; '.join(named)}. `modelmeter prices unclear` lists all"
    )


def _spend(traffic: Traffic) -> dict[tuple[str, str], Decimal]:
    """What was charged by (seller, model), and by ("", model) at all sellers."""
    found: dict[tuple[str, str], Decimal] = {}
    for seller, model, cost in traffic.charges.select("provider_id", "model_id", "cost_usd").iter_rows():
        for key in {(seller, model), ("", model)}:
            found[key] = found.get(key, Decimal(0)) + cost
    return found


def _parts(text: str) -> tuple[str, str, str]:
    """Model, field and value of `model: field: value`; the model is empty where the text begins with a field or a sentence."""
    model, _, rest = text.partition(": ")
    if not rest or " " in model or model.startswith("/"):
        return "", "", text
    field, _, value = rest.partition(": ")
    return (model, field, value) if value else (model, "", rest)
