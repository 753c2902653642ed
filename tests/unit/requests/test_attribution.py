"""Who pays: rules in order, lookups from a file, one value per request, and nothing invented."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipelines.config import ConfigError, load_config
from pipelines.config.attribution import Attribution
from pipelines.requests import attribute
from pipelines.requests.normalise import REQUEST_SCHEMA

ROWS = [
    {"source": "gateway", "application": "checkout-web", "team": None, "tags": '{"api_key":"h1","cost.centre":"42"}'},
    {"source": "gateway", "application": "checkout-web", "team": "logged", "tags": None},
    {"source": "traces", "application": "search", "team": None, "tags": '{"api_key":"h2"}'},
    {"source": "traces", "application": None, "team": None, "tags": None},
]


def requests() -> pl.DataFrame:
    return pl.DataFrame([{name: row.get(name) for name in REQUEST_SCHEMA} for row in ROWS], schema=REQUEST_SCHEMA)


def teams(rules: list[dict[str, object]], column: str = "team") -> list[str | None]:
    return attribute(requests(), Attribution.model_validate({"rules": rules}))[column].to_list()


def test_without_rules_nothing_changes() -> None:
    assert attribute(requests(), Attribution()).equals(requests())


def test_a_rule_fills_what_is_empty_and_the_first_one_wins() -> None:
    rules = [
        {
            "when": {"source": "gateway", "application": "checkout-*"},
            "set": {"team": "payments", "environment": "prod"},
        },
        {"when": {"source": "gateway"}, "set": {"team": "platform"}},
        {"when": {"application": "search"}, "set": {"team": "search"}},
    ]
    assert teams(rules) == ["payments", "logged", "search", None]
    assert teams(rules, "environment") == ["prod", "prod", None, None]


def test_an_override_replaces_what_the_log_said() -> None:
    assert teams([{"when": {"source": "gateway"}, "set": {"team": "x"}, "override": True}]) == ["x", "x", None, None]


def test_patterns_know_only_the_star() -> None:
    """Counter-example: read as a regular expression, `checkout.web` would match `checkout-web`."""
    assert teams([{"when": {"application": "checkout.web"}, "set": {"team": "x"}}])[0] is None
    assert teams([{"when": {"application": "*"}, "set": {"team": "x"}}]) == ["x", "logged", "x", None]


def test_lookups_by_a_tag_in_place_and_from_a_file(tmp_path: Path) -> None:
    values = {"h1": {"team": "a"}, "h2": {"team": "b", "project": "p"}}
    assert teams([{"lookup": {"field": "tags.api_key", "values": values}}]) == ["a", "logged", "b", None]
    assert teams([{"lookup": {"field": "tags.api_key", "values": values}}], "project") == [None, None, "p", None]
    assert teams([{"when": {"tags.cost.centre": "42"}, "set": {"team": "x"}}])[0] == "x"
    (tmp_path / "keys.csv").write_text("\ufeffkey,owner\nh1,a\nh2,\n", encoding="utf-8")
    (tmp_path / "attribution.yaml").write_text(
        "rules: [{lookup: {field: tags.api_key, file: keys.csv, key: key, columns: {team: owner}}}]", encoding="utf-8"
    )
    config = load_config(tmp_path)
    assert attribute(requests(), config.attribution)["team"].to_list() == ["a", "logged", None, None]


def test_the_packaged_default_has_no_rules() -> None:
    assert load_config(None).attribution == Attribution()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rules: [{when: {sourc: x}, set: {team: a}}]", "rules.0.when.sourc: no such field; accepted are team"),
        ("rules: [{when: {source: x}}]", "a rule has either `set` or `lookup`"),
        ("rules: [{set: {teem: a}}]", "attribution.yaml:1: rules.0.set.teem: found 'teem', accepted are team"),
        ("rules: [{lookup: {field: source}}]", "a lookup needs `file`"),
        ("rules: [{lookup: {field: source, file: a.csv}}]", "needs `key`"),
        ("rules: [{lookup: {field: source, file: a.csv, key: k, columns: {team: t}}}]", "a.csv does not exist"),
        (
            "rules: [{lookup: {field: source, file: b.csv, key: k, columns: {team: t}}}]",
            "has no column 'k'; accepted are key, team",
        ),
        (
            "rules: [{lookup: {field: source, file: b.csv, key: key, columns: {team: team}}}]",
            "line 3: key 'x' is given twice",
        ),
    ],
)
def test_a_wrong_declaration_is_named(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "b.csv").write_text("key,team\nx,1\nx,2\n", encoding="utf-8")
    (tmp_path / "attribution.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path)
    assert words in str(caught.value)
    assert "attribution.yaml" in str(caught.value)
