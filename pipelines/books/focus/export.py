"""Files of a FOCUS export: the month's charges, as they stand in the books, to CSV and Parquet."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import psycopg

from pipelines.books.focus.cost_and_usage import Exported, cost_and_usage
from pipelines.books.focus.versions import Version
from pipelines.books.periods import book
from pipelines.config.focus import BillingAccount
from pipelines.landing.atomic import write_atomically
from pipelines.warehouse.read import read_frame

_PRICES = """
    select price_id, region as price_region, context_from_tokens, time_window, reasoning_mode from core.price
    where price_id in (select price_id from mart.daily_charge union select price_id from core.booked_charge)
"""
_MODELS = "select model_id, developer, family from core.model"


def export_month(
    connection: psycopg.Connection[Any],
    month: date,
    version: Version,
    folder: Path,
    accounts: Mapping[str, BillingAccount],
) -> tuple[Exported, list[Path]]:
    """Write Cost and Usage of the month that begins with `month`, as it stands in the books, into `folder`; the data set and the files.

    The CSV has numbers with a point and all their digits, instants in UTC as 2026-02-01T00:00:00Z, and nothing for null.
    """
    charges = book(connection, month)
    described = charges.join(read_frame(connection, _PRICES), on="price_id", how="left").join(
        read_frame(connection, _MODELS), on="model_id", how="left"
    )
    found = cost_and_usage(described, month, version, accounts)
    name = f"focus-{version}-cost-and-usage-{month:%Y-%m}"
    files = [folder / f"{name}.csv", folder / f"{name}.parquet"]
    write_atomically(files[0], found.rows.write_csv(datetime_format="%Y-%m-%dT%H:%M:%SZ").encode())
    parquet = io.BytesIO()
    found.rows.write_parquet(parquet)
    write_atomically(files[1], parquet.getvalue())
    return found, files
