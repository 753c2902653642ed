"""`modelmeter rerate`: loaded days rated again under what is known now, or was known at an instant, and compared.

Rating and the reasons are `pipelines.prices`; here are the days, the one transaction that restates `core.request`,
and the record in `mart.cost_restatement`. The marts of restated days are built by the Dagster job of their assets.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any

import polars as pl
import psycopg
import pyarrow as pa
from psycopg import sql

from pipelines.config.periods import Periods
from pipelines.daily.days import Window
from pipelines.daily.prices import refresh_prices, refresh_rate_card
from pipelines.ids import id_bytes, id_column
from pipelines.models import Registry
from pipelines.outside import worded
from pipelines.prices import DECIDED, believed, build_rate_card, changed_requests, rerate, restatement_lines
from pipelines.quality import spend_agrees
from pipelines.retention.facts import days_of_facts, restate_facts
from pipelines.warehouse.bulk_copy import copy_frame
from pipelines.warehouse.day_files import forget_day_file
from pipelines.warehouse.errors import WarehouseError
from pipelines.warehouse.names import table_name
from pipelines.warehouse.partitions import loaded_days
from pipelines.warehouse.read import read_frame, read_table
from pipelines.warehouse.replace import replace_rows
from pipelines.warehouse.tables import Table
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.core_prices import FX_RATE, PRICE
from pipelines.warehouse.tables.mart_prices import COST_RESTATEMENT
from pipelines.workspace import Workspace
from pipelines.workspace.model_registry import registry_of

_KEY = ("event_date", "request_uid")
_ADDED = ("line_id", "restatement_id", "is_closed", "applied_at")
_NO_LINES = pl.DataFrame(schema={n: t for n, t in COST_RESTATEMENT.polars_schema.items() if n not in _ADDED})
_STAGE = Table(
    "pg_temp",
    "restated",
    "Requests that are restated, with what is decided about them now.",
    "one row per request",
    [column for column in REQUEST.columns if column.name in (*_KEY, *DECIDED)],
    _KEY,
)


@dataclass(frozen=True)
class RerateOutcome:
    """What a re-rating found and did. `days` are the loaded ones looked at, costs their effective cost in USD.

    `lines` are the rows recorded in mart.cost_restatement; `restatement_id` is None if nothing differs.
    """

    restatement_id: bytes | None
    known_at: datetime
    days: list[date]
    requests: int
    requests_changed: int
    cost_before_usd: Decimal
    cost_after_usd: Decimal
    lines: pl.DataFrame
    days_applied: list[date]
    days_left_closed: list[date]

    @property
    def delta_usd(self) -> Decimal:
        """After less before, an unknown cost counted as 0."""
        with localcontext(prec=76):
            return self.cost_after_usd - self.cost_before_usd

    @property
    def days_changed(self) -> list[date]:
        """Days of which at least one request differs."""
        return self.lines["event_date"].unique().sort().to_list()


@dataclass(frozen=True)
class _Rating:
    """What days are rated with: the ledger, the cards known at an instant, and the names known then."""

    prices: pl.DataFrame
    fx_rates: pl.DataFrame
    rate_card: pl.DataFrame
    registry: Registry
    known_at: datetime


@dataclass(frozen=True)
class _Day:
    """One day compared: totals, lines, and what would be written."""

    day: date
    requests: int
    cost_before: Decimal
    cost_after: Decimal
    changed: pl.DataFrame
    lines: pl.DataFrame


def rerate_days(
    workspace: Workspace,
    window: Window | None,
    *,
    known_at: datetime | None,
    apply: bool,
    reopen: bool,
) -> RerateOutcome:
    """Rate the loaded days of `window` (None: all) as known at `known_at` (None: now) and record what differs.

    The ledger is first brought up to date with the landing zone. With `apply` the days are restated, all in one
    transaction together with their record; a closed day only with `reopen`. Readers see the old rows until it
    commits, and a load of the same days waits. The marts are not touched here.

    Raises WarehouseError where no price at all was known at `known_at`.
    """
    refresh_prices(workspace)
    refresh_rate_card(workspace)
    rating = _rating(workspace, known_at)
    periods = workspace.config.periods
    with workspace.database.connect() as connection, _alone(connection, apply):
        days = [d for d in loaded_days(connection, REQUEST) if window is None or window.from_date <= d < window.to_date]
        compared, applied = [], set[date]()
        for day in days:
            found = _compared(workspace, connection, day, rating)
            compared.append(found)
            if apply and found.changed.height and (reopen or not periods.is_closed(day)):
                _restate(connection, found.changed)
                applied.add(day)
        lines = _with_state(pl.concat([_NO_LINES, *(day.lines for day in compared)]), periods, applied)
        lines = _record(connection, days, rating.known_at, lines)
    if apply:
        _restate_facts(workspace, days)
    left = [found.day for found in compared if found.changed.height and found.day not in applied]
    return _outcome(rating, compared, lines, sorted(applied), left if apply else [])


def _outcome(
    rating: _Rating, compared: Sequence[_Day], lines: pl.DataFrame, applied: list[date], left_closed: list[date]
) -> RerateOutcome:
    with localcontext(prec=76):
        before = sum((day.cost_before for day in compared), Decimal(0))
        after = sum((day.cost_after for day in compared), Decimal(0))
    return RerateOutcome(
        restatement_id=None if lines.is_empty() else lines["restatement_id"][0],
        known_at=rating.known_at,
        days=[day.day for day in compared],
        requests=sum(day.requests for day in compared),
        requests_changed=sum(day.changed.height for day in compared),
        cost_before_usd=before,
        cost_after_usd=after,
        lines=lines,
        days_applied=applied,
        days_left_closed=left_closed,
    )


def days_behind(workspace: Workspace, days: list[date]) -> list[date]:
    """Those of `days` whose spend marts are not what core.request holds, as after a restatement killed before them."""
    with workspace.database.connect(read_only=True) as connection:
        return [d for d in days if not spend_agrees(connection, d, d + timedelta(days=1)).success]


def _rating(workspace: Workspace, known_at: datetime | None) -> _Rating:
    with workspace.database.connect(read_only=True) as connection:
        prices, fx_rates = read_table(connection, PRICE), read_table(connection, FX_RATE)
    ledger = pl.concat([frame.select("recorded_at", "superseded_at") for frame in (prices, fx_rates)])
    changes = pl.concat([ledger["recorded_at"], ledger["superseded_at"].rename("recorded_at")]).drop_nulls().sort()
    instant: datetime | None = known_at or (None if changes.is_empty() else changes[-1])
    if instant is None or believed(prices, instant).is_empty():
        when = "in the ledger" if known_at is None else f"at {known_at:%Y-%m-%d %H:%M} UTC"
        first = "" if changes.is_empty() else f"The first was recorded at {changes[0]:%Y-%m-%d %H:%M} UTC."
        raise WarehouseError(f"no price was known {when}, so nothing can be rated. {first}".rstrip())
    discounts = workspace.config.commitments.discounts
    cards = build_rate_card(
        prices, workspace.config.sources.prices, known_at=instant, fx_rates=fx_rates, discounts=discounts
    )
    return _Rating(prices, fx_rates, cards, registry_of(workspace, known_at=known_at), instant)


@contextmanager
def _alone(connection: psycopg.Connection[Any], apply: bool) -> Iterator[None]:
    """One transaction; when days are restated, no other writer of core.request until it ends. Readers go on."""
    try:
        with connection.transaction():
            if apply:
                connection.execute(sql.SQL("lock table {} in share row exclusive mode").format(table_name(REQUEST)))
            yield
    except psycopg.errors.LockNotAvailable:
        raise WarehouseError(
            "another load keeps core.request or mart.cost_restatement locked; nothing was changed. Run again when it has "
            "ended (select pid, query from pg_stat_activity)."
        ) from None


def _compared(workspace: Workspace, connection: psycopg.Connection[Any], day: date, rating: _Rating) -> _Day:
    booked = read_table(connection, REQUEST, "event_date = %s", (day,))
    after = rerate(booked, rating.rate_card, rating.registry, calendars=workspace.config.calendars.days)
    changed = changed_requests(booked, after)
    lines = restatement_lines(
        changed,
        rating.prices,
        workspace.config.sources.prices,
        rating.rate_card,
        fx_rates=rating.fx_rates,
        known_at=rating.known_at,
        discounts=workspace.config.commitments.discounts,
    )
    before, new = (Decimal(frame["effective_cost_usd"].sum()) for frame in (booked, after))
    return _Day(day, booked.height, before, new, changed, lines)


def _restate(connection: psycopg.Connection[Any], changed: pl.DataFrame) -> None:
    """Replace the booked decisions by those of now, row by row in place."""
    rows = changed.select(
        column.name if column.name in _KEY else pl.col(f"{column.name}_after").alias(column.name)
        for column in _STAGE.columns
    )
    stage = sql.Identifier("pg_temp", _STAGE.name)
    columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in _STAGE.columns)
    connection.execute(
        sql.SQL("create temporary table {} on commit drop as select {} from {} with no data").format(
            sql.Identifier(_STAGE.name), columns, table_name(REQUEST)
        )
    )
    copy_frame(connection, _STAGE, rows, into=stage)
    done = connection.execute(
        sql.SQL(
            "update {} as booked set {} from {} as restated "
            "where booked.event_date = restated.event_date and booked.request_uid = restated.request_uid"
        ).format(
            table_name(REQUEST),
            sql.SQL(", ").join(sql.SQL("{0} = restated.{0}").format(sql.Identifier(name)) for name in DECIDED),
            stage,
        )
    )
    connection.execute(sql.SQL("drop table {}").format(stage))
    for day in rows["event_date"].unique():
        forget_day_file(connection, day)
    if done.rowcount != rows.height:
        raise WarehouseError(f"{done.rowcount} of {rows.height} requests could be restated; nothing was changed")


def _restate_facts(workspace: Workspace, days: Collection[date]) -> None:
    """Let the fact files of the engine spark follow core.request, those too that a killed restatement left behind.

    Raises WarehouseError where they can't be written: the same command makes good for it.
    """
    root = workspace.settings.facts_root
    try:
        for day in [day for day in days_of_facts(root) if day in days]:
            with workspace.database.connect(read_only=True) as connection:
                query = f"select request_uid, {', '.join(DECIDED)} from core.request where event_date = %s"
                decided = read_frame(connection, query, [day])
            schema = {name: REQUEST.polars_schema[name] for name in decided.columns}
            restate_facts(root, day, decided.cast(schema))  # type: ignore[arg-type]
    except (OSError, pa.ArrowException) as error:
        raise WarehouseError(
            f"core.request is restated, and the files in MODELMETER_FACTS are not: {worded(error)}. Run the same command again."
        ) from None


def _with_state(lines: pl.DataFrame, periods: Periods, applied: Collection[date]) -> pl.DataFrame:
    """Adds is_closed, and is_applied: whether the line's day was restated."""
    days = lines["event_date"].to_list()
    return lines.with_columns(
        pl.Series("is_closed", [periods.is_closed(day) for day in days], dtype=pl.Boolean),
        pl.Series("is_applied", [day in applied for day in days], dtype=pl.Boolean),
    )


def _record(
    connection: psycopg.Connection[Any], days: list[date], known_at: datetime, lines: pl.DataFrame
) -> pl.DataFrame:
    """Write and return the rows of mart.cost_restatement; none where nothing differs."""
    if lines.is_empty():
        return COST_RESTATEMENT.empty()
    row = connection.execute(
        "select count(distinct restatement_id), now() from mart.cost_restatement "
        "where applied_at is not null and event_date = any(%s)",
        [days],
    ).fetchone()
    earlier, now = row or (0, None)
    text = _as_text(lines.drop("is_closed", "is_applied"))
    contents = [line.hex() for line in id_column(text, text.columns)]
    run = id_bytes("restatement", str(days[0]), str(days[-1]), known_at.isoformat(), str(earlier), *contents)
    recorded = lines.with_columns(
        pl.Series("line_id", [id_bytes("line", run.hex(), line) for line in contents], dtype=pl.Binary),
        pl.lit(run).alias("restatement_id"),
        pl.when("is_applied").then(pl.lit(now)).cast(pl.Datetime("us", "UTC")).alias("applied_at"),
    ).select(COST_RESTATEMENT.polars_schema.names())
    replace_rows(connection, COST_RESTATEMENT, recorded, {"restatement_id": [run]})
    return recorded


def _as_text(lines: pl.DataFrame) -> pl.DataFrame:
    return lines.select(
        pl.col(pl.Binary).bin.encode("hex"),
        pl.col(pl.Datetime).dt.to_string("iso"),
        pl.exclude(pl.Binary, pl.Datetime).cast(pl.String),
    ).select(lines.columns)
