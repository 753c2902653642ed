"""Files of a FOCUS export: the month's charges from the warehouse to CSV and Parquet."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg

from pipelines.books.focus.cost_and_usage import Exported, cost_and_usage
from pipelines.books.focus.versions import Version
from pipelines.config.focus import BillingAccount
from pipelines.landing.atomic import write_atomically
from pipelines.warehouse.read import read_frame

_CHARGES = """
    select
        charges.*, card.region as card_region, card.context_from_tokens, card.time_window, card.reasoning_mode,
        model.developer, model.family
    from mart.daily_charge as charges
    left join core.rate_card as card on charges.rate_id = card.rate_id
    left join core.model as model on charges.model_id = model.model_id
    where charges.event_date >= %(from)s and charges.event_date < %(to)s
"""


def export_month(
    connection: psycopg.Connection[Any],
    month: date,
    version: Version,
    folder: Path,
    accounts: Mapping[str, BillingAccount],
) -> tuple[Exported, list[Path]]:
    """Write Cost and Usage of the month that begins with `month` into `folder`; the data set and the files.

    The CSV has numbers with a point and all their digits, instants in UTC as 2026-02-01T00:00:00Z, and nothing for null.
    """
    following = (month.replace(day=28) + timedelta(days=4)).replace(day=1)
    found = cost_and_usage(read_frame(connection, _CHARGES, {"from": month, "to": following}), month, version, accounts)
    name = f"focus-{version}-cost-and-usage-{month:%Y-%m}"
    files = [folder / f"{name}.csv", folder / f"{name}.parquet"]
    write_atomically(files[0], found.rows.write_csv(datetime_format="%Y-%m-%dT%H:%M:%SZ").encode())
    parquet = io.BytesIO()
    found.rows.write_parquet(parquet)
    write_atomically(files[1], parquet.getvalue())
    return found, files
