"""The data sets that go with Cost and Usage: their columns as FOCUS lists them, and their sums against Cost and Usage."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from pipelines.books.focus.export import export_month, export_supporting
from pipelines.books.focus.supporting import sku_prices
from pipelines.books.focus.versions import Version
from pipelines.books.periods import close_period
from pipelines.config.commitments import Commitments
from pipelines.settings import Settings
from pipelines.warehouse.database import Database
from pipelines.warehouse.migrate import migrate
from pipelines.warehouse.open import open_database
from tests.charged import count_500_tokens_more, load_charged_day

FEBRUARY, MARCH = date(2026, 2, 1), date(2026, 3, 1)
TERM = {"from_date": "2026-01-01", "to_date": "2027-01-01"}
PTU = {"commitment": "ptu", "provider_id": "acme", "models": ["m"], "units": 100, "usd_per_unit_hour": 1, **TERM}
DECLARED = Commitments.model_validate(
    {
        "provisioned": [PTU],
        "credits": [{"commitment": "grant", "provider_id": "acme", "usd": 5000, **TERM, "to_date": "2026-02-10"}],
        "discounts": [
            {"discount": "twelve", "provider_id": "acme", "models": ["g*"], "percent": 12, "from_date": "2026-04-01"}
        ],
    }
)
BILLING_PERIOD = "BillingPeriodCreated BillingPeriodEnd BillingPeriodLastUpdated BillingPeriodStart BillingPeriodStatus InvoiceIssuerName"
INVOICE_DETAIL = (
    "BilledCost BillingAccountId BillingCurrency BillingPeriodEnd BillingPeriodStart ChargeCategory InvoiceDetailCreated "
    "InvoiceDetailDescription InvoiceDetailGrain InvoiceDetailId InvoiceDetailLastUpdated InvoiceId InvoiceIssueDate InvoiceIssueStatus "
    "InvoiceIssuerName PaymentDueDate PaymentTerms ReferenceInvoiceId"
)
CONTRACT_1_3 = (
    "BillingCurrency ContractCommitmentCategory ContractCommitmentCost ContractCommitmentDescription ContractCommitmentId "
    "ContractCommitmentPeriodEnd ContractCommitmentPeriodStart ContractCommitmentQuantity ContractCommitmentType ContractCommitmentUnit "
    "ContractId ContractPeriodEnd ContractPeriodStart"
)
SINCE_1_4 = (
    "Applicability BenefitCategory Created DiscountPercentage DurationType FulfillmentInterval LastUpdated LifecycleStatus Model OfferCategory "
    "PaymentInterval PaymentModel PaymentUpfrontPercentage"
)
OTHERS = "InvoiceIssuerName PricingCurrency PricingCurrencyContractCommitmentCost ServiceProviderName"


@dataclass(frozen=True)
class Written:
    """The files of one export: typed, and the texts of the CSV."""

    usage: pl.DataFrame
    sets: dict[str, pl.DataFrame]


def exported(database: Database, folder: Path, version: Version, month: date = FEBRUARY) -> Written:
    with database.connect(read_only=True) as connection:
        found, _ = export_month(connection, month, version, folder, {})
        files = export_supporting(connection, month, version, folder, usage=found.rows, declared=DECLARED)
    parquet = {file.stem: pl.read_parquet(file) for file in files if file.suffix == ".parquet"}
    texts = {file.stem: pl.read_csv(file, infer_schema=False) for file in files if file.suffix == ".csv"}
    assert {name: frame.columns for name, frame in texts.items()} == {n: f.columns for n, f in parquet.items()}
    return Written(
        found.rows,
        {name.removeprefix("focus-").removesuffix(f"-{month:%Y-%m}"): frame for name, frame in parquet.items()},
    )


@pytest.fixture(scope="module")
def charged(postgres_home: Path) -> Iterator[Database]:
    """The day of charges; then February is closed, and 500 tokens more of model m become known in March."""
    with open_database(Settings(home=postgres_home), migrate=False) as shared:
        shared.create_database("focus_sets")
        database = shared.named("focus_sets")
        migrate(database)
        with database.connect() as connection, connection.transaction():
            load_charged_day(connection)
        close_period(database, FEBRUARY)
        with database.connect() as connection:
            count_500_tokens_more(connection)
            connection.execute(
                'insert into mart.daily_charge select (jsonb_populate_record(charge, \'{"event_date": "2026-03-01"}\')).* '
                "from mart.daily_charge as charge where model_id = 'm' and meter = 'input_uncached' and price_id is not null"
            )
        yield database


@pytest.fixture(scope="module")
def february(charged: Database, tmp_path_factory: pytest.TempPathFactory) -> Written:
    return exported(charged, tmp_path_factory.mktemp("february"), "1.4")


def test_each_version_has_its_data_sets_and_their_columns(charged: Database, february: Written, tmp_path: Path) -> None:
    assert exported(charged, tmp_path, "1.2").sets == {}
    (older,) = exported(charged, tmp_path, "1.3").sets.items()
    assert (older[0], older[1].columns) == ("1.3-contract-commitment", CONTRACT_1_3.split())
    columns = {name: frame.columns for name, frame in february.sets.items()}
    assert columns["1.4-billing-period"] == BILLING_PERIOD.split()
    assert columns["1.4-invoice-detail"] == INVOICE_DETAIL.split()
    new = [*(f"ContractCommitment{name}" for name in SINCE_1_4.split()), *OTHERS.split()]
    assert columns["1.4-contract-commitment"] == sorted([*CONTRACT_1_3.split(), *new])
    assert len(columns["1.4-contract-commitment"]) == 30


def test_a_period_is_closed_as_in_the_books(charged: Database, february: Written, tmp_path: Path) -> None:
    closed = february.sets["1.4-billing-period"].row(0, named=True)
    assert (closed["BillingPeriodStatus"], closed["InvoiceIssuerName"]) == ("Closed", "acme")
    assert (closed["BillingPeriodStart"], closed["BillingPeriodEnd"]) == (
        datetime(2026, 2, 1, tzinfo=UTC),
        datetime(2026, 3, 1, tzinfo=UTC),
    )
    march = exported(charged, tmp_path, "1.4", MARCH).sets["1.4-billing-period"]
    assert march["BillingPeriodStatus"].to_list() == ["Open"]


def test_invoice_lines_are_cost_and_usage_added_up(charged: Database, february: Written, tmp_path: Path) -> None:
    """In March the line that corrects February refers to its invoice, apart from the month's own usage of the same SKU."""
    for written in (february, exported(charged, tmp_path, "1.4", MARCH)):
        lines = written.sets["1.4-invoice-detail"]
        assert lines["InvoiceDetailId"].is_unique().all()
        sums = written.usage.group_by("InvoiceDetailId").agg(pl.col("BilledCost").sum()).sort("InvoiceDetailId")
        assert lines.select("InvoiceDetailId", "BilledCost").rows() == sums.rows()
    references = dict(lines.select("InvoiceDetailId", "ReferenceInvoiceId").rows())
    sku = "acme-2026-03-provisional/acme/m/input_uncached"
    assert references == {sku: "acme-2026-03-provisional", f"{sku}/corrects-2026-02": "acme-2026-02-provisional"}
    assert lines.filter(pl.col("InvoiceDetailId").str.ends_with("02"))["BilledCost"].to_list() == [Decimal("0.0015")]
    assert json.loads(lines["InvoiceDetailGrain"][0])["SkuId"] == "acme/m/input_uncached"


def test_contracts_are_what_is_declared_and_what_price_sheets_hold(february: Written) -> None:
    contracts = {
        row["ContractCommitmentId"]: row for row in february.sets["1.4-contract-commitment"].iter_rows(named=True)
    }
    assert set(contracts) == {"ptu", "grant", "twelve", "c-1"}
    assert contracts["twelve"]["ContractCommitmentDiscountPercentage"] == Decimal("0.12")
    assert contracts["twelve"]["ContractCommitmentPeriodEnd"].year == 9999
    ptu = contracts["ptu"]
    assert (
        ptu["ContractCommitmentQuantity"],
        ptu["ContractCommitmentUnit"],
        ptu["ContractCommitmentDurationType"],
    ) == (100, "Units", "1 Year")
    scope = json.loads(ptu["ContractCommitmentApplicability"])["Inclusions"]
    assert scope[1] == {"Dimension": "x_ModelId", "Operator": "In", "Values": ["m"]}
    assert contracts["grant"]["ContractCommitmentCost"] == 5000
    for name in (
        "ContractCommitmentCategory",
        "ContractCommitmentLifecycleStatus",
        "ContractCommitmentModel",
        "ContractId",
        "BillingCurrency",
    ):
        assert all(row[name] for row in contracts.values()), name


def test_what_a_contract_decided_names_it(february: Written) -> None:
    applied = february.usage.filter(pl.col("ContractApplied").is_not_null())
    assert applied["x_ContractId"].unique().to_list() == ["c-1"]
    for text, cost in applied.select("ContractApplied", "ContractedCost").rows():
        (element,) = json.loads(text, parse_float=Decimal, parse_int=Decimal)["Elements"]
        assert element["ContractCommitmentId"] == "c-1"
        assert element["ContractCommitmentAppliedCost"] == cost


def test_every_sku_price_of_the_month_is_in_the_sheet_once_a_period(february: Written) -> None:
    sheet = february.sets["1.5-draft-sku-price"]
    used = february.usage.filter(pl.col("ChargeCategory") == "Usage")
    assert set(sheet["SkuPriceId"]) == set(used["SkuPriceId"])
    key = ["ServiceProviderName", "SkuPriceId", "ContractId", "SkuPriceEffectiveStart", "PricingCurrency"]
    assert not sheet.select(key).is_duplicated().any()
    granted = sheet.filter(pl.col("SkuId") == "acme/granted/input_uncached").sort("ContractId", nulls_last=False)
    assert granted.select("ContractId", "ListUnitPrice", "ContractedUnitPrice").rows() == [
        (None, Decimal(3), Decimal(3)), ("c-1", Decimal(3), Decimal("2.64")),
    ]  # fmt: skip
    charged = dict(used.filter(pl.col("x_ContractId").is_null()).select("SkuPriceId", "ListUnitPrice").rows())
    listed = sheet.filter(pl.col("ContractId").is_null(), pl.col("SkuPriceEffectiveEnd").is_null())
    assert {
        sku: price for sku, price in listed.select("SkuPriceId", "ListUnitPrice").rows() if sku in charged
    } == charged


def test_a_contract_stands_next_to_the_list_price_that_held_when_it_was_charged() -> None:
    """The seller lowers its list price on the 15th: 12 % off 3 USD and off 2 USD are two prices, each next to its own."""
    middle, of_sku = datetime(2026, 2, 15, tzinfo=UTC), {"SkuPriceId": "s", "SkuId": "s", "SkuMeter": "Input"}
    used = pl.DataFrame(
        [{**of_sku, "ServiceProviderName": "acme", "PricingUnit": "1000000 Tokens", "list_price_id": "1"}]
    )
    periods = [(Decimal(3), datetime(2026, 1, 1, tzinfo=UTC), middle), (Decimal(2), middle, None)]
    history = pl.DataFrame(
        [("1", usd, start, end, start) for usd, start, end in periods],
        schema=["list_price_id", "usd_per_million", "valid_from", "valid_to", "recorded_at"], orient="row",
    )  # fmt: skip
    charged = [(Decimal(3), Decimal("2.64"), date(2026, 2, 1), middle), (Decimal(2), Decimal("1.76"), date(2026, 2, 15), datetime(2026, 3, 1, tzinfo=UTC))]  # fmt: skip
    money, instant = pl.Decimal(38, 18), pl.Datetime("us", "UTC")
    contracted = pl.DataFrame(
        [("s", "twelve", usd, less, datetime(since.year, since.month, since.day, tzinfo=UTC), until) for usd, less, since, until in charged],
        schema={"SkuPriceId": pl.String, "ContractId": pl.String, "ListUnitPrice": money, "ContractedUnitPrice": money, "since": instant, "until": instant},
        orient="row",
    )  # fmt: skip
    sheet = sku_prices(used, history.with_columns(pl.col("usd_per_million").cast(money)), contracted)
    of_contract = sheet.filter(pl.col("ContractId") == "twelve").sort("SkuPriceEffectiveStart")
    assert of_contract.select("ListUnitPrice", "ContractedUnitPrice", "SkuPriceEffectiveStart").rows() == [
        (3, Decimal("2.64"), periods[0][1]), (2, Decimal("1.76"), middle),
    ]  # fmt: skip
