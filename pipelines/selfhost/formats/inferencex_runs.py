"""Format `inferencex_runs`: a sweep of serving runs as InferenceX writes its experiments down, CSV with one row per run.

A row names the model, the lengths and the concurrency; the path of its result file names engine and number of GPUs (`_vllm_tp8_`). Which GPU
it was is nowhere: `options.gpu` of sources.yaml says so, and `options.precision` where the model's name does not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from pipelines.config.selfhost import Throughput
from pipelines.selfhost.hardware_file import (
    HardwareFile,
    HardwareRecordError,
    csv_records,
    read_records,
    short_name,
    usable,
)

VERSION = "1"
_RUN = re.compile(r"_(?P<engine>[a-z]+)_(?:tp|tep|dep)(?P<gpus>\d+)_")
_PRECISION = re.compile(r"-(fp8|fp4|bf16|fp16|int4|int8)$")
OPTIONS = ("gpu", "precision", "source")


def read(content: bytes, options: Mapping[str, Any], _observed_on: date) -> HardwareFile:
    """One measurement per row."""

    def take(row: Mapping[str, Any], found: HardwareFile) -> None:
        run = _RUN.search(row["file"])
        if run is None:
            raise HardwareRecordError("no_engine", "file: expected an engine and a number of GPUs, as in _vllm_tp8_")
        if not options.get("gpu"):
            raise HardwareRecordError("no_gpu", "the file names no GPU: declare options: {gpu: ...} in sources.yaml")
        model = short_name(row["model_id"])
        stated = _PRECISION.search(model)
        precision = stated[1] if stated else options.get("precision")
        if precision is None:
            raise HardwareRecordError("no_precision", "the file names no precision: declare options: {precision: ...}")
        done = float(row["completed"])
        values = {
            "model": _PRECISION.sub("", model),
            "gpu": options["gpu"],
            "gpus": int(run["gpus"]),
            "engine": run["engine"],
            "precision": precision,
            "input_tokens": float(row["total_input_tokens"]) / done,
            "output_tokens": float(row["total_output_tokens"]) / done,
            "concurrency": row["max_concurrency"],
            "output_tokens_per_second": row["output_throughput"],
            "measured_on": date.fromisoformat(row["date"][:8]),
            "source": options.get("source") or "InferenceX experiments",
        }
        found.throughput.append(usable(Throughput, values))

    needed = ("date", "model_id", "completed", "total_input_tokens", "total_output_tokens", "output_throughput", "file")
    return read_records(csv_records(content, needed), take)
