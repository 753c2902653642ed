"""What Spark moves between machines, without Spark: rows dealt out by call into buckets give, made apart, what one machine makes."""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.config import load_config
from pipelines.daily.request_rules import RequestRules
from pipelines.models import build_registry
from pipelines.requests import Preferences
from pipelines.requests.collect import Gathered, gather, iter_gathered, micros
from pipelines.spark.buckets import bucket_of, deal
from pipelines.spark.calls import NODE, as_key, components, question_of, span_nodes
from pipelines.spark.facts import Making, Written
from pipelines.spark.packing import packed
from pipelines.spark.pieces import Reach, reach_of
from pipelines.spark.published import publish, sweep
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.core_prices import RATE_CARD
from pipelines.warehouse.tables.raw import DUPLICATE
from tests.unit.requests.helpers import parse
from tests.warehouse.test_second_source import span, spend

FIRST = date(2026, 2, 12)
DAY = FIRST + timedelta(days=1)
BUCKETS = 7
NO_NAMES = pl.DataFrame(schema=dict.fromkeys(("provider_id", "raw_name", "feed", "same_as"), pl.String))


def parsed_logs(folder: Path) -> list[Path]:
    """A gateway and an application that see the same calls, with copies, calls inside each other, and a pair over midnight."""
    gateway, app = [], []
    for number in range(60):
        at = f"{FIRST if number < 6 else DAY}T{number % 24:02d}:59:{number:02d}Z"
        answer = f"chatcmpl-{number:020x}abcdef"
        gateway.append(spend(answer, at))
        if number % 3 == 0:
            app.append(span(number, answer, at))
        if number % 5 == 0:
            gateway.append(spend(answer, at) | {"spend": 0.002})  # a copy that says something else
        if number % 4 == 1:
            # An agent around a tool, which is no request, around the call of another id: all of one trace.
            app.append(span(1000 + number, None, at) | tree(number, 1))
            app.append(
                {"traceId": f"{number:032x}", "startTime": at, "endTime": at, "attributes": {}} | tree(number, 2)
            )
            app.append(span(2000 + number, f"msg_{number:020x}xyz", at) | tree(number, 3))
    gateway.append(spend("chatcmpl-over-midnight-x", f"{FIRST}T23:59:59Z"))
    app.append(span(99, "chatcmpl-over-midnight-x", f"{DAY}T00:00:01Z"))
    paths = []
    for source, name, records in (("gateway", "litellm_spend_logs", gateway), ("app", "otel_genai", app)):
        path = folder / f"{source}.jsonl"
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
        paths.append(parse(path, name, source=source, arrival=DAY + timedelta(days=1)).path)
    return paths


def tree(number: int, depth: int) -> dict[str, str]:
    """Where a span lies: `depth` 1 is around 2, and 2 around 3."""
    parent = {"parentSpanId": f"{number:08x}{depth - 1:08x}"} if depth > 1 else {}
    return {"traceId": f"{number + 500:032x}", "spanId": f"{number:08x}{depth:08x}", **parent}


@pytest.fixture(scope="module")
def gathered(tmp_path_factory: pytest.TempPathFactory) -> Gathered:
    return gather(parsed_logs(tmp_path_factory.mktemp("logs")), [])


@pytest.fixture(scope="module")
def rules() -> RequestRules:
    config = load_config(None, use_sample=False)
    registry = build_registry(config.models, NO_NAMES)
    return RequestRules(config.attribution, {}, registry, RATE_CARD.empty(), config.calendars)


def reach(gathered: Gathered, most: int = 100) -> Reach:
    one = timedelta(days=1)
    return reach_of(gathered, (micros(DAY - one), micros(DAY + one + one)), most)


def labels(gathered: Gathered, reached: Reach) -> dict[int, int]:
    """The components of the rows in reach, with every trace whole."""
    question = question_of(gathered, Preferences())
    pieces = [piece for portion in reached.portions for piece in portion]
    edges = [question.edges(piece.rows(reached.window, question.columns)) for piece in pieces]
    for piece in pieces:
        rows = piece.rows(reached.window).drop_nulls("trace_key")
        edges.append(rows.select(NODE.alias("node"), as_key(pl.col("trace_key"))))
    edges.append(pl.DataFrame({"node": span_nodes(reached.spans), "key": span_nodes(reached.spans)}))
    found = pl.concat(edges).unique()
    shared = found.filter(pl.col("node").n_unique().over("key") > 1)
    return dict(components(shared["node"].to_numpy(), shared["key"].to_numpy()).T.tolist())


def dealt(gathered: Gathered, buckets: int) -> dict[int, list[pa.RecordBatch]]:
    reached = reach(gathered)
    known = labels(gathered, reached)
    found: dict[int, list[pa.RecordBatch]] = {number: [] for number in range(buckets)}

    def add(kind: str, rows: pl.DataFrame, nodes: pl.Series) -> None:
        calls = np.array([known.get(node, node) for node in nodes], np.int64)
        for batch in deal(kind, rows, calls, buckets):  # type: ignore[arg-type]
            found[batch.column("bucket")[0].as_py()].append(batch.select(["kind", "rows"]))

    for portion in reached.portions:
        for piece in portion:
            rows = piece.rows(reached.window)
            add("near", rows, rows.select(NODE).to_series())
    add("spans", reached.spans, span_nodes(reached.spans))
    return found


def made(gathered: Gathered, rules: RequestRules, target: Path, buckets: int) -> dict[str, pl.DataFrame]:
    """What the buckets come to together, by table."""
    one = timedelta(days=1)
    making = Making(DAY, DAY + one, rules, Preferences(), gathered.order, gathered.shares_ids, str(target))
    written = [
        Written(**row)
        for batches in dealt(gathered, buckets).values()
        for batch in making.written(batches)
        for row in batch.to_pylist()
    ]
    frames = {REQUEST.qualified: [REQUEST.empty()], DUPLICATE.qualified: [DUPLICATE.empty()]}
    for file in written:
        rows, wanted = pl.DataFrame(pq.read_table(file.path)), frames[file.table][0]
        assert rows.height == file.rows
        dated = rows.with_columns(event_date=pl.lit(file.day).str.to_date()) if file.day else rows
        frames[file.table].append(dated.select(wanted.columns).cast(wanted.schema))  # type: ignore[arg-type]
    return {table: pl.concat(found) for table, found in frames.items()}


@pytest.mark.slow
def test_buckets_made_apart_are_the_day(gathered: Gathered, rules: RequestRules, tmp_path: Path) -> None:
    parts = list(iter_gathered(gathered, DAY, DAY + timedelta(days=1)))
    requests = rules.applied(pl.concat(part.requests for part in parts))
    duplicates = pl.concat(part.duplicates for part in parts)
    assert set(duplicates["rule"]) >= {"nested_span", "same_response"}
    found = made(gathered, rules, tmp_path / "facts", BUCKETS)
    assert found[REQUEST.qualified].sort("request_uid").equals(requests.sort("request_uid"))
    place = ["snapshot_id", "line_no", "item_no"]
    assert found[DUPLICATE.qualified].sort(place).equals(duplicates.sort(place))


def test_a_call_that_several_records_state_lies_in_one_bucket() -> None:
    nodes, keys = np.array([1, 2, 2, 3, 9, -4]), np.array([10, 10, 11, 11, 12, 12])
    assert dict(components(nodes, keys).T.tolist()) == {1: 1, 2: 1, 3: 1, 9: -4, -4: -4}
    assert components(np.empty(0, np.int64), np.empty(0, np.int64)).shape == (2, 0)


def test_buckets_are_alike_in_size_whatever_the_ids_look_like() -> None:
    for calls in (np.arange(100_000), np.arange(100_000) << 32, -np.arange(100_000)):
        sizes = np.bincount(bucket_of(calls.astype(np.int64), 50), minlength=50)
        assert sizes.min() > 1500
        assert sizes.max() < 2500


def test_portions_keep_their_order_and_their_size() -> None:
    assert packed([("a", 5), ("b", 3), ("c", 1), ("d", 9), ("e", 1)], 8) == [["a", "b"], ["c"], ["d"], ["e"]]
    assert packed([], 8) == []


def test_facts_take_the_place_of_those_of_the_same_days(tmp_path: Path) -> None:
    root, one = tmp_path / "facts", timedelta(days=1)
    for old in (DAY, DAY + one, DAY + 2 * one):
        (root / f"event_date={old}").mkdir(parents=True)
        (root / f"event_date={old}" / "old.parquet").touch()
    load = root / "_loads" / "x"
    load.mkdir(parents=True)
    for name in ("new.parquet", "of_an_attempt_that_failed.parquet"):
        (load / name).touch()
    publish(str(root), str(load), [(str(DAY), str(load / "new.parquet"))], [DAY, DAY + one])
    assert sorted(str(path.relative_to(root)) for path in root.rglob("*.parquet")) == [
        f"event_date={DAY}/new.parquet",
        f"event_date={DAY + 2 * one}/old.parquet",
    ]
    assert not load.exists()


def test_what_a_killed_run_left_goes_after_a_day(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    for name, age in (("old", timedelta(days=2)), ("new", timedelta(0)), ("long_run", timedelta(days=2))):
        (tmp_path / name).mkdir()
        for path in (tmp_path / name / "a.parquet", tmp_path / name):
            path.touch()
            os.utime(path, (0, (now - age).timestamp()))
    (tmp_path / "long_run" / "b.parquet").touch()
    os.utime(tmp_path / "long_run", (0, (now - timedelta(days=2)).timestamp()))
    sweep(str(tmp_path), now - timedelta(days=1))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["long_run", "new"]
    sweep(str(tmp_path / "nowhere"), now)
