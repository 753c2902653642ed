"""What kind of file a landed file is, recognised once by its first bytes and by many of its lines, never by its name alone.

No single line decides: a banner, a comment, a line that was cut or an opening bracket may come first. How each kind is read
is in `reader.py`; values that go on over several lines are found in `line_groups.py`, wherever they stand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import chain, islice
from pathlib import Path

from pipelines.records.container_logs import is_wrapped_line
from pipelines.records.csv_tables import Head, csv_columns
from pipelines.records.event_streams import is_event_stream
from pipelines.records.layout import Layout
from pipelines.records.line_chunks import Chunk, chunks
from pipelines.records.tables import known_columns
from pipelines.records.tally import Tally
from pipelines.records.unpacking import is_archive_of_files

_PARQUET_MAGIC = b"PAR1"
_HEAD_BYTES = 4096
_ZIP = b"PK\x03\x04"
_FOREIGN = {
    _ZIP: "a workbook, or a ZIP archive that can't be opened",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"\x04\x22\x4d\x18": "an lz4 archive",
    b"%PDF": "a PDF document",
    b"Obj\x01": "an Avro file",
    b"ORC": "an ORC file",
    b"SQLite format 3": "a SQLite database",
}
SAMPLE_LINES = 200
"""Lines, blank ones left out, by which the kind of a file is recognised."""
_ROWS = 20
_OTHER_DELIMITERS = (";", "\t", "|")


class FileKind(Enum):
    """The kinds of files, one reader each."""

    PARQUET = auto()
    PACKED_PARQUET = auto()
    FOREIGN = auto()
    CSV = auto()
    CONTAINER_LOG = auto()
    EVENT_STREAM = auto()
    LINES = auto()


@dataclass(frozen=True)
class Recognised:
    """A file and its kind; `chunks` are all its lines (of the last four kinds), `head` is the header of a CSV file,
    `foreign` names in words what a foreign file is."""

    path: Path
    kind: FileKind
    chunks: Iterator[Chunk] = field(default_factory=lambda: iter(()))
    head: Head | None = None
    foreign: str = ""


def recognise(path: Path, layout: Layout, tally: Tally) -> Recognised:
    """The kind of a file; `tally` counts the records of the lines as they are taken."""
    if is_parquet(path):
        return Recognised(path, FileKind.PARQUET)
    if (foreign := foreign_kind(path)) is not None:
        return Recognised(path, FileKind.FOREIGN, foreign=foreign)
    stream = chunks(path, tally, encoding=layout.encoding)
    early: list[Chunk] = []
    sample: dict[int, bytes] = {}
    for chunk in stream:
        early.append(chunk)
        if sample := _sample_of(chunk):
            break
    if sample and is_parquet_head(early[-1].data):
        tally.of_bytes = 0
        return Recognised(path, FileKind.PACKED_PARQUET)
    kind, head = FileKind.LINES, None
    if _is_container_log(sample):
        kind = FileKind.CONTAINER_LOG
    elif (head := head_of(sample, path, layout)) is not None:
        kind = FileKind.CSV
    elif early and is_event_stream(early[-1].data.lstrip()):
        kind = FileKind.EVENT_STREAM
    return Recognised(path, kind, chain(early, stream), head)


def foreign_kind(path: Path) -> str | None:
    """What a file is by its first bytes, where that is nothing we read; None for every other."""
    head = _head(path)
    kind = next((kind for magic, kind in _FOREIGN.items() if head.startswith(magic)), None)
    if kind is None or _is_text(head) or (head.startswith(_ZIP) and is_archive_of_files(path)):
        return None
    return kind


def is_parquet(path: Path) -> bool:
    """True where the file's first bytes are Parquet's, and it is not a text that begins so."""
    return is_parquet_head(_head(path))


def is_parquet_head(head: bytes) -> bool:
    """The same of the first bytes, as many as are there."""
    return head.startswith(_PARQUET_MAGIC) and not _is_text(head[:_HEAD_BYTES])


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES)


def _is_text(head: bytes) -> bool:
    """Whether a head is of lines of text: a log may begin with ORCHESTRATOR."""
    lines = head.rpartition(b"\n")[0]
    try:
        text = lines.decode()
    except UnicodeDecodeError:
        return False
    return bool(text) and not any(c < " " and c not in "\t\r\n\f\x1b" for c in text)


def _sample_of(chunk: Chunk) -> dict[int, bytes]:
    """The first lines of a chunk that are not blank, by their numbers in the file."""
    indexes = islice((int(index) for index in chunk.filled.nonzero()[0]), SAMPLE_LINES)
    return {chunk.line_no + index: chunk.data[chunk.starts[index] : chunk.ends[index]] for index in indexes}


def _is_container_log(sample: dict[int, bytes]) -> bool:
    """Whether most of the lines are those of a container's runtime."""
    return _is_most(sum(is_wrapped_line(line) for line in sample.values()), sample)


def head_of(sample: dict[int, bytes], path: Path, layout: Layout) -> Head | None:
    """The header of a table, None if the file is none.

    It is the line that names most of the columns that the format reads, the first of these; below other lines it has to
    name two. A file that is named like a table and holds no JSON has its first line as its header.
    """
    objects = sum(_begins_json(line) and line.rstrip()[-1:] in (b"}", b"]") for line in sample.values())
    if _is_most(objects, sample):
        return None
    best: Head | None = None
    most = 0
    lines = list(sample.items())
    for number, (line_no, line) in enumerate(lines):
        if _begins_json(line):
            continue
        for delimiter in dict.fromkeys((layout.delimiter, *_OTHER_DELIMITERS)):
            columns = csv_columns(line, delimiter)
            known = len(known_columns(columns, layout.path_of, layout.readable))
            if known > most and (known > 1 or not number):
                following = [line for _, line in lines[number + 1 : number + 1 + _ROWS]]
                if _may_be_rows(following, delimiter, len(columns)):
                    best, most = Head(line_no, line, delimiter), known
    if best is not None or not sample:
        return best
    names = path.name.lower()
    line_no, line = next(iter(sample.items()))
    is_json = any(_begins_json(line) for line in sample.values())
    return Head(line_no, line, layout.delimiter) if not is_json and (".csv" in names or ".tsv" in names) else None


def _may_be_rows(lines: list[bytes], delimiter: str, fields: int) -> bool:
    """Not where a document begins among them and none has as many fields as the header."""
    if not any(_begins_json(line) for line in lines):
        return True
    return any(len(csv_columns(line, delimiter)) == fields for line in lines)


def _begins_json(line: bytes) -> bool:
    return line.lstrip()[:1] in (b"{", b"[")


def _is_most(count: int, sample: dict[int, bytes]) -> bool:
    return bool(sample) and 2 * count >= len(sample)
