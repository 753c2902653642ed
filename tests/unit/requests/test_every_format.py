"""What holds for every format: a realistic record becomes its facts, a repeated one counts once, odd counts are set aside."""

from __future__ import annotations

import json
from copy import deepcopy
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.meters import TOKEN_METERS
from pipelines.records.layout import SourceError
from tests.unit.requests.helpers import all_days, buckets, parse, parse_records, row, rows
from tests.unit.requests.samples import SAMPLES, Sample


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.format)
def test_a_realistic_record_becomes_its_facts(tmp_path: Path, sample: Sample) -> None:
    found = row(parse_records(tmp_path, sample.format, [sample.record], **sample.declared))
    assert buckets(found) == sample.expected
    facts = dict(sample.facts)
    if (epoch := facts.pop("event_epoch", None)) is not None:
        assert found["event_at"].timestamp() == epoch
    assert {name: found[name] for name in facts} == facts
    if "0.00123" in json.dumps(sample.record):
        assert found["reported_cost_usd"] == Decimal("0.00123")
    assert str(found["event_date"]) == "2026-02-12"


def test_every_format_has_a_sample() -> None:
    modules = {
        path.name.removesuffix(".py")
        for path in resources.files("pipelines.requests.formats").iterdir()
        if path.name.endswith(".py") and not path.name.startswith("_")
    }
    assert modules == {sample.format for sample in SAMPLES}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.format)
def test_unknown_options_are_refused(tmp_path: Path, sample: Sample) -> None:
    declared = deepcopy(sample.declared)
    declared.setdefault("options", {})["no_such_option"] = 1
    with pytest.raises(SourceError, match=r"options.no_such_option: format .* has no such option; accepted are"):
        parse_records(tmp_path, sample.format, [sample.record], **declared)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.format)
def test_the_same_record_in_an_array_and_twice_is_one_request(tmp_path: Path, sample: Sample) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps([sample.record, sample.record], indent=1), encoding="utf-8")
    parsed = parse(path, sample.format, **sample.declared)
    assert parsed.valid == 2
    found = all_days([parsed])
    assert (found.requests.height, found.duplicates.height) == (1, 1)
    line = parse_records(tmp_path, sample.format, [sample.record], **sample.declared)
    assert row(line)["request_uid"] == found.requests["request_uid"][0]


_ODD = st.one_of(
    st.integers(-5, 3000), st.none(), st.floats(-2, 2000), st.sampled_from(["12", "x", "", True, [], {}, 2**40, "1e3"])
)


def _counts(record: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of the values of a record that count tokens."""
    if isinstance(record, dict):
        return [found for key, value in record.items() for found in _counts(value, (*path, key))]
    if isinstance(record, list):
        return [found for index, value in enumerate(record) for found in _counts(value, (*path, index))]
    numeric = isinstance(record, int) and not isinstance(record, bool)
    return [path] if numeric and any("oken" in str(part) or "ount" in str(part) for part in path) else []


@pytest.mark.parametrize(
    "sample", [sample for sample in SAMPLES if sample.format != "otel_genai"], ids=lambda sample: sample.format
)
@settings(max_examples=2, deadline=None)
@given(data=st.data())
def test_arbitrary_counts_add_up_or_are_set_aside(
    tmp_path_factory: pytest.TempPathFactory, sample: Sample, data: st.DataObject
) -> None:
    paths = _counts(sample.record)
    records = []
    for _ in range(20):
        record = deepcopy(sample.record)
        for path in paths:
            target = record
            for part in path[:-1]:
                target = target[part]
            target[path[-1]] = data.draw(st.one_of(st.integers(0, 500), _ODD))
        records.append(record)
    parsed = parse_records(tmp_path_factory.mktemp("odd"), sample.format, records, **sample.declared)
    assert parsed.lines == 20
    for found in rows(parsed).iter_rows(named=True):
        assert min(found[meter.tokens_column] for meter in TOKEN_METERS) >= 0
