"""One GET request, done carefully: time-outs, a size limit, a verdict on whether trying again can help.

`feeds.py` knows which URLs are asked for and lands the answers; whether an answer's bytes are what was
expected is in `payload.py`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import hishel
import httpx
import stamina
import stamina.instrumentation
from hishel.httpx import CacheClient

from pipelines.fetch.decoding import ACCEPT_ENCODING, BrokenEncodingError, EncodingRefusedError, decoded
from pipelines.fetch.payload import check_content, suffix_of
from pipelines.fetch.redirects import refusal
from pipelines.within import within

# httpx writes every URL, and with it a key in a query, to its log at INFO.
logging.getLogger("httpx").setLevel(logging.WARNING)
# stamina prints every retry where structlog is installed; attempts and the last error are in the result.
stamina.instrumentation.set_on_retry_hooks([])

USER_AGENT = f"modelmeter/{version('modelmeter')}"
_OVERTIME_S = 1.0
"""Beyond the deadline: what watches the deadline itself is faster, and says more."""
_TRANSIENT_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class FetchLimits:
    """How long and how much. Seconds; bytes over the wire and after decompression."""

    connect_s: float = 3
    read_s: float = 15
    feed_s: float = 60
    """One feed, all attempts and waits together."""
    unreachable_s: float = 7
    """Give up on all feeds when after this time none has had any answer: the network is not there."""
    attempts: int = 3
    retry_wait_s: float = 0.3
    retry_after_max_s: float = 10
    """A server that asks to wait longer is asked again in the next run."""
    max_bytes: int = 64 * 1024**2
    max_redirects: int = 5
    paged_s: float = 300
    """All pages of one feed together."""
    max_pages: int = 500


class FetchError(Exception):
    """A feed could not be fetched. `verdict` says in words why; `url` is safe to show."""

    def __init__(self, url: str, verdict: str, status: int | None = None) -> None:
        super().__init__(f"{url}: {verdict}")
        self.url, self.verdict, self.status = url, verdict, status


class TransientFetchError(FetchError):
    """Trying again can help; `retry_after_s` is what the server asked for."""

    def __init__(self, url: str, verdict: str, status: int | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(url, verdict, status)
        self.retry_after_s = retry_after_s


class PermanentFetchError(FetchError):
    """Trying again can't help before the feed, its declaration or the environment changes."""


@dataclass(frozen=True)
class Query:
    """What is asked for. `secrets` are headers that must be neither logged nor kept nor sent to another host."""

    url: str
    suffix: str | None = None
    """Of the file that the answer becomes, where the declaration says so."""
    etag: str | None = None
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    redirects: Sequence[str] = ()
    """Origins beyond the url's own that a redirect may lead to."""
    body: bytes | None = None
    """JSON that is sent with POST; None asks with GET."""


@dataclass(frozen=True)
class Answer:
    """What came back. `content` is None if the server says that the version with our entity tag is current."""

    status: int
    etag: str | None
    suffix: str
    content: bytes | None
    url: str
    """Where it came from in the end, safe to show."""


def safe_url(url: str) -> str:
    """A URL for people and logs: without credentials and fragment, and with the values of its query hidden."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    query = "&".join(f"{pair.partition('=')[0]}=..." for pair in parts.query.split("&") if pair)
    return urlunsplit((parts.scheme, host, parts.path, query, ""))


@dataclass(frozen=True)
class Clients:
    """`cached` keeps and revalidates answers (RFC 9111); `plain` keeps nothing, for requests that carry a secret."""

    cached: httpx.Client
    plain: httpx.Client


def _shared(limits: FetchLimits) -> dict[str, Any]:
    return {
        "timeout": httpx.Timeout(limits.read_s, connect=limits.connect_s),
        "headers": {"User-Agent": USER_AGENT, "Accept-Encoding": ACCEPT_ENCODING},
        "follow_redirects": False,  # each is looked at first
    }


@contextmanager
def open_private(limits: FetchLimits) -> Iterator[Clients]:
    """A client that keeps no answer, whatever it is asked for: for what only the company may see."""
    with httpx.Client(**_shared(limits)) as plain:
        yield Clients(plain, plain)


@contextmanager
def open_clients(cache: Path, limits: FetchLimits) -> Iterator[Clients]:
    """Both clients, with what was kept under the folder `cache`."""
    cache.mkdir(parents=True, exist_ok=True)
    storage = hishel.SqliteStorage(database_path=cache / "hishel_v2.db", max_size=16 * limits.max_bytes)
    shared = _shared(limits)
    cached = CacheClient(storage=storage, rfc=hishel.CacheOptions(shared=False), **shared)
    plain = httpx.Client(**shared)
    try:
        yield Clients(cached, plain)
    finally:
        cached.close()
        plain.close()


@dataclass
class Attempts:
    """How a query is going: `count` so far, and an event shared by all queries that says that any server answered."""

    answered: threading.Event
    count: int = 0


def get(query: Query, clients: Clients, limits: FetchLimits, attempts: Attempts, *, place: str = "") -> Answer:
    """Ask, and ask again where that can help. Raises TransientFetchError or PermanentFetchError, which begin with `place`."""
    try:
        return _get(query, clients, limits, attempts)
    except FetchError as error:
        error.args = (f"{error.url}: {place}{error.verdict}",)
        raise


def _get(query: Query, clients: Clients, limits: FetchLimits, attempts: Attempts) -> Answer:
    deadline = time.monotonic() + limits.feed_s
    for attempt in stamina.retry_context(
        on=lambda error: _backoff(error, limits),
        attempts=limits.attempts,
        timeout=limits.feed_s,
        wait_initial=limits.retry_wait_s,
        wait_jitter=limits.retry_wait_s,
    ):
        with attempt:
            attempts.count += 1
            return _get_once(query, clients, limits, attempts.answered, deadline)
    raise AssertionError("a retry context always returns or raises")


def _backoff(error: Exception, limits: FetchLimits) -> bool | float:
    if not isinstance(error, TransientFetchError):
        return False
    if error.retry_after_s is None:
        return True
    return max(error.retry_after_s, 0.01) if error.retry_after_s <= limits.retry_after_max_s else False


def _get_once(
    query: Query, clients: Clients, limits: FetchLimits, answered: threading.Event, deadline: float
) -> Answer:
    url = safe_url(query.url)
    try:
        return within(
            deadline + _OVERTIME_S - time.monotonic(), lambda: _ask(query, clients, limits, answered, deadline)
        )
    except TimeoutError as error:  # of headers that trickle; a body is watched as it comes
        raise TransientFetchError(url, f"no answer within {limits.feed_s:g} s") from error
    except httpx.TimeoutException as error:
        is_connecting = isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout)
        what, seconds = ("connection", limits.connect_s) if is_connecting else ("data", limits.read_s)
        raise TransientFetchError(url, f"no {what} within {seconds:g} s") from error
    except (httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.LocalProtocolError) as error:
        raise PermanentFetchError(
            url, "the url or a header can't be used; http:// and https:// are accepted"
        ) from error
    except EncodingRefusedError as error:
        raise PermanentFetchError(url, str(error)) from error
    except BrokenEncodingError as error:
        raise TransientFetchError(url, "the compressed answer is broken") from error
    except httpx.TransportError as error:
        raise TransientFetchError(url, _in_words(error)) from error


def _ask(query: Query, clients: Clients, limits: FetchLimits, answered: threading.Event, deadline: float) -> Answer:
    """One request, and those that its redirects ask for."""
    url = safe_url(query.url)
    # The job runs once a day: never take a kept answer for fresh, always ask whether it still is.
    headers = {"Cache-Control": "no-cache", **query.secrets}
    client = clients.plain if query.secrets else clients.cached
    if query.secrets and query.etag:
        headers["If-None-Match"] = query.etag
    target, method = query.url, "GET" if query.body is None else "POST"
    for _ in range(limits.max_redirects + 1):
        with client.stream(method, target, headers=headers, content=query.body) as response:
            answered.set()
            if response.status_code == httpx.codes.NOT_MODIFIED and "If-None-Match" in headers:
                return Answer(response.status_code, query.etag, "", None, url)
            if not response.has_redirect_location:
                _check_status(response, url)
                return _answer(response, query, _body(response, url, limits, deadline))
            target = _followed(response, query)
    raise PermanentFetchError(url, f"redirects more than {limits.max_redirects} times")


def _answer(response: httpx.Response, query: Query, content: bytes) -> Answer:
    suffix = query.suffix or suffix_of(response.url.path, response.headers.get("content-type", ""))
    if (fault := check_content(content, suffix)) is not None:
        raise PermanentFetchError(safe_url(query.url), fault, response.status_code)
    etag = response.headers.get("etag")
    return Answer(response.status_code, etag, suffix, content, safe_url(str(response.url)))


def _followed(response: httpx.Response, query: Query) -> str:
    """Where the redirect leads. Raises PermanentFetchError where it may not be followed."""
    target = str(response.url.join(response.headers["location"]))
    # httpx drops Authorization when it is sent to another host, but not a header such as X-Api-Key: don't follow.
    secret = "not followed, because its headers are secret" if query.secrets else None
    reason = secret or refusal(target, query.url, query.redirects)
    if reason is not None:
        found = f"redirects to {safe_url(target)}"
        joined = "; " if secret else ", "
        raise PermanentFetchError(safe_url(query.url), f"{found}{joined}{reason}", response.status_code)
    return target


def _check_status(response: httpx.Response, url: str) -> None:
    status = response.status_code
    if status == httpx.codes.OK:
        return
    if status in _TRANSIENT_STATUS:
        wait = _retry_after_s(response.headers.get("retry-after"))
        asked = "" if wait is None else f", asks to wait {wait:.0f} s"
        raise TransientFetchError(url, f"the server answers {status}{asked}", status, wait)
    raise PermanentFetchError(url, f"the server answers {status}", status)


def _retry_after_s(value: str | None) -> float | None:
    """Seconds to wait, from either form of Retry-After; None if there is none."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (at - datetime.now(UTC)).total_seconds()) if at.tzinfo else None


def _body(response: httpx.Response, url: str, limits: FetchLimits, deadline: float) -> bytes:
    """The decoded content, read no further than the limits."""

    def too_large() -> PermanentFetchError:
        return PermanentFetchError(url, f"larger than {limits.max_bytes:,} bytes", response.status_code)

    def wire() -> Iterator[bytes]:
        received = 0
        for chunk in response.iter_raw():
            received += len(chunk)
            if received > limits.max_bytes:
                raise too_large()
            if time.monotonic() > deadline:
                raise PermanentFetchError(url, f"not complete after {limits.feed_s:g} s", response.status_code)
            yield chunk

    pieces, total = [], 0
    for piece in decoded(wire(), response.headers.get("content-encoding", "")):
        total += len(piece)
        if total > limits.max_bytes:
            raise too_large()
        pieces.append(piece)
    return b"".join(pieces)


def _in_words(error: httpx.TransportError) -> str:
    if isinstance(error, httpx.ConnectError):
        return f"can't connect ({error})"
    if isinstance(error, httpx.RemoteProtocolError):
        return "the server broke off before the answer was complete"
    return f"the connection failed ({type(error).__name__})"
