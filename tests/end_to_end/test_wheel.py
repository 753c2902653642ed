"""The wheel, installed into an environment of its own, away from any checkout: it brings all that the command needs."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.assets.conftest import SmallSample
from tests.end_to_end.installation import Finished, Installation, installed_wheel


@pytest.mark.slow
def test_the_daily_job_runs_from_the_wheel(undisturbed: Finished, small_sample: SmallSample, tmp_path: Path) -> None:
    """It was `undisturbed`, with whose tables those of the checkout's runs are compared: after kills, two at once, on a bucket."""
    command = installed_wheel()
    assert undisturbed.command == command
    where = "import pipelines, assets, dbt_like; print(pipelines.__file__, assets.__file__, *dbt_like.__path__)"
    shown = subprocess.run(
        [str(Path(command).with_name("python")), "-c", where], capture_output=True, text=True, check=True, cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
    )  # fmt: skip
    assert all(path.startswith(str(Path(command).parents[1])) for path in shown.stdout.split())
    out, _ = Installation(undisturbed.home, small_sample.root, command=command, folder=tmp_path).run("doctor")
    assert "dbt manifest" in out
