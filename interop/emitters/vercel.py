"""Vercel's AI SDK in Node (`vercel.mjs`), whose spans go over OTLP into the receiver.

Arguments: the model server's address, the folder to write into, the folder of npm's `node_modules/.bin`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from interop.emitters.receiver import receiving
from interop.script import model_of

CASES = {
    "claude": ("plain", "cached", "written", "retry", "error"),
    "gpt": ("plain", "cached", "reasoning", "retry", "error"),
}


def main(url: str, folder: Path, binaries: Path) -> None:
    """Every case but tools."""
    calls = []
    for stream in (False, True):
        for family, cases in CASES.items():
            for case in cases:
                calls.append([family, "chat", model_of(family, case, stream=stream), stream])
                if family == "gpt" and case != "error":
                    calls.append([family, "responses", model_of(family, f"{case}-responses", stream=stream), stream])
    with receiving(folder) as otlp:
        script = Path(__file__).with_suffix(".mjs")
        command = ["node", str(script), url, otlp, str(binaries.parent), json.dumps(calls)]
        subprocess.run(command, check=True, timeout=200)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
