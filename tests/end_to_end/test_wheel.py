"""The wheel, installed into an environment of its own, away from any checkout: it brings all that the command needs."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.assets.conftest import SmallSample
from tests.end_to_end.installation import Finished, Installation, differences

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`modelmeter` from the built wheel. The locked packages come from this environment, by a path that leads to them
    and not to the editable installation: a test may not fetch."""
    folder = tmp_path_factory.mktemp("wheel")
    built = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(built, cwd=ROOT, check=True, capture_output=True, timeout=300)
    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    site = next((environment / "lib").glob("python*/site-packages"))
    (site / "locked.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    (wheel,) = folder.glob("*.whl")
    install = [sys.executable, "-m", "pip", "--python", str(environment / "bin" / "python"), "install", "--no-index"]
    subprocess.run([*install, "--no-deps", "--ignore-installed", str(wheel)], check=True, capture_output=True)
    return environment / "bin" / "modelmeter"


def test_the_daily_job_runs_from_the_wheel(
    command: Path, installation: Installation, undisturbed: Finished, small_sample: SmallSample, tmp_path: Path
) -> None:
    installation.command, installation.folder = str(command), tmp_path
    where = "import pipelines, assets, dbt_like; print(pipelines.__file__, assets.__file__, *dbt_like.__path__)"
    shown = subprocess.run(
        [str(command.with_name("python")), "-c", where], capture_output=True, text=True, check=True, cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
    )  # fmt: skip
    assert all(path.startswith(str(command.parents[1])) for path in shown.stdout.split())
    installation.run("daily", "--date", str(small_sample.days[1]))
    assert differences(installation, undisturbed) == set()
    out, _ = installation.run("doctor")
    assert "dbt manifest" in out
