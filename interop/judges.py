"""ccusage, @ccusage/codex and their successor as judges that nobody here wrote: the same session logs must come to the same tokens by day and model.

They sum by UTC day, so that `--timezone UTC` is given. Their money is not compared: ccusage has no price for a cache write of an hour.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

Sums = dict[tuple[date, str], Counter[str]]
"""Tokens by day and model: `in` with what the cache gave and took, `read`, `written`, `out`, `reasoning`."""
_WRITES = ("input_cache_write_tokens", "input_cache_write_5m_tokens", "input_cache_write_1h_tokens")


_NATIVE = Path("@ccusage") / "ccusage-linux-x64" / "bin" / "ccusage"
"""Version 20 is a program of the machine, which npm has for each platform apart; here for Linux."""


def ours(rows: Iterable[Mapping[str, Any]]) -> Sums:
    """Rows of core.request."""
    sums: Sums = {}
    for row in rows:
        written = sum(row.get(name) or 0 for name in _WRITES)
        read, reasoning = row["input_cache_read_tokens"] or 0, row["output_reasoning_tokens"] or 0
        found = Counter({"in": (row["input_uncached_tokens"] or 0) + read + written, "read": read, "written": written})
        found.update({"out": (row["output_text_tokens"] or 0) + reasoning, "reasoning": reasoning})
        model = row["response_model"] or row["request_model"]
        sums.setdefault((row["event_date"], model), Counter()).update(found)
    return {key: +found for key, found in sums.items() if +found}


def ccusage_18(packages: Path, sessions: Path) -> Sums:
    """What ccusage 18 makes of a folder of Claude Code's sessions. It takes thinking for output and does not say how much."""
    command = ["node", str(packages / "ccusage" / "dist" / "index.js"), "daily"]
    return _of_claude(_asked(command, "CLAUDE_CONFIG_DIR", "projects", sessions))


def ccusage_20(packages: Path, sessions: Path) -> Sums:
    """The same of ccusage 20, which is another program, by the name of version 18."""
    return _of_claude(_asked([_native(packages), "claude", "daily"], "CLAUDE_CONFIG_DIR", "projects", sessions))


def _native(packages: Path) -> str:
    """The program, which npm unpacks without the right to run it."""
    program = packages / _NATIVE
    program.chmod(0o755)
    return str(program)


def _of_claude(answer: Mapping[str, Any]) -> Sums:
    sums: Sums = {}
    for day in answer["daily"]:
        for said in day["modelBreakdowns"]:
            read, written = said["cacheReadTokens"], said["cacheCreationTokens"]
            found = Counter(
                {
                    "in": said["inputTokens"] + read + written,
                    "read": read,
                    "written": written,
                    "out": said["outputTokens"],
                }
            )
            sums[date.fromisoformat(day["date"]), said["modelName"]] = +found
    return {key: found for key, found in sums.items() if found}


def ccusage_codex_20(packages: Path, sessions: Path) -> Sums:
    """What ccusage 20 makes of a folder of Codex's sessions. Its input leaves out what the cache gave."""
    answer = _asked([_native(packages), "codex", "daily"], "CODEX_HOME", "sessions", sessions)
    sums: Sums = {}
    for day in answer["daily"]:
        for model, said in day["models"].items():
            read = said["cacheReadTokens"]
            found = Counter({"in": said["inputTokens"] + read, "read": read, "out": said["outputTokens"]})
            found["reasoning"] = said["reasoningOutputTokens"]
            sums[date.fromisoformat(day["date"]), model] = +found
    return {key: found for key, found in sums.items() if found}


def ccusage_codex_18(packages: Path, sessions: Path) -> Sums:
    """What @ccusage/codex makes of a folder of Codex's sessions."""
    command = ["node", str(packages / "@ccusage" / "codex" / "dist" / "index.js"), "daily"]
    answer = _asked(command, "CODEX_HOME", "sessions", sessions)
    sums: Sums = {}
    for day in answer["daily"]:
        at = datetime.strptime(day["date"], "%b %d, %Y").date()  # noqa: DTZ007 - a date
        for model, said in day["models"].items():
            found = Counter({"in": said["inputTokens"], "read": said["cachedInputTokens"], "out": said["outputTokens"]})
            found["reasoning"] = said["reasoningOutputTokens"]
            sums[at, model] = +found
    return {key: found for key, found in sums.items() if found}


def _asked(command: list[str], variable: str, below: str, sessions: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as home:
        shutil.copytree(sessions, Path(home) / below)
        environment = {"PATH": os.environ["PATH"], "HOME": home, variable: home}
        options = ["--json", "--offline", "--timezone", "UTC"]
        done = subprocess.run(
            [*command, *options], env=environment, capture_output=True, text=True, timeout=60, check=True
        )
    return dict(json.loads(done.stdout))


JUDGES = {"claude_code": (ccusage_18, ccusage_20), "codex": (ccusage_codex_18, ccusage_codex_20)}
