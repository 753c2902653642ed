"""Texts of shadow measurements to typed rows, each record valid or set aside with the first rule it breaks.

How the texts come out of files is in `pipelines.records.reader`, which fields are which in `formats/`; what the rows say
together is in `answers.py` and `estimates.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from pipelines.meters import TOKEN_METERS
from pipelines.records.layout import Layout
from pipelines.records.measures import MEASURES
from pipelines.records.rules import EARLIEST, Rule, conversion_rules, failed_records, failed_rows, judge
from pipelines.records.typed_frame import typed_frame
from pipelines.requests import semantics
from pipelines.warehouse.tables.core_shadow import SCORE_KINDS, SHADOW_REQUEST

LATER_COLUMNS = ("provider_id", "model_id", "is_counted")
"""Columns of core.shadow_request that are known only from the models, or among all files."""

RECORD_SCHEMA = pl.Schema(
    {c.name: c.polars_type for c in SHADOW_REQUEST.columns if c.name not in LATER_COLUMNS}
    | {"raw_provider": pl.String()}
)
_TOKENS = [meter.tokens_column for meter in TOKEN_METERS]
_MAX_COUNT, _MAX_MONEY, _MAX_SCORE = 2**31 - 1, 10**6, 10**6


@dataclass(frozen=True)
class ShadowRecords:
    """`valid` has RECORD_SCHEMA without observed_at, `failed` what `rules.failed_records` keeps."""

    valid: pl.DataFrame
    failed: pl.DataFrame


def to_records(texts: pl.DataFrame, layout: Layout, *, source: str, snapshot_id: bytes, arrival: date) -> ShadowRecords:
    """Records from `texts` (POSITION and one String column per path), each valid or failed."""
    frame = typed_frame(texts, layout)
    counted = pl.any_horizontal(pl.col(f"usage.{name}").is_not_null() for name in MEASURES)
    frame = frame.with_columns(
        counts_tokens=counted,
        token_semantics=pl.when(counted).then(pl.lit(layout.semantics)),
        score_kind=pl.col("score_kind").str.to_lowercase(),
        event_date=pl.coalesce(pl.col("event_at").dt.date(), pl.lit(arrival)),
    ).with_columns(**semantics.buckets())
    verdict = judge(frame, [*conversion_rules(frame, layout), *_rules(arrival)])
    given = frame.filter(~verdict.broken).with_columns(
        *(pl.when("counts_tokens").then(pl.col(name)).alias(name) for name in _TOKENS),
        source=pl.lit(source),
        snapshot_id=pl.lit(snapshot_id),
    )
    wanted = {name: dtype for name, dtype in RECORD_SCHEMA.items() if name != "observed_at"}
    valid = given.select(pl.col(name).cast(dtype) for name, dtype in wanted.items())
    return ShadowRecords(valid, failed_records(failed_rows(frame, verdict), texts.filter(verdict.broken), layout))


def _rules(arrival: date) -> list[Rule]:
    counts = [f"usage.{name}" for name in MEASURES]
    least, most = pl.min_horizontal(counts), pl.max_horizontal(counts)
    nothing = pl.all_horizontal(pl.col(name).is_null() for name in (*counts, "cost_usd", "score"))
    share, score, at = pl.col("propensity"), pl.col("score"), pl.col("event_at")
    kinds = ", ".join(SCORE_KINDS)
    return [
        Rule("missing_field", pl.col("request_id").is_null(), pl.lit("the record names no request: nothing to pair it with")),
        Rule("missing_field", pl.col("raw_model").is_null() & pl.col("arm").is_null(), pl.lit("the record names neither a model nor an arm")),
        Rule("no_usage", nothing, pl.lit("the record holds no tokens, no cost and no score")),
        Rule("negative_tokens", least < 0, pl.format("a count is {}, 0 or more is accepted", least)),
        Rule("out_of_range", most > _MAX_COUNT, pl.format("a count is {}, at most {} is accepted", most, pl.lit(_MAX_COUNT))),
        Rule("out_of_range", (pl.col("cost_usd") < 0) | (pl.col("cost_usd") > _MAX_MONEY), pl.lit("cost_usd is below 0 or absurd")),
        Rule("out_of_range", ~(share.is_finite() & (share > 0) & (share <= 1)), pl.lit("propensity: above 0 and at most 1 is accepted")),
        Rule("out_of_range", ~(score.is_finite() & (score.abs() <= _MAX_SCORE)), pl.lit("score: a finite number is accepted")),
        Rule("unknown_score_kind", score.is_not_null() & ~pl.col("score_kind").is_in(SCORE_KINDS).fill_null(value=False), pl.lit(f"a score needs score_kind: {kinds}")),
        Rule("missing_field", score.is_not_null() & (pl.col("score_kind") == "judge") & pl.col("judge").is_null(), pl.lit("a judge's score needs the judge's name")),
        *(Rule("identity_broken", broken, detail) for broken, detail in semantics.identities()),
        Rule("event_out_of_range", at < EARLIEST, pl.format("the record is of {}, {} or later is accepted", at, pl.lit(str(EARLIEST.date())))),
        Rule("event_after_arrival", at.dt.date() > arrival + timedelta(days=1), pl.format("the record is of {}, the file arrived on {}", at.dt.date(), pl.lit(str(arrival)))),
    ]  # fmt: skip
