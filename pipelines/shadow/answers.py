"""Shadow measurements paired with what ran: one row per request and model that answered it.

Which answers are compared and what they show is in `measured.py`.
"""

from __future__ import annotations

from functools import reduce
from operator import add

import polars as pl

from pipelines.config.allocation import UNATTRIBUTED
from pipelines.meters import INPUT_METERS, OUTPUT_METERS

LOOP_TOKENS = 100_000
"""Input tokens of an answer from which the request is an agent's whole task."""
_INPUT = reduce(add, [pl.col(meter.tokens_column).cast(pl.Int64) for meter in INPUT_METERS])
_OUTPUT = reduce(add, [pl.col(meter.tokens_column).cast(pl.Int64) for meter in OUTPUT_METERS])


def answers(shadow: pl.DataFrame, requests: pl.DataFrame) -> pl.DataFrame:
    """Rows of core.shadow_request (those that count, of known models) with what the log holds of the same requests.

    `requests` are rows of core.request that a request_id of `shadow` names, by source_request_id or by session_id (a task
    that was run whole: its requests add up). Columns: request_id, model_id, cluster (the session, else the request), use_case, is_loop (a whole
    task of an agent), is_recorded (it ran in our log), input and output (tokens, Int64), cost_usd (Float64), gold (Float64), judged (a struct
    of judge and score, a list) and propensity (Float64). What is not known is null. Of several records of one answer the newest fills
    what others leave open.
    """
    known = shadow.filter("is_counted", pl.col("model_id").is_not_null())
    if known.is_empty():
        return _nothing()
    ran = _recorded(known, requests)
    newest = known.with_columns(input=_INPUT, output=_OUTPUT, cost_usd=pl.col("cost_usd").cast(pl.Float64)).sort(
        "observed_at", descending=True, maintain_order=True
    )
    said = newest.group_by("request_id", "model_id", maintain_order=True).agg(
        *(
            pl.col(name).drop_nulls().first()
            for name in ("session_id", "use_case", "input", "output", "cost_usd", "propensity")
        ),
        gold=pl.col("score").filter(pl.col("score_kind") == "gold").first(),
        judged=pl.struct("judge", "score").filter(pl.col("score_kind") == "judge"),
    )
    both = said.join(ran, on=["request_id", "model_id"], how="full", coalesce=True, suffix="_ran")
    filled = both.with_columns(
        *(pl.coalesce(f"{name}_ran", name).alias(name) for name in ("input", "output", "cost_usd")),
        pl.col("is_recorded").fill_null(value=False),
    )
    # What the log knows of a request holds for every answer to it.
    of_request = {
        name: pl.coalesce(name, pl.col(f"{name}_ran").drop_nulls().first().over("request_id"), pl.col(name).drop_nulls().first().over("request_id"))
        for name in ("session_id", "use_case")
    }  # fmt: skip
    return (
        filled.with_columns(**of_request)
        .select(
            "request_id",
            "model_id",
            pl.coalesce("session_id", "request_id").alias("cluster"),
            pl.col("use_case").fill_null(UNATTRIBUTED),
            (pl.col("input").max().over("request_id") >= LOOP_TOKENS).fill_null(value=False).alias("is_loop"),
            "is_recorded",
            "input",
            "output",
            "cost_usd",
            "gold",
            "judged",
            "propensity",
        )
        .sort("request_id", "model_id")
    )


def _recorded(shadow: pl.DataFrame, requests: pl.DataFrame) -> pl.DataFrame:
    """What the log holds of the requests that shadow files name: per request or whole session, the model that ran."""
    wanted = shadow.select("request_id").unique()
    logged = requests.filter(pl.col("model_id").is_not_null()).with_columns(
        input=_INPUT, output=_OUTPUT, use_case=pl.coalesce("application", "team")
    )
    sums = [
        pl.col("input").sum(),
        pl.col("output").sum(),
        pl.col("effective_cost_usd").sum().cast(pl.Float64).alias("cost_usd"),
    ]
    kept = [pl.col("session_id").first(), pl.col("use_case").first(), *sums]
    single = logged.filter(pl.col("source_request_id").is_in(wanted["request_id"].implode()))
    whole = logged.filter(pl.col("session_id").is_in(wanted["request_id"].implode()))
    one_model = whole.filter(pl.col("model_id").n_unique().over("session_id") == 1)
    parts = [
        single.group_by(pl.col("source_request_id").alias("request_id"), "model_id", maintain_order=True).agg(kept),
        one_model.group_by(pl.col("session_id").alias("request_id"), "model_id", maintain_order=True).agg(
            pl.col("session_id").first().alias("session"), pl.col("use_case").first(), *sums
        ).rename({"session": "session_id"}),
    ]  # fmt: skip
    columns = ["request_id", "model_id", "session_id", "use_case", "input", "output", "cost_usd"]
    found = pl.concat([part.select(columns) for part in parts]).unique(
        ["request_id", "model_id"], keep="first", maintain_order=True
    )
    renamed = {name: f"{name}_ran" for name in columns[2:]}
    return found.rename(renamed).with_columns(is_recorded=pl.lit(value=True))


def _nothing() -> pl.DataFrame:
    return pl.DataFrame(
        schema={
            "request_id": pl.String(), "model_id": pl.String(), "cluster": pl.String(), "use_case": pl.String(), "is_loop": pl.Boolean(),
            "is_recorded": pl.Boolean(), "input": pl.Int64(), "output": pl.Int64(), "cost_usd": pl.Float64(), "gold": pl.Float64(),
            "judged": pl.List(pl.Struct({"judge": pl.String(), "score": pl.Float64()})), "propensity": pl.Float64(),
        }
    )  # fmt: skip
