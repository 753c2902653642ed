"""Exactly once, for every format: any permutation and any split of the lines over files and arrival days, the same requests."""

from __future__ import annotations

import json
import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipelines.requests import DayRequests, ParsedFile
from tests.unit.requests.helpers import all_days, buckets, parse_records, row
from tests.unit.requests.samples import ANTHROPIC_USAGE, AT, EPOCH, SAMPLES, Sample
from tests.unit.requests.test_collect import check_accounting, without_place

IN_SEQUENCE = {"codex"}
"""Formats whose lines mean something only after those before them: files are whole, only they can be shuffled."""


def _variants(folder: Path, sample: Sample, chance: random.Random) -> list[str]:
    """Lines of several requests of a format: some repeated, some copied a second later, some broken."""
    known = row(parse_records(folder, sample.format, [sample.record], name="id", **sample.declared))[
        "source_request_id"
    ]
    lines = []
    for number in range(5):
        text = json.dumps(sample.record)
        text = text.replace(AT[:19], f"2026-02-1{2 + number % 2}T10:20:3{number}").replace(
            str(EPOCH), str(EPOCH + number)
        )
        text = text.replace("2026-02-12 10:20:30", f"2026-02-12 10:20:3{number}").replace(
            "eee19b7ec3c1b174", f"eee19b7ec3c1b17{number}"
        )
        if known:
            text = text.replace(f'"{known}"', f'"{known}-{number}"')
        lines.append(text)
    lines += chance.choices(lines, k=4)
    return [*lines, lines[0][:-7], '{"x": 1}']


@pytest.mark.parametrize(
    "sample", [s for s in SAMPLES if s.format not in IN_SEQUENCE], ids=lambda sample: sample.format
)
def test_any_permutation_and_any_split_over_files_and_arrival_days(tmp_path: Path, sample: Sample) -> None:
    chance = random.Random(sample.format)
    lines = _variants(tmp_path, sample, chance)
    whole = parse_records(tmp_path, sample.format, lines, **sample.declared)
    expected = all_days([whole])
    assert expected.requests.height >= 2
    assert expected.duplicates.height >= 4
    check_accounting(len(lines), whole.quarantined, expected)
    shuffled = chance.sample(lines, len(lines))
    count = chance.randrange(2, 5)
    files = [
        parse_records(
            tmp_path, sample.format, shuffled[number::count], name=f"{number}-",
            arrival=date(2026, 2, 14) + timedelta(days=chance.randrange(40)), **sample.declared,
        )
        for number in range(count)
    ]  # fmt: skip
    chance.shuffle(files)
    _same(lines, files, expected)


def _same(lines: list[str], files: list[ParsedFile], expected: DayRequests) -> None:
    found = all_days(files)
    assert without_place(found.requests).equals(without_place(expected.requests))
    assert found.duplicates.height == expected.duplicates.height
    check_accounting(len(lines), sum(file.quarantined for file in files), found)


def _session(session: str, parent: str | None, at: str, totals: list[int]) -> list[dict[str, Any]]:
    def count(total: int) -> dict[str, Any]:
        usage = {"input_tokens": total, "output_tokens": total // 10, "total_tokens": total + total // 10}
        return {
            "timestamp": at,
            "type": "event_msg",
            "payload": {"type": "token_count", "info": {"total_token_usage": usage}},
        }

    fork = {"forked_from_id": parent} if parent else {}
    meta = {"timestamp": at, "type": "session_meta", "payload": {"id": session, **fork}}
    model = {"timestamp": at, "type": "turn_context", "payload": {"model": "gpt-5-codex"}}
    return [meta, model, *map(count, totals)]


@pytest.mark.slow
def test_forks_of_forks_in_any_order_of_files_and_arrival_days(tmp_path: Path) -> None:
    chance = random.Random(7)
    sessions = [
        _session("A", None, "2026-02-12T10:00:00Z", [100, 300, 300, 700]),
        _session("B", "A", "2026-02-12T11:00:00Z", [100, 300, 450]),
        _session("C", "A", "2026-02-12T12:00:00Z", [100, 300, 450, 500]),
    ]
    seen = []
    for attempt in range(6):
        files = [
            parse_records(
                tmp_path, "codex", session, name=f"{attempt}-{number}-", arrival=date(2026, 2, 12 + chance.randrange(9))
            )
            for number, session in enumerate(sessions)
        ]
        chance.shuffle(files)
        found = all_days(files)
        seen.append(without_place(found.requests))
        # 100 and 300 once, then A's 400, B's 150 (which C repeats) and C's 50.
        assert sorted(found.requests["input_uncached_tokens"]) == [50, 100, 150, 200, 400]
        assert found.requests.height + found.duplicates.height == sum(file.valid for file in files)
    assert all(requests.equals(seen[0]) for requests in seen)


GROWING: dict[str, list[dict[str, int]]] = {
    "anthropic_messages": [{"output_tokens": count} for count in (1, 30, 90)],
    "claude_code": [{"output_tokens": count} for count in (1, 30, 90)],
    "openai_chat": [{"completion_tokens": count, "total_tokens": 1000 + count} for count in (210, 250, 300)],
    "gemini": [{"candidatesTokenCount": count, "totalTokenCount": 970 + count} for count in (1, 10, 30)],
}


def _with(record: dict[str, Any], counts: dict[str, int]) -> dict[str, Any]:
    """The record with these counts, wherever in it they stand."""
    return {
        key: counts.get(key, _with(value, counts) if isinstance(value, dict) else value)
        for key, value in record.items()
    }


@pytest.mark.parametrize("format_name", GROWING)
@pytest.mark.slow
def test_of_records_of_one_answer_the_last_written_counts(tmp_path: Path, format_name: str) -> None:
    """Neither the largest nor the order of the files in a list: a copy that comes again later changes nothing."""
    sample = next(s for s in SAMPLES if s.format == format_name)
    growing = [json.dumps(_with(sample.record, counts)) for counts in GROWING[format_name]]
    chance = random.Random(1)
    for attempt, lines in enumerate((growing, growing[::-1], [growing[1], growing[2], growing[0]])):
        last = buckets(row(parse_records(tmp_path, format_name, [lines[-1]], name=f"last{attempt}")))
        for cut in range(len(lines) + 1):
            parts = [lines[:cut], lines[cut:], chance.sample(lines, 2)]
            files = [
                parse_records(tmp_path, format_name, part, name=f"{attempt}-{cut}-{n}-", arrival=date(2026, 2, 12 + n))
                for n, part in enumerate(parts)
                if part
            ]
            chance.shuffle(files)
            found = all_days(files)
            assert [buckets(item) for item in found.requests.iter_rows(named=True)] == [last]
            assert found.duplicates.height == 4


def test_a_stream_of_anthropic_cut_into_events_is_one_request(tmp_path: Path) -> None:
    start = {
        "timestamp": AT,
        "type": "message_start",
        "message": {"id": "msg_1", "model": "claude-sonnet-4-5", "usage": {**ANTHROPIC_USAGE, "output_tokens": 1}},
    }
    deltas = [{"type": "message_delta", "usage": {"output_tokens": count}} for count in (10, 90)]
    again = parse_records(tmp_path, "anthropic_messages", [start, *deltas, start, *deltas], name="twice")
    once = parse_records(tmp_path, "anthropic_messages", [start, *deltas], name="once")
    for files in ([again], [once], [once, again], [again, once]):
        found = all_days(files)
        assert found.requests["output_text_tokens"].to_list() == [90]
