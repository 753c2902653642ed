"""Makes `.venv` ready to run modelmeter, or with `--dev` to test it: interpreter check, environment, locked packages, dbt manifest.

Standard library only, because it runs before anything is installed. Safe to call from two commands at once and
after a call that was killed; does nothing when all is up to date. The Makefile next to `pyproject.toml` calls it.
"""

from __future__ import annotations

import ast
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
LOCKS = [ROOT / "requirements.lock", ROOT / "requirements-dev.lock"]
"""What running needs, and what tests and linters need besides."""
STAMP = VENV / ".modelmeter-packages"
DBT = ROOT / "dbt_like"
DBT_STAMP = DBT / "target" / ".modelmeter-manifest"
PACKAGES = (
    *(
        "great_expectations",
        "dagster",
        "dagster_postgres",
        "alembic",
        "scipy.stats",
        "pandas",
        "polars",
        "pyarrow.fs",
        "pyarrow.json",
    ),
    *("psycopg2", "obstore", "zstandard", "vl_convert", "fpdf", "xlsxwriter", "babel.numbers", "pymysql", "apprise"),
)
OURS = (
    *("assets.definitions", "assets.run_history", "assets.compute_logs", "assets.cli.instance"),
    *("pipelines.finops.report", "pipelines.preflight", "dbt.cli.main", "dbt.adapters.postgres"),
)
"""What a run imports."""
OLDEST_PYTHON = (3, 11)
NEWEST_PYTHON = (3, 14)
INSTALLERS = ("uv", "pip", "setuptools")
"""What installs, 60 MB that no run needs. Tests keep it."""


def main() -> None:
    """Bring the environment up to date; exit 1 with an instruction where that can't be done."""
    for_tests = sys.argv[1:] == ["--dev"]
    if len(sys.argv) > 1 and not for_tests:
        sys.exit(f"the set-up takes no arguments but --dev; found {' '.join(sys.argv[1:])}")
    if not OLDEST_PYTHON <= sys.version_info[:2] <= NEWEST_PYTHON:
        supported = " to ".join(".".join(map(str, version)) for version in (OLDEST_PYTHON, NEWEST_PYTHON))
        sys.exit(
            f"modelmeter needs Python {supported}; this is {sys.version.split()[0]} at {sys.executable}. "
            "Name another one: make daily PYTHON=python3.13"
        )
    with (ROOT / ".venv.lock").open("w") as lock:
        if os.fstat(lock.fileno()).st_uid == os.geteuid():
            os.fchmod(lock.fileno(), 0o600)  # whoever can open the file can hold the lock
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("waiting for another set-up of this folder to end")
            fcntl.flock(lock, fcntl.LOCK_EX)
        described = [ROOT / "pyproject.toml", ROOT / "deploy" / "unused.py", *LOCKS]
        wanted = _digest(described, extra=f"{sys.version_info[:2]}{ROOT}")
        if _read(STAMP) not in ({f"{wanted} dev"} if for_tests else {wanted, f"{wanted} dev"}):
            _install_packages(LOCKS if for_tests else LOCKS[:1])
            STAMP.write_text(f"{wanted} dev" if for_tests else wanted)
        manifest = _digest(_dbt_sources(), extra=wanted)
        if _read(DBT_STAMP) != manifest or not (DBT / "target" / "manifest.json").is_file():
            packages = _importing(PACKAGES)  # while dbt parses
            _build_manifest()
            _ends(packages)
            _ends(_importing(OURS))
            DBT_STAMP.write_text(manifest)


def _install_packages(locks: list[Path]) -> None:
    started = time.monotonic()
    _say("setting up .venv (once; a minute or two)")
    if not _has_pip():
        if not _runs(sys.executable, "-c", "import ensurepip, venv"):
            sys.exit(
                f"{sys.executable} has no venv and ensurepip modules. On Debian and Ubuntu: apt install python3-venv"
            )
        _run([sys.executable, "-m", "venv", "--clear", str(VENV)])
    python = str(VENV / "bin" / "python")
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install"]
    uv = _uv(pip)
    install = [uv, "pip", "install", "--python", python] if uv else [*pip, "--progress-bar", "off"]
    environment = {**os.environ, **_index_of_pip(python)} if uv else None
    if not uv:
        _say("uv could not be had: installing with pip, which takes some minutes longer")
    requirements = [word for lock in locks for word in ("--requirement", str(lock))]
    for_tests = LOCKS[1] in locks
    if for_tests and _read(STAMP) and not _read(STAMP).endswith(" dev"):
        requirements.append("--force-reinstall")  # a set-up for runs has removed parts that tests read
    _say(f"installing {sum(len(_read(lock).splitlines()) for lock in locks)} packages")
    _run([*install, "--no-deps", *requirements], env=environment)
    _run([*install, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)], env=environment)
    if not for_tests:
        STAMP.write_text("incomplete")
        _run([sys.executable, str(ROOT / "deploy" / "unused.py"), str(VENV)])
        uninstall = [uv, "pip", "uninstall", "--python", python] if uv else [*pip[:-1], "uninstall", "--yes"]
        _run([*uninstall, "--quiet", *INSTALLERS])
    _say(f"packages installed in {time.monotonic() - started:.0f} s")


def _importing(names: Iterable[str]) -> subprocess.Popen[str]:
    """Import modules, and keep what Python makes of their sources. Where it is set to keep nothing (PYTHONDONTWRITEBYTECODE), each run
    would make it again, which is more than half of the processor time of a small day."""
    code = "import sys\nfor name in sys.argv[1:]: __import__(name)"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [str(VENV / "bin" / "python"), "-c", code, *names]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment, cwd=ROOT)


def _ends(importing: subprocess.Popen[str]) -> None:
    _, errors = importing.communicate()
    if importing.returncode != 0:
        _say(f"not all that a run imports could be imported: {(errors.strip().splitlines() or ['killed'])[-1]}")


def _has_pip() -> bool:
    """Whether there is an environment with pip, which a set-up for runs has removed at its end."""
    python = VENV / "bin" / "python"
    return _runs(python, "-m", "pip", "--version") or (_runs(python, "--version") and _runs(python, "-m", "ensurepip"))


def _uv(pip: list[str]) -> str | None:
    """The locked uv inside of the environment, which installs everything else in parallel; None where it can't be had."""
    locked = next(line for line in _read(LOCKS[1]).splitlines() if line.startswith("uv=="))
    uv = VENV / "bin" / "uv"
    if not _runs(uv, "--version"):
        _runs(*pip, "--quiet", "--no-deps", locked)
    return str(uv) if _runs(uv, "--version") else None


def _index_of_pip(python: str) -> dict[str, str]:
    """Where pip looks for packages, in uv's variables: uv reads neither pip's variables nor its files. What is set for uv itself stays.

    In the environment and not among the arguments, which other users of the machine can see: an address may hold a password.
    """
    listed = subprocess.run([python, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
    found: dict[str, str] = {}
    # Variables win over the section of the command, and that over the one for all; a later line over an earlier one.
    for section in ("global", "install", ":env:"):
        for line in listed.stdout.splitlines():
            name, _, value = line.partition("=")
            if name.startswith(f"{section}."):
                found[name.removeprefix(f"{section}.")] = ast.literal_eval(value)
    links = [link for link in found.get("find-links", "").split() if "://" in link or Path(link).is_dir()]
    settings = {
        "UV_DEFAULT_INDEX": found.get("index-url"),
        "UV_INDEX": " ".join(found.get("extra-index-url", "").split()),
        "UV_FIND_LINKS": ",".join(links),
        "UV_INSECURE_HOST": " ".join(found.get("trusted-host", "").split()),
        "UV_NO_INDEX": "1" if found.get("no-index", "").lower() in {"1", "true", "yes", "on"} else None,
        "UV_HTTP_TIMEOUT": found.get("default-timeout", found.get("timeout")),
        "UV_INDEX_STRATEGY": "unsafe-best-match",  # as pip looks: the best version of all indexes
        "SSL_CERT_FILE": found.get("cert"),
        "HTTPS_PROXY": found.get("proxy"),
    }
    return {name: value for name, value in settings.items() if value and name not in os.environ}


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
    try:
        return subprocess.run([str(c) for c in command], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


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
