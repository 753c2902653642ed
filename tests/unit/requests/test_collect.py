"""Exactly once: duplicates inside and across files, across midnight and in any order; every dropped record names the kept."""

from __future__ import annotations

import itertools
import json
import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.requests import DayRequests, collect_days, iter_days
from pipelines.requests.normalise import REQUEST_SCHEMA
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.raw import DUPLICATE
from tests.unit.requests.helpers import all_days, parse_records, row, the_fault

DAY = date(2026, 2, 12)


def spend_row(request_id: str, at: str, **fields: Any) -> dict[str, Any]:
    return {"request_id": request_id, "startTime": at, "model": "gpt-4o", "prompt_tokens": 10, "completion_tokens": 5,
            "spend": 0.001, "status": "success", **fields}  # fmt: skip


def without_place(requests: pl.DataFrame) -> pl.DataFrame:
    return requests.drop("snapshot_id", "line_no", "item_no").sort("request_uid")


def check_accounting(lines: int, quarantined: int, found: DayRequests) -> None:
    assert found.requests.height + found.duplicates.height + quarantined == lines
    kept = found.requests.select("request_uid", "snapshot_id", "line_no", "item_no").rows()
    named = found.duplicates.select("request_uid", "kept_snapshot_id", "kept_line_no", "kept_item_no").rows()
    assert set(named) <= set(kept)
    dropped = found.duplicates.select("snapshot_id", "line_no", "item_no").rows()
    assert not set(dropped) & {place[1:] for place in kept}


def test_frames_have_exactly_the_columns_of_their_tables(tmp_path: Path) -> None:
    parsed = parse_records(tmp_path, "litellm_spend_logs", [spend_row("a", "2026-02-12 10:00:00")] * 2)
    found = all_days([parsed])
    later = {
        "model_id",
        "resolution_method",
        "rate_id",
        "list_cost_usd",
        "contracted_cost_usd",
        "effective_cost_usd",
        "unpriced_reason",
    }
    expected = [(c.name, c.polars_type) for c in REQUEST.columns if c.name not in later]
    assert list(found.requests.schema.items()) == expected
    assert found.duplicates.schema == DUPLICATE.polars_schema
    empty = collect_days([], DAY, DAY + timedelta(days=1))
    assert (empty.requests.schema, empty.duplicates.schema) == (REQUEST_SCHEMA, DUPLICATE.polars_schema)


def test_a_request_logged_twice_counts_once_and_the_other_names_it(tmp_path: Path) -> None:
    lines = [
        spend_row("a", "2026-02-12 10:00:00"),
        spend_row("b", "2026-02-12 10:00:00"),
        spend_row("a", "2026-02-12 10:00:00"),
    ]
    parsed = parse_records(tmp_path, "litellm_spend_logs", lines)
    found = all_days([parsed])
    check_accounting(3, 0, found)
    [dropped] = found.duplicates.to_dicts()
    assert (dropped["line_no"], dropped["kept_line_no"], dropped["rule"]) == (3, 1, "same_record")


def test_of_two_different_records_the_earlier_is_kept_whatever_the_order(tmp_path: Path) -> None:
    early, late = (
        spend_row("a", "2026-02-12 10:00:00", prompt_tokens=7),
        spend_row("a", "2026-02-12 11:00:00", prompt_tokens=9),
    )
    for number, order in enumerate(itertools.permutations([early, late])):
        folder = tmp_path / str(number)
        folder.mkdir()
        found = all_days([parse_records(folder, "litellm_spend_logs", order)])
        assert found.requests["input_uncached_tokens"].to_list() == [7]


@pytest.mark.slow
def test_of_two_records_of_one_instant_the_content_decides_not_the_file_order(tmp_path: Path) -> None:
    records = [spend_row("a", "2026-02-12 10:00:00", prompt_tokens=count) for count in (9, 7, 8)]
    kept = set()
    for number, order in enumerate(itertools.permutations(records)):
        folder = tmp_path / str(number)
        folder.mkdir()
        one_file = [parse_records(folder, "litellm_spend_logs", order)]
        a_file_each = [
            parse_records(folder, "litellm_spend_logs", [record], name=str(n)) for n, record in enumerate(order)
        ]
        for files in (one_file, a_file_each):
            kept.add(all_days(files).requests["input_uncached_tokens"].item())
    assert len(kept) == 1


def test_a_broken_copy_never_displaces_a_valid_one(tmp_path: Path) -> None:
    """Trap: removing duplicates before validating changes the bill."""
    broken = spend_row("a", "2026-02-12 09:00:00", prompt_tokens=-1)
    parsed = parse_records(tmp_path, "litellm_spend_logs", [broken, spend_row("a", "2026-02-12 10:00:00")])
    found = all_days([parsed])
    check_accounting(2, 1, found)
    assert found.requests["input_uncached_tokens"].to_list() == [10]
    assert parsed.quarantine["reason"].to_list() == ["negative_tokens"]


def test_a_pair_across_midnight_ends_alike_whichever_day_is_collected(tmp_path: Path) -> None:
    before, after = spend_row("a", "2026-02-12 23:59:59.9"), spend_row("a", "2026-02-13 00:00:00.1")
    paths = [parse_records(tmp_path, "litellm_spend_logs", [record]).path for record in (after, before)]
    one = timedelta(days=1)
    first, second = collect_days(paths, DAY, DAY + one), collect_days(paths, DAY + one, DAY + 2 * one)
    assert (first.requests.height, first.duplicates.height) == (1, 1)
    assert (second.requests.height, second.duplicates.height) == (0, 0)
    both = collect_days(paths, DAY, DAY + 2 * one)
    assert both.requests.equals(first.requests)
    assert both.duplicates.equals(first.duplicates)


def test_sources_do_not_share_identities(tmp_path: Path) -> None:
    records = [spend_row("a", "2026-02-12 10:00:00")]
    files = [parse_records(tmp_path, "litellm_spend_logs", records, source=name) for name in ("one", "two")]
    assert sorted(all_days(files).requests["source"]) == ["one", "two"]


def test_a_window_without_a_day_is_refused() -> None:
    with pytest.raises(ValueError, match="holds no day"):
        collect_days([], DAY, DAY)


def test_parts_give_the_same_result_as_all_at_once(tmp_path: Path) -> None:
    chosen = random.Random(7)
    records = [
        spend_row(str(chosen.randrange(200)), f"2026-02-12 10:{n % 60:02}:00", prompt_tokens=n) for n in range(500)
    ]
    parsed = parse_records(tmp_path, "litellm_spend_logs", records)
    whole = collect_days([parsed.path], DAY, DAY + timedelta(days=1))
    parts = list(iter_days([parsed.path], DAY, DAY + timedelta(days=1), part_rows=50))
    assert len(parts) > 10
    # Rows of one instant stay together: some eight of the 500 here.
    assert max(part.requests.height for part in parts) <= 60
    assert pl.concat([part.requests for part in parts]).equals(whole.requests)
    dropped = pl.concat([part.duplicates for part in parts])
    assert dropped.sort("line_no").equals(whole.duplicates.sort("line_no"))
    check_accounting(500, 0, whole)


def test_an_event_later_than_the_day_after_arrival_is_set_aside(tmp_path: Path) -> None:
    on_time = parse_records(tmp_path, "litellm_spend_logs", [spend_row("a", "2026-02-13 23:59:59")], arrival=DAY)
    late = parse_records(tmp_path, "litellm_spend_logs", [spend_row("a", "2026-02-14 00:00:00")], arrival=DAY)
    old = parse_records(tmp_path, "litellm_spend_logs", [spend_row("a", "1970-01-01 00:00:00")], arrival=DAY)
    assert row(on_time)["event_date"] == date(2026, 2, 13)
    fault = the_fault(late)
    assert (fault["reason"], fault["severity"]) == ("event_after_arrival", "error")
    assert "2026-02-14" in fault["detail"]
    assert "2026-02-12" in fault["detail"]
    assert the_fault(old)["reason"] == "event_out_of_range"


def test_a_file_is_parsed_once_and_a_half_written_one_is_not_taken_for_done(tmp_path: Path) -> None:
    parsed = parse_records(tmp_path, "litellm_spend_logs", [spend_row("a", "2026-02-12 10:00:00"), "{"])
    written = parsed.path.stat().st_mtime_ns
    again = parse_records(tmp_path, "litellm_spend_logs", [spend_row("a", "2026-02-12 10:00:00"), "{"])
    assert again.path.stat().st_mtime_ns == written
    assert again.quarantine.equals(parsed.quarantine)
    assert (again.lines, again.valid, again.event_dates) == (2, 1, (DAY,))
    assert not list(parsed.path.parent.glob("*.tmp"))


_DRAWN = st.lists(
    st.tuples(
        st.integers(0, 6),  # request
        st.integers(0, 3),  # day
        st.sampled_from([0, 7, 23]),  # hour
        st.integers(0, 2),  # tokens
        st.booleans(),  # broken
    ),
    min_size=1,
    max_size=14,
)


def _line(drawn: tuple[int, int, int, int, bool]) -> str:
    request, day, hour, tokens, broken = drawn
    # Repeats of a request lie at most a day apart, as the three-day window promises to resolve.
    at = f"2026-02-{10 + request % 3 + day % 2:02} {hour:02}:00:00"
    text = json.dumps(spend_row(f"r{request}", at, prompt_tokens=tokens))
    return text[:-1] if broken else text


@settings(max_examples=15, deadline=None)
@given(_DRAWN, st.randoms(use_true_random=False), st.integers(1, 4))
@pytest.mark.slow
def test_any_permutation_and_split_of_the_lines_gives_the_same_requests(
    tmp_path_factory: pytest.TempPathFactory,
    drawn: list[tuple[int, int, int, int, bool]],
    chance: random.Random,
    files: int,
) -> None:
    lines = [_line(item) for item in drawn]
    shuffled = list(lines)
    chance.shuffle(shuffled)
    folder = tmp_path_factory.mktemp("split")
    parts = [part for number in range(files) if (part := shuffled[number::files])]
    arrivals = [date(2026, 2, 14) + timedelta(days=chance.randrange(3)) for _ in parts]
    whole = [parse_records(folder, "litellm_spend_logs", lines)]
    split = [
        parse_records(folder, "litellm_spend_logs", part, name=f"{number}-", arrival=arrival)
        for number, (part, arrival) in enumerate(zip(parts, arrivals, strict=True))
    ]
    if not whole[0].valid:
        assert sum(part.valid for part in split) == 0
        return
    one, other = all_days(whole), all_days(split)
    assert without_place(one.requests).equals(without_place(other.requests))
    assert one.duplicates.height == other.duplicates.height
    check_accounting(len(lines), whole[0].quarantined, one)
    check_accounting(len(lines), sum(part.quarantined for part in split), other)
    # Day by day is the same as all days in one pass.
    paths = [part.path for part in split]
    days = sorted({day for part in split for day in part.event_dates})
    single = [collect_days(paths, day, day + timedelta(days=1)).requests for day in days]
    assert without_place(pl.concat(single)).equals(without_place(one.requests))
