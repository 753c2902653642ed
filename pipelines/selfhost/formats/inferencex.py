"""Format `inferencex`: rows of InferenceX's API (`/api/v1/benchmarks?model=...`), a JSON array or an object that holds one.

Throughput is stated per GPU, in `metrics`; a replica is the GPUs that decode, and those that prefill where these are others.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from pipelines.config.selfhost import Throughput, gpu_name
from pipelines.selfhost.hardware_file import (
    HardwareFile,
    HardwareFileError,
    HardwareRecordError,
    read_records,
    short_name,
    usable,
)

VERSION = "1"


def read(content: bytes, _options: Mapping[str, Any], _observed_on: date) -> HardwareFile:
    """One measurement per row."""

    def take(row: Mapping[str, Any], found: HardwareFile) -> None:
        gpus = _gpus(row)
        values = {
            "model": short_name(row["model"]),
            "gpu": gpu_name(row["hardware"].split("_")[0]),
            "gpus": gpus,
            "engine": row["framework"],
            "precision": row["precision"],
            "input_tokens": row.get("isl"),
            "output_tokens": row.get("osl"),
            "concurrency": row.get("conc"),
            "output_tokens_per_second": _output_per_gpu(row) * gpus,
            "scenario": row.get("benchmark_type") or "",
            "measured_on": str(row["date"])[:10],
            "source": "InferenceX",
        }
        found.throughput.append(usable(Throughput, values))

    return read_records(_records(content), take)


def _records(content: bytes) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise HardwareFileError(f"is no JSON ({type(error).__name__})") from None
    rows = document
    if isinstance(document, dict):
        rows = next((value for value in document.values() if isinstance(value, list)), None)
    if not isinstance(rows, list):
        raise HardwareFileError("expected a JSON array of rows, or an object that holds one")
    return ((1, row if isinstance(row, dict) else {}) for row in rows)


def _gpus(row: Mapping[str, Any]) -> int:
    decode = row.get("num_decode_gpu") or row.get("decode_tp")
    if not decode:
        raise HardwareRecordError("no_gpus", "num_decode_gpu or decode_tp is needed")
    return int(decode) + (int(row.get("num_prefill_gpu") or 0) if row.get("disagg") else 0)


def _output_per_gpu(row: Mapping[str, Any]) -> float:
    metrics = row["metrics"]
    if metrics.get("output_tput_per_gpu"):
        return float(metrics["output_tput_per_gpu"])
    if not (row.get("isl") and row.get("osl")):
        raise HardwareRecordError("no_output", "metrics.output_tput_per_gpu is needed where isl or osl is not stated")
    return float(metrics["tput_per_gpu"]) * float(row["osl"]) / float(row["isl"] + row["osl"])
