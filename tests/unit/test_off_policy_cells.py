"""The sums of alike requests that off-policy estimates are made of."""

from __future__ import annotations

from decimal import Decimal
from hashlib import sha256

import polars as pl

from pipelines.ids import as_uuid
from pipelines.shadow.logged_cells import CELL_COLUMNS, cells_of_day
from tests.unit.routing.traffic import request, requests


def group(name: str) -> int:
    return int.from_bytes(sha256(name.encode()).digest()[:2], "big") % 400


def test_sessions_fall_into_clusters_by_a_documented_hash() -> None:
    """The cells of a day are kept, so that no hash may stand behind them that a version of a library changes."""
    rows = requests(*(request(number, session_id=f"s{number % 3}") for number in range(9)))
    cells = cells_of_day([rows.select(CELL_COLUMNS)[:5], rows.select(CELL_COLUMNS)[5:]])
    expected = {group(f"s{number}") for number in range(3)}
    assert len(expected) == 3
    assert set(cells["cluster"]) == expected
    assert set(cells["requests"]) == {3}


def test_cells_are_sums_of_what_is_alike() -> None:
    """A prompt of 1,024 to 2,047 tokens has size 10, one of 0 or 1 size 0; without a session each request is one by itself."""
    prompts = (0, 1, 2, 1023, 1024, 2047, 2048)
    rows = requests(
        *(
            request(
                number,
                session_id=None,
                application="a",
                input_uncached_tokens=tokens,
                status="ok" if number else "error",
            )
            for number, tokens in enumerate(prompts)
        ),
        request(7, session_id=None, application=None, team="t", input_uncached_tokens=5),
        request(8, session_id=None, application=None, team=None, input_uncached_tokens=5),
        request(9, model_id=None),
        request(10),
    ).select(CELL_COLUMNS)
    is_last = pl.int_range(pl.len()) == 10
    rows = rows.with_columns(pl.when(~is_last).then("effective_cost_usd").alias("effective_cost_usd"))
    cells = cells_of_day([rows[:4], rows[4:]])
    of_a = cells.filter(use_case="a")
    assert of_a.group_by("size").agg(pl.col("requests").sum()).sort("size").rows() == [
        (0, 2),
        (1, 1),
        (9, 1),
        (10, 2),
        (11, 1),
    ]
    assert of_a["ok"].sum() == 6
    assert set(cells["use_case"]) == {"a", "t", "unattributed"}
    known = rows[:9]
    assert set(cells["cluster"]) == {group(str(as_uuid(value))) for value in known["request_uid"]}
    assert cells["cost_usd"].sum() == sum(known["effective_cost_usd"], Decimal(0)) > 0
    written = known.select(pl.sum_horizontal(pl.col("^output_.*_tokens$"))).to_series()
    assert cells["output"].sum() == written.sum() > 0
