"""A place that can't be used, or a machine that has no more to give, is said in one line: which place, why, and what to look at."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

import assets.cli
from pipelines.landing import LandingError, open_zone
from pipelines.settings import Settings
from pipelines.warehouse.cluster import first_fault


@pytest.mark.parametrize("code", [errno.EROFS, errno.ENOSPC, errno.EMFILE, errno.EACCES, errno.ENOTDIR])
def test_what_the_machine_refuses_is_no_mistake_of_ours(
    code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise OSError(code, "words of a library", "/a/place\x1b[2J")

    monkeypatch.setattr(assets.cli, "app", fail)
    with pytest.raises(SystemExit, match="2"):
        assets.cli.main()
    said = " ".join(capsys.readouterr().err.split())
    assert said.startswith(f"modelmeter: /a/place\\x1b[2J: {os.strerror(code)}. Is MODELMETER_HOME a folder")
    assert "Traceback" not in said
    assert "words of a library" not in said


def test_another_failure_of_the_system_is_a_mistake_of_ours(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise FileNotFoundError(errno.ENOENT, "x", "/a/place")

    monkeypatch.setattr(assets.cli, "app", fail)
    with pytest.raises(SystemExit, match="1"):
        assets.cli.main()
    assert "please report it" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("below", ["", "/below"])
def test_a_home_that_is_a_file(below: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = subprocess.run(
        [str(Path(sys.executable).parent / "modelmeter"), "status"],
        env={**os.environ, "MODELMETER_HOME": f"{tmp_path}/file{below}", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.count("Traceback"), "Not a directory" in done.stderr) == (2, 0, True), (
        done.stderr
    )


def test_a_landing_zone_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LandingError, match="file: is no folder; a folder is accepted"):
        open_zone(Settings(home=tmp_path / "home", landing=tmp_path / "file"))


def test_a_disk_without_room_for_a_database_is_said_in_one_line() -> None:
    """As a file system of 20 MB said it: six lines, of which the first names the reason."""
    said = (
        '2026-11-30 21:54:24.444 UTC [10267] FATAL:  could not extend file "base/1/2691": wrote only 4096 of 8192 bytes at block 10\n'
        "2026-11-30 21:54:24.444 UTC [10267] HINT:  Check free disk space.\n"
        "2026-11-30 21:54:24.444 UTC [10267] PANIC:  cannot abort transaction 1, it was already committed\n"
        'Aborted\nchild process exited with exit code 134\ninitdb: removing contents of data directory "/home/postgres/draft"'
    )
    reason = 'could not extend file "base/1/2691": wrote only 4096 of 8192 bytes at block 10. Check free disk space.'
    assert first_fault(said) == reason
    assert first_fault("initdb: error: could not create directory: No space left on device") == (
        "could not create directory: No space left on device."
    )
    assert first_fault("Killed") == "Killed."
