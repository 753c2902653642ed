"""Fields that a source declares and its files don't have, judged by the head of its newest file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from pipelines.config.mistakes import Key, did_you_mean
from pipelines.config.sources import RequestSource, Sources
from pipelines.landing.names import is_landed
from pipelines.landing.tree import walk
from pipelines.outside import ANY_FAILURE
from pipelines.preflight.declarations import layout_of, lines_of_sources
from pipelines.records.file_kinds import is_parquet
from pipelines.records.line_chunks import Fault
from pipelines.records.parquet_tables import parquet_columns
from pipelines.records.reader import read_batches
from pipelines.records.tally import Tally
from pipelines.records.unpacking import Unpacked

_HEAD_BYTES = 2**18
"""As much of a file is looked at: some hundred records."""
_NESTED = 6
"""Levels of objects in which a field is looked for that was probably meant."""


def absent_fields(sources: Sources, zone: Path, folder: Path | None) -> list[str]:
    """A line for each declared field that no record at the head of the source's newest file has."""
    found: list[tuple[Key, str]] = []
    for number, source in enumerate(sources.requests):
        declared = _declared(source)
        newest = _newest(zone / "requests" / source.source, zone) if declared else None
        if newest is None:
            continue
        try:
            with tempfile.TemporaryDirectory(prefix="modelmeter-") as scratch:
                found += [
                    (("requests", number, *key), problem)
                    for key, problem in _absent(
                        source, declared, _head(newest, Path(scratch)), newest.relative_to(zone)
                    )
                ]
        except ANY_FAILURE:  # the source's declaration or its file can't be read: other lines, and the run, say so
            continue
    return lines_of_sources(found, folder, use_sample=False)


def _declared(source: RequestSource) -> dict[Key, tuple[str, ...]]:
    """The paths that the declaration names, by their keys: of several, any will do."""
    declared: dict[Key, Any] = {("attribution", name): path for name, path in source.attribution.items()}
    for option in ("columns", "tags"):
        named = source.options.get(option)
        if isinstance(named, Mapping):
            declared |= {("options", option, str(name)): path for name, path in named.items()}
    return {key: tuple(path) if isinstance(path, list) else (str(path),) for key, path in declared.items()}


def _newest(folder: Path, zone: Path) -> Path | None:
    if not folder.is_dir():
        return None
    return max((path for path in walk(folder, zone)[0] if is_landed(path.name)), default=None)


def _head(path: Path, scratch: Path) -> Path:
    """The first records of a file as a file of its own; of a Parquet file, the file itself."""
    if is_parquet(path):
        return path
    piece = next(Unpacked(path, _HEAD_BYTES, Tally()).pieces(), b"")
    head = scratch / path.name.removesuffix(".gz").removesuffix(".zst")
    whole = piece.rfind(b"\n") + 1
    head.write_bytes(piece[:whole] if len(piece) >= _HEAD_BYTES and whole else piece)
    return head


def _absent(
    source: RequestSource, declared: Mapping[Key, tuple[str, ...]], head: Path, shown: Path
) -> Iterator[tuple[Key, str]]:
    layout = replace(layout_of(source), columns_of={})  # a column that a table must have is one more field here
    texts = next(iter(read_batches(head, layout, Tally()))).texts
    if texts.is_empty():
        return
    present = {name for name in texts.columns if texts[name].null_count() < texts.height}
    names = _names(head, layout.delimiter)
    present |= {*names}  # a column that is empty throughout is there
    for key, paths in declared.items():
        if not present.intersection(paths):
            field = " or ".join(paths)
            yield key, f"no record of {shown.as_posix()} has the field {field}{did_you_mean(paths[0], names)}"


def _names(head: Path, delimiter: str) -> list[str]:
    """The fields that a file begins with, for what was probably meant: of its first JSON record, of its header, of its schema."""
    if is_parquet(head):
        columns = parquet_columns(head)
        return [] if isinstance(columns, Fault) else list(columns)
    with head.open("rb") as file:
        first = file.readline()
    try:
        return sorted(_paths(orjson.loads(first), ""))
    except orjson.JSONDecodeError:
        header = first.decode("utf-8", "replace").strip().split(delimiter)
        return [name.strip('"') for name in header]


def _paths(value: object, way: str) -> Iterator[str]:
    if isinstance(value, dict) and way.count("/") < _NESTED:
        for name, inner in value.items():
            yield f"{way}{name}"
            yield from _paths(inner, f"{way}{name}/")
