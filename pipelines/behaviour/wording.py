"""The sentences of mart.request_drift: each comparison in plain words first, then its numbers.

Only text is made here, from numbers that `drift.py` hands over; nothing is computed or decided.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.listed import first_few

METRICS = {
    "output_tokens": ("writes", "output tokens per answer"),
    "reasoning_share": ("reasons", "of its output"),
    "latency_ms": ("takes", "ms per call"),
    "ttft_ms": ("takes", "ms to the first token"),
    "throughput": ("writes", "tokens per second"),
    "cache_read_share": ("reads", "of its input from the cache"),
}


def comparison(row: Mapping[str, Any]) -> str:
    """A day of a served model, compared with its reference."""
    who = f"{row['model_id']} at {row['provider_id']} for {row['use_case']}"
    before, now = row["value_reference"], row["value_day"]
    metric = row["metric"]
    if metric in METRICS:
        verb, unit = METRICS[metric]
        is_share = metric.endswith("_share")
        shown = [f"{100 * value:.1f} %" if is_share else f"{value:.4g}" for value in (before, now)]
        sentence = f"{who} {verb} {shown[1]} {unit} (median), in the reference {shown[0]}"
    else:
        what = "fails" if metric == "error_rate" else f"ends with {metric.removeprefix('finish:')}"
        sentence = f"{who} {what} in {100 * now:.1f} % of calls, in the reference in {100 * before:.1f} %"
    if row["z"] is None:
        return f"{sentence}; it never varies."
    verdict = "More than noise" if row["is_alarm"] else "Within noise, or too little to matter"
    return f"{sentence}. {verdict}: z {row['z']:.1f}, q {row['q_value']:.2g}, {row['n_day']} calls against {row['n_reference']}."


def new_names(row: Mapping[str, Any], metric: str) -> str:
    """A version, or a back end, that answered for the first time."""
    what = "back end " if metric == "fingerprint" else ""
    return (
        f"{row['model_id']} at {row['provider_id']} for {row['use_case']} was answered by {what}{first_few(row['names'])} in "
        f"{row['n_day']} of {row['total']} calls; in the {row['reference_days']} days before it was {first_few(row['old_names'])}."
    )
