"""FOCUS's own rules of version 1.2 on a file of ours, each rule one outcome: passed, failed, or not applicable and why.

The rules that a machine can read are carried out as the model states them. Those that it only puts into words (Type Dynamic)
are carried out by `dynamic.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from operator import and_, or_
from typing import Any, Literal

import polars as pl

Result = Literal["passed", "failed", "not applicable"]
Rule = Mapping[str, Any]
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?(E-?[0-9]+)?")
INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
UNIT = re.compile(r"([1-9][0-9]* )?[A-Z][a-z]+s|Unit-Hours|USD")
"""Plural units, the compound unit of throughput, and the currency in which a spend commitment is measured."""
COMPOSITE = "Composite"


@dataclass(frozen=True)
class Outcome:
    """What a rule came to."""

    result: Result
    reason: str = ""


@dataclass(frozen=True)
class File:
    """The export as a reader meets it: `texts` is the CSV with every cell as text, `typed` the Parquet file."""

    texts: pl.DataFrame
    typed: pl.DataFrame

    def values(self, column: str) -> list[str]:
        """The cells of a column that are not null."""
        return self.texts[column].drop_nulls().to_list()


Check = Callable[[File], bool]


def judged(
    model: Mapping[str, Any], file: File, supported: set[str], dynamic: Mapping[str, Check | str]
) -> dict[str, Outcome]:
    """The outcome of every rule. `dynamic` has a check or the reason for not having one, for rules that are only words."""
    rules: Mapping[str, Rule] = model["ModelRules"]
    inherited = _inherited(rules)
    outcomes = {
        name: _single(name, rule, file, supported, dynamic, inherited)
        for name, rule in rules.items()
        if rule["Function"] != COMPOSITE
    }
    for name, rule in rules.items():
        if rule["Function"] == COMPOSITE:
            outcomes[name] = _whole(name, rules, outcomes, supported)
    return outcomes


def _whole(name: str, rules: Mapping[str, Rule], outcomes: Mapping[str, Outcome], supported: set[str]) -> Outcome:
    """A rule made of others fails where one of them does, and applies where one of them does."""
    lacking = set(rules[name]["ApplicabilityCriteria"]) - supported
    if lacking:
        return Outcome("not applicable", f"not supported: {min(lacking)}")
    parts = []
    for item in rules[name]["ValidationCriteria"]["Requirement"]["Items"]:
        part = item.get("ModelRuleId")
        if part is not None:
            is_whole = rules[part]["Function"] == COMPOSITE
            parts.append(_whole(part, rules, outcomes, supported) if is_whole else outcomes[part])
    for result in ("failed", "passed"):
        if any(part.result == result for part in parts):
            return Outcome(result)  # type: ignore[arg-type]
    return Outcome("not applicable", parts[0].reason if parts else "none of its parts applies")


def _single(
    name: str,
    rule: Rule,
    file: File,
    supported: set[str],
    dynamic: Mapping[str, Check | str],
    inherited: Mapping[str, Sequence[Mapping[str, Any]]],
) -> Outcome:
    criteria = rule["ValidationCriteria"]
    lacking = set(rule["ApplicabilityCriteria"]) - supported
    if lacking:
        return Outcome("not applicable", f"not supported: {min(lacking)}")
    if rule["EntityType"] == "Column" and rule["Reference"] not in file.texts.columns:
        return Outcome("not applicable", "the column is left out")
    if criteria["Keyword"] == "MAY":
        return Outcome("not applicable", "it allows and asks for nothing")
    if rule["Type"] == "Dynamic":
        check = dynamic[name]
        if isinstance(check, str):
            return Outcome("not applicable", check)
        try:
            return Outcome("passed" if check(file) else "failed")
        except pl.exceptions.ColumnNotFoundError:
            return Outcome("not applicable", "it compares with a column that is not in this version")
    return _static(criteria, [criteria["Condition"], *inherited.get(name, ())], file)


def _inherited(rules: Mapping[str, Rule]) -> dict[str, list[Mapping[str, Any]]]:
    """The conditions of the rules that a rule is a part of: they are its own, too."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for rule in rules.values():
        criteria = rule["ValidationCriteria"]
        for item in criteria["Requirement"].get("Items", ()) if criteria["Condition"] else ():
            found.setdefault(item.get("ModelRuleId", ""), []).append(criteria["Condition"])
    return found


def _static(criteria: Mapping[str, Any], conditions: Sequence[Mapping[str, Any]], file: File) -> Outcome:
    rows = file
    for condition in filter(None, conditions):
        chosen = rows.texts.with_columns(_holds(condition, rows).alias("chosen"))["chosen"]
        rows = File(rows.texts.filter(chosen), rows.typed.filter(chosen))
        if rows.texts.is_empty():
            return Outcome("not applicable", "no row is of that kind")
    holds = rows.texts.with_columns(_holds(criteria["Requirement"], rows, null_passes=True).alias("holds"))["holds"]
    return Outcome("passed" if holds.all() else "failed")


def _holds(check: Mapping[str, Any], file: File, *, null_passes: bool = False) -> pl.Expr:
    """Whether each row does what `check` asks. With `null_passes` a null is no value that is not accepted: whether a
    column may be null is the question of another rule."""
    kind = check["CheckFunction"]
    if kind in ("AND", "OR"):
        return reduce(
            and_ if kind == "AND" else or_, [_holds(item, file, null_passes=null_passes) for item in check["Items"]]
        )
    # Two rules of the model have CheckCondition in place of ColumnName.
    names = [
        check[key]
        for key in ("ColumnName", "CheckCondition", "ColumnAName", "ColumnBName", "ResultColumnName")
        if key in check
    ]
    if any(name not in file.texts.columns for name in names):
        return pl.lit(
            value=kind == "CheckValue" and check["Value"] is None
        )  # a column that is left out is null throughout
    if kind == "ColumnPresent":
        return pl.lit(value=True)
    if kind in ("CheckValue", "CheckNotValue"):
        same = _is(names[0], check["Value"])
        if null_passes and kind == "CheckValue" and check["Value"] is not None:
            return same | pl.col(names[0]).is_null()
        return same if kind == "CheckValue" else ~same
    if kind in ("CheckSameValue", "CheckNotSameValue"):
        same = pl.col(names[0]).eq_missing(pl.col(names[1]))
        return same if kind == "CheckSameValue" else ~same
    return pl.lit(value=_of_columns(kind, check, names, file))


def _is(column: str, value: object) -> pl.Expr:
    if value is None:
        return pl.col(column).is_null()
    if isinstance(value, str):
        return pl.col(column).eq_missing(pl.lit(value))
    return pl.col(column).cast(pl.Decimal(38, 18)).eq_missing(pl.lit(Decimal(str(value))))


def _of_columns(kind: str, check: Mapping[str, Any], names: list[str], file: File) -> bool:
    """A check of whole columns."""
    column, values = names[0], file.values(names[0])
    type_ = file.typed.schema[column]
    found: dict[str, Callable[[], bool]] = {
        "TypeString": lambda: type_ == pl.String,
        "TypeDecimal": lambda: isinstance(type_, pl.Decimal) and all("." in value for value in values),
        "TypeDateTime": lambda: isinstance(type_, pl.Datetime) and type_.time_zone == "UTC",
        "FormatString": lambda: all(value == value.strip() != "" for value in values),
        "FormatNumeric": lambda: all(NUMBER.fullmatch(value) for value in values),
        "CheckDecimalValue": lambda: all(NUMBER.fullmatch(value) for value in values),
        "FormatDateTime": lambda: all(INSTANT.fullmatch(value) for value in values),
        "FormatUnit": lambda: all(UNIT.fullmatch(value) for value in values),
        "FormatCurrency": lambda: all(re.fullmatch("[A-Z]{3}", value) for value in values),
        "CheckNationalCurrency": lambda: set(values) == {"USD"},
        "FormatKeyValue": lambda: all(is_plain_object(value) for value in values),
        "CheckGreaterOrEqualThanValue": lambda: all(Decimal(value) >= check["Value"] for value in values),
        "CheckDistinctCount": lambda: one_each(file.texts, *names) if check["ExpectedCount"] == 1 else False,
        "ColumnByColumnEqualsColumnValue": lambda: product_matches(file.texts, *names),
    }
    return found[kind]()


def is_plain_object(text: str) -> bool:
    """Whether `text` is a JSON object with distinct keys and without objects or arrays in it."""
    pairs = json.loads(text, object_pairs_hook=list)
    keys = [key for key, _ in pairs]
    return len(keys) == len(set(keys)) and not any(isinstance(value, (list, dict)) for _, value in pairs)


def one_each(rows: pl.DataFrame, of: str, what: str) -> bool:
    """Whether every value of `of` has one value of `what`."""
    return bool((rows.filter(pl.col(of).is_not_null()).group_by(of).agg(pl.col(what).n_unique())[what] <= 1).all())


def product_matches(rows: pl.DataFrame, price: str, quantity: str, cost: str) -> bool:
    """Whether price times quantity is the cost, to the last decimal, wherever all three are given."""
    given = rows.select(price, quantity, cost).drop_nulls()
    return all(Decimal(a) * Decimal(b) == Decimal(c) for a, b, c in given.rows())
