"""Whatever a reader or a library raises on one file costs that file: one record names the failure, never its text."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import NoReturn

import polars as pl
import pyarrow as pa
import pytest

from pipelines.bills import parse_bill
from pipelines.config.sources import RequestSource
from pipelines.outside import worded
from pipelines.records.store import is_stored
from tests.unit.bills.reports import OPENAI_COSTS
from tests.unit.requests.helpers import landed, parse, parse_records, the_fault
from tests.unit.requests.samples import SAMPLES, SECRET, Sample

RAISED = [
    ValueError(SECRET),
    pl.exceptions.ComputeError(SECRET),
    pl.exceptions.PanicException(SECRET),
    pa.ArrowInvalid(SECRET),
    json.JSONDecodeError(SECRET, SECRET, 3),
    UnicodeDecodeError("utf-8", SECRET.encode(), 1, 2, SECRET),
    RecursionError(SECRET),
    MemoryError(SECRET),
    OSError(5, SECRET, SECRET),
]


def raising(error: BaseException) -> object:
    def read(*_: object, **__: object) -> NoReturn:
        try:
            raise RuntimeError(SECRET)
        except RuntimeError as cause:
            raise error from cause

    return read


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
def test_an_exception_from_outside_is_named_by_its_class_and_place(error: BaseException) -> None:
    with pytest.raises(type(error)) as raised:
        raising(error)()  # type: ignore[operator]
    stated = worded(raised.value)
    assert type(error).__name__ in stated
    assert SECRET not in stated


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.format)
def test_a_reader_that_fails_costs_its_file_and_shows_no_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample: Sample
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("pipelines.requests.parse._facts", raising(pl.exceptions.PanicException(SECRET)))
        parsed = parse_records(tmp_path, sample.format, [sample.record], **sample.declared)
    fault = the_fault(parsed)
    assert (fault["reason"], fault["severity"], parsed.lines) == ("reader_failed", "error", 1)
    assert "PanicException" in fault["detail"]
    assert "pipelines.records." in fault["detail"]
    for stored in (tmp_path / "store").rglob("*.parquet"):
        assert SECRET.encode() not in stored.read_bytes()
    assert not is_stored(parsed.path)
    again = parse_records(tmp_path, sample.format, [sample.record], **sample.declared)
    assert (again.valid, is_stored(again.path)) == (1, True), "the next run tries again"


@pytest.mark.parametrize("name", ["ENOSPC", "EDQUOT", "EROFS", "EMFILE", "ENFILE", "EFBIG"])
def test_a_machine_without_room_ends_the_step_and_sets_no_file_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """It is no matter of the file: the days would lose it until somebody made room."""
    monkeypatch.setattr("pipelines.requests.parse._facts", raising(OSError(getattr(errno, name), "no space")))
    with pytest.raises(OSError, match="no space"):
        parse_records(tmp_path, SAMPLES[0].format, [SAMPLES[0].record], **SAMPLES[0].declared)
    assert not list((tmp_path / "store").rglob("*.parquet"))


def test_a_bill_on_which_the_reader_fails_is_one_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "costs.json"
    path.write_text(json.dumps(OPENAI_COSTS))
    declared = RequestSource.model_validate({"source": "bill", "format": "openai_costs_api"})
    with monkeypatch.context() as broken:
        broken.setattr("pipelines.bills.parse.to_records", raising(pa.ArrowInvalid(SECRET)))
        parsed = parse_bill(landed(path, "bill"), declared, tmp_path / "store")
    assert the_fault(parsed)["reason"] == "reader_failed"
    assert SECRET not in str(parsed.quarantine.rows())
    assert parse_bill(landed(path, "bill"), declared, tmp_path / "store").valid > 0


@pytest.mark.parametrize("first", [b'a,"b', b'alse,"model":"x"}', b"\x00\x01\xff,", b'"' * 7, b"," * 200_000])
def test_a_first_line_that_is_no_header_never_makes_a_library_raise(tmp_path: Path, first: bytes) -> None:
    sample = next(sample for sample in SAMPLES if sample.format == "litellm_spend_logs")
    path = tmp_path / "cut.jsonl"
    path.write_bytes(first + b"\n" + json.dumps(sample.record).encode() + b"\n")
    parsed = parse(path, sample.format, **sample.declared)
    assert (parsed.valid, parsed.quarantined) == (1, 1)
    assert parsed.quarantine["reason"].to_list() != ["reader_failed"]
