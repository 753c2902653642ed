"""Keeps board snapshots in the cache of parsed files: an export is not read again by the same format.

The cache itself is `pipelines.landing.parse_cache`, reading is `formats/`.
"""

from __future__ import annotations

from datetime import UTC
from pathlib import Path
from typing import Any, get_type_hints

import polars as pl
from pydantic import BaseModel, ConfigDict, create_model

from pipelines.benchmarks.formats import parse_board
from pipelines.benchmarks.items import ITEM_SCHEMA
from pipelines.benchmarks.observation import PARSER_VERSION, ROW_SCHEMA, BoardSnapshot, Observation
from pipelines.config.sources import Leaderboard
from pipelines.landing import LandedFile
from pipelines.landing.parse_cache import CachedParse, StaleCacheError, cache_folder, cached
from pipelines.warehouse.tables.raw import QUARANTINE

DECIDES = (
    "pipelines.benchmarks",
    "pipelines.uncertainty",
    "pipelines.grouped",
    "pipelines.landing",
    "pipelines.pages",
    "pipelines.records.oriented",
)
"""The code and data that make an export into observations."""
_FRAMES = {"rows": ROW_SCHEMA, "items": ITEM_SCHEMA}

_FACT_FIELDS: dict[str, Any] = {
    name: (kind, ...) for name, kind in get_type_hints(Observation).items() if name not in _FRAMES
}
_JSON = ConfigDict(ser_json_inf_nan="constants", ser_json_bytes="base64", val_json_bytes="base64")
_ObservationFacts = create_model("_ObservationFacts", __config__=_JSON, **_FACT_FIELDS)
"""An observation without its frames."""


class _Facts(BaseModel):
    """A snapshot without its frames."""

    model_config = _JSON

    lines: int
    valid: int
    observations: tuple[_ObservationFacts, ...]


def cached_board(file: LandedFile, board: Leaderboard, store: Path) -> BoardSnapshot:
    """What `parse_board` makes of `file`; from `store` if it was read before. Raises what `parse_board` raises."""
    return cached(
        board_folder(board, store),
        file,
        lambda: parse_board(file, board),
        _pack,
        lambda entry: _unpack(entry, file),
    )


def board_folder(board: Leaderboard, store: Path) -> Path:
    """The folder of a board's exports, as the code of today reads them."""
    return cache_folder(store, f"leaderboards/{board.format}-{PARSER_VERSION}", board.options, *DECIDES)


def _pack(snapshot: BoardSnapshot) -> CachedParse:
    stored = [
        _ObservationFacts.model_construct(**{name: getattr(item, name) for name in _ObservationFacts.model_fields})
        for item in snapshot.observations
    ]
    facts = _Facts.model_construct(lines=snapshot.lines, valid=snapshot.valid, observations=tuple(stored))
    frames = {
        f"{name}-{number}": getattr(item, name) for number, item in enumerate(snapshot.observations) for name in _FRAMES
    }
    return CachedParse(facts.model_dump_json().encode(), {"quarantine": snapshot.quarantine, **frames})


def _unpack(entry: CachedParse, file: LandedFile) -> BoardSnapshot:
    facts = _Facts.model_validate_json(entry.facts)
    observations = []
    for number, stored in enumerate(facts.observations):
        values: dict[str, Any] = {name: getattr(stored, name) for name in _ObservationFacts.model_fields}
        values["observed_at"] = values["observed_at"].astimezone(UTC)
        values |= {name: _of(entry.frames[f"{name}-{number}"], schema) for name, schema in _FRAMES.items()}
        observations.append(Observation(**values))
    quarantine = _of(entry.frames["quarantine"], QUARANTINE.polars_schema)
    return BoardSnapshot(file, tuple(observations), quarantine, facts.lines, facts.valid)


def _of(frame: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    if frame.schema != schema:
        raise StaleCacheError(f"a frame with {frame.schema}, where {schema} is expected")
    return frame
