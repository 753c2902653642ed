"""A day's projection by the size of the day: `python -m perf.routing_day 1000000 2000000`, 20 candidates, all policies that ship.

Requests are made by another process and mapped from a file, so that nothing but the projection is measured: strata and cost of every candidate
(`traffic`), policies with their intervals (`projected`) and the frontier, and answers that were asked for again (`repeats`). Processor seconds are the
kernel's; memory is the process' own beyond the day's rows (Linux).
"""

from __future__ import annotations

import resource
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import polars as pl

from pipelines.config.evidence import Evidence
from pipelines.config.loader import load_config, load_file
from pipelines.config.routing import Candidate
from pipelines.ids import id_bytes
from pipelines.meters import COUNT_COLUMNS, TOKEN_METERS
from pipelines.routing import Setting
from pipelines.routing.projection import hours_of
from pipelines.routing.repeats import repeats
from pipelines.routing.traffic import CALL_COLUMNS
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.core_benchmarks import BENCHMARK_SCORE
from pipelines.warehouse.tables.core_prices import RATE_CARD

DAY = date(2026, 2, 20)
CANDIDATES = 20
_CALLS_OF_A_SESSION = 6


def measure(count: int, setting: Setting, cards: pl.DataFrame, offers: Sequence[tuple[str, str]]) -> None:
    """Project a day of `count` requests and print what it took."""
    with tempfile.TemporaryDirectory() as folder:
        day, hours = Path(folder) / "day.arrow", Path(folder) / "hours.arrow"
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as other:
            other.submit(_write, day, hours, count, offers).result()
        frame, hourly = pl.read_ipc(day), pl.read_ipc(hours)
    rows, memory = frame.estimated_size("mb"), _Watched()
    started = _cpu(), time.monotonic()
    traffic = setting.traffic(frame, cards)
    added = _cpu()
    found = replace(setting, hourly=hourly).routed(traffic, DAY)
    projected = _cpu()
    repeats(frame, cards)
    print(
        f"{count:>10,} requests: traffic {added - started[0]:.1f}, projected {projected - added:.1f}, repeats {_cpu() - projected:.1f} processor "
        f"seconds; {time.monotonic() - started[1]:.1f} s in all; {memory.most():,.0f} MB beyond the day's rows ({rows:,.0f} MB); "
        f"{traffic.priced.counts.height:,} strata, {found.projection.height} rows, {found.frontier.height} points",
        flush=True,
    )


def main() -> None:
    """Measure each size that is given, in rising order."""
    config, evidence = load_config(None), load_file(Evidence, "evidence.yaml", None)
    declared = sorted(config.routing.offers())
    offers = [*declared, *((f"seller{n}", f"model-{n}") for n in range(CANDIDATES))][:CANDIDATES]
    policies = config.routing.model_copy(
        update={"candidates": tuple(Candidate(provider_id=seller, model_id=model) for seller, model in offers)}
    )
    cards = _cards(offers)
    setting = Setting(
        policies, evidence, _scores(offers), config.calendars.days, facts=config.model_facts, rate_card=cards
    )
    for count in [int(text) for text in sys.argv[1:]] or [1_000_000]:
        measure(count, setting, cards, offers)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class _Watched:
    """How much more memory of its own the process comes to hold, looked at every 5 milliseconds. Mapped files are not its own."""

    def __init__(self) -> None:
        self._before = self._most = _own_mb()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._done.wait(0.005):
            self._most = max(self._most, _own_mb())

    def most(self) -> float:
        """MB; ends the watch."""
        self._done.set()
        self._thread.join()
        return max(self._most, _own_mb()) - self._before


def _own_mb() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("RssAnon:")[2].split()[0]) / 1024


def _write(day: Path, hours: Path, count: int, offers: Sequence[tuple[str, str]]) -> None:
    frame = _requests(count, offers)
    frame.write_ipc(day, compression="uncompressed")
    hours_of(frame).write_ipc(hours)


def _requests(count: int, offers: Sequence[tuple[str, str]]) -> pl.DataFrame:
    """Sessions of six calls that last minutes, prompts and answers log-normal, half of a prompt out of a cache after the first call."""
    draw = np.random.default_rng(11)
    number = np.arange(count)
    session = number // _CALLS_OF_A_SESSION
    offer = draw.integers(0, 8, session[-1] + 1)[session]
    prompt = np.minimum(draw.lognormal(7.3, 1.2, count), 150_000).astype(np.int64)
    cached = np.where(number % _CALLS_OF_A_SESSION, prompt // 2, 0)
    second = draw.integers(0, 86_000, session[-1] + 1)[session] + 60 * (number % _CALLS_OF_A_SESSION)
    names = [[offer[place] for offer in offers] for place in (0, 1)]
    frame = pl.DataFrame(
        {
            "event_date": pl.repeat(DAY, count, eager=True),
            "second": second,
            "request_uid": number,
            "session_id": session,
            "input_uncached_tokens": prompt - cached,
            "input_cache_read_tokens": cached,
            "output_text_tokens": np.minimum(draw.lognormal(5.5, 1.0, count), 16_000).astype(np.int64),
            "place": offer,
            "application": session % 12,
        }
    )
    empty = [name for name in COUNT_COLUMNS if name not in frame.columns]
    start = datetime(2026, 2, 20, tzinfo=UTC)
    schema = {name: kind for name, kind in REQUEST.polars_schema.items() if name in ("event_date", *CALL_COLUMNS)}
    filled = frame.with_columns(
        pl.lit(start) + pl.duration(seconds="second").alias("event_at"),
        (pl.lit(start) + pl.duration(seconds="second")).alias("event_at"),
        pl.col("request_uid").cast(pl.String).str.pad_start(16, "0").cast(pl.Binary),
        pl.format("session-{}", "session_id").alias("session_id"),
        pl.format("application-{}", "application").alias("application"),
        *(
            pl.col("place").replace_strict(dict(enumerate(names[place])), return_dtype=pl.String).alias(name)
            for place, name in enumerate(("provider_id", "model_id"))
        ),
        *(pl.lit(0).alias(name) for name in empty),
        team=pl.lit("team"),
        operation=pl.lit("chat"),
        service_tier=pl.lit("standard"),
        region=pl.lit(""),
        finish_reason=pl.when(pl.col("request_uid") % 7 == 0).then(pl.lit("tool_calls")).otherwise(pl.lit("stop")),
        usage_basis=pl.lit("reported"),
        is_billable=pl.lit(value=True),
        effective_cost_usd=(pl.col("output_text_tokens").cast(pl.Decimal(38, 18)) / 100_000),
    )
    return filled.select(pl.col(name).cast(kind) for name, kind in schema.items())


def _cards(offers: Sequence[tuple[str, str]]) -> pl.DataFrame:
    rows = []
    for number, (seller, model) in enumerate(offers, start=1):
        usd = {
            "input_uncached": Decimal(number) / 5,
            "input_cache_read": Decimal(number) / 50,
            "output_text": Decimal(number),
        }
        for meter in TOKEN_METERS:
            if meter.name not in usd and meter.parent in usd:
                usd[meter.name] = usd[meter.parent]
        rows.append(
            {
                "rate_id": id_bytes(seller, model), "provider_id": seller, "model_id": model, "service_tier": "standard",
                **dict.fromkeys(("region", "time_window", "contract_id", "reasoning_mode"), ""),
                **dict.fromkeys(("price_ids", "fallbacks", "marginal", "exchange_rates"), "{}"),
                "context_from_tokens": 0, "context_counts": "input", "valid_from": datetime(1, 1, 1, tzinfo=UTC),
                **{f"{name}_usd_per_mtok": value for name, value in usd.items()},
            }
        )  # fmt: skip
    return pl.DataFrame(rows, schema=RATE_CARD.polars_schema)


def _scores(offers: Sequence[tuple[str, str]]) -> pl.DataFrame:
    rows = [
        {
            "score_id": id_bytes(model), "board": "aider_polyglot", "benchmark_version_id": "aider_polyglot@pass_rate_2#0",
            "source_row_key": model, "raw_model": model, "model_id": model, "variant": "", "score": 30.0 + 3 * number,
            "score_text": "", "ci_method": "none", "measured_by": "independent", "as_of": DAY,
            "observed_at": datetime(2026, 1, 1, tzinfo=UTC), "snapshot_id": id_bytes("board"), "source_locator": "",
        }
        for number, (_, model) in enumerate(offers)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=BENCHMARK_SCORE.polars_schema)


if __name__ == "__main__":
    main()
