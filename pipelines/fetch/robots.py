"""What the `robots.txt` of a server lets us ask for (RFC 9309): the longest rule that matches decides, and an allowance wins a tie.

Each server is asked once in a run. A server that has no such file allows everything; one that fails to answer, nothing for now.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import unquote, urlsplit

from pipelines.fetch.client import (
    Attempts,
    Clients,
    FetchError,
    FetchLimits,
    PermanentFetchError,
    Query,
    TransientFetchError,
    get,
)
from pipelines.fetch.redirects import origin

AGENT = "modelmeter"
_MAX_BYTES = 512 * 1024

Rule = tuple[bool, str]
"""Whether it allows, and the pattern of a path, in which `*` stands for anything and a `$` at the end for the end."""


@dataclass
class Robots:
    """The rules of every server that is asked in one run; safe to use from several threads."""

    clients: Clients
    limits: FetchLimits
    _rules: dict[str, Sequence[Rule] | FetchError] = field(default_factory=dict)
    _locks: dict[str, threading.Lock] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def check(self, url: str, attempts: Attempts) -> None:
        """Raises PermanentFetchError where the server asks us not to, FetchError where it can't be asked whether it does."""
        parts = urlsplit(url)
        place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/robots.txt"
        with self._lock:
            lock = self._locks.setdefault(place, threading.Lock())
        with lock:
            if place not in self._rules:
                self._rules[place] = self._asked(place, attempts)
            rules = self._rules[place]
        if isinstance(rules, FetchError):
            why = "; without it nothing is asked there" if rules.status else ""
            raise TransientFetchError(place, f"{rules.verdict}{why}", rules.status)
        if not allows(rules, f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"):
            raise PermanentFetchError(place, f"asks {AGENT} not to fetch {parts.path}; it was left alone")

    def _asked(self, place: str, attempts: Attempts) -> Sequence[Rule] | FetchError:
        limits = replace(self.limits, max_bytes=_MAX_BYTES)
        try:
            answer = get(Query(place, ".txt"), self.clients, limits, Attempts(attempts.answered))
        except TransientFetchError as error:
            return error if error.status is None or error.status >= 500 else ()
        except PermanentFetchError as error:
            return () if error.status is not None else error
        return rules_for(AGENT, (answer.content or b"").decode("utf-8", "replace"))


def is_asked_of(url: str) -> bool:
    """Whether an address is one of HTTP, of which the rules are."""
    try:
        scheme, host, _ = origin(url)
    except ValueError:
        return False
    return scheme in ("http", "https") and bool(host)


def rules_for(agent: str, text: str) -> list[Rule]:
    """The rules of the groups that name the agent, else of those for everybody."""
    groups: dict[str, list[Rule]] = {}
    named: list[str] = []
    has_rules = False
    for key, value in _lines(text):
        if key == "user-agent":
            named = [value.lower()] if has_rules else [*named, value.lower()]
            has_rules = False
            groups.setdefault(value.lower(), [])
        elif key in ("allow", "disallow"):
            has_rules = True
            for name in named:
                groups[name] += [(key == "allow", value)] if value else []
    return groups[agent] if agent in groups else groups.get("*", [])


def allows(rules: Sequence[Rule], path: str) -> bool:
    """Whether the rules let a path, with its query, be asked for."""
    found = [(len(pattern), is_allowed) for is_allowed, pattern in rules if _matches(pattern, path)]
    return max(found, default=(0, True))[1]


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for line in text.lstrip("\ufeff").splitlines():
        key, colon, value = line.partition("#")[0].partition(":")
        if colon:
            yield key.strip().lower(), value.strip()


def _matches(pattern: str, path: str) -> bool:
    is_whole = pattern.endswith("$")
    pieces = [re.escape(unquote(piece)) for piece in pattern.removesuffix("$").split("*")]
    return re.match(".*".join(pieces) + ("$" if is_whole else ""), unquote(path), re.DOTALL) is not None
