"""The landing zone: which files lie in it, what each one is called and when it was observed, and how one is added.

Nothing here opens a file's records or speaks HTTP: formats are in `pipelines.requests`, `pipelines.prices` and
`pipelines.benchmarks`, fetching is in `pipelines.fetch`. The layout for people is in `docs/landing_zone.md`.
"""

from __future__ import annotations

from pipelines.landing.atomic import write_atomically
from pipelines.landing.content import MAX_CONTENT_BYTES, read_bytes
from pipelines.landing.files import KINDS, Kind, LandedFile, LandingError, LandingProblem, Scan, accepts, scan
from pipelines.landing.names import parse_instant
from pipelines.landing.sidecar import Pulled
from pipelines.landing.write import land
from pipelines.landing.zone import LandingZone, open_zone

__all__ = [
    "KINDS",
    "MAX_CONTENT_BYTES",
    "Kind",
    "LandedFile",
    "LandingError",
    "LandingProblem",
    "LandingZone",
    "Pulled",
    "Scan",
    "accepts",
    "land",
    "open_zone",
    "parse_instant",
    "read_bytes",
    "scan",
    "write_atomically",
]
