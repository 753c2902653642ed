"""Who says on which side an entry stands: the source first, a list next, names of families last and never of agents."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.benchmarks import build_gap, build_scores
from pipelines.benchmarks.fields import license_weights, weights
from pipelines.config import load_config
from pipelines.config.model_facts import ModelFactsConfig
from pipelines.config.models import ModelsConfig
from pipelines.config.sources import Leaderboard
from pipelines.models import Registry, build_registry, model_frame
from tests.unit.benchmarks.boards import export, real_snapshots

SWEBENCH = Leaderboard(board="swebench", format="swebench")


def gaps(board: Leaderboard, snapshots: list[Any], registry: Registry) -> pl.DataFrame:
    built = build_scores(board, snapshots, registry)
    return build_gap(
        built.scores,
        model_frame(registry, ModelFactsConfig()),
        built.benchmarks,
        registry,
        built.items,
        names=built.names,
    )


def submissions(*results: tuple[str, float, bool | None, tuple[str, ...]]) -> dict[str, Any]:
    return {
        "leaderboards": [
            {
                "name": "Verified",
                "results": [
                    {
                        "name": name, "folder": f"20260101_{name}", "resolved": resolved, "date": "2026-01-01",
                        "os_model": flag, "tags": [f"Model: {model}" for model in models],
                    }
                    for name, resolved, flag, models in results
                ],
            }
        ]
    }  # fmt: skip


@pytest.fixture(scope="module")
def registry() -> Registry:
    return build_registry(load_config(None).models, [])


def test_the_sources_own_flag_wins_over_the_name_of_a_family(tmp_path: Path, registry: Registry) -> None:
    document = submissions(
        ("Nemotron-AGENT", 68.2, False, ("o3", "claude-3-7-sonnet")),
        ("Best closed", 76.8, False, ("claude-sonnet-4",)),
        ("OpenHands + Qwen3", 46.6, True, ("qwen3-coder",)),
    )
    row = gaps(SWEBENCH, [export(tmp_path, SWEBENCH, "2026-02-01", document)], registry).row(0, named=True)
    assert (row["best_open_model"], row["gap"], row["n_unknown"]) == ("OpenHands + Qwen3", pytest.approx(30.2), 0)


def test_a_familys_name_never_speaks_for_an_agent_and_undecided_names_are_listed(
    tmp_path: Path, registry: Registry
) -> None:
    document = submissions(
        ("Nemotron-AGENT", 78.2, None, ("o3", "claude-3-7-sonnet")),
        ("Claude Coder", 77.0, None, ()),
        ("Agent A", 76.8, None, ("claude-sonnet-4",)),
        ("Agent B", 46.6, None, ("Qwen/Qwen3-Coder-480B-A35B-Instruct",)),
    )
    snapshots = [export(tmp_path, SWEBENCH, "2026-02-01", document)]
    row = gaps(SWEBENCH, snapshots, registry).row(0, named=True)
    assert (row["best_closed_model"], row["n_unknown"]) == ("Agent A", 2)
    listed = json.loads(row["undecided"])
    assert [(item["rank"], item["model"]) for item in listed] == [(1, "Nemotron-AGENT"), (2, "Claude Coder")]
    # The line that is offered decides: with it in models.yaml the entry stands on a side.
    import yaml

    line = yaml.safe_load(listed[0]["models_yaml"])[0]
    config = load_config(None).models.model_dump(by_alias=True)
    declared = ModelsConfig.model_validate({**config, "models": [*config["models"], line]})
    decided = gaps(SWEBENCH, snapshots, build_registry(declared, [])).row(0, named=True)
    assert (decided["best_closed_model"], decided["n_unknown"]) == ("Nemotron-AGENT", 1)


def test_a_list_wins_over_a_family_and_the_packaged_list_is_asked_too(tmp_path: Path) -> None:
    board = Leaderboard.model_validate(
        {"board": "own", "format": "mapping", "options": {"model_field": "m", "scores": [{"field": "s", "benchmark": "b"}]}}
    )  # fmt: skip
    table = b"m,s\nclaude-next,60\nnemotron-secret,70\nllama-9,50\n"
    own = ModelsConfig.model_validate(
        {
            "families": [
                {"prefix": "nemotron", "family": "nemotron", "developer": "nvidia", "openness": "open_weight"}
            ],
            "models": [{"id": "nemotron-secret", "display_name": "Nemotron Secret", "openness": "closed"}],
        }
    )
    row = gaps(board, [export(tmp_path, board, "2026-02-01", table, ".csv")], build_registry(own, [])).row(
        0, named=True
    )
    # claude and llama are known to the packaged models.yaml alone, which one's own replaces.
    assert (row["best_closed_model"], row["best_open_model"], row["n_unknown"]) == ("nemotron-secret", "llama-9", 0)


@pytest.mark.slow
def test_on_real_swebench_the_best_open_entry_is_flagged_open(shared_data: Path, registry: Registry) -> None:
    paths = sorted((shared_data / "leaderboards" / "swebench").glob("*.json.gz"))
    found = gaps(SWEBENCH, real_snapshots(shared_data / "leaderboards", "swebench/*.json.gz", SWEBENCH), registry)
    last = found.filter(pl.col("benchmark_version_id").str.starts_with("swebench_verified")).sort("event_date")
    document = json.loads(gzip.decompress(paths[-1].read_bytes()))
    (verified,) = [item["results"] for item in document["leaderboards"] if item["name"] == "Verified"]
    best = {
        flag: max((r["resolved"] for r in verified if r.get("os_model") is flag), default=None)
        for flag in (True, False)
    }
    row = last.row(-1, named=True)
    assert (row["best_open_score"], row["best_closed_score"]) == (best[True], best[False])


@pytest.mark.parametrize(
    ("value", "side"),
    [
        (True, "open"), (False, "closed"), ("Proprietary", "closed"), ("Apache 2.0", "open"), ("MIT", "open"),
        ("Llama 3.1 Community", "open"), ("closed source", "closed"), ("-", None), ("N/A", None), ("Other", None),
        ("see website", None), ("not open", "closed"),
    ],
)  # fmt: skip
def test_a_flag_is_read_and_never_guessed(value: object, side: str | None) -> None:
    assert weights(value) == side


@pytest.mark.parametrize(
    ("side", "words"),
    [
        ("closed", ("n", "F", "Non-open", "unopened", "private", "Unreleased", "API access", "Propietary", "Commercial License")),
        ("open", ("y", "T", "weights available", "Open weights (restricted use)", "Non-commercial")),
        (None, ("no license", "Unknown license", "licensed", "unlicensed", "other", "Custom licence")),
    ],
)  # fmt: skip
def test_a_flag_is_read_in_any_spelling_and_never_guessed(side: str | None, words: tuple[str, ...]) -> None:
    """`Unknown license`, `Commercial License` and `non-open` were open, because a licence or `open` stands in them."""
    assert {word: weights(word) for word in words} == dict.fromkeys(words, side)


def test_what_begins_like_gpt_and_is_no_model_of_openai(registry: Registry) -> None:
    stated = [registry.openness(name) for name in ("gpt-j-6b", "gpt-neox-20b", "gpt-oss-120b", "gpt-5", "gpt-image-1")]
    assert stated == ["open_weight"] * 3 + ["closed"] * 2


def test_an_arena_names_a_licence_for_open_weights_alone() -> None:
    assert [license_weights(value) for value in ("Nvidia", "Proprietary", "Other", "")] == [
        "open",
        "closed",
        None,
        None,
    ]
