"""The coverage section: how much is priced, why the rest is not, and the line of configuration that would change it.

Names come from logs and are not trusted: they are quoted as YAML here and escaped by the template.
"""

from __future__ import annotations

from typing import Any

import yaml

from pipelines.finops import format as fmt
from pipelines.finops.report.collect import ReportData
from pipelines.finops.report.tables import (
    Cell,
    Table,
    count_cell,
    money_cell,
    number_column,
    share_cell,
    text_cell,
    text_column,
)

REASONS = {
    "priced": "priced",
    "model_unresolved": "the model name is not known",
    "provider_unknown": "the log does not name the seller of the call",
    "no_price": "no price is known for the model at this provider",
    "no_price_at_time": "prices are known, but none for that instant, or none for a prompt of that size",
    "no_price_for_tier": "a price is known, but none for the service tier that served the call",
    "no_rate_for_meter": "a price is known, but not for everything the request used",
    "no_exchange_rate": "the price is in a currency without an exchange rate",
    "usage_missing": "the log holds no token counts, or only some of them",
}


def coverage_table(data: ReportData) -> Table:
    """One row per reason; requests and tokens add up to the day's."""
    frame = data["coverage"]
    rows = [
        [
            text_cell(REASONS[row["reason"]], note="" if row["reason"] == "priced" else row["reason"]),
            count_cell(row["requests"]),
            share_cell(row["request_share"], bar=True),
            count_cell(row["tokens"]),
            share_cell(row["token_share"]),
        ]
        for row in frame.iter_rows(named=True)
    ]
    foot = [
        Cell("Total"),
        count_cell(int(frame["requests"].sum())),
        Cell(fmt.percent(1.0)),
        count_cell(int(frame["tokens"].sum())),
        Cell(fmt.percent(1.0) if frame["tokens"].sum() else fmt.NONE),
    ]
    return Table(
        "coverage",
        f"How much of {fmt.long_day(data.day)} is priced",
        [
            text_column("Reason"),
            number_column("Requests"),
            number_column("Share of requests", "%"),
            number_column("Tokens"),
            number_column("Share of tokens", "%"),
        ],
        rows,
        foot,
        "No requests on this day, so there is nothing to price.",
        data.sql["coverage"],
    )


def unpriced_table(data: ReportData) -> Table:
    """What has no price, name by name, with what to do; the hundred that may cost most."""
    decimals = fmt.decimals_for(data["unpriced"]["at_risk_usd"].drop_nulls().to_list())
    rows = [
        [
            text_cell(row["raw_name"] or "(no name logged)", note=_where(row)),
            text_cell(REASONS[row["reason"]]),
            count_cell(row["requests"]),
            count_cell(row["tokens"]),
            _at_risk(row, decimals),
            *_remedy(row),
        ]
        for row in data["unpriced"].iter_rows(named=True)
    ]
    return Table(
        "unpriced",
        "Names without a price, and what would change that",
        [
            text_column("Name as logged"),
            text_column("Why"),
            number_column("Requests"),
            number_column("Tokens"),
            number_column("Spend at risk", "USD"),
            text_column("What to do"),
            text_column("The line to add"),
        ],
        rows,
        empty="Every request has a known cost." if data["coverage"].height else "",
        sql=data.sql["unpriced"],
    )


def _at_risk(row: dict[str, Any], decimals: int) -> Cell:
    """What the requests may cost: what a gateway logged, and the day's average price for tokens of which none was logged."""
    logged, amount = row["reported_cost_usd"], row["at_risk_usd"]
    if amount is None:
        return Cell(fmt.NONE)
    note = "as logged" if logged == amount else "at the day's average price per token"
    return money_cell(amount, decimals, note=note)


def _where(row: dict[str, Any]) -> str:
    seller = f"at {row['provider_id']}, " if row["provider_id"] else ""
    return f"{seller}source {row['source']}"


_LOGGED_NOTHING = {"model_unresolved": ("model", "request_model"), "provider_unknown": ("provider", "provider_id")}
_REMEDIES = {
    "no_price_at_time": "Land an older snapshot of a price feed, one from before this day.",
    "no_price_for_tier": "State the tier's price in a price sheet (column service_tier).",
    "no_rate_for_meter": "Declare a price feed in sources.yaml that names every rate of this model.",
    "no_exchange_rate": "State a rate in fx.yaml, or land a file of published rates.",
    "usage_missing": "Let the application log the token counts of the answer.",
}


def _remedy(row: dict[str, Any]) -> tuple[Cell, Cell]:
    """What to do in words, and the line of YAML where one would do."""
    name, provider, reason = row["raw_name"], row["provider_id"], row["reason"]
    if reason == "model_unresolved" and name:
        words = "Say in models.yaml, under deployments, which model this name stands for (in place of MODEL_ID)."
        return Cell(words), _line({**({"provider": provider} if provider else {}), "name": name, "model": "MODEL_ID"})
    if reason in _LOGGED_NOTHING:
        what, field = _LOGGED_NOTHING[reason]
        words = f"The log names no {what}. Log it, or give source {row['source']} a default in sources.yaml."
        return Cell(words), _line({"source": row["source"], "defaults": {field: f"{what.upper()}_ID"}})
    if reason == "no_price":
        words = (
            "Declare a price feed in sources.yaml that names it. If the seller is known under another name, say so "
            "in models.yaml, under providers (in place of PROVIDER_ID)."
        )
        return Cell(words), _line({"id": "PROVIDER_ID", "aliases": [provider]})
    return Cell(_REMEDIES[reason]), Cell(fmt.NONE)


def _line(entry: dict[str, Any]) -> Cell:
    text = yaml.safe_dump(entry, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**6).strip()
    return Cell(f"- {text}", is_code=True)
