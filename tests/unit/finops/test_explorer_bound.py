"""The explorer stays small whatever is declared as team, project or model, and its sums stay those of the charges."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import psycopg
import pytest

from pipelines.finops.queries import EXPLORER
from pipelines.finops.report.explorer import OTHERS, explorer_html
from pipelines.ids import id_bytes
from pipelines.warehouse.read import read_frame
from tests.marts import create_spend_tables
from tests.unit.finops import books


def charge(model: str, project: str, number: int, *, rate: int = 2, unknown: bool = False) -> dict[str, Any]:
    """`number` million tokens at `rate` USD a million; without a rate where the cost is not known."""
    cost = None if unknown else Decimal(number * rate)
    return {
        "event_date": books.DAY, "charge_id": id_bytes(model, project, str(unknown)), "provider_id": f"sells-{model}", "model_id": model, "openness": "closed",
        "team": "search", "project": project, "cost_centre": "4711", "meter": "input_uncached", "quantity": number * 10**6,
        "contracted_usd_per_million": None if unknown else Decimal(rate), "effective_cost_usd": cost,
        "unpriced_reason": "no_price" if unknown else None,
    }  # fmt: skip


def explored(connection: psycopg.Connection[Any], rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    create_spend_tables(connection)
    books.add(connection, "mart.daily_charge", *rows)
    return read_frame(connection, EXPLORER, {"first": books.DAY, "last": books.DAY})


def test_a_day_with_many_projects_keeps_the_dearest_and_the_sums(connection: psycopg.Connection[Any]) -> None:
    rows = [charge(f"m{n % 3}", f"p{n}", n) for n in range(1, 3001)]
    rows += [charge("m1", f"u{n}", 1, unknown=True) for n in range(5)]
    found = explored(connection, rows)
    assert found.height == 1300 + 3 + 1, "the dearest, the rest of three models, and what has no known cost"
    kept = found.filter(pl.col("project") != OTHERS)
    assert set(kept["project"]) == {f"p{n}" for n in range(1701, 3001)}
    assert found["is_explained"].all()
    for model in ("m0", "m1", "m2"):
        own = [row for row in rows if row["model_id"] == model]
        shown = found.filter(model_id=model)
        assert shown["cost_usd"].sum() == sum(row["effective_cost_usd"] or 0 for row in own)
        assert shown["quantity"].sum() == sum(row["quantity"] for row in own)
    assert found.filter(rate="unknown")["quantity"].sum() == 5 * 10**6


def test_a_day_with_many_models_leaves_only_the_meters_of_the_rest(connection: psycopg.Connection[Any]) -> None:
    rows = [charge(f"m{n}", "p", n, rate=n) for n in range(1, 3002)]
    found = explored(connection, rows)
    rest = found.filter(model_id=OTHERS)
    assert (found.height, rest.height) == (1301, 1)
    assert rest["provider_id"].to_list() == [OTHERS]
    assert rest["cost_usd"].item() == sum(n * n for n in range(1, 1702))
    assert not rest["is_explained"].item(), "no rate makes this sum, so that the page has it as a number of its own"


def test_a_small_day_is_kept_whole(connection: psycopg.Connection[Any]) -> None:
    found = explored(connection, [charge("m", f"p{n}", n) for n in range(1, 1601)])
    assert found.height == 1600
    assert OTHERS not in found["project"].to_list()


@pytest.mark.parametrize("names", [1000, 1500])
def test_a_column_lists_a_thousand_names_and_says_what_is_folded(names: int) -> None:
    costs = [Decimal(n + 1) for n in range(names)]
    costs[-1] = None  # type: ignore[call-overload]
    charges = pl.DataFrame(
        {
            "event_date": [date(2026, 2, 1)] * names, "provider_id": ["s"] * names, "model_id": ["m"] * names, "team": ["t"] * names,
            "project": [f"p{n}" for n in range(names)], "cost_centre": ["c"] * names, "meter": ["request"] * names,
            "rate": ["0" if cost is not None else "unknown" for cost in costs], "quantity": [1] * names, "cost_usd": costs,
            "is_explained": [cost is None for cost in costs],
        },
        schema_overrides={"cost_usd": pl.Decimal(38, 18)},
    )  # fmt: skip
    html = explorer_html(charges, date(2026, 2, 1), date(2026, 2, 1), sql="select 1", is_sample=False)
    if names == 1000:
        assert 'id="folded"' not in html
        return
    assert '"p1498"' in html
    assert '"p499"' not in html, "the dearest 999 are p500 to p1498; the one without a cost is none of them"
    assert '"p1499"' not in html
    folded, whole = sum(range(1, 501)), sum(range(1, 1500))
    assert f"projects ${folded:,}.00 ({100 * folded / whole:.1f}" in html
