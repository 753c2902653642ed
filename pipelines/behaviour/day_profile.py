"""mart.request_profile: a day of the company's own log as histograms per model, use case, stratum and metric.

Each request is looked at once, on its own day. Comparing days then takes some thousand small rows instead of
millions of requests. What is compared and when it is an alarm is in `drift.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from pipelines.meters import INPUT_METERS, OUTPUT_METERS
from pipelines.requests.attribution import USE_CASE
from pipelines.warehouse.tables.mart_behaviour import REQUEST_PROFILE

GROUP = ("provider_id", "model_id", "use_case")
CONTINUOUS = ("output_tokens", "reasoning_share", "latency_ms", "ttft_ms", "throughput", "cache_read_share")
ERROR_RATE = "error_rate"
FINISH, RESPONSE_MODEL, FINGERPRINT = "finish:", "response_model:", "fingerprint:"
_NAMED = {"finish_reason": FINISH, "response_model": RESPONSE_MODEL, "fingerprint": FINGERPRINT}
_FINGERPRINT_TAG = "system_fingerprint"
_PARTS = 16
"""Parts whose counts are put together: what is held is what is distinct, however many requests there are."""
LISTS = ("value", "n")
"""A histogram taken apart: its values, and how many requests have each."""
_KIND = ("event_date", *GROUP, "operation", "is_stream", "size")
SIGNIFICANT_DIGITS = 2
"""Of the values of a histogram: steps of 1 to 10 %, far below the spread of any metric, and whole numbers up to 99."""

PROFILE_COLUMNS = (
    "event_date",
    "provider_id",
    "model_id",
    "application",
    "team",
    "operation",
    "is_stream",
    "status",
    "usage_basis",
    "finish_reason",
    "response_model",
    "tags",
    "latency_ms",
    "ttft_ms",
    *(meter.tokens_column for meter in (*INPUT_METERS, *OUTPUT_METERS)),
)
"""The columns of core.request that a profile needs."""


def build_request_profile(requests: pl.DataFrame, strata: Sequence[str] = ()) -> pl.DataFrame:
    """mart.request_profile of the requests' days. `requests` are rows of core.request, PROFILE_COLUMNS at least.

    `strata` are tags whose values are compared apart, such as the version of a prompt.

    Left out are requests whose model is not known and answers of the gateway's own cache. Failed calls count for the
    error rate only, and calls without usage for nothing that is measured in tokens.
    """
    counts = ProfileCounts(strata)
    counts.add(requests)
    return counts.profile()


class ProfileCounts:
    """The values of requests that come in parts, counted: memory is that of one part and of what is distinct."""

    def __init__(self, strata: Sequence[str] = ()) -> None:
        self._strata = strata
        self._counts: dict[str, list[pl.DataFrame]] = {name: [] for name in (*CONTINUOUS, ERROR_RATE, *_NAMED)}
        self._kinds: pl.DataFrame | None = None
        """Numbers of what requests are compared by: grouping millions by one number takes a tenth of the time."""

    def add(self, requests: pl.DataFrame) -> None:
        """Count some more requests."""
        facts = _facts(
            requests.filter(pl.col("model_id").is_not_null() & (pl.col("status") != "cache_hit")), self._strata
        )
        by = [*_KIND, *_tags(self._strata)]
        coded = facts.join(self._numbered(facts.select(by).unique(), by), on=by, nulls_equal=True).drop(by)
        for name, counts in self._counts.items():
            counts.append(coded.drop_nulls(name).group_by("kind", name).len())
            if len(counts) == _PARTS:
                counts[:] = [pl.concat(counts).group_by("kind", name).agg(pl.col("len").sum())]

    def _numbered(self, found: pl.DataFrame, by: list[str]) -> pl.DataFrame:
        known = found.clear().with_columns(kind=pl.lit(0, pl.UInt32)) if self._kinds is None else self._kinds
        new = found.join(known, on=by, how="anti", nulls_equal=True)
        self._kinds = pl.concat([known, new.with_columns(kind=pl.int_range(pl.len(), dtype=pl.UInt32) + known.height)])
        return self._kinds

    def profile(self) -> pl.DataFrame:
        """mart.request_profile of all that was counted, which must be whole days."""
        if self._kinds is None:
            return REQUEST_PROFILE.empty()
        stratum = pl.concat_str(
            pl.format("{} {} 2^{}", "operation", "is_stream", "size"), *_tags(self._strata), ignore_nulls=True
        )
        kinds = self._kinds.select("kind", "event_date", *GROUP, stratum.alias("stratum"))
        keys = ["event_date", *GROUP, "stratum"]
        numbered = kinds.select(keys).unique().with_row_index("place")
        places = kinds.join(numbered, on=keys, nulls_equal=True).select("kind", "place")
        found = [self._histograms(name, places) for name in self._counts]
        profile = pl.concat(found).join(numbered, on="place").sort(*keys, "metric")
        parts = (pl.lit('{"value": ['), pl.col("value"), pl.lit('], "requests": ['), pl.col("len"), pl.lit("]}"))
        return profile.with_columns(pl.concat_str(parts).alias("histogram")).select(*REQUEST_PROFILE.polars_schema)

    def _histograms(self, name: str, places: pl.DataFrame) -> pl.DataFrame:
        """Of one fact: by place and metric the requests, and the two lists of a histogram joined by commas."""
        counted = pl.concat(self._counts[name]).join(places, on="kind").group_by("place", name).agg(pl.col("len").sum())
        if name in _NAMED:
            value, metric = pl.lit(1.0), pl.concat_str(pl.lit(_NAMED[name]), name)
        else:
            value, metric = pl.col(name), pl.lit(name)
        return (
            counted.select("place", metric.alias("metric"), value.alias("value"), "len")
            .sort("place", "metric", "value")
            .group_by("place", "metric", maintain_order=True)
            .agg(
                pl.col("len").sum().cast(pl.Int32).alias("requests"),
                pl.col("value").cast(pl.String).str.join(", "),
                pl.col("len").cast(pl.String).str.join(", "),
            )
        )


def taken_apart(profile: pl.DataFrame) -> pl.DataFrame:
    """The rows of a profile with LISTS in place of `histogram`."""
    parts = pl.Struct({"value": pl.List(pl.Float64), "requests": pl.List(pl.UInt32)})
    decoded = profile["histogram"].str.json_decode(parts).struct
    return profile.drop("histogram").with_columns(
        decoded.field("value").alias("value"), decoded.field("requests").alias("n")
    )


def _facts(requests: pl.DataFrame, strata: Sequence[str]) -> pl.DataFrame:
    """One row per request: _KIND, its tags of `strata`, its metrics to two digits, how it ended and who answered."""
    output = pl.sum_horizontal(meter.tokens_column for meter in OUTPUT_METERS).cast(pl.Float64)
    prompt = pl.sum_horizontal(meter.tokens_column for meter in INPUT_METERS).cast(pl.Float64)
    is_ok = (pl.col("status") == "ok") & ~pl.col("usage_basis").is_in(["missing", "partial"])
    metrics = {
        "output_tokens": pl.when(is_ok).then(output),
        "reasoning_share": pl.when(is_ok & (output > 0)).then(pl.col("output_reasoning_tokens") / output),
        "latency_ms": pl.when(is_ok).then("latency_ms"),
        "ttft_ms": pl.when(is_ok).then("ttft_ms"),
        "throughput": pl.when(is_ok & (pl.col("latency_ms") > 0)).then(output / pl.col("latency_ms") * 1000),
        "cache_read_share": pl.when(is_ok & (prompt > 0)).then(pl.col("input_cache_read_tokens") / prompt),
        ERROR_RATE: (pl.col("status") == "error").cast(pl.Float64),
    }
    return requests.select(
        "event_date",
        pl.col("provider_id").fill_null("unknown"),
        "model_id",
        USE_CASE,
        "operation",
        pl.col("is_stream").fill_null(value=False),
        (prompt + 1).log(2).floor().cast(pl.Int32).alias("size"),
        *(_tagged(tag).alias(name) for tag, name in zip(strata, _tags(strata), strict=True)),
        "response_model",
        _fingerprint(requests["tags"]),
        pl.when(is_ok).then("finish_reason").alias("finish_reason"),
        *(metric.round_sig_figs(SIGNIFICANT_DIGITS).alias(name) for name, metric in metrics.items()),
    )


def _fingerprint(tags: pl.Series) -> pl.Series:
    """The back end that answered, where the log names it: few do, and taking every row's tags apart takes seconds."""
    if not tags.str.contains(_FINGERPRINT_TAG, literal=True).any():
        return pl.Series("fingerprint", [None], dtype=pl.String).new_from_index(0, len(tags))
    return tags.str.json_path_match(f"$.{_FINGERPRINT_TAG}").alias("fingerprint")


def _tags(strata: Sequence[str]) -> list[str]:
    return [f"tag_{number}" for number in range(len(strata))]


def _tagged(tag: str) -> pl.Expr:
    """` tag=value` where a request has the tag, null where it has not."""
    value = pl.col("tags").str.json_path_match(f"$['{tag}']")
    return pl.when(value.str.len_chars() > 0).then(pl.format(" {}={}", pl.lit(tag), value))
