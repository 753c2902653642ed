"""Which files are parts of one export: clouds write a large one as several numbered files.

What a number in a name means is decided here; what parts of one export and two exports do to each other is in `ledger.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from pipelines.landing import LandedFile

_NUMBER = re.compile(
    r"(?:part|page|chunk|seite|teil)[-_ ]?(\d+(?:[-_]\d+)?)(?![\dA-Za-z])|(?<!\d)(0\d{4}|000\d{9})(?=\.|$)",
    re.IGNORECASE,
)
"""`part_0_0001.csv` of Azure, `part-00000-<id>.parquet` of Spark, `name-00001.csv.gz` of AWS, `name-000000000001.json` of BigQuery."""


def part_of(file: LandedFile) -> str:
    """The number in the file's name; empty where it is no part."""
    return _cut(file)[1]


def exports_of(files: Iterable[LandedFile]) -> dict[bytes, str]:
    """By snapshot_id, the pull or the numbered files that a file is one of; files that stand alone are left out."""
    found, versions = {}, dict[str, tuple[int, set[str]]]()
    for file in sorted(files, key=lambda file: (file.observed_at, file.landing_path)):
        export, part = _cut(file)
        if file.pulled is not None:
            found[file.snapshot_id] = file.pulled.digest
        elif part:
            # An export that is written over the one before it has the same names. It may have grown by a file.
            version, parts = versions.get(export, (1, set()))
            if part in parts:
                version, parts = version + 1, set()
            versions[export] = version, parts | {part}
            found[file.snapshot_id] = f"{export} {version}"
    return found


def _cut(file: LandedFile) -> tuple[str, str]:
    """Where the export lies, without the number of this file; and the number."""
    # A file from a bucket is landed under another name than it has there.
    place = PurePosixPath(file.url or file.landing_path)
    number = _NUMBER.search(place.name)
    if number is None:
        return str(place), ""
    name = place.name[: number.start()] + place.name[number.end() :]
    return f"{file.source} {place.parent}/{name}", (number[1] or number[2]).replace("-", "_")
