"""Format `mlperf`: results of MLPerf Inference as its site exports them, CSV with one row per system, model and scenario.

The results state no length of the prompts. A row of several kinds of GPU, of no GPU or in another unit than tokens a second is set aside.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from pipelines.config.selfhost import Throughput, gpu_name
from pipelines.selfhost.hardware_file import (
    HardwareFile,
    HardwareRecordError,
    csv_records,
    read_records,
    short_name,
    usable,
)

VERSION = "1"
_ROUNDS = {"v5.0": date(2025, 4, 2), "v5.1": date(2025, 9, 9), "v6.0": date(2026, 4, 1)}
"""Days on which rounds were published."""
_ACCURACY = re.compile(r"-99(?:\.9)?$|-edge$")
_TOKENS = re.compile(r"TOKENS_PER_SAMPLE: ([0-9.]+)")
_ENGINES = (("vllm", "vllm"), ("tensorrt", "tensorrt_llm"), ("sglang", "sglang"), ("llama.cpp", "llamacpp"))


def read(content: bytes, _options: Mapping[str, Any], observed_on: date) -> HardwareFile:
    """One measurement per row; the day is that of the round, else that of the file."""

    def take(row: Mapping[str, Any], found: HardwareFile) -> None:
        if row["Performance_Units"] != "Tokens/s":
            raise HardwareRecordError("other_unit", "Performance_Units: only Tokens/s is used")
        gpu = row["Accelerator"].strip()
        if not gpu or "(x" in gpu:
            raise HardwareRecordError("no_single_gpu", "Accelerator: one kind of GPU is needed")
        tokens = _TOKENS.search(row.get("Accuracy") or "")
        values = {
            "model": _ACCURACY.sub("", short_name(row["Model"])),
            "gpu": gpu_name(gpu),
            "gpus": int(float(row["a#"]) * float(row["Nodes"] or 1)),
            "engine": _engine(row.get("Software") or ""),
            "precision": (row.get("weight_data_types") or "").strip().lower(),
            "output_tokens_per_second": row["Performance_Result"],
            "output_tokens": tokens[1] if tokens else None,
            "scenario": row["Scenario"],
            "measured_on": _ROUNDS.get(row.get("version") or "", observed_on),
            "source": f"MLPerf Inference {row.get('version') or ''}, {row.get('Submitter') or ''}".strip(", "),
        }
        found.throughput.append(usable(Throughput, values))

    needed = ("Model", "Scenario", "Accelerator", "a#", "Nodes", "Performance_Result", "Performance_Units")
    return read_records(csv_records(content, needed), take)


def _engine(software: str) -> str:
    """The serving software by the first name in the list that is known, else its first word."""
    lower = software.lower()
    named = sorted((lower.index(word), name) for word, name in _ENGINES if word in lower)
    return named[0][1] if named else (re.split(r"[ ,]", lower.strip())[0] or "not stated")
