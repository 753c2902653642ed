"""Makes `.venv` ready to run modelmeter, once: interpreter check, virtual environment, locked packages, dbt manifest.

Standard library only, because it runs before anything is installed. Safe to call from two commands at once and
after a call that was killed; does nothing when all is up to date. The Makefile beside `pyproject.toml` calls it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / ".modelmeter-packages"
DBT = ROOT / "dbt_like"
DBT_STAMP = DBT / "target" / ".modelmeter-manifest"
OLDEST_PYTHON = (3, 11)
NEWEST_PYTHON = (3, 14)


def main() -> None:
    """Bring the environment up to date; exit 1 with an instruction where that can't be done."""
    if len(sys.argv) > 1:
        sys.exit(f"the set-up takes no arguments; found {' '.join(sys.argv[1:])}")
    if not OLDEST_PYTHON <= sys.version_info[:2] <= NEWEST_PYTHON:
        supported = " to ".join(".".join(map(str, version)) for version in (OLDEST_PYTHON, NEWEST_PYTHON))
        sys.exit(
            f"modelmeter needs Python {supported}; this is {sys.version.split()[0]} at {sys.executable}. "
            "Name another one: make daily PYTHON=python3.13"
        )
    with (ROOT / ".venv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        packages = _digest([ROOT / "requirements.lock", ROOT / "pyproject.toml"], extra=f"{sys.version_info[:2]}{ROOT}")
        if _read(STAMP) != packages:
            _install_packages()
            STAMP.write_text(packages)
        manifest = _digest(_dbt_sources(), extra=packages)
        if _read(DBT_STAMP) != manifest or not (DBT / "target" / "manifest.json").is_file():
            _build_manifest()
            DBT_STAMP.write_text(manifest)


def _install_packages() -> None:
    started = time.monotonic()
    _say("setting up .venv (once; a minute or two)")
    if not (VENV / "bin" / "python").exists() or not _runs(VENV / "bin" / "python", "-m", "pip", "--version"):
        if not _runs(sys.executable, "-c", "import ensurepip, venv"):
            sys.exit(
                f"{sys.executable} has no venv and ensurepip modules. On Debian and Ubuntu: apt install python3-venv"
            )
        _run([sys.executable, "-m", "venv", "--clear", str(VENV)])
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    _run([*pip, "--no-deps", "--requirement", str(ROOT / "requirements.lock")])
    _run([*pip, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)])
    _say(f"packages installed in {time.monotonic() - started:.0f} s")


def _build_manifest() -> None:
    _say("building the dbt manifest")
    environment = {**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    _run(
        [str(VENV / "bin" / "dbt"), "--quiet", "parse", "--project-dir", str(DBT), "--profiles-dir", str(DBT)],
        env=environment,
    )


def _dbt_sources() -> list[Path]:
    ignored = {"target", "logs", "dbt_packages"}
    return [p for p in sorted(DBT.rglob("*")) if p.is_file() and not ignored & set(p.relative_to(DBT).parts)]


def _digest(paths: Iterable[Path], *, extra: str) -> str:
    digest = hashlib.sha256(extra.encode())
    for path in paths:
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _read(path: Path) -> str:
    return path.read_text() if path.is_file() else ""


def _runs(*command: str | Path) -> bool:
    return subprocess.run([str(c) for c in command], capture_output=True, check=False).returncode == 0


def _run(command: list[str], env: dict[str, str] | None = None) -> None:
    result = subprocess.run(command, check=False, env=env)
    if result.returncode != 0:
        sys.exit(
            f"set-up failed (status {result.returncode}) in: {' '.join(command)}\nRun the same make target again to resume."
        )


def _say(text: str) -> None:
    sys.stderr.write(f"modelmeter: {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
