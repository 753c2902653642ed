"""Watches for a connection whose other end goes silent. Keep-alive packets find a broken network, but not a proxy
that answers them and passes nothing on.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Silence:
    """Watches one socket and shuts it down after too long a silence, so that whoever waits for it gets an error."""

    def __init__(self, descriptor: int, seconds: float) -> None:
        self.is_over = False
        """Whether the other end was silent for too long."""
        self._seconds = seconds
        self._socket = socket.socket(fileno=os.dup(descriptor))
        self._heard = threading.Event()
        self._ends = False
        self._thread = threading.Thread(target=self._watch, name="silence", daemon=True)
        self._thread.start()

    def heard(self) -> None:
        """Something came: the time starts again."""
        self._heard.set()

    def end(self) -> None:
        """Watch no longer."""
        self._ends = True
        self._heard.set()
        self._thread.join()
        self._socket.close()

    def _watch(self) -> None:
        while self._heard.wait(self._seconds):
            self._heard.clear()
            if self._ends:
                return
        self.is_over = True
        with contextlib.suppress(OSError):  # it was closed meanwhile
            self._socket.shutdown(socket.SHUT_RDWR)


@contextmanager
def watched(descriptor: int, seconds: float) -> Iterator[Silence]:
    """A watch over the socket while this lasts."""
    silence = Silence(descriptor, seconds)
    try:
        yield silence
    finally:
        silence.end()
