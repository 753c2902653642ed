"""The sums of alike requests that off-policy estimates are made of, as the server makes them of the log."""

from __future__ import annotations

from datetime import date, timedelta
from hashlib import sha256

from pipelines.daily import shadow
from pipelines.warehouse.database import Database
from pipelines.warehouse.read import read_frame
from pipelines.warehouse.replace import replace_days
from pipelines.warehouse.tables.core import REQUEST
from tests.unit.routing.traffic import request, requests

DAY = date(2026, 2, 20)


def test_sessions_fall_into_clusters_by_a_documented_hash(database: Database) -> None:
    """Postgres may change hashtext between versions, and the cells of a day are kept: SHA-256 is the same on any server."""
    rows = requests(*(request(number, session_id=f"s{number % 3}", event_date=DAY) for number in range(9)))
    with database.connect() as connection:
        replace_days(connection, REQUEST, rows, DAY, DAY + timedelta(days=1))
        cells = read_frame(connection, shadow._CELLS, {"day": DAY})
    expected = {int.from_bytes(sha256(f"s{number}".encode()).digest()[:2], "big") % 400 for number in range(3)}
    assert len(expected) == 3
    assert set(cells["cluster"]) == expected
    assert set(cells["requests"]) == {3}
