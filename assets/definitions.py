"""The code location: `build_defs` puts assets, checks, jobs, schedules, sensors and resources together.

Importing it touches no network, database or environment, and neither Great Expectations nor dbt is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from assets.abandoned import abandoned_runs_sensor
from assets.alerts import alerts, failed_runs_sensor
from assets.behaviour import request_drift
from assets.benchmarks import core_benchmark, models_unchanged
from assets.bills import core_reported_cost
from assets.catalog import model_catalog
from assets.chargeback import chargeback, chargeback_agrees
from assets.checks import accounting_checks, suite_checks
from assets.claims import claims_audit
from assets.commitments import commitments
from assets.dbt_resource import dbt_resource
from assets.incomplete import incomplete_pages_sensor
from assets.jobs import DAILY_JOB, DAILY_SCHEDULE
from assets.landing import landing_assets
from assets.logged import logged_cost
from assets.marts import build_marts
from assets.planning import spend_anomaly, spend_outlook, spend_series
from assets.prices import core_price, core_rate_card, price_history
from assets.progress import progress_logger
from assets.reconciliation import reconciliation
from assets.report import report_html
from assets.requests import core_request, raw_request_files
from assets.resources import WorkspaceResource
from assets.restatement import ACTS, restated_job
from assets.retention import REMOVALS, RETENTION_SCHEDULE, retention_job
from assets.routing import routing_measure_next, routing_move, routing_projection
from assets.selfhost import core_hardware, selfhost_breakeven
from assets.seller_limits import core_seller_limit
from assets.sensors import arrivals_job, arrivals_sensor, dead_mans_switch_sensor, late_days_sensor
from assets.served import served_as_asked, served_model_change
from assets.shadow import core_shadow_request, routing_off_policy, shadow_evidence
from assets.unit_cost import unit_cost
from assets.waste import waste


def build_defs(resource_overrides: Mapping[str, Any] | None = None) -> dg.Definitions:
    """Everything Dagster sees. `resource_overrides` replaces resources, for tests."""
    checks = [*suite_checks(), *accounting_checks(), chargeback_agrees, models_unchanged, served_as_asked]
    marts = build_marts()
    return dg.Definitions(
        assets=[
            *landing_assets,
            raw_request_files,
            core_price,
            core_rate_card,
            price_history,
            core_request,
            core_reported_cost,
            core_benchmark,
            request_drift,
            routing_projection,
            routing_move,
            claims_audit,
            routing_measure_next,
            core_hardware,
            core_seller_limit,
            selfhost_breakeven,
            core_shadow_request,
            shadow_evidence,
            routing_off_policy,
            model_catalog,
            marts,
            unit_cost,
            chargeback,
            commitments,
            waste,
            served_model_change,
            logged_cost,
            spend_series,
            spend_outlook,
            spend_anomaly,
            reconciliation,
            report_html,
            alerts,
            *ACTS,
            *REMOVALS,
        ],
        asset_checks=checks,
        jobs=[DAILY_JOB, restated_job(marts, checks), arrivals_job, retention_job],
        sensors=[
            arrivals_sensor,
            late_days_sensor,
            dead_mans_switch_sensor,
            abandoned_runs_sensor,
            incomplete_pages_sensor,
            failed_runs_sensor,
        ],
        schedules=[DAILY_SCHEDULE, RETENTION_SCHEDULE],
        resources={"mm": WorkspaceResource(), "dbt": dbt_resource, **(resource_overrides or {})},
        loggers={"progress": progress_logger},
    )


defs = build_defs()
