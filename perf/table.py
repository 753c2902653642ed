"""From raw results to `results.md`: one table per size, and every goal with its figure, met or not.

The figures come from `results.json` alone, so that the table can be made again without a run. Goals and limits are
explained in `docs/performance.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from statistics import median
from typing import Any

from perf.board_day import board_day_table
from perf.books import books_table
from perf.contenders import BY_NAME, CONTENDERS, Contender
from perf.day_table import day_table, growth_table

Size = Mapping[str, Any]
Run = Mapping[str, Any]
Figure = Callable[[Run], float]
_MIB_2GB = 2048
_HOW = (
    "Medians, and in brackets the smallest and the largest, of runs that took turns. Every total was compared with the "
    "generator's exact one, or with that of a plain loop over the same lines; a tool that differs fails the run. A goal's figure is the median of the ratios inside each round; it is met where it is "
    "met in every round."
)


def results_page(results: Mapping[str, Any]) -> str:
    """The whole page."""
    machine, versions = results["machine"], results["versions"]
    sizes = {int(rows): size for rows, size in results["sizes"].items()}
    parts = [
        "# Measured",
        "Made by `python -m perf`; what the columns mean, what the tools do and why is in `docs/performance.md`.",
        f"Machine: {machine['processor']}, {machine['cores']} cores, {machine['memory']}, {machine['system']}. "
        + ", ".join(f"{name} {version}" for name, version in versions.items())
        + ".",
        _HOW,
    ]
    for rows, size in sorted(sizes.items()):
        parts += [
            f"## {rows:,} lines",
            _size_note(size),
            _runs_table(rows, size),
            "### Goals",
            _goals_table(rows, size),
        ]
        parts += ["### Stages of modelmeter, seconds", _stages_table(size)]
    if len(sizes) > 1:
        parts += ["## From size to size", _growth_table(sizes)]
    for rows, day in sorted(results.get("days", {}).items(), key=lambda item: int(item[0])):
        parts += [f"## A whole day of {int(rows):,} lines", day_table(day)]
    for rows, day in results.get("behind", {}).items():
        parts += [
            f"## A whole day of {int(rows):,} lines with {day['behind']} days behind it",
            f"The page of the day is {day['page_kb']:,.0f} kB.",
            day_table(day),
        ]
    if "board_day" in results:
        parts += ["## One new export of a board, and the report", board_day_table(results["board_day"])]
    if "years" in results:
        parts += ["## One new file over a year of them", _years_table(results["years"])]
    if "books" in results:
        parts += ["## Books over a year of charges", books_table(results["books"])]
    if "history" in results:
        parts += ["## A day over a history", _history_table(results["history"])]
    if "growth" in results:
        parts += ["## A whole day over a history", growth_table(results["growth"])]
    return "\n\n".join(part for part in parts if part) + "\n"


def _size_note(size: Size) -> str:
    loads = [run["load_before"] for runs in size["runs"].values() for run in runs]
    return (
        f"{size['rounds']} rounds on {size['date']}; {size['bytes_per_line']:.0f} bytes a line; load average before the runs "
        f"{min(loads):.1f} to {max(loads):.1f} (above the number of cores means that others used the machine: then compare "
        "processor seconds)."
    )


def _each(size: Size, name: str, figure: Figure) -> list[float]:
    """One figure of a contender, round by round."""
    return [figure(run) for run in size["runs"].get(name, [])]


def _wall(run: Run) -> float:
    return float(run["wall_s"])


def _cpu(run: Run) -> float:
    return float(run["cpu_s"] + run["server_cpu_s"])


def _stage(*stages: str) -> Figure:
    return lambda run: float(sum(run["answer"]["stages"].get(stage, 0) for stage in stages))


def _seconds(contender: Contender) -> Figure:
    """What counts as the time of a contender: of the per-row libraries, without their import."""
    return _stage("rows") if contender.name in ("litellm_a", "genai_a") else _wall


def _rates(rows: int, size: Size, name: str) -> list[float]:
    """Thousand lines a second, round by round."""
    contender = BY_NAME[name]
    return [(contender.sample or rows) / seconds / 1000 for seconds in _each(size, name, _seconds(contender))]


def _runs_table(rows: int, size: Size) -> str:
    lines = [
        "| what | wall s | cpu s: own + server | peak MB | thousand lines/s | lines | what it loses |",
        "|---|---|---|---|---|---|---|",
    ]
    for contender in CONTENDERS:
        runs = size["runs"].get(contender.name, [])
        if not runs:
            continue
        walls = _each(size, contender.name, _wall)
        own, server = median(run["cpu_s"] for run in runs), median(run["server_cpu_s"] for run in runs)
        lines.append(
            f"| {contender.label} | {median(walls):.2f} ({min(walls):.2f}-{max(walls):.2f}) | {own:.1f} + {server:.1f} "
            f"| {median(run['peak_mb'] for run in runs):,.0f} | {median(_rates(rows, size, contender.name)):,.1f} "
            f"| {contender.sample or rows:,} | {contender.loses} |"
        )
    return "\n".join(lines)


def _floors(size: Size, figure: Figure) -> list[float]:
    """Per round: the faster parse, then binary COPY and key of the ready rows, one after the other."""
    parses = [each for name in ("polars_parse", "duckdb_parse") if (each := _each(size, name, figure))]
    fastest = [min(of_round) for of_round in zip(*parses, strict=True)] if parses else []
    return [parse + copied for parse, copied in zip(fastest, _each(size, "copy", figure), strict=False)]


def _load_without_key(run: dict[str, Any]) -> float:
    """All that the load does but keys and swap: also what makes the rows ready, because it runs during the COPY."""
    stages = run["answer"]["stages"]
    return float(stages["load"] - stages["load: key"] - stages["load: swap"])


def _over(one: list[float], other: list[float]) -> list[float]:
    return [a / b for a, b in zip(one, other, strict=True)] if len(one) == len(other) else []


def _goals(rows: int, size: Size) -> Iterator[tuple[str, list[float], float, bool]]:
    """Goal, figure of each round, bound, and whether the figure may be at most (True) or must be at least the bound."""
    for figure, note in ((_wall, ""), (_cpu, ", in processor seconds")):
        ours = _each(size, "ours_b", figure)
        yield f"B over the serial floor{note}", _over(ours, _floors(size, figure)), 1.5, True
        yield (
            f"B over DuckDB + CSV COPY into the same table{note}",
            _over(ours, _each(size, "duckdb_b", figure)),
            1.0,
            True,
        )
        yield f"B over B of the clean file{note}", _over(ours, _each(size, "ours_b_clean", figure)), 1.3, True
        yield f"Postgres alone over B{note}", _over(_each(size, "postgres_b", figure), ours), 5.0, False
    copied = _over(_each(size, "copy", _stage("copy")), _each(size, "ours_b", _load_without_key))
    yield "share of psql's binary COPY rate", copied, 0.7, False
    for name in ("genai_a", "litellm_a"):
        label = f"A's rate over {BY_NAME[name].label}"
        yield label, _over(_rates(rows, size, "ours_a"), _rates(rows, size, name)), 30.0, False


def _goals_table(rows: int, size: Size) -> str:
    lines = ["| goal | figure | bound | |", "|---|---|---|---|"]
    for label, figures, bound, is_most in _goals(rows, size):
        limit = f"{'at most' if is_most else 'at least'} {bound:g}"
        if not figures:
            lines.append(f"| {label} | not measured | {limit} | |")
            continue
        met = [figure <= bound if is_most else figure >= bound for figure in figures]
        verdict = "met" if all(met) else "rounds disagree" if any(met) else "**not met**"
        shown = f"{median(figures):.2f} ({min(figures):.2f}-{max(figures):.2f})"
        lines.append(f"| {label} | {shown} | {limit} | {verdict} |")
    return "\n".join(lines)


def _stages_table(size: Size) -> str:
    names = [name for name in ("ours_a", "ours_b", "ours_b_clean") if size["runs"].get(name)]
    stages = list(dict.fromkeys(stage for name in names for stage in size["runs"][name][0]["answer"]["stages"]))
    lines = ["| stage | " + " | ".join(BY_NAME[name].label for name in names) + " |", "|---|" + "---|" * len(names)]
    for stage in sorted(stages, key=_stage_order):
        seconds = [f"{median(_each(size, name, _stage(stage))):.2f}" for name in names]
        lines.append(f"| {stage} | {' | '.join(seconds)} |")
    return "\n".join(lines)


_STAGES = (
    "open", "hash", "parse", "load", "load: dedupe", "load: attribute", "load: resolve", "load: rate", "load: encode", "load: wait for the server",
    "load: key", "load: swap", "spend",
)  # fmt: skip


def _stage_order(stage: str) -> int:
    return _STAGES.index(stage) if stage in _STAGES else len(_STAGES)


def _growth_table(sizes: Mapping[int, Size]) -> str:
    lines = ["| lines | B, microseconds a line | processor microseconds a line | peak MB of B |", "|---|---|---|---|"]
    for rows, size in sorted(sizes.items()):
        if runs := size["runs"].get("ours_b"):
            wall, cpu = (median(_each(size, "ours_b", figure)) * 1e6 / rows for figure in (_wall, _cpu))
            peak = median(run["peak_mb"] for run in runs)
            lines.append(f"| {rows:,} | {wall:.2f} | {cpu:.2f} | {peak:,.0f} |")
    lines += ["", *_growth_goals(sizes)]
    return "\n".join(lines)


def _growth_goals(sizes: Mapping[int, Size]) -> Iterator[str]:
    """From 2 to 10 million lines: time and processor time a line, and peak memory."""
    two, ten = (sizes.get(rows, {"runs": {}}) for rows in (2_000_000, 10_000_000))
    if not two["runs"].get("ours_b") or not ten["runs"].get("ours_b"):
        yield "Goals from 2 to 10 million lines: not measured."
        return
    figures: tuple[tuple[str, Callable[[Run, int], float], float], ...] = (
        ("time a line", lambda run, rows: _wall(run) / rows, 1.1),
        ("processor time a line", lambda run, rows: _cpu(run) / rows, 1.1),
        ("peak memory", lambda run, _: float(run["peak_mb"]), 1.25),
    )
    yield "| from 2 to 10 million lines | ratio of medians | bound | |"
    yield "|---|---|---|---|"
    for label, figure, bound in figures:
        small = median(figure(run, 2_000_000) for run in two["runs"]["ours_b"])
        ratio = median(figure(run, 10_000_000) for run in ten["runs"]["ours_b"]) / small
        yield f"| {label} | {ratio:.2f} | at most {bound:g} | {'met' if ratio <= bound else '**not met**'} |"
    peak = median(run["peak_mb"] for run in ten["runs"]["ours_b"])
    yield f"| peak memory at 10 million, MB | {peak:,.0f} | below {_MIB_2GB} | {'met' if peak < _MIB_2GB else '**not met**'} |"


def _years_table(years: Mapping[str, Any]) -> str:
    lines = [
        (
            "A file more each round, the steps that read it in a process of their own; processor seconds without the start of the process, "
            "medians. Anew: what was kept of judged files deleted, the files themselves read from the cache; the tables were the same."
        ),
        "",
        "| files | models | date | rounds | one more: cpu s | wall s | server s | peak MB | anew: cpu s | peak MB | first reading: cpu s |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for year in years.values():
        more, anew = year["one_more"], year["anew"]
        cpu, wall = (median(run["answer"][name] for run in more) for name in ("cpu_s", "wall_s"))
        server, peak = (median(run[name] for run in more) for name in ("server_cpu_s", "peak_mb"))
        lines.append(
            f"| {year['files']} {year['kind']} | {year['models'] or ''} | {year['date']} | {len(more)} | {cpu:.2f} | {wall:.2f} | "
            f"{server:.2f} | {peak:,.0f} | {anew['answer']['cpu_s']:.2f} | {anew['peak_mb']:,.0f} | {year['first']['answer']['cpu_s']:.1f} |"
        )
    return "\n".join(lines)


def _history_table(history: Mapping[str, Any]) -> str:
    lines = [
        (
            f"Measured on {history['date']}: the newest day has 200,000 requests. Milliseconds, the shortest and the median of "
            "the runs; the mart by dbt's own count, without its start."
        ),
        "",
        "| rows of history | days | GiB | a day's spend, ms | a day's mart, ms | load average |",
        "|---|---|---|---|---|---|",
    ]
    sizes = sorted(history["sizes"], key=lambda size: int(size["rows"]))
    for size in sizes:
        spend, mart = (" / ".join(f"{seconds * 1000:,.0f}" for seconds in size[key]) for key in ("spend_s", "mart_s"))
        lines.append(
            f"| {size['rows']:,} | {size['days']} | {size['gib']:.1f} | {spend} | {mart} | {size['load_before']:.1f} |"
        )
    if len(sizes) > 1:
        first, last = sizes[0], sizes[-1]
        ratios = [last[key][0] / first[key][0] for key in ("spend_s", "mart_s")]
        lines += [
            "",
            (
                f"Goal: at most 1.1 from the smallest history to the largest. By the shortest runs: spend {ratios[0]:.2f}, mart "
                f"{ratios[1]:.2f}."
            ),
        ]
    return "\n".join(lines)
