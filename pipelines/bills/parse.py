"""One landed export of a bill to its records in the store: read, type, count, and write once.

The stages are those of request files (`pipelines.records.reader`, `store`); what is different, typing, is in
`records.py`, and what is decided across exports in `ledger.py`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import polars as pl

from pipelines.bills.export_parts import part_of
from pipelines.bills.formats import build_bill_format
from pipelines.bills.records import RECORD_SCHEMA, to_records
from pipelines.config.sources import RequestSource
from pipelines.landing import LandedFile
from pipelines.records.declared import declaration_hash, undecided, with_marks
from pipelines.records.layout import Layout
from pipelines.records.number_marks import Watch
from pipelines.records.privacy import hashed_user
from pipelines.records.quarantine import quarantined_faults, quarantined_records
from pipelines.records.reader import read_batches
from pipelines.records.store import ParsedFile, Writer, load_parsed, store_once, stored_path
from pipelines.records.tally import Tally

ENGINE_VERSION = 10
"""Part of every version: raised when reading or typing changes what a record becomes."""


def parse_bill(file: LandedFile, source: RequestSource, store: Path, *, user_key: bytes | None = None) -> ParsedFile:
    """Parse `file` into `store`, unless that was done before by the same parser; its rows have RECORD_SCHEMA.

    Accepts what request files may be: JSON documents, arrays and lines, CSV and Parquet, plain, gzip or zstd. Raises
    SourceError where the declaration can't be used; whatever is wrong with the content ends in the quarantine.
    """
    bill_format = replace(build_bill_format(source), user_key=user_key)
    version = bill_version(source, user_key=user_key)
    path = stored_path(store, bill_format.name, version, file.snapshot_id)
    store_once(path, lambda: _parse(file, source, bill_format, path), file, RECORD_SCHEMA)
    return load_parsed(path, version, file.snapshot_id)


def bill_version(source: RequestSource, *, user_key: bytes | None = None) -> str:
    """The version under which `parse_bill` stores this source's files. Raises SourceError."""
    key = None if user_key is None else hashed_user("parser version", user_key)
    version = f"{ENGINE_VERSION}.{build_bill_format(source).version}"
    return ".".join(filter(None, (version, declaration_hash(source, key))))


def _parse(file: LandedFile, source: RequestSource, bill_format: Layout, path: Path) -> None:
    """Read and write the file, after a first look at its numbers where the file itself has to show how they are written."""
    if bill_format.number_marks == {}:
        seen = Watch(bill_format.counted_paths, sees_all=True)
        for batch in read_batches(file.path, bill_format, Tally()):
            seen.look(batch.texts, batch.text_paths)
        if (fault := undecided(bill_format, seen, file.path.stat().st_size)) is not None:
            with Writer(path, RECORD_SCHEMA) as writer:
                writer.write(pl.DataFrame(schema=RECORD_SCHEMA), quarantined_faults([fault], file.snapshot_id))
                file.check_unchanged()
                writer.finish()
            return
        bill_format = with_marks(bill_format, seen)
    _written(file, source, bill_format, path)


def _written(file: LandedFile, source: RequestSource, bill_format: Layout, path: Path) -> None:
    arrival = file.arrival_date or file.observed_at.date()
    seen: Counter[bytes] = Counter()
    tally = Tally()
    file.check_unchanged()
    with Writer(path, RECORD_SCHEMA) as writer:
        for batch in read_batches(file.path, bill_format, tally):
            found = to_records(
                batch.texts,
                bill_format,
                written=batch.text_paths,
                source=source.source,
                snapshot_id=file.snapshot_id,
                arrival=arrival,
                seen=seen,
                part=part_of(file),
            )
            valid = found.valid.with_columns(observed_at=pl.lit(file.observed_at)).select(RECORD_SCHEMA.names())
            quarantine = [
                quarantined_faults(batch.faults, file.snapshot_id),
                quarantined_records(found.failed, batch.record, file.snapshot_id),
            ]
            writer.write(valid.cast(RECORD_SCHEMA), pl.concat(quarantine))
        file.check_unchanged()
        writer.finish(tally=tally)
