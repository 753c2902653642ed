"""CSV and Parquet: quotes, line breaks and broken records shift nothing, places are exact, nested text is opened."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from pipelines.records import csv_tables
from pipelines.records.layout import SourceError
from pipelines.records.line_chunks import Chunk, chunks
from pipelines.records.tables import known_columns
from pipelines.records.tally import Tally
from tests.unit.requests.helpers import parse, row, rows, source_of

MAPPED = {
    "columns": {"event_at": "at", "input": "in", "output": "out", "source_request_id": "id", "end_user_id": "who"}
}


def csv(folder: Path, text: str | bytes, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_quotes_delimiters_and_line_breaks_inside_fields_shift_nothing(tmp_path: Path) -> None:
    text = 'id,at,who,in,out\r\na,2026-02-13 10:00:00,"x, ""y""\nz",1,2\r\nb,2026-02-13 10:00:01,,3,4\r\n\r\nc,2026-02-13 10:00:02,"",5,6'
    parsed = parse(csv(tmp_path, text), "mapping", options=MAPPED)
    found = rows(parsed)
    assert found["source_request_id"].to_list() == ["a", "b", "c"]
    assert found["end_user_id"].to_list() == ['x, "y"\nz', None, None]
    assert found["line_no"].to_list() == [2, 4, 6]
    assert found["input_uncached_tokens"].to_list() == [1, 3, 5]


def test_a_record_with_a_wrong_number_of_fields_is_set_aside_with_its_bytes(tmp_path: Path) -> None:
    text = "id,at,who,in,out\na,2026-02-13,x,1,2\nb,2026-02-13,x,1\nc,2026-02-13,x,1,2,3\nd,2026-02-13,x,7,8\n"
    parsed = parse(csv(tmp_path, text), "mapping", options=MAPPED)
    assert rows(parsed)["source_request_id"].to_list() == ["a", "d"]
    assert parsed.quarantine.select("line_no", "reason").rows() == [(3, "wrong_field_count"), (4, "wrong_field_count")]
    start, end = parsed.quarantine.select("byte_from", "byte_to").row(0)
    assert text[start:end] == "b,2026-02-13,x,1\n"


def test_columns_of_one_name_are_believed_where_they_agree(tmp_path: Path) -> None:
    text = "id,at,in,out,in,other,other\na,2026-02-13,1,2,1,x,y\nb,2026-02-13,3,4,5,x,y\nc,2026-02-13,6,7,6,x,y\n"
    options = {"columns": {name: column for name, column in MAPPED["columns"].items() if column != "who"}}
    parsed = parse(csv(tmp_path, text), "mapping", options=options)
    assert rows(parsed)["source_request_id"].to_list() == ["a", "c"]
    assert parsed.quarantine.select("line_no", "reason").rows() == [(3, "ambiguous_column")]


def test_a_quote_that_is_never_closed_costs_one_line(tmp_path: Path) -> None:
    text = 'id,at,who,in,out\na,2026-02-13,x,1,2\nb,2026-02-13,"open,1,2\nc,2026-02-13,x,3,4\nd,2026-02-13,x,5,6\n'
    parsed = parse(csv(tmp_path, text), "mapping", options=MAPPED)
    assert rows(parsed)["source_request_id"].to_list() == ["a", "c", "d"]
    assert parsed.quarantine.select("line_no", "reason").rows() == [(3, "not_csv")]


@pytest.mark.slow
def test_records_are_found_alike_however_the_file_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "id,at,who,in,out\n" + "".join(f'{n},2026-02-13,"a\n""{n}""",{n},{n}\n' for n in range(300))
    whole = rows(parse(csv(tmp_path, text), "mapping", options=MAPPED))
    monkeypatch.setattr("pipelines.records.file_kinds.chunks", tabular_chunks)
    cut = rows(parse(csv(tmp_path, text, "b.csv"), "mapping", options=MAPPED))
    place = ["snapshot_id"]
    assert whole.drop(place).equals(cut.drop(place))
    assert whole["line_no"].to_list() == [2 + 2 * n for n in range(300)]


def tabular_chunks(path: Path, tally: Tally, *, encoding: str | None = None) -> Iterator[Chunk]:
    return chunks(path, tally, encoding=encoding, chunk_bytes=97)


def test_a_long_open_quote_does_not_swallow_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_tables, "MAX_CSV_RECORD_BYTES", 200)
    rest = "".join(f"{n},2026-02-13,x,{n},{n}\n" for n in range(50))
    parsed = parse(csv(tmp_path, 'id,at,who,in,out\nq,2026-02-13,"open,1,2\n' + rest), "mapping", options=MAPPED)
    assert (parsed.valid, parsed.quarantined) == (50, 1)


def test_bytes_that_are_not_utf8_cost_their_record_only(tmp_path: Path) -> None:
    text = b"id,at,who,in,out\na,2026-02-13,caf\xe9,1,2\nb,2026-02-13,ok,3,4\n"
    parsed = parse(csv(tmp_path, text), "mapping", options=MAPPED)
    assert rows(parsed)["source_request_id"].to_list() == ["b"]
    assert parsed.quarantine["reason"].to_list() == ["not_utf8"]


def test_a_column_that_the_file_does_not_have_is_named_with_its_option(tmp_path: Path) -> None:
    """Counter-example: a misspelt count read as missing would load every request without its tokens."""
    options = {"columns": {"event_at": "at", "input": "inn", "output": "out"}}
    parsed = parse(csv(tmp_path, "at,in,out\n2026-02-13,1,2\n"), "mapping", options=options)
    assert parsed.valid == 0
    assert parsed.quarantine["reason"].to_list() == ["missing_column"]
    detail = parsed.quarantine["detail"][0]
    assert "options.columns.input names 'inn'" in detail
    assert "at, in, out" in detail


def test_another_delimiter_and_a_header_with_a_byte_order_mark(tmp_path: Path) -> None:
    parsed = parse(csv(tmp_path, "\ufeffat;in;out\n2026-02-13;1;2\n"), "mapping", options={
        "columns": {"event_at": "at", "input": "in", "output": "out"}, "delimiter": ";"
    })  # fmt: skip
    assert row(parsed)["output_text_tokens"] == 2


LITELLM = {
    "request_id": "r", "startTime": "2026-02-13 10:00:00.5", "endTime": "2026-02-13 10:00:01.5", "model": "gpt-4o",
    "prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120, "spend": Decimal("0.000000000123456789"),
    "metadata": {"usage_object": {"prompt_tokens_details": {"cached_tokens": 30}}}, "request_tags": ["a", "b"],
}  # fmt: skip


@pytest.mark.parametrize("nested", ["struct", "text"])
def test_parquet_rows_with_nested_values_decimals_and_instants(tmp_path: Path, nested: str) -> None:
    record = dict(LITELLM)
    if nested == "text":
        record |= {"metadata": json.dumps(record["metadata"]), "request_tags": json.dumps(record["request_tags"])}
    frame = pl.DataFrame([record]).with_columns(
        pl.col("startTime", "endTime").str.to_datetime(time_unit="us"), secret=pl.lit("canary"), raw=pl.lit(b"\xff")
    )
    frame.write_parquet(tmp_path / "a.parquet")
    found = row(parse(tmp_path / "a.parquet", "litellm_spend_logs"))
    assert (found["input_uncached_tokens"], found["input_cache_read_tokens"], found["output_text_tokens"]) == (
        70,
        30,
        20,
    )
    assert found["reported_cost_usd"] == Decimal("0.000000000123456789")
    assert found["latency_ms"] == 1000
    assert json.loads(json.loads(found["tags"])["request_tags"]) == ["a", "b"]


def test_the_same_rows_as_csv_jsonl_and_parquet_are_the_same_requests(tmp_path: Path) -> None:
    records = [
        {
            **LITELLM,
            "request_id": f"r{n}",
            "metadata": json.dumps(LITELLM["metadata"]),
            "spend": f"0.0{n}",
            "request_tags": '["a"]',
        }
        for n in range(20)
    ]
    frame = pl.DataFrame(records)
    frame.write_csv(tmp_path / "a.csv")
    frame.write_ndjson(tmp_path / "a.jsonl")
    frame.write_parquet(tmp_path / "a.parquet")
    place = ["snapshot_id", "line_no"]
    found = [
        rows(parse(tmp_path / f"a.{kind}", "litellm_spend_logs")).drop(place) for kind in ("csv", "jsonl", "parquet")
    ]
    assert found[0].height == 20
    assert found[0].equals(found[1])
    assert found[1].equals(found[2])


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({}, "options.columns"),
        ({"columns": {"input": "in"}}, "options.columns"),
        ({"columns": {"event_at": "at"}}, "options.columns"),
        ({"columns": {"event_at": "at", "inptu": "in"}}, "options.columns.inptu"),
        ({"columns": {"event_at": "at", "input": 5}}, "options.columns.input"),
        ({**MAPPED, "time": {"format": "isoo"}}, "options.time.format"),
        ({**MAPPED, "time": {"zone": "Mars"}}, "options.time.zone"),
        ({**MAPPED, "time": {"origin": "soon"}}, "options.time.origin"),
        ({**MAPPED, "time": {"zoen": "UTC"}}, "options.time.zoen"),
        ({**MAPPED, "semantics": "openai"}, "options.semantics"),
        ({**MAPPED, "units": {"latency_ms": "hours"}}, "options.units.latency_ms"),
        ({**MAPPED, "units": {"input": "k"}}, "options.units.input"),
        ({**MAPPED, "values": {"status": "x"}}, "options.values.status"),
        ({**MAPPED, "identity": ["input"]}, "options.identity"),
        ({**MAPPED, "delimiter": "||"}, "options.delimiter"),
        ({**MAPPED, "colums": {}}, "options.colums"),
    ],
)
def test_a_wrong_mapping_is_refused_by_the_name_of_its_option(
    tmp_path: Path, options: dict[str, object], named: str
) -> None:
    with pytest.raises(SourceError) as caught:
        parse(csv(tmp_path, "at,in\n"), "mapping", options=options)
    said = str(caught.value)
    assert any(said.startswith(f"source gateway: {named}: {word}") for word in ("found", "format", "no such field"))
    assert "accepted" in str(caught.value)


def test_units_values_zones_and_patterns_of_a_mapping(tmp_path: Path) -> None:
    options = {
        "columns": {
            "event_at": "when", "input": "in", "output": "out", "latency_ms": "took", "reported_cost_usd": "price",
            "status": "result", "model": ["model", "deployment"], "source_request_id": "id",
        },
        "time": {"format": "%d.%m.%Y %H:%M", "zone": "Europe/Berlin"},
        "units": {"latency_ms": "s", "reported_cost_usd": "cents"},
        "values": {"status": {"500": "error", "200": "ok"}},
        "tags": {"cost_centre": "cc"},
    }  # fmt: skip
    text = "id,when,in,out,took,price,result,deployment,cc\n1,13.02.2026 12:30,5,6,1.5,0.0123456789,500,gpt-4o,42\n"
    found = row(parse(csv(tmp_path, text), "mapping", options=options))
    assert str(found["event_at"]) == "2026-02-13 11:30:00+00:00"
    assert (found["latency_ms"], found["reported_cost_usd"]) == (1500, Decimal("0.000123456789"))
    assert (found["status"], found["is_billable"], found["request_model"]) == ("error", False, "gpt-4o")
    assert json.loads(found["tags"]) == {"cost_centre": "42"}


def test_defaults_fill_only_what_the_log_leaves_open(tmp_path: Path) -> None:
    options = {"columns": {"event_at": "at", "input": "in", "model": "model"}}
    declared = {"options": options, "defaults": {"model": "gpt-4o", "provider_id": "azure", "environment": "prod"}}
    parsed = parse(csv(tmp_path, "at,in,model\n2026-02-13,1,\n2026-02-13,2,mine\n"), "mapping", **declared)
    assert rows(parsed)["request_model"].to_list() == ["gpt-4o", "mine"]
    assert set(rows(parsed)["provider_id"]) == {"azure"}
    with pytest.raises(SourceError, match=r"source gateway: defaults.modle: no such field; accepted are model"):
        parse(csv(tmp_path, "at,in\n"), "mapping", options=options, defaults={"modle": "x"})
    with pytest.raises(SourceError, match=r"source gateway: attribution.taem: no such field"):
        parse(csv(tmp_path, "at,in\n"), "mapping", options=options, attribution={"taem": "x"})


def test_a_declaration_is_part_of_the_parser_version(tmp_path: Path) -> None:
    path = csv(tmp_path, "at,in,who\n2026-02-13,1,a\n")
    columns = {"event_at": "at", "input": "in"}
    first = parse(path, "mapping", options={"columns": columns})
    second = parse(path, "mapping", options={"columns": columns}, attribution={"team": "who"})
    assert first.path != second.path
    assert (row(first)["team"], row(second)["team"]) == (None, "a")
    assert source_of("mapping").format == "mapping"


def test_names_in_capitals_stand_for_names_of_mixed_case_of_their_own_format() -> None:
    for head in ("promptTokens", "prompttokens"):
        assert known_columns(["PROMPTTOKENS", "OTHER"], str, frozenset({head, "id"})) == {"PROMPTTOKENS": head}
