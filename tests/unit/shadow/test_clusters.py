"""Groups of sessions: one without a session is one by itself, wherever it stands among the others."""

from __future__ import annotations

from itertools import permutations

import polars as pl
import pytest

from pipelines.shadow.logged_cells import _cluster

GROUPS = {"a": 263, "b": 307, None: 185}
"""The first two bytes of the SHA-256 of `a`, of `b` and of the request's own id, modulo 400."""
REQUEST = bytes([1]) * 16


@pytest.mark.parametrize("sessions", list(permutations(GROUPS)))
def test_every_order_gives_the_same_groups(sessions: tuple[str | None, ...]) -> None:
    found = _cluster(pl.Series(sessions, dtype=pl.String), pl.Series([REQUEST] * len(sessions), dtype=pl.Binary))
    assert dict(zip(sessions, found, strict=True)) == GROUPS
