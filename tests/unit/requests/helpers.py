"""Short ways for tests to land a file, parse it and look at what became of it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Sequence
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.config.sources import RequestSource
from pipelines.ids import id_bytes
from pipelines.landing import LandedFile
from pipelines.requests import DayRequests, ParsedFile, Preferences, collect_days, parse_file
from pipelines.requests.shared_keys import NO_PREFERENCES
from tests.unit.requests.samples import SAMPLES

ARRIVAL = date(2026, 2, 14)
"""Arrival date of files whose date does not matter: later than every event in the tests' own records."""


def landed(path: Path, source: str = "gateway", arrival: date | None = ARRIVAL) -> LandedFile:
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    landing_path = f"requests/{source}/{arrival}/{path.name}"
    observed = datetime.combine(arrival or ARRIVAL, datetime.min.time(), UTC)
    return LandedFile(
        kind="requests",
        source=source,
        path=path,
        landing_path=landing_path,
        arrival_date=arrival,
        observed_at=observed,
        sha256=digest,
        size_bytes=len(content),
        snapshot_id=id_bytes(landing_path, digest),
    )


def source_of(format_name: str, **declared: Any) -> RequestSource:
    return RequestSource.model_validate({"source": "gateway", "format": format_name, **declared})


def parse(
    path: Path, format_name: str, *, arrival: date | None = ARRIVAL, user_key: bytes | None = None, **declared: Any
) -> ParsedFile:
    source = source_of(format_name, **declared)
    parsed = parse_file(landed(path, source.source, arrival), source, path.parent / "store", user_key=user_key)
    assert parsed.lines == parsed.valid + parsed.quarantined
    assert parsed.quarantined == parsed.quarantine.height
    return parsed


def parse_records(
    folder: Path, format_name: str, records: Iterable[object], name: str = "", **declared: Any
) -> ParsedFile:
    """Parse a file of these lines; files of the same content need a `name` to be different files."""
    lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]
    path = folder / f"{name}{digest}.jsonl"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return parse(path, format_name, **declared)


def rows(parsed: ParsedFile) -> pl.DataFrame:
    return pl.read_parquet(parsed.path)


def row(parsed: ParsedFile) -> dict[str, Any]:
    assert parsed.valid == 1, parsed.quarantine.select("reason", "detail").to_dicts()
    return rows(parsed).row(0, named=True)


def the_fault(parsed: ParsedFile) -> dict[str, Any]:
    assert (parsed.valid, parsed.quarantined) == (0, 1)
    return parsed.quarantine.row(0, named=True)


def all_days(parsed: Sequence[ParsedFile], preferences: Preferences = NO_PREFERENCES) -> DayRequests:
    days = sorted({day for file in parsed for day in file.event_dates})
    paths = [file.path for file in parsed]
    return collect_days(paths, days[0], days[-1] + timedelta(days=1), preferences=preferences)


def buckets(found: dict[str, Any]) -> dict[str, int]:
    """The token buckets that are not 0, without their suffix."""
    return {name.removesuffix("_tokens"): count for name, count in found.items() if name.endswith("_tokens") and count}


def sample(name: str) -> dict[str, Any]:
    return deepcopy(next(item.record for item in SAMPLES if item.format == name))


def landed_bytes(folder: Path, content: bytes, format_name: str, name: str = "a.json", **declared: Any) -> Any:
    (folder / name).write_bytes(content)
    return parse(folder / name, format_name, **declared)


def as_csv(*records: dict[str, Any]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(records[0]))
    writer.writeheader()
    writer.writerows([{k: json.dumps(v) if isinstance(v, dict | list) else v for k, v in r.items()} for r in records])
    return out.getvalue().encode()
