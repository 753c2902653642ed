"""Days such as 02/12/2026: what a file proves of them is believed, what it leaves open is asked for; what can be read one way only is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.requests import ParsedFile
from tests.unit.requests.helpers import landed_bytes, parse_records, row, rows, the_fault


def table(folder: Path, *instants: str, **options: Any) -> ParsedFile:
    lines = [f"{instant};m;{100 + number};1" for number, instant in enumerate(instants)]
    columns = {"event_at": "at", "model": "model", "input": "in", "output": "out"}
    content = "\n".join(["at;model;in;out", *lines, ""])
    return landed_bytes(folder, content.encode(), "mapping", "a.csv", options={"columns": columns, **options})


def instants_of(parsed: ParsedFile) -> list[str]:
    return [f"{at:%m-%d %H:%M:%S}" for at in rows(parsed).sort("input_uncached_tokens")["event_at"]]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (("02/12/2026 10:00:05 PM", "02/13/2026 12:05 AM"), ["02-12 22:00:05", "02-13 00:05:00"]),
        (("02/12/2025 10:00:05", "13/12/2025 10:05"), ["12-02 10:00:05", "12-13 10:05:00"]),
        (("02.12.2025 10:00", "01.02.2026"), ["12-02 10:00:00", "02-01 00:00:00"]),
        (("2-1-2026 1:00", "2-13-2026, 1:00 p.m."), ["02-01 01:00:00", "02-13 13:00:00"]),
        (("02/13/2026 10:00 +01:00", "2026-02-12T10:00:00Z"), ["02-13 09:00:00", "02-12 10:00:00"]),
    ],
)
def test_what_the_file_proves_is_believed(tmp_path: Path, written: tuple[str, ...], expected: list[str]) -> None:
    assert instants_of(table(tmp_path, *written)) == expected


@pytest.mark.parametrize("written", [("02/12/2026 10:00", "02/11/2026"), ("13/02/2026", "02/13/2026 10:00")])
def test_what_it_leaves_open_sets_it_aside(tmp_path: Path, written: tuple[str, ...]) -> None:
    fault = the_fault(table(tmp_path, *written))
    assert (fault["reason"], "options.time" in fault["detail"]) == ("undecided_days", True)


def test_an_open_day_among_many_costs_itself(tmp_path: Path) -> None:
    parsed = table(tmp_path, "2026-02-12 10:00", "2026-02-12 11:00", "02/12/2026 10:00")
    assert (parsed.valid, parsed.quarantine["reason"].to_list()) == (2, ["not_an_instant"])


def test_a_zone_holds_for_such_days_too(tmp_path: Path) -> None:
    assert instants_of(table(tmp_path, "02/13/2026 10:00", time={"zone": "Europe/Berlin"})) == ["02-13 09:00:00"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("20260212T100001Z", "02-12 10:00:01"), ("20260212100001", "02-12 10:00:01"), ("20260212", "02-12 00:00:00"),
        ("20260212T1000", "02-12 10:00:00"), ("20260212T110001.5+0100", "02-12 10:00:01"),
        ("2026/02/12 10:00:01", "02-12 10:00:01"), ("2026.02.12", "02-12 00:00:00"),
        ("1770890401", "02-12 10:00:01"), ("1770890401500", "02-12 10:00:01"),
        ("Thu, 12 Feb 2026 10:00:01 GMT", "02-12 10:00:01"), ("12-February-2026 11:00 +01:00", "02-12 10:00:00"),
        ("Feb 12 2026 10:00:01 PM", "02-12 22:00:01"), ("12 Feb 2026", "02-12 00:00:00"),
    ],
)  # fmt: skip
def test_instants_that_can_be_read_one_way_only(tmp_path: Path, written: str, expected: str) -> None:
    assert instants_of(table(tmp_path, written)) == [expected]


@pytest.mark.parametrize(("written", "hour"), [(20260212100000, 10), (1_770_890_400, 10), ("02/13/2026 10:00 PM", 22)])
def test_in_formats_that_know_their_instants_too(tmp_path: Path, written: object, hour: int) -> None:
    answer = {
        "id": "chatcmpl-AbCdEfGhIjKlMnOpQrStUvWx",
        "model": "m",
        "usage": {"prompt_tokens": 1, "completion_tokens": 1},
    }
    assert row(parse_records(tmp_path, "openai_chat", [{"timestamp": written, **answer}]))["event_at"].hour == hour
