"""The formats of sellers' limits and alerts, one module each: bytes of one file in, `StatedLimit` out.

How a format is registered is in `pipelines.formats`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from pipelines.formats import Formats
from pipelines.seller_limits.limit_file import StatedLimit


class LimitFormat(Protocol):
    """What a module of such a format offers."""

    def read(self, content: bytes, options: Mapping[str, Any], /) -> list[StatedLimit]:
        """What one file states. Raises LimitFileError where it is not of the format."""


FORMATS: Formats[LimitFormat] = Formats(__name__)
