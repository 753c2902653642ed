"""The index of landed files: one row of raw.snapshot per file, with its counts and the parser that read it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import polars as pl

from pipelines.landing import LandedFile
from pipelines.warehouse.tables.raw import SNAPSHOT


def snapshot_row(
    file: LandedFile,
    file_format: str,
    parser_version: str,
    *,
    lines: int,
    valid: int,
    quarantined: int | None = None,
    days: Iterable[date] = (),
) -> pl.DataFrame:
    """The raw.snapshot row of one landed file; without `quarantined`, what is not valid is."""
    values = {
        "snapshot_id": file.snapshot_id,
        "kind": file.kind,
        "source": file.source,
        "format": file_format,
        "landing_path": file.landing_path,
        "sha256": file.sha256,
        "size_bytes": file.size_bytes,
        "observed_at": file.observed_at,
        "url": file.url,
        "http_status": file.http_status,
        "etag": file.etag,
        "parser_version": parser_version,
        "lines": lines,
        "valid": valid,
        "quarantined": lines - valid if quarantined is None else quarantined,
        "event_dates": sorted(days),
    }
    return pl.DataFrame([values], schema=SNAPSHOT.polars_schema)
