"""Contents as damage leaves them: cut, spliced with another file, bits flipped, garbage between, archives that end early.

A function of a content and a source of chance; no assertions here.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable, Sequence
from typing import Any

import zstandard

from tests.unit.requests.samples import SECRET

GARBAGE = (
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\n", b"\r\n", b'"', b"{", b"}", b"[", b"]", b",", b"\\", b"\\u0000", b"\\ud800", b"NaN", b"1e999",
    b"PAR1", b"PK\x03\x04", b"\x1f\x8b", b"data: {", b"event: x\n", b"sep=;\n", b"<html>", SECRET.encode(), f'{{"{SECRET}": "{SECRET}"}}'.encode(),
    f'"{SECRET}\n'.encode(),
)  # fmt: skip


def damaged(content: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """One to three things done to `content`; pieces of `others` may be spliced in."""
    for _ in range(chance.randint(1, 3)):
        start, end = sorted(chance.randrange(len(content) + 1) for _ in range(2))
        other = chance.choice(others)
        first = chance.randrange(len(other) + 1)
        piece = other[first : first + chance.randrange(2000)]
        match chance.randrange(8):
            case 0:
                content = content[start:]
            case 1:
                content = content[:end]
            case 2:
                content = content[:start] + content[start + chance.randrange(1, 50) :]
            case 3:
                content = content[:start] + piece + content[end if chance.random() < 0.5 else start :]
            case 4:
                content = _flipped(content, chance)
            case 5:
                content = content[:start] + chance.choice(GARBAGE) * chance.choice((1, 1, 3)) + content[start:]
            case 6:
                content = content[:start] + chance.randbytes(chance.randrange(100)) + content[start:]
            case _:
                content = content[:end] + content[start:]
    return content


def _flipped(content: bytes, chance: random.Random) -> bytes:
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 5, 50)) if data else 0):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(data)


def packed(content: bytes, chance: random.Random) -> tuple[bytes, bool]:
    """The content as it may lie there, and whether it still is `content`: plain, or an archive that is whole or damaged."""
    if chance.random() < 0.7:
        return content, True
    pack: Callable[[bytes], bytes] = gzip.compress if chance.random() < 0.6 else zstandard.ZstdCompressor().compress
    archive = pack(content)
    match chance.randrange(3):
        case 0:
            return archive, True
        case 1:
            return archive[: chance.randrange(len(archive))], False
        case _:
            return _flipped(archive, chance), False


def shapes(record: Any) -> list[bytes]:
    """Files of a few records in the shapes that tools write them in."""
    line = json.dumps(record).encode()
    names = [name for name, value in record.items() if not isinstance(value, dict | list)]
    table = "\n".join([",".join(names), *[",".join(json.dumps(record[name]) for name in names)] * 4]).encode()
    return [
        b"\n".join([line] * 6) + b"\n",
        json.dumps([record] * 4, indent=1).encode(),
        b"[" + b",\n".join([line] * 5) + b"]",
        b"\n".join([json.dumps(record, indent=2).encode()] * 3),
        table,
    ]
