"""The formats of price feeds, one module each: bytes of one file in, `Parsed` out.

A format knows nothing of history or of canonical models; `pipelines.prices.ledger` does. How a format is registered is
in `pipelines.formats`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from pipelines.formats import Formats
from pipelines.prices.feed_snapshot import Parsed


class FeedFormat(Protocol):
    """What a module of a price feed's format offers."""

    VERSION: str
    """Raised whenever the same bytes would give other prices."""

    def read(self, content: bytes, options: Mapping[str, Any], /) -> Parsed:
        """The prices of one file. Raises PriceFeedError where it can't be read as a whole."""


FORMATS: Formats[FeedFormat] = Formats(__name__)
