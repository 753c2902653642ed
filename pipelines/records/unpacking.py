"""A landed file's decompressed bytes in pieces, as UTF-8, whatever it is compressed with and however it ends.

The first bytes decide what it is compressed with, never the name. An archive that ends too early or expands without end
gives what it holds and then says so (`Unpacked.trouble`).
"""

from __future__ import annotations

import codecs
import itertools
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pyarrow as pa

from pipelines.records.tally import Tally

CHUNK_BYTES = 16 * 2**20
MAX_EXPANSION = 1000
"""An archive may expand to this multiple of its size; the first GiB is always read."""
_FREE_EXPANSION_BYTES = 2**30
_SALVAGE_STEPS = (2**16, 2**8, 1)
UTF8_BOM = codecs.BOM_UTF8
_BOMS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""What a byte order mark shows; that of UTF-32 begins like the other's."""


class Unpacked:
    """The decompressed bytes in pieces; `trouble` says, once they end, why they ended too early."""

    def __init__(self, path: Path, piece_bytes: int, tally: Tally, encoding: str | None = None) -> None:
        self.trouble: tuple[str, str] | None = None
        self._tally = tally
        self._path = path
        self._piece_bytes = piece_bytes
        self._encoding = encoding
        self._rest = self._raw()
        self._first = next(self._rest, b"")
        self.has_utf8_bom = self._first.startswith(UTF8_BOM)
        self._generator = self._decoded()

    def pieces(self) -> Iterator[bytes]:
        """The pieces that are left; may be taken up again after a break."""
        return self._generator

    def _decoded(self) -> Iterator[bytes]:
        """The bytes as UTF-8 without a byte order mark, by which UTF-16 and UTF-32 are recognised. A mark goes before the encoding that is declared."""
        pieces = itertools.chain([self._first.removeprefix(UTF8_BOM)], self._rest)
        marked = next((name for mark, name in _BOMS.items() if self._first.startswith(mark)), None)
        encoding = marked or (None if self.has_utf8_bom else self._encoding)
        decoder = codecs.getincrementaldecoder(encoding)(errors="replace") if encoding else None
        last = b"\n"
        for piece in pieces:
            text = decoder.decode(piece).encode() if decoder else piece
            self._tally.of_bytes += text.count(b"\n")
            last = text[-1:] or last
            yield text
        self._tally.of_bytes += last != b"\n"

    def _raw(self) -> Iterator[bytes]:
        limit = max(_FREE_EXPANSION_BYTES, self._path.stat().st_size * MAX_EXPANSION)
        total = 0
        with _opened(self._path) as file:
            while True:
                try:
                    piece = file.read(self._piece_bytes)
                except (OSError, pa.ArrowInvalid):
                    yield _salvage(self._path, total, self._piece_bytes)
                    self.trouble = ("broken_archive", "the archive is cut off or damaged")
                    return
                if not piece:
                    return
                total += len(piece)
                if total > limit:
                    detail = f"the archive expands to more than {MAX_EXPANSION} times its size; reading stopped there"
                    self.trouble = ("expands_too_far", detail)
                    return
                yield piece


def _salvage(path: Path, skip: int, piece_bytes: int) -> bytes:
    """What a damaged archive still gives after its first `skip` bytes. A failing read drops what it had got, so each pass
    reads on, in smaller steps, from where the one before failed."""
    found = bytearray()
    for step in _SALVAGE_STEPS:
        with _opened(path) as file, suppress(OSError, pa.ArrowInvalid):
            passed = 0
            while passed < skip + len(found) and (piece := file.read(min(skip + len(found) - passed, piece_bytes))):
                passed += len(piece)
            while len(found) < piece_bytes and (piece := file.read(step)):
                found += piece
    return bytes(found)


def unpack(path: Path, target: Path) -> tuple[str, str] | None:
    """Write the decompressed bytes of an archive to `target`; reason and detail where the archive ends too early."""
    reader = Unpacked(path, CHUNK_BYTES, Tally())
    with target.open("wb") as file:
        for piece in reader.pieces():
            file.write(piece)
    return reader.trouble


@contextmanager
def _opened(path: Path) -> Iterator[pa.NativeFile]:
    with path.open("rb") as file:
        magic = file.read(4)
    raw = pa.OSFile(str(path), "rb")
    codec = "gzip" if magic[:2] == b"\x1f\x8b" else "zstd" if magic == b"\x28\xb5\x2f\xfd" else None
    with raw, pa.CompressedInputStream(raw, codec) if codec else raw as opened:
        yield opened
