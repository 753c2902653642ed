"""What is decided about a collected request: who pays, which model it is, what it costs.

A value that holds all that the decisions rest on, so that it can be sent to other machines: no warehouse, no landing zone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from pipelines.config.attribution import Attribution
from pipelines.config.calendars import Calendars
from pipelines.models import Registry, resolve_requests
from pipelines.prices import rate
from pipelines.requests import attribute
from pipelines.retention.forgotten import forgotten_users, without_forgotten
from pipelines.warehouse.read import read_table
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.core_prices import RATE_CARD
from pipelines.workspace import Workspace
from pipelines.workspace.model_registry import registry_of


@dataclass(frozen=True)
class RequestRules:
    """The rules in force, prices among them."""

    attribution: Attribution
    forgotten: Mapping[str, str | None]
    registry: Registry
    rate_card: pl.DataFrame
    calendars: Calendars

    def applied(self, requests: pl.DataFrame) -> pl.DataFrame:
        """Rows of core.request of collected `requests` (REQUEST_SCHEMA), in the same order."""
        named = without_forgotten(attribute(requests, self.attribution), self.forgotten)
        resolved = resolve_requests(named, self.registry)
        rated = rate(resolved, self.rate_card, calendars=self.calendars.days)
        return rated.select(REQUEST.polars_schema.names())


def rules_of(workspace: Workspace) -> RequestRules:
    """The rules of the configuration, the landed prices and the warehouse."""
    with workspace.database.connect() as connection:
        rate_card, forgotten = read_table(connection, RATE_CARD), forgotten_users(connection)
    config = workspace.config
    return RequestRules(config.attribution, forgotten, registry_of(workspace), rate_card, config.calendars)
