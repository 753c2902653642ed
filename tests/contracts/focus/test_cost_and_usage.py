"""The FOCUS export against FOCUS's own rules, and its totals against the charges."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.books.allocation import charge_back
from pipelines.books.focus.export import export_month
from pipelines.books.focus.versions import COST_AND_USAGE, VERSIONS, Version, columns_of
from pipelines.books.periods import NOTHING_SHARED, close_period
from pipelines.config.allocation import Allocation
from pipelines.config.focus import BillingAccount
from pipelines.daily.chargeback import spend_of
from pipelines.daily.days import Window
from pipelines.settings import Settings
from pipelines.warehouse.database import Database
from pipelines.warehouse.open import open_database
from tests.charged import DAY, count_500_tokens_more, load_charged_day
from tests.contracts.focus.dynamic import DYNAMIC
from tests.contracts.focus.newer import NEWER, judged_newer
from tests.contracts.focus.rules import File, judged
from tests.marts import model_sql
from tests.warehouse_fixtures import fresh_database

FEBRUARY = date(2026, 2, 1)
ACCOUNTS = {"acme": BillingAccount(id="org-4711", name="Acme")}
SUPPORTED = {
    "ACCOUNT_NAMING_SUPPORTED", "NEGOTIATED_PRICING_SUPPORTED", "PUBLIC_PRICE_LIST_SUPPORTED", "USAGE_MEASUREMENT_SUPPORTED",
    "UNIT_PRICING_SUPPORTED", "REGION_SUPPORTED", "TAGGING_SUPPORTED",
}  # fmt: skip
CONTRADICTED = {"InvoiceId-C-004-C"}
"""The model asks for a null invoice on every row, and its next rule for one that is not: it can't see the condition."""


@pytest.fixture(scope="module")
def charged(postgres_home: Path) -> Iterator[Database]:
    """The day of charges; the tests of this module only read."""
    with open_database(Settings(home=postgres_home), migrate=False) as shared:
        database = fresh_database(shared)
        with database.connect() as connection, connection.transaction():
            load_charged_day(connection)
        yield database


SHARED = Allocation.model_validate(
    {
        "rules": [
            {
                "name": "nobody",
                "when": {"team": "unattributed"},
                "to": "team",
                "by": "weights",
                "weights": {"search": 2, "legal": 1},
            }
        ]
    }
)
"""All but the calls of model m, which are of team search, are shared."""


def exported(database: Database, folder: Path, version: Version, allocation: Allocation = NOTHING_SHARED) -> File:
    with database.connect(read_only=True) as connection:
        found, (csv, parquet) = export_month(connection, FEBRUARY, version, folder, ACCOUNTS, allocation=allocation)
    assert found.unpriced_requests == 1
    assert found.unnamed_accounts == ()
    return File(pl.read_csv(csv, infer_schema=False), pl.read_parquet(parquet))


def test_no_rule_of_version_1_2_fails(charged: Database, tmp_path: Path, rules: dict[str, Any]) -> None:
    outcomes = judged(rules, exported(charged, tmp_path, "1.2"), SUPPORTED, DYNAMIC)
    single = {name: rule for name, rule in rules["ModelRules"].items() if rule["Function"] != "Composite"}
    assert {name for name in single if outcomes[name].result == "failed"} == CONTRADICTED
    counts = Counter((single[name]["Type"], outcomes[name].result) for name in single)
    assert counts == COUNTS, counts
    reasons = {outcome.reason for outcome in outcomes.values() if outcome.result == "not applicable"}
    assert all(reasons), "what does not apply says why"


COUNTS = Counter(
    {
        ("Static", "passed"): 159,
        ("Static", "failed"): 1,
        ("Static", "not applicable"): 117,
        ("Dynamic", "passed"): 76,
        ("Dynamic", "not applicable"): 125,
    }
)
"""Of the 478 rules that are not made of others; docs/books.md names them."""

DAMAGES: dict[str, tuple[pl.Expr, str]] = {
    "a cost that is not price times quantity": (pl.col("ListCost").str.replace(r"0$", "1"), "ListCost-C-009-C"),
    "an integer": (pl.col("BilledCost").str.replace(r"\..*", ""), "BilledCost-C-001-M"),
    "an instant without its zone": (pl.col("ChargePeriodEnd").str.strip_suffix("Z"), "ChargePeriodEnd-C-002-M"),
    "usage without a quantity": (pl.lit(None, pl.String).alias("PricingQuantity"), "PricingQuantity-C-005-C"),
    "another category": (pl.lit("Magic").alias("ServiceSubcategory"), "ServiceSubcategory-C-003-M"),
    "a price of two products": (pl.col("SkuPriceId").str.replace("output_reasoning|input_uncached", "x"), "SkuPriceId-C-008-M"),
    "an object in an object": (pl.lit('{"team": {"a": 1}}').alias("Tags"), "Tags-C-001-M"),
    "a placeholder": (pl.lit("N/A").alias("x_ContractId"), "NullHandling-A-002-M"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_each_kind_of_rule_notices_its_damage(
    charged: Database, tmp_path: Path, rules: dict[str, Any], damage: str
) -> None:
    file = exported(charged, tmp_path, "1.2")
    expression, rule = DAMAGES[damage]
    outcomes = judged(rules, File(file.texts.with_columns(expression), file.typed), SUPPORTED, DYNAMIC)
    assert outcomes[rule].result == "failed"


@pytest.mark.parametrize(
    ("version", "counts"),
    [("1.3", {"passed": 45, "not applicable": 12}), ("1.4", {"passed": 49, "not applicable": 14})],
)
def test_no_requirement_of_the_columns_since_1_3_fails(
    charged: Database, tmp_path: Path, version: Version, counts: dict[str, int]
) -> None:
    outcomes = judged_newer(exported(charged, tmp_path, version, SHARED), version)
    assert not {rule for rule, outcome in outcomes.items() if outcome.result == "failed"}
    assert Counter(outcome.result for outcome in outcomes.values()) == counts


NEWER_DAMAGES: dict[str, tuple[pl.Expr, tuple[str, str]]] = {
    "keys as before the erratum": (
        pl.col("ContractApplied").str.replace_all("Id", "ID"), ("ContractApplied", "is formed as its schema says"),
    ),
    "another cost": (
        pl.col("ContractApplied").str.replace(r"\.\d+", ".5"), ("ContractApplied", "has its cost in the currency of the bill"),
    ),
    "a contract without its name": (
        pl.lit("c-2").alias("x_ContractId"), ("ContractApplied", "is filled where a contract is applied"),
    ),
    "ratios of two thirds each": (
        pl.col("AllocatedMethodDetails").str.replace("0.3{18}", "0.6666"), ("AllocatedMethodDetails", "has ratios that sum to 1 over a charge"),
    ),
    "a ratio as text": (
        pl.col("AllocatedMethodDetails").str.replace(r"(0\.\d+)", '"$1"'), ("AllocatedMethodDetails", "is formed as its schema says"),
    ),
    "a rule that nothing is split by": (pl.lit("x").alias("AllocatedMethodId"), ("AllocatedResourceId", "is filled on an allocated part")),
    "a tag that the charge has": (pl.col("AllocatedTags").alias("Tags"), ("AllocatedTags", "repeats no tag of the charge")),
    "a host of its own": (pl.lit("cloud").alias("HostProviderName"), ("HostProviderName", "is the seller where no host is shown")),
    "a detail on two invoices": (pl.int_range(pl.len()).cast(pl.String).alias("InvoiceId"), ("InvoiceDetailId", "is of one invoice")),
}  # fmt: skip


@pytest.mark.parametrize("damage", NEWER_DAMAGES)
def test_a_requirement_since_1_3_notices_its_damage(charged: Database, tmp_path: Path, damage: str) -> None:
    file = exported(charged, tmp_path, "1.4", SHARED)
    expression, rule = NEWER_DAMAGES[damage]
    check = NEWER[rule]
    assert callable(check)
    assert check(file)
    assert not check(File(file.texts.with_columns(expression), file.typed))


@pytest.mark.parametrize("version", VERSIONS)
def test_every_cost_sums_to_that_of_the_charges(charged: Database, tmp_path: Path, version: Version) -> None:
    file = exported(charged, tmp_path, version, SHARED)
    with charged.connect(read_only=True) as connection:
        (truth,) = connection.execute(
            "select sum(list_cost_usd), sum(contracted_cost_usd), sum(effective_cost_usd), sum(billed_cost_usd) "
            "from mart.daily_charge"
        ).fetchall()
    names = ("ListCost", "ContractedCost", "EffectiveCost", "BilledCost")
    assert tuple(sum(map(Decimal, file.values(name))) for name in names) == truth
    assert tuple(file.typed[name].sum() for name in names) == truth
    shared = (
        0
        if version == "1.2"
        else file.texts["AllocatedResourceId"].len() - file.texts["AllocatedResourceId"].null_count()
    )
    assert file.texts.height - shared // 2 == 9, "eight lines with a price, and what marginal rates take back"


def test_shared_cost_is_a_row_for_each_receiver_and_says_by_which_rule(charged: Database, tmp_path: Path) -> None:
    """100 output tokens of `granted` at 15 USD are 0.0015 USD, of which search has two thirds. Origin and parts agree in all but amounts."""
    file = exported(charged, tmp_path, "1.4", SHARED)
    parts = file.texts.filter(pl.col("SkuId") == "acme/granted/output_text").sort("AllocatedResourceName")
    assert parts.select(
        "AllocatedMethodId", "AllocatedResourceId", "AllocatedResourceName", "AllocatedTags"
    ).rows() == [
        ("nobody", "team/legal", "legal", '{"team": "legal"}'),
        ("nobody", "team/search", "search", '{"team": "search"}'),
    ]
    assert parts.select("BilledCost", "PricingQuantity").rows() == [
        ("0.000500000000000000", "0.000033333333333333"),
        ("0.001000000000000000", "0.000066666666666667"),
    ]
    assert list(map(json.loads, parts["AllocatedMethodDetails"])) == [
        {"Elements": [{"AllocatedRatio": share}], "x_By": "weights", "x_To": "team", "x_Weights": {"legal": "1", "search": "2"},
         "x_When": {"team": "unattributed"}}
        for share in (0.333333333333333333, 0.666666666666666667)
    ]  # fmt: skip
    (origin,) = (
        exported(charged, tmp_path, "1.4").texts.filter(pl.col("SkuId") == "acme/granted/output_text").rows(named=True)
    )
    amounts = {
        "BilledCost",
        "EffectiveCost",
        "ListCost",
        "ContractedCost",
        "ConsumedQuantity",
        "PricingQuantity",
        "ContractApplied",
    }
    for name, value in origin.items():
        if name not in amounts:
            assert set(parts[name]) == {value}, name
        elif name != "ContractApplied":
            assert sum(map(Decimal, parts[name])) == Decimal(value), name


def test_what_each_team_pays_in_the_file_is_what_chargeback_says(charged: Database, tmp_path: Path) -> None:
    rows = exported(charged, tmp_path, "1.3", SHARED).typed
    team = pl.coalesce("AllocatedResourceName", pl.col("Tags").str.json_path_match("$.team"))
    found = dict(rows.group_by(team=team).agg(pl.col("EffectiveCost").sum()).rows())
    with charged.connect(read_only=True) as connection:
        paid = charge_back(spend_of(connection, Window.of_day(DAY)), SHARED)
    assert found == dict(
        paid.filter(pl.col("effective_cost_usd") != 0).group_by("team").agg(pl.col("effective_cost_usd").sum()).rows()
    )
    assert set(found) == {"search", "legal"}


def test_a_charge_is_split_by_the_user_and_key_that_the_log_names(charged: Database, tmp_path: Path) -> None:
    """Of model m, 1,000 tokens are of user ada by key k1, and 500 of nobody by k1: 0.003 and 0.0015 USD; every sum stays."""
    with charged.connect() as connection, connection.transaction(force_rollback=True):
        connection.execute(f"create view staging.stg_request as {model_sql('stg_request')}".encode())
        tags = 'tags = \'{"api_key": "k1"}\''
        connection.execute(f"update core.request set {tags} where model_id = 'm'".encode())
        connection.execute(
            "update core.request set end_user_id = 'ada' where model_id = 'm' and input_uncached_tokens = 1000"
        )
        found, _ = export_month(connection, FEBRUARY, "1.2", tmp_path, ACCOUNTS, by_user=True)
        whole, _ = export_month(connection, FEBRUARY, "1.2", tmp_path, ACCOUNTS)
    input_of_m = found.rows.filter(pl.col("SkuId") == "acme/m/input_uncached").sort("BilledCost")
    assert input_of_m.select("x_PrincipalId", "x_CredentialId", "ConsumedQuantity", "BilledCost").rows() == [
        (None, "k1", Decimal(500), Decimal("0.0015")),
        ("ada", "k1", Decimal(1000), Decimal("0.003")),
    ]
    for name in ("ListCost", "ContractedCost", "EffectiveCost", "BilledCost", "ConsumedQuantity", "PricingQuantity"):
        assert found.rows[name].sum() == whole.rows[name].sum(), name
    assert "x_CredentialId" not in whole.rows.columns
    assert set(found.rows.filter(pl.col("x_ModelId") != "m")["x_CredentialId"]) == {None}


def test_each_version_has_its_columns() -> None:
    by_version = {version: {c.name for c in COST_AND_USAGE if c.is_in(version)} for version in VERSIONS}
    assert [len(names) for names in by_version.values()] == [57, 65, 65]
    assert by_version["1.3"] - by_version["1.4"] == {"ProviderName", "PublisherName"}
    assert by_version["1.4"] - by_version["1.3"] == {"CommitmentProgramEligibilityDetails", "InvoiceDetailId"}
    assert [c.name for c in COST_AND_USAGE] == sorted(c.name for c in COST_AND_USAGE)


def test_the_columns_of_1_2_are_those_of_the_rules(rules: dict[str, Any]) -> None:
    named = {
        rule["ValidationCriteria"]["Requirement"]["ColumnName"]
        for rule in rules["ModelRules"].values()
        if rule["Function"] == "Presence"
    }
    assert {column.name for column in COST_AND_USAGE if column.is_in("1.2")} == named


@pytest.mark.parametrize("version", VERSIONS)
def test_a_column_is_filled_accepted_and_typed_as_its_description_says(
    charged: Database, tmp_path: Path, version: Version
) -> None:
    file = exported(charged, tmp_path, version, SHARED)
    assert held_columns(file, version) == len(columns_of(version)) - 1, "no log names a key"


def held_columns(file: File, version: Version) -> int:
    """How many columns the file has, each present in its place, typed, filled and accepted as `versions.py` says. Raises AssertionError."""
    names = [column.name for column in columns_of(version)]
    assert file.texts.columns == [name for name in names if name in file.texts.columns]
    optional = {name for name in names if name.startswith(("Allocated", "Region", "x_Credential"))}
    assert set(names) - set(file.texts.columns) <= optional
    kinds = {
        "String": pl.String,
        "JSON": pl.String,
        "Decimal": pl.Decimal(38, 18),
        "DateTime": pl.Datetime("us", "UTC"),
    }
    for column in columns_of(version):
        if column.name in file.texts.columns:
            assert file.typed.schema[column.name] == kinds[column.kind], column.name
            assert column.nullable or file.typed[column.name].null_count() == 0, column.name
            assert not column.accepted or set(file.values(column.name)) <= set(column.accepted), column.name
    return file.texts.width


def test_what_became_known_of_a_closed_month_is_a_correction_in_the_open_one(
    database: Database, tmp_path: Path
) -> None:
    """February is closed; then 500 tokens more of model m at 3 USD, in the file of March."""
    with database.connect() as connection, connection.transaction():
        load_charged_day(connection)
    close_period(database, FEBRUARY)
    with database.connect() as connection:
        count_500_tokens_more(connection)
        connection.execute(
            'insert into mart.daily_charge select (jsonb_populate_record(charge, \'{"event_date": "2026-03-01"}\')).* '
            "from mart.daily_charge as charge where model_id = 'granted' and meter = 'output_text'"
        )
        exported_now, (csv, _) = export_month(connection, date(2026, 3, 1), "1.4", tmp_path, ACCOUNTS)
        export_month(connection, FEBRUARY, "1.4", tmp_path, ACCOUNTS)
    corrected = exported_now.rows.filter(pl.col("ChargeClass") == "Correction")
    assert corrected.select("ConsumedQuantity", "BilledCost", "ListUnitPrice").rows() == [
        (Decimal(500), Decimal("0.0015"), Decimal(3))
    ]
    texts = pl.read_csv(csv, infer_schema=False).filter(pl.col("ChargeClass") == "Correction")
    assert texts.select("BillingPeriodStart", "ChargePeriodStart").rows() == [
        ("2026-03-01T00:00:00Z", "2026-02-14T00:00:00Z")
    ]
    assert exported_now.rows.height == 2
