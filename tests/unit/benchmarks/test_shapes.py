"""One source, many shapes: what exports have looked like over the years and on other addresses, read alike."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.benchmarks import BoardSnapshot, detect_drift, parse_board
from pipelines.benchmarks.fields import EntryError, half_widths, number, weights
from pipelines.config.sources import Leaderboard
from tests.unit.benchmarks.boards import LMARENA, export, landed
from tests.unit.benchmarks.test_more_formats import EPOCH_RUNS, board, rows

ROW = {
    "model_name": "alpha", "organization": "lab", "license": "Proprietary", "rating": 1400.5, "rating_lower": 1395.5,
    "rating_upper": 1405.5, "variance": 6.5, "vote_count": 5000, "rank": 1, "category": "overall",
    "leaderboard_publish_date": "2026-02-01",
}  # fmt: skip


def parquet(records: list[dict[str, Any]]) -> bytes:
    out = io.BytesIO()
    pl.DataFrame(records).write_parquet(out)
    return out.getvalue()


ARENA_SHAPES = {
    "parquet": (parquet([ROW]), ".parquet"),
    "rows of the data set's server": (json.dumps({"rows": [{"row_idx": 0, "row": ROW}]}).encode(), ".json"),
    "list of records": (json.dumps([ROW]).encode(), ".json"),
    "csv of old": (
        b"rank,rank_stylectrl,model,arena_score,95_pct_ci,votes,license\n1,1,alpha,1400.5,+5/-5,5000,Proprietary\n",
        ".csv",
    ),
    "csv as the site showed it": (
        b'Rank (UB),Model,Arena Score,95% CI,Votes,Organization,License\n1,alpha,1400.5,+5 / -5,"5,000",lab,Proprietary\n',
        ".csv",
    ),
}


@pytest.mark.parametrize("shape", ARENA_SHAPES)
def test_the_arena_s_shapes_are_read_alike(tmp_path: Path, shape: str) -> None:
    content, suffix = ARENA_SHAPES[shape]
    snapshot = export(tmp_path, LMARENA, "2026-02-01", content, suffix)
    assert snapshot.quarantine.is_empty(), snapshot.quarantine["detail"].to_list()
    (row,) = rows(snapshot)
    assert (row["raw_model"], row["version_label"], row["score"]) == ("alpha", "overall", 1400.5)
    assert (row["ci_low"], row["ci_high"], row["votes"], row["weights"]) == (1395.5, 1405.5, 5000, "closed")
    assert row["as_of"] == date(2026, 2, 1)


def test_the_arena_s_full_history_is_an_observation_per_day_of_publication(tmp_path: Path) -> None:
    days = ("2026-01-05", "2026-01-12", "2026-01-19")
    records = [
        {
            **ROW,
            "model_name": f"m{k}",
            "rating": 1400.0 - 7 * k,
            "rating_lower": 1395.0 - 7 * k,
            "rating_upper": 1405.0 - 7 * k,
            "leaderboard_publish_date": day,
        }
        for day in days
        for k in range(20)
    ]
    folder = tmp_path / "2026-02-01"
    folder.mkdir()
    path = folder / "full-00000-of-00001.parquet"
    path.write_bytes(parquet(records))
    snapshot = parse_board(landed(path, LMARENA), LMARENA)
    assert [item.observed_at for item in snapshot.observations] == [
        datetime.fromisoformat(day).replace(tzinfo=UTC) for day in days
    ]
    assert detect_drift(LMARENA, [snapshot])["drift_class"].to_list() == ["new"]


def test_a_pickle_is_never_loaded(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "loaded",))

    content = pickle.dumps({"full": Trap()})
    for suffix in (".json", ".csv", ".parquet"):
        snapshot = export(tmp_path, LMARENA, "2026-02-01", content, suffix)
        assert snapshot.observations[0].rows.is_empty()
        assert snapshot.quarantine["severity"].to_list() == ["error"]
    assert not (tmp_path / "loaded").exists()


def test_no_module_of_the_product_can_unpickle() -> None:
    root = Path(__file__).parents[3]
    for path in [*(root / "pipelines").rglob("*.py"), *(root / "assets").rglob("*.py")]:
        text = path.read_text("utf-8")
        assert "import pickle" not in text, path
        assert "read_pickle" not in text, path


def test_the_epoch_hub_as_one_zip_file(tmp_path: Path) -> None:
    own = (
        "id,Model version,mean_score,Best score (across scorers),stderr,Started at,Logs\n"
        "r1,gpt-5.1_medium,0.84,0.85,0.02,2025-11-17T16:28:00Z,https://logs\n"
    )
    external = "id,Model version,Accuracy mean,Source\nr2,claude-x,43.5,paper\n"
    metadata = (
        "benchmark,source_file,score_column,scale\n"
        "GPQA diamond,gpqa_diamond.csv,mean_score,1\n"
        "Terminal-Bench,terminal_bench_external.csv,Accuracy mean,0.01\n"
    )
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in (
            ("gpqa_diamond.csv", own), ("terminal_bench_external.csv", external), ("benchmark_metadata.csv", metadata),
            ("benchmarks_runs.csv", EPOCH_RUNS), ("README.md", "see epoch.ai"),
        ):  # fmt: skip
            archive.writestr(name, text)
    hub = board("epoch")
    snapshot = export(tmp_path, hub, "2026-02-01", content.getvalue(), ".zip")
    found = {row["benchmark_id"]: row for row in rows(snapshot)}
    gpqa = found["epoch_gpqa_diamond"]
    assert {item.scope for item in snapshot.observations} == {"gpqa_diamond", "terminal_bench_external", "runs"}
    runs = next(item.rows for item in snapshot.observations if item.scope == "gpqa_diamond").row(0, named=True)
    assert (runs["score"], runs["stderr"], runs["measured_by"]) == (84.0, 2.0, "independent")
    assert runs["as_of"] == date(2025, 11, 17)
    assert gpqa["score"] in (84.0, 87.0, 5.7)
    assert found["epoch_terminal_bench_external"]["score"] == 43.5
    assert found["epoch_terminal_bench_external"]["measured_by"] == "aggregator"
    broken = export(tmp_path, hub, "2026-02-08", content.getvalue()[:200], ".zip")
    assert broken.quarantine["reason"].to_list() == ["unreadable"]


def test_aider_s_refactoring_board_has_one_try(tmp_path: Path) -> None:
    content = b"- {dirname: d1, test_cases: 89, model: gpt-4o, edit_format: diff, pass_rate_1: 49.4, date: 2024-05-13, versions: 0.36.1}\n"
    refactor = Leaderboard(board="aider_refactor", format="aider")
    (row,) = rows(export(tmp_path, refactor, "2026-02-01", content, ".yml"))
    assert (row["version_label"], row["score"], row["n_items"], row["harness"]) == (
        "pass_rate_1",
        49.4,
        89,
        "aider 0.36.1",
    )


def test_the_open_llm_board_s_api_answers_like_its_contents(tmp_path: Path) -> None:
    record = {
        "id": "x_float16",
        "model": {"name": "org/model", "precision": "float16", "average_score": 30.5},
        "evaluations": {"bbh": {"name": "BBH", "value": 0.5, "normalized_score": 40.0}},
        "metadata": {"submission_date": "2024-06-12"},
    }
    contents = {"eval_name": "x_float16", "fullname": "org/model", "Precision": "float16", "Average ⬆️": 30.5,
                "BBH": 40.0, "Submission Date": "2024-06-12"}  # fmt: skip
    both = [
        [
            {k: row[k] for k in ("benchmark_id", "source_row_key", "raw_model", "score", "as_of")}
            for row in rows(snapshot)
        ]
        for snapshot in (
            export(tmp_path, board("open_llm_leaderboard"), "2026-02-01", [item]) for item in (record, contents)
        )
    ]
    assert both[0] == both[1]
    assert [row["benchmark_id"] for row in both[0]] == ["open_llm_average", "open_llm_bbh"]


def test_the_open_llm_board_s_first_version_is_a_version_of_its_own(tmp_path: Path) -> None:
    """Its average, of other benchmarks, was one of the second version, and its benchmarks were lost."""
    contents = {
        "eval_name": "x_float16",
        "fullname": "org/model",
        "Average ⬆️": 60.5,
        "ARC": 61.0,
        "HellaSwag": 80.0,
        "MMLU": 40.5,
    }
    found = rows(export(tmp_path, board("open_llm_leaderboard"), "2024-02-01", [contents]))
    assert {row["version_label"] for row in found} == {"v1"}
    assert {row["benchmark_id"]: row["score"] for row in found} == {
        "open_llm_average": 60.5, "open_llm_arc": 61.0, "open_llm_hellaswag": 80.0, "open_llm_mmlu": 40.5
    }  # fmt: skip
    # A column of the first one that someone added to the second makes it no other board.
    second = {"eval_name": "x", "fullname": "org/model", "Average ⬆️": 30.5, "IFEval": 61.0, "MMLU": 40.5}
    found = rows(export(tmp_path, board("open_llm_leaderboard"), "2024-12-01", [second]))
    assert {(row["version_label"], row["benchmark_id"]) for row in found} == {("v2", "open_llm_average"), ("v2", "open_llm_ifeval")}  # fmt: skip


def test_artificial_analysis_reads_evaluations_that_are_new_and_no_prices(tmp_path: Path) -> None:
    def model(slug: str, **evaluations: Any) -> dict[str, Any]:
        return {"id": slug, "slug": slug, "name": slug, "open_weights": slug == "b", "evaluations": evaluations,
                "pricing": {"price_1m_input_tokens": 2}}  # fmt: skip

    data = [model("a", gpqa=0.85, brand_new=0.4, intelligence_index=60.1), model("b", gpqa=0.5, brand_new=0.3, odd=12)]
    snapshot = export(tmp_path, board("artificial_analysis"), "2026-02-01", {"data": data})
    found = {(row["source_row_key"], row["benchmark_id"]): row["score"] for row in rows(snapshot)}
    assert found == {
        ("a", "aa_gpqa"): 85.0, ("a", "aa_brand_new"): 40.0, ("a", "aa_intelligence_index"): 60.1,
        ("b", "aa_gpqa"): 50.0, ("b", "aa_brand_new"): 30.0,
    }  # fmt: skip
    assert {row["source_row_key"]: row["weights"] for row in rows(snapshot)} == {"a": "closed", "b": "open"}


def test_terminal_bench_s_site_lists_stated_accuracies(tmp_path: Path) -> None:
    listed = {
        "id": 7, "status": "display", "n_trials": 5,
        "metadata": {"agent_display": {"label": "Terminus", "url": "u"}, "model_display": "alpha", "date": "2026-01-30"},
        "metrics": {"accuracy": 0.43, "accuracy_stderr": 0.012},
    }  # fmt: skip
    content = {"rows": [listed, {**listed, "id": 8, "status": "hidden"}, {"id": 9, "status": "display"}]}
    snapshot = export(tmp_path, board("terminal_bench", version="2.0"), "2026-02-01", content)
    (row,) = rows(snapshot)
    assert (row["score"], row["stderr"], row["n_trials"], row["harness"]) == (43.0, 1.2, 5, "Terminus")
    assert snapshot.quarantine.select("reason", "severity").rows() == [
        ("not_displayed", "info"),
        ("wrong_shape", "error"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+5/-6", (6.0, 5.0)),
        ("-6/+5", (6.0, 5.0)),
        ("±4", (4.0, 4.0)),
        ("4", (4.0, 4.0)),
        (4, (4.0, 4.0)),
        (None, None),
    ],
)
def test_half_widths_as_people_write_them(text: object, expected: tuple[float, float] | None) -> None:
    assert half_widths(text, "ci") == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("77.2%", 77.2), ("1,234.5", 1234.5), (" 5 ", 5.0), ("1,2", None), ("n/a", None), (True, None)],
)
def test_numbers_as_people_write_them(value: object, expected: float | None) -> None:
    if expected is None:
        with pytest.raises(EntryError):
            number(value, "score")
    else:
        assert number(value, "score") == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, "open"), (False, "closed"), ("Apache 2.0", "open"), ("Proprietary", "closed"), ("open_weights", "open"),
     ("", None), (None, None), ("unknown", None)],
)  # fmt: skip
def test_weights_as_sources_state_them(value: object, expected: str | None) -> None:
    assert weights(value) == expected


def test_nan_as_python_writes_it_is_no_number_and_costs_one_entry(tmp_path: Path) -> None:
    content = b'{"alpha": {"pass@1": {"humaneval": NaN, "humaneval+": 50.0}}, "beta": {"pass@1": {"humaneval": 70.0}}}'
    snapshot: BoardSnapshot = export(tmp_path, board("evalplus"), "2026-02-01", content)
    found = {(row["raw_model"], row["version_label"]) for row in rows(snapshot)}
    assert found == {("alpha", "humaneval+"), ("beta", "humaneval")}


@pytest.mark.parametrize(
    ("line", "detail"),
    [
        ("alpha,50,60,70,1,5", "the score 50 is outside of its own interval, 60 to 70"),
        ("alpha,50,40,60,-1,5", "the standard error is -1"),
        ("alpha,50,40,60,1,11", "11 items are solved, of 10"),
    ],
)
def test_numbers_of_one_record_that_deny_each_other_are_set_aside(tmp_path: Path, line: str, detail: str) -> None:
    """They would fail the blocking check of the table and take every board of the day with them."""
    column = {
        "field": "s", "benchmark": "b", "ci_low_field": "lo", "ci_high_field": "hi", "stderr_field": "se",
        "n_success_field": "k", "n_items": 10,
    }  # fmt: skip
    own = board("mapping", model_field="m", scores=[column])
    content = f"m,s,lo,hi,se,k\n{line}\nbeta,50,40,60,1,5\n".encode()
    snapshot = export(tmp_path, own, "2026-02-01", content, ".csv")
    assert [row["raw_model"] for row in rows(snapshot)] == ["beta"]
    assert snapshot.quarantine["reason"].to_list() == ["identity_broken"]
    assert detail in snapshot.quarantine["detail"][0]


README = """
# Hallucination Leaderboard
Last updated on November 1st

| File | Size |
|---|---|
| a | 1 |

|Model|Hallucination Rate ↓|Answer Rate|
|----|----:|----:|
|[GPT 4](https://example.com/gpt)|3.0 %|100.0 %|
|**Llama 2 70B**|5.1 %|99.9 %|
|Cohere | - |99.8 % |
"""
SITE = """<!DOCTYPE html><html><body><h1>Board</h1><table><tr><td>File</td></tr></table>
<table><thead><tr><th>Model</th><th>Hallucination Rate <span>↓</span></th><th>Answer Rate</th></tr></thead><tbody>
<tr><td><a href="/gpt">GPT 4</a></td><td>3.0 %</td><td>100.0 %</td></tr><tr><td><b>Llama 2 70B</b></td><td>5.1 %</td><td>99.9 %</td></tr>
<tr><td>Cohere</td><td>-</td><td>99.8 %</td></tr></tbody></table></body></html>"""
LISTED = """
- {Model: GPT 4, Hallucination Rate: 3.0, Answer Rate: 100.0}
- {Model: Llama 2 70B, Hallucination Rate: 5.1, Answer Rate: 99.9}
- {Model: Cohere, Hallucination Rate: null, Answer Rate: 99.8}
"""


@pytest.mark.parametrize(
    ("text", "suffix"), [(README, ".md"), (SITE, ".html"), (SITE, ".htm"), (LISTED, ".yml"), (LISTED, ".yaml")]
)
def test_a_mapped_board_is_read_from_a_page_and_from_yaml(tmp_path: Path, text: str, suffix: str) -> None:
    """A board that is a README or a page was one unreadable file."""
    scores = [{"field": "Hallucination Rate", "benchmark": "hallucinations", "lower_is_better": True}]
    declared = board("mapping", model_field="Model", scores=scores)
    found = export(tmp_path, declared, "2026-02-01", text.encode(), suffix)
    assert [(row["raw_model"], row["score"]) for row in rows(found)] == [("GPT 4", 3.0), ("Llama 2 70B", 5.1)]
    assert found.quarantine["reason"].to_list() == ["no_score"]


@pytest.mark.parametrize(
    ("text", "suffix"),
    [("# A page\n|Model|Price|\n|---|---|\n|a|1|\n", ".md"), ("a: [", ".yaml"), ("<html></html>", ".html")],
)
def test_a_page_without_the_board_s_table_is_set_aside(tmp_path: Path, text: str, suffix: str) -> None:
    declared = board("mapping", model_field="Model", scores=[{"field": "Rate", "benchmark": "b"}])
    found = export(tmp_path, declared, "2026-02-01", text.encode(), suffix)
    assert (found.lines, found.valid, found.quarantine["severity"].to_list()) == (1, 0, ["error"])


def test_a_header_that_comes_again_in_other_marks_is_no_row(tmp_path: Path) -> None:
    """Files that were joined have it; a model whose name is a column's is a row."""
    declared = board("mapping", model_field="Model", scores=[{"field": "Rate", "benchmark": "b"}])
    text = "**model**,Rate\na,1\nMODEL \u2191,rate\nb,2\nmodel,3\n"
    found = export(tmp_path, declared, "2026-02-01", text.encode(), ".csv")
    assert [(row["raw_model"], row["score"]) for row in rows(found)] == [("a", 1), ("b", 2), ("model", 3)]
    assert found.quarantine.is_empty()


def test_mirrors_write_models_under_another_key_and_the_day_once(tmp_path: Path) -> None:
    """As a public tracker of both sites saves them: the first was no export at all, the second dated by its landing."""
    model = {
        "slug": "m-high",
        "name": "M (high)",
        "evaluations": {"gpqa": 0.91, "artificial_analysis_intelligence_index": 61.2},
    }
    board = Leaderboard(board="aa", format="artificial_analysis")
    one = export(tmp_path, board, "2026-06-30", {"meta": {"n_models": 1}, "models": [model | {"ranks": {"gpqa": 1}}]})
    other = export(tmp_path, board, "2026-06-30", {"data": [model]})
    columns = ("version_label", "source_row_key", "score")
    assert one.observations[0].rows.select(columns).equals(other.observations[0].rows.select(columns))
    assert one.observations[0].rows.height == 2

    row = {"category": "overall", "model_name": "m", "rating": 1502.3, "rating_lower": 1496.1, "rating_upper": 1508.5}
    arena = Leaderboard(board="arena", format="lmarena")
    saved = export(tmp_path, arena, "2026-06-30", {"meta": {"leaderboard_publish_date": "2026-06-25"}, "rows": [row]})
    assert saved.observations[0].rows["as_of"].to_list() == [date(2026, 6, 25)]


def test_a_table_of_several_days_is_a_history_whatever_its_name(tmp_path: Path) -> None:
    """As a public history of the arena is written, with `±4` under `ci95`: all days counted at once, without intervals."""
    lines = ["date,rank,model,score,ci95,votes,organization,license"]
    lines += [f'2025-11-{day},1,m,{1440 + day},±4,"62,764",Google,MIT' for day in (10, 11, 12)]
    arena = Leaderboard(board="arena", format="lmarena")
    saved = export(tmp_path, arena, "2025-11-30", "\n".join(lines).encode(), suffix=".csv")
    found = [(item.observed_at.day, item.rows["score"][0], item.rows["ci_low"][0]) for item in saved.observations]
    assert found == [(10, 1450.0, 1446.0), (11, 1451.0, 1447.0), (12, 1452.0, 1448.0)]
    one = "\n".join(
        [*lines[:2], lines[2].replace(",m,", ",other,")]
    ).encode()  # each model of its own day is no history
    assert {
        item.observed_at.day for item in export(tmp_path, arena, "2025-11-30", one, suffix=".csv").observations
    } == {30}


def test_a_model_that_is_listed_twice_makes_no_history_of_an_export(tmp_path: Path) -> None:
    """Where each model has a day of its own: every row became an observation of another day."""
    lines = ["model,score,last_updated"]
    lines += [f"m{number},{1400 + number},2025-11-{10 + number}" for number in range(9)]
    lines.append("m0,1400,2025-11-20")
    arena = Leaderboard(board="arena", format="lmarena")
    saved = export(tmp_path, arena, "2025-11-30", "\n".join(lines).encode(), suffix=".csv")
    assert {item.observed_at.day for item in saved.observations} == {30}


def test_a_row_without_a_model_and_a_day_in_words_cost_no_other_row(tmp_path: Path) -> None:
    arena = Leaderboard(board="arena", format="lmarena")
    saved = export(
        tmp_path, arena, "2026-06-30", {"meta": {"last_updated": "2 hours ago"}, "rows": [{"row": None}, {"row": ROW}]}
    )
    assert [(row["raw_model"], row["as_of"]) for row in rows(saved)] == [("alpha", date(2026, 2, 1))]
    assert saved.quarantine["severity"].to_list() == ["error"]
    undated = {name: value for name, value in ROW.items() if name != "leaderboard_publish_date"}
    saved = export(tmp_path, arena, "2026-06-30", {"meta": {"last_updated": "2 hours ago"}, "rows": [undated]})
    assert [row["as_of"] for row in rows(saved)] == [date(2026, 6, 30)]


def test_a_score_that_is_crossed_out_on_a_page_is_none(tmp_path: Path) -> None:
    declared = board("mapping", model_field="Model", scores=[{"field": "Rate", "benchmark": "b"}])
    page = (
        "<table><tr><th>Model</th><th>Rate</th></tr><tr><td><s>old</s> m</td><td><del>45.2</del> 46.1</td></tr></table>"
    )
    for text, suffix in ((page, ".html"), ("|Model|Rate|\n|---|---|\n|~~old~~ m|~~45.2~~ 46.1|\n", ".md")):
        found = export(tmp_path, declared, "2026-02-01", text.encode(), suffix)
        assert [(row["raw_model"], row["score"]) for row in rows(found)] == [("m", 46.1)]
