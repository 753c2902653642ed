"""The input of the measurements: gateway lines, a price map and a configuration, the same on every machine.

Rows of LiteLLM's spend log with nested usage, 40 models, token counts by the quantiles of a public trace, and, in the
variant `dirty`, what real logs have: copies, cut-off lines, negative counts and models that no one sells. Next to the
lines lies the exact answer, in whole pico-dollars. The sample landing zone of the product is `pipelines.sample`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ClauseEquals, ClauseOr, ModelPrice

from pipelines.sample.draws import Draws
from pipelines.sample.shapes import CODE_INPUT, CODE_OUTPUT

SOURCE = "gateway"
FIRST_DAY = date(2026, 2, 1)
ROWS_PER_DAY = 1_000_000
MODELS = 40
UNKNOWN_MODEL = "nobody-sells-this"
_SEED = 20260214
_BLOCK_ROWS = 250_000
_SELLERS = ("anthropic", "cohere", "deepseek", "groq", "mistral", "openai")
_BARE_KEYS = ("anthropic", "cohere", "openai")  # LiteLLM writes their models without a prefix
_COPIES_PER_MILLE = 10
_BROKEN_PER_MILLION, _NEGATIVE_PER_MILLION, _UNKNOWN_PER_MILLION = 337, 332, 332
_PICO = 10**12

_LINE = (
    '{"request_id":"chatcmpl-<id>","spend":<spend>,"total_tokens":<total>,"prompt_tokens":<prompt>,'
    '"completion_tokens":<completion>,"startTime":"<start>","endTime":"<end>","model":"<model>",'
    '"custom_llm_provider":"<seller>","team_id":"team-<team>","status":"success","metadata":{"usage_object":'
    '{"prompt_tokens_details":{"cached_tokens":<cached>},"completion_tokens_details":{"reasoning_tokens":<reasoning>}}}}'
)
_PEOPLE_LINE = _LINE.replace('"status"', '"end_user":"user-<user>","session_id":"session-<session>","status"').replace(
    '"metadata":{', '"metadata":{"user_api_key_project_id":"project-<project>",'
)
_SESSION_CALLS, _SESSIONS_AT_ONCE = 6, 10
_USERS, _PROJECTS = 20_000, 20
_APPLICATIONS = {"0": "search", "1": "support", "2": "coding"}
"""By the first digit of the team's number."""


@dataclass(frozen=True)
class Offer:
    """One model as one seller prices it, in USD per million tokens; cached input costs as much as other where null."""

    seller: str
    model: str
    input: Decimal
    cached: Decimal | None
    output: Decimal

    @property
    def litellm_key(self) -> str:
        """The model's name in LiteLLM's price map."""
        return self.model if self.seller in _BARE_KEYS else f"{self.seller}/{self.model}"


@dataclass(frozen=True)
class Dataset:
    """A generated input: `lines` in the landing zone below `root`, and `truth`, what every correct job must find.

    `has_people`: calls also have sessions, end users, projects and applications, and all are of one day.
    """

    root: Path
    rows: int
    is_dirty: bool
    has_people: bool = False

    @property
    def days(self) -> list[date]:
        """The UTC days of the events."""
        days = 1 if self.has_people else max(1, self.rows // ROWS_PER_DAY)
        return [FIRST_DAY + timedelta(days=n) for n in range(days)]

    @property
    def lines(self) -> Path:
        """The gateway's log."""
        return self.root / "landing" / "requests" / SOURCE / self.days[-1].isoformat() / "calls.jsonl"

    @property
    def prices(self) -> Path:
        """The price map, as LiteLLM publishes it."""
        return self.root / "landing" / "prices" / "litellm_map" / "20260101T000000Z.json"

    @property
    def truth(self) -> dict[str, int | str]:
        """Counts of lines by fate, and the exact cost in USD as text."""
        found: dict[str, int | str] = json.loads((self.root / "truth.json").read_text())
        return found


def offers() -> list[Offer]:
    """40 models with plain prices out of genai-prices' packaged data, so that its calculator knows them too."""
    found = []
    for provider in get_snapshot().providers:
        if provider.id not in _SELLERS:
            continue
        for model in provider.models:
            clauses = model.match.or_ if isinstance(model.match, ClauseOr) else [model.match]
            is_named = any(isinstance(c, ClauseEquals) and c.equals == model.id for c in clauses)
            if is_named and "/" not in model.id and "-" in model.id and isinstance(model.prices, ModelPrice):
                prices = {name: value for name, value in vars(model.prices).items() if value is not None}
                if {"input_mtok", "output_mtok"} <= set(prices) <= {"input_mtok", "output_mtok", "cache_read_mtok"}:
                    values = [prices.get(name) for name in ("input_mtok", "cache_read_mtok", "output_mtok")]
                    if prices["input_mtok"] and all(value is None or isinstance(value, Decimal) for value in values):
                        found.append(Offer(provider.id, model.id, *values))  # type: ignore[arg-type]
    once = {offer.model: offer for offer in sorted(found, key=lambda offer: (offer.model, offer.seller))}
    step = len(once) / MODELS
    if step < 1:
        raise ValueError(f"genai-prices has only {len(once)} models with plain prices, {MODELS} are needed")
    return [list(once.values())[int(number * step)] for number in range(MODELS)]


def generate(root: Path, rows: int, *, is_dirty: bool, has_people: bool = False) -> Dataset:
    """Write the input for `rows` lines below `root`, unless it is there."""
    dataset = Dataset(root, rows, is_dirty, has_people)
    if (root / "truth.json").exists():
        return dataset
    sold = offers()
    _write_prices(dataset, sold)
    _write_config(dataset)
    dataset.lines.parent.mkdir(parents=True, exist_ok=True)
    counts = dict.fromkeys(("lines", "broken", "negative", "unknown", "copies", "requests", "cost_pico"), 0)
    with dataset.lines.open("wb") as file:
        for number, first in enumerate(range(0, rows, _BLOCK_ROWS)):
            for lines, found in _block(dataset, sold, number, first, min(_BLOCK_ROWS, rows - first)):
                file.write(lines)
                for name, count in found.items():
                    counts[name] += count
    cost = Decimal(counts.pop("cost_pico")).scaleb(-12)
    (root / "truth.json").write_text(json.dumps({**counts, "cost_usd": f"{cost:f}"}, indent=2) + "\n")
    return dataset


def _block(
    dataset: Dataset, sold: list[Offer], number: int, first: int, size: int
) -> Iterator[tuple[bytes, dict[str, int]]]:
    draws = Draws(_SEED, "perf", str(number))
    calls = _calls(dataset, sold, draws, first, size)
    line = _LINE
    if dataset.has_people:
        calls, line = _with_people(calls, sold, number), _PEOPLE_LINE
    text = _filled(calls, line).to_frame("line")
    # A copy repeats one of the 5,000 lines before it, never another copy.
    at = np.arange(size)
    copied = draws.below(1000, size) < (_COPIES_PER_MILLE if dataset.is_dirty else 0)
    origin = np.maximum(at - 1 - draws.below(5000, size), 0)
    copied &= ~copied[origin] & (at > 0)
    origin = np.where(copied, origin, at)
    broken = calls["is_broken"]
    cut = pl.when(broken).then(pl.col("line").str.head(pl.col("line").str.len_bytes().cast(pl.Int64) * 2 // 3))
    lines = text.select(cut.otherwise(pl.col("line")))["line"].gather(origin)
    kept = calls.with_columns(is_copy=copied)
    flags = kept.select("is_broken", "is_negative", "is_unknown")[origin].with_columns(is_copy=copied)
    valid = ~pl.col("is_broken") & ~pl.col("is_negative")
    counted = flags.select(
        lines=pl.len(),
        broken=pl.col("is_broken").sum(),
        negative=pl.col("is_negative").sum(),
        unknown=(valid & pl.col("is_unknown") & ~pl.col("is_copy")).sum(),
        copies=(valid & pl.col("is_copy")).sum(),
        requests=(valid & ~pl.col("is_copy")).sum(),
    ).row(0, named=True)
    cost = kept.filter(valid & ~pl.col("is_unknown") & ~pl.col("is_copy"))["cost_pico"].sum()
    yield ("\n".join(lines.to_list()) + "\n").encode(), {**counted, "cost_pico": int(cost)}


def _calls(dataset: Dataset, sold: list[Offer], draws: Draws, first: int, size: int) -> pl.DataFrame:
    span_us = len(dataset.days) * 86_400_000_000
    start_us = int(datetime.combine(FIRST_DAY, datetime.min.time(), UTC).timestamp()) * 10**6
    step_us = span_us // dataset.rows
    completion = draws.quantile(CODE_OUTPUT, size)
    calls = pl.DataFrame(
        {
            "offer": draws.weighted([1000 // (rank + 2) for rank in range(len(sold))], size),
            "prompt": draws.quantile(CODE_INPUT, size),
            "completion": completion,
            "cached": draws.below(1000, size) * (draws.below(10, size) < 4),
            "reasoning": draws.below(700, size) * (draws.below(4, size) < 1),
            "team": draws.below(24, size),
            "at": start_us + (np.arange(first, first + size) * step_us + draws.below(min(step_us, 2**31 - 1), size)),
            "took": 90_000 + completion * (6_000 + draws.below(50_000, size)),
            "id": draws.hex_ids(16, size),
            "fate": draws.below(1_000_000, size) if dataset.is_dirty else np.full(size, 10**6),
        }
    )
    bounds = np.cumsum([_BROKEN_PER_MILLION, _NEGATIVE_PER_MILLION, _UNKNOWN_PER_MILLION]).tolist()
    named = calls.with_columns(
        cached=pl.col("prompt") * pl.col("cached") // 1000,
        reasoning=pl.col("completion") * pl.col("reasoning") // 1000,
        is_broken=pl.col("fate") < bounds[0],
        is_negative=pl.col("fate").is_between(bounds[0], bounds[1], closed="left"),
        is_unknown=pl.col("fate").is_between(bounds[1], bounds[2], closed="left"),
    )
    return _priced(named, sold)


def _with_people(calls: pl.DataFrame, sold: list[Offer], number: int) -> pl.DataFrame:
    """Calls in sessions, each of one user, team, project and model."""
    draws = Draws(_SEED, "people", str(number))
    size = calls.height
    window = np.arange(size) // (_SESSION_CALLS * _SESSIONS_AT_ONCE)
    session = window * _SESSIONS_AT_ONCE + draws.below(_SESSIONS_AT_ONCE, size)
    count = int(session.max()) + 1
    of_session = {
        "offer": draws.weighted([1000 // (rank + 2) for rank in range(len(sold))], count),
        "team": draws.below(24, count),
        "user": draws.below(_USERS, count),
        "project": draws.below(_PROJECTS, count),
    }
    known = calls.drop("seller", "input_pico", "cached_pico", "output_pico", "cost_pico", "model")
    named = known.with_columns(
        **{name: pl.Series(values[session]) for name, values in of_session.items()},
        session=pl.format("{}-{}", pl.lit(number), pl.Series(session)),
    )
    return _priced(named, sold)


def _priced(named: pl.DataFrame, sold: list[Offer]) -> pl.DataFrame:
    rates = pl.DataFrame(
        [(number, offer.seller, offer.model, *_pico(offer)) for number, offer in enumerate(sold)],
        schema=["offer", "seller", "model", "input_pico", "cached_pico", "output_pico"],
        orient="row",
    )
    named = named.join(rates, on="offer", how="left", maintain_order="left")
    uncached = (pl.col("prompt") - pl.col("cached")) * pl.col("input_pico")
    return named.with_columns(
        cost_pico=uncached + pl.col("cached") * pl.col("cached_pico") + pl.col("completion") * pl.col("output_pico"),
        model=pl.when("is_unknown").then(pl.lit(UNKNOWN_MODEL)).otherwise("model"),
    )


def _pico(offer: Offer) -> tuple[int, int, int]:
    """Pico-dollars per token: a millionth of the price per million tokens, times 10**12."""
    prices = (offer.input, offer.input if offer.cached is None else offer.cached, offer.output)
    whole = [price * 10**6 for price in prices]
    if any(price != int(price) for price in whole):
        raise ValueError(f"{offer.seller} {offer.model}: {prices} are no whole pico-dollars per token")
    return int(whole[0]), int(whole[1]), int(whole[2])


def _filled(calls: pl.DataFrame, line: str) -> pl.Series:
    written = pl.when("is_unknown").then(0).otherwise("cost_pico")
    columns = calls.with_columns(
        completion=pl.when("is_negative").then(-pl.col("completion")).otherwise("completion"),
        spend=pl.format("{}.{}", written // _PICO, (written % _PICO).cast(pl.String).str.zfill(12)),
        start=pl.from_epoch("at", time_unit="us").dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"),
        end=pl.from_epoch(pl.col("at") + pl.col("took"), time_unit="us").dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"),
        team=pl.col("team").cast(pl.String).str.zfill(2),
    ).with_columns(total=pl.col("prompt") + pl.col("completion"))
    pieces = re.split(r"<(\w+)>", line)
    parts = [pl.col(piece).cast(pl.String) if index % 2 else pl.lit(piece) for index, piece in enumerate(pieces)]
    return columns.select(pl.concat_str(parts).alias("line")).to_series()


def _write_prices(dataset: Dataset, sold: list[Offer]) -> None:
    entries = {}
    for offer in sold:
        entry: dict[str, str | float] = {"litellm_provider": offer.seller, "mode": "chat"}
        entry["input_cost_per_token"] = float(offer.input / 10**6)
        entry["output_cost_per_token"] = float(offer.output / 10**6)
        if offer.cached is not None:
            entry["cache_read_input_token_cost"] = float(offer.cached / 10**6)
        entries[offer.litellm_key] = entry
    dataset.prices.parent.mkdir(parents=True, exist_ok=True)
    dataset.prices.write_text(json.dumps(entries, indent=1) + "\n")


def _write_config(dataset: Dataset) -> None:
    folder = dataset.root / "config"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sources.yaml").write_text(
        f"requests:\n  - {{source: {SOURCE}, format: litellm_spend_logs}}\n"
        "prices:\n  - {feed: litellm_map, format: litellm_map, stale_after_hours: 1000000}\nleaderboards: []\n"
    )
    if dataset.has_people:
        rules = [
            f"  - when: {{team: 'team-{digit}*'}}\n    set: {{application: {name}}}\n"
            for digit, name in _APPLICATIONS.items()
        ]
        (folder / "attribution.yaml").write_text("rules:\n" + "".join(rules))
