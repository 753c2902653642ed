"""Damaged lines of every format: no crash, no line lost, every quarantined byte range is the line it names, no text shown.

A run of `make test` takes CASES per format; MODELMETER_FUZZ_CASES=100000 asks for more, in files of FILE_CASES each.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.bills import bitemporal, parse_bill
from pipelines.config.sources import BILL_FORMATS, RequestSource
from pipelines.requests import ParsedFile
from tests.unit.bills.reports import REPORTS
from tests.unit.requests.helpers import all_days, landed, parse, rows
from tests.unit.requests.samples import SAMPLES, SECRET, Sample

CASES = int(os.environ.get("MODELMETER_FUZZ_CASES", "600"))
FILE_CASES = 5000
WHITE = "".join(chr(n) for n in range(0x3001) if chr(n).isspace() and n not in range(0x1C, 0x20))
INSERTS = (
    b'"',
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\\",
    b"\n",
    b"\x00",
    b"\\u0000",
    b"\\ud800",
    b"null",
    b"-",
    b"1e999",
    b"\xff",
    b"NaN",
    b"}{",
    b'}{"a":1}',
)
VALUES = (b"-5", b"0", b"1.5", b'"x"', b"[]", b"{}", b"null", b"true", b"1e5", b"123456789012", b"9" * 30, b'""')


def damaged(line: bytes, chance: random.Random) -> bytes:
    """The line with one to five things done to it: bytes changed, cut, repeated, inserted, joined, counts replaced."""
    data = bytearray(line)
    if chance.randrange(50) == 0:
        data += line
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        start = chance.randrange(len(data) or 1)
        end = start + chance.randrange(1, 30)
        match chance.randrange(7):
            case 0:
                data[start : start + 1] = bytes([chance.randrange(256)])
            case 1:
                del data[start:end]
            case 2:
                data[start:start] = data[start:end]
            case 3:
                data[start:start] = chance.choice(INSERTS)
            case 4:
                del data[start:]
            case 5:
                data += line[: chance.randrange(40)]
            case _:
                numbers = list(re.finditer(rb"\d+", bytes(data)))
                if numbers:
                    number = chance.choice(numbers)
                    data[number.start() : number.end()] = chance.choice(VALUES)
    return bytes(data)


def is_blank(line: bytes) -> bool:
    """Only Unicode's white space, which Python's own `strip` exceeds by four control characters."""
    try:
        return not line.decode().strip(WHITE)
    except UnicodeDecodeError:
        return False


def goes_on(text: bytes, until: int) -> bool:
    """Whether the values with which a text begins go on up to the byte `until`, as they do in a document of several lines."""
    held = text.decode(errors="surrogateescape")
    at = 0
    while at < len(held) and len(held[:at].encode(errors="surrogateescape")) < until:
        try:
            _, at = json.JSONDecoder(strict=False).raw_decode(held, at)
        except json.JSONDecodeError:
            return not held[at:].strip()
        at += len(held[at:]) - len(held[at:].lstrip(" \t\r\n,"))
    return True


def check(parsed: ParsedFile, content: bytes, *, breaks_whole: bool = False) -> None:
    """Every line that is not blank is a row or is set aside, under its own number, bytes and hash, or goes on with the value
    of a line before it. With `breaks_whole` a line may also lie within the bytes of a broken value that was set aside whole."""
    lines = content.split(b"\n")
    expected = {number for number, line in enumerate(lines, start=1) if not is_blank(line)}
    found = {*rows(parsed)["line_no"], *parsed.quarantine["line_no"]}
    assert found <= expected
    broken = parsed.quarantine.filter(reason="not_json").select("byte_from", "byte_to").rows() if breaks_whole else []
    for number in sorted(expected - found):
        at = len(b"\n".join(lines[: number - 1])) + 1
        if any(start < at and at + len(lines[number - 1]) <= end for start, end in broken):
            continue
        first = max(line for line in found if line < number)
        assert goes_on(b"\n".join(lines[first - 1 :]), len(b"\n".join(lines[first - 1 : number]))), number
    for start, end, digest in parsed.quarantine.select("byte_from", "byte_to", "record_sha256").iter_rows():
        assert hashlib.sha256(content[start:end].rstrip(b"\r\n")).hexdigest() == digest
    assert SECRET not in "".join(parsed.quarantine["detail"])
    for fields in parsed.quarantine["fields"].drop_nulls():
        # What damage turned into an identifier is kept as one, up to the length of an identifier.
        assert not [value for value in json.loads(fields).values() if SECRET in value and len(value) > 200]


def files(whole: bytes, chance: random.Random) -> Iterator[bytes]:
    """Files of damaged lines, CASES in all, each of which begins with the whole line."""
    for first in range(0, CASES, FILE_CASES):
        cases = min(FILE_CASES, CASES - first)
        yield b"\n".join([whole, *(damaged(whole, chance) for _ in range(cases))]) + b"\n"


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.format)
def test_damaged_lines_are_rows_or_set_aside(tmp_path: Path, sample: Sample) -> None:
    chance = random.Random(sample.format)
    for number, content in enumerate(files(json.dumps(sample.record).encode(), chance)):
        path = tmp_path / f"{number}.jsonl"
        path.write_bytes(content)
        parsed = parse(path, sample.format, **sample.declared)
        check(parsed, content)
        assert 1 <= parsed.valid < parsed.lines
        found = all_days([parsed])
        assert found.requests.height + found.duplicates.height == parsed.valid


@pytest.mark.parametrize("format_name", BILL_FORMATS)
def test_damaged_reports_are_rows_or_set_aside(tmp_path: Path, format_name: str) -> None:
    chance = random.Random(format_name)
    page = REPORTS[format_name]
    line = json.dumps({**page, "data": page["data"][:1]}).encode()
    for number, content in enumerate(files(line, chance)):
        path = tmp_path / f"{number}.jsonl"
        path.write_bytes(content)
        declared = RequestSource.model_validate({"source": "bill", "format": format_name})
        parsed = parse_bill(landed(path, "bill"), declared, tmp_path / "store")
        assert parsed.lines == parsed.valid + parsed.quarantined
        check(parsed, content, breaks_whole=format_name == "focus")
        assert 1 <= parsed.valid < parsed.lines
        ledger = bitemporal(rows(parsed))
        assert ledger.rows.height + ledger.duplicates.height == parsed.valid
