"""The page answers to its own address only: other hosts, and pages of other origins, are refused before Dagster sees them."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from assets.web_server import LOOPBACK, NAMES_VARIABLE, OwnAddressOnly, names


async def _page(_: object) -> PlainTextResponse:
    return PlainTextResponse("runs")


async def _socket(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("events")


@pytest.fixture
def client() -> TestClient:
    app = Starlette(routes=[Route("/", _page, methods=["GET", "POST"]), WebSocketRoute("/graphql", _socket)])
    return TestClient(OwnAddressOnly(app, (*LOOPBACK, "books.example.com")), base_url="http://127.0.0.1:3000")


@pytest.mark.parametrize("host", ["127.0.0.1:3000", "localhost:3000", "LOCALHOST", "[::1]:3000", "books.example.com"])
def test_its_own_names_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"Host": host}).text == "runs"
    assert client.post("/", headers={"Host": host, "Origin": f"http://{host}"}).text == "runs"
    with client.websocket_connect("/graphql", headers={"Host": host, "Origin": f"http://{host}"}) as socket:
        assert socket.receive_text() == "events"


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "evil.example#127.0.0.1"},
        {"Host": ""},
        {"Host": "[::1"},
        {"Host": "127.0.0.1:3000", "Origin": "http://evil.example"},
        {"Host": "127.0.0.1:3000", "Origin": "null"},
        {"Host": "127.0.0.1:3000", "Origin": "http://localhost.evil.example:3000"},
    ],
)
def test_others_are_refused(client: TestClient, headers: dict[str, str]) -> None:
    refused = client.post("/", headers=headers)
    assert refused.status_code == 403
    assert "runs" not in refused.text
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/graphql", headers=headers):
        pass


@pytest.mark.slow
def test_names_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(NAMES_VARIABLE, raising=False)
    assert names() == LOOPBACK
    monkeypatch.setenv(NAMES_VARIABLE, "127.0.0.1,books.example.com")
    assert names() == ("127.0.0.1", "books.example.com")
