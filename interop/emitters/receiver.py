"""An OTLP receiver that lands what it gets as the collector's file exporter writes it: one request per line, ids in hexadecimal.

Protobuf needs `opentelemetry-proto`, which comes with every OTLP exporter of Python; JSON, as JavaScript's exporter sends it, needs nothing.
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

_IDS = ("traceId", "spanId", "parentSpanId")


def _read(path: str, body: bytes) -> object:
    """A request in protobuf, as the JSON that OTLP has for it."""
    from google.protobuf.json_format import MessageToDict
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    kind = ExportTraceServiceRequest if path.endswith("/v1/traces") else ExportLogsServiceRequest
    return _hexed(MessageToDict(kind.FromString(body)))


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
            body = self._body()
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            if self.path.endswith(("/v1/traces", "/v1/logs")):
                is_json = "json" in self.headers.get("Content-Type", "")
                value = json.loads(body) if is_json else _read(self.path, body)
                with lock, (folder / "otlp.jsonl").open("a", encoding="utf-8") as out:
                    out.write(json.dumps(value) + "\n")
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _body(self) -> bytes:
            if "Content-Length" in self.headers:
                return self.rfile.read(int(self.headers["Content-Length"]))
            pieces = []
            while size := int(self.rfile.readline().partition(b";")[0], 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(pieces)

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
