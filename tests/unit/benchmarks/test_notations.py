"""Notations of one thing: days, votes and intervals as pages write them, blank scores, and evaluations that are new."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipelines.benchmarks import detect_drift
from pipelines.benchmarks.fields import EntryError, day, votes
from pipelines.config.sources import Leaderboard
from tests.unit.benchmarks.boards import export
from tests.unit.benchmarks.test_more_formats import board, rows


@pytest.mark.parametrize(
    "text",
    [
        "2026-09-01", "2026-09-01T10:00:00Z", "2026/09/01", "2026.09.01", "01.09.2026", "Sep 1, 2026", "September 1, 2026",
        "1 September 2026 4:28pm", "1 Sep 2026", "01-Sep-2026", "September 1, 2026 at 10:00 UTC", "20260901",
    ],
)  # fmt: skip
def test_a_day_is_read_where_its_notation_has_one_meaning(text: str) -> None:
    assert day(text, "date") == date(2026, 9, 1)


@pytest.mark.parametrize("text", ["09/01/2026", "1/9/26", "soon", "2026-13-01"])
def test_a_day_that_could_be_another_is_none(text: str) -> None:
    with pytest.raises(EntryError, match="accepted is YYYY-MM-DD"):
        day(text, "date")


def test_a_submission_keeps_its_own_day(tmp_path: Path) -> None:
    results = [{"folder": "a", "name": "A", "resolved": 75.2, "date": "2026/09/01"}]
    found = export(
        tmp_path, board("swebench"), "2026-10-01", {"leaderboards": [{"name": "Verified", "results": results}]}
    )
    assert [row["as_of"] for row in rows(found)] == [date(2026, 9, 1)]


def test_votes_are_read_as_pages_shorten_them() -> None:
    assert [votes(text, "votes") for text in ("12,345", "12.3K", "1.2M", 7.0, None)] == [
        12_345,
        12_300,
        1_200_000,
        7,
        None,
    ]
    with pytest.raises(EntryError, match="votes is 'many'"):
        votes("many", "votes")


@pytest.mark.parametrize(
    ("entry", "bounds"),
    [
        ({"score": "1,490±7"}, (1483, 1497)),
        ({"score": 1490, "ci": {"lower": 1485, "upper": 1499}}, (1485, 1499)),
        ({"score": 1490, "rating_lower": 1485, "rating_upper": 1499}, (1485, 1499)),
        ({"score": 1490, "ci": "+6/-9"}, (1481, 1496)),
        ({"score": 1490, "ci": "N/A"}, (None, None)),
    ],
)
def test_an_arena_states_its_interval_in_several_ways(
    tmp_path: Path, entry: dict[str, Any], bounds: tuple[float, float]
) -> None:
    page = {"meta": {"leaderboard": "text"}, "models": [{"model": "m", "votes": "1.5K", **entry}]}
    (row,) = rows(export(tmp_path, board("arena_daily"), "2026-10-01", page))
    assert (row["score"], row["ci_low"], row["ci_high"], row["votes"]) == (1490, *bounds, 1500)


def test_an_entry_whose_score_is_blank_is_no_complaint_and_one_without_the_field_is(tmp_path: Path) -> None:
    found = [
        export(tmp_path / "a", board("arena_daily"), "2026-10-01", {"meta": {}, "models": [{"model": "a", "score": "N/A"}, {"model": "b"}]}),
        export(
            tmp_path / "s", board("swebench"), "2026-10-01",
            {"leaderboards": [{"name": "Lite", "results": [{"folder": "a", "name": "A", "resolved": None}, {"folder": "b", "name": "B"}]}]},
        ),
    ]  # fmt: skip
    assert [snapshot.quarantine.select("reason", "severity").rows() for snapshot in found] == [
        [("no_score", "info"), ("missing_field", "error")]
    ] * 2


def test_a_new_evaluation_is_read_where_it_is_a_share_and_named_where_it_is_not(tmp_path: Path) -> None:
    """One broken value among forty costs itself; an index and a rating nobody declared are set aside by name, once each."""
    models = [
        {"slug": f"m{n}", "name": f"M{n}", "evaluations": {"new_eval": 0.5 if n else 50.0, "swing_index": -3 + n, "elo": 1300 + n}}
        for n in range(40)
    ]  # fmt: skip
    found = export(tmp_path, board("artificial_analysis"), "2026-10-01", {"data": models})
    assert {row["benchmark_id"] for row in rows(found)} == {"aa_new_eval"}
    assert len(rows(found)) == 39
    assert sorted(found.quarantine.select("reason", "severity").rows()) == [
        ("not_a_share", "info"), ("not_a_share", "info"), ("out_of_range", "error"),
    ]  # fmt: skip


def table(*scores: float) -> bytes:
    return "".join(["m,s\n", *(f"m{n},{score}\n" for n, score in enumerate(scores))]).encode()


def mapped(**column: Any) -> Leaderboard:
    options = {"model_field": "m", "scores": [{"field": "s", "benchmark": "x"} | column]}
    return Leaderboard.model_validate({"board": "b", "format": "mapping", "options": options})


@pytest.mark.parametrize(
    ("header", "asked"),
    [
        ("m,eval__acc", "eval__acc"), ("m,acc*", "acc*"), ("m,Average \u2b06\ufe0f", "Average \u2b06\ufe0f"),
        ("m,Average", "Average \u2b06\ufe0f"), ("M,**Average** \u2b06\ufe0f", "average"),
    ],
)  # fmt: skip
def test_a_column_is_found_with_and_without_its_marks(tmp_path: Path, header: str, asked: str) -> None:
    found = export(tmp_path, mapped(field=asked), "2026-10-01", f"{header}\na,50\n".encode(), ".csv")
    assert [(row["raw_model"], row["score"]) for row in rows(found)] == [("a", 50)]


@pytest.mark.parametrize("header", ["m,M,s,S", "M,m,S,s", "m,m *,s,s \u2b06\ufe0f", "M *,m,**s**,s"])
def test_a_column_does_not_take_the_place_of_the_one_that_is_asked_for(tmp_path: Path, header: str) -> None:
    """Scores and links came out of `Score` and `Model`, columns of the same name but for their case or a mark."""
    first = header.startswith("m,")
    line = "a,<a>a</a>,50,0.5" if first else "<a>a</a>,a,0.5,50"
    found = export(tmp_path, mapped(), "2026-10-01", f"{header}\n{line}\n".encode(), ".csv")
    assert [(row["raw_model"], row["score"]) for row in rows(found)] == [("a", 50)]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("1. GPT-4o", "GPT-4o"), ("#2) o3", "o3"), ("🥇 **o3**", "o3"), ("**1. o3**", "o3"), ("**o3**", "o3"), ("[o3](https://x.y/z)", "o3"), ("🥇 o3", "o3"),
        ("4.1-mini", "4.1-mini"), ("4.5-turbo", "4.5-turbo"), ("01. AI", "AI"), ("o3 (high)", "o3 (high)"),
    ],
)  # fmt: skip
def test_a_model_is_read_without_what_a_page_puts_around_its_name(tmp_path: Path, written: str, name: str) -> None:
    found = export(tmp_path, mapped(), "2026-10-01", [{"m": written, "s": 50}])
    assert [row["raw_model"] for row in rows(found)] == [name]


@pytest.mark.parametrize("ids", [("1. x", "2. x"), ("<div> x", "<span> x"), ("≥ 3", "3")])
def test_keys_and_items_are_as_they_are_written(tmp_path: Path, ids: tuple[str, str]) -> None:
    """What is a rank before a model's name is a part of an id: of two rows one was lost, and two items were one."""
    records = [{"m": "a", "id": name, "s": n} for n, name in enumerate(ids)]
    for column in ("key_field", "item_field"):
        board_of = mapped()
        board_of = board_of.model_copy(update={"options": {**board_of.options, column: "id"}})
        found = export(tmp_path / column, board_of, "2026-10-01", records)
        assert found.quarantine.is_empty()
        (observation,) = found.observations
        kept = observation.rows["source_row_key"] if column == "key_field" else observation.items["item_id"]
        assert sorted(kept) == sorted(ids)


def test_a_number_beyond_a_column_of_per_cent_costs_itself(tmp_path: Path) -> None:
    """A lost point made 8,200 per cent. Where more of the column lies outside it is no per cent, nor where a unit says so."""
    for name, board_of, scores, kept in (
        ("lost", mapped(), (77.5, 8200, 61, 55.5, 40), 4), ("rating", mapped(), (1400, 1380, 90, 1200, 1100), 5),
        ("declared", mapped(unit="points"), (77.5, 8200, 61, 55.5, 40), 5), ("few", mapped(), (77.5, 8200, 61, 55), 4),
    ):  # fmt: skip
        found = export(tmp_path / name, board_of, "2026-10-01", table(*scores), ".csv")
        assert (len(rows(found)), found.quarantine.height) == (kept, len(scores) - kept), name


def test_shares_of_one_where_per_cent_stood_are_seen_on_a_board_of_two(tmp_path: Path) -> None:
    history = [
        export(tmp_path, mapped(), f"2026-10-0{n}", table(*scores), ".csv")
        for n, scores in ((1, (50, 62.5)), (2, (0.5, 0.625)), (3, (50, 62.5)))
    ]
    found = detect_drift(mapped(), history)
    assert [kind for kind in found["drift_class"] if kind != "new"] == ["coverage_gate"]


def test_a_column_of_several_measures_is_judged_by_each(tmp_path: Path) -> None:
    """A rating among shares is no lost point; the lost point of a share is still one."""
    options = {
        "model_field": "m",
        "scores": [
            {"field": "s", "benchmark": "x", "when": {"b": "x"}},
            {"field": "s", "benchmark": "elo", "unit": "elo", "when": {"b": "elo"}},
        ],
    }
    several = Leaderboard.model_validate({"board": "b", "format": "mapping", "options": options})
    shares = [f"m{n},x,{score}\n" for n, score in enumerate((77.5, 8200, 61, 55.5, 40))]
    content = "".join(["m,b,s\n", *shares, "m0,elo,1460\n", "m1,elo,1501\n"]).encode()
    found = export(tmp_path, several, "2026-10-01", content, ".csv")
    assert sorted(row["score"] for row in rows(found)) == [40, 55.5, 61, 77.5, 1460, 1501]
    assert [line for (line,) in found.quarantine.select("line_no").rows()] == [3]


ROWS: list[dict[str, Any]] = [{"model": f"m{n}", "acc": 80.0 - n, "note": "x"} for n in range(6)]
COLUMNS = {name: [row[name] for row in ROWS] for name in ROWS[0]}
SHAPES: dict[str, tuple[str, str]] = {
    "csv": (".csv", "model;acc;note\n" + "".join(f"{r['model']};{r['acc']};x\n" for r in ROWS)),
    "lines": (".jsonl", "\n".join(map(json.dumps, ROWS))),
    "lines under another name": (".json", "\n".join(map(json.dumps, ROWS))),
    "a document under another name": (".jsonl", json.dumps(ROWS, indent=1)),
    "columns": (".json", json.dumps(COLUMNS)),
    "a data frame": (".json", json.dumps({name: {str(n): v for n, v in enumerate(c)} for name, c in COLUMNS.items()})),
    "columns and data": (".json", json.dumps({"columns": [*COLUMNS], "data": [[*row.values()] for row in ROWS]})),
    "a header and rows": (".json", json.dumps([[*COLUMNS], *([*row.values()] for row in ROWS)])),
    "by model": (".json", json.dumps({row["model"]: {"acc": row["acc"]} for row in ROWS})),
    "within an object": (".json", json.dumps({"updated": "2026-01-01", "leaderboard": ROWS})),
    "rows of an API": (".json", json.dumps({"rows": [{"row_idx": n, "row": row} for n, row in enumerate(ROWS)]})),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_one_table_says_the_same_in_every_shape(tmp_path: Path, shape: str) -> None:
    suffix, content = SHAPES[shape]
    options = {"model_field": "model", "scores": [{"field": "acc", "benchmark": "b"}]}
    board = Leaderboard.model_validate({"board": "mine", "format": "mapping", "options": options})
    found = export(tmp_path, board, "2026-01-01", content.encode(), suffix)
    rows = found.observations[0].rows
    assert sorted(rows.select("raw_model", "score").iter_rows()) == [(r["model"], r["acc"]) for r in ROWS]
    assert found.quarantine.is_empty()


@pytest.mark.parametrize(
    "content", [{"error": {"code": 500}}, {"error": {"code": 1}, "meta": {"a": 1}}, {"acc": [1, 2], "model": ["a"]}]
)
def test_an_answer_without_records_is_set_aside(tmp_path: Path, content: object) -> None:
    options = {"model_field": "model", "scores": [{"field": "acc", "benchmark": "b"}]}
    board = Leaderboard.model_validate({"board": "mine", "format": "mapping", "options": options})
    found = export(tmp_path, board, "2026-01-01", content)
    assert found.quarantine.select("reason", "severity").rows() == [("wrong_shape", "error")]
