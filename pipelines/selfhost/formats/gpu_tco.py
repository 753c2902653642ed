"""Format `gpu_tco`: a table of what GPUs cost an hour, for who owns them at two sizes and for who rents for three years.

CSV with gpu, costh_usd_per_gpu_h (owned, hyperscaler), costn_usd_per_gpu_h (owned, neocloud), costr_usd_per_gpu_h (rental), observed_on and
source, as SemiAnalysis' constants of InferenceX are written down.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from pipelines.config.selfhost import GpuPrice, gpu_name
from pipelines.selfhost.hardware_file import HardwareFile, csv_records, read_records, usable

VERSION = "1"
_TERMS = {
    "costh_usd_per_gpu_h": "owned_hyperscaler",
    "costn_usd_per_gpu_h": "owned_neocloud",
    "costr_usd_per_gpu_h": "rental_3_years",
}
OPTIONS = ("source",)


def read(content: bytes, options: Mapping[str, Any], observed_on: date) -> HardwareFile:
    """A price per column of each row; `options.source` names the source where it is not to be the file's own words."""

    def take(row: Mapping[str, Any], found: HardwareFile) -> None:
        start = row.get("observed_on") or observed_on
        common = {
            "gpu": gpu_name(row["gpu"]),
            "valid_from": start,
            "source": options.get("source") or row["source"],
        }
        found.prices += [
            usable(GpuPrice, common | {"usd_per_hour": row[column], "term": term})
            for column, term in _TERMS.items()
            if row.get(column)
        ]

    return read_records(csv_records(content, ("gpu", "costr_usd_per_gpu_h")), take)
