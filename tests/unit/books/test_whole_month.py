"""A month worked by hand, from calls to the books: throughput with overage, a credit that expires, 12 % off, two currencies, a price that
is corrected after closing, and a bill that differs for five causes. Every sum is one to the last digit, wherever it is taken.

| call | tokens | costs |
|---|---|---|
| 10 February 9:10, model m, team search | 2,000,000 in | at 3 USD: 6 USD |
| 10 February 10:10, model m, team support | 1,000,000 in | at 3 USD: 3 USD |
| 12 February, model n, team search | 1,000,000 in | at 5 USD less 12 %: 4.40 USD |
| 12 February, model k at beta, nobody's team | 1,000,000 in | at 10 EUR of 1.10 USD: 11 USD |
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import polars as pl
import psycopg
import pytest
from polars.testing import assert_frame_equal

from pipelines.books.allocation import allocate, charge_back, passed_on
from pipelines.books.commitments import Ledger
from pipelines.books.focus.export import export_month
from pipelines.books.focus.versions import VERSIONS, Version
from pipelines.books.periods import book, book_commitments, book_shares, close_period, pending
from pipelines.books.reconciliation import reconcile
from pipelines.books.statement import passed_on_statement
from pipelines.config.allocation import Allocation
from pipelines.config.commitments import Commitments
from pipelines.config.fx import FxConfig
from pipelines.config.reconciliation import Reconciliation
from pipelines.daily.chargeback import spend_of
from pipelines.daily.commitments import ledger_of
from pipelines.daily.days import Window
from pipelines.daily.reconciliation import _CHARGES, bills_of
from pipelines.finops.queries import QUERIES
from pipelines.prices import build_fx_rates, build_ledger, build_rate_card, rate
from pipelines.prices.feed_snapshot import BEGINNING
from pipelines.prices.restatement import changed_requests, restatement_lines
from pipelines.settings import Settings
from pipelines.warehouse.database import Database
from pipelines.warehouse.migrate import migrate
from pipelines.warehouse.open import open_database
from pipelines.warehouse.read import read_frame, read_table
from pipelines.warehouse.replace import replace_all, replace_days
from pipelines.warehouse.tables.bills import REPORTED_COST
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.core_prices import FX_RATE, PRICE, RATE_CARD
from pipelines.warehouse.tables.mart_commitments import COMMITMENT_USAGE
from pipelines.warehouse.tables.mart_reconciliation import CAUSES
from pipelines.warehouse.tables.raw import SNAPSHOT
from pipelines.warehouse.tables.selfhost import HOURLY_DEMAND
from tests.marts import BUILT, build_spend_tables, create_spend_tables
from tests.unit.prices.feeds import DATED, price, registry_of, snapshot
from tests.unit.prices.requests_frame import requests_frame
from tests.unit.prices.test_exchange import fx
from tests.unit.quality.rows import good_row, insert
from tests.warehouse import rows as warehouse_rows

D = Decimal
FEBRUARY, MARCH = date(2026, 2, 1), date(2026, 3, 1)
STATED = {"valid_from": BEGINNING, "date_basis": "unknown"}
EURO = {"provider": "beta", "raw_model": "k", "pricing_currency": "EUR", **STATED}
FIRST = snapshot(
    "2026-01-10", price("3", **STATED), price("5", raw_model="n", **STATED), price("10", **EURO), feed=DATED
)
CORRECTED = snapshot(
    "2026-03-02", price("3", **STATED), price("4", raw_model="n", **STATED), price("10", **EURO), feed=DATED
)
CALLS = (
    (datetime(2026, 2, 10, 9, 10, tzinfo=UTC), "acme", "m", "search", 2_000_000),
    (datetime(2026, 2, 10, 10, 10, tzinfo=UTC), "acme", "m", "support", 1_000_000),
    (datetime(2026, 2, 12, 12, tzinfo=UTC), "acme", "n", "search", 1_000_000),
    (datetime(2026, 2, 12, 12, tzinfo=UTC), "beta", "k", None, 1_000_000),
)
DECLARED = Commitments.model_validate(
    {
        "discounts": [{"discount": "twelve", "provider_id": "acme", "models": ["n"], "percent": 12, "from_date": "2026-02-01"}],
        "provisioned": [
            {
                "commitment": "ptu", "provider_id": "acme", "models": ["m"], "units": 1, "usd_per_unit_hour": "0.10",
                "tokens_per_unit_hour": 1_000_000, "from_date": "2026-02-10", "to_date": "2026-02-11",
            }
        ],
        "credits": [{"commitment": "grant", "provider_id": "acme", "usd": 10, "from_date": "2026-02-01", "to_date": "2026-02-13"}],
    }
)  # fmt: skip


SHARED = Allocation.model_validate(
    {"rules": [{"name": "nobody", "when": {"team": "unattributed"}, "to": "team", "by": "spend"}]}
)


class Month:
    """The warehouse of the month, and what it is rated by."""

    def __init__(self, database: Database, rates: pl.DataFrame) -> None:
        self.database, self.rates = database, rates

    def card(self, *feeds: Any) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Ledger and rate cards of the snapshots."""
        ledger = build_ledger(DATED, list(feeds), registry_of(list(feeds)))
        return ledger, build_rate_card(ledger, [DATED], fx_rates=self.rates, discounts=DECLARED.discounts)

    def load(self, card: pl.DataFrame) -> pl.DataFrame:
        """Rate the calls and build what follows from them; the requests."""
        rated = rate(
            requests_frame(
                {"provider_id": seller, "model_id": model, "event_at": at, "input_uncached": tokens}
                for at, seller, model, _, tokens in CALLS
            ),
            card,
        )
        plain = warehouse_rows.requests(len(CALLS), day=FEBRUARY)
        requests = plain.with_columns(
            *(rated[name] for name in rated.columns),
            pl.Series("team", [team for *_, team, _ in CALLS], dtype=pl.String),
            event_date=rated["event_at"].dt.date(),
        )
        with self.database.connect() as connection:
            replace_days(connection, REQUEST, requests, FEBRUARY, MARCH)
            connection.execute(f"truncate {', '.join(table.qualified for table in BUILT)}".encode())
            build_spend_tables(connection)
        return requests

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with self.database.connect() as connection:
            return connection.execute(sql.encode()).fetchall()


def ledger_of_month(connection: psycopg.Connection[Any]) -> Ledger:
    """The commitments over the days on which there are calls, and the two between."""
    hours = [(at.date(), at.hour, "chat", seller, model, 1, tokens, 0) for at, seller, model, _, tokens in CALLS]
    replace_all(connection, HOURLY_DEMAND, pl.DataFrame(hours, schema=HOURLY_DEMAND.polars_schema, orient="row"))
    return ledger_of(connection, DECLARED)


@pytest.fixture(scope="module")
def month(postgres_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Month]:
    euro = "Date,USD,\n2026-02-12,1.1000,\n"
    config = FxConfig.model_validate({"feeds": [{"feed": "fx", "steps": "day"}]})
    rates = build_fx_rates(config, [fx(tmp_path_factory.mktemp("fx"), "2026-02-13.csv", euro, config)], {"EUR"})
    with open_database(Settings(home=postgres_home), migrate=False) as shared:
        shared.create_database("whole_month")
        database = shared.named("whole_month")
        migrate(database)
        found = Month(database, rates)
        ledger, card = found.card(FIRST)
        with database.connect() as connection:
            create_spend_tables(connection)
            replace_all(connection, PRICE, ledger)
            replace_all(connection, RATE_CARD, card)
            replace_all(connection, FX_RATE, rates)
        found.load(card)
        yield found


def billed_lines() -> list[dict[str, Any]]:
    """Acme's bill: 200,000 tokens of m more, at 3.10 USD; 10 % off n in place of 12; 2 USD of tax and a credit of 7.40."""

    def line(number: int, day: int, amount: str, **more: Any) -> dict[str, Any]:
        at = datetime(2026, 2, day, tzinfo=UTC)
        return good_row(
            REPORTED_COST, cost_uid=UUID(int=number), source="bill", provider_id="acme", event_date=at.date(), bucket_from=at,
            bucket_to=at.replace(day=day + 1), amount=D(amount), amount_text=f"{D(amount):.12f}", amount_usd=D(amount), superseded_at=None,
            supersede_reason=None, **more,
        )  # fmt: skip

    tokens = {"meter": "input", "quantity_unit": "tokens", "charge_category": "Usage"}
    return [
        line(1, 10, "9.92", model_id="m", raw_model="m", quantity=D(3_200_000), request_count=2, **tokens),
        line(
            2,
            12,
            "4.5",
            list_amount=D(5),
            model_id="n",
            raw_model="n",
            quantity=D(1_000_000),
            request_count=1,
            **tokens,
        ),
        line(3, 12, "2", line_item="VAT", charge_category="Tax"),
        line(4, 12, "-7.4", line_item="grant", charge_category="Credit"),
    ]


def test_what_the_month_is_charged_and_paid(month: Month) -> None:
    """Charged 24.40 USD. Throughput serves 2,000,000 of m for 0.20 of its 2.40, 3 USD go beyond it. The credit pays these and n's 4.40; 2.60
    expire. Paid is 2.40 + 10 + 11 = 23.40."""
    assert month.query("select sum(effective_cost_usd), sum(list_cost_usd) from mart.daily_charge") == [
        (D("24.4"), D(25))
    ]
    with month.database.connect() as connection, connection.transaction(force_rollback=True):
        found = ledger_of_month(connection)
    at = {(row["commitment_id"], row["event_date"].day): row for row in found.days.iter_rows(named=True)}
    ptu = at["ptu", 10]
    assert (ptu["used_usd"], ptu["unused_usd"], ptu["covered_usd"], ptu["overage_usd"]) == (
        D("0.2"),
        D("2.2"),
        D(6),
        D(3),
    )
    assert [at["grant", day]["used_usd"] for day in (10, 12)] == [D(3), D("4.4")]
    assert at["grant", 12]["unused_usd"] == D("2.6"), "it expires on the thirteenth"
    paid = D("24.4") - found.usage["covered_usd"].sum() + found.usage["effective_cost_usd"].sum()
    assert paid == D("23.4")


@pytest.mark.parametrize("version", VERSIONS)
def test_the_file_of_the_month_has_what_commitments_cover_cost_and_are_billed_at(
    month: Month, tmp_path: Path, version: Version
) -> None:
    """Billed are the throughput at 2.40, the credit at 10 and beta's 11 USD; effective is what was used of them, and the same sum.

    Of m 2,000,000 of 3,000,000 tokens are in the capacity: two thirds of search's 6 USD, and of support's 3. The credit pays the rest and n.
    """
    with month.database.connect() as connection, connection.transaction(force_rollback=True):
        found = ledger_of_month(connection)
        replace_all(connection, COMMITMENT_USAGE, found.usage)
        file, (csv, parquet) = export_month(connection, FEBRUARY, version, tmp_path, {}, allocation=SHARED)
        charges, commitments = book(connection, FEBRUARY), book_commitments(connection, FEBRUARY)
        lines = passed_on_statement(charges, commitments, book_shares(connection, charges, SHARED), ("team",))
    rows = file.rows
    assert (rows["BilledCost"].sum(), rows["EffectiveCost"].sum()) == (D("23.4"), D("23.4"))
    assert lines["payable_usd"].sum() == D("23.4")
    texts = pl.read_csv(csv, infer_schema=False)
    assert sum((D(text) for text in texts["EffectiveCost"]), D(0)) == D("23.4")
    assert pl.read_parquet(parquet).equals(rows)
    of = ("ChargeCategory", "CommitmentDiscountId", "CommitmentDiscountStatus")
    costs = rows.group_by(of).agg(pl.col("BilledCost", "EffectiveCost", "CommitmentDiscountQuantity").sum()).sort(of)
    assert [(*row[:3], *map(str, map(Decimal.normalize, row[3:]))) for row in costs.rows()] == [
        ("Purchase", "grant", None, "1E+1", "0", "1E+1"),
        ("Purchase", "ptu", None, "2.4", "0", "24"),
        ("Usage", None, None, "11", "11", "0"),
        ("Usage", "grant", "Unused", "0", "2.6", "2.6"),
        ("Usage", "grant", "Used", "0", "7.4", "7.4"),
        ("Usage", "ptu", "Unused", "0", "2.2", "22"),
        ("Usage", "ptu", "Used", "0", "0.2", "2"),
    ]
    served = rows.filter(pl.col("CommitmentDiscountId") == "ptu", pl.col("ConsumedQuantity") > 0)
    assert sum(served["ConsumedQuantity"]) == pytest.approx(D(2_000_000), abs=D("0.0001"))
    used = rows.filter(pl.col("ChargeCategory") == "Usage", pl.col("ChargeClass").is_null())
    assert used["ListCost"].sum() == 25, "what is covered is split from the rest, and nothing is added"
    assert all(
        price * quantity == cost
        for price, quantity, cost in used.select("ListUnitPrice", "PricingQuantity", "ListCost").rows()
    )
    if version != "1.2":
        paid = team_sums(rows.with_columns(team=paying_team(rows), effective_cost_usd="EffectiveCost"))
        assert paid == team_sums(lines.with_columns(effective_cost_usd="payable_usd"))


def sums(month: Month, folder: Path) -> dict[str, Decimal]:
    """The month's effective cost as each of those who show it comes to it."""
    with month.database.connect() as connection:
        charges = book(connection, FEBRUARY)
        by_team = charge_back(spend_of(connection, Window(FEBRUARY, MARCH)), SHARED)
        focus, (csv, _) = export_month(connection, FEBRUARY, "1.4", folder, {}, allocation=SHARED)
        report = read_frame(connection, QUERIES["month"], {"day": date(2026, 2, 28)})
    texts = pl.read_csv(csv, infer_schema=False)["EffectiveCost"]
    assert set(by_team["team"]) == {"search", "support"}, "beta's 11 USD are nobody's, and passed on"
    tables = ("mart.daily_team_spend", "mart.daily_end_user_spend", "mart.daily_tag_spend", "core.request")
    return {
        "statement": charges["effective_cost_usd"].sum(),
        "chargeback": by_team["effective_cost_usd"].sum(),
        "FOCUS": focus.rows["EffectiveCost"].sum(),
        "FOCUS as text": sum((D(text) for text in texts), D(0)),
        "report": report["effective_cost_usd"][0],
        **{table: month.query(f"select sum(effective_cost_usd) from {table}")[0][0] for table in tables},
    }  # fmt: skip


def test_every_sum_of_the_month_is_the_same(month: Month, tmp_path: Path) -> None:
    assert set(sums(month, tmp_path).values()) == {D("24.4")}


def test_without_a_rule_sums_of_charges_are_shared_as_the_charges(month: Month) -> None:
    """Postgres adds them up, so that fewer rows are read. Where a rule splits charges, each is split by itself."""
    window = Window(FEBRUARY, MARCH)
    with month.database.connect() as connection:
        each, sums = spend_of(connection, window), spend_of(connection, window, in_sums=True)
    assert each.height > sums.height
    assert each.schema == sums.schema
    assert_frame_equal(charge_back(each, Allocation()), charge_back(sums, Allocation()))


def test_the_bill_differs_for_five_causes(month: Month) -> None:
    """Billed 9.02, computed 13.40: 0.60 of tokens, 0.32 of price, 0.10 of discount, 2 of tax and -7.40 of credit are -4.38."""
    with month.database.connect() as connection, connection.transaction(force_rollback=True):
        insert(
            connection,
            SNAPSHOT,
            [good_row(SNAPSHOT, kind="bills", source="bill", observed_at=datetime(2026, 3, 10, tzinfo=UTC))],
        )
        insert(connection, REPORTED_COST, billed_lines())
        charges = read_frame(connection, _CHARGES)
        found = reconcile(charges, bills_of(connection, charges), Reconciliation()).filter(
            pl.col("provider_id") == "acme"
        )
    amounts = {cause: sum((usd or D(0) for usd in found[f"{cause}_usd"]), D(0)) for cause in CAUSES}
    assert {cause: usd for cause, usd in amounts.items() if usd} == {
        "tokens": D("0.6"), "price": D("0.32"), "discount": D("0.1"), "tax": D(2), "credit": D("-7.4"),
    }  # fmt: skip
    assert found["difference_usd"].sum() == D("-4.38")


def test_a_day_that_was_run_before_the_first_request_is_loaded(month: Month) -> None:
    early = date(2026, 1, 31)
    with month.database.connect() as connection, connection.transaction(force_rollback=True):
        charges = read_frame(connection, _CHARGES)
        assert early < charges["event_date"].min()
        connection.execute("insert into raw.quiet_day values (%s)", [early])
        assert early in bills_of(connection, charges).loaded


def test_a_price_that_is_corrected_after_closing_goes_into_the_open_month(month: Month, tmp_path: Path) -> None:
    """n cost 4 USD and not 5: 3.52 after 12 %, 0.88 less. February stays 24.40; March takes 4.40 back and books 3.52."""
    close_period(month.database, FEBRUARY, SHARED)
    with month.database.connect() as connection:
        before = read_table(connection, REQUEST)
    ledger, card = month.card(FIRST, CORRECTED)
    after = month.load(card)
    lines = restatement_lines(
        changed_requests(before, after), ledger, [DATED], card, fx_rates=month.rates, known_at=datetime(2026, 3, 3, tzinfo=UTC),
        discounts=DECLARED.discounts,
    )  # fmt: skip
    assert lines["delta_usd"].sum() == D("-0.88")
    with month.database.connect() as connection:
        assert book(connection, FEBRUARY)["effective_cost_usd"].sum() == D("24.4")
        corrected = pending(connection)
        march = month.query("select sum(effective_cost_usd) from mart.daily_charge")
    assert sorted(corrected["effective_cost_usd"].filter(corrected["effective_cost_usd"] != 0)) == [
        D("-4.4"),
        D("3.52"),
    ]
    assert corrected["model_id"].unique().to_list() == ["n"]
    assert D("24.4") + corrected["effective_cost_usd"].sum() == march[0][0] == D("23.52")


def test_after_all_that_every_sum_is_the_same(month: Month, tmp_path: Path) -> None:
    """The month that was closed and the open one together are what charges, requests, teams, files and the report come to now."""
    with month.database.connect() as connection:
        statements = [book(connection, period) for period in (FEBRUARY, MARCH)]
        files = [
            export_month(connection, period, "1.4", tmp_path, {}, allocation=SHARED)[0].rows
            for period in (FEBRUARY, MARCH)
        ]
        by_team = [team_sums(passed_on(allocate(rows, book_shares(connection, rows, SHARED)))) for rows in statements]
        exported = [
            team_sums(file.with_columns(team=paying_team(file), effective_cost_usd="EffectiveCost")) for file in files
        ]
        report = read_frame(connection, QUERIES["month"], {"day": date(2026, 2, 28)})["effective_cost_usd"][0]
        now = charge_back(spend_of(connection, Window(FEBRUARY, MARCH)), SHARED)
    assert [rows["effective_cost_usd"].sum() for rows in statements] == [D("24.4"), D("-0.88")]
    assert [file["EffectiveCost"].sum() for file in files] == [D("24.4"), D("-0.88")]
    assert by_team == exported, "by team, in statement and file"
    assert {team: sum(part.get(team, D(0)) for part in by_team) for team in by_team[0]} == team_sums(now)
    tables = (
        "mart.daily_charge",
        "mart.daily_team_spend",
        "mart.daily_end_user_spend",
        "mart.daily_tag_spend",
        "core.request",
    )
    sums = {table: month.query(f"select sum(effective_cost_usd) from {table}")[0][0] for table in tables}
    assert {report, now["effective_cost_usd"].sum(), *sums.values()} == {D("23.52")}


def team_sums(rows: pl.DataFrame) -> dict[str, Decimal]:
    """Effective cost by team, of those that have any."""
    sums = rows.group_by("team").agg(pl.col("effective_cost_usd").sum()).filter(pl.col("effective_cost_usd") != 0)
    return dict(sums.sort("team").rows())


def paying_team(file: pl.DataFrame) -> pl.Expr:
    """Who pays a row of a FOCUS file, which has the columns of allocation where a rule took something."""
    receiver = [name for name in file.columns if name == "AllocatedResourceName"]
    return pl.coalesce(*receiver, pl.col("Tags").str.json_path_match("$.team"), pl.lit("unattributed"))


def test_a_bill_that_comes_after_closing_moves_no_figure(month: Month, tmp_path: Path) -> None:
    """Neither February nor what is pending; what it differs by is the reconciliation's, against the charges as known now."""
    with month.database.connect() as connection, connection.transaction(force_rollback=True):
        before = book(connection, FEBRUARY), pending(connection)
        late = good_row(SNAPSHOT, kind="bills", source="bill", observed_at=datetime(2026, 4, 2, tzinfo=UTC))
        insert(connection, SNAPSHOT, [late])
        insert(connection, REPORTED_COST, billed_lines())
        charges = read_frame(connection, _CHARGES)
        found = reconcile(charges, bills_of(connection, charges), Reconciliation())
        assert (book(connection, FEBRUARY).equals(before[0]), pending(connection).equals(before[1])) == (True, True)
    acme = found.filter(pl.col("provider_id") == "acme")
    assert acme["computed_usd"].sum() == D("12.52"), "13.40 less the 0.88 that became known"
    assert acme["difference_usd"].sum() == D("9.02") - D("12.52")
