"""Memory that a step has used and that its allocators keep: returned to the system, so that the next step does not come on top of it.

After a million lines were parsed, the C library and Arrow kept 200 MB that nothing used any more.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress


def return_unused() -> None:
    """Return what Arrow and the C library keep for later; does nothing where the library has no such call (musl, macOS)."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
