"""The body of an answer, decoded piece by piece and never beyond a limit: a kilobyte can hold a gigabyte.

One layer of gzip or deflate is accepted (RFC 9110, 8.4); the request asks for nothing else.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

ACCEPT_ENCODING = "gzip, deflate"
_GZIP_OR_ZLIB, _RAW_DEFLATE = zlib.MAX_WBITS | 32, -zlib.MAX_WBITS
_PIECE_BYTES = 1 << 20


class EncodingRefusedError(ValueError):
    """A content encoding that is not read; the text names it."""


class BrokenEncodingError(ValueError):
    """The bytes are not what the content encoding says, or end early."""


def decoded(chunks: Iterable[bytes], content_encoding: str) -> Iterator[bytes]:
    """The content of `chunks`, as they came over the wire, in pieces of at most one MiB.

    `content_encoding` is the value of the header, empty for none. Raises EncodingRefusedError and BrokenEncodingError.
    """
    layers = [layer.strip().lower() for layer in content_encoding.split(",")]
    named = [layer for layer in layers if layer not in ("", "identity")]
    if not named:
        return iter(chunks)
    if len(named) > 1:
        raise EncodingRefusedError(f"the answer is encoded {len(named)} times ({content_encoding!r}); once is accepted")
    if named[0] not in ("gzip", "x-gzip", "deflate"):
        raise EncodingRefusedError(f"content encoding {content_encoding!r}; gzip and deflate are accepted")
    return _inflated(chunks)


def _inflated(chunks: Iterable[bytes]) -> Iterator[bytes]:
    stream = zlib.decompressobj(_GZIP_OR_ZLIB)
    has_begun = False
    for chunk in chunks:
        pending = chunk
        while pending:
            if stream.eof:  # gzip members may follow one another
                stream = zlib.decompressobj(_GZIP_OR_ZLIB)
            try:
                piece = stream.decompress(pending, _PIECE_BYTES)
            except zlib.error as error:
                if has_begun:
                    raise BrokenEncodingError from error
                stream, has_begun = zlib.decompressobj(_RAW_DEFLATE), True
                continue  # some servers send deflate without its header
            has_begun = True
            pending = stream.unused_data if stream.eof else stream.unconsumed_tail
            yield piece
    while not stream.eof:
        piece = stream.decompress(b"", _PIECE_BYTES)
        if not piece:
            raise BrokenEncodingError
        yield piece
