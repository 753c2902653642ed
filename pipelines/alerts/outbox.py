"""The record of events and of what was sent: `core.alert` and `core.alert_delivery`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg

from pipelines.alerts.channels import Message, send
from pipelines.alerts.events import Alert
from pipelines.config.alerts import Channel
from pipelines.ids import as_uuid
from pipelines.warehouse.advisory_locks import exclusive
from pipelines.warehouse.database import Database

TRIED_FOR = timedelta(days=7)
"""How long an event is tried again: later nobody wants to hear of it."""

_RECORD = """
    insert into core.alert (alert_id, kind, raised_at, event_date, title, detail, usd, link)
    values (%s, %s, %s, %s, %s, %s, %s, %s)
    on conflict (alert_id) do nothing
"""
_PENDING = """
    select alert.alert_id, alert.kind, alert.event_date, alert.title, alert.detail, alert.usd, alert.link
    from core.alert as alert
    left join core.alert_delivery as delivery on delivery.alert_id = alert.alert_id and delivery.channel = %(channel)s
    where
        delivery.sent_at is null and alert.kind = any(%(kinds)s) and alert.raised_at > %(since)s
        and (alert.usd is null or abs(alert.usd) >= %(min_usd)s)
    order by alert.raised_at, alert.event_date, alert.kind, alert.title, alert.alert_id
"""
_TRIED = """
    insert into core.alert_delivery (alert_id, channel, attempts, attempted_at, sent_at, problem)
    values (%s, %s, 1, %s, %s, %s)
    on conflict (alert_id, channel) do update
    set attempts = alert_delivery.attempts + 1, attempted_at = excluded.attempted_at, sent_at = excluded.sent_at,
        problem = excluded.problem
"""


@dataclass(frozen=True)
class Pending:
    """An event that a channel has not got yet."""

    alert_id: Any
    kind: str
    event_date: date
    title: str
    detail: str
    usd: Decimal | None
    link: str


@dataclass(frozen=True)
class Delivered:
    """What became of the events of one channel."""

    channel: str
    sent: int
    waiting: int
    problem: str | None


def record(database: Database, alerts: Sequence[Alert]) -> int:
    """Record events; how many were not known yet."""
    now = datetime.now(UTC)
    with database.connect() as connection:
        return sum(
            connection.execute(
                _RECORD,
                [as_uuid(alert.alert_id), alert.kind, now, alert.event_date, alert.title, alert.detail, alert.usd, alert.link],
            ).rowcount
            for alert in alerts
        )  # fmt: skip


def deliver(
    database: Database, channels: Sequence[Channel], sending: Callable[[Channel, Message], str | None] = send
) -> list[Delivered]:
    """Send every channel what it has not got. One that fails costs the others nothing, and is tried again at the next run."""
    with exclusive(database, "alerts"):  # two at once would send the same
        return [_deliver(database, channel, sending) for channel in channels]


def _deliver(database: Database, channel: Channel, sending: Callable[[Channel, Message], str | None]) -> Delivered:
    with database.connect() as connection:
        waiting = pending(connection, channel)
    is_digest = len(waiting) > channel.digest_above
    sent, problem = 0, None
    for batch in [waiting] if is_digest else [[one] for one in waiting]:
        if batch and problem is None:
            problem = sending(channel, _message(batch))
            with database.connect() as connection:  # at once: what was sent and is not recorded is sent again
                _note(connection, channel, batch, problem)
            sent += 0 if problem else len(batch)
    return Delivered(channel.channel, sent, len(waiting) - sent, problem)


def pending(connection: psycopg.Connection[Any], channel: Channel) -> list[Pending]:
    """The events of the last week that a channel wants and has not got, in order."""
    wanted = {
        "channel": channel.channel,
        "kinds": list(channel.kinds),
        "since": datetime.now(UTC) - TRIED_FOR,
        "min_usd": channel.min_usd,
    }
    return [Pending(*row) for row in connection.execute(_PENDING, wanted).fetchall()]


def _note(connection: psycopg.Connection[Any], channel: Channel, batch: Sequence[Pending], problem: str | None) -> None:
    now = datetime.now(UTC)
    for one in batch:
        connection.execute(_TRIED, [one.alert_id, channel.channel, now, None if problem else now, problem])


def _message(batch: Sequence[Pending]) -> Message:
    if len(batch) == 1:
        (one,) = batch
        return Message(f"modelmeter: {one.title}", f"{one.detail}\n{one.link}")
    lines = [f"- {one.title}: {one.detail}" for one in batch]
    links = dict.fromkeys(one.link for one in batch)
    return Message(f"modelmeter: {len(batch)} events", "\n".join([*lines, *links]))


@dataclass(frozen=True)
class Raised:
    """An event of the last week, and how it stands with each channel that wants it."""

    event_date: date
    kind: str
    title: str
    detail: str
    usd: Decimal | None
    link: str
    states: dict[str, str]

    def described(self) -> dict[str, Any]:
        """For JSON."""
        return {
            **asdict(self),
            "event_date": str(self.event_date),
            "usd": None if self.usd is None else f"{self.usd:f}",
        }


def history(connection: psycopg.Connection[Any], channels: Sequence[Channel]) -> list[Raised]:
    """The events of the last week, the newest first."""
    since = datetime.now(UTC) - TRIED_FOR
    tried = {
        (uid, name): (sent, attempts, problem)
        for uid, name, sent, attempts, problem in connection.execute(
            "select alert_id, channel, sent_at, attempts, problem from core.alert_delivery"
        ).fetchall()
    }
    rows = connection.execute(
        "select alert_id, event_date, kind, title, detail, usd, link from core.alert where raised_at > %s "
        "order by raised_at desc, event_date desc, kind, title",
        [since],
    ).fetchall()
    return [
        Raised(
            event_date,
            kind,
            title,
            detail,
            usd,
            link,
            {
                channel.channel: _state(tried.get((uid, channel.channel)))
                for channel in channels
                if kind in channel.kinds and (usd is None or abs(usd) >= channel.min_usd)
            },
        )
        for uid, event_date, kind, title, detail, usd, link in rows
    ]


def _state(tried: tuple[datetime | None, int, str | None] | None) -> str:
    if tried is None:
        return "waits for the next run"
    sent, attempts, problem = tried
    if sent is not None:
        return f"sent on {sent:%Y-%m-%d %H:%M} UTC"
    return f"waits, tried {attempts} times: {problem}"
