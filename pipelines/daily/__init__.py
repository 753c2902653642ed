"""The steps of the daily run, one function per Dagster asset: read, call the subject packages, replace the rows.

Only the joining of the parts lives here: which files, which days, which tables, in which transaction. What is
computed is in the rooms that it calls (`pipelines.requests`, `prices`, `books`, `routing` ...); Dagster is in `assets`.
"""

from __future__ import annotations

from pipelines.daily.alerts import FailedRun, raise_alerts
from pipelines.daily.anomalies import refresh_anomalies
from pipelines.daily.behaviour import refresh_request_drift
from pipelines.daily.benchmarks import refresh_benchmarks
from pipelines.daily.bills import refresh_reported_costs
from pipelines.daily.catalog import refresh_catalog
from pipelines.daily.chargeback import refresh_chargeback
from pipelines.daily.claims import audit_claims
from pipelines.daily.commitments import refresh_commitments
from pipelines.daily.days import Window, newest_day
from pipelines.daily.ingest import ingest_requests, stale_days
from pipelines.daily.logged import refresh_logged_costs
from pipelines.daily.planning import refresh_outlook, refresh_spend_series
from pipelines.daily.price_history import refresh_price_history
from pipelines.daily.prices import refresh_prices, refresh_rate_card
from pipelines.daily.reconciliation import refresh_reconciliation
from pipelines.daily.report import write_reports
from pipelines.daily.requests import load_requests
from pipelines.daily.rerate import RerateOutcome, rerate_days
from pipelines.daily.routing import find_measure_next, project_routing
from pipelines.daily.routing_moves import explain_moves
from pipelines.daily.selfhost import refresh_breakeven, refresh_hardware
from pipelines.daily.seller_limits import refresh_seller_limits
from pipelines.daily.served import refresh_served_changes, unexpected_changes
from pipelines.daily.shadow import refresh_off_policy, refresh_shadow_evidence, refresh_shadow_requests
from pipelines.daily.unit_cost import refresh_unit_costs
from pipelines.daily.waste import refresh_waste

__all__ = [
    "FailedRun",
    "RerateOutcome",
    "Window",
    "audit_claims",
    "explain_moves",
    "find_measure_next",
    "ingest_requests",
    "load_requests",
    "newest_day",
    "project_routing",
    "raise_alerts",
    "refresh_anomalies",
    "refresh_benchmarks",
    "refresh_breakeven",
    "refresh_catalog",
    "refresh_chargeback",
    "refresh_commitments",
    "refresh_hardware",
    "refresh_logged_costs",
    "refresh_off_policy",
    "refresh_outlook",
    "refresh_price_history",
    "refresh_prices",
    "refresh_rate_card",
    "refresh_reconciliation",
    "refresh_reported_costs",
    "refresh_request_drift",
    "refresh_seller_limits",
    "refresh_served_changes",
    "refresh_shadow_evidence",
    "refresh_shadow_requests",
    "refresh_spend_series",
    "refresh_unit_costs",
    "refresh_waste",
    "rerate_days",
    "stale_days",
    "unexpected_changes",
    "write_reports",
]
