"""Shadow measurements: requests of our own on other models, which turn a projection into something measured.

`parse_shadow` reads a landed file into the store, `collect` makes the rows of `core.shadow_request`, `answers` pairs them
with what ran, `measured` says what they show. Projections are in `pipelines.routing`.
"""

from __future__ import annotations

from pipelines.shadow.collect import collect
from pipelines.shadow.parse import parse_shadow, shadow_version

__all__ = ["collect", "parse_shadow", "shadow_version"]
