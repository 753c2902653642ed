"""A landing zone in a bucket, on a real S3 server: the same files as in a folder, and clear words when it can't be read.

What no real server serves, a body that breaks off and names that are no files, comes from a scripted one.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.config.sources import Sources
from pipelines.fetch import fetch_feeds
from pipelines.landing import KINDS, LandedFile, LandingError, LandingZone, open_zone, read_bytes, scan
from pipelines.settings import Settings
from tests.unit.fetch.server import Handler, Server, reply, serve
from tests.unit.landing.s3 import KEY, SECRET, S3Server, serve_s3

NOON = datetime(2026, 2, 14, 12, 0, 0, tzinfo=UTC)
LOG = "requests/gateway/2026-02-14/calls.jsonl"


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with serve_s3(tmp_path_factory.mktemp("s3") / "buckets") as server:
        yield server


@pytest.fixture
def folder(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bucket of the server as the folder that it is, with one file under the prefix `zone` and one next to it."""
    s3.use(monkeypatch)
    bucket = s3.root / f"company-logs-{len(list(s3.root.iterdir()))}"
    put(bucket / "zone" / LOG, b'{"id": 1}\n')
    put(bucket / "other" / LOG, b'{"id": "not ours"}\n')
    return bucket / "zone"


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def zone_at(url: str, home: Path) -> LandingZone:
    return open_zone(Settings(home=home, landing=url))


def url_of(folder: Path) -> str:
    return f"s3://{folder.parent.name}/zone"


def test_a_bucket_lists_what_a_folder_lists(folder: Path, tmp_path: Path) -> None:
    put(folder / "requests/gateway/2026-02-15/späte zeilen+1 %41.jsonl", b'{"id": 2}\n')
    put(folder / "requests/gateway/2026-02-15/half.jsonl.part", b'{"id"')
    put(folder / "requests/gateway/undated.jsonl", b"{}\n")
    put(folder / "prices/litellm_map/20260214T060000Z.json", b'{"a": 1}')
    put(folder / "prices/litellm_map/20260214T060000Z.json.meta.json", b'{"fetched_at": "2026-02-14T06:00:07+00:00"}')
    put(folder / "leaderboards/lmarena/2026-02-14.csv", b"model,score\n")
    put(folder / "selfhost/mlperf/2026-02-14.csv", b"Model,Scenario\n")
    put(folder / "limits/openai/2026-02-14.json", b"{}")
    for kind in KINDS:
        copied, there = zone_at(url_of(folder), tmp_path).scan(kind), scan(folder, kind)
        assert [replace(file, path=Path()) for file in copied.files] == [
            replace(f, path=Path()) for f in there.files
        ], kind
        assert copied.problems == there.problems, kind
        assert there.files, kind
        assert [read_bytes(file) for file in copied.files] == [read_bytes(file) for file in there.files]
    assert not list(tmp_path.rglob("*.part"))


def test_what_changed_is_fetched_again_and_what_vanished_is_gone(folder: Path, tmp_path: Path) -> None:
    second = put(folder / "requests/gateway/2026-02-15/more.jsonl", b'{"id": 2}\n')
    first = {file.landing_path: file for file in zone_at(url_of(folder), tmp_path).scan("requests").files}
    before = first[LOG].path.stat().st_ino, first["requests/gateway/2026-02-15/more.jsonl"].path.stat().st_ino
    stamp = (folder / LOG).stat().st_mtime_ns
    put(folder / LOG, b'{"id": 9}\n')  # as long as it was, and as old
    os.utime(folder / LOG, ns=(stamp + 10**9, stamp + 10**9))
    again = {file.landing_path: file for file in zone_at(url_of(folder), tmp_path).scan("requests").files}
    assert read_bytes(again[LOG]) == b'{"id": 9}\n'
    assert again[LOG].snapshot_id != first[LOG].snapshot_id
    after = again[LOG].path.stat().st_ino, again["requests/gateway/2026-02-15/more.jsonl"].path.stat().st_ino
    assert (after[0] != before[0], after[1] == before[1]) == (True, True), "only what changed is fetched"
    second.unlink()
    assert [file.landing_path for file in zone_at(url_of(folder), tmp_path).scan("requests").files] == [LOG]
    assert not (again["requests/gateway/2026-02-15/more.jsonl"].path.parent).exists()


def test_a_copy_that_lost_its_notes_or_files_is_made_again(folder: Path, tmp_path: Path) -> None:
    (file,) = zone_at(url_of(folder), tmp_path).scan("requests").files
    for damage in (lambda: (file.path.parents[3] / ".requests.json").write_text("{"), file.path.unlink):
        damage()
        (again,) = zone_at(url_of(folder), tmp_path).scan("requests").files
        assert again == file
        assert read_bytes(again) == b'{"id": 1}\n'


def test_a_decision_about_a_file_lies_next_to_it_in_the_bucket_and_is_no_landed_file(
    folder: Path, tmp_path: Path
) -> None:
    put(folder / "prices/litellm_map/20260214T060000Z.json", b'{"a": 1}')
    zone = zone_at(url_of(folder), tmp_path / "one")
    (file,) = zone.scan("prices").files
    kept = zone.decide(file, "accept")
    assert kept.name.endswith(".review.json")
    other = zone_at(url_of(folder), tmp_path / "two")
    assert (other.scan("prices").files[0].sha256, len(other.scan("prices").files)) == (file.sha256, 1)
    assert other.verdicts("prices").by_content == {("litellm_map", file.sha256): "accept"}
    (theirs,) = other.scan("prices").files
    other.decide(theirs, "reject")
    zone.scan("prices")
    assert zone.verdicts("prices").by_content == {("litellm_map", file.sha256): "reject"}


def test_the_listing_changes_with_the_bucket(folder: Path, tmp_path: Path) -> None:
    seen = zone_at(url_of(folder), tmp_path).listing("requests")
    assert zone_at(url_of(folder), tmp_path).listing("requests") == seen
    added = put(folder / "requests/gateway/2026-02-15/more.jsonl", b'{"id": 2}\n')
    assert zone_at(url_of(folder), tmp_path).listing("requests") != seen
    added.unlink()
    assert zone_at(url_of(folder), tmp_path).listing("requests") == seen
    assert not zone_at(url_of(folder), tmp_path).folder.exists(), "a look copies nothing"


def land(at: LandingZone, content: bytes) -> LandedFile:
    at.scan("prices")
    return at.land("prices", "litellm_map", content, suffix=".json", fetched_at=NOON, url="https://x/y", etag="e")


def test_a_file_lands_in_the_bucket_with_its_sidecar(folder: Path, tmp_path: Path) -> None:
    landed = land(zone_at(url_of(folder), tmp_path / "a"), b'{"a": 1}')
    assert (folder / landed.landing_path).read_bytes() == b'{"a": 1}'
    sidecar = json.loads((folder / (landed.landing_path + ".meta.json")).read_bytes())
    assert (sidecar["sha256"], sidecar["etag"], sidecar["url"]) == (landed.sha256, "e", "https://x/y")
    assert read_bytes(landed) == b'{"a": 1}'
    (elsewhere,) = zone_at(url_of(folder), tmp_path / "b").scan("prices").files
    assert replace(elsewhere, path=Path()) == replace(landed, path=Path())


def test_nothing_in_the_bucket_is_overwritten(folder: Path, tmp_path: Path) -> None:
    one, two = zone_at(url_of(folder), tmp_path / "a"), zone_at(url_of(folder), tmp_path / "b")
    two.scan("prices")  # before the other lands: what it knows is out of date
    first = land(one, b'{"a": 1}')
    second = two.land("prices", "litellm_map", b'{"b": 2}', suffix=".json", fetched_at=NOON, url=None)
    same = two.land("prices", "litellm_map", b'{"a": 1}', suffix=".json", fetched_at=NOON, url=None)
    assert second.landing_path != first.landing_path == same.landing_path
    assert {read_bytes(file) for file in zone_at(url_of(folder), tmp_path / "c").scan("prices").files} == {
        b'{"a": 1}',
        b'{"b": 2}',
    }


def test_fetched_feeds_land_in_the_bucket(folder: Path, tmp_path: Path) -> None:
    with serve() as web:
        web.routes["/prices.json"] = reply(b'{"m": {"input_cost_per_token": 1e-06}}', Content_Type="application/json")
        feed = {"feed": "litellm_map", "format": "litellm_map", "url": f"{web.url}/prices.json"}
        settings = Settings(home=tmp_path, landing=url_of(folder), offline=False)
        sources = Sources.model_validate({"prices": [feed]})
        (first,) = fetch_feeds(settings, sources, now=NOON, kinds=("prices",))
        (second,) = fetch_feeds(settings, sources, now=NOON, kinds=("prices",))
    assert (first.outcome, second.outcome) == ("fetched", "unchanged")
    assert first.path is not None
    assert (folder / first.path).read_bytes() == b'{"m": {"input_cost_per_token": 1e-06}}'


@pytest.mark.parametrize(
    ("url", "environment", "said"),
    [
        ("s3://no-such-bucket/zone", {}, "there is no such bucket"),
        (None, {"AWS_SECRET_ACCESS_KEY": "another"}, "does not belong to AWS_ACCESS_KEY_ID"),
        (None, {"AWS_ACCESS_KEY_ID": "AKSOMEONE"}, "does not know AWS_ACCESS_KEY_ID"),
        (None, {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "can't be reached"),
    ],
)
def test_what_is_wrong_is_said_in_words_without_secrets(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    url: str | None,
    environment: dict[str, str],
    said: str,
) -> None:
    url = url or url_of(folder)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for act in (lambda: zone_at(url, tmp_path).scan("requests"), lambda: zone_at(url, tmp_path).listing("prices")):
        with pytest.raises(LandingError) as error:
            act()
        assert said in str(error.value)
        assert url in str(error.value)
        assert os.environ["AWS_ENDPOINT_URL"] in str(error.value)
        for secret in (KEY, SECRET, *environment.values()):
            assert secret not in str(error.value).replace(os.environ["AWS_ENDPOINT_URL"], "")


@pytest.mark.parametrize("url", ["gs://bucket/zone", "s3://", "s3://id:hidden@bucket/zone", "s3://b/z?secret=hidden"])
def test_an_unusable_url_is_refused_and_not_repeated(url: str, tmp_path: Path) -> None:
    with pytest.raises(LandingError, match="MODELMETER_LANDING") as error:
        zone_at(url, tmp_path)
    assert "s3://bucket/prefix" in str(error.value)
    assert "hidden" not in str(error.value)
    assert "hidden" not in str(Settings(home=tmp_path, landing=url).landing_zone)


def test_an_empty_prefix_is_an_empty_landing_zone(folder: Path, tmp_path: Path) -> None:
    empty = zone_at(f"s3://{folder.parent.name}/nothing-here", tmp_path).scan("requests")
    assert (empty.files, empty.problems) == ((), ())
    whole = zone_at(f"s3://{folder.parent.name}", tmp_path)
    assert whole.scan("requests").files == (), "the objects of other prefixes are none of ours"


def test_a_copy_needs_room(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=9))
    with pytest.raises(LandingError, match="make room"):
        zone_at(url_of(folder), tmp_path).scan("requests")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10))
    assert len(zone_at(url_of(folder), tmp_path).scan("requests").files) == 1


def listing(*objects: tuple[str, int]) -> bytes:
    rows = "".join(
        f"<Contents><Key>{key}</Key><LastModified>2026-02-14T06:00:00.000Z</LastModified>"
        f'<ETag>"{size}-1"</ETag><Size>{size}</Size></Contents>'
        for key, size in objects
    )
    return f'<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>'.encode()


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server whose answers a test writes."""
    with serve() as server:
        S3Server(server.url, Path()).use(monkeypatch)
        yield server


def cut_off(content: bytes, length: int) -> object:
    def route(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(length))
        handler.send_header("ETag", f'"{length}-1"')
        handler.send_header("Last-Modified", "Sat, 14 Feb 2026 06:00:00 GMT")
        handler.end_headers()
        handler.wfile.write(content)
        handler.wfile.flush()
        handler.close_connection = True
        handler.connection.shutdown(socket.SHUT_RDWR)

    return route


def whole(content: bytes) -> object:
    return reply(content, ETag=f'"{len(content)}-1"', Last_Modified="Sat, 14 Feb 2026 06:00:00 GMT")


def test_a_body_that_breaks_off_is_never_seen(scripted: Server, tmp_path: Path) -> None:
    scripted.routes["/logs"] = reply(listing((LOG, 20)))
    scripted.routes[f"/logs/{LOG}"] = cut_off(b'{"id": 1}\n', 20)  # type: ignore[assignment]
    at = zone_at("s3://logs", tmp_path)
    with pytest.raises(LandingError, match=r"s3://logs"):
        at.scan("requests")
    assert not [path for path in at.folder.rglob("*") if path.is_file() and "calls" in path.name]
    scripted.routes[f"/logs/{LOG}"] = whole(b'{"id": 1}\n{"id": 2}\n')  # type: ignore[assignment]
    (file,) = at.scan("requests").files
    assert read_bytes(file) == b'{"id": 1}\n{"id": 2}\n'


def test_a_body_that_stops_is_given_up(scripted: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time grows with the size, so that a large object over a slow line is read."""

    def stops(handler: Handler) -> None:
        handler.send_response(200)
        for name, value in (("Content-Length", "20"), ("ETag", '"20-1"')):
            handler.send_header(name, value)
        handler.send_header("Last-Modified", "Sat, 14 Feb 2026 06:00:00 GMT")
        handler.end_headers()
        handler.wfile.write(b'{"id": 1}\n')
        handler.wfile.flush()
        scripted.stop.wait(30)

    monkeypatch.setattr("pipelines.landing.bucket._ANSWER_S", 1)
    monkeypatch.setattr("pipelines.landing.bucket._RETRIES", {"max_retries": 0})
    scripted.routes["/logs"] = reply(listing((LOG, 20)))
    scripted.routes[f"/logs/{LOG}"] = stops
    started = time.monotonic()
    with pytest.raises(LandingError, match=r"s3://logs"):
        zone_at("s3://logs", tmp_path).scan("requests")
    assert time.monotonic() - started < 20


def test_one_object_that_vanishes_between_listing_and_reading_is_gone(scripted: Server, tmp_path: Path) -> None:
    other = "requests/gateway/2026-02-14/gone.jsonl"
    scripted.routes["/logs"] = reply(listing((LOG, 10), (other, 10)))
    scripted.routes[f"/logs/{LOG}"] = whole(b'{"id": 1}\n')  # type: ignore[assignment]
    scripted.routes[f"/logs/{other}"] = reply(b"<Error><Code>NoSuchKey</Code></Error>", 404)
    assert [file.landing_path for file in zone_at("s3://logs", tmp_path).scan("requests").files] == [LOG]


def test_names_that_are_no_files(scripted: Server, tmp_path: Path) -> None:
    """Markers that consoles make for folders say nothing; an object with the name of a folder is reported."""
    day = "requests/gateway/2026-02-14"
    scripted.routes["/logs"] = reply(listing(("requests/", 0), (f"{day}/", 0), (LOG, 10), ("requests/gateway", 4)))
    scripted.routes[f"/logs/{LOG}"] = whole(b'{"id": 1}\n')  # type: ignore[assignment]
    found = zone_at("s3://logs", tmp_path).scan("requests")
    assert [file.landing_path for file in found.files] == [LOG]
    (problem,) = found.problems
    assert problem.landing_path == "requests/gateway"
    assert "can't be both" in problem.reason


@pytest.mark.parametrize("key", ["requests/../../../escaped.jsonl", "requests//x/2026-02-14/a.jsonl"])
def test_a_name_that_is_no_path_never_leaves_the_copy(scripted: Server, tmp_path: Path, key: str) -> None:
    scripted.routes["/logs"] = reply(listing((key, 3)))
    with pytest.raises(LandingError, match="s3://logs"):
        zone_at("s3://logs", tmp_path / "home").scan("requests")
    assert not list(tmp_path.rglob("*escaped*"))
