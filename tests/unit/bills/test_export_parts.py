"""An export in several files: equal lines of two of them are two lines of the bill, and no file takes the others for an older bill."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.bills import bitemporal, parse_bill
from pipelines.bills.export_parts import exports_of, part_of
from pipelines.landing import LandedFile
from tests.unit.bills.reports import AZURE_COST, FOCUS, source
from tests.unit.requests.helpers import landed

LINE = {name: value for name, value in FOCUS["data"][0].items() if value is not None} | {"ResourceId": "r-1"}
DAYS = [f"2026-02-14T{hour}:00:0{second}" for hour, second in (("06", 0), ("06", 1), ("18", 0), ("18", 1))]


def file_of(folder: Path, name: str, lines: list[dict[str, str]], seen: str, url: str | None = None) -> LandedFile:
    path = folder / str(len([*folder.iterdir()])) / name
    path.parent.mkdir()
    pl.DataFrame(lines).write_csv(path)
    at = datetime.fromisoformat(seen).replace(tzinfo=UTC)
    found = landed(path, "bill", at.date())
    place = f"{found.landing_path.removesuffix(path.name)}{name}"
    return replace(
        found, landing_path=place, observed_at=at, url=url, snapshot_id=found.snapshot_id + path.parent.name.encode()
    )


def billed(folder: Path, files: list[LandedFile], format_name: str = "focus") -> list[str]:
    """The amounts that are believed, whichever file is read first."""
    parsed = [parse_bill(file, source(format_name), folder / "store") for file in files]
    seen = []
    for ordered in (parsed, parsed[::-1]):
        ledger = bitemporal(pl.concat([pl.read_parquet(one.path) for one in ordered]), exports_of(files))
        assert ledger.rows.height + ledger.duplicates.height == sum(one.valid for one in parsed)
        amounts = ledger.rows.filter(pl.col("superseded_at").is_null())["amount"]
        seen.append(sorted(f"{amount.normalize():f}" for amount in amounts))
    assert seen[0] == seen[1]
    return seen[0]


def test_lines_that_say_the_same_all_count(tmp_path: Path) -> None:
    """In one file; in two parts of an export that lie in a folder of a day, or were pulled a second apart; and once where a part is there twice."""
    other = LINE | {"BilledCost": "1.5"}
    midnight = "2026-02-14T00:00:00"
    one = file_of(tmp_path, "a.csv", [LINE, LINE], midnight)
    assert billed(tmp_path, [one]) == ["2.7", "2.7"]
    parts = [file_of(tmp_path, f"part_{n}_0001.csv", [LINE], midnight) for n in range(2)]
    assert billed(tmp_path, parts) == ["2.7", "2.7"]
    again = file_of(tmp_path, "part_1_0001.csv", [LINE], midnight)
    assert billed(tmp_path, [*parts, again]) == ["2.7", "2.7"]
    pulled = [
        file_of(tmp_path, f"{n}.csv", [line], DAYS[n], url=f"s3://bill/focus/run/part_{n}.csv")
        for n, line in enumerate((LINE, other))
    ]
    assert billed(tmp_path, pulled) == ["1.5", "2.7"]


def revision(folder: Path, number: int, name: str, amount: str, seen: str) -> LandedFile:
    """The `number`th landing of a part of one month's export in a bucket: a line of its own resource."""
    line = LINE | {"BilledCost": amount, "ResourceId": name}
    return file_of(folder, f"{number}-{name}", [line], seen, url=f"s3://bill/2026-02/{name}")


def test_an_export_that_is_written_over_the_one_before_replaces_it_whole(tmp_path: Path) -> None:
    """Of its two parts the first is revised: the second begins no third export."""
    amounts = ("2.7", "1", "3", "1.5")
    names = [f"name-0000{n % 2 + 1}.csv" for n in range(4)]
    files = [
        revision(tmp_path, n, name, amount, seen)
        for n, (name, amount, seen) in enumerate(zip(names, amounts, DAYS, strict=True))
    ]
    assert billed(tmp_path, files) == ["1.5", "3"]
    assert billed(tmp_path, files[:2]) == ["1", "2.7"]


def test_an_export_that_is_written_over_unchanged_or_without_a_line_counts_its_newest_lines_once(
    tmp_path: Path,
) -> None:
    """Of one day's parts equal lines add up; of two days' exports the newer one holds, and what it leaves out is gone."""
    names = ("name-00001.csv", "name-00002.csv")
    twice = [revision(tmp_path, n, names[n % 2], "2.7", DAYS[n]) for n in range(4)]
    assert billed(tmp_path, twice) == ["2.7", "2.7"]
    line = LINE | {"BilledCost": "1", "ResourceId": "gone"}
    before = [file_of(tmp_path, f"old-{names[0]}", [line, LINE], DAYS[0], url=f"s3://bill/2026-02/{names[0]}")]
    after = [file_of(tmp_path, f"new-{names[0]}", [LINE], DAYS[1], url=f"s3://bill/2026-02/{names[0]}")]
    assert billed(tmp_path, [*before, *after]) == billed(tmp_path, after)


def test_an_export_that_grows_by_a_file_counts_whole(tmp_path: Path) -> None:
    """A month's export is written over itself every day, and from the second day on fills two files."""
    landings = (("00001", "2.7", "2026-02-13T06:00:00"), ("00001", "3", DAYS[0]), ("00002", "1.5", DAYS[1]))
    files = [revision(tmp_path, n, f"name-{part}.csv", amount, seen) for n, (part, amount, seen) in enumerate(landings)]
    assert billed(tmp_path, files) == ["1.5", "3"]


def test_parts_on_both_sides_of_midnight_are_one_export(tmp_path: Path) -> None:
    seen = ("2026-02-13T23:59:50", "2026-02-14T00:00:10", "2026-02-14T23:59:50", "2026-02-15T00:00:10")
    files = [
        file_of(tmp_path, f"{n}.csv", [LINE | {"BilledCost": str(n)}], at, url=f"s3://bill/part-0000{n % 2}-abc.csv")
        for n, at in enumerate(seen)
    ]
    assert billed(tmp_path, files[:2]) == ["0", "1"]
    assert billed(tmp_path, files) == ["2", "3"]


@pytest.mark.parametrize("format_name", ["focus", "azure_cost"])
def test_lines_of_two_resources_are_no_versions_of_one(tmp_path: Path, format_name: str) -> None:
    """They differ in the resource alone, and lie in files that somebody exported one after the other."""
    line = LINE if format_name == "focus" else AZURE_COST["data"][0]
    amount = "BilledCost" if format_name == "focus" else "CostInBillingCurrency"
    files = [
        file_of(tmp_path, f"{name}.csv", [line | {"ResourceId": name, amount: str(n)}], DAYS[n])
        for n, name in enumerate(("east", "west"))
    ]
    assert billed(tmp_path, files, format_name) == ["0", "1"]


@pytest.mark.parametrize(
    ("format_name", "more"),
    [
        ("focus", {"Tags": {"team": "search"}, "x_CostCategories": {"unit": "web"}, "SkuPriceDetails": {"CoreCount": 4}}),
        ("focus", {"Tags": [{"key": "team", "value": "search"}]}),
        ("azure_cost", {"tags": {"team": "search"}, "AdditionalInfo": {"plan": 1}}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_maps_and_objects_cost_no_line(tmp_path: Path, format_name: str, more: dict[str, Any], suffix: str) -> None:
    """AWS writes Tags of FOCUS as a map in Parquet: every line of such an export was set aside."""
    given = (FOCUS if format_name == "focus" else AZURE_COST)["data"][0]
    line = {name: value for name, value in given.items() if value is not None} | more
    path = tmp_path / f"bill.{suffix}"
    if suffix == "jsonl":
        path.write_text(json.dumps(line), encoding="utf-8")
    else:
        pl.DataFrame([line]).write_parquet(path)
    parsed = parse_bill(landed(path, "bill", date(2026, 2, 14)), source(format_name), tmp_path / "store")
    assert (parsed.lines, parsed.valid) == (1, 1)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("part_0_0001.csv", "0_0001"), ("part-00007-3f2a.snappy.parquet", "00007"), ("cur-00002.csv.gz", "00002"),
        ("export-000000000012.json", "000000000012"), ("Page 3.csv", "3"), ("costs_20260214T060000Z.json", ""), ("2026-02-14.csv", ""),
        ("invoice-01022026.csv", ""), ("bill 2026-02.csv", ""), ("partner.csv", ""), ("department7.csv", ""),
    ],
)  # fmt: skip
def test_what_is_a_number_of_a_part(tmp_path: Path, name: str, part: str) -> None:
    file = file_of(tmp_path, "a.csv", [LINE], DAYS[0])
    assert part_of(replace(file, landing_path=f"requests/bill/2026-02-14/{name}")) == part
