"""What a file is, decided by many of its lines and by what its format knows: lines, a container's lines, or a table.

No single line decides: a banner, a comment, a line that was cut or an opening bracket may come first. Values that go on
over several lines are found in `line_groups.py`, wherever they stand; tables are read in `tables.py`.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from pipelines.records.container_logs import is_wrapped_line
from pipelines.records.layout import Layout
from pipelines.records.line_chunks import Chunk
from pipelines.records.tables import Head, csv_columns, known_columns

SAMPLE_LINES = 200
"""Lines, blank ones left out, by which a file is told."""
_ROWS = 20
_OTHER_DELIMITERS = (";", "\t", "|")


def sample_of(chunk: Chunk) -> dict[int, bytes]:
    """The first lines of a chunk that are not blank, by their numbers in the file."""
    indexes = islice((int(index) for index in chunk.filled.nonzero()[0]), SAMPLE_LINES)
    return {chunk.line_no + index: chunk.data[chunk.starts[index] : chunk.ends[index]] for index in indexes}


def is_wrapped(sample: dict[int, bytes]) -> bool:
    """Whether most of the lines are those of a container's runtime."""
    return _is_most(sum(is_wrapped_line(line) for line in sample.values()), sample)


def head_of(sample: dict[int, bytes], path: Path, fmt: Layout, heads: set[str]) -> Head | None:
    """The header of a table, None where the file is none.

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
        for delimiter in dict.fromkeys((fmt.delimiter, *_OTHER_DELIMITERS)):
            columns = csv_columns(line, delimiter)
            known = len(known_columns(columns, fmt.column_name, heads))
            if known > most and (known > 1 or not number):
                following = [line for _, line in lines[number + 1 : number + 1 + _ROWS]]
                if _may_be_rows(following, delimiter, len(columns)):
                    best, most = Head(line_no, line, delimiter), known
    if best is not None or not sample:
        return best
    names = path.name.lower()
    line_no, line = next(iter(sample.items()))
    is_json = any(_begins_json(line) for line in sample.values())
    return Head(line_no, line, fmt.delimiter) if not is_json and (".csv" in names or ".tsv" in names) else None


def _may_be_rows(lines: list[bytes], delimiter: str, fields: int) -> bool:
    """Not where a document begins among them and none has as many fields as the header."""
    if not any(_begins_json(line) for line in lines):
        return True
    return any(len(csv_columns(line, delimiter)) == fields for line in lines)


def _begins_json(line: bytes) -> bool:
    return line.lstrip()[:1] in (b"{", b"[")


def _is_most(count: int, sample: dict[int, bytes]) -> bool:
    return bool(sample) and 2 * count >= len(sample)
