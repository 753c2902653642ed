"""Where a redirect may lead: within the declared origin, or to an origin that the declaration allows, and never inwards.

A server that was taken over could else have this machine ask its own services, or those of its network, and land the answer.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


def origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port (RFC 6454), with the scheme's own port where none is written."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").rstrip("."), parts.port or _PORTS.get(scheme)


def refusal(target: str, declared: str, allowed: Iterable[Any]) -> str | None:
    """In words why a redirect from `declared` to `target` is not followed; None if it may be.

    `allowed` are origins such as `https://cdn.example.com`.
    """
    try:
        to = origin(target)
        if to == origin(declared):
            return None
        if to not in [origin(str(item)) for item in allowed]:
            return "which is not the declared scheme and host; options.redirects of the feed can allow it"
    except ValueError:
        return "which is no address"
    if not all(address.is_global for address in _addresses(to[1])):
        return "which is an address inside of this machine or its network"
    return None


def _addresses(host: str) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """What the host's name stands for; empty where no name server answers, then nothing can be reached either."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return [_unmapped(ipaddress.ip_address(str(entry[4][0]).partition("%")[0])) for entry in found]


def _unmapped(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """An IPv4 address written as IPv6, as IPv4."""
    mapped = getattr(address, "ipv4_mapped", None)
    return address if mapped is None else mapped
