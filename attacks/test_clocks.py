"""Clocks that step while a run goes on, that are wrong by a year, on a leap day, and in the nights when summer time begins and ends."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from datetime import datetime
from pathlib import Path

import pytest

from attacks.conftest import Attacked
from tests.end_to_end.installation import MODELMETER

HOUR, DAY = 3600, 86_400


def until(instant: str) -> int:
    """Seconds from now to an instant."""
    return round(datetime.fromisoformat(instant).timestamp() - time.time())


@pytest.fixture(scope="session")
def stepping_clock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler to make the stepping clock with")
    made = tmp_path_factory.mktemp("clock") / "clock.so"
    source = Path(__file__).with_name("stepping_clock.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", made, source], check=True)
    return made


@pytest.mark.parametrize(
    ("zone", "first", "second"),
    [
        ("UTC", "0", str(-HOUR)),
        ("UTC", "0", str(DAY)),
        ("UTC", str(DAY), str(-400 * DAY)),
        ("UTC", "2028-02-29T23:59:40+00:00", None),
        ("America/New_York", "2026-11-01T05:59:40+00:00", None),
        ("Europe/Berlin", "2026-03-29T00:59:40+00:00", None),
    ],
    ids=[
        "an hour back", "a day forward", "400 days back", "over the end of a leap day", "summer time ends", "summer time begins",
    ],
)  # fmt: skip
def test_the_clock_steps_in_the_middle_of_a_run(
    attacked: Attacked, stepping_clock: Path, tmp_path: Path, zone: str, first: str, second: str | None
) -> None:
    """The run itself succeeds and gives the same tables, and so does the next one on a clock that is right."""
    step = tmp_path / "step"
    step.write_text(str(until(first)) if "T" in first else first)
    attacked.installation.command = MODELMETER
    attacked.installation.extra = {"LD_PRELOAD": str(stepping_clock), "CLOCK_STEP": str(step), "TZ": zone}
    run = attacked.start()
    if second is not None:
        attacked.until(run, lambda line: line.split()[:2] == ["done", "core_rate_card"])
        step.write_text(second)
    said = attacked.ends_in_words(run)
    assert run.returncode == 0, said
    assert attacked.differences() <= {"mart.claims_audit"}, "claims are judged on the day of the run, by its clock"
    attacked.installation.command = None
    attacked.installation.extra = {}
    attacked.recovers()


def test_a_clock_that_steps_back_a_day_between_runs(attacked: Attacked) -> None:
    """Files look as if they came from the future; nothing is read twice or skipped."""
    attacked.run()
    ahead = time.time() + DAY
    for path in attacked.installation.home.rglob("*"):
        if path.is_file() and "postgres" not in path.parts:
            os.utime(path, (ahead, ahead))
    attacked.recovers()
