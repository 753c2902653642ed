"""Claude Code and Codex from npm: sessions that are begun, gone on with and forked, and what they leave in their folders.

Arguments: the model server's address, the folder to write into, `claude` or `codex`, and the folder of npm's `node_modules/.bin`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_CODEX = """
model = "gpt-5-plain-responses"
model_provider = "loopback"
[model_providers.loopback]
name = "loopback"
base_url = "{url}/v1"
wire_api = "responses"
env_key = "LOOPBACK_KEY"
"""


def main(url: str, out: Path, agent: str, binaries: Path) -> None:
    """Run an agent in a home of its own and keep its session files."""
    with tempfile.TemporaryDirectory() as home:
        environment = {"HOME": home, "PATH": f"{binaries}:{os.environ['PATH']}", "LOOPBACK_KEY": "none"}
        (claude if agent == "claude" else codex)(url, Path(home), environment)
        kept = Path(home) / (".claude/projects" if agent == "claude" else ".codex/sessions")
        shutil.copytree(kept, out / "sessions")


def claude(url: str, home: Path, environment: dict[str, str]) -> None:
    """Four sessions, of which the last goes on and is forked."""
    environment |= {
        "ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "none", "DISABLE_TELEMETRY": "1", "DISABLE_AUTOUPDATER": "1", "DISABLE_ERROR_REPORTING": "1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }  # fmt: skip

    def ask(case: str, *options: str) -> str:
        command = [
            "claude",
            "-p",
            f"case {case}",
            "--model",
            f"claude-sonnet-4-5-{case}",
            "--output-format",
            "json",
            *options,
        ]
        done = subprocess.run(
            command, env=environment, cwd=home, capture_output=True, text=True, timeout=120, check=False
        )
        try:
            return str(json.loads(done.stdout)["session_id"])
        except (ValueError, KeyError, TypeError):
            raise SystemExit(f"claude: {done.returncode}\n{done.stdout}\n{done.stderr}") from None

    for case in ("plain", "cached", "written", "retry"):
        session = ask(case)
    ask("cached", "--resume", session)
    ask("written", "--resume", session, "--fork-session")


def codex(url: str, home: Path, environment: dict[str, str]) -> None:
    """Three sessions, of which the last goes on."""
    (home / ".codex").mkdir()
    (home / ".codex" / "config.toml").write_text(_CODEX.format(url=url))

    def ask(case: str, *command: str) -> None:
        done = subprocess.run(
            ["codex", "exec", "--skip-git-repo-check", "-m", f"gpt-5-{case}-responses", *command], env=environment, cwd=home, capture_output=True,
            text=True, timeout=120, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"codex: {done.returncode}\n{done.stdout}\n{done.stderr}")

    for case in ("plain", "cached", "reasoning"):
        ask(case, "hello")
    ask("cached", "resume", "--last", "go on")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
