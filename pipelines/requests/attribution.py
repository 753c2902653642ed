"""Who pays: fills team, project, environment, application and end user by the rules of `attribution.yaml`.

A request has one value for each, so that its cost counts once; what no rule fills stays null, which is
"unattributed". What the log itself says was read when the file was parsed (`format.py`).
"""

from __future__ import annotations

import re

import polars as pl

from pipelines.config.allocation import UNATTRIBUTED
from pipelines.config.attribution import TARGETS, Attribution, Lookup, Rule, Target
from pipelines.config.patterns import regex_of

USE_CASE = pl.coalesce("application", "team", pl.lit(UNATTRIBUTED)).alias("use_case")
"""What a request is for, for behaviour, routing and shadow runs."""


def attribute(requests: pl.DataFrame, rules: Attribution) -> pl.DataFrame:
    """`requests` (any frame with the attribution columns and `tags` of core.request) with its empty fields filled."""
    for rule in rules.rules:
        requests = requests.with_columns(**_filled(rule))
    return requests


def _filled(rule: Rule) -> dict[str, pl.Expr]:
    matches = pl.all_horizontal(pl.lit(value=True), *[_matches(field, pattern) for field, pattern in rule.when.items()])
    found: dict[str, pl.Expr] = {target: pl.lit(value) for target, value in rule.set.items()}
    if rule.lookup is not None:
        found = {target: _looked_up(rule.lookup, target) for target in TARGETS if _gives(rule.lookup, target)}
    filled = {}
    for target, value in found.items():
        given = pl.when(matches).then(value)
        own = pl.col(target)
        filled[target] = pl.coalesce(given, own) if rule.override else pl.coalesce(own, given)
    return filled


def _field(name: str) -> pl.Expr:
    if not name.startswith("tags."):
        return pl.col(name)
    key = re.sub(r"(['\\])", r"\\\1", name.removeprefix("tags."))
    return pl.col("tags").str.json_path_match(f"$['{key}']")


def _matches(field: str, pattern: str) -> pl.Expr:
    return _field(field).str.contains(regex_of(pattern)).fill_null(value=False)


def _gives(lookup: Lookup, target: Target) -> bool:
    return any(target in values for values in lookup.values.values())


def _looked_up(lookup: Lookup, target: Target) -> pl.Expr:
    table = {key: values[target] for key, values in lookup.values.items() if target in values}
    return _field(lookup.field).replace_strict(table, default=None, return_dtype=pl.String)
