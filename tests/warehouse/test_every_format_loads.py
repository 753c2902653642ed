"""Whatever a parser lets through, Postgres takes: rows of damaged lines of every format, with all checks of the table."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from pathlib import Path

import polars as pl

from pipelines.bills import bitemporal, parse_bill
from pipelines.config.loader import load_file
from pipelines.config.models import ModelsConfig
from pipelines.config.sources import BILL_FORMATS, RequestSource
from pipelines.models import build_registry
from pipelines.shadow import collect, parse_shadow
from pipelines.warehouse.database import Database
from pipelines.warehouse.replace import replace_all, replace_days
from pipelines.warehouse.tables.bills import BILL_DUPLICATE, REPORTED_COST
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.core_shadow import SHADOW_REQUEST
from tests.unit.bills.reports import REPORTS
from tests.unit.bills.reports import source as bill_source
from tests.unit.requests.helpers import all_days, landed, parse, rows
from tests.unit.requests.samples import SAMPLES
from tests.unit.requests.test_fuzz import damaged
from tests.unit.shadow.record import GOOD

LINES = 400


def _file(path: Path, whole: dict[str, object], seed: str) -> Path:
    chance = random.Random(seed)
    line = json.dumps(whole).encode()
    path.write_bytes(b"\n".join([line, *(damaged(line, chance) for _ in range(LINES))]) + b"\n")
    return path


def test_requests_of_every_format(tmp_path: Path, database: Database) -> None:
    loaded = 0
    for sample in SAMPLES:
        parsed = parse(
            _file(tmp_path / f"{sample.format}.jsonl", sample.record, sample.format),
            sample.format,
            **sample.declared,
        )
        found = all_days([parsed]).requests.with_columns(
            resolution_method=pl.lit("unresolved"), unpriced_reason=pl.lit("model_unresolved")
        )
        missing = [
            pl.lit(None, dtype=c.polars_type).alias(c.name) for c in REQUEST.columns if c.name not in found.columns
        ]
        frame = found.with_columns(missing).select(REQUEST.polars_schema.names())
        for day in frame["event_date"].unique().sort():
            replace_days(database, REQUEST, frame.filter(pl.col("event_date") == day), day, day + timedelta(days=1))
        loaded += frame.height
    assert loaded > 4 * len(SAMPLES)


def test_shadow_measurements(tmp_path: Path, database: Database) -> None:
    path = _file(tmp_path / "measured.jsonl", GOOD, "shadow")
    source = RequestSource.model_validate({"source": "lab", "format": "shadow"})
    found = rows(parse_shadow(landed(path, "lab"), source, tmp_path / "store"))
    loaded = collect(found, build_registry(load_file(ModelsConfig, "models.yaml", None), []))
    assert replace_all(database, SHADOW_REQUEST, loaded) > 20


def test_bills_of_every_format(tmp_path: Path, database: Database) -> None:
    frames = []
    for format_name in BILL_FORMATS:
        page = REPORTS[format_name]
        path = _file(tmp_path / f"{format_name}.jsonl", {**page, "data": page["data"][:1]}, format_name)
        frames.append(rows(parse_bill(landed(path, "bill"), bill_source(format_name), tmp_path / "store")))
    ledger = bitemporal(pl.concat(frames))
    unresolved = ledger.rows.with_columns(
        model_id=pl.lit(None, dtype=pl.String), resolution_method=pl.lit("unresolved")
    )
    assert replace_all(database, REPORTED_COST, unresolved.select(REPORTED_COST.polars_schema.names())) > 20
    assert replace_all(database, BILL_DUPLICATE, ledger.duplicates) > 100
