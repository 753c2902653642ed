"""Prices: feeds to snapshots, snapshots to the bitemporal ledger, ledger to rate cards, rate cards to rated requests.

This module is the whole public surface. Canonical model identity is in `pipelines.models`; loading into Postgres is
in `pipelines.warehouse`.
"""

from __future__ import annotations

from pipelines.prices.booked import DECIDED, former_cards, keep_booked
from pipelines.prices.dated_names import dated_aliases
from pipelines.prices.exchange import FxSnapshot, build_fx_rates, in_usd, read_fx
from pipelines.prices.explain import ChargeLine, Explanation, explain_request, price_lookup
from pipelines.prices.exposure import Traffic, price_change_rows, price_conflict_rows
from pipelines.prices.feed_cache import cached_feed
from pipelines.prices.feed_snapshot import FeedSnapshot, PriceFeedError
from pipelines.prices.history import price_changes, price_conflicts
from pipelines.prices.ledger import believed, build_ledger
from pipelines.prices.packaged import packaged_genai_prices
from pipelines.prices.parse import feed_names, parse_feed, parser_version
from pipelines.prices.price_lists import other_names, with_separate_lists
from pipelines.prices.rate_card import build_rate_card
from pipelines.prices.rating import rate
from pipelines.prices.restatement import changed_requests, rerate, restatement_lines
from pipelines.prices.review import Held, Review, Verdict, review

__all__ = [
    "DECIDED",
    "ChargeLine",
    "Explanation",
    "FeedSnapshot",
    "FxSnapshot",
    "Held",
    "PriceFeedError",
    "Review",
    "Traffic",
    "Verdict",
    "believed",
    "build_fx_rates",
    "build_ledger",
    "build_rate_card",
    "cached_feed",
    "changed_requests",
    "dated_aliases",
    "explain_request",
    "feed_names",
    "former_cards",
    "in_usd",
    "keep_booked",
    "other_names",
    "packaged_genai_prices",
    "parse_feed",
    "parser_version",
    "price_change_rows",
    "price_changes",
    "price_conflict_rows",
    "price_conflicts",
    "price_lookup",
    "rate",
    "read_fx",
    "rerate",
    "restatement_lines",
    "review",
    "with_separate_lists",
]
