"""A landed file's decompressed bytes in pieces, as UTF-8, whatever it is compressed with and however it ends.

The first bytes decide what it is compressed with, never the name; what is compressed again within is opened too, and the members of a ZIP or tar
archive follow each other. An archive that ends too early or expands without end
gives what it holds and then says so (`Unpacked.trouble`).
"""

from __future__ import annotations

import codecs
import gzip
import io
import itertools
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Self, cast

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
_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"PK\x03\x04": "zip"}
_TAR = (b"ustar", 257)
"""What shows a tar archive, and where."""
_DEEPEST = 3
_DOCUMENTS = ("[Content_Types].xml", "mimetype")
"""Members by which a workbook or another office document is known."""


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
    with ExitStack() as held:
        opened: pa.NativeFile = held.enter_context(pa.OSFile(str(path), "rb"))
        for depth in range(1, _DEEPEST + 1):
            codec = _codec_of(path, depth - 1)
            if codec is None:
                break
            opened = held.enter_context(_layer(path, opened, codec))
        yield opened


def _layer(path: Path, outer: pa.NativeFile, codec: str) -> pa.NativeFile:
    if codec == "zip":
        return pa.PythonFile(Members(path), "r")
    return pa.PythonFile(TarMembers(outer), "r") if codec == "tar" else pa.CompressedInputStream(outer, codec)


def _codec_of(path: Path, depth: int) -> str | None:
    """With what a file is compressed below so many layers; None if it is not."""
    with ExitStack() as held:
        opened: pa.NativeFile = held.enter_context(pa.OSFile(str(path), "rb"))
        for level in range(depth):
            opened = held.enter_context(_layer(path, opened, str(_codec_of(path, level))))
        with suppress(OSError, pa.ArrowInvalid):
            magic = opened.read(512)
            if magic.startswith(_TAR[0], _TAR[1]):
                return "tar"
            found = next((codec for mark, codec in _MAGIC.items() if magic.startswith(mark)), None)
            return found if found != "zip" or (depth == 0 and is_archive_of_files(path)) else None
    return None


def is_archive_of_files(path: Path) -> bool:
    """Whether a ZIP archive holds plain files: a workbook is one of its own parts, and an encrypted one can't be opened."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError):
        return False
    is_document = any(member.filename in _DOCUMENTS for member in members)
    return not is_document and any(map(_is_file, members)) and not any(member.flag_bits & 1 for member in members)


def _is_file(member: zipfile.ZipInfo) -> bool:
    """Not a folder, nor what a Mac adds to each file."""
    return not member.is_dir() and not member.filename.startswith("__MACOSX/")


def _unpacked_member(member: IO[bytes]) -> IO[bytes]:
    """A member that is compressed once more, opened."""
    buffered = io.BufferedReader(cast("io.RawIOBase", member))
    return cast("IO[bytes]", gzip.GzipFile(fileobj=buffered) if buffered.peek(2)[:2] == b"\x1f\x8b" else buffered)


class _Tar(tarfile.TarFile):
    """A tar archive, or several that were joined."""

    ignore_zeros = True
    has_ended = False
    """Whether the empty block that ends an archive was the last that was read."""


class _Member(tarfile.TarInfo):
    """A file of a tar archive. Where no other follows, and no empty block, the archive is cut or damaged: `tarfile` takes that for its end."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Self:
        tar = cast("_Tar", archive)
        try:
            found = super().fromtarfile(tar)
        except tarfile.HeaderError as error:
            tar.has_ended |= type(error).__name__ == "EOFHeaderError"
            if tar.has_ended:
                raise
            raise OSError(type(error).__name__) from None
        tar.has_ended = False
        return found


class TarMembers(io.RawIOBase):
    """The files of a tar archive one after the other, in its order, each ending its last line."""

    def __init__(self, outer: pa.NativeFile) -> None:
        super().__init__()
        self._outer = cast("IO[bytes]", outer)
        self._archive: tarfile.TarFile | None = None
        self._open: IO[bytes] | None = None

    def readable(self) -> bool:
        """True."""
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes of the member that is open, or of the one after it."""
        try:
            if self._open is not None and (piece := self._open.read(size)):
                return piece
            was_open, self._open = self._open is not None, self._next()
        except (tarfile.TarError, zlib.error, EOFError, ValueError) as error:
            raise OSError(type(error).__name__) from None
        if self._open is None:
            return b""
        return b"\n" if was_open else self.read(size)

    def _next(self) -> IO[bytes] | None:
        """The next file of the archive, without what a Mac adds to each."""
        if self._archive is None:  # opening it reads the first header, which may be damaged
            self._archive = _Tar.open(fileobj=self._outer, mode="r|", tarinfo=_Member)
        while (member := self._archive.next()) is not None:
            held = self._archive.extractfile(member) if member.isfile() else None
            if held is not None and not member.name.rpartition("/")[2].startswith("._"):
                return _unpacked_member(held)
        return None

    def close(self) -> None:
        """Close the archive."""
        if self._archive is not None:
            self._archive.close()
        super().close()


class Members(io.RawIOBase):
    """The members of a ZIP archive one after the other, by name, each ending its last line."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._archive = zipfile.ZipFile(path)
        self._names = sorted((member.filename for member in filter(_is_file, self._archive.infolist())), reverse=True)
        self._open: IO[bytes] | None = None

    def readable(self) -> bool:
        """True."""
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes of the member that is open, or of the one after it."""
        while self._open is not None or self._names:
            try:
                self._open = self._open or _unpacked_member(self._archive.open(self._names.pop()))
                piece = self._open.read(size)
            except (zipfile.BadZipFile, zlib.error, EOFError, ValueError) as error:
                raise OSError(type(error).__name__) from None
            if piece:
                return piece
            self._open = None
            if self._names:
                return b"\n"
        return b""

    def close(self) -> None:
        """Close the archive."""
        self._archive.close()
        super().close()
