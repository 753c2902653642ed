"""The decompressed content of a landed file, whole, within a limit of memory.

Which files there are is in `files.py`; request logs, which may be larger than memory, are read in chunks by
`pipelines.requests`.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from typing import IO

import zstandard

from pipelines.landing.files import LandedFile, LandingError

MAX_CONTENT_BYTES = 4 * 1024**3
"""Largest decompressed file that `read_bytes` returns: a guard against decompression bombs, not a goal."""

_CHUNK_BYTES = 4 * 1024**2
_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


def read_bytes(file: LandedFile, *, max_bytes: int = MAX_CONTENT_BYTES) -> bytes:
    """The decompressed content. Compression (gzip, zstd) is recognised by the first bytes, not by the name.

    Raises LandingError where the compressed data is broken or ends early, the content passes `max_bytes`, or the file
    is no longer the one that was listed.
    """
    chunks: list[bytes] = []
    total = 0
    file.check_unchanged()
    try:
        with file.path.open("rb") as raw:
            for chunk in _decompressed(raw):
                total += len(chunk)
                if total > max_bytes:
                    raise LandingError(
                        f"{file.landing_path}: more than {max_bytes:,} bytes when decompressed "
                        f"({file.size_bytes:,} on disk): split the file"
                    )
                chunks.append(chunk)
    except (EOFError, gzip.BadGzipFile, zlib.error, zstandard.ZstdError) as error:
        raise LandingError(
            f"{file.landing_path}: the compressed data is broken after {total:,} bytes of content ({type(error).__name__}): "
            "land the file again, whole"
        ) from error
    file.check_unchanged()
    return b"".join(chunks)


def _decompressed(raw: io.BufferedReader) -> Iterator[bytes]:
    magic = raw.peek(4)[:4]
    if magic == _ZSTD_MAGIC:
        yield from _zstd_chunks(raw)
        return
    stream = gzip.GzipFile(fileobj=raw) if magic[:2] == _GZIP_MAGIC else raw
    while chunk := stream.read(_CHUNK_BYTES):
        yield chunk


def _zstd_chunks(raw: IO[bytes]) -> Iterator[bytes]:
    """Frame by frame, because zstandard's own reader ends without an error where the last frame is cut off.

    The input is fed in small pieces: eight kilobytes of zstd can hold a quarter of a gigabyte.
    """
    frame = None
    while piece := raw.read(8192):
        while piece:
            frame = frame or zstandard.ZstdDecompressor().decompressobj()
            yield frame.decompress(piece)
            piece = frame.unused_data if frame.eof else b""
            frame = None if frame.eof else frame
    if frame is not None:
        raise EOFError("the last zstd frame is cut off")
