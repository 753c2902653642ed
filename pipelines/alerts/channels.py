"""Channels: where alerts.yaml says that events go, by the library apprise. An address is a secret and is in no message, log or table."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass

from pipelines.config.alerts import Channel
from pipelines.outside import ANY_FAILURE
from pipelines.within import within

SECONDS = 60.0
"""One message to one channel; the library limits each wait for bytes, not their number."""


@dataclass(frozen=True)
class Message:
    """What is sent."""

    title: str
    body: str


def send(channel: Channel, message: Message) -> str | None:
    """Send a message; None if the server took it, else why it did not, in words that may be shown."""
    address = os.environ.get(channel.url_env, "").strip()
    if not address:
        return f"the environment variable {channel.url_env} is not set"
    # What apprise logs may hold addresses and what servers answered.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    import apprise

    target = apprise.Apprise()
    if not target.add(address):
        return f"{channel.url_env} holds no address that apprise knows"
    try:
        taken = within(
            SECONDS,
            lambda: target.notify(title=message.title, body=message.body, body_format=apprise.NotifyFormat.TEXT),
        )
    except TimeoutError:
        return f"the server did not finish within {SECONDS:g} s"
    except ANY_FAILURE as error:
        return f"the server could not be asked: {type(error).__name__}"
    return None if taken else "the server refused it or can't be reached"
