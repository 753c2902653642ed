"""One window of one report of an API, page by page, as exact bytes.

The table in `connectors.py` says where and how an API is asked; `pipelines.fetch.client` sends one request. No part
of an answer is used as an address. No redirect is followed to another origin, and none at all with a secret in the
headers.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from pipelines.config.pull import ApiPull
from pipelines.fetch.client import Attempts, Clients, FetchLimits, Query, get, safe_url
from pipelines.fetch.paging import PagingError, at, first_page, next_page
from pipelines.pull.connectors import CONNECTORS, Connector, Time
from pipelines.pull.landed import ANSWERS, Packing, Page
from pipelines.pull.reader import PullError, time_plan
from pipelines.pull.windows import INSTANTS, Bounds, Plan, Window, instant

MAX_PAGES = 100_000
"""The limit for one window, so that a server whose pages never end is given up."""


@dataclass
class Api:
    """A declared API, and the connection to it."""

    connector: Connector
    pull: ApiPull
    headers: Mapping[str, str]
    clients: Clients
    limits: FetchLimits
    attempts: Attempts

    packing: Packing = ANSWERS
    bounds: Bounds = INSTANTS

    def plan(self, now: datetime) -> Plan:
        """Which windows may be asked for at an instant."""
        c = self.connector
        return time_plan(self.pull, now, look_back_days=c.days, whole_days=c.whole_days, oldest_days=c.oldest_days)

    @property
    def place(self) -> str:
        """Scheme and host, with the path before the API's own."""
        return self.pull.url or self.connector.origin or ""

    def said_at(self, record: object) -> str | None:
        """When a record says that it was."""
        said = at(record, self.connector.at)
        if isinstance(said, int) and self.connector.time == "epoch":
            return self.bounds.text(said)
        return said if isinstance(said, str) else None

    @property
    def minutes(self) -> float:
        """How long a run may take for one report."""
        return self.pull.minutes

    @property
    def calls(self) -> int:
        """How often the API was asked so far."""
        return self.attempts.count

    @property
    def reports(self) -> list[str]:
        """The reports that are asked for. Raises PullError where a declared one does not exist."""
        known = list(self.connector.reports)
        if unknown := [name for name in self.pull.reports if name not in known]:
            raise PullError(f"pull.reports: no such report as {', '.join(unknown)}; accepted are {', '.join(known)}")
        return list(self.pull.reports) or known

    def unread(self) -> None:
        """Nothing: an API can be asked for any window."""

    def address(self, report: str) -> str:
        """The URL of a report, without parameters. Raises PullError where the declaration names no server and there is no public one."""
        origin = self.pull.url or self.connector.origin
        if origin is None:
            raise PullError("pull.url is needed: scheme and host of your own server")
        return origin.rstrip("/") + self.connector.reports[report]

    def pages(self, report: str, window: Window) -> Iterator[Page]:
        """Each page. Raises FetchError or PullError; then the window is incomplete."""
        asked = self._asked(report, window)
        seen: set[str] = set()
        read: set[str] = set()
        turn: dict[str, Any] | None = first_page(self.connector.paging)
        while turn is not None:
            key = json.dumps(turn, sort_keys=True)
            where = f"{safe_url(self.address(report))}: page {len(seen) + 1} of the window from {instant(window.start):%Y-%m-%d %H:%M}"
            if key in seen:
                raise PullError(f"{where} leads back to a page that was read")
            if len(seen) >= MAX_PAGES:
                raise PullError(f"{where}: more than {MAX_PAGES:,} pages; a smaller window_hours helps")
            seen.add(key)
            answer = get(self._query(report, {**asked, **turn}), self.clients, self.limits, self.attempts)
            said = json.loads(answer.content or b"null", parse_float=str, parse_int=_whole)
            records = records_of(said, self.connector)
            if records is None:
                raise PullError(f"{where} holds no list of records at {self.connector.records or 'its top'}")
            digest = hashlib.sha256(json.dumps(records).encode()).hexdigest()
            if records and digest in read:
                raise PullError(
                    f"{where} holds the records of a page that was read: the server ignores the page that is asked for"
                )
            read.add(digest)
            yield Page(answer.content or b"", records, answer.url, answer.status)
            try:
                turn = next_page(self.connector.paging, {**asked, **turn}, said, len(records))
            except PagingError as error:
                raise PullError(f"{where} {error}") from None

    def _asked(self, report: str, window: Window) -> dict[str, Any]:
        bounds = {
            "{start}": written(window.start, self.connector.time),
            "{end}": written(window.end, self.connector.time),
        }
        return _filled({**self.connector.asks, **self.connector.asks_of.get(report, {})}, bounds) | self.pull.params

    def _query(self, report: str, parameters: Mapping[str, Any]) -> Query:
        address = self.address(report)
        if self.connector.posts:
            return Query(address, ".json", secrets=self.headers, body=json.dumps(parameters).encode())
        return Query(f"{address}?{urlencode(parameters, doseq=True)}", ".json", secrets=self.headers)


def open_api(pull: ApiPull, clients: Clients, limits: FetchLimits, attempts: Attempts) -> Api:
    """The API of a declaration, with the key that the environment holds. Raises PullError."""
    connector = CONNECTORS[pull.kind]
    return Api(connector, pull, {**connector.headers, **_key(connector, pull)}, clients, limits, attempts)


def key_variables(pull: ApiPull) -> tuple[str, ...]:
    """The environment variables that hold the key."""
    return pull.key_env or CONNECTORS[pull.kind].key_env


def _key(connector: Connector, pull: ApiPull) -> dict[str, str]:
    names = key_variables(pull)
    if len(names) != len(connector.key_env):
        raise PullError(f"pull.key_env: {len(connector.key_env)} variables are needed, found {len(names)}")
    if missing := [name for name in names if not os.environ.get(name)]:
        raise PullError(f"the environment variable {' and '.join(missing)} is not set")
    values = [os.environ[name] for name in names]
    if not all(value.isascii() and value.isprintable() for value in values):
        raise PullError(
            f"the environment variable {' or '.join(names)} holds what no key can: a line break or a letter beyond ASCII"
        )
    secret = values[0] if len(values) == 1 else base64.b64encode(":".join(values).encode()).decode()
    return {header: text.format(secret) for header, text in connector.key.items()}


def written(position: int, time: Time) -> int | str:
    """A bound of a window in the form that an API asks for."""
    moment = instant(position)
    texts = {
        "iso": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        "date": f"{moment:%Y-%m-%d}",
        "plain": f"{moment:%Y-%m-%d %H:%M:%S}",
    }
    return position if time == "epoch" else texts[time]


def _filled(template: Mapping[str, Any], bounds: Mapping[str, int | str]) -> dict[str, Any]:
    """The template with the bounds in their places, however deep."""
    filled = {}
    for name, value in template.items():
        filled[name] = _filled(value, bounds) if isinstance(value, dict) else value
        if isinstance(value, str):
            filled[name] = bounds.get(value, value)
    return filled


def records_of(said: object, connector: Connector) -> list[object] | None:
    """The records of an answer; None if it has no list of them. An empty bucket holds none."""
    records = at(said, connector.records) if connector.records else said
    if not isinstance(records, list):
        return None
    return [record for record in records if connector.inner is None or at(record, connector.inner) != []]


def _whole(text: str) -> int | str:
    """Counts stay numbers, because paging needs them. Longer digits stay text."""
    return int(text) if len(text) < 19 else text
