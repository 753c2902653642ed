"""How `modelmeter models` shows an answer or one model: lines that fit 80 columns, with what is unknown or disputed apart.

The command and its options are in `models.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from assets.cli.terminal import json_text, say, terminal

if TYPE_CHECKING:
    from rich.console import Console

    from pipelines.catalog import Answer, Entry, Price, Question, Verdict
    from pipelines.config.selfhost import Machine

_SHOWN_FAILS = 6


def plain_answer(answered: Answer, question: Question, day: date) -> dict[str, Any]:
    """The answer as plain values, for programs."""

    def plain(verdict: Verdict) -> dict[str, Any]:
        price = verdict.price
        mixed = None if price is None else str(price.mixed(question.input_per_output))
        fitted = verdict.fitted
        return {
            "model_id": verdict.entry.model_id,
            "family": verdict.entry.family,
            "cheapest_provider_id": None if price is None else price.provider_id,
            "cheapest_usd_per_mtok": mixed,
            "weights_gb_per_gpu": None if fitted is None else fitted.weight_bytes / 1e9,
            "cache_gb_per_gpu": None if fitted is None else fitted.cache_bytes / 1e9,
            "scores": {item.benchmark: [item.ci_low, item.score, item.ci_high] for item in verdict.scored},
            "fails": list(verdict.fails),
            "unknown": list(verdict.unknown),
            "remarks": list(verdict.remarks),
        }

    groups = {name: [plain(v) for v in getattr(answered, name)] for name in ("meets", "unknown", "fails")}
    return {"as_of": str(day), "input_per_output": str(question.input_per_output), **groups}


def show_answer(answered: Answer, question: Question, day: date, *, show_all: bool, in_full: bool) -> None:
    """The models that meet the question as a table, what is not known apart, and what fails with or without its reasons."""
    from rich.text import Text

    console = terminal()
    mix = f"{question.input_per_output:f}".rstrip("0").rstrip(".") or "0"
    console.print(Text(f"models as known on {day}; USD per million tokens, {mix} of input to 1 of output", style="dim"))
    if answered.meets:
        _grid(console, answered.meets, question)
    else:
        console.print("No model is known to meet all of it.")
    if in_full and answered.meets:
        best = answered.meets[0]
        console.print(Text(f"cheapest: {best.entry.model_id}{_sold(best.price)}", style="bold"))
    _list(console, "not known", [(v.entry.model_id, v.unknown) for v in answered.unknown])
    if show_all:
        _list(console, "does not meet it", [(v.entry.model_id, v.fails) for v in answered.fails])
    elif answered.fails:
        names = [v.entry.model_id for v in answered.fails]
        more = f" and {len(names) - _SHOWN_FAILS} more" if len(names) > _SHOWN_FAILS else ""
        console.print(
            Text(
                f"\n{len(names)} do not meet it: {', '.join(names[:_SHOWN_FAILS])}{more} (--all says why)", style="dim"
            )
        )


def _sold(price: Price | None) -> str:
    if price is None:
        return ""
    since = "" if price.valid_from.year == 1 else f", since {price.valid_from:%Y-%m-%d}"
    feed = f" ({price.feed})" if price.feed else ""
    return f" at {price.provider_id}: {_usd(price.input_usd_per_mtok)} in, {_usd(price.output_usd_per_mtok)} out{since}{feed}"


def _grid(console: Console, verdicts: Iterable[Verdict], question: Question) -> None:
    """One line per model, and under it what the decision rests on that is unverified or disputed."""
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=None, padding=(0, 1, 0, 0), show_edge=False, header_style="dim")
    for title, justify in (("model", "left"), ("licence", "left"), ("params B", "right"), ("context", "right")):
        # Of a name the beginning is enough, a number of which the end is cut is another number.
        least = {"context": len("10,000,000"), "params B": len("235.1/22.2")}.get(title)
        grid.add_column(title, justify="right" if justify == "right" else "left", no_wrap=True, min_width=least)
    if question.room is not None:
        grid.add_column("GB", justify="right", no_wrap=True)
    for bound in question.scores:
        grid.add_column(bound.benchmark.partition("@")[0][:14], justify="right", no_wrap=True)
    for title in ("USD", "seller"):
        grid.add_column(title, justify="right" if title == "USD" else "left", no_wrap=True, overflow="ellipsis")
    remarks = []
    for number, verdict in enumerate(verdicts):
        mark = ""
        if verdict.remarks:
            remarks.append((verdict.entry.model_id, verdict.remarks))
            mark = "*"
        cells = [f"{verdict.entry.model_id}{mark}", *_facts_of(verdict.entry)]
        if question.room is not None:
            fitted = verdict.fitted
            cells.append(
                "" if fitted is None else f"{(fitted.weight_bytes + fitted.cache_bytes) * question.room.gpus / 1e9:.1f}"
            )
        cells += [f"{item.score:.1f}" for item in verdict.scored]
        price = verdict.price
        cells += ["", ""] if price is None else [_usd(price.mixed(question.input_per_output)), price.provider_id]
        grid.add_row(*(Text(cell) for cell in cells), style="bold" if number == 0 and question.is_priced else "")
    console.print(grid)
    for model, lines in remarks:
        console.print(Text(f"* {model}: {'; '.join(lines)}", style="dim"))


def _facts_of(entry: Entry) -> list[str]:
    facts = entry.facts
    if facts is None:
        return ["", "", ""]
    licence = "" if facts.licence is None else facts.licence.value.licence
    total, active = facts.total_params_b, facts.active_params_b
    size = "" if total is None else f"{total.value:g}"
    if total is not None and active is not None and active.value != total.value:
        size += f"/{active.value:g}"
    return [licence, size, "" if facts.context_tokens is None else f"{facts.context_tokens.value:,}"]


def _list(console: Console, title: str, found: list[tuple[str, tuple[str, ...]]]) -> None:
    from rich.text import Text

    if found:
        console.print(Text(f"\n{title}", style="bold"))
        for model, lines in found:
            console.print(Text(f"  {model}: {'; '.join(lines)}"))


def _usd(amount: Decimal) -> str:
    """A price to four decimals at least where it is small, without zeros that say nothing."""
    text = f"{amount:.4f}".rstrip("0")
    return text + "0" * max(0, 2 - len(text.partition(".")[2]))


def show_one(entry: Entry, machines: Sequence[Machine], day: date, *, as_json: bool) -> None:
    """One model: every fact with its source and what others say, memory, prices, scores, own spend."""
    from pipelines.catalog import catalog_rows

    row = catalog_rows([entry], machines, day).row(0, named=True)
    parsed = row | {name: json.loads(row[name]) for name in ("fits", "prices", "scores", "facts")}
    if as_json:
        say(json_text(parsed, indent=1))
    else:
        _print_one(parsed, day)


def _print_one(row: dict[str, Any], day: date) -> None:
    from rich.text import Text

    console = terminal()
    head = f"{row['display_name']} ({row['model_id']}), {row['developer'] or 'developer not known'}, as known on {day}"
    console.print(Text(head, style="bold"))
    if not row["is_released"]:
        console.print(Text("  no such model was released", style="yellow"))
    if row["licence_restricts"]:
        console.print(Text(f"  licence restricts {', '.join(row['licence_restricts'])}: {row['licence_terms']}"))
    for name, fact in row["facts"].items():
        if name != "layers":
            _print_fact(console, name, fact)
    memory = [
        f"{bits} bit {row[f'weights_gb_{bits}bit']:.1f} GB" for bits in (16, 8, 4) if row[f"weights_gb_{bits}bit"]
    ]
    memory += [
        f"cache of {n} {row[f'cache_gb_{n}']:.1f} GB" for n in ("32k", "128k") if row[f"cache_gb_{n}"] is not None
    ]
    if memory:
        console.print(Text(f"  memory: {', '.join(memory)}"))
    held = [machine for machine, widths in row["fits"].items() if widths["4"]]
    if held:
        console.print(Text(f"  fits at 4 bit: {', '.join(held)}"))
    for price in row["prices"]:
        since = "" if price["valid_from"].startswith("0001") else f" since {price['valid_from'][:10]}"
        amounts = f"{_usd(Decimal(price['input_usd_per_mtok']))} in, {_usd(Decimal(price['output_usd_per_mtok']))} out"
        console.print(Text(f"  {price['provider_id']}: {amounts}{since} ({price['feed'] or 'no feed'})"))
    for score in row["scores"]:
        interval = (
            ""
            if score["ci_low"] is None
            else f" ({score['ci_low']:.1f} to {score['ci_high']:.1f}, {score['ci_method']})"
        )
        console.print(
            Text(
                f"  {score['benchmark']}: {score['score']:g} {score['unit']}{interval}, {score['board']} {score['as_of']}"
            )
        )
    if row["spend_30d_usd"] is not None:
        console.print(Text(f"  own spend of 30 days: {row['spend_30d_usd']:.2f} USD, {row['requests_30d']:,} requests"))


def _print_fact(console: Console, name: str, fact: dict[str, Any]) -> None:
    from rich.text import Text

    doubt = "" if fact["is_verified"] else " UNVERIFIED"
    note = f" ({fact['note']})" if fact.get("note") else ""
    console.print(Text(f"  {name}: {_worded(fact['value'])}{doubt}{note}"))
    console.print(Text(f"    {fact['source']}, {fact['as_of']}", style="dim"))
    for other in fact.get("others", ()):
        line = f"    otherwise {_worded(other['value'])}: {other['source']}, {other['as_of']}"
        console.print(Text(line, style="yellow"))


def _worded(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
