"""One landed file to its request facts in the store: read, normalise, count, and write once.

The stages are in modules of their own (`records/reader.py`, `normalise.py`, `records/store.py`); what is decided across files,
duplicates and attribution, is in `collect.py` and `attribution.py`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import polars as pl

from pipelines.config.sources import RequestSource
from pipelines.landing import LandedFile
from pipelines.records.batches import Batch
from pipelines.records.day_order import OrderWatch
from pipelines.records.declared import declaration_hash, undecided, undecided_days, with_days, with_marks
from pipelines.records.line_chunks import digest_of
from pipelines.records.number_marks import Watch
from pipelines.records.privacy import hashed_user
from pipelines.records.quarantine import quarantined_faults, quarantined_records
from pipelines.records.reader import read_finished
from pipelines.records.store import ParsedFile, Writer, load_parsed, store_once, stored_path
from pipelines.records.tally import Tally
from pipelines.requests.format import Format
from pipelines.requests.formats import build_format
from pipelines.requests.normalise import STORED_SCHEMA, normalise, normalise_typed
from pipelines.warehouse.tables.raw import QUARANTINE

ENGINE_VERSION = 35
"""Part of every parser version: raised when reading or normalising changes what a record becomes."""


HOPELESS_RECORDS = 250_000
"""A file is given up where so many records, from its first on, are broken: it is a bomb, or of another format."""


def parse_file(file: LandedFile, source: RequestSource, store: Path, *, user_key: bytes | None = None) -> ParsedFile:
    """Parse `file` into `store` in bounded memory, unless that was done before by the same parser and declaration.

    Accepts JSONL, JSON arrays and documents, CSV and Parquet, plain, gzip or zstd, recognised by content. Raises SourceError where the declaration of
    the source can't be used; whatever is wrong with the file's content ends in its quarantine, and LandingError where it changed or vanished since it
    was listed. With `user_key` end users are kept as a keyed hash only, in rows and quarantine alike.
    """
    log_format = replace(build_format(source), user_key=user_key)
    version = _version(log_format, source)
    path = stored_path(store, log_format.name, version, file.snapshot_id)
    store_once(path, lambda: _parse(file, source, log_format, path), file, STORED_SCHEMA)
    return load_parsed(path, version, file.snapshot_id)


def parser_version(source: RequestSource, *, user_key: bytes | None = None) -> str:
    """The version under which `parse_file` would store this source's files. Raises SourceError."""
    return _version(replace(build_format(source), user_key=user_key), source)


def _version(log_format: Format, source: RequestSource) -> str:
    """Engine and format version, and a hash of the declaration and key where there are any: other rows, other version."""
    key = None if log_format.user_key is None else hashed_user("parser version", log_format.user_key)
    return ".".join(filter(None, (f"{ENGINE_VERSION}.{log_format.version}", declaration_hash(source, key))))


def _parse(file: LandedFile, source: RequestSource, log_format: Format, path: Path) -> None:
    """Read and write the file, once more where texts in it can be read two ways and the whole of it has to decide."""
    watch = Watch(log_format.counted_paths) if log_format.number_marks == {} else None
    dated = log_format.instants.get("event_at", ())
    days = OrderWatch(dated)
    if _written(file, source, log_format, path, watch=watch, days=days) and not days.is_written_so:
        return
    whole, all_days = Watch(log_format.counted_paths, sees_all=True), OrderWatch(dated)
    for _ in read_finished(file.path, log_format, partial(_looked_at, watch=whole, days=all_days)):
        pass
    size, decided, fault = file.path.stat().st_size, log_format, None
    if watch is not None and not watch.is_plain:
        fault, decided = undecided(log_format, whole, size), with_marks(log_format, whole)
    if days.is_written_so:
        fault, decided = fault or undecided_days(log_format, all_days, size), with_days(decided, all_days)
    if fault is not None:
        with Writer(path, STORED_SCHEMA) as writer:
            rows = pl.DataFrame(schema=STORED_SCHEMA)
            writer.write(rows, quarantined_faults([fault], file.snapshot_id))
            file.check_unchanged()
            writer.finish(_origin(file))
        return
    _written(file, source, decided, path)


def _looked_at(batch: Batch, watch: Watch, days: OrderWatch | None = None) -> None:
    for frame in (batch.texts, *([] if batch.typed is None else [batch.typed])):
        watch.look(frame, batch.text_paths if frame is batch.texts else frozenset(frame.columns))
        if days is not None:
            days.look(frame)


def _written(
    file: LandedFile,
    source: RequestSource,
    log_format: Format,
    path: Path,
    *,
    watch: Watch | None = None,
    days: OrderWatch | None = None,
) -> bool:
    """Whether the file was read and written to `path`; not so where `watch` saw texts that can be read two ways. `days` sees what
    of the instants could not be read."""
    arrival = file.arrival_date or file.observed_at.date()
    facts = partial(
        _facts,
        log_format=log_format,
        source=source.source,
        snapshot_id=file.snapshot_id,
        arrival=arrival,
        watch=watch,
        days=days,
    )
    file.check_unchanged()
    valid = broken = 0
    tally: Tally | None = Tally()
    with Writer(path, STORED_SCHEMA) as writer:
        for rows, quarantine, spans in read_finished(file.path, log_format, facts, tally):
            writer.write(rows, quarantine, spans)
            valid, broken = valid + rows.height, broken + int((quarantine["severity"] == "error").sum())
            if not valid and broken >= HOPELESS_RECORDS:
                writer.write(rows, _hopeless(quarantine, broken))
                tally = None  # what was not read was not counted either
                break
        if watch is not None and not watch.is_plain:
            return False
        file.check_unchanged()
        writer.finish(_origin(file), tally)
    return True


def _origin(file: LandedFile) -> tuple[str, str, str]:
    return file.observed_at.isoformat(), file.landing_path, file.snapshot_id.hex()


def _facts(
    batch: Batch,
    *,
    log_format: Format,
    source: str,
    snapshot_id: bytes,
    arrival: date,
    watch: Watch | None = None,
    days: OrderWatch | None = None,
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The valid rows of a batch, its quarantined records, and which spans these were; rows read as typed columns that break a
    rule are read again."""
    if watch is not None:
        _looked_at(batch, watch)
    texts, faults, quick = batch.texts, list(batch.faults), None
    if batch.typed is not None and batch.reread is not None and batch.typed.height:
        quick, broken = normalise_typed(
            batch.typed, log_format, source=source, snapshot_id=snapshot_id, arrival=arrival
        )
        if broken.any():
            again = batch.reread(broken)
            texts, faults = (
                pl.concat([texts, again.texts.select(texts.columns)]).sort("line_no"),
                [*faults, *again.faults],
            )
            if texts.height + len(again.faults) != batch.texts.height + broken.sum():
                raise AssertionError(f"{batch.texts.height} and {broken.sum()} lines became {texts.height} records")
    result = normalise(
        texts, log_format, source=source, snapshot_id=snapshot_id, arrival=arrival, written=batch.text_paths
    )
    if result.valid.height + result.failed.height != texts.height:
        raise AssertionError(f"{texts.height} records became {result.valid.height} and {result.failed.height}")
    if days is not None and (result.failed["reason"] == "not_an_instant").any():
        days.look(texts)
    quarantine = pl.concat(
        [quarantined_faults(faults, snapshot_id), quarantined_records(result.failed, batch.record, snapshot_id)]
    )
    if quick is None:
        return result.valid, quarantine, result.spans
    valid = pl.concat([quick, result.valid]).sort("line_no") if result.valid.height else quick
    return valid, quarantine, result.spans


def _hopeless(last: pl.DataFrame, broken: int) -> pl.DataFrame:
    """The rest of a file in which nothing is valid, as one record that begins where reading stopped."""
    detail = f"none of the first {broken} records is valid: the rest was not read; is the format of the source right?"
    line_no, end = last.select(pl.col("line_no").max() + 1, pl.col("byte_to").max().fill_null(0)).row(0)
    row = (last["snapshot_id"][0], line_no, 0, end, end, "nothing_valid", "error", detail, None, digest_of(b""))
    return pl.DataFrame([row], schema=QUARANTINE.polars_schema, orient="row")
