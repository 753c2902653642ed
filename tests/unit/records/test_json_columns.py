"""The reading by blocks (`json_columns.py`) says what the reading by texts says, of every line that it takes.

Each test parses one file twice, with and without it, and compares rows and quarantine.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from polars.testing import assert_frame_equal

from pipelines.records import json_columns, line_reader
from pipelines.records.json_columns import ColumnReader, TypedLines
from pipelines.records.line_chunks import Chunk
from pipelines.requests.formats import build_format
from tests.unit.requests.helpers import parse, rows, source_of
from tests.unit.requests.samples import SAMPLES, Sample
from tests.unit.requests.test_fuzz import damaged

Both = Callable[..., float]


def _is_tried(sample: Sample) -> bool:
    log_format = build_format(source_of(sample.format, **sample.declared))
    return log_format.items is None or bool(log_format.marks)


OPENED = [sample for sample in SAMPLES if _is_tried(sample)]


@pytest.fixture
def both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Both:
    """Parses lines both ways and holds the results equal; the share of the lines that the quick reading took."""

    def compare(lines: list[bytes], format_name: str, **declared: Any) -> float:
        found: list[float] = []
        read = ColumnReader.read

        def watched(reader: ColumnReader, chunk: Chunk) -> TypedLines | None:
            quick = read(reader, chunk)
            found.append(0 if quick is None else quick.rows.height / len(chunk.ends))
            return quick

        results = []
        for name, way in (("quick", watched), ("texts", lambda *_: None)):
            folder = tmp_path / f"{name}{len(list(tmp_path.iterdir()))}"
            folder.mkdir()
            (folder / "a.jsonl").write_bytes(b"\n".join(lines) + b"\n")
            with monkeypatch.context() as patch:
                patch.setattr(ColumnReader, "read", way)
                # The reference reading of every text: the reading of blocks words some faults in other digits.
                patch.setattr(line_reader, "_FEW_LINES", len(lines) + 1)
                results.append(parse(folder / "a.jsonl", format_name, **declared))
        quick, texts = results
        assert_frame_equal(rows(quick), rows(texts))
        order = ["line_no", "item_no", "reason"]
        assert_frame_equal(quick.quarantine.sort(order), texts.quarantine.sort(order))
        # A last line that is cut is looked at once more, when it is known that nothing follows it.
        assert 1 <= len(found) <= 2
        return found[0]

    return compare


def spend(number: int, **changes: Any) -> dict[str, Any]:
    usage = {
        "prompt_tokens_details": {"cached_tokens": number % 7},
        "completion_tokens_details": {"reasoning_tokens": 1},
    }
    return {
        "request_id": f"r{number}",
        "startTime": f"2026-02-12T10:{number % 60:02}:00.{number % 1000:03}Z",
        "endTime": f"2026-02-12T11:{number % 60:02}:00Z",
        "model": "gpt-4o",
        "custom_llm_provider": "openai",
        "spend": 0.001 * number,
        "prompt_tokens": 10 + number,
        "completion_tokens": 5,
        "total_tokens": 15 + number,
        "metadata": {"usage_object": usage, "ignored": {"deep": [1, {"null": None}]}},
    } | changes


def dumped(*records: dict[str, Any]) -> list[bytes]:
    return [json.dumps(record).encode() for record in records]


@pytest.mark.parametrize("sample", OPENED, ids=lambda sample: sample.id)
def test_damaged_lines_among_whole_ones(sample: Sample, both: Both) -> None:
    chance = random.Random(20260214)
    whole = json.dumps(sample.record).encode()
    lines = [damaged(whole, chance) if chance.random() < 0.2 else whole for _ in range(500)]
    both(lines, sample.format, **sample.declared)


def test_most_lines_of_a_real_looking_log_are_taken(both: Both) -> None:
    assert both(dumped(*(spend(number) for number in range(500))), "litellm_spend_logs") == 1
    broken = [
        line[: len(line) // 2] if number % 50 == 0 else line
        for number, line in enumerate(dumped(*map(spend, range(500))))
    ]
    assert both(broken, "litellm_spend_logs") == 490 / 500


ODD = (
    b'{"request_id": "x"} null {}',  # ends the process where it reaches Arrow
    b'{"request_id": "x"}null{"a": 1}',
    b'{"request_id": "x"} {"request_id": "y"}',
    b'{"a": {"b": [{}',
    b'{"a": 1}]}}',
    b'{"a": {"b": 1}',
    b'{"a": {"b": {}}',
    b'{"ignored": NaN}',
    b'{"ignored": [1, -Infinity]}',
    b'{"text": "} null NaN: Inf"}',
    b'{"request_id": "\\u0000"}',
    b'{"request_id": "\\ud800"}',
    b'{"request_id": "\\ud83d\\ude00"}',
    b'{"request_id": "a", "request_id": "b"}',
    b'{"request_id": "' + b"x" * 5000 + b'"}',
    b'{"request_id": 7}',
    b'{"request_id": true}',
    b'{"request_id": ""}',
    b'{"request_id": {}}',
    b'{"request_id": "\xff"}',
    b'{"model": null}',
    b'{"spend": 1e30}',
    b'{"spend": 999999999999999999999}',
    b'{"spend": 1e-19}',
    b'{"spend": 0.1234567890123456789}',
    b'{"spend": ".5"}',
    b'{"spend": "1."}',
    b'{"spend": ""}',
    b'{"prompt_tokens": 1e3}',
    b'{"prompt_tokens": 10.0}',
    b'{"prompt_tokens": -0}',
    b'{"prompt_tokens": 99999999999999999999}',
    b'{"prompt_tokens": "12"}',
    b'{"startTime": "2026-02-12T10"}',
    b'{"startTime": "2026-02-12"}',
    b'{"startTime": "2026-02-12 10:11+02:00"}',
    b'{"startTime": "2026-02-12T23:59:60Z"}',
    b'{"startTime": "2026-02-12T10:00:00.123456789Z"}',
    b'{"startTime": 1770891630}',
    b'{"startTime": 1770891630.5}',
    b'{"startTime": ""}',
    b'{"metadata": "{\\"usage_object\\": {}}"}',
    b'{"metadata": null}',
    b'{"metadata": []}',
    b'{"request_tags": ["a", "b"]}',
    b'{"request_tags": "[\\"a\\"]"}',
    b'{"end_user": "someone"}',
    b'{"deep": ' + b"[" * 1200 + b"]" * 1200 + b"}",
    b"null",
    b"[]",
    b"{}",
    b"",
    b"   ",
    b'  {"request_id": "indented"}',
)


def merged(number: int, odd: bytes) -> bytes:
    """The odd fields in a line that is whole otherwise; as it stands where it is no object that can be merged."""
    line = json.dumps(spend(number)).encode()
    if not odd.startswith(b'{"') or not odd.endswith(b"}"):
        return odd
    return odd[:-1] + b"," + line[1:]


def narrow(number: int, **changes: Any) -> dict[str, Any]:
    """As `spend`, without a field that is not read: such a log is read as if no line had one."""
    record = spend(number, **changes)
    record["metadata"] = {key: value for key, value in record["metadata"].items() if key != "ignored"}
    return record


@pytest.mark.parametrize("record", [spend, narrow])
@pytest.mark.parametrize("alone", [True, False], ids=["alone", "first of equal keys"])
@pytest.mark.slow
def test_odd_lines(alone: bool, record: Callable[[int], dict[str, Any]], both: Both) -> None:
    lines = dumped(*map(record, range(6000)))
    for number, odd in enumerate(ODD):
        lines[20 + 100 * number] = odd if alone else merged(number, odd)
    assert both(lines, "litellm_spend_logs") > 0.8


@pytest.mark.parametrize(
    "odd", [odd for odd in ODD if odd.startswith(b"{")], ids=lambda odd: odd[:40].decode("latin-1")
)
def test_an_odd_line_that_is_learnt_from(odd: bytes, both: Both) -> None:
    """The first lines of a file decide how its fields are read: an odd one among them must not change the others."""
    replaced = (
        odd[:-1]
        + b","
        + json.dumps({key: value for key, value in spend(1).items() if f'"{key}"'.encode() not in odd}).encode()[1:]
    )
    both([replaced, *dumped(*map(spend, range(100)))], "litellm_spend_logs")


def test_numbers_that_would_wrap_around_are_set_aside(both: Both) -> None:
    """Arrow makes 18960114910927365649.47 of 1e30 where a type of 38 digits is asked for."""
    lines = dumped(*map(spend, range(400)))
    for number, written in enumerate((b"1e30", b"1e38", b"1e59", b"3402823669209384634634", b"-1e45")):
        lines[number + 300] = lines[number].replace(b'"spend": ', b'"spend": ' + written + b', "was": ')
    assert both(lines, "litellm_spend_logs") < 1


def test_a_field_that_first_comes_late_is_read(both: Both) -> None:
    records = [spend(number) | ({"end_user": "someone"} if number > 700 else {}) for number in range(1000)]
    assert both(dumped(*records), "litellm_spend_logs") == 1


@pytest.mark.parametrize("late", [{"end_user": "someone"}, {"not_read": {"a": 1}}, {"cache_hit": None}, {"proxy": "x"}])
@pytest.mark.parametrize("seldom", [True, False])
@pytest.mark.slow
def test_a_field_that_first_comes_late_in_a_log_without_others(
    late: dict[str, Any], seldom: bool, both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is read must be read and one that is not must do no harm, in a few blocks or in all that follow."""
    monkeypatch.setattr(json_columns, "_BLOCK_BYTES", 2**17)
    records = [
        narrow(number) | (late if number > 700 and (number % 125 == 0 or not seldom) else {}) for number in range(5000)
    ]
    assert both(dumped(*records), "litellm_spend_logs") == 1


def test_a_block_that_is_not_utf8_is_looked_through_for_everything_else(both: Both) -> None:
    """Arrow takes NaN for a number, and a null after an object for a record: also next to a line of another encoding."""
    lines = dumped(*map(spend, range(300)))
    lines[150] = b'{"request_id": "\xff"}'
    lines[170] = b'{"request_id": "x"} null {}'
    lines[250], lines[251] = merged(250, b'{"ignored": NaN}'), merged(251, b'{"ignored": "\\u0000"}')
    both(lines, "litellm_spend_logs")


def test_times_as_numbers(both: Both) -> None:
    for start, end in (
        (1770891630, 1770891631),
        (1770891630123, 1770891631123),
        (1770891630123456789, 1770891631123456789),
    ):
        lines = dumped(*(spend(number, startTime=start + number, endTime=end + number) for number in range(100)))
        assert both(lines, "litellm_spend_logs") == 1
