"""The job under test, through the same functions as the daily run, with the time that each stage took.

`python -m perf.job A FIRST_DAY LAST_DAY` goes from lines to daily spend per model in memory; `B` does what the daily
run does: the file is indexed, the days' requests are replaced in Postgres with their primary key, and the spend is
summed there. Stages are timed by wrapping functions where the daily steps call them; nothing else is changed. Those of
the load overlap: one part is rated while the one before is copied. Prints
one JSON object. The tools it is compared with are in `peers/`.
"""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import wraps
from types import ModuleType
from typing import Any, ParamSpec, TypeVar

import polars as pl

from pipelines.daily import ingest, parse_tasks, request_rules, requests
from pipelines.daily.days import Window
from pipelines.models import resolve_requests
from pipelines.prices import rate
from pipelines.requests import attribute, iter_days, parse_file
from pipelines.settings import Settings
from pipelines.warehouse import replace
from pipelines.warehouse.read import read_frame, read_table
from pipelines.warehouse.tables.core_prices import RATE_CARD
from pipelines.workspace import Workspace, open_workspace
from pipelines.workspace.model_registry import registry_of

_P = ParamSpec("_P")
_R = TypeVar("_R")
STAGES: defaultdict[str, float] = defaultdict(float)

SPEND_SQL = """
    select event_date, provider_id, model_id, count(*) as requests, sum(list_cost_usd) as list_cost_usd,
        sum(input_uncached_tokens::bigint) as input_tokens, sum(input_cache_read_tokens::bigint) as cached_tokens,
        sum(output_text_tokens::bigint) as output_tokens, sum(output_reasoning_tokens::bigint) as reasoning_tokens
    from core.request where event_date >= %(first)s and event_date < %(end)s
    group by event_date, provider_id, model_id
"""
"""Daily spend per model, as `mart.daily_model_spend` sums it, for the token columns that this log fills."""

_WATCHED: tuple[tuple[ModuleType | type, str, str], ...] = (
    (parse_tasks, "parse_file", "parse"),
    (requests, "load_requests", "load"),
    (request_rules, "attribute", "load: attribute"),
    (request_rules, "resolve_requests", "load: resolve"),
    (request_rules, "rate", "load: rate"),
    (replace.CopyStream, "write", "load: encode"),
    (replace.DayLoad, "flush", "load: wait for the server"),
    (replace, "complete", "load: key"),
    (replace, "swap_in", "load: swap"),
)


def main() -> None:
    """Run the job named on the command line on the landing zone of the environment."""
    started = time.perf_counter()
    which, first, last = sys.argv[1:]
    window = Window(date.fromisoformat(first), date.fromisoformat(last) + timedelta(days=1))
    for module, name, stage in _WATCHED:
        setattr(module, name, _timed(getattr(module, name), stage))
    with open_workspace(Settings()) as workspace:
        STAGES["open"] = time.perf_counter() - started
        answer = _in_memory(workspace, window) if which == "A" else _into_postgres(workspace, window)
    stages = {name: round(seconds, 3) for name, seconds in STAGES.items()}
    sys.stdout.write(json.dumps({**answer, "stages": stages}) + "\n")


def _timed(function: Callable[_P, _R], stage: str) -> Callable[_P, _R]:
    @wraps(function)
    def timed(*arguments: _P.args, **named: _P.kwargs) -> _R:
        started = time.perf_counter()
        try:
            return function(*arguments, **named)
        finally:
            STAGES[stage] += time.perf_counter() - started

    return timed


def _in_memory(workspace: Workspace, window: Window) -> dict[str, Any]:
    source = workspace.config.sources.requests[0]
    file = _timed(workspace.landed_from, "hash")("requests", source.source)[0]
    parsed = _timed(parse_file, "parse")(file, source, workspace.store)
    with workspace.database.connect() as connection:
        rate_card = read_table(connection, RATE_CARD)
    registry = registry_of(workspace)
    copies, spends = 0, []
    for part in _watched(iter_days([parsed.path], window.from_date, window.to_date), "load: dedupe"):
        attributed = attribute(part.requests, workspace.config.attribution)
        resolved = _timed(resolve_requests, "load: resolve")(attributed, registry)
        spends.append(_timed(_spend, "spend")(_timed(rate, "load: rate")(resolved, rate_card)))
        copies += part.duplicates.height
    return _answer(pl.concat(spends), parsed.lines, parsed.quarantined, copies)


def _watched(items: Iterator[_R], stage: str) -> Iterator[_R]:
    """The same items, with the time that each took to come."""
    while True:
        started = time.perf_counter()
        item = next(items, None)
        STAGES[stage] += time.perf_counter() - started
        if item is None:
            return
        yield item


def _spend(rated: pl.DataFrame) -> pl.DataFrame:
    tokens = {"input": "input_uncached", "cached": "input_cache_read", "output": "output_text"}
    return rated.group_by("event_date", "provider_id", "model_id").agg(
        pl.len().alias("requests"),
        pl.col("list_cost_usd").sum(),
        *(pl.col(f"{meter}_tokens").cast(pl.Int64).sum().alias(f"{name}_tokens") for name, meter in tokens.items()),
        pl.col("output_reasoning_tokens").cast(pl.Int64).sum().alias("reasoning_tokens"),
    )


def _into_postgres(workspace: Workspace, window: Window) -> dict[str, Any]:
    _timed(workspace.landed, "hash")("requests")
    ingested = ingest.ingest_requests(workspace, None)
    loaded = requests.load_requests(workspace, window)
    with workspace.database.connect(read_only=True) as connection:
        days = {"first": window.from_date, "end": window.to_date}
        spend = _timed(read_frame, "spend")(connection, SPEND_SQL, days)
    return _answer(spend, ingested.lines, ingested.quarantined, loaded.duplicates)


def _answer(spend: pl.DataFrame, lines: int, quarantined: int, duplicates: int) -> dict[str, Any]:
    cost = Decimal(spend["list_cost_usd"].sum() or 0).normalize()
    return {
        "lines": lines,
        "quarantined": quarantined,
        "copies": duplicates,
        "requests": int(spend["requests"].sum()),
        "cost_usd": f"{cost:f}",
    }


if __name__ == "__main__":
    main()
