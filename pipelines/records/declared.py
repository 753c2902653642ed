"""What a source declares of a table of its own: how instants and numbers are written, what separates columns.

    options:
      time: {format: "%d.%m.%Y", zone: Europe/Berlin}
      delimiter: ";"
      decimal: ","
      thousands: "."
      encoding: cp1252

Every function raises SourceError naming source, option, what was found and what is accepted.
"""

from __future__ import annotations

import codecs
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipelines.config.mistakes import accepted_are
from pipelines.config.mistakes import found as shown
from pipelines.config.sources import RequestSource
from pipelines.records.conversions import TimeKind, TimeRule
from pipelines.records.day_order import OrderWatch
from pipelines.records.layout import Layout, Paths, SourceError
from pipelines.records.line_chunks import Fault, digest_of
from pipelines.records.number_marks import DECIMALS, THOUSANDS, Evidence, Marks, Watch, declared

L = TypeVar("L", bound=Layout)
TABLE_OPTIONS = ("time", "delimiter", "decimal", "thousands", "encoding")


def refused(source: RequestSource, option: str, found: object, accepted: str) -> SourceError:
    """The error of an option that can't be used."""
    key = ("options", *option.split(".", 1))
    return SourceError(source.source, key, f"found {shown(found)}, accepted: {accepted}")


def option_map(source: RequestSource, option: str) -> dict[str, Any]:
    """An option that has to be a map; an empty one where it is not given."""
    value = source.options.get(option, {})
    if not isinstance(value, dict):
        raise refused(source, option, value, "a map")
    return value


def declared_columns(source: RequestSource, fields: Iterable[str]) -> dict[str, Paths]:
    """Fields to the columns that may hold them, of option `columns`."""
    accepted = tuple(fields)
    columns: dict[str, Paths] = {}
    for field, value in option_map(source, "columns").items():
        if field not in accepted:
            raise SourceError(
                source.source, ("options", "columns", field), f"no such field; {accepted_are(field, accepted)}"
            )
        paths = value if isinstance(value, list) else [value]
        if not paths or not all(isinstance(path, str) and path for path in paths):
            raise refused(source, f"columns.{field}", value, "a column name or a list of column names")
        columns[field] = tuple(paths)
    return columns


def columns_of(columns: Mapping[str, Paths]) -> dict[str, str]:
    """Per option, the one column that a table must have; where alternatives are given, any may be absent."""
    return {f"options.columns.{field}": paths[0].split("/")[0] for field, paths in columns.items() if len(paths) == 1}


def declared_time(source: RequestSource) -> TimeRule:
    """How instants are written."""
    time = option_map(source, "time")
    unknown = sorted(set(time) - {"format", "zone", "origin"})
    if unknown:
        raise refused(source, f"time.{unknown[0]}", time[unknown[0]], "format, zone, origin")
    kind, zone, origin = str(time.get("format", "iso")), str(time.get("zone", "UTC")), time.get("origin")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise refused(source, "time.zone", zone, "an IANA time zone, for example Europe/Berlin") from None
    if origin is not None:
        origin = _origin(source, origin)
    if "%" in kind:
        return TimeRule("iso", zone=zone, pattern=kind)
    kinds: dict[str, TimeKind] = {name: name for name in get_args(TimeKind)}
    if kind not in kinds:
        accepted = f"{', '.join(kinds)} or a strptime pattern such as %d.%m.%Y %H:%M:%S"
        raise refused(source, "time.format", kind, accepted)
    # A number that counts from 1970 shows its unit by its size.
    epoch: TimeKind | None = "epoch" if "format" not in time and origin is None else None
    return TimeRule(kinds[kind], zone=zone, origin=origin, epoch=epoch)


def _origin(source: RequestSource, value: object) -> datetime:
    try:
        origin = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        raise refused(source, "time.origin", value, "an instant such as 2023-11-16T00:00:00Z") from None
    return origin if origin.tzinfo else origin.replace(tzinfo=UTC)


def declared_delimiter(source: RequestSource) -> str:
    """What separates the columns of a CSV file."""
    delimiter = source.options.get("delimiter", ",")
    if not isinstance(delimiter, str) or len(delimiter.encode()) != 1:
        raise refused(source, "delimiter", delimiter, "one character")
    return delimiter


def declared_encoding(source: RequestSource) -> str | None:
    """How the text of a file is encoded where that is not Unicode: one byte a character, as spreadsheets of Europe write it."""
    encoding = source.options.get("encoding")
    if encoding is None:
        return None
    try:
        found = codecs.lookup(encoding) if isinstance(encoding, str) else None
        bytes_of_a_text = len("1;2,3\n".encode(encoding)) if found else 0
    except (LookupError, UnicodeError):
        bytes_of_a_text = 0
    if bytes_of_a_text != len("1;2,3\n"):
        raise refused(
            source,
            "encoding",
            encoding,
            "an encoding of one byte a character, for example cp1252, iso8859-15 or mac-roman",
        )
    return str(encoding)


def declared_marks(source: RequestSource, numeric: Mapping[str, Paths]) -> dict[str, Marks]:
    """The declared marks for every column of numbers; none where the file has to show them."""
    marked: dict[str, str] = {}
    for option, accepted in (("decimal", DECIMALS), ("thousands", THOUSANDS)):
        value = source.options.get(option)
        if value is not None:
            if value not in accepted:
                raise refused(source, option, value, "one of " + ", ".join(map(repr, accepted)))
            if value == source.options.get("delimiter"):
                raise refused(source, option, value, "another character than delimiter")
            marked[option] = value
    if not marked:
        return {}
    if marked.get("decimal") == marked.get("thousands"):
        raise refused(source, "thousands", marked["thousands"], "another character than decimal")
    marks = declared(marked.get("decimal"), marked.get("thousands"))
    return {path: marks for paths in numeric.values() for path in paths}


def with_marks(layout: L, seen: Watch) -> L:
    """The layout with the marks that the whole of a file shows."""
    marks = {path: found.marks for path, found in seen.found.items() if found.marks is not None}
    return replace(layout, number_marks=marks)


def undecided(layout: Layout, seen: Watch, size_bytes: int) -> Fault | None:
    """The whole file as one fault that names the columns whose numbers can be read two ways, and the options that decide."""
    open_ones = {path: found for path, found in seen.found.items() if found != Evidence() and found.marks is None}
    if not open_ones:
        return None
    counted = [column for column in layout.columns if column.kind in ("integer", "decimal")]
    fields = {path: column.name.removeprefix("usage.") for column in counted for path in column.paths}
    columns = [
        f"options.columns.{fields[path]}: column {path!r} "
        + ("uses its marks in two ways" if found.decimal or found.thousands else "can be read both ways")
        for path, found in sorted(open_ones.items())
    ]
    detail = (
        f"{'; '.join(columns)}: a number such as 1.234 or 1,234 may be a thousand or a fraction; say which, for example "
        "options.decimal: '.' (1.234 is below two) or options.decimal: ',' (1.234 is a thousand), with options.thousands"
    )
    return Fault(1, 0, size_bytes, "undecided_marks", detail, digest_of(b""))


def with_days(layout: L, seen: OrderWatch) -> L:
    """The layout with the order of day and month that the whole of a file proves."""
    return replace(layout, time=replace(layout.time, days=seen.order))


def undecided_days(layout: Layout, seen: OrderWatch, size_bytes: int) -> Fault | None:
    """The whole file as one fault where a source could declare how its days are written, and the file does not prove it."""
    if layout.number_marks is None or seen.order is not None or not seen.is_most:
        return None
    columns = " or ".join(layout.instants.get("event_at", ()))
    detail = (
        f"options.columns.event_at: column {columns!r} has days such as 02/12/2026, and nothing in it proves, or not everything agrees, "
        "what comes first; say it, for example options.time: {format: '%d/%m/%Y %H:%M:%S'} or {format: '%m/%d/%Y %I:%M:%S %p'}"
    )
    return Fault(1, 0, size_bytes, "undecided_days", detail, digest_of(b""))


def declaration_hash(source: RequestSource, key: str | None) -> str:
    """A short hash of what a source declares and of its key, empty where there is neither: other rows, other version."""
    given = {"attribution": source.attribution, "defaults": source.defaults, "options": source.options, "key": key}
    if not any(given.values()):
        return ""
    return hashlib.sha256(json.dumps(given, sort_keys=True, default=str).encode()).hexdigest()[:8]
