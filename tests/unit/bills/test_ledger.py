"""Bills get revised: what a later export replaces, what pages of one export do not, in any order of files."""

from __future__ import annotations

import itertools
import json
import random
from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.bills import bitemporal
from tests.unit.bills.reports import DAY, OPENAI_COSTS, export, merged

FIRST, SECOND, THIRD = "2026-02-14T06:00:00", "2026-02-15T06:00:00", "2026-02-16T06:00:00"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def costs(amounts: dict[str, str], day: int = 0) -> dict[str, Any]:
    """One page with one bucket of these amounts by project."""
    page = deepcopy(OPENAI_COSTS)
    bucket = deepcopy(page["data"][0])  # type: ignore[index]
    bucket["start_time"] += day * 86_400
    bucket["end_time"] += day * 86_400
    bucket["results"] = [
        {"object": "organization.costs.result", "amount": {"value": amount, "currency": "usd"}, "line_item": "gpt-4o, input",
         "project_id": project}
        for project, amount in amounts.items()
    ]  # fmt: skip
    page["data"] = [bucket]
    return page


def periods(rows: pl.DataFrame) -> list[tuple[Any, ...]]:
    columns = ("project_id", "amount_text", "observed_at", "superseded_at", "supersede_reason")
    return sorted(rows.select(columns).rows(), key=lambda row: (row[0], row[2]))


def test_a_later_export_replaces_the_bucket_whole(tmp_path: Path) -> None:
    files = [
        export(tmp_path, "openai_costs_api", costs({"a": "1", "b": "2", "c": "3"}), seen=FIRST),
        export(tmp_path, "openai_costs_api", costs({"a": "1", "b": "2.5"}), seen=SECOND),
        export(tmp_path, "openai_costs_api", costs({"a": "1", "b": "2.5", "c": "3"}), seen=THIRD),
    ]
    ledger = merged(files)
    assert periods(ledger.rows) == [
        ("a", "1", at(FIRST), None, None),
        ("b", "2", at(FIRST), at(SECOND), "revised"),
        ("b", "2.5", at(SECOND), None, None),
        ("c", "3", at(FIRST), at(SECOND), "removed"),
        ("c", "3", at(THIRD), None, None),
    ]
    # a twice more and b once more say again what is believed.
    assert ledger.duplicates["rule"].to_list() == ["same_record"] * 3
    billed = {
        when: sum(
            ledger.rows.filter(
                (pl.col("observed_at") <= at(when))
                & (pl.col("superseded_at").is_null() | (pl.col("superseded_at") > at(when)))
            )["amount_usd"]
        )
        for when in (FIRST, SECOND, THIRD)
    }
    assert billed == {FIRST: Decimal(6), SECOND: Decimal("3.5"), THIRD: Decimal("6.5")}


def test_pages_of_one_export_add_up(tmp_path: Path) -> None:
    """Also where a bucket is cut in two, and where a page is saved twice."""
    pages = [costs({"a": "1"}), costs({"b": "2"}), costs({"a": "4"}, day=1), costs({"b": "2"})]
    ledger = merged(
        export(tmp_path, "openai_costs_api", page, seen=f"2026-02-14T06:00:0{number}")
        for number, page in enumerate(pages)
    )
    assert ledger.rows["superseded_at"].null_count() == 3
    assert ledger.rows.filter(pl.col("event_date") == DAY)["amount_usd"].sum() == 3
    assert ledger.duplicates["rule"].to_list() == ["same_record"]


NOON, EVENING = "2026-02-14T12:00:00", "2026-02-14T18:00:00"


def test_a_revised_bill_of_the_same_day_replaces_the_earlier_whole(tmp_path: Path) -> None:
    """Also the line that it no longer has, whichever file is read first."""
    early = export(tmp_path, "openai_costs_api", costs({"a": "1", "b": "2"}), seen=NOON)
    late = export(tmp_path, "openai_costs_api", costs({"a": "1.25"}), seen=EVENING)
    for files in ((early, late), (late, early)):
        assert periods(merged(files).rows) == [
            ("a", "1", at(NOON), at(EVENING), "revised"),
            ("a", "1.25", at(EVENING), None, None),
            ("b", "2", at(NOON), at(EVENING), "removed"),
        ]


def test_two_pulls_of_one_day_do_not_add_up(tmp_path: Path) -> None:
    """The second has lost a line and changed no other, which pages of one pull look like too: the pull of each file says which."""
    first = [export(tmp_path, "openai_costs_api", costs(page), seen=NOON) for page in ({"a": "1"}, {"b": "2"})]
    second = export(tmp_path, "openai_costs_api", costs({"a": "1"}), seen=EVENING)
    pulls = {file.snapshot_id: "first" for file in first} | {second.snapshot_id: "second"}
    believed = [
        merged([*first, second], pulls).rows.filter(pl.col("superseded_at").is_null())["amount_usd"].sum(),
        merged(first, pulls).rows["amount_usd"].sum(),
    ]
    assert believed == [1, 3]


def test_the_running_day_pulled_twice_counts_once(tmp_path: Path) -> None:
    """Its bucket ends when it was asked for, so its lines are others each time."""
    files = []
    for seconds, (amount, seen) in zip((40_000, 20_000), (("1", NOON), ("2.5", EVENING)), strict=True):
        running = costs({"a": amount})
        running["data"][0]["end_time"] -= seconds
        files.append(export(tmp_path, "openai_costs_api", running, seen=seen))
    assert merged(files).rows.filter(pl.col("superseded_at").is_null())["amount_usd"].to_list() == [Decimal("2.5")]


def test_lines_that_only_an_unknown_dimension_distinguishes_are_never_merged(tmp_path: Path) -> None:
    page = costs({"a": "1"})
    [result] = page["data"][0]["results"]
    page["data"][0]["results"] = [{**result, "new_dimension": value} for value in ("x", "y")] + [result, result]
    ledger = merged([export(tmp_path, "openai_costs_api", page)])
    assert (ledger.rows.height, ledger.rows["amount_usd"].sum()) == (4, 4)


def test_the_bucket_of_a_running_day_gives_way_to_the_whole_day(tmp_path: Path) -> None:
    running = costs({"a": "1"})
    running["data"][0]["end_time"] -= 40_000
    files = [
        export(tmp_path, "openai_costs_api", running, seen=FIRST),
        export(tmp_path, "openai_costs_api", costs({"a": "2.5"}), seen=SECOND),
    ]
    ledger = merged(files)
    believed = ledger.rows.filter(pl.col("superseded_at").is_null())
    assert (ledger.rows.height, believed["amount_usd"].to_list()) == (2, [Decimal("2.5")])


def test_buckets_of_an_hour_keep_their_own_history(tmp_path: Path) -> None:
    page = costs({"a": "1"})
    hours = []
    for hour in range(3):
        bucket = deepcopy(page["data"][0])
        bucket["start_time"] += hour * 3600
        bucket["end_time"] = bucket["start_time"] + 3600
        hours.append(bucket)
    first = export(tmp_path, "openai_costs_api", {**page, "data": hours[:2]}, seen=FIRST)
    second = export(tmp_path, "openai_costs_api", {**page, "data": hours[2:]}, seen=SECOND)
    ledger = merged([first, second])
    assert ledger.rows["superseded_at"].null_count() == 3


@pytest.mark.slow
def test_any_order_and_any_split_of_the_files_gives_the_same_ledger(tmp_path: Path) -> None:
    chance = random.Random(3)
    lines = [
        json.dumps({**result, "start_time": 1770854400 + day * 86_400, "end_time": 1770940800 + day * 86_400})
        for day, project in itertools.product(range(3), "abc")
        for result in costs({project: str(chance.randrange(1, 4))})["data"][0]["results"]
    ]
    revised = [line.replace('"value": "1"', '"value": "9"') for line in lines]
    place = ["snapshot_id", "line_no", "item_no", "source_locator"]
    seen: list[pl.DataFrame] = []
    for attempt in range(12):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        files = []
        for when, content in ((FIRST, lines), (SECOND, revised)):
            shuffled = chance.sample(content, len(content))
            cut = chance.randrange(len(shuffled) + 1)
            files += [
                export(folder, "openai_costs_api", "\n".join(part).encode(), seen=when)
                for part in (shuffled[:cut], shuffled[cut:])
            ]
        chance.shuffle(files)
        seen.append(merged(files).rows.drop(place))
    for other in seen[1:]:
        assert_frame_equal(other, seen[0])
    assert set(seen[0]["supersede_reason"].drop_nulls()) == {"revised"}


def test_no_exports_are_no_rows() -> None:
    from pipelines.bills.records import RECORD_SCHEMA

    ledger = bitemporal(pl.DataFrame(schema=RECORD_SCHEMA))
    assert (ledger.rows.height, ledger.duplicates.height) == (0, 0)
