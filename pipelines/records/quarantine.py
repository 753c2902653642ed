"""What of a batch is set aside, as rows of raw.quarantine: records that could not be read, and records that broke a rule."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from pipelines.records.batches import Record
from pipelines.records.line_chunks import Fault, digest_of
from pipelines.warehouse.tables.raw import QUARANTINE


def quarantined_faults(faults: Iterable[Fault], snapshot_id: bytes) -> pl.DataFrame:
    """Faults of reading as rows of raw.quarantine."""
    rows = [
        (snapshot_id, f.line_no, f.item_no, f.byte_from, f.byte_to, f.reason, f.severity, f.detail, None, f.sha256)
        for f in faults
    ]
    return pl.DataFrame(rows, schema=QUARANTINE.polars_schema, orient="row") if rows else QUARANTINE.empty()


def quarantined_records(failed: pl.DataFrame, record: Record, snapshot_id: bytes) -> pl.DataFrame:
    """Records that broke a rule (`rules.failed_records`) as rows of raw.quarantine; `record` gives their bytes by place."""
    if failed.is_empty():
        return QUARANTINE.empty()
    digests = [digest_of(record(*place)) for place in failed.select("line_no", "byte_from", "byte_to").iter_rows()]
    rows = failed.with_columns(
        snapshot_id=pl.lit(snapshot_id),
        record_sha256=pl.Series(digests, dtype=pl.String),
        detail=pl.col("detail").str.replace_all("\x00", "\ufffd", literal=True),
    )
    return rows.select(QUARANTINE.polars_schema.names()).cast(QUARANTINE.polars_schema)
