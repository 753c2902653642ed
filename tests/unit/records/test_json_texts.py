"""JSON lines to texts: the fast reading agrees with the reference reading on every line, whatever the lines hold."""

from __future__ import annotations

import json
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.records import json_texts
from pipelines.records.json_record import RecordError, load, texts_of
from pipelines.records.json_texts import JsonDecoder
from pipelines.records.paths import path_tree

PATHS = ("id", "cost", "meta/usage/input", "meta/team", "labels[]")
TREE = path_tree(PATHS)


def decoded(lines: list[str]) -> tuple[dict[int, dict[str, str | None]], dict[int, str]]:
    frame = pl.DataFrame({"index": range(len(lines)), "line": lines}, schema={"index": pl.Int64, "line": pl.String})
    flat, failures = JsonDecoder(TREE, exact=["cost"]).decode(frame)
    found = {row.pop("index"): row for row in flat.iter_rows(named=True)}
    return found, {failure.index: failure.reason for failure in failures}


def reference(lines: list[str]) -> tuple[dict[int, dict[str, str | None]], dict[int, str]]:
    found, failed = {}, {}
    for index, line in enumerate(lines):
        try:
            found[index] = texts_of(load(line), TREE)
        except RecordError as error:
            failed[index] = error.reason
    return found, failed


def test_reads_named_fields_and_nothing_else() -> None:
    found, failed = decoded(
        ['{"id":"a","cost":1.5,"meta":{"usage":{"input":3},"team":"x"},"labels":["p","q"],"prompt":"secret"}']
    )
    assert failed == {}
    assert found[0] == {"id": "a", "cost": "1.5", "meta/usage/input": "3", "meta/team": "x", "labels[]": '["p","q"]'}


@pytest.mark.parametrize(
    "crafted",
    [
        '{"id":"x"},{"id":"y"}',  # two records where one is counted
        '{"id":"x"}],"r":[{"id":"y"}',
        '{"id":"x"},"r":{"id":"y"}',
        '{"id":"x"}]},{"n":3,"r":[{"id":"y"}',
        '{"id":"x"}\x1f',
        '{"id":"x"} {"id":"y"}',
        '"id":"x"',
        "null",
        "[]",
        "7",
        "",
        "}",
        '{"id":"x"',
        '{"id":"x",}',
        "{'id':'x'}",
        '{"id":Nan}',
    ],
)
def test_a_crafted_line_shifts_no_other_line(crafted: str) -> None:
    """Trap: a column of lines is decoded as one array, in which a line can open or close records of its own."""
    lines = (
        [json.dumps({"id": f"before-{n}"}) for n in range(5)]
        + [crafted]
        + [json.dumps({"id": f"after-{n}"}) for n in range(5)]
    )
    found, failed = decoded(lines)
    assert set(failed) == {5}
    assert [found[index]["id"] for index in sorted(found)] == [f"before-{n}" for n in range(5)] + [
        f"after-{n}" for n in range(5)
    ]


def test_a_number_that_is_none_is_no_value() -> None:
    """Python writes NaN and Infinity into JSON: the line is read, also between others of its block."""
    found, failed = decoded(['{"id":"a"}', '{"id":NaN}', '{"id":-Infinity}', '{"id":"b"}'])
    assert ([found[index]["id"] for index in sorted(found)], set(failed)) == (["a", None, None, "b"], set())


@pytest.mark.parametrize("halves", [('{"id":"b","k":[1', "2]}"), ('{"id":"b","k":{"m":1', '"n":2}}')])
def test_crafted_lines_that_cancel_out_shift_nothing(halves: tuple[str, str]) -> None:
    """One line is two records, two others are one between them: as one array they decode, and the count stays right.

    Counter-example: `json_texts._in_blocks` without `_are_objects` before it gives line 2 the record y.
    """
    lines = ['{"id":"a"}', '{"id":"x"},{"id":"y"}', *halves, '{"id":"c"}']
    assert [row["id"] for row in json.loads(f"[{','.join(lines)}]")] == ["a", "x", "y", "b", "c"]
    found, failed = decoded(lines)
    assert {index: row["id"] for index, row in found.items()} == {0: "a", 4: "c"}
    assert set(failed) == {1, 2, 3}


@pytest.mark.parametrize(
    ("written", "exact"),
    [
        ("0.00022500000000000002", "0.00022500000000000002"),
        ("0.1234567890123456789012", "0.1234567890123456789012"),
        ("1e-05", "0.00001"),
        ("7.6E-05", "0.000076"),
        ("1.10", "1.1"),
        ("123456789012345678.123456789", "123456789012345678.123456789"),
        ("12", "12"),
        ("-0.5", "-0.5"),
    ],
)
def test_money_keeps_the_digits_of_the_line(written: str, exact: str) -> None:
    """Counter-example: a decoder that goes through a float ends 0.1234567890123456789012 at 0.12345678901234568."""
    found, _ = decoded([f'{{"id":"a","cost":{written}}}', '{"id":"b","cost":2}'])
    assert Decimal(str(found[0]["cost"])) == Decimal(exact)
    assert found[1]["cost"] == "2"


def test_a_number_with_an_endless_exponent_is_no_number_and_no_crash() -> None:
    for number in ("1e99999999999999999999", "-1.5E-99999999999999999999"):
        assert texts_of(load(f'{{"a": {number}}}'), path_tree(["a"]))["a"] == number


def test_an_integer_out_of_range_is_not_null() -> None:
    found, _ = decoded(['{"meta":{"usage":{"input":123456789012345678901234567890}}}'])
    assert found[0]["meta/usage/input"] == "123456789012345678901234567890"


def test_the_first_of_two_equal_keys_counts_in_both_readings() -> None:
    line = '{"id":"first","id":"second"}'
    assert decoded([line])[0][0]["id"] == reference([line])[0][0]["id"] == "first"


@pytest.mark.parametrize(("escape", "reason"), [(r"a\u0000b", "nul_character"), (r"a\ud800b", "bad_escape")])
def test_characters_that_no_text_column_stores_are_named(escape: str, reason: str) -> None:
    lines = [
        f'{{"id":"{escape}"}}',
        r'{"id":"\ud83d\ude00"}',
        f'{{"id":"x","prompt":"{escape}"}}',
        f'{{"labels":["{escape}"]}}',
    ]
    found, failed = decoded(lines)
    assert failed == {0: reason, 3: reason}
    assert found[1]["id"] == "\N{GRINNING FACE}"
    assert found[2]["id"] == "x"


def test_objects_and_lists_may_be_written_as_json_text_line_by_line() -> None:
    inner = {"usage": {"input": 4}, "team": "t"}
    lines = [
        json.dumps({"id": "1", "meta": json.dumps(inner), "labels": '["a"]'}),
        json.dumps({"id": "2", "meta": inner, "labels": ["a"]}),
        json.dumps({"id": "3", "meta": None, "labels": None}),
        json.dumps({"id": "4", "meta": "", "labels": ""}),
        json.dumps({"id": "5", "meta": json.dumps({**inner, "usage": json.dumps(inner["usage"])})}),
        json.dumps({"id": "6", "meta": "{broken"}),
        json.dumps({"id": "7", "meta": 5}),
        json.dumps({"id": "8", "labels": "one tag"}),
        json.dumps({"id": "9", "labels": '["a","b"]'}),
    ]
    found, failed = decoded(lines)
    assert {index: row["meta/usage/input"] for index, row in found.items() if index < 5} == {
        0: "4",
        1: "4",
        2: None,
        3: None,
        4: "4",
    }
    assert found[0]["labels[]"] == found[1]["labels[]"] == '["a"]'
    assert failed == {5: "not_json", 6: "wrong_type"}
    assert found[7]["labels[]"] == '["one tag"]'
    assert found[8]["labels[]"] == '["a","b"]'


def test_a_text_longer_than_an_identifier_is_refused() -> None:
    _, failed = decoded([json.dumps({"id": "x" * 5000}), json.dumps({"id": "x" * 4000})])
    assert failed == {0: "text_too_long"}


def test_an_object_in_place_of_a_value_is_refused_and_never_shown() -> None:
    with pytest.raises(RecordError) as caught:
        texts_of(load('{"id":{"prompt":"secret"}}'), TREE)
    assert caught.value.reason == "wrong_type"
    assert "secret" not in str(caught.value)


def test_nesting_without_end_is_a_failure_not_a_crash() -> None:
    found, failed = decoded(['{"id":' * 100_000, '{"id":"a"}'])
    assert (set(found), failed) == ({1}, {0: "not_json"})


def test_many_blocks_with_broken_lines_keep_every_line_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_texts, "BLOCK_LINES", 7)
    lines = [json.dumps({"id": str(n)}) if n % 11 else '{"id":' for n in range(200)]
    found, failed = decoded(lines)
    assert {index: row["id"] for index, row in found.items()} == {n: str(n) for n in range(200) if n % 11}
    assert set(failed) == {n for n in range(200) if n % 11 == 0}


_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**25), 10**25),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
)
_USAGE = st.one_of(
    _SCALARS, st.fixed_dictionaries({}, optional={"input": st.one_of(_SCALARS, st.lists(_SCALARS, max_size=2))})
)
_META = st.one_of(_SCALARS, st.fixed_dictionaries({}, optional={"usage": _USAGE, "team": _SCALARS}))
_RECORDS = st.fixed_dictionaries(
    {},
    optional={
        "id": _SCALARS,
        "cost": st.one_of(st.floats(0, 1e6, allow_nan=False), st.integers(0, 10**9)),
        "meta": st.one_of(_META, _META.map(json.dumps)),
        "labels": st.one_of(_SCALARS, st.lists(st.text(max_size=5), max_size=3)),
        "prompt": _SCALARS,
    },
)
_LINES = st.lists(
    st.one_of(_RECORDS.map(json.dumps), _RECORDS.map(lambda record: json.dumps(record)[:-1]), st.text(max_size=20)),
    max_size=12,
)


def _comparable(texts: dict[str, str | None]) -> dict[str, object]:
    """Numbers by value: 1.0 and 1 are the same text's two spellings outside money."""

    def value(text: str | None) -> object:
        try:
            return float(text) if text is not None else None
        except ValueError:
            return text

    return {path: value(text) for path, text in texts.items()}


@settings(max_examples=150, deadline=None)
@given(_LINES)
@pytest.mark.slow
def test_fast_and_reference_reading_agree(lines: list[str]) -> None:
    lines = [line.replace("\n", " ") for line in lines]
    try:
        "".join(lines).encode()
    except UnicodeEncodeError:
        return
    found, failed = decoded(lines)
    expected, expected_failures = reference(lines)
    assert failed == expected_failures
    assert {index: _comparable(texts) for index, texts in found.items()} == {
        index: _comparable(texts) for index, texts in expected.items()
    }
    for index, texts in expected.items():
        if texts["cost"] is not None:
            assert Decimal(str(found[index]["cost"])) == Decimal(texts["cost"])
