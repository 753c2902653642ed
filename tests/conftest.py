"""Shared by every kind of test: the session's folder and its end, which tests run in which order, and where the real files are.

Fixtures that start Postgres are in `tests/warehouse_fixtures.py`, loaded as a plugin below.
"""

from __future__ import annotations

import functools
import gc
import multiprocessing.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.testing
from xdist.remote import Producer
from xdist.scheduler.loadfile import LoadFileScheduling

os.environ.setdefault(
    "OPENBLAS_NUM_THREADS", "1"
)  # as the command sets it: threads for small matrices cost more than they do

# The runner of commands builds the tree of all commands for every call, which takes longer than most calls.
typer.testing._get_command = functools.cache(typer.testing._get_command)

pytest_plugins = ["tests.processor_time", "tests.warehouse_fixtures"]

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
LONGEST_TEMPORARY = 30
"""Sockets lie below the session's folder, and the path of a socket holds 107 bytes."""
ORDER = ("end_to_end", "assets", "contracts", "faults", "warehouse")
"""Folders whose files take long, the longest first."""
_watchdog = pytest.StashKey[subprocess.Popen[bytes]]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Give the session one folder for all that tests write, and a watchdog that ends what is left when the session ends."""
    if hasattr(config, "workerinput"):  # a process of xdist's: it inherits both from the session
        return
    place = tempfile.gettempdir()
    folder = tempfile.mkdtemp(prefix="modelmeter-tests-", dir=place if len(place) <= LONGEST_TEMPORARY else "/tmp")
    Path(folder).chmod(0o711)  # the embedded server's own user has to reach it when root runs the tests
    # make that is killed takes nothing along; pytest started by hand may outlive its shell.
    caller = os.getppid() if "MAKELEVEL" in os.environ else 0
    program = [sys.executable, str(Path(__file__).with_name("watchdog.py"))]
    config.stash[_watchdog] = subprocess.Popen(
        [*program, folder, str(os.getpid()), str(caller)], stdin=subprocess.PIPE, start_new_session=True
    )
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    os.environ.pop("XDG_RUNTIME_DIR", None)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Let the watchdog go to work, and wait for it. A process of xdist's ends without Python's own end: the locks of dbt that it
    still holds were reported as leaked semaphores."""
    if hasattr(config, "workerinput"):
        multiprocessing.util._run_finalizers(0)  # type: ignore[attr-defined]
    if (watchdog := config.stash.get(_watchdog, None)) is not None:
        watchdog.communicate()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--quick",
        action="store_true",
        help="Leave out tests that are marked slow, and all but the first and the last case of every test.",
    )


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """No worker for a single file, which starts sooner so. Otherwise one for each core, from two to four."""
    files = {argument.partition("::")[0] for argument in config.args}
    if len(files) == 1 and files.pop().endswith(".py"):
        return 0
    return min(max(os.cpu_count() or 1, 2), 4)


class OneRun(LoadFileScheduling):
    """A file goes to one worker as a whole, and so do all of `tests/assets`: most of them read one run of three days."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return "tests/assets" if file.startswith("tests/assets/") else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    """`OneRun` where files are shared out; a session that asks for another way has it."""
    return OneRun(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Collect no garbage while thousands of tests are listed, and leave what is there then out of later collections."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)  # as the command line does, and why it does
        gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the longest first, so that no worker is left with one at the end; thin them out where `--quick` is given."""
    items.sort(key=_rank)
    if not config.getoption("--quick"):
        return
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    kept = {
        found[place].nodeid for found in cases.values() for place in (0, len(found) - 1)
        if not found[place].get_closest_marker("slow")
    }  # fmt: skip
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid not in kept])
    items[:] = [item for item in items if item.nodeid in kept]


def _rank(item: pytest.Item) -> int:
    """The place of the test's folder in the order of cost."""
    return next((ORDER.index(part) for part in item.path.parts if part in ORDER), len(ORDER))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real files that no one on this project wrote; tests that need it skip where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the folder shared/data with real files is not next to this checkout")
    return SHARED_DATA
