"""Requests by their ids: what `modelmeter explain` is given, found without reading every row of every day."""

from __future__ import annotations

from uuid import UUID

import polars as pl
import pytest

from assets.cli.price import _request
from pipelines.warehouse.database import Database
from pipelines.warehouse.replace import replace_days
from pipelines.warehouse.tables.core import REQUEST
from tests.warehouse.rows import DAY, requests
from tests.warehouse.test_replace import NEXT

OF_A_SOURCE = "1f0e8c9a-3b52-4d0f-9a41-6c2f7d5b8e10"


@pytest.mark.parametrize("condition", ["source_request_id = 'chatcmpl-1'", "event_at = '2026-02-14 12:00+00'"])
def test_a_request_is_found_by_an_index(database: Database, condition: str) -> None:
    replace_days(database, REQUEST, requests(3), DAY, NEXT)
    with database.connect() as connection:
        connection.execute("set enable_seqscan = off")
        plan = connection.execute(f"explain select * from core.request where {condition}").fetchall()
        own = "select count(*) from pg_index where indrelid = 'core.request_20260214'::regclass"
        assert connection.execute(own).fetchone() == (2,), (
            "the load builds what the parent has, and the swap builds nothing more"
        )
    assert "Bitmap Index Scan on request_20260214" in str(plan)


def test_an_id_of_a_source_may_look_like_our_own(database: Database) -> None:
    rows = requests(3)
    ids = pl.Series("source_request_id", ["chatcmpl-1", OF_A_SOURCE, None], pl.String)
    replace_days(database, REQUEST, rows.with_columns(ids), DAY, NEXT)
    with database.connect(read_only=True) as connection:
        found = [_request(connection, given) for given in (str(UUID(bytes=rows["request_uid"][1])), OF_A_SOURCE)]
        assert [row["line_no"] for row in found] == [rows["line_no"][1]] * 2
        assert _request(connection, "chatcmpl-1")["line_no"] == rows["line_no"][0]
