"""A limit for a call that has none of its own: most libraries limit how long they wait for the next bytes, and a server that sends one
every few seconds is waited for for ever.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


def within(seconds: float, call: Callable[[], T]) -> T:
    """What `call` gives. Raises what it raises, and TimeoutError after `seconds`; then its thread is left behind, and ends with the process."""
    ended: dict[str, Any] = {}

    def work() -> None:
        try:
            ended["result"] = call()
        except BaseException as error:  # noqa: BLE001 - it is raised again below
            ended["error"] = error

    thread = threading.Thread(target=work, name="within", daemon=True)
    thread.start()
    thread.join(max(0.0, seconds))
    if "error" in ended:
        raise ended["error"]
    if "result" not in ended:
        raise TimeoutError(f"not finished within {seconds:g} s")
    result: T = ended["result"]
    return result
