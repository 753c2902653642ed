"""What steps print, kept by Dagster as it does by default, and quiet when a person presses Ctrl-C.

Dagster starts helpers that show the output while it is kept. A terminal sends Ctrl-C to them too, and they answer with
tracebacks of their own; they end with the run either way.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from dagster._core.storage.compute_log_manager import CapturedLogContext
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._serdes import ConfigurableClassData


class ComputeLogs(LocalComputeLogManager):
    """Dagster's own, whose helpers don't hear Ctrl-C."""

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> ComputeLogs:
        """As dagster.yaml says."""
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def capture_logs(self, log_key: Sequence[str]) -> Generator[CapturedLogContext, None, None]:
        """Keep what is printed until the block ends."""
        with ExitStack() as stack:
            with _deaf():
                captured = stack.enter_context(super().capture_logs(log_key))
            yield captured


@contextmanager
def _deaf() -> Iterator[None]:
    """Processes that are started in the block inherit that Ctrl-C is ignored."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)
