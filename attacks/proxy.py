"""A proxy on loopback that does to TCP connections what bad networks do."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias
from urllib.parse import urlsplit

Fault: TypeAlias = Callable[[int, bytes], bytes | None]
"""What becomes of bytes that the server sends on the connection of that number; None ends it."""


def cut_off(every: int) -> Fault:
    """Each connection of that number ends in the middle of the first thing that the server says."""
    return lambda number, sent: sent if number % every else None


def slow(seconds: float) -> Fault:
    """Whatever the server says comes late."""

    def fault(number: int, sent: bytes) -> bytes:
        time.sleep(seconds)
        return sent

    return fault


def silent_from(word: bytes) -> Fault:
    """From the first thing on in which the server says this word nothing more arrives, though every connection stays open."""
    heard = threading.Event()

    def fault(_number: int, sent: bytes) -> bytes:
        if word in sent:
            heard.set()
        return b"" if heard.is_set() else sent

    return fault


@contextmanager
def proxied(address: str, fault: Fault) -> Iterator[str]:
    """The URL of a proxy before the server of that URL."""
    target = urlsplit(address)
    numbers = itertools.count(1)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with contextlib.suppress(OSError):  # the listener is closed in the end
                while True:
                    client, _ = listener.accept()
                    server = socket.create_connection((target.hostname or "", target.port or 80))
                    number = next(numbers)
                    _pump(client, server, lambda sent: sent)
                    _pump(server, client, lambda sent, number=number: fault(number, sent))  # type: ignore[misc]

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


def _pump(source: socket.socket, sink: socket.socket, change: Callable[[bytes], bytes | None]) -> None:
    def pump() -> None:
        with contextlib.suppress(OSError):
            while sent := source.recv(65536):
                passed = change(sent)
                if passed is None:
                    sink.sendall(sent[: len(sent) // 2])
                    break
                sink.sendall(passed)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        source.close()  # the other direction closes the sink

    threading.Thread(target=pump, daemon=True).start()
