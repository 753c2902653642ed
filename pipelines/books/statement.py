"""Month statements: charges as they stand in the books, what commitments take off them and cost in their place, and what that leaves to pay."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from pipelines.books.allocation import allocate, passed_on
from pipelines.books.covered import QUANTITIES, covered, with_quantities
from pipelines.config.allocation import ATTRIBUTION, UNATTRIBUTED
from pipelines.warehouse.tables.core_books import BOOKED_CHARGE
from pipelines.warehouse.tables.mart_charges import COSTS

_MONEY = BOOKED_CHARGE.polars_schema["effective_cost_usd"]
AMOUNTS = ("effective_cost_usd", "billed_cost_usd", "covered_usd", "commitment_usd", "payable_usd")
"""What a line has: charges at pay-as-you-go, what commitments cover of them, what commitments cost, and what is left to pay."""


def statement_lines(charges: pl.DataFrame, commitments: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """AMOUNTS and unpriced_requests of `charges` (columns of core.booked_charge) and `commitments` (of core.booked_commitment) by the columns `by`.

    `payable_usd` is effective cost less covered_usd plus commitment_usd; null where no cost is known.
    """
    unpriced = pl.col("quantity").filter(pl.col("meter") == "request", pl.col("unpriced_reason").is_not_null()).sum()
    charged = charges.group_by(by).agg(
        *(_known_sum(name, name) for name in AMOUNTS[:2]), unpriced.alias("unpriced_requests")
    )
    paid = (
        commitments.with_columns(pl.col(ATTRIBUTION).replace("", UNATTRIBUTED))
        .group_by(by)
        .agg(_known_sum("covered_usd", "covered_usd"), _known_sum("effective_cost_usd", "commitment_usd"))
    )
    joined = charged.join(paid, on=by, how="full", coalesce=True, nulls_equal=True)
    parts = [pl.col(name).fill_null(0) for name in ("effective_cost_usd", "covered_usd", "commitment_usd")]
    is_known = pl.any_horizontal(pl.col("effective_cost_usd", "commitment_usd").is_not_null())
    return joined.with_columns(
        pl.when(is_known).then(parts[0] - parts[1] + parts[2]).cast(_MONEY).alias("payable_usd"),
        pl.col("unpriced_requests").fill_null(0),
    ).sort(by)


def passed_on_statement(
    charges: pl.DataFrame, commitments: pl.DataFrame, shares: pl.DataFrame, by: Sequence[str]
) -> pl.DataFrame:
    """`statement_lines` after shared cost was passed on by `shares`, and what commitments cover of it with it: to whom, as in a FOCUS file."""
    parts = allocate(with_quantities(charges), shares, (*COSTS, *QUANTITIES))
    rows = covered(parts, commitments, shares)
    of_commitments = rows.filter(pl.col("covered_usd").is_not_null())
    return statement_lines(
        passed_on(parts),
        passed_on(of_commitments).with_columns(effective_cost_usd="commitment_usd"),
        by,
    )


def moved(lines: pl.DataFrame) -> pl.DataFrame:
    """The lines in which an amount or a count is something: hours of throughput may move from unused to used, and the money of its day stays."""
    return lines.filter(pl.any_horizontal(pl.col(name).fill_null(0) != 0 for name in (*AMOUNTS, "unpriced_requests")))


def _known_sum(name: str, alias: str) -> pl.Expr:
    return pl.when(pl.col(name).is_not_null().any()).then(pl.col(name).sum()).cast(_MONEY).alias(alias)
