"""The formats of published measurements and GPU prices, one module each: bytes of one file in, `HardwareFile` out.

A format knows nothing of canonical models or ledgers. How a format is registered is in `pipelines.formats`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Protocol

from pipelines.formats import Formats
from pipelines.selfhost.hardware_file import HardwareFile


class HardwareFormat(Protocol):
    """What a module of such a format offers."""

    VERSION: str
    """Raised whenever the same bytes would give other rows."""

    def read(self, content: bytes, options: Mapping[str, Any], observed_on: date, /) -> HardwareFile:
        """What one file states. Raises HardwareFileError where it can't be read as a whole."""


FORMATS: Formats[HardwareFormat] = Formats(__name__)
