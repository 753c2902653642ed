"""Another writer of the same records changes nothing, and what is cut is set aside: every format under changes that keep or lose meaning.

Each change is a function from records to the bytes of a file. What is right is known from the records in plain lines: the same requests with
the same tokens, cost, model and instant; of a file that was cut no request that was not there, and an error for each that is missing. A run
tries two formats for each change; `EVERY=1` in the environment tries all of them.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import random
import re
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.unit.requests.helpers import landed_bytes, rows
from tests.unit.requests.samples import SAMPLES, Sample

Record = dict[str, Any]
_IDS = re.compile(r"(?:\w*_?id|requestId|responseId|traceId|spanId|CorrelationId|RequestId)")
_PLACE = {"snapshot_id", "line_no", "item_no", "revision"}
_NO_TABLES = {"otel_genai", "codex", "claude_code", "gemini_cli"}
"""Formats that no tool exports as a table of their records: spans have columns of their own, with tests of their own."""


def _another(value: Any, number: int, key: str = "") -> Any:
    """A record like `value` of another call: other ids, a minute later for each number."""
    match value:
        case dict() if value.get("key") == "gen_ai.response.id":
            return {"key": value["key"], "value": {"stringValue": f"msg_{number}"}}
        case dict():
            return {name: _another(item, number, name) for name, item in value.items()}
        case list():
            return [_another(item, number, key) for item in value]
        case str() if _IDS.fullmatch(key):
            return f"{value[:-1]}{number:x}" if len(value) >= 16 else f"{value}-abcdefghijk{number}"
        case str() if key.endswith("UnixNano"):
            return str(int(value) + 60 * 10**9 * number)
        case str():
            return value.replace("10:20:3", f"10:2{number}:3")
        case int() | float() if key in ("created", "created_at", "startTime", "endTime", "completionStartTime"):
            return value + 60 * number
    return value


def _each(records: list[Record], change: Callable[[Any], Any]) -> list[Record]:
    """The records with each scalar changed."""

    def of(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: of(item) for name, item in value.items()}
        return [of(item) for item in value] if isinstance(value, list) else change(value)

    return [of(record) for record in records]


def _lines(records: list[Record], **how: Any) -> bytes:
    return "".join(f"{json.dumps(record, **how)}\n" for record in records).encode()


def _turned(value: Any) -> Any:
    """Objects with their keys in another order and with fields that nobody knows."""
    if isinstance(value, dict):
        return {"x_later": {"a": [1, None]}} | {name: _turned(item) for name, item in reversed(value.items())}
    return [_turned(item) for item in value] if isinstance(value, list) else value


def _zip(records: list[Record]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, record in enumerate(records):
            archive.writestr(f"{number}.json", json.dumps(record, indent=1))
    return out.getvalue()


def _tar(records: list[Record]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for number, record in enumerate(records):
            member = tarfile.TarInfo(f"logs/{number}.json")
            content = json.dumps(record).encode()
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict | list | bool) else value


def _table(records: list[Record], delimiter: str = ",", name: Callable[[str], str] = str) -> bytes:
    columns = dict.fromkeys(key for record in records for key in record)
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerows([map(name, columns), *([_cell(record.get(key)) for key in columns] for record in records)])
    return out.getvalue().encode()


def _flat(record: Record, before: str = "") -> Record:
    """A record with a field for each value in its objects, as `usage.total`."""
    found: Record = {}
    for name, value in record.items():
        found |= _flat(value, f"{before}{name}.") if isinstance(value, dict) and value else {f"{before}{name}": value}
    return found


def _parquet(records: list[Record]) -> bytes:
    out = io.BytesIO()
    pl.DataFrame(
        [{key: _cell(value) for key, value in record.items()} for record in records], strict=False
    ).write_parquet(out)
    return out.getvalue()


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


KEPT: dict[str, Callable[[list[Record]], bytes]] = {
    "an array": lambda r: json.dumps(r).encode(),
    "a printed array": lambda r: json.dumps(r, indent=2).encode(),
    "printed objects": lambda r: "\n".join(json.dumps(record, indent="\t") for record in r).encode(),
    "objects without line ends": lambda r: _lines(r).replace(b"\n", b""),
    "lines with commas in brackets": lambda r: ("[\n" + ",\n".join(map(json.dumps, r)) + "\n]").encode(),
    "two exports": lambda r: json.dumps(r[:1]).encode() + b"\n" + _lines(r[1:]),
    "the same file twice": lambda r: _lines(r) + _lines(r),
    "marks and line ends of Windows": lambda r: b"\xef\xbb\xbf" + _lines(r).replace(b"\n", b"\r\n"),
    "UTF-16": lambda r: _lines(r).decode().encode("utf-16"),
    "blank lines, no end": lambda r: b"\n\n" + _lines(r).replace(b"\n", b"\n\n").rstrip(),
    "gzip, member by member": lambda r: b"".join(gzip.compress(_lines([record])) for record in r),
    "a file for each in ZIP": _zip,
    "a file for each in tar.gz": _tar,
    "other keys, other order": lambda r: _lines([_turned(record) for record in r]),
    "compact": lambda r: _lines(r, separators=(",", ":")),
    "numbers as text": lambda r: _lines(_each(r, _text)),
    "numbers with a point": lambda r: _lines(_each(r, lambda v: float(v) if type(v) is int and v < 10**6 else v)),
    "a page": lambda r: json.dumps({"object": "list", "items": r, "has_more": False}).encode(),
    "messages of a queue": lambda r: _lines([{"offset": 1, "payload": json.dumps(record)} for record in r]),
    "lines that a log service exports": lambda r: _table([{"@timestamp": "2026-02-12 11:00:00", "@message": json.dumps(record)} for record in r]),
    "an instant before each": lambda r: b"".join(b"2026-02-12 10:20:31 INFO " + _lines([record]) for record in r),
    "of a container": lambda r: _lines([{"log": json.dumps(record) + "\n", "stream": "stdout", "time": "2026-02-12T11:00:00Z"} for record in r]),
}  # fmt: skip
OF_TABLES: dict[str, Callable[[list[Record]], bytes]] = {
    "CSV": _table,
    "semicolons": lambda r: _table(r, ";"),
    "names in capitals": lambda r: _table(r, name=str.upper),
    "names in small letters, tabs": lambda r: _table(r, "\t", str.lower),
    "Parquet": _parquet,
    "a column for each field": lambda r: _table([_flat(record) for record in r]),
}
LOST: dict[str, Callable[[list[Record]], bytes]] = {
    "the last line cut": lambda r: _lines(r)[:-20],
    "an array cut": lambda r: json.dumps(r, indent=1).encode()[:-30],
    "a page cut": lambda r: json.dumps({"items": r}).encode()[:-30],
    "gzip cut": lambda r: gzip.compress(_lines(r))[:-12],
    "printed by Python": lambda r: "".join(f"{record!r}\n" for record in r).encode(),
    "a table behind a line of JSON": lambda r: _lines(r[:1]) + _table(r[1:]),
    "a line in another": lambda r: _lines(r)[:40] + _lines(r),
}
_ALWAYS = (
    ("codex", "numbers with a point"),
    ("bedrock_converse", "numbers with a point"),
    ("bedrock_converse", "Parquet"),
    ("gemini", "CSV"),
    ("gemini", "a column for each field"),
    ("bedrock_converse", "a column for each field"),
)
"""Pairs in which a format's own reader takes part."""
_SESSIONS = {"claude_code", "codex", "gemini_cli"}
_WRAPPED = {"lines that a log service exports", "a page", "messages of a queue", "a page cut"}


def _pairs() -> list[Any]:
    """Pairs of format and change: two formats for each change, drawn from one seed, or all where every one is asked for."""
    draw, drawn = random.Random(7), []
    for change in (*KEPT, *OF_TABLES, *LOST):
        fit = [item for item in SAMPLES if _fits(item.format, change)]
        drawn += [(item, change) for item in (fit if os.environ.get("EVERY") else draw.sample(fit, 2))]
    if not os.environ.get("EVERY"):
        drawn += [
            (item, change)
            for name, change in _ALWAYS
            for item in SAMPLES
            if item.format == name and (item, change) not in drawn
        ]
    return [pytest.param(*pair, id=f"{pair[0].format}, {pair[1]}") for pair in drawn]


def _fits(name: str, change: str) -> bool:
    """Whether a change leaves the format's records what they are, or can be made at all."""
    if change in OF_TABLES:
        return name not in _NO_TABLES and not (name == "mapping" and change.startswith("names in"))
    if change == "a table behind a line of JSON":
        return name not in _NO_TABLES
    if change in _WRAPPED:
        return name not in _SESSIONS and not (name == "mapping" and change.startswith("lines that"))
    return name != "codex" or change != "the same file twice"


@cache
def _plain(name: str) -> tuple[list[Record], set[str]]:
    """Three records of a format, and what their requests say."""
    item = next(item for item in SAMPLES if item.format == name)
    records = [_another(item.record, number) for number in range(3)]
    with tempfile.TemporaryDirectory() as folder:
        said, errors = _of(Path(folder, "plain"), _lines(records), item)
    assert (len(said), errors) == (3, 0)
    return records, said


def _of(folder: Path, content: bytes, item: Sample) -> tuple[set[str], int]:
    """What the requests of a file say, their identity with it, and how many errors the file has."""
    folder.mkdir()
    parsed = landed_bytes(folder, content, item.format, "a.log", **item.declared)
    facts = rows(parsed).drop(_PLACE).rows(named=True)
    return {json.dumps(found, default=str) for found in facts}, parsed.quarantine.filter(severity="error").height


@pytest.mark.parametrize(("item", "change"), _pairs())
def test_what_a_file_means_does_not_hang_on_how_it_is_written(tmp_path: Path, item: Sample, change: str) -> None:
    records, plain = _plain(item.format)
    said, errors = _of(tmp_path / "other", (KEPT | OF_TABLES | LOST)[change](records), item)
    if change in LOST:
        assert said <= plain, "a request that was not there"
        assert errors or said == plain, "a request is missing without an error"
    else:
        assert (said, errors) == (plain, 0)
