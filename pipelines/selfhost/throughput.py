"""Measurements of what GPUs serve, brought to rows of core.throughput, and the one to use of several.

Formats of published results are `formats/`; one's own measurements come from `selfhost.yaml`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipelines.config.selfhost import BITS, Deployment, Hardware, Throughput
from pipelines.ids import id_column
from pipelines.models import Registry
from pipelines.warehouse.tables.selfhost import THROUGHPUT

_OF_ONE_OPTION = ("model_id", "gpu", "gpus", "precision", "engine")


@dataclass(frozen=True)
class Measured:
    """Measurements of one origin, and whether they are one's own."""

    lines: tuple[Throughput, ...]
    is_own: bool
    snapshot_id: bytes | None = None


def throughput_rows(found: Iterable[Measured], registry: Registry, hardware: Hardware) -> pl.DataFrame:
    """Rows of core.throughput, each once. A model or GPU that nothing knows keeps its name, so that it can be declared."""
    rows = []
    for origin in found:
        for line in origin.lines:
            gpu = hardware.gpu(line.gpu)
            values = {
                **{name: getattr(line, name) for name in THROUGHPUT.polars_schema if hasattr(line, name)},
                "model_id": registry.resolve("", line.model).model_id,
                "raw_model": line.model,
                "gpu": line.gpu if gpu is None else gpu.gpu,
                "engine": line.engine.lower(),
                "is_own": origin.is_own,
                "snapshot_id": origin.snapshot_id,
                "throughput_id": b"",
            }
            rows.append(values)
    frame = pl.DataFrame(rows, schema=THROUGHPUT.polars_schema)
    names = [name for name in frame.columns if name not in ("throughput_id", "snapshot_id")]
    frame = frame.with_columns(id_column(frame, names).alias("throughput_id"))
    return frame.unique("throughput_id", keep="first", maintain_order=True).sort("throughput_id")


def best_measured(rows: pl.DataFrame) -> pl.DataFrame:
    """Of each model on each number of GPUs in each precision and engine the measurement to use.

    One's own goes before public ones; then a run under load before an offline batch, which no user waits for; then the one that
    states its input, then the highest output, then the newest.
    """
    known = rows.filter(pl.col("model_id").is_not_null() & pl.col("precision").is_in(list(BITS)))
    order = [
        pl.col("is_own").not_(),
        pl.col("scenario").str.to_lowercase() == "offline",
        pl.col("input_tokens").is_null(),
        pl.col("output_tokens_per_second").neg(),
        pl.col("measured_on").dt.epoch("d").neg(),
        "throughput_id",
    ]
    return known.sort(order).unique(_OF_ONE_OPTION, keep="first", maintain_order=True).sort(_OF_ONE_OPTION)


def measured_for(best: pl.DataFrame, deployment: Deployment) -> Mapping[str, Any] | None:
    """The row of `best_measured` that holds for one replica of the deployment, or None."""
    found = best.filter(
        (pl.col("model_id") == deployment.model)
        & (pl.col("gpu") == deployment.gpu)
        & (pl.col("gpus") == deployment.gpus)
        & (pl.col("precision") == deployment.precision)
        & (pl.col("engine") == deployment.engine)
    )
    return found.row(0, named=True) if found.height else None


def input_per_output(measurement: Mapping[str, Any]) -> float:
    """Tokens of prompts per token of answers in the measurement; 0 where it states none."""
    if not measurement["output_tokens"]:
        return 0.0
    return float((measurement["input_tokens"] or 0.0) / measurement["output_tokens"])
