"""Makes the sample landing zone: once, whole, and the same for the same seed on every machine.

The parts are in the other modules of this folder. The folder appears under its name only when it is complete; its marker
`_sample.json` says what it holds. Compressed files hold the same content everywhere; their compressed bytes are those
of the installed zlib and zstd.
"""

from __future__ import annotations

import gzip
import shutil
import tempfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import zstandard

from pipelines.outside import worded
from pipelines.sample.arrival import Arrivals, ArrivedFile
from pipelines.sample.bills import Bills
from pipelines.sample.boards import AIDER_DATES, LMARENA_DATES, aider_yaml, lmarena_json
from pipelines.sample.catalogue import SOURCES
from pipelines.sample.feeds import GENAI_SNAPSHOT_DATES, LITELLM_SNAPSHOT_DATES, genai_prices_json, litellm_map_json
from pipelines.sample.logs import BATCH_HEADER
from pipelines.sample.summary import SampleSummary

GENERATOR_VERSION = "6"
"""Raised with every change of what is generated, so that an older sample is made anew."""
SAMPLE_SEED = 20260228
FIRST_DAY = date(2026, 2, 15)
MARKER = "_sample.json"

_README = """This landing zone is SYNTHETIC. It was made by modelmeter's seeded generator (seed {seed}, generator {version}).

No request in it was ever sent, no team in it exists, and its leaderboard scores are invented. Token shapes follow
two public request traces (Azure LLM inference trace 2023, Mooncake conversation trace 2024); list prices are those
published in February 2026, but for an invented cut on 22 February. From 27 February on one application runs away. Duplicates, broken lines, late lines and an
unknown model are there on purpose; _sample.json counts them. So are two bills that hold what no log does.

Name a landing zone of your own with MODELMETER_LANDING.
"""

Progress = Callable[[int, int, str], None]
"""Called with days done, days in all, and what was just finished."""


class SampleError(RuntimeError):
    """The sample can't be made at this place; the message says why and what to do."""


def generate_sample(
    root: Path,
    *,
    seed: int = SAMPLE_SEED,
    first: date = FIRST_DAY,
    days: int = 14,
    requests_per_day: int = 20_000,
    progress: Progress | None = None,
) -> SampleSummary:
    """Make the sample of `days` days from `first` on at `root` unless this very sample lies there, and say what is in it.

    `requests_per_day` is the mean over a week. A sample of another seed, size or generator version is replaced; a
    folder that holds anything but a sample is left alone. Raises SampleError.
    """
    wanted = tuple((first + timedelta(days=n)).isoformat() for n in range(days))
    found = read_summary(root)
    if found is not None and (found.generator_version, found.seed, found.days, found.requests_per_day) == (
        GENERATOR_VERSION, seed, wanted, requests_per_day,
    ):  # fmt: skip
        return found
    if found is None and root.exists() and any(root.iterdir()):
        raise SampleError(f"{root} holds files that are no modelmeter sample: name another folder, or empty it")
    root.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{root.name}-", dir=root.parent))
    try:
        summary = _write(scratch / "sample", seed, wanted, requests_per_day, progress)
        return _put_in_place(scratch, root, summary)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def read_summary(root: Path) -> SampleSummary | None:
    """The summary of a complete sample, or None if there is none."""
    try:
        return SampleSummary.from_json((root / MARKER).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise SampleError(
            f"{root / MARKER} can't be read ({worded(error)}): delete the folder {root} to make it anew"
        ) from error


def _put_in_place(scratch: Path, root: Path, summary: SampleSummary) -> SampleSummary:
    if root.exists():
        root.rename(scratch / "replaced")
    try:
        (scratch / "sample").rename(root)
    except OSError:
        other = read_summary(root)  # another process was faster
        if other != summary:
            raise
    return summary


def _write(
    root: Path, seed: int, days: tuple[str, ...], requests_per_day: int, progress: Progress | None
) -> SampleSummary:
    dates = tuple(date.fromisoformat(day) for day in days)
    _write_feeds_and_boards(root, seed)
    bills = Bills()
    arrivals = {source.name: Arrivals(source, dates, requests_per_day, seed, bills) for source in SOURCES}
    for done, day in enumerate(dates, start=1):
        for name, arriving in arrivals.items():
            for file in arriving.files_of(day):
                _put(root / "requests" / name / day.isoformat() / file.name, _content(file))
        for source, file_name, content in bills.files_of(day):
            _put(root / "requests" / source / day.isoformat() / file_name, content)
        if progress is not None:
            progress(done, len(dates), day.isoformat())
    summary = SampleSummary(
        generator_version=GENERATOR_VERSION,
        seed=seed,
        days=days,
        requests_per_day=requests_per_day,
        sources={name: arriving.summary for name, arriving in arrivals.items()},
    )
    _put(root / "README.txt", _README.format(seed=seed, version=GENERATOR_VERSION).encode())
    _put(root / MARKER, summary.to_json().encode())
    return summary


def _write_feeds_and_boards(root: Path, seed: int) -> None:
    for day in GENAI_SNAPSHOT_DATES:
        _put(root / f"prices/genai_prices/{day}.json", genai_prices_json())
    for day in LITELLM_SNAPSHOT_DATES:
        _put(root / f"prices/litellm_map/{day}.json", litellm_map_json(day))
    for day in LMARENA_DATES:
        _put(root / f"leaderboards/lmarena_text/{day}.json", lmarena_json(day, seed))
    for day in AIDER_DATES:
        _put(root / f"leaderboards/aider_polyglot/{day}.yml", aider_yaml(day))


def _content(file: ArrivedFile) -> bytes:
    lines = file.lines.to_list()
    if file.name.endswith(".csv"):
        lines.insert(0, BATCH_HEADER)
    content = ("\n".join(lines) + "\n").encode()
    if file.name.endswith(".zst"):
        return zstandard.ZstdCompressor(level=1).compress(content)
    return gzip.compress(content, compresslevel=1, mtime=0) if file.name.endswith(".gz") else content


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
