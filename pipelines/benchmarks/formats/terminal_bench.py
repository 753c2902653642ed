"""Terminal-Bench: outcomes per task and trial of one run, or the list of runs that its site serves (`_terminal_bench_site.py`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from pipelines.benchmarks.collector import Collector
from pipelines.benchmarks.fields import EntryError, count, is_blank, text
from pipelines.benchmarks.formats._entries import TRAITS, Entry, entries_snapshot, fields_of, listed_records, solved
from pipelines.benchmarks.formats._tables import read_json
from pipelines.benchmarks.formats._terminal_bench_site import is_site_list, parse_site_list
from pipelines.benchmarks.observation import BoardSnapshot

_RUN_NAME = re.compile(r"^\d{4}-?\d{2}-?\d{2}_(?P<agent>[^_]+)_(?P<model>.+?)(?:\.json)?$")
_DATASET = re.compile(r"(terminal-bench[\w-]*)[@:]([\w.]+)")
OPTIONS = ("version",)


def parse(into: Collector) -> BoardSnapshot:
    """Read the `results.json` of one run, named `<date>_<agent>_<model>` (file or folder), or the site's list of runs.

    What is named so is a submission, agent and model its scope; the runs in its folder are trials of one score. The
    site's list (`{rows: [{metadata, metrics}]}`) is a scope of its own, and needs option `version`.
    """
    if is_site_list(into):
        return parse_site_list(into)
    parts = into.file.landing_path.split("/")
    place, match = next(((n, m) for n in reversed(range(len(parts))) if (m := _RUN_NAME.match(parts[n]))), (0, None))
    if match is None:
        detail = "neither file nor folder is named <date>_<agent>_<model>, so the model is not known"
        into.reject(0, "unknown_model", detail, fields={"landing_path": into.file.landing_path})
        return into.snapshot(into.observation(TRAITS, ()))
    entry, records = Entry(), list(listed_records(into, "results"))
    unsolved = _unsolved_without_outcome(records, into)
    for item_no, record in enumerate(records):
        try:
            outcome = solved(record.get("is_resolved"), "is_resolved")
            entry.add(text(record.get("task_id"), "task_id"), unsolved if outcome is None else outcome)
            entry.input_tokens += count(record.get("total_input_tokens"), "total_input_tokens") or 0
            entry.output_tokens += count(record.get("total_output_tokens"), "total_output_tokens") or 0
            into.count_valid()
        except EntryError as error:
            into.reject(item_no, error.reason, str(error), fields=fields_of(record, ("task_id", "trial_name")))
    dataset = _DATASET.search(into.file.landing_path) or _DATASET.search(into.file.url or "")
    version = dataset[2] if dataset else str(into.board.options.get("version", "unknown"))
    name = dataset[1] if dataset else "terminal-bench-core"
    scope = f"{match['agent']} {match['model']}"
    snapshot = entries_snapshot(into, name, name, version, {match["model"]: entry}, scope=scope, variant=match["agent"])
    run_id = "/".join(parts[place + 1 :])  # empty for a submission that is one file
    observations = tuple(replace(item, submission=match[0], run_id=run_id) for item in snapshot.observations)
    return replace(snapshot, observations=observations)


def _unsolved_without_outcome(records: Iterable[Mapping[str, Any]], into: Collector) -> float | None:
    """What a trial without an outcome counts as: 0 where the file's own accuracy counts such trials as unsolved."""
    outcomes = [record.get("is_resolved") for record in records]
    known = [value for value in outcomes if not is_blank(value)]
    document = read_json(into)
    stated = document.get("accuracy") if isinstance(document, dict) else None
    if len(known) == len(outcomes) or isinstance(stated, bool) or not isinstance(stated, (int, float)):
        return None
    solved = sum(value is True or value == 1 for value in known)
    over_all, over_known = (abs(stated - solved / max(n, 1)) for n in (len(outcomes), len(known)))
    return 0.0 if over_all < over_known else None
