"""A day under commitments of every kind as FOCUS files: FOCUS's rules on it, and its sums against the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.books.allocation import SHARES
from pipelines.books.focus.export import export_month, export_supporting
from pipelines.books.focus.versions import VERSIONS, Version, columns_of
from pipelines.books.periods import NOTHING_SHARED, book, book_commitments, book_shares, close_period
from pipelines.books.statement import passed_on_statement
from pipelines.config.allocation import Allocation
from pipelines.settings import Settings
from pipelines.warehouse.database import Database
from pipelines.warehouse.open import open_database
from tests.contracts.focus.committed import COMMITTED, CONTRADICTED, DECLARED, MAY_BE, SHARED, load_committed_day
from tests.contracts.focus.newer import judged_newer
from tests.contracts.focus.rules import File, Outcome, judged
from tests.contracts.focus.test_cost_and_usage import ACCOUNTS, FEBRUARY, SUPPORTED, exported
from tests.contracts.focus.test_cost_and_usage import CONTRADICTED as OF_INVOICES
from tests.warehouse_fixtures import fresh_database

MARCH = FEBRUARY.replace(month=3)


@pytest.fixture(scope="module")
def charged(postgres_home: Path) -> Iterator[Database]:
    with open_database(Settings(home=postgres_home), migrate=False) as shared:
        database = fresh_database(shared)
        with database.connect() as connection, connection.transaction():
            load_committed_day(connection)
        yield database


@pytest.fixture(scope="module")
def file(charged: Database, tmp_path_factory: pytest.TempPathFactory) -> File:
    return exported(charged, tmp_path_factory.mktemp("committed"), "1.2")


def outcomes_of(rules: dict[str, Any], file: File) -> dict[str, Outcome]:
    outcomes = judged(rules, file, SUPPORTED | MAY_BE, COMMITTED)
    return {name: outcomes[name] for name, rule in rules["ModelRules"].items() if rule["Function"] != "Composite"}


def test_no_rule_of_version_1_2_fails(rules: dict[str, Any], file: File) -> None:
    outcomes = outcomes_of(rules, file)
    assert {name for name, outcome in outcomes.items() if outcome.result == "failed"} == CONTRADICTED | OF_INVOICES
    counts = Counter((rules["ModelRules"][name]["Type"], outcome.result) for name, outcome in outcomes.items())
    assert counts == COUNTS, counts
    assert all(outcome.reason for outcome in outcomes.values() if outcome.result == "not applicable")
    assert not [name for name, outcome in outcomes.items() if "COMMITMENT" in outcome.reason]


COUNTS = Counter(
    {
        ("Static", "passed"): 203,
        ("Static", "failed"): 4,
        ("Static", "not applicable"): 70,
        ("Dynamic", "passed"): 116,
        ("Dynamic", "not applicable"): 85,
    }
)
"""Of the 478 rules that are not made of others; docs/books.md names them."""


DAMAGES: dict[str, tuple[str, pl.Expr, str]] = {
    "a covered part that is billed": (
        "BilledCost", pl.when(pl.col("CommitmentDiscountStatus") == "Used").then(pl.lit("0.5")).otherwise("BilledCost"), "DiscountHandling-A-009-C",
    ),
    "a purchase that is amortised twice": (
        "EffectiveCost", pl.when(pl.col("ChargeCategory") == "Purchase").then(pl.lit("1.0")).otherwise("EffectiveCost"), "EffectiveCost-C-005-C",
    ),
    "an idle part that is lost": (
        "EffectiveCost", pl.when(pl.col("CommitmentDiscountStatus") == "Unused").then(pl.lit("0.0")).otherwise("EffectiveCost"), "EffectiveCost-C-012-C",
    ),
    "hours that are lost": (
        "CommitmentDiscountQuantity", pl.when(pl.col("CommitmentDiscountStatus") == "Used").then(pl.lit("0.1")).otherwise("CommitmentDiscountQuantity"),
        "CommitmentDiscountQuantity-C-014-C",
    ),
    "an idle part with a quantity": (
        "ConsumedQuantity", pl.when(pl.col("CommitmentDiscountStatus") == "Unused").then(pl.lit("1.0")).otherwise("ConsumedQuantity"),
        "ConsumedQuantity-C-004-C",
    ),
    "a covered part at the standard price": ("PricingCategory", pl.lit("Standard"), "PricingCategory-C-009-C"),
    "a commitment without its kind": ("CommitmentDiscountType", pl.lit(None, pl.String), "CommitmentDiscountType-C-005-C"),
    "a credit as usage": (
        "ChargeCategory", pl.when(pl.col("ChargeCategory") == "Credit").then(pl.lit("Usage")).otherwise("ChargeCategory"), "DiscountHandling-A-020-C",
    ),
    "a purchase by use": ("ChargeFrequency", pl.lit("Usage-Based"), "ChargeFrequency-C-004-C"),
    "a part at another price": (
        "ListUnitPrice", pl.when(pl.col("CommitmentDiscountStatus") == "Used").then(pl.lit("1.5")).otherwise("ListUnitPrice"), "DiscountHandling-A-004-C",
    ),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_rule_on_commitments_notices_its_damage(rules: dict[str, Any], file: File, damage: str) -> None:
    column, expression, rule = DAMAGES[damage]
    assert outcomes_of(rules, file)[rule].result == "passed"
    damaged = File(file.texts.with_columns(expression.alias(column)), file.typed)
    assert outcomes_of(rules, damaged)[rule].result == "failed"


@pytest.mark.parametrize(
    ("version", "counts"), [("1.3", {"passed": 51, "not applicable": 6}), ("1.4", {"passed": 55, "not applicable": 8})]
)
def test_no_requirement_of_the_columns_since_1_3_fails(
    charged: Database, tmp_path: Path, version: Version, counts: dict[str, int]
) -> None:
    outcomes = judged_newer(exported(charged, tmp_path, version, SHARED), version)
    assert not {rule for rule, outcome in outcomes.items() if outcome.result == "failed"}
    assert Counter(outcome.result for outcome in outcomes.values()) == counts


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("allocation", [NOTHING_SHARED, SHARED])
def test_the_sums_are_those_of_the_ledger_and_of_the_statement(
    charged: Database, tmp_path: Path, version: Version, allocation: Allocation
) -> None:
    file = exported(charged, tmp_path, version, allocation)
    with charged.connect(read_only=True) as connection:
        charges, commitments = book(connection, FEBRUARY), book_commitments(connection, FEBRUARY)
        shares = book_shares(connection, charges, allocation)
    own, covered = charges["billed_cost_usd"].sum(), commitments["covered_usd"].sum()
    billed = own - covered + commitments["billed_cost_usd"].sum()
    effective = own - covered + commitments["effective_cost_usd"].sum()
    for name, sum_of_ledger in (("BilledCost", billed), ("EffectiveCost", effective)):
        assert sum(map(Decimal, file.values(name)), Decimal(0)) == sum_of_ledger, name
        assert file.typed[name].sum() == sum_of_ledger, name
    assert passed_on_statement(charges, commitments, shares, ("team",))["payable_usd"].sum() == effective
    for amount, of in (("list_cost_usd", "ListCost"), ("contracted_cost_usd", "ContractedCost")):
        used = file.typed.filter(pl.col("ChargeCategory").is_in(["Usage", "Adjustment"]))
        assert used[of].sum() == charges[amount].sum(), of
    assert file.typed["ConsumedQuantity"].sum() == charges.filter(pl.col("price_id").is_not_null())["quantity"].sum()


@pytest.mark.parametrize("version", VERSIONS)
def test_columns_are_filled_accepted_and_typed_as_described(
    charged: Database, tmp_path: Path, version: Version
) -> None:
    file = exported(charged, tmp_path, version)
    supported = {column.lacks for column in columns_of(version, MAY_BE | {"a discount that no column of FOCUS names"})}
    described = {column.name: column for column in columns_of(version, supported)}
    assert {name for name in described if name.startswith(("Commitment", "Resource", "x_Discount"))} <= {
        *file.texts.columns
    }
    for name, values in ((name, set(file.values(name))) for name in file.texts.columns):
        column = described[name]
        assert not column.accepted or values <= {*column.accepted}, name
        assert column.nullable or file.typed[name].null_count() == 0, name
        assert isinstance(file.typed.schema[name], pl.Decimal) == (column.kind == "Decimal"), name


def test_what_becomes_known_of_a_closed_month_corrects_its_commitments_too(charged: Database, tmp_path: Path) -> None:
    """Half of what stood idle turns out used by search, where it covers 0.001 USD. February stays; March takes the difference."""
    before = exported(charged, tmp_path / "before", "1.4").typed
    close_period(charged, FEBRUARY)
    with charged.connect() as connection:
        connection.execute(
            "update mart.commitment_usage set amount_usd = amount_usd + case commitment_discount_status when 'Used' then 2.3 else -2.3 end, "
            "effective_cost_usd = effective_cost_usd + case commitment_discount_status when 'Used' then 2.3 else -2.3 end, "
            "billed_cost_usd = billed_cost_usd + case commitment_discount_status when 'Used' then 2.3 else -2.3 end, "
            "covered_usd = covered_usd + case commitment_discount_status when 'Used' then 0.001 else 0 end where commitment_id = 'ptu'"
        )
    march, after = (month_of(charged, tmp_path / name, month) for name, month in (("m", MARCH), ("f", FEBRUARY)))
    with charged.connect() as connection:
        lines = book(connection, MARCH), book_commitments(connection, MARCH)
    assert after.equals(before), "the closed month stays"
    said = march.select("ChargeClass", "ChargeCategory", "CommitmentDiscountStatus", "BilledCost", "EffectiveCost")
    assert sorted(said.rows(), key=str) == [
        ("Correction", "Usage", "Unused", Decimal(0), Decimal("-2.3")),
        ("Correction", "Usage", "Used", Decimal("-0.001"), Decimal("2.299")),
    ]
    paid = passed_on_statement(*lines, pl.DataFrame(schema=SHARES), ("team",))["payable_usd"].sum()
    assert paid == march["EffectiveCost"].sum() == Decimal("-0.001")


def month_of(database: Database, folder: Path, month: date) -> pl.DataFrame:
    with database.connect(read_only=True) as connection:
        return export_month(connection, month, "1.4", folder, ACCOUNTS)[0].rows


def test_the_price_sheet_holds_what_commitments_are_purchased_at(charged: Database, tmp_path: Path) -> None:
    """A price by the unit holds as long as the commitment, a month's price shared out to days on the day."""
    with charged.connect(read_only=True) as connection:
        found, _ = export_month(connection, FEBRUARY, "1.4", tmp_path, ACCOUNTS)
        files = export_supporting(connection, FEBRUARY, "1.4", tmp_path, usage=found.rows, declared=DECLARED)
    (sheet,) = (pl.read_parquet(file) for file in files if file.name.endswith("sku-price-2026-02.parquet"))
    assert set(sheet["SkuPriceId"]) == set(found.rows["SkuPriceId"].drop_nulls())
    own = sheet.filter(pl.col("ChargeCategory") == "Purchase").sort("SkuPriceId")
    day, last = datetime(2026, 2, 14, tzinfo=UTC), datetime(2026, 2, 15, tzinfo=UTC)
    assert own.select("SkuPriceId", "ContractId", "PricingUnit", "ListUnitPrice", "SkuPriceEffectiveStart", "SkuPriceEffectiveEnd").rows() == [
        ("acme/commitment/monthly/Days", "monthly", "Days", (Decimal(1) / 28).quantize(Decimal("1e-18")), day, last),
        ("acme/commitment/prepaid/USD", "prepaid", "USD", Decimal(1), day, last),
        ("acme/commitment/ptu/Unit-Hours", "ptu", "Unit-Hours", Decimal("0.1"), day, None),
    ]  # fmt: skip
