"""Shadow files to rows and to pairs: what is set aside, what counts, and what is paired with the log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.config.loader import load_file
from pipelines.config.models import ModelsConfig
from pipelines.config.routing import RoutingConfig
from pipelines.config.sources import RequestSource
from pipelines.models import build_registry
from pipelines.records.layout import SourceError
from pipelines.records.store import scan_stored, stored_parts
from pipelines.shadow import answers, collect, effects, evidence_rows, parse_shadow, ratios
from pipelines.shadow.collect import arms_of
from pipelines.shadow.measured import scored
from pipelines.shadow.records import RECORD_SCHEMA
from tests.unit.requests.helpers import landed
from tests.unit.routing.traffic import request, requests
from tests.unit.shadow.record import GOOD


def shadow_rows(folder: Path, *records: Mapping[str, Any], options: Mapping[str, Any] | None = None) -> pl.DataFrame:
    """Rows of core.shadow_request of one file."""
    path = folder / "measured.jsonl"
    path.write_text("\n".join(json.dumps(record) for record in records))
    source = RequestSource.model_validate({"source": "lab", "format": "shadow", "options": options or {}})
    parsed = parse_shadow(landed(path, "lab"), source, folder / "store")
    assert parsed.quarantined == 0, parsed.quarantine
    found = scan_stored(stored_parts([parsed.path]), RECORD_SCHEMA).collect()
    return collect(found, build_registry(load_file(ModelsConfig, "models.yaml", None), []))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"request_id": None}, "missing_field"),
        ({"model": "", "arm": None}, "missing_field"),
        ({"score_kind": None}, "unknown_score_kind"),
        ({"score_kind": "vibes"}, "unknown_score_kind"),
        ({"score_kind": "judge"}, "missing_field"),
        ({"propensity": 0}, "out_of_range"),
        ({"propensity": 1.01}, "out_of_range"),
        ({"cost_usd": -1}, "out_of_range"),
        ({"input_tokens": -1}, "negative_tokens"),
        ({"score": "well done"}, "not_a_number"),
        ({"event_at": "2031-01-01T00:00:00Z"}, "event_after_arrival"),
        ({"input_tokens": None, "output_tokens": None, "cost_usd": None, "score": None}, "no_usage"),
    ],
)
def test_a_broken_record_is_set_aside_and_counted(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    path = tmp_path / "measured.jsonl"
    path.write_text("\n".join([json.dumps(GOOD), json.dumps(GOOD | change), "no json"]))
    source = RequestSource.model_validate({"source": "lab", "format": "shadow"})
    parsed = parse_shadow(landed(path, "lab"), source, tmp_path / "store")
    assert (parsed.lines, parsed.valid, parsed.quarantined) == (3, 1, 2)
    assert sorted(parsed.quarantine["reason"]) == sorted([reason, "not_json"])


def test_csv_with_columns_of_its_own_and_parquet_give_the_same_rows(tmp_path: Path) -> None:
    mine = {"trace": "r1", "model": "deepseek-v3.2", "passed": 0.5, "score_kind": "gold", "prompt_tokens": 7}
    source = RequestSource.model_validate(
        {
            "source": "lab",
            "format": "shadow",
            "defaults": {"provider_id": "deepseek"},
            "options": {"columns": {"request_id": "trace", "score": "passed"}},
        }
    )
    pl.DataFrame([mine]).write_csv(tmp_path / "a.csv")
    pl.DataFrame([mine]).write_parquet(tmp_path / "b.parquet")
    found = []
    for name in ("a.csv", "b.parquet"):
        parsed = parse_shadow(landed(tmp_path / name, "lab"), source, tmp_path / "store")
        rows = scan_stored(stored_parts([parsed.path]), RECORD_SCHEMA).collect()
        found.append(rows.select("request_id", "raw_provider", "raw_model", "score", "input_uncached_tokens").row(0))
    assert found == [("r1", "deepseek", "deepseek-v3.2", 0.5, 7)] * 2


@pytest.mark.parametrize(
    "declared", [{"options": {"column": {}}}, {"options": {"columns": {"speed": "x"}}}, {"defaults": {"team": "a"}}, {"attribution": {"team": "a"}}]
)  # fmt: skip
def test_a_declaration_that_the_format_does_not_know_is_refused(tmp_path: Path, declared: dict[str, Any]) -> None:
    source = RequestSource.model_validate({"source": "lab", "format": "shadow", **declared})
    (tmp_path / "a.jsonl").write_text(json.dumps(GOOD))
    with pytest.raises(SourceError, match=r"accepted|takes"):
        parse_shadow(landed(tmp_path / "a.jsonl", "lab"), source, tmp_path / "store")


def test_what_is_said_again_counts_once_and_models_are_resolved(tmp_path: Path) -> None:
    rows = shadow_rows(
        tmp_path,
        GOOD,
        GOOD | {"score": 0},
        GOOD | {"score_kind": "judge", "judge": "j"},
        GOOD | {"model": "never-heard-of"},
    )
    counted = rows.filter("is_counted")
    assert sorted(counted.select("score", "score_kind").rows()) == [(0.0, "gold"), (1.0, "gold"), (1.0, "judge")]
    assert counted.filter(pl.col("model_id").is_null())["raw_model"].to_list() == ["never-heard-of"]
    assert set(counted["model_id"].drop_nulls()) == {"deepseek-v3.2"}


def paired(folder: Path, size: int = 24) -> pl.DataFrame:
    """Requests that ran on the strong model, the same ones on DeepSeek with 10 % more input and twice the output."""
    ran = [
        request(number, source_request_id=f"r{number}", session_id=f"s{number // 2}", input_uncached_tokens=100 + number, output_text_tokens=50)
        for number in range(2 * size)
    ]  # fmt: skip
    shadow = [
        GOOD | {"request_id": f"r{number}", "input_tokens": (100 + number) * 11 // 10, "output_tokens": 100, "score": number % 4 > 0}
        for number in range(2 * size)
    ]  # fmt: skip
    return answers(
        shadow_rows(folder, *(record | {"score": int(record["score"])} for record in shadow)), requests(*ran)
    )


def test_a_shadow_run_is_paired_with_what_ran_by_session(tmp_path: Path) -> None:
    answered = paired(tmp_path)
    assert answered.height == 96
    assert answered["cluster"].n_unique() == 24
    found = {one.measure: one for one in ratios(answered)}
    assert set(found) == {"input", "output"}
    assert (found["output"].model_id, found["output"].against) == ("deepseek-v3.2", "strong-closed")
    assert found["output"].estimate.value == pytest.approx(0.693147, abs=1e-6)
    assert 1.08 < 2.718281828 ** found["input"].estimate.value < 1.1
    assert {line.grade for line in effects(found.values())} == {"A"}
    rows = evidence_rows(answered, found.values())
    quality = rows.filter(pl.col("measure") == "quality").row(0, named=True)
    assert (quality["estimate"], quality["sessions"]) == (0.75, 24)
    assert quality["low_95"] < 0.75 < quality["high_95"]


def test_too_few_sessions_show_nothing_and_say_so(tmp_path: Path) -> None:
    answered = paired(tmp_path, size=10)
    assert ratios(answered) == []
    assert "deepseek-v3.2 has gold scores in 10 sessions, 20 are needed" in str(scored(answered, ["deepseek-v3.2"]))
    assert "no shadow score of strong-closed" in str(scored(answered, ["deepseek-v3.2", "strong-closed"]))


def test_a_judge_alone_is_no_quality(tmp_path: Path) -> None:
    judged = [
        GOOD | {"request_id": f"r{n}", "score_kind": "judge", "judge": "gpt-5.2", "score": 0.9} for n in range(40)
    ]
    answered = answers(shadow_rows(tmp_path, *judged), requests())
    assert "add records with score_kind gold" in str(scored(answered, ["deepseek-v3.2"]))


def test_a_whole_task_is_paired_with_the_session_that_it_repeats(tmp_path: Path) -> None:
    at = datetime(2026, 2, 27, 10, tzinfo=UTC)
    ran = [
        request(number, source_request_id=f"r{number}", session_id=f"task{number // 3}", event_at=at, input_uncached_tokens=50_000, output_text_tokens=10)
        for number in range(90)
    ]  # fmt: skip
    shadow = [GOOD | {"request_id": f"task{n}", "input_tokens": 300_000, "output_tokens": 60} for n in range(30)]
    found = ratios(answers(shadow_rows(tmp_path, *shadow), requests(*ran)))
    assert [(one.measure, one.pairs) for one in found] == [("loop", 30)]
    assert found[0].estimate.value == pytest.approx(0.693147, abs=1e-3)


def test_a_record_may_name_an_arm_of_the_policies_instead_of_a_model(tmp_path: Path) -> None:
    config = load_file(RoutingConfig, "routing.yaml", None)
    arms = arms_of(config)
    unique = next(name for name in sorted(arms))
    path = tmp_path / "measured.jsonl"
    named = [GOOD | {"model": None, "provider": None, "arm": name} for name in (unique, "no-such-arm")]
    path.write_text("\n".join(json.dumps(record) for record in named))
    source = RequestSource.model_validate({"source": "lab", "format": "shadow"})
    parsed = parse_shadow(landed(path, "lab"), source, tmp_path / "store")
    records = scan_stored(stored_parts([parsed.path]), RECORD_SCHEMA).collect()
    rows = collect(records, build_registry(load_file(ModelsConfig, "models.yaml", None), []), arms)
    found = {row["raw_model"]: (row["provider_id"], row["model_id"]) for row in rows.iter_rows(named=True)}
    assert found == {unique: arms[unique], "no-such-arm": (None, None)}


def test_an_arm_that_means_two_models_means_none() -> None:
    config = load_file(RoutingConfig, "routing.yaml", None)
    meant: dict[str, set[str]] = {}
    for policy in config.policies:
        for arm in policy.arms:
            meant.setdefault(arm.arm, set()).add(f"{arm.provider_id}/{arm.model_id}")
    assert set(arms_of(config)) == {name for name, offers in meant.items() if len(offers) == 1}
    assert any(len(offers) > 1 for offers in meant.values())
