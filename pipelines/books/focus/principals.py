"""Which user and which key made the calls behind a charge: FOCUS's PrincipalId and CredentialId of 1.5, before that with x_.

Charges have neither, since their number would be that of the users. An export splits them on demand by what the log names, meter by meter, in proportion to
what each used; the parts add up to the charge. Calls that the warehouse no longer holds leave a charge whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import polars as pl
import psycopg

from pipelines.books.allocation import split
from pipelines.meters import PRICED_METERS
from pipelines.warehouse.read import read_frame
from pipelines.warehouse.tables.mart_charges import REST

PRINCIPALS = ("principal", "credential")
_GRAIN = (
    "event_date", "provider_id", "model_id", "service_tier", "region", "team", "project", "cost_centre", "environment", "application",
    "rate_id", "unpriced_reason",
)  # fmt: skip
"""What a charge is one of, besides its meter; openness follows from the model."""
_METERS = tuple(meter.name for meter in PRICED_METERS)
_USED = f"""
    select
        {", ".join(_GRAIN)}, coalesce(end_user_id, '') as principal, coalesce(api_key, '') as credential,
        {", ".join(f"sum({name})::bigint as {name}" for name in _METERS)}
    from staging.stg_request
    where event_date = any(%s)
    group by {", ".join(_GRAIN)}, coalesce(end_user_id, ''), coalesce(api_key, '')
    order by {", ".join(_GRAIN)}, principal, credential
"""


def usage_by_principal(connection: psycopg.Connection[Any], days: Sequence[date]) -> pl.DataFrame:
    """What each user and key used on the days, by the grain of charges: a column for each meter."""
    return read_frame(connection, _USED, (list(days),))


def by_principal(charges: pl.DataFrame, used: pl.DataFrame | None, amounts: Sequence[str]) -> pl.DataFrame:
    """`charges` with PRINCIPALS, each split in `amounts` by who used it; null where no log names anybody, or `used` is not given."""
    if used is None:
        return charges.with_columns(pl.lit(None, pl.String).alias(name) for name in PRINCIPALS)
    users: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in used.iter_rows(named=True):
        users.setdefault(tuple(row[name] for name in _GRAIN), []).append(row)
    schema = {**charges.schema, **dict.fromkeys(PRINCIPALS, pl.String())}
    rows = (
        part
        for row in charges.iter_rows(named=True)
        for part in _parts(row, users.get(tuple(row[name] for name in _GRAIN), ()), amounts)
    )
    return pl.DataFrame(rows, schema=schema, orient="row")


def _parts(row: dict[str, Any], users: Sequence[dict[str, Any]], amounts: Sequence[str]) -> Iterator[dict[str, Any]]:
    meter = "request" if row["meter"] == REST else row["meter"]
    found = [user for user in users if user[meter]]
    if not found:
        yield {**row, **dict.fromkeys(PRINCIPALS)}
        return
    splits = {name: split(row[name], [user[meter] for user in found]) for name in amounts if row[name] is not None}
    for place, user in enumerate(found):
        own = {name: splits[name][place] if name in splits else None for name in amounts}
        yield {**row, **own, **{name: user[name] or None for name in PRINCIPALS}}
