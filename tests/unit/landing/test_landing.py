"""The landing zone: names, dates, sidecars, hashes and compressed content, on real files in a temporary folder.

Fetching into the landing zone is tested in `tests/unit/fetch`.
"""

from __future__ import annotations

import errno
import gzip
import hashlib
import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import zstandard

from pipelines.ids import id_bytes
from pipelines.landing import LandedFile, LandingError, land, parse_instant, read_bytes, scan
from pipelines.landing.atomic import create, write_atomically
from pipelines.landing.files import accepts

NOON = datetime(2026, 2, 14, 12, 0, 0, tzinfo=UTC)


def put(path: Path, content: bytes = b"{}\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def only(root: Path, kind: str) -> LandedFile:
    found = scan(root, kind)  # type: ignore[arg-type]
    assert found.problems == ()
    (file,) = found.files
    return file


@pytest.mark.parametrize(
    ("name", "expected", "has_time"),
    [
        ("20260214T060000Z.json", datetime(2026, 2, 14, 6, tzinfo=UTC), True),
        ("2026-02-14.json", datetime(2026, 2, 14, tzinfo=UTC), False),
        ("20260214.json", datetime(2026, 2, 14, tzinfo=UTC), False),
        ("2026-02-14T06-00-00Z.json", datetime(2026, 2, 14, 6, tzinfo=UTC), True),
        ("2026-02-14T06:00:00+01:00.json", datetime(2026, 2, 14, 5, tzinfo=UTC), True),
        ("2026-02-14T23:30-0230.json", datetime(2026, 2, 15, 2, 0, tzinfo=UTC), True),
        ("2026-02-14_061530.json", datetime(2026, 2, 14, 6, 15, 30, tzinfo=UTC), True),
        ("litellm_2026-02-26_1.81.16.json.gz", datetime(2026, 2, 26, tzinfo=UTC), False),
        ("anthropic_pricing_2026-05-01.md", datetime(2026, 5, 1, tzinfo=UTC), False),
        ("models_daily_2026-04-10_2026-05-31.csv", datetime(2026, 5, 31, tzinfo=UTC), False),
        ("gpt-4o-2024-11-20_seen_2026-02-01.json", datetime(2026, 2, 1, tzinfo=UTC), False),
        ("x-2026-02-12T060000-2412.jsonl", datetime(2026, 2, 12, 6, tzinfo=UTC), True),
        ("2026-02-12T060000+9999.jsonl", datetime(2026, 2, 12, 6, tzinfo=UTC), True),
        ("2026-02-12T060000-1260.jsonl", datetime(2026, 2, 12, 6, tzinfo=UTC), True),
        ("2026-02-12T060000+1400.jsonl", datetime(2026, 2, 11, 16, tzinfo=UTC), True),
        ("1900-01-01T00:00+1400.json", datetime(1899, 12, 31, 10, tzinfo=UTC), True),
        ("2099-12-31T23:59-1200.json", datetime(2100, 1, 1, 11, 59, tzinfo=UTC), True),
        ("2026-02-31.json", None, False),
        ("prices.json", None, False),
        ("part-99120260214000.json", None, False),
    ],
)
def test_dates_in_names(name: str, expected: datetime | None, has_time: bool) -> None:
    assert parse_instant(name) == (expected, has_time)


def test_price_and_board_files_are_dated_by_their_name_then_their_folder(tmp_path: Path) -> None:
    put(tmp_path / "prices/litellm_map/litellm_2026-02-26_1.81.16.json.gz")
    put(tmp_path / "leaderboards/arena_daily/2026-03-19/text.json")
    price = only(tmp_path, "prices")
    assert (price.source, price.landing_path) == (
        "litellm_map",
        "prices/litellm_map/litellm_2026-02-26_1.81.16.json.gz",
    )
    assert price.observed_at == datetime(2026, 2, 26, tzinfo=UTC)
    assert price.arrival_date is None
    assert price.content_suffix == ".json"
    assert only(tmp_path, "leaderboards").observed_at == datetime(2026, 3, 19, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "arrival", "observed"),
    [
        ("2026-02-15/calls.jsonl", date(2026, 2, 15), datetime(2026, 2, 15, tzinfo=UTC)),
        ("2026-02-15/calls_2026-02-14.jsonl", date(2026, 2, 15), datetime(2026, 2, 15, tzinfo=UTC)),
        ("2026-02-15/calls_20260215T043000Z.jsonl", date(2026, 2, 15), datetime(2026, 2, 15, 4, 30, tzinfo=UTC)),
        ("calls_2026-02-15.csv.zst", date(2026, 2, 15), datetime(2026, 2, 15, tzinfo=UTC)),
        ("2026-02-15/-home-ann-trip-2025-01-02/s.jsonl", date(2026, 2, 15), datetime(2026, 2, 15, tzinfo=UTC)),
        ("2026-02-15/sessions/2026/02/12/s.jsonl", date(2026, 2, 15), datetime(2026, 2, 15, tzinfo=UTC)),
        ("dt=2026-02-15/hour=04/part-0.parquet", date(2026, 2, 15), datetime(2026, 2, 15, tzinfo=UTC)),
        ("year=2026/month=02/day=15/part-0.parquet", date(2026, 2, 15), datetime(2026, 2, 15, tzinfo=UTC)),
        ("y=2026/m=02/d=15/h=04/m=00/PT1H.json", date(2026, 2, 15), datetime(2026, 2, 15, tzinfo=UTC)),
        (
            "AWSLogs/123456789012/us-east-1/2026/02/15/04/20260215T043000000Z_ab12.json.gz",
            date(2026, 2, 15),
            datetime(2026, 2, 15, tzinfo=UTC),
        ),
        ("2026/02/15/server.log", date(2026, 2, 15), datetime(2026, 2, 15, tzinfo=UTC)),
        ("2026-02-15/stream.sse", date(2026, 2, 15), datetime(2026, 2, 15, tzinfo=UTC)),
        ("2026-02-15/stream.txt.gz", date(2026, 2, 15), datetime(2026, 2, 15, tzinfo=UTC)),
    ],
)
def test_arrival_of_request_files(tmp_path: Path, name: str, arrival: date, observed: datetime) -> None:
    put(tmp_path / "requests/gateway" / name)
    file = only(tmp_path, "requests")
    assert (file.arrival_date, file.observed_at) == (arrival, observed)


def test_identity_is_that_of_path_and_bytes(tmp_path: Path) -> None:
    content = b'{"model": "gpt-5.2"}\n'
    put(tmp_path / "requests/gateway/2026-02-15/a.jsonl", content)
    file = only(tmp_path, "requests")
    sha256 = hashlib.sha256(content).hexdigest()
    assert (file.sha256, file.size_bytes) == (sha256, len(content))
    assert file.snapshot_id == id_bytes("requests", "gateway", "requests/gateway/2026-02-15/a.jsonl", sha256)
    assert (file.url, file.http_status, file.etag) == (None, None, None)


def test_order_is_by_source_instant_and_path(tmp_path: Path) -> None:
    for name in ("b/2026-02-14.json", "a/2026-02-15.json", "a/20260214T090000Z.json", "a/2026-02-14.json"):
        put(tmp_path / "prices" / name)
    assert [file.landing_path.removeprefix("prices/") for file in scan(tmp_path, "prices").files] == [
        "a/2026-02-14.json",
        "a/20260214T090000Z.json",
        "a/2026-02-15.json",
        "b/2026-02-14.json",
    ]


def test_unfinished_hidden_and_sidecar_files_are_skipped(tmp_path: Path) -> None:
    folder = tmp_path / "requests/gateway/2026-02-15"
    put(folder / "good.jsonl")
    for name in (".hidden.jsonl", "a.jsonl.part", "a.jsonl.tmp", "_SUCCESS", "good.jsonl.meta.json~"):
        put(folder / name)
    assert only(tmp_path, "requests").path.name == "good.jsonl"


def test_problems_name_the_file_and_do_not_stop_the_others(tmp_path: Path) -> None:
    put(tmp_path / "prices/feed/2026-02-14.json")
    put(tmp_path / "prices/feed/latest.json")
    put(tmp_path / "prices/feed/2026-02-14.exe")
    put(tmp_path / "prices/stray_2026-02-14.json")
    found = scan(tmp_path, "prices")
    assert [file.path.name for file in found.files] == ["2026-02-14.json"]
    reasons = {problem.landing_path: problem.reason for problem in found.problems}
    assert "20260214T060000Z" in reasons["prices/feed/latest.json"]
    assert ".json" in reasons["prices/feed/2026-02-14.exe"]
    assert "prices/<name>/" in reasons["prices/stray_2026-02-14.json"]
    assert len(reasons) == 3


def test_an_absent_landing_zone_is_empty(tmp_path: Path) -> None:
    found = scan(tmp_path / "nowhere", "requests")
    assert (found.files, found.problems) == ((), ())


def test_landed_bytes_come_back_with_their_facts(tmp_path: Path) -> None:
    landed = land(
        tmp_path,
        "prices",
        "feed",
        b"[1]",
        suffix=".json",
        fetched_at=NOON,
        url="https://x/y",
        http_status=200,
        etag='"e"',
    )
    assert landed.landing_path == "prices/feed/20260214T120000Z.json"
    assert only(tmp_path, "prices") == landed
    assert (landed.url, landed.http_status, landed.etag, landed.observed_at) == ("https://x/y", 200, '"e"', NOON)
    assert json.loads((tmp_path / f"{landed.landing_path}.meta.json").read_text())["sha256"] == landed.sha256
    assert read_bytes(landed) == b"[1]"


def test_landing_again_writes_nothing_and_never_overwrites(tmp_path: Path) -> None:
    def put_at_noon(content: bytes) -> LandedFile:
        return land(tmp_path, "prices", "feed", content, suffix=".json", fetched_at=NOON, url=None)

    first = put_at_noon(b"[1]")
    written = first.path.stat().st_mtime_ns
    assert put_at_noon(b"[1]") == first
    assert first.path.stat().st_mtime_ns == written
    second = put_at_noon(b"[2]")
    assert second.path != first.path
    assert put_at_noon(b"[2]") == second
    assert [read_bytes(file) for file in scan(tmp_path, "prices").files] in ([b"[1]", b"[2]"], [b"[2]", b"[1]"])
    assert not [path for path in tmp_path.rglob("*") if path.name.endswith(".tmp")]


def test_requests_land_in_the_folder_of_their_day(tmp_path: Path) -> None:
    landed = land(tmp_path, "requests", "gateway", b"{}\n", suffix=".jsonl", fetched_at=NOON, url=None)
    assert landed.landing_path == "requests/gateway/2026-02-14/20260214T120000Z.jsonl"
    assert landed.arrival_date == date(2026, 2, 14)


def test_landing_needs_a_time_zone(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="time zone"):
        land(tmp_path, "prices", "feed", b"", suffix=".json", fetched_at=datetime(2026, 2, 14), url=None)  # noqa: DTZ001


def test_a_file_changed_after_landing_is_left_out(tmp_path: Path) -> None:
    landed = land(tmp_path, "prices", "feed", b"[1]", suffix=".json", fetched_at=NOON, url=None)
    landed.path.write_bytes(b"[9]")
    found = scan(tmp_path, "prices")
    assert found.files == ()
    assert landed.sha256 in found.problems[0].reason


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"fetched_at": 3}', b'{"fetched_at": "2026-02-14T12:00:00"}'])
def test_a_broken_sidecar_is_reported_and_the_name_dates_the_file(tmp_path: Path, content: bytes) -> None:
    path = put(tmp_path / "prices/feed/2026-02-14.json")
    put(path.with_name(path.name + ".meta.json"), content)
    found = scan(tmp_path, "prices")
    assert found.files[0].observed_at == datetime(2026, 2, 14, tzinfo=UTC)
    assert "2026-02-14.json.meta.json" in found.problems[0].reason


def test_hashes_are_cached_until_the_file_changes(tmp_path: Path) -> None:
    path = put(tmp_path / "zone/prices/feed/2026-02-14.json", b"aaaa")
    cache = tmp_path / "cache" / "hashes.json"
    first = scan(tmp_path / "zone", "prices", cache).files[0]
    stat = path.stat()
    path.write_bytes(b"bbbb")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert scan(tmp_path / "zone", "prices", cache).files[0] == first, "same size and time: not hashed again"
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    assert scan(tmp_path / "zone", "prices", cache).files[0].sha256 == hashlib.sha256(b"bbbb").hexdigest()
    cache.write_bytes(b'{"half')
    assert scan(tmp_path / "zone", "prices", cache).files[0].sha256 == hashlib.sha256(b"bbbb").hexdigest()


CONTENT = os.urandom(300_000) + b"line\n" * 100_000
COMPRESSED = {
    "plain": CONTENT,
    "gzip": gzip.compress(CONTENT),
    "gzip in two members": gzip.compress(CONTENT[:1000]) + gzip.compress(CONTENT[1000:]),
    "zstd": zstandard.ZstdCompressor().compress(CONTENT),
    "zstd in two frames": zstandard.ZstdCompressor().compress(CONTENT[:1000])
    + zstandard.ZstdCompressor().compress(CONTENT[1000:]),
}


@pytest.mark.parametrize("name", COMPRESSED)
def test_content_is_decompressed_by_its_first_bytes(tmp_path: Path, name: str) -> None:
    put(tmp_path / "requests/s/2026-02-15/a.jsonl", COMPRESSED[name])
    assert read_bytes(only(tmp_path, "requests")) == CONTENT


@pytest.mark.parametrize("name", [name for name in COMPRESSED if name != "plain"])
@pytest.mark.parametrize("cut", [1, 9, 200_000])
def test_content_that_ends_early_is_an_error(tmp_path: Path, name: str, cut: int) -> None:
    put(tmp_path / "requests/s/2026-02-15/a.jsonl", COMPRESSED[name][:-cut])
    with pytest.raises(LandingError, match=r"requests/s/2026-02-15/a.jsonl.*broken"):
        read_bytes(only(tmp_path, "requests"))


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_damaged_content_is_an_error(tmp_path: Path, name: str) -> None:
    damaged = bytearray(COMPRESSED[name])
    damaged[len(damaged) // 2] ^= 0xFF
    damaged[-2] ^= 0xFF
    put(tmp_path / "requests/s/2026-02-15/a.jsonl", bytes(damaged))
    with pytest.raises(LandingError, match="broken"):
        read_bytes(only(tmp_path, "requests"))


@pytest.mark.parametrize(
    "bomb",
    [gzip.compress(bytes(50_000_000)), zstandard.ZstdCompressor().compress(bytes(50_000_000))],
    ids=["gzip", "zstd"],
)
def test_a_bomb_is_an_error(tmp_path: Path, bomb: bytes) -> None:
    put(tmp_path / "requests/s/2026-02-15/a.jsonl", bomb)
    file = only(tmp_path, "requests")
    with pytest.raises(LandingError, match=r"more than 10,000,000 bytes"):
        read_bytes(file, max_bytes=10_000_000)
    assert len(read_bytes(file, max_bytes=50_000_000)) == 50_000_000


def test_real_files_in_place(shared_data: Path, tmp_path: Path) -> None:
    shutil.copytree(shared_data / "prices/litellm_map", tmp_path / "prices/litellm_map")
    found = scan(tmp_path, "prices")
    assert found.problems == ()
    assert len(found.files) == len(list((shared_data / "prices/litellm_map").iterdir())) > 10
    for file in found.files:
        assert f"{file.observed_at:%Y-%m-%d}" in file.path.name
        assert json.loads(read_bytes(file))


def test_landing_from_several_threads_at_the_same_second_loses_nothing(tmp_path: Path) -> None:
    contents = [f"[{n % 2}]".encode() for n in range(16)]

    def put_at_noon(content: bytes) -> LandedFile:
        return land(tmp_path, "prices", "feed", content, suffix=".json", fetched_at=NOON, url="https://x")

    with ThreadPoolExecutor(8) as pool:
        landed = list(pool.map(put_at_noon, contents))
    assert [read_bytes(file) for file in landed] == contents
    found = scan(tmp_path, "prices")
    assert found.problems == ()
    assert sorted(read_bytes(file) for file in found.files) == [b"[0]", b"[1]"]
    assert {file.url for file in found.files} == {"https://x"}


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    put(tmp_path / "kept", b"before")
    monkeypatch.setattr(os, "fsync", full)
    for write in (write_atomically, create):
        with pytest.raises(OSError, match="No space left"):
            write(tmp_path / "kept", b"after")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"before"]


def test_a_sidecar_left_by_a_crash_is_completed(tmp_path: Path) -> None:
    landed = land(tmp_path, "prices", "feed", b"[1]", suffix=".json", fetched_at=NOON, url=None)
    landed.path.unlink()
    assert land(tmp_path, "prices", "feed", b"[1]", suffix=".json", fetched_at=NOON, url=None) == landed
    landed.path.unlink()
    assert land(tmp_path, "prices", "feed", b"[2]", suffix=".json", fetched_at=NOON, url=None).path != landed.path


@pytest.mark.parametrize(
    ("name", "accepted"),
    [
        ("calls.jsonl.gz", True), ("logs.tar.gz", True), ("logs.tgz", True), ("export.zip", True), ("session.har", True), ("app.log.1", True),
        ("app.log-20260212.gz", True), ("app.jsonl.2026-02-12T10", True), ("llm-1-2026-02-12-10-20-30-6c6b1d2e", True), ("llm-1-2026-02-12.gz", True),
        ("README", False), ("notes.docx", False), ("call.py", False),
    ],
)  # fmt: skip
def test_names_that_writers_of_logs_give(name: str, accepted: bool) -> None:
    assert (accepts("requests", name), accepts("prices", "app.log.1")) == (accepted, False)
