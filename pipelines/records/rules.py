"""Rules that every row must keep; a row that breaks one is set aside with the first that it breaks, in words.

Which rules there are is for requests and bills to say; those on conversions, which both have, are here.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

import polars as pl

from pipelines.constant import repeated
from pipelines.records.batches import POSITION
from pipelines.records.layout import Column, Layout, Paths
from pipelines.records.privacy import PLAIN_VALUE, safe_fields, shown

EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)
"""Nothing was billed by the token before."""
NONE_FAILED = pl.DataFrame(
    schema={**POSITION, **dict.fromkeys(("reason", "severity", "detail", "fields"), pl.String())}
)
"""What `failed_records` gives where no row broke a rule."""


@dataclass(frozen=True)
class Rule:
    """A rule that every row must keep: `broken` says which do not, `detail` why in words."""

    reason: str
    broken: pl.Expr
    detail: pl.Expr
    severity: str = "error"

    @cached_property
    def is_broken(self) -> pl.Expr:
        """`broken`, and not where that can't be said."""
        return self.broken.fill_null(value=False)


@dataclass(frozen=True)
class Verdict:
    """Which rows break a rule, and the rules that any row breaks, in the order in which they count."""

    broken: pl.Series
    rules: list[Rule]


def judge(frame: pl.DataFrame, rules: Sequence[Rule]) -> Verdict:
    """Hold every row of `frame` to every rule."""
    broken = frame.select(rule.is_broken.alias(str(number)) for number, rule in enumerate(rules))
    hit = [number for number in range(len(rules)) if broken[str(number)].any()]
    if not hit:
        return Verdict(repeated(False, frame.height, pl.Boolean()), [])
    any_broken = broken.select(pl.any_horizontal(str(number) for number in hit)).to_series()
    return Verdict(any_broken, [rules[number] for number in hit])


def failed_rows(frame: pl.DataFrame, verdict: Verdict) -> pl.DataFrame:
    """The rows of `frame` that break a rule, with reason, severity and detail of the first that each breaks."""
    # polars 2.1 panics in str.format on a frame of several chunks, which a filter leaves.
    return frame.filter(verdict.broken).rechunk().with_columns(_first_broken(verdict.rules))


def failed_records(failed: pl.DataFrame, texts: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """What is kept of failed rows: POSITION, reason, severity, detail, and fields (JSON of their `texts`)."""
    return failed.select(*POSITION, "reason", "severity", "detail").with_columns(safe_fields(texts, layout))


def _first_broken(rules: Sequence[Rule]) -> list[pl.Expr]:
    reason = severity = detail = pl.lit(None, dtype=pl.String)
    for rule in reversed(rules):
        reason = pl.when(rule.is_broken).then(pl.lit(rule.reason)).otherwise(reason)
        severity = pl.when(rule.is_broken).then(pl.lit(rule.severity)).otherwise(severity)
        detail = pl.when(rule.is_broken).then(rule.detail).otherwise(detail)
    return [reason.alias("reason"), severity.alias("severity"), detail.alias("detail")]


def conversion_rules(frame: pl.DataFrame, layout: Layout, without: Collection[str] = ()) -> list[Rule]:
    """A rule per column of a typed frame in which a value did not convert, but for the columns `without`."""
    return [
        _conversion_rule(column, layout)
        for column in layout.columns
        if f"failed.{column.name}" in frame.columns and column.name not in without
    ]


def _conversion_rule(column: Column, layout: Layout) -> Rule:
    name, paths, kind = column
    accepted = {
        "integer": "a whole number", "number": "a number", "boolean": "true or false", "decimal": "a decimal number",
        "instant": f"an instant ({layout.time.pattern or layout.time.kind})",
    }[kind]  # fmt: skip
    found = shown(pl.col(f"text.{name}"), PLAIN_VALUE)
    detail = pl.format("{}: found {}, {} is accepted", pl.lit(in_words(paths)), found, pl.lit(accepted))
    reason = "not_an_integer" if kind == "integer" else "not_an_instant" if kind == "instant" else f"not_a_{kind}"
    return Rule(reason, pl.col(f"failed.{name}"), detail)


def in_words(paths: Paths) -> str:
    """Up to three paths, as a message names them."""
    return " or ".join(paths[:3]) + (" ..." if len(paths) > 3 else "")
