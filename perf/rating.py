"""How fast requests are rated, and how that grows with the price list: `python -m perf.rating` writes `rating.md`.

Rates the same calls in whole columns and, a call at a time, with genai-prices and litellm; the totals have to agree to
the last digit with genai-prices, whose prices these are. The daily job as a whole is measured by `__main__.py` next to
this module.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import polars as pl
from genai_prices import Usage, calc_price
from genai_prices.data import providers

from perf.bench import PEERS, install_peers
from perf.measure import ROOT, machine
from pipelines.config import load_config
from pipelines.config.sources import PriceFeed
from pipelines.ids import id_column
from pipelines.landing import write_atomically
from pipelines.landing.files import LandedFile
from pipelines.meters import COUNT_COLUMNS
from pipelines.models import build_registry
from pipelines.prices import build_ledger, build_rate_card, feed_names, packaged_genai_prices, parse_feed, rate
from pipelines.warehouse.tables.core import REQUEST

FEED = PriceFeed(feed="genai_prices", format="genai_prices")
DAY = datetime(2026, 11, 3, tzinfo=UTC)
SELLERS = ("openai", "anthropic", "google", "deepseek", "mistral", "x-ai")
PER_ROW = 20_000
"""Calls that the libraries price one at a time: enough for a steady figure."""


def main() -> None:
    """Measure, check the totals, write `rating.json` and `rating.md`."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--litellm", action="store_true", help="with litellm, in .venv-perf, which is made if need be")
    chosen = options.parse_args()
    ledger, cards = _prices()
    calls = _calls(ledger, cards, chosen.rows)
    total = rate(calls.head(PER_ROW), cards)["list_cost_usd"].sum()
    found: dict[str, Any] = {
        "machine": machine(),
        "versions": {name: version(name) for name in ("polars", "genai-prices")},
        "rows": chosen.rows,
        "ours": _rounds(chosen.rounds, chosen.rows, lambda: rate(calls, cards)),
        "genai_prices": _rounds(chosen.rounds, PER_ROW, lambda: _agree(total, _by_genai_prices(calls.head(PER_ROW)))),
        "litellm": _by_litellm(calls.head(PER_ROW)) if chosen.litellm and install_peers(_say) else None,
        "growth": list(_growth(ledger, cards, calls, chosen.rounds)),
    }
    (ROOT / "perf" / "rating.json").write_text(json.dumps(found, indent=1) + "\n")
    (ROOT / "perf" / "rating.md").write_text(_page(found))


def _prices() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Ledger and cards of the packaged genai-prices data."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "2026-11-01.json"
        write_atomically(path, packaged_genai_prices())
        file = LandedFile(
            kind="prices", source=FEED.feed, path=path, landing_path=f"prices/{FEED.feed}/{path.name}", arrival_date=None,
            observed_at=DAY - timedelta(days=2), sha256="", size_bytes=path.stat().st_size, snapshot_id=b"0" * 16,
        )  # fmt: skip
        snapshot = parse_feed(file, FEED)
    ledger = build_ledger(FEED, [snapshot], build_registry(load_config(None).models, feed_names([snapshot])))
    return ledger, build_rate_card(ledger, [FEED])


def _calls(ledger: pl.DataFrame, cards: pl.DataFrame, count: int) -> pl.DataFrame:
    """Calls of one day to every model that large sellers price in tokens, a fifth of the prompts read from a cache."""
    own = set(ledger.filter(pl.col("raw_model") == pl.col("model_id")).select("provider_id", "model_id").iter_rows())
    known = own & {(p.id, m.id) for p in providers if p.id in SELLERS for m in p.models if _is_found(p.id, m.id)}
    priced = cards.filter(
        pl.col("input_uncached_usd_per_mtok").is_not_null(), pl.col("output_text_usd_per_mtok").is_not_null()
    )
    models = sorted(
        known & set(priced.filter(pl.col("valid_to").is_null()).select("provider_id", "model_id").iter_rows())
    )
    chance = random.Random(4)
    rows = [
        (*chance.choice(models), DAY + timedelta(seconds=chance.randrange(86_400)), chance.randrange(1, 300_000), chance.randrange(4_000))
        for _ in range(count)
    ]  # fmt: skip
    frame = pl.DataFrame(rows, schema=["provider_id", "model_id", "event_at", "prompt", "completion"], orient="row")
    zeros = {name: pl.lit(0, REQUEST.column(name).polars_type) for name in COUNT_COLUMNS}
    cached = pl.col("prompt") // 5
    return frame.with_columns(
        pl.col("event_at").cast(pl.Datetime("us", "UTC")),
        **zeros
        | {
            "input_uncached_tokens": (pl.col("prompt") - cached).cast(pl.Int32),
            "input_cache_read_tokens": cached.cast(pl.Int32),
            "output_text_tokens": pl.col("completion").cast(pl.Int32),
        },
        service_tier=pl.lit("standard"),
        region=pl.lit(""),
        is_billable=pl.lit(value=True),
        usage_basis=pl.lit("reported"),
    ).drop("prompt", "completion")


def _is_found(provider: str, model: str) -> bool:
    """Whether genai-prices, asked for a model by its id, answers with that one: some ids are matched by another's clause."""
    try:
        found = calc_price(Usage(), model_ref=model, provider_id=provider, genai_request_timestamp=DAY)
    except LookupError:
        return False
    return (found.provider.id, found.model.id) == (provider, model)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _rounds(rounds: int, rows: int, work: Callable[[], object]) -> dict[str, Any]:
    """Processor and wall seconds of each round, and rows per processor second of the middle one."""
    cpu, wall = [], []
    for _ in range(rounds):
        started, used = time.perf_counter(), _processor_s()
        work()
        cpu.append(_processor_s() - used)
        wall.append(time.perf_counter() - started)
    return {"rows": rows, "cpu_s": cpu, "wall_s": wall, "rows_per_cpu_s": rows / median(cpu)}


def _processor_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _by_genai_prices(calls: pl.DataFrame) -> Decimal:
    columns = (
        "provider_id",
        "model_id",
        "event_at",
        "input_uncached_tokens",
        "input_cache_read_tokens",
        "output_text_tokens",
    )
    total = Decimal(0)
    for provider, model, at, fresh, cached, output in calls.select(columns).iter_rows():
        usage = Usage(input_tokens=fresh + cached, cache_read_tokens=cached, output_tokens=output)
        total += calc_price(usage, model_ref=model, provider_id=provider, genai_request_timestamp=at).total_price
    return total


def _agree(ours: Decimal, theirs: Decimal) -> None:
    if ours != theirs:
        raise SystemExit(f"the totals differ: {ours} here, {theirs} by genai-prices")


def _by_litellm(calls: pl.DataFrame) -> dict[str, Any]:
    """The same calls by litellm's cost_per_token with its own prices, in the environment of the other tools."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "calls.csv"
        calls.select("model_id", "input_uncached_tokens", "input_cache_read_tokens", "output_text_tokens").write_csv(
            path
        )
        script = str(ROOT / "perf" / "peers" / "litellm_calls.py")
        done = subprocess.run([PEERS / "bin" / "python", script, str(path)], capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _growth(ledger: pl.DataFrame, cards: pl.DataFrame, calls: pl.DataFrame, rounds: int) -> Iterator[dict[str, Any]]:
    """Rating with more models in the list than are called, and with more price changes of each model."""
    for times in (1, 5, 20):
        more = pl.concat([cards, *(_renamed(cards, n) for n in range(1, times))])
        timed = _rounds(rounds, calls.height, lambda more=more: rate(calls, more))
        yield {"what": "models", "times": times, "price_rows": ledger.height * times, "cards": more.height, **timed}
    for times in (5, 20):
        more = _changed(cards, times)
        timed = _rounds(rounds, calls.height, lambda more=more: rate(calls, more))
        yield {"what": "changes", "times": times, "price_rows": ledger.height * times, "cards": more.height, **timed}


def _renamed(cards: pl.DataFrame, number: int) -> pl.DataFrame:
    return _with_ids(cards.with_columns(pl.col("model_id") + f"#{number}"))


def _changed(cards: pl.DataFrame, times: int) -> pl.DataFrame:
    """Each open card cut into `times` cards of a month each, the last open."""
    edges = [DAY - timedelta(days=30 * n) for n in range(times)][::-1]
    parts = []
    for start, end in zip([None, *edges[1:]], [*edges[1:], None], strict=True):
        first = pl.lit(start, pl.Datetime("us", "UTC"))
        parts.append(
            cards.filter(pl.col("valid_to").is_null()).with_columns(
                pl.coalesce(first, "valid_from").alias("valid_from"),
                pl.lit(end, pl.Datetime("us", "UTC")).alias("valid_to"),
            )
        )
    return _with_ids(pl.concat([*parts, cards.filter(pl.col("valid_to").is_not_null())]))


def _with_ids(cards: pl.DataFrame) -> pl.DataFrame:
    parts = cards.select("model_id", pl.col("valid_from").dt.to_string("iso"), pl.col("rate_id").bin.encode("hex"))
    return cards.with_columns(id_column(parts, parts.columns, prefix=["perf"]).alias("rate_id"))


def _page(found: dict[str, Any]) -> str:
    ours, theirs, litellm = found["ours"], found["genai_prices"], found["litellm"]
    lines = [
        "# Rating",
        "",
        (
            f"Calls of one day to the models of {len(SELLERS)} sellers, prices of genai-prices {found['versions']['genai-prices']}; "
            f"median of {len(ours['cpu_s'])} rounds, processor seconds of all threads. `python -m perf.rating` measures again."
        ),
        "",
        "| | calls | processor s | rows per processor second | against ours |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, run in (("modelmeter, in whole columns", ours), ("genai-prices, a call at a time", theirs), ("litellm, a call at a time", litellm)):  # fmt: skip
        if run is not None:
            slower = ours["rows_per_cpu_s"] / run["rows_per_cpu_s"]
            lines.append(f"| {name} | {run['rows']:,} | {median(run['cpu_s']):.2f} | {run['rows_per_cpu_s']:,.0f} | {slower:,.1f} |")  # fmt: skip
    lines += [
        "",
        "The total of the calls that genai-prices rates is ours to the last digit. litellm charges by its own map in floats.",
        "",
        "| price list | price rows | cards | processor s | rows per processor second |",
        "|---|---:|---:|---:|---:|",
    ]
    for row in found["growth"]:
        what = "as it is" if row["times"] == 1 else f"{row['times']} times the {row['what']}"
        lines.append(f"| {what} | {row['price_rows']:,} | {row['cards']:,} | {median(row['cpu_s']):.2f} | {row['rows_per_cpu_s']:,.0f} |")  # fmt: skip
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
