"""Puts dbt's manifest into the wheel, so that an installed modelmeter needs neither a checkout nor a set-up.

A checkout's own manifest is built by `bootstrap.py` in this folder; an editable installation uses that one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface[Any]):
    """Parses `dbt_like` with the environment's dbt and adds `dbt_like/target/manifest.json`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before the files are collected. `version` is "editable" or "standard"."""
        if version == "editable":
            return
        self._folder = tempfile.TemporaryDirectory()
        project, target = Path(self.root, "dbt_like"), self._folder.name
        places = ["--project-dir", str(project), "--profiles-dir", str(project), "--target-path", target]
        program = "import sys; from dbt.cli.main import cli; sys.exit(cli())"
        subprocess.run(
            [sys.executable, "-c", program, "--quiet", "--no-partial-parse", "parse", *places, "--log-path", target],
            env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
            check=True,
        )
        build_data["force_include"][str(Path(target, "manifest.json"))] = "dbt_like/target/manifest.json"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Called once the wheel is written."""
        if version != "editable":
            self._folder.cleanup()
