"""The rules that a request must keep, in the order in which they count. How rules are applied is in `pipelines.records.rules`."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache, lru_cache

import polars as pl

from pipelines.meters import COUNTS, TOKEN_METERS
from pipelines.records.layout import Paths
from pipelines.records.measures import MEASURES
from pipelines.records.privacy import WORD, shown
from pipelines.records.rules import EARLIEST, Rule, conversion_rules, in_words
from pipelines.requests import semantics
from pipelines.requests.details import DETAILS
from pipelines.requests.format import Format, free_columns
from pipelines.warehouse.tables.core import REQUEST

_INT32 = 2**31 - 1
_MAX_MONEY = 10**12


def request_rules(log_format: Format, frame: pl.DataFrame, filled: set[str], arrival: date) -> list[Rule]:
    """Every rule that may be broken where only the columns `filled` of `frame` hold anything.

    What does not depend on the file is made once: most files are small.
    """
    without = {*(f"usage.{name}" for name in DETAILS), *free_columns(log_format)}
    rules = [
        Rule("not_a_request", pl.col("not_a_request").is_not_null(), pl.col("not_a_request"), "info"),
        _status_rule(),
        *conversion_rules(frame, log_format, without),
        _instant_rule(log_format),
    ]
    for name in MEASURES:
        if f"usage.{name}" in filled:
            rules += _count_rules(f"usage.{name}", log_format.usage.get(name, ()))
    for name in (count.column for count in COUNTS if count.column in filled):
        rules += _count_rules(name, log_format.integers.get(name, (name,)))
    if "http_status" in frame.columns:
        rules.append(_http_status_rule(log_format))
    rules += [*_bucket_rules(), *_event_rules(arrival)]
    if "reported_cost_usd" in frame.columns:
        cost = pl.col("reported_cost_usd").abs() > _MAX_MONEY
        rules.append(Rule("out_of_range", cost, pl.lit(f"the reported cost is above {_MAX_MONEY} USD")))
    return rules


@cache
def _status_rule() -> Rule:
    status, accepted = pl.col("status"), REQUEST.column("status").accepted
    detail = pl.format("status: found {}, accepted are {}", shown(status, WORD), pl.lit(", ".join(accepted)))
    return Rule("unknown_value", ~status.is_in(accepted), detail)


def _instant_rule(log_format: Format) -> Rule:
    where = in_words(log_format.instants.get("event_at", ("event_at",)))
    detail = f"{where} is missing: no instant, no day, no price; option `undated: arrival` takes the day of arrival"
    return Rule("missing_field", pl.col("event_at").is_null(), pl.lit(detail))


def _http_status_rule(log_format: Format) -> Rule:
    found, path = pl.col("http_status"), pl.lit(in_words(log_format.integers.get("http_status", ("http_status",))))
    return Rule("out_of_range", found.abs() > _INT32, pl.format("{}: found {}, which is no status", path, found))


@cache
def _count_rules(name: str, paths: Paths) -> list[Rule]:
    column, where = pl.col(name), pl.lit(in_words(paths))
    return [
        Rule("negative_tokens", column < 0, pl.format("{}: found {}, 0 or more is accepted", where, column)),
        Rule("out_of_range", column > _INT32, pl.format("{}: found {}, at most {} is accepted", where, column, _INT32)),
    ]


@cache
def _bucket_rules() -> list[Rule]:
    whole = pl.col("usage_basis") == "reported"
    rules = [Rule("identity_broken", broken, detail) for broken, detail in semantics.identities(is_whole=whole)]
    most = pl.max_horizontal(meter.tokens_column for meter in TOKEN_METERS)
    detail = pl.format("a token bucket holds {}, at most {} is accepted", most, _INT32)
    return [*rules, Rule("out_of_range", most > _INT32, detail)]


@lru_cache(64)
def _event_rules(arrival: date) -> list[Rule]:
    event = pl.col("event_at")
    latest = arrival + timedelta(days=1)
    return [
        Rule(
            "event_out_of_range",
            event < EARLIEST,
            pl.format(
                "the event is dated {}, {} or later is accepted", event.dt.date(), pl.lit(EARLIEST.date().isoformat())
            ),
        ),
        Rule(
            "event_after_arrival",
            event.dt.date() > latest,
            pl.format(
                "the event is dated {}, the file arrived on {}: at most one day later is accepted",
                event.dt.date(),
                pl.lit(arrival.isoformat()),
            ),
        ),
    ]
