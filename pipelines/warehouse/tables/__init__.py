"""Every table of modelmeter, described once.

Row contracts, the migration check, Dagster column schemas, Postgres comments, dbt's column documentation
and the data dictionary are all derived from these descriptions.
"""

from __future__ import annotations

from pipelines.warehouse.tables.bills import BILL_DUPLICATE, REPORTED_COST
from pipelines.warehouse.tables.core import FORGOTTEN_USER, MODEL, MODEL_ALIAS, REQUEST
from pipelines.warehouse.tables.core_alerts import CORE_ALERT_TABLES
from pipelines.warehouse.tables.core_benchmarks import CORE_BENCHMARK_TABLES
from pipelines.warehouse.tables.core_books import CORE_BOOK_TABLES
from pipelines.warehouse.tables.core_limits import SELLER_LIMIT
from pipelines.warehouse.tables.core_prices import CORE_PRICE_TABLES
from pipelines.warehouse.tables.core_routing import CORE_ROUTING_TABLES
from pipelines.warehouse.tables.core_shadow import SHADOW_REQUEST
from pipelines.warehouse.tables.mart import (
    DAILY_END_USER_SPEND,
    DAILY_EXPLORER_SPEND,
    DAILY_ITEM_SPEND,
    DAILY_METER_SPEND,
    DAILY_TAG_SPEND,
    SPEND_TABLES,
)
from pipelines.warehouse.tables.mart_behaviour import MART_BEHAVIOUR_TABLES
from pipelines.warehouse.tables.mart_benchmarks import MART_BENCHMARK_TABLES
from pipelines.warehouse.tables.mart_catalog import MODEL_CATALOG
from pipelines.warehouse.tables.mart_charges import MART_CHARGE_TABLES
from pipelines.warehouse.tables.mart_commitments import MART_COMMITMENT_TABLES
from pipelines.warehouse.tables.mart_economics import DEARER_SELLER, SERVED_MODEL_CHANGE, UNIT_COST, WASTE
from pipelines.warehouse.tables.mart_evidence import MART_EVIDENCE_TABLES
from pipelines.warehouse.tables.mart_logged import MART_LOGGED_TABLES
from pipelines.warehouse.tables.mart_planning import MART_PLANNING_TABLES
from pipelines.warehouse.tables.mart_prices import MART_PRICE_TABLES
from pipelines.warehouse.tables.mart_reconciliation import RECONCILIATION
from pipelines.warehouse.tables.mart_routing import MART_ROUTING_TABLES
from pipelines.warehouse.tables.raw import RAW_TABLES
from pipelines.warehouse.tables.selfhost import SELFHOST_TABLES
from pipelines.warehouse.tables.spec import Column, Table

TABLES: tuple[Table, ...] = (
    *RAW_TABLES,
    BILL_DUPLICATE,
    MODEL,
    MODEL_ALIAS,
    *CORE_PRICE_TABLES,
    REQUEST,
    FORGOTTEN_USER,
    *CORE_BENCHMARK_TABLES,
    REPORTED_COST,
    *CORE_BOOK_TABLES,
    *MART_CHARGE_TABLES,
    *MART_COMMITMENT_TABLES,
    RECONCILIATION,
    SELLER_LIMIT,
    *MART_PLANNING_TABLES,
    *CORE_ALERT_TABLES,
    *CORE_ROUTING_TABLES,
    *SPEND_TABLES,
    DAILY_ITEM_SPEND,
    DAILY_METER_SPEND,
    DAILY_EXPLORER_SPEND,
    DAILY_END_USER_SPEND,
    DAILY_TAG_SPEND,
    UNIT_COST,
    WASTE,
    DEARER_SELLER,
    SERVED_MODEL_CHANGE,
    *MART_LOGGED_TABLES,
    *MART_ROUTING_TABLES,
    SHADOW_REQUEST,
    *MART_BENCHMARK_TABLES,
    *MART_BEHAVIOUR_TABLES,
    *MART_PRICE_TABLES,
    *MART_EVIDENCE_TABLES,
    *SELFHOST_TABLES,
    MODEL_CATALOG,
)
TABLES_BY_NAME: dict[str, Table] = {table.qualified: table for table in TABLES}

__all__ = ["TABLES", "TABLES_BY_NAME", "Column", "Table"]
