"""The dbt process of a run: imports dbt and parses the project immediately, then waits for a command.

Run by its path, so that nothing of Dagster is imported here; `dbt_resource.py` starts and commands it. One
line on standard input holds dbt's arguments as JSON; without one, because the run ended, the process ends as well.
"""

from __future__ import annotations

import gc
import json
import shutil
import sys
from contextlib import suppress
from pathlib import Path


def main(project: str, state: str, folder: str) -> int:
    """The exit code of dbt. `state` is the file where dbt's parse is kept for the next process, which holds it against
    the project, its own version and the profile before it relies on it; `folder` is for what goes with this one."""
    gc.set_threshold(50_000, 20, 20)  # as the command line does, and why it does
    from dbt.cli.main import dbtRunner

    places = ["--project-dir", project, "--profiles-dir", project]
    own = Path(folder, "partial_parse.msgpack")
    with suppress(FileNotFoundError):
        shutil.copyfile(state, own)
    parsed = dbtRunner().invoke(["--quiet", "parse", *places, "--target-path", folder, "--log-path", folder])
    with suppress(FileNotFoundError):
        own.replace(state)
    line = sys.stdin.readline()
    if not line:
        return 0
    # Where parsing failed, dbt parses again and says why.
    manifest = parsed.result if parsed.success else None
    done = dbtRunner(manifest=manifest).invoke([*json.loads(line), *places])  # type: ignore[arg-type]
    return 0 if done.success else 2 if done.exception else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
