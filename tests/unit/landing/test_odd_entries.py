"""Whatever lies in a landing zone that is no regular file of it: named once, never opened, and of no cost to the rest.

What the contents of files may be is tested in `tests/faults`.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.landing import KINDS, Kind, open_zone, scan
from pipelines.landing.files import versions
from pipelines.landing.names import is_plain, shown
from pipelines.landing.verdicts import read_verdicts
from pipelines.settings import Settings

GOOD = {
    "requests": "requests/gateway/2026-02-15/good.jsonl",
    "prices": "prices/feed/2026-02-15.json",
    "leaderboards": "leaderboards/board/2026-02-15.json",
    "selfhost": "selfhost/feed/2026-02-15.json",
    "limits": "limits/feed/2026-02-15.json",
}


@pytest.fixture
def zone(tmp_path: Path) -> Iterator[Path]:
    """A landing zone with one good file of each kind."""
    root = tmp_path / "zone"
    for place in GOOD.values():
        (root / place).parent.mkdir(parents=True)
        (root / place).write_bytes(b"{}\n")
    yield root
    subprocess.run(["rm", "-rf", str(root)], check=True)  # what Python removes may not be that deep


def pipe(path: Path) -> None:
    os.mkfifo(path)


def sock(path: Path) -> None:
    here = os.open(path.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"/proc/self/fd/{here}/{path.name}")
    os.close(here)


def link(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


def chain(path: Path) -> None:
    """A link to a link to a link, longer than the system follows."""
    for number in range(60):
        (path.parent / f".{number}").symlink_to(f".{number + 1}")
    path.symlink_to(".0")


def two_round(path: Path) -> None:
    path.symlink_to(".other")
    (path.parent / ".other").symlink_to(path.name)


def link_to_neighbour(path: Path) -> None:
    """A file outside of the zone, whose name begins as the zone's does."""
    outside = path.parents[3].with_name("zone-neighbour.json")
    outside.write_bytes(b"{}")
    path.symlink_to(outside)


ODD: dict[str, tuple[Callable[[Path], None], str]] = {
    "named pipe": (pipe, "a named pipe"),
    "socket": (sock, "a socket"),
    "link to a device": (link("/dev/zero"), "out of the landing zone"),
    "link to a terminal": (link("/dev/stdin"), "out of the landing zone|nothing|looked at"),
    "link out to a file": (link("/etc/passwd"), "out of the landing zone"),
    "link out to a folder": (link("/etc"), "out of the landing zone"),
    "link to a neighbour": (link_to_neighbour, "out of the landing zone"),
    "link to the system's tree": (link("/proc/self/root"), "a folder above it|out of the landing zone"),
    "link to nothing": (link("nowhere.json"), "a link to nothing"),
    "link to itself": (link("2026-02-16.json"), "symbolic links"),
    "two links in a circle": (two_round, "symbolic links"),
    "chain of links": (chain, "symbolic links"),
    "link to its folder": (link("."), "a folder above it"),
    "link to the zone": (link("../../.."), "a folder above it|out of the landing zone"),
    "link to the kind": (link("../.."), "a folder above it"),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_regular_file_is_named_once_and_costs_nothing_else(zone: Path, kind: Kind, name: str) -> None:
    make, reason = ODD[name]
    path = (zone / GOOD[kind]).with_name("2026-02-16.json")
    make(path)
    found = scan(zone, kind)
    assert [file.landing_path for file in found.files] == [GOOD[kind]]
    assert [problem.landing_path for problem in found.problems] == [path.relative_to(zone).as_posix()]
    assert any(part in found.problems[0].reason for part in reason.split("|"))
    assert str(found.problems[0]).startswith(found.problems[0].landing_path)
    assert open_zone(Settings(landing=zone, home=zone.parent / "home")).listing(kind)


def test_a_pipe_as_source_folder_as_kind_and_as_sidecar(zone: Path) -> None:
    os.mkfifo(zone / "prices/2026-02-15.json")
    os.mkfifo(zone / f"{GOOD['prices']}.meta.json")
    found = scan(zone, "prices")
    assert [file.landing_path for file in found.files] == [GOOD["prices"]]
    assert sorted((p.landing_path, "a named pipe" in p.reason) for p in found.problems) == [
        ("prices/2026-02-15.json", True),
        (GOOD["prices"], True),
    ]
    subprocess.run(["rm", "-rf", str(zone / "requests")], check=True)
    os.mkfifo(zone / "requests")
    (problem,) = scan(zone, "requests").problems
    assert problem.landing_path == "requests"


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_that_is_a_link_out_of_the_zone_is_one_problem(zone: Path, kind: Kind) -> None:
    (zone / kind).rename(zone.parent / "elsewhere")
    (zone / kind).symlink_to(zone.parent / "elsewhere")
    found = scan(zone, kind)
    assert found.files == ()
    assert [problem.landing_path for problem in found.problems] == [kind]


def test_links_that_stay_inside_are_followed_and_a_file_is_listed_once(zone: Path) -> None:
    day = zone / "requests/gateway/2026-02-15"
    hidden = zone / "requests/gateway/..data"
    hidden.mkdir()
    (hidden / "mounted.jsonl").write_bytes(b"{}\n{}\n")
    (day / "mounted.jsonl").symlink_to("../..data/mounted.jsonl")
    (day / "again.jsonl").symlink_to("good.jsonl")
    (zone / "requests/gateway/latest").symlink_to("2026-02-15")
    (zone / "requests/second").symlink_to("gateway")
    found = scan(zone, "requests")
    assert found.problems == ()
    assert [file.landing_path for file in found.files] == [
        "requests/gateway/2026-02-15/good.jsonl",
        "requests/gateway/2026-02-15/mounted.jsonl",
        "requests/second/2026-02-15/good.jsonl",
        "requests/second/2026-02-15/mounted.jsonl",
    ]


def test_links_that_multiply_end(zone: Path) -> None:
    """Thirty levels with two links each are a billion paths to one folder."""
    above = zone / "requests/gateway"
    for number in range(30):
        (above / f"{number}").mkdir()
        for name in "ab":
            (above / f"{number}" / name).symlink_to(f"../{number + 1}")
    found = scan(zone, "requests")
    assert [file.landing_path for file in found.files] == [GOOD["requests"]]


@pytest.mark.parametrize("kind", KINDS)
def test_folders_nested_deeper_than_the_stack_and_than_a_path_may_be(zone: Path, kind: Kind) -> None:
    (zone / GOOD[kind]).parent.joinpath("d").mkdir()
    script = (
        "import os, sys; os.chdir(sys.argv[1])\n"
        "def down(name): os.mkdir(name); os.chdir(name)\n"
        "[down('d') for _ in range(1200)]; open('2026-02-16.json', 'w').write('{}')\n"
        "[down('d' * 240) for _ in range(12)]; open('2026-02-17.json', 'w').write('{}')\n"
    )
    subprocess.run([sys.executable, "-c", script, str((zone / GOOD[kind]).parent / "d")], check=True)
    found = scan(zone, kind)
    assert {file.path.name for file in found.files} == {"2026-02-16.json", Path(GOOD[kind]).name}
    assert [problem.reason.split(":")[0] for problem in found.problems] == [
        "the folder can't be listed (File name too long)"
    ]


NAMES = {
    b"caf\xe9-2026-02-16.json": r"caf\xe9-2026-02-16.json",
    b"2026-02-16\n.json": r"2026-02-16\n.json",
    b"\x1b[31m2026-02-16.json": r"\x1b[31m2026-02-16.json",
    "\u202e2026-02-16.json".encode(): "\\u202e2026-02-16.json",
    "\x852026-02-16.json".encode(): "\\u00852026-02-16.json",
    b"a\\xe9-2026-02-16.json": r"a\\xe9-2026-02-16.json",
    "späte Zeilen 日本 🚀 2026-02-16.json".encode(): "späte Zeilen 日本 🚀 2026-02-16.json",
    b"[bold] 2026-02-16 | `x`.json": "[bold] 2026-02-16 | `x`.json",
    b"x" * 236 + b"2026-02-16.json": "x" * 236 + "2026-02-16.json",
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", KINDS)
def test_any_name_is_read_and_shown_as_text_that_can_be_stored(zone: Path, kind: Kind, name: bytes) -> None:
    path = os.fsencode((zone / GOOD[kind]).parent) + b"/" + name
    Path(os.fsdecode(path)).write_bytes(b"[]\n")
    found = scan(zone, kind, zone.parent / "hashes.json")
    assert found.problems == ()
    landing_path = f"{GOOD[kind].rpartition('/')[0]}/{NAMES[name]}"
    assert {file.landing_path for file in found.files} == {GOOD[kind], landing_path}
    assert is_plain(landing_path)
    landing_path.encode()
    assert scan(zone, kind, zone.parent / "hashes.json") == found


def test_no_two_names_are_shown_alike() -> None:
    names = [
        "\udce9",
        r"\xe9",
        "\xe9",
        r"\\xe9",
        "\n",
        r"\n",
        "\x1b",
        "\u0080",
        "\udc80",
        "\ud800",
        r"\ud800",
        "\U000e0001",
    ]
    assert len({shown(name) for name in names}) == len(names)
    assert all(is_plain(shown(name)) for name in names)


SIDECARS = {
    "nested a hundred thousand levels": b"[" * 100_000,
    "nested a hundred thousand objects": b'{"a":' * 100_000,
    "nested as far as it is read": b'{"fetched_at":' + b"[" * 900 + b"]" * 900 + b"}",
    "a list": b"[]",
    "a text": b'"2026-02-14"',
    "no bytes": b"",
    "other bytes": b"\xff\xfe\x00",
    "two megabytes": b'{"fetched_at": "2026-02-14T06:00:00Z", "x": "' + b"x" * 2**21 + b'"}',
    **{
        f"fetched_at {value}": json.dumps({"fetched_at": value}).encode()
        for value in (
            "0001-01-01T00:00:00+00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9999-12-31",
            "9999-12-31T23:59:59Z", "2026-02-30T00:00:00Z", "2026-02-14T06:00:00+99:99", "2026-02-14T06:00:00",
            "1899-12-31T00:00:00Z", "2100-01-01T00:00:00Z", "", None, 1771048800, True, [], {}, "canary" * 5,
        )
    },
    **{
        f"{key} {value!r:.20}": json.dumps({"fetched_at": "2026-02-14T06:00:00Z", key: value}).encode()
        for key, values in {
            "status": ("200", 1e400, 10**30, -1, True, []),
            "url": (7, ["a"], "x" * 10_000, "a\x00b", "\ud800", "\x1b[2J"),
            "etag": ({"a": 1}, "\x00"),
            "sha256": (5, "canary", "\x1b[31m"),
        }.items()
        for value in values
    },
}  # fmt: skip


@pytest.mark.parametrize("name", SIDECARS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_sidecar_that_says_nothing_usable_is_reported_and_the_name_dates_the_file(
    zone: Path, kind: Kind, name: str
) -> None:
    (zone / f"{GOOD[kind]}.meta.json").write_bytes(SIDECARS[name])
    found = scan(zone, kind)
    (file,) = found.files
    assert (file.observed_at, file.url, file.http_status) == (datetime(2026, 2, 15, tzinfo=UTC), None, None)
    (problem,) = found.problems
    assert Path(GOOD[kind]).name + ".meta.json" in problem.reason
    assert is_plain(problem.reason)
    assert "canary" not in problem.reason


def test_a_sidecar_that_is_no_file_of_the_zone(zone: Path) -> None:
    sidecar = zone / f"{GOOD['prices']}.meta.json"
    for make in (sidecar.mkdir, lambda: sidecar.symlink_to("/etc/passwd"), lambda: sidecar.symlink_to(sidecar.name)):
        make()
        found = scan(zone, "prices")
        assert (len(found.files), len(found.problems)) == (1, 1)
        sidecar.rmdir() if sidecar.is_dir() else sidecar.unlink()


def test_what_may_not_be_read_is_named(zone: Path) -> None:
    """In a process of another user, because the tests may run as root."""
    script = (
        "import os, sys; from pathlib import Path; from pipelines.landing import scan\n"
        "os.setuid(65534) if os.geteuid() == 0 else None\n"
        "found = scan(Path(sys.argv[1]), 'prices')\n"
        "print([f.landing_path for f in found.files], [str(p) for p in found.problems])\n"
    )
    closed = zone / "prices/feed/2026-02-16.json"
    closed.write_bytes(b"{}")
    closed.chmod(0)
    folder = zone / "prices/feed/closed"
    folder.mkdir(mode=0)
    for above in [zone, *zone.parents]:
        if str(above).startswith("/tmp/"):
            above.chmod(0o755)
    done = subprocess.run([sys.executable, "-c", script, str(zone)], capture_output=True, text=True, check=True)
    assert "['prices/feed/2026-02-15.json']" in done.stdout
    assert "prices/feed/2026-02-16.json: can't be read (Permission denied)" in done.stdout
    assert "prices/feed/closed: the folder can't be listed (Permission denied)" in done.stdout


def test_a_decision_is_read_from_a_regular_file_alone(zone: Path) -> None:
    """A pipe, a folder or a link in a circle under the name of a decision: nothing waits for it, and the rest counts."""
    feed = zone / "prices" / "feed"
    pipe(feed / "a.review.json")
    (feed / "b.review.json").mkdir()
    link("b.review.json/../c.review.json")(feed / "c.review.json")
    decided = {"sha256": "1" * 64, "verdict": "accept", "decided_at": "2026-02-15T10:00:00Z"}
    (feed / "d.review.json").write_text(json.dumps(decided))
    (feed / "e.review.json").write_bytes(b"[" * 100_000)
    found = read_verdicts(zone, "prices")
    assert found.by_content == {("feed", "1" * 64): "accept"}
    assert [problem.landing_path for problem in found.problems] == ["prices/feed/e.review.json"]


def test_a_decision_and_a_sidecar_change_what_is_listed(zone: Path) -> None:
    """So that the sensor asks for a run."""
    listed = versions(zone, "prices")
    (zone / "prices" / "feed" / "2026-02-15.json.meta.json").write_text("{}")
    with_sidecar = versions(zone, "prices")
    (zone / "prices" / "feed" / "2026-02-15.json.1.review.json").write_text("{}")
    assert len(listed) + 2 == len(with_sidecar) + 1 == len(versions(zone, "prices"))
