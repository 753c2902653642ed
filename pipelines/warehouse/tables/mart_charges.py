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
        Column("cost_centre", "text", "Cost centre, or unattributed."),
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
        _cost(
            "effective",
            "Cost after all discounts (FOCUS EffectiveCost). What was paid ahead is apart: mart.commitment_usage.",
        ),
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

COSTS = ("list_cost_usd", "contracted_cost_usd", "effective_cost_usd", "billed_cost_usd")
"""The costs of a charge, in the order of their columns."""

CHARGEBACK = Table(
    "mart",
    "chargeback",
    "What each team, project, cost centre, environment and application pays, shared cost passed on by the rules of "
    "allocation.yaml: the sums of mart.daily_charge, whichever column they are taken by.",
    "one row per day, seller, model, attribution and rule of allocation",
    (
        Column("event_date", "date", "UTC day of the usage."),
        Column("provider_id", "text", "Who sold the calls."),
        Column("model_id", "text", "Canonical model, as in mart.daily_charge."),
        Column("team", "text", "Team that pays, or unattributed."),
        Column("project", "text", "Project that pays, or unattributed."),
        Column("cost_centre", "text", "Cost centre that pays, or unattributed."),
        Column("environment", "text", "Environment, or unattributed."),
        Column("application", "text", "Application, or unattributed."),
        Column(
            "allocated_method_id",
            "text",
            "Rule that passed the cost on, as named in allocation.yaml (FOCUS AllocatedMethodId); empty for cost of one's own.",
        ),
        Column(
            "allocated_resource",
            "text",
            "Who had the cost before, a value of the column that the rule fills (FOCUS AllocatedResourceName); empty for cost "
            "of one's own.",
        ),
        Column(
            "allocated_method_details",
            "jsonb",
            "The rule as it was applied, and the share that the row has of each cost (FOCUS AllocatedMethodDetails).",
            nullable=True,
        ),
        Column(
            "not_allocated_reason",
            "text",
            "Why a rule left the cost where it was: no_receivers, where nobody had cost of their own by its measure.",
            nullable=True,
            accepted=("no_receivers",),
        ),
        *(
            Column(cost, "numeric(38,18)", f"{meaning}; null where it is not known.", nullable=True, unit="USD", is_signed=True)
            for cost, meaning in zip(
                COSTS, ("List cost", "Contracted cost", "Effective cost", "Cost that invoices should hold"), strict=True
            )
        ),
        Column(
            "unpriced_requests",
            "bigint",
            "Requests whose cost is not known, and is in no sum; they are not passed on.",
            unit="requests",
        ),
    ),
    (
        "event_date", "provider_id", "model_id", "team", "project", "cost_centre", "environment", "application",
        "allocated_method_id", "allocated_resource",
    ),
    day_column="event_date",
)  # fmt: skip

MART_CHARGE_TABLES = (DAILY_CHARGE, CHARGEBACK)
