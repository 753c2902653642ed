"""Disks that run full, of the home and of the landing zone: small file systems that root mounts."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from attacks.conftest import Attacked
from tests.assets.conftest import SmallSample
from tests.end_to_end.installation import Finished, Installation
from tests.end_to_end.test_incomplete_runs import with_url
from tests.unit.fetch.server import reply, serve


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 40 MB, which a cluster alone fills."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m,mode=0711", "tmpfs", place], check=False)
    if mounted.returncode != 0:
        pytest.skip("only root can mount a small file system, and not on every machine")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def resize(disk: Path, megabytes: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={megabytes}m", disk], check=True)


@pytest.mark.parametrize("megabytes", [40, 75, 100, 140])
def test_the_disk_of_the_home_is_full(
    small_disk: Path, megabytes: int, undisturbed: Finished, small_sample: SmallSample
) -> None:
    """Wherever it runs full, it is said in words; with room again, the next run gives the same tables."""
    resize(small_disk, megabytes)
    home = small_disk / "home"
    home.mkdir()
    attacked = Attacked(Installation(home, small_sample.root), undisturbed, str(small_sample.days[1]))
    try:
        attacked.ends_in_words(attacked.start(), "No space left", "could not")
        resize(small_disk, 2000)
        attacked.recovers()
    finally:
        attacked.installation.remove()


def test_the_disk_of_the_landing_zone_is_full(
    small_disk: Path, attacked: Attacked, small_sample: SmallSample, tmp_path: Path
) -> None:
    """A feed that can't be landed is named, and leaves nothing half written; everything else is made. With room it lands."""
    resize(small_disk, 200)
    zone = small_disk / "landing"
    shutil.copytree(small_sample.root, zone)
    attacked.installation.landing = zone
    before = sorted(zone.rglob("*"))
    newest = (zone / "prices" / "litellm_map" / "2026-01-31.json").read_bytes()
    with serve() as server:
        server.routes["/map.json"] = reply(newest + b" ")
        attacked.installation.extra = {
            "MODELMETER_OFFLINE": "false",
            "MODELMETER_CONFIG": str(with_url(tmp_path, f"{server.url}/map.json")),
        }
        fill(small_disk / "filler")
        said = attacked.ends_in_words(attacked.start())
        assert "Not landed: litellm_map" in said
        assert "No space left" in said
        assert sorted(zone.rglob("*")) == before
        (small_disk / "filler").unlink()
        attacked.run()
        assert len(sorted(zone.rglob("*"))) == len(before) + 2, "the feed and its sidecar"


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(2**12)):
                pass
        except OSError:
            return
