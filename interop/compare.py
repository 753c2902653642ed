"""What modelmeter makes of what an emitter wrote, against the book of what was served: calls, buckets and money of every model.

Files are parsed and duplicates removed by the pipeline's own steps. Money is what the buckets come to at prices of their own for each, so
that no two mistakes cancel out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from interop.script import BUCKETS
from pipelines.config.sources import LookAlike, RequestFormat, RequestSource
from pipelines.ids import id_bytes
from pipelines.landing import LandedFile, land
from pipelines.requests import Preferences, collect_days, parse_file

PRICES = dict(zip(BUCKETS, map(Decimal, ("3", "0.3", "3.75", "6", "3.77", "15", "15.01")), strict=True))
"""Dollars for a million tokens."""
COUNTED = {"rerank_search": Decimal(2_000), "document_page": Decimal(4_000), "annotated_document_page": Decimal(5_000)}
"""Dollars for a million of what is charged in place of tokens."""
_COLUMNS = {**{name: f"{name}_tokens" for name in BUCKETS}, **{name: f"{name}_count" for name in COUNTED}}


@dataclass
class Sum:
    """Of one model: calls, tokens by bucket, and how many calls have no usage."""

    calls: int = 0
    unknown: int = 0
    buckets: Counter[str] = field(default_factory=Counter)

    @property
    def usd(self) -> Decimal:
        """What the buckets cost."""
        return sum(((PRICES | COUNTED)[name] * count for name, count in self.buckets.items()), Decimal()) / 1_000_000


@dataclass(frozen=True)
class Difference:
    """A model of which the book says something else; `served` and `read` in words."""

    model: str
    served: str
    read: str


def by_model(rows: Iterable[Mapping[str, Any]]) -> dict[str, Sum]:
    """Rows of core.request by the model that was asked for."""
    sums: dict[str, Sum] = defaultdict(Sum)
    for row in rows:
        found = sums[row["request_model"] or row["response_model"] or "no model"]
        found.calls += 1
        found.unknown += row["usage_basis"] in ("missing", "partial")
        found.buckets.update({name: row[column] for name, column in _COLUMNS.items() if row.get(column)})
    return sums


def of_book(lines: Iterable[Mapping[str, Any]]) -> dict[str, Sum]:
    """The book by model: a call that was refused or left has no usage."""
    sums: dict[str, Sum] = defaultdict(Sum)
    for line in lines:
        found = sums[line["model"]]
        found.calls += 1
        found.unknown += line["status"] != "ok"
        if line["status"] == "ok":
            found.buckets.update({name: count for name, count in line["buckets"].items() if count})
    return sums


def read_requests(
    zone: Path,
    format_name: RequestFormat,
    contents: Sequence[tuple[str, bytes]],
    look_alikes: Sequence[LookAlike] = (),
    *,
    is_strict: bool = True,
) -> list[dict[str, Any]]:
    """The requests that are left of these files (suffix and content), as the pipeline reads them.

    Raises AssertionError where a record is set aside, unless the files are of people, who may break them (`is_strict`).
    """
    source = RequestSource.model_validate({"source": "interop", "format": format_name})
    now = datetime.now(UTC)
    files: list[LandedFile] = [
        land(
            zone,
            "requests",
            "interop",
            content,
            suffix=suffix,
            fetched_at=now,
            url=None,
            tag=id_bytes(str(number)).hex()[:8],
        )
        for number, (suffix, content) in enumerate(contents)
    ]
    parsed = [parse_file(file, source, zone / "store") for file in files]
    broken = [row for one in parsed for row in one.quarantine.to_dicts() if row["severity"] != "info"]
    if broken and is_strict:
        raise AssertionError(f"set aside: {Counter(row['reason'] for row in broken)}")
    days = sorted({day for one in parsed for day in one.event_dates})
    found = collect_days(
        [one.path for one in parsed],
        days[0],
        days[-1] + timedelta(days=1),
        preferences=Preferences({}, tuple(look_alikes)),
    )
    return found.requests.to_dicts()


def differences(book: Mapping[str, Sum], read: Mapping[str, Sum]) -> list[Difference]:
    """Every model of which calls, buckets or money are not the same."""
    found = []
    for model in sorted({*book, *read}):
        served, got = book.get(model, Sum()), read.get(model, Sum())
        if (served.calls, served.unknown, served.buckets, served.usd) != (got.calls, got.unknown, got.buckets, got.usd):
            found.append(Difference(model, in_words(served), in_words(got)))
    return found


def in_words(found: Sum) -> str:
    """Calls and buckets in one line."""
    tokens = ", ".join(f"{name} {count}" for name, count in sorted(found.buckets.items()))
    unknown = f" ({found.unknown} without usage)" if found.unknown else ""
    return f"{found.calls} calls{unknown}: {tokens or 'no tokens'}; ${found.usd:f}"
