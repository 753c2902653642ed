"""Format `epoch`: the CSV files of Epoch AI's benchmarking hub, each a scope of its own, or all of them in one zip file.

`benchmarks_runs.csv` holds Epoch's own runs, one row per run, with the standard error inside the text of the scores;
`external_benchmark_*.csv` hold scores that Epoch collected, in columns that differ from file to file (`EXTERNAL`). Since
2025 the hub is `benchmark_data.zip`: a table per benchmark, with `benchmark_metadata.csv` naming each one's score column.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from pipelines.benchmarks.collector import Collector
from pipelines.benchmarks.fields import (
    NO_SCORE,
    EntryError,
    bare,
    day,
    instant,
    is_blank,
    money,
    number,
    shown_name,
    text,
    within,
)
from pipelines.benchmarks.formats._tables import only, read_table
from pipelines.benchmarks.observation import Benchmark, BoardSnapshot, Observation, Traits
from pipelines.landing import MAX_CONTENT_BYTES, read_bytes
from pipelines.outside import worded

TRAITS = Traits(row_kind="run")
RUN_COLUMNS = ("id", "task", "model", "Best score (across scorers)", "Scores", "started_at", "task version")
_EXTERNAL_COLUMNS = ("id", "UUID", "Name", "Source", "Logs", "Log viewer", "Started at")
_SCORER = re.compile(r"[\w.-]+:(?P<score>[\d.]+)\s*±\s*(?P<stderr>[\d.]+)")
_EFFORT = re.compile(r"_(none|minimal|low|medium|high|xhigh|max|\d+K)$")


@dataclass(frozen=True)
class _Column:
    """Where an external table keeps its score, and in what unit; shares are brought to per cent."""

    score: str
    unit: str = "percent"
    stderr: str | None = None
    variant: str | None = None
    cost: str | None = None
    bounds: tuple[str, str] | None = None
    is_share: bool | None = None
    """Whether the column is written from 0 to 1; None: as its numbers look."""


EXTERNAL: dict[str, _Column] = {
    "aider_polyglot": _Column("Percent correct", variant="Edit format"),
    "anli": _Column("Score", variant="Shots"),
    "arc_agi": _Column("Score"),
    "arc_ai2": _Column("Challenge score", variant="Shots"),
    "balrog": _Column("Average progress", stderr="Average Standard error"),
    "bbh": _Column("Average", variant="Shots"),
    "boolq": _Column("Score", variant="Shots"),
    "cadeval": _Column("Overall pass (%)", variant="Prompt"),
    "csqa2": _Column("Score", variant="Shots"),
    "cybench": _Column("Unguided % Solved"),
    "deepresearch": _Column("Average score", variant="Agent"),
    "factorio_learning_environment": _Column("Lab Success %", variant="Tools", cost="Cost"),
    "fictionlivebench": _Column("120k token score"),
    "geobench": _Column("ACW Country %", variant="Tools"),
    "gsm8k": _Column("EM", variant="Shots"),
    "gso_bench": _Column("Score OPT@1", variant="Scaffold"),
    "hellaswag": _Column("Overall accuracy", variant="Shots"),
    "lambada": _Column("Score", variant="Shots"),
    "lech_mazur_writing": _Column("Mean score", unit="points"),
    "livebench": _Column("Global average", variant="LiveBench Version"),
    "mcbench": _Column("ELO", unit="elo"),
    "metr": _Column("Time horizon", unit="minutes", bounds=("CI_low", "CI_high")),
    "mmlu": _Column("EM", variant="Shots"),
    "openbookqa": _Column("Accuracy", variant="Shots"),
    "os_world": _Column("Score", variant="Agent"),
    "osuniverse": _Column("Weighted Score", variant="Agent", cost="Cost"),
    "piqa": _Column("Score", variant="Shots"),
    "scienceqa": _Column("Score", variant="Shots"),
    "simple_bench": _Column("Score (AVG@5)"),
    "superglue": _Column("Score"),
    "terminal_bench": _Column("Accuracy mean", stderr="Accuracy SE", variant="Agent"),
    "the_agent_company": _Column("% Resolved"),
    "triviaqa": _Column("EM", variant="Shots"),
    "videomme": _Column("Overall (no subtitles)"),
    "vpct": _Column("Correct"),
    "weirdml": _Column("Accuracy"),
    "winogrande": _Column("Accuracy", variant="Shots"),
}
"""Score columns of the external tables known here; option `columns: {table: column}` names others."""


HUB_SCORES = ("Best score (across scorers)", "mean_score")
"""Score columns of the hub's own tables, where no metadata names one."""
OPTIONS = ("columns",)


def parse(into: Collector) -> BoardSnapshot:
    """Read one CSV of the hub, or the zip file of all. Tables that hold no scores (model lists) give no observation."""
    content = read_bytes(into.file)
    # A fetched file is named by its day, so that only its address names the table.
    name = urlsplit(into.file.url).path if into.file.url else into.file.path.name
    tables = _members(content, into) if content[:2] == b"PK" else [(name, content)]
    named = _named_columns(tables)
    observations = []
    for table, table_content in tables:
        part = Collector(into.file, into.board)
        observations.append(_table(part, table.rsplit("/", 1)[-1].split(".")[0], table_content, named))
        into.valid += part.valid
        into.rejected.extend(part.rejected)
    return into.snapshot(*(item for item in observations if item is not None))


def _members(content: bytes, into: Collector) -> list[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [name for name in sorted(archive.namelist()) if name.endswith(".csv")]
            if sum(archive.getinfo(name).file_size for name in names) > MAX_CONTENT_BYTES:
                raise zipfile.BadZipFile(f"more than {MAX_CONTENT_BYTES:,} bytes when decompressed")
            return [(name, archive.read(name)) for name in names]
    # A member behind a password is a RuntimeError.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        into.reject(0, "unreadable", f"the zip file is broken: {worded(error)}", record=content, span=(0, len(content)))
        return []


def _named_columns(tables: list[tuple[str, bytes]]) -> dict[str, _Column]:
    """Score columns by table as the hub's own `benchmark_metadata.csv` names them; scale brings them to shares."""
    found: dict[str, _Column] = {}
    for name, content in tables:
        if name.rsplit("/", 1)[-1] != "benchmark_metadata.csv":
            continue
        for row in csv.DictReader(io.StringIO(content.decode("utf-8-sig", "replace"))):
            table = str(row.get("source_file") or "").removesuffix(".csv")
            if table and row.get("score_column"):
                is_share = str(row.get("scale") or "1") in ("1", "1.0")
                found[table] = _Column(str(row["score_column"]), stderr="stderr", is_share=is_share)
    return found


def _table(part: Collector, stem: str, content: bytes, named: Mapping[str, _Column]) -> Observation | None:
    if stem == "benchmarks_runs":
        return _parse_runs(part, content)
    table = stem.removeprefix("external_benchmark_")
    own = part.board.options.get("columns") or {}
    column = (
        _Column(str(own[table])) if table in own else named.get(table) or EXTERNAL.get(table.removesuffix("_external"))
    )
    header = content[:4096].decode("utf-8-sig", "replace").splitlines()[:1]
    if column is None and header and "Model version" in header[0]:
        column = next((_Column(name, stderr="stderr") for name in HUB_SCORES if name in header[0]), None)
    if column is not None:
        return _parse_external(part, table, column, content)
    if stem.startswith("external_benchmark_") or stem.endswith("_external"):
        detail = f"the score column of {stem} is not known: name it in options, columns: {{{table}: <column>}}"
        part.reject(0, "unknown_table", detail)
        return None
    if not header or "," not in header[0] or header[0].lstrip()[:1] in ("<", "{", "["):
        part.reject(0, "wrong_shape", "expected a CSV table, or the hub's zip file", span=(0, len(content)))
    else:
        part.valid += 1  # a list of models, not of scores
    return None


def _parse_runs(into: Collector, content: bytes) -> Observation:
    tasks: dict[str, Benchmark] = {}
    for item_no, (line, row) in enumerate(read_table(into, required=RUN_COLUMNS, content=content)):
        try:
            if is_blank(row["Best score (across scorers)"]):
                raise EntryError(NO_SCORE, "the run states no score")
            task = text(row["task"], "task")
            benchmark = Benchmark(_slug(task), task, "accuracy", "percent", min_score=0, max_score=100)
            into.keep(_run(benchmark.benchmark_id, row, into))
            tasks.setdefault(benchmark.benchmark_id, benchmark)
        except EntryError as error:
            into.reject(item_no, error.reason, str(error), fields=only(row, RUN_COLUMNS), line_no=line)
    return into.observation(TRAITS, tuple(tasks.values()), scope="runs")


def _run(benchmark_id: str, row: Mapping[str, str], into: Collector) -> dict[str, Any]:
    model = shown_name(row["model"], "model")
    shown = row["Best score (across scorers)"]
    best = within(number(shown, "Best score (across scorers)"), "Best score (across scorers)", 1)
    return {
        "benchmark_id": benchmark_id,
        "version_label": row["task version"] or "unversioned",
        "source_row_key": text(row["id"], "id"),
        "raw_model": model,
        "model_name": _EFFORT.sub("", model),
        "variant": match[1] if (match := _EFFORT.search(model)) else "",
        "score": _percent(shown),
        "score_text": shown,
        "stderr": _run_stderr(best, row["Scores"]),
        "measured_by": "independent",
        "as_of": _started(row["started_at"]) or into.as_of,
        "source_locator": f"/{row['id']}",
    }


def _run_stderr(best: float, scores: str) -> float | None:
    """Standard error, in points, of the scorer that gave the best score; two decimals, so ±0 says only below 0.5."""
    found = [(abs(float(m["score"]) - best), float(m["stderr"])) for m in _SCORER.finditer(scores)]
    stderr = min(found, default=(0.0, 0.0))[1]
    return 100 * stderr or None


def _parse_external(into: Collector, table: str, column: _Column, content: bytes) -> Observation:
    kind = {"percent": "accuracy", "elo": "elo"}.get(column.unit, "index")
    benchmark = Benchmark(f"epoch_{table}", f"{table.replace('_', ' ')} (collected by Epoch AI)", kind, column.unit)
    own = [name for name in (column.stderr, column.variant, column.cost, *(column.bounds or ())) if name]
    rows = list(
        read_table(into, required=(column.score, "Model version"), known=(*_EXTERNAL_COLUMNS, *own), content=content)
    )
    is_share = column.is_share
    if is_share is None:
        is_share = column.unit == "percent" and _is_share(row[column.score] for _, row in rows)
    for item_no, (line, row) in enumerate(rows):
        names = ["id", "UUID", "Name", "Model version", column.score, "Source"]
        lacks = "score" if is_blank(row[column.score]) else "" if _model(row) else "model"
        if lacks:
            fields = only(row, names)
            into.reject(
                item_no, f"no_{lacks}", f"the row states no {lacks}", fields=fields, line_no=line, severity="info"
            )
            continue
        try:
            into.keep(_external(benchmark.benchmark_id, table, column, row, is_share=is_share, into=into))
        except EntryError as error:
            into.reject(item_no, error.reason, str(error), fields=only(row, names), line_no=line)
    return into.observation(TRAITS, (benchmark,), scope=table)


def _external(
    benchmark_id: str, table: str, column: _Column, row: Mapping[str, str], *, is_share: bool, into: Collector
) -> dict[str, Any]:
    record = _record_id(row)
    model = _model(row)
    variant = row.get(column.variant, "") if column.variant else ""
    shown = row[column.score].strip()
    is_own = bool(row.get("Logs") or row.get("Log viewer"))
    has_error = column.stderr is not None and not is_blank(row.get(column.stderr))
    stderr = _amount(row[str(column.stderr)], is_share=is_share) if has_error else None
    return {
        "benchmark_id": benchmark_id,
        "version_label": table,
        "source_row_key": record or f"{model} {variant}".strip(),
        "raw_model": model,
        "model_name": _EFFORT.sub("", model),
        "variant": f"{variant} shots" if column.variant == "Shots" and variant else variant,
        "score": _amount(shown, is_share=is_share),
        "score_text": shown,
        "stderr": stderr or None,
        **_interval(column, row),
        "run_cost_usd": money(row.get(column.cost), column.cost) if column.cost else None,
        "measured_by": "independent" if is_own else "aggregator",
        "as_of": _started(row.get("Started at", "")) or into.as_of,
        "source_locator": f"/{record or model}",
    }


def _record_id(row: Mapping[str, str]) -> str:
    """The id of Airtable's record, or any other that the row has."""
    keys = [row.get(name, "").strip() for name in ("id", "ID", "UUID")]
    return next((key for key in keys if key.startswith("rec")), "") or next(filter(None, keys), "")


def _interval(column: _Column, row: Mapping[str, str]) -> dict[str, Any]:
    """The interval where the row states both of its ends."""
    bounds = [None if is_blank(row.get(name)) else _amount(row[name]) for name in column.bounds or ()]
    if not bounds or None in bounds:
        return {"ci_low": None, "ci_high": None, "ci_level": None, "ci_method": "none"}
    return {"ci_low": bounds[0], "ci_high": bounds[1], "ci_level": 0.95, "ci_method": "reported"}


def _model(row: Mapping[str, str]) -> str:
    named = next((row[name] for name in ("Model version", "Name") if not is_blank(row.get(name))), "")
    return shown_name(named, "Model version") if named else ""


def _is_share(values: Iterable[str]) -> bool:
    """True where a column of scores is written from 0 to 1, without per cent signs."""
    stated = [value.strip() for value in values if not is_blank(value)]
    numbers = [float(value) for value in stated if re.fullmatch(r"[\d.]+", value)]
    return len(numbers) == len(stated) and bool(numbers) and max(numbers) <= 1


def _amount(value: str, *, is_share: bool = False) -> float:
    shown = value.strip().removesuffix("%")
    return _percent(shown) if is_share else number(shown, "score")


def _percent(share: str) -> float:
    """A share as per cent, shifted in decimal so that 0.057 is 5.7 and not 5.700000000000001."""
    try:
        return number(str(Decimal(bare(share)) * 100), "score")
    except InvalidOperation:
        raise EntryError("not_a_number", f"score is {share!r}, not a number") from None


def _started(value: str) -> date | None:
    """`17 November 2025 4:28pm` or ISO 8601; None if it is not given so."""
    try:
        return instant(value).date()
    except ValueError:
        pass
    try:
        return day(value, "started_at")
    except EntryError:
        return None


def _slug(name: str) -> str:
    return "epoch_" + re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
