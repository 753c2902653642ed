"""`modelmeter rerate` as a person runs it: a price corrected by a later file, on the sample, with nothing left to chance."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import polars as pl
import psycopg
import pyarrow.parquet as pq
import pytest

from pipelines.finops import format as fmt
from pipelines.settings import Settings
from pipelines.warehouse.open import open_database
from pipelines.warehouse.read import read_table
from pipelines.warehouse.tables import TABLES_BY_NAME
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.mart import SPEND_TABLES
from tests.assets.conftest import SAMPLE_CONFIG, SmallSample
from tests.end_to_end.installation import Installation
from tests.warehouse_fixtures import lay_cluster

MODEL, BEFORE, AFTER = "gpt-4o", Decimal("2.5"), Decimal("2.25")
BOOKS = ("core.request", *(table.qualified for table in SPEND_TABLES))


@dataclass
class Company(Installation):
    """An installation with a landing zone and a configuration of its own."""

    config: Path = SAMPLE_CONFIG

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {"MODELMETER_CONFIG": str(self.config)}

    def correct_the_price(self) -> None:
        """A later snapshot of the dated feed: it corrects the input price of one model from the start."""
        feed = self.landing / "prices" / "genai_prices"
        (first,) = feed.glob("*.json")
        content = json.loads(first.read_text(encoding="utf-8"))
        for provider in content:
            for model in provider["models"]:
                if (provider["id"], model["id"]) == ("openai", MODEL):
                    assert Decimal(str(model["prices"]["input_mtok"])) == BEFORE
                    model["prices"]["input_mtok"] = float(AFTER)
        (feed / "2026-03-10.json").write_text(json.dumps(content), encoding="utf-8")

    def close(self, day: date) -> None:
        (self.config / "periods.yaml").write_text(f"closed_through: {day}\n", encoding="utf-8")

    def rerate(self, *arguments: str, status: int = 0) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("rerate", "--json", *arguments, status=status)[0])
        return found

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Rows of the warehouse, days and ids as text; asked in this process, for a command takes seconds to start."""
        settings = Settings(home=self.home)
        with open_database(settings) as database, database.connect(read_only=True) as connection:
            cursor = connection.execute(sql)  # type: ignore[call-overload]
            names = [column.name for column in cursor.description or ()]
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        return [{k: str(v) if isinstance(v, date | UUID) else v for k, v in row.items()} for row in rows]

    def books(self) -> dict[str, list[tuple[Any, ...]]]:
        tables = self.tables()
        return {name: tables[name] for name in BOOKS}


@pytest.fixture(scope="module")
def booked(small_sample: SmallSample, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """Three days booked at the first price, no leaderboards; then the correction lands."""
    root = tmp_path_factory.mktemp("company")
    shutil.copytree(small_sample.root, root / "landing")
    shutil.copytree(SAMPLE_CONFIG, root / "config")
    sources = (root / "config" / "sources.yaml").read_text(encoding="utf-8")
    (root / "config" / "sources.yaml").write_text(
        sources.partition("leaderboards:")[0] + "leaderboards: []\n", encoding="utf-8"
    )
    (root / "home").mkdir()
    lay_cluster(root / "home")
    company = Company(root / "home", root / "landing", config=root / "config")
    company.run("daily", "--from", str(small_sample.days[0]), "--to", str(small_sample.days[-1]))
    company.correct_the_price()
    yield company
    company.remove()


def test_the_story_of_a_corrected_price(booked: Company, small_sample: SmallSample) -> None:
    """In order, on one installation: proposed, closed, killed, applied, found again, reopened, taken back."""
    first, *open_days = small_sample.days
    before = booked.books()
    expected = _by_hand(booked)
    _lay_facts(booked)

    proposed = booked.rerate()
    assert booked.books() == before, "a proposal changes nothing"
    assert Decimal(proposed["delta_usd"]) == sum(expected.values()) < 0
    assert {line["reason"] for line in proposed["lines"]} == {"corrected"}
    assert {line["model_id"] for line in proposed["lines"]} == {MODEL}
    recorded = booked.query("select event_date, sum(delta_usd) as delta from mart.cost_restatement group by 1")
    assert {row["event_date"]: row["delta"] for row in recorded} == expected
    assert booked.rerate() == proposed, "same inputs, same rows"
    assert len(booked.query("select distinct restatement_id from mart.cost_restatement")) == 1

    booked.close(first)
    _kill_while_applying(booked)
    assert booked.books() == before, "a killed restatement leaves the days whole"
    assert booked.query("select 1 as n from mart.cost_restatement where applied_at is not null") == []

    applied = booked.rerate("--apply", status=1)
    assert (applied["days_left_closed"], applied["days_applied"]) == ([str(first)], [str(day) for day in open_days])
    assert applied["restatement_id"] == proposed["restatement_id"]
    assert _same(_facts(booked), _requests(booked)), "what the engine spark left as files follows"
    after = booked.books()
    for name in BOOKS:
        assert _of_day(after[name], first) == _of_day(before[name], first), "a closed day is untouched"
    assert _effective(booked) == {
        day: spend + (expected[day] if day != str(first) else 0) for day, spend in _spend(before, booked).items()
    }

    booked.run("daily", "--from", str(first), "--to", str(small_sample.days[-1]))
    assert booked.books() == after, "the daily run keeps the closed day as booked, and rates the others alike"
    uid = booked.query(
        f"select request_uid from core.request where event_date = '{first}' and model_id = '{MODEL}' "
        "and rate_id is not null and input_uncached_tokens > 0 limit 1"
    )[0]["request_uid"]
    explained = json.loads(booked.run("explain", uid, "--json")[0])
    (line,) = [item for item in explained["lines"] if item["meter"] == "input_uncached"]
    assert Decimal(line["rate_usd_per_million"]) == BEFORE, "a closed day is explained by the price it was booked at"

    later = [booked.home / "reports" / str(day) / "index.html" for day in open_days]
    shown = [page.read_text(encoding="utf-8") for page in later]
    reopened = booked.rerate("--apply", "--reopen")
    assert reopened["days_applied"] == [str(first)]
    spend = fmt.dollars(Decimal(_effective(booked)[str(first)]))
    for page, text in zip(later, shown, strict=True):
        assert page.read_text(encoding="utf-8") != text, "a page that shows the day is written again"
    assert f"({spend})" in later[0].read_text(encoding="utf-8"), "against the day before"
    assert Decimal(reopened["delta_usd"]) == expected[str(first)]
    assert booked.rerate()["lines"] == []

    booked.rerate("--apply", "--reopen", "--known-at", "2026-03-09")
    assert booked.books() == before, "as known then is what was booked then"
    assert _same(_facts(booked), _requests(booked))


def test_what_a_person_reads(booked: Company, small_sample: SmallSample) -> None:
    out, _ = booked.run("rerate", "--date", str(small_sample.days[1]))
    for words in (f"openai {MODEL} cost", "corrected by genai_prices on 10 March 2026", "2.5 to 2.25 USD per million"):
        assert words in out
    assert "the books were not changed; --apply restates these days" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--reopen"], "only means something with --apply"),
        (["--date", "2026-02-16", "--from", "2026-02-16", "--to", "2026-02-16"], "can't be combined"),
        (["--from", "2026-02-16"], "--from and --to go together"),
        (["--date", "2025-01-01"], "no day is loaded there"),
        (["--known-at", "2025-01-01"], "no price was known at 2025-01-01 00:00 UTC"),
    ],
)
def test_what_cant_be_done_is_refused_in_words(booked: Company, arguments: list[str], words: str) -> None:
    _, err = booked.run("rerate", *arguments, status=2)
    assert words in " ".join(err.replace("│", " ").split())


def test_a_closing_that_is_no_day_is_refused_by_file_and_key(booked: Company) -> None:
    periods = booked.config / "periods.yaml"
    kept = periods.read_text(encoding="utf-8") if periods.is_file() else ""
    periods.write_text("closed_through: last month\n", encoding="utf-8")
    _, err = booked.run("rerate", status=2)
    periods.write_text(kept, encoding="utf-8")
    assert "periods.yaml:1: closed_through: found 'last month'" in err


def _by_hand(company: Company) -> dict[str, Decimal]:
    """The difference per day in SQL: plain input tokens, and those of meters that take their price, times the change."""
    rows = company.query(
        f"""
        select event_date, sum(input_uncached_tokens::numeric) * ({AFTER - BEFORE}) / 1000000 as delta
        from core.request
        where model_id = '{MODEL}' and provider_id = 'openai' and rate_id is not null
        group by 1
        """
    )
    return {row["event_date"]: Decimal(row["delta"]) for row in rows}


def _effective(company: Company) -> dict[str, Decimal]:
    """Spend per day, in facts and marts alike."""
    facts, marts = (
        {
            row["event_date"]: row["usd"]
            for row in company.query(f"select event_date, sum(effective_cost_usd) as usd from {table} group by 1")
        }
        for table in ("core.request", "mart.daily_model_spend")
    )
    assert facts == marts
    return facts


def _spend(before: dict[str, list[tuple[Any, ...]]], company: Company) -> dict[str, Decimal]:
    """Spend per day of rows that were read earlier."""
    place = [column.name for column in TABLES_BY_NAME["mart.daily_model_spend"].columns].index("effective_cost_usd")
    spend: dict[str, Decimal] = {}
    for (row,) in before["mart.daily_model_spend"]:
        fields = row.strip("()").split(",")
        spend[fields[0]] = spend.get(fields[0], Decimal(0)) + Decimal(fields[place] or 0)
    return spend


def _requests(company: Company) -> dict[str, pl.DataFrame]:
    """The rows of core.request by day, as the engine spark writes them."""
    with open_database(Settings(home=company.home)) as database, database.connect(read_only=True) as connection:
        rows = read_table(connection, REQUEST).sort("event_date", "request_uid")
    return {
        str(day): part.drop("event_date") for (day,), part in rows.partition_by(["event_date"], as_dict=True).items()
    }


def _lay_facts(company: Company) -> None:
    for day, rows in _requests(company).items():
        path = company.home / "facts" / f"event_date={day}" / f"core.request.{day}.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(rows.to_arrow(compat_level=pl.CompatLevel.oldest()), path, row_group_size=100)


def _facts(company: Company) -> dict[str, pl.DataFrame]:
    found = sorted((company.home / "facts").glob("event_date=*/*.parquet"))
    return {path.parent.name.partition("=")[2]: pl.read_parquet(path, hive_partitioning=False) for path in found}


def _same(one: dict[str, pl.DataFrame], other: dict[str, pl.DataFrame]) -> bool:
    return one.keys() == other.keys() and all(one[day].equals(other[day]) for day in one)


def _of_day(rows: list[tuple[Any, ...]], day: date) -> list[str]:
    return [row for (row,) in rows if row.startswith(f"({day},")]


def _kill_while_applying(company: Company) -> None:
    """Kill the command when core.request is restated and its record is about to be written, which a lock holds up."""
    with (
        open_database(Settings(home=company.home)) as database,
        database.connect() as connection,
        connection.transaction(),
    ):
        connection.execute("lock table mart.cost_restatement in access exclusive mode")
        process = company.start("rerate", "--apply")
        deadline = time.monotonic() + 120
        while not _is_waiting(connection):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _is_waiting(connection: psycopg.Connection[Any]) -> bool:
    """Whether a restatement waits for our lock; what other sessions do is read anew each time."""
    connection.execute("select pg_stat_clear_snapshot()")
    waiting = (
        "select from pg_stat_activity where wait_event_type = 'Lock' and query like '%from mart.cost_restatement%'"
    )
    return connection.execute(waiting).fetchone() is not None
