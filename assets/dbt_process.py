"""The dbt process of a run: imports dbt and parses the project immediately, then waits for a command.

Run by its path, so that nothing of Dagster is imported here; `dbt_resource.py` starts and commands it. One
line on standard input holds dbt's arguments as JSON; without one, because the run ended, the process ends as well. How each
node went is written to `RESULTS` in the target folder; dbt's own artifacts, which nobody reads here, are not made.

dbt reuses a parse for the same connection only. So the project is parsed with the profile's defaults, as set-up parses it:
a kept parse then serves every warehouse, and the name of the run's database is put in afterwards.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import sys
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbt.artifacts.schemas.results import NodeResult
    from dbt.cli.main import dbtRunnerResult
    from dbt.contracts.graph.manifest import Manifest

CONNECTION = "MODELMETER_PG_"
"""What the names of the variables begin with that `profiles.yml` reads."""
PARSE = "partial_parse.msgpack"
RESULTS = "results.json"
_LEAN = "--no-write-json"
"""Else dbt writes its manifest of some megabytes twice."""


def parse(project: str, kept: Sequence[Path], folder: Path, *flags: str) -> dbtRunnerResult:
    """Parse `project` into `folder`, starting from the first of the `kept` parses that exists: dbt compares it with the files
    and with its own version before relying on it. The new parse becomes the first one kept. No variable of the connection may be set."""
    from dbt.cli.main import dbtRunner

    own = folder / PARSE
    for found in kept:
        if found.is_file():
            shutil.copyfile(found, own)
            break
    places = [
        "--project-dir",
        project,
        "--profiles-dir",
        project,
        "--target-path",
        str(folder),
        "--log-path",
        str(folder),
    ]
    parsed = dbtRunner().invoke(["--quiet", *flags, "parse", *places])
    if own.is_file():
        own.replace(kept[0])
    return parsed


def make_code_when_used() -> None:
    """Let mashumaro make the code that reads and writes a class of dbt's when it is first used: for most classes it never is.

    The import of dbt takes 1.7 to 1.8 processor seconds with this and 2.0 to 2.7 without. The option can only be set for all
    classes here, before dbt defines its own.
    """
    from mashumaro.config import BaseConfig

    BaseConfig.lazy_compilation = True


def move_to(manifest: Manifest, database: str) -> None:
    """Make the relations of a parsed project those of `database`, in place."""
    for node in chain(manifest.nodes.values(), manifest.sources.values()):
        if node.relation_name:
            node.relation_name = node.relation_name.replace(f'"{node.database}"', f'"{database}"', 1)
        node.database = database


def main(project: str, state: str, folder: str) -> int:
    """The exit code of dbt. `state` is the file where the parse is kept for the next process; `folder` is for what goes
    with this one."""
    gc.set_threshold(50_000, 20, 20)  # as the command line does, and why it does
    make_code_when_used()
    from dbt.cli.main import dbtRunner

    connection = {name: os.environ.pop(name) for name in [*os.environ] if name.startswith(CONNECTION)}
    parsed = parse(project, [Path(state), Path(project, "target", PARSE)], Path(folder), _LEAN)
    os.environ.update(connection)
    line = sys.stdin.readline()
    if not line:
        return 0
    manifest = None  # where parsing failed, dbt parses again and says why
    if parsed.success:
        manifest = parsed.result
        move_to(manifest, connection[f"{CONNECTION}DATABASE"])  # type: ignore[arg-type]
    target = json.loads(line)["target"]
    places = ["--project-dir", project, "--profiles-dir", project, "--target-path", target, "--log-path", target]
    done = dbtRunner(manifest=manifest).invoke(["--quiet", _LEAN, *json.loads(line)["arguments"], *places])  # type: ignore[arg-type]
    if done.result is not None:
        results = [_outcome(result) for result in done.result]  # type: ignore[union-attr, arg-type]
        Path(target, RESULTS).write_text(json.dumps(results), encoding="utf-8")
    return 0 if done.success else 2 if done.exception else 1


def _outcome(result: NodeResult) -> dict[str, Any]:
    """What the run is shown of a node."""
    return {
        "unique_id": result.node.unique_id,
        "status": str(result.status),
        "execution_time": result.execution_time,
        "message": result.message,
        "failures": result.failures,
        "compiled_code": getattr(result.node, "compiled_code", None),
    }


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
