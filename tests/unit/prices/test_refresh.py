"""The refresh of the ledger on a real database: what can't be read or looks broken changes no price and is shown."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

import polars as pl
import pytest
from typer.testing import CliRunner

from assets.cli import app
from pipelines.config.sources import PriceFeed
from pipelines.daily import prices, refresh_prices, refresh_rate_card
from pipelines.daily.accounting import files_accounted
from pipelines.daily.price_review import decide, waiting
from pipelines.daily.prices import PriceOutcome
from pipelines.ids import as_uuid
from pipelines.landing import LandedFile
from pipelines.prices import Traffic
from pipelines.prices.review_spend import weighed
from pipelines.settings import Settings
from pipelines.warehouse.read import read_frame
from pipelines.workspace import Workspace, open_workspace, price_files
from pipelines.workspace.model_registry import registry_of

review_module = import_module("pipelines.prices.review")  # the package shows the function of that name

SOURCES = """
prices:
  - {feed: map, format: litellm_map, precedence: 30}
  - {feed: sheet, format: price_sheet, precedence: 10}
  - feed: page
    format: page
    options:
      provider: acme
      currency: USD
      sections:
        - {heading: Prices, alternatives: [{model: Model, columns: {Input: {meter: input_uncached}}}]}
      accept: [%s]
"""


def priced_map(usd: str) -> str:
    return json.dumps({"acme/m": {"litellm_provider": "acme", "input_cost_per_token": float(usd) / 1_000_000}})


def page(*usd: str) -> str:
    rows = "".join(f"| p{number} | ${amount} |\n" for number, amount in enumerate(usd))
    return f"# Prices\n\n| Model | Input |\n|---|---|\n{rows}"


@dataclass
class Zone:
    """A landing zone and a warehouse of a test's own."""

    settings: Settings

    def land(self, feed: str, name: str, text: str) -> None:
        folder = self.settings.landing_zone / "prices" / feed
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")

    def accept(self, snapshot: str) -> None:
        assert self.settings.config is not None
        (self.settings.config / "sources.yaml").write_text(SOURCES % snapshot, encoding="utf-8")

    @contextmanager
    def open(self) -> Iterator[Workspace]:
        with open_workspace(self.settings) as workspace:
            yield workspace


@pytest.fixture
def zone(database_settings: Settings, tmp_path: Path) -> Zone:
    config, landing = tmp_path / "config", tmp_path / "landing"
    config.mkdir()
    landing.mkdir()
    found = Zone(database_settings.model_copy(update={"config": config, "landing": landing}))
    found.accept("")
    found.land("map", "2026-01-01.json", priced_map("3"))
    found.land("page", "2026-01-01.md", page("1", "2", "3"))
    found.land("sheet", "2026-01-01.csv", "provider,model,meter,price\nacme,s,input_uncached,7\n")
    return found


def believed(workspace: Workspace) -> dict[str, Decimal]:
    with workspace.database.connect(read_only=True) as connection:
        rows = read_frame(
            connection,
            "select model_id, usd_per_million from core.price where superseded_at is null and valid_to is null",
        )
    return dict(rows.iter_rows())


BEFORE = {"m": Decimal(3), "p0": Decimal(1), "p1": Decimal(2), "p2": Decimal(3), "s": Decimal(7)}
BROKEN: list[tuple[str, str, str]] = [
    ("2026-02-01.json", "{", "not JSON"),
    ("2026-02-01.json", "[]", "expected an object of models, found list"),
    ("2026-02-01.json", "{}", "holds no price"),
    ("2026-02-01.json.gz", "no gzip", "not JSON"),
]


def test_landed_exchange_rates_are_read(zone: Zone) -> None:
    """One euro bought 1.10 USD; a file that is none costs itself alone."""
    zone.land("fx", "2026-01-05.csv", "Date,USD,\n2026-01-05,1.1000,\n")
    zone.land("fx", "2026-01-06.csv", "canary-4711")
    zone.land("sheet", "2026-01-01.csv", "provider,model,meter,price,currency\nacme,s,input_uncached,7,EUR\n")
    with zone.open() as workspace:
        found = refresh_prices(workspace)
        with workspace.database.connect() as connection:
            rates = read_frame(connection, "select currency, usd_per_unit from core.fx_rate")
    assert rates.rows() == [("EUR", Decimal("1.1"))]
    (unread,) = found.unread
    assert unread.startswith("prices/fx/2026-01-06.csv")
    assert "canary" not in unread


@pytest.mark.parametrize(("name", "content", "stated"), BROKEN, ids=lambda value: str(value)[:30])
def test_a_file_that_cant_be_read_leaves_every_price_in_force(zone: Zone, name: str, content: str, stated: str) -> None:
    zone.land("map", name, content)
    with zone.open() as workspace:
        done = refresh_prices(workspace)
        assert believed(workspace) == BEFORE
        assert refresh_rate_card(workspace).filter(service_tier="standard")["model_id"].to_list() == list(BEFORE)
        (unread,) = done.unread
        assert unread.startswith(f"prices/map/{name} (feed map, format litellm_map): ")
        assert stated in unread
        assert (done.snapshots, done.held) == (4, [])
        with workspace.database.connect(read_only=True) as connection:
            index = read_frame(connection, "select landing_path, lines, valid, quarantined from raw.snapshot")
            held = read_frame(connection, "select line_no, reason, detail from raw.quarantine")
        assert (f"prices/map/{name}", 1, 0, 1) in index.rows()
        assert held.rows() == [(1, "unreadable_price_file", unread)]
        assert all(outcome.success for outcome in files_accounted(workspace))


def test_a_file_that_was_repaired_is_no_longer_set_aside(zone: Zone) -> None:
    zone.land("map", "2026-02-01.json", "{")
    with zone.open() as workspace:
        assert refresh_prices(workspace).unread
    zone.land("map", "2026-02-01.json", priced_map("2.5"))
    with zone.open() as workspace:
        assert refresh_prices(workspace).unread == []
        assert believed(workspace) == BEFORE | {"m": Decimal("2.5")}
        with workspace.database.connect(read_only=True) as connection:
            assert read_frame(connection, "select snapshot_id from raw.quarantine").is_empty()


@pytest.mark.parametrize(
    ("content", "stated"),
    [
        (page("1", "2"), "1 of 3 models are gone (p2)"),
        (page("1", "2", "31"), "1 of 3 models moved tenfold or more (p2 input_uncached 3 to 31)"),
    ],
)
@pytest.mark.slow
def test_a_page_that_looks_broken_waits_for_a_persons_word(zone: Zone, content: str, stated: str) -> None:
    zone.land("page", "2026-02-01.md", content)
    with zone.open() as workspace:
        done = refresh_prices(workspace)
        assert believed(workspace) == BEFORE
        (held,) = done.held
        assert stated in held
        assert done.unread == []
        assert "modelmeter prices accept prices/page/2026-02-01.md" in held
        assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", held)
        (newest,) = [f for f in workspace.landed_from("prices", "page") if "02-01" in f.landing_path]
    for name in (newest.landing_path, newest.path.name, newest.sha256, str(as_uuid(newest.snapshot_id))):
        zone.accept(name)
        with zone.open() as workspace:
            assert refresh_prices(workspace).held == []
            assert believed(workspace) != BEFORE
        zone.accept("")
        with zone.open() as workspace:
            assert refresh_prices(workspace).held
            assert believed(workspace) == BEFORE


def priced(**usd: str) -> str:
    """A map with a model of acme for each amount, in USD per million input tokens."""
    return json.dumps(
        {
            f"acme/{name}": {"litellm_provider": "acme", "input_cost_per_token": float(of) / 1e6}
            for name, of in usd.items()
        }
    )


@pytest.mark.slow
def test_a_decision_next_to_the_file_holds_in_every_database_and_a_later_one_counts_instead(zone: Zone) -> None:
    zone.land("map", "2026-01-01.json", priced(m="3", n="4", o="5", q="6"))
    zone.land("map", "2026-02-01.json", priced(m="30"))
    with zone.open() as workspace:
        (held,) = refresh_prices(workspace).held
        assert "3 of 4 models are gone (acme/n, acme/o, acme/q)" in held
        assert "acme/m input_uncached 3 to 30" in held
        assert believed(workspace) == BEFORE | {"n": Decimal(4), "o": Decimal(5), "q": Decimal(6)}
        with pytest.raises(LookupError, match="names no price file"):
            decide(workspace, "2026-02-02.json", "accept")
        file, kept = decide(workspace, "prices/map/2026-02-01.json", "accept")
        assert json.loads(kept.read_bytes())["sha256"] == file.sha256
    with zone.open() as workspace:
        assert (refresh_prices(workspace).held, believed(workspace)["m"]) == ([], Decimal(30))
        assert "n" not in believed(workspace)
        decide(workspace, file.sha256[:10], "reject")
    with zone.open() as workspace:
        done = refresh_prices(workspace)
        assert (done.held, believed(workspace)["m"]) == ([], Decimal(3))
        assert done.rejected[0].startswith("prices/map/2026-02-01.json (map of 2026-02-01 00:00 UTC) is rejected")
    kept.with_name("x.review.json").write_text('{"sha256": 1}')
    with zone.open() as workspace:
        (unread,) = refresh_prices(workspace).unread
        assert "is no decision" in unread


def test_what_waits_is_weighed_with_our_own_spend_and_shown_by_the_command(
    zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone.land("map", "2026-01-01.json", priced(m="3", n="4", o="5", q="6"))
    zone.land("map", "2026-02-01.json", priced(m="30"))
    with zone.open() as workspace:
        refresh_prices(workspace)
        refresh_rate_card(workspace)
        (item,) = waiting(workspace)
        assert (item.file.landing_path, item.held.models) == ("prices/map/2026-02-01.json", 4)
        charge = {
            "provider_id": "acme", "model_id": "o", "meter": "input_uncached", "service_tier": "standard", "region": "",
            "context_from_tokens": 0, "context_to_tokens": None, "time_window": "", "contract_id": "", "reasoning_mode": "",
            "quantity": 1, "cost_usd": Decimal("12.5"),
        }  # fmt: skip
        charges = pl.DataFrame(
            [charge], schema_overrides={"context_to_tokens": pl.Int64, "cost_usd": pl.Decimal(38, 18)}
        )
        rows = weighed(item.held.changes, registry_of(workspace), Traffic(charges, Decimal("12.5"), 30))
        assert rows.select("model_id", "model_spend_usd").rows() == [
            ("o", Decimal("12.5")), ("m", 0), ("n", 0), ("q", 0),
        ]  # fmt: skip
        listed = item.held.changes.with_columns(pl.lit("azure_ai").alias("provider_id"))
        azure = Traffic(charges.with_columns(pl.lit("azure").alias("provider_id")), Decimal("12.5"), 30)
        assert weighed(listed, registry_of(workspace), azure)["model_spend_usd"][0] == Decimal("12.5"), (
            "a list of Azure's"
        )
        apart = replace(registry_of(workspace), separate=frozenset({("azure_ai", "o")}))
        assert weighed(listed, apart, azure)["model_spend_usd"][0] == 0, "a list that is a seller of its own"
        monkeypatch.setattr("pipelines.workspace.open_workspace", lambda: nullcontext(workspace))
        shown = CliRunner().invoke(app, ["prices", "review"]).stdout
        assert "3 of 4 models are gone" in shown
        assert "0.00 USD in 30 days  acme/m at acme: input_uncached 3 to 30 USD per million" in shown
        assert "decide: modelmeter prices accept prices/map/2026-02-01.json" in shown
        stated = json.loads(CliRunner().invoke(app, ["prices", "review", "--json"]).stdout)
        assert [change["change"] for change in stated[0]["changes"]] == [
            "moved",
            "model_gone",
            "model_gone",
            "model_gone",
        ]
        wrong = CliRunner().invoke(app, ["prices", "accept", "nothing.json"])
        assert (wrong.exit_code, "names no price file" in wrong.stderr) == (1, True)
        done = CliRunner().invoke(app, ["prices", "reject", "2026-02-01.json"])
        assert (done.exit_code, "prices/map/2026-02-01.json: rejected." in done.stdout) == (0, True)


def test_a_good_page_is_applied(zone: Zone) -> None:
    zone.land("page", "2026-02-01.md", page("1", "2", "4"))
    with zone.open() as workspace:
        assert refresh_prices(workspace).held == []
        assert believed(workspace) == BEFORE | {"p2": Decimal(4)}


def test_names_of_a_held_page_introduce_no_model(zone: Zone) -> None:
    zone.land("page", "2026-02-01.md", page("1").replace("p0", "garbled"))
    with zone.open() as workspace:
        assert refresh_prices(workspace).held
        with workspace.database.connect(read_only=True) as connection:
            assert read_frame(connection, "select 1 as n from core.model where model_id = 'garbled'").is_empty()


@pytest.mark.slow
def test_the_ledger_is_the_same_whether_files_are_read_or_come_from_the_store(zone: Zone) -> None:
    zone.land("map", "2026-02-01.json", "{")
    zone.land("page", "2026-02-01.md", page("1", "2"))
    tables = ("core.price", "core.model", "raw.snapshot", "raw.quarantine")

    def refreshed() -> tuple[PriceOutcome, list[list[tuple[Any, ...]]]]:
        with zone.open() as workspace:
            done = refresh_prices(workspace)
            with workspace.database.connect(read_only=True) as connection:
                return done, [
                    connection.execute(f"select t::text from {name} t order by 1").fetchall() for name in tables
                ]

    first = refreshed()
    assert (len(first[0].unread), len(first[0].held)) == (1, 1)
    store = zone.settings.home / "parsed" / "prices"
    kept = sorted(store.rglob("*.zip"))
    assert len(kept) == 6  # a reading of each file, and the review
    with patch("pipelines.prices.feed_cache.parse_feed", side_effect=AssertionError("read again")):
        assert refreshed() == first
    for path in kept:
        path.write_bytes(path.read_bytes()[:100])
    assert refreshed() == first
    shutil.rmtree(store)
    assert refreshed() == first


@pytest.mark.slow
def test_a_feed_of_which_no_ledger_can_be_made_keeps_its_prices(zone: Zone, monkeypatch: pytest.MonkeyPatch) -> None:
    with zone.open() as workspace:
        refresh_prices(workspace)
    zone.land("map", "2026-02-01.json", priced_map("3.5"))
    zone.land("sheet", "2026-02-01.csv", "provider,model,meter,price\nacme,s,input_uncached,8\n")
    real = prices.build_ledger

    def build(feed: PriceFeed, *rest: Any) -> pl.DataFrame:
        if feed.feed == "map":
            raise pl.exceptions.PanicException("what the file held")
        return real(feed, *rest)

    with zone.open() as workspace, monkeypatch.context() as patched:
        patched.setattr(prices, "build_ledger", build)
        done = refresh_prices(workspace)
        assert believed(workspace) == {**BEFORE, "s": Decimal(8)}
    (stated,) = done.unread
    assert stated.startswith("price feed map, which keeps the prices of before: ")
    assert "what the file held" not in stated
    with zone.open() as workspace:
        assert refresh_prices(workspace).unread == []
        assert believed(workspace) == {**BEFORE, "s": Decimal(8), "m": Decimal("3.5")}


def test_a_file_on_which_reading_or_the_review_fails_leaves_the_last_good_prices(
    zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone.land("map", "2026-02-01.json", priced_map("3.5"))
    zone.land("page", "2026-02-01.md", page("1", "2", "4"))
    real_read, real_moves = price_files.cached_feed, review_module.moves

    def read(file: LandedFile, *rest: Any) -> Any:
        if file.landing_path == "prices/map/2026-02-01.json":
            raise pl.exceptions.PanicException("what the file held")
        return real_read(file, *rest)

    def moves(last: Any, view: Any, others: Any) -> Any:
        if view.snapshot.feed == "page":
            raise KeyError("what the file held")
        return real_moves(last, view, others)

    with zone.open() as workspace, monkeypatch.context() as patched:
        patched.setattr(price_files, "cached_feed", read)
        patched.setattr(review_module, "moves", moves)
        done = refresh_prices(workspace)
        assert believed(workspace) == BEFORE
    assert "prices/map/2026-02-01.json" in done.unread[0]
    assert "prices/page/2026-02-01.md" in done.held[0]
    assert "reviewing it failed: KeyError at pipelines.prices.review" in done.held[0]
    assert "what the file held" not in " ".join([*done.unread, *done.held])


@pytest.mark.parametrize("price", ["1e300", "1E+999999999", "NaN", "9" * 5000])
def test_an_absurd_number_in_a_sheet_sets_the_sheet_aside_and_stops_nothing_else(zone: Zone, price: str) -> None:
    with zone.open() as workspace:
        refresh_prices(workspace)
    zone.land(
        "sheet",
        "2026-02-01.csv",
        f"provider,model,meter,price\nacme,s,input_uncached,8\nacme,t,input_uncached,{price}\n",
    )
    zone.land("map", "2026-02-01.json", priced_map("3.5"))
    with zone.open() as workspace:
        done = refresh_prices(workspace)
        assert believed(workspace) == {**BEFORE, "m": Decimal("3.5")}
    (stated,) = done.unread
    assert "prices/sheet/2026-02-01.csv" in stated
    assert "line 3: price: expected an amount of zero or more" in stated
    assert len(stated) < 300
