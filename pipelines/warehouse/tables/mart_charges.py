"""Tables of schema `mart` on charges: the grain that finance signs, and that every spend table is a sum of.

Spend by model, team and project is in `mart.py`; the requests that charges are made of are in `core.py`.
"""

from __future__ import annotations

from pipelines.meters import PRICED_METERS
from pipelines.warehouse.charges import UNITS
from pipelines.warehouse.tables.core import OPENNESS, UNPRICED_REASONS
from pipelines.warehouse.tables.spec import Column, Table

REST = "rest"
"""The meter of a line that holds what no single rate explains."""


def _cost(name: str, description: str) -> Column:
    """A cost of the line: below zero only on a line `rest`, where marginal rates give back a part of the plain ones."""
    return Column(f"{name}_cost_usd", "numeric(38,18)", description, nullable=True, unit="USD", is_signed=True)


def _rate(name: str, description: str) -> Column:
    return Column(f"{name}_usd_per_million", "numeric(38,12)", description, nullable=True, unit="USD per million units")


DAILY_CHARGE = Table(
    "mart",
    "daily_charge",
    "What was used and what it costs, by meter, at the grain that finance books (FOCUS Cost and Usage): every spend table is "
    "a sum of it.",
    "one row per day, seller, model, tier, region, attribution, rate card and meter",
    (
        Column("event_date", "date", "UTC day of the usage."),
        Column("charge_id", "uuid", "Hash of everything that the row is one of: the same usage has the same id."),
        Column("provider_id", "text", "Who sold the calls; unknown where no log names it."),
        Column("model_id", "text", "Canonical model; for unresolved names: 'unresolved: ' and the name as logged."),
        Column("openness", "text", "open_source, open_weight, closed or unknown.", accepted=OPENNESS),
        Column("service_tier", "text", "Tier that served the calls, as logged."),
        Column("region", "text", "Region or inference geography; empty where not logged."),
        Column("team", "text", "Team that pays, or unattributed."),
        Column("project", "text", "Project, or unattributed."),
        Column("environment", "text", "Environment, or unattributed."),
        Column("application", "text", "Application, or unattributed."),
        Column(
            "meter",
            "text",
            "What is counted. request counts the calls, with or without a fee. rest is what marginal rates and minimums add "
            "to or take from the plain rates, and the cost whose rates are no longer known.",
            accepted=(*(meter.name for meter in PRICED_METERS), REST),
        ),
        Column(
            "unit",
            "text",
            "Unit of the meter; null for rest.",
            nullable=True,
            accepted=tuple(sorted({*UNITS.values()})),
        ),
        Column("quantity", "bigint", "Units used; null for rest.", nullable=True, unit="units"),
        Column("rate_id", "uuid", "Rate card of the calls; null where they are free or unpriced.", nullable=True),
        Column(
            "contract_id", "text", "Contract that grants the card; empty for list prices and where there is no card."
        ),
        Column(
            "priced_as", "text", "Meter whose rate was taken, the meter's own or a more general one.", nullable=True
        ),
        Column("price_id", "uuid", "Price row that the rate comes from (core.price).", nullable=True),
        Column("list_price_id", "uuid", "Price row that the list rate comes from.", nullable=True),
        _rate("list", "List rate (FOCUS ListUnitPrice); null where the line has none."),
        _rate("contracted", "Contracted rate (FOCUS ContractedUnitPrice); null where the line has none."),
        Column("pricing_currency", "text", "Currency of the price as found; null without a price.", nullable=True),
        Column(
            "usd_per_currency",
            "numeric(38,18)",
            "Exchange rate that the card was converted at: USD for one unit of pricing_currency; null without a price.",
            nullable=True,
            unit="USD",
        ),
        _cost("list", "Cost at list price (FOCUS ListCost); null where it is not known."),
        _cost("contracted", "Cost at contracted price (FOCUS ContractedCost)."),
        _cost("effective", "Cost after all discounts, what was paid ahead included (FOCUS EffectiveCost)."),
        _cost(
            "billed",
            "What the seller's invoice should hold (FOCUS BilledCost): contracted cost of what is paid as used.",
        ),
        Column(
            "unpriced_reason",
            "text",
            "Why all costs are null, as in core.request; a row without a reason has known costs, or they stand in rest.",
            nullable=True,
            accepted=UNPRICED_REASONS,
        ),
        Column(
            "reported_cost_usd",
            "numeric(38,18)",
            "Sum of the costs that gateways logged for the calls; on the row request alone, because logs give one for a call.",
            nullable=True,
            unit="USD",
            is_signed=True,
        ),
    ),
    ("event_date", "charge_id"),
    day_column="event_date",
    built_by="dbt",
)

MART_CHARGE_TABLES = (DAILY_CHARGE,)
