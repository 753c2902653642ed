"""What is wrong in a record is named with its field, and costs nothing before it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.requests.helpers import parse, parse_records, rows, the_fault
from tests.unit.requests.samples import SAMPLES

BY_FORMAT = {sample.format: sample for sample in SAMPLES}


def test_a_half_written_last_line_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    whole = json.dumps(BY_FORMAT["openai_chat"].record)
    path.write_text(f"{whole}\n{whole[:200]}", encoding="utf-8")
    parsed = parse(path, "openai_chat")
    assert parsed.valid == 1
    [fault] = parsed.quarantine.to_dicts()
    assert (fault["line_no"], fault["byte_from"], fault["byte_to"]) == (2, len(whole) + 1, len(whole) + 201)
    assert "half-written" in fault["detail"]


def test_an_array_that_breaks_off_keeps_what_came_before(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    record = BY_FORMAT["openai_chat"].record
    text = "[\n" + ",\n".join(json.dumps({**record, "id": str(n)}) for n in range(3)) + ',\n{"id": "3", "usa'
    path.write_text(text, encoding="utf-8")
    parsed = parse(path, "openai_chat")
    assert rows(parsed)["line_no"].to_list() == [2, 3, 4]
    assert rows(parsed)["item_no"].to_list() == [0, 1, 2]
    [fault] = parsed.quarantine.to_dicts()
    assert (fault["line_no"], fault["reason"], text.encode()[fault["byte_from"] :]) == (
        5,
        "not_json",
        b'{"id": "3", "usa',
    )


@pytest.mark.slow
def test_counts_out_of_range_or_not_whole_are_named_with_their_field(tmp_path: Path) -> None:
    record = BY_FORMAT["openai_chat"].record
    for value, reason, words in (
        (-1, "negative_tokens", "found -1, 0 or more is accepted"),
        (2**31, "out_of_range", "found 2147483648"),
        (5.7, "not_an_integer", "found 5.7, a whole number is accepted"),
        (10**30, "not_an_integer", "a whole number is accepted"),
        ("many", "not_an_integer", "found an unreadable value"),
    ):
        changed = {**record, "usage": {**record["usage"], "prompt_tokens": value}}
        fault = the_fault(parse_records(tmp_path, "openai_chat", [changed]))
        assert (fault["reason"], fault["severity"]) == (reason, "error")
        assert "usage/prompt_tokens" in fault["detail"]
        assert words in fault["detail"]
        assert json.loads(fault["fields"])["id"] == "chatcmpl-1"


def test_a_record_without_an_instant_is_set_aside(tmp_path: Path) -> None:
    record = {key: value for key, value in BY_FORMAT["openai_chat"].record.items() if key != "created"}
    fault = the_fault(parse_records(tmp_path, "openai_chat", [record]))
    assert (fault["reason"], "timestamp" in fault["detail"]) == ("missing_field", True)
