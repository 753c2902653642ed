"""No single line decides how a file is read: odd first lines, arrays over lines, documents one after the other, cut files."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.bills import parse_bill
from pipelines.config.sources import BILL_FORMATS, RequestSource
from pipelines.requests import ParsedFile
from tests.unit.bills.reports import REPORTS
from tests.unit.requests.helpers import landed, parse, rows
from tests.unit.requests.samples import SAMPLES, SECRET, Sample

COUNT = 4
ODD = {
    "banner": b"=== usage log of gateway 3, started 2026-02-12 ===",
    "level in brackets": b"[INFO] 2026-02-12 started",
    "comment": b"# exported by a tool",
    "slashes": b"// exported by a tool",
    "open brace": b"{",
    "open bracket": b"[",
    "closing bracket": b"]",
    "closing brace": b"}",
    "comma": b",",
    "array of texts": b'["a", "b"]',
    "empty array": b"[]",
    "null": b"null",
    "number": b"123",
    "text": b'"started"',
    "first half of an object": b'{"id": "x", "usage": {"prompt_tok',
    "object that waits for a value": b'{"id": "x", "usage":',
    "second half of an object": b'ens": 5, "completion_tokens": 7}}',
    "columns": b"id,model,prompt_tokens,completion_tokens",
    "magic of ORC": b"ORCHESTRATOR 3.1 started",
    "magic of Parquet": b"PAR1 started",
    "magic of bzip2": b"BZh started",
    "not UTF-8": b"caf\xe9 started",
    "NUL": b"\x00\x00\x00",
    "long": b"x" * 100_000,
    "yaml": b"---",
    "markup": b"<html><head></head>",
}
TYPICAL = {
    name: ODD[name]
    for name in ("banner", "open brace", "open bracket", "array of texts", "first half of an object",
                 "second half of an object", "columns", "magic of ORC")
}  # fmt: skip
BLANK = {"empty": b"", "spaces": b"  \t ", "mark": b"\xef\xbb\xbf", "carriage return": b"\r"}


def line_of(sample: Sample) -> bytes:
    return json.dumps(sample.record).encode()


def read(folder: Path, content: bytes, sample: Sample, name: str = "a.jsonl") -> ParsedFile:
    (folder / name).write_bytes(content)
    return parse(folder / name, sample.format, **sample.declared)


KINDS = (
    "openai_chat", "otel_genai", "codex", "tgi", "litellm_spend_logs", "mapping"
)  # fmt: skip
"""Formats of lines, of containers, of text, of lines that need those before them, with an envelope, with declared columns."""
EACH_KIND = pytest.mark.parametrize(
    "sample", [sample for sample in SAMPLES if sample.format in KINDS], ids=lambda sample: sample.format
)


@pytest.fixture(params=SAMPLES, ids=lambda sample: sample.format)
def sample(request: pytest.FixtureRequest) -> Sample:
    found: Sample = request.param
    return found


@pytest.mark.slow
def test_an_odd_first_line_costs_itself(tmp_path: Path, sample: Sample) -> None:
    """How a file is recognised depends on the kind of its format, so one format of each kind meets every odd line."""
    good = b"".join(line_of(sample) + b"\n" for _ in range(COUNT))
    met = {**TYPICAL, **BLANK} if sample.format in KINDS else {"banner": ODD["banner"], "empty": BLANK["empty"]}
    for number, (name, odd) in enumerate(met.items()):
        for pack in (bytes, gzip.compress) if name in ("banner", "magic of ORC") else (bytes,):
            parsed = read(tmp_path, pack(odd + b"\n" + good), sample, f"{number}{pack.__name__}.jsonl")
            assert (parsed.valid, parsed.quarantined) == (COUNT, 0 if name in BLANK else 1), name
            assert parsed.quarantine["line_no"].to_list() == [1] * parsed.quarantined


@pytest.mark.slow
def test_a_thousand_lines_below_an_odd_one(tmp_path: Path) -> None:
    sample = next(sample for sample in SAMPLES if sample.format == "openai_chat")
    good = b"".join(line_of(sample) + b"\n" for _ in range(1000))
    for number, (name, odd) in enumerate(ODD.items()):
        parsed = read(tmp_path, odd + b"\n" + good, sample, f"{number}.jsonl")
        assert (parsed.valid, parsed.quarantined, parsed.lines) == (1000, 1, 1001), name


@EACH_KIND
def test_an_odd_line_in_the_middle_and_at_the_end_costs_itself(tmp_path: Path, sample: Sample) -> None:
    line = line_of(sample) + b"\n"
    for number, (name, odd) in enumerate(TYPICAL.items()):
        parsed = read(tmp_path, line * 3 + odd + b"\n" + line * 3 + odd + b"\n", sample, f"{number}.jsonl")
        assert (parsed.valid, parsed.quarantined) == (6, 2), name


def _shapes(record: Any) -> dict[str, tuple[bytes, int, int]]:
    """Files of one record over and over, in other shapes than one line each: content, valid and quarantined records."""
    line, pretty = json.dumps(record).encode(), json.dumps(record, indent=2).encode()
    items = b",\n".join([line] * 4)
    whole = json.dumps([record] * 4, indent=2).encode()
    broken = line.replace(b": ", b": !!", 1)
    return {
        "pretty document": (pretty, 1, 0),
        "pretty documents": (pretty + b"\n" + pretty + b"\n" + pretty, 3, 0),
        "pretty documents without a line end": (pretty + pretty, 2, 0),
        "pretty and plain": (pretty + b"\n" + line + b"\n" + pretty + b"\n" + line + b"\n" + line, 5, 0),
        "plain and pretty": (line + b"\n" + line + b"\n" + line + b"\n" + pretty, 4, 0),
        "array": (whole, 4, 0),
        "array on one line": (json.dumps([record] * 4).encode(), 4, 0),
        "array of a line each": (b"[\n" + items + b"\n]\n", 4, 0),
        "array with commas in front": (b"[ " + items.replace(b",\n", b"\n, ") + b"\n]\n", 4, 0),
        "array that begins with its item": (b"[" + items + b"]", 4, 0),
        "array of one": (b"[\n" + line + b"\n]", 1, 0),
        "arrays one after the other": (whole + b"\n" + whole, 8, 0),
        "an array on each line": (json.dumps([record] * 2).encode() + b"\n" + json.dumps([record]).encode(), 3, 0),
        "array, then lines": (whole + b"\n" + line + b"\n" + line + b"\n" + line, 7, 0),
        "lines, then array": (line + b"\n" + line + b"\n" + whole, 6, 0),
        "banner and array": (b"started\n" + whole, 4, 1),
        "banner and document": (b"started\n" + pretty, 1, 1),
        "brace and document": (b"{\n" + pretty, 1, 1),
        "array and junk": (whole + b"\nfinished\n", 4, 1),
        "array and junk on its line": (whole + b" finished\n", 4, 1),
        "document and junk": (pretty + b"\nfinished", 1, 1),
        "first item broken": (b"[\n" + broken + b",\n" + items + b"\n]", 4, 1),
        "first item of one line broken": (b"[" + broken + b", " + items.replace(b"\n", b" ") + b"]", 4, 1),
        "first item cut": (b"[\n" + line[:-9] + b"\n" + items + b"\n]", 4, 1),
        "middle item broken": (b"[\n" + items + b",\n" + broken + b",\n" + items + b"\n]", 8, 1),
        "last item broken": (b"[\n" + items + b",\n" + broken + b"\n]", 4, 1),
        "last item cut": (b"[\n" + items + b",\n" + line[:-9], 4, 1),
        "pretty array cut": (whole[: whole.rindex(b"\n  }") - 5], 3, 1),
        "array without its end": (b"[\n" + items, 4, 1),
        "array without its beginning": (items + b"\n]", 4, 1),
        "array of one line without its beginning": (line[len(line) // 2 :] + b", " + items.replace(b"\n", b"") + b"]", 4, 1),
        "lines below an open bracket": (b"[\n" + items.replace(b",\n", b"\n"), 4, 1),
        "lines below an open bracket and an item": (b"[" + line + b",\n" + items.replace(b",\n", b"\n"), 5, 1),
        "mark and array": (b"\xef\xbb\xbf" + whole, 4, 0),
        "indented lines": (b"  " + line + b"\n\t" + line + b"\n", 2, 0),
        "spaces behind lines": (line + b"  \n" + line + b"\t\n", 2, 0),
    }  # fmt: skip


@EACH_KIND
@pytest.mark.slow
def test_every_shape_of_json_is_read(tmp_path: Path, sample: Sample) -> None:
    for number, (name, (content, valid, set_aside)) in enumerate(_shapes(sample.record).items()):
        parsed = read(tmp_path, content, sample, f"{number}.json")
        reasons = parsed.quarantine["reason", "detail", "line_no"].rows()
        assert (parsed.valid, parsed.quarantined) == (valid, set_aside), (name, reasons)
        _places_are_right(parsed, content)


def _places_are_right(parsed: ParsedFile, content: bytes) -> None:
    """What is set aside stands where it says: its first byte is on its line."""
    mark = 3 if content.startswith(b"\xef\xbb\xbf") else 0
    for line_no, start, end in parsed.quarantine.select("line_no", "byte_from", "byte_to").iter_rows():
        assert content[mark:start].count(b"\n") + 1 == line_no
        assert start <= end <= len(content)
    assert SECRET not in str(parsed.quarantine["detail"].to_list())


@pytest.mark.parametrize("format_name", BILL_FORMATS)
@pytest.mark.slow
def test_every_shape_of_a_bill_is_read(tmp_path: Path, format_name: str) -> None:
    page = REPORTS[format_name]
    declared = RequestSource.model_validate({"source": "bill", "format": format_name})

    def valid_and_aside(content: bytes, name: str) -> tuple[int, int]:
        (tmp_path / name).write_bytes(content)
        parsed = parse_bill(landed(tmp_path / name, "bill"), declared, tmp_path / "store")
        assert parsed.lines == parsed.valid + parsed.quarantined
        return parsed.valid, parsed.quarantined

    one, aside = valid_and_aside(json.dumps(page).encode(), "one.json")
    assert one
    pretty = json.dumps(page, indent=1).encode()
    for number, odd in enumerate(TYPICAL.values()):
        assert valid_and_aside(odd + b"\n" + pretty, f"{number}.json") == (one, aside + 1)
    joined = pretty + b"\nfinished\n" + pretty
    assert valid_and_aside(joined, "joined.json") == (2 * one, 2 * aside + 1)


def test_the_pieces_of_a_document_are_one_record(tmp_path: Path) -> None:
    sample = next(sample for sample in SAMPLES if sample.format == "openai_chat")
    pretty = json.dumps({**sample.record, "choices": None}, indent=2).encode()
    line = line_of(sample)
    tail = pretty[pretty.index(b'"usage"') :]
    assert (read(tmp_path, tail + b"\n" + line, sample, "a.jsonl").valid) == 1
    parsed = read(tmp_path, tail + b"\n" + (line + b"\n") * 3, sample, "b.jsonl")
    assert (parsed.valid, parsed.quarantined) == (3, 1)
    parsed = read(tmp_path, pretty[:-20], sample, "c.jsonl")
    assert (parsed.valid, parsed.quarantined) == (0, 1)
    assert parsed.quarantine.row(0, named=True)["byte_to"] == len(pretty) - 20


TABLE = "id,at,model,in,out\n" + "".join(f"r{n},2026-02-13 10:00:0{n},gpt-5,{n},1\n" for n in range(5))
MAPPED = {"columns": {"event_at": "at", "input": "in", "output": "out", "source_request_id": "id", "model": "model"}}
ABOVE = {name: odd for name, odd in ODD.items() if name not in ("columns", "text")}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("file_name", ["a.csv", "a.txt"])
@pytest.mark.slow
def test_a_table_is_found_below_other_lines(tmp_path: Path, delimiter: str, file_name: str) -> None:
    table = TABLE.replace(",", delimiter).encode()
    for number, (name, odd) in enumerate({**ABOVE, "separator": b"sep=" + delimiter.encode(), **BLANK}.items()):
        path = tmp_path / f"{number}{file_name}"
        path.write_bytes(odd + b"\n" + table)
        parsed = parse(path, "mapping", options=MAPPED)
        assert (parsed.valid, parsed.quarantined) == (5, 0 if name in BLANK else 1), name
        assert rows(parsed)["input_uncached_tokens"].to_list() == [0, 1, 2, 3, 4]
        assert rows(parsed)["line_no"].to_list() == [3, 4, 5, 6, 7]


def test_a_banner_that_names_a_column_is_no_header(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("model,report of February\n\nUnits: tokens\n" + TABLE)
    parsed = parse(tmp_path / "a.csv", "mapping", options=MAPPED)
    assert (parsed.valid, parsed.quarantined, parsed.quarantine["severity"].unique().to_list()) == (5, 2, ["info"])


def test_records_above_the_header_are_errors(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("r9,2026-02-13 10:00:00,gpt-5,1,1\n" + TABLE)
    parsed = parse(tmp_path / "a.csv", "mapping", options=MAPPED)
    assert parsed.quarantine.select("line_no", "reason", "severity").rows() == [(1, "above_header", "error")]
    assert parsed.valid == 5


def test_tables_one_after_the_other_each_have_their_header(tmp_path: Path) -> None:
    """The second names its columns in another order: read by the first header, input would be output."""
    other = "out,in,id,at,model\n" + "".join(f"{n},7,s{n},2026-02-13 11:00:00,gpt-5\n" for n in range(3))
    (tmp_path / "a.csv").write_text(TABLE + TABLE.replace("r", "q") + other)
    parsed = parse(tmp_path / "a.csv", "mapping", options=MAPPED)
    assert (parsed.valid, parsed.quarantined) == (13, 0)
    last = rows(parsed).filter(rows(parsed)["source_request_id"].str.starts_with("s"))
    assert last["input_uncached_tokens"].to_list() == [7, 7, 7]
    assert last["output_text_tokens"].to_list() == [0, 1, 2]


def test_a_table_without_a_known_header_loses_no_line(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("".join(TABLE.splitlines(keepends=True)[1:]))
    parsed = parse(tmp_path / "a.csv", "mapping", options=MAPPED)
    assert (parsed.valid, parsed.quarantined) == (0, 5)


def test_a_header_below_blank_lines_and_without_a_line_end(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("\n\n\n" + TABLE.splitlines()[0])
    parsed = parse(tmp_path / "a.csv", "mapping", options=MAPPED)
    assert (parsed.lines, parsed.valid, parsed.quarantined) == (0, 0, 0)


def test_containers_lines_below_a_banner(tmp_path: Path) -> None:
    sample = next(sample for sample in SAMPLES if sample.format == "openai_chat")
    wrapped = b"".join(b"2026-02-12T10:00:00.1Z stdout F " + line_of(sample) + b"\n" for _ in range(5))
    parsed = read(tmp_path, b"started\n" + wrapped, sample)
    assert (parsed.valid, parsed.quarantined) == (5, 1)
