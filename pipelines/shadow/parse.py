"""One landed file of shadow measurements to its records in the store: read, type, count, and write once.

The stages are those of request files (`pipelines.records.reader`, `store`); typing is in `records.py`.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from pipelines.config.sources import RequestSource
from pipelines.landing import LandedFile
from pipelines.records.declared import declaration_hash
from pipelines.records.quarantine import quarantined_faults, quarantined_records
from pipelines.records.reader import read_batches
from pipelines.records.store import ParsedFile, Writer, load_parsed, store_once, stored_path
from pipelines.records.tally import Tally
from pipelines.shadow.formats import build_shadow_format
from pipelines.shadow.records import RECORD_SCHEMA, to_records

ENGINE_VERSION = 1
"""Part of every version: raised when reading or typing changes what a record becomes."""


def parse_shadow(file: LandedFile, source: RequestSource, store: Path) -> ParsedFile:
    """Parse `file` into `store`, unless that was done before by the same parser; its rows have RECORD_SCHEMA.

    Raises SourceError where the declaration can't be used; whatever is wrong with the content ends in the quarantine.
    """
    version = shadow_version(source)
    path = stored_path(store, source.format, version, file.snapshot_id)
    store_once(path, lambda: _parse(file, source, path), file, RECORD_SCHEMA)
    return load_parsed(path, version, file.snapshot_id)


def shadow_version(source: RequestSource) -> str:
    """The version under which `parse_shadow` stores this source's files. Raises SourceError."""
    version = f"{ENGINE_VERSION}.{build_shadow_format(source).version}"
    return ".".join(filter(None, (version, declaration_hash(source, None))))


def _parse(file: LandedFile, source: RequestSource, path: Path) -> None:
    arrival = file.arrival_date or file.observed_at.date()
    layout, tally = build_shadow_format(source), Tally()
    file.check_unchanged()
    with Writer(path, RECORD_SCHEMA) as writer:
        for batch in read_batches(file.path, layout, tally):
            found = to_records(batch.texts, layout, source=source.source, snapshot_id=file.snapshot_id, arrival=arrival)
            valid = found.valid.with_columns(observed_at=pl.lit(file.observed_at)).select(RECORD_SCHEMA.names())
            quarantine = [
                quarantined_faults(batch.faults, file.snapshot_id),
                quarantined_records(found.failed, batch.record, file.snapshot_id),
            ]
            writer.write(valid.cast(RECORD_SCHEMA), pl.concat(quarantine))
        file.check_unchanged()
        writer.finish(tally=tally)
