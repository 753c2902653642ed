"""Table `mart.reconciliation`: bills against what is computed. How a row is made is in `pipelines.books.reconciliation`."""

from __future__ import annotations

from pipelines.warehouse.tables.spec import Column, Table

ALL = ""
"""The model or meter of a row that compares all of them together."""
REASONS = (
    "no_bill", "bill_lags", "before_first_bill", "not_on_bill", "no_requests", "not_loaded", "currency_without_rate",
)  # fmt: skip
NOT_COMPARED = ("no_bill", "bill_lags", "before_first_bill", "not_loaded", "currency_without_rate")
"""Reasons for which a row has nothing to compare."""
_CAUSES = {
    "missing_requests": "Usage of requests that only one side has",
    "tokens": "More or fewer units in the same requests",
    "tier": "Another service tier, at our prices of both",
    "price": "Another unit price, or requests without a price of ours",
    "tool_fee": "Fees for tools",
    "commitment": "Purchases of commitments",
    "discount": "Amount less list amount of the bill, less the discount that we computed",
    "credit": "Credits and refunds",
    "tax": "Taxes",
    "currency": "The exchange rate of the bill's day against that of our prices",
    "rounding": "No more than the last digits of the lines",
    "timing": "What a bill that is not yet complete lacks",
    "days_not_loaded": "What the bill holds more than is computed, where days of its period are not loaded: at most this is theirs",
    "unexplained": "What no count of the bill explains",
}
CAUSES = tuple(_CAUSES)
"""Every cause, in the order in which the steps from computed to billed are taken."""
WAITING = ("timing", "days_not_loaded")
"""Causes that nobody has to look into: time ends one, a run of the days the other."""


def _usd(name: str, description: str) -> Column:
    return Column(name, "numeric(38,18)", description, nullable=True, unit="USD", is_signed=True)


RECONCILIATION = Table(
    "mart",
    "reconciliation",
    "What is computed, what gateways logged and what sellers bill, next to each other, and the causes of the difference. The "
    "causes of a row add up to its difference exactly; rows add up to months, models and sellers.",
    "one row per period, seller, model and meter, as far as the bill distinguishes them",
    (
        Column("event_date", "date", "UTC day, or the first one of the period."),
        Column("period_days", "integer", "Days of the period: 1, or more where the bill has longer lines.", unit="days"),
        Column("days_missing", "integer", "Days of the period whose requests are not known, because no run has loaded them.", unit="days"),
        Column("provider_id", "text", "Seller."),
        Column("model_id", "text", "Canonical model, as in mart.daily_charge; empty for all, or for what has no model."),
        Column(
            "meter",
            "text",
            "Meter of mart.daily_charge; tax, credit, commitment or unexplained for what is no usage; the bill's own words for "
            "a fee that we don't know; empty for all meters together.",
        ),
        Column("computed_quantity", "numeric(38,18)", "Units that we counted; of all meters, tokens.", nullable=True, unit="units"),
        Column("billed_quantity", "numeric(38,18)", "Units that the bill counts; null where it counts none.", nullable=True, unit="units"),
        _usd("computed_usd", "What mart.daily_charge expects on the bill; null where nothing has a price."),
        _usd("logged_usd", "What gateways logged; on the meter request, or where all meters are together."),
        _usd("billed_usd", "What the bill holds, converted on its day; null without a line, or without an exchange rate."),
        _usd("billed_amount", "The same in the bill's currency; null where it has several."),
        Column("currency", "text", "Currency of the bill.", nullable=True),
        _usd("difference_usd", "Billed less computed: above zero the seller bills more. Null where there is no bill to compare."),
        *(_usd(f"{cause}_usd", f"{meaning}.") for cause, meaning in _CAUSES.items()),
        Column("charges", "bigint", "Rows of mart.daily_charge.", unit="rows"),
        Column("bill_lines", "bigint", "Lines of the bill.", unit="lines"),
        Column("line_ids", "jsonb", "The lines: cost_uid of core.reported_cost."),
        Column("is_settled", "boolean", "Whether the newest export is late enough for the bill to be complete."),
        Column(
            "reason",
            "text",
            "Why a side is empty. no_bill: none of this seller was landed; bill_lags, before_first_bill: the bills end before, or "
            "begin after; not_on_bill: the bill does not name it; no_requests: no request of ours; not_loaded: no request of any seller on that day; currency_without_rate.",
            nullable=True,
            accepted=REASONS,
        ),
    ),
    ("event_date", "period_days", "provider_id", "model_id", "meter"),
    day_column="event_date",
)  # fmt: skip
