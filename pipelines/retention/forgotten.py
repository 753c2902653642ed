"""End users who asked to be forgotten: another name, or none, stands in their place, in what is loaded and whenever it is loaded again.

Costs, tokens and counts of requests stay as they are. What the landing zone holds is its owner's to change.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import polars as pl
import psycopg

from pipelines.config.allocation import UNATTRIBUTED
from pipelines.planning.drivers import driven_by
from pipelines.records.store import shared_values
from pipelines.warehouse.advisory_locks import exclusive
from pipelines.warehouse.database import Database
from pipelines.warehouse.day_files import forget_day_file, remove_day_files
from pipelines.warehouse.read import read_table
from pipelines.warehouse.tables.core import FORGOTTEN_USER

_COLUMN = "end_user_id"


@dataclass(frozen=True)
class Forgotten:
    """What was changed for one end user, and where files still name them."""

    requests: int
    billed_rows: int
    quarantined: int
    replacement: str | None
    snapshot_ids: tuple[bytes, ...]
    """Files of the landing zone of which the parsed store holds rows that name them."""


def forget(database: Database, store: Path, day_files: Path, user: str, *, is_erased: bool) -> Forgotten:
    """Put a random name in the place of `user` everywhere in the warehouse, or none with `is_erased`; and note it for later loads."""
    replacement = None if is_erased else f"forgotten-{secrets.token_hex(8)}"
    noted = FORGOTTEN_USER.qualified
    with exclusive(database, "retention"), database.connect() as connection, connection.transaction():
        connection.execute(
            f"insert into {noted} values (%s, %s, %s) on conflict (user_sha256) do update set "
            "replacement = excluded.replacement, forgotten_at = excluded.forgotten_at".encode(),
            [_digest(user), replacement, datetime.now(UTC)],
        )
        days = connection.execute(
            f"select distinct event_date from core.request where {_COLUMN} = %s".encode(), [user]
        ).fetchall()
        for (day,) in days:
            forget_day_file(connection, day)
        requests, billed = (
            connection.execute(
                f"update {table} set {_COLUMN} = %s where {_COLUMN} = %s".encode(), [replacement, user]
            ).rowcount
            for table in ("core.request", "core.reported_cost")
        )
        _rename_spend(connection, user, replacement or UNATTRIBUTED)
        _rename_events(connection, user, replacement or UNATTRIBUTED)
        quarantined = connection.execute(
            "update raw.quarantine set fields = null where position(%s in fields::text) > 0",
            [json.dumps(user, ensure_ascii=False)],
        ).rowcount
    for (day,) in days:
        remove_day_files(day_files, day)
    return Forgotten(requests, billed, quarantined, replacement, tuple(_naming(store, user)))


_RENAME_SPEND = """
    with gone as (
        delete from mart.daily_end_user_spend
        where
            end_user in (%(user)s, %(name)s)
            and event_date in (select event_date from mart.daily_end_user_spend where end_user = %(user)s)
        returning *
    )
    insert into mart.daily_end_user_spend (event_date, end_user, requests, unpriced_requests, list_cost_usd, effective_cost_usd)
    select
        event_date, %(name)s, sum(requests)::bigint, sum(unpriced_requests)::bigint, sum(list_cost_usd)::numeric(38, 18),
        sum(effective_cost_usd)::numeric(38, 18)
    from gone
    group by event_date
"""


def _rename_spend(connection: psycopg.Connection[object], user: str, name: str) -> None:
    """What the user spent is that of `name`, added to what stands under it already."""
    connection.execute(_RENAME_SPEND, {"user": user, "name": name})


def _rename_events(connection: psycopg.Connection[object], user: str, name: str) -> None:
    """Events of spend that the user drove, and what was sent of them: they keep their money."""
    phrase, renamed = (driven_by("user", each) for each in (user, name))
    connection.execute(
        "update mart.spend_anomaly set driver_value = %s, explanation = replace(explanation, %s, %s) "
        "where driver = 'user' and driver_value = %s",
        [name, phrase, renamed, user],
    )
    connection.execute(
        "update core.alert set detail = replace(detail, %s, %s) where kind = 'anomaly' and position(%s in detail) > 0",
        [phrase, renamed, phrase],
    )


def forgotten_users(connection: psycopg.Connection[object]) -> dict[str, str | None]:
    """What stands in whose place, by the digest of the name."""
    rows = read_table(connection, FORGOTTEN_USER)
    return dict(zip(rows["user_sha256"], rows["replacement"], strict=True))


def without_forgotten(rows: pl.DataFrame, forgotten: Mapping[str, str | None]) -> pl.DataFrame:
    """`rows` with what stands in the place of forgotten users in its column end_user_id."""
    if not forgotten:
        return rows
    users = rows[_COLUMN].drop_nulls().unique().to_list()
    replaced = {user: forgotten[key] for user in users if (key := _digest(user)) in forgotten}
    if not replaced:
        return rows
    return rows.with_columns(
        pl.col(_COLUMN).replace(list(replaced), pl.Series(list(replaced.values()), dtype=pl.String))
    )


def _digest(user: str) -> str:
    return sha256(user.encode()).hexdigest()


def _naming(store: Path, user: str) -> Iterator[bytes]:
    """The files of which the store holds rows of the user."""
    found = {bytes.fromhex(path.name[:32]) for path in store.glob("*/*.parquet") if _names(path, user)}
    return iter(sorted(found))


def _names(path: Path, user: str) -> bool:
    if _COLUMN in pl.read_parquet_schema(path):
        rows = pl.scan_parquet(path).filter(pl.col(_COLUMN) == user)
        return bool(rows.select(pl.len()).collect().item())
    return shared_values(path).get(_COLUMN) == user
