"""Files as other programs write them: other encodings, types of Parquet that few writers use, numbers that are none."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.records.layout import SourceError
from tests.unit.requests.helpers import buckets, landed_bytes, row, rows, the_fault

COLUMNS = {"event_at": "t", "model": "model", "input": "in", "output": "out", "reported_cost_usd": "cost"}
AT = datetime(2026, 2, 12, 10, 20, 30, tzinfo=UTC)
OPENAI = {
    "id": "chatcmpl-CzPqJ4V8mHk2QxT7",
    "created": 1770891630,
    "model": "gpt-5",
    "usage": {"prompt_tokens": 10, "completion_tokens": 20},
}


def of_table(folder: Path, **columns: pa.Array) -> dict[str, Any]:
    held = {
        "t": pa.array([AT]),
        "model": pa.array(["gpt-5"]),
        "in": pa.array([10]),
        "out": pa.array([20]),
        "cost": pa.array([0.5]),
    }
    out = io.BytesIO()
    pq.write_table(pa.table(held | columns), out)
    return row(landed_bytes(folder, out.getvalue(), "mapping", "a.parquet", options={"columns": COLUMNS}))


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "+05:30", "-03:00"])
def test_an_instant_of_any_zone_is_the_same_instant(tmp_path: Path, unit: str, zone: str) -> None:
    """A zone that is an offset ended the reading of the file."""
    found = of_table(tmp_path, t=pa.array([AT], pa.timestamp(unit, "UTC")).cast(pa.timestamp(unit, zone)))
    assert found["event_at"] == AT


@pytest.mark.parametrize(
    "kind", [pa.decimal128(30, 3), pa.decimal128(20, 0), pa.decimal256(60, 18), pa.uint64(), pa.float32(), pa.int8()]
)
def test_a_count_of_any_type_is_that_count(tmp_path: Path, kind: pa.DataType) -> None:
    """10.000 of a decimal with three places set the whole file aside: it might have been ten thousand."""
    counts = [Decimal(10)] if pa.types.is_decimal(kind) else [10]
    assert buckets(of_table(tmp_path, **{"in": pa.array(counts, kind)})) == {"input_uncached": 10, "output_text": 20}


@pytest.mark.parametrize("kind", [pa.decimal128(38, 18), pa.decimal256(60, 18), pa.decimal128(10, 3)])
def test_an_amount_keeps_its_digits(tmp_path: Path, kind: pa.DataType) -> None:
    assert of_table(tmp_path, cost=pa.array([Decimal("1.234")], kind))["reported_cost_usd"] == Decimal("1.234")


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.large_string()])
def test_a_text_that_its_writer_did_not_mark_as_one_is_read(tmp_path: Path, kind: pa.DataType) -> None:
    assert of_table(tmp_path, model=pa.array([b"gpt-5"]).cast(kind))["request_model"] == "gpt-5"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_costs_its_field_only(tmp_path: Path, value: float) -> None:
    """Python and pandas write NaN into JSON where a number is unknown: the whole line was set aside."""
    content = "\n".join(json.dumps({**OPENAI, "id": f"chatcmpl-{n:024d}", "latency_ms": value}) for n in range(200))
    found = rows(landed_bytes(tmp_path, content.encode(), "openai_chat"))
    assert (found.height, set(found["latency_ms"]), set(found["input_uncached_tokens"])) == (200, {None}, {10})


@pytest.mark.parametrize("encoding", ["windows-1252", "utf-16", "utf-32", "mac-roman"])
def test_a_declared_or_marked_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    content = "t;model;in;out;cost;team\n2026-02-12T10:20:30Z;gpt-5;10;20;0,5;München\n".encode(encoding)
    options = {"columns": {**COLUMNS, "team": "team"}, "decimal": ","}
    options |= {} if encoding.startswith("utf") else {"encoding": encoding}
    found = row(landed_bytes(tmp_path, content, "mapping", "a.csv", options=options))
    assert (found["team"], found["reported_cost_usd"], buckets(found)["input_uncached"]) == (
        "München",
        Decimal("0.5"),
        10,
    )


def test_an_encoding_is_of_texts_without_a_byte_order_mark_and_has_to_exist(tmp_path: Path) -> None:
    content = json.dumps({**OPENAI, "user": "Zoë"}, ensure_ascii=False).encode()
    assert (
        the_fault(landed_bytes(tmp_path, content.replace("ë".encode(), b"\xeb"), "openai_chat"))["reason"] == "not_utf8"
    )
    assert row(landed_bytes(tmp_path, b"\xef\xbb\xbf" + content, "openai_chat", options={"encoding": "latin-1"}))[
        "end_user_id"
    ]
    with pytest.raises(SourceError, match=r"encoding.*cp1252"):
        landed_bytes(tmp_path, content, "openai_chat", options={"encoding": "ansi-2"})


@pytest.mark.parametrize(("zone", "hour"), [("UTC", 10), ("Europe/Berlin", 9)])
def test_the_days_of_a_workbook_are_instants(tmp_path: Path, zone: str, hour: int) -> None:
    content = b"t,model,in,out,cost\n46065.4309027778,gpt-5,10,20,0.5\n46065,gpt-5,11,20,0.5\n"
    options = {"columns": COLUMNS, "time": {"format": "excel", "zone": zone}}
    first, second = rows(landed_bytes(tmp_path, content, "mapping", "a.csv", options=options))["event_at"].sort(
        descending=True
    )
    assert (first, (first - second).total_seconds()) == (AT.replace(hour=hour), 37230)
