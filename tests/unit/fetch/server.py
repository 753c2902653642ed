"""A real HTTP server on loopback whose answers a test writes as small functions; it keeps every request it got."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Handler = BaseHTTPRequestHandler
Route = Callable[[Handler], None]


@dataclass
class Server:
    """`routes` maps a path to what answers it; `seen` holds path and headers of every request in order, but of robots.txt, which are
    counted: without a route of its own there is none."""

    url: str
    routes: dict[str, Route] = field(default_factory=dict)
    seen: list[tuple[str, Message]] = field(default_factory=list)
    robots: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def count(self, path: str) -> int:
        return sum(1 for seen, _ in self.seen if seen == path)


def reply(body: bytes = b"", status: int = 200, **headers: str) -> Route:
    """Answers with a whole body; header names are written with underscores."""

    def route(handler: Handler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return route


def in_turn(*routes: Route) -> Route:
    """The first route for the first request, and so on; the last stays."""
    left = list(routes)

    def route(handler: Handler) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(handler)

    return route


@contextmanager
def serve() -> Iterator[Server]:
    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            is_robots = path == "/robots.txt"
            server.robots += is_robots
            if not is_robots:
                server.seen.append((path, self.headers))
            try:
                (server.routes.get(path, reply(status=404)) if is_robots else server.routes[path])(self)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, request: object, client_address: object) -> None:
            pass

    listening = Quiet(("127.0.0.1", 0), Answers)
    server = Server(f"http://127.0.0.1:{listening.server_port}")
    thread = threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stop.set()
        listening.shutdown()
        thread.join()
        listening.server_close()
