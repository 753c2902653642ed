"""What one file of measurements or GPU prices states, record by record, and what of it is set aside with the reason.

Formats are in `formats/`; the rows that follow are made in `throughput.py` and `gpu_prices.py`.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import ValidationError

from pipelines.config.declaration import Declaration
from pipelines.config.selfhost import GpuPrice, Throughput

DeclarationT = TypeVar("DeclarationT", bound=Declaration)
_SHORT = 120


class HardwareFileError(ValueError):
    """A file as a whole is not of its format; the message says what is missing and holds nothing of the file."""


class HardwareRecordError(ValueError):
    """One record can't be used: a reason for machines and one in words, without the record's content."""

    def __init__(self, reason: str, detail: str) -> None:
        """`reason` is one word for machines, `detail` says what was found lacking and what is accepted."""
        super().__init__(detail)
        self.reason = reason


@dataclass(frozen=True)
class SetAside:
    """One record that is not used."""

    line_no: int
    reason: str
    detail: str
    sha256: str


@dataclass
class HardwareFile:
    """The records of one file: each gives measurements or prices, or is set aside."""

    lines: int = 0
    throughput: list[Throughput] = field(default_factory=list)
    prices: list[GpuPrice] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)


def read_records(
    records: Iterator[tuple[int, Mapping[str, Any]]], take: Callable[[Mapping[str, Any], HardwareFile], None]
) -> HardwareFile:
    """Give every record (line number, fields) to `take`; one that it refuses is set aside, and the others count."""
    found = HardwareFile()
    for line_no, record in records:
        found.lines += 1
        try:
            take(record, found)
        except HardwareRecordError as error:
            found.set_aside.append(SetAside(line_no, error.reason, str(error), _digest(record)))
        except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
            detail = f"a field is missing or of another kind ({type(error).__name__})"
            found.set_aside.append(SetAside(line_no, "wrong_shape", detail, _digest(record)))
    if not found.lines:
        raise HardwareFileError("holds no record")
    return found


def csv_records(content: bytes, needed: tuple[str, ...]) -> Iterator[tuple[int, Mapping[str, str]]]:
    """The rows of a CSV file with their line numbers. Raises HardwareFileError where a needed column is missing."""
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
        missing = [name for name in needed if name not in (reader.fieldnames or ())]
    except (UnicodeDecodeError, csv.Error) as error:
        raise HardwareFileError(f"is no CSV in UTF-8 ({type(error).__name__})") from None
    if missing:
        raise HardwareFileError(f"lacks the columns {', '.join(missing)}")
    return _rows(reader)


def _rows(reader: csv.DictReader[str]) -> Iterator[tuple[int, Mapping[str, str]]]:
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise HardwareFileError(f"is no CSV after line {reader.line_num} ({type(error).__name__})") from None


def usable(kind: type[DeclarationT], values: Mapping[str, Any]) -> DeclarationT:
    """The values as a declaration. Raises HardwareRecordError that names the field and what is accepted, never what was found."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        accepted = "is not accepted" if first["type"].startswith("value_error") else first["msg"]
        raise HardwareRecordError("not_usable", f"{name}: {accepted}"[:_SHORT]) from None


def short_name(model: str) -> str:
    """A model's name without its organisation, lower case: `zai-org/GLM-5-FP8` is `glm-5-fp8`."""
    return model.strip().rsplit("/", 1)[-1].lower()


def _digest(record: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(record, sort_keys=True, default=str).encode()).hexdigest()
