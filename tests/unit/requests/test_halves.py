"""A stream that begins in one file and ends in the next, as rotation cuts it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pipelines.requests import ParsedFile, collect_days
from tests.unit.records.test_event_streams import captured, chat
from tests.unit.requests.helpers import all_days, parse_records
from tests.unit.requests.test_streams import delta, start

CALL = "req_011CSabcdefgh"
OTHER = "req_011CSijklmnop"
Stated = list[tuple[str | None, str, int, int]]


def in_files(folder: Path, *files: list[dict[str, Any]]) -> list[ParsedFile]:
    return [
        parse_records(folder, "anthropic_messages", events, name=f"{number}-") for number, events in enumerate(files)
    ]


def stated(parsed: Sequence[ParsedFile]) -> Stated:
    """Of each request: its id, how much of its usage is known, input and output."""
    columns = ("source_request_id", "usage_basis", "input_uncached_tokens", "output_text_tokens")
    return list(all_days(parsed).requests.select(columns).iter_rows())


@pytest.mark.parametrize("ids", [{"request_id": CALL}, {"message_id": "msg_R"}, {"call_id": CALL, "trace_id": "t"}])
@pytest.mark.parametrize("usage", [{}, {"input_tokens": 1000}])
def test_the_halves_are_one_request_of_the_start(tmp_path: Path, ids: dict[str, str], usage: dict[str, int]) -> None:
    first = {name: held for name, held in ids.items() if name != "message_id"}
    parsed = in_files(tmp_path, [start("msg_R", 1000, **first)], [delta(700, **usage, **ids)])
    for files in (parsed, parsed[::-1]):
        found = all_days(files)
        assert stated(files) == [("msg_R", "reported", 1000, 700)]
        request, gone = found.requests.row(0, named=True), found.duplicates.row(0, named=True)
        assert (request["request_model"], request["finish_reason"]) == ("claude-sonnet-4-5", "end_turn")
        assert str(request["event_at"]) == "2026-02-12 08:00:00+00:00"
        assert gone["rule"] == "stream_delta"
        assert gone["snapshot_id"] == parsed[1].snapshot_id
        assert (gone["kept_snapshot_id"], gone["request_uid"]) == (parsed[0].snapshot_id, request["request_uid"])


def test_the_usage_written_last_counts(tmp_path: Path) -> None:
    ids = {"request_id": CALL}
    first = [start("msg_R", 1000, **ids), delta(5, None, **ids)]
    second = [delta(650, None, **ids), delta(700, input_tokens=1200, **ids)]
    assert stated(in_files(tmp_path, first, second)) == [("msg_R", "reported", 1200, 700)]


def test_the_split_of_cache_writes_stays(tmp_path: Path) -> None:
    begun = start("msg_R", 10, request_id=CALL)
    begun["message"]["usage"] |= {
        "cache_creation_input_tokens": 50,
        "cache_creation": {"ephemeral_1h_input_tokens": 50},
    }
    ended = delta(700, input_tokens=10, cache_creation_input_tokens=50, request_id=CALL)
    found = all_days(in_files(tmp_path, [begun], [ended])).requests.row(0, named=True)
    assert (found["input_cache_write_1h_tokens"], found["input_cache_write_5m_tokens"]) == (50, 0)


def test_without_an_id_of_the_call_both_halves_stay_known_in_part(tmp_path: Path) -> None:
    parsed = in_files(tmp_path, [start("msg_R", 1000, session_id="sess-0001")], [delta(700, session_id="sess-0001")])
    assert sorted(stated(parsed), key=str) == [("msg_R", "partial", 1000, 0), (None, "partial", 0, 700)]


def test_an_id_of_several_calls_joins_none(tmp_path: Path) -> None:
    first = [start("msg_A", 10, request_id=CALL), start("msg_B", 20, request_id=CALL)]
    assert len(stated(in_files(tmp_path, first, [delta(7, request_id=CALL)]))) == 3


def test_an_end_does_not_change_a_call_that_ended(tmp_path: Path) -> None:
    first = [start("msg_A", 10, request_id=CALL), delta(5, request_id=CALL), start("msg_B", 20, request_id=OTHER)]
    found = stated(in_files(tmp_path, first, [delta(9, request_id=OTHER), delta(7, request_id=CALL)]))
    assert sorted(found, key=str) == [
        ("msg_A", "reported", 10, 5),
        ("msg_B", "reported", 20, 9),
        (None, "partial", 0, 7),
    ]


def test_the_end_after_midnight_counts_on_the_day_of_the_start(tmp_path: Path) -> None:
    begun, ended = start("msg_R", 10, request_id=CALL), delta(7, request_id=CALL)
    begun["timestamp"], ended["timestamp"] = "2026-02-12T23:59:59Z", "2026-02-13T00:00:09Z"
    paths = [file.path for file in in_files(tmp_path, [begun], [ended])]
    days = [date(2026, 2, day) for day in (12, 13, 14)]
    first, second = (collect_days(paths, low, high) for low, high in pairwise(days))
    assert first.requests.select("source_request_id", "usage_basis", "output_text_tokens").rows() == [
        ("msg_R", "reported", 7)
    ]
    assert (first.duplicates.height, second.requests.height, second.duplicates.height) == (1, 0, 0)


def test_chunks_that_name_their_answer_need_no_more(tmp_path: Path) -> None:
    events = chat("c-1", {"prompt_tokens": 7, "completion_tokens": 3})
    texts = [captured(events[:2], done=False), captured(events[2:])]
    parsed = [parse_records(tmp_path, "openai_chat", [text], name=f"{number}-") for number, text in enumerate(texts)]
    found = all_days(parsed)
    assert found.requests.select("usage_basis", "input_uncached_tokens", "output_text_tokens").rows() == [
        ("reported", 7, 3)
    ]
    assert found.duplicates.height == 2
