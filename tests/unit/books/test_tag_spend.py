"""Spend by end user and by tag: several tags never count a request twice, to the last decimal."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any
from uuid import UUID

from pipelines.warehouse.database import Database
from pipelines.warehouse.tables.core import REQUEST
from tests.marts import build_spend_tables, create_spend_tables
from tests.unit.quality.rows import good_row, insert


def call(number: int, cost: str | None, tags: list[str] | str | None, **more: Any) -> dict[str, Any]:
    costs = dict.fromkeys(("list_cost_usd", "contracted_cost_usd", "effective_cost_usd"), cost and Decimal(cost))
    unpriced = {} if cost else {"unpriced_reason": "no_price", "rate_id": None}
    listed = tags if tags is None or isinstance(tags, str) else json.dumps(tags)
    described = json.dumps({"request_tags": listed} if listed else {"other": "x"})
    return good_row(
        REQUEST, request_uid=UUID(int=number), provider_id="openai", tags=described, **costs, **unpriced, **more
    )


def test_several_tags_never_count_twice(database: Database) -> None:
    """Of 1 USD with three tags each gets a third, the first a unit more; no tag, or a text that is no list, is untagged."""
    calls = [
        call(1, "1", ["b", "a", "c"], end_user_id="kim"),
        call(2, "0.5", ["a", "a"], end_user_id="kim"),
        call(3, "2", None),
        call(4, "4", "['a'"),
        call(5, None, ["c"], end_user_id="lee"),
    ]
    with database.connect() as connection:
        connection.execute("create table core.request_rest partition of core.request default")
        insert(connection, REQUEST, calls)
        create_spend_tables(connection)
        build_spend_tables(connection)
        tags = connection.execute("select * from mart.daily_tag_spend order by tag").fetchall()
        users = connection.execute("select * from mart.daily_end_user_spend order by end_user").fetchall()
    third = Decimal("0.333333333333333333")
    assert [row[1:] for row in tags] == [
        ("a", 2, 0, third + Decimal("1e-18") + Decimal("0.5")), ("b", 1, 0, third), ("c", 2, 1, third), ("untagged", 2, 0, Decimal(6)),
    ]  # fmt: skip
    assert [(*row[1:4], row[5]) for row in users] == [
        ("kim", 2, 0, Decimal("1.5")), ("lee", 1, 1, None), ("unattributed", 2, 0, Decimal(6)),
    ]  # fmt: skip
