"""Archives within archives, and the files of a ZIP archive: the same records as those of the plain file."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.requests.helpers import landed_bytes, rows, the_fault
from tests.unit.requests.samples import AT


def lines(*counts: int) -> bytes:
    records = [{"timestamp": AT, "model": "m", "prompt_tokens": count, "completion_tokens": 1} for count in counts]
    return "\n".join(map(json.dumps, records)).encode()


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
    return out.getvalue()


def tarred(**files: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name.replace("__", "/"))
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(gzip.compress(lines(1, 2, 3))),
        gzip.compress(gzip.compress(gzip.compress(lines(1, 2, 3)))),
        zipped(a=lines(1, 2), folder__b=lines(3)),
        zipped(a=gzip.compress(lines(1, 2)), b=gzip.compress(lines(3))),
        zipped(a=lines(1, 2, 3), folder__=b""),
        tarred(a=lines(1, 2).rstrip(), folder__b=lines(3), **{"folder__._b": b"\x00\x05\x16\x07"}),
        gzip.compress(tarred(a=gzip.compress(lines(1, 2)), b=lines(3))),
        tarred(a=lines(1, 2)) + tarred(b=lines(3)),
        gzip.compress(tarred(a=lines(1, 2))) + gzip.compress(tarred(b=lines(3))),
        tarred(a=lines(1, 2, 3)) + b"signed by nobody",
    ],
)
def test_what_is_packed_is_read(tmp_path: Path, content: bytes) -> None:
    found = rows(landed_bytes(tmp_path, content, "openai_chat"))
    assert sorted(found["input_uncached_tokens"]) == [1, 2, 3]


def test_tables_of_one_archive_keep_their_own_headers(tmp_path: Path) -> None:
    first = f"timestamp,model,prompt_tokens,completion_tokens\n{AT},m,1,10".encode()
    second = f"timestamp,model,completion_tokens,prompt_tokens\n{AT},m,20,2\n".encode()
    found = rows(landed_bytes(tmp_path, zipped(a=first, b=second), "openai_chat"))
    assert sorted(found.select("input_uncached_tokens", "output_text_tokens").rows()) == [(1, 10), (2, 20)]


@pytest.mark.parametrize(
    "content", [zipped(**{"[Content_Types].xml": b"<x/>", "xl__a.xml": b"x"}), zipped(a=lines(1))[:-30]]
)
def test_a_workbook_and_an_archive_that_was_cut_are_named(tmp_path: Path, content: bytes) -> None:
    assert the_fault(landed_bytes(tmp_path, content, "openai_chat"))["reason"] == "unknown_container"


def test_a_damaged_member_is_named_and_what_comes_before_it_is_read(tmp_path: Path) -> None:
    content = bytearray(zipped(a=lines(1), b=lines(*range(10, 400))))
    place = content.index(b"b", content.index(b"PK", 10)) + 200
    content[place : place + 4] = b"\xff\xff\xff\xff"
    parsed = landed_bytes(tmp_path, bytes(content), "openai_chat")
    assert 1 in rows(parsed)["input_uncached_tokens"].to_list()
    assert "broken_archive" in parsed.quarantine["reason"].to_list()


def test_of_a_tar_archive_that_was_cut_the_whole_files_are_read(tmp_path: Path) -> None:
    content = tarred(a=lines(1), b=lines(*range(10, 400)))
    parsed = landed_bytes(tmp_path, content[:6000], "openai_chat")
    assert (parsed.valid, parsed.quarantine["reason"].to_list()) == (1, ["broken_archive"])


def _with_other_byte(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


TAR = tarred(a=lines(1), b=lines(2))
SECOND = 1024
"""Where the second member of TAR begins, with a header of 512 bytes."""


@pytest.mark.parametrize("packed", [bytes, gzip.compress])
@pytest.mark.parametrize(
    ("content", "whole"),
    [
        (TAR + TAR[:SECOND], 3),
        (TAR[:300], 0),
        (_with_other_byte(TAR, 100), 0),
        (TAR[:SECOND], 1),
        (TAR[: SECOND + 76], 1),
        (_with_other_byte(TAR, SECOND + 148), 1),
    ],
    ids=[
        "second archive cut",
        "first header cut",
        "first header damaged",
        "cut between files",
        "second header cut",
        "second header damaged",
    ],
)
def test_a_tar_archive_of_which_files_are_missing_says_so(
    tmp_path: Path, content: bytes, whole: int, packed: Callable[[bytes], bytes]
) -> None:
    parsed = landed_bytes(tmp_path, packed(content), "openai_chat")
    assert (parsed.valid, parsed.quarantine["reason"].to_list()) == (whole, ["broken_archive"])


def test_a_tar_archive_whose_compression_ends_in_its_first_header_is_a_broken_one(tmp_path: Path) -> None:
    packed = gzip.compress(TAR)
    assert the_fault(landed_bytes(tmp_path, packed[: len(packed) // 2], "openai_chat"))["reason"] == "broken_archive"
