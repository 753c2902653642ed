"""An OTLP receiver that lands what it gets as the collector's file exporter writes it: one request per line, ids in hexadecimal.

Runs in an environment that has `opentelemetry-proto`, which comes with every OTLP exporter.
"""

from __future__ import annotations

import base64
import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_MESSAGES = {"/v1/traces": ExportTraceServiceRequest, "/v1/logs": ExportLogsServiceRequest}
_IDS = ("traceId", "spanId", "parentSpanId")


def _hexed(value: object) -> object:
    """OTLP's JSON writes ids in hexadecimal, protobuf's in base64."""
    if isinstance(value, dict):
        return {
            k: base64.b64decode(v).hex() if k in _IDS and isinstance(v, str) else _hexed(v) for k, v in value.items()
        }
    return [_hexed(item) for item in value] if isinstance(value, list) else value


@contextmanager
def receiving(folder: Path) -> Iterator[str]:
    """A receiver on loopback that appends to `otlp.jsonl` in the folder; its address."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            kind = _MESSAGES.get(self.path)
            if kind is not None:
                value = (
                    json.loads(body)
                    if "json" in self.headers.get("Content-Type", "")
                    else _hexed(MessageToDict(kind.FromString(body)))
                )
                with lock, (folder / "otlp.jsonl").open("a", encoding="utf-8") as out:
                    out.write(json.dumps(value) + "\n")
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
