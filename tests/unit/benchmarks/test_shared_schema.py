"""The EvalEval coalition's shared schema, out and in again: valid by its own rules, and the same scores."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import jsonschema
import polars as pl
import pytest

from pipelines.benchmarks import BoardSnapshot, build_scores, export_every_eval_ever
from pipelines.config import load_config
from pipelines.config.model_facts import ModelFactsConfig
from pipelines.config.sources import Leaderboard
from pipelines.models import build_registry, model_frame
from tests.unit.benchmarks.boards import AIDER, LMARENA, arena, export, models
from tests.unit.benchmarks.test_formats import RUN

SHARED = Leaderboard(board="shared", format="every_eval_ever")
AT = datetime(2026, 3, 1, tzinfo=UTC)

_TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
_BOUND = {"oneOf": [{"type": "number"}, {"type": "string", "enum": ["Infinity", "-Infinity"]}, {"type": "null"}]}
_RESULT = {
    "type": "object",
    "required": ["evaluation_name", "source_data", "metric_config", "score_details"],
    "properties": {
        "evaluation_name": {"type": "string"},
        "evaluation_timestamp": {"type": "string"},
        "source_data": {
            "type": "object",
            "required": ["dataset_name", "source_type"],
            "properties": {"source_type": {"enum": ["url", "hf_dataset", "other"]}, "additional_details": _TEXTS},
        },
        "metric_config": {
            "type": "object",
            "required": ["lower_is_better", "min_score", "max_score"],  # the latter two for score_type continuous
            "properties": {
                "metric_kind": {"type": "string"},
                "metric_unit": {"type": "string"},
                "lower_is_better": {"type": "boolean"},
                "score_type": {"const": "continuous"},
                "min_score": _BOUND,
                "max_score": _BOUND,
            },
        },
        "score_details": {
            "type": "object",
            "required": ["score"],
            "properties": {
                "score": {"type": "number"},
                "details": _TEXTS,
                "uncertainty": {
                    "type": "object",
                    "properties": {
                        "standard_error": {"required": ["value"], "properties": {"value": {"type": "number"}}},
                        "confidence_interval": {
                            "required": ["lower", "upper"],
                            "properties": {
                                **{key: {"type": "number"} for key in ("lower", "upper", "confidence_level")},
                                "method": {"type": "string"},
                            },
                        },
                        "num_samples": {"type": "integer"},
                    },
                },
            },
        },
        "generation_config": {"type": "object", "properties": {"additional_details": _TEXTS}},
    },
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": [
        "schema_version", "evaluation_id", "retrieved_timestamp", "source_metadata", "model_info", "eval_library",
        "evaluation_results",
    ],
    "properties": {
        "schema_version": {"const": "0.3.0"},
        "evaluation_id": {"type": "string", "pattern": "^[^/]+/[^/]+/[0-9]+$"},
        "retrieved_timestamp": {"type": "string", "pattern": "^[0-9]+$"},
        "source_metadata": {
            "type": "object",
            "required": ["source_type", "source_organization_name", "evaluator_relationship"],
            "properties": {
                "source_type": {"enum": ["documentation", "evaluation_run"]},
                "evaluator_relationship": {"enum": ["first_party", "third_party", "collaborative", "other"]},
            },
        },
        "eval_library": {
            "type": "object",
            "required": ["name", "version"],
            "properties": {"name": {"type": "string"}, "version": {"type": "string"}},
        },
        "model_info": {
            "type": "object",
            "required": ["name", "id", "additional_details"],
            "properties": {
                "additional_details": {
                    "required": ["deployment_type", "model_availability"],
                    "properties": {
                        "deployment_type": {"enum": ["self_deployed", "externally_managed", "unknown"]},
                        "model_availability": {"enum": ["open_weights", "closed_weights", "unknown"]},
                    },
                }
            },
        },
        "evaluation_results": {"type": "array", "items": _RESULT},
    },
}  # fmt: skip
"""What version 0.3.0 of the schema requires of the parts that are written, as read from it in November 2026."""

SAME = [
    "raw_model", "variant", "score", "n_items", "stderr", "ci_low", "ci_high", "ci_level", "measured_by", "as_of", "harness",
]  # fmt: skip


def written(board: Leaderboard, snapshots: list[BoardSnapshot]) -> tuple[list[str], pl.DataFrame]:
    registry = build_registry(load_config(None).models, [])
    scores = build_scores(board, snapshots, registry)
    return export_every_eval_ever(
        scores.scores, scores.benchmarks, AT, model_frame(registry, ModelFactsConfig())
    ), scores.scores


@pytest.mark.parametrize("name", ["lmarena", "aider"])
def test_what_is_written_is_valid_and_comes_in_again_the_same(tmp_path: Path, name: str) -> None:
    board, snapshot = {
        "lmarena": (LMARENA, export(tmp_path, LMARENA, "2026-02-01", {"full": arena(models(4)), "coding": arena(models(3))})),
        "aider": (AIDER, export(tmp_path, AIDER, "2026-02-01", RUN.encode(), ".yml")),
    }[name]  # fmt: skip
    documents, scores = written(board, [snapshot])
    for text in documents:
        jsonschema.validate(json.loads(text), SCHEMA)
    back = export(tmp_path, SHARED, "2026-03-01", "\n".join(documents).encode(), ".jsonl")
    assert back.quarantine.is_empty()
    again = build_scores(SHARED, [back], None).scores
    version = pl.col("benchmark_version_id")
    for column in (version, *map(pl.col, SAME)):
        assert again.sort(version, "raw_model").select(column).equals(scores.sort(version, "raw_model").select(column))
    assert again["observed_at"].unique().to_list() == scores["observed_at"].unique().to_list()


def test_weights_library_and_bounds_are_said_where_they_are_known(tmp_path: Path) -> None:
    board = Leaderboard.model_validate(
        {
            "board": "own",
            "format": "mapping",
            "options": {
                "model_field": "m",
                "harness_field": "h",
                "scores": [{"field": "s", "benchmark": "b", "unit": "minutes", "lower_is_better": True}],
            },
        }
    )
    table = b"m,h,s\ngpt-4o,inspect_ai 0.3.1,12.5\nDeepSeek V3,,9\nnobody-1,lm_eval,3\n"
    documents, _ = written(board, [export(tmp_path, board, "2026-02-01", table, ".csv")])
    stated = {(d := json.loads(text))["model_info"]["name"]: d for text in documents}
    availability = {name: d["model_info"]["additional_details"]["model_availability"] for name, d in stated.items()}
    assert availability == {"gpt-4o": "closed_weights", "DeepSeek V3": "open_weights", "nobody-1": "unknown"}
    libraries = {name: (d["eval_library"]["name"], d["eval_library"]["version"]) for name, d in stated.items()}
    assert libraries == {
        "gpt-4o": ("inspect_ai", "0.3.1"), "DeepSeek V3": ("unknown", "unknown"), "nobody-1": ("lm_eval", "unknown")
    }  # fmt: skip
    metric = stated["gpt-4o"]["evaluation_results"][0]["metric_config"]
    assert (metric["lower_is_better"], metric["min_score"], metric["max_score"]) == (True, None, None)


def test_as_known_then_what_was_superseded_is_not_written(tmp_path: Path) -> None:
    table = "model,acc\nalpha,{}\n"
    board = Leaderboard.model_validate(
        {"board": "own", "format": "mapping", "options": {"model_field": "model", "scores": [{"field": "acc", "benchmark": "b"}]}}
    )  # fmt: skip
    history = [
        export(tmp_path, board, day, table.format(score).encode(), ".csv")
        for day, score in (("2026-02-01", 60), ("2026-02-08", 70))
    ]
    scores = build_scores(board, history, None)
    for day, score in ((date(2026, 2, 5), 60.0), (date(2026, 2, 9), 70.0)):
        at = datetime(day.year, day.month, day.day, tzinfo=UTC)
        (text,) = export_every_eval_ever(scores.scores, scores.benchmarks, at)
        assert json.loads(text)["evaluation_results"][0]["score_details"]["score"] == score


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"score_details": {"score": "high"}}, "not_a_number"),
        ({"score_details": {"score": 0.5, "uncertainty": {"num_samples": -3}}}, "not_a_count"),
        ({"score_details": {"score": 0.5, "uncertainty": {"standard_error": {"value": "wide"}}}}, "not_a_number"),
        ({"evaluation_name": ""}, "missing_field"),
    ],
)
def test_a_broken_result_is_set_aside_and_the_others_stay(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    sound = {"evaluation_name": "MMLU", "metric_config": {"lower_is_better": False}, "score_details": {"score": 0.5}}
    document = {
        "evaluation_id": "x/alpha/1770000000",
        "retrieved_timestamp": "1770000000",
        "model_info": {"name": "alpha"},
        "evaluation_results": [{**sound, **change}, {**sound, "evaluation_name": "GPQA"}],
    }
    snapshot = export(tmp_path, SHARED, "2026-02-10", document)
    assert snapshot.quarantine["reason"].to_list() == [reason]
    assert snapshot.observations[0].rows["benchmark_id"].to_list() == ["gpqa"]


def test_bounds_that_are_none_and_metrics_that_differ(tmp_path: Path) -> None:
    """Version 0.3 writes unbounded metrics as null or Infinity, and names several metrics of one evaluation."""
    metrics = [
        {"metric_name": "accuracy", "min_score": 0, "max_score": 1, "lower_is_better": False},
        {
            "metric_name": "tokens",
            "metric_unit": "tokens",
            "min_score": 0,
            "max_score": "Infinity",
            "lower_is_better": True,
        },
    ]
    document = {
        "evaluation_id": "x/alpha/1770000000",
        "retrieved_timestamp": "1770000000",
        "model_info": {"name": "alpha"},
        "evaluation_results": [
            {"evaluation_name": "Task", "metric_config": metric, "score_details": {"score": score}}
            for metric, score in zip(metrics, (0.25, 900), strict=True)
        ],
    }
    snapshot = export(tmp_path, SHARED, "2026-02-10", document)
    found = snapshot.observations[0].rows.select("benchmark_id", "score").rows()
    assert found == [("task", 25.0), ("task_tokens", 900.0)]
    bounds = {item.benchmark_id: (item.unit, item.max_score) for item in snapshot.observations[0].benchmarks}
    assert bounds == {"task": ("percent", 100.0), "task_tokens": ("tokens", None)}
