"""The formats of published measurements and GPU prices, on the real files."""

from __future__ import annotations

import csv
import gzip
import io
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.config import load_config
from pipelines.models import build_registry
from pipelines.selfhost.formats import FORMATS
from pipelines.selfhost.gpu_prices import StatedPrice, gpu_ledger, price_on
from pipelines.selfhost.hardware_file import HardwareFile
from pipelines.selfhost.throughput import Measured, best_measured, throughput_rows

SEEN = date(2026, 6, 1)


@pytest.fixture(scope="module")
def folder(shared_data: Path) -> Path:
    return shared_data / "selfhost"


def read(folder: Path, format_name: str, name: str, **options: str) -> HardwareFile:
    path = folder / name
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return FORMATS[format_name].read(content, options, SEEN)


def test_gpu_prices_are_those_of_the_file(folder: Path) -> None:
    name = "gpu_tco_usd_per_hour_2026-05-07.csv"
    found = read(folder, "gpu_tco", name)
    with (folder / name).open() as lines:
        rows = list(csv.DictReader(lines))
    assert (found.lines, len(found.prices), found.set_aside) == (9, 27, [])
    ledger = gpu_ledger(StatedPrice(line, is_own=False) for line in found.prices)
    for row in rows:
        rent = price_on(ledger, row["gpu"], SEEN, term="rental_3_years")
        assert rent is not None
        assert rent["usd_per_hour"] == Decimal(row["costr_usd_per_gpu_h"])


def test_mlperf_rows_are_measured_or_set_aside(folder: Path) -> None:
    name = "mlperf_inference_v5.1_llm_rows.csv.gz"
    found = read(folder, "mlperf", name)
    rows = list(csv.DictReader(io.StringIO(gzip.decompress((folder / name).read_bytes()).decode())))
    usable = [
        r for r in rows if r["Performance_Units"] == "Tokens/s" and r["Accelerator"] and "(x" not in r["Accelerator"]
    ]
    assert found.lines == 416 == len(found.throughput) + len(found.set_aside)
    counts = Counter(item.reason for item in found.set_aside)
    assert len(found.throughput) == len(usable) - counts["not_usable"]
    assert set(counts) <= {"other_unit", "no_single_gpu", "not_usable"}
    config = load_config(None)
    table = throughput_rows(
        [Measured(tuple(found.throughput), is_own=False)], build_registry(config.models, []), config.hardware
    )
    ours = best_measured(table).filter(model_id="deepseek-r1")
    h200 = ours.filter(gpu="h200").row(0, named=True)
    assert (h200["gpus"], h200["precision"], h200["output_tokens_per_second"]) == (8, "fp8", 8904.83)
    assert h200["input_tokens"] is None
    assert h200["output_tokens"] == pytest.approx(3854.374)
    b200 = ours.filter(gpu="b200").row(0, named=True)
    assert (b200["scenario"], b200["output_tokens_per_second"]) == ("Server", 18592.2)  # offline 33,379 goes after it
    rack = ours.filter(gpu="gb200").row(0, named=True)
    assert (rack["gpus"], rack["measured_on"]) == (72, date(2025, 9, 9))


def test_a_serving_sweep_needs_its_gpu_named(folder: Path) -> None:
    name = "inferencex_experimental_glm5_runs.csv"
    unnamed = read(folder, "inferencex_runs", name)
    assert not unnamed.throughput
    assert Counter(item.reason for item in unnamed.set_aside) == {"no_gpu": 169}
    found = read(folder, "inferencex_runs", name, gpu="h200", precision="bf16")
    assert (found.lines, len(found.throughput), found.set_aside) == (169, 169, [])
    first = found.throughput[0]
    assert (first.model, first.gpus, first.engine, first.precision, first.concurrency) == (
        "glm-5",
        8,
        "vllm",
        "fp8",
        16,
    )
    assert (first.input_tokens, first.output_tokens) == (10240, 128)
    assert first.output_tokens_per_second == pytest.approx(95.416, abs=1e-3)
    assert first.measured_on == date(2026, 2, 13)
