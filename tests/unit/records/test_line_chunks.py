"""Files to lines: exact places, every compression and encoding, bounded memory, and nothing lost in damaged files."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import zstandard

from pipelines.records import unpacking
from pipelines.records.line_chunks import Chunk, Fault, chunks, line_frame

LINES = [json.dumps({"n": n, "text": "é" * (n % 7)}) for n in range(500)]
CONTENT = "".join(f"{line}\n" for line in LINES).encode()


def read(path: Path, **limits: int) -> tuple[list[tuple[int, int, int, str]], list[Fault]]:
    """Every line with its number and bytes, and every fault."""
    found, faults = [], []
    for chunk in chunks(path, **limits):
        lines, broken = line_frame(chunk)
        faults += [*chunk.faults, *broken]
        for index, line in lines.iter_rows():
            start, end = chunk.byte_from + int(chunk.starts[index]), chunk.byte_from + int(chunk.ends[index])
            found.append((chunk.line_no + index, start, end, line.rstrip("\n")))
    return found, faults


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("chunk_bytes", [1, 7, 1000, 10**6])
def test_lines_have_their_number_and_bytes_however_the_file_is_cut(tmp_path: Path, chunk_bytes: int) -> None:
    found, faults = read(write(tmp_path / "a.jsonl", CONTENT), chunk_bytes=chunk_bytes)
    assert faults == []
    assert [(number, line) for number, _, _, line in found] == list(enumerate(LINES, start=1))
    assert all(CONTENT[start:end].decode().rstrip("\n") == line for _, start, end, line in found)


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst", "a.txt"])
@pytest.mark.parametrize("packed", ["plain", "gzip", "zstd", "gzip twice", "zstd twice"])
def test_compression_is_recognised_by_content_not_by_name(tmp_path: Path, name: str, packed: str) -> None:
    half = CONTENT.index(b"\n", len(CONTENT) // 2) + 1
    members = [CONTENT[:half], CONTENT[half:]] if packed.endswith("twice") else [CONTENT]
    pack = {"plain": bytes, "gzip": gzip.compress, "zstd": zstandard.ZstdCompressor().compress}[
        packed.split(maxsplit=1)[0]
    ]
    found, faults = read(write(tmp_path / name, b"".join(pack(member) for member in members)))
    assert (len(found), faults) == (500, [])
    assert found[-1][2] == len(CONTENT)


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor().compress])
def test_a_cut_archive_keeps_what_it_still_gives_and_says_so(tmp_path: Path, pack) -> None:
    noise = [json.dumps({"n": n, "hash": hashlib.sha256(str(n).encode()).hexdigest()}) for n in range(5000)]
    packed = pack("".join(f"{line}\n" for line in noise).encode())
    found, faults = read(write(tmp_path / "cut", packed[: len(packed) * 2 // 3]))
    complete = [line for _, _, _, line in found][:-1]
    assert 1000 < len(complete) < 5000
    assert complete == noise[: len(complete)]
    assert [fault.reason for fault in faults] == ["broken_archive"]


def test_a_last_line_without_its_end_is_read(tmp_path: Path) -> None:
    found, faults = read(write(tmp_path / "a", b'{"n":1}\n{"n":2}'))
    assert ([line for *_, line in found], faults) == (['{"n":1}', '{"n":2}'], [])


def test_blank_lines_count_as_lines_but_hold_no_record(tmp_path: Path) -> None:
    found, _ = read(write(tmp_path / "a", b'\n{"n":1}\r\n  \t\n\n{"n":2}\n\n'))
    assert [number for number, *_ in found] == [2, 5]


def test_byte_order_marks_are_no_part_of_the_first_line(tmp_path: Path) -> None:
    text = '{"n":"é"}\n{"n":2}\n'
    eight, faults = read(write(tmp_path / "8", b"\xef\xbb\xbf" + text.encode()))
    assert ([line for *_, line in eight], faults) == (['{"n":"é"}', '{"n":2}'], [])
    assert eight[0][1] == 3
    for encoding in ("utf-16-le", "utf-16-be"):
        bom = "\ufeff".encode(encoding)
        found, faults = read(write(tmp_path / encoding, bom + text.encode(encoding)))
        assert ([line for *_, line in found], faults) == (['{"n":"é"}', '{"n":2}'], [])


def test_a_line_that_is_not_utf8_is_set_aside_and_its_neighbours_are_read(tmp_path: Path) -> None:
    bad = b'{"n":"caf\xe9"}\n'
    found, faults = read(write(tmp_path / "a", b'{"n":1}\n' + bad + b'{"n":3}\n' + bad))
    assert [(number, line) for number, _, _, line in found] == [(1, '{"n":1}'), (3, '{"n":3}')]
    assert [(fault.line_no, fault.byte_from, fault.byte_to, fault.reason) for fault in faults] == [
        (2, 8, 8 + len(bad), "not_utf8"),
        (4, 16 + len(bad), 16 + 2 * len(bad), "not_utf8"),
    ]
    assert faults[0].sha256 == hashlib.sha256(bad.strip()).hexdigest()


@pytest.mark.parametrize("chunk_bytes", [10, 64, 900])
def test_a_line_that_is_too_long_is_skipped_with_its_place_and_hash(tmp_path: Path, chunk_bytes: int) -> None:
    long = b'{"n":"' + b"x" * 5000 + b'"}\n'
    path = write(tmp_path / "a", b'{"n":1}\n' + long + b'{"n":3}\n')
    found, faults = read(path, chunk_bytes=chunk_bytes, max_record=1000)
    assert [(number, line) for number, _, _, line in found] == [(1, '{"n":1}'), (3, '{"n":3}')]
    assert [(f.line_no, f.byte_from, f.byte_to, f.reason) for f in faults] == [(2, 8, 8 + len(long), "line_too_long")]
    assert faults[0].sha256 == hashlib.sha256(long.strip()).hexdigest()


@pytest.mark.slow
def test_a_long_line_without_end_in_a_small_archive_stays_out_of_memory(tmp_path: Path) -> None:
    packed = zstandard.ZstdCompressor().compress(b"0" * 200_000_000)
    assert len(packed) < 100_000
    found, faults = read(write(tmp_path / "bomb.zst", packed))
    assert found == []
    assert [(fault.reason, fault.byte_to - fault.byte_from) for fault in faults] == [("line_too_long", 200_000_000)]


def test_an_archive_that_expands_without_end_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "_FREE_EXPANSION_BYTES", 1000)
    monkeypatch.setattr(unpacking, "MAX_EXPANSION", 10)
    packed = gzip.compress(b"{}\n" * 1_000_000)
    found, faults = read(write(tmp_path / "bomb.gz", packed), chunk_bytes=1000)
    assert len(found) <= 10 * len(packed)
    assert [fault.reason for fault in faults] == ["expands_too_far"]


def test_an_empty_file_holds_nothing(tmp_path: Path) -> None:
    assert read(write(tmp_path / "a", b"")) == ([], [])


def test_starts_and_ends_of_a_chunk_without_lines() -> None:
    empty = Chunk(b"", 1, 0, np.empty(0, np.int64))
    assert len(empty.starts) == 0
    assert line_frame(empty)[0].height == 0
