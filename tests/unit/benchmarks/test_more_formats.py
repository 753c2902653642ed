"""The formats other than LMArena and Aider: what they read, and what they set aside."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.benchmarks import BoardSnapshot, build_scores, detect_drift, export_every_eval_ever
from pipelines.config.sources import Leaderboard
from tests.unit.benchmarks.boards import export


def board(name: str, **options: Any) -> Leaderboard:
    return Leaderboard.model_validate({"board": name, "format": name, "options": options})


def rows(snapshot: BoardSnapshot) -> list[dict[str, Any]]:
    return [row for item in snapshot.observations for row in item.rows.iter_rows(named=True)]


def arena_page(n: int, *, first: int = 0, top: int = 1500, votes: int = 5000) -> dict[str, Any]:
    models = [
        {"rank": k + 1, "model": f"m{k:02d}", "score": top - 5 * k, "ci": 4, "votes": votes} for k in range(first, n)
    ]
    return {
        "meta": {"leaderboard": "text", "last_updated": "Mar 18, 2026", "model_count": len(models)},
        "models": models,
    }


def test_arena_daily_reads_symmetric_intervals_votes_and_the_stated_day(tmp_path: Path) -> None:
    snapshot = export(tmp_path, board("arena_daily"), "2026-03-19", arena_page(3))
    first = rows(snapshot)[0]
    assert (first["ci_low"], first["ci_high"], first["votes"]) == (1496.0, 1504.0, 5000)
    assert first["as_of"] == date(2026, 3, 18)
    assert snapshot.observations[0].scope == "text"


def test_the_list_of_a_days_files_asserts_no_score_and_is_no_broken_export(tmp_path: Path) -> None:
    """`_index.json` lies in the folder of each day: every day was an error of the board."""
    arena = board("arena_daily")
    index = {
        "date": "2026-03-20",
        "leaderboards": {"text": {"model_count": 3}, "code": {"model_count": 57}},
        "errors": [],
    }
    history = [
        export(tmp_path, arena, "2026-03-19", arena_page(3)),
        export(tmp_path, arena, "2026-03-20", index),
        export(tmp_path, arena, "2026-03-20", arena_page(3)),
    ]
    assert [snapshot.quarantine.height for snapshot in history] == [0, 0, 0]
    assert "coverage_gate" not in detect_drift(arena, history)["drift_class"].to_list()


def test_a_file_that_holds_the_models_of_all_arenas_is_a_broken_export_and_no_list(tmp_path: Path) -> None:
    arenas = {"text": {"model_count": 1, "models": [{"model": "m", "score": 1400}]}}
    found = export(tmp_path, board("arena_daily"), "2026-03-20", {"date": "2026-03-20", "leaderboards": arenas})
    assert found.quarantine["severity"].to_list() == ["error"]


def test_a_longer_page_is_reported_in_one_event_and_a_model_pushed_off_its_end_is_not_gone(tmp_path: Path) -> None:
    arena = board("arena_daily")
    newcomer = arena_page(20)
    newcomer["models"][3] = {"rank": 4, "model": "newcomer", "score": 1486, "ci": 4, "votes": 900}
    pages = [
        arena_page(20),
        arena_page(40),
        newcomer | {"models": newcomer["models"] + arena_page(39, first=20)["models"]},
    ]
    history = [export(tmp_path, arena, f"2026-03-{19 + n}", page) for n, page in enumerate(pages)]
    found = detect_drift(arena, history).filter(pl.col("event_date") > date(2026, 3, 19))
    assert found.select("drift_class", "raw_model", "n_models").rows() == [
        ("new", None, 20),
        ("new", "newcomer", 1),
        ("removed", "m03", 1),
    ]
    believed = build_scores(arena, history, None).scores.filter(pl.col("superseded_at").is_null())
    assert "m39" in believed["source_row_key"].to_list()  # below the last row shown: may be there still


def submission(folder: str, resolved: float, **extra: Any) -> dict[str, Any]:
    return {"folder": folder, "name": f"Agent {folder}", "resolved": resolved, "date": "2025-08-02", **extra}


def test_swebench_resolves_the_model_tag_and_checks_its_own_records(tmp_path: Path) -> None:
    details = {f"i{n}": {"resolved": n < 150} for n in range(500)}
    results = [
        submission(
            "a", 30.0, tags=["Model: org/model-x", "System: Attempts - 1"], per_instance_details=details, cost=1.5
        ),
        submission("b", 0.0, per_instance_details=details),
        {"folder": "c", "name": "no score"},
    ]
    snapshot = export(
        tmp_path, board("swebench"), "2025-08-25", {"leaderboards": [{"name": "Verified", "results": results}]}
    )
    first = rows(snapshot)[0]
    assert (first["model_name"], first["n_items"], first["run_cost_usd"]) == ("model-x", 500, Decimal("1.5"))
    assert first["stderr"] == pytest.approx(100 * (0.3 * 0.7 / 500) ** 0.5)
    (contradiction,) = snapshot.observations[0].contradictions
    assert (contradiction.source_row_key, contradiction.stated, contradiction.implied) == ("b", 0.0, 30.0)
    assert snapshot.quarantine["reason"].to_list() == ["missing_field"]


def test_livebench_releases_are_versions_and_averages_need_every_task(tmp_path: Path) -> None:
    table = b"model,coding,math,logic\nalpha,50,60,70\nbeta,40,N/A,60\ngamma,1,2,x\n"
    plain = board("livebench", release="2025-04-25", categories={"Reasoning": ["math", "logic"], "Coding": ["coding"]})
    snapshot = export(tmp_path, plain, "2025-04-30", table, ".csv")
    scores = {(row["source_row_key"], row["version_label"]): row["score"] for row in rows(snapshot)}
    assert scores["alpha", "2025-04-25/Reasoning"] == 65.0
    assert scores["alpha", "2025-04-25/average"] == 57.5
    assert ("beta", "2025-04-25/average") not in scores
    assert scores["beta", "2025-04-25/logic"] == 60.0
    assert snapshot.quarantine.select("reason", "line_no").rows() == [("not_a_number", 4)]
    nameless = export(tmp_path, board("livebench"), "2025-05-30", table, ".csv")
    assert nameless.quarantine["reason"].to_list() == ["unknown_release"]
    assert "name it table_YYYY_MM_DD.csv, or set option release" in nameless.quarantine["detail"][0]


def test_evalplus_reads_its_old_and_new_columns_alike(tmp_path: Path) -> None:
    old = {"alpha": {"pass@1_base": {"humaneval": 50.0}, "pass@1_plus": {"humaneval": 40.2}, "prompted": True}}
    new = {"alpha": {"pass@1": {"humaneval": 50.0, "humaneval+": 40.2, "mbpp": None}, "prompted": True}}
    boards = board("evalplus")
    history = [export(tmp_path, boards, "2024-03-31", old), export(tmp_path, boards, "2024-04-29", new)]
    assert detect_drift(boards, history)["drift_class"].to_list() == ["new"]
    assert [row["version_label"] for row in rows(history[1])] == ["humaneval", "humaneval+"]


def test_bigcodebench_subsets(tmp_path: Path) -> None:
    content = {"alpha": {"pass@1": {"instruct": 36.2, "complete": None}}, "beta": {"pass@1": {"instruct": 136.2}}}
    hard = export(tmp_path, board("bigcodebench", subset="hard"), "2025-01-31", content)
    assert [(row["benchmark_id"], row["n_items"]) for row in rows(hard)] == [("bigcodebench_hard", 148)]
    assert hard.quarantine["reason"].to_list() == ["out_of_range"]
    with pytest.raises(ValueError, match="subset 'big' is not one of"):
        export(tmp_path, board("bigcodebench", subset="big"), "2025-02-01", content)


EPOCH_RUNS = (
    "id,task,model,Best score (across scorers),Scores,started_at,task version\n"
    'r1,GPQA diamond,gpt-5.1_medium,0.870,"choice:0.85±0.02,graded:0.87±0.04",17 November 2025 4:28pm,1.0.1\n'
    "r2,GPQA diamond,claude-x,0.057,choice:0.06±0,16 November 2025 8:17pm,1.0.1\n"
    "r3,,claude-x,0.057,choice:0.06±0,16 November 2025 8:17pm,1.0.1\n"
    "r4,GPQA diamond,claude-x\n"
)


def landed_as(root: Path, name: str, text: str) -> BoardSnapshot:
    from pipelines.benchmarks import parse_board
    from tests.unit.benchmarks.boards import landed

    folder = root / "2025-11-20"
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("\ufeff" + text, encoding="utf-8")
    return parse_board(landed(path, board("epoch")), board("epoch"))


def test_epoch_takes_the_standard_error_of_the_scorer_that_gave_the_score(tmp_path: Path) -> None:
    snapshot = landed_as(tmp_path, "benchmarks_runs.csv", EPOCH_RUNS)
    first, second = rows(snapshot)
    assert (first["score"], first["stderr"], first["variant"], first["model_name"]) == (87.0, 4.0, "medium", "gpt-5.1")
    assert first["as_of"] == date(2025, 11, 17)
    assert (second["score"], second["stderr"]) == (5.7, None)  # ±0 is less than the file can show, not certainty
    assert sorted(snapshot.quarantine["reason"]) == ["missing_field", "wrong_shape"]
    assert snapshot.lines == 4


def test_epoch_external_tables_are_scopes_with_their_own_columns(tmp_path: Path) -> None:
    shares = landed_as(
        tmp_path,
        "external_benchmark_mmlu.csv",
        "id,Name,EM,Model version,Shots,Source\nrec1,A,0.77,a-1,5,x\nrec2,B,1,b-1,,x\n",
    )
    assert [(row["score"], row["variant"]) for row in rows(shares)] == [(77.0, "5 shots"), (100.0, "")]
    percents = landed_as(
        tmp_path, "external_benchmark_balrog.csv",
        "id,Model version,Average progress,Average Standard error\nrec1,g-4,43.6%,2.2%\nrec2,,1%,1%\nrec3,g-5,,\n",
    )  # fmt: skip
    assert [(row["score"], row["stderr"], row["measured_by"]) for row in rows(percents)] == [(43.6, 2.2, "aggregator")]
    assert sorted(percents.quarantine.select("reason", "severity").rows()) == [
        ("no_model", "info"),
        ("no_score", "info"),
    ]
    assert {item.scope for item in (*shares.observations, *percents.observations)} == {"mmlu", "balrog"}
    unknown = landed_as(tmp_path, "external_benchmark_brand_new.csv", "id,Model version,Score\nrec1,a,1\n")
    assert unknown.quarantine["reason"].to_list() == ["unknown_table"]
    assert "columns: {brand_new: <column>}" in unknown.quarantine["detail"][0]


def aa_csv(scores: dict[str, dict[str, object]], at: str) -> str:
    columns = sorted({name for entry in scores.values() for name in entry})
    lines = [
        ",".join(["2026-05-01", at, slug, slug.upper(), *(str(entry.get(name, "")) for name in columns)])
        for slug, entry in scores.items()
    ]
    return "\n".join(lines) + "\n"


def aa_export(root: Path, day: str, scores: dict[str, dict[str, object]]) -> BoardSnapshot:
    columns = sorted({name for entry in scores.values() for name in entry})
    text = (
        ",".join(["observed_date", "fetched_at", "slug", "name", *columns])
        + "\n"
        + aa_csv(scores, f"{day}T06:00:00+00:00")
    )
    return export(root, board("artificial_analysis"), day, text.encode(), ".csv")


def aa_scores(index_shift: float = 0.0, hle_shift: float = 0.0) -> dict[str, dict[str, object]]:
    return {
        f"model-{n:02d}": {
            "artificial_analysis_intelligence_index": round(60 - n + (index_shift if n % 2 else -index_shift / 2), 2),
            "hle": round(0.30 - n / 1000 + hle_shift, 3),
            "gpqa": round(0.80 - n / 200, 3),
        }
        for n in range(20)
    }


def test_a_reweighted_index_is_one_event_and_a_moved_component_is_none(tmp_path: Path) -> None:
    aa = board("artificial_analysis")
    reweighted = [
        aa_export(tmp_path / "a", "2026-05-01", aa_scores()),
        aa_export(tmp_path / "a", "2026-05-02", aa_scores(4.0)),
    ]
    found = detect_drift(aa, reweighted).filter(pl.col("event_date") == date(2026, 5, 2))
    assert found.select("drift_class", "severity", "n_models").rows() == [("index_version", "warn", 20)]
    versions = build_scores(aa, reweighted, None).versions["benchmark_version_id"].to_list()
    assert "aa_intelligence_index@intelligence_index#1" in versions
    assert "aa_hle@hle#1" not in versions
    moved = [
        aa_export(tmp_path / "b", "2026-05-01", aa_scores()),
        aa_export(tmp_path / "b", "2026-05-02", aa_scores(0.3, 0.002)),
    ]
    assert "index_version" not in detect_drift(aa, moved)["drift_class"].to_list()


def test_the_apis_json_reads_as_the_csv_does(tmp_path: Path) -> None:
    data = [{"slug": "m", "name": "M", "evaluations": {"gpqa": 0.812, "artificial_analysis_intelligence_index": 51.2}}]
    snapshot = export(tmp_path, board("artificial_analysis"), "2026-05-01", {"status": 200, "data": [*data, "broken"]})
    assert {row["benchmark_id"]: row["score"] for row in rows(snapshot)} == {
        "aa_gpqa": 81.2,
        "aa_intelligence_index": 51.2,
    }
    assert snapshot.quarantine["reason"].to_list() == ["wrong_shape"]


def test_mapping_reads_any_table_by_declaration(tmp_path: Path) -> None:
    own = board(
        "mapping",
        model_field="Model",
        variant_field="effort",
        date_field="run_on",
        measured_by="vendor",
        scores=[
            {"field": "acc", "benchmark": "support_cases", "version": "2026Q1", "scale": "share", "n_items": 200},
            {"field": "judge", "benchmark": "judge_mean", "unit": "points", "stderr_field": "judge_se"},
        ],
    )
    table = b"Model,effort,run_on,acc,judge,judge_se\nalpha,high,2026-02-03,0.805,7.5,0.2\nbeta,,2026-02-03,,,\n"
    snapshot = export(tmp_path, own, "2026-02-10", table, ".csv")
    judged, solved = rows(snapshot)
    assert (solved["score"], solved["n_items"], solved["as_of"]) == (80.5, 200, date(2026, 2, 3))
    assert (judged["score"], judged["stderr"], judged["variant"], judged["measured_by"]) == (7.5, 0.2, "high", "vendor")
    assert snapshot.quarantine.select("reason", "severity").rows() == [("no_score", "info")]
    nested = board("mapping", model_field="name", records="data.rows", scores=[{"field": "m.acc", "benchmark": "b"}])
    document = {"data": {"rows": [{"name": "alpha", "m": {"acc": 55}}]}}
    assert rows(export(tmp_path, nested, "2026-02-11", document))[0]["score"] == 55.0
    lines = b'{"name": "alpha", "m": {"acc": 55}}\n{broken\n'
    by_line = board("mapping", model_field="name", scores=[{"field": "m.acc", "benchmark": "b"}])
    assert export(tmp_path, by_line, "2026-02-12", lines, ".jsonl").quarantine["line_no"].to_list() == [2]
    with pytest.raises(ValueError, match=r"options.scores: is missing"):
        export(tmp_path, board("mapping", model_field="m"), "2026-02-13", table, ".csv")


def test_every_eval_ever_comes_in_and_goes_out_the_same(tmp_path: Path) -> None:
    document = {
        "schema_version": "0.2.1",
        "evaluation_id": "mmlu/alpha/1770000000",
        "retrieved_timestamp": "1770000000",
        "source_metadata": {
            "source_type": "evaluation_run",
            "source_organization_name": "Example Lab",
            "evaluator_relationship": "first_party",
        },
        "eval_library": {"name": "inspect_ai", "version": "0.3"},
        "model_info": {"name": "alpha", "id": "lab/alpha"},
        "evaluation_results": [
            {
                "evaluation_name": "MMLU",
                "source_data": {"dataset_name": "mmlu", "source_type": "other"},
                "metric_config": {"lower_is_better": False, "score_type": "continuous", "min_score": 0, "max_score": 1},
                "score_details": {
                    "score": 0.81,
                    "uncertainty": {"standard_error": {"value": 0.01}, "num_samples": 14042},
                },
            },
            {"evaluation_name": "broken", "metric_config": {}, "score_details": {}},
        ],
    }
    shared = board("every_eval_ever")
    snapshot = export(tmp_path, shared, "2026-02-10", document)
    (row,) = rows(snapshot)
    assert (row["score"], row["stderr"], row["n_items"], row["measured_by"]) == (81.0, 1.0, 14042, "vendor")
    assert snapshot.observations[0].observed_at == datetime.fromtimestamp(1770000000, UTC)
    assert snapshot.quarantine["reason"].to_list() == ["missing_field"]
    scores = build_scores(shared, [snapshot], None)
    (text,) = export_every_eval_ever(scores.scores, scores.benchmarks, datetime(2026, 2, 11, tzinfo=UTC))
    again = export(tmp_path, shared, "2026-02-11", text.encode())
    (back,) = rows(again)
    assert (back["score"], back["stderr"], back["n_items"]) == (81.0, 1.0, 14042)
    out = json.loads(text)
    required = {"schema_version", "evaluation_id", "retrieved_timestamp", "source_metadata", "model_info", "eval_library",
                "evaluation_results"}  # fmt: skip
    assert required <= set(out)
    assert export_every_eval_ever(scores.scores, scores.benchmarks, datetime(2020, 1, 1, tzinfo=UTC)) == []
    several = export(tmp_path, shared, "2026-02-12", [document, document, {"no": "document"}])
    assert several.quarantine.select("line_no", "item_no").n_unique() == several.quarantine.height == 3


def test_a_page_that_stays_as_short_is_a_shorter_page_from_its_third_day_on(tmp_path: Path) -> None:
    """A mirror that serves the top twenty from now on was cut off for a fortnight, once a day."""
    arena = board("arena_daily")
    lengths = [50, 50, 20, 20, 20, 20, 20, 50]
    history = [export(tmp_path, arena, f"2026-06-{1 + n:02d}", arena_page(length)) for n, length in enumerate(lengths)]
    found = detect_drift(arena, history).filter(pl.col("event_date") > date(2026, 6, 1))
    assert found.select("drift_class", pl.col("event_date").dt.day()).rows() == [
        ("coverage_gate", 3),
        ("coverage_gate", 4),
    ]
