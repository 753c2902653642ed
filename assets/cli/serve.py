"""`modelmeter serve`: the pages and the explorer on loopback, for a browser. It shows files of the reports folder and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from assets.cli.terminal import terminal

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import ASGIApp

SERVED = (".html", ".xlsx", ".pdf")
_HEADERS = {
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve")(serve)


def serve(
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.", min=0, max=65535)] = 8420,
    host: Annotated[str, typer.Option(help="Address to bind; loopback unless you say otherwise.")] = "127.0.0.1",
    name: Annotated[
        list[str] | None, typer.Option(help="Host name that browsers may use, in addition to loopback. Repeatable.")
    ] = None,
) -> None:
    """Show the calendar, the pages and the explorer in a browser, from the files of the last runs. Ctrl-C stops it."""
    import socket

    import uvicorn

    from assets.web_server import LOOPBACK
    from pipelines.settings import Settings

    folder = Settings().reports
    console = terminal(stderr=True)
    if not (folder / "index.html").is_file():
        raise typer.BadParameter(f"{folder} has no pages yet: run `modelmeter daily` first")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, port))
            listening.listen()
        except OSError as error:
            raise typer.BadParameter(f"{host} port {port} can't be used: {error.strerror}") from None
        shown = f"[{host}]" if ":" in host else host
        console.print(f"reports on http://{shown}:{listening.getsockname()[1]}/ ; Ctrl-C stops it", soft_wrap=True)
        config = uvicorn.Config(
            pages(folder, (*LOOPBACK, host, *(name or ()))), log_level="warning", server_header=False
        )
        uvicorn.Server(config).run(sockets=[listening])


def pages(folder: Path, names: tuple[str, ...]) -> ASGIApp:
    """The web application: files of the folder that a report consists of, asked for by one of `names`."""
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.middleware import Middleware
    from starlette.responses import Response
    from starlette.routing import Mount
    from starlette.staticfiles import StaticFiles
    from starlette.types import Scope

    from assets.web_server import OwnAddressOnly

    class Pages(StaticFiles):
        """Files by their ending; links that lead out of the folder are not followed."""

        async def get_response(self, path: str, scope: Scope) -> Response:
            """The file, or the index of a folder."""
            response = await super().get_response(path, scope)
            served = str(getattr(response, "path", ""))
            if served and not served.endswith(SERVED):
                raise HTTPException(404)
            response.headers.update(_HEADERS)
            return response

    mounted = [Mount("/", Pages(directory=folder, html=True))]
    return Starlette(routes=mounted, middleware=[Middleware(OwnAddressOnly, names=names)])
