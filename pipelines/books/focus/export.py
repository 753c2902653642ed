"""Files of a FOCUS export: the month's charges, as they stand in the books, to CSV and Parquet."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import psycopg

from pipelines.books.focus.contracts import COLUMNS_OF_1_3, contract_commitments
from pipelines.books.focus.cost_and_usage import Exported, cost_and_usage
from pipelines.books.focus.principals import usage_by_principal
from pipelines.books.focus.supporting import billing_periods, commitment_prices, invoice_details, sku_prices
from pipelines.books.focus.versions import Version
from pipelines.books.periods import NOTHING_SHARED, book, book_commitments, book_shares, closed_periods, following
from pipelines.config.allocation import Allocation
from pipelines.config.commitments import Commitments
from pipelines.config.focus import BillingAccount
from pipelines.instants import midnight
from pipelines.landing.atomic import write_atomically
from pipelines.spreadsheets import without_formulas
from pipelines.warehouse.read import read_frame

_PRICES = """
    select price_id, region as price_region, context_from_tokens, time_window, reasoning_mode from core.price
    where price_id in (select price_id from mart.daily_charge union select price_id from core.booked_charge)
"""
_UPDATED = """
    select greatest(
        (select max(acted_at) from core.period_act where period = %(month)s),
        (select max(snapshot.observed_at) from raw.snapshot as snapshot join raw.loaded_file as loaded using (snapshot_id)
         where loaded.event_date >= %(month)s and loaded.event_date < %(end)s)
    )
"""
_SHEETS = """
    select
        contract_id, provider_id, (min(valid_from) at time zone 'UTC')::date,
        case when count(*) = count(valid_to) then (max(valid_to) at time zone 'UTC')::date end
    from core.price
    where contract_id <> '' and superseded_at is null
    group by contract_id, provider_id
    order by contract_id, provider_id
"""
_HISTORY = """
    select used.price_id::text as list_price_id, price.usd_per_million, price.valid_from, price.valid_to, price.recorded_at
    from core.price as used
    join core.price as price using (sku_id)
    where used.price_id::text = any(%(ids)s) and price.superseded_at is null and price.usd_per_million is not null
    order by used.price_id, price.valid_from
"""
_MODELS = "select model_id, developer, family from core.model"


def export_month(
    connection: psycopg.Connection[Any],
    month: date,
    version: Version,
    folder: Path,
    accounts: Mapping[str, BillingAccount],
    *,
    allocation: Allocation = NOTHING_SHARED,
    by_user: bool = False,
) -> tuple[Exported, list[Path]]:
    """Write Cost and Usage of the month that begins with `month`, as it stands in the books, into `folder`; the data set and the files.

    With `by_user` charges are split by the user and key that the log names. The CSV has numbers with a point and all their digits, instants in UTC as 2026-02-01T00:00:00Z, and nothing for null.
    """
    charges = book(connection, month)
    described = charges.join(read_frame(connection, _PRICES), on="price_id", how="left").join(
        read_frame(connection, _MODELS), on="model_id", how="left"
    )
    used = usage_by_principal(connection, charges["event_date"].unique().to_list()) if by_user else None
    shares = book_shares(connection, charges, allocation)
    found = cost_and_usage(
        described, month, version, accounts, shares=shares, used=used, commitments=book_commitments(connection, month)
    )
    return found, write_files(found.rows, folder, f"focus-{version}-cost-and-usage-{month:%Y-%m}")


def export_supporting(
    connection: psycopg.Connection[Any],
    month: date,
    version: Version,
    folder: Path,
    *,
    usage: pl.DataFrame,
    declared: Commitments,
) -> list[Path]:
    """Write the data sets that go with `usage`, the month's Cost and Usage, as far as `version` has them; the files.

    1.3 has contracts; 1.4 billing periods and invoice lines too, and with it comes the sheet of prices of the draft of 1.5.
    """
    if version == "1.2":
        return []
    updated = _updated(connection, month)
    contracts = contract_commitments(declared, connection.execute(_SHEETS).fetchall(), updated)
    if version == "1.3":
        return write_files(contracts.select(COLUMNS_OF_1_3), folder, f"focus-1.3-contract-commitment-{month:%Y-%m}")
    sets = {
        "1.4-contract-commitment": contracts,
        "1.4-billing-period": billing_periods(
            usage, month, is_closed=month in closed_periods(connection), updated=updated
        ),
        "1.4-invoice-detail": invoice_details(usage, updated=updated),
        "1.5-draft-sku-price": _price_sheet(
            _sku_prices(connection, usage), commitment_prices(usage, declared, updated=updated)
        ),
    }
    return [file for name, rows in sets.items() for file in write_files(rows, folder, f"focus-{name}-{month:%Y-%m}")]


def _updated(connection: psycopg.Connection[Any], month: date) -> datetime:
    """When what the export says was last changed: the last act on the month, or the last load of its requests' files."""
    row = connection.execute(_UPDATED, {"month": month, "end": following(month)}).fetchone()
    found: datetime = row[0] if row and row[0] else midnight(month)
    return found.astimezone(UTC)


def _price_sheet(listed: pl.DataFrame, of_commitments: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([listed, *([] if of_commitments.is_empty() else [of_commitments])]).sort(
        "ServiceProviderName", "SkuPriceId", "ContractId", "SkuPriceEffectiveStart", nulls_last=False
    )


def _sku_prices(connection: psycopg.Connection[Any], usage: pl.DataFrame) -> pl.DataFrame:
    charged = usage.filter(pl.col("ChargeCategory") == "Usage", pl.col("x_ListPriceId").is_not_null())
    used = charged.sort("ChargePeriodStart", descending=True).select(
        "SkuPriceId", "SkuId", "SkuMeter", "ServiceProviderName", "PricingUnit", list_price_id="x_ListPriceId"
    )
    used = used.unique("SkuPriceId", keep="first", maintain_order=True)
    contracted = (
        charged.filter(pl.col("x_ContractId").is_not_null())
        .group_by("SkuPriceId", "ListUnitPrice", "ContractedUnitPrice", ContractId="x_ContractId")
        .agg(pl.col("ChargePeriodStart").min().alias("since"), pl.col("ChargePeriodEnd").max().alias("until"))
    )
    history = read_frame(connection, _HISTORY, {"ids": used["list_price_id"].drop_nulls().to_list()})
    return sku_prices(used, history, contracted)


def write_files(rows: pl.DataFrame, folder: Path, name: str) -> list[Path]:
    """A CSV file and a Parquet file, which holds every text as it is."""
    files = [folder / f"{name}.csv", folder / f"{name}.parquet"]
    write_atomically(files[0], without_formulas(rows).write_csv(datetime_format="%Y-%m-%dT%H:%M:%SZ").encode())
    parquet = io.BytesIO()
    rows.write_parquet(parquet)
    write_atomically(files[1], parquet.getvalue())
    return files
