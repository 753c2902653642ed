"""The tour of docs/tour.md, command by command: what it shows is what a reader will see."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.warehouse import server
from tests.end_to_end.forked import Forked

ROOT = Path(__file__).resolve().parents[2]
TOUR = (ROOT / "docs" / "tour.md").read_text(encoding="utf-8")
_PART = re.compile(r"```\w+ (?P<file>\S+)\n(?P<text>.*?)```|^    (?P<command>\S[^\n]*)$", re.MULTILINE | re.DOTALL)
OWN = TOUR[TOUR.index("## 3.") :]
"""From here on everything is of the reader's own; before it the sample is run, as other tests do."""
SAID = {
    "modelmeter doctor": "1 request sources, 1 price feeds",
    "alerts test me": "me: sent",
    "modelmeter alerts": "budget checkout is past 100%",
    "cat tour/received.txt": "0.0135 of 0.0100 USD are spent",
    "order by 1": "checkout",
    "from mart.budget_status": "crossed",
    "core.rate_at": "claude-sonnet-4-5",
    "requests_explained.sql": "output_text",
}


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    tmp_path.chmod(0o711)
    (tmp_path / "sql").symlink_to(ROOT / "sql")
    yield tmp_path
    if (tmp_path / "tour" / "receiver.pid").exists():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int((tmp_path / "tour" / "receiver.pid").read_text()), signal.SIGKILL)
    if (tmp_path / "tour" / "home" / "postgres").exists():
        server.shut_down(tmp_path / "tour" / "home", force=True)
        server.remove(tmp_path / "tour" / "home")


@pytest.mark.slow
def test_every_command_of_the_own_log_does_what_the_tour_says(folder: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MODELMETER_")}
    environment |= {"PYTHONPATH": str(ROOT), "PWD": str(folder), "MODELMETER_OFFLINE": "true"}
    answers: dict[str, str] = {}
    port = free_port()
    for part in _PART.finditer(OWN.replace("8421", str(port))):
        command = part["command"]
        if part["file"]:
            (folder / part["file"]).write_text(part["text"], encoding="utf-8")
            continue
        if command.startswith("export "):
            for assignment in shlex.split(command)[1:]:
                name, _, value = assignment.partition("=")
                environment[name] = value.replace("$PWD", str(folder))
            continue
        if command.startswith("modelmeter "):
            run = Forked(shlex.split(command)[1:], environment, folder)
            out, err = run.communicate(timeout=300)
            status: int | None = run.returncode
        else:
            called = re.sub("^python3 ", f"{shlex.quote(sys.executable)} ", command)
            done = subprocess.run(
                called, shell=True, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
            )
            out, err, status = done.stdout, done.stderr, done.returncode
        assert status == 0, f"{command}\n{out}\n{err}"
        answers[command] = out
    for command, word in SAID.items():
        said = [answer for asked, answer in answers.items() if command in asked]
        assert said, command
        assert any(word in answer for answer in said), f"{command}: {said}"
    (spend,) = [answer for asked, answer in answers.items() if "daily_team_spend" in asked]
    assert re.search(r"checkout\W+2\W+0\.0135", spend)
    assert re.search(r"search\W+1\W+0\.0075", spend)


def test_the_commands_on_the_sample_are_ones_that_there_are() -> None:
    """They run elsewhere on the same sample: `make daily` in CI, the others in test_command_line.py and test_sql_command.py."""
    before = [part["command"] for part in _PART.finditer(TOUR[: TOUR.index("## 3.")]) if part["command"]]
    assert before[0] == "make daily"
    assert {command.split()[1] for command in before[1:]} == {"sql", "price", "doctor"}
