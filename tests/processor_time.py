"""Processor seconds per folder of tests, at the end of a session: the suite has to fit into two cores for ten minutes.

Counted are pytest's own processes and all that they started and waited for, runs that are forked included; embedded servers are not.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from multiprocessing import forkserver

import psutil
import pytest

_NAME = "processor_seconds"
_LAST = pytest.StashKey[float]()
_by_folder: Counter[str] = Counter()


def _used() -> float:
    """Seconds that this process, its children and the process that forks runs have used so far."""
    total = sum(os.times()[:4])
    if pid := forkserver._forkserver._forkserver_pid:  # type: ignore[attr-defined]
        total += sum(psutil.Process(pid).cpu_times()[:4])
    return total


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[pytest.TestReport]:
    """Give each report what was used since the one before it."""
    report = yield
    used = _used()
    report.user_properties = [*report.user_properties, (_NAME, used - item.config.stash.get(_LAST, 0.0))]
    item.config.stash[_LAST] = used
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    folder = "/".join(report.nodeid.split("/")[:2])
    _by_folder[folder] += dict(report.user_properties).get(_NAME, 0)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if len(_by_folder) > 1:
        shown = ", ".join(f"{folder} {seconds:.0f}" for folder, seconds in _by_folder.most_common())
        terminalreporter.write_line(f"processor seconds: {_by_folder.total():.0f} ({shown})")
