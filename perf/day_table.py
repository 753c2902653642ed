"""The table of whole days: every stage of `modelmeter daily`, and the goals that the whole is held to."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import Any

PARSING, WARM = "parsing", "nothing to parse"
_SMALL_S = 0.25
_PEAK_MB = 2048
_LOAD = "core_request"
_PARSE = "raw_request_files"


def day_table(day: Mapping[str, Any]) -> str:
    """Medians of the runs of one size, stage by stage; stages that take next to nothing are one line."""
    lines = [
        (
            f"Rounds: {len(day['runs']) // 2}, on {day['date']}; load average before the runs "
            f"{min(run['load_before'] for run in day['runs']):.1f} to {max(run['load_before'] for run in day['runs']):.1f}. A run that parses, "
            "then one that finds everything parsed. Processor seconds are those of the run and, after the plus, of the server; memory is "
            "that of all processes of the run together; what is read is what read calls gave to run and server, cached or not."
        ),
        "",
        "| stage | parsing: wall s | cpu s | peak MB | read MB | nothing to parse: wall s | cpu s | peak MB | read MB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    both = [_stages(day, kind) for kind in (PARSING, WARM)]
    small = [name for name in both[0] if all(_cpu(stages[name]) < _SMALL_S for stages in both if name in stages)]
    shown = [{name: row for name, row in stages.items() if name not in small} for stages in both]
    rest = f"{len(small)} others"
    for stages, kept in zip(both, shown, strict=True):
        kept[rest] = _together([stages[name] for name in small])
        kept["**all**"] = _together(list(stages.values()))
    lines += [f"| {name} | {_cells(shown[0][name])} | {_cells(shown[1][name])} |" for name in shown[0]]
    return "\n".join([*lines, "", *_goals(both[0], both[1])])


def _stages(day: Mapping[str, Any], kind: str) -> dict[str, dict[str, float]]:
    """Each stage of one kind of run: the median of each figure over the runs that named the stage."""
    runs = [{str(stage["name"]): stage for stage in run["stages"]} for run in day["runs"] if run["kind"] == kind]
    found = {}
    for name in dict.fromkeys(name for run in runs for name in run):
        named = [run[name] for run in runs if name in run]
        found[name] = {figure: median(stage[figure] for stage in named) for figure in named[0] if figure != "name"}
    return found


def _cpu(stage: Mapping[str, float]) -> float:
    return stage["cpu_s"] + stage["server_cpu_s"]


def _together(stages: list[dict[str, float]]) -> dict[str, float]:
    summed = {name: sum(stage[name] for stage in stages) for name in (stages[0] if stages else {})}
    return summed | {"peak_mb": max((stage["peak_mb"] for stage in stages), default=0)}


def _cells(stage: Mapping[str, float]) -> str:
    read = stage["read_mb"] + stage["server_read_mb"]
    return f"{stage['wall_s']:.1f} | {stage['cpu_s']:.1f} + {stage['server_cpu_s']:.1f} | {stage['peak_mb']:,.0f} | {read:,.0f}"


def growth_table(growth: Mapping[str, Any]) -> str:
    """Processor seconds of each stage over histories of several sizes; stages that take next to nothing are one line."""
    sizes = growth["sizes"]
    costs = [{stage["name"]: _cpu(stage) for stage in size["stages"]} for size in sizes]
    shown = [name for name in costs[0] if any(cost.get(name, 0) >= _SMALL_S for cost in costs)]
    rows = {name: [cost.get(name, 0.0) for cost in costs] for name in shown}
    rows["the others"] = [sum(seconds for name, seconds in cost.items() if name not in shown) for cost in costs]
    rows["**all**"] = [sum(cost.values()) for cost in costs]
    heads = [f"over {size['rows']:,} requests" for size in sizes]
    loads = ", ".join(f"{size['load']:.1f}" for size in sizes)
    lines = [
        f"On {growth['date']}: a day of {sizes[0].get('day_rows', 200_000):,} lines with nothing to parse; processor seconds of run and server; load average {loads}.",
        "",
        f"| stage | {' | '.join(heads)} | ratio |",
        f"|---|{'---|' * len(sizes)}---|",
    ]
    for name, seconds in rows.items():
        ratio = f"{seconds[-1] / seconds[0]:.2f}" if seconds[0] else ""
        lines.append(f"| {name} | {' | '.join(f'{second:.2f}' for second in seconds)} | {ratio} |")
    return "\n".join(lines)


def _goals(parsing: dict[str, dict[str, float]], warm: dict[str, dict[str, float]]) -> list[str]:
    """The whole over its load, in processor seconds, and the memory of the run."""
    ratios = (
        ("whole run with nothing to parse over its load", _all(warm) / _cpu(warm[_LOAD]), 3.0),
        (
            "whole run with parsing over parse and load",
            _all(parsing) / _all({k: parsing[k] for k in (_PARSE, _LOAD)}),
            2.0,
        ),
    )
    lines = ["| goal, in processor seconds | figure | bound | |", "|---|---|---|---|"]
    lines += [
        f"| {label} | {found:.1f} | at most {bound:g} | {_verdict(found <= bound)} |" for label, found, bound in ratios
    ]
    peak = max(stage["peak_mb"] for stages in (parsing, warm) for stage in stages.values())
    return [*lines, f"| peak memory of the run, MB | {peak:,.0f} | below {_PEAK_MB} | {_verdict(peak < _PEAK_MB)} |"]


def _all(stages: Mapping[str, dict[str, float]]) -> float:
    return sum(_cpu(stage) for stage in stages.values())


def _verdict(is_met: bool) -> str:
    return "met" if is_met else "**not met**"
