"""A run killed in the middle and run again, and two runs at the same time: the tables are those of a run left alone."""

from __future__ import annotations

import os
import signal
import time

import psutil
import pytest

from pipelines.warehouse import server
from tests.assets.conftest import SmallSample
from tests.end_to_end.installation import Finished, Installation, differences


def test_killed_in_the_middle_and_run_again(
    installation: Installation, undisturbed: Finished, small_sample: SmallSample
) -> None:
    """Killed with no chance to clean up, just after a step ended, four runs in a row; the next gives the undisturbed tables."""
    day = str(small_sample.days[1])
    for moment in ("raw_request_files", "core_request", "dbt_models.begin", "dbt_models.build"):
        process = installation.start("daily", "--date", day)
        assert process.stderr is not None
        for line in process.stderr:
            if line.split()[:2] == ["done", moment]:
                time.sleep(0.2)
                break
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL, moment
    installation.run("daily", "--date", day)
    assert installation.statuses() == ["FAILURE"] * 4 + ["SUCCESS"], "each command ended the run that was killed before"
    assert differences(installation, undisturbed) == set()


@pytest.mark.parametrize(
    ("number", "moment"),
    [
        (signal.SIGINT, ["done", "raw_request_files"]),
        (signal.SIGINT, ["done", "core_request_suite"]),
        (signal.SIGTERM, ["daily", "run"]),
        (signal.SIGTERM, ["done", "core_request_suite"]),
        (signal.SIGTERM, ["done", "dbt_models.begin"]),
    ],
)
def test_a_command_that_is_ended_says_what_is_unfinished_and_leaves_nothing_behind(
    installation: Installation, small_sample: SmallSample, number: signal.Signals, moment: list[str]
) -> None:
    """SIGINT goes to the whole group of processes, as a terminal sends it, SIGTERM to the command alone, as Kubernetes does; before Dagster
    listens and while it does. What an older run made is not passed off as this one's."""
    first, last = small_sample.days[0], small_sample.days[1]
    old = installation.home / "reports" / str(last) / "index.html"
    old.parent.mkdir(parents=True)
    old.write_text("an older page")
    process = installation.start("daily", "--from", str(first), "--to", str(last))
    assert process.stderr is not None
    for line in process.stderr:
        if line.split()[:2] == moment:
            break
    (os.killpg if number is signal.SIGINT else os.kill)(process.pid, number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, f"{out}\n{err}"
    assert out == ""
    assert (
        f"interrupted: {first} to {last} are unfinished. To go on: modelmeter daily --from {first} --to {last}" in err
    )
    assert "Traceback" not in err
    assert server.running(installation.home) is None
    home = str(installation.home)
    assert [
        p.info["cmdline"] for p in psutil.process_iter(["cmdline"]) if home in " ".join(p.info["cmdline"] or ())
    ] == []


def test_two_at_once(installation: Installation, undisturbed: Finished, small_sample: SmallSample) -> None:
    day = str(small_sample.days[1])
    both = [installation.start("daily", "--date", day) for _ in range(2)]
    for process in both:
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, f"{out}\n{err}"
    assert differences(installation, undisturbed) == set()
