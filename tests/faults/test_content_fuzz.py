"""Damaged contents of all three kinds: no crash, no line lost, no text shown, and sound files are read as before.

`MODELMETER_FUZZ_CONTENTS=30000 pytest tests/faults/test_content_fuzz.py` reads more of them. Names, links and sidecars are in
`tests/unit/landing/test_zone_fuzz.py`, damaged lines by themselves in `tests/unit/requests/test_fuzz.py`.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.benchmarks import parse_board
from pipelines.benchmarks.formats import FORMATS as BOARDS
from pipelines.bills import parse_bill
from pipelines.config.sources import BILL_FORMATS, Leaderboard, PriceFeed, RequestSource
from pipelines.landing import Kind, LandedFile, scan
from pipelines.outside import worded
from pipelines.prices import PriceFeedError, parse_feed
from pipelines.prices.feeds import FORMATS
from pipelines.records.line_chunks import digest_of
from pipelines.records.reader import read_finished
from pipelines.records.tally import Tally
from pipelines.requests import ParsedFile
from pipelines.requests.format import Format
from pipelines.requests.formats import build_format
from pipelines.shadow import parse_shadow
from tests.assets.conftest import SmallSample, small_sample
from tests.faults.damage import damaged, packed, shapes
from tests.unit.benchmarks.boards import landed as landed_board
from tests.unit.bills.reports import REPORTS
from tests.unit.prices.landed import landed_bytes
from tests.unit.requests.helpers import landed, parse, rows, source_of
from tests.unit.requests.samples import SAMPLES, SECRET, Sample
from tests.unit.shadow.record import GOOD

__all__ = ["small_sample"]

CASES = int(os.environ.get("MODELMETER_FUZZ_CONTENTS", "600"))
WHOLE = 10
"""Of so many contents one is also typed and stored."""
BOARD_OPTIONS = {"mapping": {"model_field": "model", "scores": [{"field": "score", "benchmark": "b"}]}}
AT = datetime(2026, 2, 12, tzinfo=UTC)
WITHOUT_PLACES = (b"\xff\xfe", b"\xfe\xff", b"PAR1")
"""Contents so begun have places of their own: UTF-16 counts its UTF-8 form, Parquet its rows."""


def share(part: float) -> int:
    return max(1, int(CASES * part))


def check(parsed: ParsedFile, content: bytes | None) -> None:
    """`content`, where it is known, are the bytes that the places count."""
    assert parsed.lines == parsed.valid + parsed.quarantined
    assert "reader_failed" not in parsed.quarantine["reason"].to_list(), parsed.quarantine["detail"].to_list()
    places = parsed.quarantine.select("byte_from", "byte_to", "record_sha256").rows()
    check_faults(places, parsed.quarantine["detail"].to_list(), content)


def check_faults(places: Sequence[tuple[int | None, int, str]], details: list[str], content: bytes | None) -> None:
    assert SECRET not in str(details)
    if content is None or content.startswith(WITHOUT_PLACES) or b"data:" in content:
        return
    for start, end, digest in places:
        if start is not None and digest != digest_of(b""):
            assert hashlib.sha256(content[start:end].rstrip(b"\r\n")).hexdigest() == digest


def check_reading(path: Path, log_format: Format, content: bytes | None) -> None:
    """The same of the reading alone, which is where contents can hurt and ten times as quick."""
    tally = Tally()
    batches = list(read_finished(path, log_format, lambda batch: batch, tally))
    typed = sum(batch.typed.height for batch in batches if batch.typed is not None)
    faults = [fault for batch in batches for fault in batch.faults]
    assert tally.records == typed + sum(batch.texts.height for batch in batches) + len(faults)
    check_faults([(f.byte_from, f.byte_to, f.sha256) for f in faults], [f.detail for f in faults], content)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("damaged")
    yield path
    shutil.rmtree(path)


def cases(bases: list[bytes], others: list[bytes], seed: str, count: int) -> Iterator[tuple[int, bytes, bytes | None]]:
    """Number, the file, and its content where the file still gives it."""
    chance = random.Random(seed)
    for number in range(count):
        content = damaged(chance.choice(bases), others, chance)
        file, is_whole = packed(content, chance)
        yield number, file, content if is_whole else None


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.format)
def test_damaged_logs(folder: Path, sample: Sample) -> None:
    bases, others = shapes(sample.record), [shape for other in SAMPLES for shape in shapes(other.record)[:2]]
    log_format = build_format(source_of(sample.format, **sample.declared))
    sound = folder / "sound.jsonl"
    sound.write_bytes(bases[0])
    before = rows(parse(sound, sample.format, **sample.declared))
    for number, file, content in cases(bases, others, sample.format, share(0.6 / len(SAMPLES))):
        name = ("a.jsonl", "a.json", "a.csv", "a.log")[number % 4]
        (folder / name).write_bytes(file)
        check_reading(folder / name, log_format, content)
        if number % WHOLE == 0:
            check(parse(folder / name, sample.format, **sample.declared), content)
            shutil.rmtree(folder / "store")
    assert rows(parse(sound, sample.format, **sample.declared)).equals(before)


@pytest.mark.parametrize("format_name", BILL_FORMATS)
def test_damaged_bills(folder: Path, format_name: str) -> None:
    declared = RequestSource.model_validate({"source": "bill", "format": format_name})
    page = REPORTS[format_name]
    bases = [json.dumps(page).encode(), json.dumps(page, indent=2).encode(), *shapes(page)[:1]]
    for number, file, content in cases(bases, bases, format_name, share(0.1 / len(BILL_FORMATS))):
        path = folder / f"{number % 2}.json"
        path.write_bytes(file)
        check(parse_bill(landed(path, "bill"), declared, folder / "bills"), content)
        shutil.rmtree(folder / "bills")


def test_damaged_shadow_measurements(folder: Path) -> None:
    declared = RequestSource.model_validate({"source": "lab", "format": "shadow"})
    bases = [json.dumps(GOOD).encode(), json.dumps(GOOD, indent=2).encode(), *shapes(GOOD)[:2]]
    for number, file, content in cases(bases, bases, "shadow", share(0.03)):
        path = folder / f"{number % 2}.json"
        path.write_bytes(file)
        check(parse_shadow(landed(path, "lab"), declared, folder / "shadow"), content)
        shutil.rmtree(folder / "shadow")


def contents(small_sample: SmallSample, kind: Kind) -> list[bytes]:
    """The newest file of each of the sample's feeds or boards, with the canary in it."""
    newest = {file.source: file.path.read_bytes()[:200_000] for file in scan(small_sample.root, kind).files}
    return [content.replace(b'": "', f'": "{SECRET} '.encode(), 1) for content in newest.values()]


@pytest.mark.parametrize("format_name", sorted(FORMATS))
def test_damaged_price_files(folder: Path, small_sample: SmallSample, format_name: str) -> None:
    bases = [*contents(small_sample, "prices"), f"<table><tr><td>{SECRET}</td><td>$3.00</td></tr></table>".encode()]
    feed = PriceFeed(feed="feed", format=format_name, precedence=30)
    for _, file, _ in cases(bases, bases, format_name, share(0.15 / len(FORMATS))):
        assert SECRET not in refusal(landed_bytes(folder, "feed", "2026-02-12.json", file), feed)


def refusal(file: LandedFile, feed: PriceFeed) -> str:
    """The reader's message where it refuses the file; any other exception is a crash."""
    try:
        parse_feed(file, feed)
    except PriceFeedError as error:
        return worded(error)
    return ""


@pytest.mark.parametrize("format_name", sorted(BOARDS))
def test_damaged_boards(folder: Path, small_sample: SmallSample, format_name: str) -> None:
    bases = contents(small_sample, "leaderboards")
    board = Leaderboard.model_validate(
        {"board": "board", "format": format_name, "options": BOARD_OPTIONS.get(format_name, {})}
    )
    for number, file, _ in cases(bases, bases, format_name, share(0.15 / len(BOARDS))):
        path = folder / ("2026-02-12.json", "2026-02-12.csv", "2026-02-12.parquet", "2026-02-12.yml")[number % 4]
        path.write_bytes(file)
        snapshot = parse_board(landed_board(path, board, AT), board)
        assert SECRET not in str(snapshot.quarantine["detail"].to_list())
        assert snapshot.lines >= snapshot.valid
