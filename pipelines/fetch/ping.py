"""The dead man's switch: an outside service that hears of every run that succeeded, and calls when it hears nothing.

The address is a secret of the environment (MODELMETER_PING_URL) and is never shown.
"""

from __future__ import annotations

import httpx

from pipelines.fetch.client import USER_AGENT
from pipelines.within import within

_SECONDS = 10.0
_HEADERS = {"User-Agent": USER_AGENT}


class PingError(Exception):
    """The outside service could not be reached. The message does not name it."""


def ping(url: str) -> None:
    """Ask for `url` once more than needed to be heard: two tries of ten seconds. Raises PingError."""
    reason = ""
    for _ in range(2):
        try:
            answer = within(
                _SECONDS, lambda: httpx.get(url, timeout=_SECONDS, headers=_HEADERS, follow_redirects=False)
            )
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            reason = type(error).__name__
            continue
        if answer.is_success:
            return
        reason = f"status {answer.status_code}"
    raise PingError(f"MODELMETER_PING_URL could not be reached ({reason}); the run itself succeeded")
