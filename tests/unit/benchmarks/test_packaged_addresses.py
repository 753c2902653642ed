"""Every board that is packaged with an address: what that address answers is fetched, lands, and is read by the declaration as it is."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from pipelines.benchmarks import parse_board
from pipelines.config import load_config
from pipelines.config.sources import Sources
from pipelines.fetch import fetch_feeds
from pipelines.landing import scan
from pipelines.settings import Settings
from tests.unit.benchmarks.boards import arena
from tests.unit.benchmarks.test_formats import RUN
from tests.unit.benchmarks.test_item_and_wide_formats import lcb
from tests.unit.benchmarks.test_shapes import ROW, parquet
from tests.unit.fetch.server import reply, serve

BOARDS = {board.board: board for board in load_config(None).sources.leaderboards if board.url}
JSON, TEXT, BINARY = "application/json", "text/plain; charset=utf-8", "application/octet-stream"


def hub() -> bytes:
    runs = "id,Model version,mean_score,stderr,Started at\nr1,gpt-5.1_medium,0.84,0.02,2025-11-17T16:28:00Z\n"
    metadata = "benchmark,source_file,score_column,scale\nGPQA diamond,gpqa_diamond.csv,mean_score,1\n"
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("gpqa_diamond.csv", runs)
        archive.writestr("benchmark_metadata.csv", metadata)
    return content.getvalue()


HELM = {
    "title": "Core scenarios",
    "header": [{"value": "Model"}, {"value": "Mean win rate"}, {"value": "MMLU - EM"}],
    "rows": [[{"value": "alpha"}, {"value": 0.9}, {"value": 0.75}]],
}
OPEN_LLM = {
    "id": "x_float16",
    "model": {"name": "org/model", "precision": "float16", "average_score": 30.5},
    "evaluations": {"bbh": {"name": "BBH", "value": 0.5, "normalized_score": 40.0}},
    "metadata": {"submission_date": "2024-06-12"},
}
SWE = {
    "leaderboards": [
        {"name": "Verified", "results": [{"name": "alpha", "folder": "a", "resolved": 60.0, "date": "2025-01-01"}]}
    ]
}
EVALPLUS = {"alpha": {"pass@1": {"instruct": None, "complete": None, "humaneval": 50.0, "humaneval+": 40.2}}}
BIG = {"alpha": {"pass@1": {"instruct": 36.2, "complete": None}}}
ANSWERS: dict[str, tuple[Any, str, str]] = {
    "lmarena_text": ({"full": arena({"alpha": 1400.0})}, TEXT, "full"),
    "aider_polyglot": (RUN.encode(), TEXT, ""),
    "aider_edit": (RUN.replace("225", "133").replace("68", "40").replace("136", "80").encode(), TEXT, ""),
    "swebench": (SWE, TEXT, ""),
    "evalplus": (EVALPLUS, TEXT, "humaneval"),
    "bigcodebench": (BIG, TEXT, ""),
    "bigcodebench_hard": (BIG, TEXT, ""),
    "epoch": (hub(), "application/zip", ""),
    "livebench": (b"model,coding,math\nalpha,50,60\n", TEXT, "2025-05-30/coding"),
    "mmlu_pro": (b"Models,Model Size(B),Data Source,Overall,Biology\nbeta,7,TIGER-Lab,0.5,0.25\n", TEXT, "overall"),
    "open_llm_leaderboard": ([OPEN_LLM], JSON, ""),
    "helm_lite": ([HELM], JSON, "v1.13.0/MMLU - EM"),
    "livecodebench": (
        {"performances": [lcb("alpha", question, 50.0, 20_000 + question) for question in range(10)], "models": []}, JSON, "2024-08-01..2025-02-01",
    ),
    "arena_text": (parquet([ROW]), BINARY, ""),
}  # fmt: skip
"""By board what is answered, its content type, and a version that is read; empty means any."""


def test_every_packaged_address_is_tried() -> None:
    assert set(ANSWERS) == set(BOARDS)


@pytest.mark.parametrize("name", ANSWERS)
def test_what_a_packaged_address_answers_is_read(name: str, tmp_path: Path) -> None:
    content, kind, version = ANSWERS[name]
    board = BOARDS[name]
    path = urlsplit(str(board.url)).path
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    settings = Settings(home=tmp_path / "home", landing=tmp_path / "landing", offline=False)
    with serve() as server:
        server.routes[path] = reply(body, Content_Type=kind)
        here = board.model_copy(update={"url": f"{server.url}{path}", "enabled": True})
        at = datetime(2026, 2, 14, 6, tzinfo=UTC)
        (result,) = fetch_feeds(settings, Sources(leaderboards=(here,)), now=at)
    assert (result.outcome, result.error) == ("fetched", None)
    (file,) = scan(settings.landing_zone, "leaderboards").files
    snapshot = parse_board(file, board)
    versions = {label for seen in snapshot.observations for label in seen.rows["version_label"]}
    assert snapshot.quarantine.is_empty()
    assert version in versions or (not version and versions)
