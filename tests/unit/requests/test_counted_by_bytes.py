"""The lines of a file are counted where its bytes come in: a reader that loses some can't hide it."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import zstandard

from pipelines.daily import ingest_requests
from pipelines.quality import lines_accounted
from pipelines.records import csv_tables, line_chunks, line_reader, reader
from pipelines.records.json_columns import ColumnReader, TypedLines
from pipelines.records.json_texts import JsonDecoder
from pipelines.records.line_chunks import Chunk, chunks, is_blank
from pipelines.records.table_reader import TableReader
from pipelines.records.tally import Tally
from pipelines.requests import ParsedFile, parse_file
from pipelines.settings import Settings
from pipelines.workspace import open_workspace
from tests.unit.requests.helpers import landed, source_of

FORMAT = "litellm_spend_logs"


def record(number: int) -> dict[str, Any]:
    return {"request_id": f"r{number}", "startTime": "2026-02-12 10:00:00", "model": "gpt-4o", "prompt_tokens": 10,
            "completion_tokens": 5, "spend": 0.001}  # fmt: skip


def lines(count: int) -> bytes:
    return b"".join(json.dumps(record(number)).encode() + b"\n" for number in range(count))


def read(path: Path) -> ParsedFile:
    """As it was stored: `lines` may differ from what became of them."""
    return parse_file(landed(path), source_of(FORMAT), path.parent / "store")


def table(folder: Path) -> bytes:
    pl.DataFrame([record(number) for number in range(50)]).write_parquet(folder / "t.parquet", row_group_size=10)
    return (folder / "t.parquet").read_bytes()


def csv(_: Path) -> bytes:
    head = ",".join(record(0))
    return "\n".join([head, *(",".join(map(str, record(n).values())) for n in range(50))]).encode()


FILES: dict[str, Callable[[Path], bytes]] = {
    "lines": lambda _: lines(50),
    "a few odd": lambda _: lines(20) + b"odd\n\n[]\n{\n" + lines(20),
    "array": lambda _: json.dumps([record(n) for n in range(50)], indent=1).encode(),
    "table": csv,
    "parquet": table,
}


# --- Readers broken on purpose


def quick_drops(monkeypatch: pytest.MonkeyPatch) -> None:
    original = ColumnReader.read

    def drop(self: ColumnReader, chunk: Chunk) -> TypedLines | None:
        found = original(self, chunk)
        return None if found is None else replace(found, rows=found.rows.slice(1))

    monkeypatch.setattr(ColumnReader, "read", drop)


def frame_drops(monkeypatch: pytest.MonkeyPatch) -> None:
    def drop(chunk: Chunk, wanted: list[int] | None = None) -> Any:
        found, faults = line_chunks.line_frame(chunk, wanted)
        return found.slice(1), faults

    monkeypatch.setattr(line_reader, "line_frame", drop)
    monkeypatch.setattr(ColumnReader, "read", lambda *_: None)


def decoder_drops(monkeypatch: pytest.MonkeyPatch) -> None:
    original = JsonDecoder.one_by_one

    def drop(self: JsonDecoder, frame: pl.DataFrame) -> Any:
        flat, failures = original(self, frame)
        return flat.slice(1), failures

    monkeypatch.setattr(JsonDecoder, "one_by_one", drop)
    monkeypatch.setattr(ColumnReader, "read", lambda *_: None)


def batches_are_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    original = reader._in_order

    def drop(*args: Any) -> Iterator[Any]:
        yield from list(original(*args))[:-1]

    monkeypatch.setattr(reader, "_in_order", drop)


def chunks_are_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    original = line_chunks._chunks

    def drop(*args: Any) -> Iterator[Chunk]:
        yield from list(original(*args))[:-1]

    monkeypatch.setattr(line_chunks, "_chunks", drop)


def line_ends_are_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    original = line_chunks._chunk

    def drop(*args: Any) -> Chunk:
        found = original(*args)
        return replace(found, data=found.data[: found.ends[-2]], ends=found.ends[:-1])

    monkeypatch.setattr(line_chunks, "_chunk", drop)


def table_drops(monkeypatch: pytest.MonkeyPatch) -> None:
    original = TableReader.read

    def drop(*args: Any) -> Any:
        found = original(*args)
        return replace(found, texts=found.texts.slice(1))

    monkeypatch.setattr(TableReader, "read", drop)


def row_groups_are_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    original = reader.parquet_chunks

    def drop(*args: Any) -> Iterator[Any]:
        yield from list(original(*args))[:-1]

    monkeypatch.setattr(reader, "parquet_chunks", drop)


BROKEN = [
    ("lines", quick_drops), ("lines", frame_drops), ("lines", decoder_drops), ("lines", batches_are_lost),
    ("lines", chunks_are_lost), ("lines", line_ends_are_lost), ("a few odd", frame_drops), ("a few odd", decoder_drops),
    ("a few odd", batches_are_lost), ("array", batches_are_lost), ("table", table_drops), ("parquet", row_groups_are_lost),
]  # fmt: skip


@pytest.mark.parametrize(("name", "break_it"), BROKEN, ids=lambda value: getattr(value, "__name__", value))
def test_a_reader_that_loses_lines_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, break_it: Callable[[pytest.MonkeyPatch], None]
) -> None:
    (tmp_path / "a.jsonl").write_bytes(FILES[name](tmp_path))
    sound = read(tmp_path / "a.jsonl")
    assert sound.lines == sound.valid + sound.quarantined
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.jsonl").write_bytes(FILES[name](tmp_path))
    break_it(monkeypatch)
    parsed = read(tmp_path / "broken" / "a.jsonl")
    failed = "reader_failed" in parsed.quarantine["reason"].to_list()
    assert failed or parsed.lines > parsed.valid + parsed.quarantined


@pytest.mark.slow
def test_the_check_fails_where_the_reader_lost_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_settings: Settings
) -> None:
    zone = tmp_path / "landing" / "requests" / "gateway" / "2026-02-12"
    zone.mkdir(parents=True)
    (zone / "a.jsonl").write_bytes(lines(50))
    (tmp_path / "sources.yaml").write_text(f"requests: [{{source: gateway, format: {FORMAT}}}]")
    settings = Settings(
        home=tmp_path / "home",
        database_url=database_settings.database_url,
        landing=str(tmp_path / "landing"),
        config=tmp_path,
    )
    batches_are_lost(monkeypatch)
    with open_workspace(settings) as workspace:
        ingest_requests(workspace, None)
        with workspace.database.connect() as connection:
            outcome = lines_accounted(connection)
    assert (outcome.success, outcome.blocks) == (False, True)
    assert (outcome.sample[0]["lines"], outcome.sample[0]["valid"]) == ("50", "0")
    assert outcome.sample[0]["file"].endswith("a.jsonl")


# --- The count itself


def test_the_count_is_that_of_the_bytes_however_they_are_cut(tmp_path: Path) -> None:
    chance = random.Random(5)
    parts = [
        b"{}",
        b"x",
        b"",
        b" ",
        b"\t",
        b"\r",
        b"\xc2\xa0",
        b"\xe2\x80\x89 ",
        b"\xff",
        b"\xef\xbb\xbf",
        b"a" * 40,
        b"\x1c",
    ]
    packs: tuple[Callable[[bytes], bytes], ...] = (bytes, gzip.compress, zstandard.ZstdCompressor().compress)
    for number in range(60):
        content = b"\n".join(chance.choices(parts, k=chance.randrange(1, 30)))
        content = b"q" + content
        expected = sum(not is_blank(line) for line in content.split(b"\n"))
        path = tmp_path / f"{number}.jsonl"
        path.write_bytes(packs[number % 3](content))
        for size in (1, 3, 16, 10**6):
            tally = Tally()
            found = sum(int(np.count_nonzero(chunk.filled)) for chunk in chunks(path, tally, chunk_bytes=size))
            assert tally.records == found == expected


@pytest.mark.slow
def test_every_record_of_every_file_is_counted(tmp_path: Path) -> None:
    for name, make in FILES.items():
        whole = make(tmp_path)
        chance = random.Random(name)
        for number in range(25):
            start, end = sorted(chance.sample(range(len(whole) + 1), 2))
            content = [whole[:end], whole[start:], whole[:start] + whole[end:], whole + whole[start:end]][number % 4]
            path = tmp_path / f"{name}{number}.jsonl"
            path.write_bytes(content)
            parsed = read(path)
            assert parsed.lines == parsed.valid + parsed.quarantined, (name, number)
            assert "reader_failed" not in parsed.quarantine["reason"].to_list()


@pytest.mark.slow
def test_what_is_cut_quoted_and_blank_in_a_table_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_tables, "MAX_CSV_RECORD_BYTES", 300)
    whole = csv(tmp_path).decode().replace("gpt-4o", '"gpt\n\n4o"')
    for number in range(0, len(whole), 61):
        path = tmp_path / f"{number}.csv"
        path.write_text(whole[:number] + "\n\n" + whole[number + 7 :])
        parsed = read(path)
        assert parsed.lines == parsed.valid + parsed.quarantined
