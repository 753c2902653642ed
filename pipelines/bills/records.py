"""Texts of bill records to typed rows in exclusive buckets, each record valid or set aside with the first rule it breaks.

How the texts come out of files is in `pipelines.records.reader`, which fields are which in `formats/`; what several
exports say together is in `ledger.py`. Counts of a bill are sums and may exceed 2^31, unlike those of a request.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta

import orjson
import polars as pl

from pipelines.ids import id_column
from pipelines.meters import TOKEN_METERS
from pipelines.records import conversions
from pipelines.records.batches import POSITION
from pipelines.records.layout import Layout, Paths
from pipelines.records.measures import MEASURES
from pipelines.requests import semantics
from pipelines.requests.normalise import EARLIEST, Normalised, Rule, hashed_user, safe_values
from pipelines.warehouse.tables.bills import REPORTED_COST

LEDGER_COLUMNS = ("superseded_at", "supersede_reason", "model_id", "resolution_method")
"""Columns of core.reported_cost that are known only among all exports, or from the models."""

RECORD_SCHEMA = pl.Schema({c.name: c.polars_type for c in REPORTED_COST.columns if c.name not in LEDGER_COLUMNS})
_TOKENS = [meter.tokens_column for meter in TOKEN_METERS]
_TIERS = {"default": "standard", "auto": "standard", "on_demand": "standard"}
_MAX_COUNT, _MAX_MONEY = 10**15, 10**12
_WHO = (
    "report", "project_id", "api_key_id", "end_user_id", "raw_model", "line_item", "meter", "upstream_provider", "service_tier",
    "region", "context_window", "quantity_unit", "currency",
)  # fmt: skip
"""What identifies a record of a table; one of a JSON report is identified by all that it says (`containers.py`)."""
_CONVERTED: dict[str, Callable[[pl.Series], pl.Series]] = {
    "integers": conversions.to_integers,
    "booleans": conversions.to_booleans,
    "money": conversions.to_decimals,
}


def to_records(
    flat: pl.DataFrame, fmt: Layout, *, source: str, snapshot_id: bytes, arrival: date, seen: Counter[bytes]
) -> Normalised:
    """Records from `flat` (POSITION and one String column per path): `valid` has RECORD_SCHEMA without observed_at.

    `seen` counts the records of a table by what identifies them: equal ones of one table are different lines of the bill.
    """
    frame, rules = _typed(flat, fmt)
    frame = frame.with_columns(**_missing(frame)).with_columns(counts_tokens=_any_count()).with_columns(**fmt.derive())
    frame = frame.with_columns(
        token_semantics=pl.when("counts_tokens").then(pl.lit(fmt.semantics)),
        service_tier=pl.col("service_tier").str.to_lowercase().replace(_TIERS),
        bucket_to=pl.coalesce("bucket_to", pl.col("bucket_from") + timedelta(days=1)),
        currency=pl.when(pl.col("amount").is_not_null()).then(pl.col("currency").str.to_uppercase()),
    )
    frame = frame.with_columns(**semantics.buckets())
    rules += _rules(arrival)
    broken = frame.select(pl.any_horizontal(rule.broken.fill_null(value=False) for rule in rules)).to_series()
    failed = frame.filter(broken).rechunk()
    failed = failed.select(*POSITION, *_verdict(rules)).with_columns(_safe_fields(flat.filter(broken), fmt))
    return Normalised(_facts(frame.filter(~broken), fmt, source, snapshot_id, seen), failed)


def _typed(flat: pl.DataFrame, fmt: Layout) -> tuple[pl.DataFrame, list[Rule]]:
    """Position and each declared column typed, and a rule per column for what did not convert."""
    rules: list[Rule] = []
    series = [flat[name] for name in POSITION]
    for name, paths in fmt.text.items():
        column = _first(flat, paths).rename(name)
        constant = fmt.constants.get(name)
        series.append(column if constant is None else column.fill_null(constant))
    series += [
        pl.Series(name, [said] * flat.height, dtype=pl.String)
        for name, said in fmt.constants.items()
        if name not in fmt.text
    ]
    groups = {"integers": {**fmt.integers, **{f"usage.{name}": paths for name, paths in fmt.usage.items()}}}
    for kind, columns in {**groups, "booleans": fmt.booleans, "money": fmt.money, "instants": fmt.instants}.items():
        for name, paths in columns.items():
            text = _first(flat, paths)
            values = conversions.to_instants(text, fmt.time) if kind == "instants" else _CONVERTED[kind](text)
            series.append(values.rename(name))
            if kind == "money":
                series.append(text.rename(f"text.{name}"))
            lost = (values.is_null() & text.is_not_null()).rename(f"failed.{name}")
            if lost.any():
                series.append(lost)
                where = " or ".join(paths[:3])
                detail = pl.lit(f"{where}: what stands there is none of {kind}")
                rules.append(Rule(f"not_in_{kind}", pl.col(f"failed.{name}"), detail))
    return pl.DataFrame(series), rules


def _first(flat: pl.DataFrame, paths: Paths) -> pl.Series:
    cleaned = [pl.when(pl.col(path).str.len_bytes() > 0).then(pl.col(path)) for path in paths if path in flat.columns]
    chosen = pl.coalesce(cleaned) if cleaned else pl.lit(None, dtype=pl.String)
    return (
        flat.select(chosen.alias("text"))["text"]
        if cleaned
        else pl.Series("text", [None] * flat.height, dtype=pl.String)
    )


def _missing(frame: pl.DataFrame) -> dict[str, pl.Expr]:
    """Null columns for what a format has none of, so that rules and buckets name columns without asking."""
    expected = {
        **{f"usage.{name}": pl.Int64() for name in MEASURES},
        **{name: pl.String() for name in (*_WHO, "broken")},
        **dict.fromkeys(("amount", "quantity", "byok_cost_usd"), conversions.MONEY),
        **dict.fromkeys(("request_count", "web_search_count"), pl.Int64()),
        "bucket_to": conversions.INSTANT,
    }
    return {name: pl.lit(None, dtype=dtype) for name, dtype in expected.items() if name not in frame.columns}


def _any_count() -> pl.Expr:
    return pl.any_horizontal(pl.col(f"usage.{name}").is_not_null() for name in MEASURES)


def _rules(arrival: date) -> list[Rule]:
    counts = ("request_count", "web_search_count", *(f"usage.{name}" for name in MEASURES))
    nothing = pl.all_horizontal(pl.col(name).is_null() for name in (*counts, "amount", "quantity", "byok_cost_usd"))
    start, end = pl.col("bucket_from"), pl.col("bucket_to")
    least, most = pl.min_horizontal(*counts), pl.max_horizontal(*counts)
    money = pl.max_horizontal(pl.col(name).abs() for name in ("amount", "quantity", "byok_cost_usd"))
    return [
        Rule("missing_field", start.is_null(), pl.lit("the record names no time bucket: no day to bill it on")),
        Rule("no_usage", nothing, pl.lit("the record holds neither a count nor an amount: it is no line of a bill")),
        Rule("negative_tokens", least < 0, pl.format("a count is {}, 0 or more is accepted", least)),
        Rule("out_of_range", most > _MAX_COUNT, pl.format("a count is {}, at most {} is accepted", most, pl.lit(_MAX_COUNT))),
        Rule("out_of_range", money > _MAX_MONEY, pl.lit(f"an amount is above {_MAX_MONEY}")),
        Rule("bucket_reversed", end <= start, pl.format("the bucket ends at {}, it begins at {}", end, start)),
        Rule("bucket_too_long", end - start > timedelta(days=1), pl.lit("the bucket is longer than a day: export it by days")),
        Rule("identity_broken", pl.col("broken").is_not_null(), pl.col("broken")),
        *(Rule("identity_broken", broken, detail) for broken, detail in semantics.identities()),
        Rule("event_out_of_range", start < EARLIEST, pl.format("the bucket begins at {}, {} or later is accepted", start, pl.lit(str(EARLIEST.date())))),
        Rule(
            "event_after_arrival",
            start.dt.date() > arrival + timedelta(days=1),
            pl.format("the bucket begins on {}, the file arrived on {}", start.dt.date(), pl.lit(str(arrival))),
        ),
    ]  # fmt: skip


def _verdict(rules: list[Rule]) -> list[pl.Expr]:
    """Reason, severity and detail of the first rule that a record breaks."""
    chosen = {"reason": pl.lit(None, dtype=pl.String), "detail": pl.lit(None, dtype=pl.String)}
    for rule in reversed(rules):
        broken = rule.broken.fill_null(value=False)
        chosen["reason"] = pl.when(broken).then(pl.lit(rule.reason)).otherwise(chosen["reason"])
        chosen["detail"] = pl.when(broken).then(rule.detail).otherwise(chosen["detail"])
    return [chosen["reason"].alias("reason"), pl.lit("error").alias("severity"), chosen["detail"].alias("detail")]


def _safe_fields(texts: pl.DataFrame, fmt: Layout) -> pl.Series:
    hidden = fmt.text.get("end_user_id", ()) if fmt.user_key else ()
    paths = [path for path in fmt.paths if path in texts.columns and path not in hidden]
    free = {path for found in fmt.text.values() for path in found}
    rows = [orjson.dumps(safe_values(row, free)).decode() for row in texts.select(paths).iter_rows(named=True)]
    return pl.Series("fields", rows, dtype=pl.String)


def _facts(valid: pl.DataFrame, fmt: Layout, source: str, snapshot_id: bytes, seen: Counter[bytes]) -> pl.DataFrame:
    given = valid.with_columns(
        *(pl.when("counts_tokens").then(pl.col(name)).alias(name) for name in _TOKENS),
        event_date=pl.col("bucket_from").dt.date(),
        source=pl.lit(source),
        snapshot_id=pl.lit(snapshot_id),
        source_locator=pl.coalesce("locator", pl.format("/{}", pl.col("line_no"))),
        amount_text=_as_written(fmt),
        amount_usd=pl.when(pl.col("currency") == "USD").then(pl.col("amount")),
        end_user_id=_hashed(valid["end_user_id"], fmt.user_key),
        identity=_identity(valid, seen),
    )
    uid = id_column(given, ["report", "bucket_from", "bucket_to", "identity"], prefix=[source, fmt.name])
    columns = [
        (pl.col(name) if name in given.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in RECORD_SCHEMA.items()
        if name not in ("cost_uid", "observed_at")
    ]
    names = [name for name in RECORD_SCHEMA if name != "observed_at"]
    return given.select(columns).with_columns(uid.alias("cost_uid")).select(names)


def _as_written(fmt: Layout) -> pl.Expr:
    written = [pl.col(f"text.{name}") for name in fmt.money if name not in ("quantity", "byok_cost_usd")]
    return pl.coalesce(written) if written else pl.lit(None, dtype=pl.String)


def _hashed(users: pl.Series, key: bytes | None) -> pl.Series:
    return (
        users
        if key is None
        else pl.Series([None if user is None else hashed_user(user, key) for user in users], dtype=pl.String)
    )


def _identity(valid: pl.DataFrame, seen: Counter[bytes]) -> pl.Series:
    """The identity that a JSON report gave; for a row of a table what it names, and how many before it named the same."""
    named = id_column(valid, ["bucket_from", "bucket_to", *_WHO])
    texts = []
    for given, key in zip(valid["identity"], named, strict=True):
        if given is None:
            texts.append(f"{key.hex()}/{seen[key]}")
            seen[key] += 1
        else:
            texts.append(given)
    return pl.Series("identity", texts, dtype=pl.String)
