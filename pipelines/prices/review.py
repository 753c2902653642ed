"""Holds back the snapshot of a price page that looks broken although it fits its layout.

Pages are drawn for people: rows go missing and digits slip without notice. A person who has looked at a held
snapshot accepts it by its id in the feed's options; until then the last good one stays in force.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from pipelines.config.sources import PriceFeed
from pipelines.ids import as_uuid
from pipelines.prices.snapshot import FeedSnapshot

LARGEST_LOSS = 0.2
LARGEST_FACTOR = 10
_SAME = [
    "provider",
    "raw_model",
    "meter",
    "service_tier",
    "region",
    "context_from_tokens",
    "time_window",
    "reasoning_mode",
]


@dataclass(frozen=True)
class Review:
    """The snapshots that count, and in words what was held back and how to accept it."""

    accepted: tuple[FeedSnapshot, ...]
    held: tuple[str, ...]
    held_ids: tuple[bytes, ...] = ()
    """The snapshots that `held` is about, in the same order."""


def review(feed: PriceFeed, snapshots: Sequence[FeedSnapshot]) -> Review:
    """Sorts the snapshots of a page by time and holds back what loses too many prices or moves one too far.

    Each is compared with the last accepted one: more than a fifth of its prices gone, or one of them ten times
    or more dearer or cheaper. The first one counts as it is. Other formats than `page` are never held back. Snapshots
    whose id stands in `options.accept` always count. Any order of `snapshots` gives the same review.
    """
    ordered = sorted(snapshots, key=lambda item: (item.observed_at, item.snapshot_id))
    if feed.format != "page":
        return Review(tuple(ordered), ())
    welcome = {str(name).replace("-", "").lower() for name in feed.options.get("accept", ())}
    accepted: list[FeedSnapshot] = []
    held: dict[bytes, str] = {}
    for snapshot in ordered:
        reason = _doubt(accepted[-1], snapshot) if accepted else None
        if reason is None or snapshot.snapshot_id.hex() in welcome:
            accepted.append(snapshot)
        else:
            name = as_uuid(snapshot.snapshot_id)
            held[snapshot.snapshot_id] = (
                f"{feed.feed} of {snapshot.observed_at:%Y-%m-%d %H:%M} UTC is held for review: {reason}. "
                f"If the page is right, add {name} to options.accept of the feed in sources.yaml."
            )
    return Review(tuple(accepted), tuple(held.values()), tuple(held))


def _doubt(before: FeedSnapshot, after: FeedSnapshot) -> str | None:
    old = before.prices.select(*_SAME, "unit_price", "pricing_quantity")
    both = old.join(
        after.prices.select(*_SAME, "unit_price", "pricing_quantity"), on=_SAME, how="left", suffix="_after"
    )
    lost = both.filter(pl.col("unit_price_after").is_null())
    if lost.height > LARGEST_LOSS * old.height:
        return f"{lost.height} of {old.height} prices are gone"
    per_unit = [
        pl.col(name) / pl.col(unit)
        for name, unit in (("unit_price", "pricing_quantity"), ("unit_price_after", "pricing_quantity_after"))
    ]
    was, now = (price.cast(pl.Float64) for price in per_unit)  # to judge a size, not to charge by
    moved = both.filter((was >= now * LARGEST_FACTOR) | (now >= was * LARGEST_FACTOR), was != now)
    if moved.height:
        row = moved.sort(_SAME).row(0, named=True)
        return (
            f"{row['raw_model']}, {row['meter']}: {row['unit_price'].normalize():f} to {row['unit_price_after'].normalize():f} "
            f"is {LARGEST_FACTOR} times or more"
        )
    return None
