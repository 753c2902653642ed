"""LiteLLM's proxy in front of the model server, with its generic API callback, called by the SDKs of OpenAI and Anthropic.

What it logs lands as `payloads.jsonl`. Arguments: the model server's address and the folder to write into.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import openai

from interop.script import model_of

CASES = {
    "claude": ("plain", "cached", "written", "retry", "error"),
    "gpt": ("plain", "cached", "reasoning", "retry", "error"),
}
ALONE = {
    "/v2/rerank": {"model": "rerank-v3.5", "query": "hello", "documents": ["one", "two"]},
    "/v1/ocr": {
        "model": "mistral-ocr-latest",
        "document": {"type": "document_url", "document_url": "https://example.test/a.pdf"},
    },
}
"""Calls that are charged by the search and by the page."""
_KEY = "sk-interop-4f1d9c0a7be25836"
_CONFIG = """
model_list:
  - model_name: "claude-*"
    litellm_params: {{model: "anthropic/claude-*", api_base: "{url}", api_key: none}}
  - model_name: "gpt-*"
    litellm_params: {{model: "openai/gpt-*", api_base: "{url}/v1", api_key: none}}
  - model_name: "rerank-v3.5"
    litellm_params: {{model: "cohere/rerank-v3.5", api_base: "{url}/v2/rerank", api_key: none}}
  - model_name: "mistral-ocr-latest"
    litellm_params: {{model: "mistral/mistral-ocr-latest", api_base: "{url}/v1", api_key: none}}
general_settings: {{master_key: "{key}"}}
litellm_settings: {{callbacks: ["generic_api"], num_retries: 1, drop_params: true}}
"""


def main(url: str, folder: Path) -> None:
    """Every case through the proxy, plain and streamed."""
    with collecting(folder / "payloads.jsonl") as collector, proxy(url, collector) as address:
        gpt = openai.OpenAI(api_key=_KEY, base_url=f"{address}/v1", max_retries=0)
        for stream in (False, True):
            for family, cases in CASES.items():
                for case in cases:
                    with contextlib.suppress(openai.APIError):
                        call(gpt, model_of(family, case, stream=stream), stream=stream)
        for path, asked in ALONE.items():
            headers = {"Authorization": f"Bearer {_KEY}"}
            httpx.post(f"{address}{path}", json=asked, headers=headers, timeout=60).raise_for_status()
        time.sleep(8)  # the callback sends what it holds every few seconds


def call(gpt: openai.OpenAI, model: str, *, stream: bool) -> None:
    """One chat completion."""
    asked = {"model": model, "messages": [{"role": "user", "content": "hello"}]}
    if not stream:
        gpt.chat.completions.create(**asked)  # type: ignore[call-overload]
        return
    for _ in gpt.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True}):  # type: ignore[call-overload]
        pass


@contextmanager
def proxy(url: str, collector: str) -> Iterator[str]:
    """The proxy on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as home:
        config = Path(home) / "config.yaml"
        config.write_text(_CONFIG.format(url=url, key=_KEY))
        environment = {
            **os.environ,
            "GENERIC_LOGGER_ENDPOINT": collector,
            "HOME": home,
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "DEFAULT_FLUSH_INTERVAL_SECONDS": "2",
        }
        command = [
            str(Path(sys.executable).with_name("litellm")),
            "--config",
            str(config),
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
        ]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        address = f"http://127.0.0.1:{port}"
        try:
            for _ in range(800):
                with contextlib.suppress(httpx.HTTPError):
                    if httpx.get(f"{address}/health/liveliness").is_success:
                        break
                time.sleep(0.5)
            yield address
        finally:
            process.terminate()
            process.wait(30)


@contextmanager
def collecting(path: Path) -> Iterator[str]:
    """A server that appends every payload it is sent to a file; its address."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock, path.open("a", encoding="utf-8") as out:
                for payload in sent if isinstance(sent, list) else [sent]:
                    out.write((payload if isinstance(payload, str) else json.dumps(payload)) + "\n")
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
