"""Langfuse's SDK: its stand-in for OpenAI's client, whose spans a stand-in for the server makes observations of.

Arguments: the model server's address, the folder to write into.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path

from interop.emitters.receiver import receiving
from interop.langfuse_server import observations
from interop.script import OPENAI


def main(url: str, folder: Path) -> None:
    """Every case of OpenAI."""
    with receiving(folder) as door:
        os.environ |= {
            "LANGFUSE_PUBLIC_KEY": "pk-none", "LANGFUSE_SECRET_KEY": "sk-none", "LANGFUSE_BASE_URL": door, "LANGFUSE_HOST": door,
        }  # fmt: skip
        from langfuse import get_client
        from langfuse.openai import OpenAI
        from openai import APIError

        from interop.emitters.calls import chat, responses

        gpt = OpenAI(api_key="none", base_url=f"{url}/v1", max_retries=2)
        for stream in (False, True):
            for case in (*OPENAI, "error"):
                with contextlib.suppress(APIError):
                    chat(gpt, case, stream=stream)
            for case in OPENAI:
                if case != "retry":
                    responses(gpt, case, stream=stream)
        get_client().shutdown()
    spans = folder / "otlp.jsonl"
    found = "".join(f"{json.dumps(observation)}\n" for observation in observations(spans))
    (folder / "observations.jsonl").write_text(found)
    spans.unlink()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
