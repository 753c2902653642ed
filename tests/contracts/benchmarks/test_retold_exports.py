"""Real exports that say the same in other signs: another delimiter, a title or a rank, names as links; the same scores, no complaint.

What damages an export is `mutilate.py`.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.benchmarks import parse_board
from pipelines.config.sources import Leaderboard
from tests.unit.benchmarks.boards import landed

Rows = list[list[str]]
NAMES = ("model", "Model version", "Name")
SAID = (
    "benchmark_id", "version_label", "source_row_key", "raw_model", "variant", "score", "ci_low", "ci_high", "stderr", "n_items",
    "votes", "weights", "run_cost_usd", "as_of",
)  # fmt: skip


def written(rows: Rows, delimiter: str = ",") -> str:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return out.getvalue()


def in_names(change: Callable[[str], str]) -> Callable[[Rows], str]:
    def retold(rows: Rows) -> str:
        at = [place for place, name in enumerate(rows[0]) if name in NAMES]
        body = [[change(cell) if place in at and cell else cell for place, cell in enumerate(row)] for row in rows[1:]]
        return written([rows[0], *body])

    return retold


def in_cells(change: Callable[[str], str]) -> Callable[[Rows], str]:
    return lambda rows: written([rows[0], *([change(cell) for cell in row] for row in rows[1:])])


DECORATIONS: dict[str, Callable[[str], str]] = {
    "a link": lambda name: f"[{name}](https://example.com/a)",
    "an element": lambda name: f'<a href="https://example.com/a">{name}</a>',
    "bold": lambda name: f"**{name}**",
    "a medal": lambda name: f"🥇 {name}",
    "its rank": lambda name: f"1. {name}",
    "what no one sees": lambda name: f"\u200b {name}\u00a0",
}
TABLES: dict[str, Callable[[Rows], str]] = {
    "semicolons": lambda rows: written(rows, ";"),
    "tabs": lambda rows: written(rows, "\t"),
    "a line for a spreadsheet": lambda rows: f"sep=,\n{written(rows)}",
    "a title": lambda rows: f"Leaderboard of January 2026\n\n{written(rows)}",
    "blank rows": lambda rows: written([line for row in rows for line in (row, [""] * len(row))]),
    "the header again": lambda rows: written([*rows[:5], rows[0], *rows[5:]]),
    "a rank": lambda rows: written([["Rank", *rows[0]], *([str(n), *row] for n, row in enumerate(rows[1:], 1))]),
    "an index": lambda rows: written([["", *rows[0]], *([str(n), *row] for n, row in enumerate(rows[1:]))]),
    "columns in another order": lambda rows: written([row[::-1] for row in rows]),
    "arrows on columns": lambda rows: written([[f"{name} ↑" for name in rows[0]], *rows[1:]]),
    "bold columns": lambda rows: written([[f"**{name}**" for name in rows[0]], *rows[1:]]),
    "spaces around cells": in_cells(lambda cell: f" {cell} "),
    "the best in bold": in_cells(lambda cell: f"**{cell}**" if re.fullmatch(r"\d+\.\d+", cell) else cell),
    "dashes": in_cells(lambda cell: cell or "—"),
    **{f"names as {how}": in_names(change) for how, change in DECORATIONS.items()},
}


def _named_in(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, list):
        return [_named_in(item, change) for item in value]
    if isinstance(value, dict):
        return {
            key: change(item) if key == "model" and isinstance(item, str) else _named_in(item, change)
            for key, item in value.items()
        }
    return value


class _Export:
    def __init__(self, root: Path, real: Path, name: str) -> None:
        self.real, self.root = real, root
        self.board = Leaderboard.model_validate({"board": name, "format": name})
        self.reads = 0

    def said(self, content: bytes) -> tuple[set[tuple[Any, ...]], list[str]]:
        self.reads += 1
        folder = self.root / str(self.reads)
        folder.mkdir()
        (folder / self.real.name).write_bytes(content)
        found = parse_board(
            landed(folder / self.real.name, self.board, at=datetime(2026, 1, 1, tzinfo=UTC)), self.board
        )
        complaints = found.quarantine.filter(severity="error")["detail"].to_list()
        return {row for part in found.observations for row in part.rows.select(SAID).iter_rows()}, complaints


TABLES_OF = {
    "livebench": "livebench/table_2025_05_30__at_2025-10-06.csv",
    "epoch": "epoch/external_benchmark_terminal_bench.csv",
}


@pytest.mark.parametrize("name", TABLES_OF)
def test_a_table_that_says_the_same_gives_the_same_scores(shared_data: Path, tmp_path: Path, name: str) -> None:
    export = _Export(tmp_path, shared_data / "leaderboards" / TABLES_OF[name], name)
    content = export.real.read_bytes()
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    good = export.said(content)
    assert len(good[0]) > 50
    for how, retell in TABLES.items():
        assert export.said(retell(rows).encode()) == good, how
    assert export.said(written(rows).encode("utf-16")) == good
    average = ["Average", *(["50"] * (len(rows[0]) - 1))]
    if name == "livebench":
        assert export.said(written([*rows, average]).encode()) == good


@pytest.mark.parametrize("name", ["aider", "arena_daily"])
def test_names_of_entries_are_read_without_what_pages_put_around_them(
    shared_data: Path, tmp_path: Path, name: str
) -> None:
    folder = shared_data / "leaderboards"
    real = (
        max(folder.glob("aider_polyglot/2025-02*")) if name == "aider" else folder / "arena_daily/2026-03-25/text.json"
    )
    export = _Export(tmp_path, real, name)
    good = export.said(real.read_bytes())
    for how, change in DECORATIONS.items():
        retold = _named_in(yaml.safe_load(real.read_bytes()), change)
        content = yaml.safe_dump(retold, allow_unicode=True, sort_keys=False) if name == "aider" else json.dumps(retold)
        assert export.said(content.encode()) == good, how
