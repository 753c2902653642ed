"""Runs every trial in its environment and compares: `python -m interop.run [NAME OF ENVIRONMENT ...]`.

An environment is made from its lock in `interop/environments` under `.venv-interop-<name>`, with network, and may be deleted
afterwards. Ends with status 1 where a difference is not explained, or one that is explained is gone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from interop.compare import Difference, by_model, differences, of_book, read_requests
from interop.judges import JUDGES, ours
from interop.model_server import serving
from interop.trials import TRIALS, Trial

ROOT = Path(__file__).resolve().parent.parent
_SUFFIXES = (".jsonl", ".json")
_QUIET = {"TRACELOOP_TELEMETRY": "false", "LITELLM_TELEMETRY": "False", "DO_NOT_TRACK": "1"}
"""Nothing is reported to the makers of the emitters: a trial speaks to loopback only."""


def main(names: list[str]) -> int:
    """Run the trials of these environments, or all."""
    failed = 0
    for trial in TRIALS:
        if not names or trial.environment in names:
            failed += not _run(trial)
    return 1 if failed else 0


def folder_of(environment: str) -> Path:
    """Where an environment lies; it is made where it does not."""
    folder = Path(os.environ.get("INTEROP_ENVIRONMENTS", ROOT)) / f".venv-interop-{environment}"
    described = ROOT / "interop" / "environments"
    if (described / environment).is_dir() and not (folder / "node_modules").is_dir():
        shutil.copytree(described / environment, folder, dirs_exist_ok=True)
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=folder, check=True)
    elif (lock := described / f"{environment}.lock").is_file() and not (folder / "bin" / "python").exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r", str(lock)]
        subprocess.run([folder / "bin" / "python", *install], check=True)
    return folder


def _command(trial: Trial) -> tuple[list[str], list[str]]:
    """The interpreter and module of a trial, and its further arguments: of one from npm the folder of the programs comes last."""
    folder = folder_of(trial.environment)
    if (folder / "node_modules").is_dir():
        return [sys.executable, "-m", trial.module], [*trial.arguments, str(folder / "node_modules" / ".bin")]
    return [str(folder / "bin" / "python"), "-m", trial.module], list(trial.arguments)


def _run(trial: Trial) -> bool:
    """Whether a trial came out as it is said to."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, serving() as (url, book):
        out = Path(folder)
        command, further = _command(trial)
        run = [*command, url, str(out), *further]
        subprocess.run(run, env={**os.environ, **_QUIET, "PYTHONPATH": str(ROOT)}, check=True, timeout=600)
        written = sorted(path for path in out.rglob("*") if path.suffix in _SUFFIXES)
        contents = [(path.suffix, path.read_bytes()) for path in written]
        read = read_requests(out / "zone", trial.format, contents, trial.look_alikes)
        found = differences(of_book(book.lines), by_model(read))
        models = len(of_book(book.lines))
        agrees = trial.format not in JUDGES or _judged(trial, out / "sessions", read)
    return _shown(trial, models, found, time.monotonic() - began) and agrees


def _judged(trial: Trial, sessions: Path, read: list[dict[str, Any]]) -> bool:
    """Whether the judges of a format come to the same sums by day and model."""
    packages = folder_of(trial.environment) / "node_modules"
    others = [judge.__name__ for judge in JUDGES[trial.format] if judge(packages, sessions) != ours(read)]
    for judge in JUDGES[trial.format]:
        said = "other" if judge.__name__ in others else "the same"
        sys.stdout.write(f"{judge.__name__}: {said} tokens by day and model\n")
    return not others


def _shown(trial: Trial, models: int, found: list[Difference], seconds: float) -> bool:
    unexplained = [one for one in found if not any(fnmatchcase(one.model, pattern) for pattern in trial.explained)]
    gone = [pattern for pattern in trial.explained if not any(fnmatchcase(one.model, pattern) for one in found)]
    sys.stdout.write(
        f"{trial.environment}: {trial.name}: {models - len(found)} of {models} models equal, "
        f"{len(found) - len(unexplained)} explained ({seconds:.0f} s)\n"
    )
    for one in unexplained:
        sys.stdout.write(f"  {one.model}\n    served {one.served}\n    read   {one.read}\n")
    for pattern in gone:
        sys.stdout.write(f"  {pattern} no longer differs: {trial.explained[pattern]}\n")
    return not unexplained and not gone


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
