"""What several processes of a test session share: made by the first that asks for it, read by the others."""

from __future__ import annotations

import fcntl
import pickle
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Made = TypeVar("Made")


def made_once(name: str, make: Callable[[Path], Made]) -> Made:
    """What `make` returned for the session's folder `name`, which is its to fill. Others wait until it is made."""
    folder = Path(tempfile.gettempdir()) / name
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept = folder.with_suffix(".pickle")
        if not kept.exists():
            folder.mkdir(exist_ok=True)  # a failed one leaves it
            made = make(folder)
            kept.write_bytes(pickle.dumps(made))
        found: Made = pickle.loads(kept.read_bytes())
        return found
