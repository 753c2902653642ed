"""Scores written in the EvalEval coalition's shared schema, "Every Eval Ever" (`eval.schema.json`, version 0.3.0).

What is read from the schema is in `formats/every_eval_ever.py`; a document that is written here comes in again as the
same scores.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import polars as pl

from pipelines.instants import holds_at

SCHEMA_VERSION = "0.3.0"
_RELATIONSHIP = {
    "vendor": "first_party",
    "independent": "third_party",
    "community": "third_party",
    "aggregator": "other",
}
_AVAILABILITY = {
    "open_source": "open_weights",
    "open_weight": "open_weights",
    "open": "open_weights",
    "closed": "closed_weights",
}
_RUN = ["board", "raw_model", "variant", "harness", "measured_by"]
"""What one document is about: the schema names source, model and library once per document."""


def export_every_eval_ever(
    scores: pl.DataFrame, benchmarks: pl.DataFrame, at: datetime, models: pl.DataFrame | None = None
) -> list[str]:
    """What is believed at the instant `at`, one JSON text per document, sorted.

    `scores` are rows of core.benchmark_score, `benchmarks` of core.benchmark, `models` of core.model: with them, documents
    say whether weights are open. A document holds the scores of one model, variant and harness on one board. Scores keep
    their unit, with min_score and max_score where the benchmark has them and null where it has no such bound.
    """
    known = scores.filter(holds_at(at, "observed_at", "superseded_at")).with_columns(
        pl.col("benchmark_version_id").str.split("@").list.first().alias("benchmark_id")
    )
    openness = {} if models is None else dict(models.select("model_id", "openness").iter_rows())
    joined = known.join(benchmarks, on="benchmark_id", how="left").sort(*_RUN, "benchmark_version_id", "source_row_key")
    groups = joined.partition_by([*_RUN, "source_row_key"], maintain_order=True)
    return sorted(json.dumps(_document(group, openness), sort_keys=True) for group in groups)


def _document(rows: pl.DataFrame, openness: Mapping[str, str]) -> dict[str, Any]:
    first = rows.row(0, named=True)
    retrieved = max(rows["observed_at"])
    name, harness = first["raw_model"], (first["harness"] or "").rpartition(" ")
    run = "/".join(part.replace("/", "_") for part in (first["board"], first["source_row_key"]))
    return {
        "schema_version": SCHEMA_VERSION,
        "evaluation_id": f"{run}/{retrieved.timestamp():.0f}",
        "retrieved_timestamp": f"{retrieved.timestamp():.0f}",
        "source_metadata": {
            "source_name": first["board"],
            "source_type": "documentation",
            "source_organization_name": first["board"],
            "evaluator_relationship": _RELATIONSHIP[first["measured_by"]],
        },
        "eval_library": {
            "name": harness[0] or harness[2] or "unknown",
            "version": harness[2] if harness[0] else "unknown",
        },
        "model_info": {
            "name": name,
            "id": first["model_id"] or name,
            "additional_details": {
                "deployment_type": "unknown",
                "model_availability": _AVAILABILITY.get(
                    openness.get(first["model_id"] or "", "unknown"), _AVAILABILITY.get(first["weights"], "unknown")
                ),
            },
        },
        "evaluation_results": [_result(row) for row in rows.iter_rows(named=True)],
    }


def _result(row: Mapping[str, Any]) -> dict[str, Any]:
    version = row["benchmark_version_id"].partition("@")[2]
    setting = {"variant": row["variant"]} if row["variant"] else {}
    if row["n_trials"] is not None:
        setting["trials"] = str(row["n_trials"])
    details = {"score_text": row["score_text"]}
    details |= {name: str(row[name]) for name in ("run_cost_usd", "n_success", "votes") if row[name] is not None}
    return {
        "evaluation_result_id": row["score_id"].hex(),
        "evaluation_name": row["benchmark_id"],
        "evaluation_timestamp": row["as_of"].isoformat(),
        "source_data": {
            "dataset_name": row["display_name"],
            "source_type": "other",
            "additional_details": {"version": version.rpartition("#")[0], "scale_epoch": version.rpartition("#")[2]},
        },
        "metric_config": {
            "evaluation_description": row["display_name"],
            "metric_kind": row["metric_kind"],
            "metric_unit": row["unit"],
            "lower_is_better": row["lower_is_better"],
            "score_type": "continuous",
            "min_score": row["min_score"],
            "max_score": row["max_score"],
        },
        "score_details": {"score": row["score"], "details": details, **_uncertainty(row)},
        **({"generation_config": {"additional_details": setting}} if setting else {}),
    }


def _uncertainty(row: Mapping[str, Any]) -> dict[str, Any]:
    stated: dict[str, Any] = {}
    if row["stderr"] is not None:
        stated["standard_error"] = {"value": row["stderr"]}
    if row["ci_low"] is not None:
        stated["confidence_interval"] = {
            "lower": row["ci_low"],
            "upper": row["ci_high"],
            "confidence_level": row["ci_level"],
            "method": row["ci_method"],
        }
    if row["n_items"] is not None:
        stated["num_samples"] = row["n_items"]
    return {"uncertainty": stated} if stated else {}
