"""Formats of hardware files: rows as their sources describe them, one bad record costs itself, and no error quotes a file."""

from __future__ import annotations

import json
from datetime import date

import pytest

from pipelines.selfhost.formats import FORMATS
from pipelines.selfhost.hardware_file import HardwareFileError

SEEN = date(2026, 6, 1)
SECRET = "canary-4711"
ROW = {
    "hardware": "b200_trt",
    "framework": "trt",
    "model": "deepseek-ai/DeepSeek-R1-0528",
    "precision": "fp4",
    "isl": 1024,
    "osl": 1024,
    "conc": 64,
    "decode_tp": 8,
    "metrics": {"tput_per_gpu": 3000.0, "output_tput_per_gpu": 1500.0},
    "date": "2026-05-01",
}


def test_an_api_row_states_throughput_per_gpu() -> None:
    """1,500 tokens/s of output on each of 8 GPUs; with others that prefill these belong to the replica."""
    apart = ROW | {"disagg": True, "num_decode_gpu": 8, "num_prefill_gpu": 4}
    whole = ROW | {"metrics": {"tput_per_gpu": 3000.0}}
    found = FORMATS["inferencex"].read(json.dumps([ROW, apart, whole]).encode(), {}, SEEN)
    assert [(line.gpus, line.output_tokens_per_second) for line in found.throughput] == [
        (8, 12e3),
        (12, 18e3),
        (8, 12e3),
    ]
    first = found.throughput[0]
    assert (first.model, first.gpu, first.input_tokens, first.concurrency) == ("deepseek-r1-0528", "b200", 1024, 64)
    assert first.measured_on == date(2026, 5, 1)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"precision": SECRET}, "not_usable"),
        ({"metrics": None}, "wrong_shape"),
        ({"metrics": {"tput_per_gpu": SECRET}}, "wrong_shape"),
        ({"decode_tp": None}, "no_gpus"),
        ({"date": SECRET}, "not_usable"),
        ({"model": ["x"]}, "wrong_shape"),
        ({"metrics": {"output_tput_per_gpu": -1}}, "not_usable"),
    ],
)
def test_one_bad_record_costs_itself(change: dict[str, object], reason: str) -> None:
    found = FORMATS["inferencex"].read(json.dumps({"data": [ROW | change, ROW]}).encode(), {}, SEEN)
    assert (found.lines, len(found.throughput)) == (2, 1)
    assert [item.reason for item in found.set_aside] == [reason]
    assert SECRET not in str(found.set_aside)


@pytest.mark.parametrize("name", sorted(FORMATS))
@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"{}", b"[]", b"a,b\n1,2\n", f"<html>{SECRET}</html>".encode()]
)
def test_a_file_of_another_kind_is_refused_as_a_whole(name: str, content: bytes) -> None:
    with pytest.raises(HardwareFileError) as error:
        FORMATS[name].read(content, {}, SEEN)
    assert SECRET not in str(error.value)
