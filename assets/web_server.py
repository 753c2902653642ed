"""Dagster's web server, and the development server that starts it, answering to their own address only.

The page may launch runs and read logs, and has no password. A web site that a user has open could reach it under a name of its own
that it lets point at 127.0.0.1 (DNS rebinding), or send it forms: so requests need a Host that is ours, and
an Origin, where there is one, that is ours too.

    python -m assets.web_server dev ...      `dagster dev`, whose web server is the one below
    python -m assets.web_server serve ...    `dagster-webserver` behind `OwnAddressOnly`
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING
from unittest.mock import patch
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

NAMES_VARIABLE = "MODELMETER_UI_NAMES"
"""Names under which the page may be asked for, separated by commas."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class OwnAddressOnly:
    """Refuses requests and web sockets whose Host or Origin is not one of `names`. Ports don't matter."""

    def __init__(self, app: ASGIApp, names: tuple[str, ...]) -> None:
        self.app = app
        self.names = frozenset(name.lower() for name in names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 403; a web socket is closed before it opens."""
        if scope["type"] == "lifespan" or self._is_own(scope):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            from starlette.responses import PlainTextResponse

            text = "This page answers to its own address only. To give it another name, start it with --name NAME.\n"
            await PlainTextResponse(text, status_code=403)(scope, receive, send)

    def _is_own(self, scope: Scope) -> bool:
        headers = [(name.lower(), value.decode("latin-1")) for name, value in scope["headers"]]
        hosts = [value for name, value in headers if name == b"host"]
        origins = [value for name, value in headers if name == b"origin"]
        return len(hosts) == 1 and self._has(f"//{hosts[0]}") and all(map(self._has, origins))

    def _has(self, address: str) -> bool:
        try:
            return (urlsplit(address).hostname or "") in self.names
        except ValueError:
            return False


def names() -> tuple[str, ...]:
    """The names of the environment, else those of loopback."""
    return tuple(filter(None, os.environ.get(NAMES_VARIABLE, "").split(","))) or LOOPBACK


def _serve() -> None:
    from dagster_webserver.cli import cli
    from dagster_webserver.webserver import DagsterWebserver
    from starlette.middleware import Middleware

    build = DagsterWebserver.build_middleware
    guard = Middleware(OwnAddressOnly, names=names())
    with patch.object(DagsterWebserver, "build_middleware", lambda server: [guard, *build(server)]):
        cli(auto_envvar_prefix="DAGSTER_WEBSERVER")


def _dev() -> None:
    from dagster._cli import dev

    start = vars(dev)["open_ipc_subprocess"]

    def guarded(command: list[str], **more: object) -> object:
        if command[1:3] == ["-m", "dagster_webserver"]:
            command = [command[0], "-m", "assets.web_server", "serve", *command[3:]]
        return start(command, **more)

    with patch.object(dev, "open_ipc_subprocess", guarded):
        dev.dev_command(prog_name="dagster dev", auto_envvar_prefix="DAGSTER")


if __name__ == "__main__":
    {"serve": _serve, "dev": _dev}[sys.argv.pop(1)]()
