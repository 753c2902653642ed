"""Exchange rates by day: which one holds, what a price in another currency becomes, and what happens without one."""

from __future__ import annotations

import io
import json
import random
import zipfile
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.config.fx import FxConfig, FxFeed
from pipelines.ids import as_uuid
from pipelines.prices import (
    FxSnapshot,
    PriceFeedError,
    build_fx_rates,
    build_ledger,
    build_rate_card,
    in_usd,
    rate,
    read_fx,
)
from pipelines.prices.exchange import fx_periods
from pipelines.prices.feed_snapshot import BEGINNING, Price
from pipelines.warehouse.tables.core_prices import FX_RATE
from tests.unit.prices.feeds import DATED, day, price, registry_of, snapshot
from tests.unit.prices.landed import landed_bytes
from tests.unit.prices.requests_frame import requests_frame

DAILY = {"feed": "fx", "steps": "day"}
CONFIG = FxConfig.model_validate({"feeds": [DAILY]})
HISTORY = """Date,USD,JPY,CNY,XYZ,
2026-01-06,1.2000,180,8.0000,N/A,
2026-01-05,1.1000,170,8.0000,,
"""


def fx(folder: Path, name: str, text: str, config: FxConfig = CONFIG) -> FxSnapshot:
    return read_fx(landed_bytes(folder, "fx", name, text.encode()), config.feeds[0])


def prices_of(*prices: Price) -> pl.DataFrame:
    item = snapshot("2026-01-01", *prices, feed=DATED)
    return build_ledger(DATED, [item], registry_of([item]))


def yuan(amount: str, meter: str = "input_uncached", **other: Any) -> Price:
    return price(amount, meter, **{"pricing_currency": "CNY", "valid_from": BEGINNING, "date_basis": "unknown"} | other)


def costs(card: pl.DataFrame, *at: str, **tokens: int) -> list[tuple[Decimal | None, str | None]]:
    calls = [{"provider_id": "acme", "model_id": "m", "event_at": day(instant), **tokens} for instant in at]
    return rate(requests_frame(calls), card).select("list_cost_usd", "unpriced_reason").rows()


def test_a_price_is_converted_at_the_rate_of_the_day_of_the_call(tmp_path: Path) -> None:
    """8 CNY per million: 1.10 USD and 8 CNY for a euro make 0.1375 USD for a yuan, so 1.10 USD; the next day 0.15, so 1.20."""
    rates = build_fx_rates(CONFIG, [fx(tmp_path, "2026-01-07.csv", HISTORY)], {"CNY"})
    assert rates.schema == FX_RATE.polars_schema
    assert rates.select("valid_from", "usd_per_unit", "rate_as_found").rows() == [
        (day("2026-01-05"), Decimal("0.1375"), "1.1000 USD and 8.0000 CNY for 1 EUR"),
        (day("2026-01-06"), Decimal("0.15"), "1.2000 USD and 8.0000 CNY for 1 EUR"),
    ]
    card = build_rate_card(prices_of(yuan("8")), [DATED], fx_rates=rates)
    found = costs(
        card, "2026-01-04T23:59:59", "2026-01-05", "2026-01-05T23:59:59", "2026-01-06", "2026-01-12T23:59:59", "2026-01-13",
        input_uncached=1_000_000,
    )  # fmt: skip
    none = (None, "no_exchange_rate")
    assert found == [
        none,
        (Decimal("1.1"), None),
        (Decimal("1.1"), None),
        (Decimal("1.2"), None),
        (Decimal("1.2"), None),
        none,
    ]


def test_by_the_month_the_rate_that_opens_it_holds_for_the_whole_of_it(tmp_path: Path) -> None:
    """January opens without a rate, so its first counts from the 5th; the 30th of January opens February, the end is the month's."""
    config = FxConfig.model_validate({"feeds": [{"feed": "fx", "steps": "month"}]})
    text = "Date,USD,CNY\n2026-02-10,4,8\n2026-01-30,2,8\n2026-01-06,1.6,8\n2026-01-05,1.2,8\n"
    rates = build_fx_rates(config, [fx(tmp_path, "2026-02-11.csv", text, config)], {"CNY"})
    card = build_rate_card(prices_of(yuan("8")), [DATED], fx_rates=rates)
    days = ("2026-01-04", "2026-01-05", "2026-01-31", "2026-02-01", "2026-02-28", "2026-03-01")
    found = [cost for cost, _ in costs(card, *days, input_uncached=1_000_000)]
    assert found == [None, Decimal("1.2"), Decimal("1.2"), Decimal(2), Decimal(2), None]


def test_cards_grow_with_the_number_of_rates_and_not_with_its_square(tmp_path: Path) -> None:
    days = [date(2025, 1, 1) + timedelta(days=n) for n in range(300)]
    text = "Date,USD,CNY\n" + "".join(f"{at},1.{n:03d},8\n" for n, at in enumerate(days))
    rates = build_fx_rates(CONFIG, [fx(tmp_path, "2026-01-01.csv", text)], {"CNY"})
    prices = prices_of(*(yuan("8", meter) for meter in ("input_uncached", "output_text", "input_cache_read")))
    card = build_rate_card(prices, [DATED], fx_rates=rates)
    assert card.filter(service_tier="standard").height == 302  # one a day, and one without a rate on either side


def test_the_card_names_the_exchange_rate_and_the_price_as_found(tmp_path: Path) -> None:
    rates = build_fx_rates(CONFIG, [fx(tmp_path, "2026-01-07.csv", HISTORY)], {"CNY"})
    prices = prices_of(yuan("8"), price("2", "output_text", valid_from=BEGINNING, date_basis="unknown"))
    card = build_rate_card(prices, [DATED], fx_rates=rates).filter(service_tier="standard")
    used = [json.loads(row) for row in card["exchange_rates"]]
    ids = [str(as_uuid(found)) for found in rates["fx_rate_id"]]
    assert used == [{}, {"CNY": ids[0]}, {"CNY": ids[1]}, {}]
    assert card["input_uncached_usd_per_mtok"].to_list() == [None, Decimal("1.1"), Decimal("1.2"), None]
    assert card["output_text_usd_per_mtok"].to_list() == [Decimal(2)] * 4
    assert prices["usd_per_million"].null_count() == 1  # the ledger keeps what was found


def test_without_any_rate_the_price_is_unusable_and_never_zero() -> None:
    card = build_rate_card(prices_of(yuan("8")), [DATED])
    assert set(card["exchange_rates"]) == {'{"CNY": null}'}
    assert costs(card, "2026-01-05", input_uncached=1) == [(None, "no_exchange_rate")]
    assert costs(card, "2026-01-05") == [(None, "no_exchange_rate")]  # not even a call without tokens


def test_an_own_rate_goes_before_a_published_one_while_it_holds(tmp_path: Path) -> None:
    own = {"currency": "CNY", "usd_per_unit": 0.1, "valid_from": date(2026, 1, 6), "valid_to": date(2026, 1, 8)}
    config = FxConfig.model_validate({"feeds": [DAILY], "rates": [own]})
    rates = build_fx_rates(config, [fx(tmp_path, "2026-01-07.csv", HISTORY)], {"CNY"})
    card = build_rate_card(prices_of(yuan("8")), [DATED], fx_rates=rates)
    found = costs(card, "2026-01-05", "2026-01-06", "2026-01-07", "2026-01-08", input_uncached=1_000_000)
    assert [cost for cost, _ in found] == [Decimal("1.1"), Decimal("0.8"), Decimal("0.8"), Decimal("1.2")]


def test_a_corrected_rate_is_known_from_then_on_and_any_order_gives_the_same(tmp_path: Path) -> None:
    first = fx(tmp_path, "2026-01-07.csv", HISTORY)
    second = fx(tmp_path, "2026-01-09.csv", HISTORY.replace("1.1000", "1.6000"))
    again = fx(tmp_path, "2026-01-08.csv", HISTORY)
    snapshots = [first, again, second]
    rates = build_fx_rates(CONFIG, snapshots, {"CNY"})
    random.Random(3).shuffle(snapshots)
    assert build_fx_rates(CONFIG, snapshots, {"CNY"}).equals(rates)
    assert rates.select("valid_from", "usd_per_unit", "recorded_at", "superseded_at").rows() == [
        (day("2026-01-05"), Decimal("0.1375"), day("2026-01-07"), day("2026-01-09")),
        (day("2026-01-05"), Decimal("0.2"), day("2026-01-09"), None),
        (day("2026-01-06"), Decimal("0.15"), day("2026-01-07"), None),
    ]
    prices = prices_of(yuan("8"))
    for known_at, usd in (
        (None, "1.6"),
        (day("2026-01-09"), "1.6"),
        (day("2026-01-08"), "1.1"),
        (day("2026-01-06"), None),
    ):
        card = build_rate_card(prices, [DATED], known_at=known_at, fx_rates=rates)
        ((cost, _),) = costs(card, "2026-01-05", input_uncached=1_000_000)
        assert cost == (usd and Decimal(usd))


def test_a_price_that_ends_inside_a_rate_ends_there(tmp_path: Path) -> None:
    rates = build_fx_rates(CONFIG, [fx(tmp_path, "2026-01-07.csv", HISTORY)], {"CNY"})
    prices = prices_of(
        yuan("8", valid_to=day("2026-01-06T12:00:00")), yuan("16", valid_from=day("2026-01-06T12:00:00"))
    )
    found = in_usd(prices, rates).filter(~pl.col("needs_rate")).sort("valid_from")
    assert found.select("valid_from", "valid_to", "usd_per_million").rows() == [
        (day("2026-01-05"), day("2026-01-06"), Decimal("1.1")),
        (day("2026-01-06"), day("2026-01-06T12:00:00"), Decimal("1.2")),
        (day("2026-01-06T12:00:00"), day("2026-01-13"), Decimal("2.4")),
    ]
    gaps = in_usd(prices, rates).filter("needs_rate").sort("valid_from")
    assert gaps.select("valid_from", "valid_to").rows() == [(BEGINNING, day("2026-01-05")), (day("2026-01-13"), None)]


def test_the_file_of_one_day_and_rounding(tmp_path: Path) -> None:
    text = "Date, USD, CNY, \n21 August 2026, 1.1650, 8.3541, \n"
    (quote,) = [q for q in fx(tmp_path, "2026-08-21.csv", text).quotes if q.currency == "CNY"]
    assert (quote.day, quote.usd_per_unit) == (date(2026, 8, 21), Decimal("0.139452484408853138"))  # 1.1650 / 8.3541
    euro = [q for q in fx(tmp_path, "2026-08-22.csv", text).quotes if q.currency == "EUR"]
    assert euro[0].usd_per_unit == Decimal("1.165")


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("", "line 1: expected the columns Date, USD"),
        ("Date,CNY\n2026-01-05,8\n", "line 1: expected the columns Date, USD"),
        (
            "Date,USD,CNY\n05/01/2026,1.1,8\n",
            r"line 2: expected a day such as 2026-08-21 or 21 August 2026, from 1970-01-01 to 2026-01-14, found '05/01/2026'",
        ),
        ("Date,USD,CNY\n2026-01-05,0,8\n", "holds no rate .*line 2, USD: expected an amount above zero, found '0'"),
        ("Date,USD,CNY\n2026-01-05,N/A,8\n", "holds no rate"),
    ],
)
def test_a_file_with_a_mistake_is_refused_with_the_place(tmp_path: Path, text: str, stated: str) -> None:
    with pytest.raises(PriceFeedError, match=stated) as error:
        fx(tmp_path, "2026-01-07.csv", text)
    assert str(error.value).startswith("prices/fx/2026-01-07.csv (feed fx, format ecb): ")


@pytest.mark.parametrize(
    "value", ["1e300", "1E+999999999", "1e-300", "0", "-1", "NaN", "Infinity", "9" * 5000, "eight", "１６０"]
)
def test_a_value_that_is_no_rate_costs_itself(tmp_path: Path, value: str) -> None:
    """The other currencies of its line and the other lines count; what is refused is named, in few characters."""
    snapshot = fx(tmp_path, "2026-01-07.csv", f"Date,USD,JPY,CNY\n2026-01-05,1.1,{value},8\n2026-01-06,1.1,160,8\n")
    stated = [] if value == "１６０" else ["2026-01-05"]
    assert [(q.currency, str(q.day)) for q in snapshot.quotes if q.currency == "JPY"] == [
        ("JPY", day) for day in ("2026-01-05", "2026-01-06") if day not in stated
    ]
    assert [str(q.day) for q in snapshot.quotes if q.currency == "CNY"] == ["2026-01-05", "2026-01-06"]
    assert len(snapshot.refused) == len(stated)
    assert all(len(line) < 160 and "line 2, JPY" in line for line in snapshot.refused)
    assert build_fx_rates(CONFIG, [snapshot], {"CNY", "JPY"}).height >= 3


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "2026-02-30", "", "1969-12-31", "2027-01-01"])
def test_a_day_that_is_none_costs_its_line(tmp_path: Path, day: str) -> None:
    snapshot = fx(tmp_path, "2026-01-07.csv", f"Date,USD,CNY\n{day},1.1,8\n2026-01-06,1.1,8\n")
    assert [str(q.day) for q in snapshot.quotes if q.currency == "CNY"] == ["2026-01-06"]
    assert [line.split(": ")[1] for line in snapshot.refused] == ["line 2"]
    assert fx_periods(build_fx_rates(CONFIG, [snapshot], {"CNY"}), {"CNY"}).height


@pytest.mark.parametrize(
    ("content", "stated"),
    [
        ({"rates": [{"currency": "USD", "usd_per_unit": 1, "valid_from": "2026-01-01"}]}, "currency: found 'USD', which is what the others"),
        ({"rates": [{"currency": "CNY", "usd_per_unit": "1E+999999999", "valid_from": "2026-01-01"}]}, "less than or equal to"),
        ({"rates": [{"currency": "CNY", "usd_per_unit": 0, "valid_from": "2026-01-01"}]}, "greater than or equal to"),
        ({"rates": [{"currency": "CNY", "usd_per_unit": 1, "valid_from": "2026-01-02", "valid_to": "2026-01-02"}]}, "valid_to: found 2026-01-02, accepted is a day after valid_from"),
        ({"rates": [{"currency": "CNY", "usd_per_unit": n, "valid_from": "2026-01-02"} for n in (1, 2)]}, "given twice"),
        ({"feeds": [{"feed": "fx"}, {"feed": "fx", "base": "USD"}]}, "declared twice"),
    ],
)  # fmt: skip
def test_mistakes_in_fx_yaml_are_named(content: dict[str, object], stated: str) -> None:
    with pytest.raises(ValueError, match=stated):
        FxConfig.model_validate(content)


def zipped(*members: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def test_the_archive_that_the_bank_publishes_is_read_as_the_file_in_it(tmp_path: Path) -> None:
    csv = b"Date, USD, JPY, CNY, \n20 November 2026, 1.1600, 180.00, 8.1200, \n"
    plain = read_fx(landed_bytes(tmp_path, "fx", "2026-11-20.csv", csv), FxFeed(feed="fx"))
    packed = read_fx(landed_bytes(tmp_path, "fx", "2026-11-21.zip", zipped(("eurofxref.csv", csv))), FxFeed(feed="fx"))
    assert packed.quotes == plain.quotes
    assert {quote.currency for quote in packed.quotes} == {"EUR", "JPY", "CNY"}


@pytest.mark.parametrize(
    "content", [zipped(), zipped(("a.csv", b"x"), ("b.csv", b"y")), zipped(("rates.xml", b"<x/>")), b"PK\x03\x04 and no archive"]
)  # fmt: skip
def test_an_archive_that_holds_no_one_csv_file_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(PriceFeedError, match=r"2026-11-20.zip .*expected"):
        read_fx(landed_bytes(tmp_path, "fx", "2026-11-20.zip", content), FxFeed(feed="fx"))


@pytest.mark.parametrize("damage", ["stream", "password"])
def test_an_archive_that_can_not_be_unpacked_is_an_error_of_the_feed(tmp_path: Path, damage: str) -> None:
    content = bytearray(zipped(("eurofxref.csv", b"Date, USD,\n20 November 2026, 1.2,\n")))
    if damage == "stream":
        at = 30 + len("eurofxref.csv")  # the local header ends with the name; deflate's data follows
        content[at : at + 8] = b"\xff" * 8
    else:
        content[6] |= 1  # the flag of encryption, in the local header and in the directory
        content[content.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(PriceFeedError, match=r"2026-11-20.zip .*expected a ZIP archive"):
        read_fx(landed_bytes(tmp_path, "fx", "2026-11-20.zip", bytes(content)), FxFeed(feed="fx"))
